//! Runs transcripts against a whole machine.
