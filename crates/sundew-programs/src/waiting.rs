//! What a walk through directories has still to do, paid for while it waits.

use sundew_kernel::Process;
use sundew_kernel::budget::Memory;

/// Steps, the last one first.
pub(crate) struct Waiting<T> {
    steps: Vec<(T, usize)>,
    memory: Memory,
}

impl<T> Waiting<T> {
    pub(crate) fn new(proc: &Process) -> Self {
        Self {
            steps: Vec::new(),
            memory: proc.memory(),
        }
    }

    /// Adds a step that holds so many bytes beside itself. A process whose machine has no memory left
    /// for it is killed.
    pub(crate) async fn push(&mut self, proc: &Process, step: T, bytes: usize) {
        // A directory's names are many steps, and all but the first come without a call of the kernel.
        proc.tick().await;
        let cost = bytes.saturating_add(size_of::<(T, usize)>());
        if self.memory.grow(cost).is_err() {
            proc.out_of_memory().await;
        }
        self.steps.push((step, cost));
    }

    /// The next step.
    pub(crate) fn pop(&mut self) -> Option<T> {
        let (step, cost) = self.steps.pop()?;
        self.memory.shrink(cost);
        Some(step)
    }
}
