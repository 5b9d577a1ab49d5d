//! What the terminal shows and the bytes that make it show something else.
//!
//! Readline compares the screen's lines with what they shall be and sends only the difference. An
//! observer of the bytes can tell one line editor from another by how it does that, so the
//! choices here (when to insert, when to print to the end of the line) are those of readline 8.2.

use super::terminal::Terminal;
use super::width;

/// One character on the screen, or one byte of what a prompt hides.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Cell {
    bytes: [u8; 4],
    len: u8,
    width: u8,
    standout: bool,
}

impl Cell {
    fn new(bytes: &[u8], width: usize, standout: bool) -> Self {
        let mut cell = Self {
            bytes: [0; 4],
            len: 0,
            width: u8::from(width > 0) + u8::from(width > 1),
            standout,
        };
        for (to, from) in cell.bytes.iter_mut().zip(bytes) {
            *to = *from;
            cell.len += 1;
        }
        cell
    }

    fn bytes(&self) -> &[u8] {
        self.bytes.get(..usize::from(self.len)).unwrap_or_default()
    }

    fn width(&self) -> usize {
        usize::from(self.width)
    }
}

/// What is to be shown.
#[derive(Debug, Clone, Copy)]
pub struct Picture<'a> {
    /// The prompt, `\x01` and `\x02` around what takes no room.
    pub prompt: &'a [u8],
    /// The line.
    pub line: &'a [u8],
    /// Where in the line the cursor is, in bytes.
    pub point: usize,
    /// Bytes of the line that stand out.
    pub region: Option<(usize, usize)>,
}

/// The screen below and including the prompt's last line.
#[derive(Debug)]
pub struct Display {
    terminal: Terminal,
    columns: usize,
    utf8: bool,
    rows: Vec<Vec<Cell>>,
    column: usize,
    row: usize,
    /// Whether a row begins with a wide character that did not fit into the one before.
    padded: Vec<bool>,
    /// The last row in use.
    bottom: usize,
    /// The next update of the first row prints it whole.
    pub quick: bool,
    /// First cell shown on a terminal that has one line only.
    margin: usize,
    prompt: PromptSize,
    /// What is to be sent.
    pub out: Vec<u8>,
}

/// The prompt as laid out.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
struct PromptSize {
    /// Cells, invisible ones included.
    cells: usize,
    /// Bytes that take no room.
    invisible: usize,
    /// Columns.
    columns: usize,
    /// Index of the last invisible cell.
    last_invisible: usize,
}

/// Rows and the place of the cursor.
struct Layout {
    rows: Vec<Vec<Cell>>,
    padded: Vec<bool>,
    cursor_row: usize,
    cursor_cell: usize,
    prompt: PromptSize,
}

impl Display {
    /// An empty screen of a width.
    pub fn new(terminal: Terminal, columns: u16, utf8: bool) -> Self {
        Self {
            terminal,
            columns: usable(terminal, columns),
            utf8,
            rows: vec![Vec::new()],
            column: 0,
            row: 0,
            padded: Vec::new(),
            bottom: 0,
            quick: false,
            margin: 0,
            prompt: PromptSize::default(),
            out: Vec::new(),
        }
    }

    /// The terminal.
    pub fn terminal(&self) -> Terminal {
        self.terminal
    }

    /// Its width in columns.
    pub fn columns(&self) -> usize {
        self.columns
    }

    /// Goes to the last row if the line has several, and below it.
    pub fn leave_rows(&mut self) {
        if self.row < self.bottom {
            self.move_to_row(self.bottom);
        }
    }

    /// The cursor is at the start of an empty line, whatever was before.
    pub fn on_new_line(&mut self) {
        self.rows = vec![Vec::new()];
        self.column = 0;
        self.row = 0;
        self.bottom = 0;
        self.margin = 0;
    }

    /// Shows the prompt's lines but the last, then the rest: for the first time, or after the screen
    /// was cleared.
    pub fn show_all(&mut self, picture: &Picture<'_>) {
        if let Some(end) = picture.prompt.iter().rposition(|&byte| byte == b'\n') {
            let head = picture.prompt.get(..=end).unwrap_or_default();
            self.out
                .extend(head.iter().filter(|byte| !matches!(byte, 1 | 2)));
        }
        self.show(picture);
    }

