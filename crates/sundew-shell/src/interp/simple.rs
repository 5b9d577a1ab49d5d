//! Simple commands: assignments, then a function, a builtin or a program.

use sundew_kernel::Process;
use sundew_sh_syntax::ast::{Assignment, Command, Part, Simple, Value as AssignedValue};
use sundew_sh_syntax::{Dialect, braces};

use super::Place;
use crate::builtin::{self, Builtin};
use crate::redirect::{RedirectFailed, Undo};
use crate::shell::{Flow, Function, Run, Shell};
use crate::words::Words;

/// What a command's name leads to.
#[derive(Clone)]
pub(crate) enum Lookup {
    Function(Function),
    Builtin(&'static Builtin),
    /// A program, or a path that was given.
    Path(Vec<u8>),
    NotFound,
}

/// Variables as they were before the assignments in front of a command.
type Saved = Vec<(Vec<u8>, Option<crate::variable::Variable>)>;

/// What is left when BusyBox has taken `command` and its options away, which it does before it traces.
fn without_command(args: &[Vec<u8>]) -> &[Vec<u8>] {
    let mut rest = args;
    while let Some((b"command", mut after)) = rest
        .split_first()
        .map(|(name, after)| (name.as_slice(), after))
    {
        while let Some((option, behind)) = after.split_first() {
            match option.as_slice() {
                b"-p" => after = behind,
                b"--" => {
                    after = behind;
                    break;
                }
                option if option.starts_with(b"-") => return rest,
                _ => break,
            }
        }
        if after.is_empty() {
            break;
        }
        rest = after;
    }
    rest
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
        let descriptors = self.substitution_descriptors.len();
        // What they take is given back when the command has ended.
        let (mut args, _held) = self.command_words(proc, simple).await?.into_parts();
        if args.is_empty() {
            return self.run_bare(proc, simple, command).await;
        }
        if self.is_bash()
            && let Some([Part::Literal(text), ..]) = simple.words.first().map(|word| &*word.parts)
            && text.starts_with(b"%")
        {
            // A job's name is the command that puts it into the foreground.
            args.insert(0, b"fg".to_vec());
        }
        self.wide_status = None;
        let before = self.assignments_in_front(proc, simple, &args).await?;
        let traced = if self.is_bash() {
            &[]
        } else {
            simple.assignments.as_slice()
        };
        if self.options.is_set("xtrace") {
            let arrays = self.array_arguments.iter();
            let texts: Vec<Vec<u8>> = arrays
                .map(|(_, assignment)| super::assign::traced_array(assignment))
                .collect();
            for text in texts {
                self.trace_text(proc, &text).await;
            }
        }
        let shown = if self.dialect == Dialect::Ash
            && !self.functions.contains_key(b"command".as_slice())
        {
            without_command(&args)
        } else {
            &args
        };
        self.trace(proc, traced, shown).await;
        self.change_directory_for_name(proc, &mut args).await;
        let name = args.first().cloned().unwrap_or_default();
        let last = args.last().cloned().unwrap_or_default();
        let failure_trap = !std::mem::take(&mut self.around_traps.silent_failure)
            && self.traps.command(crate::trap::Condition::Err).is_some();
        let result = match self.look_up(proc, &name) {
            Lookup::Function(function) => {
                super::apart(|| self.run_function_command(proc, function, args, command)).await
            }
            Lookup::Builtin(builtin) => self.run_builtin(proc, builtin, args, command).await,
            Lookup::Path(_) if self.is_restricted() && name.contains(&b'/') => {
                let text = b": restricted: cannot specify `/' in command names";
                self.complain(proc, [name.as_slice(), text].concat()).await;
                self.status = 1;
                Ok(())
            }
            Lookup::Path(path) => {
                super::apart(|| self.run_program(proc, Some(path), args, command, place)).await
            }
            Lookup::NotFound if name == b"[[" && self.dialect == Dialect::Ash => {
                let text = [self.applet_name(), b": missing ]]\n"].concat();
                proc.print_error(&text).await;
                self.status = 2;
                Ok(())
            }
            Lookup::NotFound => {
                super::apart(|| self.run_program(proc, None, args, command, place)).await
            }
        };
        self.undo_assignments(before);
        self.drop_process_descriptors(proc, descriptors);
        if self.is_bash() {
            self.variables.set_own(b"_", last);
        }
        result?;
        if !failure_trap && self.traps.command(crate::trap::Condition::Err).is_some() {
            // A trap that the command itself has set is for those after it, and none is for a simple
            // command within a pipeline.
            return self.check_errexit();
        }
        self.check_failure(proc).await
    }

