//! Starting programs: fork(2), execve(2).

use std::future::{Future, pending};
use std::pin::Pin;
use std::sync::Arc;

use sundew_vfs::pool::Held;
use sundew_vfs::{Access, Errno, FileType};

use super::Process;
use super::state::{ProcessState, Start};
use crate::environment::Environment;
use crate::executable::{build_id_of, is_of_an_image, runs_on};
use crate::observe::Observation;
use crate::program::ProgramFn;
use crate::scheduler::Task;
use crate::signal::Disposition;
use crate::{ExitStatus, Pid, Signal, lock};

/// Bytes read from the front of an executable to tell what it is.
const HEAD_BYTES: usize = 4096;
/// How often an interpreter may itself be a script; Linux's `BINPRM_MAX_RECURSION` less one.
const MAX_INTERPRETERS: usize = 4;
/// Most bytes of arguments and environment together; a quarter of Linux's 8 MiB stack.
pub const ARG_MAX: usize = 2 << 20;

/// How often arguments and environment are kept: for `/proc`, and for the program.
const COPIES: usize = 2;
/// What a string takes beside its bytes.
const POINTER_BYTES: usize = 48;

/// What `execve` puts into a process.
#[derive(Debug)]
pub(crate) struct Image {
    pub(crate) run: ProgramFn,
    pub(crate) args: Vec<Vec<u8>>,
    pub(crate) env: Environment,
    /// What the dynamic linker says before the program's first word.
    pub(crate) complaint: Vec<u8>,
}

/// What a forked child does.
pub type ChildFuture = Pin<Box<dyn Future<Output = ExitStatus> + Send>>;

/// How to start a child with a program of its own: fork and exec in one.
#[derive(Debug, Clone)]
pub struct Spawn {
    /// The path of the executable; no search is made.
    pub path: Vec<u8>,
    /// Its arguments, the name first.
    pub args: Vec<Vec<u8>>,
    /// Its environment.
    pub env: Environment,
}

impl Process {
    /// Starts a child that is a copy of this process and runs `body`: fork(2). The child has its own
    /// descriptors (referring to the same open files), directory, mask and dispositions.
    ///
    /// # Errors
    ///
    /// [`Errno::Eagain`] past the process limit, [`Errno::Enomem`] without memory for another environment.
    pub fn fork(
        &self,
        body: impl FnOnce(Self) -> ChildFuture + Send + 'static,
    ) -> Result<Pid, Errno> {
        let child = self.new_child()?;
        let process = Self::new(
            Arc::clone(&self.kernel),
            Arc::clone(&child),
            self.args.clone(),
            self.env.clone(),
        );
        let pid = child.pid;
        Task::fork(&self.kernel, child, body(process));
        Ok(pid)
    }

    /// Starts a child with a program of its own.
    ///
    /// # Errors
    ///
    /// [`Errno::Eagain`] past the process limit; whatever `execve` answers, in which case there is
    /// no child.
    pub fn spawn(&self, spawn: Spawn) -> Result<Pid, Errno> {
        let image = self.load_image(&spawn.path, spawn.args, spawn.env)?;
        let child = self.new_child()?;
        let pid = child.pid;
        let process = Self::new(
            Arc::clone(&self.kernel),
            Arc::clone(&child),
            Vec::new(),
            Environment::new(),
        );
        process.become_image(&image, &spawn.path);
        Task::image(&self.kernel, child, image);
        Ok(pid)
    }

    /// Replaces this process by a program: execve(2). Returns only if that fails.
    pub async fn exec(&mut self, path: &[u8], args: Vec<Vec<u8>>, env: Environment) -> Errno {
        if let Err(errno) = self.flush().await {
            return errno;
        }
        match self.load_image(path, args, env) {
            Ok(image) => {
                self.become_image(&image, path);
                lock(&self.state.inner).next_image = Some(image);
                // The task drops this future and runs the image instead.
                pending().await
            }
            Err(errno) => errno,
        }
    }

    /// Replaces this process by the program of this name, whatever executables there are: how a
    /// multi-call binary runs an applet.
    pub async fn exec_program(
        &mut self,
        name: &[u8],
        args: Vec<Vec<u8>>,
        env: Environment,
    ) -> Errno {
        let Some(program) = self.kernel.programs.by_name(name) else {
            return Errno::Enoent;
        };
        if let Err(errno) = self.flush().await {
            return errno;
        }
        let image = Image {
            run: program.run,
            args,
            env,
            complaint: Vec::new(),
        };
        {
            let mut inner = lock(&self.state.inner);
            inner.args.clone_from(&image.args);
            inner.next_image = Some(image);
        }
        pending().await
    }

