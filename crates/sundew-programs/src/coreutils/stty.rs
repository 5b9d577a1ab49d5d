//! stty(1): shows and changes a terminal's settings.

use sundew_kernel::descriptor::OpenFlags;
use sundew_kernel::tty::{Termios, WindowSize};
use sundew_kernel::{Errno, ExitStatus, Fd, Process, STDIN};

use super::{about, input};
use crate::getopt::{Arity, Getopt, Spec, refuse};
use crate::quote;

mod mode;

use mode::{KEYS, MODES, Mode, Part};

const SPEC: Spec = Spec::gnu(
    "-agF:",
    &[
        ("all", Arity::No, "a"),
        ("save", Arity::No, "g"),
        ("file", Arity::Required, "F"),
    ],
);

/// Columns when the terminal does not know.
const WIDTH: usize = 80;

/// How the settings are shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Show {
    Changed,
    All,
    Saved,
}

pub(crate) async fn run(proc: &mut Process) -> ExitStatus {
    let (mut show, mut device, mut settings) = (Show::Changed, None, Vec::new());
    // What begins with a dash and is no option is a setting to switch off.
    let args: Vec<Vec<u8>> = proc
        .args()
        .iter()
        .skip(1)
        .filter_map(|word| {
            if is_setting(word) {
                settings.push(word.clone());
                None
            } else {
                Some(word.clone())
            }
        })
        .collect();
    let mut options = Getopt::of(&SPEC, args);
    while let Some(option) = options.next() {
        match option.map(|option| (option.key, option.value)) {
            Ok(("a", _)) => show = Show::All,
            Ok(("g", _)) => show = Show::Saved,
            Ok(("F", path)) => device = Some(path),
            Ok(("", word)) => settings.push(word),
            Ok((key, _)) => return about::run(proc, key, "stty").await,
            Err(error) => return refuse(proc, &error, 1).await,
        }
    }
    if show != Show::Changed && !settings.is_empty() {
        let text = "when specifying an output style, modes may not be set";
        proc.complain_text(text).await;
        return proc.status();
    }
    let (fd, shown) = match &device {
        None => (STDIN, quote::always(proc, b"standard input")),
        Some(path) => match proc.open(path, OpenFlags::READ, 0).await {
            Ok(fd) => (fd, quote::file(proc, path)),
            Err(errno) => {
                input::complain(proc, path, errno).await;
                return proc.status();
            }
        },
    };
    let termios = match proc.termios(fd) {
        Ok(termios) => termios,
        Err(errno) => {
            proc.complain(&shown, errno).await;
            return proc.status();
        }
    };
    let size = proc.window_size(fd).unwrap_or_default();
    if !settings.is_empty() {
        return change(proc, fd, termios, size, &settings).await;
    }
    let width = match usize::from(size.columns) {
        0 => WIDTH,
        columns => columns,
    };
    let text = match show {
        Show::Saved => saved(&termios),
        Show::All => all(&termios, size, width),
        Show::Changed => changed(&termios, width),
    };
    let _reported_at_exit = proc.print(text.as_bytes()).await;
    proc.status()
}

fn is_setting(word: &[u8]) -> bool {
    let Some(name) = word.strip_prefix(b"-") else {
        return false;
    };
    MODES.iter().any(|mode| mode.name.as_bytes() == name)
        || [
            b"raw".as_slice(),
            b"cooked",
            b"nl",
            b"parity",
            b"cbreak",
            b"pass8",
            b"litout",
            b"lcase",
            b"LCASE",
        ]
        .contains(&name)
}

/// Lines of words no wider than the screen.
#[derive(Default)]
struct Wrapped {
    text: String,
    at: usize,
    width: usize,
}

impl Wrapped {
    fn word(&mut self, word: &str) {
        if self.at > 0 {
            if self.at + 1 + word.len() >= self.width {
                self.end();
            } else {
                self.text.push(' ');
                self.at += 1;
            }
        }
        self.text.push_str(word);
        self.at += word.len();
    }

    fn end(&mut self) {
        if std::mem::take(&mut self.at) > 0 {
            self.text.push('\n');
        }
    }
}

fn bits(termios: &Termios, part: Part) -> u32 {
    match part {
        Part::Control => termios.control,
        Part::Input => termios.input,
        Part::Output => termios.output,
        Part::Local => termios.local,
    }
}

fn bits_mut(termios: &mut Termios, part: Part) -> &mut u32 {
    match part {
        Part::Control => &mut termios.control,
        Part::Input => &mut termios.input,
        Part::Output => &mut termios.output,
        Part::Local => &mut termios.local,
    }
}

fn saved(termios: &Termios) -> String {
    /// What Linux keeps of control characters.
    const NCCS: usize = 32;
    let mut text = format!(
        "{:x}:{:x}:{:x}:{:x}",
        termios.input, termios.output, termios.control, termios.local
    );
    let keys = termios.keys.iter().copied().chain(std::iter::repeat(0));
    for key in keys.take(NCCS) {
        text.push_str(&format!(":{key:x}"));
    }
    text.push('\n');
    text
}

