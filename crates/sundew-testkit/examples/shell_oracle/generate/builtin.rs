//! Builtins with the operands they are used with, `printf` formats, traps and options.

use super::Generator;

impl Generator {
    pub(super) fn builtin(&mut self) -> String {
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

    pub(super) fn printf_format(&mut self) -> String {
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

    pub(super) fn printf_format_posix(&mut self) -> String {
        self.dice
            .of(&[
                "%s", "%d", "%5d|", "%-5s|", "%05d", "%x", "%#x", "%o", "%c", "%b", "%%", "%z",
                "%", "%*d", "%.*s", "%+d", "%i", "%u", "%X", "%s %s", "\\101\\n", "a\\cb", "%.3d",
                "%.2f", "%e", "%g", "\\x41", "%5",
            ])
            .to_owned()
    }

    pub(super) fn trap(&mut self) -> String {
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

    pub(super) fn option_line(&mut self) -> String {
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
}
