//! `wget` of BusyBox.

use std::net::IpAddr;

use sundew_kernel::descriptor::OpenFlags;
use sundew_kernel::{Errno, ExitStatus, Fd, Process, STDOUT};

use super::{complain, usage};
use crate::getopt::{Arity, Getopt, Opt, Spec};
use crate::net::fetch::{End, Event, Fetch, Head, Manner, Request, Scheme, Url, UrlError};

/// Redirections followed; BusyBox's `redirections` limit.
const MAX_REDIRECTS: u32 = 5;

const SPEC: Spec = Spec::new(
    "cqSO:o:P:Y:U:T:t:n",
    &[
        ("spider", Arity::No, "spider"),
        ("header", Arity::Required, "header"),
        ("post-data", Arity::Required, "post"),
        ("post-file", Arity::Required, "post-file"),
        ("no-check-certificate", Arity::No, "k"),
        ("continue", Arity::No, "c"),
        ("quiet", Arity::No, "q"),
        ("server-response", Arity::No, "S"),
        ("output-document", Arity::Required, "O"),
        ("output-file", Arity::Required, "o"),
        ("directory-prefix", Arity::Required, "P"),
        ("proxy", Arity::Required, "Y"),
        ("user-agent", Arity::Required, "U"),
        ("timeout", Arity::Required, "T"),
        ("tries", Arity::Required, "t"),
        ("no-verbose", Arity::No, "n"),
    ],
);

#[derive(Debug, Default)]
struct Options {
    quiet: bool,
    /// `--no-check-certificate`.
    trusts_anybody: bool,
    spider: bool,
    show_response: bool,
    output: Option<Vec<u8>>,
    directory: Option<Vec<u8>>,
    agent: Option<Vec<u8>>,
    headers: Vec<u8>,
    post: Option<Vec<u8>>,
}

/// `wget`.
pub(super) async fn run(proc: &mut Process) -> ExitStatus {
    let mut words = Getopt::new(&SPEC, proc.args());
    let mut options = Options::default();
    while let Some(option) = words.next() {
        match option {
            Ok(Opt { key: "q", .. }) => options.quiet = true,
            Ok(Opt { key: "k", .. }) => options.trusts_anybody = true,
            Ok(Opt { key: "S", .. }) => options.show_response = true,
            Ok(Opt { key: "spider", .. }) => options.spider = true,
            Ok(Opt {
                key: "O", value, ..
            }) => options.output = Some(value),
            Ok(Opt {
                key: "P", value, ..
            }) => options.directory = Some(value),
            Ok(Opt {
                key: "U", value, ..
            }) => options.agent = Some(value),
            Ok(Opt {
                key: "post", value, ..
            }) => options.post = Some(value),
            Ok(Opt {
                key: "header",
                value,
                ..
            }) => options.headers.extend([value.as_slice(), b"\r\n"].concat()),
            Ok(_) => {}
            Err(error) => return usage::refuse_option(proc, b"wget", &error).await,
        }
    }
    let urls = words.operands();
    if urls.is_empty() {
        return usage::refuse(proc, b"wget").await;
    }
    for url in urls {
        if let Err(status) = download(proc, &options, &url).await {
            return status;
        }
    }
    ExitStatus::SUCCESS
}

/// One URL and where it leads.
async fn download(proc: &mut Process, options: &Options, text: &[u8]) -> Result<(), ExitStatus> {
    let mut url = match Url::parse(text) {
        Ok(url) if url.scheme == Scheme::Tftp => {
            return Err(bad_url(proc, text, &UrlError::Scheme(b"tftp".to_vec())).await);
        }
        Ok(url) => url,
        Err(error) => return Err(bad_url(proc, text, &error).await),
    };
    for _ in 0..=MAX_REDIRECTS {
        match one(proc, options, &url).await? {
            None => return Ok(()),
            Some(location) => {
                url = match url.join(&location) {
                    Ok(url) => url,
                    Err(error) => return Err(bad_url(proc, &location, &error).await),
                };
            }
        }
    }
    Err(complain(proc, "wget", "too many redirections").await)
}

async fn bad_url(proc: &mut Process, text: &[u8], error: &UrlError) -> ExitStatus {
    match error {
        UrlError::Scheme(_) => {
            complain(
                proc,
                "wget",
                [b"not an http or ftp url: ".as_slice(), text].concat(),
            )
            .await
        }
        UrlError::Port | UrlError::Host => {
            let host = text
                .windows(3)
                .position(|window| window == b"://")
                .map_or(text, |at| text.get(at + 3..).unwrap_or_default());
            let host = host.split(|&byte| byte == b'/').next().unwrap_or_default();
            complain(
                proc,
                "wget",
                [b"bad address '".as_slice(), host, b"'"].concat(),
            )
            .await
        }
    }
}

