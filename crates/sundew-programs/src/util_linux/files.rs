//! `rename.ul`, `hardlink`, `fincore`, `utmpdump`, `wdctl`, `rtcwake`, `ctrlaltdel`, `sulogin`,
//! `readprofile`, `ldattach`.

use std::collections::HashMap;

use sundew_kernel::{Errno, ExitStatus, Process};
use sundew_vfs::Timestamp;

use super::spec;
use super::table::{Column, Table, left, number, right};
use crate::getopt::{Arity, Spec};
use crate::text::input;
use crate::time::{Shown, Zone};

#[expect(
    clippy::too_many_lines,
    reason = "one thing from top to bottom, in the order of the manual"
)]
pub(super) async fn rename(proc: &mut Process) -> ExitStatus {
    const NOTHING: u8 = 4;
    const SOME_FAILED: u8 = 2;
    const SPEC: Spec = Spec::new(
        "vsnaloihV",
        &[
            ("verbose", Arity::No, "v"),
            ("symlink", Arity::No, "s"),
            ("no-act", Arity::No, "n"),
            ("all", Arity::No, "a"),
            ("last", Arity::No, "l"),
            ("no-overwrite", Arity::No, "o"),
            ("interactive", Arity::No, "i"),
            ("help", Arity::No, "h"),
            ("version", Arity::No, "V"),
        ],
    );
    let line = match super::line(proc, "rename.ul", &SPEC).await {
        Ok(line) => line,
        Err(status) => return status,
    };
    let [from, to, files @ ..] = line.operands.as_slice() else {
        return super::refuse_text(proc, "not enough arguments").await;
    };
    if files.is_empty() {
        return super::refuse_text(proc, "not enough arguments").await;
    }
    let (mut renamed, mut failed) = (0, 0);
    for file in files {
        proc.tick().await;
        let symlink = line.has("s");
        if let Err(errno) = proc.lstat(file) {
            let subject = [file.as_slice(), b": not accessible"].concat();
            proc.complain(&subject, errno).await;
            failed += 1;
            continue;
        }
        let subject = if symlink {
            match proc.read_link(file) {
                Ok(target) => target,
                Err(errno) => {
                    let subject = [file.as_slice(), b": not a symbolic link"].concat();
                    proc.complain(&subject, errno).await;
                    failed += 1;
                    continue;
                }
            }
        } else {
            file.clone()
        };
        // Only the last component changes, unless the expression names a directory.
        let base = if from.contains(&b'/') || to.contains(&b'/') || symlink {
            0
        } else {
            subject
                .iter()
                .rposition(|&byte| byte == b'/')
                .map_or(0, |at| at + 1)
        };
        let (directory, name) = subject.split_at(base);
        let Some(new_name) = replaced(name, from, to, line.has("a"), line.has("l")) else {
            continue;
        };
        let new = [directory, &new_name].concat();
        if line.has("o") && proc.lstat(&new).is_ok() {
            if line.has("v") {
                let text = [b"Skipping existing file: `".as_slice(), &new, b"'\n"].concat();
                super::put(proc, text).await;
            }
            continue;
        }
        if !line.has("n") {
            let done = if symlink {
                proc.unlink(file).and_then(|()| proc.symlink(&new, file))
            } else {
                proc.rename(file, &new)
            };
            if let Err(errno) = done {
                let subject = [file.as_slice(), b": rename to ", &new, b" failed"].concat();
                proc.complain(&subject, errno).await;
                failed += 1;
                continue;
            }
        }
        renamed += 1;
        if line.has("v") || line.has("n") {
            let text = if symlink {
                [file.as_slice(), b": `", &subject, b"' -> `", &new, b"'\n"].concat()
            } else {
                [b"`".as_slice(), file, b"' -> `", &new, b"'\n"].concat()
            };
            super::put(proc, text).await;
        }
    }
    ExitStatus::Exited(match (renamed, failed) {
        (0, 0) => NOTHING,
        (_, 0) => 0,
        (0, _) => 1,
        _ => SOME_FAILED,
    })
}

