//! `random EDITOR SEED COUNT`: plays random keys into a real shell and ours, and cuts what differs down
//! to the keys that matter.

use std::io;
use std::num::NonZero;

use sundew_testkit::terminal::Conversation;

use crate::keys::{self, Editor};
use crate::real::Pace;
use crate::{Answers, ours, real_answers};

/// Columns and rows that every terminal begins with.
const WINDOW: (u16, u16) = (80, 24);

/// What is wrong with a step.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Difference {
    /// The same is seen, after other bytes.
    Bytes,
    /// Something else is seen.
    Screen,
}

/// How many of the seeds differ.
pub(crate) fn compare(editor: Editor, first: u64, count: u64, host: &str) -> io::Result<usize> {
    let all: Vec<Conversation> = (first..first.saturating_add(count))
        .filter_map(|seed| keys::conversation(seed, editor))
        .collect();
    let answers = real_answers(&all, host, Pace::Quick)?;
    let mut bad = 0;
    for (conversation, real) in all.iter().zip(answers) {
        let ours = ours(conversation)?;
        let Some((at, _)) = differs(conversation, &real, &ours) else {
            continue;
        };
        // What follows is of no use; and a busy computer may have answered late.
        let mut shorter = conversation.clone();
        shorter.steps.truncate(at);
        let Some(found) = again(&[shorter], host)?.pop().flatten() else {
            continue;
        };
        bad += 1;
        report(&cut_down(found.0, host)?, host)?;
    }
    println!("{bad} of {count} differ");
    Ok(bad)
}

/// Asks both once more, slowly; those that differ with the way they do.
fn again(all: &[Conversation], host: &str) -> io::Result<Vec<Option<(Conversation, Difference)>>> {
    let real = real_answers(all, host, Pace::Slow)?;
    all.iter()
        .zip(real)
        .map(|(conversation, real)| {
            let ours = ours(conversation)?;
            let found = differs(conversation, &real, &ours);
            Ok(found.map(|(_, how)| (conversation.clone(), how)))
        })
        .collect()
}

/// Leaves out steps, many at a time at first, as long as something differs.
fn cut_down(mut conversation: Conversation, host: &str) -> io::Result<Conversation> {
    let mut part = conversation.steps.len() / 2;
    while part > 0 {
        let last = conversation.steps.len().saturating_sub(1);
        let shorter: Vec<Conversation> = (0..last)
            .step_by(part)
            .map(|index| keys::without(&conversation, index..(index + part).min(last)))
            .collect();
        let real = real_answers(&shorter, host, Pace::Quick)?;
        let mut next = None;
        for (shorter, real) in shorter.into_iter().zip(real) {
            if differs(&shorter, &real, &ours(&shorter)?).is_some() {
                next = Some(shorter);
                break;
            }
        }
        match next {
            Some(next) => conversation = next,
            None => part /= 2,
        }
    }
    Ok(conversation)
}

fn report(conversation: &Conversation, host: &str) -> io::Result<()> {
    let real = real_answers(std::slice::from_ref(conversation), host, Pace::Slow)?;
    let real = real.into_iter().next().unwrap_or_default();
    let ours = ours(conversation)?;
    let how = differs(conversation, &real, &ours).map(|(_, how)| how);
    let recorded = conversation.with_answers(&real, &ours);
    println!(
        "== seed {}: {how:?}\n{recorded}\n{}",
        conversation.line,
        recorded.differences(&ours)
    );
    if how == Some(Difference::Screen) {
        let columns = screens(conversation, &real);
        let other = screens(conversation, &ours);
        if let (Some(one), Some(other)) = (columns.last(), other.last()) {
            println!(
                "-- real screen\n{}\n-- our screen\n{}",
                one.0.trim_end(),
                other.0.trim_end()
            );
        }
    }
    Ok(())
}

/// How many steps are needed until something differs, and what.
fn differs(
    conversation: &Conversation,
    real: &Answers,
    ours: &Answers,
) -> Option<(usize, Difference)> {
    let recorded = conversation.with_answers(real, ours);
    let none = Vec::new();
    if recorded.differences(ours).is_empty() {
        return None;
    }
    let at = (0..real.len().max(ours.len()))
        .find(|&at| real.get(at).unwrap_or(&none) != ours.get(at).unwrap_or(&none))?;
    let same = screens(conversation, real) == screens(conversation, ours);
    let how = if same {
        Difference::Bytes
    } else {
        Difference::Screen
    };
    Some((at, how))
}

/// What is seen after each step, and where the cursor is.
fn screens(conversation: &Conversation, answers: &Answers) -> Vec<(String, (u16, u16))> {
    let acts = conversation.acts();
    let lines = |count: u16| NonZero::new(count).unwrap_or(NonZero::<u16>::MIN);
    let mut parser = vt100::Parser::new(lines(WINDOW.1), lines(WINDOW.0), 0);
    let shown = answers.iter().enumerate().map(|(at, bytes)| {
        let (columns, rows) = keys::window(acts.get(..at).unwrap_or_default());
        parser.screen_mut().set_size(lines(rows), lines(columns));
        parser.process(bytes);
        let screen = parser.screen();
        (screen.contents(), screen.cursor_position())
    });
    shown.collect()
}
