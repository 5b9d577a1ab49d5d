//! `cargo xtask tidy`: what no compiler checks.
//!
//! Each rule is a function from the checkout to findings. A finding fails the check; a question is
//! printed and does not. A line that must break a line-based rule says so right above itself:
//! `// tidy-allow(RULE): REASON`.

use anyhow::{Result, bail};

mod dependency;
mod document;
mod head;
mod layer;
mod path;
mod size;
mod source;
mod transcript;
mod word;

use source::Checkout;

/// One thing a rule has to say.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Finding {
    /// The file, relative to the top of the checkout.
    path: String,
    /// The line, from 1; 0 for the whole file.
    line: usize,
    /// The name used in `tidy-allow`.
    rule: &'static str,
    /// What is wrong and what to do.
    text: String,
    weight: Weight,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Weight {
    Failure,
    Question,
}

impl Finding {
    fn failure(rule: &'static str, path: &str, line: usize, text: impl Into<String>) -> Self {
        Self {
            path: path.to_owned(),
            line,
            rule,
            text: text.into(),
            weight: Weight::Failure,
        }
    }

    fn question(rule: &'static str, path: &str, text: impl Into<String>) -> Self {
        Self {
            path: path.to_owned(),
            line: 0,
            rule,
            text: text.into(),
            weight: Weight::Question,
        }
    }
}

/// Every rule, in the order in which findings are printed.
const RULES: &[fn(&Checkout) -> Vec<Finding>] = &[
    head::every_file_has_a_head,
    head::no_mod_rs,
    size::long_files,
    layer::levels,
    dependency::reasons,
    word::event_names,
    word::errno_words,
    path::machine_paths,
    transcript::parse,
    transcript::programs,
    document::summary,
];

/// Reads the checkout and applies every rule.
pub(crate) fn run() -> Result<()> {
    let checkout = Checkout::read()?;
    let findings: Vec<Finding> = RULES.iter().flat_map(|rule| rule(&checkout)).collect();
    let mut failures = 0_usize;
    for finding in &findings {
        let Finding {
            path,
            line,
            rule,
            text,
            weight,
        } = finding;
        let place = if *line == 0 {
            path.clone()
        } else {
            format!("{path}:{line}")
        };
        match weight {
            Weight::Failure => println!("{place}: {rule}: {text}"),
            Weight::Question => println!("{place}: question: {text}"),
        }
        failures += usize::from(*weight == Weight::Failure);
    }
    if failures > 0 {
        bail!("{failures} findings");
    }
    println!("{} files read", checkout.files.len());
    Ok(())
}
