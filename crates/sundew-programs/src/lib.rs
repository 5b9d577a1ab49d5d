//! The programs of the emulated machine, one async function per command.
//!
//! A program sees its [`Process`](sundew_kernel::Process) and nothing else; [`table::programs`] lists
//! them all. Folders follow the Debian package a program comes from, files bear its name.

pub mod coreutils;
pub mod busybox;
pub mod net;
pub mod package;
pub mod procps;
pub mod table;
pub mod text;
pub mod util_linux;
pub mod archive;
mod getopt;
mod mode;
mod quote;
mod size;
mod time;
mod users;
