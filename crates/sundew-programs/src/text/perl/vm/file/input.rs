//! Lines of handles and of the command line's files.

use super::*;

impl Vm<'_> {
    /// The next line of a handle with its end, by `$/`.
    pub(in super::super) async fn next_line(&mut self, file: &Arc<File>) -> Res<Option<Vec<u8>>> {
        let separator = self.global("/").get();
        let name = self.handle_name(file);
        self.last_read = Some((name, Arc::clone(file)));
        let (fd, reader) = {
            let mut state = lock(&file.state);
            if let Some(line) = state.ahead.take() {
                state.lines += 1;
                return Ok(Some(line));
            }
            if let Some(names) = &mut state.names {
                let next = names.pop_front();
                state.lines += i64::from(next.is_some());
                return Ok(next);
            }
            (state.fd, state.reader.take())
        };
        let Some(fd) = fd else {
            self.set_errno(Errno::Ebadf);
            return Ok(None);
        };
        if fd == STDIN {
            // A prompt is seen before its answer is waited for.
            let _closed = self.proc.flush().await;
        }
        let mut reader = reader.unwrap_or_else(|| LineReader::new(self.proc, fd));
        let line = self.record(&mut reader, &separator).await?;
        let mut state = lock(&file.state);
        state.reader = Some(reader);
        state.lines += i64::from(line.is_some());
        Ok(line)
    }

    /// A record of a file: a line, a paragraph, all of it, or so many bytes.
    async fn record(&mut self, reader: &mut LineReader, separator: &Value) -> Res<Option<Vec<u8>>> {
        let delimiter = match separator {
            Value::Undef => None,
            other => Some(other.bytes()),
        };
        let last = match &delimiter {
            Some(text) => text.last().copied().unwrap_or(b'\n'),
            None => b'\n',
        };
        let mut whole: Vec<u8> = Vec::new();
        loop {
            let piece = match reader.next(self.proc, last).await {
                Ok(Some(piece)) => piece,
                Ok(None) => break,
                Err(errno) => {
                    self.set_errno(errno);
                    break;
                }
            };
            // `$/ = ""`: paragraphs, whose leading newlines do not count.
            if delimiter.as_ref().is_some_and(Vec::is_empty)
                && whole.is_empty()
                && *piece == b"\n"[..]
            {
                continue;
            }
            self.made(piece.len())?;
            whole.extend_from_slice(&piece);
            if whole.len() > MAX_TEXT {
                return Self::out_of_memory();
            }
            let complete = match &delimiter {
                None => false,
                Some(text) if text.is_empty() => whole.ends_with(b"\n\n"),
                Some(text) => whole.ends_with(text),
            };
            if complete {
                break;
            }
        }
        Ok(Some(whole).filter(|line| !line.is_empty()))
    }

    /// Lines for a list, or the next one.
    pub(in super::super) async fn read_lines(
        &mut self,
        handle: &Value,
        list: bool,
    ) -> Res<Vec<Value>> {
        let diamond = match handle {
            Value::Text(name) => name.is_empty() || name.as_slice() == b"ARGV",
            _ => false,
        };
        let file = if diamond {
            None
        } else {
            match self.handle_of(handle) {
                Some(file) => Some(file),
                None => return Ok(Vec::new()),
            }
        };
        let mut out = Vec::new();
        loop {
            self.proc.tick().await;
            let line = match &file {
                Some(file) => self.next_line(file).await?,
                None => self.next_input().await?,
            };
            let Some(line) = line else {
                return Ok(if list { out } else { vec![Value::Undef] });
            };
            let line = self.text(line)?;
            if !list {
                return Ok(vec![line]);
            }
            out.push(line);
            if out.len() > MAX_LIST {
                return Self::out_of_memory();
            }
        }
    }

    /// The next line of the files of the command line: `<>`.
    pub(in super::super) async fn next_input(&mut self) -> Res<Option<Vec<u8>>> {
        loop {
            if self.inputs.is_none() {
                let array = self.global_array("ARGV");
                let mut names: std::collections::VecDeque<Vec<u8>> =
                    std::mem::take(&mut *array.lock())
                        .iter()
                        .map(|name| name.get().bytes())
                        .collect();
                if names.is_empty() {
                    names.push_back(b"-".to_vec());
                }
                self.inputs = Some(names);
            }
            if let Some(file) = self.files.get("ARGV").cloned() {
                if let Some(line) = self.next_line(&file).await? {
                    self.last_read = Some((String::new(), file));
                    return Ok(Some(line));
                }
                self.last_read = Some((String::new(), Arc::clone(&file)));
                self.files.remove("ARGV");
                self.end_in_place(&file).await?;
            }
            let next = self
                .inputs
                .as_mut()
                .and_then(std::collections::VecDeque::pop_front);
            let Some(name) = next else {
                return Ok(None);
            };
            self.set_global("ARGV", Value::text(name.clone()));
            if name == b"-" {
                if let Some(stdin) = self.files.get("STDIN").cloned() {
                    self.files.insert("ARGV".to_owned(), stdin);
                }
                continue;
            }
            self.open_input(&name).await?;
        }
    }

    async fn open_input(&mut self, name: &[u8]) -> Res {
        let lines = self
            .last_read
            .as_ref()
            .map_or(0, |(_, file)| lock(&file.state).lines);
        match self.proc.open(name, OpenFlags::READ, 0).await {
            Ok(fd) => {
                let own = file(FileState {
                    fd: Some(fd),
                    lines,
                    ..FileState::default()
                });
                self.files.insert("ARGV".to_owned(), own);
                self.begin_in_place(name).await
            }
            Err(errno) => {
                let name = String::from_utf8_lossy(name).into_owned();
                let text = format!("Can't open {name}: {}{}", errno.message(), self.at());
                self.proc.print_error(text.as_bytes()).await;
                Ok(())
            }
        }
    }

    /// `-i`: the output goes into a new file in the old one's place.
    async fn begin_in_place(&mut self, name: &[u8]) -> Res {
        let Some(suffix) = self.in_place.clone() else {
            return Ok(());
        };
        let mode = self.proc.stat(name).map_or(0o666, |metadata| metadata.mode);
        let backup = if suffix.contains(&b'*') {
            let base = name.rsplit(|byte| *byte == b'/').next().unwrap_or_default();
            let parts: Vec<&[u8]> = suffix.split(|byte| *byte == b'*').collect();
            parts.join(base)
        } else {
            [name, &suffix].concat()
        };
        let removed = if suffix.is_empty() {
            self.proc.unlink(name)
        } else {
            self.proc.rename(name, &backup)
        };
        let opened = match removed {
            Ok(()) => self.proc.open(name, OpenFlags::CREATE, mode).await,
            Err(errno) => Err(errno),
        };
        match opened {
            Ok(fd) => {
                self.selected = Some(file(FileState {
                    fd: Some(fd),
                    ..FileState::default()
                }));
            }
            Err(errno) => {
                let name = String::from_utf8_lossy(name).into_owned();
                let text = format!(
                    "Can't do inplace edit on {name}: {}{}",
                    errno.message(),
                    self.at()
                );
                self.proc.print_error(text.as_bytes()).await;
            }
        }
        Ok(())
    }

    async fn end_in_place(&mut self, input: &Arc<File>) -> Res {
        if self.in_place.is_some()
            && let Some(output) = self.selected.take()
        {
            self.close(&output).await?;
            self.close(input).await?;
        }
        Ok(())
    }

    pub(in super::super) async fn at_end(&mut self, file: &Arc<File>) -> Res<bool> {
        if lock(&file.state).ahead.is_some() {
            return Ok(false);
        }
        let last = self.last_read.clone();
        let line = self.next_line(file).await?;
        self.last_read = last;
        let Some(line) = line else {
            return Ok(true);
        };
        let mut state = lock(&file.state);
        state.ahead = Some(line);
        state.lines -= 1;
        Ok(false)
    }

    /// Puts what was read into a variable: `read` and `sysread`. How many bytes there were.
    pub(in super::super) async fn read_into(
        &mut self,
        file: &Arc<File>,
        place: &Scalar,
        count: usize,
        offset: usize,
        whole: bool,
    ) -> Res<Value> {
        let count = count.min(MAX_TEXT);
        let (fd, ahead, reader) = {
            let mut state = lock(&file.state);
            (state.fd, state.ahead.take(), state.reader.take())
        };
        let mut buffer = ahead.unwrap_or_default();
        let Some(fd) = fd else {
            self.set_errno(Errno::Ebadf);
            return Ok(Value::Undef);
        };
        let _closed = self.proc.flush().await;
        if let Some(mut reader) = reader {
            // What was read ahead by lines comes first.
            buffer.extend(reader.take_rest());
            lock(&file.state).reader = Some(reader);
        }
        self.made(count.min(1 << 16))?;
        while buffer.len() < count {
            let mut more = vec![0; (count - buffer.len()).min(1 << 16)];
            match self.proc.read(fd, &mut more).await {
                Ok(0) => break,
                Ok(read) => buffer.extend(more.get(..read).unwrap_or_default()),
                Err(errno) if buffer.is_empty() => {
                    self.set_errno(errno);
                    return Ok(Value::Undef);
                }
                Err(_) => break,
            }
            if !whole {
                break;
            }
        }
        let rest = buffer.split_off(count.min(buffer.len()));
        if !rest.is_empty() {
            lock(&file.state).ahead = Some(rest);
        }
        let read = buffer.len();
        let mut text = place.get().bytes();
        text.resize(offset.min(MAX_TEXT), 0);
        text.extend(buffer);
        let text = self.text(text)?;
        place.set(text);
        Ok(Value::count(read))
    }
}
