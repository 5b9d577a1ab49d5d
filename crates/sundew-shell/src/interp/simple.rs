//! Simple commands: assignments, then a function, a builtin or a program.

use sundew_kernel::environment::Environment;
use sundew_kernel::observe::Observation;
use sundew_kernel::{Errno, ExitStatus, Process};
use sundew_sh_syntax::ast::{ArrayElement, Assignment, Command, Simple, Value as AssignedValue};
use sundew_sh_syntax::{Dialect, unparse};
use sundew_vfs::{Access, FileType};

use super::Place;
use crate::builtin::{self, Builtin};
use crate::redirect::Undo;
use crate::shell::{Flow, Function, Run, Shell};
use crate::variable::{AssignError, Value};

/// What a command's name leads to.
#[derive(Clone)]
pub(crate) enum Lookup {
    Function(Function),
    Builtin(&'static Builtin),
    /// A program, or a path that was given.
    Path(Vec<u8>),
    NotFound,
}

impl Shell {
    pub(super) async fn run_simple(
        &mut self,
        proc: &mut Process,
        simple: &Simple,
        command: &Command,
        place: Place,
    ) -> Run {
        self.substitution_status = None;
        let args = self.command_words(proc, simple).await?;
        if args.is_empty() {
            return self.run_bare(proc, simple, command).await;
        }
        self.trace(proc, &simple.assignments, &args).await;
        if self.traps.command(crate::trap::Condition::Debug).is_some() {
            self.run_trap(proc, crate::trap::Condition::Debug).await?;
        }
        let name = args.first().cloned().unwrap_or_default();
        let last = args.last().cloned().unwrap_or_default();
        let result = match self.look_up(proc, &name) {
            Lookup::Function(function) => {
                self.run_function_command(proc, function, args, simple, command)
                    .await
            }
            Lookup::Builtin(builtin) => {
                self.run_builtin(proc, builtin, args, simple, command).await
            }
            Lookup::Path(path) => {
                self.run_program(proc, Some(path), args, simple, command, place)
                    .await
            }
            Lookup::NotFound => {
                self.run_program(proc, None, args, simple, command, place)
                    .await
            }
        };
        self.drop_process_descriptors(proc);
        if self.is_bash() {
            self.variables.set_own(b"_", last);
        }
        result?;
        self.check_failure(proc).await
    }

    /// The words of a command, expanded; array arguments of declaring builtins are set aside.
    async fn command_words(
        &mut self,
        proc: &mut Process,
        simple: &Simple,
    ) -> Result<Vec<Vec<u8>>, Flow> {
        self.array_arguments.clear();
        let Some((first, rest)) = simple.words.split_first() else {
            return Ok(Vec::new());
        };
        let mut args = self.expand_words(proc, std::slice::from_ref(first)).await?;
        let declares = args
            .first()
            .is_some_and(|name| builtin::takes_assignments(name))
            && args.len() == 1;
        if !declares {
            args.extend(self.expand_words(proc, rest).await?);
            return Ok(args);
        }
        for word in rest {
            match word.to_assignment() {
                Some(assignment) => {
                    self.assignment_argument(proc, assignment, &mut args)
                        .await?
                }
                None => args.extend(self.expand_words(proc, std::slice::from_ref(word)).await?),
            }
        }
        Ok(args)
    }

    /// `export a=$b`: the value is neither split nor matched against files.
    async fn assignment_argument(
        &mut self,
        proc: &mut Process,
        assignment: Assignment,
        args: &mut Vec<Vec<u8>>,
    ) -> Run {
        let mut text = assignment.name.to_vec();
        match &assignment.value {
            AssignedValue::Array(_) => {
                self.array_arguments.push((args.len(), assignment));
            }
            AssignedValue::Scalar(word) => {
                if let Some(index) = &assignment.index {
                    let index = self.expand_quoted(proc, index).await?;
                    text = [text.as_slice(), b"[", &index, b"]"].concat();
                }
                let value = self.expand_string(proc, word).await?;
                let sign: &[u8] = if assignment.append { b"+=" } else { b"=" };
                text = [text.as_slice(), sign, &value].concat();
            }
        }
        args.push(text);
        Ok(())
    }

