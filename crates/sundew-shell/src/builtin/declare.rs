//! `declare`, `typeset`, `local`, `export`, `readonly`.

use std::collections::BTreeMap;

use sundew_kernel::Process;
use sundew_sh_syntax::{Dialect, ast, unparse};

use super::Answer;
use crate::shell::{Flow, Shell};
use crate::variable::{Value, Variable, is_name, to_indexed};

mod plain;
pub(in crate::builtin) mod show;

use show::{declare_line, function_letters};

/// Which of the builtins it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    Declare,
    Local,
    Export,
    Readonly,
}

/// The letters that were given with `-` and with `+`.
#[derive(Debug, Default)]
struct Flags {
    on: Vec<u8>,
    off: Vec<u8>,
}

impl Flags {
    fn on(&self, letter: u8) -> bool {
        self.on.contains(&letter)
    }

    fn off(&self, letter: u8) -> bool {
        self.off.contains(&letter)
    }
}

pub(super) async fn run(shell: &mut Shell, proc: &mut Process, args: &[Vec<u8>]) -> Answer {
    declare(shell, proc, args, Kind::Declare).await
}

pub(super) async fn run_export(shell: &mut Shell, proc: &mut Process, args: &[Vec<u8>]) -> Answer {
    declare(shell, proc, args, Kind::Export).await
}

pub(super) async fn run_local(shell: &mut Shell, proc: &mut Process, args: &[Vec<u8>]) -> Answer {
    declare(shell, proc, args, Kind::Local).await
}

pub(super) async fn run_readonly(
    shell: &mut Shell,
    proc: &mut Process,
    args: &[Vec<u8>],
) -> Answer {
    declare(shell, proc, args, Kind::Readonly).await
}

impl Shell {
    /// The answer of a special builtin that failed: in dash and ash that ends a shell nobody types at.
    pub(in crate::builtin) fn special_failed(&mut self, status: u8) -> Answer {
        if self.dialect == Dialect::Bash {
            return Ok(status);
        }
        self.status = status;
        Err(if self.interactive {
            Flow::Abandon
        } else {
            Flow::Exit
        })
    }
}

fn usage(args: &[Vec<u8>]) -> &'static str {
    match args.first().map(Vec::as_slice) {
        Some(b"export") => "export: usage: export [-fn] [name[=value] ...] or export -p",
        Some(b"readonly") => "readonly: usage: readonly [-aAf] [name[=value] ...] or readonly -p",
        Some(b"local") => "local: usage: local [option] name[=value] ...",
        Some(b"typeset") => {
            "typeset: usage: typeset [-aAfFgiIlnrtux] name[=value] ... or typeset -p [-aAfFilnrtux] [name ...]"
        }
        _ => {
            "declare: usage: declare [-aAfFgiIlnrtux] [name[=value] ...] or declare -p [-aAfFilnrtux] [name ...]"
        }
    }
}

async fn declare(shell: &mut Shell, proc: &mut Process, args: &[Vec<u8>], kind: Kind) -> Answer {
    let arrays = std::mem::take(&mut shell.array_arguments);
    if !shell.is_bash() {
        return plain::run(shell, proc, args, kind).await;
    }
    if kind == Kind::Local && !shell.variables.in_function() {
        return Ok(shell
            .builtin_error(proc, args, "can only be used in a function", 1)
            .await);
    }
    let allowed: &[u8] = match kind {
        Kind::Declare | Kind::Local => b"aAfFgiIlnprtux",
        Kind::Export => b"fnp",
        Kind::Readonly => b"aAfp",
    };
    let (flags, first) =
        match read_flags(args, allowed, matches!(kind, Kind::Declare | Kind::Local)) {
            Ok(read) => read,
            Err(option) => return Ok(shell.invalid_option(proc, args, &option, usage(args)).await),
        };
    let operands = args.get(first..).unwrap_or_default();
    if flags.on(b'f') || flags.on(b'F') {
        return functions(shell, proc, args, &flags, operands, kind).await;
    }
    if operands.is_empty() {
        return list(shell, proc, &flags, kind).await;
    }
    if flags.on(b'p') && matches!(kind, Kind::Declare | Kind::Local) {
        return show_named(shell, proc, args, operands).await;
    }
    let mut status = 0;
    for (position, operand) in args.iter().enumerate().skip(first) {
        let array = arrays
            .iter()
            .find(|(at, _)| *at == position)
            .map(|(_, assignment)| assignment);
        if let Err(refused) = declare_one(shell, proc, operand, array, &flags, kind).await {
            status = 1;
            match refused {
                Refused::Flow(flow) => return Err(flow),
                Refused::Builtin(text) => {
                    shell.builtin_error(proc, args, text, 1).await;
                }
                Refused::Shell(text) => shell.complain(proc, text).await,
            }
        }
    }
    Ok(status)
}

