//! BusyBox 1.35 as Debian 12 builds it: one executable, many names.
//!
//! The words are the original's (`help.txt`, `usage.txt`: what it prints). An applet that exists
//! here as a program of its own runs that program; what it complains about is put into BusyBox's
//! words on the way (`wording`).

use sundew_kernel::program::Program;
use sundew_kernel::{Errno, ExitStatus, Process, Signal};

mod borrowed;
mod convert;
mod daemon;
mod ftp;
mod gate;
mod interface;
mod launch;
mod ls;
mod module;
mod present;
mod reach;
mod small;
mod socket;
mod status;
mod telnet;
mod tftp;
mod top;
mod usage;
mod wget;
mod wording;

/// The programs of this origin.
pub(crate) const TABLE: &[Program] = &[Program {
    name: "busybox",
    run: |p| Box::pin(run(p)),
}];

/// What BusyBox prints without arguments.
const HELP: &[u8] = include_bytes!("busybox/help.txt");
/// Status of a name that is no applet.
const NOT_FOUND: u8 = 127;

async fn run(proc: &mut Process) -> ExitStatus {
    let base = proc.base_name();
    // A login shell's name begins with a dash.
    let name = base.strip_prefix(b"-").unwrap_or(base).to_vec();
    if !name.starts_with(b"busybox") {
        return applet(proc, &name).await;
    }
    loop {
        let Some(word) = proc.args().get(1).cloned() else {
            return printed(proc, HELP).await;
        };
        match word.as_slice() {
            b"--help" => match proc.args().get(2).cloned() {
                Some(name) if usage::is_applet(&name) => return usage::help(proc, &name).await,
                Some(name) => return not_found(proc, &name).await,
                None => return printed(proc, HELP).await,
            },
            b"--list" => return printed(proc, &usage::list(false)).await,
            word if word.starts_with(b"--list-") => return printed(proc, &usage::list(true)).await,
            b"--install" => return install(proc).await,
            b"busybox" => shift(proc),
            _ => {
                shift(proc);
                let base = word.rsplit(|&byte| byte == b'/').next().unwrap_or(&word);
                let name = base.to_vec();
                return applet(proc, &name).await;
            }
        }
    }
}

/// Drops the first argument: what follows is the applet's own line.
fn shift(proc: &mut Process) {
    let args = proc.args().get(1..).unwrap_or_default().to_vec();
    proc.set_args(args);
}

async fn printed(proc: &mut Process, text: &[u8]) -> ExitStatus {
    // Whoever does not want the text needs no complaint about it.
    let _closed = proc.print(text).await;
    proc.status()
}

/// `busybox --install [-s] [DIR]`: links for all applets, in one directory or where each belongs.
async fn install(proc: &mut Process) -> ExitStatus {
    let mut words: Vec<Vec<u8>> = proc.args().iter().skip(2).cloned().collect();
    let symbolic = words.first().is_some_and(|word| word == b"-s");
    words.drain(..usize::from(symbolic));
    let own = proc
        .read_link(b"/proc/self/exe")
        .unwrap_or_else(|_| b"/bin/busybox".to_vec());
    for path in usage::paths() {
        let base = path.rsplit('/').next().unwrap_or(path);
        let to = match words.first() {
            Some(directory) => [directory.as_slice(), b"/", base.as_bytes()].concat(),
            None => [b"/", path.as_bytes()].concat(),
        };
        let made = if symbolic {
            proc.symlink(&own, &to)
        } else {
            proc.link(&own, &to, true)
        };
        if let Err(errno) = made
            && errno != Errno::Eexist
        {
            let text = [to.as_slice(), b": ", errno.message().as_bytes()].concat();
            complain(proc, "busybox", text).await;
        }
        proc.tick().await;
    }
    ExitStatus::SUCCESS
}

async fn not_found(proc: &mut Process, name: &[u8]) -> ExitStatus {
    proc.print_error(&[name, b": applet not found\n"].concat())
        .await;
    ExitStatus::Exited(NOT_FOUND)
}

