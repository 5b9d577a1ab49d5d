//! What a program holds is measured from time to time and charged to the machine.

use std::sync::Weak;

use super::*;

/// Bytes that may be made before what lives is measured again.
const MEASURE_BYTES: usize = 4 << 20;
/// Bytes that an element costs beyond its text.
const ELEMENT_BYTES: usize = 64;

/// What can be part of a cycle: looked at when memory is measured, emptied at the end.
enum Container {
    Scalar(Weak<Cell>),
    Array(Weak<Node<std::collections::VecDeque<Scalar>>>),
    Hash(Weak<Node<Items>>),
    Sub(Weak<Sub>),
}

/// Everything that references reach.
#[derive(Default)]
pub(super) struct Watch {
    containers: Vec<Container>,
    made: usize,
}

impl Container {
    /// Bytes it holds; `None` when it is gone.
    fn size(&self) -> Option<usize> {
        Some(match self {
            Self::Scalar(weak) => ELEMENT_BYTES + weak.upgrade()?.len(),
            Self::Array(weak) => {
                let own = weak.upgrade()?;
                let items = own.lock();
                2 * ELEMENT_BYTES
                    + items
                        .iter()
                        .map(|item| ELEMENT_BYTES + item.len())
                        .sum::<usize>()
            }
            Self::Hash(weak) => {
                let own = weak.upgrade()?;
                let items = own.lock();
                2 * ELEMENT_BYTES
                    + items
                        .map
                        .iter()
                        .map(|(key, item)| 2 * ELEMENT_BYTES + key.len() + item.len())
                        .sum::<usize>()
            }
            Self::Sub(weak) => {
                let own = weak.upgrade()?;
                let captures = lock(&own.captures);
                2 * ELEMENT_BYTES + captures.len() * ELEMENT_BYTES
            }
        })
    }

    /// Breaks what goes round in circles. What falls out is dropped when no lock is held.
    fn clear(&self) {
        match self {
            Self::Scalar(weak) => drop(weak.upgrade().map(|own| own.take())),
            Self::Array(weak) => {
                drop(weak.upgrade().map(|own| std::mem::take(&mut *own.lock())));
            }
            Self::Hash(weak) => {
                drop(weak.upgrade().map(|own| std::mem::take(&mut *own.lock())));
            }
            Self::Sub(weak) => {
                drop(
                    weak.upgrade()
                        .map(|own| std::mem::take(&mut *lock(&own.captures))),
                );
            }
        }
    }
}

impl Watch {
    pub(super) fn scalar(&mut self, own: &Scalar) {
        self.containers.push(Container::Scalar(Arc::downgrade(own)));
    }

    pub(super) fn array(&mut self, own: &Array) {
        self.containers.push(Container::Array(Arc::downgrade(own)));
    }

    pub(super) fn hash(&mut self, own: &Hash) {
        self.containers.push(Container::Hash(Arc::downgrade(own)));
    }

    pub(super) fn sub(&mut self, own: &Arc<Sub>) {
        self.containers.push(Container::Sub(Arc::downgrade(own)));
    }

    pub(super) fn pad(&mut self, pad: &Pad) {
        match pad {
            Pad::Empty => {}
            Pad::Scalar(own) => self.scalar(own),
            Pad::Array(own) => self.array(own),
            Pad::Hash(own) => self.hash(own),
        }
    }

    pub(super) fn clear(&mut self) {
        for container in std::mem::take(&mut self.containers) {
            container.clear();
        }
    }

    /// Bytes of what is still there.
    fn measure(&mut self) -> usize {
        let mut live = 0;
        self.containers.retain(|container| match container.size() {
            Some(size) => {
                live += size;
                true
            }
            None => false,
        });
        live
    }
}

fn text_bytes(value: &Value) -> usize {
    match value {
        Value::Text(text) | Value::Pattern(text) => 16 + text.len(),
        _ => 16,
    }
}

fn pad_bytes(pad: &Pad) -> usize {
    match pad {
        Pad::Empty => 0,
        Pad::Scalar(own) => ELEMENT_BYTES + own.len(),
        Pad::Array(own) => own
            .lock()
            .iter()
            .map(|item| ELEMENT_BYTES + item.len())
            .sum(),
        Pad::Hash(own) => own
            .lock()
            .map
            .iter()
            .map(|(key, item)| 2 * ELEMENT_BYTES + key.len() + item.len())
            .sum(),
    }
}

impl Vm<'_> {
    /// So many bytes were made; measures what lives when it is time.
    pub(super) fn made(&mut self, bytes: usize) -> Res {
        self.watch.made = self.watch.made.saturating_add(bytes);
        if self.watch.made < MEASURE_BYTES.max(self.charged / 2) {
            return Ok(());
        }
        self.watch.made = 0;
        let mut live = self.watch.measure();
        live += self.stack.iter().map(text_bytes).sum::<usize>();
        for frame in &self.frames {
            live += 256 + frame.pads.iter().map(pad_bytes).sum::<usize>();
        }
        live += self.unwinds.len() * ELEMENT_BYTES;
        live += self.scalars.iter().map(|own| own.len()).sum::<usize>();
        for own in &self.arrays {
            live += own
                .lock()
                .iter()
                .map(|item| ELEMENT_BYTES + item.len())
                .sum::<usize>();
        }
        for own in &self.hashes {
            live += own
                .lock()
                .map
                .iter()
                .map(|(key, item)| 2 * ELEMENT_BYTES + key.len() + item.len())
                .sum::<usize>();
        }
        if live > self.charged {
            if self.memory.grow(live - self.charged).is_err() {
                return Self::out_of_memory();
            }
        } else {
            self.memory.shrink(self.charged - live);
        }
        self.charged = live;
        Ok(())
    }

    /// A text that was made.
    pub(super) fn text(&mut self, bytes: Vec<u8>) -> Res<Value> {
        if bytes.len() > MAX_TEXT {
            return Self::out_of_memory();
        }
        self.made(bytes.len() + 32)?;
        Ok(Value::text(bytes))
    }
}