/// Options up to the first operand, and where that is; or the letter that is none.
fn read_flags(args: &[Vec<u8>], allowed: &[u8], plus: bool) -> Result<(Flags, usize), Vec<u8>> {
    let mut flags = Flags::default();
    for (index, arg) in args.iter().enumerate().skip(1) {
        let (sign, letters) = match arg.split_first() {
            Some((&sign @ b'-', letters)) if !letters.is_empty() => (sign, letters),
            Some((&sign @ b'+', letters)) if plus && !letters.is_empty() => (sign, letters),
            _ => return Ok((flags, index)),
        };
        if arg == b"--" {
            return Ok((flags, index + 1));
        }
        for &letter in letters {
            if !allowed.contains(&letter) {
                return Err(vec![sign, letter]);
            }
            if sign == b'-' {
                flags.on.push(letter)
            } else {
                flags.off.push(letter)
            }
        }
    }
    Ok((flags, args.len()))
}

/// Why an operand was not declared.
enum Refused {
    /// Said in the builtin's name.
    Builtin(Vec<u8>),
    /// Said in the shell's name.
    Shell(Vec<u8>),
    /// The command is given up.
    Flow(Flow),
}

impl From<Flow> for Refused {
    fn from(flow: Flow) -> Self {
        Self::Flow(flow)
    }
}

/// `name`, `name=value`, `name+=value`, `name[index]=value`.
struct Operand<'a> {
    name: &'a [u8],
    index: Option<&'a [u8]>,
    value: Option<&'a [u8]>,
    append: bool,
}

impl<'a> Operand<'a> {
    fn parse(text: &'a [u8]) -> Self {
        let name_end = text
            .iter()
            .position(|byte| matches!(byte, b'=' | b'['))
            .unwrap_or(text.len());
        let (head, rest) = text.split_at(name_end);
        if let Some(inner) = rest.strip_prefix(b"[") {
            let closing = (0..inner.len()).find(|&at| {
                let after = inner.get(at..).unwrap_or_default();
                after == b"]" || after.starts_with(b"]=") || after.starts_with(b"]+=")
            });
            if let Some(at) = closing {
                let (index, rest) = inner.split_at(at);
                let rest = rest.get(1..).unwrap_or_default();
                let append = rest.starts_with(b"+");
                let value = rest.strip_prefix(b"+").unwrap_or(rest).strip_prefix(b"=");
                return Self {
                    name: head,
                    index: Some(index),
                    value,
                    append,
                };
            }
        }
        match rest.strip_prefix(b"=") {
            Some(value) => {
                let name = head.strip_suffix(b"+");
                Self {
                    name: name.unwrap_or(head),
                    index: None,
                    value: Some(value),
                    append: name.is_some(),
                }
            }
            None => Self {
                name: text,
                index: None,
                value: None,
                append: false,
            },
        }
    }
}

/// Where a declaration takes place.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Scope {
    /// The innermost function.
    Local,
    /// Outside of all functions.
    Global,
    /// Wherever the variable is visible.
    Visible,
}

impl Scope {
    fn modify<T>(
        self,
        shell: &mut Shell,
        name: &[u8],
        change: impl FnOnce(&mut Variable) -> T,
    ) -> T {
        match self {
            Self::Local => shell.variables.modify_local(name, change),
            Self::Global => shell.variables.modify_global(name, change),
            Self::Visible => shell.variables.modify(name, change),
        }
    }
}

