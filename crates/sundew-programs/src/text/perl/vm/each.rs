//! `foreach`, `map`, `grep` and `sort` as instructions: their state lies where it is unwound.

use std::cmp::Ordering;
use std::vec::IntoIter;

use super::*;

/// A `foreach` under way.
pub(super) struct Each {
    pub(super) target: Target,
    pub(super) items: Rest,
    pub(super) saved: Scalar,
}

/// What a loop still has to go through.
#[derive(Clone)]
pub(super) enum Rest {
    Cells(IntoIter<Scalar>),
    Range(i64, i64),
}

/// A `map` or `grep` under way.
pub(super) struct Map {
    pub(super) items: IntoIter<Scalar>,
    pub(super) current: Scalar,
    pub(super) out: Vec<Value>,
    pub(super) saved: Scalar,
}

/// A `sort` under way: runs of `width` values are merged pair by pair.
#[derive(Clone)]
pub(super) struct Sort {
    pub(super) items: Vec<Value>,
    pub(super) merged: Vec<Value>,
    width: usize,
    /// Where the pair begins, and how much of both runs is taken.
    start: usize,
    left: usize,
    right: usize,
    pub(super) saved: [(usize, Scalar); 2],
}

/// Cells of values, and of places themselves.
fn cells(values: Vec<Value>) -> IntoIter<Scalar> {
    let cells: Vec<Scalar> = values
        .into_iter()
        .map(|value| match value {
            Value::Place(own) => own,
            value => Cell::new(value),
        })
        .collect();
    cells.into_iter()
}