    /// Assignments and redirections without a command.
    async fn run_bare(&mut self, proc: &mut Process, simple: &Simple, command: &Command) -> Run {
        let mut undo = Undo::default();
        let redirected = self
            .redirect(proc, &command.redirects, Some(&mut undo))
            .await;
        undo.restore(proc);
        if redirected.is_err() {
            self.status = 1;
            return self.check_failure(proc).await;
        }
        if !simple.assignments.is_empty() || !command.redirects.is_empty() {
            self.status = 0;
        }
        for assignment in &simple.assignments {
            self.run_assignment(proc, assignment).await?;
        }
        if self.options.is_set("xtrace") && !simple.assignments.is_empty() {
            self.trace(proc, &simple.assignments, &[]).await;
        }
        if self.charge_memory().is_err() {
            proc.out_of_memory().await;
        }
        if let Some(status) = self.substitution_status.take() {
            self.status = status;
        } else if simple.assignments.is_empty() && command.redirects.is_empty() {
            // A word that expanded to nothing leaves the status of its substitution.
            self.status = 0;
        }
        self.check_failure(proc).await
    }

    /// `set -x`
    async fn trace(&mut self, proc: &mut Process, assignments: &[Assignment], args: &[Vec<u8>]) {
        if !self.options.is_set("xtrace") {
            return;
        }
        let prefix = self.trace_prefix(proc).await;
        let mut lines = Vec::new();
        for assignment in assignments {
            lines.extend_from_slice(&prefix);
            lines.extend_from_slice(&assignment.name);
            lines.push(b'=');
            if let Some(value) = self.variables.scalar(&assignment.name) {
                lines.extend_from_slice(&crate::expand::transform::quote_if_needed(value));
            }
            lines.push(b'\n');
        }
        if !args.is_empty() {
            let words: Vec<Vec<u8>> = args
                .iter()
                .map(|arg| crate::expand::transform::quote_if_needed(arg))
                .collect();
            lines.extend_from_slice(&prefix);
            lines.extend_from_slice(&words.join(&b' '));
            lines.push(b'\n');
        }
        proc.print_error(&lines).await;
    }

    async fn trace_prefix(&mut self, proc: &mut Process) -> Vec<u8> {
        let ps4 = self
            .variables
            .scalar(b"PS4")
            .map_or_else(|| b"+ ".to_vec(), <[u8]>::to_vec);
        let was = self.options.is_set("xtrace");
        self.options.set("xtrace", false);
        let text = self.expand_text(proc, &ps4).await.unwrap_or(ps4);
        self.options.set("xtrace", was);
        let Some((first, rest)) = text.split_first() else {
            return text;
        };
        let repeats = usize::try_from(self.subshell).unwrap_or(0) + 1;
        [vec![*first; repeats.min(16)].as_slice(), rest].concat()
    }

    // ---- assignments ---------------------------------------------------------------------------

    /// Performs one assignment.
    pub(crate) async fn run_assignment(
        &mut self,
        proc: &mut Process,
        assignment: &Assignment,
    ) -> Run {
        match &assignment.value {
            AssignedValue::Array(elements) => {
                self.assign_array(proc, &assignment.name, elements, assignment.append, false)
                    .await
            }
            AssignedValue::Scalar(word) => {
                let value = self.expand_string(proc, word).await?;
                match &assignment.index {
                    Some(index) => {
                        let index = self.expand_quoted(proc, index).await?;
                        let value = if assignment.append {
                            let old = self.element(proc, &assignment.name, &index).await?;
                            [old.unwrap_or_default(), value].concat()
                        } else {
                            value
                        };
                        self.assign_element(proc, &assignment.name, &index, value)
                            .await
                    }
                    None if assignment.append => self.append(proc, &assignment.name, value).await,
                    None => self.assign(proc, &assignment.name, value).await,
                }
            }
        }
    }

    /// `name+=value`: added for integers, joined for strings.
    pub(crate) async fn append(&mut self, proc: &mut Process, name: &[u8], value: Vec<u8>) -> Run {
        let old = self.variables.scalar(name).unwrap_or_default().to_vec();
        let integer = self
            .variables
            .variable(name)
            .is_some_and(|variable| variable.attributes.integer);
        let value = if integer {
            [old.as_slice(), b"+(", &value, b")"].concat()
        } else {
            [old, value].concat()
        };
        self.assign(proc, name, value).await
    }

