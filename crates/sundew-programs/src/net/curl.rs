//! curl 7.88.1: HTTP with and without TLS, FTP, TFTP, files, its meter and its numbered complaints.

use sundew_kernel::descriptor::OpenFlags;
use sundew_kernel::network::numeric;
use sundew_kernel::{ExitStatus, Fd, Process, STDOUT};

use self::failure::{Failure, failure};
use self::options::{Options, Output, Read};
use super::fetch::{CertificateFault, End, Event, Fetch, Head, Scheme, TlsFailure, Url, UrlError};

mod failure;
mod gather;
mod options;
mod request;
mod talk;

/// Redirections followed with `-L`.
const MAX_REDIRECTS: u32 = 50;

/// `curl`.
pub(super) async fn run(proc: &mut Process) -> ExitStatus {
    let mut options = match Options::read(proc.args()) {
        Read::Run(options) => options,
        Read::Print(text) => {
            let _closed = proc.print(text).await;
            return proc.status();
        }
        Read::Refuse(text) => {
            if let Some(text) = text {
                proc.print_error(&[b"curl: ".as_slice(), &text, b"\n"].concat())
                    .await;
            }
            proc.print_error(b"curl: try 'curl --help' or 'curl --manual' for more information\n")
                .await;
            return ExitStatus::Exited(2);
        }
    };
    if let Some(status) = gather::gather(proc, &mut options).await {
        return status;
    }
    if options.urls.is_empty() {
        proc.print_error(b"curl: no URL specified!\ncurl: try 'curl --help' or 'curl --manual' for more information\n")
            .await;
        return ExitStatus::Exited(2);
    }
    let mut status = 0;
    for (number, text) in options.urls.iter().enumerate() {
        let mut job = Job {
            options: &options,
            number,
            meter: false,
            received: 0,
            total: None,
            file: None,
            faults: Vec::new(),
            facts: Facts::default(),
            offset: 0,
            name: None,
            when: None,
            alerted: false,
        };
        let started = proc.monotonic();
        status = job.tried(proc, text).await;
        job.facts.exit = status;
        job.facts.seconds = proc.monotonic().saturating_sub(started).as_secs_f64();
        job.write_out(proc).await;
    }
    ExitStatus::Exited(status)
}

/// What `-w` can ask for.
#[derive(Default)]
struct Facts {
    code: u16,
    exit: u8,
    seconds: f64,
    url: Vec<u8>,
    content_type: Vec<u8>,
    location: Vec<u8>,
    peer: String,
    redirects: u32,
    /// The line that last went to an FTP server.
    last: Vec<u8>,
    error: String,
}

struct Job<'a> {
    options: &'a Options,
    number: usize,
    /// Whether the meter's head is on the screen.
    meter: bool,
    received: u64,
    total: Option<u64>,
    file: Option<Fd>,
    /// What is wrong with the other side's certificate.
    faults: Vec<CertificateFault>,
    facts: Facts,
    /// Where the transfer goes on: `-C`.
    offset: u64,
    /// The name that the server gave: `-J`.
    name: Option<Vec<u8>>,
    /// When the server's file was changed: `-R`.
    when: Option<sundew_vfs::Timestamp>,
    /// Whether it was said that data is not shown.
    alerted: bool,
}

/// What one request led to.
enum Step {
    Done,
    Elsewhere(Vec<u8>),
}