impl Vm<'_> {
    pub(super) fn enter_each(&mut self, jumps: &Jumps, target: Target, range: bool) -> Res {
        let items = if range {
            let to = self.pop_value();
            let from = self.pop_value();
            if operator::is_word_range(&from) {
                let words = self.range(&from, &to)?;
                Rest::Cells(cells(words))
            } else {
                Rest::Range(from.integer(), to.integer())
            }
        } else {
            let values = self.pop_list();
            self.made(values.len() * 64)?;
            Rest::Cells(cells(values))
        };
        let saved = match target {
            Target::Global(at) => self.scalars.get(at).cloned().unwrap_or_default(),
            Target::Pad(at) => {
                let pads = self.frames.last_mut().map(|frame| &mut frame.pads);
                pads.and_then(|pads| pads.get_mut(at))
                    .map_or_else(Scalar::default, Pad::scalar)
            }
        };
        self.enter_loop(
            jumps,
            Some(Each {
                target,
                items,
                saved,
            }),
        );
        Ok(())
    }

    pub(super) fn next_each(&mut self, exit: usize) {
        let Some(Unwind::Loop(own)) = self.unwinds.last_mut() else {
            return;
        };
        let frame = own.frame;
        let Some(each) = own.each.as_mut() else {
            return;
        };
        let target = each.target;
        let next = match &mut each.items {
            Rest::Cells(cells) => cells.next(),
            Rest::Range(from, to) if *from <= *to => {
                let own = Cell::new(Value::Int(*from));
                // The last number has no next one.
                match from.checked_add(1) {
                    Some(next) => *from = next,
                    None => each.items = Rest::Range(1, 0),
                }
                Some(own)
            }
            Rest::Range(..) => None,
        };
        match next {
            Some(cell) => self.bind(target, frame, cell),
            None => self.go_to(exit),
        }
    }

    pub(super) fn go_to(&mut self, to: usize) {
        if let Some(frame) = self.frames.last_mut() {
            frame.at = to;
        }
    }

    pub(super) fn enter_map(&mut self) -> Res {
        let values = self.pop_list();
        self.made(values.len() * 64)?;
        let saved = self.scalars.get(self.topic).cloned().unwrap_or_default();
        self.unwinds.push(Unwind::Map(Box::new(Map {
            items: cells(values),
            current: Scalar::default(),
            out: Vec::new(),
            saved,
        })));
        Ok(())
    }

    pub(super) fn next_map(&mut self, exit: usize) {
        let Some(Unwind::Map(own)) = self.unwinds.last_mut() else {
            return;
        };
        match own.items.next() {
            Some(cell) => {
                own.current = Arc::clone(&cell);
                let topic = self.topic;
                if let Some(slot) = self.scalars.get_mut(topic) {
                    *slot = cell;
                }
            }
            None => self.go_to(exit),
        }
    }

    pub(super) fn take_map(&mut self, keeps: bool) -> Res {
        let values = if keeps {
            let kept = self.pop().is_true();
            let Some(Unwind::Map(own)) = self.unwinds.last() else {
                return Ok(());
            };
            if kept {
                vec![own.current.get()]
            } else {
                Vec::new()
            }
        } else {
            self.pop_list()
        };
        self.made(values.len() * 32)?;
        let Some(Unwind::Map(own)) = self.unwinds.last_mut() else {
            return Ok(());
        };
        own.out.extend(values.into_iter().map(|value| match value {
            Value::Place(own) => own.get(),
            value => value,
        }));
        if own.out.len() > MAX_LIST {
            return Self::out_of_memory();
        }
        Ok(())
    }

    pub(super) fn leave_map(&mut self, want: Want) {
        let Some(Unwind::Map(mut own)) = self.unwinds.pop() else {
            return;
        };
        let out = std::mem::take(&mut own.out);
        self.put_back(Unwind::Map(own));
        if self.wants_list(want) {
            self.stack.extend(out);
        } else {
            self.push(Value::count(out.len()));
        }
    }

    pub(super) fn enter_sort(&mut self, a: usize, b: usize) -> Res {
        let items = self.pop_list();
        self.made(items.len() * 64)?;
        let cell = |at: usize| self.scalars.get(at).cloned().unwrap_or_default();
        let own = Sort {
            merged: Vec::with_capacity(items.len()),
            items,
            width: 1,
            start: 0,
            left: 0,
            right: 0,
            saved: [(a, cell(a)), (b, cell(b))],
        };
        self.unwinds.push(Unwind::Sort(Box::new(own)));
        Ok(())
    }

    /// Lays the next two values to compare, or ends the sort.
    pub(super) fn next_sort(&mut self, exit: usize) {
        let Some(Unwind::Sort(own)) = self.unwinds.last_mut() else {
            return;
        };
        let Some((a, b)) = own.next_pair() else {
            self.go_to(exit);
            return;
        };
        let places = [own.saved[0].0, own.saved[1].0];
        for (at, value) in places.into_iter().zip([a, b]) {
            if let Some(slot) = self.scalars.get_mut(at) {
                *slot = Cell::new(value);
            }
        }
    }

    pub(super) fn take_sort(&mut self) {
        let order = self.pop().number().partial_cmp(&0.0);
        if let Some(Unwind::Sort(own)) = self.unwinds.last_mut() {
            own.take(order == Some(Ordering::Greater));
        }
    }

    pub(super) fn leave_sort(&mut self, want: Want) {
        let Some(Unwind::Sort(mut own)) = self.unwinds.pop() else {
            return;
        };
        let items = std::mem::take(&mut own.items);
        self.put_back(Unwind::Sort(own));
        if self.wants_list(want) {
            self.stack.extend(items);
        } else {
            self.push(Value::count(items.len()));
        }
    }
}

impl Sort {
    /// The heads of the two runs being merged; runs that have ended are passed.
    fn next_pair(&mut self) -> Option<(Value, Value)> {
        loop {
            if self.width >= self.items.len() {
                return None;
            }
            if self.start >= self.items.len() {
                self.items = std::mem::take(&mut self.merged);
                self.width *= 2;
                self.start = 0;
                continue;
            }
            let middle = (self.start + self.width).min(self.items.len());
            let end = (middle + self.width).min(self.items.len());
            let (left, right) = (self.start + self.left, middle + self.right);
            if left < middle && right < end {
                let (a, b) = (self.items.get(left)?, self.items.get(right)?);
                return Some((a.clone(), b.clone()));
            }
            let rests = [left..middle, right..end];
            for rest in rests {
                let rest = self.items.get(rest).unwrap_or_default();
                self.merged.extend_from_slice(rest);
            }
            self.start = end;
            (self.left, self.right) = (0, 0);
        }
    }

    /// Takes one of the pair.
    fn take(&mut self, second: bool) {
        let middle = (self.start + self.width).min(self.items.len());
        let at = if second {
            middle + self.right
        } else {
            self.start + self.left
        };
        self.merged.extend(self.items.get(at).cloned());
        if second {
            self.right += 1;
        } else {
            self.left += 1;
        }
    }
}
