//! bash, run on the emulated machine; dash and BusyBox's ash are the same engine in another dialect.
//!
//! A shell is a program like any other: [`PROGRAMS`] goes into the machine's program table.
//!
//! - [`shell`]: the state of one shell
//! - [`main_`]: from a command line to a running shell: `-c`, scripts, standard input, a terminal
//! - [`interp`]: runs the syntax tree
//! - [`expand`]: words to fields
//! - [`redirect`], [`job`]: descriptors and process groups
//! - [`variable`], [`option`]: what `declare` and `set` change
//! - [`builtin`]: one file each
//! - [`readline`], [`prompt`]: what a person at a terminal sees

pub mod builtin;
mod converse;
pub mod expand;
pub mod interp;
pub mod job;
pub mod main_;
pub mod message;
pub mod option;
pub mod prompt;
pub mod readline;
pub mod redirect;
pub mod shell;
mod startup;
pub mod table;
pub mod trap;
pub mod variable;
pub mod words;

pub use main_::PROGRAMS;
pub use shell::{Flow, Shell};
