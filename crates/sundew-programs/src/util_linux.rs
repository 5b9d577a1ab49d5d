//! Programs of util-linux 2.38.1: text, terminals, mounts, records of logins.

use sundew_kernel::program::Program;
use sundew_kernel::{Errno, ExitStatus, Process};

use crate::getopt::{Error, Getopt, Opt, Spec, try_help};
use crate::text::command;

mod block;
mod col;
mod colcrt;
mod colrm;
mod column;
mod device;
pub(crate) mod dmesg;
mod files;
mod filesystem;
mod getopt_;
mod hexdump;
mod inventory;
mod last;
mod lessecho;
mod letters;
mod look;
mod lscpu;
mod mcookie;
mod message;
mod more;
mod mount;
mod namespace;
mod resource;
mod rev;
mod schedule;
mod script;
mod setsid;
mod spec;
mod swap;
mod table;
mod terminal;
mod ul;
mod write;

macro_rules! programs {
    ($($name:literal => $module:ident :: $run:ident,)*) => {
        /// The programs of this origin.
        pub(crate) const TABLE: &[Program] =
            &[$(Program { name: $name, run: |proc| Box::pin($module::$run(proc)) },)*];
    };
}

programs! {
    "blkid" => device::blkid,
    "chrt" => schedule::chrt,
    "clear" => terminal::clear,
    "col" => col::run,
    "colcrt" => colcrt::run,
    "colrm" => colrm::run,
    "column" => column::run,
    "dmesg" => dmesg::run,
    "fallocate" => message::fallocate,
    "findmnt" => mount::findmnt,
    "flock" => schedule::flock,
    "getopt" => getopt_::run,
    "hexdump" => hexdump::run,
    "hwclock" => device::hwclock,
    "ionice" => schedule::ionice,
    "ipcs" => device::ipcs,
    "mcookie" => mcookie::run,
    "last" => last::run,
    "logger" => message::logger,
    "look" => look::run,
    "losetup" => device::losetup,
    "lsblk" => mount::lsblk,
    "lscpu" => lscpu::run,
    "mesg" => message::mesg,
    "more" => more::run,
    "mount" => mount::mount,
    "mountpoint" => mount::mountpoint,
    "namei" => message::namei,
    "renice" => schedule::renice,
    "rev" => rev::run,
    "setsid" => setsid::run,
    "swapoff" => device::swapoff,
    "swapon" => device::swapon,
    "taskset" => schedule::taskset,
    "tput" => terminal::tput,
    "ul" => ul::run,
    "umount" => mount::umount,
    "wall" => message::wall,
    "whereis" => message::whereis,
    "write" => write::run,
    "addpart" => block::addpart,
    "blkdiscard" => block::blkdiscard,
    "blkzone" => block::blkzone,
    "blockdev" => block::blockdev,
    "chcpu" => inventory::chcpu,
    "chmem" => inventory::chmem,
    "choom" => resource::choom,
    "ctrlaltdel" => files::ctrlaltdel,
    "delpart" => block::delpart,
    "fincore" => files::fincore,
    "findfs" => block::findfs,
    "fsck" => filesystem::fsck,
    "fsck.cramfs" => filesystem::small_mkfs,
    "fsck.minix" => filesystem::small_mkfs,
    "fsfreeze" => filesystem::fsfreeze,
    "fstrim" => filesystem::fstrim,
    "hardlink" => files::hardlink,
    "ipcmk" => inventory::ipcmk,
    "ipcrm" => inventory::ipcrm,
    "isosize" => block::isosize,
    "ldattach" => files::ldattach,
    "lsfd" => inventory::lsfd,
    "lsipc" => inventory::lsipc,
    "lsirq" => inventory::lsirq,
    "lslocks" => inventory::lslocks,
    "lslogins" => inventory::lslogins,
    "lsmem" => inventory::lsmem,
    "lsns" => namespace::lsns,
    "mkfs" => filesystem::mkfs,
    "mkfs.bfs" => filesystem::small_mkfs,
    "mkfs.cramfs" => filesystem::small_mkfs,
    "mkfs.minix" => filesystem::small_mkfs,
    "mkswap" => swap::mkswap,
    "nsenter" => namespace::nsenter,
    "partx" => block::partx,
    "pivot_root" => namespace::pivot_root,
    "prlimit" => resource::prlimit,
    "readprofile" => files::readprofile,
    "rename.ul" => files::rename,
    "resizepart" => block::resizepart,
    "rtcwake" => files::rtcwake,
    "script" => script::script,
    "scriptlive" => script::scriptlive,
    "scriptreplay" => script::scriptreplay,
    "setarch" => resource::setarch,
    "setpriv" => resource::setpriv,
    "sulogin" => files::sulogin,
    "swaplabel" => swap::swaplabel,
    "switch_root" => namespace::switch_root,
    "uclampset" => resource::uclampset,
    "unshare" => namespace::unshare,
    "utmpdump" => files::utmpdump,
    "wdctl" => files::wdctl,
    "wipefs" => block::wipefs,
    "zramctl" => block::zramctl,
}