async fn declare_one(
    shell: &mut Shell,
    proc: &mut Process,
    text: &[u8],
    array: Option<&ast::Assignment>,
    flags: &Flags,
    kind: Kind,
) -> Result<(), Refused> {
    if kind == Kind::Local && text == b"-" {
        return Ok(());
    }
    let operand = Operand::parse(text);
    if !is_name(operand.name)
        || (operand.index.is_some() && matches!(kind, Kind::Export | Kind::Readonly))
    {
        // An index is complained of without what was to be assigned.
        let shown = match operand.index {
            Some(index) if is_name(operand.name) => [operand.name, b"[", index, b"]"].concat(),
            _ => text.to_vec(),
        };
        return Err(Refused::Builtin(
            [b"`", shown.as_slice(), b"': not a valid identifier"].concat(),
        ));
    }
    let references = flags.on(b'n') || flags.off(b'n');
    let name = if references || kind == Kind::Export || shell.variables.in_function() {
        operand.name.to_vec()
    } else {
        shell.variables.target(operand.name).to_vec()
    };
    let scope = match kind {
        Kind::Local => Scope::Local,
        Kind::Declare if flags.on(b'g') => Scope::Global,
        Kind::Declare if shell.variables.in_function() => Scope::Local,
        Kind::Declare if references => Scope::Global,
        _ => Scope::Visible,
    };
    if shell
        .variables
        .variable(&name)
        .is_some_and(|variable| variable.attributes.readonly)
    {
        let assigned = operand.value.is_some() || array.is_some();
        let hides = scope == Scope::Local && !shell.variables.is_local(&name);
        if assigned || hides || flags.off(b'r') {
            let text = [name.as_slice(), b": readonly variable"].concat();
            let in_own_name = matches!(kind, Kind::Declare | Kind::Local);
            return Err(if in_own_name {
                Refused::Builtin(text)
            } else {
                Refused::Shell(text)
            });
        }
    }
    if scope == Scope::Local {
        make_local(shell, &name, flags.on(b'I'));
    }
    if references && kind != Kind::Export {
        return refer(shell, &name, operand.value, flags, scope);
    }
    change_kind(shell, scope, &name, flags)?;
    scope.modify(shell, &name, |variable| {
        change_attributes(variable, flags, kind)
    });
    if let Some(assignment) = array {
        if let ast::Value::Array(elements) = &assignment.value {
            shell
                .assign_array(proc, &name, elements, assignment.append, flags.on(b'A'))
                .await?;
        }
    } else if let Some(value) = operand.value {
        assign_value(shell, proc, scope, &name, &operand, value).await?;
    }
    if kind == Kind::Readonly || flags.on(b'r') {
        scope.modify(shell, &name, |variable| variable.attributes.readonly = true);
    }
    Ok(())
}

/// Makes a local of this name, which hides what is outside but is exported as that is.
fn make_local(shell: &mut Shell, name: &[u8], inherit: bool) {
    if shell.variables.is_local(name) {
        return;
    }
    let outer = shell.variables.raw(name).cloned().unwrap_or_default();
    shell.variables.modify_local(name, |variable| {
        if inherit {
            *variable = outer;
        } else {
            variable.attributes.exported = outer.attributes.exported;
        }
    });
}

/// `-n`, `+n`
fn refer(
    shell: &mut Shell,
    name: &[u8],
    target: Option<&[u8]>,
    flags: &Flags,
    scope: Scope,
) -> Result<(), Refused> {
    if flags.off(b'n') {
        scope.modify(shell, name, |variable| {
            variable.attributes.reference = false
        });
        return Ok(());
    }
    if let Some(target) = target {
        if !is_name(Operand::parse(target).name) {
            return Err(Refused::Builtin(
                [b"`", target, b"': invalid variable name for name reference"].concat(),
            ));
        }
        if target == name {
            let text = [name, b": nameref variable self references not allowed"].concat();
            return Err(Refused::Builtin(text));
        }
    }
    let readonly = flags.on(b'r');
    scope.modify(shell, name, |variable| {
        variable.attributes.reference = true;
        variable.attributes.readonly |= readonly;
        if let Some(target) = target {
            variable.value = Some(Value::Scalar(target.to_vec()));
        }
    });
    Ok(())
}

