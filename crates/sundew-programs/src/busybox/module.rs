//! Kernel modules in BusyBox's own form: lsmod, insmod, rmmod, modprobe, modinfo, depmod.

use sundew_kernel::{Errno, ExitStatus, Process};

use super::borrowed::text_of;
use super::{complain, printed, usage};

/// What insmod answers for a file that is no module: ENOEXEC.
const INVALID_FORMAT: &str = "invalid module format";

pub(super) async fn run(proc: &mut Process, name: &[u8]) -> ExitStatus {
    match name {
        b"lsmod" => lsmod(proc).await,
        b"insmod" => insmod(proc).await,
        b"rmmod" => rmmod(proc).await,
        b"modinfo" => modinfo(proc).await,
        _ => modprobe(proc, name).await,
    }
}

fn operands(proc: &Process) -> Vec<Vec<u8>> {
    let words = proc.args().iter().skip(1);
    words
        .filter(|word| !word.starts_with(b"-"))
        .cloned()
        .collect()
}

/// `lsmod`: the kernel's list in columns.
async fn lsmod(proc: &mut Process) -> ExitStatus {
    let table = text_of(proc, b"/proc/modules").await;
    let table = String::from_utf8_lossy(&table).into_owned();
    // A module from outside the kernel's own tree, as a vendor's are, taints it.
    let tainted = if table.contains("(O)") {
        "    Tainted: G  \n"
    } else {
        "    Not tainted\n"
    };
    let mut out = format!("Module                  Size  Used by{tainted}");
    for line in table.lines() {
        let fields: Vec<&str> = line.split_whitespace().collect();
        let [name, size, count, users, ..] = fields.as_slice() else {
            continue;
        };
        let users = if *users == "-" { "" } else { users };
        out += &format!(
            "{name:<19} {size:>8} {count:>2} {}\n",
            users.trim_end_matches(',')
        );
    }
    printed(proc, out.as_bytes()).await
}

/// `insmod`: a stranger's module does not fit this kernel.
async fn insmod(proc: &mut Process) -> ExitStatus {
    let Some(path) = proc.args().get(1).cloned() else {
        return usage::refuse(proc, b"insmod").await;
    };
    let (reason, status) = match proc.stat(&path) {
        // The negated error number, as a byte.
        Err(Errno::Enoent) => (Errno::Enoent.message(), 254),
        Err(errno) => (errno.message(), 1),
        Ok(_) if proc.credentials().uid != 0 => (Errno::Eperm.message(), 1),
        Ok(_) => (INVALID_FORMAT, 1),
    };
    let text = [
        b"can't insert '",
        path.as_slice(),
        b"': ",
        reason.as_bytes(),
    ]
    .concat();
    complain(proc, "insmod", text).await;
    ExitStatus::Exited(status)
}

/// `rmmod`: what is loaded is in use.
async fn rmmod(proc: &mut Process) -> ExitStatus {
    let names = operands(proc);
    if names.is_empty() {
        return usage::refuse(proc, b"rmmod").await;
    }
    let table = text_of(proc, b"/proc/modules").await;
    let mut status = ExitStatus::SUCCESS;
    for name in names {
        let name = name.strip_suffix(b".ko").unwrap_or(&name).to_vec();
        let loaded = table
            .split(|&byte| byte == b'\n')
            .any(|line| line.starts_with(&[name.as_slice(), b" "].concat()));
        let errno = if proc.credentials().uid != 0 {
            Errno::Eperm
        } else if loaded {
            Errno::Ebusy
        } else {
            Errno::Enoent
        };
        let text = [
            b"can't unload module '",
            name.as_slice(),
            b"': ",
            errno.message().as_bytes(),
        ]
        .concat();
        status = complain(proc, "rmmod", text).await;
    }
    status
}

/// The directory of this kernel's modules; a camera has none.
fn directory(proc: &Process) -> Vec<u8> {
    [b"/lib/modules/", proc.facts().kernel_release.as_slice()].concat()
}

/// `modprobe` and `depmod`: both start in the directory of the modules.
async fn modprobe(proc: &mut Process, name: &[u8]) -> ExitStatus {
    let applet = if name == b"depmod" {
        "depmod"
    } else {
        "modprobe"
    };
    for path in [b"/lib/modules".to_vec(), directory(proc)] {
        if let Err(errno) = proc.stat(&path) {
            let path = if path == b"/lib/modules" {
                path
            } else {
                proc.facts().kernel_release.clone()
            };
            let text = [
                b"can't change directory to '",
                path.as_slice(),
                b"': ",
                errno.message().as_bytes(),
            ]
            .concat();
            return complain(proc, applet, text).await;
        }
    }
    let Some(module) = operands(proc).into_iter().next() else {
        return ExitStatus::SUCCESS;
    };
    let text = [b"module ", module.as_slice(), b" not found in modules.dep"].concat();
    complain(proc, applet, text).await
}

async fn modinfo(proc: &mut Process) -> ExitStatus {
    let path = [directory(proc).as_slice(), b"/modules.dep"].concat();
    match proc.stat(&path) {
        Err(errno) => {
            let reason = errno.message().as_bytes();
            let text = [b"can't open '", path.as_slice(), b"': ", reason].concat();
            complain(proc, "modinfo", text).await
        }
        Ok(_) => {
            let name = operands(proc).into_iter().next().unwrap_or_default();
            let text = [b"module '", name.as_slice(), b"' not found"].concat();
            complain(proc, "modinfo", text).await
        }
    }
}