/// `less` comes from a package of its own, but without a terminal does what `more` does.
pub(crate) async fn less(proc: &mut Process) -> ExitStatus {
    more::run_less(proc).await
}

/// `lessecho` of the same package: names quoted for a shell.
pub(crate) async fn lessecho(proc: &mut Process) -> ExitStatus {
    lessecho::run(proc).await
}

/// What a command line held.
#[derive(Debug)]
struct Line {
    options: Vec<Opt>,
    operands: Vec<Vec<u8>>,
}

impl Line {
    fn has(&self, key: &str) -> bool {
        self.options.iter().any(|option| option.key == key)
    }

    /// The last value of an option.
    fn value(&self, key: &str) -> Option<&[u8]> {
        let option = self.options.iter().rev().find(|option| option.key == key);
        option.map(|option| option.value.as_slice())
    }
}

/// Reads the whole command line; the status to end with after a plea for help or a complaint.
async fn line(proc: &mut Process, name: &str, spec: &Spec) -> Result<Line, ExitStatus> {
    let mut seen = Vec::new();
    let mut options = Getopt::new(spec, proc.args());
    while let Some(option) = options.next() {
        match option {
            Ok(Opt { key: "h", .. }) => return Err(help(proc, name).await),
            Ok(Opt { key: "V", .. }) => return Err(version(proc).await),
            Ok(option) => seen.push(option),
            Err(error) => return Err(refuse(proc, &error).await),
        }
    }
    Ok(Line {
        options: seen,
        operands: options.operands(),
    })
}

/// Prints; the status so far.
async fn put(proc: &mut Process, text: impl AsRef<[u8]>) -> ExitStatus {
    // The kernel reports a failed write at exit.
    let _reported = proc.print(text.as_ref()).await;
    proc.status()
}

/// `NAME: TEXT`; status 1.
async fn fail(proc: &mut Process, text: impl AsRef<[u8]> + Send) -> ExitStatus {
    proc.complain_text(text).await;
    ExitStatus::FAILURE
}

/// `NAME: TEXT` and the pointer to `--help`; status 1.
async fn refuse_text(proc: &mut Process, text: &str) -> ExitStatus {
    proc.complain_text(text).await;
    try_help(proc, 1).await
}

/// `NAME: TEXT: 'WORD'`; status 1.
async fn bad_argument(proc: &mut Process, text: &str, word: &[u8]) -> ExitStatus {
    fail(proc, [text.as_bytes(), b": '", word, b"'"].concat()).await
}

/// `NAME: unknown column: WORD`; status 1.
async fn unknown_column(proc: &mut Process, word: &[u8]) -> ExitStatus {
    fail(proc, [b"unknown column: ", word].concat()).await
}

