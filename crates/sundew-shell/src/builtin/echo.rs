//! `echo`.

use sundew_kernel::Process;
use sundew_posix::escape::busybox_echo;
use sundew_sh_syntax::Dialect;

use super::Answer;
use crate::expand::transform::unescape_echo;
use crate::shell::Shell;

pub(super) async fn run(shell: &mut Shell, proc: &mut Process, args: &[Vec<u8>]) -> Answer {
    let mut rest = args.get(1..).unwrap_or_default();
    // dash always takes escapes and knows only `-n`; bash and ash take them with `-e`.
    let dash = shell.dialect == Dialect::Dash;
    let mut escapes = dash || shell.options.shopt("xpg_echo");
    let mut newline = true;
    while let Some((option, after)) = rest.split_first() {
        let letters = option
            .strip_prefix(b"-")
            .filter(|letters| !letters.is_empty());
        let allowed: &[u8] = if dash { b"n" } else { b"neE" };
        let Some(letters) =
            letters.filter(|letters| letters.iter().all(|letter| allowed.contains(letter)))
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
        rest = after;
        if dash {
            break;
        }
    }
    let text = rest.join(&b' ');
    let mut output = text;
    if escapes {
        let (unescaped, stopped) = match shell.dialect {
            Dialect::Dash => super::printf::escaped_text(&output, shell.dialect),
            Dialect::Ash => busybox_echo(&output),
            Dialect::Bash => unescape_echo(&output),
        };
        output = unescaped;
        newline &= !stopped;
    }
    if newline {
        output.push(b'\n');
    }
    let _checked_at_flush = proc.print(&output).await;
    Ok(0)
}
