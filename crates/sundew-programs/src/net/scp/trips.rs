//! The files of a recursive copy that are still to be carried.

use sundew_kernel::Process;

use super::join;
use crate::waiting::Waiting;

/// From where to where, and how deep below what was named.
type Trip = (Vec<u8>, Vec<u8>, usize);

/// Trips, the last one first.
pub(in crate::net) struct Trips(Waiting<Trip>);

impl Trips {
    pub(in crate::net) fn new(proc: &Process) -> Self {
        Self(Waiting::new(proc))
    }

    pub(in crate::net) async fn add(
        &mut self,
        proc: &Process,
        from: Vec<u8>,
        to: Vec<u8>,
        depth: usize,
    ) {
        let bytes = from.len() + to.len();
        self.0.push(proc, (from, to, depth), bytes).await;
    }

    /// What is in a directory, in this order.
    pub(in crate::net) async fn below<'a>(
        &mut self,
        proc: &Process,
        from: &[u8],
        to: &[u8],
        names: impl DoubleEndedIterator<Item = &'a [u8]> + Send,
        depth: usize,
    ) {
        for name in names.rev() {
            self.add(proc, join(from, name), join(to, name), depth)
                .await;
        }
    }

    pub(in crate::net) fn pop(&mut self) -> Option<Trip> {
        self.0.pop()
    }
}
