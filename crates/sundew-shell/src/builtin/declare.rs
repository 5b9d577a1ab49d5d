//! `declare`, `typeset`, `local`, `export`, `readonly`.

use sundew_kernel::Process;
use sundew_sh_syntax::Dialect;

use super::Answer;
use crate::shell::{Flow, Shell};
use crate::variable::{Value, Variable};

mod function;
mod operand;
mod plain;
pub(in crate::builtin) mod show;

use function::functions;
use operand::{Refused, declare_one};
use show::declare_line;

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

/// `set -x` shows what `export` and `readonly` assign once more.
async fn trace_assignment(shell: &mut Shell, proc: &mut Process, operand: &[u8]) {
    let Some(equals) = operand.iter().position(|&byte| byte == b'=') else {
        return;
    };
    let (name, value) = operand.split_at(equals + 1);
    let plain = name.strip_suffix(b"=").unwrap_or(name);
    if shell.options.is_set("xtrace")
        && crate::variable::is_name(plain.strip_suffix(b"+").unwrap_or(plain))
    {
        let value = match value {
            [] => Vec::new(),
            value => crate::expand::transform::quote_for_trace(value),
        };
        shell.trace_text(proc, &[name, &value].concat()).await;
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
        Kind::Declare | Kind::Local => b"aAcfFgiIlnprtux",
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
        if matches!(kind, Kind::Export | Kind::Readonly) && array.is_none() {
            trace_assignment(shell, proc, operand).await;
        }
        if let Err(refused) = declare_one(shell, proc, operand, array, &flags, kind).await {
            status = 1;
            match refused {
                Refused::Flow(flow) => return Err(flow),
                Refused::Builtin(text) => {
                    shell.builtin_error(proc, args, text, 1).await;
                }
                Refused::Shell(text) => shell.complain(proc, text).await,
                Refused::Line(text) => {
                    let speaking = shell.speaking.take();
                    let given_up = shell.fatal(proc, 1, text).await;
                    shell.speaking = speaking;
                    given_up?;
                }
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
        .filter(|letter| b"aAcilnrtux".contains(letter))
        .collect();
    let mut text = Vec::new();
    for (name, variable) in shell.listed_variables() {
        let shown = match kind {
            Kind::Export => variable.attributes.exported,
            Kind::Readonly => variable.attributes.readonly && has_any(&variable, &filter),
            Kind::Local => shell.variables.is_local(&name),
            Kind::Declare if name == b"FUNCNAME" && filter.contains(&b'a') => true,
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
