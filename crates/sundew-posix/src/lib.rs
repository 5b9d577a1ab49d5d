//! The C library's text matching: fnmatch(3) and regcomp(3), on bytes and within bounds.
//!
//! The shell and the text programs share it, as real ones share their libc. Patterns and subjects
//! are a stranger's: matching is bounded, whatever the pattern.
//!
//! - [`pattern`]: shell patterns, with bash's extended ones
//! - [`regex`]: regular expressions in GNU's dialects

#![warn(
    clippy::indexing_slicing,
    clippy::string_slice,
    clippy::cast_possible_truncation
)]

pub mod pattern;
pub mod regex;
