//! Signals, and the ends of processes: by themselves, by a signal, or because a budget is spent.

use std::sync::Arc;

use super::Kernel;
use crate::budget::{Budget, Holder};
use crate::process::state::{Life, ProcessState};
use crate::signal::{DefaultAction, Disposition};
use crate::tty::Tty;
use crate::{ExitStatus, Pid, Signal, lock};

impl Kernel {
    /// The outside is gone: the session's leader and the foreground get `SIGHUP`.
    pub(crate) fn hang_up(&self, tty: &Tty) {
        if let Some(leader) = self.process(tty.session()) {
            self.signal(&leader, Signal::HUP);
            self.signal(&leader, Signal::CONT);
        }
        if tty.foreground() != tty.session() {
            self.signal_group(tty.foreground(), Signal::HUP);
            self.signal_group(tty.foreground(), Signal::CONT);
        }
    }

    pub(crate) fn signal_group(&self, group: Pid, signal: Signal) {
        if group == 0 {
            return;
        }
        for state in self.members(group) {
            self.signal(&state, signal);
        }
    }

    /// Delivers a signal: kill(2) after the permission check.
    pub(crate) fn signal(&self, state: &Arc<ProcessState>, signal: Signal) {
        if state.is_resident() {
            let fatal = matches!(
                signal.default_action(),
                DefaultAction::Terminate | DefaultAction::Core
            );
            // Init ignores what it does not catch, and a kernel thread everything.
            if fatal && state.pid != 1 && !state.is_kernel_thread() {
                self.reap(state);
            }
            return;
        }
        let mut inner = lock(&state.inner);
        if matches!(inner.life, Life::Ended(_)) {
            return;
        }
        if signal == Signal::CONT || signal == Signal::KILL {
            // Its parent is told of that whatever the process does with the signal.
            let was_stopped = inner.stopped.take().is_some();
            inner.continued = was_stopped && signal == Signal::CONT;
        }
        let disposition = match signal {
            Signal::KILL | Signal::STOP => Disposition::Default,
            _ => inner.dispositions.get(&signal).copied().unwrap_or_default(),
        };
        match disposition {
            Disposition::Ignore => {}
            Disposition::Catch => inner.pending |= signal.bit(),
            Disposition::Default => match signal.default_action() {
                DefaultAction::Terminate | DefaultAction::Core => {
                    if signal == Signal::KILL {
                        inner.fatal = Some(signal);
                    }
                    inner.fatal.get_or_insert(signal);
                }
                DefaultAction::Stop if inner.stopped.is_none() => {
                    inner.stopped = Some(signal);
                    inner.stop_reported = false;
                    inner.continued = false;
                }
                DefaultAction::Stop | DefaultAction::Continue | DefaultAction::Ignore => {}
            },
        }
        let parent = inner.ppid;
        let changed = inner.stopped.is_some() || inner.continued;
        inner.wake_task();
        drop(inner);
        if changed && let Some(parent) = self.process(parent) {
            lock(&parent.inner).child_waiters.wake();
        }
    }

    /// Ends a process: its descriptors are closed, its children go to init, its parent is told.
    pub(crate) fn finish(&self, state: &Arc<ProcessState>, status: ExitStatus) {
        let (fds, ppid, group, leads, tty) = {
            let mut inner = lock(&state.inner);
            if matches!(inner.life, Life::Ended(_)) {
                return;
            }
            inner.life = Life::Ended(status);
            inner.stopped = None;
            inner.end_waiters.wake();
            let leads = inner.session == state.pid;
            (
                std::mem::take(&mut inner.fds),
                inner.ppid,
                inner.group,
                leads,
                inner.tty.take(),
            )
        };
        drop(fds);
        if leads && let Some(tty) = &tty {
            self.signal_group(tty.foreground(), Signal::HUP);
            self.signal_group(tty.foreground(), Signal::CONT);
        }
        let table = lock(&self.table);
        let parent = table.processes.get(&ppid).cloned();
        let all: Vec<_> = table.processes.values().cloned().collect();
        drop(table);
        for child in &all {
            let mut inner = lock(&child.inner);
            if inner.ppid == state.pid && !child.is_resident() {
                inner.ppid = 1;
                let ended = matches!(inner.life, Life::Ended(_));
                // Nobody is left who could let its group go on.
                let orphaned = inner.stopped.is_some() && inner.group != group;
                let orphaned = orphaned.then_some(inner.group);
                drop(inner);
                if ended {
                    self.reap(child);
                }
                if let Some(group) = orphaned {
                    self.signal_group(group, Signal::HUP);
                    self.signal_group(group, Signal::CONT);
                }
            }
        }
        match parent {
            Some(parent) if !parent.is_resident() => {
                lock(&parent.inner).child_waiters.wake();
                self.signal(&parent, Signal::CHLD);
            }
            // Init and the daemons reap at once.
            _ => self.reap(state),
        }
    }

    /// Removes a process from the table.
    pub(crate) fn reap(&self, state: &ProcessState) {
        let mut table = lock(&self.table);
        if table.processes.remove(&state.pid).is_some() && !state.is_resident() {
            table.live.shrink(1);
        }
    }

    /// Reports and ends a process whose budget is spent.
    pub(crate) fn spend(&self, state: &Arc<ProcessState>, budget: Budget) {
        let of = match budget {
            Budget::SourceCpu => Holder::Source,
            // The next byte shows who has none left; a process's own limit is no budget.
            Budget::Memory => self.memory.full(NEAR).unwrap_or(Holder::Machine),
            Budget::Output => self.output.spent().unwrap_or(Holder::Machine),
            _ => Holder::Machine,
        };
        self.reached(state.pid, budget, of);
        if budget != Budget::ProcessCpu || !self.interrupt_leader(state) {
            self.signal(state, Signal::KILL);
        }
    }

    /// If `state` is the shell of a login on a terminal: interrupts it and what runs in the
    /// foreground, as ^C would, for a loop that is typed into the shell must end without the login.
    /// Once only until the shell waits for its terminal again; `false` means that it has to go.
    fn interrupt_leader(&self, state: &Arc<ProcessState>) -> bool {
        let foreground = {
            let inner = lock(&state.inner);
            let Some(tty) = inner.tty.as_ref().filter(|_| inner.session == state.pid) else {
                return false;
            };
            tty.foreground()
        };
        if !state.warn() {
            return false;
        }
        self.signal_group(foreground, Signal::INT);
        if foreground != state.pid {
            self.signal(state, Signal::INT);
        }
        true
    }
}

/// A pool of memory that has less than this is the one that was full: programs ask for some KiB at a time.
const NEAR: u64 = 1 << 20;
