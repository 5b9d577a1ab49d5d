//! Daemons in BusyBox's own form: what they say when they start, and that they are then there. Nothing
//! reaches them; what they would serve is the host's business. Also `reboot` and its kin.

use std::net::{Ipv4Addr, SocketAddr};
use std::time::Duration;

use sundew_kernel::descriptor::OpenFlags;
use sundew_kernel::process::WaitFor;
use sundew_kernel::socket::Protocol;
use sundew_kernel::{Errno, ExitStatus, Process, STDERR, STDIN, STDOUT, Signal};

use super::borrowed::text_of;
use super::{complain, printed, usage};
use crate::getopt::{Getopt, Spec};

/// Between the request and the end of everything, as init takes it.
const GRACE: Duration = Duration::from_secs(1);
/// One long sleep of a daemon; it goes on sleeping after.
const DAY: Duration = Duration::from_secs(86_400);

pub(super) async fn run(proc: &mut Process, name: &[u8]) -> ExitStatus {
    match name {
        b"telnetd" => telnetd(proc).await,
        b"httpd" => httpd(proc).await,
        b"udhcpc" => udhcpc(proc).await,
        b"logread" => logread(proc).await,
        b"init" | b"linuxrc" => complain(proc, "init", "must be run as PID 1").await,
        b"mdev" => match proc.args().get(1) {
            Some(_) => ExitStatus::SUCCESS,
            None => usage::refuse(proc, name).await,
        },
        b"ifup" | b"ifdown" => {
            let applet = if name == b"ifup" { "ifup" } else { "ifdown" };
            match proc.stat(b"/etc/network/interfaces") {
                Ok(_) => ExitStatus::SUCCESS,
                Err(errno) => {
                    let reason = errno.message();
                    let text = format!("can't open '/etc/network/interfaces': {reason}");
                    complain(proc, applet, text).await
                }
            }
        }
        b"getty" => ExitStatus::FAILURE,
        _ => {
            let foreground: &[u8] = match name {
                b"syslogd" | b"klogd" => b"-n",
                b"watchdog" => b"-F",
                _ => b"-f",
            };
            let stays = proc.args().iter().any(|word| word == foreground);
            daemonize(proc, stays, None).await
        }
    }
}

/// Goes into the background, unless told not to, and stays there.
async fn daemonize(proc: &mut Process, stays: bool, listens: Option<SocketAddr>) -> ExitStatus {
    if stays {
        if let Some(local) = listens
            && let Err(errno) = proc.listen(Protocol::Tcp, local)
        {
            let name = String::from_utf8_lossy(proc.base_name()).into_owned();
            return complain(proc, &name, format!("bind: {}", errno.message())).await;
        }
        return wait_for_ever(proc).await;
    }
    let child = proc.fork(move |mut child| {
        Box::pin(async move {
            child.discard_output();
            let _already_leads = child.new_session();
            let _deleted = child.change_directory(b"/");
            if let Ok(null) = child.open(b"/dev/null", OpenFlags::READ_WRITE, 0).await {
                for fd in [STDIN, STDOUT, STDERR] {
                    let _open = child.duplicate_to(null, fd);
                }
                let _open = child.close(null);
            }
            if let Some(local) = listens {
                let _was_free = child.listen(Protocol::Tcp, local);
            }
            wait_for_ever(&child).await
        })
    });
    match child {
        Ok(_) => ExitStatus::SUCCESS,
        Err(errno) => complain(proc, "fork", errno.message()).await,
    }
}

/// Sleeps until a signal ends it.
async fn wait_for_ever(proc: &Process) -> ExitStatus {
    while proc.sleep(DAY).await.is_ok() {}
    ExitStatus::FAILURE
}

/// Whether something listens there already.
fn taken(proc: &Process, port: u16) -> bool {
    let sockets = proc.sockets();
    let mut tcp = sockets
        .iter()
        .filter(|socket| socket.protocol == Protocol::Tcp);
    tcp.any(|socket| socket.remote.is_none() && socket.local.port() == port)
}

fn anywhere(port: u16) -> SocketAddr {
    SocketAddr::from((Ipv4Addr::UNSPECIFIED, port))
}

