//! What the process gives up, and what systemd gives it.

use std::collections::HashMap;
use std::fs;
use std::net::{Ipv4Addr, TcpListener};
use std::os::fd::OwnedFd;
use std::os::unix::net::UnixDatagram;
use std::process::Command;

use crate::client::{Client, PATIENCE};
use crate::daemon::Daemon;

/// The program as root: as it is if we are, or in a name space of users.
fn as_root() -> Command {
    let program = env!("CARGO_BIN_EXE_ftpd");
    let id = Command::new("id").arg("-u").output().unwrap();
    if id.stdout == b"0\n" {
        return Command::new(program);
    }
    let mut command = Command::new("unshare");
    command.args(["--user", "--map-root-user", "--map-auto", program]);
    command
}

/// What the system says about a process.
fn status(pid: u32) -> HashMap<String, String> {
    let text = fs::read_to_string(format!("/proc/{pid}/status")).unwrap();
    text.lines()
        .filter_map(|line| line.split_once(':'))
        .map(|(key, value)| (key.to_owned(), value.trim().to_owned()))
        .collect()
}

#[test]
fn started_as_root_it_becomes_somebody_else_with_nothing_left_and_so_do_its_programs() {
    let server = Daemon::start_by(
        as_root(),
        "[process]\nuser = 'nobody'\n\
         [hooks]\nverbs = ['SIZE']\nbefore = ['/bin/sh', '-c', 'id -un; exit 1']\n",
    );
    let mut client = server.client();
    client.log_in("ftp", "x");
    assert_eq!(client.fetch("RETR common"), "of all\n");
    client.ask("SIZE common", "550 nobody");
    let status = status(server.child.id());
    let (uids, gids) = (&status["Uid"], &status["Gid"]);
    for ids in [uids, gids] {
        let all: Vec<_> = ids.split_whitespace().collect();
        assert!(all.iter().all(|id| *id == all[0]), "{ids}");
    }
    for capabilities in ["CapPrm", "CapEff"] {
        assert_eq!(status[capabilities], "0000000000000000", "{capabilities}");
    }
    server.log_line("gave up root");
    assert_ne!(uids.split_whitespace().next(), Some("0"));
}

#[test]
fn somebody_unknown_is_a_mistake_in_the_configuration() {
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("ftpd.toml");
    let root = dir.path().display();
    let text = format!("root = '{root}'\n[process]\nuser = 'no such user'\n");
    fs::write(&file, text).unwrap();
    let output = as_root().arg("--config").arg(&file).output().unwrap();
    assert_eq!(output.status.code(), Some(78));
    let errors = String::from_utf8(output.stderr).unwrap();
    assert!(
        errors.contains("there is no user `no such user`"),
        "{errors}"
    );
}

#[test]
fn programs_keep_the_files_that_the_server_has_given_up() {
    let outside = tempfile::tempdir().unwrap();
    let directory = outside.path().display().to_string();
    fs::write(outside.path().join("secret"), "known only here\n").unwrap();
    let config = |reach: &str| {
        format!(
            "[hooks]\nverbs = ['SIZE']\n\
             before = ['/bin/sh', '-c', 'cat {directory}/secret; exit 1']\n\
             [login]\ncommand = ['/bin/sh', '-c', \
             'echo \"{{\\\"allow\\\": true, \\\"root\\\": \\\"{directory}\\\"}}\"']\n\
             [bans]\ndelay = '1ms'\n[process]\nreach = [{reach}]\n"
        )
    };
    let server = Daemon::start(&config(""));
    let has_landlock = server.log_line("Landlock").contains("restricted");
    let mut client = server.client();
    client.log_in("ftp", "x");
    client.ask("SIZE common", "550 known only here");
    let mut client = server.client();
    client.log_in("anna", "x");
    let data = client.data();
    if has_landlock {
        // Its root is out of reach, whatever an answer says.
        client.ask("RETR secret", "550 ");
    } else {
        eprintln!("this kernel has no Landlock: nothing can be out of reach");
        client.ask("RETR secret", "150 ");
    }
    drop(data);
    let server = Daemon::start(&config(&format!("'{directory}'")));
    let mut client = server.client();
    client.log_in("anna", "x");
    assert_eq!(client.fetch("RETR secret"), "known only here\n");
}

#[test]
fn systemd_hands_over_a_socket_and_is_told_how_things_are() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("notify");
    let notify = UnixDatagram::bind(&path).unwrap();
    notify.set_read_timeout(Some(PATIENCE)).unwrap();
    let told = || {
        let mut buffer = [0; 500];
        let count = notify.recv(&mut buffer).unwrap();
        String::from_utf8(buffer[..count].to_vec()).unwrap()
    };
    let socket = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
    let address = socket.local_addr().unwrap();
    let mut shell = Command::new("/bin/sh");
    // The number of a process is known only in it; the socket has to be its descriptor 3.
    let script = "exec 3<&0 0</dev/null; LISTEN_PID=$$ LISTEN_FDS=1 exec \"$@\"";
    shell
        .args(["-c", script, "sh", env!("CARGO_BIN_EXE_ftpd")])
        .env("NOTIFY_SOCKET", &path)
        .env("WATCHDOG_USEC", "60000000")
        .stdin(OwnedFd::from(socket));
    // Somebody may have dialled before there was a server.
    let mut early = Client::connect(address);
    let mut server = Daemon::start_by(shell, "[listen]\nsystemd = true\n");
    assert_eq!(server.port, address.port());
    early.log_in("ftp", "x");
    let ready = format!("READY=1\nSTATUS=serving on {address}");
    assert_eq!(told(), ready);
    assert_eq!(told(), "WATCHDOG=1");
    server.signal("HUP");
    let reloading = told();
    let expected = "RELOADING=1\nMONOTONIC_USEC=";
    assert!(reloading.starts_with(expected), "{reloading}");
    assert_eq!(told(), ready);
    assert!(server.end("TERM").success());
    assert!(told().starts_with("STOPPING=1"));
}

#[test]
fn without_a_socket_from_systemd_it_says_so() {
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("ftpd.toml");
    let root = dir.path().display();
    fs::write(
        &file,
        format!("root = '{root}'\n[listen]\nsystemd = true\n"),
    )
    .unwrap();
    let output = crate::daemon::ftpd(&["--config", file.to_str().unwrap()], "");
    assert_eq!(output.status.code(), Some(71));
    let errors = String::from_utf8(output.stderr).unwrap();
    assert!(
        errors.contains("systemd has handed over no socket"),
        "{errors}"
    );
}