    /// Shows one more character of ASCII that was typed behind the line's last; `false` if that is
    /// not as simple as it sounds, and [`Display::show`] is to do it.
    pub fn append(&mut self, byte: u8) -> bool {
        let bottom = self.bottom;
        let Some(row) = self.rows.get_mut(bottom) else {
            return false;
        };
        let simple =
            self.row == bottom && (0x20..0x7f).contains(&byte) && self.column + 2 < self.columns;
        if !simple || columns_of(row) != self.column || row.last().is_some_and(|cell| cell.standout)
        {
            return false;
        }
        row.push(Cell::new(&[byte], 1, false));
        self.out.push(byte);
        self.column += 1;
        true
    }

    /// Makes the screen show `picture`.
    pub fn show(&mut self, picture: &Picture<'_>) {
        let layout = self.layout(picture);
        self.prompt = layout.prompt;
        self.padded = layout.padded.clone();
        if self.terminal.up.is_empty() {
            return self.show_on_one_row(layout);
        }
        let bottom = layout.rows.len() - 1;
        for (index, row) in layout.rows.iter().enumerate() {
            let old = self.rows.get(index).cloned().unwrap_or_default();
            self.update_row(old, row, index, bottom);
        }
        for index in bottom + 1..=self.bottom {
            let old = self.rows.get(index).cloned().unwrap_or_default();
            self.move_to_row(index);
            self.move_to_cell(0, &old);
            let count = if index == self.bottom {
                old.len()
            } else {
                self.columns
            };
            self.clear_to_end(count);
        }
        self.bottom = bottom;
        self.rows = layout.rows;
        self.place_cursor(layout.cursor_row, layout.cursor_cell);
    }

    /// Leaves the line: the cursor goes below it.
    pub fn finish(&mut self) {
        let mut full = false;
        if self.bottom > 0
            && self.column == 0
            && self.rows.get(self.bottom).is_none_or(Vec::is_empty)
        {
            self.bottom -= 1;
            full = true;
        }
        self.move_to_row(self.bottom);
        let row = self.rows.get(self.bottom).cloned().unwrap_or_default();
        let width = columns_of(&row);
        if full && self.terminal.wraps && width == self.columns && !row.is_empty() {
            // The terminal still waits to wrap behind the last column; printing that column anew
            // makes it forget.
            self.move_to_cell(row.len() - 1, &row);
            self.clear_to_end(0);
            self.print(row.get(row.len() - 1..).unwrap_or_default());
        }
        self.bottom = 0;
        if width > 0 || self.column > 0 {
            self.out.push(b'\n');
        }
        self.on_new_line();
    }

    /// Clears the screen, and what has scrolled away if wanted, and shows everything at its top.
    pub fn clear_screen(&mut self, picture: &Picture<'_>, all: bool) {
        if self.terminal.clear_screen.is_empty() {
            self.out.push(b'\n');
        } else {
            self.out.extend_from_slice(self.terminal.clear_screen);
            if all {
                self.out.extend_from_slice(self.terminal.forget);
            }
        }
        self.on_new_line();
        self.show_all(picture);
    }

    /// Clears the row and shows everything again.
    pub fn refresh(&mut self, picture: &Picture<'_>) {
        self.move_to_row(0);
        self.out.push(b'\r');
        self.out.extend_from_slice(self.terminal.clear_line);
        self.out.push(b'\r');
        self.on_new_line();
        self.show_all(picture);
    }

    /// Goes to the start of the last row, which is cleared.
    pub fn clear_rows(&mut self) {
        self.leave_rows();
        self.out.push(b'\r');
        self.out.extend_from_slice(self.terminal.clear_line);
        self.out.push(b'\r');
    }

    /// Goes below the line to print something there; [`Display::on_new_line`] follows.
    pub fn below(&mut self) {
        self.move_to_row(self.bottom);
        self.out.push(b'\n');
        self.on_new_line();
    }

