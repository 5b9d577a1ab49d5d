//! Where a file goes that is about to be replaced: `-b`, `--backup=KIND` of cp(1), mv(1) and ln(1).

use sundew_kernel::Process;

use super::input;

/// How backups are named.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    /// None are made.
    Off,
    Simple,
    /// Numbered if numbered ones exist already.
    #[default]
    Existing,
    Numbered,
}

impl Kind {
    /// From the argument of `--backup`, which may be missing; `None` after a complaint.
    pub(super) async fn parse(proc: &mut Process, word: &[u8]) -> Option<Self> {
        const WORDS: &[(&str, Kind)] = &[
            ("none", Kind::Off),
            ("off", Kind::Off),
            ("simple", Kind::Simple),
            ("never", Kind::Simple),
            ("existing", Kind::Existing),
            ("nil", Kind::Existing),
            ("numbered", Kind::Numbered),
            ("t", Kind::Numbered),
        ];
        if word.is_empty() {
            return Some(Self::Existing);
        }
        input::choose(proc, "backup type", word, WORDS).await
    }

    /// The name that `target` gets.
    pub(super) fn name(self, proc: &Process, target: &[u8], suffix: &[u8]) -> Vec<u8> {
        let simple = [target, suffix].concat();
        if matches!(self, Self::Off | Self::Simple) {
            return simple;
        }
        let base = input::base(target);
        let directory = target.get(..target.len() - base.len()).unwrap_or_default();
        let directory: &[u8] = if directory.is_empty() {
            b"."
        } else {
            directory
        };
        let entries = proc.read_directory(directory).unwrap_or_default();
        let highest = entries.iter().filter_map(|entry| {
            let digits = entry.name.strip_prefix(base)?.strip_prefix(b".~")?;
            input::decimal(digits.strip_suffix(b"~")?)
        });
        match highest.max() {
            None if self == Self::Existing => simple,
            highest => {
                let number = highest.unwrap_or(0).saturating_add(1);
                [target, format!(".~{number}~").as_bytes()].concat()
            }
        }
    }
}
