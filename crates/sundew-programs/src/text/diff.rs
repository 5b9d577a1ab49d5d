//! `diff` of diffutils 3.8 for two files: the normal and the unified format.

use sundew_kernel::{Errno, ExitStatus, Process};

use crate::getopt::{Arity, Getopt, Spec, try_help};
use crate::text::input;
use crate::time::{Shown, Zone};

const SPEC: Spec = Spec::new(
    "0123456789abBiqrsNuU:wE",
    &[
        ("brief", Arity::No, "q"),
        ("unified", Arity::Optional, "U"),
        ("report-identical-files", Arity::No, "s"),
        ("text", Arity::No, "a"),
        ("new-file", Arity::No, "N"),
        ("recursive", Arity::No, "r"),
        ("ignore-case", Arity::No, "i"),
        ("normal", Arity::No, "normal"),
        ("color", Arity::Optional, "color"),
    ],
);

/// Trouble, as opposed to a difference.
const TROUBLE: u8 = 2;
/// Most edits that are looked for; files that differ more are shown as wholly changed.
const MAX_EDITS: usize = 2000;

/// Lines of the first file replaced by lines of the second; both as ranges from 0.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Change {
    old: (usize, usize),
    new: (usize, usize),
}

pub(crate) async fn run(proc: &mut Process) -> ExitStatus {
    let (mut unified, mut brief, mut report) = (None, false, false);
    let mut getopt = Getopt::new(&SPEC, proc.args());
    while let Some(option) = getopt.next() {
        match option {
            Ok(option) => match option.key {
                "u" => unified = Some(3),
                "U" => {
                    let lines = std::str::from_utf8(&option.value)
                        .ok()
                        .and_then(|text| text.parse().ok());
                    unified = Some(lines.unwrap_or(3));
                }
                "q" => brief = true,
                "s" => report = true,
                _ => {}
            },
            Err(error) => {
                proc.complain_text(error.text()).await;
                return try_help(proc, TROUBLE).await;
            }
        }
    }
    let operands = getopt.operands();
    let [first, second] = operands.as_slice() else {
        let last = proc.args().last().cloned().unwrap_or_default();
        let what = if operands.len() < 2 {
            b"missing operand after '".as_slice()
        } else {
            b"extra operand '"
        };
        let shown = operands.get(2).cloned().unwrap_or(last);
        proc.complain_text([what, &shown, b"'"].concat()).await;
        return try_help(proc, TROUBLE).await;
    };
    let mut contents = Vec::new();
    for path in [first, second] {
        match input::read_all(proc, path).await {
            Ok(content) => contents.push(content),
            Err(Errno::Enomem) => proc.out_of_memory().await,
            Err(errno) => proc.complain(path, errno).await,
        }
    }
    let [(old, _), (new, _)] = contents.as_slice() else {
        return ExitStatus::Exited(TROUBLE);
    };
    if old == new {
        if report {
            let line = [
                b"Files ".as_slice(),
                first,
                b" and ",
                second,
                b" are identical\n",
            ]
            .concat();
            // The kernel reports a failed write at exit.
            let _reported = proc.print(&line).await;
        }
        return ExitStatus::SUCCESS;
    }
    let binary = old.contains(&0) || new.contains(&0);
    if brief || binary {
        let what: &[u8] = if brief { b"Files " } else { b"Binary files " };
        let line = [what, first, b" and ", second, b" differ\n"].concat();
        let _reported = proc.print(&line).await;
        return ExitStatus::Exited(if brief { 1 } else { TROUBLE });
    }
    let (old, new) = (lines(old), lines(new));
    let changes = compare(proc, &old, &new).await;
    let out = match unified {
        Some(context) => [
            heading(proc, first, second),
            hunks(&old, &new, &changes, context),
        ]
        .concat(),
        None => normal(&old, &new, &changes),
    };
    let _reported = proc.print(&out).await;
    ExitStatus::FAILURE
}

fn lines(text: &[u8]) -> Vec<&[u8]> {
    text.split_inclusive(|&byte| byte == b'\n').collect()
}

