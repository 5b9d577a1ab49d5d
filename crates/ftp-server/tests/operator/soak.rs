//! Mixed load from many clients at once: nothing may grow.
//!
//! Twenty seconds in the tests; `FTPD_SOAK_SECONDS=3600 cargo test -p ftp-server --test operator soak`
//! for as long as you like.

use std::io::{Read, Write};
use std::process::Command;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use crate::daemon::Daemon;

/// Clients at a time; more of them compress more hours into a minute.
const CLIENTS: u64 = 12;

#[test]
fn soak_mixed_load_grows_neither_memory_nor_descriptors() {
    let seconds = std::env::var("FTPD_SOAK_SECONDS").ok();
    let seconds = seconds.map_or(20, |text| text.parse().expect("a number of seconds"));
    let whole = Duration::from_secs(seconds);
    let server = Daemon::start(
        "[anonymous]\npermissions = 'elradfmwMT'\n[limits]\nconnections_per_address = 1000\n\
         [bans]\ndelay = '1ms'\nmax_delay = '1ms'\nfailures = 0\n[tls]\nself_signed = true\n\
         [log]\nfilter = 'error'\ntransfers = 'HERE/xferlog'\nevents = 'HERE/events'\n",
    );
    // What is allocated once is allocated in the first part.
    let warm = load(&server, whole / 3);
    let (descriptors, memory) = settled(&server);
    let rounds = load(&server, whole - whole / 3);
    let (descriptors_after, memory_after) = settled(&server);
    println!(
        "{warm} + {rounds} rounds; descriptors {descriptors}, then {descriptors_after}; \
         KiB {memory}, then {memory_after}"
    );
    assert!(rounds > 20, "{rounds} rounds are no load");
    assert!(
        descriptors_after <= descriptors + 8,
        "descriptors: {descriptors}, then {descriptors_after}"
    );
    // An allocator keeps what it had at the worst moment, and those differ from part to part.
    let most = memory + memory / 4 + 8 * 1024;
    assert!(memory_after <= most, "KiB: {memory}, then {memory_after}");
}

/// Descriptors and KiB once every client has gone.
fn settled(server: &Daemon) -> (usize, u64) {
    let until = Instant::now() + Duration::from_secs(20);
    let mut last = usize::MAX;
    loop {
        let now = server.descriptors();
        if now == last || Instant::now() > until {
            return (now, server.resident_kib());
        }
        last = now;
        thread::park_timeout(Duration::from_millis(1200));
    }
}

/// Rounds of mixed load until the time is over.
fn load(server: &Daemon, time: Duration) -> u64 {
    let (end, rounds) = (AtomicBool::new(false), AtomicU64::new(0));
    thread::scope(|scope| {
        for client in 0..CLIENTS {
            let (end, rounds) = (&end, &rounds);
            scope.spawn(move || {
                let mut round = client;
                while !end.load(Ordering::Relaxed) {
                    match round % 6 {
                        0 => reads(server),
                        1 => writes(server, client),
                        2 => lists(server, client),
                        3 => aborts(server),
                        4 => vanishes(server),
                        _ => secures(server),
                    }
                    round += 1;
                    rounds.fetch_add(1, Ordering::Relaxed);
                }
            });
        }
        thread::park_timeout(time);
        end.store(true, Ordering::Relaxed);
    });
    rounds.load(Ordering::Relaxed)
}

fn reads(server: &Daemon) {
    let mut client = server.client();
    client.log_in("ftp", "x");
    for _ in 0..10 {
        assert_eq!(client.fetch("RETR common"), "of all\n");
        client.ask("REST 3", "350 ");
        assert_eq!(client.fetch("RETR common"), "all\n");
    }
    client.ask("QUIT", "221 ");
}

fn writes(server: &Daemon, number: u64) {
    let mut client = server.client();
    client.log_in("ftp", "x");
    for size in [0, 1, 5000, 300_000] {
        client.store(&format!("STOR f{number}"), &vec![b'x'; size], "226 ");
        client.ask(&format!("SIZE f{number}"), &format!("213 {size}"));
        client.ask(&format!("RNFR f{number}"), "350 ");
        client.ask(&format!("RNTO g{number}"), "250 ");
        client.ask(&format!("DELE g{number}"), "250 ");
    }
}

fn lists(server: &Daemon, number: u64) {
    let mut client = server.client();
    client.expect("220 ");
    client.ask("USER nobody", "331 ");
    client.ask("PASS x", "530 ");
    client.log_in_now("ftp", "x");
    client.ask(&format!("MKD d{number}"), "257 ");
    for line in ["LIST", "MLSD", "NLST", "NLST co*"] {
        assert!(client.fetch(line).contains("common"));
    }
    client.ask(&format!("RMD d{number}"), "250 ");
    client.say(&"x".repeat(10_000));
    client.expect("500 ");
    client.ask("QUIT", "221 ");
}

fn aborts(server: &Daemon) {
    let mut client = server.client();
    client.log_in("ftp", "x");
    for _ in 0..3 {
        let mut data = client.data();
        client.ask("RETR big", "150 ");
        data.read_exact(&mut [0; 100]).unwrap();
        client.ask("ABOR", "426 ");
        client.expect("226 ");
    }
}

fn vanishes(server: &Daemon) {
    for _ in 0..3 {
        let mut client = server.client();
        client.log_in("ftp", "x");
        let mut data = client.data();
        client.ask("STOR cut", "150 ");
        data.write_all(&[b'x'; 20_000]).unwrap();
        drop(client);
        drop(data);
    }
}

fn secures(server: &Daemon) {
    let url = format!("ftp://127.0.0.1:{}/common", server.port);
    let output = Command::new("curl")
        .args(["-sS", "-k", "--ssl-reqd", "--max-time", "30", &url, &url])
        .output()
        .unwrap();
    let errors = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.stdout, b"of all\nof all\n", "{errors}");
}
