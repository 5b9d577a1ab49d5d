//! `getent`: the databases that are files.

use sundew_kernel::{ExitStatus, Process};

use super::{lines, print, read};

const HINT: &str = "Try `getent --help' or `getent --usage' for more information.\n";
/// Status for an unknown database.
const UNKNOWN: u8 = 1;
/// Status for an unknown key.
const NOT_FOUND: u8 = 2;

/// `getent`.
#[expect(
    clippy::too_many_lines,
    reason = "one command line and what it leads to, read top-down"
)]
pub(super) async fn run(proc: &mut Process) -> ExitStatus {
    let words: Vec<Vec<u8>> = proc
        .args()
        .iter()
        .skip(1)
        .filter(|word| !word.starts_with(b"-"))
        .cloned()
        .collect();
    if proc.args().iter().any(|word| word == b"--help") {
        return print(proc, super::help("getent")).await;
    }
    let mut options = proc.args().iter().skip(1);
    let known = |word: &[u8]| {
        let long = [
            b"--help".as_slice(),
            b"--version",
            b"--usage",
            b"--no-idn",
            b"--service",
        ];
        let names = long.iter().any(|one| {
            one.starts_with(word.split(|&byte| byte == b'=').next().unwrap_or_default())
        });
        word.starts_with(b"--") && names || b"isV?".contains(&word.get(1).copied().unwrap_or(b'?'))
    };
    if let Some(word) =
        options.find(|word| word.starts_with(b"-") && word.len() > 1 && !known(word))
    {
        let shown = String::from_utf8_lossy(word).into_owned();
        let text = match shown.strip_prefix("--") {
            Some(_) => format!("getent: unrecognized option '{shown}'\n{HINT}"),
            None => {
                let letter = shown.chars().nth(1).unwrap_or('?');
                format!("getent: invalid option -- '{letter}'\n{HINT}")
            }
        };
        proc.print_error(text.as_bytes()).await;
        return ExitStatus::Exited(64);
    }
    let Some(database) = words.first().cloned() else {
        return refuse(proc, b"getent: wrong number of arguments\n").await;
    };
    let keys: Vec<Vec<u8>> = words.into_iter().skip(1).collect();
    let (file, separator): (&[u8], u8) = match database.as_slice() {
        b"passwd" => (b"/etc/passwd", b':'),
        b"group" => (b"/etc/group", b':'),
        b"shadow" => (b"/etc/shadow", b':'),
        b"gshadow" => (b"/etc/gshadow", b':'),
        b"services" => (b"/etc/services", b' '),
        b"protocols" => (b"/etc/protocols", b' '),
        b"ahosts" | b"ahostsv4" | b"ahostsv6" if !keys.is_empty() => {
            return sockets(proc, &database, &keys).await;
        }
        b"hosts" | b"ahosts" | b"ahostsv4" | b"ahostsv6" => return hosts(proc, &keys).await,
        b"networks" | b"rpc" | b"netgroup" | b"ethers" | b"aliases" | b"initgroups" => {
            return ExitStatus::Exited(NOT_FOUND);
        }
        _ => {
            let text = [b"Unknown database: ".as_slice(), &database, b"\n"].concat();
            return refuse(proc, &text).await;
        }
    };
    let Ok(text) = read(proc, file).await else {
        return ExitStatus::Exited(NOT_FOUND);
    };
    let rows = lines(&text);
    if keys.is_empty() {
        for row in rows
            .iter()
            .filter(|row| !row.is_empty() && !row.starts_with(b"#"))
        {
            if proc.print(&[row.as_slice(), b"\n"].concat()).await.is_err() {
                break;
            }
        }
        return proc.status();
    }
    for key in keys {
        let numeric = key.iter().all(u8::is_ascii_digit);
        let found = rows.iter().find(|row| {
            let mut fields =
                row.split(|&byte| byte == separator || separator == b' ' && byte == b'\t');
            let name = fields.next().unwrap_or_default();
            name == key || numeric && separator == b':' && fields.nth(1) == Some(&key)
        });
        match found {
            Some(row) if separator == b' ' => drop(proc.print(&service(row)).await),
            Some(row) => drop(proc.print(&[row.as_slice(), b"\n"].concat()).await),
            None => proc.set_status(NOT_FOUND),
        }
    }
    proc.status()
}

