//! echo(1), the program: `/bin/echo`.

use sundew_kernel::{ExitStatus, Process};

use super::{about, escape};

pub(crate) async fn run(proc: &mut Process) -> ExitStatus {
    let args: Vec<Vec<u8>> = proc.args().iter().skip(1).cloned().collect();
    if let [only] = args.as_slice() {
        match only.as_slice() {
            b"--help" => return about::run(proc, "help", "echo").await,
            b"--version" => return about::run(proc, "version", "echo").await,
            _ => {}
        }
    }
    let (mut newline, mut escapes) = (true, false);
    let mut words = args.as_slice();
    while let [word, rest @ ..] = words {
        let Some(letters) = word
            .strip_prefix(b"-")
            .filter(|letters| is_options(letters))
        else {
            break;
        };
        for letter in letters {
            match letter {
                b'n' => newline = false,
                b'e' => escapes = true,
                _ => escapes = false,
            }
        }
        words = rest;
    }
    let text = words.join(&b' ');
    let (mut text, stopped) = if escapes {
        escape::echo(&text)
    } else {
        (text, false)
    };
    if newline && !stopped {
        text.push(b'\n');
    }
    // A closed output is reported when the program ends.
    let _reported_at_exit = proc.print(&text).await;
    proc.status()
}

fn is_options(letters: &[u8]) -> bool {
    !letters.is_empty() && letters.iter().all(|letter| b"neE".contains(letter))
}
