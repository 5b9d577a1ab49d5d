//! The program's side: does what the transfer asks for, as its own process.

use sundew_kernel::descriptor::OpenFlags;
use sundew_kernel::{Errno, Fd, Process, STDIN, STDOUT};
use tokio::sync::mpsc;

use super::call::{Call, Origin, Target};
use crate::busybox::borrowed::text_of;

/// Bytes read for an upload at once.
const MAX_READ_BYTES: usize = 64 * 1024;

/// Serves until the transfer is over; its exit status, or `None` if it was given up.
///
/// An answer that nobody waits for any more is of no use, and no loss.
pub(super) async fn serve(proc: &mut Process, inbox: &mut mpsc::Receiver<Call>) -> Option<u8> {
    let mut file = None;
    while let Some(call) = inbox.recv().await {
        match call {
            Call::Stdout(text, answer) => {
                // The original does not look.
                let _closed = proc.print(&text).await;
                let _closed = proc.flush().await;
                let _gone = answer.send(());
            }
            Call::Stderr(text, answer) => {
                proc.print_error(&text).await;
                let _gone = answer.send(());
            }
            Call::Service(name, answer) => {
                let services = text_of(proc, b"/etc/services").await;
                let _gone = answer.send(ftp_client::busybox::service_port(&services, &name));
            }
            Call::SizeOf(path, answer) => {
                let _gone = answer.send(proc.stat(&path).map(|metadata| metadata.size));
            }
            Call::Create(target, answer) => {
                let opened = create(proc, target).await;
                file = opened.ok();
                let _gone = answer.send(opened.map(drop));
            }
            Call::Body(bytes, answer) => {
                let written = proc.write_all(file.unwrap_or(STDOUT), &bytes).await;
                let _gone = answer.send(written);
            }
            Call::Open(origin, answer) => {
                let opened = match origin {
                    Origin::Stdin => Ok(STDIN),
                    Origin::File(path) => proc.open(&path, OpenFlags::READ, 0).await,
                };
                file = opened.ok();
                let _gone = answer.send(opened.map(drop));
            }
            Call::Read(count, answer) => {
                let mut buffer = vec![0; count.min(MAX_READ_BYTES)];
                let read = proc.read(file.unwrap_or(STDIN), &mut buffer).await;
                let _gone = answer.send(read.map(|count| {
                    buffer.truncate(count);
                    buffer
                }));
            }
            Call::Finished(status) => return Some(status),
        }
    }
    None
}

async fn create(proc: &mut Process, target: Target) -> Result<Fd, Errno> {
    match target {
        Target::Stdout => Ok(STDOUT),
        Target::Create(path) => proc.open(&path, OpenFlags::CREATE, 0o666).await,
        Target::Append(path) => {
            let flags = OpenFlags {
                append: true,
                ..OpenFlags::WRITE
            };
            proc.open(&path, flags, 0o666).await
        }
    }
}
