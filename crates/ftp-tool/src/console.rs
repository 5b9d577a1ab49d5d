//! What is said, and where: results on the standard output, progress and complaints on the standard
//! error, or one JSON object a line.

use std::io::{self, IsTerminal as _, Write};

use ftp_client::{Listener, Said};
use indicatif::{MultiProgress, ProgressBar, ProgressDrawTarget, ProgressStyle};
use serde::Serialize;
use serde::ser::{SerializeMap as _, Serializer};

use crate::failure::{Failure, reply_text};
use crate::text::printable;

/// Bytes that are usually text: a JSON string, or `{"hex": "…"}` if they are not UTF-8.
#[derive(Clone, Copy, Debug)]
pub struct Name<'a>(pub &'a [u8]);

impl Serialize for Name<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match std::str::from_utf8(self.0) {
            Ok(text) => serializer.serialize_str(text),
            Err(_) => {
                let mut map = serializer.serialize_map(Some(1))?;
                map.serialize_entry("hex", &hex(self.0))?;
                map.end()
            }
        }
    }
}

/// Lower-case hexadecimal digits.
#[must_use]
pub fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// A checksum that both sides agree on.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Checksum {
    /// `SHA-256` and the like.
    pub algorithm: String,
    /// Hexadecimal.
    pub value: String,
}

/// One line of `--json`.
#[derive(Debug, Serialize)]
#[serde(tag = "event", rename_all = "snake_case")]
pub enum Event<'a> {
    /// A file was transferred.
    Transferred {
        /// `down` or `up`.
        direction: &'static str,
        /// Where it is on the server.
        url: String,
        /// Where it is here; `null` for the standard streams.
        local: Option<Name<'a>>,
        /// Bytes moved by this run.
        bytes: u64,
        /// Bytes that were there from an earlier run.
        resumed_from: u64,
        /// Seconds it took.
        seconds: f64,
        /// The checksum both sides agree on, if it was compared.
        checksum: Option<Checksum>,
    },
    /// A file was the same on both sides already.
    Unchanged {
        /// Where it is on the server.
        url: String,
    },
    /// One line of a listing.
    Entry {
        /// Path as seen from the listed directory.
        path: Name<'a>,
        /// `file`, `directory`, `link` or `other`.
        kind: &'static str,
        /// Bytes.
        size: Option<u64>,
        /// Last change, as `2024-05-31T12:00:00Z`.
        modified: Option<String>,
        /// Where a link points.
        target: Option<Name<'a>>,
    },
    /// Something was done, or with `--dry-run` would be, other than moving bytes.
    Action {
        /// `make_directory`, `transfer`, `remove_file`, `remove_directory`, `rename`.
        action: &'static str,
        /// To what.
        path: Name<'a>,
        /// Whether it was done.
        done: bool,
    },
    /// Something was left alone.
    Skipped {
        /// What.
        path: Name<'a>,
        /// Why.
        why: &'static str,
    },
    /// The end of a mirror.
    Summary {
        /// Files transferred.
        transferred: usize,
        /// Files that were the same.
        unchanged: usize,
        /// Things removed.
        removed: usize,
        /// Things left alone.
        skipped: usize,
        /// Failures.
        failed: usize,
        /// Bytes moved.
        bytes: u64,
        /// Seconds it took.
        seconds: f64,
    },
    /// Something failed.
    Error {
        /// The step.
        phase: &'static str,
        /// What was being done.
        about: &'a str,
        /// What happened.
        message: &'a str,
        /// The server's code.
        code: Option<u16>,
        /// The server's words.
        reply: Option<String>,
        /// What to try.
        hint: Option<&'a str>,
        /// What is kept for later.
        kept: Option<&'a str>,
    },
}

/// Where everything is said.
#[derive(Debug)]
pub struct Console {
    json: bool,
    quiet: bool,
    bars: MultiProgress,
}

impl Console {
    /// Bars are shown only on a terminal, and neither with `json` nor with `quiet`.
    #[must_use]
    pub fn new(json: bool, quiet: bool) -> Self {
        let shown = !json && !quiet && io::stderr().is_terminal();
        let target = if shown {
            ProgressDrawTarget::stderr()
        } else {
            ProgressDrawTarget::hidden()
        };
        Self {
            json,
            quiet,
            bars: MultiProgress::with_draw_target(target),
        }
    }

    /// Whether JSON is asked for.
    #[must_use]
    pub const fn is_json(&self) -> bool {
        self.json
    }

    /// A line of JSON, if that is asked for.
    pub fn event(&self, event: &Event<'_>) {
        if self.json
            && let Ok(text) = serde_json::to_string(event)
        {
            self.out(&text);
        }
    }