    /// Shows everything again on a terminal of another size.
    pub fn resize(&mut self, columns: u16, picture: &Picture<'_>) {
        self.columns = usable(self.terminal, columns);
        self.move_to_row(self.bottom);
        self.out.push(b'\r');
        if self.terminal.clear_line.is_empty() {
            self.out.resize(self.out.len() + self.columns, b' ');
        } else {
            self.out.extend_from_slice(self.terminal.clear_line);
        }
        for _ in 0..self.row {
            self.out.push(b'\r');
            self.out.extend_from_slice(self.terminal.up);
            self.out.extend_from_slice(self.terminal.clear_line);
        }
        self.out.push(b'\r');
        self.on_new_line();
        self.show(picture);
    }

    fn place_cursor(&mut self, row: usize, cell: usize) {
        self.move_to_row(row);
        let cells = self.rows.get(row).cloned().unwrap_or_default();
        let hides = self.prompt.invisible > 0 && row == 0;
        if hides && self.column > 0 && self.column < self.prompt.columns {
            self.reprint_prompt(&cells);
        }
        let before = cells.get(..cell).unwrap_or(&cells);
        let bytes: usize = before.iter().map(|cell| usize::from(cell.len)).sum();
        let target = columns_of(before);
        if hides && bytes < self.column && self.column > target {
            self.back(self.column - target);
            self.column = target;
        }
        self.move_to_cell(cell, &cells);
    }

    fn reprint_prompt(&mut self, cells: &[Cell]) {
        self.out.push(b'\r');
        self.column = 0;
        self.print(cells.get(..self.prompt.cells).unwrap_or(cells));
    }

    // ---- one row -------------------------------------------------------------------------------

    fn update_row(&mut self, mut old: Vec<Cell>, new: &[Cell], index: usize, bottom: usize) {
        if self.column == self.columns && self.terminal.wraps && self.row + 1 == index {
            // Behind the last column: the first character of this row makes the terminal wrap.
            let Some(first) = new.first() else {
                self.out.push(b' ');
                self.column = 1;
                self.row += 1;
                return self.update_rest(&old, new, index, bottom);
            };
            if self.padded.get(index) == Some(&true) {
                self.clear_to_end(1);
            }
            self.print(std::slice::from_ref(first));
            self.column = first.width();
            self.row += 1;
            match old.first_mut() {
                Some(shown) if shown.width == first.width && shown.len >= first.len => {
                    *shown = *first;
                }
                _ => {
                    return self.print_over(&old, new, 1, index, bottom);
                }
            }
        }
        self.update_rest(&old, new, index, bottom);
    }

    /// Prints the first row anew whatever is there.
    fn print_anew(&mut self, old: &[Cell], new: &[Cell]) {
        self.move_to_row(0);
        self.move_to_cell(0, old);
        self.print(new);
        // Readline compares bytes here, and counts bytes for columns: it is wrong about the cursor
        // from then on, unless the row is full.
        if self.column < self.columns {
            self.column += bytes_of(new)
                - columns_of(new).min(bytes_of(new))
                - self.prompt.invisible.min(bytes_of(new));
        }
        if bytes_of(new) < bytes_of(old) {
            self.clear_to_end(bytes_of(old) - bytes_of(new));
        }
    }

    fn update_rest(&mut self, old: &[Cell], new: &[Cell], index: usize, bottom: usize) {
        if index == 0 && std::mem::take(&mut self.quick) {
            return self.print_anew(old, new);
        }
        let mut from = old
            .iter()
            .zip(new)
            .take_while(|(old, new)| old == new)
            .count();
        if from == old.len() && from == new.len() {
            return;
        }
        while from > 0
            && new
                .get(from)
                .is_some_and(|cell| cell.width == 0 && cell.len > 1)
        {
            from -= 1;
        }
        let (old_end, new_end) = self.common_end(old, new, from);
        self.move_to_row(index);
        if index == 0 && self.prompt_is_torn(from) {
            self.reprint_prompt(new);
            if from <= self.prompt.last_invisible {
                from = self.prompt.cells;
                let same = old.get(from..) == new.get(from..);
                if same {
                    return;
                }
            }
        }
        let (old_end, new_end) = (old_end.max(from), new_end.max(from));
        self.move_to_cell(from, old);
        self.change(
            old,
            new,
            Change {
                from,
                old_end,
                new_end,
            },
            index,
            bottom,
        );
    }

