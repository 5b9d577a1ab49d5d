//! `pstree` of psmisc, without the merging of equal branches of threads.

use std::collections::BTreeMap;

use sundew_kernel::process::Summary;
use sundew_kernel::{ExitStatus, Pid, Process};

use crate::users::Directory;

const VERSION: &str = "pstree (PSmisc) 23.6\nCopyright (C) 1993-2021 Werner Almesberger and Craig Small\n\nPSmisc comes with ABSOLUTELY NO WARRANTY.\nThis is free software, and you are welcome to redistribute it under\nthe terms of the GNU General Public License.\nFor more information about these matters, see the files named COPYING.\n";

/// Long options.
const LONG: &[&str] = &[
    "arguments",
    "ascii",
    "compact-not",
    "color",
    "show-pgids",
    "vt100",
    "highlight-all",
    "highlight-pid",
    "long",
    "numeric-sort",
    "ns-sort",
    "show-pids",
    "show-parents",
    "ns-changes",
    "thread-names",
    "hide-threads",
    "uid-changes",
    "unicode",
    "version",
    "security-context",
    "help",
];

/// Deepest tree that is drawn.
const MAX_DEPTH: usize = 60;

/// `pstree`.
pub(super) async fn run(proc: &mut Process) -> ExitStatus {
    if let Some(text) = crate::net::unknown(proc.args(), "pstree", "aAcgGhlnpsStTuUVZ", "CHN", LONG)
    {
        return crate::net::refuse(proc, &text, "pstree", 1).await;
    }
    if proc
        .args()
        .iter()
        .any(|word| word == b"-V" || word == b"--version")
    {
        proc.print_error(VERSION.as_bytes()).await;
        return ExitStatus::SUCCESS;
    }
    let (mut pids, mut root, mut owner) = (false, 1, None);
    let operands = proc.args().iter().skip(1);
    if operands.filter(|word| !word.starts_with(b"-")).count() > 1 {
        return crate::net::refuse(proc, "", "pstree", 1).await;
    }
    let users = Directory::load(proc).await;
    for word in proc.args().iter().skip(1) {
        match word.as_slice() {
            option if option.starts_with(b"-") => pids |= option.contains(&b'p'),
            other => match super::number(other) {
                Some(pid) => root = pid,
                None => match users.user(other) {
                    Some(user) => owner = Some(user.uid),
                    None => {
                        let text = [b"No such user name: ".as_slice(), other, b"\n"].concat();
                        proc.print_error(&text).await;
                        return ExitStatus::FAILURE;
                    }
                },
            },
        }
    }
    let all = proc.processes();
    // A user's trees are those whose parent is somebody else's.
    let mut tops: Vec<Pid> = vec![root];
    if let Some(uid) = owner {
        let owned = |pid: Pid| all.iter().any(|one| one.pid == pid && one.uid == uid);
        let roots = all.iter().filter(|one| one.uid == uid && !owned(one.ppid));
        tops = roots.map(|one| one.pid).collect();
    }
    let mut children: BTreeMap<Pid, Vec<Summary>> = BTreeMap::new();
    let mut roots = Vec::new();
    for one in all {
        if tops.contains(&one.pid) {
            roots.push(one);
        } else {
            children.entry(one.ppid).or_default().push(one);
        }
    }
    if roots.is_empty() {
        if owner.is_some() {
            proc.print_error(b"No processes found.\n").await;
            return ExitStatus::FAILURE;
        }
        return proc.status();
    }
    let mut text = Vec::new();
    for top in &roots {
        draw(top, &children, pids, "", 0, &mut text);
    }
    let _closed = proc.print(&text).await;
    proc.status()
}

fn draw(
    one: &Summary,
    children: &BTreeMap<Pid, Vec<Summary>>,
    pids: bool,
    prefix: &str,
    depth: usize,
    out: &mut Vec<u8>,
) {
    let mut label = String::from_utf8_lossy(&one.name).into_owned();
    if pids {
        label += &format!("({})", one.pid);
    }
    out.extend_from_slice(label.as_bytes());
    let mut below: Vec<&Summary> = children.get(&one.pid).into_iter().flatten().collect();
    below.sort_by(|a, b| (&a.name, a.pid).cmp(&(&b.name, b.pid)));
    let indent = format!("{prefix}{}", " ".repeat(label.chars().count()));
    let count = if depth < MAX_DEPTH { below.len() } else { 0 };
    for (number, child) in below.into_iter().take(count).enumerate() {
        let last = number + 1 == count;
        let joint = match (number, last) {
            (0, true) => "\u{2500}\u{2500}\u{2500}",
            (0, false) => "\u{2500}\u{252c}\u{2500}",
            (_, true) => " \u{2514}\u{2500}",
            (_, false) => " \u{251c}\u{2500}",
        };
        if number > 0 {
            out.extend_from_slice(indent.as_bytes());
        }
        out.extend_from_slice(joint.as_bytes());
        let deeper = format!("{indent}{}", if last { "   " } else { " \u{2502} " });
        draw(child, children, pids, &deeper, depth + 1, out);
    }
    if count == 0 {
        out.push(b'\n');
    }
}
