//! `.`, `source`, `caller`.

use sundew_kernel::descriptor::OpenFlags;
use sundew_kernel::{Errno, Process};
use sundew_sh_syntax::Dialect;
use sundew_vfs::FileType;

use super::Answer;
use crate::shell::{Flow, Frame, Shell};
use crate::words::Words;

pub(super) async fn run(shell: &mut Shell, proc: &mut Process, args: &[Vec<u8>]) -> Answer {
    let rest = match args.get(1..) {
        Some([first, rest @ ..]) if first == b"--" => rest,
        Some(rest) => rest,
        None => &[],
    };
    let Some((name, arguments)) = rest.split_first() else {
        if !shell.is_bash() {
            return Ok(0);
        }
        shell
            .builtin_error(proc, args, "filename argument required", 2)
            .await;
        let command = args.first().map(Vec::as_slice).unwrap_or_default();
        proc.print_error(&[command, b": usage: ", command, b" filename [arguments]\n"].concat())
            .await;
        return Ok(2);
    };
    let option = name.strip_prefix(b"-").filter(|rest| !rest.is_empty());
    if let (true, Some([letter, ..])) = (shell.is_bash(), option) {
        let command = args
            .first()
            .map_or("".into(), |name| String::from_utf8_lossy(name));
        let usage = format!("{command}: usage: {command} filename [arguments]");
        return Ok(shell
            .invalid_option(proc, args, &[b'-', *letter], &usage)
            .await);
    }
    if shell.is_restricted() && name.contains(&b'/') {
        let text = [name.as_slice(), b": restricted"].concat();
        return Ok(shell.builtin_error(proc, args, text, 1).await);
    }
    let path = find(shell, proc, name);
    let text = match read_script(proc, &path).await {
        Ok(text) => text,
        Err(errno) => return failed(shell, proc, args, name, errno).await,
    };
    // dash leaves the positional parameters alone.
    let arguments = match shell.dialect {
        Dialect::Dash => &[],
        _ => arguments,
    };
    run_file(shell, proc, &path, &text, arguments).await
}

/// Runs a file's text in this shell, with arguments of its own if there are any.
pub(crate) async fn run_file(
    shell: &mut Shell,
    proc: &mut Process,
    path: &[u8],
    text: &[u8],
    arguments: &[Vec<u8>],
) -> Answer {
    shell.enter(proc).await?;
    let positional = if arguments.is_empty() {
        None
    } else {
        let words = Words::copy(proc, arguments).await;
        Some(std::mem::replace(&mut shell.positional, words))
    };
    shell.frames.push(Frame {
        name: b"source".to_vec(),
        file: path.to_vec(),
        called_at: shell.line,
        function: false,
    });
    let called_at = shell.line;
    shell.status = 0;
    shell.indirection += 1;
    let outer = std::mem::replace(&mut shell.in_eval, false);
    let mut result = shell.run_text(proc, text).await;
    shell.in_eval = outer;
    shell.indirection -= 1;
    shell.frames.pop();
    if matches!(result, Ok(()) | Err(Flow::Return))
        && shell
            .traps
            .command(crate::trap::Condition::Return)
            .is_some()
    {
        shell.line = called_at;
        result = shell.run_return_trap(proc, result).await;
    }
    if let Some(positional) = positional {
        shell.positional = positional;
    }
    shell.depth = shell.depth.saturating_sub(1);
    match result {
        Ok(()) | Err(Flow::Return) => Ok(shell.status),
        Err(_)
            if std::mem::take(&mut shell.syntax_failed) && shell.goes_on_after_syntax_error() =>
        {
            Ok(shell.status)
        }
        Err(flow) => Err(flow),
    }
}

/// A name without a slash is looked for in `$PATH`, then here.
fn find(shell: &Shell, proc: &Process, name: &[u8]) -> Vec<u8> {
    if name.contains(&b'/') {
        return name.to_vec();
    }
    let beside = || match shell.dialect {
        // Only `$PATH` counts for BusyBox; where the name is not found there, it is nowhere.
        Dialect::Ash => Vec::new(),
        Dialect::Bash | Dialect::Dash => name.to_vec(),
    };
    shell.search_path(proc, name).unwrap_or_else(beside)
}

