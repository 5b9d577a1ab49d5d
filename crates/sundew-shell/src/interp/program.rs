//! Programs: finding them, starting them, saying why that failed.

use sundew_kernel::environment::Environment;
use sundew_kernel::observe::Observation;
use sundew_kernel::{Errno, ExitStatus, Process};
use sundew_sh_syntax::ast::Command;
use sundew_sh_syntax::{Dialect, unparse};
use sundew_vfs::{Access, FileType};

use super::{Lookup, Place};
use crate::builtin;
use crate::shell::{Flow, Run, Shell};

impl Shell {
    /// What a name leads to, in the order of POSIX XCU §2.9.1.
    pub(crate) fn look_up(&mut self, proc: &Process, name: &[u8]) -> Lookup {
        if name.contains(&b'/') {
            return Lookup::Path(name.to_vec());
        }
        if let Some(function) = self.functions.get(name) {
            return Lookup::Function(function.clone());
        }
        if let Some(builtin) = builtin::find(self, name) {
            return Lookup::Builtin(builtin);
        }
        self.find_program(proc, name)
            .map_or(Lookup::NotFound, Lookup::Path)
    }

    /// The same, functions and builtins passed over.
    pub(crate) fn look_up_program(&mut self, proc: &Process, name: &[u8]) -> Lookup {
        if name.contains(&b'/') {
            return Lookup::Path(name.to_vec());
        }
        self.find_program(proc, name)
            .map_or(Lookup::NotFound, Lookup::Path)
    }

    /// Searches `$PATH`, and remembers what it finds.
    pub(crate) fn find_program(&mut self, proc: &Process, name: &[u8]) -> Option<Vec<u8>> {
        if let Some((path, _)) = self.hashed.get(name)
            && proc.access(path, Access::Execute).is_ok()
        {
            return self.hashed.take(name);
        }
        let path = self.search_path(proc, name)?;
        if path.starts_with(b"/") && self.options.is_set("hashall") {
            self.hashed.insert(name.to_vec(), (path.clone(), 1));
        }
        Some(path)
    }

    /// Searches `$PATH`: an executable file first, else one that is not executable.
    pub(crate) fn search_path(&self, proc: &Process, name: &[u8]) -> Option<Vec<u8>> {
        if name.is_empty() {
            return None;
        }
        let path = self.variables.scalar(b"PATH").unwrap_or_default();
        if path.is_empty() && self.is_bash() {
            // Without a path the name is the path.
            return Some(name.to_vec());
        }
        let mut second = None;
        for directory in path.split(|&byte| byte == b':') {
            let directory = if directory.is_empty() {
                b"."
            } else {
                directory
            };
            let candidate = [directory, b"/", name].concat();
            let Ok(metadata) = proc.stat(&candidate) else {
                continue;
            };
            if metadata.file_type != FileType::Regular {
                continue;
            }
            if proc.access(&candidate, Access::Execute).is_ok() {
                return Some(candidate);
            }
            second.get_or_insert(candidate);
        }
        second
    }

    pub(super) async fn run_program(
        &mut self,
        proc: &mut Process,
        path: Option<Vec<u8>>,
        args: Vec<Vec<u8>>,
        command: &Command,
        place: Place,
    ) -> Run {
        if path.is_none()
            && self
                .functions
                .contains_key(b"command_not_found_handle".as_slice())
            && self.is_bash()
        {
            let mut handler_args = vec![b"command_not_found_handle".to_vec()];
            handler_args.extend(args);
            if let Some(function) = self
                .functions
                .get(b"command_not_found_handle".as_slice())
                .cloned()
            {
                return self.call_function(proc, &function, handler_args).await;
            }
            return Ok(());
        }
        if place == Place::Last && self.traps.none_waits() {
            self.flush_output(proc).await;
            self.reset_signals(proc);
            if self.is_bash() {
                self.change_level(-1);
            }
            return self
                .become_program(proc, path, args, &command.redirects)
                .await;
        }
        let mut shell = self.to_subshell(proc);
        shell.subshell = self.subshell;
        let job_control = self.job_control();
        let redirects = command.redirects.clone();
        let text = unparse::command(command);
        let pid = self
            .fork(proc, move |mut child| {
                Box::pin(async move {
                    shell.enter_child(&mut child, job_control, None);
                    let _ended = shell
                        .become_program(&mut child, path, args, &redirects)
                        .await;
                    ExitStatus::Exited(shell.status)
                })
            })
            .await?;
        self.place_child(proc, pid, pid, true);
        self.wait_pipeline(proc, &[pid], vec![text]).await
    }

    /// In a process of its own: redirections, assignments, execve. Returns only when that failed.
    pub(crate) async fn become_program(
        &mut self,
        proc: &mut Process,
        path: Option<Vec<u8>>,
        args: Vec<Vec<u8>>,
        redirects: &[sundew_sh_syntax::ast::Redirect],
    ) -> Run {
        self.close_process_descriptors_of_parent();
        if self.redirect(proc, redirects, None).await.is_err() {
            self.status = self.redirection_status();
            return Err(Flow::Exit);
        }
        let name = args.first().cloned().unwrap_or_default();
        let Some(path) = path else {
            proc.observe(Observation::CommandNotFound {
                pid: proc.pid(),
                args: args.clone(),
            });
            let text = match self.dialect {
                Dialect::Bash => {
                    let shown = crate::expand::transform::printable(&name);
                    [shown.as_slice(), b": command not found"].concat()
                }
                _ if name.is_empty() => {
                    [b": ".as_slice(), Errno::Eacces.message().as_bytes()].concat()
                }
                _ => [name.as_slice(), b": not found"].concat(),
            };
            self.complain(proc, &text).await;
            self.status = 127;
            return Err(Flow::Exit);
        };
        let env = self.environment_for(&path);
        let errno = proc.exec(&path, args.clone(), env).await;
        self.exec_failed(proc, &path, args, errno).await
    }

