//! Making and cutting files: mktemp(1), mkfifo(1), mknod(1), truncate(1), install(1), shred(1).

use sundew_kernel::descriptor::OpenFlags;
use sundew_kernel::process::Seek;
use sundew_kernel::{Errno, ExitStatus, Process};
use sundew_vfs::FileType;

use super::copy::{Copier, Force};
use super::{about, input, path, target};
use crate::getopt::{Arity, Getopt, Spec, refuse, try_help};
use crate::mode::Change;
use crate::quote;
use crate::size::number;
use crate::users::Directory;

#[expect(
    clippy::too_many_lines,
    reason = "one arm for each option, in one place"
)]
pub(crate) async fn run_mktemp(proc: &mut Process) -> ExitStatus {
    const SPEC: Spec = Spec::gnu(
        "dp:qtuV",
        &[
            ("directory", Arity::No, "d"),
            ("quiet", Arity::No, "q"),
            ("dry-run", Arity::No, "u"),
            ("suffix", Arity::Required, "suffix"),
            ("tmpdir", Arity::Optional, "p"),
        ],
    );
    /// Attempts before the directory is taken to be full of such names.
    const ATTEMPTS: usize = 64;
    const LETTERS: &[u8] = b"abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789";
    let (mut directory, mut quiet, mut dry, mut old) = (false, false, false, false);
    let (mut place, mut suffix): (Option<Vec<u8>>, Vec<u8>) = (None, Vec::new());
    let mut options = Getopt::new(&SPEC, proc.args());
    while let Some(option) = options.next() {
        match option.map(|option| (option.key, option.value)) {
            Ok(("d", _)) => directory = true,
            Ok(("q", _)) => quiet = true,
            Ok(("u", _)) => dry = true,
            Ok(("t", _)) => old = true,
            Ok(("p", value)) => place = Some(value),
            Ok(("suffix", value)) => suffix = value,
            Ok(("V", _)) => return about::run(proc, "version", "mktemp").await,
            Ok((key, _)) => return about::run(proc, key, "mktemp").await,
            Err(error) => return refuse(proc, &error, 1).await,
        }
    }
    let operands = options.operands();
    if operands.len() > 1 {
        return input::refuse_text(proc, "too many templates").await;
    }
    let default = operands.is_empty();
    let mut template = operands
        .into_iter()
        .next()
        .unwrap_or_else(|| b"tmp.XXXXXXXXXX".to_vec());
    let asked_suffix = !suffix.is_empty();
    if suffix.is_empty()
        && let Some(end) = template.iter().rposition(|&byte| byte == b'X')
    {
        suffix = template.split_off(end + 1);
    }
    let run = template
        .iter()
        .rev()
        .take_while(|byte| **byte == b'X')
        .count();
    if asked_suffix && run == 0 {
        let shown = quote::text(proc, &template);
        let text = [
            b"with --suffix, template ".as_slice(),
            &shown,
            b" must end in X",
        ]
        .concat();
        proc.complain_text(text).await;
        return proc.status();
    }
    if run < 3 {
        return input::complain_word(
            proc,
            "too few X's in template",
            &[template, suffix].concat(),
        )
        .await;
    }
    if suffix.contains(&b'/') {
        let shown = quote::text(proc, &suffix);
        proc.complain_text(
            [
                b"invalid suffix ".as_slice(),
                &shown,
                b", contains directory separator",
            ]
            .concat(),
        )
        .await;
        return proc.status();
    }
    if default || old || place.is_some() {
        let whole = [template.as_slice(), &suffix].concat();
        if old && template.contains(&b'/') {
            let shown = quote::text(proc, &whole);
            let text = [
                b"invalid template, ".as_slice(),
                &shown,
                b", contains directory separator",
            ]
            .concat();
            proc.complain_text(text).await;
            return proc.status();
        }
        let from_env = proc
            .env()
            .value(b"TMPDIR")
            .filter(|value| !value.is_empty())
            .map(<[u8]>::to_vec);
        let wanted = place.filter(|place| !place.is_empty());
        let place = if old {
            from_env.or(wanted)
        } else {
            wanted.or(from_env)
        };
        template = input::join(&place.unwrap_or_else(|| b"/tmp".to_vec()), &template);
    }
    let stem = template.len() - run;
    let mut result = Err(Errno::Eexist);
    let mut name = Vec::new();
    for _ in 0..ATTEMPTS {
        name = template.get(..stem).unwrap_or_default().to_vec();
        for _ in 0..run {
            let at = usize::try_from(proc.random() % LETTERS.len() as u64).unwrap_or(0);
            name.extend(LETTERS.get(at));
        }
        name.extend_from_slice(&suffix);
        result = if dry {
            if proc.lstat(&name).is_ok() {
                Err(Errno::Eexist)
            } else {
                Ok(())
            }
        } else if directory {
            proc.make_directory(&name, 0o700)
        } else {
            let flags = OpenFlags {
                exclusive: true,
                ..OpenFlags::CREATE
            };
            proc.open(&name, flags, 0o600)
                .await
                .and_then(|fd| proc.close(fd))
        };
        if result != Err(Errno::Eexist) {
            break;
        }
    }
    match result {
        Ok(()) => {
            name.push(b'\n');
            // A closed output is reported when the program ends.
            let _reported_at_exit = proc.print(&name).await;
        }
        Err(_) if quiet => proc.set_status(1),
        Err(errno) => {
            let kind: &[u8] = if directory { b"directory" } else { b"file" };
            let shown = quote::text(proc, &[template, suffix].concat());
            let text = [
                b"failed to create ".as_slice(),
                kind,
                b" via template ",
                &shown,
            ]
            .concat();
            proc.complain(&text, errno).await;
        }
    }
    proc.status()
}

