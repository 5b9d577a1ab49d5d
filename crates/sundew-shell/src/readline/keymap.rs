//! What keys are bound to, and readline's variables: the defaults, and what inputrc files and `bind`
//! make of them.
//!
//! readline(3), "Initialization File". The defaults are kept in the same format.

pub mod function;
pub mod inputrc;

use std::collections::BTreeMap;
use std::ops::Bound;
use std::sync::{Arc, LazyLock};

use function::Function;

/// Longest key sequence, in bytes; longer ones are not bound.
const MAX_KEY_BYTES: usize = 64;
/// Bindings of one keymap; more are not taken.
const MAX_BINDINGS: usize = 4096;
/// Longest macro or command that a key can have, in bytes.
const MAX_TEXT_BYTES: usize = 16 * 1024;

/// What a key does.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Action {
    /// Runs a function of readline.
    Run(&'static Function),
    /// Types this.
    Macro(Vec<u8>),
    /// Runs a command of the shell: `bind -x`.
    Shell(Vec<u8>),
}

/// The keymaps, as `bind -m` names them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Which {
    /// `emacs`
    Emacs,
    /// `vi-insert`
    ViInsert,
    /// `vi`, `vi-command`, `vi-move`
    ViCommand,
}

/// What is known of some bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Found<'a> {
    /// What they do.
    pub action: Option<&'a Action>,
    /// Whether longer keys begin with them.
    pub longer: bool,
}

/// What keys do.
#[derive(Debug, Clone, Default)]
pub struct Keymap(BTreeMap<Vec<u8>, Action>);

impl Keymap {
    /// What these bytes do.
    pub fn find(&self, keys: &[u8]) -> Found<'_> {
        let after = (Bound::Excluded(keys), Bound::Unbounded);
        let next = self.0.range::<[u8], _>(after).next();
        Found {
            action: self.0.get(keys),
            longer: next.is_some_and(|(longer, _)| longer.starts_with(keys)),
        }
    }

    /// What the texts in it take, in bytes.
    fn text_bytes(&self) -> usize {
        let text = |(keys, action): (&Vec<u8>, &Action)| match action {
            Action::Macro(text) | Action::Shell(text) => keys.len().saturating_add(text.len()),
            Action::Run(_) => 0,
        };
        self.0.iter().map(text).sum()
    }

    /// Binds them; `None` unbinds. Keys that are too long are left as they are.
    pub fn bind(&mut self, keys: &[u8], action: Option<Action>) {
        let long = match &action {
            Some(Action::Macro(text) | Action::Shell(text)) => text.len() > MAX_TEXT_BYTES,
            Some(Action::Run(_)) | None => false,
        };
        if keys.is_empty() || keys.len() > MAX_KEY_BYTES || long {
            return;
        }
        match action {
            Some(action) if self.0.len() < MAX_BINDINGS => {
                self.0.insert(keys.to_vec(), action);
            }
            Some(_) => {}
            None => {
                self.0.remove(keys);
            }
        }
    }

    /// Unbinds all keys of a function.
    pub fn unbind(&mut self, function: &Function) {
        self.0.retain(
            |_, action| !matches!(action, Action::Run(bound) if bound.command == function.command),
        );
    }

    /// All keys and what they do, in order.
    pub fn iter(&self) -> impl Iterator<Item = (&[u8], &Action)> {
        self.0
            .iter()
            .map(|(keys, action)| (keys.as_slice(), action))
    }

    fn insert_itself(&mut self, bytes: impl Iterator<Item = u8>) {
        if let Some(function) = function::by_name(b"self-insert") {
            for byte in bytes {
                self.0.insert(vec![byte], Action::Run(function));
            }
        }
    }
}

/// Keymaps and variables.
#[derive(Debug, Clone)]
pub struct Settings {
    emacs: Keymap,
    vi_insert: Keymap,
    vi_command: Keymap,
    /// Values of [`VARIABLES`], in that order.
    values: Vec<Vec<u8>>,
    /// What the texts in the keymaps take, in bytes, when `bind` looked last.
    pub(crate) text_bytes: usize,
}

impl Settings {
    /// Looks how much the texts in the keymaps take.
    pub(crate) fn weigh(&mut self) {
        let maps = [&self.emacs, &self.vi_insert, &self.vi_command];
        self.text_bytes = maps.into_iter().map(Keymap::text_bytes).sum();
    }

    /// As readline starts.
    pub fn new() -> Arc<Self> {
        static DEFAULTS: LazyLock<Arc<Settings>> = LazyLock::new(|| Arc::new(Settings::defaults()));
        Arc::clone(&DEFAULTS)
    }

    fn defaults() -> Self {
        let keymap = |text: &str| {
            let mut map = Keymap::default();
            for line in text.lines() {
                if let Ok(inputrc::Line::Bind { keys, action }) = inputrc::parse(line.as_bytes()) {
                    map.bind(&keys, action);
                }
            }
            map
        };
        let mut settings = Self {
            emacs: keymap(include_str!("keymap/emacs-standard.inputrc")),
            vi_insert: keymap(include_str!("keymap/vi-insert.inputrc")),
            vi_command: keymap(include_str!("keymap/vi-command.inputrc")),
            text_bytes: 0,
            values: VARIABLES
                .iter()
                .map(|(_, value)| value.as_bytes().to_vec())
                .collect(),
        };
        settings
            .emacs
            .insert_itself((0x20..0x7f).chain(0x80..=0xff));
        let controls = b"\x01\x02\x03\x05\x06\x07\x0b\x0c\x0f\x11\x18\x1a\x1c\x1d\x1e";
        let plain = controls.iter().copied().chain(0x20..0x7f);
        settings.vi_insert.insert_itself(plain.chain(0x80..=0xff));
        settings
    }