    /// With `shopt -s autocd` the name of a directory goes there, if a person types it.
    async fn change_directory_for_name(&mut self, proc: &mut Process, args: &mut Vec<Vec<u8>>) {
        let Some(name) = args.first() else {
            return;
        };
        let meant = self.interactive
            && self.is_bash()
            && self.options.shopt("autocd")
            && !matches!(
                self.look_up(proc, name),
                Lookup::Function(_) | Lookup::Builtin(_)
            )
            && self
                .search_path(proc, name)
                .is_none_or(|_| name.contains(&b'/'))
            && proc.stat(name).is_ok_and(|metadata| metadata.is_dir());
        if meant {
            args.splice(0..0, [b"cd".to_vec(), b"--".to_vec()]);
            let shown = [args.join(&b' ').as_slice(), b"\n"].concat();
            proc.print_error(&shown).await;
        }
    }

    /// The words of a command, expanded; array arguments of declaring builtins are set aside.
    async fn command_words(&mut self, proc: &mut Process, simple: &Simple) -> Result<Words, Flow> {
        self.array_arguments.clear();
        let Some((first, rest)) = simple.words.split_first() else {
            return Ok(Words::new());
        };
        let mut args = self.expand_words(proc, std::slice::from_ref(first)).await?;
        let declares = args
            .first()
            .is_some_and(|name| builtin::takes_assignments(name))
            && args.len() == 1;
        if !declares {
            for word in rest {
                if word.parts.iter().any(|part| matches!(part, Part::Array(_))) {
                    // `let a=(1)` and `eval a=(1)` get it as it was written.
                    let written = sundew_sh_syntax::unparse::word(word);
                    args.push(proc, written).await;
                } else {
                    let one = std::slice::from_ref(word);
                    self.expand_into(proc, one, &mut args).await?;
                }
            }
            return Ok(args);
        }
        for word in rest {
            let array = word.parts.iter().any(|part| matches!(part, Part::Array(_)));
            let words = if array {
                braces::whole(word)
            } else {
                self.brace_words(word)
            };
            for word in words {
                proc.tick().await;
                match word.to_assignment() {
                    Some(assignment) => {
                        self.assignment_argument(proc, assignment, &mut args)
                            .await?
                    }
                    None => {
                        let one = std::slice::from_ref(&word);
                        self.expand_into(proc, one, &mut args).await?;
                    }
                }
            }
        }
        Ok(args)
    }

