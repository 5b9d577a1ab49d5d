//! Programs of the base system that few people call: libc-bin, ncurses-bin, e2fsprogs, systemd's
//! tools, dpkg's and apt's helpers, libcap, the rest of shadow.

use sundew_kernel::descriptor::OpenFlags;
use sundew_kernel::program::Program;
use sundew_kernel::{Errno, ExitStatus, Process};

mod alternatives;
mod analyze;
mod apt;
mod bus;
mod capability;
mod cgroup;
mod cli;
mod daemon;
mod debugfs;
mod dpkg;
mod extent;
mod extfs;
mod libc;
mod logsave;
mod manager;
mod pmap;
mod process;
mod psmisc;
pub(crate) mod rare;
mod shadow;
mod sudoers;
mod systemd;
mod terminal;
mod udev;
mod unit;

macro_rules! programs {
    ($($name:literal => $module:ident :: $run:ident,)*) => {
        /// The programs of this origin.
        pub(crate) const TABLE: &[Program] =
            &[$(Program { name: $name, run: |proc| Box::pin($module::$run(proc)) },)*];
    };
}

programs! {
    "apt-cdrom" => apt::cdrom,
    "apt-config" => apt::config,
    "apt-mark" => apt::mark,
    "badblocks" => extent::badblocks,
    "busctl" => bus::busctl,
    "capsh" => capability::capsh,
    "chgpasswd" => shadow::chgpasswd,
    "clear_console" => terminal::clear_console,
    "cppw" => shadow::cppw,
    "cron" => daemon::cron,
    "debugfs" => debugfs::debugfs,
    "dpkg-deb" => dpkg::deb,
    "dpkg-divert" => dpkg::divert,
    "dpkg-split" => dpkg::split,
    "dpkg-statoverride" => dpkg::statoverride,
    "dpkg-trigger" => dpkg::trigger,
    "dumpe2fs" => extfs::dumpe2fs,
    "e2freefrag" => extent::e2freefrag,
    "e2fsck" => extfs::e2fsck,
    "e2image" => extent::e2image,
    "e2undo" => extent::e2undo,
    "e4crypt" => extent::e4crypt,
    "e4defrag" => extent::e4defrag,
    "expiry" => shadow::expiry,
    "faillog" => shadow::faillog,
    "filefrag" => extent::filefrag,
    "getcap" => capability::getcap,
    "getpcaps" => capability::getpcaps,
    "groupmems" => shadow::groupmems,
    "grpck" => shadow::grpck,
    "grpconv" => shadow::convert,
    "grpunconv" => shadow::convert,
    "hostnamectl" => manager::hostnamectl,
    "iconv" => libc::iconv,
    "iconvconfig" => libc::iconvconfig,
    "infocmp" => terminal::infocmp,
    "ldconfig" => libc::ldconfig,
    "localectl" => bus::localectl,
    "localedef" => libc::localedef,
    "loginctl" => manager::loginctl,
    "logsave" => logsave::logsave,
    "mke2fs" => extfs::mke2fs,
    "mklost+found" => extent::mklost_found,
    "networkctl" => bus::networkctl,
    "newusers" => shadow::newusers,
    "pldd" => libc::pldd,
    "pwck" => shadow::pwck,
    "pwconv" => shadow::convert,
    "pwunconv" => shadow::convert,
    "resize2fs" => extfs::resize2fs,
    "setcap" => capability::setcap,
    "setterm" => terminal::setterm,
    "start-stop-daemon" => daemon::start_stop,
    "systemd-analyze" => analyze::analyze,
    "systemd-ask-password" => systemd::ask_password,
    "systemd-cat" => systemd::cat,
    "systemd-cgls" => cgroup::cgls,
    "systemd-cgtop" => cgroup::cgtop,
    "systemd-creds" => systemd::small,
    "systemd-cryptenroll" => systemd::small,
    "systemd-delta" => systemd::delta,
    "systemd-escape" => unit::escape,
    "systemd-firstboot" => systemd::small,
    "systemd-hwdb" => systemd::small,
    "systemd-id128" => unit::id128,
    "systemd-inhibit" => systemd::inhibit,
    "systemd-machine-id-setup" => systemd::small,
    "systemd-mount" => systemd::small,
    "systemd-notify" => systemd::notify,
    "systemd-path" => unit::path,
    "systemd-repart" => systemd::small,
    "systemd-run" => systemd::run,
    "systemd-socket-activate" => systemd::small,
    "systemd-stdio-bridge" => systemd::small,
    "systemd-sysext" => systemd::small,
    "systemd-sysusers" => systemd::small,
    "systemd-tmpfiles" => systemd::small,
    "systemd-tty-ask-password-agent" => systemd::small,
    "tabs" => terminal::tabs,
    "tempfile" => daemon::tempfile,
    "tic" => terminal::tic,
    "timedatectl" => manager::timedatectl,
    "toe" => terminal::toe,
    "tset" => terminal::tset,
    "tune2fs" => extfs::tune2fs,
    "udevadm" => udev::udevadm,
    "update-alternatives" => alternatives::run,
    "update-passwd" => shadow::update_passwd,
    "vipw" => shadow::vipw,
    "visudo" => sudoers::visudo,
    "peekfd" => psmisc::peekfd,
    "pidwait" => process::pidwait,
    "pmap" => pmap::pmap,
    "prtstat" => psmisc::prtstat,
    "pslog" => psmisc::pslog,
    "skill" => process::skill,
    "slabtop" => process::slabtop,
    "tload" => process::tload,
    "zdump" => libc::zdump,
    "zic" => libc::zic,
}

/// Prints; the status so far.
async fn put(proc: &mut Process, text: impl AsRef<[u8]>) -> ExitStatus {
    // The kernel reports a failed write at exit.
    let _reported = proc.print(text.as_ref()).await;
    proc.status()
}

/// Prints to standard error; the status to end with.
async fn fail(proc: &mut Process, text: impl AsRef<[u8]>, status: u8) -> ExitStatus {
    let _flushed = proc.flush().await;
    proc.print_error(text.as_ref()).await;
    proc.set_status(status);
    ExitStatus::Exited(status)
}

/// A whole file.
async fn read(proc: &Process, path: &[u8]) -> Result<Vec<u8>, Errno> {
    let read = crate::text::input::read_all(proc, path).await;
    read.map(|(bytes, _memory)| bytes)
}

/// Writes a whole file anew.
async fn write(proc: &Process, path: &[u8], text: &[u8], mode: u16) -> Result<(), Errno> {
    let fd = proc.open(path, OpenFlags::CREATE, mode).await?;
    let written = proc.write_all(fd, text).await;
    // Opened above.
    let _open = proc.close(fd);
    written
}

/// A whole number.
fn number<T: std::str::FromStr>(text: &[u8]) -> Option<T> {
    std::str::from_utf8(text).ok()?.parse().ok()
}

/// Bytes as text to look at.
fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}
