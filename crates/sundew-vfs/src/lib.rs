//! A Unix filesystem in memory: a shared immutable image and a copy-on-write overlay.