fn request(options: &Options, url: &Url, destination: &[u8]) -> Request {
    let agent = options.agent.as_deref().unwrap_or(b"Wget");
    let mut headers = [
        b"Host: ".as_slice(),
        &url.authority(),
        b"\r\nUser-Agent: ",
        agent,
        b"\r\nConnection: close\r\n",
    ]
    .concat();
    let body = options.post.clone().unwrap_or_default();
    if options.post.is_some() {
        headers.extend(
            format!(
                "Content-Type: application/x-www-form-urlencoded\r\nContent-Length: {}\r\n",
                body.len()
            )
            .into_bytes(),
        );
    }
    headers.extend_from_slice(&options.headers);
    let method = match (&options.post, options.spider) {
        (Some(_), _) => b"POST".to_vec(),
        (None, true) => b"HEAD".to_vec(),
        (None, false) => b"GET".to_vec(),
    };
    Request {
        method,
        headers,
        body,
        checks_certificate: !options.trusts_anybody,
        manner: Manner::Busybox,
        ..crate::net::fetch::request(url, destination)
    }
}

/// One request; where it redirects to.
#[expect(
    clippy::too_many_lines,
    reason = "one command line and what it leads to, read top-down"
)]
async fn one(
    proc: &mut Process,
    options: &Options,
    url: &Url,
) -> Result<Option<Vec<u8>>, ExitStatus> {
    let to_stdout = options.output.as_deref() == Some(b"-");
    let mut name = options
        .output
        .clone()
        .unwrap_or_else(|| match url.file_name() {
            name if name.is_empty() => b"index.html".to_vec(),
            name => name,
        });
    if let Some(directory) = options
        .directory
        .as_ref()
        .filter(|_| options.output.is_none())
    {
        name = [directory.as_slice(), b"/", &name].concat();
    }
    let mut fetch = Fetch::start(
        proc,
        request(options, url, if to_stdout { b"" } else { &name }),
    );
    let mut file: Option<Fd> = None;
    let (mut received, mut total) = (0_u64, None);
    let mut reply = Vec::new();
    loop {
        match fetch.next().await {
            Event::Resolved(addresses) => start(proc, options, url, &addresses).await?,
            Event::Unreachable(target, errno) => {
                let text = match target.ip() {
                    IpAddr::V4(ip) => {
                        format!("can't connect to remote host ({ip}): {}", errno.message())
                    }
                    IpAddr::V6(_) => format!("can't connect to remote host: {}", errno.message()),
                };
                return Err(complain(proc, "wget", text).await);
            }
            Event::Trying(_)
            | Event::Connected(_)
            | Event::Asking
            | Event::Faulty(_)
            | Event::Sent(_)
            | Event::Data(_) => {}
            Event::Reply(code, lines) => {
                let line = lines.last().map_or(b"".as_slice(), Vec::as_slice);
                reply = [format!("{code} ").as_bytes(), line].concat();
            }
            Event::Begins(size) => {
                total = size;
                file = Some(begin(proc, options, &name, to_stdout).await?);
            }
            Event::Head(head) => {
                if options.show_response {
                    show(proc, &head).await;
                }
                if let Some(location) = head.redirect() {
                    return Ok(Some(location.to_vec()));
                }
                if head.status / 100 != 2 {
                    let line: Vec<u8> = head.lines.first().cloned().unwrap_or_default();
                    return Err(complain(
                        proc,
                        "wget",
                        [b"server returned error: ".as_slice(), &line].concat(),
                    )
                    .await);
                }
                if options.spider {
                    say(proc, options, "remote file exists\n").await;
                    return Ok(None);
                }
                total = head.length;
                file = Some(begin(proc, options, &name, to_stdout).await?);
            }
            Event::Body(piece) => {
                received += piece.len() as u64;
                if let Err(errno) = proc.write_all(file.unwrap_or(STDOUT), &piece).await {
                    return Err(complain(
                        proc,
                        "wget",
                        ["write error: ", errno.message()].concat(),
                    )
                    .await);
                }
            }
            Event::End(End::Complete) => {
                finish(proc, options, &name, to_stdout, received).await;
                return Ok(None);
            }
            Event::End(end) => {
                let short = total.is_some_and(|total| received < total);
                return Err(failed(proc, end, short, &reply).await);
            }
        }
    }
}

