//! One answer: the head, the file it is written to, and its end.

use sundew_kernel::descriptor::OpenFlags;
use sundew_kernel::{Errno, Fd, Process, STDOUT};
use sundew_vfs::Timestamp;

use super::progress::{self, Progress};
use super::{FILE, Job, LOGIN, NETWORK, SERVER, Session, Step, TLS, moment};
use crate::net::fetch::{End, Head, TlsFailure, Url};
use crate::quote;

/// A file that comes, from its first header to its last byte.
pub(super) struct Transfer {
    pub(super) file: Option<Fd>,
    pub(super) name: Vec<u8>,
    pub(super) shown: Vec<u8>,
    pub(super) progress: Progress,
    pub(super) status: u8,
    pub(super) total: Option<u64>,
    /// When the server's file was changed.
    pub(super) when: Option<Timestamp>,
    /// A page whose links are followed.
    pub(super) page: Option<Vec<u8>>,
    /// Why the last address could not be reached.
    pub(super) errno: Option<Errno>,
}

impl Session {
    pub(super) async fn cannot_write(
        &self,
        proc: &mut Process,
        transfer: &Transfer,
        errno: Errno,
    ) -> Step {
        let text = [
            b"Cannot write to ".as_slice(),
            &quote::text(proc, &transfer.shown),
            b" (",
            errno.message().as_bytes(),
            b").\n",
        ]
        .concat();
        self.say(proc, true, text).await;
        Step::Done(FILE)
    }

    /// Opens the file unless `-O` did, at its end if a part of it is there.
    pub(super) async fn open(
        &self,
        proc: &mut Process,
        transfer: &mut Transfer,
        offset: u64,
    ) -> Option<Step> {
        if transfer.file.is_some() {
            return None;
        }
        let flags = if offset > 0 {
            OpenFlags::APPEND
        } else {
            OpenFlags::CREATE
        };
        let folders = transfer.name.iter().enumerate();
        for (at, _) in folders.filter(|(at, byte)| *at > 0 && **byte == b'/') {
            // One that is there already is fine; another failure shows with the file itself.
            let _made = proc.make_directory(transfer.name.get(..at).unwrap_or_default(), 0o777);
        }
        match proc.open(&transfer.name, flags, 0o666).await {
            Ok(fd) => {
                transfer.file = Some(fd);
                None
            }
            Err(errno) => {
                let name = [&transfer.name, b": ".as_slice(), errno.message().as_bytes()].concat();
                self.say(proc, true, [&name, b"\n\n".as_slice()].concat())
                    .await;
                Some(self.cannot_write(proc, transfer, errno).await)
            }
        }
    }

    /// Shows the answer's head and opens the file; whether that was all.
    pub(super) async fn head(
        &mut self,
        proc: &mut Process,
        url: &Url,
        head: &Head,
        transfer: &mut Transfer,
        job: &Job,
    ) -> Option<Step> {
        let mut line = format!("{} ", head.status).into_bytes();
        line.extend_from_slice(head.reason());
        line.push(b'\n');
        if self.options.show_response {
            line = b"\n".to_vec();
            for header in &head.lines {
                line.extend([b"  ".as_slice(), header, b"\n"].concat());
            }
        }
        self.say(proc, false, &line).await;
        if head.keeps_open() && url.scheme.is_web() {
            self.reachable = Some((url.host.clone(), url.port));
        }
        if let Some(location) = head.redirect() {
            let text = [b"Location: ".as_slice(), location, b" [following]\n"].concat();
            self.say(proc, false, text).await;
            return Some(Step::Elsewhere(location.to_vec()));
        }
        if head.status == 416 && job.offset > 0 {
            let text = "\n    The file is already fully retrieved; nothing to do.\n\n";
            self.say(proc, false, text).await;
            return Some(Step::Done(0));
        }
        if head.status == 304 && job.since.is_some() {
            let name = quote::text(proc, &transfer.shown);
            let text = [
                b"File ".as_slice(),
                &name,
                b" not modified on server. Omitting download.\n\n",
            ];
            self.say(proc, false, text.concat()).await;
            return Some(Step::Done(0));
        }
        if head.status / 100 != 2 {
            return Some(self.bad_status(proc, url, head).await);
        }
        self.accept(proc, head, transfer, job).await
    }

