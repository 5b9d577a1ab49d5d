//! Tables as libsmartcols prints them: aligned, raw, as pairs, as JSON.

use sundew_kernel::{ExitStatus, Process};

/// One column.
#[derive(Debug, Clone, Copy)]
pub(super) struct Column {
    /// Its heading.
    pub(super) name: &'static str,
    /// Whether its cells stand at the right.
    pub(super) right: bool,
    /// Whether JSON has its cells without quotes.
    pub(super) number: bool,
    /// Whether it is shown unless others are asked for.
    pub(super) usual: bool,
}

/// A column at the left.
pub(super) const fn left(name: &'static str) -> Column {
    Column {
        name,
        right: false,
        number: false,
        usual: true,
    }
}

/// A column at the right.
pub(super) const fn right(name: &'static str) -> Column {
    Column {
        name,
        right: true,
        number: false,
        usual: true,
    }
}

/// A column of numbers.
pub(super) const fn number(name: &'static str) -> Column {
    Column {
        number: true,
        ..right(name)
    }
}

impl Column {
    /// The same, only for those who ask.
    pub(super) const fn hidden(self) -> Self {
        Self {
            usual: false,
            ..self
        }
    }
}

/// How a table is printed.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) enum Style {
    #[default]
    Aligned,
    Raw,
    Pairs,
    Json,
}

/// A table with all its columns, of which some are printed.
#[derive(Debug)]
pub(super) struct Table {
    /// What JSON calls the rows.
    pub(super) name: &'static str,
    pub(super) columns: &'static [Column],
    /// Cells in the order of the columns.
    pub(super) rows: Vec<Vec<String>>,
    pub(super) style: Style,
    pub(super) headings: bool,
    /// Indices into the columns.
    pub(super) shown: Vec<usize>,
}

impl Table {
    /// With the usual columns.
    pub(super) fn new(name: &'static str, columns: &'static [Column]) -> Self {
        let usual = columns
            .iter()
            .enumerate()
            .filter(|(_, column)| column.usual);
        Self {
            name,
            columns,
            rows: Vec::new(),
            style: Style::Aligned,
            headings: true,
            shown: usual.map(|(at, _)| at).collect(),
        }
    }

    /// `-o LIST`, with `+` in front to add; what of it is no column otherwise.
    pub(super) fn select(&mut self, list: &[u8]) -> Result<(), Vec<u8>> {
        let (list, more) = match list.strip_prefix(b"+") {
            Some(list) => (list, true),
            None => (list, false),
        };
        let mut chosen = if more { self.shown.clone() } else { Vec::new() };
        for name in list.split(|&byte| byte == b',') {
            let column = self
                .columns
                .iter()
                .position(|column| column.name.as_bytes().eq_ignore_ascii_case(name));
            chosen.push(column.ok_or_else(|| name.to_vec())?);
        }
        self.shown = chosen;
        Ok(())
    }

    /// Options that many of these programs share: `-J -r -P -n -o`. Whether it was one; else the
    /// column that is none.
    pub(super) fn option(&mut self, key: &str, value: &[u8]) -> Result<bool, Vec<u8>> {
        match key {
            "J" => self.style = Style::Json,
            "r" => self.style = Style::Raw,
            "P" => self.style = Style::Pairs,
            "n" => self.headings = false,
            "o" => self.select(value)?,
            _ => return Ok(false),
        }
        Ok(true)
    }

    /// Prints it.
    pub(super) async fn print(&self, proc: &mut Process) -> ExitStatus {
        // The kernel reports a failed write at exit.
        let _reported = proc.print(self.text().as_bytes()).await;
        proc.status()
    }

