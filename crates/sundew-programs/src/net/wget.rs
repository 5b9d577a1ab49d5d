//! GNU Wget 1.21.3: downloads over HTTP and FTP and its progress in dots.

use std::collections::{HashSet, VecDeque};
use std::net::IpAddr;
use std::time::Duration;

use sundew_kernel::descriptor::OpenFlags;
use sundew_kernel::{Errno, ExitStatus, Fd, Process, STDERR, STDIN, STDOUT};
use sundew_vfs::Timestamp;

use self::dialogue::Dialogue;
use self::options::{Options, Read};
use self::progress::Progress;
use self::transfer::Transfer;
use super::fetch::{CertificateFault, Event, Fetch, Scheme, Url, UrlError};
use crate::quote;
use crate::time::{Shown, Zone};

mod dialogue;
mod links;
mod name;
mod options;
mod progress;
mod request;
mod transfer;

/// Redirections followed: `--max-redirect`'s default.
const MAX_REDIRECTS: u32 = 20;
/// How often a download is tried: `--tries`' default.
const TRIES: u32 = 20;
/// How deep `-r` follows links: `--level`'s default.
const DEPTH: u32 = 5;
/// Pages that one `-r` fetches; a site that makes up links would never end.
const MAX_PAGES: usize = 500;
/// Longest page whose links are looked for, in bytes.
const MAX_PAGE_BYTES: usize = 1 << 20;
/// The longest pause between two tries: `--waitretry`'s default.
const MAX_PAUSE: Duration = Duration::from_secs(10);
/// Status for trouble with the network.
const NETWORK: u8 = 4;
/// Status for trouble with files.
const FILE: u8 = 3;
/// Status for TLS.
const TLS: u8 = 5;
/// Status for a refused login.
const LOGIN: u8 = 6;
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
        // A value that is wrong, as opposed to an option.
        Read::Refuse {
            text: Some(text),
            status: 0,
        } => {
            proc.complain_text(text).await;
            return ExitStatus::Exited(2);
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
    if options.background {
        return in_background(proc, options).await;
    }
    work(proc, *options).await
}

/// `-b`: what is said goes to a file, and the shell is answered at once.
async fn in_background(proc: &mut Process, mut options: Box<Options>) -> ExitStatus {
    let log = options.log.get_or_insert((b"wget-log".to_vec(), false));
    let log = quote::text(proc, &log.0);
    let child = proc.fork(move |mut child| {
        Box::pin(async move {
            let _session = child.new_session();
            work(&mut child, *options).await
        })
    });
    let Ok(pid) = child else {
        proc.complain(b"fork", Errno::Eagain).await;
        return ExitStatus::FAILURE;
    };
    let first = format!("Continuing in background, pid {pid}.\nOutput will be written to ");
    let _closed = proc.print(&[first.as_bytes(), &log, b".\n"].concat()).await;
    proc.status()
}

async fn work(proc: &mut Process, options: Options) -> ExitStatus {
    let mut session = Session {
        log: STDERR,
        output: None,
        zone: Zone::of(proc).await,
        options,
        reachable: None,
        files: 0,
        bytes: 0,
        spent: Duration::ZERO,
        last_page: None,
    };
    if let Err(status) = session.open_files(proc).await {
        return status;
    }
    let began = proc.monotonic();
    let mut urls = session.options.urls.clone();
    match session.input(proc).await {
        Ok(listed) => urls.extend(listed),
        Err(status) => return status,
    }
    let mut worst = 0;
    for text in &urls {
        let status = if session.options.recursive {
            session.tree(proc, text).await
        } else {
            session.url(proc, text, None).await
        };
        if worst == 0 || status != 0 && status < worst {
            worst = status;
        }
    }
    let many = urls.len() > 1 || session.options.recursive || session.options.input.is_some();
    if many && session.bytes > 0 {
        let took = proc.monotonic().saturating_sub(began);
        session.summary(proc, took).await;
    }
    ExitStatus::Exited(worst)
}

struct Session {
    log: Fd,
    /// `-O`.
    output: Option<Fd>,
    zone: Zone,
    options: Options,
    /// Whose connection is still open: host and port.
    reachable: Option<(Vec<u8>, u16)>,
    /// What came in all.
    files: u64,
    bytes: u64,
    spent: Duration,
    /// The page that came last, for its links.
    last_page: Option<Vec<u8>>,
}

/// What one request led to.
enum Step {
    Done(u8),
    Elsewhere(Vec<u8>),
    /// It may go better next time.
    Again(u8),
}