impl Job<'_> {
    /// One URL, as often as `--retry` says; the exit status.
    async fn tried(&mut self, proc: &mut Process, text: &[u8]) -> u8 {
        let mut tries = self.options.retry;
        let mut pause = 1;
        loop {
            let outcome = self.url(proc, text).await;
            let transient = match &outcome {
                Ok(()) => matches!(self.facts.code, 408 | 429 | 500 | 502 | 503 | 504),
                Err(Failure(22, _)) => matches!(self.facts.code, 408 | 429 | 500 | 502 | 503 | 504),
                Err(Failure(7, _)) => self.options.retry_refused || self.options.retry_all,
                Err(Failure(number, _)) => matches!(number, 6 | 28) || self.options.retry_all,
            };
            let status = match outcome {
                Ok(()) => 0,
                Err(failure) => self.fail(proc, failure).await,
            };
            if !transient || tries == 0 {
                break status;
            }
            let wait = self.options.retry_delay.unwrap_or(pause);
            if !self.options.silent {
                let what = match status {
                    0 | 22 => "HTTP error",
                    7 => "connection refused",
                    28 => "timeout",
                    _ => "(retrying all errors)",
                };
                let text = format!(
                    "Warning: Problem : {what}. Will retry in {wait} seconds. {tries} retries left.\n"
                );
                proc.print_error(text.as_bytes()).await;
            }
            tries -= 1;
            pause = (pause * 2).min(600);
            if proc
                .sleep(std::time::Duration::from_secs(wait))
                .await
                .is_err()
            {
                break status;
            }
            self.begin_again();
        }
    }

    fn begin_again(&mut self) {
        self.meter = false;
        self.received = 0;
        self.total = None;
        self.file = None;
    }

    /// Where the body goes; standard output if nowhere else.
    fn output(&self, remote: Vec<u8>) -> Option<Vec<u8>> {
        let name = match self.options.outputs.get(self.number) {
            Some(Output::Name(name)) => name.clone(),
            Some(Output::Remote) => remote,
            None if self.options.remote_name_all => remote,
            None => return None,
        };
        match &self.options.output_directory {
            Some(folder) if name != b"-" => Some([folder.as_slice(), b"/", &name].concat()),
            _ => Some(name),
        }
    }

    async fn fail(&mut self, proc: &mut Process, Failure(number, text): Failure) -> u8 {
        // A name that does not resolve leaves the meter's line unfinished.
        self.facts.error.clone_from(&text);
        // What the library tells of it, before the connection goes.
        let connected = match number {
            6 | 7 | 28 => Some(self.number.to_string()),
            37 => Some("-1".to_owned()),
            _ => None,
        };
        if connected.is_some() {
            self.tell(proc, format!("* {text}\n")).await;
        }
        if self.meter && number != 5 && number != 6 {
            self.row(proc).await;
            proc.print_error(b"\n").await;
        }
        if let Some(connection) = connected {
            self.tell(proc, format!("* Closing connection {connection}\n"))
                .await;
        }
        if !self.options.silent || self.options.show_error {
            proc.print_error(format!("curl: ({number}) {text}\n").as_bytes())
                .await;
        }
        // The bar's line ends when the bar is gone.
        if self.options.bar && !self.options.silent && number == 7 {
            proc.print_error(b"\n").await;
        }
        number
    }

    async fn write_out(&self, proc: &mut Process) {
        let mut unknown = Vec::new();
        let Some(format) = &self.options.write_out else {
            return;
        };
        let mut out = Vec::new();
        let mut rest = format.as_slice();
        while let Some((&first, after)) = rest.split_first() {
            rest = after;
            match (first, after) {
                (b'\\', [letter, after @ ..]) => {
                    match letter {
                        b'n' => out.push(b'\n'),
                        b't' => out.push(b'\t'),
                        b'r' => out.push(b'\r'),
                        other => out.extend([b'\\', *other]),
                    }
                    rest = after;
                }
                (b'%', [b'%', after @ ..]) => {
                    out.push(b'%');
                    rest = after;
                }
                (b'%', [b'{', inner @ ..]) => {
                    let end = inner.iter().position(|&byte| byte == b'}');
                    let Some(end) = end else {
                        out.extend_from_slice(b"%{");
                        rest = inner;
                        continue;
                    };
                    let (name, after) = inner.split_at(end);
                    match self.variable(name) {
                        Some(text) => out.extend(text),
                        None => unknown.extend(
                            [b"curl: unknown --write-out variable: '", name, b"'\n"].concat(),
                        ),
                    }
                    rest = after.get(1..).unwrap_or_default();
                }
                (byte, _) => out.push(byte),
            }
        }
        proc.print_error(&unknown).await;
        let _closed = proc.print(&out).await;
    }

    fn variable(&self, name: &[u8]) -> Option<Vec<u8>> {
        let facts = &self.facts;
        Some(match name {
            b"http_code" | b"response_code" => format!("{:03}", facts.code).into_bytes(),
            b"size_download" => self.received.to_string().into_bytes(),
            b"exitcode" => facts.exit.to_string().into_bytes(),
            b"errormsg" => facts.error.clone().into_bytes(),
            b"url" | b"url_effective" => facts.url.clone(),
            b"content_type" => facts.content_type.clone(),
            b"redirect_url" => facts.location.clone(),
            b"remote_ip" => facts.peer.clone().into_bytes(),
            b"num_redirects" => facts.redirects.to_string().into_bytes(),
            b"num_connects" => b"1".to_vec(),
            b"http_version" => b"1.1".to_vec(),
            b"method" => b"GET".to_vec(),
            b"ssl_verify_result" => b"0".to_vec(),
            b"speed_download" => {
                let speed = self.received.saturating_mul(1000)
                    / u64::try_from((facts.seconds * 1000.0) as i64)
                        .unwrap_or(1)
                        .max(1);
                speed.to_string().into_bytes()
            }
            b"time_total" | b"time_starttransfer" => format!("{:.6}", facts.seconds).into_bytes(),
            b"time_namelookup" | b"time_connect" | b"time_appconnect" | b"time_pretransfer" => {
                format!("{:.6}", facts.seconds * 0.4).into_bytes()
            }
            b"time_redirect" => b"0.000000".to_vec(),
            _ => return None,
        })
    }

    /// `file://`: RFC 8089.
    async fn local(
        &mut self,
        proc: &mut Process,
        path: &[u8],
        output: Option<&[u8]>,
    ) -> Result<(), Failure> {
        let bad = || {
            let path = String::from_utf8_lossy(path);
            Failure(37, format!("Couldn't open file {path}"))
        };
        let metadata = proc.stat(path).map_err(|_| bad())?;
        let bytes = gather::read_file(proc, path).await.map_err(|_| bad())?;
        if !self.options.silent && (output.is_some() || !proc.is_terminal(STDOUT)) {
            self.begin_meter(proc).await;
        }
        self.total = Some(bytes.len() as u64);
        if self.options.head {
            let when = crate::time::Shown::new(metadata.mtime, &crate::time::Zone::utc());
            let when = when.format(b"%a, %d %b %Y %H:%M:%S GMT");
            let head = format!(
                "Content-Length: {}\r\nAccept-ranges: bytes\r\nLast-Modified: ",
                bytes.len()
            );
            let head = [head.as_bytes(), &when, b"\r\n"].concat();
            let _closed = proc.print(&head).await;
        } else {
            self.body(proc, output, &bytes).await?;
        }
        self.done(proc, output).await.map(drop)
    }

    async fn begin_meter(&mut self, proc: &mut Process) {
        if self.meter || self.options.bar {
            return;
        }
        self.meter = true;
        let head = b"  % Total    % Received % Xferd  Average Speed   Time    Time     Time  Current\n                                 Dload  Upload   Total   Spent    Left  Speed\n";
        proc.print_error(head).await;
        self.row(proc).await;
    }

    async fn url(&mut self, proc: &mut Process, text: &[u8]) -> Result<(), Failure> {
        self.facts.url = text.to_vec();
        if text
            .get(..7)
            .is_some_and(|start| start.eq_ignore_ascii_case(b"file://"))
        {
            let rest = text.get(7..).unwrap_or_default();
            let path = rest.strip_prefix(b"localhost").unwrap_or(rest);
            let name = path.rsplit(|&byte| byte == b'/').next();
            let output = self.output(name.unwrap_or_default().to_vec());
            return self
                .local(proc, path, output.as_deref().filter(|name| *name != b"-"))
                .await;
        }
        if text.iter().any(|byte| *byte <= b' ' || *byte == 127) {
            let text = "URL using bad/illegal format or missing URL";
            return Err(Failure(3, text.to_owned()));
        }
        if let Some(place) = talk::Place::read(text)? {
            return self.talk(proc, &place).await;
        }
        let text = &slashes(text);
        let mut url = Url::parse(text).map_err(|error| match error {
            UrlError::Scheme(name) => Failure(
                1,
                format!(
                    "Protocol \"{}\" not supported or disabled in libcurl",
                    String::from_utf8_lossy(&name)
                ),
            ),
            UrlError::Port => Failure(3, "URL using bad/illegal format or missing URL".to_owned()),
            UrlError::Host => Failure(3, "URL using bad/illegal format or missing URL".to_owned()),
        })?;
        if let Some(address) = numeric(&url.host) {
            url.host = address.to_string().into_bytes();
        }
        let output = self.output(url.file_name());
        if output
            .as_ref()
            .is_some_and(|name| name.is_empty() || name.ends_with(b"/"))
        {
            proc.print_error(b"curl: Remote file name has no length!\n")
                .await;
            return Err(Failure(
                23,
                "Failed writing received data to disk/application".to_owned(),
            ));
        }
        let output = output.filter(|name| name != b"-");
        self.offset = match (self.options.go_on, &output) {
            (Some(Some(offset)), _) => offset,
            (Some(None), Some(name)) => proc.stat(name).map_or(0, |file| file.size),
            _ => 0,
        };
        let most = self.options.max_redirects.unwrap_or(MAX_REDIRECTS);
        for _ in 0..=most {
            match self.one(proc, &url, output.as_deref()).await? {
                Step::Done => return Ok(()),
                Step::Elsewhere(location) => {
                    self.facts.redirects += 1;
                    url = url.join(&location).map_err(|_| {
                        Failure(3, "URL using bad/illegal format or missing URL".to_owned())
                    })?;
                    self.facts.url.clone_from(&url.text);
                }
            }
        }
        Err(Failure(47, format!("Maximum ({most}) redirects followed")))
    }

    #[expect(
        clippy::too_many_lines,
        reason = "one command line and what it leads to, read top-down"
    )]
    async fn one(
        &mut self,
        proc: &mut Process,
        url: &Url,
        output: Option<&[u8]>,
    ) -> Result<Step, Failure> {
        if !self.options.silent && (output.is_some() || !proc.is_terminal(STDOUT)) {
            self.begin_meter(proc).await;
        }
        let request = request::request(self.options, url, output, self.offset);
        let method = String::from_utf8_lossy(&request.method).into_owned();
        let (sent, posted) = (request.headers.clone(), request.body.len());
        let host = String::from_utf8_lossy(&url.host).into_owned();
        let started = proc.monotonic();
        let mut fetch = Fetch::start(proc, request);
        let mut location = None;
        let mut connected = false;
        self.faults.clear();
        loop {
            let limits = [
                self.options.max_time,
                self.options.connect_timeout.filter(|_| !connected),
            ];
            let limit = limits.into_iter().flatten().min();
            let event = match limit {
                None => fetch.next().await,
                Some(limit) => {
                    let spent = proc.monotonic().saturating_sub(started);
                    let left = limit.saturating_sub(spent);
                    let next = std::pin::pin!(fetch.next());
                    let late = std::pin::pin!(proc.sleep(left));
                    match futures_util::future::select(next, late).await {
                        futures_util::future::Either::Left((event, _)) => event,
                        futures_util::future::Either::Right(_) => {
                            return Err(self.late(limit.as_millis() + 1, connected));
                        }
                    }
                }
            };
            match event {
                Event::Resolved(addresses) if addresses.is_empty() => {
                    return Err(match &self.options.proxy {
                        Some((proxy, _)) => {
                            let proxy = String::from_utf8_lossy(proxy);
                            Failure(5, format!("Could not resolve proxy: {proxy}"))
                        }
                        None => Failure(6, format!("Could not resolve host: {host}")),
                    });
                }
                Event::Resolved(_) => {}
                Event::Asking => {
                    let path = String::from_utf8_lossy(&url.path);
                    self.tell(proc, format!("> {method} {path} HTTP/1.1\r\n"))
                        .await;
                    let text = String::from_utf8_lossy(&sent);
                    let lines: String = text.lines().map(|line| format!("> {line}\r\n")).collect();
                    self.tell(proc, lines + "> \r\n").await;
                    if posted > 0 && !proc.is_terminal(STDOUT) {
                        self.tell(proc, format!("}} [{posted} bytes data]\n")).await;
                    }
                }
                Event::Sent(line) => {
                    self.facts.last.clone_from(&line);
                    self.tell(proc, [b"> ".as_slice(), &line, b"\n"].concat())
                        .await;
                }
                Event::Reply(code, lines) => self.reply(proc, code, &lines, url).await,
                Event::Data(target) => {
                    let (ip, port) = (target.ip(), target.port());
                    let text = format!(
                        "* Connecting to {host} ({ip}) port {port}\n*   Trying {target}...\n"
                    );
                    self.tell(proc, text).await;
                    let port = url.port;
                    let text = format!("* Connected to {host} ({ip}) port {port} (#0)\n");
                    self.tell(proc, text).await;
                }
                Event::Begins(size) => {
                    self.total = size;
                    if let (Some(size), Scheme::Ftp) = (size, url.scheme) {
                        let text =
                            format!("* Maxdownload = -1\n* Getting file with size: {size}\n");
                        self.tell(proc, text).await;
                    }
                }
                Event::Faulty(faults) => self.faults = faults,
                Event::Trying(target) => self.tell(proc, format!("*   Trying {target}...\n")).await,
                Event::Unreachable(target, errno) => {
                    self.tell(
                        proc,
                        format!(
                            "* connect to {} port {} failed: {}\n",
                            target.ip(),
                            target.port(),
                            errno.message()
                        ),
                    )
                    .await
                }
                Event::Connected(target) => {
                    connected = true;
                    self.facts.peer = target.ip().to_string();
                    let text = format!(
                        "* Connected to {host} ({}) port {} (#0)\n",
                        target.ip(),
                        target.port()
                    );
                    self.tell(proc, text).await;
                }
                Event::Head(head) => {
                    let elsewhere = head
                        .redirect()
                        .filter(|_| self.options.follow)
                        .map(<[u8]>::to_vec);
                    self.head(proc, &head).await;
                    self.facts.code = head.status;
                    self.facts.content_type =
                        head.value("content-type").unwrap_or_default().to_vec();
                    self.facts.location = head.redirect().unwrap_or_default().to_vec();
                    self.when = head.value("last-modified").and_then(super::wget::moment);
                    if self.options.server_names && location.is_none() {
                        self.name = head.file_name();
                    }
                    if self.offset > 0 && head.status == 200 {
                        let text =
                            "HTTP server doesn't seem to support byte ranges. Cannot resume.";
                        return Err(Failure(33, text.to_owned()));
                    }
                    if head.status == 416 && self.offset > 0 {
                        return self.done(proc, output).await;
                    }
                    if self.options.fail && !self.options.fail_with_body && head.status >= 400 {
                        return Err(Failure(
                            22,
                            format!("The requested URL returned error: {}", head.status),
                        ));
                    }
                    location = elsewhere;
                    if location.is_none() {
                        self.total = head.length;
                    }
                }
                Event::Body(piece) if location.is_none() => self.body(proc, output, &piece).await?,
                Event::Body(_) => {}
                Event::End(End::Complete) => {
                    if let Some(location) = location {
                        return Ok(Step::Elsewhere(location));
                    }
                    if let (Some(_), None) = (output, self.file) {
                        self.body(proc, output, b"").await?;
                    }
                    if !url.scheme.is_web() || self.options.verbose {
                        self.left_intact(proc, &host, url.scheme).await;
                    }
                    let step = self.done(proc, output).await;
                    if self.options.fail_with_body && self.facts.code >= 400 {
                        let code = self.facts.code;
                        let text = format!("The requested URL returned error: {code}");
                        return Err(Failure(22, text));
                    }
                    return step;
                }
                Event::End(end) => {
                    let waited = proc.monotonic().saturating_sub(started).as_millis();
                    if end == End::Tls(TlsFailure::Certificate) {
                        return Err(failure::distrust(&self.faults, &host));
                    }
                    let (host, port) = match &self.options.proxy {
                        Some((proxy, port)) => (String::from_utf8_lossy(proxy).into_owned(), *port),
                        None => (host, url.port),
                    };
                    return Err(failure(
                        end,
                        &host,
                        port,
                        waited,
                        self.total.unwrap_or(0).saturating_sub(self.received),
                    ));
                }
            }
        }
    }

    /// What an FTP server says: under `-v`, and for `-I` as if it were HTTP.
    async fn reply(&mut self, proc: &mut Process, code: u16, lines: &[Vec<u8>], url: &Url) {
        let mut text = Vec::new();
        for (number, line) in lines.iter().enumerate() {
            let dash = if number + 1 < lines.len() { '-' } else { ' ' };
            text.extend(format!("< {code}{dash}").into_bytes());
            text.extend_from_slice(line);
            text.push(b'\n');
        }
        self.tell(proc, text).await;
        let verb = self.facts.last.split(|&byte| byte == b' ').next();
        let verb = verb.unwrap_or_default().to_vec();
        let line = lines.last().cloned().unwrap_or_default();
        if verb == b"PWD" && code == 257 {
            let path = line.split(|&byte| byte == b'"').nth(1).unwrap_or(b"/");
            self.tell(
                proc,
                [b"* Entry path is '".as_slice(), path, b"'\n"].concat(),
            )
            .await;
        }
        if !self.options.head || url.file_name().is_empty() {
            return;
        }
        let text = match (verb.as_slice(), code) {
            (b"MDTM", 213) => last_modified(&line),
            (b"SIZE", 213) => Some([b"Content-Length: ".as_slice(), &line, b"\r\n"].concat()),
            (b"REST", 300..400) => Some(b"Accept-ranges: bytes\r\n".to_vec()),
            _ => None,
        };
        if let Some(text) = text {
            let _closed = proc.print(&text).await;
        }
    }

    async fn left_intact(&self, proc: &mut Process, host: &str, scheme: Scheme) {
        let text = match scheme {
            Scheme::Tftp => "* TFTP finished\n* Closing connection 0\n".to_owned(),
            _ => format!("* Connection #0 to host {host} left intact\n"),
        };
        self.tell(proc, text).await;
    }

    async fn head(&mut self, proc: &mut Process, head: &Head) {
        if let Some(path) = &self.options.dump_header {
            let end = Vec::new();
            let lines = head.lines.iter().chain([&end]);
            let text: Vec<u8> = lines
                .flat_map(|line| [line.as_slice(), b"\r\n"].concat())
                .collect();
            if path == b"-" {
                let _closed = proc.print(&text).await;
            } else if let Ok(fd) = proc.open(path, OpenFlags::CREATE, 0o666).await {
                let _full = proc.write_all(fd, &text).await;
                // Opened here.
                let _open = proc.close(fd);
            }
        }
        if self.options.include || self.options.head {
            for line in head.lines.iter().chain([&Vec::new()]) {
                let _closed = proc.print(&[line.as_slice(), b"\r\n"].concat()).await;
            }
        }
        for line in &head.lines {
            self.tell(proc, [b"< ".as_slice(), line, b"\r\n"].concat())
                .await;
        }
        self.tell(proc, "< \r\n").await;
        self.alerted = false;
    }

    async fn body(
        &mut self,
        proc: &mut Process,
        output: Option<&[u8]>,
        piece: &[u8],
    ) -> Result<(), Failure> {
        let fd = match (self.file, output) {
            (Some(fd), _) => fd,
            (None, None) => STDOUT,
            (None, Some(path)) => {
                let named = self.name.as_deref().unwrap_or(path).to_vec();
                let path = named.as_slice();
                if self.options.create_directories {
                    for (at, _) in path.iter().enumerate().filter(|(_, byte)| **byte == b'/') {
                        // If this does not help, the open says so.
                        let _exists =
                            proc.make_directory(path.get(..at).unwrap_or_default(), 0o750);
                    }
                }
                let flags = if self.offset > 0 {
                    OpenFlags::APPEND
                } else {
                    OpenFlags::CREATE
                };
                match proc.open(path, flags, 0o666).await {
                    Ok(fd) => fd,
                    Err(errno) => {
                        if !self.options.silent {
                            proc.print_error(
                                &[
                                    b"Warning: Failed to open the file ".as_slice(),
                                    path,
                                    b": ",
                                    errno.message().as_bytes(),
                                    b"\n",
                                ]
                                .concat(),
                            )
                            .await;
                        }
                        return Err(Failure(
                            23,
                            "Failure writing output to destination".to_owned(),
                        ));
                    }
                }
            }
        };
        self.file = Some(fd);
        self.received += piece.len() as u64;
        if !piece.is_empty() && !std::mem::replace(&mut self.alerted, true) && !proc.is_terminal(fd)
        {
            let text = format!("{{ [{} bytes data]\n", piece.len());
            self.tell(proc, text).await;
        }
        let flushed = if fd == STDOUT {
            proc.flush().await
        } else {
            Ok(())
        };
        match (flushed, proc.write_all(fd, piece).await) {
            (Ok(()), Ok(())) => Ok(()),
            _ => Err(Failure(
                23,
                "Failure writing output to destination".to_owned(),
            )),
        }
    }

    async fn done(&mut self, proc: &mut Process, output: Option<&[u8]>) -> Result<Step, Failure> {
        if self.meter {
            self.row(proc).await;
            proc.print_error(b"\n").await;
        }
        if let Some(fd) = self.file.take().filter(|fd| *fd != STDOUT) {
            // Opened here.
            let _open = proc.close(fd);
        }
        if let (true, Some(when), Some(path)) = (self.options.remote_time, self.when, output) {
            let path = self.name.as_deref().unwrap_or(path);
            // As in the original, a time that cannot be set is no trouble.
            let _time = proc.set_times(path, Some(when), Some(when), true);
        }
        Ok(Step::Done)
    }

    /// One state of the meter.
    async fn row(&self, proc: &mut Process) {
        let size = short(self.received);
        let total = self.total.map_or_else(|| size.clone(), short);
        let share = if self.received > 0 { 100 } else { 0 };
        let speed = short(self.received.saturating_mul(37));
        let text = format!(
            "\r{share:>3} {total:>5}  {share:>3} {size:>5}    0     0  {speed:>5}      0 --:--:-- --:--:-- --:--:-- {speed:>5}"
        );
        proc.print_error(text.as_bytes()).await;
    }

    /// Time is up.
    fn late(&self, millis: u128, connected: bool) -> Failure {
        let text = if connected {
            match self.total {
                Some(total) => format!(
                    "Operation timed out after {millis} milliseconds with {} out of {total} bytes received",
                    self.received
                ),
                None => format!(
                    "Operation timed out after {millis} milliseconds with {} bytes received",
                    self.received
                ),
            }
        } else {
            format!("Connection timed out after {millis} milliseconds")
        };
        Failure(28, text)
    }

    /// `-v`.
    async fn tell(&self, proc: &mut Process, text: impl AsRef<[u8]>) {
        if self.options.verbose {
            proc.print_error(text.as_ref()).await;
        }
    }
}

