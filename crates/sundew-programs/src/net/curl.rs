//! curl 7.88.1: HTTP with and without TLS, files, its meter and its numbered complaints.

use sundew_kernel::descriptor::OpenFlags;
use sundew_kernel::{ExitStatus, Fd, Process, STDOUT};

use self::options::{Options, Read};
use super::http::{CertificateFault, End, Event, Fetch, Head, Request, TlsFailure, Url, UrlError};

mod options;

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
    if let Some(status) = gather(proc, &mut options).await {
        return status;
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
        };
        let started = proc.monotonic();
        status = match job.url(proc, text).await {
            Ok(()) => 0,
            Err(failure) => job.fail(proc, failure).await,
        };
        job.facts.exit = status;
        job.facts.seconds = proc.monotonic().saturating_sub(started).as_secs_f64();
        job.write_out(proc).await;
    }
    ExitStatus::Exited(status)
}

/// Reads the files that options name; a status if that ends it all.
async fn gather(proc: &mut Process, options: &mut Options) -> Option<ExitStatus> {
    for path in std::mem::take(&mut options.configs) {
        if path == b"-" || proc.stat(&path).is_ok() {
            continue;
        }
        let text = String::from_utf8_lossy(&path).into_owned();
        let text = format!(
            "curl: cannot read config from '{text}'\ncurl: option -K: error encountered when reading a file\ncurl: try 'curl --help' or 'curl --manual' for more information\n"
        );
        proc.print_error(text.as_bytes()).await;
        return Some(ExitStatus::Exited(26));
    }
    let mut data = Vec::new();
    for piece in std::mem::take(&mut options.pieces) {
        if !data.is_empty() {
            data.push(b'&');
        }
        let Some(path) = piece.text.strip_prefix(b"@").filter(|_| piece.may_be_file) else {
            data.extend(piece.text);
            continue;
        };
        match read_file(proc, path).await {
            Ok(bytes) => data.extend(
                bytes
                    .into_iter()
                    .filter(|byte| piece.binary || !b"\r\n\0".contains(byte)),
            ),
            Err(_) => {
                let words = b"Warning: Couldn't read data from file \"".as_slice();
                let rest = b"\", this makes an empty POST.\n";
                proc.print_error(&[words, path, rest].concat()).await;
            }
        }
    }
    options.data = options.data.take().map(|_| data);
    if let Some(path) = options.upload.take() {
        match read_file(proc, &path).await {
            Ok(bytes) => options.upload = Some(bytes),
            Err(_) => {
                let text = [b"curl: Can't open '".as_slice(), &path, b"'!\ncurl: try 'curl --help' or 'curl --manual' for more information\ncurl: (26) Failed to open/read local data from file/application\n"].concat();
                proc.print_error(&text).await;
                return Some(ExitStatus::Exited(26));
            }
        }
    }
    None
}

/// A whole file, or standard input for `-`.
async fn read_file(proc: &mut Process, path: &[u8]) -> Result<Vec<u8>, sundew_kernel::Errno> {
    if path == b"-" {
        return Ok(proc.read_to_end(sundew_kernel::STDIN).await?.0);
    }
    let fd = proc.open(path, OpenFlags::READ, 0).await?;
    let bytes = proc.read_to_end(fd).await;
    // Opened here.
    let _open = proc.close(fd);
    Ok(bytes?.0)
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
    error: String,
}

/// Number and words of a failure.
struct Failure(u8, String);

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
}

/// What one request led to.
enum Step {
    Done,
    Elsewhere(Vec<u8>),
}

