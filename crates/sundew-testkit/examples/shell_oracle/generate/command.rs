//! Commands: simple, tests, lists, compounds, here-documents, redirections, assignments, functions.

use super::{Generator, MAX_DEPTH};

impl Generator {
    /// A command that shows something or has a status.
    pub(super) fn simple(&mut self) -> String {
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

    pub(super) fn test_operands(&mut self) -> String {
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

    pub(super) fn conditional(&mut self) -> String {
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

    pub(super) fn list(&mut self) -> String {
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

    pub(super) fn body(&mut self) -> String {
        if self.depth < MAX_DEPTH && self.dice.one_in(3) {
            self.deeper(Self::compound)
        } else {
            self.simple()
        }
    }

    pub(super) fn compound(&mut self) -> String {
        let (a, b) = (self.body(), self.body());
        match self.dice.below(13) {
            0 => format!("if {a}; then {b}; else echo else; fi"),
            1 => format!("if {a}; then echo T; elif {b}; then echo E; fi"),
            2 => {
                let w = self.word();
                format!("for i in {w} z; do {a}; echo $i; done")
            }
            3 => format!("i=0; while [ $i -lt 2 ]; do i=$((i+1)); {a}; done"),
            4 => format!("j=0; until [ $j -ge 2 ]; do j=$((j+1)); {a}; {b}; done"),
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

    pub(super) fn here_document(&mut self) -> String {
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

    pub(super) fn redirected(&mut self) -> String {
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

    pub(super) fn assignment_line(&mut self) -> String {
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

    pub(super) fn function(&mut self) -> String {
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
}