    /// What a program gets: exported variables, with `_` as bash sets it.
    pub(crate) fn environment_for(&self, path: &[u8]) -> Environment {
        let mut env = self.variables.environment();
        if self.is_bash() {
            env.set(*b"_", path);
            for (name, function) in self
                .functions
                .iter()
                .filter(|(_, function)| function.exported)
            {
                let variable = [b"BASH_FUNC_".as_slice(), name, b"%%"].concat();
                env.set(variable, exported_function(name, &function.body));
            }
        }
        env
    }

    /// After a failed execve: a text without `#!` is run as a script, the rest is complained of.
    async fn exec_failed(
        &mut self,
        proc: &mut Process,
        path: &[u8],
        args: Vec<Vec<u8>>,
        errno: Errno,
    ) -> Run {
        let metadata = proc.stat(path);
        let is_directory = metadata
            .as_ref()
            .is_ok_and(|metadata| metadata.file_type == FileType::Directory);
        if errno == Errno::Enoexec && !is_directory {
            match proc.read_small_file(path) {
                // BusyBox reads whatever the kernel does not run, be it another machine's program.
                Ok(head) if self.dialect == Dialect::Ash || looks_like_text(&head) => {
                    return self.run_as_script(proc, path, args).await;
                }
                Ok(_) => {
                    let what: &[u8] = if self.is_bash() {
                        b": cannot execute binary file: "
                    } else {
                        b": "
                    };
                    let text = [path, what, errno.message().as_bytes()].concat();
                    self.complain(proc, text).await;
                    self.status = 126;
                    return Err(Flow::Exit);
                }
                Err(_) => {}
            }
        }
        let missing_interpreter = errno == Errno::Enoent && metadata.is_ok();
        let reason = match (self.dialect, is_directory, errno) {
            (Dialect::Bash, true, _) => Errno::Eisdir.message().to_owned(),
            (Dialect::Bash, _, _) if missing_interpreter => {
                "cannot execute: required file not found".to_owned()
            }
            (Dialect::Bash, _, errno) => errno.message().to_owned(),
            (_, true, _) => Errno::Eacces.message().to_owned(),
            (_, _, Errno::Enoent) => "not found".to_owned(),
            (_, _, errno) => errno.message().to_owned(),
        };
        self.complain(proc, [path, b": ", reason.as_bytes()].concat())
            .await;
        self.status = if errno == Errno::Enoent && !missing_interpreter {
            127
        } else {
            126
        };
        if missing_interpreter {
            self.status = 127;
        }
        if self.status == 127 {
            proc.observe(Observation::CommandNotFound {
                pid: proc.pid(),
                args,
            });
        }
        Err(Flow::Exit)
    }

    /// A script without `#!`: read by a fresh shell of the same kind in this process.
    async fn run_as_script(&mut self, proc: &mut Process, path: &[u8], args: Vec<Vec<u8>>) -> Run {
        let name: &[u8] = match self.dialect {
            Dialect::Bash => b"bash",
            Dialect::Dash => b"dash",
            Dialect::Ash => b"ash",
        };
        let mut script_args = vec![self.arg0_of_children(), path.to_vec()];
        script_args.extend(args.into_iter().skip(1));
        let env = self.environment_for(path);
        let errno = proc.exec_program(name, script_args, env).await;
        self.complain(proc, [path, b": ", errno.message().as_bytes()].concat())
            .await;
        self.status = 126;
        Err(Flow::Exit)
    }

    fn arg0_of_children(&self) -> Vec<u8> {
        match self.dialect {
            Dialect::Bash => b"bash".to_vec(),
            _ => b"sh".to_vec(),
        }
    }
}

/// A function as its value in the environment: `() {  echo a;\n echo b\n}`, without indentation.
fn exported_function(name: &[u8], body: &Command) -> Vec<u8> {
    let text = unparse::function(name, body);
    let start = text
        .iter()
        .position(|&byte| byte == b'\n')
        .map_or(0, |at| at + 1);
    let mut out = b"() ".to_vec();
    let lines: Vec<&[u8]> = text
        .get(start..)
        .unwrap_or_default()
        .split(|&byte| byte == b'\n')
        .collect();
    for (index, line) in lines.iter().enumerate() {
        let last = index + 1 == lines.len();
        match index {
            0 => out.extend_from_slice(line),
            _ if last => out.extend_from_slice(line),
            1 => {
                out.push(b' ');
                out.extend_from_slice(line.trim_ascii_start());
            }
            _ => {
                out.push(b' ');
                out.extend_from_slice(line.trim_ascii_start());
            }
        }
        if !last && index > 0 {
            out.push(b'\n');
        }
    }
    out
}

/// Bash's test: no NUL byte in the first line.
fn looks_like_text(head: &[u8]) -> bool {
    if head.starts_with(b"\x7fELF") {
        return false;
    }
    let first = head.iter().take(80).take_while(|byte| **byte != b'\n');
    !first.copied().any(|byte| byte == 0)
}
