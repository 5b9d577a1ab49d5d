//! The table.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::fs;
use std::path::Path;

use anyhow::{Context as _, Result};

use super::load::{Figures, LINES, Line};

/// Between these two the table stands in a document.
const BEGIN: &str = "<!-- bench ftp: begin -->";
const END: &str = "<!-- bench ftp: end -->";

/// What was measured so far.
#[derive(Debug, Default)]
pub(crate) struct Report {
    servers: Vec<&'static str>,
    missing: Vec<&'static str>,
    figures: BTreeMap<(&'static str, &'static str), Vec<Figures>>,
    failed: Vec<(&'static str, &'static str)>,
}

impl Report {
    pub(crate) fn add(&mut self, server: &'static str, line: &Line, figures: Figures) {
        if !self.servers.contains(&server) {
            self.servers.push(server);
        }
        self.figures
            .entry((line.name, server))
            .or_default()
            .push(figures);
    }

    pub(crate) fn missing(&mut self, server: &'static str) {
        self.missing.push(server);
    }

    pub(crate) fn failed(&mut self, server: &'static str, line: &Line) {
        self.failed.push((line.name, server));
    }

    /// Medians, as Markdown: cost, and the rate behind it.
    pub(crate) fn table(&self, is_quick: bool) -> String {
        let mut text = String::new();
        let mut row = |cells: &[String]| {
            let written = writeln!(text, "| {} |", cells.join(" | "));
            // Writing to a string does not fail.
            written.unwrap_or_default();
        };
        let mut head = vec!["line".to_owned(), "cost; rate".to_owned()];
        head.extend(self.servers.iter().map(|server| (*server).to_owned()));
        row(&head);
        row(&vec!["---".to_owned(); head.len()]);
        for line in LINES {
            let unit = match line.rate {
                "" => line.cost.to_owned(),
                rate => format!("{}; {rate}", line.cost),
            };
            let mut cells = vec![line.name.to_owned(), unit];
            cells.extend(self.servers.iter().map(|server| self.cell(line, server)));
            if cells.iter().skip(2).any(|cell| cell != "–") {
                row(&cells);
            }
        }
        if !self.missing.is_empty() {
            text += &format!(
                "\nNot found on this machine: {}.\n",
                self.missing.join(", ")
            );
        }
        if is_quick {
            text += "\nA quick run: to see whether it runs, not to quote.\n";
        }
        text
    }

    fn cell(&self, line: &Line, server: &'static str) -> String {
        if self.failed.contains(&(line.name, server)) {
            return "failed".to_owned();
        }
        let Some(all) = self.figures.get(&(line.name, server)) else {
            return "–".to_owned();
        };
        let cost = number(median(all.iter().map(|figures| figures.cost)));
        match median(all.iter().filter_map(|figures| figures.rate)) {
            rate if rate > 0.0 => format!("{cost}; {}", number(rate)),
            _ => cost,
        }
    }
}

/// Puts the table where it belongs in a document.
pub(crate) fn put(path: &Path, table: &str) -> Result<()> {
    let text = fs::read_to_string(path)?;
    let (before, rest) = text
        .split_once(BEGIN)
        .with_context(|| format!("no {BEGIN}"))?;
    let (_, after) = rest.split_once(END).with_context(|| format!("no {END}"))?;
    let machine = machine();
    let text = format!("{before}{BEGIN}\n\n{machine}\n\n{table}\n{END}{after}");
    Ok(fs::write(path, text)?)
}

fn machine() -> String {
    let read = |path: &str| fs::read_to_string(path).unwrap_or_default();
    let cores = std::thread::available_parallelism().map_or(0, usize::from);
    let cpuinfo = read("/proc/cpuinfo");
    let model = cpuinfo
        .lines()
        .find_map(|line| line.strip_prefix("model name")?.split(": ").nth(1))
        .unwrap_or("processor");
    let kernel = read("/proc/sys/kernel/osrelease");
    format!("{cores} × {model}, Linux {}.", kernel.trim())
}

fn median(values: impl Iterator<Item = f64>) -> f64 {
    let mut values: Vec<f64> = values.collect();
    values.sort_by(f64::total_cmp);
    values.get(values.len() / 2).copied().unwrap_or(0.0)
}

/// Three digits that mean something.
fn number(value: f64) -> String {
    if value >= 100.0 {
        format!("{value:.0}")
    } else if value >= 10.0 {
        format!("{value:.1}")
    } else {
        format!("{value:.2}")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_table_has_medians_and_says_what_failed() {
        let mut report = Report::default();
        let line = &LINES[1];
        for cost in [0.3, 0.1, 0.2] {
            report.add(
                "a",
                line,
                Figures {
                    rate: Some(1000.0 * cost),
                    cost,
                },
            );
        }
        report.add(
            "b",
            line,
            Figures {
                rate: None,
                cost: 12.34,
            },
        );
        report.failed("b", &LINES[2]);
        let table = report.table(false);
        assert!(
            table.contains("| RETR, 1 session | CPU s/GiB; MiB/s | 0.20; 200 | 12.3 |"),
            "{table}"
        );
        assert!(
            table.contains("| RETR, 4 sessions | CPU s/GiB; MiB/s | – | failed |"),
            "{table}"
        );
        assert!(!table.contains("LIST"), "{table}");
    }

    #[test]
    fn a_document_keeps_what_is_around_the_table() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("x.md");
        fs::write(&path, format!("before\n{BEGIN}\nold\n{END}\nafter\n")).unwrap();
        put(&path, "new").unwrap();
        let text = fs::read_to_string(&path).unwrap();
        assert!(text.starts_with("before\n") && text.ends_with("\nafter\n"));
        assert!(text.contains("new") && !text.contains("old"));
    }
}
