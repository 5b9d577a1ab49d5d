//! Clients that vanish, stall, flood, or never say a word; and the server that does not mind.

use std::io::{Read, Write};
use std::net::{Ipv4Addr, Shutdown, SocketAddr, TcpListener, TcpStream};
use std::time::{Duration, Instant};

use rustix::net::sockopt::set_socket_linger;
use tokio::net::TcpSocket;

use crate::client::{Client, PATIENCE};
use crate::daemon::Daemon;

/// Descriptors that may be kept for later use: pipes between sockets and files, one a thread.
const KEPT: usize = 8;

/// One thing a client does in a transfer.
#[derive(Clone, Copy, Debug)]
enum Step {
    Say(&'static str),
    /// A reply that begins so.
    Hear(&'static str),
    /// EPSV, and its reply.
    Passive,
    /// Dials the port of EPSV.
    Dial,
    /// EPRT with a port of ours, and its reply.
    Active,
    /// Takes the connection the server makes.
    Accept,
    ReadSome,
    ReadAll,
    WriteSome,
    EndWriting,
}

use Step::{Accept, Active, Dial, EndWriting, Hear, Passive, ReadAll, ReadSome, Say, WriteSome};

const LOGIN: [Step; 7] = [
    Hear("220 "),
    Say("USER ftp"),
    Hear("331 "),
    Say("PASS x"),
    Hear("230 "),
    Say("TYPE I"),
    Hear("200 "),
];

/// Every way in which bytes move, step by step.
const TRANSFERS: [&[Step]; 8] = [
    &[
        Passive,
        Dial,
        Say("RETR big"),
        Hear("150 "),
        ReadSome,
        ReadAll,
        Hear("226 "),
    ],
    &[
        Passive,
        Say("RETR common"),
        Hear("150 "),
        Dial,
        ReadAll,
        Hear("226 "),
    ],
    &[
        Active,
        Say("RETR big"),
        Hear("150 "),
        Accept,
        ReadSome,
        ReadAll,
        Hear("226 "),
    ],
    &[
        Passive,
        Dial,
        Say("STOR new"),
        Hear("150 "),
        WriteSome,
        EndWriting,
        Hear("226 "),
    ],
    &[
        Active,
        Say("APPE new"),
        Hear("150 "),
        Accept,
        WriteSome,
        EndWriting,
        Hear("226 "),
    ],
    &[
        Passive,
        Dial,
        Say("STOU"),
        Hear("150 "),
        WriteSome,
        EndWriting,
        Hear("226 "),
    ],
    &[
        Passive,
        Dial,
        Say("MLSD"),
        Hear("150 "),
        ReadSome,
        ReadAll,
        Hear("226 "),
    ],
    &[
        Passive,
        Dial,
        Say("RETR big"),
        Hear("150 "),
        ReadSome,
        Say("ABOR"),
        Hear("426 "),
        Hear("226 "),
    ],
];

/// What a client holds.
struct Doomed {
    control: Client,
    port: u16,
    listener: Option<TcpListener>,
    data: Option<TcpStream>,
}

impl Doomed {
    fn step(&mut self, step: Step) {
        match step {
            Say(line) => self.control.say(line),
            Hear(start) => drop(self.control.expect(start)),
            Passive => {
                let reply = self.control.ask("EPSV", "229 ");
                self.port = reply.split('|').nth(3).unwrap().parse().unwrap();
            }
            Dial => self.data = Some(dialled(self.port)),
            Active => {
                let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
                let port = listener.local_addr().unwrap().port();
                self.control
                    .ask(&format!("EPRT |1|127.0.0.1|{port}|"), "200 ");
                self.listener = Some(listener);
            }
            Accept => {
                let (data, _) = self.listener.as_ref().unwrap().accept().unwrap();
                data.set_read_timeout(Some(PATIENCE)).unwrap();
                self.data = Some(data);
            }
            ReadSome => self.data().read_exact(&mut [0; 10]).unwrap(),
            ReadAll => drop(self.data().read_to_end(&mut Vec::new()).unwrap()),
            WriteSome => self.data().write_all(&[b'x'; 70_000]).unwrap(),
            EndWriting => self.data().shutdown(Shutdown::Write).unwrap(),
        }
    }

    fn data(&mut self) -> &mut TcpStream {
        self.data.as_mut().unwrap()
    }

    /// Vanishes: with an orderly end of its connections, or with a reset.
    fn vanish(self, resets: bool) {
        if resets {
            let reset = Some(Duration::ZERO);
            set_socket_linger(self.control.stream(), reset).unwrap();
            if let Some(data) = &self.data {
                set_socket_linger(data, reset).unwrap();
            }
        }
    }
}

fn dialled(port: u16) -> TcpStream {
    let data = TcpStream::connect((Ipv4Addr::LOCALHOST, port)).unwrap();
    data.set_read_timeout(Some(PATIENCE)).unwrap();
    data
}

#[test]
fn a_client_that_vanishes_at_any_step_of_any_transfer_leaves_nothing_behind() {
    let server = Daemon::start(
        "[anonymous]\npermissions = 'elradfmw'\n[limits]\nconnections_per_address = 1000\n",
    );
    // What is made once and kept is made by a whole transfer of each kind.
    for transfer in TRANSFERS {
        run(&server, transfer, usize::MAX).vanish(false);
    }
    server.settles_at(60);
    let before = server.descriptors();
    let mut kills = 0;
    for transfer in TRANSFERS {
        for steps in 0..=LOGIN.len() + transfer.len() {
            // The steps of the login are the same for each.
            if steps < LOGIN.len() && kills > 40 {
                continue;
            }
            for resets in [false, true] {
                run(&server, transfer, steps).vanish(resets);
                kills += 1;
            }
        }
    }
    assert!(kills > 100);
    server.settles_at(before + KEPT);
    let mut healthy = server.client();
    healthy.log_in("ftp", "x");
    assert_eq!(healthy.fetch("RETR common"), "of all\n");
}

fn run(server: &Daemon, transfer: &[Step], steps: usize) -> Doomed {
    let mut client = Doomed {
        control: server.client(),
        port: 0,
        listener: None,
        data: None,
    };
    for step in LOGIN.iter().chain(transfer).take(steps) {
        client.step(*step);
    }
    client
}

#[test]
fn whoever_is_silent_or_does_not_read_is_cut_in_time_and_slows_nobody() {
    let server = Daemon::start(
        "[session]\nlogin = '300ms'\nidle = '2s'\nwrite = '500ms'\n\
         [data]\nconnect = '300ms'\nidle = '500ms'\n[limits]\nconnections_per_address = 1000\n",
    );
    let settled = server.descriptors();
    // Silent before the login.
    let mut silent: Vec<_> = (0..50).map(|_| server.client()).collect();
    for client in &mut silent {
        client.expect("220 ");
    }
    // Announces a transfer that never comes.
    let mut announced = server.client();
    announced.log_in("ftp", "x");
    announced.ask("EPSV", "229 ");
    announced.ask("RETR common", "150 ");
    announced.expect("425 ");
    // Does not read what it has asked for: data, and replies.
    let mut lazy = server.client();
    lazy.log_in("ftp", "x");
    let data = lazy.data();
    lazy.ask("RETR big", "150 ");
    lazy.expect("426 ");
    drop(data);
    let mut deaf = server.client();
    deaf.log_in("ftp", "x");
    let mut stream = deaf.stream().try_clone().unwrap();
    stream.set_write_timeout(Some(PATIENCE)).unwrap();
    let question = "HELP\r\n".repeat(1000);
    let memory = server.resident_kib();
    // Until both ends are full and the server has given up: then a write fails.
    while stream.write_all(question.as_bytes()).is_ok() {}
    let grown = server.resident_kib().saturating_sub(memory);
    assert!(
        grown < 20_000,
        "{grown} KiB for a client that does not read"
    );
    for client in &mut silent {
        client.expect("421 ");
    }
    let mut healthy = server.client();
    healthy.log_in("ftp", "x");
    assert_eq!(healthy.fetch("RETR common"), "of all\n");
    drop((silent, announced, lazy, deaf, stream));
    drop(healthy);
    server.settles_at(settled + KEPT);
}

#[test]
fn a_flood_from_one_address_is_refused_and_another_address_is_not() {
    let server = Daemon::start("[limits]\nconnections_per_address = 10\n");
    let settled = server.descriptors();
    let mut greeted = Vec::new();
    for _ in 0..10 {
        let mut client = server.client();
        client.expect("220 ");
        greeted.push(client);
    }
    for _ in 0..500 {
        let mut client = server.client();
        client.expect("421 ");
        client.ends();
    }
    let runtime = tokio::runtime::Builder::new_current_thread();
    let runtime = { runtime }.enable_all().build().unwrap();
    let other = runtime.block_on(from([127, 0, 0, 2].into(), server.port));
    Client::over(other).log_in("ftp", "x");
    drop(greeted);
    server.settles_at(settled + KEPT);
    server.client().expect("220 ");
}

#[test]
fn a_flood_of_passive_ports_takes_one_each_and_gives_them_back() {
    // Ports behind one that is free; those of them that are not are passed over.
    let free = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
    let first = free.local_addr().unwrap().port().min(65_000);
    let last = first + 9;
    let server = Daemon::start(&format!("[data]\nports = '{first}-{last}'\n"));
    let settled = server.descriptors();
    let mut one = server.client();
    one.log_in("ftp", "x");
    for _ in 0..1000 {
        one.ask("EPSV", "229 ");
    }
    assert!(server.descriptors() <= settled + 2 + KEPT);
    let mut all = Vec::new();
    let mut refused = 0;
    for _ in 0..20 {
        let mut client = server.client();
        client.log_in("ftp", "x");
        client.say("EPSV");
        if !client.expect("").starts_with("229 ") {
            refused += 1;
        }
        all.push(client);
    }
    assert!(refused >= 10, "{refused} of 20 refused with 10 ports");
    drop(all);
    let until = Instant::now() + PATIENCE;
    // The last of them may still be leaving.
    loop {
        one.say("EPSV");
        if one.expect("").starts_with("229 ") {
            break;
        }
        assert!(Instant::now() < until, "no port was given back");
    }
    server.settles_at(settled + 2 + KEPT);
}

/// A connection from an address of ours.
async fn from(address: Ipv4Addr, port: u16) -> TcpStream {
    let socket = TcpSocket::new_v4().unwrap();
    socket.bind(SocketAddr::from((address, 0))).unwrap();
    let stream = socket.connect((Ipv4Addr::LOCALHOST, port).into()).await;
    let stream = stream.unwrap().into_std().unwrap();
    stream.set_nonblocking(false).unwrap();
    stream.set_read_timeout(Some(PATIENCE)).unwrap();
    stream
}

#[test]
fn ten_thousand_sessions_sleep_and_the_next_one_is_served() {
    use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};

    let limit = getrlimit(Resource::Nofile);
    let raised = Rlimit {
        current: limit.maximum,
        maximum: limit.maximum,
    };
    setrlimit(Resource::Nofile, raised).unwrap();
    let most = getrlimit(Resource::Nofile).current.unwrap_or(u64::MAX);
    let count = usize::try_from(most.saturating_sub(1000).min(10_000)).unwrap();
    assert!(
        count >= 2000,
        "ulimit -Hn is {most}, too low to say anything"
    );
    if count < 10_000 {
        eprintln!("{count} sessions: ulimit -Hn is {most}");
    }
    let mut server = Daemon::start("[limits]\nconnections = 20000\n[session]\nlogin = '10m'\n");
    let memory = server.resident_kib();
    let runtime = tokio::runtime::Builder::new_current_thread();
    let runtime = { runtime }.enable_all().build().unwrap();
    let mut sessions: Vec<_> = (0..count)
        .map(|number| {
            let number = u32::try_from(number / 50).unwrap();
            let address = Ipv4Addr::from(0x7f01_0001 + number);
            Client::over(runtime.block_on(from(address, server.port)))
        })
        .collect();
    // All of them say it before any waits for an answer.
    for client in &mut sessions {
        client.say("USER ftp\r\nPASS x");
    }
    for client in &mut sessions {
        client.log_in_answers();
    }
    let each = (server.resident_kib() - memory) * 1024 / u64::try_from(count).unwrap();
    assert!(each < 12_000, "{each} bytes for a session that sleeps");
    let mut one_more = server.client();
    one_more.log_in("ftp", "x");
    assert_eq!(one_more.fetch("RETR common"), "of all\n");
    server.signal("TERM");
    for client in &mut sessions {
        client.expect("421 ");
    }
    drop(sessions);
    one_more.expect("421 ");
    drop(one_more);
    assert!(server.child.wait().unwrap().success());
}