async fn telnetd(proc: &mut Process) -> ExitStatus {
    const SPEC: Spec = Spec::new("b:f:il:p:FKS", &[]);
    let (mut port, mut foreground, mut inherits) = (23_u16, false, false);
    let mut options = Getopt::new(&SPEC, proc.args());
    while let Some(option) = options.next() {
        let option = match option {
            Ok(option) => option,
            Err(error) => return usage::refuse_option(proc, b"telnetd", &error).await,
        };
        match option.key {
            "p" => {
                let text = String::from_utf8_lossy(&option.value).into_owned();
                match text.parse() {
                    Ok(number) => port = number,
                    Err(_) => {
                        return complain(proc, "telnetd", format!("invalid number '{text}'")).await;
                    }
                }
            }
            "F" => foreground = true,
            "i" => inherits = true,
            _ => {}
        }
    }
    if inherits {
        return ExitStatus::SUCCESS;
    }
    if taken(proc, port) {
        let text = format!("bind: {}", Errno::Eaddrinuse.message());
        return complain(proc, "telnetd", text).await;
    }
    daemonize(proc, foreground, Some(anywhere(port))).await
}

async fn httpd(proc: &mut Process) -> ExitStatus {
    const SPEC: Spec = Spec::new("c:d:e:fh:im:p:r:u:v", &[]);
    let (mut port, mut foreground) = (80_u16, false);
    let mut options = Getopt::new(&SPEC, proc.args());
    while let Some(option) = options.next() {
        let option = match option {
            Ok(option) => option,
            Err(error) => return usage::refuse_option(proc, b"httpd", &error).await,
        };
        let value = option.value;
        match option.key {
            "d" => return printed(proc, &decoded(&value)).await,
            "e" => return printed(proc, &encoded(&value)).await,
            "h" => {
                if let Err(errno) = proc.change_directory(&value) {
                    let reason = errno.message().as_bytes();
                    let text = [
                        b"can't change directory to '",
                        value.as_slice(),
                        b"': ",
                        reason,
                    ]
                    .concat();
                    return complain(proc, "httpd", text).await;
                }
            }
            "p" => {
                let text = String::from_utf8_lossy(&value).into_owned();
                match text.rsplit(':').next().unwrap_or_default().parse() {
                    Ok(number) => port = number,
                    Err(_) => {
                        return complain(proc, "httpd", format!("bad address '{text}'")).await;
                    }
                }
            }
            "f" => foreground = true,
            _ => {}
        }
    }
    if taken(proc, port) {
        let text = format!("bind: {}", Errno::Eaddrinuse.message());
        return complain(proc, "httpd", text).await;
    }
    daemonize(proc, foreground, Some(anywhere(port))).await
}

/// `%20` is a blank.
fn decoded(text: &[u8]) -> Vec<u8> {
    let mut out = Vec::new();
    let mut rest = text;
    while let Some((&byte, behind)) = rest.split_first() {
        rest = behind;
        let hex = behind
            .get(..2)
            .and_then(|pair| std::str::from_utf8(pair).ok());
        match hex.and_then(|pair| u8::from_str_radix(pair, 16).ok()) {
            Some(value) if byte == b'%' => {
                out.push(value);
                rest = behind.get(2..).unwrap_or_default();
            }
            _ => out.push(if byte == b'+' { b' ' } else { byte }),
        }
    }
    out
}

/// Everything but letters and digits as `&#N;`.
fn encoded(text: &[u8]) -> Vec<u8> {
    text.iter()
        .flat_map(|byte| {
            if byte.is_ascii_alphanumeric() {
                vec![*byte]
            } else {
                format!("&#{byte};").into_bytes()
            }
        })
        .collect()
}

