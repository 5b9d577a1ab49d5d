//! Groups, conditions, loops, `case`.

use sundew_kernel::Process;
use sundew_sh_syntax::ast::{ArithmeticFor, Case, CaseEnd, CommandKind, For, If, List, Loop};

use crate::shell::{Flow, Run, Shell};
use crate::trap::Condition;
use crate::variable::is_name;
use crate::words::Words;

/// What a loop does after its body.
enum Turn {
    Next,
    Leave,
}

impl Shell {
    pub(super) async fn run_compound(&mut self, proc: &mut Process, kind: &CommandKind) -> Run {
        match kind {
            CommandKind::Group(list) => self.run_list(proc, list).await,
            CommandKind::If(branches) => super::apart(|| self.run_if(proc, branches)).await,
            CommandKind::Loop(repeat) => super::apart(|| self.run_loop(proc, repeat)).await,
            CommandKind::For(each) => super::apart(|| self.run_for(proc, kind, each)).await,
            CommandKind::Select(each) => super::apart(|| self.run_select(proc, kind, each)).await,
            CommandKind::ArithmeticFor(each) => {
                super::apart(|| self.run_arithmetic_for(proc, each)).await
            }
            CommandKind::Case(case) => super::apart(|| self.run_case(proc, case)).await,
            CommandKind::Arithmetic(word) => {
                let text = self.expand_quoted(proc, word).await?;
                if self.options.is_set("xtrace") {
                    self.trace_text(proc, &[b"(( ".as_slice(), &text, b" ))"].concat())
                        .await;
                }
                self.status = match self.try_arithmetic(proc, &text).await {
                    Ok(value) => u8::from(value == 0),
                    Err((complaint, flow)) if complaint.is_empty() => return Err(flow),
                    Err((complaint, _)) => {
                        self.complain(proc, [b"((: ".as_slice(), &complaint].concat())
                            .await;
                        1
                    }
                };
                self.check_failure(proc).await
            }
            CommandKind::Conditional(expression) => {
                self.status = match self.test_conditional(proc, expression).await? {
                    Ok(true) => 0,
                    Ok(false) => 1,
                    Err(status) => status,
                };
                self.check_failure(proc).await
            }
            CommandKind::Coprocess(coprocess) => {
                super::apart(|| self.run_coprocess(proc, coprocess)).await
            }
            CommandKind::Simple(_) | CommandKind::Subshell(_) | CommandKind::Function(_) => Ok(()),
        }
    }

    async fn condition_holds(&mut self, proc: &mut Process, list: &List) -> Result<bool, Flow> {
        self.run_condition(proc, list).await?;
        Ok(self.status == 0)
    }

    async fn run_if(&mut self, proc: &mut Process, branches: &If) -> Run {
        for (condition, body) in &branches.branches {
            if self.condition_holds(proc, condition).await? {
                return self.run_list(proc, body).await;
            }
        }
        match &branches.otherwise {
            Some(body) => self.run_list(proc, body).await,
            None => {
                self.status = 0;
                Ok(())
            }
        }
    }

    /// Runs a loop's body once.
    async fn turn(&mut self, proc: &mut Process, body: &List) -> Result<Turn, Flow> {
        let result = self.run_list(proc, body).await;
        self.turned(result)
    }

    fn turned(&self, result: Run) -> Result<Turn, Flow> {
        match result {
            Ok(()) | Err(Flow::Continue(1)) => Ok(Turn::Next),
            Err(Flow::Break(1)) => Ok(Turn::Leave),
            Err(Flow::Break(more)) => Err(Flow::Break(more - 1)),
            Err(Flow::Continue(more)) => Err(Flow::Continue(more - 1)),
            Err(flow) => Err(flow),
        }
    }

    async fn run_loop(&mut self, proc: &mut Process, repeat: &Loop) -> Run {
        self.loops += 1;
        let result = self.run_loop_inner(proc, repeat).await;
        self.loops -= 1;
        result
    }

    async fn run_loop_inner(&mut self, proc: &mut Process, repeat: &Loop) -> Run {
        let mut status = 0;
        loop {
            proc.tick().await;
            let held = self.run_condition(proc, &repeat.condition).await;
            if let Turn::Leave = self.turned(held)? {
                break;
            }
            if (self.status == 0) == repeat.until {
                break;
            }
            let turn = self.turn(proc, &repeat.body).await?;
            status = self.status;
            if let Turn::Leave = turn {
                break;
            }
        }
        self.status = status;
        Ok(())
    }

    /// Before each turn of a loop: its trace, and the `DEBUG` trap.
    async fn before_turn(&mut self, proc: &mut Process, kind: &CommandKind, each: &For) -> Run {
        let debug = self.traps.may_run(Condition::Debug);
        if !debug && (!self.options.is_set("xtrace") || !self.is_bash()) {
            return Ok(());
        }
        let head = self.for_head(kind, each);
        self.trace_text(proc, &head).await;
        if debug {
            if self.traps.running.is_empty() {
                self.command_text = head;
            }
            self.run_trap(proc, Condition::Debug).await?;
        }
        Ok(())
    }