    /// `name=value`, with what the shell does beside for some names.
    pub(crate) async fn assign(&mut self, proc: &mut Process, name: &[u8], value: Vec<u8>) -> Run {
        let value = self.integer_value(proc, name, value).await?;
        match name {
            b"RANDOM" if self.is_bash() => {
                self.random = Some(
                    std::str::from_utf8(&value)
                        .ok()
                        .and_then(|text| text.parse().ok())
                        .unwrap_or(0),
                );
            }
            b"SECONDS" if self.is_bash() => {
                let seconds: u64 = std::str::from_utf8(&value)
                    .ok()
                    .and_then(|text| text.parse().ok())
                    .unwrap_or(0);
                let now = proc.monotonic();
                self.seconds_from = now.saturating_sub(std::time::Duration::from_secs(seconds));
            }
            b"OPTIND" => self.getopts_at = 0,
            b"PATH" => self.hashed.clear(),
            _ => {}
        }
        let assigned = self.variables.set(name, value);
        if self.options.is_set("allexport") {
            self.variables
                .modify(name, |variable| variable.attributes.exported = true);
        }
        self.check_assigned(proc, name, assigned).await
    }

    /// For a variable with `-i` the value is an expression.
    pub(crate) async fn integer_value(
        &mut self,
        proc: &mut Process,
        name: &[u8],
        value: Vec<u8>,
    ) -> Result<Vec<u8>, Flow> {
        if !self
            .variables
            .variable(name)
            .is_some_and(|variable| variable.attributes.integer)
        {
            return Ok(value);
        }
        Ok(self
            .arithmetic(proc, &value)
            .await?
            .to_string()
            .into_bytes())
    }

    pub(crate) async fn check_assigned(
        &mut self,
        proc: &mut Process,
        name: &[u8],
        assigned: Result<(), AssignError>,
    ) -> Run {
        match assigned {
            Ok(()) => Ok(()),
            Err(AssignError::Readonly) if self.is_bash() => {
                self.fatal(proc, 1, [name, b": readonly variable"].concat())
                    .await
            }
            Err(AssignError::Readonly) => {
                self.fatal(proc, 2, [name, b": is read only"].concat())
                    .await
            }
            Err(AssignError::Circular) => {
                self.complain(
                    proc,
                    [b"warning: ".as_slice(), name, b": circular name reference"].concat(),
                )
                .await;
                Ok(())
            }
        }
    }

    /// `name=(…)`
    pub(crate) async fn assign_array(
        &mut self,
        proc: &mut Process,
        name: &[u8],
        elements: &[ArrayElement],
        append: bool,
        associative: bool,
    ) -> Run {
        if self
            .variables
            .variable(name)
            .is_some_and(|variable| variable.attributes.readonly)
        {
            return self
                .check_assigned(proc, name, Err(AssignError::Readonly))
                .await;
        }
        let associative = associative
            || matches!(
                self.variables
                    .variable(name)
                    .and_then(|variable| variable.value.as_ref()),
                Some(Value::Associative(_))
            );
        // The new values may use the old ones: expand first, then change.
        let mut plain = Vec::new();
        let mut keyed = Vec::new();
        for element in elements {
            proc.tick().await;
            match element {
                ArrayElement::Word(word) => {
                    for value in self.expand_words(proc, std::slice::from_ref(word)).await? {
                        plain.push((None, value, false));
                    }
                }
                ArrayElement::At {
                    index,
                    append,
                    value,
                } => {
                    let index = self.expand_quoted(proc, index).await?;
                    let value = self.expand_string(proc, value).await?;
                    plain.push((Some(index), value, *append));
                }
            }
        }
        if !append {
            self.variables.modify(name, |variable| {
                variable.value = Some(if associative {
                    Value::Associative(std::collections::BTreeMap::new())
                } else {
                    Value::Indexed(std::collections::BTreeMap::new())
                });
            });
        } else if !associative {
            self.variables.modify(name, |variable| {
                crate::variable::to_indexed(variable);
            });
        }
        let mut next = match self
            .variables
            .variable(name)
            .and_then(|variable| variable.value.as_ref())
        {
            Some(Value::Indexed(elements)) => {
                elements.last_key_value().map_or(0, |(key, _)| key + 1)
            }
            _ => 0,
        };
        let mut pending_key: Option<Vec<u8>> = None;
        for (index, value, add) in plain {
            match index {
                Some(index) if associative => keyed.push((index, value)),
                Some(index) => {
                    let value = if add {
                        [
                            self.element(proc, name, &index).await?.unwrap_or_default(),
                            value,
                        ]
                        .concat()
                    } else {
                        value
                    };
                    next = self.arithmetic(proc, &index).await?;
                    self.assign_element(proc, name, next.to_string().as_bytes(), value)
                        .await?;
                    next += 1;
                }
                // `declare -A a=(key value key value)`
                None if associative => match pending_key.take() {
                    Some(key) => keyed.push((key, value)),
                    None => pending_key = Some(value),
                },
                None => {
                    let value = self.integer_value(proc, name, value).await?;
                    let assigned = self.variables.set_element(name, next, value);
                    self.check_assigned(proc, name, assigned).await?;
                    next += 1;
                }
            }
        }
        if let Some(key) = pending_key {
            keyed.push((key, Vec::new()));
        }
        for (key, value) in keyed {
            let assigned = self.variables.set_key(name, key, value);
            self.check_assigned(proc, name, assigned).await?;
        }
        if self.charge_memory().is_err() {
            proc.out_of_memory().await;
        }
        Ok(())
    }

