//! Runs command lines on a fresh emulated machine: `machine 'ls -l /etc | head'`; with `--camera` in
//! front, on the ARM camera. Standard input is handed on if it is no terminal.
#![allow(
    clippy::disallowed_methods,
    clippy::print_stderr,
    reason = "a developer's tool"
)]

use std::io::{IsTerminal, Read, Write};

use sundew_testkit::machine::Emulated;

fn main() -> std::io::Result<()> {
    let mut text: Vec<String> = std::env::args().skip(1).collect();
    let camera = text.first().is_some_and(|word| word == "--camera");
    text.drain(..usize::from(camera));
    let mut stdin = Vec::new();
    if !std::io::stdin().is_terminal() {
        std::io::stdin().read_to_end(&mut stdin)?;
    }
    let mut machine = if camera {
        Emulated::camera()?
    } else {
        Emulated::debian()?
    };
    let mut status = 0;
    for line in &text {
        let output = machine.run_now(line.as_bytes(), &stdin)?;
        std::io::stdout().write_all(&output.stdout)?;
        std::io::stderr().write_all(&output.stderr)?;
        status = output.status;
    }
    std::process::exit(status);
}