    pub(super) async fn bad_status(&self, proc: &mut Process, url: &Url, head: &Head) -> Step {
        if self.options.terse {
            self.say(proc, true, [url.text.as_slice(), b":\n"].concat())
                .await;
        }
        let end: &[u8] = if self.options.terse { b"\n" } else { b"\n\n" };
        let text = if self.options.spider && matches!(head.status, 404 | 410) {
            b"Remote file does not exist -- broken link!!!".to_vec()
        } else {
            let start = format!("{} ERROR {}: ", self.now(proc), head.status);
            [start.as_bytes(), head.reason(), b"."].concat()
        };
        self.say(proc, true, [text.as_slice(), end].concat()).await;
        if self.options.user.is_none() && head.status == 401 {
            let text = "\nUsername/Password Authentication Failed.\n";
            self.say(proc, true, text).await;
            return Step::Done(LOGIN);
        }
        Step::Done(SERVER)
    }

    /// A body follows: says how long it is and opens its file.
    pub(super) async fn accept(
        &mut self,
        proc: &mut Process,
        head: &Head,
        transfer: &mut Transfer,
        job: &Job,
    ) -> Option<Step> {
        let offset = if head.status == 206 { job.offset } else { 0 };
        transfer.total = head.length.map(|length| length + offset);
        let size = |bytes: u64| match bytes {
            1024.. => format!("{bytes} ({})", progress::short(bytes)),
            _ => bytes.to_string(),
        };
        let mut line = match transfer.total {
            Some(total) => format!("Length: {}", size(total)).into_bytes(),
            None => b"Length: unspecified".to_vec(),
        };
        if let (1.., Some(rest)) = (offset, head.length) {
            line.extend(format!(", {} remaining", size(rest)).into_bytes());
        }
        let kind = head.value("content-type").unwrap_or_default();
        let kind = kind.split(|&byte| byte == b';').next().unwrap_or_default();
        if !kind.is_empty() {
            line.extend([b" [".as_slice(), kind.trim_ascii(), b"]"].concat());
        }
        line.push(b'\n');
        self.say(proc, false, &line).await;
        if self.options.spider {
            self.say(proc, false, "Remote file exists.\n\n").await;
            return Some(Step::Done(0));
        }
        transfer.when = head.value("last-modified").and_then(moment);
        if self.options.recursive && kind.trim_ascii().starts_with(b"text/html") {
            transfer.page = Some(Vec::new());
        }
        if self.options.server_names
            && self.output.is_none()
            && let Some(name) = head.file_name()
        {
            transfer.name = self.free_name(proc, self.below_directory(name));
            transfer.shown.clone_from(&transfer.name);
        }
        if let Some(step) = self.open(proc, transfer, offset).await {
            return Some(step);
        }
        let shown = quote::text(proc, &transfer.shown);
        let text = [b"Saving to: ".as_slice(), &shown, b"\n\n"].concat();
        // The body on standard output follows without a blank line.
        let text = text
            .strip_suffix(b"\n")
            .filter(|_| transfer.file == Some(STDOUT))
            .unwrap_or(&text)
            .to_vec();
        self.say(proc, false, text).await;
        if offset > 0 {
            let drawn = transfer.progress.skip(offset);
            self.say(proc, false, drawn).await;
        }
        None
    }

