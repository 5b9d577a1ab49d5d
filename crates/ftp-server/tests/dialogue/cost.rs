//! What a session costs, counted rather than timed.

use std::io::{Read, Write};
use std::net::{Ipv4Addr, SocketAddr, TcpStream};
use std::thread;

use ftp_server::auth::Accounts;
use ftp_server::backend::memory::Memory;
use ftp_server::files::{FileOptions, FileServer};
use ftp_server::ftp_proto::permission::Rights;
use ftp_server::{Limits, Listener, Server};

use crate::harness::PATIENCE;

/// Lines that come at once.
const DEPTH: usize = 32;

/// Logs in, says NOOP so many times, half of them one by one and half many at once, and leaves.
fn visit(address: SocketAddr, noops: usize) {
    let mut client = TcpStream::connect_timeout(&address, PATIENCE).unwrap();
    client.set_read_timeout(Some(PATIENCE)).unwrap();
    client.set_nodelay(true).unwrap();
    let mut ask = |lines: &[u8], replies: usize| {
        client.write_all(lines).unwrap();
        let (mut found, mut buffer) = (0, [0; 4096]);
        while found < replies {
            let count = client.read(&mut buffer).unwrap();
            assert!(count > 0, "closed");
            found += buffer[..count]
                .iter()
                .filter(|&&byte| byte == b'\n')
                .count();
        }
    };
    ask(b"", 1);
    ask(b"USER ftp\r\n", 1);
    ask(b"PASS x\r\n", 1);
    for _ in 0..noops / 2 {
        ask(b"NOOP\r\n", 1);
    }
    for _ in 0..noops / 2 / DEPTH {
        ask(&b"NOOP\r\n".repeat(DEPTH), DEPTH);
    }
    ask(b"QUIT\r\n", 1);
}

/// How often the server asks for memory for one client who says NOOP so many times.
fn allocations(noops: usize) -> u64 {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .unwrap();
    // Counted for this thread alone, which is the server's.
    let counted = allocation_counter::measure(|| {
        runtime.block_on(async {
            let accounts = Accounts::new().with_anonymous(Rights::READ);
            let files = FileServer::new(accounts, Memory::new(0), FileOptions::default());
            let listener = Listener::bind(&[(Ipv4Addr::LOCALHOST, 0).into()]).unwrap();
            let address = listener.addresses().unwrap()[0];
            let server = Server::new(files, Limits::default());
            let stop = server.stop_token();
            let client = thread::spawn(move || {
                visit(address, noops);
                stop.cancel();
            });
            server.serve(listener).await.unwrap();
            client.join().unwrap();
        });
    });
    counted.count_total
}

#[test]
fn a_noop_allocates_nothing() {
    let few = allocations(1_024);
    let many = allocations(9 * 1_024);
    assert!(
        many <= few + 8,
        "{few} allocations with 1024 NOOPs, {many} with nine times as many"
    );
}