    async fn run_for(&mut self, proc: &mut Process, kind: &CommandKind, each: &For) -> Run {
        if !is_name(&each.name) {
            let text = [b"`".as_slice(), &each.name, b"': not a valid identifier"].concat();
            self.complain(proc, text).await;
            self.status = 1;
            return self.check_failure(proc).await;
        }
        let values = match &each.words {
            Some(words) => self.expand_words(proc, words).await?,
            None => Words::copy(proc, &self.positional).await,
        };
        let (values, _held) = values.into_parts();
        self.loops += 1;
        self.status = 0;
        let mut result = Ok(());
        for value in values {
            proc.tick().await;
            let fixed = self
                .variables
                .variable(&each.name)
                .is_some_and(|variable| variable.attributes.readonly);
            if fixed && self.is_bash() && !self.options.is_set("posix") {
                // Only the loop ends.
                let text = [each.name.as_ref(), b": readonly variable"].concat();
                self.complain(proc, text).await;
                self.status = 1;
                break;
            }
            let reference = self.is_bash()
                && self
                    .variables
                    .raw(&each.name)
                    .is_some_and(|variable| variable.attributes.reference);
            if reference && !is_name(&value) {
                let text = [b"`", value.as_slice(), b"': not a valid identifier"].concat();
                self.complain(proc, text).await;
                self.status = 1;
                break;
            }
            let begun = match self.before_turn(proc, kind, each).await {
                Ok(()) if reference => {
                    // The turns are for what it refers to.
                    self.variables.refer(&each.name, value);
                    Ok(())
                }
                Ok(()) => self.assign(proc, &each.name, value).await,
                stopped => stopped,
            };
            if let Err(flow) = begun {
                result = Err(flow);
                break;
            }
            match self.turn(proc, &each.body).await {
                Ok(Turn::Next) => {}
                Ok(Turn::Leave) => break,
                Err(flow) => {
                    result = Err(flow);
                    break;
                }
            }
        }
        self.loops -= 1;
        result
    }

    async fn run_arithmetic_for(&mut self, proc: &mut Process, each: &ArithmeticFor) -> Run {
        self.loops += 1;
        let result = self.run_arithmetic_for_inner(proc, each).await;
        self.loops -= 1;
        result
    }

    async fn arithmetic_word(
        &mut self,
        proc: &mut Process,
        word: &sundew_sh_syntax::ast::Word,
        empty: i64,
    ) -> Result<Option<i64>, Flow> {
        let text = self.expand_quoted(proc, word).await?;
        if text.trim_ascii().is_empty() {
            return Ok(Some(empty));
        }
        self.trace_text(proc, &[b"(( ".as_slice(), &text, b" ))"].concat())
            .await;
        match self.try_arithmetic(proc, &text).await {
            Ok(value) => Ok(Some(value)),
            Err((complaint, flow)) if complaint.is_empty() => Err(flow),
            Err((complaint, _)) => {
                self.complain(proc, [b"((: ".as_slice(), &complaint].concat())
                    .await;
                self.status = 1;
                Ok(None)
            }
        }
    }

    async fn run_arithmetic_for_inner(&mut self, proc: &mut Process, each: &ArithmeticFor) -> Run {
        self.before_section(proc, &each.initial).await?;
        if self
            .arithmetic_word(proc, &each.initial, 0)
            .await?
            .is_none()
        {
            return Ok(());
        }
        let mut status = 0;
        loop {
            proc.tick().await;
            self.before_section(proc, &each.condition).await?;
            match self.arithmetic_word(proc, &each.condition, 1).await? {
                None => return Ok(()),
                Some(0) => break,
                Some(_) => {}
            }
            let turn = self.turn(proc, &each.body).await?;
            status = self.status;
            if let Turn::Leave = turn {
                break;
            }
            self.before_section(proc, &each.step).await?;
            if self.arithmetic_word(proc, &each.step, 0).await?.is_none() {
                return Ok(());
            }
        }
        self.status = status;
        Ok(())
    }

    /// The `DEBUG` trap runs before each section of `for (( ; ; ))`.
    async fn before_section(
        &mut self,
        proc: &mut Process,
        word: &sundew_sh_syntax::ast::Word,
    ) -> Run {
        if !self.traps.may_run(Condition::Debug) {
            return Ok(());
        }
        let text = sundew_sh_syntax::unparse::word(word);
        if self.traps.running.is_empty() {
            self.command_text = [b"((".as_slice(), &text, b"))"].concat();
        }
        self.run_trap(proc, Condition::Debug).await
    }