impl Job<'_> {
    async fn fail(&mut self, proc: &mut Process, Failure(number, text): Failure) -> u8 {
        // A name that does not resolve leaves the meter's line unfinished.
        self.facts.error.clone_from(&text);
        if self.meter && number != 5 && number != 6 {
            self.row(proc).await;
            proc.print_error(b"\n").await;
        }
        if !self.options.silent || self.options.show_error {
            proc.print_error(format!("curl: ({number}) {text}\n").as_bytes())
                .await;
        }
        number
    }

    async fn write_out(&self, proc: &mut Process) {
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
                    out.extend(self.variable(name));
                    rest = after.get(1..).unwrap_or_default();
                }
                (byte, _) => out.push(byte),
            }
        }
        let _closed = proc.print(&out).await;
    }

    fn variable(&self, name: &[u8]) -> Vec<u8> {
        let facts = &self.facts;
        match name {
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
            _ => [
                b"curl: unknown --write-out variable: '".as_slice(),
                name,
                b"'\n",
            ]
            .concat(),
        }
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
        let bytes = read_file(proc, path).await.map_err(|_| bad())?;
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
        self.done(proc).await.map(drop)
    }

    async fn begin_meter(&mut self, proc: &mut Process) {
        if self.meter {
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
            let output = self.options.outputs.get(self.number).cloned().or_else(|| {
                let name = path.rsplit(|&byte| byte == b'/').next();
                self.options
                    .remote_name
                    .then(|| name.unwrap_or_default().to_vec())
            });
            return self
                .local(proc, path, output.as_deref().filter(|name| *name != b"-"))
                .await;
        }
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
        let output = self
            .options
            .outputs
            .get(self.number)
            .cloned()
            .or_else(|| self.options.remote_name.then(|| url.file_name()));
        if output.as_ref().is_some_and(Vec::is_empty) {
            proc.print_error(b"curl: Remote file name has no length!\n")
                .await;
            return Err(Failure(
                23,
                "Failed writing received data to disk/application".to_owned(),
            ));
        }
        let output = output.filter(|name| name != b"-");
        for _ in 0..=MAX_REDIRECTS {
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
        Err(Failure(
            47,
            format!("Maximum ({MAX_REDIRECTS}) redirects followed"),
        ))
    }

    fn request(&self, url: &Url, output: Option<&[u8]>) -> Request {
        let agent = self.options.agent.as_deref().unwrap_or(b"curl/7.88.1");
        let mut headers = [
            b"Host: ".as_slice(),
            &url.authority(),
            b"\r\nUser-Agent: ",
            agent,
            b"\r\nAccept: */*\r\n",
        ]
        .concat();
        headers.extend_from_slice(&self.options.headers);
        let mut url = url.clone();
        let mut body = Vec::new();
        let posts = self.options.data.is_some() && !self.options.data_in_url;
        if let Some(bytes) = &self.options.upload {
            body.clone_from(bytes);
            headers.extend(format!("Content-Length: {}\r\n", body.len()).into_bytes());
        } else if let Some(data) = &self.options.data {
            if self.options.data_in_url {
                let sign = if url.path.contains(&b'?') { b'&' } else { b'?' };
                url.path.push(sign);
                url.path.extend_from_slice(data);
            } else {
                body.clone_from(data);
                let typed = [b"\r\n".as_slice(), &self.options.headers]
                    .concat()
                    .to_ascii_lowercase()
                    .windows(16)
                    .any(|window| window == b"\r\ncontent-type: ");
                headers.extend(format!("Content-Length: {}\r\n", body.len()).into_bytes());
                if !typed {
                    headers
                        .extend_from_slice(b"Content-Type: application/x-www-form-urlencoded\r\n");
                }
            }
        }
        let usual: &[u8] = match (self.options.head, &self.options.upload) {
            (true, _) => b"HEAD",
            (false, Some(_)) => b"PUT",
            (false, None) if posts => b"POST",
            (false, None) => b"GET",
        };
        let method = self
            .options
            .method
            .clone()
            .unwrap_or_else(|| usual.to_vec());
        Request {
            url,
            method,
            headers,
            body,
            destination: output.unwrap_or_default().to_vec(),
            wants_error_body: !self.options.fail,
            checks_certificate: !self.options.insecure,
            proxy: self.options.proxy.clone(),
        }
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
        let request = self.request(url, output);
        let sent = request.headers.clone();
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
                Event::Asking => {}
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
                    self.tell(
                        proc,
                        format!(
                            "* Connected to {host} ({}) port {} (#0)\n> GET {} HTTP/1.1\n",
                            target.ip(),
                            target.port(),
                            String::from_utf8_lossy(&url.path)
                        ),
                    )
                    .await;
                    let lines = String::from_utf8_lossy(&sent)
                        .lines()
                        .map(|line| format!("> {line}\n"))
                        .collect::<String>();
                    self.tell(proc, lines + "> \n").await;
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
                    if self.options.fail && head.status >= 400 {
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
                    return self.done(proc).await;
                }
                Event::End(end) => {
                    let waited = proc.monotonic().saturating_sub(started).as_millis();
                    if end == End::Tls(TlsFailure::Certificate) {
                        return Err(self.distrust(&host));
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

    async fn head(&mut self, proc: &mut Process, head: &Head) {
        if self.options.include || self.options.head {
            for line in head.lines.iter().chain([&Vec::new()]) {
                let _closed = proc.print(&[line.as_slice(), b"\r\n"].concat()).await;
            }
        }
        for line in &head.lines {
            self.tell(proc, [b"< ".as_slice(), line, b"\n"].concat())
                .await;
        }
        self.tell(proc, "< \n").await;
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
                if self.options.create_directories
                    && let Some(at) = path.iter().rposition(|&byte| byte == b'/')
                {
                    // If this does not help, the open says so.
                    let _exists = proc.make_directory(path.get(..at).unwrap_or_default(), 0o777);
                }
                match proc.open(path, OpenFlags::CREATE, 0o666).await {
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

    async fn done(&mut self, proc: &mut Process) -> Result<Step, Failure> {
        if self.meter {
            self.row(proc).await;
            proc.print_error(b"\n").await;
        }
        if let Some(fd) = self.file.take().filter(|fd| *fd != STDOUT) {
            // Opened here.
            let _open = proc.close(fd);
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

    /// A certificate that is not good enough, in OpenSSL's words.
    fn distrust(&self, host: &str) -> Failure {
        let reason = match self.faults.first() {
            Some(CertificateFault::SelfSigned) => "self-signed certificate",
            Some(CertificateFault::Expired) => "certificate has expired",
            Some(CertificateFault::NotYetValid) => "certificate is not yet valid",
            Some(CertificateFault::WrongName) => {
                return Failure(
                    60,
                    format!(
                        "SSL: no alternative certificate subject name matches target host name '{host}'{MORE}"
                    ),
                );
            }
            Some(CertificateFault::UnknownIssuer) | Some(CertificateFault::Other) | None => {
                "unable to get local issuer certificate"
            }
        };
        Failure(60, format!("SSL certificate problem: {reason}{MORE}"))
    }

    /// `-v`.
    async fn tell(&self, proc: &mut Process, text: impl AsRef<[u8]>) {
        if self.options.verbose {
            proc.print_error(text.as_ref()).await;
        }
    }
}

fn failure(end: End, host: &str, port: u16, waited: u128, missing: u64) -> Failure {
    match end {
        End::Unreachable => Failure(
            7,
            format!(
                "Failed to connect to {host} port {port} after {waited} ms: Couldn't connect to server"
            ),
        ),
        End::Tls(TlsFailure::NotTls) => Failure(
            35,
            "OpenSSL/3.0.20: error:0A00010B:SSL routines::wrong version number".to_owned(),
        ),
        End::Tls(TlsFailure::Refused) => Failure(
            35,
            "OpenSSL/3.0.20: error:0A000410:SSL routines::sslv3 alert handshake failure".to_owned(),
        ),
        End::Tls(TlsFailure::Closed | TlsFailure::Certificate) => Failure(
            35,
            format!(
                "OpenSSL SSL_connect: Connection reset by peer in connection to {host}:{port} "
            ),
        ),
        End::NoTunnel(status) => Failure(56, format!("CONNECT tunnel failed, response {status}")),
        End::Unspoken => Failure(
            8,
            "Got a 421 ftp-server response when 220 was expected".to_owned(),
        ),
        End::NoResponse => Failure(52, "Empty reply from server".to_owned()),
        End::NotHttp => Failure(1, "Received HTTP/0.9 when not allowed".to_owned()),
        End::OverLimit => Failure(23, "Failure writing output to destination".to_owned()),
        End::Cut | End::Complete => Failure(
            18,
            format!("transfer closed with {missing} bytes remaining to read"),
        ),
    }
}

/// What follows a complaint about a certificate.
const MORE: &str = "\nMore details here: https://curl.se/docs/sslcerts.html\n\ncurl failed to verify the legitimacy of the server and therefore could not\nestablish a secure connection to it. To learn more about this situation and\nhow to fix it, please visit the web page mentioned above.";

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
