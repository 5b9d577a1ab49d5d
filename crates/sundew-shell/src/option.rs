//! What `set -o` and `shopt` switch.

/// One option: its long name, its letter if it has one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SetOption {
    /// For `set -o NAME`.
    pub name: &'static str,
    /// For `set -LETTER`; 0 for none.
    pub letter: u8,
}

/// The options of `set`, in the order in which `set -o` lists them.
pub const SET_OPTIONS: &[SetOption] = &[
    SetOption {
        name: "allexport",
        letter: b'a',
    },
    SetOption {
        name: "braceexpand",
        letter: b'B',
    },
    SetOption {
        name: "emacs",
        letter: 0,
    },
    SetOption {
        name: "errexit",
        letter: b'e',
    },
    SetOption {
        name: "errtrace",
        letter: b'E',
    },
    SetOption {
        name: "functrace",
        letter: b'T',
    },
    SetOption {
        name: "hashall",
        letter: b'h',
    },
    SetOption {
        name: "histexpand",
        letter: b'H',
    },
    SetOption {
        name: "history",
        letter: 0,
    },
    SetOption {
        name: "ignoreeof",
        letter: 0,
    },
    SetOption {
        name: "interactive-comments",
        letter: 0,
    },
    SetOption {
        name: "keyword",
        letter: b'k',
    },
    SetOption {
        name: "monitor",
        letter: b'm',
    },
    SetOption {
        name: "noclobber",
        letter: b'C',
    },
    SetOption {
        name: "noexec",
        letter: b'n',
    },
    SetOption {
        name: "noglob",
        letter: b'f',
    },
    SetOption {
        name: "nolog",
        letter: 0,
    },
    SetOption {
        name: "notify",
        letter: b'b',
    },
    SetOption {
        name: "nounset",
        letter: b'u',
    },
    SetOption {
        name: "onecmd",
        letter: b't',
    },
    SetOption {
        name: "physical",
        letter: b'P',
    },
    SetOption {
        name: "pipefail",
        letter: 0,
    },
    SetOption {
        name: "posix",
        letter: 0,
    },
    SetOption {
        name: "privileged",
        letter: b'p',
    },
    SetOption {
        name: "verbose",
        letter: b'v',
    },
    SetOption {
        name: "vi",
        letter: 0,
    },
    SetOption {
        name: "xtrace",
        letter: b'x',
    },
];

/// The options of `shopt`, in order, with bash's defaults for a shell that is not interactive.
pub const SHOPT_OPTIONS: &[(&str, bool)] = &[
    ("autocd", false),
    ("assoc_expand_once", false),
    ("cdable_vars", false),
    ("cdspell", false),
    ("checkhash", false),
    ("checkjobs", false),
    ("checkwinsize", true),
    ("cmdhist", true),
    ("compat31", false),
    ("compat32", false),
    ("compat40", false),
    ("compat41", false),
    ("compat42", false),
    ("compat43", false),
    ("compat44", false),
    ("complete_fullquote", true),
    ("direxpand", false),
    ("dirspell", false),
    ("dotglob", false),
    ("execfail", false),
    ("expand_aliases", false),
    ("extdebug", false),
    ("extglob", false),
    ("extquote", true),
    ("failglob", false),
    ("force_fignore", true),
    ("globasciiranges", true),
    ("globskipdots", true),
    ("globstar", false),
    ("gnu_errfmt", false),
    ("histappend", false),
    ("histreedit", false),
    ("histverify", false),
    ("hostcomplete", true),
    ("huponexit", false),
    ("inherit_errexit", false),
    ("interactive_comments", true),
    ("lastpipe", false),
    ("lithist", false),
    ("localvar_inherit", false),
    ("localvar_unset", false),
    ("login_shell", false),
    ("mailwarn", false),
    ("no_empty_cmd_completion", false),
    ("nocaseglob", false),
    ("nocasematch", false),
    ("noexpand_translation", false),
    ("nullglob", false),
    ("patsub_replacement", true),
    ("progcomp", true),
    ("progcomp_alias", false),
    ("promptvars", true),
    ("restricted_shell", false),
    ("shift_verbose", false),
    ("sourcepath", true),
    ("varredir_close", false),
    ("xpg_echo", false),
];

/// The options of one shell.
#[derive(Debug, Clone)]
pub struct Options {
    set: u64,
    shopt: u64,
}

fn set_bit(name: &str) -> u64 {
    SET_OPTIONS
        .iter()
        .position(|option| option.name == name)
        .map_or(0, |index| 1 << index)
}

fn shopt_bit(name: &str) -> u64 {
    SHOPT_OPTIONS
        .iter()
        .position(|option| option.0 == name)
        .map_or(0, |index| 1 << index)
}

impl Default for Options {
    fn default() -> Self {
        let shopt = SHOPT_OPTIONS
            .iter()
            .enumerate()
            .filter(|(_, option)| option.1);
        Self {
            set: ["braceexpand", "hashall", "interactive-comments"]
                .into_iter()
                .map(set_bit)
                .sum(),
            shopt: shopt.map(|(index, _)| 1 << index).sum(),
        }
    }
}

impl Options {
    /// Whether the option of `set` is on.
    pub fn is_set(&self, name: &str) -> bool {
        self.set & set_bit(name) != 0
    }

    /// Switches an option of `set`; `false` if there is none of that name.
    pub fn set(&mut self, name: &str, on: bool) -> bool {
        let bit = set_bit(name);
        if on {
            self.set |= bit
        } else {
            self.set &= !bit
        }
        bit != 0
    }

    /// Whether the option of `shopt` is on.
    pub fn shopt(&self, name: &str) -> bool {
        self.shopt & shopt_bit(name) != 0
    }

    /// Switches an option of `shopt`; `false` if there is none of that name.
    pub fn set_shopt(&mut self, name: &str, on: bool) -> bool {
        let bit = shopt_bit(name);
        if on {
            self.shopt |= bit
        } else {
            self.shopt &= !bit
        }
        bit != 0
    }

    /// The letters of those that are on, in bash's order for `$-`.
    pub fn letters(&self) -> Vec<u8> {
        let mut letters: Vec<u8> = SET_OPTIONS
            .iter()
            .filter(|option| option.letter != 0 && self.is_set(option.name))
            .map(|option| option.letter)
            .collect();
        letters.sort_by_key(|letter| (letter.is_ascii_uppercase(), *letter));
        letters
    }
}
