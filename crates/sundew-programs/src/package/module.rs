//! kmod under its names (`lsmod`, `modprobe`, `insmod`, `rmmod`, `depmod`, `modinfo`), and `lspci`.

use sundew_kernel::{ExitStatus, Process};

use super::{fail, lines, print, read};

/// kmod.
#[expect(
    clippy::too_many_lines,
    reason = "one command line and what it leads to, read top-down"
)]
pub(super) async fn run(proc: &mut Process) -> ExitStatus {
    let name = String::from_utf8_lossy(proc.base_name()).into_owned();
    let words: Vec<Vec<u8>> = proc
        .args()
        .iter()
        .skip(1)
        .filter(|word| !word.starts_with(b"-"))
        .cloned()
        .collect();
    if let Some(status) = options(proc, &name).await {
        return status;
    }
    let removes = proc
        .args()
        .iter()
        .any(|word| word == b"-r" || word == b"--remove");
    let release = String::from_utf8_lossy(&proc.facts().kernel_release).into_owned();
    let first = words
        .first()
        .map(|word| String::from_utf8_lossy(word).into_owned());
    match (name.as_str(), first) {
        ("lsmod", Some(_)) => fail(proc, crate::net::help("lsmod"), 1).await,
        ("lsmod", None) => lsmod(proc).await,
        ("modprobe", None) => fail(proc, "modprobe: ERROR: missing parameters. See -h.\n", 1).await,
        ("modprobe", Some(module)) => {
            if loaded(proc, &module).await {
                return proc.status();
            }
            if removes {
                let text = format!("modprobe: FATAL: Module {module} not found.\n");
                return fail(proc, text, 1).await;
            }
            fail(proc, format!("modprobe: FATAL: Module {module} not found in directory /lib/modules/{release}\n"), 1).await
        }
        ("insmod", None) => fail(proc, "insmod: ERROR: missing filename.\n", 1).await,
        ("insmod", Some(file)) => {
            let text = match proc.stat(file.as_bytes()) {
                Ok(_) => format!(
                    "insmod: ERROR: could not insert module {file}: Invalid module format\n"
                ),
                Err(errno) => format!(
                    "insmod: ERROR: could not load module {file}: {}\n",
                    errno.message()
                ),
            };
            fail(proc, text, 1).await
        }
        ("rmmod", None) => fail(proc, "rmmod: ERROR: missing module name.\n", 1).await,
        ("rmmod", Some(module)) if loaded(proc, &module).await => {
            fail(
                proc,
                format!("rmmod: ERROR: Module {module} is in use\n"),
                1,
            )
            .await
        }
        ("rmmod", Some(module)) => {
            fail(
                proc,
                format!("rmmod: ERROR: Module {module} is not currently loaded\n"),
                1,
            )
            .await
        }
        ("modinfo", Some(module)) => {
            fail(
                proc,
                format!("modinfo: ERROR: Module {module} not found.\n"),
                1,
            )
            .await
        }
        ("modinfo", None) => fail(proc, "modinfo: ERROR: missing module or filename.\n", 1).await,
        ("depmod", Some(version)) if !version.starts_with(|first: char| first.is_ascii_digit()) => {
            fail(
                proc,
                format!("depmod: ERROR: Bad version passed {version}\n"),
                1,
            )
            .await
        }
        _ => proc.status(),
    }
}

/// `-h`, `-V` and what is no option of the program.
async fn options(proc: &mut Process, name: &str) -> Option<ExitStatus> {
    let (letters, with_value) = match name {
        "modprobe" => ("arRibfDcnsqvVh", "CdSw"),
        "depmod" => ("aAenPvwVh", "bCEF"),
        "insmod" => ("fpsVh", ""),
        "rmmod" => ("fsvwVh", ""),
        "modinfo" => ("adlpn0mVh", "Fkb"),
        "lsmod" if proc.args().len() > 1 => {
            return Some(fail(proc, crate::net::help("lsmod"), 1).await);
        }
        _ => return None,
    };
    let long = [
        "help",
        "version",
        "all",
        "remove",
        "verbose",
        "quiet",
        "force",
        "dry-run",
        "show",
        "show-depends",
        "resolve-alias",
        "showconfig",
        "show-config",
        "first-time",
        "syslog",
        "use-blacklist",
        "remove-holders",
        "wait",
        "config",
        "dirname",
        "set-version",
        "field",
        "filename",
        "author",
        "description",
        "license",
        "parameters",
        "basedir",
        "quick",
        "null",
    ];
    if let Some(text) = crate::net::unknown(proc.args(), name, letters, with_value, &long) {
        return Some(fail(proc, text, 1).await);
    }
    let words: Vec<Vec<u8>> = proc.args().iter().skip(1).cloned().collect();
    let has = |short: &[u8], long: &[u8]| words.iter().any(|word| word == short || word == long);
    if has(b"-h", b"--help") {
        return Some(print(proc, crate::net::help(name)).await);
    }
    if has(b"-V", b"--version") {
        let text = "kmod version 30\n+ZSTD +XZ -ZLIB +LIBCRYPTO -EXPERIMENTAL\n";
        return Some(print(proc, text).await);
    }
    None
}

