//! A network of its own for the benchmark.
//!
//! Who closes a connection first keeps its port for a minute (TIME-WAIT), and the system looks for a
//! free port the longer the more of them are kept. With all clients on one computer they are thousands,
//! and every server would pay for those its predecessors have left.

use std::os::unix::process::CommandExt as _;
use std::process::{Command, Stdio};

use anyhow::Result;

/// Says to the program that it is in there.
const MARK: &str = "SUNDEW_BENCH_NETWORK";

/// Puts loopback up, keeps few closed connections, and goes on with the program.
const ENTER: &str = "ip link set lo up && echo 100 >/proc/sys/net/ipv4/tcp_max_tw_buckets && \
                     exec \"$0\" \"$@\"";

/// Starts this program again in a network namespace, if it may make one; without, it goes on where it
/// is, and says so.
pub(crate) fn enter() -> Result<()> {
    if std::env::var_os(MARK).is_some() {
        return Ok(());
    }
    let may = Command::new("unshare")
        .args(["--net", "ip", "link", "set", "lo", "up"])
        .stderr(Stdio::null())
        .status()
        .is_ok_and(|status| status.success());
    if !may {
        eprintln!(
            "not root: the servers share this network, and pay for each other's closed ports"
        );
        return Ok(());
    }
    let mut again = Command::new("unshare");
    again.args(["--net", "sh", "-c", ENTER]);
    again.arg(std::env::current_exe()?);
    again.args(std::env::args_os().skip(1)).env(MARK, "yes");
    // It returns only if that has failed.
    Err(again.exec().into())
}
