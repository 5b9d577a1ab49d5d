//! Arithmetic, as an expansion and as a command.

use super::{Generator, MAX_DEPTH};

impl Generator {
    pub(super) fn arithmetic(&mut self) -> String {
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

    pub(super) fn arithmetic_expansion(&mut self) -> String {
        let inner = self.arithmetic();
        format!("$(({inner}))")
    }

    pub(super) fn arithmetic_command(&mut self) -> String {
        let inner = self.arithmetic();
        match self.dice.below(4) {
            0 => format!("(( {inner} )); echo $? $n"),
            1 => format!("let '{inner}'; echo $? $n"),
            2 => format!("for ((i=0; i<3; i++)); do (({inner})) && echo $i; done"),
            _ => format!("declare -i m; m='{inner}'; echo $m"),
        }
    }
}