    // ---- functions and builtins ----------------------------------------------------------------

    /// Performs assignments in front of a command for as long as it runs; how to undo them.
    async fn temporary_assignments(
        &mut self,
        proc: &mut Process,
        assignments: &[Assignment],
    ) -> Result<Vec<(Vec<u8>, Option<crate::variable::Variable>)>, Flow> {
        let mut before = Vec::new();
        for assignment in assignments {
            before.push((
                assignment.name.to_vec(),
                self.variables.raw(&assignment.name).cloned(),
            ));
            self.run_assignment(proc, assignment).await?;
            self.variables.modify(&assignment.name, |variable| {
                variable.attributes.exported = true
            });
        }
        Ok(before)
    }

    fn undo_assignments(&mut self, before: Vec<(Vec<u8>, Option<crate::variable::Variable>)>) {
        for (name, variable) in before.into_iter().rev() {
            match variable {
                Some(old) => self.variables.modify(&name, |variable| *variable = old),
                None => {
                    self.variables.unset_raw(&name);
                }
            }
        }
    }

    async fn run_function_command(
        &mut self,
        proc: &mut Process,
        function: Function,
        args: Vec<Vec<u8>>,
        simple: &Simple,
        command: &Command,
    ) -> Run {
        let mut undo = Undo::default();
        if self
            .redirect(proc, &command.redirects, Some(&mut undo))
            .await
            .is_err()
        {
            undo.restore(proc);
            self.status = 1;
            return Ok(());
        }
        let before = self
            .temporary_assignments(proc, &simple.assignments)
            .await?;
        let result = self.call_function(proc, &function, args).await;
        self.undo_assignments(before);
        self.flush_output(proc).await;
        undo.restore(proc);
        result
    }

    async fn run_builtin(
        &mut self,
        proc: &mut Process,
        builtin: &'static Builtin,
        args: Vec<Vec<u8>>,
        simple: &Simple,
        command: &Command,
    ) -> Run {
        let mut undo = Undo::default();
        if self
            .redirect(proc, &command.redirects, Some(&mut undo))
            .await
            .is_err()
        {
            undo.restore(proc);
            self.status = if self.is_bash() { 1 } else { 2 };
            // In dash an error of a special builtin ends the shell.
            return if builtin.special && !self.is_bash() && !self.interactive {
                Err(Flow::Exit)
            } else {
                Ok(())
            };
        }
        let keeps = builtin.special && !self.is_bash();
        let before = if keeps {
            for assignment in &simple.assignments {
                self.run_assignment(proc, assignment).await?;
            }
            Vec::new()
        } else {
            self.temporary_assignments(proc, &simple.assignments)
                .await?
        };
        let result = (builtin.run)(self, proc, &args).await;
        let result = match result {
            Ok(status) => {
                self.status = status;
                self.finish_builtin(proc, &args).await;
                Ok(())
            }
            Err(flow) => {
                self.flush_output(proc).await;
                Err(flow)
            }
        };
        self.undo_assignments(before);
        if std::mem::take(&mut self.keep_redirections) {
            undo.keep(proc);
        } else {
            undo.restore(proc);
        }
        if self.charge_memory().is_err() {
            proc.out_of_memory().await;
        }
        result
    }

    /// Writes what a builtin printed; a failure is the builtin's.
    async fn finish_builtin(&mut self, proc: &mut Process, args: &[Vec<u8>]) {
        if let Err(errno) = proc.flush().await {
            proc.discard_output();
            let name = args.first().map(Vec::as_slice).unwrap_or_default();
            self.complain(
                proc,
                [name, b": write error: ", errno.message().as_bytes()].concat(),
            )
            .await;
            self.status = 1;
        }
        proc.discard_output();
    }

