//! FTP without input or output: requests, replies, listings and both dialogue state machines.
