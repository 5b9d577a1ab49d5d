//! Operators that ask the machine: files, processes, accounts.

use sundew_kernel::descriptor::OpenFlags;
use sundew_kernel::process::Seek;
use sundew_posix::pattern::{self, Pattern};

use super::super::super::value::FileState;
use super::*;

impl Vm<'_> {
    #[expect(clippy::too_many_lines, reason = "a row for each operator")]
    pub(super) async fn of_files(
        &mut self,
        name: &str,
        values: &[Value],
        list: bool,
    ) -> Res<Given> {
        let first = values.first().cloned().unwrap_or_default();
        match name {
            "open" => return Ok(one(self.open(values).await?)),
            "opendir" => return Ok(one(self.open_directory(values).await?)),
            "sysopen" => return Ok(one(self.sysopen(values).await?)),
            "socket" => return Ok(one(self.socket(values).await?)),
            "connect" => return Ok(one(self.connect(values).await?)),
            "pipe" => return Ok(one(self.pipe(values).await?)),
            "select" => return Ok(one(self.select(values).await)),
            "stat" | "lstat" => return Ok(Some(self.stat(name, &first, list))),
            "close" | "closedir" | "eof" | "fileno" | "binmode" | "readline" | "readdir"
            | "sysread" | "read" | "syswrite" | "recv" | "send" | "flock" | "shutdown" | "seek"
            | "sysseek" | "tell" | "rewinddir" | "setsockopt" | "bind" | "listen" | "truncate"
            | "ioctl" | "fcntl" => {}
            _ => return Ok(None),
        }
        let file = if values.is_empty() {
            self.files
                .get("ARGV")
                .or_else(|| self.files.get("STDIN"))
                .cloned()
        } else {
            self.handle_of(&first)
        };
        if name == "truncate" {
            return Ok(one(self.truncate(&first, file, values).await));
        }
        if name == "readline" && matches!(&first, Value::Text(name) if name.as_slice() == b"ARGV") {
            return Ok(Some(self.read_lines(&first, list).await?));
        }
        let Some(file) = file else {
            if name == "eof" {
                return Ok(one(Value::Int(1)));
            }
            let value = self.failed(Errno::Ebadf);
            return Ok(Some(if list && name == "readdir" {
                Vec::new()
            } else {
                vec![value]
            }));
        };
        Ok(one(match name {
            "close" | "closedir" => self.close(&file).await?,
            "eof" => Value::truth(self.at_end(&file).await?),
            "fileno" => lock(&file.state)
                .fd
                .map_or(Value::Undef, |fd| Value::Int(i64::from(fd))),
            "readline" => {
                let handle = Value::File(file);
                return Ok(Some(self.read_lines(&handle, list).await?));
            }
            "readdir" => {
                let mut state = lock(&file.state);
                let names = state.names.get_or_insert_default();
                if list {
                    return Ok(Some(names.drain(..).map(Value::text).collect()));
                }
                names.pop_front().map_or(Value::Undef, Value::text)
            }
            "sysread" | "read" | "recv" => {
                let count = values.get(2).map_or(0, Value::integer);
                let offset = values.get(3).map_or(0, Value::integer);
                let offset = usize::try_from(offset).unwrap_or(0);
                let count = usize::try_from(count).unwrap_or(0);
                match values.get(1) {
                    Some(Value::Place(place)) => {
                        let offset = if name == "recv" { 0 } else { offset };
                        self.read_into(&file, place, count, offset, name == "read")
                            .await?
                    }
                    _ => Value::Undef,
                }
            }
            "syswrite" | "send" => {
                let bytes = values.get(1).map(Value::bytes).unwrap_or_default();
                let count = values
                    .get(2)
                    .filter(|_| name == "syswrite")
                    .and_then(|count| usize::try_from(count.integer()).ok());
                let bytes = bytes
                    .get(..count.unwrap_or(bytes.len()).min(bytes.len()))
                    .unwrap_or_default();
                let done = self.write(&file, bytes).await?;
                let _closed = self.proc.flush().await;
                if done.is_true() {
                    Value::count(bytes.len())
                } else {
                    Value::Undef
                }
            }
            "seek" | "sysseek" | "tell" => self.seek(name, &file, values),
            "bind" | "listen" => self.failed(Errno::Eacces),
            _ => Value::Int(1),
        }))
    }

    fn seek(&mut self, name: &str, file: &Arc<File>, values: &[Value]) -> Value {
        let (fd, ahead) = {
            let mut state = lock(&file.state);
            let ahead = state.ahead.as_ref().map_or(0, Vec::len);
            let held = match (name, state.reader.as_mut()) {
                ("tell", Some(reader)) => {
                    let rest = reader.take_rest();
                    let len = rest.len();
                    if !rest.is_empty() {
                        state.ahead = Some([state.ahead.take().unwrap_or_default(), rest].concat());
                        state.lines -= 0;
                    }
                    len
                }
                ("tell", None) => 0,
                _ => {
                    state.reader = None;
                    state.ahead = None;
                    0
                }
            };
            (state.fd, ahead + held)
        };
        let Some(fd) = fd else {
            return self.failed(Errno::Ebadf);
        };
        let offset = values.get(1).map_or(0, Value::integer);
        let to = match (name, values.get(2).map_or(0, Value::integer)) {
            ("tell", _) => Seek::Current(0),
            (_, 1) => Seek::Current(offset),
            (_, 2) => Seek::End(offset),
            _ => Seek::Start(u64::try_from(offset).unwrap_or(0)),
        };
        match self.proc.seek(fd, to) {
            Ok(at) if name == "tell" => {
                Value::count(usize::try_from(at).unwrap_or(0).saturating_sub(ahead))
            }
            Ok(_) => Value::Int(1),
            Err(errno) => self.failed(errno),
        }
    }

    async fn truncate(&mut self, path: &Value, file: Option<Arc<File>>, values: &[Value]) -> Value {
        let length = values.get(1).map_or(0, Value::integer);
        let length = u64::try_from(length).unwrap_or(0);
        let fd = file.and_then(|file| lock(&file.state).fd);
        let outcome = match fd {
            Some(fd) => self.proc.truncate(fd, length),
            None => {
                let flags = OpenFlags {
                    write: true,
                    ..OpenFlags::default()
                };
                match self.proc.open(&path.bytes(), flags, 0).await {
                    Ok(fd) => {
                        let outcome = self.proc.truncate(fd, length);
                        // Opened here.
                        let _open = self.proc.close(fd);
                        outcome
                    }
                    Err(errno) => Err(errno),
                }
            }
        };
        match outcome {
            Ok(()) => Value::Int(1),
            Err(errno) => self.failed(errno),
        }
    }

    async fn sysopen(&mut self, values: &[Value]) -> Res<Value> {
        let Some(place) = values.first() else {
            return Ok(Value::Undef);
        };
        let path = values.get(1).map(Value::bytes).unwrap_or_default();
        let bits = values.get(2).map_or(0, Value::integer);
        let mode = values.get(3).map_or(0o666, Value::integer);
        let flags = OpenFlags {
            read: bits & 3 != 1,
            write: bits & 3 != 0,
            create: bits & 64 != 0,
            exclusive: bits & 128 != 0,
            truncate: bits & 512 != 0,
            append: bits & 1024 != 0,
            ..OpenFlags::default()
        };
        let mode = u16::try_from(mode & 0o7777).unwrap_or(0o666);
        match self.proc.open(&path, flags, mode).await {
            Ok(fd) => {
                let state = FileState {
                    fd: Some(fd),
                    ..FileState::default()
                };
                self.give_file(place, state).await
            }
            Err(errno) => Ok(self.failed(errno)),
        }
    }

    async fn pipe(&mut self, values: &[Value]) -> Res<Value> {
        let [read, write, ..] = values else {
            return Ok(Value::Undef);
        };
        let (from, to) = match self.proc.pipe() {
            Ok(ends) => ends,
            Err(errno) => return Ok(self.failed(errno)),
        };
        for (place, fd) in [(read, from), (write, to)] {
            let state = FileState {
                fd: Some(fd),
                ..FileState::default()
            };
            self.give_file(place, state).await?;
        }
        Ok(Value::Int(1))
    }

    /// `select`: the handle of `print`, or with four operands a pause.
    async fn select(&mut self, values: &[Value]) -> Value {
        if values.len() == 4 {
            let seconds = values.get(3).map_or(0.0, Value::number);
            self.pause(seconds).await;
            return Value::Int(0);
        }
        let old = self
            .selected
            .clone()
            .or_else(|| self.files.get("STDOUT").cloned());
        let file = values.first().and_then(|value| self.handle_of(value));
        if file.is_some() {
            self.selected = file;
        }
        match old {
            Some(own) => {
                let name = self.handle_name(&own);
                if name == "$fh" {
                    Value::File(own)
                } else {
                    Value::text(format!("main::{name}"))
                }
            }
            None => Value::Undef,
        }
    }

    fn stat(&mut self, name: &str, operand: &Value, list: bool) -> Vec<Value> {
        let fd = match operand {
            Value::File(file) => lock(&file.state).fd,
            _ => None,
        };
        let path = operand.bytes();
        let metadata = match fd {
            Some(fd) => self.proc.fstat(fd),
            None if name == "stat" => self.proc.stat(&path),
            None => self.proc.lstat(&path),
        };
        match metadata {
            Ok(_) if !list => vec![Value::Int(1)],
            Ok(own) => [
                own.dev.cast_signed(),
                own.ino.number().cast_signed(),
                i64::from(u32::from(own.mode) | own.file_type.mode_bits()),
                i64::from(own.nlink),
                i64::from(own.uid),
                i64::from(own.gid),
                0,
                own.size.cast_signed(),
                own.atime.secs,
                own.mtime.secs,
                own.ctime.secs,
                4096,
                own.blocks.cast_signed(),
            ]
            .map(Value::Int)
            .to_vec(),
            Err(errno) => {
                self.set_errno(errno);
                if list {
                    Vec::new()
                } else {
                    vec![Value::truth(false)]
                }
            }
        }
    }

    #[expect(clippy::too_many_lines, reason = "a row for each operator")]
    pub(super) async fn of_machine(
        &mut self,
        name: &str,
        values: &[Value],
        list: bool,
    ) -> Res<Given> {
        let first = match values.first() {
            Some(value) => value.clone(),
            None if OF_TOPIC.contains(&name) => self.global("_").get(),
            None => Value::Undef,
        };
        let path = first.bytes();
        let second = values.get(1).cloned().unwrap_or_default();
        let outcome = match name {
            "system" | "exec" => {
                let words: Vec<Vec<u8>> = values.iter().map(Value::bytes).collect();
                return Ok(one(self.system(&words, name == "exec").await?));
            }
            "sleep" if values.is_empty() => return Ok(one(self.pause(f64::MAX / 4.0).await)),
            "sleep" => return Ok(one(self.pause(first.number()).await)),
            "usleep" => return Ok(one(self.pause(first.number() / 1e6).await)),
            "nanosleep" => return Ok(one(self.pause(first.number() / 1e9).await)),
            "time" => return Ok(one(Value::Int(self.proc.now().secs))),
            "times" => {
                let (own, children) = self.proc.cpu_times();
                let times = [own.as_secs_f64(), 0.0, children.as_secs_f64(), 0.0];
                return Ok(Some(times.map(Value::Num).to_vec()));
            }
            "localtime" | "gmtime" | "strftime" | "mktime" | "ctime" => {
                return Ok(Some(self.calendar(name, values, list)));
            }
            "getppid" => return Ok(one(Value::Int(i64::from(self.proc.ppid())))),
            "getpid" => return Ok(one(Value::Int(i64::from(self.proc.pid())))),
            "getpgrp" => return Ok(one(Value::Int(i64::from(self.proc.group())))),
            "setsid" => {
                return Ok(one(match self.proc.new_session() {
                    Ok(pid) => Value::Int(i64::from(pid)),
                    Err(errno) => {
                        self.set_errno(errno);
                        Value::Undef
                    }
                }));
            }
            "getuid" | "geteuid" => {
                let uid = self.proc.credentials().uid;
                return Ok(one(Value::Int(i64::from(uid))));
            }
            "getcwd" | "cwd" => {
                let here = self.proc.directory().unwrap_or_default();
                return Ok(one(Value::text(here)));
            }
            "getlogin" => {
                let uid = Value::Int(i64::from(self.proc.credentials().uid));
                return Ok(Some(self.account("getpwuid", &uid, false)));
            }
            "gethostname" | "hostname" => {
                let name = self.proc.hostname();
                return Ok(one(Value::text(name)));
            }
            "uname" => {
                let words = self.command(b"uname -s -n -r -v -m").await?;
                let text = String::from_utf8_lossy(&words).into_owned();
                let words = text.split_whitespace().map(Value::text);
                return Ok(Some(words.collect()));
            }
            "wait" => return Ok(one(self.wait_for(-1, 0).await)),
            "waitpid" => {
                let flags = second.integer();
                return Ok(one(self.wait_for(first.integer(), flags).await));
            }
            "umask" => {
                let old = self.proc.umask();
                if first.is_defined() {
                    let mask = u16::try_from(first.integer() & 0o777).unwrap_or(0);
                    self.proc.set_umask(mask);
                }
                return Ok(one(Value::Int(i64::from(old))));
            }
            "alarm" | "setpgrp" | "setpriority" | "getpriority" | "syscall" => {
                return Ok(one(Value::Int(0)));
            }
            "glob" => return Ok(Some(self.glob(&path))),
            "readlink" => {
                return Ok(one(match self.proc.read_link(&path) {
                    Ok(target) => Value::text(target),
                    Err(errno) => {
                        self.set_errno(errno);
                        Value::Undef
                    }
                }));
            }
            "getpwnam" | "getpwuid" => return Ok(Some(self.account(name, &first, list))),
            "gethostbyname" | "inet_aton" => return Ok(one(self.resolve(&first).await)),
            "getprotobyname" => {
                return Ok(one(match path.as_slice() {
                    b"tcp" => Value::Int(6),
                    b"udp" => Value::Int(17),
                    b"icmp" => Value::Int(1),
                    _ => Value::Undef,
                }));
            }
            "unlink" | "chmod" | "chown" | "utime" => {
                let topic = [first];
                let values = if values.is_empty() { &topic } else { values };
                return Ok(one(self.counted(name, values)));
            }
            "kill" => return Ok(one(self.kill(values))),
            "mkdir" => {
                let mode = if second.is_defined() {
                    second.integer()
                } else {
                    0o777
                };
                let mode = u16::try_from(mode & 0o7777).unwrap_or(0o777);
                self.proc.make_directory(&path, mode)
            }
            "rmdir" => self.proc.remove_directory(&path),
            "rename" => self.proc.rename(&path, &second.bytes()),
            "link" => self.proc.link(&path, &second.bytes(), false),
            "symlink" => self.proc.symlink(&path, &second.bytes()),
            "chdir" if values.is_empty() => {
                let home = self.proc.env().value(b"HOME").unwrap_or(b"/").to_vec();
                self.proc.change_directory(&home)
            }
            "chdir" => self.proc.change_directory(&path),
            _ => return Ok(None),
        };
        Ok(one(match outcome {
            Ok(()) => Value::Int(1),
            Err(errno) => self.failed(errno),
        }))
    }

    /// Operators on several files: how many succeeded.
    fn counted(&mut self, name: &str, values: &[Value]) -> Value {
        let skip = match name {
            "unlink" => 0,
            "chmod" => 1,
            _ => 2,
        };
        let (first, second) = (
            values.first().cloned().unwrap_or_default(),
            values.get(1).cloned().unwrap_or_default(),
        );
        let now = self.proc.now();
        let id = |value: &Value| u32::try_from(value.integer()).ok();
        let time = |value: &Value| sundew_vfs::Timestamp {
            secs: if value.is_defined() {
                value.integer()
            } else {
                now.secs
            },
            nanos: 0,
        };
        let mut count = 0;
        for value in values.iter().skip(skip) {
            let path = value.bytes();
            let outcome = match name {
                "unlink" => self.proc.unlink(&path),
                "chmod" => {
                    let mode = u16::try_from(first.integer() & 0o7777).unwrap_or(0);
                    self.proc.change_mode(&path, mode)
                }
                "chown" => self.proc.change_owner(&path, id(&first), id(&second), true),
                _ => self
                    .proc
                    .set_times(&path, Some(time(&first)), Some(time(&second)), true),
            };
            match outcome {
                Ok(()) => count += 1,
                Err(errno) => self.set_errno(errno),
            }
        }
        Value::Int(count)
    }

    /// `glob`: words, with `*`, `?`, classes and braces in the last component.
    fn glob(&mut self, pattern: &[u8]) -> Vec<Value> {
        let mut out = Vec::new();
        for word in pattern
            .split(u8::is_ascii_whitespace)
            .filter(|word| !word.is_empty())
        {
            let (directory, last) = match word.iter().rposition(|byte| *byte == b'/') {
                Some(at) => (
                    word.get(..=at).unwrap_or_default(),
                    word.get(at + 1..).unwrap_or_default(),
                ),
                None => (b"".as_slice(), word),
            };
            if !last.iter().any(|byte| b"*?[".contains(byte)) {
                out.push(word.to_vec());
                continue;
            }
            let place = if directory.is_empty() {
                b".".as_slice()
            } else {
                directory
            };
            let pieces = pieces(last);
            let compiled = Pattern::new(&pieces, pattern::Options::default());
            for name in self.directory(place).unwrap_or_default() {
                let hidden = name.starts_with(b".") && !last.starts_with(b".");
                if !hidden && compiled.matches(&name) {
                    out.push([directory, &name].concat());
                }
            }
        }
        out.sort();
        out.into_iter().map(Value::text).collect()
    }

    fn account(&self, name: &str, wanted: &Value, want_list: bool) -> Vec<Value> {
        let text = self
            .proc
            .read_small_file(b"/etc/passwd")
            .unwrap_or_default();
        let text = String::from_utf8_lossy(&text).into_owned();
        let place = if name == "getpwnam" { 0 } else { 2 };
        let wanted = wanted.string();
        let line = text
            .lines()
            .find(|line| line.split(':').nth(place) == Some(wanted.as_str()));
        let Some(line) = line else {
            return if want_list {
                Vec::new()
            } else {
                vec![Value::Undef]
            };
        };
        let fields: Vec<&str> = line.split(':').collect();
        let field = |at: usize| Value::text(fields.get(at).copied().unwrap_or_default());
        if !want_list {
            return vec![field(if place == 0 { 2 } else { 0 })];
        }
        vec![
            field(0),
            field(1),
            field(2),
            field(3),
            Value::text(b""),
            Value::text(b""),
            field(4),
            field(5),
            field(6),
        ]
    }
}

/// Operators that mean `$_` when they stand alone.
const OF_TOPIC: &[&str] = &["unlink", "rmdir", "readlink", "glob", "mkdir"];

/// A pattern's text as pieces, nothing quoted.
fn pieces(text: &[u8]) -> Vec<pattern::Piece> {
    let piece = |byte: &u8| pattern::Piece {
        byte: *byte,
        quoted: false,
    };
    text.iter().map(piece).collect()
}
