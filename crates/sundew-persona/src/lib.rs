//! Builds one believable machine from data: a Debian 12 server that was installed some months ago,
//! booted some days ago, and has a name, addresses and hardware of its own; or an IP camera.
//!
//! Data is text under `personas/`, made by `scripts/image` from a real tree and built into the program;
//! what differs between machines is drawn from a [`Seed`](seed::Seed). Start with
//! [`Persona::new`].
//!
//! | module | what it holds |
//! |---|---|
//! | [`build`] | [`Persona`]: everything of one machine |
//! | [`facts`] | the facts, drawn from an [`Origin`] |
//! | [`manifest`] | reading the data |
//! | [`tree`] | from the data to a filesystem |
//! | [`users`] | passwd(5) and group(5) |
//! | [`accounting`] | the layout of `wtmp`, `utmp` and `lastlog` |
//! | [`seed`] | draws that depend on a label only |

pub mod accounting;
pub mod build;
mod camera;
pub mod facts;
mod guesses;
mod hardware;
mod history;
mod made;
pub mod manifest;
mod moduli;
mod mounts;
mod names;
mod nodes;
mod processes;
mod remark;
pub mod seed;
mod stand_in;
mod time;
pub mod tree;
pub mod users;
mod zone;

pub use build::{Model, Persona, PersonaError};
pub use facts::Origin;
pub use sundew_kernel::executable as elf;
