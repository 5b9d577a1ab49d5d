//! Connection, login, machine: who connected, what they may do, what it means.
//!
//! A front end speaks a protocol and knows nothing else; it tells a [`Session`] what its client did
//! and moves bytes between the wire and a [`Channel`]. This crate decides logins, gives each
//! connection its machine, turns observations into events, and sees to it that everything that was
//! learned is kept when somebody leaves or the sensor stops.
//!
//! - [`lifetime`]: the [`Sensor`]: what all sessions share, how many there are, how they end
//! - [`session`]: one connection from its first byte to its last event
//! - [`persist`]: machines that are kept between visits
//! - [`source`]: who is counted as one, and for what
//! - [`policy`]: which logins succeed
//! - [`record`]: observations to events, downloads to artifacts
//! - [`clock`]: real time for the machines
#![warn(
    clippy::indexing_slicing,
    clippy::string_slice,
    clippy::cast_possible_truncation
)]

mod aside;
pub mod clock;
pub mod lifetime;
pub mod persist;
pub mod policy;
pub mod record;
pub mod session;
pub mod source;

pub use lifetime::{Parts, Sensor};
pub use persist::Machines;
pub use policy::Policy;
pub use session::Session;
pub use session::channel::{Channel, Exit, Output, Start, Started};

/// Locks a mutex whose holder cannot have left it half-changed: no critical section here panics.
pub(crate) fn lock<T>(mutex: &std::sync::Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex
        .lock()
        .unwrap_or_else(std::sync::PoisonError::into_inner)
}
