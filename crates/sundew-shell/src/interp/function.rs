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
        };
        self.functions.insert(function.name.to_vec(), defined);
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
        self.enter(proc, &name).await?;
        let positional = std::mem::replace(&mut self.positional, args.collect());
        let (loops, line) = (std::mem::take(&mut self.loops), self.line);
        let file = self
            .frames
            .last()
            .map_or_else(|| self.main_file(), |frame| frame.file.clone());
        self.frames.push(Frame {
            name,
            file,
            called_at: line,
            function: true,
        });
        self.variables.push_scope();
        let body = std::sync::Arc::clone(&function.body);
        let result = self.run_command(proc, &body, super::Place::Shell).await;
        if self.options.is_set("functrace") && self.traps.command(Condition::Return).is_some() {
            self.run_trap(proc, Condition::Return).await?;
        }
        self.variables.pop_scope();
        self.frames.pop();
        self.loops = loops;
        self.line = line;
        self.positional = positional;
        self.depth = self.depth.saturating_sub(1);
        match result {
            Err(Flow::Return) => Ok(()),
            Err(Flow::Break(_) | Flow::Continue(_)) => Ok(()),
            other => other,
        }
    }

    /// What `$BASH_SOURCE` shows outside of any file.
    fn main_file(&self) -> Vec<u8> {
        match self.source {
            crate::shell::Source::Script => self.arg0.clone(),
            crate::shell::Source::CommandString => b"environment".to_vec(),
            _ => b"main".to_vec(),
        }
    }
}
