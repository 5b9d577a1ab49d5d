//! What `trap` sets: commands for signals and for `EXIT`, `ERR`, `DEBUG`, `RETURN`.

use std::collections::BTreeMap;

use futures_util::future::BoxFuture;
use sundew_kernel::signal::Disposition;
use sundew_kernel::{Process, Signal};

use crate::shell::Shell;

/// What a trap is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Condition {
    /// The end of the shell.
    Exit,
    /// A signal.
    Signal(Signal),
    /// Before each simple command.
    Debug,
    /// A command that fails.
    Err,
    /// The end of a function or sourced file.
    Return,
}

/// Signals that end a bash which has a trap for its end only after that trap: its
/// `terminating_signals`, as far as anybody sends them.
const TERMINATING: [Signal; 9] = [
    Signal::HUP,
    Signal::INT,
    Signal::ABRT,
    Signal::ALRM,
    Signal::TERM,
    Signal::PIPE,
    Signal::XCPU,
    Signal::USR1,
    Signal::USR2,
];

impl Shell {
    /// With a trap for its end, bash wants to know of the signals that end it.
    pub(crate) fn catch_terminating(&self, proc: &Process) {
        if !self.is_bash() || self.interactive || self.traps.command(Condition::Exit).is_none() {
            return;
        }
        for signal in TERMINATING {
            if proc.disposition(signal) == Disposition::Default {
                proc.set_disposition(signal, Disposition::Catch);
            }
        }
    }

    /// Whether the shell caught this signal only for its `EXIT` trap.
    pub(crate) fn is_terminated_by(&self, proc: &Process, signal: Signal) -> bool {
        self.is_bash()
            && !self.interactive
            && TERMINATING.contains(&signal)
            && self.traps.command(Condition::Signal(signal)).is_none()
            && proc.disposition(signal) == Disposition::Catch
    }

    /// Runs the `EXIT` trap and dies of the signal.
    pub(crate) fn die_after_trap<'a>(
        &'a mut self,
        proc: &'a mut Process,
        signal: Signal,
    ) -> BoxFuture<'a, ()> {
        Box::pin(async move {
            self.status = 128 + signal.number();
            // What the trap runs is not stopped by the same signal.
            self.deferred_signals.clear();
            let _of_the_trap = self.finish(proc, Ok(())).await;
            proc.die_of(signal).await;
        })
    }
}

/// The traps of one shell. An empty command means that the signal is ignored.
#[derive(Debug, Clone, Default)]
pub struct Traps {
    set: BTreeMap<Condition, Vec<u8>>,
    /// The parent's traps, which a subshell lists until it sets one of its own.
    pub(crate) inherited: BTreeMap<Condition, Vec<u8>>,
    /// The traps that run now: none runs within itself.
    pub running: Vec<Condition>,
}

impl Shell {
    /// Whether a trap runs something for the signal.
    pub(crate) fn has_command_for(&self, signal: Signal) -> bool {
        self.traps
            .command(Condition::Signal(signal))
            .is_some_and(|command| !command.is_empty())
    }
}

impl Traps {
    /// The command for `condition`.
    pub fn command(&self, condition: Condition) -> Option<&[u8]> {
        self.set.get(&condition).map(Vec::as_slice)
    }

    /// What all commands take, in bytes.
    pub(crate) fn bytes(&self) -> usize {
        let commands = self.set.values().chain(self.inherited.values());
        commands.map(Vec::len).sum()
    }

    /// Sets or, with `None`, removes a trap.
    pub fn set(&mut self, condition: Condition, command: Option<Vec<u8>>) {
        self.inherited.clear();
        match command {
            Some(command) => self.set.insert(condition, command),
            None => self.set.remove(&condition),
        };
    }

    /// Whether none is set.
    pub fn is_empty(&self) -> bool {
        self.set.is_empty()
    }

    /// Whether there is no command that could still have to run, so that this process may become another.
    pub(crate) fn none_waits(&self) -> bool {
        self.set.values().all(Vec::is_empty)
    }

    /// Takes a trap away for as long as a function runs that must not have it.
    pub(crate) fn hide(&mut self, condition: Condition) -> Option<Vec<u8>> {
        self.set.remove(&condition)
    }

    /// Gives a hidden trap back, unless another was set meanwhile.
    pub(crate) fn restore(&mut self, condition: Condition, command: Vec<u8>) {
        self.set.entry(condition).or_insert(command);
    }

    /// What `trap` lists.
    pub fn listed(&self) -> impl Iterator<Item = (Condition, &[u8])> {
        let all = if self.inherited.is_empty() {
            &self.set
        } else {
            &self.inherited
        };
        all.iter()
            .map(|(condition, command)| (*condition, command.as_slice()))
    }

    /// What a subshell starts with: only ignored signals stay. Whether it can still list the others.
    pub(crate) fn to_subshell(&self, listed: bool) -> Self {
        let ignored = self.set.iter().filter(|(condition, command)| {
            matches!(condition, Condition::Signal(_)) && command.is_empty()
        });
        Self {
            set: ignored
                .map(|(condition, command)| (*condition, command.clone()))
                .collect(),
            inherited: if !listed {
                BTreeMap::new()
            } else if self.set.is_empty() {
                self.inherited.clone()
            } else {
                self.set.clone()
            },
            running: Vec::new(),
        }
    }

    /// Whether a trap is set, and does not run already.
    pub(crate) fn may_run(&self, condition: Condition) -> bool {
        self.set.contains_key(&condition) && !self.running.contains(&condition)
    }

    /// Takes the command for the end of the shell, so that it runs once.
    pub fn take_exit(&mut self) -> Option<Vec<u8>> {
        self.set
            .remove(&Condition::Exit)
            .filter(|command| !command.is_empty())
    }
}

impl Condition {
    /// The condition with this name or number: `INT`, `SIGINT`, `2`, `EXIT`, `0`, `ERR`.
    pub fn from_name(name: &[u8]) -> Option<Self> {
        let upper = name.to_ascii_uppercase();
        match upper.as_slice() {
            b"EXIT" | b"0" => Some(Self::Exit),
            b"ERR" => Some(Self::Err),
            b"DEBUG" => Some(Self::Debug),
            b"RETURN" => Some(Self::Return),
            _ => match std::str::from_utf8(name)
                .ok()
                .and_then(|text| text.parse().ok())
            {
                Some(number) => Signal::from_number(number).map(Self::Signal),
                None => Signal::from_name(&upper).map(Self::Signal),
            },
        }
    }

    /// As `trap` lists it: `EXIT`, `SIGINT`, `ERR`; dash leaves `SIG` out.
    pub fn name(self, with_sig: bool) -> Vec<u8> {
        match self {
            Self::Exit => b"EXIT".to_vec(),
            Self::Err => b"ERR".to_vec(),
            Self::Debug => b"DEBUG".to_vec(),
            Self::Return => b"RETURN".to_vec(),
            Self::Signal(signal) => {
                let prefix = if with_sig { "SIG" } else { "" };
                format!("{prefix}{}", signal.name()).into_bytes()
            }
        }
    }
}
