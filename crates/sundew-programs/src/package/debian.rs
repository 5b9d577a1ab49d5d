//! Of debianutils 5.7: `run-parts`, `ischroot`; and `systemd-detect-virt` of systemd 252.

use sundew_kernel::process::Spawn;
use sundew_kernel::{ExitStatus, Process};
use sundew_vfs::{Access, FileType};

use super::{fail, help, print, read};
use crate::text::shell;

const PARTS_VERSION: &str = "Debian run-parts program, version 5.7\n\
    Copyright (C) 1994 Ian Jackson, Copyright (C) 1996 Jeff Noxon.\n\
    Copyright (C) 1996,1997,1998,1999 Guy Maor\n\
    Copyright (C) 2002-2020 Clint Adams\n\
    This is free software; see the GNU General Public License version 2\n\
    or later for copying conditions.  There is NO warranty.\n";

const CHROOT_VERSION: &str = "Debian ischroot, version 5.7Copyright (C) 2011 Aurelien Jarno\n\
    This is free software; see the GNU General Public License version 2\n\
    or later for copying conditions.  There is NO warranty.\n";

/// What `run-parts` was asked for.
#[derive(Debug, Default)]
struct Parts {
    test: bool,
    list: bool,
    verbose: bool,
    report: bool,
    reverse: bool,
    stops: bool,
    arguments: Vec<Vec<u8>>,
    directory: Option<Vec<u8>>,
}

/// `run-parts`: the programs of a directory one after the other.
pub(super) async fn run_parts(proc: &mut Process) -> ExitStatus {
    let mut own = Parts::default();
    let mut words: std::collections::VecDeque<Vec<u8>> =
        proc.args().iter().skip(1).cloned().collect();
    while let Some(word) = words.pop_front() {
        match word.as_slice() {
            b"--test" => own.test = true,
            b"--list" => own.list = true,
            b"-v" | b"--verbose" => own.verbose = true,
            b"--report" => own.report = true,
            b"--reverse" => own.reverse = true,
            b"--exit-on-error" => own.stops = true,
            b"-a" | b"--arg" => own.arguments.extend(words.pop_front()),
            b"-u" | b"--umask" => drop(words.pop_front()),
            b"-d" | b"--debug" | b"--lsbsysinit" | b"--new-session" | b"--stdin" | b"--" => {}
            b"-h" | b"--help" => return print(proc, help("run-parts")).await,
            b"-V" | b"--version" => return print(proc, PARTS_VERSION).await,
            option if option.starts_with(b"--arg=") => {
                own.arguments
                    .push(option.get(6..).unwrap_or_default().to_vec());
            }
            option if option.starts_with(b"--umask=") || option.starts_with(b"--regex=") => {}
            option if option.starts_with(b"-") && option.len() > 1 => {
                let shown = String::from_utf8_lossy(option).into_owned();
                let words = if shown.starts_with("--") {
                    format!("unrecognized option '{shown}'")
                } else {
                    let letter = shown.chars().nth(1).unwrap_or('-');
                    format!("invalid option -- '{letter}'")
                };
                let text =
                    format!("run-parts: {words}\nTry `run-parts --help' for more information.\n");
                return fail(proc, text, 1).await;
            }
            _ => own.directory = Some(word),
        }
    }
    let Some(directory) = own.directory.clone() else {
        let text = "run-parts: missing operand\nTry `run-parts --help' for more information.\n";
        return fail(proc, text, 1).await;
    };
    let entries = match proc.read_directory(&directory) {
        Ok(entries) => entries,
        Err(errno) => {
            let shown = String::from_utf8_lossy(&directory).into_owned();
            let text = format!(
                "run-parts: failed to open directory {shown}: {}\n",
                errno.message()
            );
            return fail(proc, text, 1).await;
        }
    };
    let mut names: Vec<Vec<u8>> = entries.iter().map(|entry| entry.name.to_vec()).collect();
    names.retain(|name| {
        !name.is_empty()
            && name
                .iter()
                .all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-'))
    });
    names.sort();
    if own.reverse {
        names.reverse();
    }
    parts(proc, &own, &directory, &names).await
}

async fn parts(proc: &mut Process, own: &Parts, directory: &[u8], names: &[Vec<u8>]) -> ExitStatus {
    let mut status = ExitStatus::SUCCESS;
    for name in names {
        proc.tick().await;
        let slash: &[u8] = if directory.ends_with(b"/") { b"" } else { b"/" };
        let path = [directory, slash, name].concat();
        let regular = proc
            .stat(&path)
            .is_ok_and(|own| own.file_type == FileType::Regular);
        if !regular {
            continue;
        }
        let runs = proc.access(&path, Access::Execute).is_ok();
        let line = [path.as_slice(), b"\n"].concat();
        if own.list || own.test && runs {
            if proc.print(&line).await.is_err() {
                return proc.status();
            }
            continue;
        }
        if own.test || !runs {
            continue;
        }
        if own.verbose {
            let text = [b"run-parts: executing ".as_slice(), &line].concat();
            proc.print_error(&text).await;
        }
        let code = one(proc, own, &path).await;
        if code != 0 {
            let shown = String::from_utf8_lossy(&path).into_owned();
            let text = format!("run-parts: {shown} exited with return code {code}\n");
            proc.print_error(text.as_bytes()).await;
            status = ExitStatus::FAILURE;
            if own.stops {
                return status;
            }
        }
    }
    status
}

