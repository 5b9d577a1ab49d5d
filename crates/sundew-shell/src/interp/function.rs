//! Functions: defining and calling.

use sundew_kernel::Process;
use sundew_sh_syntax::ast;

use crate::shell::{Flow, Frame, Function, Run, Shell};
use crate::trap::Condition;

impl Shell {
    pub(super) async fn define_function(
        &mut self,
        proc: &mut Process,
        function: &ast::Function,
    ) -> Run {
        if self
            .functions
            .get(&*function.name)
            .is_some_and(|known| known.readonly)
        {
            let text = [function.name.as_ref(), b": readonly function"].concat();
            self.complain(proc, text).await;
            self.status = 1;
            return Ok(());
        }
        let body = std::sync::Arc::clone(&function.body);
        let defined = Function {
            body,
            exported: false,
            readonly: false,
            traced: false,
            file: self
                .frames
                .last()
                .map_or_else(|| self.main_file(), |frame| frame.file.clone()),
        };
        self.keep_function(&function.name, defined);
        if self.charge_memory().is_err() {
            proc.out_of_memory().await;
        }
        self.status = 0;
        Ok(())
    }

    /// Calls a function; `args` begin with its name.
    pub(crate) async fn call_function(
        &mut self,
        proc: &mut Process,
        function: &Function,
        args: Vec<Vec<u8>>,
    ) -> Run {
        let mut args = args.into_iter();
        let name = args.next().unwrap_or_default();
        self.check_function_nesting(proc, &name, &function.file)
            .await?;
        self.enter(proc).await?;
        // The command that calls it pays for its words.
        let words = args.collect::<Vec<_>>().into();
        let positional = std::mem::replace(&mut self.positional, words);
        let (loops, line) = (std::mem::take(&mut self.loops), self.line);
        self.frames.push(Frame {
            name,
            file: function.file.clone(),
            called_at: line,
            function: true,
        });
        self.variables.push_scope();
        let hidden = self.hide_traps(function);
        let hides = u32::from(!hidden.is_empty());
        self.around_traps.hidden += hides;
        // Where the trap is the function's too, its start counts.
        let entered = if self.traps.may_run(Condition::Debug) {
            Box::pin(self.run_trap(proc, Condition::Debug)).await
        } else {
            Ok(())
        };
        let body = std::sync::Arc::clone(&function.body);
        let shift = std::mem::take(&mut self.line_shift);
        let outer_options = self.kept_options.take();
        let mut result = match entered {
            Ok(()) => self.run_command(proc, &body, super::Place::Shell).await,
            stopped => stopped,
        };
        if matches!(result, Ok(()) | Err(Flow::Return))
            && self.traps.command(Condition::Return).is_some()
        {
            result = self.run_return_trap(proc, result).await;
        }
        self.around_traps.hidden -= hides;
        for (condition, command) in hidden {
            self.traps.restore(condition, command);
        }
        self.variables.pop_scope();
        self.frames.pop();
        self.loops = loops;
        self.line = line;
        self.line_shift = shift;
        if let Some(options) = std::mem::replace(&mut self.kept_options, outer_options) {
            self.options = options;
        }
        self.positional = positional;
        self.depth = self.depth.saturating_sub(1);
        match result {
            Err(Flow::Return) => Ok(()),
            Err(Flow::Break(_) | Flow::Continue(_)) => Ok(()),
            other => other,
        }
    }

    /// Runs the trap `RETURN`, in which `$?` is that of the command before `return`.
    pub(crate) async fn run_return_trap(&mut self, proc: &mut Process, result: Run) -> Run {
        let status = self.status;
        if result == Err(Flow::Return) {
            self.status = self.around_traps.before_return;
        }
        let run = self.run_trap(proc, Condition::Return).await;
        if run.is_ok() {
            self.status = status;
        }
        run.and(result)
    }

    /// A function does not have the traps on commands of its caller, unless it was asked for; those
    /// that it sets itself stay.
    fn hide_traps(&mut self, function: &Function) -> Vec<(Condition, Vec<u8>)> {
        let traced = function.traced || self.options.is_set("functrace");
        let mut hidden = Vec::new();
        for (condition, stays) in [
            (Condition::Debug, traced),
            (Condition::Return, traced),
            (Condition::Err, self.options.is_set("errtrace")),
        ] {
            if !stays && let Some(command) = self.traps.hide(condition) {
                hidden.push((condition, command));
            }
        }
        hidden
    }

    /// `$FUNCNEST`
    async fn check_function_nesting(
        &mut self,
        proc: &mut Process,
        name: &[u8],
        file: &[u8],
    ) -> Run {
        let limit = self
            .variables
            .scalar(b"FUNCNEST")
            .and_then(|text| std::str::from_utf8(text).ok()?.parse::<usize>().ok())
            .filter(|limit| *limit > 0 && self.is_bash());
        let functions = || self.frames.iter().filter(|frame| frame.function).count();
        let Some(limit) = limit.filter(|limit| functions() >= *limit) else {
            return Ok(());
        };
        self.frames.push(Frame {
            name: name.to_vec(),
            file: file.to_vec(),
            called_at: self.line,
            function: true,
        });
        let text = format!(": maximum function nesting level exceeded ({limit})");
        let given_up = self.fatal(proc, 1, [name, text.as_bytes()].concat()).await;
        self.frames.pop();
        given_up
    }

    /// What `$BASH_SOURCE` shows outside of any file.
    pub(crate) fn main_file(&self) -> Vec<u8> {
        match self.source {
            crate::shell::Source::Script => self.arg0.clone(),
            crate::shell::Source::CommandString => b"environment".to_vec(),
            _ => b"main".to_vec(),
        }
    }
}
