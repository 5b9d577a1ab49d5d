//! What the program does by itself.

use std::process::Command;

use crate::daemon::Daemon;

#[test]
fn a_signal_ends_the_program_in_order() {
    let mut server = Daemon::start(&[], "");
    let pid = server.child.id().to_string();
    let killed = Command::new("kill").args(["-TERM", &pid]).status();
    assert!(killed.unwrap().success());
    assert!(server.child.wait().unwrap().success());
}

#[test]
fn what_cannot_be_served_is_said_in_one_line() {
    let output = Command::new(env!("CARGO_BIN_EXE_ftpd"))
        .args(["--port", "0", "/nonexistent"])
        .output()
        .unwrap();
    assert_eq!(output.status.code(), Some(66));
    let text = String::from_utf8(output.stderr).unwrap();
    assert_eq!(
        text,
        "ftpd: /nonexistent: No such file or directory (os error 2)\n"
    );
}