    /// What a copy of this process's arguments and environment takes.
    fn text_bytes(&self) -> u64 {
        let args: usize = self.args.iter().map(|arg| arg.len() + POINTER_BYTES).sum();
        (COPIES * (args + self.env.size())) as u64
    }

    fn new_child(&self) -> Result<Arc<ProcessState>, Errno> {
        self.check_process_limit()?;
        let mut text = Held::new(Arc::clone(&self.kernel.memory));
        text.grow(self.text_bytes()).map_err(|_| Errno::Enomem)?;
        let pid = self.kernel.new_pid()?;
        let inner = lock(&self.state.inner);
        let child = ProcessState::start(Start {
            pid,
            ppid: self.state.pid,
            group: inner.group,
            session: inner.session,
            credentials: Arc::clone(&inner.credentials),
            umask: inner.umask,
            directory: inner.directory,
            directory_path: inner.directory_path.clone(),
            fds: inner.fds.clone(),
            tty: inner.tty.clone(),
            started: self.kernel.clock.monotonic(),
            env: inner.env.clone(),
            args: inner.args.clone(),
        });
        {
            let mut copy = lock(&child.inner);
            copy.dispositions.clone_from(&inner.dispositions);
            copy.name.clone_from(&inner.name);
            copy.executable.clone_from(&inner.executable);
            copy.limits.clone_from(&inner.limits);
            copy.real = inner.real;
            copy.saved = inner.saved;
            copy.login_uid = inner.login_uid;
            copy.nice = inner.nice;
            copy.text = Some(text);
        }
        drop(inner);
        child.watch_limits(&self.kernel);
        self.kernel.insert(&child);
        Ok(child)
    }

    /// Finds what an executable file runs, through as many interpreters as Linux allows.
    fn load_image(
        &self,
        path: &[u8],
        mut args: Vec<Vec<u8>>,
        env: Environment,
    ) -> Result<Image, Errno> {
        let size: usize = args.iter().map(|arg| arg.len() + 1).sum();
        if size + env.size() > ARG_MAX {
            return Err(Errno::E2big);
        }
        let mut path = path.to_vec();
        for _ in 0..=MAX_INTERPRETERS {
            let (head, of_image) = self.read_head(&path)?;
            let runs = runs_on(&self.kernel.facts.machine, &head);
            let id = build_id_of(&head).filter(|_| runs || head.starts_with(b"#!"));
            if let Some(program) = id.and_then(|id| self.kernel.programs.by_build_id(&id)) {
                let complaint = self.preload_complaint(&env, &head);
                return Ok(Image {
                    run: program.run,
                    args,
                    env,
                    complaint,
                });
            }
            if id.is_some_and(|id| is_of_an_image(&id)) || (of_image && runs) {
                let path = self.absolute(&path);
                self.log_denied(&path);
                self.observe(Observation::MissingProgram {
                    pid: self.state.pid,
                    path,
                    args,
                });
                return Err(Errno::Eacces);
            }
            if let Some(line) = head.strip_prefix(b"#!") {
                let (interpreter, argument) = interpreter_of(line).ok_or(Errno::Enoexec)?;
                let mut new_args = vec![interpreter.clone()];
                new_args.extend(argument);
                new_args.push(path);
                new_args.extend(args.into_iter().skip(1));
                (path, args) = (interpreter, new_args);
                continue;
            }
            if !runs {
                return Err(Errno::Enoexec);
            }
            self.observe(Observation::ForeignExecutable {
                pid: self.state.pid,
                path: self.absolute(&path),
            });
            return Ok(Image {
                run: foreign,
                args,
                env,
                complaint: Vec::new(),
            });
        }
        Err(Errno::Eloop)
    }

    /// The first bytes of an executable, and whether the file is as the image has it.
    fn read_head(&self, path: &[u8]) -> Result<(Vec<u8>, bool), Errno> {
        self.with_fs(|fs, cx| {
            let ino = fs.resolve(cx, path, true)?;
            let metadata = fs.metadata(cx, ino)?;
            if metadata.file_type != FileType::Regular {
                return Err(Errno::Eacces);
            }
            fs.access(cx, ino, Access::Execute)?;
            if fs.has_option(metadata.dev, b"noexec") {
                return Err(Errno::Eacces);
            }
            let mut head = vec![0; HEAD_BYTES];
            let count = fs.read_at(ino, 0, &mut head)?;
            head.truncate(count);
            Ok((head, fs.is_untouched(ino)))
        })
    }

