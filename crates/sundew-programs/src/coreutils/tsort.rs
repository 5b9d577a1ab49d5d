//! tsort(1): pairs into an order that respects them all.

use std::collections::HashMap;

use sundew_kernel::{ExitStatus, Process};

use super::{about, input};
use crate::getopt::{Getopt, Spec, refuse};

const SPEC: Spec = Spec::gnu("", &[]);

pub(crate) async fn run(proc: &mut Process) -> ExitStatus {
    let mut options = Getopt::new(&SPEC, proc.args());
    if let Some(option) = options.next() {
        match option.map(|option| option.key) {
            Ok(key) => return about::run(proc, key, "tsort").await,
            Err(error) => return refuse(proc, &error, 1).await,
        }
    }
    let operands = options.operands();
    if let Some(extra) = operands.get(1) {
        return input::extra_operand(proc, extra).await;
    }
    let name = operands.first().map_or(b"-".as_slice(), Vec::as_slice);
    let Some((text, mut memory)) = input::read_all(proc, name).await else {
        return proc.status();
    };
    if memory.grow(text.len().saturating_mul(8)).is_err() {
        input::exhausted(proc).await;
        return proc.status();
    }
    let words: Vec<&[u8]> = text
        .split(|byte| matches!(byte, b' ' | b'\t' | b'\n'))
        .filter(|word| !word.is_empty())
        .collect();
    if words.len() % 2 == 1 {
        let text = [name, b": input contains an odd number of tokens"].concat();
        proc.complain_text(text).await;
        return proc.status();
    }
    sort(proc, name, &words).await;
    proc.status()
}

#[derive(Debug, Default)]
struct Node {
    before: usize,
    after: Vec<usize>,
    done: bool,
}

async fn sort(proc: &mut Process, name: &[u8], words: &[&[u8]]) {
    let mut names: Vec<&[u8]> = words.to_vec();
    names.sort_unstable();
    names.dedup();
    let index: HashMap<&[u8], usize> = names
        .iter()
        .enumerate()
        .map(|(at, name)| (*name, at))
        .collect();
    let mut nodes: Vec<Node> = names.iter().map(|_| Node::default()).collect();
    for pair in words.chunks_exact(2) {
        let [from, to] = pair else { continue };
        let (from, to) = (index[from], index[to]);
        if from != to {
            nodes[from].after.push(to);
            nodes[to].before += 1;
        }
    }
    let mut left = nodes.len();
    while left > 0 {
        let mut queue: std::collections::VecDeque<usize> = (0..nodes.len())
            .filter(|&at| nodes[at].before == 0 && !nodes[at].done)
            .collect();
        while let Some(at) = queue.pop_front() {
            proc.tick().await;
            let line = [names[at], b"\n"].concat();
            if proc.print(&line).await.is_err() {
                return;
            }
            nodes[at].done = true;
            left -= 1;
            // The newest relation comes first, as the original keeps them.
            for to in std::mem::take(&mut nodes[at].after).into_iter().rev() {
                nodes[to].before -= 1;
                if nodes[to].before == 0 {
                    queue.push_back(to);
                }
            }
        }
        if left > 0 {
            break_loop(proc, name, &names, &mut nodes).await;
        }
    }
}

/// Reports one circle and takes one of its relations away.
async fn break_loop(proc: &mut Process, name: &[u8], names: &[&[u8]], nodes: &mut [Node]) {
    let Some(start) = nodes.iter().position(|node| !node.done) else {
        return;
    };
    let mut previous = vec![None; nodes.len()];
    for (at, node) in nodes.iter().enumerate().filter(|(_, node)| !node.done) {
        for &to in &node.after {
            previous[to] = Some(at);
        }
    }
    let mut seen = vec![false; nodes.len()];
    let mut at = start;
    while !std::mem::replace(&mut seen[at], true) {
        match previous[at] {
            Some(before) => at = before,
            None => break,
        }
    }
    let mut circle = vec![at];
    let mut walk = previous[at];
    while let Some(before) = walk.filter(|&before| before != at) {
        circle.push(before);
        walk = previous[before];
    }
    proc.complain_text([name, b": input contains a loop:"].concat())
        .await;
    for &member in circle.iter().rev() {
        proc.complain_text(names[member]).await;
    }
    let from = circle.get(1).copied().unwrap_or(at);
    if let Some(edge) = nodes[from].after.iter().position(|&to| to == at) {
        nodes[from].after.remove(edge);
        nodes[at].before -= 1;
    }
}

#[cfg(test)]
mod tests {
    use crate::text::testing::run;

    #[test]
    fn what_comes_before_is_printed_before() {
        assert_eq!(run(&["tsort"], b"a b\nb c\nd c\n").0, "a\nd\nb\nc\n");
        assert_eq!(
            run(&["tsort"], b"a b c").1,
            "tsort: -: input contains an odd number of tokens\n"
        );
    }
}