    async fn run_case(&mut self, proc: &mut Process, case: &Case) -> Run {
        if self.options.is_set("xtrace") && self.is_bash() {
            let word = sundew_sh_syntax::unparse::word(&case.word);
            self.trace_text(proc, &[b"case ".as_slice(), &word, b" in"].concat())
                .await;
        }
        let subject = self.expand_string(proc, &case.word).await?;
        self.status = 0;
        let mut fall_through = false;
        for clause in &case.clauses {
            let mut matched = fall_through;
            for pattern in &clause.patterns {
                if matched {
                    break;
                }
                matched = self.expand_pattern(proc, pattern).await?.matches(&subject);
            }
            if !matched {
                continue;
            }
            self.run_list(proc, &clause.body).await?;
            match clause.end {
                CaseEnd::Break => return Ok(()),
                CaseEnd::FallThrough => fall_through = true,
                CaseEnd::Continue => fall_through = false,
            }
        }
        Ok(())
    }

    /// `select`: a menu on standard error, a number from standard input.
    async fn run_select(&mut self, proc: &mut Process, kind: &CommandKind, each: &For) -> Run {
        let head = self.for_head(kind, each);
        let values = match &each.words {
            Some(words) => self.expand_words(proc, words).await?,
            None => Words::copy(proc, &self.positional).await,
        };
        if values.is_empty() {
            self.status = 0;
            return Ok(());
        }
        self.trace_text(proc, &head).await;
        self.loops += 1;
        let result = self.select_turns(proc, each, &values).await;
        self.loops -= 1;
        result
    }

    async fn select_turns(&mut self, proc: &mut Process, each: &For, values: &[Vec<u8>]) -> Run {
        let mut show = true;
        loop {
            proc.tick().await;
            if show {
                let columns = self
                    .variables
                    .scalar(b"COLUMNS")
                    .and_then(|text| std::str::from_utf8(text).ok()?.parse().ok())
                    .filter(|columns| *columns > 0)
                    .unwrap_or(80);
                proc.print_error(&menu(values, columns)).await;
            }
            let prompt = self
                .variables
                .scalar(b"PS3")
                .map_or_else(|| b"#? ".to_vec(), <[u8]>::to_vec);
            proc.print_error(&prompt).await;
            let Some(line) = self.read_plain_line(proc, sundew_kernel::STDIN).await? else {
                // The newline goes to standard output, as bash 5.2 has it.
                let _checked_at_flush = proc.print(b"\n").await;
                self.flush_output(proc).await;
                self.variables.set_own(b"REPLY", Vec::new());
                self.status = 1;
                return Ok(());
            };
            show = line.is_empty();
            if show {
                continue;
            }
            let number: Option<usize> = std::str::from_utf8(&line)
                .ok()
                .and_then(|text| text.trim().parse().ok());
            let chosen = number
                .and_then(|number| values.get(number.checked_sub(1)?))
                .cloned()
                .unwrap_or_default();
            self.variables.set_own(b"REPLY", line);
            self.assign(proc, &each.name, chosen).await?;
            if let Turn::Leave = self.turn(proc, &each.body).await? {
                return Ok(());
            }
        }
    }
}

/// The menu of `select` in columns, top to bottom; they are padded with tabs where they can.
fn menu(values: &[Vec<u8>], columns: usize) -> Vec<u8> {
    let shown = |value: &[u8]| width_of(&String::from_utf8_lossy(value));
    let digits = values.len().to_string().len();
    let longest = values.iter().map(|value| shown(value)).max().unwrap_or(0);
    // Number, parenthesis, blank; two columns apart.
    let cell = longest + digits + 2 + 2;
    let across = (columns / cell).max(1);
    let rows = values.len().div_ceil(across);
    let across = values.len().div_ceil(rows.max(1));
    let rows = if rows == 1 { values.len() } else { rows };
    let across = if rows == values.len() { 1 } else { across };
    let first_digits = rows.to_string().len();
    let mut text = Vec::new();
    for row in 0..rows {
        let mut at = 0;
        for column in 0..across {
            let index = column * rows + row;
            let Some(value) = values.get(index) else {
                break;
            };
            let digits = if column == 0 { first_digits } else { digits };
            let head = format!("{:digits$}) ", index + 1);
            text.extend_from_slice(head.as_bytes());
            text.extend_from_slice(value);
            let mut position = at + head.len() + shown(value);
            at += cell;
            if index + rows < values.len() {
                while position < at {
                    if at / 8 > position / 8 {
                        text.push(b'\t');
                        position += 8 - position % 8;
                    } else {
                        text.push(b' ');
                        position += 1;
                    }
                }
            }
        }
        text.push(b'\n');
    }
    text
}

fn width_of(text: &str) -> usize {
    text.chars().count()
}