async fn loaded(proc: &Process, name: &str) -> bool {
    let text = read(proc, b"/proc/modules").await.unwrap_or_default();
    lines(&text)
        .iter()
        .any(|line| line.split(|&byte| byte == b' ').next() == Some(name.as_bytes()))
}

async fn lsmod(proc: &mut Process) -> ExitStatus {
    let text = read(proc, b"/proc/modules").await.unwrap_or_default();
    let mut out = String::from("Module                  Size  Used by\n");
    for line in String::from_utf8_lossy(&text).lines() {
        let mut fields = line.split(' ');
        let mut next = || fields.next().unwrap_or_default();
        let (name, size, uses, by) = (next(), next(), next(), next());
        let by = by.trim_end_matches(',').trim_matches('-');
        let line = format!("{name:<19} {size:>8}  {uses} {by}");
        out += line.trim_end_matches(' ');
        out.push('\n');
    }
    print(proc, out).await
}

/// `lspci`: the devices of a small virtual machine.
pub(super) async fn lspci(proc: &mut Process) -> ExitStatus {
    if let Some(text) = crate::net::unknown(
        proc.args(),
        "lspci",
        "nvbxtkmqQDPMGF",
        "sdiHAOp",
        &["version", "help"],
    ) {
        return crate::net::refuse(proc, &text, "lspci", 1).await;
    }
    let words: Vec<Vec<u8>> = proc.args().iter().skip(1).cloned().collect();
    if words.iter().any(|word| word == b"--version") {
        return print(proc, "lspci version 3.9.0\n").await;
    }
    let mut rest = words.iter();
    while let Some(word) = rest.next() {
        let filter = |letter: &[u8]| {
            word.strip_prefix(b"-")
                .filter(|rest| rest.starts_with(letter))
        };
        let is_hex = |text: &[u8]| {
            text.iter()
                .all(|byte| byte.is_ascii_hexdigit() || b"*:.".contains(byte))
        };
        if filter(b"s").is_some() || filter(b"d").is_some() {
            let slot = filter(b"s").is_some();
            let glued = word.get(2..).unwrap_or_default();
            let value = if glued.is_empty() {
                rest.next().map(Vec::as_slice).unwrap_or_default()
            } else {
                glued
            };
            if slot && !is_hex(value) {
                return fail(proc, "lspci: -s: Invalid slot number\n", 1).await;
            }
            if !slot && !value.contains(&b':') {
                return fail(proc, "lspci: -d: At least two fields must be given\n", 1).await;
            }
        } else if !word.starts_with(b"-") {
            return crate::net::refuse(proc, "", "lspci", 1).await;
        }
    }
    print(
        proc,
        "00:00.0 Host bridge: Intel Corporation 440FX - 82441FX PMC [Natoma] (rev 02)\n\
         00:01.0 ISA bridge: Intel Corporation 82371SB PIIX3 ISA [Natoma/Triton II]\n\
         00:01.1 IDE interface: Intel Corporation 82371SB PIIX3 IDE [Natoma/Triton II]\n\
         00:01.3 Bridge: Intel Corporation 82371AB/EB/MB PIIX4 ACPI (rev 03)\n\
         00:02.0 VGA compatible controller: Device 1234:1111 (rev 02)\n\
         00:03.0 Ethernet controller: Red Hat, Inc. Virtio network device\n\
         00:04.0 SCSI storage controller: Red Hat, Inc. Virtio block device\n",
    )
    .await
}
