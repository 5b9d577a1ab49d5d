//! `~`, `~name`, `~+`, `~-`.

use sundew_kernel::Process;

use super::{Drafts, Mark};
use crate::shell::Shell;

impl Shell {
    pub(super) fn tilde(&self, proc: &Process, name: &[u8], out: &mut Drafts) {
        let variable = |name: &[u8]| self.variables.scalar(name).map(<[u8]>::to_vec);
        let directory = match name {
            b"" => variable(b"HOME").or_else(|| home_of(proc, proc.credentials().uid)),
            b"+" => variable(b"PWD"),
            b"-" => variable(b"OLDPWD"),
            _ if self.is_bash() && self.stack_entry(name).is_some() => self.stack_entry(name),
            _ => home_of_name(proc, name),
        };
        match directory {
            Some(directory) => out.push_quoted(&directory),
            None => out.push(&[b"~", name].concat(), Mark::Literal),
        }
    }
}

impl Shell {
    /// `~N`, `~+N`, `~-N`: an entry of the directory stack, counted from either end.
    fn stack_entry(&self, name: &[u8]) -> Option<Vec<u8>> {
        let (backwards, digits) = match name {
            [b'+', digits @ ..] => (false, digits),
            [b'-', digits @ ..] => (true, digits),
            digits => (false, digits),
        };
        let number: usize = std::str::from_utf8(digits)
            .ok()
            .filter(|text| text.bytes().all(|byte| byte.is_ascii_digit()))?
            .parse()
            .ok()?;
        let mut all = self.elements(b"DIRSTACK");
        if backwards {
            all.reverse();
        }
        all.into_iter().nth(number)
    }
}

fn passwd(proc: &Process) -> Vec<u8> {
    proc.read_small_file(b"/etc/passwd").unwrap_or_default()
}

fn field(line: &[u8], index: usize) -> Option<&[u8]> {
    line.split(|&byte| byte == b':').nth(index)
}

fn home_of_name(proc: &Process, name: &[u8]) -> Option<Vec<u8>> {
    let text = passwd(proc);
    let line = text
        .split(|&byte| byte == b'\n')
        .find(|line| field(line, 0) == Some(name))?;
    field(line, 5).map(<[u8]>::to_vec)
}

fn home_of(proc: &Process, uid: u32) -> Option<Vec<u8>> {
    let text = passwd(proc);
    let uid = uid.to_string();
    let line = text
        .split(|&byte| byte == b'\n')
        .find(|line| field(line, 2) == Some(uid.as_bytes()))?;
    field(line, 5).map(<[u8]>::to_vec)
}
