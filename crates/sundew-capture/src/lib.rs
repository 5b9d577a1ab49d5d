//! What is kept: artifacts by hash and terminal recordings.
