//! Files: handles, lines, `open` and `close`.

use std::sync::Mutex;

use sundew_kernel::STDIN;
use sundew_kernel::descriptor::OpenFlags;
use sundew_kernel::process::LineReader;
use sundew_vfs::{Access, FileType};

use super::super::super::shell;
use super::super::value::FileState;
use super::*;

mod input;
mod open;

/// A new handle.
pub(super) fn file(state: FileState) -> Arc<File> {
    Arc::new(File {
        state: Mutex::new(state),
    })
}

impl Vm<'_> {
    /// The standard handles.
    pub(in super::super) fn standard_files(&mut self) {
        for (name, fd) in [("STDIN", 0), ("STDOUT", 1), ("STDERR", 2)] {
            let state = FileState {
                fd: Some(fd),
                ..FileState::default()
            };
            self.files.insert(name.to_owned(), file(state));
        }
    }

    /// The handle that a value names.
    pub(super) fn handle_of(&self, value: &Value) -> Option<Arc<File>> {
        match value {
            Value::File(file) => Some(Arc::clone(file)),
            Value::Place(own) => self.handle_of(&own.get()),
            Value::Scalar(inner) => match inner.get() {
                Value::File(file) => Some(file),
                Value::Text(name) => self.named_handle(&name),
                _ => None,
            },
            Value::Text(name) => self.named_handle(name),
            _ => None,
        }
    }

    fn named_handle(&self, name: &[u8]) -> Option<Arc<File>> {
        let name = String::from_utf8_lossy(name);
        let name = name.trim_start_matches('*');
        let name = name.strip_prefix("main::").unwrap_or(name);
        self.files.get(name).cloned()
    }

    /// What complaints call a handle.
    pub(super) fn handle_name(&self, file: &Arc<File>) -> String {
        self.files
            .iter()
            .find(|(name, own)| Arc::ptr_eq(own, file) && name.as_str() != "ARGV")
            .map_or_else(|| "$fh".to_owned(), |(name, _)| name.clone())
    }

    pub(super) async fn write(&mut self, file: &Arc<File>, bytes: &[u8]) -> Res<Value> {
        let (fd, into) = {
            let state = lock(&file.state);
            (state.fd, state.into.clone())
        };
        if let Some(into) = into {
            let mut text = into.get().bytes();
            text.extend_from_slice(bytes);
            let text = self.text(text)?;
            into.set(text);
            return Ok(Value::Int(1));
        }
        let outcome = match fd {
            Some(1) => {
                let printed = self.proc.print(bytes).await;
                if self.global("|").get().is_true() {
                    self.proc.flush().await
                } else {
                    printed
                }
            }
            Some(2) => {
                self.proc.print_error(bytes).await;
                Ok(())
            }
            Some(fd) => self.proc.write_all(fd, bytes).await,
            None => Err(Errno::Ebadf),
        };
        match outcome {
            Ok(()) => Ok(Value::Int(1)),
            Err(Errno::Epipe) if fd == Some(1) => Err(Flow::Exit(141)),
            Err(errno) => Ok(self.failed(errno)),
        }
    }

    /// Gives a handle its name or variable.
    async fn assign_file(&mut self, place: &Value, state: FileState) -> Res<Value> {
        let name = match place {
            Value::Place(_) => None,
            other => {
                let name = other.string();
                let name = name.trim_start_matches('*').to_owned();
                Some(name.strip_prefix("main::").unwrap_or(&name).to_owned())
            }
        };
        let standard = match name.as_deref() {
            Some("STDIN") => Some(0),
            Some("STDOUT") => Some(1),
            Some("STDERR") => Some(2),
            _ => None,
        };
        if let (Some(own), Some(fd)) = (standard, state.fd) {
            let _closed = self.proc.flush().await;
            let moved = self.proc.duplicate_to(fd, own);
            let closed = self.proc.close(fd);
            if let Some(file) = name.as_ref().and_then(|name| self.files.get(name)) {
                let mut old = lock(&file.state);
                old.fd = Some(own);
                old.reader = None;
            }
            return Ok(match moved.and(closed) {
                Ok(()) => Value::Int(1),
                Err(errno) => self.failed(errno),
            });
        }
        let own = file(state);
        match (name, place) {
            (Some(name), _) => {
                if let Some(old) = self.files.insert(name, own) {
                    self.close(&old).await?;
                }
            }
            (None, Value::Place(cell)) => match cell.get() {
                // A handle given by name in a variable, or an old one that is opened again.
                Value::File(old) => {
                    let fresh = std::mem::take(&mut *lock(&own.state));
                    self.close(&old).await?;
                    *lock(&old.state) = fresh;
                }
                Value::Text(name) if !name.is_empty() => {
                    let name = String::from_utf8_lossy(&name).into_owned();
                    let name = name.trim_start_matches('*');
                    let name = name.strip_prefix("main::").unwrap_or(name).to_owned();
                    self.files.insert(name, own);
                }
                _ => cell.set(Value::File(own)),
            },
            _ => {}
        }
        Ok(Value::Int(1))
    }

    pub(super) async fn close(&mut self, file: &Arc<File>) -> Res<Value> {
        let (fd, pipe) = {
            let mut state = lock(&file.state);
            state.reader = None;
            let had = state.into.take().is_some() | state.names.take().is_some();
            if had {
                return Ok(Value::Int(1));
            }
            (state.fd.take(), state.pipe.take())
        };
        match (fd, pipe) {
            (_, Some(pipe)) => {
                let status = shell::close(self.proc, pipe).await;
                let number = self.set_status(status);
                Ok(Value::truth(number == 0))
            }
            (Some(fd @ (1 | 2)), None) => {
                let _closed = self.proc.flush().await;
                Ok(match self.proc.close(fd) {
                    Ok(()) => Value::Int(1),
                    Err(errno) => self.failed(errno),
                })
            }
            (Some(fd), None) => Ok(match self.proc.close(fd) {
                Ok(()) => Value::Int(1),
                Err(errno) => self.failed(errno),
            }),
            (None, None) => Ok(self.failed(Errno::Ebadf)),
        }
    }

    // ---- tests ---------------------------------------------------------------------------------

    pub(super) fn file_test_op(&mut self, letter: u8) {
        let operand = self.pop_value();
        let value = self.file_test(letter, &operand);
        self.push(value);
    }

    fn file_test(&mut self, letter: u8, operand: &Value) -> Value {
        let handle = match operand {
            Value::File(_) => self.handle_of(operand),
            Value::Text(_) if letter == b't' => self.handle_of(operand),
            _ => None,
        };
        let fd = handle.and_then(|file| lock(&file.state).fd);
        if letter == b't' {
            return Value::truth(self.proc.is_terminal(fd.unwrap_or(STDIN)));
        }
        let path = operand.bytes();
        let metadata = match fd {
            Some(fd) => self.proc.fstat(fd),
            None if letter == b'l' => self.proc.lstat(&path),
            None => self.proc.stat(&path),
        };
        let metadata = match metadata {
            Ok(metadata) => metadata,
            Err(errno) => {
                self.set_errno(errno);
                return Value::Undef;
            }
        };
        let may = |access| Value::truth(self.proc.access(&path, access).is_ok());
        let is = |kind| Value::truth(metadata.file_type == kind);
        let age = |time: sundew_vfs::Timestamp| {
            let seconds = self.proc.now().secs - time.secs;
            #[expect(clippy::cast_precision_loss, reason = "days of a file's age")]
            let days = seconds as f64 / 86_400.0;
            Value::Num(days)
        };
        match letter {
            b'e' => Value::Int(1),
            b'f' => is(FileType::Regular),
            b'd' => is(FileType::Directory),
            b'l' => is(FileType::Symlink),
            b'p' => is(FileType::Fifo),
            b'S' => is(FileType::Socket),
            b'b' => is(FileType::BlockDevice),
            b'c' => is(FileType::CharDevice),
            b's' if metadata.size > 0 => {
                Value::Int(i64::try_from(metadata.size).unwrap_or(i64::MAX))
            }
            b's' => Value::truth(false),
            b'z' => Value::truth(metadata.size == 0),
            b'r' | b'R' => may(Access::Read),
            b'w' | b'W' => may(Access::Write),
            b'x' | b'X' => may(Access::Execute),
            b'o' | b'O' => Value::truth(metadata.uid == self.proc.credentials().uid),
            b'u' => Value::truth(metadata.mode & 0o4000 != 0),
            b'g' => Value::truth(metadata.mode & 0o2000 != 0),
            b'k' => Value::truth(metadata.mode & 0o1000 != 0),
            b'M' => age(metadata.mtime),
            b'A' => age(metadata.atime),
            b'C' => age(metadata.ctime),
            _ => Value::Undef,
        }
    }

    /// The names of a directory, `.` and `..` first.
    pub(super) fn directory(&mut self, path: &[u8]) -> Result<Vec<Vec<u8>>, Errno> {
        let entries = self.proc.read_directory(path)?;
        let mut names: Vec<Vec<u8>> = entries.iter().map(|entry| entry.name.to_vec()).collect();
        for dots in [b"..".as_slice(), b"."] {
            if !names.iter().any(|name| name == dots) {
                names.insert(0, dots.to_vec());
            }
        }
        Ok(names)
    }
}
