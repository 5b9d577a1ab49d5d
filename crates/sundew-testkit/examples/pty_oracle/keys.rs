//! Random keystrokes: what a restless person does to the line editor of a shell.
//!
//! What comes out is repeatable from its seed, and runs no command whose output differs between two
//! machines.

use std::ops::Range;

use sundew_testkit::terminal::{Act, Conversation, parse};

/// Whose editor.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Editor {
    /// Bash with readline's own keys.
    Bash,
    /// Bash after `set -o vi`.
    BashVi,
    /// BusyBox's ash.
    Ash,
    /// BusyBox's ash after `set -o vi`.
    AshVi,
}

impl Editor {
    /// What it is called on the command line.
    pub(crate) fn by_name(name: &str) -> Option<Self> {
        Some(match name {
            "bash" => Self::Bash,
            "bash-vi" => Self::BashVi,
            "ash" => Self::Ash,
            "ash-vi" => Self::AshVi,
            _ => return None,
        })
    }

    fn is_bash(self) -> bool {
        matches!(self, Self::Bash | Self::BashVi)
    }
}

/// Steps of a conversation after those that prepare it.
const STEPS: usize = 24;

/// A source of choices that is the same for the same seed (SplitMix64).
struct Dice(u64);

impl Dice {
    fn below(&mut self, n: usize) -> usize {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        let n = u64::try_from(n).unwrap_or(1).max(1);
        usize::try_from((z ^ (z >> 31)) % n).unwrap_or(0)
    }

    fn of<'a>(&mut self, list: &[&'a str]) -> &'a str {
        list.get(self.below(list.len())).copied().unwrap_or("")
    }

    fn one_in(&mut self, n: usize) -> bool {
        self.below(n) == 0
    }
}

/// The conversation of a seed.
pub(crate) fn conversation(seed: u64, editor: Editor) -> Option<Conversation> {
    let mut dice = Dice(seed);
    let term = if editor.is_bash() {
        dice.of(&[
            "xterm",
            "xterm",
            "xterm",
            "xterm-256color",
            "vt100",
            "linux",
            "dumb",
            "screen",
        ])
    } else {
        "xterm"
    };
    let program = if editor.is_bash() {
        "bash"
    } else {
        "busybox ash"
    };
    let mut text = format!("$ TERM={term} {program}\n");
    let mut step = |line: &str| {
        text.push_str(line);
        text.push('\n');
    };
    if dice.one_in(3) {
        step("@ 40x24");
    }
    for line in PREPARATION {
        step(&format!("< {line}\\r"));
    }
    for _ in 0..dice.below(4) {
        step(&format!("< {}\\r", dice.of(LINES)));
    }
    if matches!(editor, Editor::BashVi | Editor::AshVi) {
        step("< set -o vi\\r");
    }
    let mut kept = 0;
    while kept < STEPS {
        let (weights, lists) = match editor {
            Editor::Bash => BASH,
            Editor::BashVi => BASH_VI,
            Editor::Ash => ASH,
            Editor::AshVi => ASH_VI,
        };
        let mut at = dice.below(weights.iter().sum());
        let list = weights.iter().position(|weight| {
            let here = at < *weight;
            at = at.saturating_sub(*weight);
            here
        });
        let list = list.and_then(|index| lists.get(index)).copied();
        let key = dice.of(list.unwrap_or(WORDS));
        if let Some(size) = key.strip_prefix('@').filter(|size| !size.is_empty()) {
            step(&format!("@ {size}"));
        } else {
            step(&format!("< {}", key.replace(' ', "\\x20")));
        }
        kept += 1;
    }
    let mut all = parse(&text).ok()?;
    let mut only = all.pop()?;
    only.line = usize::try_from(seed).unwrap_or(0);
    Some(only)
}

/// The conversation without these of its steps.
pub(crate) fn without(conversation: &Conversation, steps: Range<usize>) -> Conversation {
    let mut shorter = conversation.clone();
    shorter.steps.drain(steps);
    shorter
}

