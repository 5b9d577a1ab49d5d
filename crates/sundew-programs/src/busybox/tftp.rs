//! `tftp`: gets or puts one file. The transfer outlives the program, as other downloads do.

use sundew_kernel::descriptor::OpenFlags;
use sundew_kernel::{ExitStatus, Fd, Process, STDIN, STDOUT};

use super::wget::bar;
use super::{complain, usage};
use crate::getopt::{Getopt, Opt, Spec};
use crate::net::fetch::{End, Event, Fetch, Manner, Request, Url, UrlError, request};

const SPEC: Spec = Spec::new("gpl:r:b:", &[]);

/// What BusyBox says when the server's complaint has no words of its own: RFC 1350's appendix.
const ERRORS: [&str; 9] = [
    "",
    "file not found",
    "access violation",
    "disk full",
    "bad operation",
    "unknown transfer id",
    "file already exists",
    "no such user",
    "bad option",
];

struct Options {
    upload: bool,
    local: Vec<u8>,
    remote: Vec<u8>,
    host: Vec<u8>,
    port: u16,
    block: u16,
}

/// `tftp`.
pub(super) async fn run(proc: &mut Process) -> ExitStatus {
    let options = match read(proc).await {
        Ok(options) => options,
        Err(status) => return status,
    };
    let request = match order(proc, &options).await {
        Ok(request) => request,
        Err(status) => return status,
    };
    let mut total = request.upload.as_ref().map(|bytes| bytes.len() as u64);
    let mut fetch = Fetch::start(proc, request);
    let mut file: Option<Fd> = None;
    let (mut moved, mut drawn) = (0_u64, false);
    loop {
        match fetch.next().await {
            Event::Resolved(addresses) if addresses.is_empty() => {
                let text = [b"bad address '".as_slice(), &options.host, b"'"].concat();
                return complain(proc, "tftp", text).await;
            }
            Event::Begins(size) => {
                total = total.or(size);
                drawn = total.is_some();
            }
            Event::Body(piece) => {
                moved += piece.len() as u64;
                if !options.upload {
                    let fd = match file {
                        Some(fd) => fd,
                        None => match create(proc, &options.local).await {
                            Ok(fd) => fd,
                            Err(status) => return status,
                        },
                    };
                    file = Some(fd);
                    if let Err(errno) = proc.write_all(fd, &piece).await {
                        let text = ["write error: ", errno.message()].concat();
                        return complain(proc, "tftp", text).await;
                    }
                }
                if total.is_some_and(|total| total > 0 && moved >= total) {
                    draw(proc, &options, moved).await;
                }
            }
            Event::End(End::Complete) => {
                if !options.upload
                    && file.is_none()
                    && let Err(status) = create(proc, &options.local).await
                {
                    return status;
                }
                if drawn {
                    if total != Some(0) {
                        draw(proc, &options, moved).await;
                    }
                    proc.print_error(b"\n").await;
                }
                return ExitStatus::SUCCESS;
            }
            Event::End(end) => return failed(proc, end).await,
            _ => {}
        }
    }
}

/// The command line with `-c get` and `-c put`, as another tftp has them, put as `-g -r` and `-p -r`.
fn as_options(args: &[Vec<u8>]) -> Vec<Vec<u8>> {
    let mut words = Vec::new();
    let mut left = args.iter();
    while let Some(word) = left.next() {
        let action = match left.as_slice().first().map(Vec::as_slice) {
            Some(b"get") if word == b"-c" => b"-g",
            Some(b"put") if word == b"-c" => b"-p",
            _ => {
                words.push(word.clone());
                continue;
            }
        };
        left.next();
        words.extend([action.to_vec(), b"-r".to_vec()]);
    }
    words
}

async fn read(proc: &mut Process) -> Result<Options, ExitStatus> {
    let mut words = Getopt::of(&SPEC, as_options(proc.args().get(1..).unwrap_or_default()));
    let (mut get, mut put, mut local, mut remote) = (false, false, None, None);
    let mut size = None;
    while let Some(option) = words.next() {
        match option {
            Ok(Opt { key: "g", .. }) => get = true,
            Ok(Opt { key: "p", .. }) => put = true,
            Ok(Opt {
                key: "l", value, ..
            }) => local = Some(value),
            Ok(Opt {
                key: "r", value, ..
            }) => remote = Some(value),
            Ok(Opt { value, .. }) => size = Some(value),
            Err(error) => return Err(usage::refuse_option(proc, b"tftp", &error).await),
        }
    }
    let operands = words.operands();
    let number = |text: &[u8]| std::str::from_utf8(text).ok()?.parse::<u16>().ok();
    let block = match &size {
        None => Some(512),
        // What would not fit a frame is lost on the way anyhow.
        Some(text) => number(text)
            .filter(|block| *block >= 8)
            .map(|block| block.min(1428)),
    };
    let Some(block) = block else {
        let text = [
            b"bad blocksize '".as_slice(),
            &size.unwrap_or_default(),
            b"'",
        ]
        .concat();
        return Err(complain(proc, "tftp", text).await);
    };
    let (Some(host), true) = (operands.first().cloned(), get != put && operands.len() <= 2) else {
        return Err(usage::refuse(proc, b"tftp").await);
    };
    let Some(remote) = remote.or_else(|| local.clone()) else {
        return Err(usage::refuse(proc, b"tftp").await);
    };
    let base = remote.rsplit(|&byte| byte == b'/').next();
    let local = local.unwrap_or_else(|| base.unwrap_or(&remote).to_vec());
    let port = match operands.get(1) {
        None => Some(69),
        Some(word) if word == b"tftp" => Some(69),
        Some(word) => number(word),
    };
    let Some(port) = port else {
        let word = operands.get(1).cloned().unwrap_or_default();
        let text = [b"bad port '".as_slice(), &word, b"'"].concat();
        return Err(complain(proc, "tftp", text).await);
    };
    Ok(Options {
        upload: put,
        local,
        remote,
        host,
        port,
        block,
    })
}

