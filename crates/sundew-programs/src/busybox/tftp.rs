//! `tftp`: asks a server that never answers. The machine's network carries no datagrams, which looks
//! like what most providers do to port 69.

use std::net::IpAddr;
use std::time::Duration;

use sundew_kernel::observe::{Download, DownloadEnd};
use sundew_kernel::{ExitStatus, Process};

use super::{complain, usage};
use crate::getopt::{Getopt, Opt, Spec};

/// First wait for an answer; each is half as long again as the one before.
const FIRST_WAIT: Duration = Duration::from_millis(50);
/// How often BusyBox asks.
const TRIES: u32 = 12;

const SPEC: Spec = Spec::new("gpl:r:b:", &[]);

/// `tftp`.
pub(super) async fn run(proc: &mut Process) -> ExitStatus {
    let mut options = Getopt::new(&SPEC, proc.args());
    let (mut get, mut put, mut local, mut remote) = (false, false, None, None);
    while let Some(option) = options.next() {
        match option {
            Ok(Opt { key: "g", .. }) => get = true,
            Ok(Opt { key: "p", .. }) => put = true,
            Ok(Opt {
                key: "l", value, ..
            }) => local = Some(value),
            Ok(Opt {
                key: "r", value, ..
            }) => remote = Some(value),
            Ok(_) => {}
            Err(error) => return usage::refuse_option(proc, b"tftp", &error).await,
        }
    }
    let operands = options.operands();
    let (Some(host), true) = (operands.first().cloned(), get != put && operands.len() <= 2) else {
        return usage::refuse(proc, b"tftp").await;
    };
    let Some(remote) = remote.or_else(|| local.clone()) else {
        return usage::refuse(proc, b"tftp").await;
    };
    let local = local.unwrap_or_else(|| {
        remote
            .rsplit(|&byte| byte == b'/')
            .next()
            .unwrap_or(&remote)
            .to_vec()
    });
    let resolved = proc.network().resolve(&host).await;
    if get {
        let url = [b"tftp://".as_slice(), &host, b"/", &remote].concat();
        let capture = proc.capture(Download {
            url,
            destination: local.clone(),
        });
        capture.end(DownloadEnd::Failed("timeout".to_owned())).await;
    }
    if !resolved.is_ok_and(|addresses: Vec<IpAddr>| !addresses.is_empty()) {
        let text = [b"bad address '".as_slice(), &host, b"'"].concat();
        return complain(proc, "tftp", text).await;
    }
    let mut wait = FIRST_WAIT;
    for _ in 0..TRIES {
        if proc.sleep(wait).await.is_err() {
            return ExitStatus::FAILURE;
        }
        wait += wait / 2;
    }
    complain(proc, "tftp", "timeout").await
}
