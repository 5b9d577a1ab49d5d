//! `locale` and `getconf` of libc-bin 2.36.

use sundew_kernel::{ExitStatus, Process};

use super::{fail, print};

/// The categories in the order shown.
const CATEGORIES: [&str; 12] = [
    "CTYPE",
    "NUMERIC",
    "TIME",
    "COLLATE",
    "MONETARY",
    "MESSAGES",
    "PAPER",
    "NAME",
    "ADDRESS",
    "TELEPHONE",
    "MEASUREMENT",
    "IDENTIFICATION",
];

/// What `LANG` may be on this machine.
fn is_known(name: &[u8]) -> bool {
    matches!(name, b"" | b"C" | b"POSIX" | b"C.UTF-8" | b"C.utf8")
}

pub(super) async fn locale(proc: &mut Process) -> ExitStatus {
    let words: Vec<Vec<u8>> = proc.args().iter().skip(1).cloned().collect();
    let env = proc.env().clone();
    let value = |name: &str| env.value(name.as_bytes()).unwrap_or_default().to_vec();
    let (lang, all) = (value("LANG"), value("LC_ALL"));
    match words.first().map(Vec::as_slice) {
        None => {}
        Some(b"-a" | b"--all-locales") => return print(proc, "C\nC.utf8\nPOSIX\n").await,
        Some(b"-m" | b"--charmaps") => return print(proc, "ANSI_X3.4-1968\nUTF-8\n").await,
        Some(b"-V" | b"--version") => {
            return print(proc, "locale (Debian GLIBC 2.36-9+deb12u14) 2.36\n").await;
        }
        Some(b"charmap") => {
            let name = [&all, &value("LC_CTYPE"), &lang]
                .into_iter()
                .find(|name| !name.is_empty())
                .cloned();
            let utf8 = matches!(name.as_deref(), Some(b"C.UTF-8" | b"C.utf8"));
            return print(proc, if utf8 { "UTF-8\n" } else { "ANSI_X3.4-1968\n" }).await;
        }
        Some(word) if word.starts_with(b"-") => {
            let text = [
                b"locale: invalid option -- '".as_slice(),
                word.get(1..2).unwrap_or_default(),
                b"'\nTry `locale --help' or `locale --usage' for more information.\n",
            ];
            return fail(proc, text.concat(), 64).await;
        }
        Some(word) => {
            let text = [b"locale: unknown name \"", word, b"\"\n"].concat();
            return fail(proc, text, 1).await;
        }
    }
    if !is_known(&lang) || !is_known(&all) {
        for name in ["LC_CTYPE", "LC_MESSAGES", "LC_ALL"] {
            let reason = sundew_kernel::Errno::Enoent.message();
            let text = format!("locale: Cannot set {name} to default locale: {reason}\n");
            proc.print_error(text.as_bytes()).await;
        }
    }
    let mut out = [
        b"LANG=".as_slice(),
        &lang,
        b"\nLANGUAGE=",
        &value("LANGUAGE"),
        b"\n",
    ]
    .concat();
    for category in CATEGORIES {
        let name = format!("LC_{category}");
        let own = value(&name);
        out.extend_from_slice(name.as_bytes());
        out.push(b'=');
        if !all.is_empty() {
            out.extend([b"\"", all.as_slice(), b"\""].concat());
        } else if own.is_empty() {
            let shown: &[u8] = if lang.is_empty() { b"POSIX" } else { &lang };
            out.extend([b"\"", shown, b"\""].concat());
        } else {
            out.extend_from_slice(&own);
        }
        out.push(b'\n');
    }
    out.extend([b"LC_ALL=", all.as_slice(), b"\n"].concat());
    print(proc, out).await
}

/// What `getconf` says to a wrong command line.
const GETCONF: &str =
    "Usage: getconf [-v specification] variable_name [pathname]\n       getconf -a [pathname]\n";
/// Values that differ by file system: a path goes with them.
const PATH_VARIABLES: [&str; 4] = ["LINK_MAX", "NAME_MAX", "PATH_MAX", "PIPE_BUF"];

pub(super) async fn getconf(proc: &mut Process) -> ExitStatus {
    let words: Vec<Vec<u8>> = proc.args().iter().skip(1).cloned().collect();
    let facts = proc.facts();
    let (count, memory) = (facts.cpu.count, facts.memory_total_kib);
    let page_kib = 4;
    let rows: Vec<(&str, String)> = vec![
        ("LINK_MAX", "127".to_owned()),
        ("NAME_MAX", "255".to_owned()),
        ("PATH_MAX", "4096".to_owned()),
        ("PIPE_BUF", "4096".to_owned()),
        ("ARG_MAX", "2097152".to_owned()),
        ("CHILD_MAX", (memory / 128).to_string()),
        ("CLK_TCK", "100".to_owned()),
        ("CHAR_BIT", "8".to_owned()),
        ("INT_MAX", i32::MAX.to_string()),
        ("INT_MIN", i32::MIN.to_string()),
        ("LONG_BIT", "64".to_owned()),
        ("NGROUPS_MAX", "65536".to_owned()),
        ("OPEN_MAX", "1024".to_owned()),
        ("PAGESIZE", "4096".to_owned()),
        ("PAGE_SIZE", "4096".to_owned()),
        ("UINT_MAX", u32::MAX.to_string()),
        ("WORD_BIT", "32".to_owned()),
        (
            "_AVPHYS_PAGES",
            (proc.memory_use().available / page_kib).to_string(),
        ),
        ("_NPROCESSORS_CONF", count.to_string()),
        ("_NPROCESSORS_ONLN", count.to_string()),
        ("_PHYS_PAGES", (memory / page_kib).to_string()),
        ("PATH", "/bin:/usr/bin".to_owned()),
        ("CS_PATH", "/bin:/usr/bin".to_owned()),
        ("HOST_NAME_MAX", "64".to_owned()),
        ("LOGIN_NAME_MAX", "256".to_owned()),
        ("GNU_LIBC_VERSION", "glibc 2.36".to_owned()),
        ("GNU_LIBPTHREAD_VERSION", "NPTL 2.36".to_owned()),
        ("LEVEL1_DCACHE_SIZE", "32768".to_owned()),
        ("LEVEL1_DCACHE_LINESIZE", "64".to_owned()),
    ];
    let mut words = words.as_slice();
    // `-v SPECIFICATION`: there is one set of values.
    if let [option, _, rest @ ..] = words
        && option == b"-v"
    {
        words = rest;
    }
    let of_path = |name: &[u8]| PATH_VARIABLES.contains(&String::from_utf8_lossy(name).as_ref());
    let operands = match words.first().map(Vec::as_slice) {
        Some(name) if of_path(name) => 2,
        _ => 1,
    };
    match words.first().map(Vec::as_slice) {
        Some(name) if name != b"-a" && words.len() != operands => fail(proc, GETCONF, 2).await,
        None => fail(proc, GETCONF, 2).await,
        Some(b"-a") if words.len() > 2 => fail(proc, GETCONF, 2).await,
        Some(b"-a") => {
            let text: String = rows
                .iter()
                .map(|(name, value)| format!("{name:<34} {value}\n"))
                .collect();
            print(proc, text).await
        }
        Some(name) => match rows.iter().find(|row| row.0.as_bytes() == name) {
            Some((_, value)) => print(proc, format!("{value}\n")).await,
            None => {
                fail(
                    proc,
                    [b"getconf: Unrecognized variable `", name, b"'\n"].concat(),
                    2,
                )
                .await
            }
        },
    }
}
