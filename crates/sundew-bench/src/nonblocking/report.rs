//! The tables.

use std::fmt::Write as _;

use crate::process::Usage;
use crate::stats::{Summary, millis};

/// What was measured of one target.
#[derive(Debug)]
pub(super) struct Report {
    name: &'static str,
    pub(super) rows: Vec<Row>,
}

/// One scenario.
#[derive(Debug, Default)]
pub(super) struct Row {
    scenario: String,
    pub(super) echo: Option<Summary>,
    pub(super) login: Option<Summary>,
    pub(super) cpu_percent: Option<f64>,
    pub(super) usage: Option<Usage>,
    pub(super) notes: Vec<String>,
}

impl Report {
    pub(super) fn new(name: &'static str) -> Self {
        Self {
            name,
            rows: Vec::new(),
        }
    }
}

impl Row {
    pub(super) fn new(scenario: String) -> Self {
        Self {
            scenario,
            ..Self::default()
        }
    }

    /// A scenario that could not be measured to its end.
    pub(super) fn broken(scenario: String, error: &anyhow::Error) -> Self {
        Self {
            notes: vec![format!("not measured: {error:#}")],
            ..Self::new(scenario)
        }
    }
}

/// One table of latencies with the targets side by side, then one of what else was seen for each.
pub(super) fn markdown(reports: &[Report]) -> String {
    let mut out = String::new();
    latencies(reports, &mut out);
    for report in reports {
        details(report, &mut out);
    }
    out
}

fn latencies(reports: &[Report], out: &mut String) {
    let mut head = "| beside it".to_owned();
    let mut rule = "|---".to_owned();
    for report in reports {
        for column in [
            "echo p50",
            "echo p99",
            "echo worst",
            "login p50",
            "login p99",
        ] {
            head.push_str(&format!(" | {} {column}", report.name));
            rule.push_str("|---:");
        }
    }
    line(out, &format!("{head} |\n{rule}|"));
    let Some(first) = reports.first() else {
        return;
    };
    for (index, row) in first.rows.iter().enumerate() {
        let mut cells = format!("| {}", row.scenario);
        for report in reports {
            let row = report.rows.get(index);
            let echo = row.and_then(|row| row.echo);
            let login = row.and_then(|row| row.login);
            let cell = |summary: Option<Summary>, of: fn(Summary) -> std::time::Duration| {
                let measured = summary.filter(|summary| summary.count > 0);
                measured.map_or_else(|| "-".to_owned(), |summary| millis(of(summary)))
            };
            let columns = [
                cell(echo, |summary| summary.p50),
                cell(echo, |summary| summary.p99),
                cell(echo, |summary| summary.max),
                cell(login, |summary| summary.p50),
                cell(login, |summary| summary.p99),
            ];
            for column in columns {
                cells.push_str(" | ");
                cells.push_str(&column);
            }
        }
        line(out, &format!("{cells} |"));
    }
    line(out, "\nMilliseconds where no unit stands.");
}

fn details(report: &Report, out: &mut String) {
    line(out, &format!("\n**{}**\n", report.name));
    line(
        out,
        "| beside it | keys | logins | failed | CPU % | RSS MiB | what came of it |",
    );
    line(out, "|---|---:|---:|---:|---:|---:|---|");
    for row in &report.rows {
        let count = |summary: Option<Summary>| summary.map_or(0, |summary| summary.count);
        let failed = |summary: Option<Summary>| summary.map_or(0, |summary| summary.failed);
        let cpu = row
            .cpu_percent
            .map_or_else(|| "-".to_owned(), |cpu| format!("{cpu:.0}"));
        let rss = row.usage.map_or_else(
            || "-".to_owned(),
            |usage| format!("{:.1}", mebibytes(usage.rss_kib)),
        );
        line(
            out,
            &format!(
                "| {} | {} | {} | {} | {cpu} | {rss} | {} |",
                row.scenario,
                count(row.echo),
                count(row.login),
                failed(row.echo) + failed(row.login),
                row.notes.join("; ").replace('\n', " "),
            ),
        );
    }
}

#[expect(clippy::cast_precision_loss, reason = "shown with one digit")]
fn mebibytes(kib: u64) -> f64 {
    kib as f64 / 1024.0
}

fn line(out: &mut String, text: &str) {
    // Writing to a String cannot fail.
    writeln!(out, "{text}").unwrap_or_default();
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[test]
    fn targets_stand_side_by_side() {
        let summary = |ms| Summary {
            count: 1,
            p50: Duration::from_millis(ms),
            ..Summary::default()
        };
        let report = |name, ms| {
            let mut report = Report::new(name);
            report.rows.push(Row {
                echo: Some(summary(ms)),
                ..Row::new("nothing".into())
            });
            report
        };
        let text = markdown(&[report("A", 2), report("B", 3)]);
        let mut lines = text.lines();
        assert!(
            lines
                .next()
                .unwrap()
                .starts_with("| beside it | A echo p50 |")
        );
        assert_eq!(lines.next().unwrap().matches("---").count(), 11);
        assert_eq!(
            lines.next().unwrap(),
            "| nothing | 2.00 | 0.00 | 0.00 | - | - | 3.00 | 0.00 | 0.00 | - | - |"
        );
    }
}
