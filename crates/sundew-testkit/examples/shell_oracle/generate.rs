//! Random but plausible shell text, from templates of the grammar.
//!
//! What comes out is repeatable from its seed, ends by itself, needs no network and names nothing
//! that differs between two runs of the same shell.

#![allow(
    clippy::too_many_lines,
    reason = "the functions are lists of templates"
)]

mod arithmetic;
mod broken;
mod builtin;
mod command;
mod template;
mod word;

use crate::Shell;

/// Deepest nesting of templates in templates.
const MAX_DEPTH: u32 = 3;

/// What every generated text starts from: variables of each kind and a few files.
const VARIABLES_BASH: &str =
    "x='a b  c' y= s=hello n=7 a=(one 'two  three' '' f*r) v=s; declare -A h=([k]=v1 [x y]='v 2')";
const VARIABLES_POSIX: &str = "x='a b  c'; y=; s=hello; n=7; v=s";

/// Makes the files of the working directory; the same text runs on both sides.
pub(crate) const FILES: &str = "printf 'one\\ntwo\\nthree\\n' > a.txt; printf 'k=v w\\\\t x\\n  lead:trail  \\nlast' > b.txt; : > .hid; \
     mkdir d; : > d/f1; : > d/f2.c; printf 'echo sourced $# $1\\nreturn 4\\n' > lib.sh; : > 'sp ace'; \
     printf '#!/bin/sh\\necho ran $0 $1\\n' > run; chmod 755 run; : > noexec";

/// A source of choices that is the same for the same seed (xorshift64*).
pub(crate) struct Dice(u64);

impl Dice {
    pub(crate) fn new(seed: u64) -> Self {
        // SplitMix64, so that neighbouring seeds have nothing in common.
        let mut z = seed.wrapping_add(0x9e37_79b9_7f4a_7c15);
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        Self((z ^ (z >> 31)) | 1)
    }

    fn below(&mut self, n: usize) -> usize {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        let n = u64::try_from(n).unwrap_or(1).max(1);
        usize::try_from((self.0.wrapping_mul(0x2545_f491_4f6c_dd1d) >> 33) % n).unwrap_or(0)
    }

    fn of<'a>(&mut self, list: &[&'a str]) -> &'a str {
        list[self.below(list.len())]
    }

    fn one_in(&mut self, n: usize) -> bool {
        self.below(n) == 0
    }
}

/// Writes one text in the language of one shell.
pub(crate) struct Generator {
    dice: Dice,
    bash: bool,
    depth: u32,
}

/// The lines of a text; the first sets the stage.
pub(crate) fn text(seed: u64, shell: Shell) -> Vec<String> {
    let mut generator = Generator {
        dice: Dice::new(seed),
        bash: shell == Shell::Bash,
        depth: 0,
    };
    let mut lines = vec![
        if generator.bash {
            VARIABLES_BASH
        } else {
            VARIABLES_POSIX
        }
        .to_owned(),
    ];
    if generator.dice.one_in(3) {
        lines.push(generator.setting());
    }
    for _ in 0..=generator.dice.below(4) {
        lines.push(generator.line());
    }
    lines
}

impl Generator {
    fn deeper<T>(&mut self, make: impl FnOnce(&mut Self) -> T) -> T {
        self.depth += 1;
        let made = make(self);
        self.depth -= 1;
        made
    }

    fn setting(&mut self) -> String {
        if self.bash && self.dice.one_in(2) {
            return self
                .dice
                .of(&[
                    "shopt -s nullglob",
                    "shopt -s dotglob",
                    "shopt -s extglob",
                    "shopt -s failglob",
                    "shopt -s nocasematch",
                    "shopt -s nocaseglob",
                    "shopt -s globstar",
                    "shopt -s lastpipe",
                    "shopt -s inherit_errexit; set -e",
                    "shopt -s xpg_echo",
                    "shopt -s expand_aliases; alias e='echo aliased' two='echo '",
                    "shopt -u patsub_replacement",
                    "shopt -s assoc_expand_once",
                    "set -o pipefail",
                    "set -T; trap 'echo dbg:$LINENO' DEBUG",
                    "set -E; trap 'echo err:$?' ERR",
                    "trap 'echo ret' RETURN",
                    "set -B; set +B",
                    "set -k",
                    "set -o posix",
                    "unset IFS; set -f",
                    "PS4='+$LINENO> '; set -x",
                    "trap 'echo d $BASH_COMMAND' DEBUG",
                    "trap 'echo E $? $BASH_COMMAND' ERR",
                ])
                .to_owned();
        }
        self.dice
            .of(&[
                "set -e",
                "set -u",
                "set -x",
                "set -f",
                "set -C",
                "set -a",
                "set -v",
                "set -n",
                "set -eu",
                "set -ex",
                "IFS=:",
                "IFS=",
                "IFS=' ,'",
                "IFS=ab",
                "set -- p1 'p 2' '' p4",
                "set -- a b c d e f g h i j k l",
                "trap 'echo bye $?' EXIT",
                "trap 'echo usr1' USR1",
                "f() { echo f $# \"$@\"; return 3; }",
                "alias ll='echo list'",
                "cd d",
                "exec 3>&1",
                "readonly ro=1",
                "umask 027",
            ])
            .to_owned()
    }

    fn line(&mut self) -> String {
        if self.dice.one_in(2) {
            return self.templated();
        }
        match self.dice.below(30) {
            0..=7 => self.show(),
            8..=10 => self.list(),
            11..=13 => self.compound(),
            14 => self.here_document(),
            15..=16 => self.redirected(),
            17..=18 => self.assignment_line(),
            19 => self.function(),
            20..=23 => self.builtin(),
            24 if self.bash => self.conditional(),
            25 if self.bash => self.arithmetic_command(),
            26..=27 => self.broken(),
            28 => self.trap(),
            _ => self.option_line(),
        }
    }

    /// Shows fields one by one.
    fn show(&mut self) -> String {
        let mut words = Vec::new();
        for _ in 0..=self.dice.below(2) {
            words.push(self.word());
        }
        let words = words.join(" ");
        match self.dice.below(6) {
            0..=1 => format!("printf '[%s]' {words}; echo"),
            2..=4 => format!("echo {words}"),
            _ => format!("for i in {words}; do echo \"<$i>\"; done"),
        }
    }
}
