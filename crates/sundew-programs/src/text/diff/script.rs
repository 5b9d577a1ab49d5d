//! Which lines changed: Myers's linear-space comparison from both ends, with the choices diffutils makes
//! between equally short answers.

use std::collections::HashMap;

use sundew_kernel::Process;
use sundew_kernel::budget::Memory;

/// Edit steps after which a comparison settles for a good place instead of the best one.
const TOO_EXPENSIVE: usize = 4096;

/// Lines of the first file replaced by lines of the second; both as ranges from 0.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Change {
    pub(super) old: (usize, usize),
    pub(super) new: (usize, usize),
    /// Shown only beside others: blank lines under `-B`, matching lines under `-I`.
    pub(super) ignored: bool,
}

/// Whether each line of a file changed; the last element is always false.
type Marks = Vec<bool>;

fn at(marks: &Marks, index: usize) -> bool {
    marks.get(index).copied().unwrap_or(false)
}

/// The element before `index`; nothing is changed before the first line.
fn before(marks: &Marks, index: usize) -> bool {
    index.checked_sub(1).is_some_and(|index| at(marks, index))
}

fn put(marks: &mut Marks, index: usize, value: bool) {
    if let Some(mark) = marks.get_mut(index) {
        *mark = value;
    }
}

/// The changes between two files whose lines are given in the form they are compared in; `None` if
/// memory runs out.
pub(super) async fn compare(
    proc: &Process,
    memory: &mut Memory,
    old: &[Vec<u8>],
    new: &[Vec<u8>],
) -> Option<Vec<Change>> {
    let count = old.len().saturating_add(new.len());
    memory.grow(count.saturating_mul(64)).ok()?;
    let mut classes: HashMap<&[u8], usize> = HashMap::new();
    let mut numbered: [Vec<usize>; 2] = [Vec::new(), Vec::new()];
    for (file, lines) in numbered.iter_mut().zip([old, new]) {
        for line in lines {
            let next = classes.len();
            file.push(*classes.entry(line.as_slice()).or_insert(next));
        }
    }
    let [old, new] = numbered;
    let mut seen = vec![(false, false); classes.len()];
    for &class in &old {
        if let Some(flags) = seen.get_mut(class) {
            flags.0 = true;
        }
    }
    for &class in &new {
        if let Some(flags) = seen.get_mut(class) {
            flags.1 = true;
        }
    }
    let both = |class: &usize| seen.get(*class) == Some(&(true, true));
    // Lines that the other file has nowhere are changed whatever happens: only the rest is compared.
    let mut marks = (vec![false; old.len() + 1], vec![false; new.len() + 1]);
    let mut kept: [Vec<(usize, usize)>; 2] = [Vec::new(), Vec::new()];
    let [kept_old, kept_new] = &mut kept;
    for (lines, marks, kept) in [
        (&old, &mut marks.0, kept_old),
        (&new, &mut marks.1, kept_new),
    ] {
        for (index, class) in lines.iter().enumerate() {
            if both(class) {
                kept.push((*class, index));
            } else {
                put(marks, index, true);
            }
        }
    }
    let [kept_old, kept_new] = kept;
    let mut search = Search::new(&kept_old, &kept_new);
    search.run(proc).await;
    for index in search.deleted {
        put(&mut marks.0, index, true);
    }
    for index in search.inserted {
        put(&mut marks.1, index, true);
    }
    shift(proc, &old, &mut marks.0, &mut marks.1).await;
    shift(proc, &new, &mut marks.1, &mut marks.0).await;
    Some(changes(&marks.0, &marks.1))
}

fn changes(old: &Marks, new: &Marks) -> Vec<Change> {
    let mut found = Vec::new();
    let (mut left, mut right) = (0, 0);
    let ends = (old.len().saturating_sub(1), new.len().saturating_sub(1));
    while left < ends.0 || right < ends.1 {
        if at(old, left) || at(new, right) {
            let (old_start, new_start) = (left, right);
            while at(old, left) {
                left += 1;
            }
            while at(new, right) {
                right += 1;
            }
            found.push(Change {
                old: (old_start, left),
                new: (new_start, right),
                ignored: false,
            });
        } else {
            left += 1;
            right += 1;
        }
    }
    found
}

