//! runcon(1), chcon(1): security contexts on a machine without SELinux. `chcon` still sets the
//! attribute on filesystems that keep it; nothing looks at it.

use sundew_kernel::{Errno, ExitStatus, Process};

use super::{about, input};
use crate::getopt::{Arity, Getopt, Spec, refuse};
use crate::quote;

pub(crate) async fn run_runcon(proc: &mut Process) -> ExitStatus {
    const SPEC: Spec = Spec::gnu(
        "+r:t:u:l:c",
        &[
            ("role", Arity::Required, "r"),
            ("type", Arity::Required, "t"),
            ("user", Arity::Required, "u"),
            ("range", Arity::Required, "l"),
            ("compute", Arity::No, "c"),
        ],
    );
    let mut seen: Vec<&str> = Vec::new();
    let mut options = Getopt::new(&SPEC, proc.args());
    while let Some(option) = options.next() {
        match option.map(|option| option.key) {
            Ok(key @ ("r" | "t" | "u" | "l")) if seen.contains(&key) => {
                let name = match key {
                    "r" => "roles",
                    "t" => "types",
                    "u" => "users",
                    _ => "levelranges",
                };
                proc.complain_text(format!("multiple {name}")).await;
                return proc.status();
            }
            Ok(key @ ("r" | "t" | "u" | "l" | "c")) => seen.push(key),
            Ok(key) => return about::run(proc, key, "runcon").await,
            Err(error) => return refuse(proc, &error, 1).await,
        }
    }
    let operands = options.operands();
    if seen.is_empty() && operands.is_empty() {
        proc.complain(b"failed to get current context", Errno::Einval)
            .await;
        return proc.status();
    }
    let context = usize::from(seen.is_empty());
    if operands.len() <= context {
        return input::refuse_text(proc, "no command specified").await;
    }
    proc.complain_text("runcon may be used only on a SELinux kernel")
        .await;
    proc.status()
}

#[expect(
    clippy::too_many_lines,
    reason = "one thing from top to bottom, in the order of the manual"
)]
pub(crate) async fn run_chcon(proc: &mut Process) -> ExitStatus {
    const SPEC: Spec = Spec::gnu(
        "HLPRhvu:r:t:l:",
        &[
            ("recursive", Arity::No, "R"),
            ("dereference", Arity::No, "dereference"),
            ("no-dereference", Arity::No, "h"),
            ("no-preserve-root", Arity::No, "no-preserve-root"),
            ("preserve-root", Arity::No, "preserve-root"),
            ("reference", Arity::Required, "reference"),
            ("user", Arity::Required, "u"),
            ("role", Arity::Required, "r"),
            ("type", Arity::Required, "t"),
            ("range", Arity::Required, "l"),
            ("verbose", Arity::No, "v"),
        ],
    );
    let (mut partial, mut reference, mut recursive, mut verbose) = (false, None, false, false);
    let mut options = Getopt::new(&SPEC, proc.args());
    while let Some(option) = options.next() {
        match option.map(|option| (option.key, option.value)) {
            Ok(("R", _)) => recursive = true,
            Ok(("v", _)) => verbose = true,
            Ok(("u" | "r" | "t" | "l", _)) => partial = true,
            Ok(("reference", value)) => reference = Some(value),
            Ok((
                "H" | "L" | "P" | "h" | "dereference" | "preserve-root" | "no-preserve-root",
                _,
            )) => {}
            Ok((key, _)) => return about::run(proc, key, "chcon").await,
            Err(error) => return refuse(proc, &error, 1).await,
        }
    }
    let mut operands = options.operands();
    let needed = if partial || reference.is_some() { 1 } else { 2 };
    if operands.len() < needed {
        return match operands.first() {
            Some(word) => input::refuse_word(proc, "missing operand after", word).await,
            None => input::missing_operand(proc).await,
        };
    }
    if partial && reference.is_some() {
        return input::refuse_text(proc, "conflicting security context specifiers given").await;
    }
    if let Some(reference) = &reference {
        // No file of this machine has a context.
        let errno = proc.stat(reference).err().unwrap_or(Errno::Enodata);
        let text = "failed to get security context of";
        input::complain_about(proc, text, reference, errno).await;
        return proc.status();
    }
    let context = if partial {
        Vec::new()
    } else {
        operands.remove(0)
    };
    while let Some(path) = operands.pop() {
        proc.tick().await;
        let metadata = match proc.stat(&path) {
            Ok(metadata) => metadata,
            Err(errno) => {
                input::complain_about(proc, "cannot access", &path, errno).await;
                continue;
            }
        };
        if partial {
            let shown = quote::always(proc, &path);
            let text: [&[u8]; 2] = [b"can't apply partial context to unlabeled file ", &shown];
            proc.complain_text(text.concat()).await;
            continue;
        }
        if verbose {
            let line: [&[u8]; 3] = [
                b"changing security context of ",
                &quote::always(proc, &path),
                b"\n",
            ];
            if proc.print(&line.concat()).await.is_err() {
                break;
            }
        }
        if proc.credentials().uid != 0 {
            let (path, context) = (quote::always(proc, &path), quote::text(proc, &context));
            let subject = [
                b"failed to change context of ".as_slice(),
                &path,
                b" to ",
                &context,
            ];
            proc.complain(&subject.concat(), Errno::Eperm).await;
        }
        if recursive && metadata.is_dir() {
            let entries = proc.read_directory(&path).unwrap_or_default();
            let names = entries.iter().map(|entry| entry.name.as_ref());
            operands.extend(
                names
                    .filter(|name: &&[u8]| !matches!(*name, b"." | b".."))
                    .map(|name| input::join(&path, name)),
            );
        }
    }
    proc.status()
}