/// The window after so many steps, columns and rows.
pub(crate) fn window(acts: &[&Act]) -> (u16, u16) {
    acts.iter()
        .rev()
        .find_map(|act| match act {
            Act::Resize { columns, rows } => Some((*columns, *rows)),
            _ => None,
        })
        .unwrap_or((80, 24))
}

/// Files to complete, each line short enough for a narrow window.
const PREPARATION: &[&str] = &[
    "mkdir /tmp/w",
    "cd /tmp/w",
    "mkdir -p dir/sub dark",
    "touch alpha alphabet",
    "touch 'beta file' 'a$b' ünder",
];

const LINES: &[&str] = &[
    "echo one two three",
    "echo 'a b' \"c d\" e",
    "pwd",
    "false",
    "printf 'x%s\\\\n' 1 2",
    "for i in 1 2; do echo $i; done",
    "echo äöü 日本語 x",
    "echo a_long_line_that_is_wider_than_forty_columns_of_a_screen",
    "cat alpha",
    "X=5",
    "echo (",
];

const WORDS: &[&str] = &[
    "echo ",
    "echo ",
    "foo",
    " bar",
    "a",
    "b c",
    "x-y_z",
    "cat al",
    "ls -d ",
    "\"",
    "'",
    "\\\\",
    "é",
    "日本",
    "e\u{301}",
    "𝄞x",
    ";",
    "| cat",
    "X=1",
    "$HOM",
    "$",
    "~",
    "~ro",
    "/etc/hostn",
    "be",
    "di",
    "d",
    "./",
    "(",
    ")",
    "#",
    "one two three four five six seven",
    "1234567890123456789012345678901234567890",
    "  ",
    "*",
    "al*",
    "\\xff",
    "\\xc3",
    "!!",
    "!e",
    "!$",
    "^a^b",
];
const MOTIONS: &[&str] = &[
    "\\x01",
    "\\x05",
    "\\x02",
    "\\x06",
    "\\eb",
    "\\ef",
    "\\e[D",
    "\\e[C",
    "\\e[H",
    "\\e[F",
    "\\eOD",
    "\\eOC",
    "\\e[1~",
    "\\e[4~",
    "\\x1dx",
    "\\x1do",
    "\\e\\x1do",
    "\\e\\x02",
    "\\e\\x06",
    "\\e[1;5D",
    "\\e[1;5C",
    "\\x02\\x02\\x02",
    "\\e[D\\e[D",
];
const KILLS: &[&str] = &[
    "\\x0b",
    "\\x15",
    "\\x17",
    "\\ed",
    "\\e\\x7f",
    "\\x18\\x7f",
    "\\e\\\\",
    "\\x19",
    "\\x19",
    "\\ey",
    "\\x7f",
    "\\x7f",
    "\\x08",
    "\\e[3~",
    "\\x7f\\x7f\\x7f",
    "\\e\\x08",
    "a\\x04",
    "\\x02\\x04",
];
const CHANGES: &[&str] = &[
    "\\x14",
    "\\et",
    "\\eu",
    "\\el",
    "\\ec",
    "\\x1f",
    "\\x18\\x15",
    "\\er",
    "\\x00",
    "\\x18\\x18",
    "\\x16\\x01",
    "\\x16\\e",
    "\\x0c",
    "\\e\\x05",
    "\\e#",
    "\\e3",
    "\\e-",
    "\\e2",
    "\\e~",
    "\\e&",
    "\\x18(",
    "\\x18)",
    "\\x18e",
    "\\e[200~pasted text\\e[201~",
    "\\e[200~two\\nlines\\e[201~",
    "\\x18\\x16",
    "\\e ",
    "\\e[2~",
    "\\e!",
    "\\e^",
    "\\x07",
    "\\e\\x0c",
];
const HISTORY: &[&str] = &[
    "\\x10",
    "\\x0e",
    "\\e[A",
    "\\e[B",
    "\\eOA",
    "\\eOB",
    "\\e<",
    "\\e>",
    "\\x12o",
    "\\x12\\x12",
    "\\x12",
    "\\x13",
    "\\x12a\\x12",
    "\\e.",
    "\\e_",
    "\\e.\\e.",
    "\\e\\x19",
    "\\e1\\e.",
    "\\e[5~",
    "\\e[6~",
    "\\x0f",
    "\\epe\\r",
    "\\en1\\r",
    "\\e[A\\e[A",
    "\\x12zz",
];
const COMPLETION: &[&str] = &[
    "\\t", "\\t\\t", "\\t", "\\e?", "\\e*", "\\e=", "\\e/", "\\e~", "\\e$", "\\e@", "\\x18/",
    "\\x18$", "\\x18~", "\\x18*", "\\x18g", "\\eg", "\\e{",
];
const ENDS: &[&str] = &["\\r", "\\r", "\\r", "\\x03", "\\n"];
const RESIZES: &[&str] = &["@40x24", "@80x24", "@60x24"];