/// Reads `-m MODE`; `Err` is the status to end with.
async fn node_options(proc: &mut Process, name: &str) -> Result<(u16, Vec<Vec<u8>>), ExitStatus> {
    const SPEC: Spec = Spec::gnu(
        "m:Z",
        &[
            ("context", Arity::Optional, "Z"),
            ("mode", Arity::Required, "m"),
        ],
    );
    let mut mode = 0o666;
    let mut options = Getopt::new(&SPEC, proc.args());
    while let Some(option) = options.next() {
        match option.map(|option| (option.key, option.value)) {
            Ok(("m", value)) => match Change::parse(&value) {
                Some(change) => mode = change.apply(0o666, false, proc.umask()),
                None => {
                    proc.complain_text("invalid mode").await;
                    return Err(proc.status());
                }
            },
            Ok(("Z", _)) => {}
            Ok((key, _)) => return Err(about::run(proc, key, name).await),
            Err(error) => return Err(refuse(proc, &error, 1).await),
        }
    }
    Ok((mode, options.operands()))
}

pub(crate) async fn run_mkfifo(proc: &mut Process) -> ExitStatus {
    let (mode, operands) = match node_options(proc, "mkfifo").await {
        Ok(read) => read,
        Err(status) => return status,
    };
    if operands.is_empty() {
        return input::missing_operand(proc).await;
    }
    for path in operands {
        if let Err(errno) = proc.make_node(&path, FileType::Fifo, mode, (0, 0)) {
            input::complain_about(proc, "cannot create fifo", &path, errno).await;
        }
    }
    proc.status()
}

