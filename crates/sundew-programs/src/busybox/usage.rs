//! The list of applets and their usage texts, as the original prints them.

use sundew_kernel::{ExitStatus, Process};

/// Sections `=== /PATH`, each followed by the usage text; none for applets without help.
const TEXT: &str = include_str!("usage.txt");

/// Path and usage text of each applet, in the order of `--list`.
fn applets() -> impl Iterator<Item = (&'static str, &'static str)> {
    TEXT.split("=== /")
        .skip(1)
        .map(|section| section.split_once('\n').unwrap_or((section, "")))
}

fn base(path: &str) -> &str {
    path.rsplit('/').next().unwrap_or(path)
}

/// Whether BusyBox has this applet.
pub(super) fn is_applet(name: &[u8]) -> bool {
    applets().any(|(path, _)| base(path).as_bytes() == name)
}

/// Where each applet belongs, without a leading slash.
pub(super) fn paths() -> impl Iterator<Item = &'static str> {
    applets().map(|(path, _)| path)
}

/// The names, or the paths, one a line.
pub(super) fn list(full: bool) -> Vec<u8> {
    applets().fold(Vec::new(), |mut out, (path, _)| {
        out.extend_from_slice(if full { path } else { base(path) }.as_bytes());
        out.push(b'\n');
        out
    })
}

/// Banner and usage of an applet.
pub(super) fn text(name: &[u8]) -> Vec<u8> {
    let usage = applets()
        .find(|(path, _)| base(path).as_bytes() == name)
        .map_or("", |(_, usage)| usage);
    let usage = if usage.is_empty() {
        "No help available\n"
    } else {
        usage
    };
    format!("{}\n\n{usage}", ftp_client::busybox::BANNER).into_bytes()
}

/// What `--help` does: the usage on standard error, status 0.
pub(super) async fn help(proc: &mut Process, name: &[u8]) -> ExitStatus {
    proc.print_error(&text(name)).await;
    ExitStatus::SUCCESS
}

/// What a wrong command line leads to: the usage on standard error, status 1.
pub(super) async fn refuse(proc: &mut Process, name: &[u8]) -> ExitStatus {
    proc.print_error(&text(name)).await;
    ExitStatus::FAILURE
}

/// The complaint about an option, then the usage.
pub(super) async fn refuse_option(
    proc: &mut Process,
    name: &[u8],
    error: &crate::getopt::Error,
) -> ExitStatus {
    let line = [name, b": ", &error.text(), b"\n"].concat();
    proc.print_error(&line).await;
    refuse(proc, name).await
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_list_has_every_applet_once() {
        let list = String::from_utf8(list(false)).unwrap();
        assert_eq!(list.lines().count(), 269);
        assert!(list.starts_with("[\n[[\nacpid\n"));
        assert!(is_applet(b"ftpget") && !is_applet(b"ECCHI") && !is_applet(b""));
    }
}
