//! Processes as trees: `f`, `-H`, `--forest`.

use std::collections::BTreeMap;

use sundew_kernel::Pid;
use sundew_kernel::process::Summary;

/// Deepest tree that is drawn; a stranger's fork chain must not make lines of megabytes.
const MAX_DEPTH: usize = 60;

/// Arranges processes below their parents, each with what stands before its command. Children of
/// init stand alone, as procps shows them.
pub(super) fn arrange(all: Vec<Summary>, lines: bool) -> Vec<(Vec<u8>, Summary)> {
    let known: Vec<Pid> = all.iter().map(|one| one.pid).collect();
    let mut children: BTreeMap<Pid, Vec<Summary>> = BTreeMap::new();
    let mut roots = Vec::new();
    for one in all {
        if one.ppid <= 1 || one.ppid == one.pid || !known.contains(&one.ppid) {
            roots.push(one);
        } else {
            children.entry(one.ppid).or_default().push(one);
        }
    }
    // The kernel's threads come first.
    roots.sort_by_key(|one| (one.pid != 2, one.pid));
    let mut out = Vec::new();
    for root in roots {
        place(root, &mut Vec::new(), &mut children, lines, &mut out);
    }
    out
}

fn place(
    one: Summary,
    open: &mut Vec<bool>,
    children: &mut BTreeMap<Pid, Vec<Summary>>,
    lines: bool,
    out: &mut Vec<(Vec<u8>, Summary)>,
) {
    let mut prefix = Vec::new();
    for (level, &more) in open.iter().enumerate() {
        let own = level + 1 == open.len();
        prefix.extend_from_slice(match (lines, own, more) {
            (false, ..) => b"  ",
            (true, true, _) => b" \\_ ",
            (true, false, true) => b" |  ",
            (true, false, false) => b"    ",
        });
    }
    let pid = one.pid;
    out.push((prefix, one));
    let below = children.remove(&pid).unwrap_or_default();
    let count = below.len();
    for (number, child) in below.into_iter().enumerate() {
        let deep = open.len() >= MAX_DEPTH;
        if !deep {
            open.push(number + 1 < count);
        }
        place(child, open, children, lines, out);
        if !deep {
            open.pop();
        }
    }
}