    // ---- programs ------------------------------------------------------------------------------

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
        if let Some((path, hits)) = self.hashed.get_mut(name)
            && proc.access(path, Access::Execute).is_ok()
        {
            *hits += 1;
            return Some(path.clone());
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

    async fn run_program(
        &mut self,
        proc: &mut Process,
        path: Option<Vec<u8>>,
        args: Vec<Vec<u8>>,
        simple: &Simple,
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
        if place == Place::Last && self.traps.command(crate::trap::Condition::Exit).is_none() {
            self.flush_output(proc).await;
            self.reset_signals(proc);
            return self
                .become_program(proc, path, args, &simple.assignments, &command.redirects)
                .await;
        }
        let mut shell = self.to_subshell(proc);
        shell.subshell = self.subshell;
        let job_control = self.job_control();
        let (assignments, redirects) = (simple.assignments.clone(), command.redirects.clone());
        let text = unparse::command(command);
        let pid = self
            .fork(proc, move |mut child| {
                Box::pin(async move {
                    shell.enter_child(&mut child, job_control, None);
                    let _ended = shell
                        .become_program(&mut child, path, args, &assignments, &redirects)
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
        assignments: &[Assignment],
        redirects: &[sundew_sh_syntax::ast::Redirect],
    ) -> Run {
        self.close_process_descriptors_of_parent();
        if self.redirect(proc, redirects, None).await.is_err() {
            self.status = if self.is_bash() { 1 } else { 2 };
            return Err(Flow::Exit);
        }
        for assignment in assignments {
            self.run_assignment(proc, assignment).await?;
            self.variables.modify(&assignment.name, |variable| {
                variable.attributes.exported = true
            });
        }
        let name = args.first().cloned().unwrap_or_default();
        let path = match path {
            Some(path) => path,
            None => {
                proc.observe(Observation::CommandNotFound {
                    pid: proc.pid(),
                    args: args.clone(),
                });
                let text = match self.dialect {
                    Dialect::Bash => [name.as_slice(), b": command not found"].concat(),
                    _ => [name.as_slice(), b": not found"].concat(),
                };
                self.complain(proc, text).await;
                self.status = 127;
                return Err(Flow::Exit);
            }
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
                let text = unparse::function(name, &function.body);
                let body = text
                    .iter()
                    .position(|&byte| byte == b'(')
                    .and_then(|at| text.get(at..));
                env.set(variable, body.unwrap_or_default());
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
                Ok(head) if looks_like_text(&head) => {
                    return self.run_as_script(proc, path, args).await;
                }
                Ok(_) => {
                    let text = match self.dialect {
                        Dialect::Bash => {
                            [path, b": cannot execute binary file: Exec format error"].concat()
                        }
                        Dialect::Dash => [path, b": Exec format error"].concat(),
                        Dialect::Ash => [path, b": Exec format error"].concat(),
                    };
                    self.complain(proc, text).await;
                    self.status = 126;
                    return Err(Flow::Exit);
                }
                Err(_) => {}
            }
        }
        let missing_interpreter = errno == Errno::Enoent && metadata.is_ok();
        let reason = match (self.dialect, is_directory, errno) {
            (Dialect::Bash, true, _) => "Is a directory".to_owned(),
            (Dialect::Bash, _, _) if missing_interpreter => {
                "cannot execute: required file not found".to_owned()
            }
            (Dialect::Bash, _, errno) => errno.message().to_owned(),
            (_, true, _) => "Permission denied".to_owned(),
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

    // ---- descriptors of process substitutions --------------------------------------------------

    /// Remembers a descriptor of a process substitution: it lives as long as the command.
    pub(crate) fn process_descriptors(&mut self, fd: sundew_kernel::Fd) {
        self.substitution_descriptors.push(fd);
    }

    fn drop_process_descriptors(&mut self, proc: &Process) {
        for fd in std::mem::take(&mut self.substitution_descriptors) {
            let _open = proc.close(fd);
        }
    }

    /// A child keeps its copies until it ends.
    fn close_process_descriptors_of_parent(&mut self) {
        self.substitution_descriptors.clear();
    }
}

/// Bash's test: no NUL byte in the first line.
fn looks_like_text(head: &[u8]) -> bool {
    let first = head.iter().take(80).take_while(|byte| **byte != b'\n');
    !first.copied().any(|byte| byte == 0)
}
