//! What wget says about its dialogue with an FTP server: `==> SYST ... done.`

/// What is to be said, and in what words the reply is awaited.
#[derive(Debug, Default)]
pub(super) struct Dialogue {
    /// The command whose reply is awaited.
    verb: Vec<u8>,
    argument: Vec<u8>,
    /// Whether a directory was changed to, or it was said that none is needed.
    moved: bool,
}

impl Dialogue {
    /// A command goes out.
    pub(super) fn sent(&mut self, line: &[u8], show: bool) -> Vec<u8> {
        let at = line.iter().position(|&byte| byte == b' ');
        let (verb, argument) = line.split_at(at.unwrap_or(line.len()));
        self.verb = verb.to_vec();
        self.argument = argument.get(1..).unwrap_or_default().to_vec();
        let raw = [
            b"--> ".as_slice(),
            verb,
            match verb {
                b"PASS" => b" Turtle Power!".as_slice(),
                _ => argument,
            },
            b"\n\n",
        ]
        .concat();
        if show {
            let before = if verb == b"USER" {
                [b"Logging in as ".as_slice(), &self.argument, b" ... \n"].concat()
            } else {
                Vec::new()
            };
            return [before, raw].concat();
        }
        let stays = self.stays(verb);
        let text = match verb {
            b"USER" => [b"Logging in as ".as_slice(), &self.argument, b" ... "].concat(),
            b"PASS" | b"QUIT" => Vec::new(),
            b"CWD" => [b"==> CWD (1) ".as_slice(), &self.argument, b" ... "].concat(),
            _ => [b"==> ".as_slice(), line, b" ... "].concat(),
        };
        [stays, text].concat()
    }

    /// What is said before the first command that needs no other directory.
    fn stays(&mut self, verb: &[u8]) -> Vec<u8> {
        match verb {
            b"CWD" => self.moved = true,
            b"SIZE" | b"PASV" | b"EPSV" if !self.moved => {
                self.moved = true;
                return b"==> CWD not needed.\n".to_vec();
            }
            _ => {}
        }
        Vec::new()
    }

    /// The reply came.
    pub(super) fn reply(&self, code: u16, lines: &[Vec<u8>], show: bool) -> Vec<u8> {
        if show {
            let mut text = Vec::new();
            for (number, line) in lines.iter().enumerate() {
                let dash = if number + 1 < lines.len() { '-' } else { ' ' };
                text.extend(format!("{code}{dash}").into_bytes());
                text.extend_from_slice(line);
                text.push(b'\n');
            }
            return text;
        }
        let good = code / 100 == 2;
        let words: &[u8] = match self.verb.as_slice() {
            b"USER" | b"PASS" if good => b"Logged in!\n",
            b"SYST" | b"PASV" | b"EPSV" | b"REST" => b"done.    ",
            b"PWD" => b"done.\n",
            b"TYPE" => b"done.  ",
            b"CWD" if good => b"done.\n",
            b"SIZE" if !good => b"done.\n\n",
            b"SIZE" => {
                let size = lines.last().cloned().unwrap_or_default();
                return [&size, b"\n".as_slice()].concat();
            }
            b"RETR" | b"LIST" if code / 100 == 1 => b"done.\n",
            _ => b"",
        };
        words.to_vec()
    }

    /// What the last command was about.
    pub(super) fn argument(&self) -> &[u8] {
        &self.argument
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_dialogue_reads_as_with_vsftpd() {
        let mut dialogue = Dialogue::default();
        let mut text = Vec::new();
        let said: [(&str, u16, &str); 9] = [
            ("USER anonymous", 331, "Please specify the password."),
            ("PASS -wget@", 230, "Login successful."),
            ("SYST", 215, "UNIX Type: L8"),
            ("PWD", 257, "\"/\" is the current directory"),
            ("TYPE I", 200, "Switching to Binary mode."),
            ("CWD /pub", 250, "Directory successfully changed."),
            ("SIZE x.sh", 213, "3"),
            ("PASV", 227, "Entering Passive Mode (127,0,0,1,178,55)."),
            ("RETR x.sh", 150, "Opening BINARY mode data connection."),
        ];
        for (line, code, words) in said {
            text.extend(dialogue.sent(line.as_bytes(), false));
            text.extend(dialogue.reply(code, &[words.as_bytes().to_vec()], false));
        }
        assert_eq!(
            String::from_utf8(text).unwrap(),
            "Logging in as anonymous ... Logged in!\n==> SYST ... done.    ==> PWD ... done.\n==> TYPE I ... done.  ==> CWD (1) /pub ... done.\n==> SIZE x.sh ... 3\n==> PASV ... done.    ==> RETR x.sh ... done.\n"
        );
    }
}
