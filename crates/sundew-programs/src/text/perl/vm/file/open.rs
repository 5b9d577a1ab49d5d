//! `open` in its many forms.

use sundew_posix::escape::single_quoted;

use super::*;

impl Vm<'_> {
    /// `open`: two or three operands behind the handle.
    pub(in super::super) async fn open(&mut self, values: &[Value]) -> Res<Value> {
        let Some((place, values)) = values.split_first() else {
            return self.die("Not enough arguments for open");
        };
        let first = values.first().map(Value::bytes).unwrap_or_default();
        let first = first.trim_ascii();
        let (mode, path) = match values.get(1) {
            Some(Value::Scalar(inner)) if !matches!(inner.get(), Value::File(_)) => {
                return self.open_text(place, first, inner).await;
            }
            Some(path) => {
                let mode = first.split(|byte| *byte == b':').next();
                let mode = mode.unwrap_or_default().trim_ascii().to_vec();
                let words: Vec<Vec<u8>> = values.iter().skip(1).map(Value::bytes).collect();
                let path = if first.contains(&b'|') && words.len() > 1 {
                    let words: Vec<Vec<u8>> =
                        words.iter().map(|word| single_quoted(word)).collect();
                    words.join(b" ".as_slice())
                } else if mode.ends_with(b"&") || mode.ends_with(b"&=") {
                    return self.duplicate(place, &mode, path).await;
                } else {
                    path.bytes()
                };
                (mode, path)
            }
            None => two_operands(first),
        };
        if mode.contains(&b'&') {
            return self.duplicate(place, &mode, &Value::text(path)).await;
        }
        let flags = match mode.as_slice() {
            b"<" | b"" => OpenFlags::READ,
            b">" => OpenFlags::CREATE,
            b">>" => OpenFlags::APPEND,
            b"+<" => OpenFlags {
                read: true,
                write: true,
                ..OpenFlags::default()
            },
            b"+>" | b"+>>" => OpenFlags {
                read: true,
                ..OpenFlags::CREATE
            },
            b"-|" => return self.open_pipe(place, &path, false).await,
            b"|-" => return self.open_pipe(place, &path, true).await,
            _ => {
                let mode = String::from_utf8_lossy(&mode).into_owned();
                return self.die(format!("Unknown open() mode '{mode}'"));
            }
        };
        if path == b"-" && values.len() == 1 {
            let name = if mode == b"<" { "STDIN" } else { "STDOUT" };
            return self.duplicate(place, &mode, &Value::text(name)).await;
        }
        match self.proc.open(&path, flags, 0o666).await {
            Ok(fd) => {
                let state = FileState {
                    fd: Some(fd),
                    ..FileState::default()
                };
                self.assign_file(place, state).await
            }
            Err(errno) => Ok(self.failed(errno)),
        }
    }

    async fn open_pipe(&mut self, place: &Value, command: &[u8], write: bool) -> Res<Value> {
        let _closed = self.proc.flush().await;
        self.export();
        match shell::open(self.proc, command, write) {
            Ok(pipe) => {
                let state = FileState {
                    fd: Some(pipe.fd),
                    pipe: Some(pipe),
                    ..FileState::default()
                };
                self.assign_file(place, state).await
            }
            Err(errno) => Ok(self.failed(errno)),
        }
    }

    /// `>&STDOUT`, `<&=0`: another descriptor of what is open.
    async fn duplicate(&mut self, place: &Value, mode: &[u8], from: &Value) -> Res<Value> {
        let known = self.handle_of(from).and_then(|file| lock(&file.state).fd);
        let fd = known.or_else(|| u32::try_from(from.exact()?).ok());
        let _closed = self.proc.flush().await;
        let Some(fd) = fd else {
            return Ok(self.failed(Errno::Ebadf));
        };
        let duplicated = if mode.ends_with(b"=") && !matches!(place, Value::Text(_)) {
            Ok(fd)
        } else {
            self.proc.duplicate_from(fd, 3)
        };
        match duplicated {
            Ok(fd) => {
                let state = FileState {
                    fd: Some(fd),
                    ..FileState::default()
                };
                self.assign_file(place, state).await
            }
            Err(errno) => Ok(self.failed(errno)),
        }
    }

    /// A string as a file.
    async fn open_text(&mut self, place: &Value, mode: &[u8], inner: &Scalar) -> Res<Value> {
        let state = if mode.starts_with(b">") {
            if !mode.starts_with(b">>") {
                inner.set(Value::text(b""));
            }
            FileState {
                into: Some(Arc::clone(inner)),
                ..FileState::default()
            }
        } else {
            let text = inner.get().bytes();
            let lines = text.split_inclusive(|byte| *byte == b'\n');
            FileState {
                names: Some(lines.map(<[u8]>::to_vec).collect()),
                ..FileState::default()
            }
        };
        self.assign_file(place, state).await
    }

    /// `opendir`.
    pub(in super::super) async fn open_directory(&mut self, values: &[Value]) -> Res<Value> {
        let path = values.get(1).map(Value::bytes).unwrap_or_default();
        let Some(place) = values.first() else {
            return Ok(Value::Undef);
        };
        match self.directory(&path) {
            Ok(names) => {
                self.made(names.len() * 64)?;
                let state = FileState {
                    names: Some(names.into()),
                    ..FileState::default()
                };
                self.assign_file(place, state).await
            }
            Err(errno) => Ok(self.failed(errno)),
        }
    }

    /// A descriptor for a handle: of a socket or pipe.
    pub(in super::super) async fn give_file(
        &mut self,
        place: &Value,
        state: FileState,
    ) -> Res<Value> {
        self.assign_file(place, state).await
    }
}

/// `"<file"`, `">file"`, `"command|"`.
fn two_operands(text: &[u8]) -> (Vec<u8>, Vec<u8>) {
    if let Some(command) = text.strip_suffix(b"|") {
        return (b"-|".to_vec(), command.trim_ascii().to_vec());
    }
    for mode in [
        ">>&", ">&=", "<&=", ">&", "<&", "+<", "+>", ">>", ">", "<", "|",
    ] {
        if let Some(path) = text.strip_prefix(mode.as_bytes()) {
            let mode = if mode == "|" { "|-" } else { mode };
            return (mode.as_bytes().to_vec(), path.trim_ascii().to_vec());
        }
    }
    (b"<".to_vec(), text.to_vec())
}
