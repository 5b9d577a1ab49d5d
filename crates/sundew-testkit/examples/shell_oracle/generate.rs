//! Random but plausible shell text, from templates of the grammar.
//!
//! What comes out is repeatable from its seed, ends by itself, needs no network and names nothing
//! that differs between two runs of the same shell.

#![allow(
    clippy::too_many_lines,
    reason = "the functions are lists of templates"
)]

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

    fn word(&mut self) -> String {
        let mut word = String::new();
        for _ in 0..=self.dice.below(3) / 2 {
            let part = match self.dice.below(14) {
                0..=1 => self.plain(),
                2..=4 => self.expansion(),
                5..=7 => {
                    let inner = self.expansion();
                    format!("\"{inner}\"")
                }
                8 => {
                    let (a, b) = (self.plain_in_quotes(), self.expansion());
                    format!("\"{a}{b}\"")
                }
                9 => self.quoted(),
                10 => self.substitution(),
                11 => self.glob(),
                12 if self.bash => self.braces(),
                _ => self.arithmetic_expansion(),
            };
            word.push_str(&part);
        }
        word
    }

    fn plain(&mut self) -> String {
        self.dice
            .of(&[
                "abc", "x=1", "-n", "a:b:c", "~", "~/q", "a=~", "a=b:~", "#no", "a#b", "\\$x",
                "\\a", "{}", "}", "!", "%", "^", "+", "1", "08", "in", "do", "a\\ b", "\\\\",
                "~root", "~nobody1", ",", "=", "[", "]", "a]b", "-", "--", "é", "日本",
            ])
            .to_owned()
    }

    fn plain_in_quotes(&mut self) -> String {
        self.dice
            .of(&[
                "a b", " ", "\\$x", "\\\"", "\\\\", "\\n", "'", "*", "~", "\\`", "!", "{a,b}", "",
                "é", "\\a",
            ])
            .to_owned()
    }

    fn quoted(&mut self) -> String {
        if self.bash && self.dice.one_in(2) {
            return self
                .dice
                .of(&[
                    "$'a\\tb'",
                    "$'\\x41\\102\\u00e9'",
                    "$'\\cA'",
                    "$'it\\'s'",
                    "$'\\e[0m'",
                    "$'a\\0b'",
                    "$\"loc $s\"",
                    "$'\\U1F600'",
                    "$'\\q\\\\'",
                    "$''",
                ])
                .to_owned();
        }
        self.dice
            .of(&[
                "'a  b'", "''", "'$x'", "'\\'", "'\"'", "'*'", "'a\nb'", "\"\"", "' '",
            ])
            .to_owned()
    }

    fn name(&mut self) -> String {
        if self.bash {
            self.dice
                .of(&[
                    "x", "y", "s", "n", "u", "1", "2", "3", "@", "*", "#", "a[@]", "a[*]", "a[0]",
                    "a[1]", "a[-1]", "a[9]", "a", "h[k]", "h[x y]", "h[@]", "h[nope]", "!v", "!u",
                    "10", "-", "a[n]", "a[n-6]", "a[-9]",
                ])
                .to_owned()
        } else {
            self.dice
                .of(&[
                    "x", "y", "s", "n", "u", "1", "2", "3", "@", "*", "#", "10", "-", "0",
                ])
                .to_owned()
        }
    }

    fn expansion(&mut self) -> String {
        let name = self.name();
        match self.dice.below(if self.bash { 22 } else { 10 }) {
            0 => format!(
                "${}",
                self.dice.of(&[
                    "x", "y", "s", "n", "u", "1", "2", "@", "*", "#", "?", "10", "x.y"
                ])
            ),
            1 => format!("${{{name}}}"),
            2 => format!("${{#{name}}}"),
            3..=6 => {
                let op = self
                    .dice
                    .of(&[":-", "-", ":+", "+", ":=", "=", ":?", "?", ":-", ":+"]);
                let word = self.inner_word();
                format!("${{{name}{op}{word}}}")
            }
            7..=9 => {
                let op = self.dice.of(&["#", "##", "%", "%%"]);
                let pattern = self.pattern();
                format!("${{{name}{op}{pattern}}}")
            }
            10..=12 => {
                let op = self.dice.of(&["/", "//", "/#", "/%"]);
                let pattern = self.pattern();
                let to = self.dice.of(&[
                    "", "/", "/X", "/&", "/<&>", "/\\&", "/\"&\"", "/$s", "/$n&", "/'&'", "/a/b",
                    "/\\/", "/$y", "/\\\\&",
                ]);
                format!("${{{name}{op}{pattern}{to}}}")
            }
            13..=15 => {
                let range = self.dice.of(&[
                    ":1", ":1:2", ": -2", ": -2:1", ":0:-1", ":n", ":n-5:2", ":9", ":0:0", ":1:-9",
                    ":", ":1:", ":$n", ": -9", ":x", ":1+1", ":(1)", ":s:1", ":0", ":2:3", "::2",
                ]);
                format!("${{{name}{range}}}")
            }
            16..=17 => {
                let op = self.dice.of(&[
                    "^", "^^", ",", ",,", "^^[aeo]", "^[h]", ",,[A-Z]", "~", "~~", "^?", "^^l",
                ]);
                format!("${{{name}{op}}}")
            }
            18..=19 => {
                let op = self
                    .dice
                    .of(&["Q", "E", "P", "A", "a", "U", "u", "L", "K", "k", "Z", ""]);
                format!("${{{name}@{op}}}")
            }
            20 => self
                .dice
                .of(&[
                    "${!a[@]}",
                    "${!h[@]}",
                    "${!v*}",
                    "${!x@}",
                    "${!v:-d}",
                    "${!a[*]}",
                    "${!n}",
                    "${#a[@]}",
                    "${#h[*]}",
                    "${!1}",
                    "${!#}",
                    "${@:1}",
                    "${@:2:2}",
                    "${*: -1}",
                    "${@:0:1}",
                    "${#@}",
                    "${a[@]:1:2}",
                    "${a[@]: -2}",
                    "${h[@]:0:1}",
                    "${a[@]/o/0}",
                    "${a[@]^}",
                    "${a[*]@Q}",
                    "${@@Q}",
                    "${a[@]@A}",
                    "${h[@]@K}",
                    "${h[@]@A}",
                    "${!h}",
                    "${!u}",
                    "${!#:-z}",
                    "${!@}",
                    "${a[@]#t}",
                ])
                .to_owned(),
            _ => self
                .dice
                .of(&[
                    "${x",
                    "${}",
                    "${x@X}",
                    "${1x}",
                    "${x y}",
                    "${x!y}",
                    "${-}",
                    "${a[]}",
                    "${a[}",
                    "${h[]}",
                    "${x//}",
                    "${x:}",
                    "${x/}",
                    "${#x:-1}",
                    "${?}",
                    "${x^^^}",
                    "${#x#a}",
                    "${#-}",
                    "${##}",
                    "${#:-a}",
                    "${%}",
                    "${x:a b}",
                    "${x::}",
                    "$[n+1]",
                    "${x:1:2:3}",
                    "${a[1 2]}",
                    "${a[b c]}",
                    "${ x}",
                    "$((",
                    "${!}",
                    "${!x y}",
                ])
                .to_owned(),
        }
    }

    fn inner_word(&mut self) -> String {
        if self.depth < MAX_DEPTH && self.dice.one_in(3) {
            return self.deeper(Self::word);
        }
        self.dice
            .of(&[
                "def",
                "",
                "a b",
                "'q r'",
                "\"d q\"",
                "$s",
                "$x",
                "\"$x\"",
                "$u",
                "*",
                "a.*",
                "\\}",
                "'}'",
                "\"}\"",
                "~",
                "$(echo in)",
                "`echo bt`",
                "\\\"",
                "{a,b}",
                "$@",
                "\"$@\"",
                "msg: not set",
                "$n$n",
            ])
            .to_owned()
    }

    fn pattern(&mut self) -> String {
        if self.bash && self.dice.one_in(5) {
            return self
                .dice
                .of(&[
                    "@(a|h)",
                    "+(l)",
                    "!(x)",
                    "?(h)e",
                    "*(a|b)",
                    "[[:alpha:]]",
                    "[![:space:]]",
                    "[^a-c]",
                    "[[:foo:]]",
                    "[[=a=]]",
                    "[]a]",
                    "[a-]",
                    "[z-a]",
                ])
                .to_owned();
        }
        self.dice
            .of(&[
                "a",
                "*",
                "?",
                "l*",
                "*l",
                "[a-h]",
                "[!a]",
                "\\*",
                "' '",
                "\"$y\"",
                "$s",
                "h",
                "* ",
                "l",
                "??",
                "e",
                "[",
                "o",
                "*b",
                "[[:space:]]",
                "'*'",
                "\"*\"",
                "\\\\",
                "a b",
                "[]",
                "[a",
                "$y",
                "~",
            ])
            .to_owned()
    }

    fn glob(&mut self) -> String {
        if self.bash && self.dice.one_in(3) {
            return self
                .dice
                .of(&[
                    "!(*.txt)",
                    "@(a|b).txt",
                    "**",
                    "**/f*",
                    "*(z)",
                    "d/!(f1)",
                    "+([a-z]).txt",
                    "{a,b}.txt",
                    "{*.txt,z}",
                    "?(.)*",
                ])
                .to_owned();
        }
        self.dice
            .of(&[
                "*",
                "*.txt",
                "?.txt",
                "[ab].txt",
                "*/",
                "d/*",
                "nope*",
                ".*",
                "*\\ *",
                "\"*\"",
                "[!a]*",
                "*.TXT",
                "./*.txt",
                "d/f?",
                "*/*",
                "[[:lower:]].txt",
                "\\*",
                "a*[t]",
                ".h*",
                "*.{c,txt}",
                "/nope/*",
                "d//*",
                "./d/../*.txt",
            ])
            .to_owned()
    }

    fn braces(&mut self) -> String {
        self.dice
            .of(&[
                "{a,b}",
                "{1..3}",
                "{3..1}",
                "{a..e..2}",
                "{01..10..3}",
                "{a,b}{1,2}",
                "{a}",
                "{a,}",
                "{,}",
                "{a,{b,c}d}",
                "{-1..1}",
                "{1..}",
                "{a..3}",
                "{1..2..0}",
                "{x,$s}",
                "{\"a b\",c}",
                "a{b,c",
                "{a,b}}",
                "{{a,b}",
                "\\{a,b}",
                "{Z..a}",
                "{1..-2}",
                "{001..3}",
                "{$n..9}",
                "${x}{1,2}",
                "{a,b}$s",
                "{'a,b',c}",
                "{a..c}{1..2}",
                "{-05..5..5}",
                "{9223372036854775806..9223372036854775807}",
                "{a,b\\,c}",
            ])
            .to_owned()
    }

    fn substitution(&mut self) -> String {
        if self.depth < MAX_DEPTH && self.dice.one_in(2) {
            let inner = self.deeper(Self::simple);
            return match self.dice.below(3) {
                0 => format!("$({inner})"),
                1 => format!("\"$({inner})\""),
                _ => format!("$( {inner}\n)"),
            };
        }
        let list = if self.bash {
            [
                "$(echo a  b)",
                "\"$(echo 'a  b')\"",
                "`echo \\$x`",
                "$(< a.txt)",
                "$(exit 3)",
                "$(cat b.txt)",
                "\"$(printf 'a\\n\\n')\"",
                "<(:)",
                "$(echo $(echo n))",
                "`echo \\`echo m\\``",
                "$(:)",
                "$(nosuch)",
                "$(f 1 2)",
                "$(printf 'a\\0b')",
                "$(set -- q; echo $1)",
                "$(case x in x) echo y;; esac)",
                "$(echo $LINENO)",
            ]
        } else {
            [
                "$(echo a  b)",
                "\"$(echo 'a  b')\"",
                "`echo \\$x`",
                "$(cat a.txt)",
                "$(exit 3)",
                "$(cat b.txt)",
                "\"$(printf 'a\\n\\n')\"",
                "$(:)",
                "$(echo $(echo n))",
                "`echo \\`echo m\\``",
                "$(:)",
                "$(nosuch)",
                "$(f 1 2)",
                "$(true)",
                "$(set -- q; echo $1)",
                "$(case x in (x) echo y;; esac)",
                "$(echo $?)",
            ]
        };
        self.dice.of(&list).to_owned()
    }

    fn arithmetic(&mut self) -> String {
        if self.depth < MAX_DEPTH && self.dice.one_in(2) {
            return self.deeper(|this| {
                let (a, b) = (this.arithmetic(), this.arithmetic());
                let op = this.dice.of(&[
                    "+", "-", "*", "/", "%", "<<", ">>", "<", "<=", "==", "!=", "&", "|", "^",
                    "&&", "||", ",",
                ]);
                match this.dice.below(4) {
                    0 => format!("({a} {op} {b})"),
                    1 => format!("{a}{op}{b}"),
                    2 => format!("{a} ? {b} : n"),
                    _ => format!("{a} {op} {b}"),
                }
            });
        }
        if self.bash && self.dice.one_in(3) {
            return self
                .dice
                .of(&[
                    "2**3",
                    "n++",
                    "--n",
                    "16#ff",
                    "2#101",
                    "36#z",
                    "64#@",
                    "a[1]",
                    "a[n=0]",
                    "h[k]",
                    "2**-1",
                    "n=3,n*2",
                    "1?2:3",
                    "8#9",
                    "0x",
                    "10#08",
                    "a",
                    "n**2",
                    "++n",
                    "n--",
                    "65#1",
                    "3#3",
                    "v",
                    "s",
                    "x[0]",
                    "37#Z",
                    "n+=2",
                    "~n",
                    "!s",
                    "u",
                    "'1'",
                    "\"2\"",
                    "1 2",
                    "n=",
                    "(n",
                    "n)",
                    "1.5",
                    "$x",
                    "0x1G",
                    "9**19",
                    "-9223372036854775808/-1",
                    "9223372036854775807+1",
                    "1<<64",
                    "1>>-1",
                    "@",
                    "#",
                    "n = = 2",
                    "5 % -3",
                    "-5 / 2",
                    "1 +",
                    "* 2",
                    "a[",
                    "a[]",
                    "5++",
                    "n++ ++",
                    "- - 3",
                    "+-+3",
                    "!!n",
                    "1 ? 2",
                    "1 : 2",
                    "? 1",
                    "n ? : 2",
                    "$u",
                    "$(echo 4)",
                ])
                .to_owned();
        }
        self.dice
            .of(&[
                "1",
                "n",
                "7",
                "0x1f",
                "010",
                "-3",
                "$n",
                "n",
                "u",
                "0",
                "!n",
                "~0",
                "(2)",
                "08",
                "n=4",
                "y",
                "s",
                "1/0",
                "5%0",
                "",
                " ",
                "${n}1",
                "$#",
                "n+=1",
                "1 2",
                "(1",
                "1+",
                "x",
                "0x",
                "9223372036854775807",
                "99999999999999999999",
                "n<8?1:0",
            ])
            .to_owned()
    }

    fn arithmetic_expansion(&mut self) -> String {
        let inner = self.arithmetic();
        format!("$(({inner}))")
    }

    fn arithmetic_command(&mut self) -> String {
        let inner = self.arithmetic();
        match self.dice.below(4) {
            0 => format!("(( {inner} )); echo $? $n"),
            1 => format!("let '{inner}'; echo $? $n"),
            2 => format!("for ((i=0; i<3; i++)); do (({inner})) && echo $i; done"),
            _ => format!("declare -i m; m='{inner}'; echo $m"),
        }
    }

    /// A command that shows something or has a status.
    fn simple(&mut self) -> String {
        match self.dice.below(9) {
            0 => "true".to_owned(),
            1 => "false".to_owned(),
            2 => format!("f {}", self.word()),
            3 => format!("cat {}", self.dice.of(&["a.txt", "b.txt", "nope", "-", ""])),
            4 => format!("test {}", self.test_operands()),
            5 => format!("[ {} ]", self.test_operands()),
            6 => self
                .dice
                .of(&[
                    "nosuch",
                    "./run a",
                    "./noexec",
                    "./d",
                    "./nope/x",
                    "/nope",
                    "(exit 5)",
                    ":",
                    "exit 6",
                    "return 2",
                    ". ./lib.sh q",
                    "command -v cat echo f ll if",
                    "type echo f if nosuch",
                    "''",
                    "echo $?",
                    "break",
                    "continue 2",
                    "shift",
                    "cd nope",
                    "cd d",
                    "unset ro",
                    "ro=2",
                    "\"\"",
                    "$u",
                    "$u $y echo e",
                ])
                .to_owned(),
            _ => format!("echo {}", self.word()),
        }
    }

    fn test_operands(&mut self) -> String {
        let (a, b) = (self.word(), self.word());
        match self.dice.below(9) {
            0 => format!(
                "{} {a}",
                self.dice.of(&[
                    "-n", "-z", "-f", "-d", "-e", "-x", "-s", "!", "-q", "-t", "-L"
                ])
            ),
            1..=2 => format!(
                "{a} {} {b}",
                self.dice.of(&[
                    "=", "!=", "-eq", "-lt", "-ge", "==", "-nt", "=~", "-a", "-o", "-xx"
                ])
            ),
            3 => a,
            4 => self
                .dice
                .of(&[
                    "",
                    "!",
                    "a",
                    "a b",
                    "a b c",
                    "a b c d",
                    "1 -eq",
                    "-f",
                    "-f a b",
                    "( a )",
                    "( a",
                    "! ! a",
                    "! a = b",
                    "-n a -a -z ''",
                    "a -o b -a ''",
                    "1 -eq x",
                    "x -lt 1",
                    "'' -eq 0",
                    "\\( a \\)",
                    "\\( a = a \\) -o b",
                    "\\( a",
                    "a \\)",
                    "a = a b",
                    "-v n",
                    "-v a[1]",
                    "-o errexit",
                    "1 -gt 2 -o 3",
                    "99999999999999999999 -eq 1",
                    "' 1' -eq '1 '",
                    "a '<' b",
                    "a \\> b",
                ])
                .to_owned(),
            _ => format!("{a} = {b}"),
        }
    }

    fn conditional(&mut self) -> String {
        let (a, b) = (self.word(), self.word());
        let test = match self.dice.below(8) {
            0 => format!("{a} == {b}"),
            1 => {
                let p = self.pattern();
                format!("{a} == {p}")
            }
            2 => {
                let r = self.dice.of(&[
                    "^h(.)l",
                    "l+",
                    "(a)|(b)",
                    "[[:digit:]]+",
                    "^$",
                    "'h.'",
                    "h\\.",
                    "(",
                    "a{2}",
                    "\"$s\"",
                    "$s",
                    "^(h)(e)?(x)?",
                    "[",
                    "*a",
                    "\\(",
                    "a|",
                    "h'e'l",
                    "(l)(l)",
                ]);
                let e = self.expansion();
                format!("{e} =~ {r}")
            }
            3 => {
                let op = self.dice.of(&[
                    "-eq", "-lt", "-ge", "-ne", "<", ">", "!=", "-nt", "-ef", "-xx", "=",
                ]);
                format!("{a} {op} {b}")
            }
            4 => {
                let op = self
                    .dice
                    .of(&["-n", "-z", "-f", "-v", "-d", "-e", "!", "-o", "-R", "-q"]);
                format!("{op} {a}")
            }
            5 => self
                .dice
                .of(&[
                    "-v a[1]",
                    "-v h[k]",
                    "-v a[@]",
                    "-v u",
                    "-o errexit",
                    "n -gt 3",
                    "1+1 -eq 2",
                    "a == b || c == c && ! d",
                    "( a == b )",
                    "! ( -n a )",
                    "a",
                    "",
                    "!",
                    "a b",
                    "a ==",
                    "== b",
                    "a && ",
                    "( a",
                    "a )",
                    "-f",
                    "-f a b",
                    "a == b c",
                    "a = b ||",
                    "x -eq",
                    "08 -eq 8",
                    "1/0 -eq 1",
                    "a < b > c",
                    "a & b",
                    "a | b",
                    "a ; b",
                    "-n $u && -z $y",
                    "$x == 'a b'*",
                    "\"$x\" == a\\ *",
                    "-z",
                    "! -z x",
                ])
                .to_owned(),
            _ => format!("{a} != {b} && -n {b}"),
        };
        match self.dice.below(4) {
            0 => format!("[[ {test} ]] && echo yes || echo no $?"),
            1 => format!("if [[ {test} ]]; then echo T; else echo F; fi"),
            2 => format!("[[ {test} ]]; echo $? \"${{BASH_REMATCH[@]}}\""),
            _ => format!("[[ {test} ]]\necho $?"),
        }
    }

    fn list(&mut self) -> String {
        let mut text = self.simple();
        for _ in 0..=self.dice.below(2) {
            let op = if self.bash {
                self.dice
                    .of(&[" && ", " || ", " | ", "; ", " |& ", " && ! ", " || "])
            } else {
                self.dice
                    .of(&[" && ", " || ", " | ", "; ", " && ! ", " || "])
            };
            text.push_str(op);
            text.push_str(&self.simple());
        }
        if self.dice.one_in(2) {
            text.push_str(if self.bash {
                "; echo $? ${PIPESTATUS[@]}"
            } else {
                "; echo $?"
            });
        }
        text
    }

    fn body(&mut self) -> String {
        if self.depth < MAX_DEPTH && self.dice.one_in(3) {
            self.deeper(Self::compound)
        } else {
            self.simple()
        }
    }

    fn compound(&mut self) -> String {
        let (a, b) = (self.body(), self.body());
        match self.dice.below(13) {
            0 => format!("if {a}; then {b}; else echo else; fi"),
            1 => format!("if {a}; then echo T; elif {b}; then echo E; fi"),
            2 => {
                let w = self.word();
                format!("for i in {w} z; do {a}; echo $i; done")
            }
            3 => format!("i=0; while [ $i -lt 2 ]; do i=$((i+1)); {a}; done"),
            4 => format!("i=0; until [ $i -ge 2 ]; do i=$((i+1)); {a}; {b}; done"),
            5..=6 => {
                let (w, p) = (self.word(), self.pattern());
                let end = if self.bash {
                    self.dice.of(&[";;", ";&", ";;&", ";;"])
                } else {
                    ";;"
                };
                format!("case {w} in {p}) {a} {end} a*|?) {b} ;; *) echo other ;; esac")
            }
            7 => format!("( {a}; {b} ); echo $?"),
            8 => format!("{{ {a}; {b}; }}; echo $?"),
            9 => format!("for i do {a}; echo $i; done"),
            10 => format!("fu() {{ {a}; {b}; }}; fu 1 2; echo $?"),
            11 if self.bash => format!("function gu {{ local x=in; {a}; }}; gu; echo \"$x\""),
            12 if self.bash => format!("time -p {a} 2>/dev/null; ! {b}; echo $?"),
            _ => format!("! {a}; echo $?"),
        }
    }

    fn here_document(&mut self) -> String {
        let (e, s) = (self.expansion(), self.substitution());
        match self.dice.below(if self.bash { 8 } else { 6 }) {
            0 => format!("cat <<E\n{e} {s}\n\\$x \\\\ \"q\" 'r' \\\nj\nE"),
            1 => format!("cat <<'E'\n{e} {s}\nE"),
            2 => format!("cat <<-E\n\t\t{e}\n\tE"),
            3 => format!("cat <<E | sort\nb\n{e}\nE\necho $?"),
            4 => format!("cat <<E; cat <<F\n{e}\nE\n{s}\nF"),
            5 => format!("while read -r l; do echo \"<$l>\"; done <<\\E\n a {e}  \n\\x\nE"),
            6 => format!("cat <<< {e}"),
            _ => format!("read -r p q <<< \"{s}\"; echo \"$p|$q\""),
        }
    }

    fn redirected(&mut self) -> String {
        let command = self.simple();
        let redirection = if self.bash && self.dice.one_in(2) {
            self.dice.of(&[
                "&> o",
                "&>> o",
                ">& o",
                "<<< $x",
                "<> o",
                ">| o",
                "{fd}>o",
                "2>&1 >o",
                "3<<<q",
                "< <(echo ps)",
                "> >(cat)",
                ">&$n",
                "<&-",
                ">&u",
                "{u}<&-",
                "2>&1-",
                "3>&1-",
                "> a{1,2}",
                "> *.txt",
                "< $x",
                "> \"\"",
                "> $u",
                "&>o 2>&1",
                ">&2-",
                "<&x",
                "2>>o",
            ])
        } else {
            self.dice.of(&[
                "> o",
                ">> o",
                "2> o",
                "< a.txt",
                "2>&1",
                ">&2",
                ">&-",
                "<&-",
                "< nope",
                "> d",
                "> nope/x",
                ">&9",
                "<&8",
                "2>&-",
                "> 'sp o'",
                "> $x",
                "> ''",
                "3>&1 >&3",
                "<> o",
                ">| o",
                "> $u",
                "<&$n",
                "9>&1",
                ">&-  2>&1",
                "< d",
                "> ./",
                "1>&2 2>&1",
                ">& 2",
                "< a.txt 4<&0 <&4",
                "> ~/hh",
                "<a.txt >o",
                ">o >o2",
            ])
        };
        match self.dice.below(5) {
            0 => format!("{command} {redirection}; echo $?; cat o"),
            1 => format!("{redirection} {command}; echo $?"),
            2 => format!("{{ {command}; cat; }} {redirection} </dev/null; echo $?"),
            3 => format!("exec {redirection}; echo st $?; {command}"),
            _ => format!("({command}) {redirection}; echo $?"),
        }
    }

    fn assignment_line(&mut self) -> String {
        let (w, w2) = (self.word(), self.word());
        if self.bash {
            match self.dice.below(14) {
                0 => format!("z={w}; echo \"$z\""),
                1 => format!("z=({w} {w2}); declare -p z"),
                2 => format!("a+=({w}); declare -p a"),
                3 => format!("a[2]={w}; declare -p a"),
                4 => format!("h[{w}]={w2}; declare -p h"),
                5 => format!("declare -A g=([{w}]=1 [b]={w2}); declare -p g"),
                6 => format!("s+={w}; n+=1; echo $s $n"),
                7 => format!(
                    "declare {} q={w}; declare -p q; q={w2}; echo \"$q\"",
                    self.dice.of(&[
                        "-i", "-u", "-l", "-r", "-x", "-a", "-A", "-n", "-ix", "-c", "-t", "-g",
                        "--", "+x"
                    ])
                ),
                8 => format!("z={w} eval 'echo \"$z\"'; echo \"$z\""),
                9 => format!(
                    "unset {}; declare -p a h x",
                    self.dice.of(&[
                        "a[1]", "'a[0]'", "a", "h[k]", "'h[x y]'", "a[-1]", "a[@]", "'h[@]'",
                        "x y", "-v x", "-f f", "1", "a[9]", "a[", "-n v", "-x q"
                    ])
                ),
                10 => format!(
                    "declare -n ref={}; ref={w}; echo \"$ref\" \"${{!ref}}\"",
                    self.dice.of(&["x", "a[1]", "u", "ref", "1", "h[k]", "a"])
                ),
                11 => format!("z=([3]={w} {w2} [1]=q); declare -p z; echo ${{!z[@]}}"),
                12 => format!("printf -v z '%s-' {w}; echo \"$z\""),
                _ => format!("export z={w}; readonly w={w2}; w=3; echo \"$z$w\""),
            }
        } else {
            match self.dice.below(6) {
                0 => format!("z={w}; echo \"$z\""),
                1 => format!("z={w} eval 'echo \"$z\"'; echo \"$z\""),
                2 => format!("export z={w}; echo \"$z\""),
                3 => format!("readonly w={w}; w=3; echo \"$w\""),
                4 => format!("z={w} w={w2} f; echo \"$z$w\""),
                _ => format!(
                    "unset {}; echo ${{x-unset}}",
                    self.dice
                        .of(&["x", "x y", "-v x", "-f f", "1", "a-b", "-z", ""])
                ),
            }
        }
    }

    fn function(&mut self) -> String {
        let (a, w) = (self.body(), self.word());
        match self.dice.below(if self.bash { 9 } else { 4 }) {
            0 => format!("fu() {{ {a}; return; }}; fu {w}; echo $?"),
            1 => format!("fu() {{ local x={w} y; echo \"$x|$y\"; {a}; }}; fu; echo \"$x\""),
            2 => "f() { f2; echo $?; }; f2() { return 300; }; f".to_owned(),
            3 => format!("fu() ( {a}; exit 4 ); fu; echo $?"),
            4 => format!("fu() {{ {a}; }}; declare -f fu; type fu"),
            5 => format!(
                "fu() {{ local -a l=({w}); local -p; echo ${{FUNCNAME[@]}} ${{#l[@]}}; }}; fu"
            ),
            6 => "f() { local n; n=5; g; }; g() { echo $n; n=6; unset n; echo $n; }; f; echo $n"
                .to_owned(),
            7 => format!("fu() {{ {a}; }} > o 2>&1; fu; cat o; declare -f"),
            _ => format!(
                "fu() {{ echo ${{BASH_LINENO[@]}} ${{BASH_SOURCE[0]}} $LINENO; {a}; caller; }}\nfu {w}"
            ),
        }
    }

    fn builtin(&mut self) -> String {
        let w = self.word();
        if self.bash && self.dice.one_in(2) {
            return match self.dice.below(16) {
                0 => format!("printf '{}\\n' {w} 12 x", self.printf_format()),
                1 => format!(
                    "read {} <<< {w}; echo \"$? $REPLY $p|$q|${{r[@]}}\"",
                    self.dice.of(&[
                        "p q",
                        "-r p q",
                        "-a r",
                        "-n 2 p",
                        "-N 3 p",
                        "-d b p",
                        "-d '' p",
                        "",
                        "-r",
                        "-t 0 p",
                        "-u 0 p",
                        "-t 1 -n1 p",
                        "p 1x",
                        "-q",
                        "-n x p",
                        "-t x p",
                        "-u 9 p",
                        "-a",
                        "-e p",
                        "-s p",
                        "-p pr p",
                        "-i t p",
                        "-ra r",
                        "-rd: p"
                    ])
                ),
                2 => format!(
                    "mapfile {} m < b.txt; echo $?; declare -p m",
                    self.dice.of(&[
                        "-t",
                        "",
                        "-n 1",
                        "-s 1 -t",
                        "-O 2",
                        "-d =",
                        "-c 1 -C 'echo cb'",
                        "-c 2 -t -C 'echo cb'",
                        "-n x",
                        "-u 7",
                        "-q",
                        "-O x",
                        "-s 9",
                        "-d ''"
                    ])
                ),
                3 => format!(
                    "shopt {}; echo $?",
                    self.dice.of(&[
                        "-p nullglob",
                        "-s nope",
                        "extglob dotglob",
                        "-q extglob",
                        "-o pipefail",
                        "-po errexit",
                        "-u",
                        "-z",
                        "-s -u x",
                        "-so errexit"
                    ])
                ),
                4 => format!(
                    "declare {}; echo $?",
                    self.dice.of(&[
                        "-p x n",
                        "-p nope",
                        "-z",
                        "1a=2",
                        "-f nope",
                        "-F f",
                        "a=(1 2",
                        "-a x",
                        "-A a",
                        "-i s",
                        "x",
                        "-p 1",
                        "-n x=x",
                        "-n x=1",
                        "+r ro",
                        "+a a",
                        "-r x; x=1",
                        "-fx f",
                        "-x -p n",
                        "-ai z=(1+1 2*3); declare -p z",
                        "-u z=abc; z+=d; echo $z",
                        "-l z=ABC; echo $z",
                        "-A z; z=1; declare -p z",
                        "-A z=(1 2 3); declare -p z",
                        "-g z=1",
                        "-I x",
                        "-i z=1/0",
                        "-i z=x",
                        "'a b'=1",
                        "-a 'z=(1 2)'; declare -p z",
                        "-p z[0]",
                        "a[7]=q; declare -p a"
                    ])
                ),
                5 => format!(
                    "getopts {}; echo $? $o $OPTARG $OPTIND",
                    self.dice.of(&[
                        "ab: o -a",
                        "ab: o -b",
                        "ab: o -bx",
                        ":ab: o -b",
                        ":ab: o -q",
                        "ab: o -q",
                        "ab: o --",
                        "ab: o x -a",
                        "ab: o -ab v",
                        "ab: 1x -a",
                        "ab:",
                        "",
                        "ab: o -",
                        "ab: o"
                    ])
                ),
                6 => format!(
                    "trap {}; trap -p",
                    self.dice.of(&[
                        "'echo x' INT TERM",
                        "- INT",
                        "'' 2",
                        "echo 99",
                        "echo NOPE",
                        "-l >/dev/null",
                        "-z",
                        "'echo a' SIGHUP; trap HUP",
                        "'echo it' int",
                        "'echo '\\''q'\\' EXIT",
                        "0",
                        "'echo D' DEBUG; true",
                        "'echo R' return",
                        "1 2 3",
                        "-p 99",
                        "'x' KILL"
                    ])
                ),
                7 => format!(
                    "type {}; echo $?",
                    self.dice.of(&[
                        "-t echo f if cat ll nosuch",
                        "-a echo",
                        "-p cat echo",
                        "-P echo",
                        "echo",
                        "[[ { ! time",
                        "-f f",
                        "nosuch",
                        "-z",
                        "",
                        "-at test",
                        "./run",
                        "run",
                        "-p ll"
                    ])
                ),
                8 => format!(
                    "command {}; echo $?",
                    self.dice.of(&[
                        "-v echo",
                        "-V echo f nosuch",
                        "-p echo x",
                        "nosuch",
                        "-x",
                        "",
                        "-v",
                        "-V if",
                        "-V ll cat",
                        "exit 3",
                        "-v f ll run ./run",
                        "f 1",
                        "-- echo d",
                        "eval 'echo e'",
                        "export z=1",
                        "-pv cat"
                    ])
                ),
                9 => format!(
                    "set {}; echo $?",
                    self.dice.of(&[
                        "-o | head -3",
                        "+o | tail -2",
                        "-q",
                        "-o nope",
                        "+o nope",
                        "-- a b; echo $#",
                        "-; echo $-",
                        "-- ; echo $#",
                        "-o errexit +e",
                        "-euo pipefail; echo $-",
                        "a b; echo $@",
                        "-A x",
                        "+x",
                        "-h; set +h; echo $-",
                        "-o vi; set -o | grep -E 'vi|emacs'"
                    ])
                ),
                10 => format!(
                    "kill {}; echo $?",
                    self.dice.of(&[
                        "",
                        "-l 9 15",
                        "-l TERM",
                        "-l 137",
                        "-l nope",
                        "-s",
                        "-s nope 1",
                        "x",
                        "-0 $$",
                        "%1",
                        "-l 0",
                        "-9",
                        "-l | tail -1",
                        "-L 3",
                        "-n 99 1",
                        "-z 1",
                        "-USR1 $$",
                        "-0 99999999",
                        "-l 64 65",
                        "-s INT"
                    ])
                ),
                11 => format!(
                    "cd {}; echo $?; echo ${{PWD##*/}}",
                    self.dice.of(&[
                        "d",
                        "nope",
                        "a.txt",
                        "-",
                        "d extra",
                        "''",
                        "-L d",
                        "-P ./d/..",
                        "-z",
                        "--",
                        "~nobody1",
                        "d/../d",
                        "./d",
                        "d; cd - >/dev/null",
                        "d; cd ..",
                        "-e d",
                        "-@ d"
                    ])
                ),
                12 => format!(
                    "pushd {} >/dev/null; echo $?; popd {} >/dev/null; dirs -p | wc -l",
                    self.dice
                        .of(&["d", "", "nope", "+1", "-n d", "-z", "+9", "x y"]),
                    self.dice.of(&["", "+1", "-n", "x", "-0", "+5", "-z"])
                ),
                13 => format!(
                    "{} {w}; echo $?",
                    self.dice.of(&[
                        "shift",
                        "exit",
                        "return",
                        "break",
                        "continue",
                        "eval",
                        "exec",
                        "unset",
                        "alias",
                        "unalias",
                        "wait",
                        "jobs",
                        "bg",
                        "fg",
                        "disown",
                        "umask",
                        "ulimit -n; true",
                        "hash",
                        "let",
                        "source",
                        ".",
                        "builtin",
                        "enable -n",
                        "readonly",
                        "export",
                        "local",
                        "caller",
                        "suspend -q",
                        "times -q;true",
                        "logout",
                        "history",
                        "fc",
                        "bind",
                        "compgen",
                        "complete",
                        "compopt",
                        "help -q",
                        "test",
                        "typeset",
                        "printf",
                        "printf --",
                        "read -q",
                        "echo -e",
                        "echo -n -E",
                        "echo -nx",
                        "coproc",
                        "select",
                        "dirs",
                        "popd",
                        "pushd",
                        "mapfile",
                        "readarray",
                        "ulimit",
                        "umask -S; true",
                        "hash -t",
                        "hash -d",
                        "umask -p; true",
                        "type",
                        "true",
                        "false",
                        ":",
                        "getopts",
                        "[",
                        "trap",
                        "kill -l"
                    ])
                ),
                14 => format!(
                    "alias {}; echo $?",
                    self.dice.of(&[
                        "",
                        "ll",
                        "nope",
                        "zz='a b'; alias zz",
                        "-p",
                        "-z",
                        "a=b c=d nope",
                        "'x y'=1",
                        "a/b=c",
                        "=x",
                        "q=; alias q"
                    ])
                ),
                _ => format!(
                    "export {}; echo $?",
                    self.dice.of(&[
                        "-p | grep -c declare",
                        "1=2",
                        "-n z",
                        "x y",
                        "-f f",
                        "-f nope",
                        "a-b=1",
                        "-z",
                        "z+=q; echo $z",
                        "'='",
                        "a[1]=2"
                    ])
                ),
            };
        }
        match self.dice.below(12) {
            0 => format!("printf '{}\\n' {w} 12 x", self.printf_format_posix()),
            1 => format!("echo {w} | while read -r p q; do echo \"$p|$q\"; done"),
            2 => format!(
                "read {} < b.txt; echo \"$? $p|$q\"",
                self.dice
                    .of(&["p q", "-r p q", "p", "-z", "p-q", "1x", "-r p q r"])
            ),
            3 => format!(
                "{} {}; echo $?",
                self.dice.of(&[
                    "shift", "exit", "return", "break", "continue", "umask", "wait", "times -x",
                    "kill", "kill -l"
                ]),
                self.dice.of(&[
                    "",
                    "1",
                    "9",
                    "x",
                    "-1",
                    "2 3",
                    "1x",
                    "99999999999",
                    "-z",
                    "022",
                    "u=rwx,g=",
                    "888",
                    "''"
                ])
            ),
            4 => format!(
                "cd {}; echo $?; echo ${{PWD##*/}}",
                self.dice.of(&[
                    "d",
                    "nope",
                    "a.txt",
                    "-",
                    "''",
                    "-P ./d/..",
                    "-z",
                    "--",
                    "d/../d",
                    "./d",
                    "d; cd - >/dev/null"
                ])
            ),
            5 => format!(
                "set {}; echo $?",
                self.dice.of(&[
                    "-q",
                    "-o nope",
                    "-- a b; echo $#",
                    "-; echo $#",
                    "-o errexit",
                    "a b; echo $@",
                    "+x",
                    "-o | head -4"
                ])
            ),
            6 => format!(
                "trap {}; trap",
                self.dice.of(&[
                    "'echo x' INT TERM",
                    "- INT",
                    "'' 2",
                    "echo 99",
                    "echo NOPE",
                    "-z",
                    "'echo a' HUP",
                    "'echo '\\''q'\\' EXIT",
                    "0",
                    "1 2 3"
                ])
            ),
            7 => format!(
                "OPTIND=1; while getopts {} o {}; do echo \"$o|$OPTARG|$OPTIND\"; done",
                self.dice.of(&["ab:", ":ab:", "a", "b:c"]),
                self.dice.of(&[
                    "-a -b v",
                    "-ab v rest",
                    "-b",
                    "-q",
                    "-a -- -b",
                    "-bx -c",
                    "-",
                    "x -a",
                    ""
                ])
            ),
            8 => format!(
                "alias {}; echo $?",
                self.dice
                    .of(&["", "ll", "nope", "zz='a b'; alias zz", "q=; alias q", "-z"])
            ),
            9 => format!(
                "type {}; echo $?",
                self.dice.of(&[
                    "echo f if cat ll nosuch",
                    "test",
                    "./run",
                    "nosuch",
                    "ll",
                    "if",
                    ""
                ])
            ),
            10 => format!(
                "eval {}; echo $?",
                self.dice.of(&[
                    "'echo a; false'",
                    "'if'",
                    "'echo )'",
                    "\"echo '\"",
                    "'(exit 4)'",
                    "exit 3",
                    "'x=1 y=2; echo $x$y'",
                    "'for'",
                    "''",
                    "'\necho ) x'",
                    "'nosuch'",
                    "echo '$x'",
                    "'return 5'"
                ])
            ),
            _ => format!(
                "echo {} {w}",
                self.dice.of(&[
                    "-n",
                    "-e",
                    "-E",
                    "-ne",
                    "'a\\tb\\c'",
                    "'\\0101'",
                    "'\\x41'",
                    "'\\\\'",
                    "-x",
                    "--",
                    "-e 'a\\nb'",
                    "'\\e'"
                ])
            ),
        }
    }

    fn printf_format(&mut self) -> String {
        self.dice
            .of(&[
                "%s",
                "%d",
                "%5d|",
                "%-5s|",
                "%05d",
                "%x",
                "%#x",
                "%o",
                "%e",
                "%.2f",
                "%g",
                "%c",
                "%b",
                "%q",
                "%Q",
                "%%",
                "%z",
                "%",
                "%*d",
                "%.*s",
                "%+d",
                "% d",
                "%i",
                "%u",
                "%X",
                "%a",
                "%s %s",
                "%(%Y)T",
                "%n",
                "%.3q",
                "%-8q|",
                "%ld",
                "%5",
                "\\x41\\101\\u00e9",
                "a\\cb",
                "%.0f",
                "%5.1f|",
                "%s\\0",
                "%.3d",
                "%G",
                "%E",
                "%1$s",
                "%lls",
                "\\q",
                "%5c|",
                "%.1b",
                "%\x27d",
            ])
            .to_owned()
    }

    fn printf_format_posix(&mut self) -> String {
        self.dice
            .of(&[
                "%s", "%d", "%5d|", "%-5s|", "%05d", "%x", "%#x", "%o", "%c", "%b", "%%", "%z",
                "%", "%*d", "%.*s", "%+d", "%i", "%u", "%X", "%s %s", "\\101\\n", "a\\cb", "%.3d",
                "%.2f", "%e", "%g", "\\x41", "%5",
            ])
            .to_owned()
    }

    fn trap(&mut self) -> String {
        let (a, b) = (self.simple(), self.simple());
        let signal = if self.bash {
            self.dice
                .of(&["EXIT", "ERR", "DEBUG", "RETURN", "USR1", "0", "INT"])
        } else {
            self.dice.of(&["EXIT", "USR1", "0", "INT", "TERM"])
        };
        match self.dice.below(6) {
            0 => format!(
                "trap '{}' {signal}; {a}; {b}",
                self.dice.of(&[
                    "echo T$?",
                    "echo T; exit 9",
                    "false",
                    "echo $LINENO",
                    "echo T; return 3",
                    "nosuch",
                    "trap - EXIT; echo once"
                ])
            ),
            1 => format!("trap 'echo T' {signal}; (trap; {a}); echo $?"),
            2 => format!("trap 'echo U $?' USR1; kill -USR1 $$; {a}; echo $?"),
            3 => format!("fu() {{ trap 'echo R' {signal}; {a}; }}; fu; {b}"),
            4 => format!("(trap 'echo sub' EXIT; {a}; exit 3); echo $?"),
            _ => format!("trap 'echo A' {signal}; trap '' {signal}; trap - {signal}; {a}; $({b})"),
        }
    }

    fn option_line(&mut self) -> String {
        let (a, b) = (self.simple(), self.simple());
        let option = if self.bash {
            self.dice.of(&[
                "-e",
                "-u",
                "-x",
                "-f",
                "-o pipefail",
                "-eE",
                "-v",
                "-ex",
                "-n",
            ])
        } else {
            self.dice.of(&["-e", "-u", "-x", "-f", "-v", "-ex"])
        };
        match self.dice.below(5) {
            0 => format!("set {option}; {a}; {b}; echo end"),
            1 => format!("(set {option}; {a}; {b}); echo $?"),
            2 => {
                format!("set {option}; fu() {{ {a}; {b}; echo in; }}; fu || echo no; fu; echo end")
            }
            3 => format!("set {option}; {a} | {b}; echo end $?; z=$({b}); echo $?"),
            _ => format!(
                "set {option}; if {a}; then :; fi; while {b}; do break; done; {a} && {b}; echo end"
            ),
        }
    }

    /// Text that no shell takes.
    fn broken(&mut self) -> String {
        let (a, b) = (self.simple(), self.simple());
        let text = match self.dice.below(16) {
            0 => self
                .dice
                .of(&[
                    ")",
                    "}",
                    "fi",
                    "done",
                    "esac",
                    "then",
                    ";;",
                    "&&",
                    "| x",
                    "; ; x",
                    "& &",
                    "( )",
                    "()",
                    "{ }",
                    "if",
                    "if x",
                    "for",
                    "for 1 in a; do :; done",
                    "case",
                    "case x",
                    "case x in",
                    "case x in y",
                    "while",
                    "do :",
                    "f(",
                    "f()",
                    "f( x )",
                    "function",
                    "[[",
                    "[[ a",
                    "((",
                    "(( 1",
                    "a=(",
                    "a=(1 2",
                    "echo \"abc",
                    "echo 'abc",
                    "echo `abc",
                    "echo $(abc",
                    "echo ${abc",
                    "echo $((1",
                    "cat <<",
                    "cat <<E",
                    "> ",
                    "<",
                    "2>&",
                    "<<<",
                    "echo a > ; b",
                    "else",
                    "elif",
                    "in",
                    "! ",
                    "!",
                    "time",
                    "coproc",
                    "select",
                    "a b (",
                    "a (b)",
                    "a )b",
                    "{ a",
                    "( a",
                    "if :; then fi",
                    "if :; then else :; fi",
                    "while :; do done",
                    "for x in; done",
                    "case x in esac",
                    "case x in a) esac",
                    "case x in (a) ;; b esac",
                    "for x in a b; do",
                    "for ((;;",
                    "for ((1)); do :; done",
                    "for x y; do :; done",
                    "function f",
                    "function 1 { :; }",
                    "f() echo x",
                    "a() b",
                    "if () { :; }",
                    "1a() { :; }; 1a",
                    "a-b() { echo ab; }; a-b",
                    "$x() { :; }",
                    "echo a; }",
                    "{ echo a }",
                    "echo ) x",
                    "echo ( x",
                    "x | | y",
                    "x || && y",
                    "& x",
                    "x &; y",
                    "x ;; y",
                    "| ",
                    "x |",
                    "x &&",
                    "a=1 (b)",
                    "a=(1) (2)",
                    "[[ a == b",
                    "[[ ( a ]]",
                    "[[ a ) ]]",
                    "[[ ]]",
                    "[[ ! ]]",
                    "[[ a -x b ]]",
                    "[[ -f ]]",
                    "[ ",
                    "echo $(( 1 + ))",
                    "echo $((1 2))",
                    "echo $((",
                    "((1+)); echo $?",
                    "(( )); echo $?",
                    "echo ${x:?}; echo n",
                    "echo {",
                    "}}",
                    "{{ a; }",
                    "esac x",
                    "!!",
                    "x=$(",
                    "x=`",
                    "echo \"$(\"",
                    "echo \"${x\"",
                    "cat <<E\nabc",
                    "cat <<E\n$(\nE",
                    "cat <<'E\nx",
                    "if true; then echo a; fi fi",
                    "for i in 1; do echo $i; done done",
                    "case a in a) echo;; esac esac",
                    "for i in a b do echo; done",
                    "while true do :; done",
                    "if true then :; fi",
                    "until",
                    "until x",
                    "echo a && && b",
                    "(echo a",
                    "echo a)",
                    "((echo a)",
                    "(a;;)",
                    "{ a;; }",
                    "f() { ",
                    "f() {",
                    "f() { :; ",
                    "f { :; }",
                    "echo <(",
                    "echo >(",
                    "a <b c>",
                    "<>",
                    "1<",
                    "&>",
                    ">|",
                    ">>",
                    "<<-",
                    "<&",
                ])
                .to_owned(),
            1 => format!("if {a}; then {b}"),
            2 => format!("{a}; )"),
            3 => format!("{a} && ; {b}"),
            4 => format!("while {a}; do {b}; fi"),
            5 => format!("for i in 1; do {a}; }}"),
            6 => format!("case x in x) {a}; fi"),
            7 => format!("({a}; {b}"),
            8 => format!("{{ {a}; {b}"),
            9 => format!("{a} | ) {b}"),
            10 => format!("{a} \"unterminated {b}"),
            11 => format!("{a} 'unterminated\n{b}"),
            12 => format!("{a} $({b}"),
            13 => format!("f() {{ {a}; \n{b}"),
            14 => format!(
                "eval '{}'; echo $?",
                self.dice.of(&[
                    "if", ")", "a (", "for x", "\"", "case x", "x &&", "$(", "{ :", "((1"
                ])
            ),
            _ => format!("{a}\n{b} )\necho after"),
        };
        if self.bash || !text.contains("a=(") {
            text
        } else {
            ")".to_owned()
        }
    }
}
