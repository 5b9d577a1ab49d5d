//! Words: plain, quoted, expanded; patterns, globs, braces and substitutions.

use super::{Generator, MAX_DEPTH};

impl Generator {
    pub(super) fn word(&mut self) -> String {
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

    pub(super) fn plain(&mut self) -> String {
        self.dice
            .of(&[
                "abc", "x=1", "-n", "a:b:c", "~", "~/q", "a=~", "a=b:~", "#no", "a#b", "\\$x",
                "\\a", "{}", "}", "!", "%", "^", "+", "1", "08", "in", "do", "a\\ b", "\\\\",
                "~root", "~nobody1", ",", "=", "[", "]", "a]b", "-", "--", "é", "日本",
            ])
            .to_owned()
    }

    pub(super) fn plain_in_quotes(&mut self) -> String {
        self.dice
            .of(&[
                "a b", " ", "\\$x", "\\\"", "\\\\", "\\n", "'", "*", "~", "\\`", "!", "{a,b}", "",
                "é", "\\a",
            ])
            .to_owned()
    }

    pub(super) fn quoted(&mut self) -> String {
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

    pub(super) fn name(&mut self) -> String {
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

    pub(super) fn expansion(&mut self) -> String {
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

    pub(super) fn inner_word(&mut self) -> String {
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

    pub(super) fn pattern(&mut self) -> String {
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

    pub(super) fn glob(&mut self) -> String {
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

    pub(super) fn braces(&mut self) -> String {
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

    pub(super) fn substitution(&mut self) -> String {
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
}
