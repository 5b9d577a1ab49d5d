//! The programs of the emulated machine, one async function per command.
