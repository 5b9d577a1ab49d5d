//! The SSH front end.
