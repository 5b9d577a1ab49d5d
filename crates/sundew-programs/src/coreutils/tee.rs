//! tee(1).

use sundew_kernel::descriptor::OpenFlags;
use sundew_kernel::signal::Disposition;
use sundew_kernel::{Errno, ExitStatus, Fd, Process, STDIN, STDOUT, Signal};

use super::about;
use super::input::{self, CHUNK};
use crate::getopt::{Arity, Getopt, Spec, refuse};

const SPEC: Spec = Spec::gnu(
    "aip",
    &[
        ("append", Arity::No, "a"),
        ("ignore-interrupts", Arity::No, "i"),
        ("output-error", Arity::Optional, "p"),
    ],
);

pub(crate) async fn run(proc: &mut Process) -> ExitStatus {
    let mut flags = OpenFlags::CREATE;
    let mut patient = false;
    let mut options = Getopt::new(&SPEC, proc.args());
    while let Some(option) = options.next() {
        match option.map(|option| (option.key, option.value)) {
            Ok(("a", _)) => flags = OpenFlags::APPEND,
            Ok(("i", _)) => {
                proc.set_disposition(Signal::INT, Disposition::Ignore);
            }
            Ok(("p", value)) => {
                const WORDS: &[(&str, u8)] = &[
                    ("warn", 0),
                    ("warn-nopipe", 1),
                    ("exit", 2),
                    ("exit-nopipe", 3),
                ];
                if !value.is_empty()
                    && input::choose(proc, "--output-error", &value, WORDS)
                        .await
                        .is_none()
                {
                    return proc.status();
                }
                patient = true;
                proc.set_disposition(Signal::PIPE, Disposition::Ignore);
            }
            Ok((key, _)) => return about::run(proc, key, "tee").await,
            Err(error) => return refuse(proc, &error, 1).await,
        }
    }
    let mut outputs: Vec<(Fd, Vec<u8>)> = vec![(STDOUT, b"standard output".to_vec())];
    for name in options.operands() {
        match proc.open(&name, flags, 0o666).await {
            Ok(fd) => outputs.push((fd, name)),
            Err(errno) => input::complain(proc, &name, errno).await,
        }
    }
    let mut chunk = vec![0; CHUNK];
    loop {
        let count = match proc.read(STDIN, &mut chunk).await {
            Ok(0) => return proc.status(),
            Ok(count) => count,
            Err(errno) => {
                proc.complain(b"read error", errno).await;
                return proc.status();
            }
        };
        let data = chunk.get(..count).unwrap_or_default();
        let mut open = Vec::new();
        for (fd, name) in outputs {
            match proc.write_all(fd, data).await {
                Ok(()) => open.push((fd, name)),
                Err(Errno::Epipe) if patient => {}
                Err(errno) => input::complain(proc, &name, errno).await,
            }
        }
        outputs = open;
        if outputs.is_empty() {
            return proc.status();
        }
    }
}