/// Myers's shortest edit script, between what both files begin and end with.
async fn compare(proc: &Process, old: &[&[u8]], new: &[&[u8]]) -> Vec<Change> {
    let front = old
        .iter()
        .zip(new)
        .take_while(|(left, right)| left == right)
        .count();
    let (old_rest, new_rest) = (
        old.get(front..).unwrap_or_default(),
        new.get(front..).unwrap_or_default(),
    );
    let back = old_rest
        .iter()
        .rev()
        .zip(new_rest.iter().rev())
        .take_while(|(left, right)| left == right)
        .count();
    let old_rest = old_rest.get(..old_rest.len() - back).unwrap_or_default();
    let new_rest = new_rest.get(..new_rest.len() - back).unwrap_or_default();
    let whole = Change {
        old: (front, front + old_rest.len()),
        new: (front, front + new_rest.len()),
    };
    let Some(trace) = search(proc, old_rest, new_rest).await else {
        return vec![whole];
    };
    // Back along the trace: single steps, later joined into changes.
    let (mut x, mut y) = (old_rest.len(), new_rest.len());
    let mut changes: Vec<Change> = Vec::new();
    for (depth, ends) in trace.iter().enumerate().rev() {
        let end = |diagonal: isize| {
            let index = usize::try_from(diagonal + isize::try_from(depth).unwrap_or(0)).ok()?;
            ends.get(index).copied()
        };
        let diagonal = x.cast_signed() - y.cast_signed();
        if depth == 0 {
            break;
        }
        let reach = |diagonal: isize| end(diagonal).unwrap_or(0);
        let depth = isize::try_from(depth).unwrap_or(0);
        let down =
            diagonal == -depth || (diagonal != depth && reach(diagonal - 1) < reach(diagonal + 1));
        let before = if down { diagonal + 1 } else { diagonal - 1 };
        let from_x = reach(before);
        let from_y = usize::try_from(from_x.cast_signed() - before).unwrap_or(0);
        let (old_end, new_end) = if down {
            (from_x, from_y + 1)
        } else {
            (from_x + 1, from_y)
        };
        let step = Change {
            old: (front + from_x, front + old_end),
            new: (front + from_y, front + new_end),
        };
        match changes.last_mut() {
            Some(next) if next.old.0 == step.old.1 && next.new.0 == step.new.1 => {
                (next.old.0, next.new.0) = (step.old.0, step.new.0);
            }
            _ => changes.push(step),
        }
        (x, y) = (from_x, from_y);
    }
    changes.reverse();
    changes
}

/// For each number of edits, how far along the first file each diagonal came before it; `None` past
/// the bound.
async fn search(proc: &Process, old: &[&[u8]], new: &[&[u8]]) -> Option<Vec<Vec<usize>>> {
    let mut memory = proc.memory();
    let mut trace: Vec<Vec<usize>> = Vec::new();
    // Diagonals -depth..=depth of the last round lie at 0..=2*depth.
    let mut ends: Vec<usize> = vec![0];
    for depth in 0..=MAX_EDITS.min(old.len() + new.len()) {
        proc.tick().await;
        memory.grow((2 * depth + 1) * size_of::<usize>()).ok()?;
        let limit = depth.cast_signed();
        // What the last round reached, seen with this round's offset.
        let shown = if depth == 0 {
            vec![0]
        } else {
            [vec![0], ends.clone(), vec![0]].concat()
        };
        trace.push(shown.clone());
        let mut next = vec![0; 2 * depth + 1];
        let mut diagonal = -limit;
        while diagonal <= limit {
            let at = |diagonal: isize| {
                usize::try_from(diagonal + limit)
                    .ok()
                    .and_then(|index| shown.get(index))
                    .copied()
                    .unwrap_or(0)
            };
            let mut x = if depth == 0 {
                0
            } else if diagonal == -limit
                || (diagonal != limit && at(diagonal - 1) < at(diagonal + 1))
            {
                at(diagonal + 1)
            } else {
                at(diagonal - 1) + 1
            };
            let mut y = usize::try_from(x.cast_signed() - diagonal).unwrap_or(0);
            while let (Some(left), Some(right)) = (old.get(x), new.get(y))
                && left == right
            {
                x += 1;
                y += 1;
            }
            if let Some(place) = usize::try_from(diagonal + limit)
                .ok()
                .and_then(|index| next.get_mut(index))
            {
                *place = x;
            }
            if x >= old.len() && y >= new.len() {
                return Some(trace);
            }
            diagonal += 2;
        }
        ends = next;
    }
    None
}

fn put(out: &mut Vec<u8>, mark: &[u8], line: &[u8]) {
    out.extend_from_slice(mark);
    out.extend_from_slice(line);
    if !line.ends_with(b"\n") {
        out.extend_from_slice(b"\n\\ No newline at end of file\n");
    }
}