/// `udhcpc`: the router gives the same address again.
async fn udhcpc(proc: &mut Process) -> ExitStatus {
    const SPEC: Spec = Spec::new("CV:F:x:Ss:p:r:H:h:i:nqfobRBO:T:t:A:a::v", &[]);
    let (mut device, mut quits, mut foreground) = (b"eth0".to_vec(), false, false);
    let mut options = Getopt::new(&SPEC, proc.args());
    while let Some(Ok(option)) = options.next() {
        match option.key {
            "i" => device = option.value,
            "q" => quits = true,
            "f" => foreground = true,
            _ => {}
        }
    }
    let facts = proc.facts();
    let found = facts.interfaces.iter().find(|one| one.name == device);
    let Some((address, _)) = found.and_then(|one| one.ipv4) else {
        let text = format!("SIOCGIFINDEX: {}", Errno::Enodev.message());
        return complain(proc, "udhcpc", text).await;
    };
    let server = facts.gateway;
    for line in [
        "started, v1.35.0".to_owned(),
        "broadcasting discover".to_owned(),
        format!("broadcasting select for {address}, server {server}"),
        format!("lease of {address} obtained from {server}, lease time 86400"),
    ] {
        complain(proc, "udhcpc", line).await;
        let _interrupted = proc.sleep(Duration::from_millis(20)).await;
    }
    if quits {
        return ExitStatus::SUCCESS;
    }
    daemonize(proc, foreground, None).await
}

/// `logread`: this syslogd writes a file instead.
async fn logread(proc: &mut Process) -> ExitStatus {
    complain(
        proc,
        "logread",
        // tidy-allow(errno-word): shmget's answer, and there is no such call here
        "can't find syslogd buffer: No such file or directory",
    )
    .await
}

/// `halt`, `poweroff`, `reboot`: init ends everything, or with `-f` the kernel does so at once.
pub(super) async fn power(proc: &mut Process, name: &[u8]) -> ExitStatus {
    const SPEC: Spec = Spec::new("d:nfwi", &[]);
    let (mut delay, mut forced, mut only_writes) = (0_u64, false, false);
    let mut options = Getopt::new(&SPEC, proc.args());
    while let Some(option) = options.next() {
        let option = match option {
            Ok(option) => option,
            Err(error) => return usage::refuse_option(proc, name, &error).await,
        };
        let text = String::from_utf8_lossy(&option.value).into_owned();
        match option.key {
            "d" => match text.parse::<u64>() {
                Ok(seconds) => delay = seconds.min(3600),
                Err(_) => {
                    let name = String::from_utf8_lossy(name).into_owned();
                    return complain(proc, &name, format!("invalid number '{text}'")).await;
                }
            },
            "f" => forced = true,
            "w" => only_writes = true,
            _ => {}
        }
    }
    if only_writes {
        return ExitStatus::SUCCESS;
    }
    let _interrupted = proc.sleep(Duration::from_secs(delay)).await;
    if proc.credentials().uid != 0 {
        let name = String::from_utf8_lossy(name).into_owned();
        return complain(proc, &name, Errno::Eperm.message()).await;
    }
    if forced {
        end_everything(proc).await;
        return ExitStatus::SUCCESS;
    }
    let child = proc.fork(|mut child| {
        Box::pin(async move {
            child.discard_output();
            let _already_leads = child.new_session();
            let _interrupted = child.sleep(GRACE).await;
            end_everything(&child).await;
            ExitStatus::SUCCESS
        })
    });
    match child {
        Ok(_) => ExitStatus::SUCCESS,
        Err(errno) => complain(proc, "fork", errno.message()).await,
    }
}

/// Ends every process but init and this one; the parent last, so that it sees the others go.
async fn end_everything(proc: &Process) {
    let (own, parent) = (proc.pid(), proc.ppid());
    for one in proc.processes() {
        if one.pid > 1 && one.pid != own && one.pid != parent && !one.kernel_thread {
            let _gone_already = proc.kill(one.pid, Some(Signal::KILL));
        }
    }
    if parent > 1 {
        let _gone_already = proc.kill(parent, Some(Signal::KILL));
    }
    // Children that were ours leave no zombies behind.
    let _none = proc.wait(WaitFor::Any, false, false).await;
}

/// Whether a process of this name is there: what an init script asks before it starts one.
pub(super) async fn pid_in(proc: &Process, path: &[u8]) -> Option<sundew_kernel::Pid> {
    let text = text_of(proc, path).await;
    std::str::from_utf8(text.trim_ascii()).ok()?.parse().ok()
}