pub(crate) async fn run_mknod(proc: &mut Process) -> ExitStatus {
    let (mode, operands) = match node_options(proc, "mknod").await {
        Ok(read) => read,
        Err(status) => return status,
    };
    let kind = operands.get(1).and_then(|word| word.first()).copied();
    let expected = if kind == Some(b'p') { 2 } else { 4 };
    if operands.len() < expected {
        let Some(last) = operands.last() else {
            return input::missing_operand(proc).await;
        };
        let shown = quote::text(proc, last);
        proc.complain_text([b"missing operand after ", shown.as_slice()].concat())
            .await;
        if expected == 4 && operands.len() == 2 {
            proc.print_error(b"Special files require major and minor device numbers.\n")
                .await;
        }
        return try_help(proc, 1).await;
    }
    if let Some(extra) = operands.get(expected) {
        let shown = quote::text(proc, extra);
        proc.complain_text([b"extra operand ", shown.as_slice()].concat())
            .await;
        if expected == 2 && operands.len() == 4 {
            proc.print_error(b"Fifos do not have major and minor device numbers.\n")
                .await;
        }
        return try_help(proc, 1).await;
    }
    let file_type = match kind {
        Some(b'p') => FileType::Fifo,
        Some(b'b') => FileType::BlockDevice,
        Some(b'c' | b'u') => FileType::CharDevice,
        _ => {
            let word = operands.get(1).cloned().unwrap_or_default();
            return input::refuse_word(proc, "invalid device type", &word).await;
        }
    };
    let mut numbers = [0, 0];
    for ((slot, word), what) in numbers
        .iter_mut()
        .zip(operands.iter().skip(2))
        .zip(["major", "minor"])
    {
        match input::decimal(word).and_then(|number| u32::try_from(number).ok()) {
            Some(number) => *slot = number,
            None => {
                return input::complain_word(proc, &format!("invalid {what} device number"), word)
                    .await;
            }
        }
    }
    let path = operands.first().cloned().unwrap_or_default();
    if let Err(errno) = proc.make_node(&path, file_type, mode, (numbers[0], numbers[1])) {
        input::complain(proc, &path, errno).await;
    }
    proc.status()
}