/// Opens the file and says so.
async fn begin(
    proc: &mut Process,
    options: &Options,
    name: &[u8],
    to_stdout: bool,
) -> Result<Fd, ExitStatus> {
    let fd = if to_stdout {
        STDOUT
    } else {
        open(proc, options, name).await?
    };
    let line = if to_stdout {
        b"writing to stdout\n".to_vec()
    } else {
        [b"saving to '".as_slice(), name, b"'\n"].concat()
    };
    say(proc, options, line).await;
    Ok(fd)
}

async fn start(
    proc: &mut Process,
    options: &Options,
    url: &Url,
    addresses: &[IpAddr],
) -> Result<(), ExitStatus> {
    let mut place = url.host.clone();
    if url.has_port {
        place.extend(format!(":{}", url.port).into_bytes());
    }
    let Some(ip) = addresses.first() else {
        return Err(complain(
            proc,
            "wget",
            [b"bad address '".as_slice(), &place, b"'"].concat(),
        )
        .await);
    };
    let address = std::net::SocketAddr::new(*ip, url.port);
    say(
        proc,
        options,
        [
            b"Connecting to ".as_slice(),
            &place,
            format!(" ({address})\n").as_bytes(),
        ]
        .concat(),
    )
    .await;
    Ok(())
}

async fn failed(proc: &mut Process, end: End, short: bool, reply: &[u8]) -> ExitStatus {
    let text = match end {
        End::Denied(_) | End::NoDirectory(_) | End::NoFile(_) | End::Refused(_) => {
            let words: &[u8] = match end {
                End::Denied(_) => b"ftp login: ",
                End::NoFile(_) => b"bad response to RETR: ",
                _ => b"bad response to PASV: ",
            };
            return complain(proc, "wget", [words, reply].concat()).await;
        }
        End::Cut if short => "connection closed prematurely".to_owned(),
        End::OverLimit => format!("write error: {}", Errno::Enospc.message()),
        End::Tls(_) | End::NoTunnel(_) | End::NoResponse | End::Cut => {
            format!("error getting response: {}", Errno::Econnreset.message())
        }
        End::NotHttp => "error getting response".to_owned(),
        _ => return ExitStatus::FAILURE,
    };
    complain(proc, "wget", text).await
}

async fn show(proc: &mut Process, head: &Head) {
    let mut text = Vec::new();
    for line in &head.lines {
        text.extend([b"  ".as_slice(), line, b"\n"].concat());
    }
    text.extend_from_slice(b"  \n");
    proc.print_error(&text).await;
}

async fn open(proc: &mut Process, options: &Options, name: &[u8]) -> Result<Fd, ExitStatus> {
    // A name that was not asked for must be new.
    let flags = if options.output.is_some() {
        OpenFlags::CREATE
    } else {
        OpenFlags {
            exclusive: true,
            ..OpenFlags::CREATE
        }
    };
    match proc.open(name, flags, 0o666).await {
        Ok(fd) => Ok(fd),
        Err(errno) => Err(complain(
            proc,
            "wget",
            [
                b"can't open '".as_slice(),
                name,
                b"': ",
                errno.message().as_bytes(),
            ]
            .concat(),
        )
        .await),
    }
}

async fn say(proc: &mut Process, options: &Options, text: impl AsRef<[u8]>) {
    if !options.quiet {
        proc.print_error(text.as_ref()).await;
    }
}

async fn finish(
    proc: &mut Process,
    options: &Options,
    name: &[u8],
    to_stdout: bool,
    received: u64,
) {
    let shown = if to_stdout {
        b"-".as_slice()
    } else {
        name.rsplit(|&byte| byte == b'/').next().unwrap_or(name)
    };
    say(proc, options, bar(shown, received)).await;
    let line = if to_stdout {
        b"written to stdout\n".to_vec()
    } else {
        [b"'".as_slice(), name, b"' saved\n"].concat()
    };
    say(proc, options, line).await;
}

/// A bar that is full, as BusyBox draws it where it sees no terminal.
pub(super) fn bar(name: &[u8], bytes: u64) -> String {
    let name = String::from_utf8_lossy(name);
    let (full, size) = ("*".repeat(32), human(bytes));
    format!("{name:<20.20} 100% |{full}| {size}  0:00:00 ETA\n")
}

/// At most five characters and a unit: `     6`, `  293k`.
fn human(bytes: u64) -> String {
    let (mut number, mut unit) = (bytes, ' ');
    for next in ['k', 'M', 'G', 'T'] {
        if number < 100_000 {
            break;
        }
        number /= 1024;
        unit = next;
    }
    if unit == ' ' {
        format!("{number:>5}")
    } else {
        format!("{number:>4}{unit}")
    }
}
