//! What stands on nano's screen: title, text, status, keys.

use sundew_kernel::{Process, STDIN};

use super::{Editor, Shortcuts, TAB};
use crate::screen::{column_of, shown, size};

impl Editor {
    /// Shows everything that changed; a question has the cursor at its end.
    pub(super) async fn show(
        &mut self,
        proc: &mut Process,
        shortcuts: Shortcuts,
        question: Option<&[u8]>,
    ) {
        let (columns, rows) = size(proc, STDIN);
        let mut out = b"\x1b[?25l".to_vec();
        let height = rows.saturating_sub(4).max(1);
        self.text.scroll(height);
        let status = match question {
            Some(question) => reversed(&padded(question, columns)),
            None if self.message.is_empty() => Vec::new(),
            None => self.status(columns),
        };
        self.rows.update(rows - 2, status, &mut out);
        let title = self.title(columns);
        self.rows.update(1, title, &mut out);
        for (row, text) in [rows - 1, rows]
            .into_iter()
            .zip(keys_of(shortcuts, columns))
        {
            self.rows.update(row, text, &mut out);
        }
        let (row, at) = self.text.cursor();
        let column = column_of(self.text.line(), at, TAB);
        // Long lines are shown a part at a time.
        let room = columns.saturating_sub(9).max(1);
        let from = if column + 1 < columns {
            0
        } else {
            column / room * room
        };
        for index in 0..height {
            let line = self.text.at(self.text.top() + index);
            let from = if self.text.top() + index == row {
                from
            } else {
                0
            };
            let mut text = shown(line, from, columns, TAB);
            if column_of(line, line.len(), TAB) > from + columns {
                text.pop();
                text.extend_from_slice(b"\x1b(B\x1b[0;7m>\x1b(B\x1b[m");
            }
            self.rows.update(index + 2, text, &mut out);
        }
        let (row, column) = match question {
            Some(question) => (rows - 2, column_of(question, question.len(), TAB) + 1),
            None => (row - self.text.top() + 2, column - from + 1),
        };
        out.extend_from_slice(format!("\x1b[{row};{column}H\x1b[?12l\x1b[?25h").as_bytes());
        let _closed = proc.print(&out).await;
        let _closed = proc.flush().await;
    }

    pub(super) fn status(&self, columns: usize) -> Vec<u8> {
        let text = [b"[ ".as_slice(), &self.message, b" ]"].concat();
        let blanks = columns.saturating_sub(text.len()) / 2;
        let alarm = self.message.starts_with(b"Error") || self.message.ends_with(b"view mode");
        let text = if alarm {
            [
                b"\x1b(B\x1b[0;1m\x1b[37m\x1b[41m".as_slice(),
                &text,
                b"\x1b[39;49m\x1b(B\x1b[m",
            ]
            .concat()
        } else {
            reversed(&text)
        };
        [vec![b' '; blanks], text].concat()
    }

    pub(super) fn title(&self, columns: usize) -> Vec<u8> {
        let name: &[u8] = if self.name.is_empty() {
            b"New Buffer"
        } else {
            &self.name
        };
        let taken = 15 + if self.view { 7 } else { 10 };
        let room = columns.saturating_sub(taken);
        let before = 15 + room.saturating_sub(name.len()) / 2;
        let mut line = b"  GNU nano 7.2 ".to_vec();
        line.resize(before.max(15), b' ');
        line.extend_from_slice(&shown(name, 0, room, TAB));
        if self.modified {
            line.extend_from_slice(b" *");
        }
        if self.view {
            line.resize(columns.saturating_sub(6).max(line.len()), b' ');
            line.extend_from_slice(b"View");
        }
        reversed(&padded(&line, columns))
    }
}

pub(super) fn reversed(text: &[u8]) -> Vec<u8> {
    [b"\x1b(B\x1b[0;7m".as_slice(), text, b"\x1b(B\x1b[m"].concat()
}

pub(super) fn padded(text: &[u8], columns: usize) -> Vec<u8> {
    let mut line = shown(text, 0, columns, TAB);
    let width = column_of(text, text.len(), TAB);
    line.resize(line.len() + columns.saturating_sub(width), b' ');
    line
}

pub(super) fn centred(text: &[u8], columns: usize) -> Vec<u8> {
    let blanks = columns.saturating_sub(text.len()) / 2;
    padded(&[vec![b' '; blanks], text.to_vec()].concat(), columns)
}

/// The two rows of keys, as wide as nano makes their columns.
pub(super) fn keys_of(shortcuts: Shortcuts, columns: usize) -> [Vec<u8>; 2] {
    let most = (columns + 40) / 20 * 2;
    let count = most.min(shortcuts.len()).max(2);
    let width = columns / count.div_ceil(2);
    [0, 1].map(|row| {
        let mut line = Vec::new();
        let mine = shortcuts.iter().take(count).skip(row).step_by(2);
        for (key, what) in mine {
            line.extend_from_slice(&reversed(key.as_bytes()));
            let room = width.saturating_sub(key.len());
            let text = format!(" {what:<room$}", room = room.saturating_sub(1));
            line.extend(text.bytes().take(room));
        }
        line
    })
}
