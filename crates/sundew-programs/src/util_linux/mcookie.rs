//! `mcookie`: 128 random bits.

use sundew_kernel::{ExitStatus, Process};

use crate::getopt::{Arity, Getopt, Spec, refuse};

const SPEC: Spec = Spec::new(
    "f:m:vVh",
    &[
        ("file", Arity::Required, "f"),
        ("max-size", Arity::Required, "m"),
        ("verbose", Arity::No, "v"),
        ("version", Arity::No, "V"),
        ("help", Arity::No, "h"),
    ],
);

/// `mcookie`.
pub(crate) async fn run(proc: &mut Process) -> ExitStatus {
    let mut options = Getopt::new(&SPEC, proc.args());
    let mut text = None;
    while let Some(option) = options.next() {
        match option {
            Ok(option) if option.key == "V" => {
                text = Some("mcookie from util-linux 2.38.1\n".to_owned());
            }
            Ok(_) => {}
            Err(error) => return refuse(proc, &error, 1).await,
        }
    }
    let text = text.unwrap_or_else(|| format!("{:016x}{:016x}\n", proc.random(), proc.random()));
    // Whoever does not want it needs no complaint about it.
    let _closed = proc.print(text.as_bytes()).await;
    proc.status()
}
