//! bash text to a syntax tree: byte-based, linear, depth-limited.