    /// A line of results, unless JSON is asked for.
    pub fn say(&self, line: &str) {
        if !self.json {
            self.out(line);
        }
    }

    /// A remark on the standard error, unless quiet.
    pub fn note(&self, line: &str) {
        if !self.json && !self.quiet {
            self.err(line);
        }
    }

    /// A failure.
    pub fn failure(&self, failure: &Failure) {
        if !self.json {
            self.err(&format!("sundew ftp: {failure}"));
            return;
        }
        self.event(&Event::Error {
            phase: failure.phase.name(),
            about: &failure.about,
            message: &failure.what,
            code: failure.reply.as_ref().map(|reply| reply.code().number()),
            reply: failure.reply.as_deref().map(reply_text),
            hint: failure.hint.as_deref(),
            kept: failure.kept.as_deref(),
        });
    }

    /// Writes dialogues on the standard error, between the bars.
    #[must_use]
    pub fn listener(&self) -> Listener {
        let bars = self.bars.clone();
        Listener::new(move |said| {
            bars.suspend(|| {
                let mut stderr = io::stderr().lock();
                let mut line = |mark: char, text: &[u8]| {
                    // Nobody is there to complain to.
                    writeln!(stderr, "{mark} {}", printable(text)).unwrap_or_default();
                };
                match said {
                    Said::Client(words) => line('>', words),
                    Said::Server(reply) => {
                        let code = reply.code().to_string();
                        for text in reply.lines() {
                            let text = text.trim_ascii_end();
                            line('<', &[code.as_bytes(), b" ", text].concat());
                        }
                    }
                }
            });
        })
    }

    /// A bar for one transfer.
    #[must_use]
    pub fn bar(&self, label: &str, total: Option<u64>, begin: u64) -> ProgressBar {
        if self.bars.is_hidden() {
            return ProgressBar::hidden();
        }
        let (template, length) = match total {
            Some(_) => (SIZED, total),
            None => (UNSIZED, None),
        };
        let style =
            ProgressStyle::with_template(template).unwrap_or_else(|_| ProgressStyle::default_bar());
        let bar = ProgressBar::with_draw_target(length, ProgressDrawTarget::hidden());
        let bar = self.bars.add(bar.with_style(style));
        bar.set_message(shorten(label));
        bar.set_position(begin);
        // What was here before does not count as speed.
        bar.reset_eta();
        bar
    }

    fn out(&self, line: &str) {
        self.bars.suspend(|| {
            let mut out = io::stdout().lock();
            if writeln!(out, "{line}").is_err() {
                // Nobody reads any more, as in `sundew ftp ls … | head`.
                std::process::exit(0);
            }
        });
    }

    fn err(&self, line: &str) {
        // There is nowhere to say that the standard error fails.
        self.bars
            .suspend(|| writeln!(io::stderr(), "{line}").unwrap_or_default());
    }
}

const SIZED: &str =
    "{msg:30} {bytes:>11}/{total_bytes:11} [{bar:24}] {binary_bytes_per_sec:>13} {eta:>4}";
const UNSIZED: &str = "{msg:30} {bytes:>11} {binary_bytes_per_sec:>13} {elapsed:>4}";

/// Keeps the end of a label, which tells names apart.
fn shorten(label: &str) -> String {
    let count = label.chars().count();
    if count <= LABEL_CHARACTERS {
        return label.to_owned();
    }
    let kept = label.chars().skip(count - LABEL_CHARACTERS + 1);
    std::iter::once('…').chain(kept).collect()
}

const LABEL_CHARACTERS: usize = 30;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_that_are_not_text_are_written_in_hexadecimal() {
        let json = |name: &[u8]| serde_json::to_string(&Name(name)).unwrap();
        assert_eq!(json("ä".as_bytes()), "\"ä\"");
        assert_eq!(json(b"\xff\n"), "{\"hex\":\"ff0a\"}");
    }

    #[test]
    fn events_are_flat_and_carry_their_name() {
        let event = Event::Action {
            action: "remove_file",
            path: Name(b"a"),
            done: true,
        };
        assert_eq!(
            serde_json::to_string(&event).unwrap(),
            r#"{"event":"action","action":"remove_file","path":"a","done":true}"#
        );
    }

    #[test]
    fn long_labels_keep_their_end() {
        let label = format!("{}end", "x".repeat(100));
        let short = shorten(&label);
        assert!(short.starts_with('…') && short.ends_with("end"));
        assert_eq!(short.chars().count(), LABEL_CHARACTERS);
    }
}
