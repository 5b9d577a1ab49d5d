//! How to read: whose shell, and what may follow the text.

/// Whose grammar and whose words.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Dialect {
    /// GNU bash 5.2
    #[default]
    Bash,
    /// dash 0.5.12, `/bin/sh` of Debian
    Dash,
    /// BusyBox ash 1.35 with the bash extras Debian builds in
    Ash,
}

/// Looks up aliases for the parser.
pub trait Aliases {
    /// The text that `name` stands for.
    fn lookup(&self, name: &[u8]) -> Option<Vec<u8>>;
}

/// How to read a text.
#[derive(Clone, Copy)]
pub struct Options<'a> {
    /// Whose grammar.
    pub dialect: Dialect,
    /// Whether nothing can follow the text. If not, an open quote or `for` is
    /// [`crate::Outcome::Incomplete`], not an error.
    pub last: bool,
    /// The number of the text's first line.
    pub first_line: u32,
    /// Whether `shopt -s extglob` is on, which changes what `!(` means.
    pub extended_globs: bool,
    /// Replaces words in command position; `None` if the shell does not expand aliases. Asked anew
    /// for each command line, so an alias works from the next line on, as in bash.
    pub aliases: Option<&'a dyn Aliases>,
}

impl Default for Options<'_> {
    /// bash, a whole text, line 1, no extended globs, no aliases.
    fn default() -> Self {
        Self {
            dialect: Dialect::Bash,
            last: true,
            first_line: 1,
            extended_globs: false,
            aliases: None,
        }
    }
}

impl std::fmt::Debug for Options<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Options")
            .field("dialect", &self.dialect)
            .field("last", &self.last)
            .field("first_line", &self.first_line)
            .field("extended_globs", &self.extended_globs)
            .field("aliases", &self.aliases.is_some())
            .finish()
    }
}
