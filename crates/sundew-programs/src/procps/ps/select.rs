//! Which processes `ps` shows.

use sundew_kernel::Process;
use sundew_kernel::process::Summary;

use super::options::{Choice, Options};

/// Those that were asked for.
pub(super) fn choose(proc: &Process, options: &Options) -> Vec<Summary> {
    let own_uid = proc.credentials().uid;
    let own_tty = proc.controlling_terminal().map(|path| {
        path.strip_prefix(b"/dev/")
            .map_or(path.clone(), <[u8]>::to_vec)
    });
    let leader = |one: &Summary| one.session == one.pid;
    let wanted = |one: &Summary| {
        if options.choices.is_empty() {
            return one.tty == own_tty && one.uid == own_uid;
        }
        options.choices.iter().any(|choice| match choice {
            Choice::All => true,
            Choice::WithTerminal => one.tty.is_some(),
            Choice::Own => one.uid == own_uid,
            Choice::TerminalNoLeaders => one.tty.is_some() && !leader(one),
            Choice::NoLeaders => !leader(one),
            Choice::ThisTerminal => one.tty == own_tty,
            Choice::Pids(pids) => pids.contains(&one.pid),
            Choice::Parents(pids) => pids.contains(&one.ppid),
            Choice::Sessions(pids) => pids.contains(&one.session),
            Choice::Groups(gids) => gids.contains(&one.gid),
            Choice::Users(uids) => uids.contains(&one.uid),
            Choice::Names(names) => names
                .iter()
                .any(|name| name.get(..15).unwrap_or(name) == one.name),
            Choice::Terminals(names) => one.tty.as_ref().is_some_and(|tty| {
                names.iter().any(|name| {
                    name == tty
                        || name.strip_prefix(b"/dev/") == Some(tty)
                        || [b"pts/".as_slice(), name].concat() == *tty
                })
            }),
        })
    };
    let chosen =
        |one: &Summary| wanted(one) != options.negated && (!options.running || one.state == b'R');
    proc.processes().into_iter().filter(chosen).collect()
}