/// What is asked of the network; reads the file that is sent.
async fn order(proc: &mut Process, options: &Options) -> Result<Request, ExitStatus> {
    let place = if options.host.contains(&b':') {
        [b"[".as_slice(), &options.host, b"]"].concat()
    } else {
        options.host.clone()
    };
    let port = if options.port == 69 {
        String::new()
    } else {
        format!(":{}", options.port)
    };
    let text = [
        b"tftp://".as_slice(),
        &place,
        port.as_bytes(),
        b"/",
        &options.remote,
    ]
    .concat();
    let url = match Url::parse(&text) {
        Ok(url) => Url {
            // As it was typed: a name here is no URL.
            path: [b"/".as_slice(), &options.remote.escape()].concat(),
            ..url
        },
        Err(UrlError::Scheme(_) | UrlError::Port | UrlError::Host) => {
            let text = [b"bad address '".as_slice(), &options.host, b"'"].concat();
            return Err(complain(proc, "tftp", text).await);
        }
    };
    let to_stdout = options.local == b"-";
    let destination: &[u8] = if to_stdout { b"" } else { &options.local };
    let upload = if options.upload {
        Some(content(proc, &options.local).await?)
    } else {
        None
    };
    Ok(Request {
        manner: Manner::Busybox,
        upload,
        block: options.block,
        ..request(&url, destination)
    })
}

/// Keeps bytes from being read as an escape of a URL.
trait Escape {
    fn escape(&self) -> Vec<u8>;
}

impl Escape for Vec<u8> {
    fn escape(&self) -> Vec<u8> {
        let escaped = |&byte: &u8| match byte {
            b'%' => b"%25".to_vec(),
            other => vec![other],
        };
        self.iter().flat_map(escaped).collect()
    }
}

async fn content(proc: &mut Process, path: &[u8]) -> Result<Vec<u8>, ExitStatus> {
    let fd = if path == b"-" {
        Ok(STDIN)
    } else {
        proc.open(path, OpenFlags::READ, 0).await
    };
    let read = match fd {
        Ok(fd) => proc.read_to_end(fd).await,
        Err(errno) => Err(errno),
    };
    match read {
        Ok((bytes, _memory)) => Ok(bytes),
        Err(errno) => Err(cannot_open(proc, path, errno).await),
    }
}

async fn create(proc: &mut Process, path: &[u8]) -> Result<Fd, ExitStatus> {
    if path == b"-" {
        return Ok(STDOUT);
    }
    match proc.open(path, OpenFlags::CREATE, 0o666).await {
        Ok(fd) => Ok(fd),
        Err(errno) => Err(cannot_open(proc, path, errno).await),
    }
}

async fn cannot_open(proc: &mut Process, path: &[u8], errno: sundew_kernel::Errno) -> ExitStatus {
    let text = [
        b"can't open '".as_slice(),
        path,
        b"': ",
        errno.message().as_bytes(),
    ]
    .concat();
    complain(proc, "tftp", text).await
}

async fn draw(proc: &mut Process, options: &Options, moved: u64) {
    let name = options.remote.rsplit(|&byte| byte == b'/').next();
    let line = bar(name.unwrap_or_default(), moved);
    proc.print_error(line.as_bytes()).await;
}

async fn failed(proc: &mut Process, end: End) -> ExitStatus {
    let text = match end {
        End::Tftp(code, words) => {
            let known = ERRORS.get(usize::from(code)).copied().unwrap_or_default();
            let words = if words.is_empty() {
                known.as_bytes().to_vec()
            } else {
                words
            };
            [format!("server error: ({code}) ").as_bytes(), &words].concat()
        }
        End::Unsent(errno) => ["sendto: ", errno.message()].concat().into_bytes(),
        End::OverLimit => {
            let reason = sundew_kernel::Errno::Enospc.message();
            ["write error: ", reason].concat().into_bytes()
        }
        _ => b"timeout".to_vec(),
    };
    complain(proc, "tftp", text).await
}