    /// Whether a change from the cell `from` on would print a part of a prompt whose colours it
    /// would not set, or start within it.
    fn prompt_is_torn(&self, from: usize) -> bool {
        let prompt = self.prompt;
        prompt.invisible > 0
            && !self.terminal.up.is_empty()
            && self.column > 0
            && ((from > 0 && from <= prompt.last_invisible)
                || (from >= prompt.cells && self.column < prompt.columns))
    }

    /// Where the part that both rows end with begins.
    ///
    /// In a multibyte locale readline looks for blanks the wrong way round: the common end counts
    /// only if there is a blank in it.
    fn common_end(&self, old: &[Cell], new: &[Cell], from: usize) -> (usize, usize) {
        let mut old_at = old.len().saturating_sub(1);
        let mut new_at = new.len().saturating_sub(1);
        let mut to_the_end = true;
        while old_at > from && new_at > from && old.get(old_at) == new.get(new_at) {
            let blank = old.get(old_at).is_some_and(|cell| cell.bytes() == b" ");
            if blank == self.utf8 {
                to_the_end = false;
            }
            old_at -= 1;
            new_at -= 1;
        }
        if to_the_end {
            return (old.len(), new.len());
        }
        if old.get(old_at) != new.get(new_at) {
            return (old.len().min(old_at + 1), new.len().min(new_at + 1));
        }
        (old_at, new_at)
    }

    fn change(&mut self, old: &[Cell], new: &[Cell], change: Change, index: usize, bottom: usize) {
        let Change {
            from,
            old_end,
            new_end,
        } = change;
        let old_part = old.get(from..old_end).unwrap_or_default();
        let new_part = new.get(from..new_end).unwrap_or_default();
        let new_rest = new.get(from..).unwrap_or_default();
        let (shrinks, grows) = (columns_of(old_part), columns_of(new_part));
        if grows > shrinks {
            let more_rows = index >= self.bottom && bottom > self.bottom;
            let fewer_bytes = bytes_of(new_part) < bytes_of(old_part);
            let inserts =
                self.terminal.insert_many && !(self.terminal.wraps && more_rows) && !fewer_bytes;
            if inserts && old_end < old.len() {
                let count = grows - shrinks;
                self.out
                    .extend_from_slice(format!("\x1b[{count}@").as_bytes());
                self.print(new_part);
            } else {
                self.print(new_rest);
            }
            return;
        }
        let count = shrinks - grows;
        if self.terminal.delete_many && 2 * columns_of(new_rest) >= count {
            if count > 0 {
                self.out
                    .extend_from_slice(format!("\x1b[{count}P").as_bytes());
            }
            self.print(new_part);
            return;
        }
        self.print_over(old, new, from, index, bottom);
    }

    /// Prints the rest of the row over what is there, and clears what is longer.
    fn print_over(&mut self, old: &[Cell], new: &[Cell], from: usize, index: usize, bottom: usize) {
        self.print(new.get(from..).unwrap_or_default());
        let longer = columns_of(old).saturating_sub(columns_of(new));
        if longer > 0 {
            if self.terminal.wraps && index < bottom {
                self.out.resize(self.out.len() + longer, b' ');
                self.column += longer;
            } else {
                self.clear_to_end(longer);
            }
        }
    }

    fn clear_to_end(&mut self, count: usize) {
        if self.terminal.clear_line.is_empty() {
            self.out.resize(self.out.len() + count, b' ');
            self.column += count;
        } else {
            self.out.extend_from_slice(self.terminal.clear_line);
        }
    }

    fn print(&mut self, cells: &[Cell]) {
        let mut standing_out = false;
        for cell in cells {
            if cell.standout != standing_out {
                standing_out = cell.standout;
                let switch = if standing_out {
                    self.terminal.standout
                } else {
                    self.terminal.standout_end
                };
                self.out.extend_from_slice(switch);
            }
            self.out.extend_from_slice(cell.bytes());
            self.column += cell.width();
        }
        if standing_out {
            self.out.extend_from_slice(self.terminal.standout_end);
        }
    }