    fn cells<'a>(&'a self, row: &'a [String]) -> impl Iterator<Item = (&'a Column, &'a str)> {
        self.shown.iter().filter_map(|&at| {
            let column = self.columns.get(at)?;
            Some((column, row.get(at).map_or("", String::as_str)))
        })
    }

    fn text(&self) -> String {
        match self.style {
            Style::Json => self.json(),
            Style::Pairs => self.joined(|column, cell| format!("{}=\"{cell}\"", column.name)),
            Style::Raw => {
                let mut out = String::new();
                if self.headings {
                    let names = self.cells(&[]).map(|(column, _)| column.name);
                    out = names.collect::<Vec<_>>().join(" ") + "\n";
                }
                out + &self.joined(|_, cell| cell.replace(' ', "\\x20"))
            }
            Style::Aligned => self.aligned(),
        }
    }

    fn joined(&self, one: impl Fn(&Column, &str) -> String) -> String {
        let lines = self.rows.iter().map(|row| {
            let cells = self.cells(row).map(|(column, cell)| one(column, cell));
            cells.collect::<Vec<_>>().join(" ") + "\n"
        });
        lines.collect()
    }

    fn aligned(&self) -> String {
        if self.rows.is_empty() {
            return String::new();
        }
        let width = |text: &str| text.chars().count();
        let mut widths: Vec<usize> = self
            .cells(&[])
            .map(|(column, _)| if self.headings { width(column.name) } else { 0 })
            .collect();
        for row in &self.rows {
            for (most, (_, cell)) in widths.iter_mut().zip(self.cells(row)) {
                *most = (*most).max(width(cell));
            }
        }
        let line = |cells: Vec<(&Column, &str)>| {
            let last = cells.len().saturating_sub(1);
            let mut out = String::new();
            for (at, ((column, cell), most)) in cells.into_iter().zip(&widths).enumerate() {
                let blanks = " ".repeat(most.saturating_sub(width(cell)));
                if at > 0 {
                    out.push(' ');
                }
                if column.right {
                    out.push_str(&blanks);
                }
                out.push_str(cell);
                if !column.right && at != last {
                    out.push_str(&blanks);
                }
            }
            out.push('\n');
            out
        };
        let mut out = String::new();
        if self.headings {
            let cells = self.cells(&[]).map(|(column, _)| (column, column.name));
            out.push_str(&line(cells.collect()));
        }
        for row in &self.rows {
            out.push_str(&line(self.cells(row).collect()));
        }
        out
    }

    fn json(&self) -> String {
        let rows = self.rows.iter().map(|row| {
            let cells = self.cells(row).map(|(column, cell)| {
                let name = column.name.to_ascii_lowercase();
                if cell.is_empty() {
                    format!("         \"{name}\": null")
                } else if column.number {
                    format!("         \"{name}\": {cell}")
                } else {
                    let cell = cell.replace('\\', "\\\\").replace('"', "\\\"");
                    format!("         \"{name}\": \"{cell}\"")
                }
            });
            format!("{{\n{}\n      }}", cells.collect::<Vec<_>>().join(",\n"))
        });
        let rows: Vec<String> = rows.collect();
        let rows = if rows.is_empty() {
            String::new()
        } else {
            rows.join(",")
        };
        let blank = if rows.is_empty() { "\n" } else { "" };
        format!(
            "{{\n   \"{}\": [{blank}{}\n   ]\n}}\n",
            self.name,
            if rows.is_empty() {
                String::new()
            } else {
                format!("\n      {rows}")
            }
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_follows_is_padded() {
        const COLUMNS: &[Column] = &[left("NAME"), right("SIZE"), left("END")];
        let mut table = Table::new("things", COLUMNS);
        table.rows.push(vec!["a".into(), "10".into(), "x".into()]);
        assert_eq!(table.text(), "NAME SIZE END\na      10 x\n");
        assert!(table.select(b"size,name").is_ok());
        table.style = Style::Raw;
        assert_eq!(table.text(), "SIZE NAME\n10 a\n");
        table.style = Style::Json;
        assert!(table.text().starts_with("{\n   \"things\": [\n      {\n"));
    }
}