    /// A keymap.
    pub fn keymap(&self, which: Which) -> &Keymap {
        match which {
            Which::Emacs => &self.emacs,
            Which::ViInsert => &self.vi_insert,
            Which::ViCommand => &self.vi_command,
        }
    }

    /// A keymap, to be changed.
    pub fn keymap_mut(&mut self, which: Which) -> &mut Keymap {
        match which {
            Which::Emacs => &mut self.emacs,
            Which::ViInsert => &mut self.vi_insert,
            Which::ViCommand => &mut self.vi_command,
        }
    }

    /// The value of a variable; empty if there is none of this name.
    pub fn variable(&self, name: &str) -> &[u8] {
        VARIABLES
            .iter()
            .position(|(known, _)| *known == name)
            .and_then(|at| self.values.get(at))
            .map_or(b"", Vec::as_slice)
    }

    /// Whether a variable is `on`.
    pub fn is_on(&self, name: &str) -> bool {
        self.variable(name) == b"on"
    }

    /// Sets a variable; `false` if there is none of this name.
    pub fn set(&mut self, name: &[u8], value: &[u8]) -> bool {
        let found = VARIABLES
            .iter()
            .position(|(known, _)| known.as_bytes().eq_ignore_ascii_case(name));
        let Some((at, (_, default))) = found.and_then(|at| Some((at, VARIABLES.get(at)?))) else {
            return name.eq_ignore_ascii_case(b"isearch-terminators");
        };
        if value.len() > MAX_TEXT_BYTES {
            return true;
        }
        let value = if matches!(*default, "on" | "off") {
            let on = value.is_empty() || value.eq_ignore_ascii_case(b"on") || value == b"1";
            if on { b"on".to_vec() } else { b"off".to_vec() }
        } else {
            value.to_vec()
        };
        if let Some(place) = self.values.get_mut(at) {
            *place = value;
        }
        true
    }

    /// All variables: those that are on or off first, as `bind -v` lists them.
    pub fn variables(&self) -> impl Iterator<Item = (&'static str, &[u8])> {
        VARIABLES
            .iter()
            .zip(&self.values)
            .map(|((name, _), value)| (*name, value.as_slice()))
    }
}

/// The name of a keymap.
pub fn keymap_by_name(name: &[u8]) -> Option<Which> {
    match name {
        b"emacs" | b"emacs-standard" => Some(Which::Emacs),
        b"vi-insert" => Some(Which::ViInsert),
        b"vi" | b"vi-command" | b"vi-move" => Some(Which::ViCommand),
        b"emacs-meta" | b"emacs-ctlx" => Some(Which::Emacs),
        _ => None,
    }
}

/// Readline's variables and their values in bash, in the order of `bind -v`.
const VARIABLES: &[(&str, &str)] = &[
    ("bind-tty-special-chars", "on"),
    ("blink-matching-paren", "off"),
    ("byte-oriented", "off"),
    ("colored-completion-prefix", "off"),
    ("colored-stats", "off"),
    ("completion-ignore-case", "off"),
    ("completion-map-case", "off"),
    ("convert-meta", "off"),
    ("disable-completion", "off"),
    ("echo-control-characters", "on"),
    ("enable-active-region", "on"),
    ("enable-bracketed-paste", "on"),
    ("enable-keypad", "off"),
    ("enable-meta-key", "on"),
    ("expand-tilde", "off"),
    ("history-preserve-point", "off"),
    ("horizontal-scroll-mode", "off"),
    ("input-meta", "on"),
    ("mark-directories", "on"),
    ("mark-modified-lines", "off"),
    ("mark-symlinked-directories", "off"),
    ("match-hidden-files", "on"),
    ("menu-complete-display-prefix", "off"),
    ("meta-flag", "on"),
    ("output-meta", "on"),
    ("page-completions", "on"),
    ("prefer-visible-bell", "on"),
    ("print-completions-horizontally", "off"),
    ("revert-all-at-newline", "off"),
    ("show-all-if-ambiguous", "off"),
    ("show-all-if-unmodified", "off"),
    ("show-mode-in-prompt", "off"),
    ("skip-completed-text", "off"),
    ("visible-stats", "off"),
    ("bell-style", "audible"),
    ("comment-begin", "#"),
    ("completion-display-width", "-1"),
    ("completion-prefix-display-length", "0"),
    ("completion-query-items", "100"),
    ("editing-mode", "emacs"),
    ("emacs-mode-string", "@"),
    ("history-size", "0"),
    ("keymap", "emacs"),
    ("keyseq-timeout", "500"),
    ("vi-cmd-mode-string", "(cmd)"),
    ("vi-ins-mode-string", "(ins)"),
];

#[cfg(test)]
mod tests {
    use super::*;
    use crate::readline::key::Command;

    #[test]
    fn keys_are_found_with_what_begins_like_them() {
        let settings = Settings::new();
        let emacs = settings.keymap(Which::Emacs);
        let command = |keys: &[u8]| match emacs.find(keys).action {
            Some(Action::Run(function)) => Some(function.command),
            _ => None,
        };
        assert_eq!(command(b"\x01"), Some(Command::BeginningOfLine));
        assert_eq!(command(b"\x1b[1;5C"), Some(Command::ForwardWord));
        assert_eq!(command(b"\x1b["), None);
        assert!(emacs.find(b"\x1b[").longer);
        assert!(!emacs.find(b"\x1b[q").longer);
        assert_eq!(command(b"\xff"), Some(Command::SelfInsert));
        assert!(settings.is_on("enable-bracketed-paste"));
    }
}