/// Runs one part; its status.
async fn one(proc: &mut Process, own: &Parts, path: &[u8]) -> u8 {
    let _flushed = proc.flush().await;
    let mut args = vec![path.to_vec()];
    args.extend(own.arguments.iter().cloned());
    let spawned = proc.spawn(Spawn {
        path: path.to_vec(),
        args,
        env: proc.env().clone(),
    });
    match spawned {
        Ok(pid) => shell::wait(proc, pid).await.code(),
        Err(errno) => {
            let shown = String::from_utf8_lossy(path).into_owned();
            let text = format!("run-parts: failed to exec {shown}: {}\n", errno.message());
            proc.print_error(text.as_bytes()).await;
            1
        }
    }
}

/// `ischroot`: a whole machine is none.
pub(super) async fn ischroot(proc: &mut Process) -> ExitStatus {
    let word = proc.args().get(1).cloned().unwrap_or_default();
    match word.as_slice() {
        b"" | b"-f" | b"-t" | b"--default-false" | b"--default-true" => ExitStatus::FAILURE,
        b"-V" | b"--version" => print(proc, CHROOT_VERSION).await,
        b"-h" | b"--help" => print(proc, help("ischroot").trim_ascii_end()).await,
        option => {
            let shown = String::from_utf8_lossy(option).into_owned();
            let words = if shown.starts_with("--") {
                format!("unrecognized option '{shown}'")
            } else {
                let letter = shown.chars().nth(1).unwrap_or('-');
                format!("invalid option -- '{letter}'")
            };
            let text = format!("ischroot: {words}\nTry `ischroot --help' for more information.\n");
            fail(proc, text, 1).await
        }
    }
}

/// Names that `systemd-detect-virt --list` shows.
const VIRTUALIZATIONS: &str = "none\nkvm\namazon\nqemu\nbochs\nxen\numl\nvmware\noracle\nmicrosoft\nzvm\n\
    parallels\nbhyve\nqnx\nacrn\npowervm\napple\nsre\ngoogle\nvm-other\nsystemd-nspawn\nlxc-libvirt\nlxc\n\
    openvz\ndocker\npodman\nrkt\nwsl\nproot\npouch\ncontainer-other\n";

/// `systemd-detect-virt`: by the machine's DMI strings and processor, as the real one goes about it.
pub(super) async fn detect_virt(proc: &mut Process) -> ExitStatus {
    let (mut quiet, mut containers, mut machines) = (false, true, true);
    for word in proc.args().iter().skip(1).cloned().collect::<Vec<_>>() {
        match word.as_slice() {
            b"-q" | b"--quiet" => quiet = true,
            b"-c" | b"--container" => machines = false,
            b"-v" | b"--vm" => containers = false,
            b"-r" | b"--chroot" | b"--private-users" => (containers, machines) = (false, false),
            b"--list" => return print(proc, VIRTUALIZATIONS).await,
            option if option.starts_with(b"-") => {
                let shown = String::from_utf8_lossy(option).into_owned();
                let words = if shown.starts_with("--") {
                    format!("unrecognized option '{shown}'")
                } else {
                    let letter = shown.chars().nth(1).unwrap_or('-');
                    format!("invalid option -- '{letter}'")
                };
                let text = format!("systemd-detect-virt: {words}\n");
                return fail(proc, text, 1).await;
            }
            _ => {
                let text = "systemd-detect-virt takes no arguments.\n";
                return fail(proc, text, 1).await;
            }
        }
    }
    let _no_container = containers;
    let found = if machines {
        machine(proc).await
    } else {
        "none"
    };
    if !quiet && (containers || machines) {
        let _closed = proc.print(format!("{found}\n").as_bytes()).await;
    }
    if found == "none" {
        ExitStatus::FAILURE
    } else {
        ExitStatus::SUCCESS
    }
}

/// The hypervisor this machine runs on.
pub(crate) async fn machine(proc: &Process) -> &'static str {
    let mut texts = Vec::new();
    for name in ["product_name", "sys_vendor", "board_vendor", "bios_vendor"] {
        let path = format!("/sys/class/dmi/id/{name}");
        texts.push(read(proc, path.as_bytes()).await.unwrap_or_default());
    }
    let begins = |prefix: &[u8]| texts.iter().any(|text| text.starts_with(prefix));
    let cpu = read(proc, b"/proc/cpuinfo").await.unwrap_or_default();
    let guest = cpu
        .split(|byte| byte.is_ascii_whitespace())
        .any(|word| word == b"hypervisor");
    for (prefix, name) in [
        (b"Amazon EC2".as_slice(), "amazon"),
        (b"VMware", "vmware"),
        (b"VMW", "vmware"),
        (b"innotek GmbH", "oracle"),
        (b"Xen", "xen"),
        (b"Parallels", "parallels"),
        (b"Microsoft", "microsoft"),
        (b"Google", "google"),
    ] {
        if begins(prefix) {
            return name;
        }
    }
    if guest || begins(b"KVM") || begins(b"QEMU") || begins(b"OpenStack") {
        // All the others hosts of ours are KVM's, which the processor's leaves say.
        return "kvm";
    }
    "none"
}
