//! Signals, their names and default actions: signal(7), Linux numbering for x86-64.

use std::fmt;

/// A signal number, 1 to 64.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Signal(u8);

/// What happens on delivery when a process has not said otherwise.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum DefaultAction {
    /// The process ends.
    Terminate,
    /// The process ends and would have left a core file.
    Core,
    /// Nothing.
    Ignore,
    /// The process stops.
    Stop,
    /// A stopped process goes on.
    Continue,
}

/// What a process has asked to happen on delivery.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Disposition {
    /// The default action.
    #[default]
    Default,
    /// Nothing.
    Ignore,
    /// The signal is queued for the program, which takes it with `Process::take_signal`; a system
    /// call that waits returns `EINTR`.
    Catch,
}

macro_rules! signals {
    ($($name:ident = $number:literal, $action:ident, $text:literal;)*) => {
        impl Signal {
            $(#[doc = concat!("`SIG", stringify!($name), "`: ", $text, ".")]
            pub const $name: Signal = Signal($number);)*
        }
        /// Number, name without `SIG`, default action, strsignal(3) text.
        const TABLE: &[(u8, &str, DefaultAction, &str)] =
            &[$(($number, stringify!($name), DefaultAction::$action, $text)),*];
    };
}

signals! {
    HUP = 1, Terminate, "Hangup";
    INT = 2, Terminate, "Interrupt";
    QUIT = 3, Core, "Quit";
    ILL = 4, Core, "Illegal instruction";
    TRAP = 5, Core, "Trace/breakpoint trap";
    ABRT = 6, Core, "Aborted";
    BUS = 7, Core, "Bus error";
    FPE = 8, Core, "Floating point exception";
    KILL = 9, Terminate, "Killed";
    USR1 = 10, Terminate, "User defined signal 1";
    SEGV = 11, Core, "Segmentation fault";
    USR2 = 12, Terminate, "User defined signal 2";
    PIPE = 13, Terminate, "Broken pipe";
    ALRM = 14, Terminate, "Alarm clock";
    TERM = 15, Terminate, "Terminated";
    STKFLT = 16, Terminate, "Stack fault";
    CHLD = 17, Ignore, "Child exited";
    CONT = 18, Continue, "Continued";
    STOP = 19, Stop, "Stopped (signal)";
    TSTP = 20, Stop, "Stopped";
    TTIN = 21, Stop, "Stopped (tty input)";
    TTOU = 22, Stop, "Stopped (tty output)";
    URG = 23, Ignore, "Urgent I/O condition";
    XCPU = 24, Core, "CPU time limit exceeded";
    XFSZ = 25, Core, "File size limit exceeded";
    VTALRM = 26, Terminate, "Virtual timer expired";
    PROF = 27, Terminate, "Profiling timer expired";
    WINCH = 28, Ignore, "Window changed";
    IO = 29, Terminate, "I/O possible";
    PWR = 30, Terminate, "Power failure";
    SYS = 31, Core, "Bad system call";
}

/// The first real-time signal number that programs can use (glibc keeps 32 and 33).
const RTMIN: u8 = 34;
/// The last signal number.
const RTMAX: u8 = 64;

impl Signal {
    /// The signal with this number, if there is one.
    pub fn from_number(number: u32) -> Option<Self> {
        let number = u8::try_from(number).ok()?;
        ((1..=31).contains(&number) || (RTMIN..=RTMAX).contains(&number)).then_some(Self(number))
    }

    /// The signal with this name, with or without `SIG`, in any case.
    pub fn from_name(name: &[u8]) -> Option<Self> {
        let upper = name.to_ascii_uppercase();
        let bare = upper.strip_prefix(b"SIG").unwrap_or(&upper);
        if let Some(row) = TABLE.iter().find(|row| row.1.as_bytes() == bare) {
            return Some(Self(row.0));
        }
        match bare {
            b"RTMIN" => Some(Self(RTMIN)),
            b"RTMAX" => Some(Self(RTMAX)),
            b"POLL" => Some(Self::IO),
            b"IOT" => Some(Self::ABRT),
            b"CLD" => Some(Self::CHLD),
            _ => {
                let offset = |digits: &[u8]| std::str::from_utf8(digits).ok()?.parse::<u8>().ok();
                if let Some(digits) = bare.strip_prefix(b"RTMIN+") {
                    let number = RTMIN.checked_add(offset(digits)?)?;
                    (number <= RTMAX).then_some(Self(number))
                } else if let Some(digits) = bare.strip_prefix(b"RTMAX-") {
                    let number = RTMAX.checked_sub(offset(digits)?)?;
                    (number >= RTMIN).then_some(Self(number))
                } else {
                    None
                }
            }
        }
    }

    /// The number.
    pub fn number(self) -> u8 {
        self.0
    }

    /// The name without `SIG`, as `kill -l` shows it: `KILL`, `RTMIN+2`.
    pub fn name(self) -> String {
        match TABLE.iter().find(|row| row.0 == self.0) {
            Some(row) => row.1.to_owned(),
            None if self.0 == RTMIN => "RTMIN".to_owned(),
            None if self.0 == RTMAX => "RTMAX".to_owned(),
            None if self.0 <= RTMIN + 15 => format!("RTMIN+{}", self.0 - RTMIN),
            None => format!("RTMAX-{}", RTMAX - self.0),
        }
    }

    /// The text of strsignal(3): `Killed`, `Real-time signal 2`.
    pub fn description(self) -> String {
        TABLE.iter().find(|row| row.0 == self.0).map_or_else(
            || format!("Real-time signal {}", self.0.saturating_sub(RTMIN)),
            |row| row.3.to_owned(),
        )
    }

    /// What happens to a process that has not said otherwise.
    pub fn default_action(self) -> DefaultAction {
        TABLE
            .iter()
            .find(|row| row.0 == self.0)
            .map_or(DefaultAction::Terminate, |row| row.2)
    }

    /// All signals in order of number.
    pub fn all() -> impl Iterator<Item = Self> {
        (1..=31).chain(RTMIN..=RTMAX).map(Self)
    }

    pub(crate) fn bit(self) -> u64 {
        1u64 << (u32::from(self.0) - 1)
    }
}

impl fmt::Debug for Signal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "SIG{}", self.name())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_name_leads_back_to_its_number() {
        for signal in Signal::all() {
            assert_eq!(Signal::from_name(signal.name().as_bytes()), Some(signal));
        }
        assert_eq!(Signal::from_name(b"sigkill"), Some(Signal::KILL));
        assert_eq!(Signal::from_name(b"RTMIN+99"), None);
        assert_eq!(Signal::from_number(32), None);
    }
}