impl Session {
    async fn open_files(&mut self, proc: &mut Process) -> Result<(), ExitStatus> {
        if let Some((path, append)) = self.options.log.clone() {
            let flags = if append {
                OpenFlags::APPEND
            } else {
                OpenFlags::CREATE
            };
            self.log = open_or_say(proc, &path, flags).await?;
        }
        let go_on = self.options.go_on;
        match self.options.output.clone().as_deref() {
            None => {}
            Some(b"-") => self.output = Some(STDOUT),
            Some(path) => {
                let flags = if go_on {
                    OpenFlags::APPEND
                } else {
                    OpenFlags::CREATE
                };
                self.output = Some(open_or_say(proc, path, flags).await?);
            }
        }
        if let Some(path) = self.options.post_file.take() {
            match super::super::text::input::read_all(proc, &path).await {
                Ok((bytes, _memory)) => self.options.post = Some(bytes),
                Err(errno) => {
                    let text = [b"BODY data file ".as_slice(), &quote::text(proc, &path)].concat();
                    let line = [
                        text.as_slice(),
                        b" missing: ",
                        errno.message().as_bytes(),
                        b"\n",
                    ]
                    .concat();
                    proc.print_error(&line).await;
                    return Err(ExitStatus::Exited(FILE));
                }
            }
        }
        Ok(())
    }

    /// The URLs of `-i`.
    async fn input(&self, proc: &mut Process) -> Result<Vec<Vec<u8>>, ExitStatus> {
        let Some(path) = self.options.input.clone() else {
            return Ok(Vec::new());
        };
        let read = if path == b"-" {
            proc.read_to_end(STDIN).await.map(|(bytes, _)| bytes)
        } else {
            super::super::text::input::read_all(proc, &path)
                .await
                .map(|(bytes, _)| bytes)
        };
        let bytes = match read {
            Ok(bytes) => bytes,
            Err(errno) => {
                let line = [path.as_slice(), b": ", errno.message().as_bytes(), b"\n"].concat();
                proc.print_error(&line).await;
                Vec::new()
            }
        };
        let lines = bytes.split(|&byte| byte == b'\n').map(<[u8]>::trim_ascii);
        let urls: Vec<Vec<u8>> = lines
            .filter(|line| !line.is_empty() && !line.starts_with(b"#"))
            .map(<[u8]>::to_vec)
            .collect();
        if urls.is_empty() {
            let text = [b"No URLs found in ".as_slice(), &path, b".\n"].concat();
            self.say(proc, true, text).await;
        }
        Ok(urls)
    }