    /// `export a=$b`: the value is neither split nor matched against files.
    async fn assignment_argument(
        &mut self,
        proc: &mut Process,
        assignment: Assignment,
        args: &mut Words,
    ) -> Run {
        let mut text = assignment.name.to_vec();
        match &assignment.value {
            AssignedValue::Array(elements) => {
                let declared = args
                    .iter()
                    .any(|arg| arg.starts_with(b"-") && arg.contains(&b'A'));
                let associative = declared || self.variables.is_associative(&assignment.name);
                let plain = self.expand_elements(proc, elements, associative).await?;
                let assignment = Assignment {
                    value: AssignedValue::Array(super::assign::quoted_elements(plain)),
                    ..assignment
                };
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
        args.push(proc, text).await;
        Ok(())
    }

    /// Assignments and redirections without a command.
    async fn run_bare(&mut self, proc: &mut Process, simple: &Simple, command: &Command) -> Run {
        let mut undo = Undo::default();
        let redirected = self
            .redirect(proc, &command.redirects, Some(&mut undo))
            .await;
        undo.restore(proc);
        if let Err(RedirectFailed(flow)) = redirected {
            if let Some(flow) = flow {
                return Err(flow);
            }
            self.status = self.redirection_status();
            return self.check_failure(proc).await;
        }
        // `PS4='…'` is still shown with the old one.
        let ps4 = self
            .variables
            .scalar(b"PS4")
            .map(<[u8]>::to_vec)
            .filter(|_| self.options.is_set("xtrace"));
        self.appended.clear();
        for assignment in &simple.assignments {
            self.run_assignment(proc, assignment).await?;
        }
        // Not before: `code=$?`.
        if !simple.assignments.is_empty() || !command.redirects.is_empty() {
            self.status = 0;
        }
        if self.is_bash() {
            self.variables.set_own(b"_", Vec::new());
        }
        // The others show a command of nothing too.
        let shown = !simple.assignments.is_empty() || !self.is_bash();
        if self.options.is_set("xtrace") && shown {
            let changed = match ps4 {
                Some(before) if simple.assignments.iter().any(|a| &*a.name == b"PS4") => {
                    let now = self.variables.scalar(b"PS4").map(<[u8]>::to_vec);
                    // Shown with its new value, prefixed by the old one.
                    self.trace_ps4(proc, &before, now.as_deref().unwrap_or_default())
                        .await;
                    true
                }
                _ => false,
            };
            if !changed {
                self.trace(proc, &simple.assignments, &[]).await;
            }
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

    /// `set -x` for a command that is no simple one: `for i in 1`, `(( 1 ))`.
    pub(crate) async fn trace_text(&mut self, proc: &mut Process, text: &[u8]) {
        if !self.options.is_set("xtrace") {
            return;
        }
        let prefix = self.trace_prefix(proc).await;
        proc.print_error(&[prefix.as_slice(), text, b"\n"].concat())
            .await;
    }

    /// `set -x`
    async fn trace(&mut self, proc: &mut Process, assignments: &[Assignment], args: &[Vec<u8>]) {
        if !self.options.is_set("xtrace") {
            return;
        }
        let prefix = self.trace_prefix(proc).await;
        if !self.is_bash() {
            let mut words: Vec<Vec<u8>> = Vec::new();
            for assignment in assignments {
                let value = self.variables.scalar(&assignment.name).unwrap_or_default();
                let value = self.traced(value);
                words.push([assignment.name.as_ref(), b"=", &value].concat());
            }
            words.extend(args.iter().map(|arg| self.traced(arg)));
            proc.print_error(&[prefix.as_slice(), &words.join(&b' '), b"\n"].concat())
                .await;
            return;
        }
        let mut lines = Vec::new();
        let mut appended = std::mem::take(&mut self.appended).into_iter();
        for assignment in assignments {
            lines.extend_from_slice(&prefix);
            if let (AssignedValue::Scalar(_), Some(index)) = (&assignment.value, &assignment.index)
            {
                let index = sundew_sh_syntax::unparse::word(index);
                lines.extend([assignment.name.as_ref(), b"[", &index, b"]"].concat());
                if assignment.append {
                    lines.push(b'+');
                }
                lines.push(b'=');
                if let Some(value) = appended.next().filter(|value| !value.is_empty()) {
                    lines.extend(crate::expand::transform::quote_for_trace(&value));
                }
                lines.push(b'\n');
                continue;
            }
            if matches!(assignment.value, AssignedValue::Array(_)) {
                lines.extend_from_slice(&sundew_sh_syntax::unparse::assignment(assignment));
                lines.push(b'\n');
                continue;
            }
            lines.extend_from_slice(&assignment.name);
            let value = if assignment.append {
                lines.push(b'+');
                appended.next()
            } else {
                self.variables.scalar(&assignment.name).map(<[u8]>::to_vec)
            };
            lines.push(b'=');
            if let Some(value) = value.filter(|value| !value.is_empty()) {
                lines.extend_from_slice(&crate::expand::transform::quote_for_trace(&value));
            }
            lines.push(b'\n');
        }
        if !args.is_empty() {
            let words: Vec<Vec<u8>> = args
                .iter()
                .map(|arg| crate::expand::transform::quote_for_trace(arg))
                .collect();
            lines.extend_from_slice(&prefix);
            lines.extend_from_slice(&words.join(&b' '));
            lines.push(b'\n');
        }
        proc.print_error(&lines).await;
    }

    /// A word as dash and ash trace it: as it is, or in quotes where BusyBox sees a need.
    fn traced(&self, word: &[u8]) -> Vec<u8> {
        let special =
            |byte: &u8| matches!(byte, ..b'+' | b';'..=b'?' | b'`' | b'[' | b'\\') || *byte > b'z';
        let quote = self.dialect == Dialect::Ash
            && (word.iter().any(special) || builtin::is_keyword(word, self.dialect));
        if quote {
            builtin::single_quote(self.dialect, word)
        } else {
            word.to_vec()
        }
    }

    /// The assignment that changes the prefix itself.
    async fn trace_ps4(&mut self, proc: &mut Process, before: &[u8], now: &[u8]) {
        self.variables.set_own(b"PS4", before);
        let prefix = self.trace_prefix(proc).await;
        self.variables.set_own(b"PS4", now);
        let value = match self.dialect {
            Dialect::Bash => crate::expand::transform::quote_for_trace(now),
            Dialect::Dash | Dialect::Ash => self.traced(now),
        };
        proc.print_error(&[prefix.as_slice(), b"PS4=", &value, b"\n"].concat())
            .await;
    }

    async fn trace_prefix(&mut self, proc: &mut Process) -> Vec<u8> {
        let ps4 = self
            .variables
            .scalar(b"PS4")
            .map_or_else(|| b"+ ".to_vec(), <[u8]>::to_vec);
        let was = self.options.is_set("xtrace");
        self.options.set("xtrace", false);
        let text = if self.is_bash() {
            let mut text = self.prompt_text(proc, ps4).await;
            text.retain(|byte| !matches!(byte, 1 | 2));
            text
        } else {
            self.expand_text(proc, &ps4).await.unwrap_or(ps4)
        };
        self.options.set("xtrace", was);
        let Some((first, rest)) = text.split_first() else {
            return text;
        };
        if !self.is_bash() {
            return text;
        }
        let repeats = usize::try_from(self.indirection).unwrap_or(0) + 1;
        [vec![*first; repeats.min(16)].as_slice(), rest].concat()
    }

    /// Performs the assignments in front of a command; how to undo them. Those in front of a special
    /// builtin of dash and ash stay.
    async fn assignments_in_front(
        &mut self,
        proc: &mut Process,
        simple: &Simple,
        args: &[Vec<u8>],
    ) -> Result<Saved, Flow> {
        if simple.assignments.is_empty() {
            return Ok(Vec::new());
        }
        let name = args.first().map(Vec::as_slice).unwrap_or_default();
        let keeps = (!self.is_bash() || self.options.is_set("posix"))
            && !self.functions.contains_key(name)
            && builtin::find(self, name).is_some_and(|builtin| builtin.special);
        if keeps {
            for assignment in &simple.assignments {
                self.run_assignment(proc, assignment).await?;
            }
            return Ok(Vec::new());
        }
        self.temporary_assignments(proc, &simple.assignments).await
    }

    /// Performs assignments in front of a command for as long as it runs; how to undo them.
    async fn temporary_assignments(
        &mut self,
        proc: &mut Process,
        assignments: &[Assignment],
    ) -> Result<Saved, Flow> {
        let mut before = Vec::new();
        for assignment in assignments {
            let readonly = self
                .variables
                .variable(&assignment.name)
                .is_some_and(|variable| variable.attributes.readonly);
            if readonly && self.is_bash() && !self.options.is_set("posix") {
                // Only complained of: the command runs.
                let text = [assignment.name.as_ref(), b": readonly variable"].concat();
                self.complain(proc, text).await;
                continue;
            }
            before.push((
                assignment.name.to_vec(),
                self.variables.raw(&assignment.name).cloned(),
            ));
            if let Err(flow) = self.run_assignment(proc, assignment).await {
                self.undo_assignments(before);
                return Err(flow);
            }
            self.variables.modify(&assignment.name, |variable| {
                variable.attributes.exported = true
            });
            if self.is_bash() {
                self.trace(proc, std::slice::from_ref(assignment), &[])
                    .await;
            }
        }
        Ok(before)
    }

    fn undo_assignments(&mut self, before: Saved) {
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
        command: &Command,
    ) -> Run {
        let mut undo = Undo::default();
        if let Err(RedirectFailed(flow)) = self
            .redirect(proc, &command.redirects, Some(&mut undo))
            .await
        {
            undo.restore(proc);
            if let Some(flow) = flow {
                return Err(flow);
            }
            self.status = self.redirection_status();
            return Ok(());
        }
        let result = self.call_function(proc, &function, args).await;
        self.flush_output(proc).await;
        undo.restore(proc);
        result
    }

    async fn run_builtin(
        &mut self,
        proc: &mut Process,
        builtin: &'static Builtin,
        args: Vec<Vec<u8>>,
        command: &Command,
    ) -> Run {
        let mut undo = Undo::default();
        if let Err(RedirectFailed(flow)) = self
            .redirect(proc, &command.redirects, Some(&mut undo))
            .await
        {
            undo.restore(proc);
            if let Some(flow) = flow {
                return Err(flow);
            }
            self.status = self.redirection_status();
            // In dash an error of a special builtin ends the shell.
            return if builtin.special && !self.is_bash() && !self.interactive {
                Err(Flow::Exit)
            } else {
                Ok(())
            };
        }
        let speaks = matches!(
            args.first().map(Vec::as_slice),
            Some(
                b"declare"
                    | b"typeset"
                    | b"local"
                    | b"export"
                    | b"readonly"
                    | b"printf"
                    | b"read"
                    | b"unset"
                    | b"test"
                    | b"["
                    | b"mapfile"
                    | b"readarray"
                    | b"getopts"
                    | b"wait"
            )
        );
        self.speaking = args.first().filter(|_| speaks).cloned();
        let result = builtin.call(self, proc, &args).await;
        self.speaking = None;
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
            let text = [b": write error: ", errno.message().as_bytes()].concat();
            match self.dialect {
                Dialect::Bash => self.complain(proc, [name, &text].concat()).await,
                Dialect::Dash => {
                    self.builtin_error(proc, args, [name, b": I/O error"].concat(), 1)
                        .await;
                }
                // Of `printf` BusyBox does not look whether it was written.
                Dialect::Ash if name == b"printf" => {}
                Dialect::Ash => {
                    let line = [self.applet_name(), &text, b"\n"].concat();
                    proc.print_error(&line).await;
                }
            }
            self.status = 1;
        }
        proc.discard_output();
    }

    /// Remembers a descriptor of a process substitution: it lives as long as the command.
    pub(crate) fn process_descriptors(&mut self, fd: sundew_kernel::Fd) {
        self.substitution_descriptors.push(fd);
    }

    /// Closes those that came after the first `kept`, which belong to commands around this one.
    fn drop_process_descriptors(&mut self, proc: &Process, kept: usize) {
        let kept = kept.min(self.substitution_descriptors.len());
        for fd in self.substitution_descriptors.split_off(kept) {
            let _open = proc.close(fd);
        }
    }

    /// A child keeps its copies until it ends.
    pub(super) fn close_process_descriptors_of_parent(&mut self) {
        self.substitution_descriptors.clear();
    }
}