/// Runs one applet; the arguments are its own, its name first.
async fn applet(proc: &mut Process, name: &[u8]) -> ExitStatus {
    if !usage::is_applet(name) {
        return not_found(proc, name).await;
    }
    let asks_for_help = proc.args().get(1).is_some_and(|word| word == b"--help");
    let no_help: [&[u8]; 6] = [b"echo", b"true", b"false", b"test", b"[", b"[["];
    if asks_for_help && proc.args().len() == 2 {
        if !no_help.contains(&name) {
            return usage::help(proc, name).await;
        }
        if name == b"echo" {
            return printed(proc, b"--help\n").await;
        }
        if matches!(name, b"true" | b"false") {
            return if name == b"true" {
                ExitStatus::SUCCESS
            } else {
                ExitStatus::FAILURE
            };
        }
    }
    if let Some(status) = gate::refuse(proc, name).await {
        return status;
    }
    match name {
        b"arp" => interface::arp(proc).await,
        b"brctl" => interface::brctl(proc).await,
        b"ifconfig" => interface::ifconfig(proc).await,
        b"ip" | b"ipneigh" => interface::ip(proc, name).await,
        b"route" => interface::route(proc).await,
        b"netstat" => socket::netstat(proc).await,
        b"arping" | b"nslookup" | b"ping" | b"ping6" | b"rdate" | b"traceroute"
        | b"traceroute6" => reach::run(proc, name).await,
        b"acpid" | b"crond" | b"getty" | b"httpd" | b"ifdown" | b"ifup" | b"init" | b"klogd"
        | b"linuxrc" | b"logread" | b"mdev" | b"syslogd" | b"telnetd" | b"udhcpc" | b"udhcpd"
        | b"watchdog" => daemon::run(proc, name).await,
        b"halt" | b"poweroff" | b"reboot" => daemon::power(proc, name).await,
        b"depmod" | b"insmod" | b"lsmod" | b"modinfo" | b"modprobe" | b"rmmod" => {
            module::run(proc, name).await
        }
        b"cttyhack" | b"linux32" | b"linux64" | b"nuke" | b"pidof" | b"start-stop-daemon"
        | b"time" | b"timeout" | b"usleep" | b"unshare" => launch::run(proc, name).await,
        b"cal" | b"crc32" | b"dnsdomainname" | b"dos2unix" | b"ipcalc" | b"reset" | b"unix2dos"
        | b"uudecode" | b"uuencode" => convert::run(proc, name).await,
        b"last" => present::last(proc).await,
        b"who" | b"w" => present::who(proc, name).await,
        b"top" => top::run(proc).await,
        b"ftpget" => ftp::get(proc).await,
        b"ftpput" => ftp::put(proc).await,
        b"tftp" => tftp::run(proc).await,
        b"wget" => wget::run(proc).await,
        b"telnet" => telnet::run(proc).await,
        b"nc" => telnet::nc(proc).await,
        b"ps" => status::ps(proc).await,
        b"free" => status::free(proc).await,
        b"uptime" => status::uptime(proc).await,
        b"df" => status::df(proc).await,
        b"kill" => status::kill(proc).await,
        b"killall" => status::killall(proc).await,
        b"crontab" => status::crontab(proc).await,
        b"vi" => crate::screen::vi::run(proc).await,
        b"clear" => small::clear(proc).await,
        b"echo" => small::echo(proc).await,
        b"id" => small::id(proc).await,
        b"ls" => ls::run(proc).await,
        b"passwd" => small::passwd(proc).await,
        b"strings" => small::strings(proc).await,
        b"wc" => small::wc(proc).await,
        b"xxd" => small::xxd(proc).await,
        _ => borrowed::run(proc, name).await,
    }
}

/// Complains in the applet's name; status 1.
async fn complain(proc: &mut Process, name: &str, text: impl AsRef<[u8]>) -> ExitStatus {
    let line = [name.as_bytes(), b": ", text.as_ref(), b"\n"].concat();
    proc.print_error(&line).await;
    ExitStatus::FAILURE
}

/// Ends as a program does that the signal SIGPIPE ended.
async fn broken_pipe(proc: &mut Process) -> ! {
    proc.die_of(Signal::PIPE).await
}
