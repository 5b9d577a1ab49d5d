//! Both directions of a connection and the standard streams at once: what `nc` and `telnet` do.

use sundew_kernel::network::Stream;
use sundew_kernel::process::WaitFor;
use sundew_kernel::status::ChildEvent;
use sundew_kernel::{ExitStatus, Fd, Process, STDERR, STDIN, STDOUT};

/// Bytes moved at once.
const CHUNK_BYTES: usize = 16 * 1024;

/// What the end of standard input means.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum AtEnd {
    /// The connection is closed.
    Close,
    /// What the other side still says is waited for.
    KeepReading,
}

/// Copies until the other side closes, or standard input ends if that ends it.
pub(crate) async fn run(proc: &mut Process, stream: Box<dyn Stream>, at_end: AtEnd) {
    let Ok(socket) = proc.add_stream(stream) else {
        return;
    };
    {
        let proc: &Process = proc;
        let send = async {
            copy(proc, STDIN, socket).await;
            if at_end == AtEnd::KeepReading {
                std::future::pending::<()>().await;
            }
        };
        let receive = copy(proc, socket, STDOUT);
        futures_util::future::select(std::pin::pin!(send), std::pin::pin!(receive)).await;
    }
    // Opened above.
    let _open = proc.close(socket);
}

async fn copy(proc: &Process, from: Fd, to: Fd) {
    let mut buffer = vec![0; CHUNK_BYTES];
    while let Ok(count @ 1..) = proc.read(from, &mut buffer).await {
        if proc
            .write_all(to, buffer.get(..count).unwrap_or_default())
            .await
            .is_err()
        {
            break;
        }
    }
}

/// Runs a program with the connection as its standard streams: a reverse shell.
pub(crate) async fn run_program(
    proc: &mut Process,
    stream: Box<dyn Stream>,
    args: Vec<Vec<u8>>,
) -> ExitStatus {
    let Ok(socket) = proc.add_stream(stream) else {
        return ExitStatus::FAILURE;
    };
    let child = proc.fork(move |mut child| {
        Box::pin(async move {
            for fd in [STDIN, STDOUT, STDERR] {
                if child.duplicate_to(socket, fd).is_err() {
                    return ExitStatus::FAILURE;
                }
            }
            let _open = child.close(socket);
            let env = child.env().clone();
            let path = args.first().cloned().unwrap_or_default();
            let _why = child.exec(&path, args, env).await;
            ExitStatus::Exited(127)
        })
    });
    let _open = proc.close(socket);
    let Ok(pid) = child else {
        return ExitStatus::FAILURE;
    };
    match proc.wait(WaitFor::Pid(pid), false, true).await {
        Ok(Some((_, ChildEvent::Ended(status)))) => status.code().into(),
        _ => ExitStatus::FAILURE,
    }
}