/// The name with `to` for `from`: the first, the last or all of them.
fn replaced(name: &[u8], from: &[u8], to: &[u8], all: bool, last: bool) -> Option<Vec<u8>> {
    if from.is_empty() {
        return None;
    }
    let mut places: Vec<usize> = Vec::new();
    let mut at = 0;
    while let Some(found) = name
        .get(at..)
        .and_then(|rest| rest.windows(from.len()).position(|window| window == from))
    {
        places.push(at + found);
        at += found + from.len();
    }
    if places.is_empty() {
        return None;
    }
    if !all {
        let one = if last { places.last() } else { places.first() };
        places = one.copied().into_iter().collect();
    }
    let mut out = Vec::new();
    let mut done = 0;
    for place in places {
        out.extend_from_slice(name.get(done..place)?);
        out.extend_from_slice(to);
        done = place + from.len();
    }
    out.extend_from_slice(name.get(done..)?);
    Some(out)
}

/// What twins have in common: size, owner, group, mode, time.
type Likeness = (u64, u32, u32, u16, i64);

/// Most files that one run of `hardlink` looks at.
const MAX_FILES: usize = 20_000;

#[expect(
    clippy::too_many_lines,
    reason = "one thing from top to bottom, in the order of the manual"
)]
pub(super) async fn hardlink(proc: &mut Process) -> ExitStatus {
    let line = match super::line(proc, "hardlink", &spec::HARDLINK).await {
        Ok(line) => line,
        Err(status) => return status,
    };
    if line.operands.is_empty() {
        return super::fail(proc, "no directory or file specified").await;
    }
    let started = proc.monotonic();
    let mut paths: Vec<Vec<u8>> = Vec::new();
    for path in &line.operands {
        match proc.real_path(path) {
            Ok(path) => paths.push(path),
            Err(errno) => {
                let text = [
                    proc.name(),
                    b": cannot get realpath: ",
                    path,
                    b": ",
                    errno.message().as_bytes(),
                    b"\n",
                ];
                let text = text.concat();
                proc.print_error(&text).await;
            }
        }
    }
    let (mut files, mut linked, mut compared, mut saved) = (0u64, 0u64, 0u64, 0u64);
    // Size, owner, mode and time have to agree; each key keeps the files that differ.
    let mut seen: HashMap<Likeness, Vec<Vec<u8>>> = HashMap::new();
    while let Some(path) = paths.pop() {
        proc.tick().await;
        let Ok(metadata) = proc.lstat(&path) else {
            continue;
        };
        if metadata.is_dir() {
            let mut entries = proc.read_directory(&path).unwrap_or_default();
            entries.retain(|entry| !matches!(&*entry.name, b"." | b".."));
            paths.extend(
                entries
                    .iter()
                    .rev()
                    .map(|entry| [path.as_slice(), b"/", &entry.name].concat()),
            );
            continue;
        }
        if !metadata.is_regular() || usize::try_from(files).unwrap_or(MAX_FILES) >= MAX_FILES {
            continue;
        }
        files += 1;
        if metadata.size == 0 {
            continue;
        }
        let mode = if line.has("p") { 0 } else { metadata.mode };
        let (uid, gid) = if line.has("o") {
            (0, 0)
        } else {
            (metadata.uid, metadata.gid)
        };
        let time = if line.has("t") {
            0
        } else {
            metadata.mtime.secs
        };
        let group = seen
            .entry((metadata.size, uid, gid, mode, time))
            .or_default();
        let mut twin = None;
        for other in group.iter() {
            let Ok(known) = proc.lstat(other) else {
                continue;
            };
            if known.ino == metadata.ino {
                twin = Some(None);
                break;
            }
            compared += 1;
            if same_content(proc, other, &path).await {
                twin = Some(Some(other.clone()));
                break;
            }
        }
        match twin {
            None => group.push(path),
            Some(None) => {}
            Some(Some(other)) => {
                let done = line.has("n")
                    || proc
                        .unlink(&path)
                        .and_then(|()| proc.link(&other, &path, false))
                        .is_ok();
                if done {
                    linked += 1;
                    saved += metadata.size;
                }
            }
        }
    }
    if line.has("q") {
        return proc.status();
    }
    let spent = proc.monotonic().saturating_sub(started).as_secs_f64();
    let mode = if line.has("n") { "dry-run" } else { "real" };
    let out = format!(
        "Mode:                     {mode}\nMethod:                   memcmp\nFiles:                    {files}\nLinked:                   {linked} files\nCompared:                 0 xattrs\nCompared:                 {compared} files\nSaved:                    {}\nDuration:                 {spent:.6} seconds\n",
        saved_size(saved),
    );
    super::put(proc, out).await
}

