//! Programs that become another one: execvp(3).

use sundew_kernel::{Errno, ExitStatus, Process};

use crate::quote::{self, Locale};

/// Where commands are looked for without a `PATH`: glibc's default.
const DEFAULT_PATH: &[u8] = b"/bin:/usr/bin";

/// Becomes the command `args`, searched for in `PATH`; answers only if that fails. What is neither
/// a program nor a script with `#!` is given to `/bin/sh`.
pub(crate) async fn become_command(proc: &mut Process, args: Vec<Vec<u8>>) -> Errno {
    let Some(name) = args.first().cloned() else {
        return Errno::Enoent;
    };
    if name.is_empty() {
        return Errno::Enoent;
    }
    if name.contains(&b'/') {
        return become_file(proc, &name, args).await;
    }
    let path = proc.env().value(b"PATH").unwrap_or(DEFAULT_PATH).to_vec();
    let mut answer = Errno::Enoent;
    for directory in path.split(|&byte| byte == b':') {
        let file = if directory.is_empty() {
            name.clone()
        } else {
            [directory, b"/", &name].concat()
        };
        match become_file(proc, &file, args.clone()).await {
            Errno::Enoent | Errno::Enotdir => {}
            Errno::Eacces => answer = Errno::Eacces,
            errno => return errno,
        }
    }
    answer
}

async fn become_file(proc: &mut Process, file: &[u8], args: Vec<Vec<u8>>) -> Errno {
    let env = proc.env().clone();
    let errno = proc.exec(file, args.clone(), env.clone()).await;
    if errno != Errno::Enoexec {
        return errno;
    }
    let mut script = vec![b"/bin/sh".to_vec(), file.to_vec()];
    script.extend(args.into_iter().skip(1));
    proc.exec(b"/bin/sh", script, env).await
}

/// Becomes `args`, or complains and answers 127 (not found) or 126, as env, nice and the like do.
/// `locale` is that of the start: the environment may have changed since.
pub(crate) async fn launch(
    proc: &mut Process,
    locale: Locale,
    prefix: &str,
    args: Vec<Vec<u8>>,
) -> ExitStatus {
    let name = args.first().cloned().unwrap_or_default();
    let errno = become_command(proc, args).await;
    let quoted = quote::text_in(locale, &name);
    let text = [
        prefix.as_bytes(),
        &quoted,
        b": ",
        errno.message().as_bytes(),
    ]
    .concat();
    proc.complain_text(text).await;
    ExitStatus::Exited(if errno == Errno::Enoent { 127 } else { 126 })
}
