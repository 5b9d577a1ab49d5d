//! `sundew ftp`: get, put, ls, mirror and more, for people.
//!
//! The protocol is `ftp-client`'s; here is what surrounds it: who to be, where bytes go, when to try
//! again, what to say. One entry, [`run`], is called by the `sundew` program.
//!
//! - What is asked for: [`cli`], [`url`], [`netrc`], [`credential`], [`secret`]
//! - What there is and what to do: [`tree`], [`filter`], [`plan`]
//! - This computer's files: [`local`], [`part`]
//! - How: [`mover`], [`retry`], [`rate`], [`meter`]
//! - What is said: [`failure`], [`text`]

#![warn(
    clippy::indexing_slicing,
    clippy::string_slice,
    clippy::cast_possible_truncation
)]
#![allow(
    clippy::disallowed_methods,
    reason = "a program for people: their files, their environment, their clock"
)]

pub mod cli;
pub mod credential;
pub mod failure;
pub mod filter;
pub mod local;
pub mod meter;
pub mod mover;
pub mod netrc;
pub mod part;
pub mod plan;
pub mod rate;
pub mod retry;
pub mod secret;
pub mod text;
pub mod tree;
pub mod url;