fn saved_size(bytes: u64) -> String {
    let short = super::inventory::short_size(bytes);
    let (digits, letter) = short.split_at(short.len() - 1);
    if letter == "B" {
        format!("{digits} B")
    } else {
        format!("{digits} {letter}iB")
    }
}

async fn same_content(proc: &Process, one: &[u8], other: &[u8]) -> bool {
    let (Ok((a, _room_a)), Ok((b, _room_b))) = (
        input::read_all(proc, one).await,
        input::read_all(proc, other).await,
    ) else {
        return false;
    };
    a == b
}

const CORE_COLUMNS: &[Column] = &[right("RES"), number("PAGES"), right("SIZE"), left("FILE")];

pub(super) async fn fincore(proc: &mut Process) -> ExitStatus {
    const PAGE: u64 = 4096;
    let line = match super::line(proc, "fincore", &spec::FINCORE).await {
        Ok(line) => line,
        Err(status) => return status,
    };
    if line.operands.is_empty() {
        return super::refuse_text(proc, "no file specified").await;
    }
    let mut table = Table::new("fincore", CORE_COLUMNS);
    for option in &line.options {
        if let Err(name) = table.option(option.key, &option.value) {
            return super::unknown_column(proc, &name).await;
        }
    }
    for path in &line.operands {
        let metadata = match proc.stat(path) {
            Ok(metadata) => metadata,
            Err(errno) => {
                let subject = [b"failed to open: ".as_slice(), path].concat();
                proc.complain(&subject, errno).await;
                continue;
            }
        };
        if metadata.is_dir() {
            continue;
        }
        let pages = metadata.size.div_ceil(PAGE);
        let shown = |bytes: u64| {
            if line.has("b") {
                bytes.to_string()
            } else {
                super::inventory::short_size(bytes)
            }
        };
        table.rows.push(vec![
            shown(pages * PAGE),
            pages.to_string(),
            shown(metadata.size),
            String::from_utf8_lossy(path).into_owned(),
        ]);
    }
    table.print(proc).await
}