/// `-a`, `-A`, `+a`, `+A`
fn change_kind(shell: &mut Shell, scope: Scope, name: &[u8], flags: &Flags) -> Result<(), Refused> {
    let refused = |text: &str| Err(Refused::Builtin([name, b": ", text.as_bytes()].concat()));
    let value = match scope {
        Scope::Visible => shell.variables.variable(name),
        _ => shell.variables.raw(name),
    };
    match (value.and_then(|variable| variable.value.as_ref()), flags) {
        (Some(Value::Associative(_)), flags) if flags.on(b'a') => {
            refused("cannot convert associative to indexed array")
        }
        (Some(Value::Indexed(_)), flags) if flags.on(b'A') => {
            refused("cannot convert indexed to associative array")
        }
        (Some(Value::Indexed(_)), flags) if flags.off(b'a') => {
            refused("cannot destroy array variables in this way")
        }
        (Some(Value::Associative(_)), flags) if flags.off(b'A') => {
            refused("cannot destroy array variables in this way")
        }
        (_, flags) if flags.on(b'A') => {
            scope.modify(shell, name, |variable| {
                let elements = match variable.value.take() {
                    Some(Value::Associative(elements)) => elements,
                    Some(Value::Scalar(text)) => BTreeMap::from([(b"0".to_vec(), text)]),
                    _ => BTreeMap::new(),
                };
                variable.value = Some(Value::Associative(elements));
            });
            Ok(())
        }
        (_, flags) if flags.on(b'a') => {
            scope.modify(shell, name, |variable| {
                to_indexed(variable);
            });
            Ok(())
        }
        _ => Ok(()),
    }
}

fn change_attributes(variable: &mut Variable, flags: &Flags, kind: Kind) {
    let attributes = &mut variable.attributes;
    for (letters, on) in [(&flags.on, true), (&flags.off, false)] {
        for letter in letters {
            match letter {
                b'i' => attributes.integer = on,
                b'l' => {
                    (attributes.lowercase, attributes.uppercase) = (on, attributes.uppercase && !on)
                }
                b'u' => {
                    (attributes.uppercase, attributes.lowercase) = (on, attributes.lowercase && !on)
                }
                b't' => attributes.trace = on,
                b'x' if kind != Kind::Export => attributes.exported = on,
                _ => {}
            }
        }
    }
    if flags.on(b'l') && flags.on(b'u') {
        (attributes.lowercase, attributes.uppercase) = (false, false);
    }
    if kind == Kind::Export {
        attributes.exported = !flags.on(b'n');
    }
}

async fn assign_value(
    shell: &mut Shell,
    proc: &mut Process,
    scope: Scope,
    name: &[u8],
    operand: &Operand<'_>,
    value: &[u8],
) -> Result<(), Refused> {
    if let Some(index) = operand.index {
        let mut value = value.to_vec();
        if operand.append {
            let mut old = shell.element(proc, name, index).await?.unwrap_or_default();
            old.append(&mut value);
            value = old;
        }
        shell.assign_element(proc, name, index, value).await?;
    } else if scope == Scope::Global && shell.variables.is_local(name) {
        // A local of the same name hides it from the usual way.
        shell.variables.modify_global(name, |variable| {
            variable.value = Some(Value::Scalar(value.to_vec()))
        });
    } else if operand.append {
        shell.append(proc, name, value.to_vec()).await?;
    } else {
        shell.assign(proc, name, value.to_vec()).await?;
    }
    Ok(())
}

/// `declare -p NAME…`
async fn show_named(
    shell: &mut Shell,
    proc: &mut Process,
    args: &[Vec<u8>],
    names: &[Vec<u8>],
) -> Answer {
    let mut status = 0;
    let all = shell.listed_variables();
    for name in names {
        match all.get(name) {
            Some(variable) => {
                let own = shell.variables.raw(name).unwrap_or(variable);
                let line = [declare_line("declare", name, own).as_slice(), b"\n"].concat();
                let _checked_at_flush = proc.print(&line).await;
            }
            None => {
                status = shell
                    .builtin_error(proc, args, [name, b": not found".as_slice()].concat(), 1)
                    .await
            }
        }
    }
    Ok(status)
}

