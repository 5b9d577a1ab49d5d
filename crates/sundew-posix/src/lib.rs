//! The C library's view of text: fnmatch(3), regcomp(3), wcwidth(3) and crypt(3), on bytes and within
//! bounds.
//!
//! The shell and the text programs share it, as real ones share their libc. Patterns and subjects
//! are a stranger's: matching is bounded, whatever the pattern.
//!
//! - [`crypt`]: hashes of passwords, crypt(5)
//! - [`escape`]: what `echo -e` makes of backslashes, and words in single quotes
//! - [`pattern`]: shell patterns, with bash's extended ones
//! - [`regex`]: regular expressions in GNU's dialects
//! - [`width`]: columns on a terminal, wcwidth(3)

#![warn(
    clippy::indexing_slicing,
    clippy::string_slice,
    clippy::cast_possible_truncation
)]

mod character;
pub mod crypt;
pub mod escape;
pub mod pattern;
pub mod regex;
mod set;
pub mod width;
