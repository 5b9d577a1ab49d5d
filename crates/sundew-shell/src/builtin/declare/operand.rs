//! One operand of `declare` and its kin in bash: `x`, `x=1`, `x+=1`, `x[2]=1`, `x=(1 2)`.

use std::collections::BTreeMap;

use sundew_kernel::Process;
use sundew_sh_syntax::ast;

use super::{Flags, Kind};
use crate::shell::{Flow, Shell};
use crate::variable::{Value, Variable, is_name, to_indexed};

/// Why an operand was not declared.
pub(super) enum Refused {
    /// Said in the builtin's name.
    Builtin(Vec<u8>),
    /// Said in the shell's name.
    Shell(Vec<u8>),
    /// The same, and the line is given up.
    Line(Vec<u8>),
    /// The command is given up.
    Flow(Flow),
}

impl From<Flow> for Refused {
    fn from(flow: Flow) -> Self {
        Self::Flow(flow)
    }
}

/// `name`, `name=value`, `name+=value`, `name[index]=value`.
pub(super) struct Operand<'a> {
    pub(super) name: &'a [u8],
    pub(super) index: Option<&'a [u8]>,
    pub(super) value: Option<&'a [u8]>,
    pub(super) append: bool,
}

impl<'a> Operand<'a> {
    pub(super) fn parse(text: &'a [u8]) -> Self {
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

/// Declares one operand: its scope, its attributes, its value.
pub(super) async fn declare_one(
    shell: &mut Shell,
    proc: &mut Process,
    text: &[u8],
    array: Option<&ast::Assignment>,
    flags: &Flags,
    kind: Kind,
) -> Result<(), Refused> {
    if kind == Kind::Local && text == b"-" {
        if shell.kept_options.is_none() {
            shell.kept_options = Some(shell.options.clone());
        }
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
    let name = meant(shell, operand.name, references, kind);
    let scope = match kind {
        Kind::Local => Scope::Local,
        Kind::Declare if flags.on(b'g') => Scope::Global,
        Kind::Declare if shell.variables.in_function() => Scope::Local,
        Kind::Declare if references => Scope::Global,
        _ => Scope::Visible,
    };
    let assigned = operand.value.is_some() || array.is_some();
    if kind == Kind::Export && flags.on(b'n') && !assigned && shell.variables.raw(&name).is_none() {
        return Ok(());
    }
    check_writable(shell, &name, scope, assigned || flags.off(b'r'), kind)?;
    if scope == Scope::Local {
        make_local(shell, &name, flags.on(b'I'));
    }
    if references && kind != Kind::Export {
        if operand.value == Some(name.as_slice()) && flags.on(b'n') && scope == Scope::Local {
            warn_of_own(shell, proc, &name, kind).await;
        }
        return refer(shell, &name, operand.value, flags, scope);
    }
    change_kind(shell, scope, &name, flags).map_err(|refused| match refused {
        // The elements are expanded and the kind is changed before the builtin runs: bash gives up
        // the line.
        Refused::Builtin(text) if array.is_some() => Refused::Line(text),
        other => other,
    })?;
    scope.modify(shell, &name, |variable| {
        change_attributes(variable, flags, kind)
    });
    if let Some(assignment) = array {
        if let ast::Value::Array(elements) = &assignment.value {
            // The elements are expanded before the builtin runs: it is not the one that complains.
            let speaking = shell.speaking.take();
            let assigned = shell
                .assign_array(proc, &name, elements, assignment.append, flags.on(b'A'))
                .await;
            shell.speaking = speaking;
            assigned?;
        }
    } else if let Some(value) = operand.value {
        assign_value(shell, proc, scope, &name, &operand, value).await?;
    }
    if kind == Kind::Readonly || flags.on(b'r') {
        scope.modify(shell, &name, |variable| variable.attributes.readonly = true);
    }
    Ok(())
}

/// The variable that a name means: references are followed, but by what makes or changes them, by
/// `export`, and in a function for what is not its own.
fn meant(shell: &Shell, name: &[u8], references: bool, kind: Kind) -> Vec<u8> {
    let local_reference = shell.variables.is_local(name)
        && shell
            .variables
            .raw(name)
            .is_some_and(|local| local.attributes.reference);
    let hides = shell.variables.in_function() && !local_reference;
    if references || kind == Kind::Export || hides {
        name.to_vec()
    } else {
        shell.variables.target(name).to_vec()
    }
}

/// Refuses to change a variable that may not be, or to hide it.
fn check_writable(
    shell: &Shell,
    name: &[u8],
    scope: Scope,
    changed: bool,
    kind: Kind,
) -> Result<(), Refused> {
    let readonly = shell
        .variables
        .variable(name)
        .is_some_and(|variable| variable.attributes.readonly);
    let hides = scope == Scope::Local && !shell.variables.is_local(name);
    if !readonly || !changed && !hides {
        return Ok(());
    }
    let text = [name, b": readonly variable"].concat();
    Err(if matches!(kind, Kind::Declare | Kind::Local) {
        Refused::Builtin(text)
    } else {
        Refused::Shell(text)
    })
}

/// `local -n x=x` means the global, and bash is not happy with it.
async fn warn_of_own(shell: &Shell, proc: &mut Process, name: &[u8], kind: Kind) {
    let builtin: &[u8] = match kind {
        Kind::Local => b"local",
        _ => b"declare",
    };
    let text = [builtin, b": warning: ", name, b": circular name reference"].concat();
    shell.complain(proc, text).await;
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
        if target.is_empty() {
            return Err(Refused::Builtin(b"`': not a valid identifier".to_vec()));
        }
        if !is_name(Operand::parse(target).name) {
            return Err(Refused::Builtin(
                [b"`", target, b"': invalid variable name for name reference"].concat(),
            ));
        }
        if target == name && scope != Scope::Local {
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
                    other => {
                        variable.attributes.bare |= other.is_none();
                        BTreeMap::new()
                    }
                };
                variable.value = Some(Value::Associative(elements));
            });
            Ok(())
        }
        (_, flags) if flags.on(b'a') => {
            scope.modify(shell, name, |variable| {
                variable.attributes.bare |= variable.value.is_none();
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
                b'l' | b'u' | b'c' => {
                    // The last of the three wins.
                    if on {
                        (attributes.lowercase, attributes.uppercase) = (false, false);
                        attributes.capitalized = false;
                    }
                    match letter {
                        b'l' => attributes.lowercase = on,
                        b'u' => attributes.uppercase = on,
                        _ => attributes.capitalized = on,
                    }
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