#[expect(
    clippy::too_many_lines,
    reason = "one arm for each option, in one place"
)]
pub(crate) async fn run_truncate(proc: &mut Process) -> ExitStatus {
    const SPEC: Spec = Spec::gnu(
        "cor:s:",
        &[
            ("no-create", Arity::No, "c"),
            ("io-blocks", Arity::No, "o"),
            ("reference", Arity::Required, "r"),
            ("size", Arity::Required, "s"),
        ],
    );
    let (mut create, mut size, mut reference) = (true, None, None);
    let mut options = Getopt::new(&SPEC, proc.args());
    while let Some(option) = options.next() {
        match option.map(|option| (option.key, option.value)) {
            Ok(("c", _)) => create = false,
            Ok(("o", _)) => {}
            Ok(("r", value)) => reference = Some(value),
            Ok(("s", value)) => size = Some(value),
            Ok((key, _)) => return about::run(proc, key, "truncate").await,
            Err(error) => return refuse(proc, &error, 1).await,
        }
    }
    let operands = options.operands();
    let (operator, amount) = match (&size, &reference) {
        (None, None) => {
            let (size, reference) = (
                quote::text(proc, b"--size"),
                quote::text(proc, b"--reference"),
            );
            let text = [
                b"you must specify either ".as_slice(),
                &size,
                b" or ",
                &reference,
            ]
            .concat();
            proc.complain_text(text).await;
            return try_help(proc, 1).await;
        }
        (Some(size), _) => {
            let text = size.trim_ascii_start();
            let (operator, digits) = match text.split_first() {
                Some((operator @ (b'+' | b'-' | b'<' | b'>' | b'/' | b'%'), digits)) => {
                    (*operator, digits)
                }
                _ => (b'=', text),
            };
            match number(digits, b"EgGkKmMPtTYZ0") {
                Ok(0) if matches!(operator, b'/' | b'%') => {
                    proc.complain_text("division by zero").await;
                    return proc.status();
                }
                Ok(_) if operator == b'=' && reference.is_some() => {
                    let (size, reference) = (
                        quote::text(proc, b"--size"),
                        quote::text(proc, b"--reference"),
                    );
                    let text = [
                        b"you must specify a relative ".as_slice(),
                        &size,
                        b" with ",
                        &reference,
                    ]
                    .concat();
                    proc.complain_text(text).await;
                    return try_help(proc, 1).await;
                }
                Ok(amount) => (operator, amount),
                Err(crate::size::NumberError::TooLarge) => {
                    let shown = quote::text(proc, size);
                    let text = [b"Invalid number: ".as_slice(), &shown].concat();
                    proc.complain(&text, Errno::Eoverflow).await;
                    return proc.status();
                }
                Err(_) => return input::complain_word(proc, "Invalid number:", size).await,
            }
        }
        (None, Some(_)) => (b'+', 0),
    };
    let base = match reference.as_deref().map(|path| proc.stat(path)) {
        Some(Ok(found)) => Some(found.size),
        Some(Err(errno)) => {
            input::complain_about(proc, "cannot stat", &reference.unwrap_or_default(), errno).await;
            return proc.status();
        }
        None => None,
    };
    if operands.is_empty() {
        return input::refuse_text(proc, "missing file operand").await;
    }
    for path in operands {
        let flags = OpenFlags {
            create,
            ..OpenFlags::WRITE
        };
        let fd = match proc.open(&path, flags, 0o666).await {
            Ok(fd) => fd,
            Err(Errno::Enoent) if !create => continue,
            Err(errno) => {
                let shown = quote::always(proc, &path);
                proc.complain(
                    &[b"cannot open ", shown.as_slice(), b" for writing"].concat(),
                    errno,
                )
                .await;
                continue;
            }
        };
        let now = base.unwrap_or_else(|| proc.fstat(fd).map_or(0, |found| found.size));
        let length = match operator {
            b'+' => now.saturating_add(amount),
            b'-' => now.saturating_sub(amount),
            b'<' => now.min(amount),
            b'>' => now.max(amount),
            b'/' if amount > 0 => now / amount * amount,
            b'%' if amount > 0 => now.div_ceil(amount).saturating_mul(amount),
            _ => amount,
        };
        if let Err(errno) = proc.truncate(fd, length) {
            let shown = quote::always(proc, &path);
            let text = [
                b"failed to truncate ".as_slice(),
                &shown,
                format!(" at {length} bytes").as_bytes(),
            ]
            .concat();
            proc.complain(&text, errno).await;
        }
        // Nothing was written that closing could lose.
        let _closed = proc.close(fd);
    }
    proc.status()
}