/// `utmpdump`: records as text; the way back is not taken on this machine.
pub(super) async fn utmpdump(proc: &mut Process) -> ExitStatus {
    const RECORD: usize = 384;
    let line = match super::line(proc, "utmpdump", &spec::UTMPDUMP).await {
        Ok(line) => line,
        Err(status) => return status,
    };
    let path = line.operands.first().cloned();
    let shown = path.clone().unwrap_or_else(|| b"/dev/stdin".to_vec());
    let bytes = match input::read_all(proc, path.as_deref().unwrap_or(b"-")).await {
        Ok((bytes, _memory)) => bytes,
        Err(errno) => return super::cannot(proc, "cannot open", &shown, errno).await,
    };
    let verb: &[u8] = if line.has("r") {
        b"Utmp undump of "
    } else {
        b"Utmp dump of "
    };
    let head = [verb, &shown, b"\n"].concat();
    proc.print_error(&head).await;
    let utc = Zone::utc();
    for record in bytes.chunks_exact(RECORD) {
        proc.tick().await;
        let text = |start: usize, end: usize| {
            let field = record.get(start..end).unwrap_or_default();
            let field = field.iter().take_while(|&&byte| byte != 0);
            let shown = field.map(|&byte| {
                if byte.is_ascii_graphic() || byte == b' ' {
                    byte
                } else {
                    b'?'
                }
            });
            String::from_utf8_lossy(&shown.collect::<Vec<u8>>()).into_owned()
        };
        let word = |at: usize| {
            let field = record
                .get(at..at + 4)
                .and_then(|field| field.try_into().ok());
            field.map_or(0, u32::from_le_bytes)
        };
        let address: Vec<String> = record
            .get(348..352)
            .unwrap_or_default()
            .iter()
            .map(u8::to_string)
            .collect();
        let moment = Timestamp {
            secs: i64::from(word(340)),
            nanos: word(344).saturating_mul(1000).min(999_999_999),
        };
        let time = Shown::new(moment, &utc).format(b"%Y-%m-%dT%H:%M:%S,%6N+00:00");
        let row = format!(
            "[{}] [{:05}] [{:<4.4}] [{:<8.32}] [{:<12.32}] [{:<20.256}] [{:<15}] [{}]\n",
            word(0) & 0xffff,
            word(4),
            text(40, 44),
            text(44, 76),
            text(8, 40),
            text(76, 332),
            address.join("."),
            String::from_utf8_lossy(&time),
        );
        if proc.print(row.as_bytes()).await.is_err() {
            break;
        }
    }
    proc.status()
}

pub(super) async fn wdctl(proc: &mut Process) -> ExitStatus {
    let line = match super::line(proc, "wdctl", &spec::WDCTL).await {
        Ok(line) => line,
        Err(status) => return status,
    };
    match line.operands.first() {
        None => {
            proc.complain(b"No default device is available.", Errno::Enoent)
                .await;
        }
        Some(path) => {
            let errno = proc.stat(path).err().unwrap_or(Errno::Enotty);
            let subject = [b"cannot read information about ".as_slice(), path].concat();
            proc.complain(&subject, errno).await;
        }
    }
    ExitStatus::FAILURE
}

pub(super) async fn rtcwake(proc: &mut Process) -> ExitStatus {
    let line = match super::line(proc, "rtcwake", &spec::RTCWAKE).await {
        Ok(line) => line,
        Err(status) => return status,
    };
    if line.has("list-modes") {
        return super::put(proc, "freeze mem disk off no on disable show\n").await;
    }
    let mode = line.value("m").unwrap_or(b"suspend").to_vec();
    let timed = ["s", "t", "date"].iter().any(|key| line.has(key));
    if !timed && !matches!(mode.as_slice(), b"show" | b"disable") {
        let text = "must provide wake time (see --seconds, --time and --date options)";
        return super::fail(proc, text).await;
    }
    if proc.credentials().uid != 0 {
        let subject = b"/dev/rtc0: unable to find device";
        proc.complain(subject, Errno::Eacces).await;
        return ExitStatus::FAILURE;
    }
    super::put(proc, "rtcwake: assuming RTC uses UTC ...\n").await;
    if mode == b"show" {
        return super::put(proc, "alarm: off\n").await;
    }
    if mode == b"disable" || mode == b"no" || mode == b"on" {
        return proc.status();
    }
    let subject = [b"write error: cannot write ".as_slice(), &mode].concat();
    proc.complain(&subject, Errno::Eopnotsupp).await;
    ExitStatus::FAILURE
}

pub(super) async fn ctrlaltdel(proc: &mut Process) -> ExitStatus {
    let line = match super::line(proc, "ctrlaltdel", &spec::CTRLALTDEL).await {
        Ok(line) => line,
        Err(status) => return status,
    };
    match line.operands.first().map(Vec::as_slice) {
        None => super::put(proc, "hard\n").await,
        Some(b"hard" | b"soft") if proc.credentials().uid != 0 => {
            super::fail(proc, "You must be root to set the Ctrl-Alt-Del behavior").await
        }
        Some(b"hard" | b"soft") => proc.status(),
        Some(word) => super::fail(proc, [b"unknown argument: ".as_slice(), word].concat()).await,
    }
}