fn key_text(key: u8) -> String {
    match key {
        0 => "<undef>".to_owned(),
        127 => "^?".to_owned(),
        1..=31 => format!("^{}", char::from(key + 64)),
        32..=126 => char::from(key).to_string(),
        128.. => format!("M-{}", key_text(key & 127)),
    }
}

fn all(termios: &Termios, size: WindowSize, width: usize) -> String {
    let mut out = Wrapped {
        width,
        ..Wrapped::default()
    };
    out.word(&format!("speed {} baud;", termios.speed));
    out.word(&format!("rows {}; columns {};", size.rows, size.columns));
    out.word("line = 0;");
    out.end();
    for key in KEYS {
        let value = termios.keys.get(key.index).copied().unwrap_or(0);
        let text = if key.number {
            value.to_string()
        } else {
            key_text(value)
        };
        out.word(&format!("{} = {text};", key.name));
    }
    out.end();
    let mut part = Part::Control;
    for mode in MODES.iter().filter(|mode| !mode.hidden) {
        if mode.part != part {
            out.end();
            part = mode.part;
        }
        let on = bits(termios, mode.part) & mode.mask == mode.bits;
        if on {
            out.word(mode.name);
        } else if mode.may_be_off() {
            out.word(&format!("-{}", mode.name));
        }
    }
    out.end();
    out.text
}

fn changed(termios: &Termios, width: usize) -> String {
    let mut out = Wrapped {
        width,
        ..Wrapped::default()
    };
    out.word(&format!("speed {} baud;", termios.speed));
    out.word("line = 0;");
    out.end();
    let raw = termios.local & mode::ICANON == 0;
    for key in KEYS {
        let value = termios.keys.get(key.index).copied().unwrap_or(0);
        // VMIN and VTIME share their places with keys that count in lines only.
        if key.number {
            if raw {
                out.word(&format!("{} = {value};", key.name));
            }
        } else if value != key.sane {
            out.word(&format!("{} = {};", key.name, key_text(value)));
        }
    }
    out.end();
    let mut part = Part::Control;
    for mode in MODES.iter().filter(|mode| !mode.hidden) {
        if mode.part != part {
            out.end();
            part = mode.part;
        }
        let on = bits(termios, mode.part) & mode.mask == mode.bits;
        match mode.sane {
            Some(true) if !on => out.word(&format!("-{}", mode.name)),
            Some(false) if on => out.word(mode.name),
            _ => {}
        }
    }
    out.end();
    out.text
}

async fn change(
    proc: &mut Process,
    fd: Fd,
    mut termios: Termios,
    mut size: WindowSize,
    settings: &[Vec<u8>],
) -> ExitStatus {
    let before = size;
    let mut words = settings.iter();
    while let Some(word) = words.next() {
        let word = word.as_slice();
        if set(&mut termios, word) {
            continue;
        }
        match word {
            b"size" => {
                let line = format!("{} {}\n", size.rows, size.columns);
                let _reported_at_exit = proc.print(line.as_bytes()).await;
                continue;
            }
            b"speed" => {
                let line = format!("{}\n", termios.speed);
                let _reported_at_exit = proc.print(line.as_bytes()).await;
                continue;
            }
            b"drain" | b"-drain" => continue,
            _ => {}
        }
        let key = KEYS.iter().find(|key| key.name.as_bytes() == word);
        let sized = matches!(
            word,
            b"rows" | b"cols" | b"columns" | b"ispeed" | b"ospeed" | b"line"
        );
        if key.is_none() && !sized {
            if input::decimal(word).is_some_and(|speed| mode::SPEEDS.contains(&speed)) {
                termios.speed = input::decimal(word)
                    .and_then(|speed| u32::try_from(speed).ok())
                    .unwrap_or(0);
                continue;
            }
            return input::refuse_word(proc, "invalid argument", word).await;
        }
        let Some(value) = words.next() else {
            return input::refuse_word(proc, "missing argument to", word).await;
        };
        let value = match key {
            Some(key) if !key.number => mode::key_of(value),
            _ => input::decimal(value),
        };
        let Some(value) = value else {
            let text = settings.iter().skip_while(|known| *known != word).nth(1);
            let text = text.map_or(b"".as_slice(), Vec::as_slice);
            return input::complain_word(proc, "invalid integer argument:", text).await;
        };
        let short = u16::try_from(value).unwrap_or(u16::MAX);
        match (key, word) {
            (Some(key), _) => {
                if let Some(slot) = termios.keys.get_mut(key.index) {
                    *slot = u8::try_from(value).unwrap_or(0);
                }
            }
            (None, b"rows") => size.rows = short,
            (None, b"cols" | b"columns") => size.columns = short,
            (None, b"ispeed" | b"ospeed") => termios.speed = u32::try_from(value).unwrap_or(0),
            _ => {}
        }
    }
    let done = if (size.rows, size.columns) == (before.rows, before.columns) {
        Ok(())
    } else {
        proc.set_window_size(fd, size)
    };
    if let Err(errno) = done.and_then(|()| proc.set_termios(fd, termios, false)) {
        complain(proc, errno).await;
    }
    proc.status()
}