#[expect(
    clippy::too_many_lines,
    reason = "one arm for each option, in one place"
)]
pub(crate) async fn run_install(proc: &mut Process) -> ExitStatus {
    const SPEC: Spec = Spec::gnu(
        "bcCsDdg:m:o:pt:TvS:Z",
        &[
            ("backup", Arity::Optional, "b"),
            ("compare", Arity::No, "C"),
            ("directory", Arity::No, "d"),
            ("group", Arity::Required, "g"),
            ("mode", Arity::Required, "m"),
            ("no-target-directory", Arity::No, "T"),
            ("owner", Arity::Required, "o"),
            ("preserve-timestamps", Arity::No, "p"),
            ("strip", Arity::No, "s"),
            ("suffix", Arity::Required, "S"),
            ("target-directory", Arity::Required, "t"),
            ("verbose", Arity::No, "v"),
        ],
    );
    let (mut mode, mut owner, mut group) = (b"755".to_vec(), None, None);
    let (mut directories, mut leading) = (false, false);
    let mut place = target::Place::default();
    let mut copier = Copier::new(proc);
    copier.force = Force::Remove;
    let mut options = Getopt::new(&SPEC, proc.args());
    while let Some(option) = options.next() {
        match option.map(|option| (option.key, option.value)) {
            Ok(("d", _)) => directories = true,
            Ok(("D", _)) => leading = true,
            Ok(("m", value)) => mode = value,
            Ok(("o", value)) => owner = Some(value),
            Ok(("g", value)) => group = Some(value),
            Ok(("p", _)) => copier.preserve.times = true,
            Ok(("b", _)) => copier.backup = true,
            Ok(("S", value)) => (copier.backup, copier.suffix) = (true, value),
            Ok(("t", value)) => place.directory = Some(value),
            Ok(("T", _)) => place.no_directory = true,
            Ok(("v", _)) => copier.verbose = true,
            Ok(("c" | "C" | "s" | "Z", _)) => {}
            Ok((key, _)) => return about::run(proc, key, "install").await,
            Err(error) => return refuse(proc, &error, 1).await,
        }
    }
    let Some(change) = Change::parse(&mode) else {
        return input::complain_word(proc, "invalid mode", &mode).await;
    };
    let known = Directory::load(proc).await;
    let find = |word: &[u8], named: Option<u32>| {
        named.or_else(|| input::decimal(word).and_then(|id| u32::try_from(id).ok()))
    };
    let uid = owner
        .as_ref()
        .map(|word| find(word, known.user(word).map(|user| user.uid)));
    let gid = group
        .as_ref()
        .map(|word| find(word, known.group(word).map(|group| group.gid)));
    if uid == Some(None) {
        return input::complain_word(proc, "invalid user", &owner.unwrap_or_default()).await;
    }
    if gid == Some(None) {
        return input::complain_word(proc, "invalid group", &group.unwrap_or_default()).await;
    }
    let (uid, gid) = (uid.flatten(), gid.flatten());
    let operands = options.operands();
    let mut made = Vec::new();
    if directories {
        if operands.is_empty() {
            return input::refuse_text(proc, "missing file operand").await;
        }
        for path in operands {
            if parents(proc, &path, true, copier.verbose).await {
                made.push(path);
            }
        }
    } else {
        if leading
            && let Some(target) = place.directory.clone()
            && proc.stat(&target).is_err()
            && !parents(proc, &target, false, copier.verbose).await
        {
            return proc.status();
        }
        if leading
            && place.directory.is_none()
            && let Some(last) = operands.last().filter(|_| operands.len() == 2)
        {
            let parent = path::parent(last);
            if !parents(proc, &parent, false, copier.verbose).await {
                return proc.status();
            }
        }
        let Some(jobs) = target::settle(proc, operands, &place, false).await else {
            return proc.status();
        };
        for job in jobs {
            if copier.copy_operand(proc, &job.source, &job.target).await {
                made.push(job.target);
            }
        }
    }
    for path in made {
        let changed = if uid.is_some() || gid.is_some() {
            proc.change_owner(&path, uid, gid, true)
        } else {
            Ok(())
        };
        if let Err(errno) = changed {
            input::complain_about(proc, "cannot change ownership of", &path, errno).await;
        }
        if let Err(errno) = proc.change_mode(&path, change.apply(0, directories, 0)) {
            input::complain_about(proc, "cannot change permissions of", &path, errno).await;
        }
    }
    proc.status()
}

/// Makes a directory and those it lies in.
async fn parents(proc: &mut Process, path: &[u8], _last: bool, verbose: bool) -> bool {
    let path = input::trim_slashes(path);
    let ends: Vec<usize> = path
        .iter()
        .enumerate()
        .filter(|(at, byte)| **byte == b'/' && *at > 0)
        .map(|(at, _)| at)
        .collect();
    for end in ends.into_iter().chain([path.len()]) {
        let part = path.get(..end).unwrap_or_default();
        match proc.make_directory(part, 0o755) {
            Ok(()) if verbose => {
                let line = [
                    proc.name(),
                    b": creating directory ",
                    &quote::always(proc, part),
                    b"\n",
                ]
                .concat();
                // A closed output is reported when the program ends.
                let _reported_at_exit = proc.print(&line).await;
            }
            Ok(()) => {}
            Err(_) if proc.stat(part).is_ok_and(|found| found.is_dir()) => {}
            Err(errno) => {
                input::complain_about(proc, "cannot create directory", part, errno).await;
                return false;
            }
        }
    }
    true
}

