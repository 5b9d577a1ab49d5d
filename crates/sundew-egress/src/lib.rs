//! The only way out: every connection an attacker asks for is checked here.
//!
//! [`Egress`] is the network of all machines of a sensor; [`Egress::for_attacker`] gives one machine
//! its [`Guard`], which implements the kernel's [`Network`](sundew_kernel::network::Network). A name
//! is resolved once, every address is checked by the [`policy::Policy`], and the address that was
//! checked is the one that is dialled: no second look-up can lead elsewhere.
//!
//! - [`policy`]: which addresses may be dialled
//! - [`resolve`]: names to addresses, never on a thread that could block
//! - [`connect`]: the guarded connection
//! - [`datagram`]: UDP, under the same policy and a limit of its own
//! - [`limit`]: how much one attacker and the whole sensor may use

#![warn(
    clippy::indexing_slicing,
    clippy::string_slice,
    clippy::cast_possible_truncation
)]
#![allow(
    clippy::disallowed_methods,
    reason = "this crate is where the network and its timers come in"
)]

pub mod connect;
pub mod datagram;
pub mod limit;
pub mod policy;
pub mod resolve;

pub use connect::{Egress, Guard, Refusal};
pub use limit::Limits;
pub use policy::{Network, Policy};
