//! bash text to a syntax tree: byte-based, linear, depth-limited.
//!
//! [`Parser`] reads one complete command line at a time and answers with a tree ([`ast`]), with
//! "more input is needed" or with an error whose wording is bash's, dash's or BusyBox ash's own.
//! Nothing is expanded or run here: that is the shell's work. The text may be anything; no input
//! panics, overflows the stack or takes more than linear time ([`limit`]).
//!
//! - [`ast`]: the tree
//! - [`parser`]: the entry point, lists, compound commands, `[[ ]]`
//! - `lexer`, `word`, `heredoc`: tokens, words and their expansions, here-documents
//! - [`arithmetic`]: the expressions of `$(( ))`, parsed when they are evaluated
//! - [`braces`]: `{a,b}` and `{1..9}` on words
//! - [`unparse`]: a tree back to text, as `declare -f` and `jobs` print it
//! - [`error`]: what is wrong, and each dialect's words for it
//!
//! ```
//! use sundew_sh_syntax::{Options, Outcome, Parser, unparse};
//!
//! let mut parser = Parser::new(b"ls -l|wc\nif", &Options::default());
//! let Outcome::Command(line) = parser.next_command() else { unreachable!() };
//! assert_eq!(unparse::list(&line.list), b"ls -l | wc");
//! assert_eq!(parser.consumed(), 9);
//! let Outcome::Error(error) = parser.next_command() else { unreachable!() };
//! assert_eq!(error.line, 3);
//! ```

#![warn(
    clippy::indexing_slicing,
    clippy::string_slice,
    clippy::cast_possible_truncation
)]

pub mod arithmetic;
pub mod ast;
pub mod braces;
pub mod error;
pub mod fuzz;
mod heredoc;
mod lexer;
pub mod limit;
mod option;
pub mod parser;
pub mod unparse;
mod word;

pub use error::{ErrorKind, SyntaxError};
pub use option::{Aliases, Dialect, Options};
pub use parser::{CommandLine, Open, Outcome, Parser, Unfinished, Warning};
