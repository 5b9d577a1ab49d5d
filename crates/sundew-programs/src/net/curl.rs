//! curl 7.88.1: HTTP, its meter and its numbered complaints.

use sundew_kernel::descriptor::OpenFlags;
use sundew_kernel::{ExitStatus, Fd, Process, STDOUT};

use self::options::{Options, Read};
use super::http::{End, Event, Fetch, Head, Request, Url, UrlError};

mod options;

/// Redirections followed with `-L`.
const MAX_REDIRECTS: u32 = 50;

/// `curl`.
pub(super) async fn run(proc: &mut Process) -> ExitStatus {
    let options = match Options::read(proc.args()) {
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
    let mut status = 0;
    for (number, text) in options.urls.iter().enumerate() {
        let mut job = Job {
            options: &options,
            number,
            meter: false,
            received: 0,
            total: None,
            file: None,
        };
        status = match job.url(proc, text).await {
            Ok(()) => 0,
            Err(failure) => job.fail(proc, failure).await,
        };
    }
    ExitStatus::Exited(status)
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
}

/// What one request led to.
enum Step {
    Done,
    Elsewhere(Vec<u8>),
}

impl Job<'_> {
    async fn fail(&mut self, proc: &mut Process, Failure(number, text): Failure) -> u8 {
        // A name that does not resolve leaves the meter's line unfinished.
        if self.meter && number != 6 {
            self.row(proc).await;
            proc.print_error(b"\n").await;
        }
        if !self.options.silent || self.options.show_error {
            proc.print_error(format!("curl: ({number}) {text}\n").as_bytes())
                .await;
        }
        number
    }

    async fn url(&mut self, proc: &mut Process, text: &[u8]) -> Result<(), Failure> {
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
                    url = url.join(&location).map_err(|_| {
                        Failure(3, "URL using bad/illegal format or missing URL".to_owned())
                    })?;
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
        let body = self.options.data.clone().unwrap_or_default();
        if self.options.data.is_some() {
            headers.extend(
                format!(
                    "Content-Length: {}\r\nContent-Type: application/x-www-form-urlencoded\r\n",
                    body.len()
                )
                .into_bytes(),
            );
        }
        let usual: &[u8] = match (self.options.head, &self.options.data) {
            (true, _) => b"HEAD",
            (false, Some(_)) => b"POST",
            (false, None) => b"GET",
        };
        let method = self
            .options
            .method
            .clone()
            .unwrap_or_else(|| usual.to_vec());
        Request {
            url: url.clone(),
            method,
            headers,
            body,
            destination: output.unwrap_or_default().to_vec(),
            wants_error_body: !self.options.fail,
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
        if !self.options.silent && !self.meter && (output.is_some() || !proc.is_terminal(STDOUT)) {
            self.meter = true;
            let head = b"  % Total    % Received % Xferd  Average Speed   Time    Time     Time  Current\n                                 Dload  Upload   Total   Spent    Left  Speed\n";
            proc.print_error(head).await;
            self.row(proc).await;
        }
        let request = self.request(url, output);
        let sent = request.headers.clone();
        let host = String::from_utf8_lossy(&url.host).into_owned();
        let started = proc.monotonic();
        let mut fetch = Fetch::start(proc, request);
        let mut location = None;
        loop {
            match fetch.next().await {
                Event::Resolved(addresses) if addresses.is_empty() => {
                    return Err(Failure(6, format!("Could not resolve host: {host}")));
                }
                Event::Resolved(_) => {}
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
                    return Err(failure(
                        end,
                        &host,
                        url.port,
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
        if let Some(format) = &self.options.write_out {
            let text = String::from_utf8_lossy(format)
                .replace("%{http_code}", "200")
                .replace("%{size_download}", &self.received.to_string())
                .replace("\\n", "\n");
            let _closed = proc.print(text.as_bytes()).await;
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
        End::Tls => Failure(
            35,
            "OpenSSL SSL_connect: Connection reset by peer in connection to ".to_owned()
                + host
                + ":"
                + &port.to_string()
                + " ",
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
