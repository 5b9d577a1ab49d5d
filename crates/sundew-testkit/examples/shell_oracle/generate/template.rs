//! Lines from the files of templates: a topic each, with places that the other generators fill.

use super::{Generator, MAX_DEPTH};

const BASH: &str = include_str!("bash.txt");
const POSIX: &str = include_str!("posix.txt");

/// Where a place begins and ends, and what parts its alternatives.
const OPEN: char = '‹';
const CLOSE: char = '›';
const OR: char = '¦';

impl Generator {
    /// One line (or more) from a template of the shell's file.
    pub(super) fn templated(&mut self) -> String {
        let lines: Vec<&str> = if self.bash { BASH } else { POSIX }
            .lines()
            .filter(|line| !line.is_empty() && !line.starts_with("## "))
            .collect();
        let template = self.dice.of(&lines);
        self.filled(template).replace('⏎', "\n")
    }

    fn filled(&mut self, template: &str) -> String {
        let Some((before, rest)) = template.split_once(OPEN) else {
            return template.to_owned();
        };
        let mut text = before.to_owned();
        let mut depth = 1_usize;
        let end = rest.char_indices().find_map(|(at, letter)| {
            match letter {
                OPEN => depth += 1,
                CLOSE => depth -= 1,
                _ => {}
            }
            (depth == 0).then_some(at)
        });
        let end = end.unwrap_or(rest.len());
        text.push_str(&self.place(&rest[..end]));
        text.push_str(&self.filled(rest.get(end + CLOSE.len_utf8()..).unwrap_or_default()));
        text
    }

    fn place(&mut self, inner: &str) -> String {
        let mut parts = vec![String::new()];
        let mut depth = 0_usize;
        for letter in inner.chars() {
            match letter {
                OPEN => depth += 1,
                CLOSE => depth -= 1,
                OR if depth == 0 => {
                    parts.push(String::new());
                    continue;
                }
                _ => {}
            }
            if let Some(part) = parts.last_mut() {
                part.push(letter);
            }
        }
        if parts.len() > 1 {
            let at = self.dice.below(parts.len());
            return self.filled(&parts[at]);
        }
        if self.depth >= MAX_DEPTH {
            return self.plain();
        }
        self.deeper(|this| match inner {
            "word" => this.word(),
            "exp" => this.expansion(),
            "simple" => this.simple(),
            "body" => this.body(),
            "compound" => this.compound(),
            "pat" => this.pattern(),
            "arith" => this.arithmetic(),
            "sub" => this.substitution(),
            "name" => this.name(),
            "broken" => this.broken(),
            "printf_format" => this.printf_format(),
            "printf_format_posix" => this.printf_format_posix(),
            _ => this.filled(inner),
        })
    }
}
