//! Commands, processes, signals.

use std::time::Duration;

use sundew_kernel::process::WaitFor;
use sundew_kernel::signal::Disposition;
use sundew_kernel::status::ChildEvent;
use sundew_kernel::{ExitStatus, Signal};
use sundew_posix::escape::single_quoted;
use sundew_vfs::Access;

use super::super::super::shell;
use super::*;

/// What makes a command the shell's.
const SHELL_BYTES: &[u8] = b"$&*(){}[]'\";\\|?<>~`\n";

impl Vm<'_> {
    /// `$?` of a status; the number.
    pub(super) fn set_status(&mut self, status: ExitStatus) -> i64 {
        let number = match status {
            ExitStatus::Exited(code) => i64::from(code) << 8,
            ExitStatus::Signaled(signal) => i64::from(signal.number()),
        };
        self.set_global("?", Value::Int(number));
        number
    }

    /// Backquotes.
    pub(super) async fn command(&mut self, command: &[u8]) -> Res<Vec<u8>> {
        let _closed = self.proc.flush().await;
        self.export();
        if !self.finds(&[command.to_vec()]) {
            self.set_errno(Errno::Enoent);
            self.set_global("?", Value::Int(-1));
            return Ok(Vec::new());
        }
        match shell::open(self.proc, command, false) {
            Ok(pipe) => {
                let output = self.proc.read_to_end(pipe.fd).await;
                let status = shell::close(self.proc, pipe).await;
                self.set_status(status);
                Ok(output.map(|(bytes, _charged)| bytes).unwrap_or_default())
            }
            Err(errno) => {
                self.set_errno(errno);
                self.set_global("?", Value::Int(-1));
                Ok(Vec::new())
            }
        }
    }

    /// What was done to `%ENV` is what children see.
    pub(super) fn export(&mut self) {
        let hash = self.global_hash("ENV");
        let items: Vec<(Vec<u8>, Vec<u8>)> = hash
            .lock()
            .map
            .iter()
            .map(|(key, value)| (key.clone(), value.get().bytes()))
            .collect();
        let env = self.proc.env_mut();
        env.clear();
        for (name, value) in items {
            env.set(name, value);
        }
    }

    /// `system`, and `exec` without coming back.
    pub(super) async fn system(&mut self, words: &[Vec<u8>], replaces: bool) -> Res<Value> {
        let _closed = self.proc.flush().await;
        self.export();
        if !self.finds(words) {
            self.set_errno(Errno::Enoent);
            if replaces {
                return Ok(Value::truth(false));
            }
            self.set_global("?", Value::Int(-1));
            return Ok(Value::Int(-1));
        }
        if replaces {
            return self.exec(words).await;
        }
        let line = match words {
            [one] => one.clone(),
            words => {
                let words: Vec<Vec<u8>> = words.iter().map(|word| single_quoted(word)).collect();
                words.join(b" ".as_slice())
            }
        };
        match shell::system(self.proc, &line).await {
            Ok(status) => Ok(Value::Int(self.set_status(status))),
            Err(errno) => {
                self.set_errno(errno);
                Ok(Value::Int(-1))
            }
        }
    }

    /// perl itself starts a command that needs no shell.
    async fn exec(&mut self, words: &[Vec<u8>]) -> Res<Value> {
        let words: Vec<Vec<u8>> = match words {
            [one] if one.iter().any(|byte| SHELL_BYTES.contains(byte)) => {
                vec![b"sh".to_vec(), b"-c".to_vec(), one.clone()]
            }
            [one] => one
                .split(u8::is_ascii_whitespace)
                .filter(|word| !word.is_empty())
                .map(<[u8]>::to_vec)
                .collect(),
            words => words.to_vec(),
        };
        let Some(first) = words.first() else {
            return Ok(self.failed(Errno::Enoent));
        };
        let path = match self.command_path(first) {
            Some(path) if first == b"sh" => {
                drop(path);
                b"/bin/sh".to_vec()
            }
            Some(path) => path,
            None => return Ok(self.failed(Errno::Enoent)),
        };
        let env = self.proc.env().clone();
        let errno = self.proc.exec(&path, words, env).await;
        Ok(self.failed(errno))
    }

    /// Where a command is.
    fn command_path(&self, name: &[u8]) -> Option<Vec<u8>> {
        let can = |path: &[u8]| self.proc.access(path, Access::Execute).is_ok();
        if name.contains(&b'/') {
            return can(name).then(|| name.to_vec());
        }
        let path = self.proc.env().value(b"PATH").unwrap_or(b"/usr/bin:/bin");
        path.split(|byte| *byte == b':')
            .map(|directory| [directory, b"/", name].concat())
            .find(|path| can(path))
    }

    /// A command without shell characters is started by perl itself, which fails when there is none.
    fn finds(&self, words: &[Vec<u8>]) -> bool {
        let Some(one) = words.first() else {
            return false;
        };
        if words.len() == 1 && one.iter().any(|byte| SHELL_BYTES.contains(byte)) {
            return true;
        }
        let name = if words.len() == 1 {
            one.split(u8::is_ascii_whitespace)
                .find(|word| !word.is_empty())
                .unwrap_or_default()
        } else {
            one
        };
        // `NAME=value command` and the shell's own words are the shell's.
        name.contains(&b'=') || name == b"exec" || self.command_path(name).is_some()
    }

    pub(super) async fn pause(&mut self, seconds: f64) -> Value {
        let _closed = self.proc.flush().await;
        let before = self.proc.now().secs;
        if let Ok(duration) = Duration::try_from_secs_f64(seconds) {
            // A signal ends it early, as it does in perl.
            let _interrupted = self.proc.sleep(duration).await;
        }
        Value::Int(self.proc.now().secs - before)
    }

    /// `wait` and `waitpid`.
    pub(super) async fn wait_for(&mut self, pid: i64, flags: i64) -> Value {
        let _closed = self.proc.flush().await;
        let target = match u32::try_from(pid) {
            Ok(0) | Err(_) => WaitFor::Any,
            Ok(pid) => WaitFor::Pid(pid),
        };
        let hang = flags & 1 == 0;
        loop {
            match self.proc.wait(target, false, hang).await {
                Ok(Some((pid, ChildEvent::Ended(status)))) => {
                    self.set_status(status);
                    return Value::Int(i64::from(pid));
                }
                Ok(Some(_)) => {}
                Ok(None) => return Value::Int(0),
                Err(errno) => {
                    self.set_errno(errno);
                    self.set_global("?", Value::Int(-1));
                    return Value::Int(-1);
                }
            }
        }
    }

    // ---- signals -------------------------------------------------------------------------------

    /// Takes what `%SIG` says to the kernel, and runs the sub of a signal that has come. Whether one runs.
    pub(super) fn look_at_signals(&mut self) -> Res<bool> {
        let hash = self.global_hash("SIG");
        let items: Vec<(Vec<u8>, Value)> = hash
            .lock()
            .map
            .iter()
            .map(|(key, cell)| (key.clone(), cell.get()))
            .collect();
        let mut catches = false;
        for (name, value) in &items {
            let Some(signal) = Signal::from_name(name) else {
                continue;
            };
            let disposition = match value {
                Value::Code(_) => Disposition::Catch,
                other => match other.bytes().as_slice() {
                    b"IGNORE" => Disposition::Ignore,
                    b"" | b"DEFAULT" => Disposition::Default,
                    _ => Disposition::Catch,
                },
            };
            catches |= disposition == Disposition::Catch;
            if self.proc.disposition(signal) != disposition {
                self.proc.set_disposition(signal, disposition);
            }
        }
        self.signals = catches;
        let Some(signal) = self.proc.take_signal() else {
            return Ok(false);
        };
        let handler = items
            .iter()
            .find(|(name, _)| Signal::from_name(name) == Some(signal))
            .map(|(name, value)| (name.clone(), value.clone()));
        let Some((name, handler)) = handler else {
            return Ok(false);
        };
        let sub = match handler {
            Value::Code(sub) => Some(sub),
            other => {
                let own = other.string();
                let own = own.strip_prefix("main::").unwrap_or(&own).to_owned();
                self.subs.get(&own).cloned()
            }
        };
        let Some(sub) = sub else {
            return Ok(false);
        };
        self.enter_sub(&sub, vec![Value::text(name)], Answer::Nothing)?;
        Ok(true)
    }

    /// `kill`: how many were reached.
    pub(super) fn kill(&mut self, values: &[Value]) -> Value {
        let Some((first, pids)) = values.split_first() else {
            return Value::Int(0);
        };
        let name = first.string();
        let signal = match first.exact() {
            Some(number) => u32::try_from(number.unsigned_abs())
                .ok()
                .and_then(Signal::from_number),
            None => {
                let name = name.trim_start_matches('-').trim_start_matches("SIG");
                Signal::from_name(name.as_bytes())
            }
        };
        if signal.is_none() && first.exact() != Some(0) {
            return Value::Int(0);
        }
        let group = name.starts_with('-');
        let mut count = 0;
        for value in pids {
            let number = value.integer();
            let pid = u32::try_from(number.unsigned_abs()).unwrap_or(0);
            let outcome = if group || number < 0 {
                self.proc.kill_group(pid, signal)
            } else {
                self.proc.kill(pid, signal)
            };
            match outcome {
                Ok(()) => count += 1,
                Err(errno) => self.set_errno(errno),
            }
        }
        // One's own handler runs at the next statement.
        self.signals = true;
        Value::Int(count)
    }
}
