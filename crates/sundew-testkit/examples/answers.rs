//! Reads command lines, hex-coded one a line, runs each on a fresh machine, prints hex answers.
#![allow(clippy::disallowed_methods, clippy::print_stdout, reason = "a developer's tool")]
use std::fmt::Write as _;
use std::io::BufRead;
use sundew_testkit::machine::Debian;
fn hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::new(), |mut out, byte| { let _ = write!(out, "{byte:02x}"); out })
}
fn main() -> std::io::Result<()> {
    for line in std::io::stdin().lock().lines() {
        let line = line?;
        let (cmd, stdin) = line.split_once(' ').unwrap_or((&line, ""));
        let un = |t: &str| -> Vec<u8> { (0..t.len() / 2).filter_map(|i| u8::from_str_radix(&t[2 * i..2 * i + 2], 16).ok()).collect() };
        let mut machine = Debian::new()?;
        match machine.run_now(&un(cmd), &un(stdin)) {
            Ok(o) => println!("{} {} {}", hex(&o.stdout), hex(&o.stderr), o.status),
            Err(e) => println!(" {} -99", hex(e.to_string().as_bytes())),
        }
    }
    Ok(())
}