/// The complaint on one stream, the hint on the other, as argp does it here.
async fn refuse(proc: &mut Process, text: &[u8]) -> ExitStatus {
    proc.print_error(text).await;
    print(proc, HINT).await;
    ExitStatus::Exited(UNKNOWN)
}

/// A line of `/etc/services` as getent lays it out: name, port, other names.
fn service(row: &[u8]) -> Vec<u8> {
    let row = row.split(|&byte| byte == b'#').next().unwrap_or_default();
    let mut words = row
        .split(u8::is_ascii_whitespace)
        .filter(|word| !word.is_empty());
    let name = String::from_utf8_lossy(words.next().unwrap_or_default()).into_owned();
    let rest: Vec<&[u8]> = words.collect();
    [format!("{name:<21} ").as_bytes(), &rest.join(&b' '), b"\n"].concat()
}

/// `ahosts`: an address in each kind of socket.
async fn sockets(proc: &mut Process, database: &[u8], keys: &[Vec<u8>]) -> ExitStatus {
    let text = read(proc, b"/etc/hosts").await.unwrap_or_default();
    for key in keys {
        let mut found: Vec<std::net::IpAddr> = Vec::new();
        for line in lines(&text) {
            let mut words = line
                .split(u8::is_ascii_whitespace)
                .filter(|word| !word.is_empty());
            let address = words
                .next()
                .and_then(|word| std::str::from_utf8(word).ok()?.parse().ok());
            if let Some(address) = address.filter(|_| words.any(|word| word == key.as_slice())) {
                found.push(address);
            }
        }
        if found.is_empty() {
            found = proc.network().resolve(key).await.unwrap_or_default();
        }
        found.retain(|address| match database {
            b"ahostsv4" => address.is_ipv4(),
            b"ahostsv6" => address.is_ipv6(),
            _ => true,
        });
        found.sort_by_key(std::net::IpAddr::is_ipv4);
        if found.is_empty() {
            proc.set_status(NOT_FOUND);
        }
        let mut name = key.clone();
        for address in found {
            for kind in ["STREAM", "DGRAM ", "RAW   "] {
                let start = format!("{:<15} {kind} ", address.to_string());
                let line = [start.as_bytes(), &name, b"\n"].concat();
                let _closed = proc.print(&line).await;
                name.clear();
            }
        }
    }
    proc.status()
}

async fn hosts(proc: &mut Process, keys: &[Vec<u8>]) -> ExitStatus {
    let text = read(proc, b"/etc/hosts").await.unwrap_or_default();
    let rows: Vec<Vec<Vec<u8>>> = lines(&text)
        .iter()
        .filter(|line| !line.starts_with(b"#"))
        .map(|line| {
            line.split(u8::is_ascii_whitespace)
                .filter(|word| !word.is_empty())
                .map(<[u8]>::to_vec)
                .collect()
        })
        .filter(|row: &Vec<Vec<u8>>| row.len() > 1)
        .collect();
    let show = |row: &[Vec<u8>]| {
        let address = row
            .first()
            .map(|address| String::from_utf8_lossy(address).into_owned())
            .unwrap_or_default();
        let names = row.get(1..).unwrap_or_default().join(&b' ');
        [format!("{address:<15} ").as_bytes(), &names, b"\n"].concat()
    };
    if keys.is_empty() {
        let all = rows.iter().flat_map(|row| show(row)).collect::<Vec<u8>>();
        return print(proc, all).await;
    }
    for key in keys {
        // The newer protocol is asked for first.
        let newer =
            |row: &&Vec<Vec<u8>>| row.first().is_some_and(|address| address.contains(&b':'));
        let mut matching = rows.iter().filter(|row| row.contains(key));
        let first = matching.clone().find(newer).or_else(|| matching.next());
        if let Some(row) = first {
            let _closed = proc.print(&show(row)).await;
            continue;
        }
        match proc.network().resolve(key).await {
            Ok(addresses) if !addresses.is_empty() => {
                for address in addresses {
                    let text = [
                        format!("{:<15} ", address.to_string()).as_bytes(),
                        key,
                        b"\n",
                    ]
                    .concat();
                    let _closed = proc.print(&text).await;
                }
            }
            _ => proc.set_status(NOT_FOUND),
        }
    }
    proc.status()
}
