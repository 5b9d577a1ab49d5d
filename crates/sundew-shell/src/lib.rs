//! bash, run on the emulated machine.
