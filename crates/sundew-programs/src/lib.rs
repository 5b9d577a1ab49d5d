//! The programs of the emulated machine, one async function per command.
//!
//! A program sees its [`Process`](sundew_kernel::Process) and nothing else; [`table::programs`] lists
//! them all. Folders follow the Debian package a program comes from, files bear its name.

pub mod archive;
pub mod busybox;
pub mod coreutils;
pub mod crypto;
mod getopt;
mod manners;
mod mode;
pub mod net;
pub mod package;
pub mod procps;
mod quote;
mod replacement;
mod screen;
mod size;
mod system;
pub mod table;
pub mod text;
mod time;
mod users;
pub mod util_linux;
mod utmp;
mod waiting;
