//! `ftpd who`, `kick`, `ban`, `recount`.

use std::io::Read;

use serde_json::Value;

use crate::daemon::{BIG_BYTES, Daemon, ftpd, hash};

const CONTROL: &str = "[process]\ncontrol = 'HERE/control'\n";

#[test]
fn sessions_are_ended_by_number_user_and_address_even_in_a_transfer() {
    let server = Daemon::start(&format!(
        "[user.anna]\npassword = '{}'\n{CONTROL}",
        hash("x")
    ));
    let control = server.path("control");
    let said = |arguments: &[&str]| {
        let output = ftpd(&[arguments, &["--control", &control]].concat(), "");
        (
            output.status.code(),
            String::from_utf8(output.stdout).unwrap(),
        )
    };
    let mut idle = server.client();
    idle.log_in("ftp", "x");
    let mut busy = server.client();
    busy.log_in("anna", "x");
    let mut data = busy.data();
    busy.ask("RETR big", "150 ");
    let mut first = [0; 1000];
    data.read_exact(&mut first).unwrap();
    let (_, who) = said(&["who", "--json"]);
    let rows: Vec<Value> = who
        .lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect();
    assert_eq!(rows[1]["user"], "anna");
    assert_eq!(rows[1]["doing"], "sent /big");
    let number = rows[0]["session"].to_string();
    let (code, ended) = said(&["kick", &number]);
    assert_eq!(code, Some(0));
    assert!(ended.starts_with(&format!("session {number} ended: ftp, 127.0.0.1:")));
    idle.expect("421 ");
    idle.ends();
    let (code, ended) = said(&["kick", "--user", "anna", "--json"]);
    assert_eq!(code, Some(0));
    let row: Value = serde_json::from_str(ended.trim()).unwrap();
    assert_eq!(row["user"], "anna");
    let mut rest = Vec::new();
    // Reset or end: in any case not all of it.
    let _cut = data.read_to_end(&mut rest);
    assert!(first.len() + rest.len() < BIG_BYTES);
    busy.expect("426 ");
    busy.expect("421 ");
    busy.ends();
    let (code, _) = said(&["kick", "--user", "bert"]);
    assert_eq!(code, Some(1));
    let mut silent = server.client();
    silent.expect("220 ");
    let (code, _) = said(&["kick", "--address", "127.0.0.1"]);
    assert_eq!(code, Some(0));
    silent.expect("421 ");
    let (code, _) = said(&["kick"]);
    assert_eq!(code, Some(2));
}

#[test]
fn a_ban_ends_the_sessions_of_an_address_and_is_lifted() {
    let server = Daemon::start(CONTROL);
    let control = server.path("control");
    let mut client = server.client();
    client.log_in("ftp", "x");
    let which = ["--control", &control];
    let banned = ftpd(
        &[&["ban", "127.0.0.1", "--for", "5m"], &which[..]].concat(),
        "",
    );
    let banned = String::from_utf8(banned.stdout).unwrap();
    assert!(banned.contains("ended: ftp"), "{banned}");
    client.expect("421 ");
    server.client().expect("421 ");
    let bans = ftpd(&[&["bans", "--json"], &which[..]].concat(), "");
    let bans: Value = serde_json::from_slice(&bans.stdout).unwrap();
    assert!(bans["left_seconds"].as_u64().unwrap() > 200);
    ftpd(&[&["unban", "127.0.0.1"], &which[..]].concat(), "");
    server.client().expect("220 ");
}

#[test]
fn what_was_given_and_taken_outlives_a_restart_and_quotas_are_counted_again_when_asked() {
    let config = format!(
        "[user.anna]\npassword = '{}'\nroot = 'HERE/anna'\npermissions = 'elradfmw'\nratio = '1:2'\n\
         quota_bytes = 1000\n\
         [process]\ncontrol = 'HERE/control'\nstate = 'HERE/state.json'\n",
        hash("x")
    );
    let mut server = Daemon::start(&config);
    let mut anna = server.client();
    anna.log_in("anna", "x");
    anna.store("STOR ten", b"0123456789", "226 ");
    anna.ask("SITE QUOTA", "2");
    anna.expect(" Bytes: 18 of 1000");
    anna.expect(" Files: 2 of unlimited");
    anna.expect("2");
    assert!(server.end("TERM").success());
    let state = std::fs::read_to_string(server.path("state.json")).unwrap();
    let state: Value = serde_json::from_str(&state).unwrap();
    let expected = serde_json::json!({
        "users": { "anna": { "given": 10, "taken": 0, "bytes": 18, "files": 2 } }
    });
    assert_eq!(state, expected);

    // Another run, somewhere else, with what this one knew.
    let other = Daemon::start(&config);
    drop(other.client());
    let config = config.replace("HERE/state.json", &server.path("state.json"));
    let other = Daemon::start(&config);
    let mut anna = other.client();
    anna.log_in("anna", "x");
    // Ten given, so twenty may be taken: of the eight twice, and no third time.
    for _ in 0..2 {
        assert_eq!(anna.fetch("RETR own"), "of anna\n");
    }
    let data = anna.data();
    anna.ask("RETR own", "550 ");
    drop(data);
    anna.ask("SITE QUOTA", "2");
    anna.expect(" Bytes: 18 of 1000");
    anna.expect(" Files: 2 of unlimited");
    anna.expect("2");
    // Its directory is another one, which only counting again can tell.
    let control = other.path("control");
    let told = ftpd(&["recount", "anna", "--control", &control], "");
    assert_eq!(told.stdout, b"quotas to be counted again: 1\n");
    anna.ask("SITE QUOTA", "2");
    anna.expect(" Bytes: 8 of 1000");
    anna.expect(" Files: 1 of unlimited");
    anna.expect("2");
}