    async fn summary(&self, proc: &mut Process, took: Duration) {
        let now = self.now(proc);
        let size = if self.bytes < 1024 {
            self.bytes.to_string()
        } else {
            progress::short(self.bytes)
        };
        let text = format!(
            "FINISHED --{now}--\nTotal wall clock time: {}\nDownloaded: {} files, {size} in {} ({})\n",
            progress::seconds(took.max(Duration::from_millis(5))),
            self.files,
            progress::seconds(self.spent),
            progress::rate(self.bytes, self.spent)
        );
        self.say(proc, true, text).await;
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

    /// `-r`: a page and where it leads, on the same host.
    async fn tree(&mut self, proc: &mut Process, text: &[u8]) -> u8 {
        let mut worst = 0;
        let mut seen = HashSet::from([text.to_vec()]);
        let mut queue = VecDeque::from([(text.to_vec(), 0_u32, None::<Vec<u8>>)]);
        let Ok(start) = Url::parse(text) else {
            return self.url(proc, text, None).await;
        };
        let depth = self.options.depth.unwrap_or(DEPTH);
        let mut asks_robots = start.scheme.is_web() && !self.options.no_robots;
        let mut pages = 0;
        while let Some((text, level, referer)) = queue.pop_front() {
            proc.tick().await;
            pages += 1;
            if pages > MAX_PAGES {
                break;
            }
            self.last_page = None;
            let status = self.url(proc, &text, referer).await;
            if worst == 0 || status != 0 && status < worst {
                worst = status;
            }
            let (Some(page), Ok(url)) = (self.last_page.take(), Url::parse(&text)) else {
                continue;
            };
            if level >= depth {
                continue;
            }
            if std::mem::take(&mut asks_robots) {
                let loading = "Loading robots.txt; please ignore errors.\n";
                self.say(proc, false, loading).await;
                if let Ok(robots) = url.join(b"/robots.txt") {
                    self.url(proc, &robots.text, None).await;
                }
            }
            for link in links::of(&page) {
                let Ok(next) = url.join(&link) else {
                    continue;
                };
                let next = next.plain();
                let same = next.host == start.host && next.port == start.port;
                let below = !self.options.no_parent || next.path.starts_with(start.folder());
                if same && below && self.wanted(&next) && seen.insert(next.text.clone()) {
                    queue.push_back((next.text, level + 1, Some(url.text.clone())));
                }
            }
        }
        worst
    }

    /// Whether `-A` and `-R` let a name pass; pages lead on whatever their names are.
    fn wanted(&self, url: &Url) -> bool {
        let name = url.file_name();
        let page = name.is_empty() || name.ends_with(b".html") || name.ends_with(b".htm");
        let ends = |list: &[Vec<u8>]| {
            list.iter()
                .any(|end| name.ends_with(end.strip_prefix(b"*").unwrap_or(end)))
        };
        let accept = &self.options.accept;
        (page || accept.is_empty() || ends(accept)) && !ends(&self.options.reject)
    }

    async fn url(&mut self, proc: &mut Process, text: &[u8], referer: Option<Vec<u8>>) -> u8 {
        let parsed = match Url::parse(text) {
            Ok(url) if url.scheme == Scheme::Tftp => Err(UrlError::Scheme(b"tftp".to_vec())),
            other => other,
        };
        let mut url = match parsed {
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
        let plain = self.plain_name(&url);
        if self.options.keep && self.output.is_none() && proc.lstat(&plain).is_ok() {
            let name = quote::text(proc, &plain);
            let text = [
                b"File ".as_slice(),
                &name,
                b" already there; not retrieving.\n\n",
            ];
            self.say(proc, true, text.concat()).await;
            return 0;
        }
        let mut job = Job {
            name: self.free_name(proc, plain),
            referer,
            tries: 1,
            offset: 0,
            since: None,
        };
        self.prepare(proc, &mut job);
        let most = self.options.max_redirect.unwrap_or(MAX_REDIRECTS);
        let mut redirections = 0;
        loop {
            match self.one(proc, &url, &job).await {
                Step::Done(status) => return status,
                Step::Again(status) => {
                    if job.tries >= self.options.tries.unwrap_or(TRIES) {
                        self.say(proc, false, "Giving up.\n\n").await;
                        return status;
                    }
                    self.say(proc, false, "Retrying.\n\n").await;
                    let pause = Duration::from_secs(job.tries.into()).min(MAX_PAUSE);
                    if proc.sleep(pause).await.is_err() {
                        return status;
                    }
                    job.tries += 1;
                    self.reachable = None;
                    // What came is not fetched again.
                    if self.output.is_none() {
                        job.offset = proc.stat(&job.name).map_or(0, |file| file.size);
                    }
                }
                Step::Elsewhere(location) => {
                    redirections += 1;
                    if redirections > most {
                        let text = format!("{most} redirections exceeded.\n");
                        self.say(proc, true, text).await;
                        return SERVER;
                    }
                    url = match url.join(&location) {
                        Ok(url) => url,
                        Err(_) => return 1,
                    };
                }
            }
        }
    }

    /// What `-c` and `-N` know of an earlier download.
    fn prepare(&self, proc: &Process, job: &mut Job) {
        let name = match &self.options.output {
            Some(path) if path == b"-" => return,
            Some(path) => path,
            None => &job.name,
        };
        let Ok(file) = proc.stat(name) else {
            return;
        };
        if self.options.go_on {
            job.offset = file.size;
        } else if self.options.if_newer && self.output.is_none() {
            job.since = Some(file.mtime);
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
    async fn one(&mut self, proc: &mut Process, url: &Url, job: &Job) -> Step {
        let name = job.name.clone();
        let shown = if self.output == Some(STDOUT) {
            b"STDOUT".to_vec()
        } else {
            self.options.output.clone().unwrap_or_else(|| name.clone())
        };
        if self.options.spider && url.scheme.is_web() {
            let text = "Spider mode enabled. Check if remote file exists.\n";
            self.say(proc, false, text).await;
        }
        let mut line = format!("--{}--  ", self.now(proc)).into_bytes();
        if job.tries > 1 {
            line.extend(format!("(try:{:>2})  ", job.tries).into_bytes());
        }
        line.extend([&url.hidden(), b"\n".as_slice()].concat());
        if url.scheme == Scheme::Ftp {
            let target = if shown == b"STDOUT" {
                b"-".as_slice()
            } else {
                &shown
            };
            let target = quote::text(proc, target);
            line.extend([b"           => ".as_slice(), &target, b"\n"].concat());
        }
        self.say(proc, false, line).await;
        let destination: &[u8] = if shown == b"STDOUT" { b"" } else { &shown };
        let mut fetch = Fetch::start(proc, self.request(url, job, destination));
        let literal =
            std::str::from_utf8(&url.host).is_ok_and(|host| host.parse::<IpAddr>().is_ok());
        let host = String::from_utf8_lossy(&url.host).into_owned();
        // A connection that is kept open is not made, as far as anybody sees.
        let known = self.reachable.take() == Some((url.host.clone(), url.port));
        if known {
            let text = format!("Reusing existing connection to {host}:{}.\n", url.port);
            self.say(proc, false, text).await;
        } else if !literal {
            let text = format!("Resolving {host} ({host})... ");
            self.say(proc, false, text).await;
        }
        let mut transfer = Transfer {
            file: self.output,
            name,
            shown,
            progress: Progress::default(),
            status: 0,
            total: None,
            when: None,
            page: None,
            errno: None,
        };
        let mut dialogue = Dialogue::default();
        let shows = self.options.show_response;
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
                    if !literal && !known {
                        let list: Vec<String> =
                            addresses.iter().take(3).map(IpAddr::to_string).collect();
                        let end = if addresses.len() > 3 { ", ...\n" } else { "\n" };
                        self.say(proc, false, list.join(", ") + end).await;
                    }
                }
                Event::Trying(target) if !known => {
                    let place = if literal {
                        format!("{target}")
                    } else {
                        format!("{host} ({host})|{}|:{}", target.ip(), target.port())
                    };
                    self.say(proc, false, format!("Connecting to {place}... "))
                        .await;
                }
                Event::Unreachable(_, errno) => {
                    transfer.errno = Some(errno);
                    self.say(proc, false, format!("failed: {}.\n", errno.message()))
                        .await;
                }
                Event::Connected(_) if !known => self.say(proc, false, "connected.\n").await,
                Event::Trying(_) | Event::Connected(_) => {}
                Event::Faulty(faults) => self.faulty(proc, url, &faults).await,
                Event::Asking => {
                    let word = "HTTP request sent, awaiting response... ";
                    self.say(proc, false, word).await;
                }
                Event::Head(head) => {
                    if let Some(step) = self.head(proc, url, &head, &mut transfer, job).await {
                        return step;
                    }
                }
                Event::Sent(line) => {
                    let text = dialogue.sent(&line, shows);
                    self.say(proc, false, text).await;
                    if self.options.spider && line.starts_with(b"PASV") {
                        let name = quote::text(proc, &url.file_name());
                        let text = [b"\nFile ".as_slice(), &name, b" exists.\n"].concat();
                        self.say(proc, false, text).await;
                        return Step::Done(0);
                    }
                }
                Event::Reply(code, lines) => {
                    let text = dialogue.reply(code, &lines, shows);
                    self.say(proc, false, text).await;
                }
                Event::Data(_) => {}
                Event::Begins(size) => {
                    transfer.total = size.filter(|_| !url.file_name().is_empty());
                    if let Some(size) = transfer.total {
                        let text = match size {
                            1024.. => format!("{size} ({})", progress::short(size)),
                            _ => size.to_string(),
                        };
                        let text = format!("Length: {text} (unauthoritative)\n");
                        self.say(proc, false, text).await;
                    }
                    if let Some(step) = self.open(proc, &mut transfer, job.offset).await {
                        return step;
                    }
                    self.say(proc, false, "\n").await;
                }
                Event::Body(piece) => {
                    if let Some(page) = &mut transfer.page
                        && page.len() < MAX_PAGE_BYTES
                    {
                        page.extend_from_slice(&piece);
                    }
                    let fd = transfer.file.unwrap_or(STDOUT);
                    if let Err(errno) = proc.write_all(fd, &piece).await {
                        return self.cannot_write(proc, &transfer, errno).await;
                    }
                    let dots = transfer.progress.add(piece.len() as u64, transfer.total);
                    self.say(proc, false, dots).await;
                }
                Event::End(end) => {
                    let about = dialogue.argument().to_vec();
                    return self.end(proc, url, end, &mut transfer, &about).await;
                }
            }
        }
    }
}

/// `Last-Modified` as a time.
pub(super) fn moment(text: &[u8]) -> Option<Timestamp> {
    let text = std::str::from_utf8(text).ok()?;
    let when = jiff::fmt::rfc2822::parse(text).ok()?;
    Some(Timestamp {
        secs: when.timestamp().as_second(),
        nanos: 0,
    })
}

async fn open_or_say(proc: &mut Process, path: &[u8], flags: OpenFlags) -> Result<Fd, ExitStatus> {
    match proc.open(path, flags, 0o666).await {
        Ok(fd) => Ok(fd),
        Err(errno) => {
            let line = [path, b": ", errno.message().as_bytes(), b"\n"].concat();
            proc.print_error(&line).await;
            Err(ExitStatus::FAILURE)
        }
    }
}

/// One URL's download over all its tries and redirections.
struct Job {
    name: Vec<u8>,
    referer: Option<Vec<u8>>,
    tries: u32,
    /// What is there already.
    offset: u64,
    /// Only what changed since then is wanted.
    since: Option<Timestamp>,
}