#[expect(
    clippy::too_many_lines,
    reason = "one arm for each option, in one place"
)]
pub(crate) async fn run_shred(proc: &mut Process) -> ExitStatus {
    const SPEC: Spec = Spec::gnu(
        "fn:s:uvxz",
        &[
            ("exact", Arity::No, "x"),
            ("force", Arity::No, "f"),
            ("iterations", Arity::Required, "n"),
            ("size", Arity::Required, "s"),
            ("random-source", Arity::Required, "ignored"),
            ("remove", Arity::Optional, "u"),
            ("verbose", Arity::No, "v"),
            ("zero", Arity::No, "z"),
        ],
    );
    let (mut remove, mut verbose, mut zero, mut passes) = (false, false, false, 3);
    let mut options = Getopt::new(&SPEC, proc.args());
    while let Some(option) = options.next() {
        match option.map(|option| (option.key, option.value)) {
            Ok(("u", _)) => remove = true,
            Ok(("v", _)) => verbose = true,
            Ok(("z", _)) => zero = true,
            Ok(("n", value)) => match input::decimal(&value) {
                Some(count) => passes = count,
                None => {
                    return input::complain_word(proc, "invalid number of passes:", &value).await;
                }
            },
            Ok(("f" | "s" | "x" | "ignored", _)) => {}
            Ok((key, _)) => return about::run(proc, key, "shred").await,
            Err(error) => return refuse(proc, &error, 1).await,
        }
    }
    let operands = options.operands();
    if operands.is_empty() {
        return input::refuse_text(proc, "missing file operand").await;
    }
    let all = passes + u64::from(zero);
    for path in operands {
        let shown = quote::file(proc, &path);
        let fd = match proc.open(&path, OpenFlags::WRITE, 0).await {
            Ok(fd) => fd,
            Err(errno) => {
                proc.complain(
                    &[shown.as_slice(), b": failed to open for writing"].concat(),
                    errno,
                )
                .await;
                continue;
            }
        };
        let size = proc
            .fstat(fd)
            .map_or(0, |found| found.size.div_ceil(4096) * 4096);
        for pass in 1..=all {
            let zeros = zero && pass == all;
            if verbose {
                let kind = if zeros { "000000" } else { "random" };
                let text = format!(": pass {pass}/{all} ({kind})...\n");
                proc.print_error(&[proc.name(), b": ", &shown, text.as_bytes()].concat())
                    .await;
            }
            // The file was opened just now; a regular one can be rewound.
            let _rewound = proc.seek(fd, Seek::Start(0));
            let mut left = size;
            while left > 0 {
                let byte = if zeros {
                    0
                } else {
                    u8::try_from(proc.random() & 0xff).unwrap_or_default()
                };
                let block = vec![byte; usize::try_from(left.min(4096)).unwrap_or(4096)];
                if let Err(errno) = proc.write_all(fd, &block).await {
                    proc.complain(&[shown.as_slice(), b": error writing"].concat(), errno)
                        .await;
                    break;
                }
                left -= block.len() as u64;
            }
        }
        // All was written.
        let _closed = proc.close(fd);
        if remove {
            if verbose {
                proc.print_error(&[proc.name(), b": ", &shown, b": removing\n"].concat())
                    .await;
            }
            if let Err(errno) = proc.unlink(&path) {
                proc.complain(&[shown.as_slice(), b": failed to remove"].concat(), errno)
                    .await;
            } else if verbose {
                proc.print_error(&[proc.name(), b": ", &shown, b": removed\n"].concat())
                    .await;
            }
        }
    }
    proc.status()
}
