//! Options of `less`, from its words and from `LESS`.

use sundew_kernel::Process;

/// What is wished for.
#[derive(Debug, Default, Clone)]
pub(super) struct Wish {
    pub(super) numbers: bool,
    pub(super) chop: bool,
    pub(super) colours: bool,
    /// Case is ignored; of patterns with capitals too.
    pub(super) ignore_case: bool,
    pub(super) ignore_all_case: bool,
    /// What fits on one screen is shown and that is it.
    pub(super) one_screen: bool,
    pub(super) in_place: bool,
    pub(super) force: bool,
    pub(super) leave_at_end: bool,
    pub(super) leave_at_second_end: bool,
    pub(super) percent: bool,
    pub(super) long_prompt: bool,
    pub(super) no_tildes: bool,
    /// The command in front of the first screen.
    pub(super) first: Option<Vec<u8>>,
}

/// Letters that take a value.
const WITH_VALUE: &[u8] = b"bDhjkoOpPtTxyz\"#";

impl Wish {
    /// The options and the files.
    ///
    /// # Errors
    ///
    /// What is said of an option that lacks its value.
    pub(super) fn parse(proc: &Process) -> Result<(Self, Vec<Vec<u8>>), Vec<u8>> {
        let mut wish = Self::default();
        let mut names = Vec::new();
        let from_variable = proc.env().value(b"LESS").unwrap_or_default().to_vec();
        let known: Vec<Vec<u8>> = from_variable
            .split(|&byte| byte == b' ')
            .filter(|word| !word.is_empty())
            .map(|word| {
                let dash: &[u8] = if word.starts_with(b"-") || word.starts_with(b"+") {
                    b""
                } else {
                    b"-"
                };
                [dash, word].concat()
            })
            .collect();
        wish.take(&known, &mut Vec::new())?;
        let words: Vec<Vec<u8>> = proc.args().iter().skip(1).cloned().collect();
        wish.take(&words, &mut names)?;
        Ok((wish, names))
    }

    fn take(&mut self, words: &[Vec<u8>], names: &mut Vec<Vec<u8>>) -> Result<(), Vec<u8>> {
        let mut words = words.iter();
        while let Some(word) = words.next() {
            match word.as_slice() {
                b"--" => names.extend(words.by_ref().cloned()),
                [b'-', b'-', long @ ..] => self.long(long),
                [b'-', letters @ ..] if !letters.is_empty() => {
                    let mut at = 0;
                    while let Some(&letter) = letters.get(at) {
                        at += 1;
                        if !WITH_VALUE.contains(&letter) {
                            self.letter(letter);
                            continue;
                        }
                        let rest = letters.get(at..).unwrap_or_default();
                        let value = if rest.is_empty() {
                            words.next().cloned().ok_or_else(|| {
                                [b"Value is required after -".as_slice(), &[letter], b"\n"].concat()
                            })?
                        } else {
                            rest.to_vec()
                        };
                        if letter == b'p' {
                            self.first = Some([b"/".as_slice(), &value].concat());
                        }
                        break;
                    }
                }
                [b'+', command @ ..] => {
                    let command = command.strip_prefix(b"+").unwrap_or(command);
                    self.first = Some(command.to_vec());
                }
                _ => names.push(word.clone()),
            }
        }
        Ok(())
    }

    fn long(&mut self, name: &[u8]) {
        let (name, value) = match name.iter().position(|&byte| byte == b'=') {
            Some(at) => name.split_at(at),
            None => (name, &b""[..]),
        };
        let letter = match name {
            b"LINE-NUMBERS" => b'N',
            b"chop-long-lines" => b'S',
            b"RAW-CONTROL-CHARS" => b'R',
            b"raw-control-chars" => b'r',
            b"ignore-case" => b'i',
            b"IGNORE-CASE" => b'I',
            b"quit-if-one-screen" => b'F',
            b"no-init" => b'X',
            b"force" => b'f',
            b"quit-at-eof" => b'e',
            b"QUIT-AT-EOF" => b'E',
            b"long-prompt" => b'm',
            b"LONG-PROMPT" => b'M',
            b"tilde" => b'~',
            b"pattern" => {
                let value = value.strip_prefix(b"=").unwrap_or_default();
                self.first = Some([b"/".as_slice(), value].concat());
                return;
            }
            _ => return,
        };
        self.letter(letter);
    }

    fn letter(&mut self, letter: u8) {
        match letter {
            b'N' => self.numbers = true,
            b'S' => self.chop = true,
            b'R' | b'r' => self.colours = true,
            b'i' => self.ignore_case = true,
            b'I' => self.ignore_all_case = true,
            b'F' => self.one_screen = true,
            b'X' => self.in_place = true,
            b'f' => self.force = true,
            b'e' => self.leave_at_second_end = true,
            b'E' => self.leave_at_end = true,
            b'm' => self.percent = true,
            b'M' => self.long_prompt = true,
            b'~' => self.no_tildes = true,
            _ => {}
        }
    }

    /// Turns an option about; what is said then, and whether the screen has to be drawn again.
    pub(super) fn turn(&mut self, letter: u8) -> Option<(&'static [u8], bool)> {
        Some(match letter {
            b'N' => {
                self.numbers = !self.numbers;
                (self.tell(letter)?, true)
            }
            b'S' => {
                self.chop = !self.chop;
                (self.tell(letter)?, true)
            }
            b'R' => {
                self.colours = !self.colours;
                (self.tell(letter)?, true)
            }
            b'~' => {
                self.no_tildes = !self.no_tildes;
                (self.tell(letter)?, true)
            }
            b'i' => {
                self.ignore_case = !self.ignore_case;
                self.ignore_all_case = false;
                (self.tell(letter)?, false)
            }
            b'I' => {
                self.ignore_all_case = !self.ignore_all_case;
                self.ignore_case = false;
                (self.tell(letter)?, false)
            }
            b'M' => {
                self.long_prompt = !self.long_prompt;
                self.percent = false;
                (self.tell(letter)?, false)
            }
            b'm' => {
                self.percent = !self.percent;
                self.long_prompt = false;
                (self.tell(letter)?, false)
            }
            _ => return None,
        })
    }

    /// How an option stands; `None` for one that is not known.
    pub(super) fn tell(&self, letter: u8) -> Option<&'static [u8]> {
        Some(match letter {
            b'N' if self.numbers => b"Constantly display line numbers",
            b'N' => b"Don't use line numbers",
            b'S' if self.chop => b"Chop long lines",
            b'S' => b"Fold long lines",
            b'R' if self.colours => {
                b"Display ANSI sequences directly, other control characters as ^X"
            }
            b'R' => b"Display control characters as ^X",
            b'~' if self.no_tildes => b"Don't show tildes after end of file",
            b'~' => b"Show tildes after end of file",
            b'i' | b'I' if self.ignore_all_case => b"Ignore case in searches and in patterns",
            b'i' | b'I' if self.ignore_case => b"Ignore case in searches",
            b'i' | b'I' => b"Case is significant in searches",
            b'm' | b'M' if self.long_prompt => b"Long prompt",
            b'm' | b'M' if self.percent => b"Medium prompt",
            b'm' | b'M' => b"Short prompt",
            _ => return None,
        })
    }
}