/// `NAME: TEXT PATH: REASON`; status 1.
async fn cannot(proc: &mut Process, text: &str, path: &[u8], errno: Errno) -> ExitStatus {
    proc.complain(&[text.as_bytes(), b" ", path].concat(), errno)
        .await;
    ExitStatus::FAILURE
}

/// A whole number.
fn number<T: std::str::FromStr>(text: &[u8]) -> Option<T> {
    std::str::from_utf8(text).ok()?.parse().ok()
}

/// Becomes the command; complains as these programs do if that fails.
async fn become_command(proc: &mut Process, words: Vec<Vec<u8>>) -> ExitStatus {
    let name = words.first().cloned().unwrap_or_default();
    let errno = match command::search(proc, &name) {
        Ok(path) => {
            let env = proc.env().clone();
            proc.exec(&path, words, env).await
        }
        Err(errno) => errno,
    };
    let text = [
        b"failed to execute ",
        name.as_slice(),
        b": ",
        errno.message().as_bytes(),
    ]
    .concat();
    proc.complain_text(text).await;
    ExitStatus::Exited(if errno == Errno::Enoent { 127 } else { 126 })
}

/// Sections `=== NAME`, each followed by what `NAME --help` prints.
const HELP: &str = include_str!("util_linux/help.txt");

/// Prints what `--help` prints; status 0.
async fn help(proc: &mut Process, name: &str) -> ExitStatus {
    // The kernel reports a failed write at exit.
    let _reported = proc.print(help_text(name).as_bytes()).await;
    proc.status()
}

fn help_text(name: &str) -> &'static str {
    let mut sections = HELP.split("=== ");
    let section = sections.find_map(|section| section.strip_prefix(name)?.strip_prefix('\n'));
    section.unwrap_or_default()
}

/// `NAME from util-linux 2.38.1`.
async fn version(proc: &mut Process) -> ExitStatus {
    let line = [proc.base_name(), b" from util-linux 2.38.1\n"].concat();
    let _reported_at_exit = proc.print(&line).await;
    proc.status()
}

/// Complains about a command line and points to `--help`; status 1.
async fn refuse(proc: &mut Process, error: &Error) -> ExitStatus {
    crate::getopt::refuse(proc, error, 1).await
}

/// `NAME: bad usage` and the pointer to `--help`; status 1.
async fn bad_usage(proc: &mut Process) -> ExitStatus {
    proc.complain_text("bad usage").await;
    try_help(proc, 1).await
}

/// A number of bytes with its unit, as libcommon reads sizes: `0x` and `0` for other bases, `K` for
/// 1024, `KB` for 1000.
fn size_of(text: &[u8]) -> Option<u64> {
    let text = std::str::from_utf8(text).ok()?;
    let (digits, base) = match text.strip_prefix("0x").or_else(|| text.strip_prefix("0X")) {
        Some(digits) => (digits, 16),
        None if text.len() > 1 && text.starts_with('0') => (text, 8),
        None => (text, 10),
    };
    let end = digits
        .find(|letter: char| !letter.is_digit(base))
        .unwrap_or(digits.len());
    let (number, unit) = digits.split_at(end);
    let number = u64::from_str_radix(number, base).ok()?;
    let (letter, thousand): (&str, u64) = match unit.strip_suffix("iB") {
        Some(letter) => (letter, 1024),
        None => match unit.strip_suffix('B').filter(|letter| !letter.is_empty()) {
            Some(letter) => (letter, 1000),
            None => (unit, 1024),
        },
    };
    let power = match letter {
        "" if unit.is_empty() => 0,
        "b" => return number.checked_mul(512),
        "K" | "k" => 1,
        "M" | "m" => 2,
        "G" | "g" => 3,
        "T" | "t" => 4,
        "P" | "p" => 5,
        "E" | "e" => 6,
        _ => return None,
    };
    number.checked_mul(thousand.checked_pow(power)?)
}