    pub(super) async fn end(
        &mut self,
        proc: &mut Process,
        url: &Url,
        end: End,
        transfer: &mut Transfer,
        about: &[u8],
    ) -> Step {
        let quoted = quote::text(proc, about);
        let (text, step) = match end {
            End::Complete => return self.complete(proc, url, transfer).await,
            End::Unreachable => {
                let again = match transfer.errno {
                    Some(Errno::Econnrefused) => self.options.retry_refused,
                    Some(Errno::Etimedout) => true,
                    _ => false,
                };
                return if again {
                    Step::Again(NETWORK)
                } else {
                    Step::Done(NETWORK)
                };
            }
            End::Denied(_) => (b"\nLogin incorrect.\n".to_vec(), Step::Done(LOGIN)),
            End::NoDirectory(_) => (
                [b"\nNo such directory ".as_slice(), &quoted, b".\n\n"].concat(),
                Step::Done(SERVER),
            ),
            End::NoFile(_) => (
                [b"\nNo such file ".as_slice(), &quoted, b".\n\n"].concat(),
                Step::Done(SERVER),
            ),
            End::Refused(_) => (
                b"\nError in server response, closing control connection.\n".to_vec(),
                Step::Again(NETWORK),
            ),
            End::Tls(TlsFailure::Certificate) => return Step::Done(TLS),
            End::Tls(failure) => {
                let reason = match failure {
                    TlsFailure::NotTls => "An unexpected TLS packet was received.",
                    TlsFailure::Refused => "A TLS fatal alert has been received.",
                    _ => "The TLS connection was non-properly terminated.",
                };
                let text = format!("GnuTLS: {reason}\nUnable to establish SSL connection.\n");
                self.say(proc, true, text).await;
                return Step::Done(NETWORK);
            }
            End::NoResponse => (b"No data received.\n".to_vec(), Step::Again(NETWORK)),
            End::NotHttp => (
                b"200 No headers, assuming HTTP/0.9\n".to_vec(),
                Step::Done(NETWORK),
            ),
            End::Cut => {
                let text = format!(
                    "\n\n{} - Connection closed at byte {}. ",
                    self.now(proc),
                    transfer.progress.reached()
                );
                self.close(proc, transfer);
                (text.into_bytes(), Step::Again(NETWORK))
            }
            End::OverLimit => {
                self.say(proc, true, "\n\n").await;
                return self.cannot_write(proc, transfer, Errno::Enospc).await;
            }
            _ => return Step::Done(NETWORK),
        };
        self.say(proc, false, text).await;
        step
    }

    /// Closes a file that was opened for this download alone.
    pub(super) fn close(&self, proc: &Process, transfer: &mut Transfer) {
        if self.output.is_none()
            && let Some(fd) = transfer.file.take()
        {
            // Opened by us.
            let _open = proc.close(fd);
        }
    }

    pub(super) async fn complete(
        &mut self,
        proc: &mut Process,
        url: &Url,
        transfer: &mut Transfer,
    ) -> Step {
        let elapsed = transfer.progress.elapsed(proc);
        let dots = transfer.progress.finish(transfer.total, elapsed);
        let to_stdout = transfer.file == Some(STDOUT);
        self.say(
            proc,
            false,
            if to_stdout && url.scheme.is_web() {
                format!("\n{dots}")
            } else {
                dots
            },
        )
        .await;
        let received = transfer.progress.received();
        self.files += 1;
        self.bytes += received;
        self.spent += elapsed;
        self.last_page = transfer.page.take();
        let reached = transfer.progress.reached();
        let sizes = match transfer.total {
            Some(total) if url.scheme.is_web() => format!("{reached}/{total}"),
            _ => format!("{reached}"),
        };
        let now = self.now(proc);
        if self.options.terse {
            let name = if to_stdout {
                b"-".to_vec()
            } else {
                transfer.shown.clone()
            };
            let web = url.scheme.is_web();
            let text = [
                now.as_bytes(),
                if web { b" URL:".as_slice() } else { b" URL: " },
                &url.hidden(),
                format!(" [{sizes}] -> \"").as_bytes(),
                &name,
                b"\" [1]\n",
            ]
            .concat();
            self.say(proc, true, text).await;
        } else {
            let rate = progress::rate(received, elapsed);
            let text = if to_stdout {
                format!("{now} ({rate}) - written to stdout [{sizes}]\n\n").into_bytes()
            } else {
                let shown = quote::text(proc, &transfer.shown);
                let start = format!("{now} ({rate}) - ");
                [
                    start.as_bytes(),
                    &shown,
                    format!(" saved [{sizes}]\n\n").as_bytes(),
                ]
                .concat()
            };
            self.say(proc, false, text).await;
        }
        self.close(proc, transfer);
        if let (Some(when), None) = (transfer.when, self.output) {
            // As in the original, a time that cannot be set is no trouble.
            let _time = proc.set_times(&transfer.name, Some(when), Some(when), true);
        }
        Step::Done(transfer.status)
    }
}
