//! `logsave`.

use sundew_kernel::{ExitStatus, Process};

use super::extfs::letters;
use crate::text::{command, shell};
use crate::time::{Shown, Zone};

#[expect(
    clippy::too_many_lines,
    reason = "one thing from top to bottom, in the order of the manual"
)]
pub(super) async fn logsave(proc: &mut Process) -> ExitStatus {
    let (seen, operands) = match letters_first(proc.args(), "asv") {
        Ok(read) => read,
        Err(text) => {
            proc.print_error(format!("logsave: {text}\n").as_bytes())
                .await;
            super::put(proc, "Usage: logsave [-asv] logfile program\n").await;
            return ExitStatus::FAILURE;
        }
    };
    let [log, words @ ..] = operands.as_slice() else {
        super::put(proc, "Usage: logsave [-asv] logfile program\n").await;
        return ExitStatus::FAILURE;
    };
    if words.is_empty() {
        super::put(proc, "Usage: logsave [-asv] logfile program\n").await;
        return ExitStatus::FAILURE;
    }
    let append = seen.contains(&'a');
    let mut text = if append {
        super::read(proc, log).await.unwrap_or_default()
    } else {
        Vec::new()
    };
    let zone = Zone::of(proc).await;
    let at = |proc: &Process| Shown::new(proc.now(), &zone).format(b"%a %b %e %H:%M:%S %Y\n");
    text.extend(
        [
            b"Log of ".as_slice(),
            &words.join(&b' '),
            b" \n",
            &at(proc),
            b"\n",
        ]
        .concat(),
    );
    let (from, to) = match proc.pipe() {
        Ok(pair) => pair,
        Err(errno) => return super::fail(proc, format!("pipe: {}\n", errno.message()), 1).await,
    };
    let words = words.to_vec();
    let started = proc.fork(move |mut child| {
        Box::pin(async move {
            for fd in [1, 2] {
                let _moved = child.duplicate_to(to, fd);
            }
            let _close = (child.close(to), child.close(from));
            let name = words.first().cloned().unwrap_or_default();
            let errno = match command::search(&child, &name) {
                Ok(path) => {
                    let env = child.env().clone();
                    child.exec(&path, words, env).await
                }
                Err(errno) => errno,
            };
            let line = format!("{}: {}\n", super::text(&name), errno.message());
            child.print_error(line.as_bytes()).await;
            ExitStatus::FAILURE
        })
    });
    let _closed = proc.close(to);
    let Ok(pid) = started else {
        return ExitStatus::FAILURE;
    };
    let mut chunk = vec![0; 4096];
    while let Ok(got) = proc.read(from, &mut chunk).await {
        let bytes = chunk.get(..got).unwrap_or_default().to_vec();
        if bytes.is_empty() || text.len() > 1 << 20 {
            break;
        }
        text.extend_from_slice(&bytes);
        if proc.print(&bytes).await.is_err() || proc.flush().await.is_err() {
            break;
        }
    }
    let status = shell::wait(proc, pid).await;
    if status != ExitStatus::SUCCESS {
        text.extend(format!("exited with status code {}\n", status.code()).into_bytes());
    }
    text.extend([b"\n".as_slice(), &at(proc), b"----------------\n"].concat());
    let _written = super::write(proc, log, &text, 0o666).await;
    status
}

/// Letters in front of the first operand.
fn letters_first(args: &[Vec<u8>], spec: &str) -> Result<(Vec<char>, Vec<Vec<u8>>), String> {
    let options = args
        .iter()
        .skip(1)
        .take_while(|word| word.len() > 1 && word.starts_with(b"-"))
        .count();
    let (head, tail) = args.split_at(options + 1);
    let (seen, _) = letters(head, spec)?;
    Ok((
        seen.into_iter().map(|option| option.0).collect(),
        tail.to_vec(),
    ))
}