/// A whole script, at most [`crate::interp::MAX_SCRIPT_BYTES`].
pub(crate) async fn read_script(proc: &mut Process, path: &[u8]) -> Result<Vec<u8>, Errno> {
    if proc.stat(path)?.file_type == FileType::Directory {
        return Err(Errno::Eisdir);
    }
    let fd = proc.open(path, OpenFlags::READ, 0).await?;
    let mut text = Vec::new();
    let mut chunk = vec![0; 32 * 1024];
    let result = loop {
        match proc.read(fd, &mut chunk).await {
            Ok(0) => break Ok(text),
            Ok(count) => text.extend_from_slice(chunk.get(..count).unwrap_or_default()),
            Err(errno) => break Err(errno),
        }
        if text.len() > crate::interp::MAX_SCRIPT_BYTES {
            break Err(Errno::Efbig);
        }
    };
    proc.close(fd)?;
    result
}

async fn failed(
    shell: &mut Shell,
    proc: &mut Process,
    args: &[Vec<u8>],
    name: &[u8],
    errno: Errno,
) -> Answer {
    if shell.is_bash() {
        let text = match errno {
            Errno::Eisdir => {
                return Ok(shell
                    .builtin_error(proc, args, [name, b": is a directory"].concat(), 1)
                    .await);
            }
            errno => [name, b": ", errno.message().as_bytes()].concat(),
        };
        shell.complain(proc, text).await;
        return Ok(1);
    }
    let dash = shell.dialect == Dialect::Dash;
    let text = match (dash, errno) {
        (_, Errno::Eisdir) if !name.contains(&b'/') => [name, b": not found"].concat(),
        (false, Errno::Enoent) if !name.contains(&b'/') => [name, b": not found"].concat(),
        (true, Errno::Enoent) if !name.contains(&b'/') => [name, b": not found"].concat(),
        (true, Errno::Enoent) => [b"cannot open ".as_slice(), name, b": No such file"].concat(),
        (true, errno) => [
            b"cannot open ".as_slice(),
            name,
            b": ",
            errno.message().as_bytes(),
        ]
        .concat(),
        (false, Errno::Enoent) => [
            b"can't open '".as_slice(),
            name,
            b"': ",
            Errno::Enoent.message().as_bytes(),
        ]
        .concat(),
        (false, errno) => [
            b"can't open '".as_slice(),
            name,
            b"': ",
            errno.message().as_bytes(),
        ]
        .concat(),
    };
    shell.status = shell.builtin_error(proc, args, text, 2).await;
    Err(if shell.interactive {
        Flow::Abandon
    } else {
        Flow::Exit
    })
}

/// `caller [n]`
pub(super) async fn run_caller(shell: &mut Shell, proc: &mut Process, args: &[Vec<u8>]) -> Answer {
    let script = shell.source == crate::shell::Source::Script;
    if shell.frames.is_empty() && !script {
        return Ok(1);
    }
    let mut depth = 0;
    if let Some(option) = args
        .get(1)
        .filter(|arg| arg.starts_with(b"-") && arg.len() > 1)
    {
        let usage = "caller: usage: caller [expr]";
        let letter = option.get(..2).unwrap_or_default();
        return Ok(shell.invalid_option(proc, args, letter, usage).await);
    }
    if let Some(text) = args.get(1) {
        let Some(number) = std::str::from_utf8(text)
            .ok()
            .and_then(|text| text.parse().ok())
        else {
            let text = [text.as_slice(), b": invalid number"].concat();
            let status = shell.builtin_error(proc, args, text, 2).await;
            proc.print_error(b"caller: usage: caller [expr]\n").await;
            return Ok(status);
        };
        depth = number;
    }
    if shell.frames.is_empty() && args.len() < 2 {
        let _checked_at_flush = proc.print(b"0 NULL\n").await;
        return Ok(0);
    }
    let Some(frame) = shell.frames.iter().rev().nth(depth) else {
        return Ok(1);
    };
    let outer = shell.frames.iter().rev().nth(depth + 1);
    // Only a script has a `main` below its functions.
    let in_script = shell.source == crate::shell::Source::Script;
    if args.len() > 1 && outer.is_none() && !in_script {
        return Ok(1);
    }
    let name = outer.map_or(b"main".to_vec(), |outer| outer.name.clone());
    let line = frame.called_at.to_string().into_bytes();
    let text = if args.len() > 1 {
        [line.as_slice(), b" ", &name, b" ", &frame.file, b"\n"].concat()
    } else {
        let file = outer.map_or(b"NULL".to_vec(), |outer| outer.file.clone());
        let file = match outer {
            None if in_script => shell.arg0.clone(),
            _ => file,
        };
        [line.as_slice(), b" ", &file, b"\n"].concat()
    };
    let _checked_at_flush = proc.print(&text).await;
    Ok(0)
}