    /// What `execve` changes besides the program: name, close-on-exec, caught signals, set-id bits.
    fn become_image(&self, image: &Image, path: &[u8]) {
        // As the kernel names it: without links, so that `/bin/bash` is `/usr/bin/bash`.
        let executable = self.real_path(path).unwrap_or_else(|_| self.absolute(path));
        let base = path.rsplit(|&byte| byte == b'/').next().unwrap_or(path);
        let set_id = self
            .stat(path)
            .ok()
            .filter(|metadata| metadata.mode & 0o6000 != 0)
            // Linux ignores the bits of scripts and on file systems mounted `nosuid`.
            .filter(|metadata| {
                let script = self
                    .read_head(path)
                    .is_ok_and(|(head, _)| head.starts_with(b"#!"));
                !script && !self.with_fs(|fs, _| fs.has_option(metadata.dev, b"nosuid"))
            });
        self.observe(Observation::Exec {
            pid: self.state.pid,
            path: executable.clone(),
            args: image.args.clone(),
        });
        let mut inner = lock(&self.state.inner);
        inner.name = base.iter().copied().take(15).collect();
        inner.args.clone_from(&image.args);
        inner.env.clone_from(&image.env);
        inner.executable = executable;
        inner
            .dispositions
            .retain(|_, disposition| *disposition == Disposition::Ignore);
        inner.pending = 0;
        if let Some(metadata) = set_id {
            let mut credentials = (*inner.credentials).clone();
            if metadata.mode & 0o4000 != 0 {
                credentials.uid = metadata.uid;
            }
            if metadata.mode & 0o2000 != 0 {
                credentials.gid = metadata.gid;
            }
            inner.credentials = Arc::new(credentials);
        }
        let args: usize = image.args.iter().map(|arg| arg.len() + POINTER_BYTES).sum();
        let bytes = (COPIES * (args + image.env.size())) as u64;
        let memory = &self.kernel.memory;
        let text = inner
            .text
            .get_or_insert_with(|| Held::new(Arc::clone(memory)));
        text.set(bytes);
        inner.saved = (inner.credentials.uid, inner.credentials.gid);
        let closed = inner.fds.take_close_on_exec();
        drop(inner);
        drop(closed);
    }
}

/// Interpreter and its one argument from a script's first line, without the `#!`.
fn interpreter_of(line: &[u8]) -> Option<(Vec<u8>, Option<Vec<u8>>)> {
    // A carriage return is part of the name, as Linux has it: `#!/bin/sh\r` is not found.
    let blank = |byte: &u8| matches!(byte, b' ' | b'\t');
    let trimmed = |text: &[u8]| -> Vec<u8> {
        let start = text.iter().position(|byte| !blank(byte));
        let end = text.iter().rposition(|byte| !blank(byte));
        let part = start
            .zip(end)
            .and_then(|(start, end)| text.get(start..=end));
        part.unwrap_or_default().to_vec()
    };
    let line = trimmed(line.split(|&byte| byte == b'\n').next()?);
    let end = line.iter().position(blank).unwrap_or(line.len());
    let (interpreter, rest) = line.split_at(end);
    let rest = trimmed(rest);
    (!interpreter.is_empty()).then(|| (interpreter.to_vec(), (!rest.is_empty()).then_some(rest)))
}

/// A binary brought in from outside: it is not run. It looks like one that crashed at once, which
/// is what a dropper's wrong build does.
fn foreign(process: &mut Process) -> futures_util::future::BoxFuture<'_, ExitStatus> {
    Box::pin(async move {
        process.kernel.signal(&process.state, Signal::SEGV);
        pending().await
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_interpreter_line_has_at_most_one_argument() {
        assert_eq!(
            interpreter_of(b"/bin/sh\necho"),
            Some((b"/bin/sh".to_vec(), None))
        );
        assert_eq!(
            interpreter_of(b" /usr/bin/env  bash -x \n"),
            Some((b"/usr/bin/env".to_vec(), Some(b"bash -x".to_vec())))
        );
        assert_eq!(interpreter_of(b"\n"), None);
    }
}
