//! Debian's own: users, packages, services, modules; and what reads their files.

use sundew_kernel::descriptor::OpenFlags;
use sundew_kernel::program::Program;
use sundew_kernel::{Errno, ExitStatus, Process};

mod account;
mod apt;
mod attribute;
mod become_;
mod crontab;
mod debian;
mod dpkg;
mod getent;
mod group;
mod journal;
mod libc;
mod module;
mod said;
mod secret;
mod service;
mod which;

pub(crate) use debian::machine as hypervisor;

/// The programs of this origin.
pub(crate) const TABLE: &[Program] = &[
    Program {
        name: "adduser",
        run: |p| Box::pin(account::adduser(p)),
    },
    Program {
        name: "apt",
        run: |p| Box::pin(apt::run(p)),
    },
    Program {
        name: "apt-get",
        run: |p| Box::pin(apt::run(p)),
    },
    Program {
        name: "chattr",
        run: |p| Box::pin(attribute::chattr(p)),
    },
    Program {
        name: "chage",
        run: |p| Box::pin(group::chage(p)),
    },
    Program {
        name: "chfn",
        run: |p| Box::pin(group::chfn(p)),
    },
    Program {
        name: "chsh",
        run: |p| Box::pin(group::chsh(p)),
    },
    Program {
        name: "gpasswd",
        run: |p| Box::pin(group::gpasswd(p)),
    },
    Program {
        name: "groupdel",
        run: |p| Box::pin(group::groupdel(p)),
    },
    Program {
        name: "groupmod",
        run: |p| Box::pin(group::groupmod(p)),
    },
    Program {
        name: "journalctl",
        run: |p| Box::pin(journal::run(p)),
    },
    Program {
        name: "lastlog",
        run: |p| Box::pin(group::lastlog(p)),
    },
    Program {
        name: "newgrp",
        run: |p| Box::pin(group::newgrp(p)),
    },
    Program {
        name: "apt-cache",
        run: |p| Box::pin(apt::cache(p)),
    },
    Program {
        name: "chpasswd",
        run: |p| Box::pin(account::chpasswd(p)),
    },
    Program {
        name: "run-parts",
        run: |p| Box::pin(debian::run_parts(p)),
    },
    Program {
        name: "ischroot",
        run: |p| Box::pin(debian::ischroot(p)),
    },
    Program {
        name: "systemd-detect-virt",
        run: |p| Box::pin(debian::detect_virt(p)),
    },
    Program {
        name: "runuser",
        run: |p| Box::pin(become_::runuser(p)),
    },
    Program {
        name: "crontab",
        run: |p| Box::pin(crontab::run(p)),
    },
    Program {
        name: "deluser",
        run: |p| Box::pin(account::deluser(p)),
    },
    Program {
        name: "dpkg",
        run: |p| Box::pin(dpkg::run(p)),
    },
    Program {
        name: "dpkg-query",
        run: |p| Box::pin(dpkg::run(p)),
    },
    Program {
        name: "getconf",
        run: |p| Box::pin(libc::getconf(p)),
    },
    Program {
        name: "getent",
        run: |p| Box::pin(getent::run(p)),
    },
    Program {
        name: "groupadd",
        run: |p| Box::pin(account::groupadd(p)),
    },
    Program {
        name: "kmod",
        run: |p| Box::pin(module::run(p)),
    },
    Program {
        name: "locale",
        run: |p| Box::pin(libc::locale(p)),
    },
    Program {
        name: "lsattr",
        run: |p| Box::pin(attribute::lsattr(p)),
    },
    Program {
        name: "lspci",
        run: |p| Box::pin(module::lspci(p)),
    },
    Program {
        name: "nologin",
        run: |p| Box::pin(account::nologin(p)),
    },
    Program {
        name: "passwd",
        run: |p| Box::pin(account::passwd(p)),
    },
    Program {
        name: "service",
        run: |p| Box::pin(service::service(p)),
    },
    Program {
        name: "su",
        run: |p| Box::pin(become_::su(p)),
    },
    Program {
        name: "sudo",
        run: |p| Box::pin(become_::sudo(p)),
    },
    Program {
        name: "systemctl",
        run: |p| Box::pin(service::systemctl(p)),
    },
    Program {
        name: "update-rc.d",
        run: |p| Box::pin(service::update_rc(p)),
    },
    Program {
        name: "useradd",
        run: |p| Box::pin(account::useradd(p)),
    },
    Program {
        name: "userdel",
        run: |p| Box::pin(account::userdel(p)),
    },
    Program {
        name: "usermod",
        run: |p| Box::pin(account::usermod(p)),
    },
    Program {
        name: "which",
        run: |p| Box::pin(which::run(p)),
    },
];

/// Sections `=== NAME`, each followed by what `NAME --help` prints.
const HELP: &str = include_str!("package/help.txt");

/// What `--help` prints.
fn help(name: &str) -> &'static [u8] {
    let section = HELP
        .split("=== ")
        .find_map(|section| section.strip_prefix(name)?.strip_prefix('\n'));
    section.unwrap_or_default().as_bytes()
}

async fn print(proc: &mut Process, text: impl AsRef<[u8]>) -> ExitStatus {
    // Whoever does not want the text needs no complaint about it.
    let _closed = proc.print(text.as_ref()).await;
    proc.status()
}

async fn fail(proc: &mut Process, text: impl AsRef<[u8]>, status: u8) -> ExitStatus {
    proc.print_error(text.as_ref()).await;
    ExitStatus::Exited(status)
}

/// A whole file.
async fn read(proc: &Process, path: &[u8]) -> Result<Vec<u8>, Errno> {
    let fd = proc.open(path, OpenFlags::READ, 0).await?;
    let text = proc.read_to_end(fd).await.map(|(text, _)| text);
    // Opened above.
    let _open = proc.close(fd);
    text
}

/// Writes a whole file anew.
async fn write(proc: &Process, path: &[u8], text: &[u8], mode: u16) -> Result<(), Errno> {
    let fd = proc.open(path, OpenFlags::CREATE, mode).await?;
    let written = proc.write_all(fd, text).await;
    // Opened above.
    let _open = proc.close(fd);
    written
}

/// Text by lines, without the last empty one.
pub(crate) fn lines(text: &[u8]) -> Vec<Vec<u8>> {
    let mut lines: Vec<Vec<u8>> = text
        .split(|&byte| byte == b'\n')
        .map(<[u8]>::to_vec)
        .collect();
    if lines.last().is_some_and(Vec::is_empty) {
        lines.pop();
    }
    lines
}

/// Lines as text.
fn joined(lines: &[Vec<u8>]) -> Vec<u8> {
    lines
        .iter()
        .flat_map(|line| line.iter().copied().chain([b'\n']))
        .collect()
}
