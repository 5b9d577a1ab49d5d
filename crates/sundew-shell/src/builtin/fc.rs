//! `fc`: lists lines typed before, or runs one again.

use sundew_kernel::Process;

use super::Answer;
use super::getopt::{Found, Options, integer};
use crate::shell::Shell;

const USAGE: &str = "fc: usage: fc [-e ename] [-lnr] [first] [last] or fc -s [pat=rep] [command]";

/// Lines that `fc -l` shows unless told otherwise; POSIX.
const LISTED: usize = 16;

pub(super) async fn run(shell: &mut Shell, proc: &mut Process, args: &[Vec<u8>]) -> Answer {
    let (mut list, mut plain, mut reverse, mut again) = (false, false, false, false);
    let mut editor = None;
    // `fc -5` counts back; it is no option.
    let numeric = |word: &&Vec<u8>| word.starts_with(b"-") && integer(word).is_some();
    let split = args
        .iter()
        .position(|word| numeric(&word))
        .unwrap_or(args.len());
    let (before, numbers) = args.split_at(split);
    let mut options = Options::new(before, b"e:lnrs");
    while let Some(found) = options.next() {
        match found {
            Found::Option(b'e', value) => editor = Some(value),
            Found::Option(b'l', _) => list = true,
            Found::Option(b'n', _) => plain = true,
            Found::Option(b'r', _) => reverse = true,
            Found::Option(..) => again = true,
            other => return Ok(shell.bad_option(proc, args, other, USAGE).await),
        }
    }
    let operands: Vec<Vec<u8>> = options.operands().iter().chain(numbers).cloned().collect();
    if editor == Some(b"-".as_slice()) || again {
        return run_again(shell, proc, args, &operands).await;
    }
    // The line with this command is the last one; it is not listed.
    let end = shell
        .history
        .next_number()
        .saturating_sub(usize::from(shell.interactive));
    if end <= shell.history.first() {
        return Ok(0);
    }
    let first = match operands.first() {
        Some(text) => find(shell, text, end),
        None if list => Some(end.saturating_sub(LISTED)),
        None => Some(end - 1),
    };
    let last = match operands.get(1) {
        Some(text) => find(shell, text, end),
        None if list => Some(end - 1),
        None => first,
    };
    let (Some(first), Some(last)) = (first, last) else {
        let named = operands.iter().any(|operand| integer(operand).is_none());
        let text = if named {
            "no command found"
        } else {
            "history specification out of range"
        };
        return Ok(shell.builtin_error(proc, args, text, 1).await);
    };
    if !list {
        let mut numbers: Vec<usize> = (first.min(last)..=first.max(last).min(end - 1)).collect();
        if reverse != (first > last) {
            numbers.reverse();
        }
        return edit_again(shell, proc, editor, &numbers).await;
    }
    let (low, high) = (
        first.min(last).max(shell.history.first()),
        first.max(last).min(end - 1),
    );
    let mut numbers: Vec<usize> = (low..=high).collect();
    if reverse != (first > last) {
        numbers.reverse();
    }
    for number in numbers {
        let Some(line) = shell.history.line(number) else {
            continue;
        };
        let number = if plain {
            String::new()
        } else {
            number.to_string()
        };
        let text = [number.as_bytes(), b"\t ", line, b"\n"].concat();
        let _checked_at_flush = proc.print(&text).await;
    }
    Ok(0)
}

/// The number of a line: its own, one counted from the end, or that of the last one that begins so.
fn find(shell: &Shell, text: &[u8], end: usize) -> Option<usize> {
    match integer(text) {
        Some(number) if number > 0 => usize::try_from(number).ok(),
        Some(number) => end.checked_sub(usize::try_from(number.unsigned_abs()).ok()?.max(1)),
        None => (shell.history.first()..end).rev().find(|number| {
            shell
                .history
                .line(*number)
                .is_some_and(|line| line.starts_with(text))
        }),
    }
}

/// `fc -e`: the lines go through an editor; what it leaves in their file is run.
async fn edit_again(
    shell: &mut Shell,
    proc: &mut Process,
    editor: Option<&[u8]>,
    numbers: &[usize],
) -> Answer {
    let known = shell
        .variables
        .scalar(b"FCEDIT")
        .or_else(|| shell.variables.scalar(b"EDITOR"));
    let editor = editor.or(known).unwrap_or(b"editor").to_vec();
    let mut text = Vec::new();
    for line in numbers
        .iter()
        .filter_map(|number| shell.history.line(*number))
    {
        text.extend_from_slice(line);
        text.push(b'\n');
    }
    let path = format!("/tmp/bash-fc.{:06}", proc.monotonic().subsec_micros());
    let path = path.as_bytes();
    if let Err(errno) = super::history::write_new(proc, path, &text).await {
        let text = [
            b"fc: ",
            path,
            b": cannot open temp file: ",
            errno.message().as_bytes(),
        ];
        shell.complain(proc, text.concat()).await;
        return Ok(1);
    }
    shell.enter(proc).await?;
    let edited = shell
        .run_text(proc, &[editor.as_slice(), b" ", path].concat())
        .await;
    shell.depth = shell.depth.saturating_sub(1);
    edited?;
    let text = super::source::read_script(proc, path)
        .await
        .unwrap_or_default();
    let _gone_already = proc.unlink(path);
    if shell.status != 0 {
        return Ok(1);
    }
    proc.print_error(&text).await;
    if shell.interactive {
        shell.history.pop();
        let line = text.strip_suffix(b"\n").unwrap_or(&text);
        shell.history.push(&crate::readline::history::join(line));
    }
    shell.enter(proc).await?;
    let result = shell.run_text(proc, &text).await;
    shell.depth = shell.depth.saturating_sub(1);
    result?;
    Ok(shell.status)
}

/// `fc -s`
async fn run_again(
    shell: &mut Shell,
    proc: &mut Process,
    args: &[Vec<u8>],
    operands: &[Vec<u8>],
) -> Answer {
    let end = shell
        .history
        .next_number()
        .saturating_sub(usize::from(shell.interactive));
    let (change, which) = match operands.split_first() {
        Some((first, rest)) if first.contains(&b'=') => (Some(first), rest.first()),
        other => (None, other.map(|(first, _)| first)),
    };
    let number = which.map_or_else(|| end.checked_sub(1), |text| find(shell, text, end));
    let Some(line) = number.and_then(|number| shell.history.line(number)) else {
        return Ok(shell.builtin_error(proc, args, "no command found", 1).await);
    };
    let mut line = line.to_vec();
    if let Some(change) = change
        && let Some(at) = change.iter().position(|&byte| byte == b'=')
        && let (pattern, Some(replacement)) =
            (change.get(..at).unwrap_or_default(), change.get(at + 1..))
        && let Some(found) = line
            .windows(pattern.len().max(1))
            .position(|window| window == pattern)
    {
        line.splice(found..found + pattern.len(), replacement.iter().copied());
    }
    proc.print_error(&[line.as_slice(), b"\n"].concat()).await;
    if shell.interactive {
        shell.history.pop();
        shell.history.push(&line);
    }
    shell.enter(proc).await?;
    let result = shell.run_text(proc, &line).await;
    shell.depth = shell.depth.saturating_sub(1);
    result?;
    Ok(shell.status)
}