/// A URL with the two slashes that it should have: curl takes one, and three.
fn slashes(text: &[u8]) -> Vec<u8> {
    for scheme in [b"http:".as_slice(), b"https:", b"ftp:", b"tftp:"] {
        let start = text.get(..scheme.len());
        if start.is_some_and(|start| start.eq_ignore_ascii_case(scheme)) {
            let rest = text.get(scheme.len()..).unwrap_or_default();
            let count = rest.iter().take_while(|byte| **byte == b'/').count();
            if matches!(count, 1 | 3) {
                let rest = rest.get(count..).unwrap_or_default();
                return [scheme, b"//", rest].concat();
            }
        }
    }
    text.to_vec()
}

/// The reply to MDTM as a header.
fn last_modified(digits: &[u8]) -> Option<Vec<u8>> {
    let text = std::str::from_utf8(digits).ok()?;
    let when = jiff::civil::DateTime::strptime("%Y%m%d%H%M%S", text).ok()?;
    let when = when.strftime("%a, %d %b %Y %H:%M:%S GMT");
    Some(format!("Last-Modified: {when}\r\n").into_bytes())
}

/// At most five characters: `99999`, `292k`, `1.5M`.
fn short(bytes: u64) -> String {
    const KIB: u64 = 1024;
    match bytes {
        0..100_000 => bytes.to_string(),
        100_000..10_240_000 => format!("{}k", bytes / KIB),
        10_240_000..104_857_600 => {
            format!("{}.{}M", bytes / KIB / KIB, bytes / (KIB * KIB / 10) % 10)
        }
        _ => format!("{}M", bytes / KIB / KIB),
    }
}