fn normal(old: &[&[u8]], new: &[&[u8]], changes: &[Change]) -> Vec<u8> {
    let range = |(start, end): (usize, usize)| match end.saturating_sub(start) {
        0 => start.to_string(),
        1 => end.to_string(),
        _ => format!("{},{end}", start + 1),
    };
    let mut out = Vec::new();
    for change in changes {
        let letter = match (change.old.0 == change.old.1, change.new.0 == change.new.1) {
            (true, _) => 'a',
            (_, true) => 'd',
            _ => 'c',
        };
        out.extend_from_slice(
            format!("{}{letter}{}\n", range(change.old), range(change.new)).as_bytes(),
        );
        for line in old.get(change.old.0..change.old.1).unwrap_or_default() {
            put(&mut out, b"< ", line);
        }
        if letter == 'c' {
            out.extend_from_slice(b"---\n");
        }
        for line in new.get(change.new.0..change.new.1).unwrap_or_default() {
            put(&mut out, b"> ", line);
        }
    }
    out
}

fn heading(proc: &Process, first: &[u8], second: &[u8]) -> Vec<u8> {
    let mut out = Vec::new();
    for (mark, path) in [(b"--- ", first), (b"+++ ", second)] {
        let moment = if path == b"-" {
            Ok(proc.now())
        } else {
            proc.stat(path).map(|metadata| metadata.mtime)
        };
        let time = Shown::new(moment.unwrap_or(proc.now()), &Zone::utc())
            .format(b"%Y-%m-%d %H:%M:%S.%N %z");
        out.extend_from_slice(&[mark.as_slice(), path, b"\t", &time, b"\n"].concat());
    }
    out
}

fn hunks(old: &[&[u8]], new: &[&[u8]], changes: &[Change], context: usize) -> Vec<u8> {
    let range = |(start, end): (usize, usize)| match end - start {
        0 => format!("{start},0"),
        1 => end.to_string(),
        length => format!("{},{length}", start + 1),
    };
    let mut out = Vec::new();
    let mut rest = changes;
    while let Some(first) = rest.first() {
        // Changes whose contexts touch share a hunk.
        let apart = |pair: &[Change]| matches!(pair, [a, b] if b.old.0 - a.old.1 > 2 * context);
        let count = rest
            .windows(2)
            .position(apart)
            .map_or(rest.len(), |at| at + 1);
        let (group, after) = rest.split_at(count);
        rest = after;
        let Some(last) = group.last() else { break };
        let before = first.old.0.min(context);
        let behind = (old.len() - last.old.1).min(context);
        let spans = (
            (first.old.0 - before, last.old.1 + behind),
            (first.new.0 - before, last.new.1 + behind),
        );
        out.extend_from_slice(
            format!("@@ -{} +{} @@\n", range(spans.0), range(spans.1)).as_bytes(),
        );
        let mut at = first.old.0 - before;
        for change in group {
            for line in old.get(at..change.old.0).unwrap_or_default() {
                put(&mut out, b" ", line);
            }
            for line in old.get(change.old.0..change.old.1).unwrap_or_default() {
                put(&mut out, b"-", line);
            }
            for line in new.get(change.new.0..change.new.1).unwrap_or_default() {
                put(&mut out, b"+", line);
            }
            at = change.old.1;
        }
        for line in old.get(at..last.old.1 + behind).unwrap_or_default() {
            put(&mut out, b" ", line);
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use crate::text::testing::run;

    #[test]
    fn differences_are_shown_in_both_formats() {
        let changed = b"root:x:0:\nextra\nnogroup:x:1:\n";
        let (out, _, status) = run(&["diff", "/etc/group", "-"], changed);
        assert_eq!(
            (out.as_str(), status),
            (
                "2c2,3\n< nogroup:x:65534:\n---\n> extra\n> nogroup:x:1:\n",
                1
            )
        );
        let (out, _, _) = run(
            &["diff", "-u", "/etc/group", "-"],
            b"first\nroot:x:0:\nnogroup:x:65534:\n",
        );
        assert!(
            out.ends_with("@@ -1,2 +1,3 @@\n+first\n root:x:0:\n nogroup:x:65534:\n"),
            "{out}"
        );
        let (out, _, _) = run(&["diff", "/etc/group", "-"], b"root:x:0:");
        assert_eq!(
            out,
            "1,2c1\n< root:x:0:\n< nogroup:x:65534:\n---\n> root:x:0:\n\\ No newline at end of file\n"
        );
        assert_eq!(run(&["diff", "/etc/group", "/etc/group"], b"").2, 0);
        assert_eq!(
            run(&["diff", "/etc/group", "/nope"], b""),
            (
                String::new(),
                "diff: /nope: No such file or directory\n".into(),
                2
            )
        );
    }
}
