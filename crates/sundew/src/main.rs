//! The sensor.

fn main() {}
