//! GNU Wget 1.21.3: HTTP downloads and its progress in dots.

use std::net::IpAddr;

use sundew_kernel::descriptor::OpenFlags;
use sundew_kernel::{Errno, ExitStatus, Fd, Process, STDERR, STDOUT};

use self::options::{Options, Read};
use self::progress::Progress;
use super::http::{
    CertificateFault, End, Event, Fetch, Head, Request, Scheme, TlsFailure, Url, UrlError,
};
use crate::quote;
use crate::time::{Shown, Zone};

mod options;
mod progress;

/// Redirections followed: `--max-redirect`'s default.
const MAX_REDIRECTS: u32 = 20;
/// Status for trouble with the network.
const NETWORK: u8 = 4;
/// Status for trouble with files.
const FILE: u8 = 3;
/// Status for TLS.
const TLS: u8 = 5;
/// Status for an answer that is an error.
const SERVER: u8 = 8;

/// `wget`.
pub(super) async fn run(proc: &mut Process) -> ExitStatus {
    let options = match Options::read(proc.args()) {
        Read::Run(options) => options,
        Read::Print(text) => {
            let _closed = proc.print(text).await;
            return proc.status();
        }
        Read::Refuse { text, status } => {
            if let Some(text) = text {
                proc.complain_text(text).await;
            }
            let line = [
                b"Usage: ".as_slice(),
                proc.name(),
                b" [OPTION]... [URL]...\n\nTry `",
                proc.name(),
                b" --help' for more options.\n",
            ]
            .concat();
            proc.print_error(&line).await;
            return ExitStatus::Exited(status);
        }
    };
    let mut session = Session {
        log: STDERR,
        output: None,
        zone: Zone::of(proc).await,
        options,
    };
    if let Err(status) = session.open_files(proc).await {
        return status;
    }
    let mut worst = 0;
    for text in session.options.urls.clone() {
        let status = session.url(proc, &text).await;
        if worst == 0 || status != 0 && status < worst {
            worst = status;
        }
    }
    ExitStatus::Exited(worst)
}

struct Session {
    log: Fd,
    /// `-O`.
    output: Option<Fd>,
    zone: Zone,
    options: Options,
}

/// What one request led to.
enum Step {
    Done(u8),
    Elsewhere(Vec<u8>),
}

impl Session {
    async fn open_files(&mut self, proc: &mut Process) -> Result<(), ExitStatus> {
        if let Some((path, append)) = self.options.log.clone() {
            let flags = if append {
                OpenFlags::APPEND
            } else {
                OpenFlags::CREATE
            };
            match proc.open(&path, flags, 0o666).await {
                Ok(fd) => self.log = fd,
                Err(errno) => {
                    proc.print_error(
                        &[path.as_slice(), b": ", errno.message().as_bytes(), b"\n"].concat(),
                    )
                    .await;
                    return Err(ExitStatus::FAILURE);
                }
            }
        }
        match self.options.output.clone().as_deref() {
            None => {}
            Some(b"-") => self.output = Some(STDOUT),
            Some(path) => match proc.open(path, OpenFlags::CREATE, 0o666).await {
                Ok(fd) => self.output = Some(fd),
                Err(errno) => {
                    proc.print_error(&[path, b": ", errno.message().as_bytes(), b"\n"].concat())
                        .await;
                    return Err(ExitStatus::FAILURE);
                }
            },
        }
        Ok(())
    }

    /// Says something unless `-q`, or unless `-nv` and it is not important.
    async fn say(&self, proc: &mut Process, important: bool, text: impl AsRef<[u8]>) {
        if self.options.quiet || self.options.terse && !important {
            return;
        }
        // Output goes before the words about it.
        let _closed = proc.flush().await;
        let _closed = proc.write_all(self.log, text.as_ref()).await;
    }

    fn now(&self, proc: &Process) -> String {
        String::from_utf8_lossy(&Shown::new(proc.now(), &self.zone).format(b"%Y-%m-%d %H:%M:%S"))
            .into_owned()
    }