/// Slides runs of changes over equal lines: together with other runs where possible, else as far down as
/// they go.
async fn shift(proc: &Process, lines: &[usize], marks: &mut Marks, other: &mut Marks) {
    let end = lines.len();
    let (mut index, mut beside) = (0, 0);
    loop {
        proc.tick().await;
        while index < end && !at(marks, index) {
            while at(other, beside) {
                beside += 1;
            }
            beside += 1;
            index += 1;
        }
        if index >= end {
            return;
        }
        let mut start = index;
        while at(marks, index) {
            index += 1;
        }
        while at(other, beside) {
            beside += 1;
        }
        loop {
            let length = index - start;
            while start > 0 && lines.get(start - 1) == lines.get(index - 1) {
                start -= 1;
                index -= 1;
                put(marks, start, true);
                put(marks, index, false);
                while before(marks, start) {
                    start -= 1;
                }
                beside = beside.saturating_sub(1);
                while at(other, beside) && beside > 0 {
                    beside -= 1;
                }
            }
            let mut corresponding = if before(other, beside) { index } else { end };
            while index != end && lines.get(start) == lines.get(index) {
                put(marks, start, false);
                put(marks, index, true);
                start += 1;
                index += 1;
                while at(marks, index) {
                    index += 1;
                }
                beside += 1;
                while at(other, beside) {
                    corresponding = index;
                    beside += 1;
                }
            }
            if length == index - start {
                while corresponding < index {
                    start -= 1;
                    index -= 1;
                    put(marks, start, true);
                    put(marks, index, false);
                    beside = beside.saturating_sub(1);
                    while at(other, beside) && beside > 0 {
                        beside -= 1;
                    }
                }
                break;
            }
        }
    }
}

/// The comparison of two files' lines, each a class and where it stood.
struct Search<'a> {
    old: &'a [(usize, usize)],
    new: &'a [(usize, usize)],
    /// How far each diagonal came, from the front and from the back.
    front: Vec<isize>,
    back: Vec<isize>,
    deleted: Vec<usize>,
    inserted: Vec<usize>,
}

/// A part of both files still to be compared, and whether the shortest answer is wanted.
#[derive(Debug, Clone, Copy)]
struct Part {
    old: (isize, isize),
    new: (isize, isize),
    minimal: bool,
}

/// Where a part is divided.
struct Middle {
    old: isize,
    new: isize,
    first_minimal: bool,
    second_minimal: bool,
}

impl<'a> Search<'a> {
    fn new(old: &'a [(usize, usize)], new: &'a [(usize, usize)]) -> Self {
        let diagonals = old.len() + new.len() + 3;
        Self {
            old,
            new,
            front: vec![0; diagonals],
            back: vec![0; diagonals],
            deleted: Vec::new(),
            inserted: Vec::new(),
        }
    }

    fn equal(&self, old: isize, new: isize) -> bool {
        let class = |lines: &[(usize, usize)], index: isize| {
            let index = usize::try_from(index).ok()?;
            lines.get(index).map(|line| line.0)
        };
        class(self.old, old) == class(self.new, new)
    }

    /// Where a diagonal (old minus new) is kept.
    fn slot(&self, diagonal: isize) -> usize {
        usize::try_from(diagonal + self.new.len().cast_signed() + 1).unwrap_or(0)
    }

    fn front(&self, diagonal: isize) -> isize {
        self.front.get(self.slot(diagonal)).copied().unwrap_or(-1)
    }

    fn back(&self, diagonal: isize) -> isize {
        let slot = self.slot(diagonal);
        self.back.get(slot).copied().unwrap_or(isize::MAX)
    }

    fn set_front(&mut self, diagonal: isize, value: isize) {
        let slot = self.slot(diagonal);
        if let Some(place) = self.front.get_mut(slot) {
            *place = value;
        }
    }

    fn set_back(&mut self, diagonal: isize, value: isize) {
        let slot = self.slot(diagonal);
        if let Some(place) = self.back.get_mut(slot) {
            *place = value;
        }
    }

    async fn run(&mut self, proc: &Process) {
        let mut parts = vec![Part {
            old: (0, self.old.len().cast_signed()),
            new: (0, self.new.len().cast_signed()),
            minimal: false,
        }];
        while let Some(mut part) = parts.pop() {
            proc.tick().await;
            while part.old.0 < part.old.1
                && part.new.0 < part.new.1
                && self.equal(part.old.0, part.new.0)
            {
                part.old.0 += 1;
                part.new.0 += 1;
            }
            while part.old.0 < part.old.1
                && part.new.0 < part.new.1
                && self.equal(part.old.1 - 1, part.new.1 - 1)
            {
                part.old.1 -= 1;
                part.new.1 -= 1;
            }
            let range = |lines: &[(usize, usize)], (start, end): (isize, isize)| {
                let range = usize::try_from(start).unwrap_or(0)..usize::try_from(end).unwrap_or(0);
                let lines = lines.get(range).unwrap_or_default();
                lines.iter().map(|line| line.1).collect::<Vec<_>>()
            };
            if part.old.0 == part.old.1 {
                self.inserted.extend(range(self.new, part.new));
            } else if part.new.0 == part.new.1 {
                self.deleted.extend(range(self.old, part.old));
            } else {
                let middle = self.divide(proc, part).await;
                parts.push(Part {
                    old: (part.old.0, middle.old),
                    new: (part.new.0, middle.new),
                    minimal: middle.first_minimal,
                });
                parts.push(Part {
                    old: (middle.old, part.old.1),
                    new: (middle.new, part.new.1),
                    minimal: middle.second_minimal,
                });
            }
        }
    }