/// How often a key of each list is taken, and the lists.
type Choice = (&'static [usize], &'static [&'static [&'static str]]);

const BASH: Choice = (
    &[30, 16, 14, 12, 12, 8, 7, 1],
    &[
        WORDS, MOTIONS, KILLS, CHANGES, HISTORY, COMPLETION, ENDS, RESIZES,
    ],
);

const VI: &[&str] = &[
    "\\e", "\\e", "\\e", "i", "a", "A", "I", "h", "l", "w", "b", "e", "W", "B", "E", "0", "$", "^",
    "x", "X", "dw", "db", "dd", "D", "cw", "cc", "C", "s", "S", "r", "R", "p", "P", "yw", "yy",
    "Y", "u", "U", "~", "3", "2", "fo", "Fe", "tx", "Ta", ";", ",", "k", "j", "-", "+", "G", "1G",
    "/o", "?e", "n", "N", "%", "|", "5|", ".", "_", "*", "=", "\\\\", "#", "@", "v", "d$", "d0",
    "c0", "y$", "dfo", "ma", "`a", "&", "gg",
];
const BASH_VI: Choice = (
    &[24, 60, 6, 4, 2, 3, 7],
    &[WORDS, VI, KILLS, HISTORY, COMPLETION, ENDS, ENDS],
);

const ASH_MOTIONS: &[&str] = &[
    "\\x01",
    "\\x05",
    "\\x02",
    "\\x06",
    "\\eb",
    "\\ef",
    "\\e[D",
    "\\e[C",
    "\\e[H",
    "\\e[F",
    "\\eOD",
    "\\eOC",
    "\\e[1~",
    "\\e[4~",
    "\\e[7~",
    "\\e[8~",
    "\\e[1;5D",
    "\\e[1;5C",
    "\\e[D\\e[D",
];
const ASH_KILLS: &[&str] = &[
    "\\x0b",
    "\\x15",
    "\\x17",
    "\\ed",
    "\\e\\x7f",
    "\\x7f",
    "\\x7f",
    "\\x08",
    "\\e[3~",
    "\\x7f\\x7f\\x7f",
    "a\\x04",
    "\\x02\\x04",
    "\\x0c",
];
const ASH_HISTORY: &[&str] = &[
    "\\x10",
    "\\x0e",
    "\\e[A",
    "\\e[B",
    "\\eOA",
    "\\x12o",
    "\\x12",
    "\\x12a\\x12",
    "\\e[A\\e[A",
    "\\x12zz",
    "\\x07",
    "\\e[24;5R",
];
const ASH_COMPLETION: &[&str] = &["\\t", "\\t\\t"];
const ASH: Choice = (
    &[30, 16, 12, 12, 10, 7],
    &[
        WORDS,
        ASH_MOTIONS,
        ASH_KILLS,
        ASH_HISTORY,
        ASH_COMPLETION,
        ENDS,
    ],
);
const ASH_VI_KEYS: &[&str] = &[
    "\\e", "\\e", "\\e", "i", "a", "A", "I", "h", "l", "w", "b", "e", "W", "B", "E", "0", "$", "x",
    "X", "dw", "db", "dd", "D", "cw", "cc", "C", "r", "rx", "p", "P", "k", "j", "db", "de", "d$",
    "cb", "dl", "dh", " ",
];
const ASH_VI: Choice = (
    &[24, 60, 6, 4, 7],
    &[WORDS, ASH_VI_KEYS, ASH_KILLS, ASH_COMPLETION, ENDS],
);