    // ---- the cursor ----------------------------------------------------------------------------

    fn move_to_row(&mut self, row: usize) {
        if row > self.row {
            for _ in self.row..row {
                self.out.push(b'\n');
            }
            self.out.push(b'\r');
            self.column = 0;
        } else {
            for _ in row..self.row {
                self.out.extend_from_slice(self.terminal.up);
            }
        }
        self.row = row;
    }

    /// Moves to the cell `index` of the row that shows `cells`.
    fn move_to_cell(&mut self, index: usize, cells: &[Cell]) {
        let before = cells.get(..index).unwrap_or(cells);
        let target = columns_of(before);
        if target == self.column {
            return;
        }
        let returning_is_shorter = target + 1 < self.column.saturating_sub(target);
        if target == 0
            || returning_is_shorter
            || (self.terminal.wraps && self.column == self.columns)
        {
            self.out.push(b'\r');
            self.column = 0;
        }
        if self.column < target {
            if self.terminal.forward.is_empty() {
                self.out.push(b'\r');
                self.column = 0;
                self.print(before);
            } else {
                for _ in self.column..target {
                    self.out.extend_from_slice(self.terminal.forward);
                }
            }
        } else if self.column > target {
            self.back(self.column - target);
        }
        self.column = target;
    }

    fn back(&mut self, count: usize) {
        let back = if self.terminal.back.is_empty() {
            b"\x08"
        } else {
            self.terminal.back
        };
        for _ in 0..count {
            self.out.extend_from_slice(back);
        }
    }

    // ---- one row for everything ------------------------------------------------------------------

    /// Without a way up there is one row, of which a part is shown between `<` and `>`.
    fn show_on_one_row(&mut self, layout: Layout) {
        let Some(mut cells) = layout.rows.into_iter().next() else {
            return;
        };
        let cursor = layout.cursor_cell;
        let third = (self.columns / 3).max(1);
        let physical = cursor as isize - self.margin as isize;
        let margin = if physical > self.columns as isize - 2 {
            cursor.saturating_sub(2 * third)
        } else if cursor + 2 < self.columns {
            0
        } else if physical < 1 {
            cursor.saturating_sub(1) / third * third
        } else {
            self.margin
        };
        let mark = |byte: u8| Cell::new(&[byte], 1, false);
        if margin > 0
            && let Some(first) = cells.get_mut(margin)
        {
            *first = mark(b'<');
        }
        let end = margin + self.columns;
        if end < cells.len() {
            cells.truncate(end);
            if let Some(last) = cells.last_mut() {
                *last = mark(b'>');
            }
        }
        let new: Vec<Cell> = cells.drain(margin.min(cells.len())..).collect();
        let old = self.rows.first().cloned().unwrap_or_default();
        self.update_rest(&old, &new, 0, 0);
        self.margin = margin;
        self.move_to_cell(cursor.saturating_sub(margin), &new);
        self.rows = vec![new];
    }

    // ---- layout --------------------------------------------------------------------------------

    fn layout(&self, picture: &Picture<'_>) -> Layout {
        let mut rows = Rows {
            rows: vec![Vec::new()],
            padded: Vec::new(),
            column: 0,
            columns: if self.terminal.up.is_empty() {
                usize::MAX
            } else {
                self.columns
            },
        };
        let prompt = rows.put_prompt(picture.prompt, self.utf8);
        let mut cursor = None;
        let mut at = 0;
        while at < picture.line.len() {
            if at >= picture.point && cursor.is_none() {
                cursor = Some(rows.end());
            }
            let rest = picture.line.get(at..).unwrap_or_default();
            let standout = self.stands_out(picture, at);
            let before = rows.end();
            at += self.put_character(&mut rows, rest, standout);
            if cursor == Some(before)
                && rows.end().0 != before.0
                && rows.row_len(before.0) == before.1
            {
                // A wide character did not fit there and went to the next row.
                cursor = Some((rows.end().0, 0));
            }
        }
        let (cursor_row, cursor_cell) = cursor.unwrap_or_else(|| rows.end());
        Layout {
            rows: rows.rows,
            padded: rows.padded,
            cursor_row,
            cursor_cell,
            prompt,
        }
    }