async fn complain(proc: &mut Process, errno: Errno) {
    let shown = quote::always(proc, b"standard input");
    proc.complain(&shown, errno).await;
}

/// Applies a setting that has no argument; whether it is one.
fn set(termios: &mut Termios, word: &[u8]) -> bool {
    let (name, on) = match word.strip_prefix(b"-") {
        Some(name) => (name, false),
        None => (word, true),
    };
    if let Some(mode) = MODES.iter().find(|mode| mode.name.as_bytes() == name) {
        if !on && !mode.may_be_off() {
            return false;
        }
        apply(termios, mode, on);
        return true;
    }
    if on && let Some(words) = restored(word) {
        *termios = Termios {
            speed: termios.speed,
            ..words
        };
        return true;
    }
    match (name, on) {
        (b"sane", true) => sane(termios),
        (b"raw", true) | (b"cooked", false) => raw(termios),
        (b"cooked", true) | (b"raw", false) => {
            for name in [
                "brkint", "ignpar", "istrip", "icrnl", "ixon", "opost", "isig", "icanon",
            ] {
                switch(termios, name, true);
            }
        }
        (b"cbreak", on) => switch(termios, "icanon", !on),
        (b"nl", on) => {
            switch(termios, "icrnl", !on);
            switch(termios, "onlcr", !on);
        }
        (b"dec", true) => {
            for name in ["echoe", "echoctl", "echoke"] {
                switch(termios, name, true);
            }
            switch(termios, "ixany", false);
        }
        (b"crt", true) => {
            for name in ["echoe", "echoctl", "echoke"] {
                switch(termios, name, true);
            }
        }
        (b"ek", true) => {
            for key in KEYS
                .iter()
                .filter(|key| matches!(key.name, "erase" | "kill"))
            {
                if let Some(slot) = termios.keys.get_mut(key.index) {
                    *slot = key.sane;
                }
            }
        }
        (b"evenp" | b"parity" | b"oddp" | b"pass8" | b"litout", _) => {}
        _ => return false,
    }
    true
}

fn switch(termios: &mut Termios, name: &str, on: bool) {
    if let Some(mode) = MODES.iter().find(|mode| mode.name == name) {
        apply(termios, mode, on);
    }
}

fn apply(termios: &mut Termios, mode: &Mode, on: bool) {
    let field = bits_mut(termios, mode.part);
    *field &= !mode.mask;
    if on {
        *field |= mode.bits;
    }
}

fn sane(termios: &mut Termios) {
    for mode in MODES {
        match mode.sane {
            Some(true) => apply(termios, mode, true),
            Some(false) if mode.may_be_off() => apply(termios, mode, false),
            _ => {}
        }
    }
    for key in KEYS {
        if let Some(slot) = termios.keys.get_mut(key.index) {
            *slot = key.sane;
        }
    }
}

fn raw(termios: &mut Termios) {
    for name in [
        "ignbrk", "brkint", "ignpar", "parmrk", "inpck", "istrip", "inlcr", "igncr", "icrnl",
        "ixon", "ixoff", "icanon", "opost", "isig", "iuclc", "ixany", "imaxbel", "xcase",
    ] {
        switch(termios, name, false);
    }
    for key in KEYS.iter().filter(|key| key.number) {
        if let Some(slot) = termios.keys.get_mut(key.index) {
            *slot = u8::from(key.name == "min");
        }
    }
}

/// What `stty -g` printed.
fn restored(word: &[u8]) -> Option<Termios> {
    let text = std::str::from_utf8(word).ok()?;
    let numbers: Option<Vec<u32>> = text
        .split(':')
        .map(|field| u32::from_str_radix(field, 16).ok())
        .collect();
    let numbers = numbers.filter(|numbers| numbers.len() == 36)?;
    let mut termios = Termios::default();
    let mut numbers = numbers.into_iter();
    termios.input = numbers.next()?;
    termios.output = numbers.next()?;
    termios.control = numbers.next()?;
    termios.local = numbers.next()?;
    for (slot, number) in termios.keys.iter_mut().zip(numbers) {
        *slot = u8::try_from(number).ok()?;
    }
    Some(termios)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_saved_is_restored() {
        let mut termios = Termios::default();
        raw(&mut termios);
        let text = saved(&termios);
        assert_eq!(restored(text.trim_end().as_bytes()), Some(termios));
    }

    #[test]
    fn sane_is_what_stty_says_nothing_about() {
        let mut termios = Termios::default();
        assert!(set(&mut termios, b"raw"));
        assert!(set(&mut termios, b"sane"));
        assert_eq!(changed(&termios, 80), "speed 38400 baud; line = 0;\n");
        assert!(set(&mut termios, b"-echo"));
        assert_eq!(
            changed(&termios, 80),
            "speed 38400 baud; line = 0;\n-echo\n"
        );
    }

    #[test]
    fn without_a_terminal_there_is_nothing_to_show() {
        assert_eq!(
            crate::text::testing::run(&["stty", "-a"], b"").1,
            "stty: 'standard input': Inappropriate ioctl for device\n"
        );
    }
}