    /// Walks along the diagonals from both corners until the walks meet.
    async fn divide(&mut self, proc: &Process, part: Part) -> Middle {
        let least = part.old.0 - part.new.1;
        let most = part.old.1 - part.new.0;
        let (start, finish) = (part.old.0 - part.new.0, part.old.1 - part.new.1);
        let odd = (start - finish) & 1 != 0;
        let mut front = (start, start);
        let mut back = (finish, finish);
        self.set_front(start, part.old.0);
        self.set_back(finish, part.old.1);
        let met = |old: isize, diagonal: isize| Middle {
            old,
            new: old - diagonal,
            first_minimal: true,
            second_minimal: true,
        };
        for cost in 1_usize.. {
            proc.tick().await;
            if front.0 > least {
                front.0 -= 1;
                self.set_front(front.0 - 1, -1);
            } else {
                front.0 += 1;
            }
            if front.1 < most {
                front.1 += 1;
                self.set_front(front.1 + 1, -1);
            } else {
                front.1 -= 1;
            }
            let mut diagonal = front.1;
            while diagonal >= front.0 {
                let (low, high) = (self.front(diagonal - 1), self.front(diagonal + 1));
                let mut old = if low < high { high } else { low + 1 };
                while old < part.old.1
                    && old - diagonal < part.new.1
                    && self.equal(old, old - diagonal)
                {
                    old += 1;
                }
                self.set_front(diagonal, old);
                if odd && (back.0..=back.1).contains(&diagonal) && self.back(diagonal) <= old {
                    return met(old, diagonal);
                }
                diagonal -= 2;
            }
            if back.0 > least {
                back.0 -= 1;
                self.set_back(back.0 - 1, isize::MAX);
            } else {
                back.0 += 1;
            }
            if back.1 < most {
                back.1 += 1;
                self.set_back(back.1 + 1, isize::MAX);
            } else {
                back.1 -= 1;
            }
            let mut diagonal = back.1;
            while diagonal >= back.0 {
                let (low, high) = (self.back(diagonal - 1), self.back(diagonal + 1));
                let mut old = if low < high { low } else { high - 1 };
                while part.old.0 < old
                    && part.new.0 < old - diagonal
                    && self.equal(old - 1, old - diagonal - 1)
                {
                    old -= 1;
                }
                self.set_back(diagonal, old);
                if !odd && (front.0..=front.1).contains(&diagonal) && old <= self.front(diagonal) {
                    return met(old, diagonal);
                }
                diagonal -= 2;
            }
            if !part.minimal && cost >= TOO_EXPENSIVE {
                break;
            }
        }
        self.settle(part, front, back)
    }

    /// The furthest any walk came, when they take too long to meet.
    fn settle(&self, part: Part, front: (isize, isize), back: (isize, isize)) -> Middle {
        let mut ahead = (-1, part.old.0);
        let mut diagonal = front.1;
        while diagonal >= front.0 {
            let mut old = self.front(diagonal).min(part.old.1);
            let mut new = old - diagonal;
            if part.new.1 < new {
                old = part.new.1 + diagonal;
                new = part.new.1;
            }
            if ahead.0 < old + new {
                ahead = (old + new, old);
            }
            diagonal -= 2;
        }
        let mut behind = (isize::MAX, part.old.1);
        let mut diagonal = back.1;
        while diagonal >= back.0 {
            let mut old = self.back(diagonal).max(part.old.0);
            let mut new = old - diagonal;
            if new < part.new.0 {
                old = part.new.0 + diagonal;
                new = part.new.0;
            }
            if old + new < behind.0 {
                behind = (old + new, old);
            }
            diagonal -= 2;
        }
        let forward = part.old.1 + part.new.1 - behind.0 < ahead.0 - part.old.0 - part.new.0;
        let (sum, old) = if forward { ahead } else { behind };
        Middle {
            old,
            new: sum - old,
            first_minimal: forward,
            second_minimal: !forward,
        }
    }
}