    fn stands_out(&self, picture: &Picture<'_>, at: usize) -> bool {
        !self.terminal.standout.is_empty()
            && picture
                .region
                .is_some_and(|(from, to)| (from..to).contains(&at))
    }

    /// Lays out the character that `rest` begins with; its length.
    fn put_character(&self, rows: &mut Rows, rest: &[u8], standout: bool) -> usize {
        let Some(&first) = rest.first() else { return 1 };
        match first {
            b'\t' => {
                for _ in 0..8 - rows.column % 8 {
                    rows.put(b" ", 1, standout);
                }
            }
            b'\n' if !self.terminal.up.is_empty() => rows.break_row(),
            0..0x20 | 0x7f => {
                rows.put(b"^", 1, standout);
                rows.put(&[first ^ 0x40], 1, standout);
            }
            0x80.. if !self.utf8 => {
                for byte in format!("\\{first:o}").bytes() {
                    rows.put(&[byte], 1, standout);
                }
            }
            _ => {
                let (len, width) = width::character(rest, self.utf8);
                rows.put(rest.get(..len).unwrap_or_default(), width, standout);
                return len.max(1);
            }
        }
        1
    }
}

/// What part of a row changes: cells `from..old_end` become `from..new_end`.
struct Change {
    from: usize,
    old_end: usize,
    new_end: usize,
}

struct Rows {
    rows: Vec<Vec<Cell>>,
    padded: Vec<bool>,
    column: usize,
    columns: usize,
}

impl Rows {
    fn end(&self) -> (usize, usize) {
        (self.rows.len() - 1, self.rows.last().map_or(0, Vec::len))
    }

    fn row_len(&self, row: usize) -> usize {
        self.rows.get(row).map_or(0, Vec::len)
    }

    fn break_row(&mut self) {
        self.rows.push(Vec::new());
        self.column = 0;
    }

    fn put(&mut self, bytes: &[u8], width: usize, standout: bool) {
        if width > 1 && self.column + width > self.columns {
            while self.column < self.columns {
                self.push(Cell::new(b" ", 1, false));
                self.column += 1;
            }
            self.break_row();
            self.padded.resize(self.rows.len() - 1, false);
            self.padded.push(true);
        }
        self.push(Cell::new(bytes, width, standout));
        self.column += width;
        if self.column >= self.columns {
            self.break_row();
        }
    }

    fn push(&mut self, cell: Cell) {
        if let Some(row) = self.rows.last_mut() {
            row.push(cell);
        }
    }

    fn put_prompt(&mut self, prompt: &[u8], utf8: bool) -> PromptSize {
        let start = prompt
            .iter()
            .rposition(|&byte| byte == b'\n')
            .map_or(0, |at| at + 1);
        let mut rest = prompt.get(start..).unwrap_or_default();
        let mut size = PromptSize::default();
        while let Some(&first) = rest.first() {
            if first == 1 {
                let end = rest
                    .iter()
                    .position(|&byte| byte == 2)
                    .unwrap_or(rest.len());
                for byte in rest.get(1..end).unwrap_or_default() {
                    size.invisible += 1;
                    size.last_invisible = self.end().1;
                    self.push(Cell::new(&[*byte], 0, false));
                }
                rest = rest.get(end + 1..).unwrap_or_default();
                continue;
            }
            let (len, width) = width::character(rest, utf8);
            self.put(rest.get(..len).unwrap_or_default(), width, false);
            size.columns += width;
            rest = rest.get(len.max(1)..).unwrap_or_default();
        }
        size.cells = self.rows.first().map_or(0, Vec::len);
        size
    }
}

fn columns_of(cells: &[Cell]) -> usize {
    cells.iter().map(Cell::width).sum()
}

fn bytes_of(cells: &[Cell]) -> usize {
    cells.iter().map(|cell| usize::from(cell.len)).sum()
}

/// Columns that can be printed to without the terminal doing something on its own.
fn usable(terminal: Terminal, columns: u16) -> usize {
    let columns = if columns == 0 {
        80
    } else {
        usize::from(columns)
    };
    if terminal.wraps {
        columns
    } else {
        columns.saturating_sub(1).max(1)
    }
}