    async fn url(&self, proc: &mut Process, text: &[u8]) -> u8 {
        let mut url = match Url::parse(text) {
            Ok(url) => url,
            Err(error) => {
                let reason = match error {
                    UrlError::Scheme(name) => [
                        b"Unsupported scheme ".as_slice(),
                        &quote::text(proc, &name),
                        b".",
                    ]
                    .concat(),
                    UrlError::Port => b"Bad port number.".to_vec(),
                    UrlError::Host => b"Invalid host name.".to_vec(),
                };
                proc.print_error(&[text, b": ", &reason, b"\n"].concat())
                    .await;
                return 1;
            }
        };
        let mut tries = 1;
        loop {
            let step = self.one(proc, &url).await;
            match step {
                Step::Done(status) => return status,
                Step::Elsewhere(location) => {
                    if tries > MAX_REDIRECTS {
                        self.say(
                            proc,
                            true,
                            format!("{MAX_REDIRECTS} redirections exceeded.\n"),
                        )
                        .await;
                        return SERVER;
                    }
                    tries += 1;
                    url = match url.join(&location) {
                        Ok(url) => url,
                        Err(_) => return 1,
                    };
                }
            }
        }
    }

    fn request(&self, url: &Url, destination: &[u8]) -> Request {
        let agent = self.options.agent.as_deref().unwrap_or(b"Wget/1.21.3");
        let mut headers = [b"Host: ".as_slice(), &url.authority(), b"\r\n"].concat();
        if !agent.is_empty() {
            headers.extend([b"User-Agent: ".as_slice(), agent, b"\r\n"].concat());
        }
        headers.extend_from_slice(
            b"Accept: */*\r\nAccept-Encoding: identity\r\nConnection: Keep-Alive\r\n",
        );
        headers.extend_from_slice(&self.options.headers);
        let body = self.options.post.clone().unwrap_or_default();
        if self.options.post.is_some() {
            headers.extend(
                format!(
                    "Content-Type: application/x-www-form-urlencoded\r\nContent-Length: {}\r\n",
                    body.len()
                )
                .into_bytes(),
            );
        }
        let method: &[u8] = if self.options.spider {
            b"HEAD"
        } else if self.options.post.is_some() {
            b"POST"
        } else {
            b"GET"
        };
        Request {
            url: url.clone(),
            method: method.to_vec(),
            headers,
            body,
            destination: destination.to_vec(),
            wants_error_body: false,
            checks_certificate: !self.options.trusts_anybody,
            proxy: None,
        }
    }

    /// What GnuTLS finds wrong with a certificate.
    async fn faulty(&self, proc: &mut Process, url: &Url, faults: &[CertificateFault]) {
        let severity: &[u8] = if self.options.trusts_anybody {
            b"WARNING: "
        } else {
            b"ERROR: "
        };
        let host = quote::text(proc, &url.host);
        let mut text = Vec::new();
        for fault in faults {
            let reason = match fault {
                CertificateFault::WrongName => {
                    let words = b"The certificate's owner does not match hostname ".as_slice();
                    text.extend([words, &host, b"\n"].concat());
                    continue;
                }
                CertificateFault::SelfSigned | CertificateFault::UnknownIssuer => {
                    Some("doesn't have a known issuer")
                }
                CertificateFault::Expired => Some("has expired"),
                CertificateFault::NotYetValid => Some("is not yet activated"),
                CertificateFault::Other => None,
            };
            for words in [Some("is not trusted"), reason].into_iter().flatten() {
                let before = b"The certificate of ".as_slice();
                text.extend([severity, before, &host, b" ", words.as_bytes(), b".\n"].concat());
            }
        }
        self.say(proc, true, text).await;
    }