/// What is listed when no name is given.
async fn list(shell: &mut Shell, proc: &mut Process, flags: &Flags, kind: Kind) -> Answer {
    if kind == Kind::Declare && flags.on.is_empty() {
        let text = shell.set_listing();
        let _checked_at_flush = proc.print(&text).await;
        return Ok(0);
    }
    let command = match kind {
        Kind::Export if shell.options.is_set("posix") => "export",
        Kind::Readonly if shell.options.is_set("posix") => "readonly",
        _ => "declare",
    };
    let filter: Vec<u8> = flags
        .on
        .iter()
        .copied()
        .filter(|letter| b"aAilnrtux".contains(letter))
        .collect();
    let mut text = Vec::new();
    for (name, variable) in shell.listed_variables() {
        let shown = match kind {
            Kind::Export => variable.attributes.exported,
            Kind::Readonly => variable.attributes.readonly && has_any(&variable, &filter),
            Kind::Local => shell.variables.is_local(&name),
            Kind::Declare => has_any(&variable, &filter),
        };
        if shown {
            text.extend(declare_line(command, &name, &variable));
            text.push(b'\n');
        }
    }
    let _checked_at_flush = proc.print(&text).await;
    Ok(0)
}

/// Whether the variable has one of these attributes; without any asked for, it has.
fn has_any(variable: &Variable, letters: &[u8]) -> bool {
    let attributes = variable.attributes;
    letters.is_empty()
        || letters.iter().any(|letter| match letter {
            b'a' => matches!(variable.value, Some(Value::Indexed(_))),
            b'A' => matches!(variable.value, Some(Value::Associative(_))),
            b'i' => attributes.integer,
            b'l' => attributes.lowercase,
            b'n' => attributes.reference,
            b'r' => attributes.readonly,
            b't' => attributes.trace,
            b'u' => attributes.uppercase,
            _ => attributes.exported,
        })
}

/// `-f` and `-F`
async fn functions(
    shell: &mut Shell,
    proc: &mut Process,
    args: &[Vec<u8>],
    flags: &Flags,
    names: &[Vec<u8>],
    kind: Kind,
) -> Answer {
    if names.is_empty() {
        return list_functions(shell, proc, flags, kind).await;
    }
    let mut status = 0;
    let changes = kind != Kind::Declare
        || flags.on(b'x')
        || flags.on(b'r')
        || flags.off(b'x')
        || flags.off(b'r');
    for name in names {
        if name.contains(&b'=') && kind == Kind::Declare {
            status = shell
                .builtin_error(proc, args, "cannot use `-f' to make functions", 1)
                .await;
            continue;
        }
        let Some(function) = shell.functions.get_mut(name) else {
            status = 1;
            if kind != Kind::Declare {
                shell
                    .builtin_error(
                        proc,
                        args,
                        [name, b": not a function".as_slice()].concat(),
                        1,
                    )
                    .await;
            }
            continue;
        };
        if changes {
            if flags.off(b'r') && function.readonly {
                let text = [name, b": readonly function".as_slice()].concat();
                status = shell.builtin_error(proc, args, text, 1).await;
                continue;
            }
            function.readonly |= kind == Kind::Readonly || flags.on(b'r');
            function.exported = match kind {
                Kind::Export => !flags.on(b'n'),
                _ => (function.exported || flags.on(b'x')) && !flags.off(b'x'),
            };
            continue;
        }
        let mut text = if flags.on(b'F') {
            name.clone()
        } else {
            unparse::function(name, &function.body)
        };
        let letters = function_letters(function);
        if flags.on(b'p') && letters != b"-f" {
            text.extend([b"\ndeclare ", letters.as_slice(), b" ", name].concat());
        }
        text.push(b'\n');
        let _checked_at_flush = proc.print(&text).await;
    }
    Ok(status)
}

async fn list_functions(shell: &Shell, proc: &mut Process, flags: &Flags, kind: Kind) -> Answer {
    let mut text = Vec::new();
    for (name, function) in &shell.functions {
        let only_exported = kind == Kind::Export || flags.on(b'x');
        let only_readonly = kind == Kind::Readonly || flags.on(b'r');
        if (only_exported && !function.exported) || (only_readonly && !function.readonly) {
            continue;
        }
        let letters = function_letters(function);
        if !flags.on(b'F') {
            text.extend(unparse::function(name, &function.body));
            text.push(b'\n');
        }
        if flags.on(b'F') || letters != b"-f" {
            text.extend([b"declare ", letters.as_slice(), b" ", name, b"\n"].concat());
        }
    }
    let _checked_at_flush = proc.print(&text).await;
    Ok(0)
}
