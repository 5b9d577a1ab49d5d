//! `ftpget` and `ftpput` as programs of the host, and their files and streams.
//!
//! One transfer is all such a process does, so files are read and written where they stand, without
//! a thread between; SIGINT keeps its default action and the part that came stays on disk.

#![allow(
    clippy::disallowed_methods,
    reason = "these programs' work is the host's files"
)]

use std::ffi::OsStr;
use std::fs::{File, OpenOptions};
use std::io::{self, ErrorKind, Read, Write};
use std::os::unix::ffi::{OsStrExt, OsStringExt};
use std::process::ExitCode;

use crate::busybox::{self, BROKEN_PIPE, Host, Sink, Source, TransferEvent, Words, service_port};
use crate::dial::{Tcp, words};

/// The streams and at most one open file of this process.
struct System {
    output: Box<dyn Write + Send>,
    input: Box<dyn Read + Send>,
}

/// `ftpget` with these arguments (without its name), as BusyBox has it; the process's exit status.
#[must_use]
pub fn ftpget(args: &[Vec<u8>]) -> ExitCode {
    run(args, async |host, args| {
        busybox::ftpget(&Tcp, host, args).await
    })
}

/// `ftpput` with these arguments (without its name), as BusyBox has it; the process's exit status.
#[must_use]
pub fn ftpput(args: &[Vec<u8>]) -> ExitCode {
    run(args, async |host, args| {
        busybox::ftpput(&Tcp, host, args).await
    })
}

/// The arguments of this process, without its name.
#[must_use]
pub fn arguments() -> Vec<Vec<u8>> {
    std::env::args_os()
        .skip(1)
        .map(OsStringExt::into_vec)
        .collect()
}

/// Runs a program on a runtime of one thread.
fn run(args: &[Vec<u8>], program: impl AsyncFnOnce(&mut System, &[Vec<u8>]) -> u8) -> ExitCode {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_io()
        .build();
    let runtime = match runtime {
        Ok(runtime) => runtime,
        Err(error) => {
            report(io::stderr().write_all(format!("no runtime: {error}\n").as_bytes()));
            return ExitCode::FAILURE;
        }
    };
    let mut system = System {
        output: Box::new(io::sink()),
        input: Box::new(io::empty()),
    };
    let status = runtime.block_on(program(&mut system, args));
    // Looking up a name may have left a thread behind that nobody waits for.
    runtime.shutdown_background();
    ExitCode::from(status)
}

impl Host for System {
    async fn stdout(&mut self, text: &[u8]) {
        report(
            io::stdout()
                .write_all(text)
                .and_then(|()| io::stdout().flush()),
        );
    }

    async fn stderr(&mut self, text: &[u8]) {
        report(io::stderr().write_all(text));
    }

    async fn service(&mut self, name: &[u8]) -> Option<u16> {
        service_port(&std::fs::read("/etc/services").ok()?, name)
    }

    async fn size_of(&mut self, path: &[u8]) -> Result<u64, Words> {
        match std::fs::metadata(OsStr::from_bytes(path)) {
            Ok(metadata) => Ok(metadata.len()),
            Err(error) => Err(words(&error)),
        }
    }

    async fn create(&mut self, sink: Sink<'_>) -> Result<(), Words> {
        let mut options = OpenOptions::new();
        let opened = match sink {
            Sink::Stdout => {
                // Unbuffered: the body may end without a line end, and it may be large.
                self.output = Box::new(File::from(own_stdout()?));
                return Ok(());
            }
            Sink::Create(path) => options
                .write(true)
                .create(true)
                .truncate(true)
                .open(OsStr::from_bytes(path)),
            Sink::Append(path) => options.append(true).open(OsStr::from_bytes(path)),
        };
        self.output = Box::new(opened.map_err(|error| words(&error))?);
        Ok(())
    }

    async fn body(&mut self, bytes: &[u8]) -> Result<(), Words> {
        match self.output.write_all(bytes) {
            // Rust ignores SIGPIPE, which ends the original.
            Err(error) if error.kind() == ErrorKind::BrokenPipe => {
                std::process::exit(BROKEN_PIPE.into())
            }
            result => result.map_err(|error| words(&error)),
        }
    }

    async fn open(&mut self, source: Source<'_>) -> Result<(), Words> {
        self.input = match source {
            Source::Stdin => Box::new(io::stdin()),
            Source::File(path) => {
                let file = File::open(OsStr::from_bytes(path));
                Box::new(file.map_err(|error| words(&error))?)
            }
        };
        Ok(())
    }

    async fn read(&mut self, buffer: &mut [u8]) -> Result<usize, Words> {
        loop {
            match self.input.read(buffer) {
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                result => return result.map_err(|error| words(&error)),
            }
        }
    }

    async fn transfer(&mut self, _event: TransferEvent<'_>) {}
}

fn own_stdout() -> Result<std::os::fd::OwnedFd, Words> {
    use std::os::fd::AsFd;
    io::stdout()
        .as_fd()
        .try_clone_to_owned()
        .map_err(|error| words(&error))
}

/// There is nobody left to tell when the standard streams fail, and the original does not mind.
fn report(result: io::Result<()>) {
    result.ok();
}