pub(super) async fn sulogin(proc: &mut Process) -> ExitStatus {
    let _line = match super::line(proc, "sulogin", &spec::SULOGIN).await {
        Ok(line) => line,
        Err(status) => return status,
    };
    if proc.credentials().uid != 0 {
        return super::fail(proc, "only superuser can run this program").await;
    }
    let text = "\nCannot open access to console, the root account is locked.\nSee sulogin(8) man page for more details.\n\nPress Enter to continue.\n";
    proc.print_error(text.as_bytes()).await;
    let mut byte = [0];
    // Whatever is typed, or nothing more to come.
    let _read = proc.read(sundew_kernel::STDIN, &mut byte).await;
    proc.status()
}

pub(super) async fn readprofile(proc: &mut Process) -> ExitStatus {
    const SPEC: Spec = Spec::new(
        "m:p:M:ivabsrnhV",
        &[("help", Arity::No, "h"), ("version", Arity::No, "V")],
    );
    let line = match super::line(proc, "readprofile", &SPEC).await {
        Ok(line) => line,
        Err(status) => return status,
    };
    let path = line.value("p").unwrap_or(b"/proc/profile").to_vec();
    let errno = proc.stat(&path).err().unwrap_or(Errno::Einval);
    proc.complain(&path, errno).await;
    ExitStatus::FAILURE
}

pub(super) async fn ldattach(proc: &mut Process) -> ExitStatus {
    const SPEC: Spec = Spec::new(
        "di:s:c:p:78neo12hV",
        &[
            ("debug", Arity::No, "d"),
            ("speed", Arity::Required, "s"),
            ("intro-command", Arity::Required, "c"),
            ("pause", Arity::Required, "p"),
            ("help", Arity::No, "h"),
            ("version", Arity::No, "V"),
        ],
    );
    const DISCIPLINES: &[&str] = &[
        "TTY",
        "N_TTY",
        "SLIP",
        "N_SLIP",
        "MOUSE",
        "N_MOUSE",
        "PPP",
        "N_PPP",
        "STRIP",
        "N_STRIP",
        "AX25",
        "N_AX25",
        "X25",
        "N_X25",
        "6PACK",
        "N_6PACK",
        "R3964",
        "N_R3964",
        "IRDA",
        "N_IRDA",
        "HDLC",
        "N_HDLC",
        "SYNC_PPP",
        "N_SYNC_PPP",
        "HCI",
        "N_HCI",
        "GSM0710",
        "N_GSM0710",
        "PPS",
        "N_PPS",
    ];
    let line = match super::line(proc, "ldattach", &SPEC).await {
        Ok(line) => line,
        Err(status) => return status,
    };
    let [name, path] = line.operands.as_slice() else {
        return super::refuse_text(proc, "not enough arguments").await;
    };
    let text = String::from_utf8_lossy(name).to_ascii_uppercase();
    if !DISCIPLINES.contains(&text.as_str()) && super::number::<u32>(name).is_none() {
        return super::bad_argument(proc, "invalid line discipline argument", name).await;
    }
    let errno = proc.stat(path).err().unwrap_or(Errno::Eacces);
    super::cannot(proc, "cannot open", path, errno).await
}

#[cfg(test)]
mod tests {
    use super::replaced;

    #[test]
    fn one_or_all_places_are_replaced() {
        assert_eq!(
            replaced(b"a.x.x", b"x", b"y", false, false),
            Some(b"a.y.x".to_vec())
        );
        assert_eq!(
            replaced(b"a.x.x", b"x", b"y", false, true),
            Some(b"a.x.y".to_vec())
        );
        assert_eq!(
            replaced(b"a.x.x", b"x", b"", true, false),
            Some(b"a..".to_vec())
        );
        assert_eq!(replaced(b"a", b"x", b"y", true, false), None);
    }
}