    #[expect(
        clippy::too_many_lines,
        reason = "one command line and what it leads to, read top-down"
    )]
    async fn one(&self, proc: &mut Process, url: &Url) -> Step {
        let name = self.name_of(proc, url);
        let shown = if self.output == Some(STDOUT) {
            b"STDOUT".to_vec()
        } else {
            self.options.output.clone().unwrap_or_else(|| name.clone())
        };
        let head = format!("--{}--  ", self.now(proc));
        let ftp = if url.scheme == Scheme::Ftp {
            [
                b"           => ".as_slice(),
                &quote::text(proc, &name),
                b"\n",
            ]
            .concat()
        } else {
            Vec::new()
        };
        self.say(
            proc,
            false,
            [head.as_bytes(), &url.text, b"\n", &ftp].concat(),
        )
        .await;
        let mut fetch = Fetch::start(
            proc,
            self.request(url, if shown == b"STDOUT" { b"" } else { &shown }),
        );
        let literal =
            std::str::from_utf8(&url.host).is_ok_and(|host| host.parse::<IpAddr>().is_ok());
        if !literal {
            self.say(
                proc,
                false,
                [
                    b"Resolving ".as_slice(),
                    &url.host,
                    b" (",
                    &url.host,
                    b")... ",
                ]
                .concat(),
            )
            .await;
        }
        let mut transfer = Transfer {
            file: self.output,
            name,
            shown,
            progress: Progress::default(),
            status: 0,
            total: None,
        };
        loop {
            match fetch.next().await {
                Event::Resolved(addresses) => {
                    if addresses.is_empty() {
                        self.say(proc, false, "failed: Name or service not known.\n")
                            .await;
                        if !self.options.quiet {
                            let host = quote::text(proc, &url.host);
                            proc.complain_text(
                                [b"unable to resolve host address ".as_slice(), &host].concat(),
                            )
                            .await;
                        }
                        return Step::Done(NETWORK);
                    }
                    if !literal {
                        let list: Vec<String> =
                            addresses.iter().take(3).map(IpAddr::to_string).collect();
                        self.say(
                            proc,
                            false,
                            list.join(", ") + if addresses.len() > 3 { ", ...\n" } else { "\n" },
                        )
                        .await;
                    }
                }
                Event::Trying(target) => {
                    let place = if literal {
                        format!("{target}")
                    } else {
                        format!(
                            "{} ({})|{}|:{}",
                            String::from_utf8_lossy(&url.host),
                            String::from_utf8_lossy(&url.host),
                            target.ip(),
                            target.port()
                        )
                    };
                    self.say(proc, false, format!("Connecting to {place}... "))
                        .await;
                }
                Event::Unreachable(_, errno) => {
                    self.say(proc, false, format!("failed: {}.\n", errno.message()))
                        .await
                }
                Event::Connected(_) => {
                    self.say(proc, false, "connected.\n").await;
                }
                Event::Faulty(faults) => self.faulty(proc, url, &faults).await,
                Event::Asking => {
                    let word = "HTTP request sent, awaiting response... ";
                    self.say(proc, false, word).await;
                }
                Event::Head(head) => {
                    if let Some(step) = self.head(proc, url, &head, &mut transfer).await {
                        return step;
                    }
                }
                Event::Body(piece) => {
                    if let Err(errno) = proc
                        .write_all(transfer.file.unwrap_or(STDOUT), &piece)
                        .await
                    {
                        let text = [
                            b"Cannot write to ".as_slice(),
                            &quote::text(proc, &transfer.shown),
                            b" (",
                            errno.message().as_bytes(),
                            b").\n",
                        ]
                        .concat();
                        self.say(proc, true, text).await;
                        return Step::Done(FILE);
                    }
                    let dots = transfer.progress.add(piece.len() as u64, transfer.total);
                    self.say(proc, false, dots).await;
                }
                Event::End(end) => return self.end(proc, url, end, &mut transfer).await,
            }
        }
    }

    /// Shows the answer's head and opens the file; whether that was all.
    #[expect(
        clippy::too_many_lines,
        reason = "one command line and what it leads to, read top-down"
    )]
    async fn head(
        &self,
        proc: &mut Process,
        url: &Url,
        head: &Head,
        transfer: &mut Transfer,
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
        if let Some(location) = head.redirect() {
            let text = [b"Location: ".as_slice(), location, b" [following]\n"].concat();
            self.say(proc, false, text).await;
            return Some(Step::Elsewhere(location.to_vec()));
        }
        if head.status / 100 != 2 {
            let now = self.now(proc);
            if self.options.terse {
                self.say(proc, true, [url.text.as_slice(), b":\n"].concat())
                    .await;
            }
            let text = [
                format!("{now} ERROR {}: ", head.status).as_bytes(),
                head.reason(),
                if self.options.terse { b".\n" } else { b".\n\n" },
            ]
            .concat();
            self.say(proc, true, text).await;
            return Some(Step::Done(SERVER));
        }
        let kind = head.value("content-type").unwrap_or(b"text/plain");
        let kind = kind
            .split(|&byte| byte == b';')
            .next()
            .unwrap_or_default()
            .trim_ascii();
        let length = match head.length {
            Some(length) if length >= 1024 => {
                format!("Length: {length} ({}) [", progress::short(length))
            }
            Some(length) => format!("Length: {length} ["),
            None => "Length: unspecified [".to_owned(),
        };
        self.say(proc, false, [length.as_bytes(), kind, b"]\n"].concat())
            .await;
        transfer.total = head.length;
        if self.options.spider {
            self.say(proc, false, "Remote file exists.\n\n").await;
            return Some(Step::Done(0));
        }
        if transfer.file.is_none() {
            match proc.open(&transfer.name, OpenFlags::CREATE, 0o666).await {
                Ok(fd) => transfer.file = Some(fd),
                Err(errno) => {
                    let text = [
                        transfer.name.as_slice(),
                        b": ",
                        errno.message().as_bytes(),
                        b"\n\nCannot write to ",
                        &quote::text(proc, &transfer.name),
                        b" (",
                        errno.message().as_bytes(),
                        b").\n",
                    ]
                    .concat();
                    self.say(proc, true, text).await;
                    return Some(Step::Done(FILE));
                }
            }
        }
        self.say(
            proc,
            false,
            [
                b"Saving to: ".as_slice(),
                &quote::text(proc, &transfer.shown),
                b"\n",
            ]
            .concat(),
        )
        .await;
        // The body on standard output follows without a blank line.
        self.say(
            proc,
            false,
            if transfer.file == Some(STDOUT) {
                ""
            } else {
                "\n"
            },
        )
        .await;
        None
    }

    async fn end(&self, proc: &mut Process, url: &Url, end: End, transfer: &mut Transfer) -> Step {
        let text = match end {
            End::Complete => return self.complete(proc, url, transfer).await,
            End::Unreachable => return Step::Done(NETWORK),
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
            End::Unspoken | End::NoTunnel(_) => return Step::Done(NETWORK),
            End::NoResponse => "No data received.\n".to_owned(),
            End::NotHttp => "200 No headers, assuming HTTP/0.9\n".to_owned(),
            End::Cut => format!(
                "\n\n{} - Connection closed at byte {}. Giving up.\n\n",
                self.now(proc),
                transfer.progress.received()
            ),
            End::OverLimit => {
                let name = quote::text(proc, &transfer.shown);
                let text = [
                    b"\n\nCannot write to ".as_slice(),
                    &name,
                    b" (",
                    Errno::Enospc.message().as_bytes(),
                    b").\n",
                ]
                .concat();
                self.say(proc, true, text).await;
                return Step::Done(FILE);
            }
        };
        self.say(proc, false, text).await;
        Step::Done(NETWORK)
    }

    async fn complete(&self, proc: &mut Process, url: &Url, transfer: &mut Transfer) -> Step {
        let elapsed = transfer.progress.elapsed(proc);
        let dots = transfer.progress.finish(transfer.total, elapsed);
        self.say(
            proc,
            false,
            if transfer.file == Some(STDOUT) {
                format!("\n{dots}")
            } else {
                dots
            },
        )
        .await;
        let received = transfer.progress.received();
        let sizes = transfer.total.map_or_else(
            || format!("{received}"),
            |total| format!("{received}/{total}"),
        );
        let now = self.now(proc);
        if self.options.terse {
            let name = if transfer.file == Some(STDOUT) {
                b"-".to_vec()
            } else {
                transfer.shown.clone()
            };
            let text = [
                now.as_bytes(),
                b" URL:",
                &url.text,
                format!(" [{sizes}] -> \"").as_bytes(),
                &name,
                b"\" [1]\n",
            ]
            .concat();
            self.say(proc, true, text).await;
            return Step::Done(0);
        }
        let rate = progress::rate(received, elapsed);
        let text = if transfer.file == Some(STDOUT) {
            format!("{now} ({rate}) - written to stdout [{sizes}]\n\n").into_bytes()
        } else {
            [
                format!("{now} ({rate}) - ").as_bytes(),
                &quote::text(proc, &transfer.shown),
                format!(" saved [{sizes}]\n\n").as_bytes(),
            ]
            .concat()
        };
        self.say(proc, false, text).await;
        if self.output.is_none()
            && let Some(fd) = transfer.file
        {
            // Opened for this file alone.
            let _open = proc.close(fd);
        }
        Step::Done(transfer.status)
    }

    /// The file's name; with a number behind it while that is taken.
    fn name_of(&self, proc: &Process, url: &Url) -> Vec<u8> {
        let mut name = url.file_name();
        if name.is_empty() {
            name = b"index.html".to_vec();
        }
        if let Some(query) = url.path.iter().position(|&byte| byte == b'?') {
            name.extend_from_slice(url.path.get(query..).unwrap_or_default());
        }
        if let Some(directory) = &self.options.directory {
            name = [directory.as_slice(), b"/", &name].concat();
        }
        let free = |name: &[u8]| proc.lstat(name).is_err();
        if free(&name) || self.options.clobber {
            return name;
        }
        // A stranger could make very many; the last one is written over.
        let numbered = |number: u32| [name.as_slice(), format!(".{number}").as_bytes()].concat();
        numbered(
            (1..1000)
                .find(|&number| free(&numbered(number)))
                .unwrap_or(1000),
        )
    }
}

struct Transfer {
    file: Option<Fd>,
    name: Vec<u8>,
    shown: Vec<u8>,
    progress: Progress,
    status: u8,
    total: Option<u64>,
}
