//! Data connections: which ports, whose, and for how long.

use std::hash::{BuildHasher, RandomState};
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::time::{Duration, Instant};

use ftp_server::data::{Advertised, Announce, DataOptions, Dial, TcpDial};
use ftp_server::files::FileOptions;
use ftp_server::ftp_proto::permission::Rights;
use ftp_server::ftp_proto::server::{Foreign, Settings};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpSocket, TcpStream};
use tokio::time::timeout;

use crate::harness::{Client, PATIENCE, Running};

/// A port nobody has, and the next one neither, out of those the system gives nobody by itself.
async fn free_port() -> u16 {
    loop {
        let random = RandomState::new().hash_one(0_u8) % 10_000;
        let port = 20_000 + u16::try_from(random).unwrap();
        let one = TcpListener::bind((Ipv4Addr::LOCALHOST, port)).await;
        let next = TcpListener::bind((Ipv4Addr::LOCALHOST, port + 1)).await;
        if one.is_ok() && next.is_ok() {
            return port;
        }
    }
}

fn with(data: DataOptions) -> Running {
    let options = FileOptions {
        data,
        ..FileOptions::default()
    };
    Running::with(Rights::ALL, options)
}

async fn port_of(client: &mut Client) -> u16 {
    let (code, text) = client.tell("EPSV").await;
    assert_eq!(code, 229, "{text}");
    text.split('|').nth(3).unwrap().parse().unwrap()
}

async fn dial(from: [u8; 4], port: u16) -> TcpStream {
    let socket = TcpSocket::new_v4().unwrap();
    socket.bind((IpAddr::from(from), 0).into()).unwrap();
    socket
        .connect((Ipv4Addr::LOCALHOST, port).into())
        .await
        .unwrap()
}

async fn all_of(stream: &mut TcpStream) -> Vec<u8> {
    let mut bytes = Vec::new();
    let read = stream.read_to_end(&mut bytes);
    // Whoever was refused may see a reset as well as an end.
    let _read = timeout(PATIENCE, read).await.expect("no end");
    bytes
}

#[tokio::test]
async fn a_range_that_is_used_up_is_425_at_once_and_is_given_back_in_every_way() {
    let port = free_port().await;
    let server = with(DataOptions {
        ports: Some(port..=port),
        ..DataOptions::default()
    });
    let (mut one, mut two) = (server.logged_in().await, server.logged_in().await);
    assert_eq!(port_of(&mut one).await, port);
    let asked = Instant::now();
    assert_eq!(two.ask("EPSV").await, 425);
    assert_eq!(two.ask("PASV").await, 425);
    assert!(asked.elapsed() < Duration::from_secs(5));
    // Asked for again, the port is the session's own.
    assert_eq!(port_of(&mut one).await, port);
    assert_eq!(one.ask("PASV").await, 227);
    for line in ["ABOR", "PORT 127,0,0,1,8,1", "REIN"] {
        assert!(matches!(one.ask(line).await, 225 | 200 | 220), "{line}");
        assert_eq!(port_of(&mut two).await, port, "{line}");
        assert_eq!(two.ask("ABOR").await, 225);
        if line == "REIN" {
            break;
        }
        assert_eq!(port_of(&mut one).await, port);
    }
    // A transfer that is refused, one that is done, and a client that is gone.
    let mut one = server.logged_in().await;
    assert_eq!(port_of(&mut one).await, port);
    assert_eq!(one.ask("RETR none").await, 550);
    assert_eq!(two.put("STOR file", b"x").await, 226);
    assert_eq!(one.get("RETR file").await, (226, b"x".to_vec()));
    assert_eq!(port_of(&mut one).await, port);
    drop(one);
    let given_back = async {
        while two.ask("EPSV").await != 229 {
            tokio::task::yield_now().await;
        }
    };
    timeout(PATIENCE, given_back)
        .await
        .expect("port not given back");
}

#[tokio::test]
async fn one_port_serves_many_clients_that_have_addresses_of_their_own() {
    let port = free_port().await;
    let server = with(DataOptions {
        ports: Some(port..=port),
        shared: true,
        ..DataOptions::default()
    });
    let mut clients = Vec::new();
    for last in 1..=3 {
        let mut client = server.logged_in_from([127, 0, 0, last]).await;
        let name = format!("STOR file{last}");
        assert_eq!(port_of(&mut client).await, port);
        clients.push((last, client, name));
    }
    // All wait at the same time; each gets what it sent, in whatever order they dial.
    for (last, client, name) in clients.iter_mut().rev() {
        let mut data = dial([127, 0, 0, *last], port).await;
        assert_eq!(client.ask(&name[..]).await, 150);
        data.write_all(&[*last]).await.unwrap();
        drop(data);
        assert_eq!(client.code().await, 226);
    }
    for (last, client, _) in &mut clients {
        assert_eq!(port_of(client).await, port);
        let (code, _) = client.tell(format!("NLST file{last}")).await;
        assert_eq!(code, 150);
        let mut data = dial([127, 0, 0, *last], port).await;
        assert_eq!(
            all_of(&mut data).await,
            format!("file{last}\r\n").into_bytes()
        );
        assert_eq!(client.code().await, 226);
    }
}

#[tokio::test]
async fn on_a_shared_port_strangers_and_whoever_cannot_be_told_apart_are_refused() {
    let port = free_port().await;
    let server = with(DataOptions {
        ports: Some(port..=port),
        shared: true,
        ..DataOptions::default()
    });
    let mut one = server.logged_in_from([127, 0, 0, 1]).await;
    let mut same = server.logged_in_from([127, 0, 0, 1]).await;
    assert_eq!(one.put("STOR file", b"bytes").await, 226);
    assert_eq!(port_of(&mut one).await, port);
    assert_eq!(same.ask("EPSV").await, 425);
    assert_eq!(port_of(&mut one).await, port);
    let mut stranger = dial([127, 0, 0, 9], port).await;
    assert_eq!(all_of(&mut stranger).await, b"");
    let mut data = dial([127, 0, 0, 1], port).await;
    assert_eq!(one.ask("RETR file").await, 150);
    // The turn is over with the connection, not with the transfer.
    assert_eq!(all_of(&mut data).await, b"bytes");
    assert_eq!(one.code().await, 226);
    assert_eq!(port_of(&mut same).await, port);
    assert_eq!(one.ask("EPSV").await, 425);
    assert_eq!(same.ask("ABOR").await, 225);
    assert_eq!(port_of(&mut one).await, port);
    drop(one);
    let given_back = async {
        while same.ask("EPSV").await != 229 {
            tokio::task::yield_now().await;
        }
    };
    timeout(PATIENCE, given_back)
        .await
        .expect("turn not given back");
}

#[tokio::test]
async fn two_sessions_of_one_address_share_two_ports() {
    let first = free_port().await;
    let server = with(DataOptions {
        ports: Some(first..=first + 1),
        shared: true,
        ..DataOptions::default()
    });
    let (mut one, mut two) = (server.logged_in().await, server.logged_in().await);
    let (left, right) = (port_of(&mut one).await, port_of(&mut two).await);
    assert_ne!(left, right);
    assert_eq!(server.logged_in().await.ask("EPSV").await, 425);
    let mut data = dial([127, 0, 0, 1], right).await;
    assert_eq!(two.ask("STOR right").await, 150);
    data.write_all(b"r").await.unwrap();
    drop(data);
    assert_eq!(two.code().await, 226);
    assert_eq!(two.get("RETR right").await, (226, b"r".to_vec()));
}

#[tokio::test]
async fn pasv_shows_each_network_its_own_address() {
    let announce = Announce::always(Advertised::Address(Ipv4Addr::new(192, 0, 2, 1)))
        .to("127.0.0.2/32".parse().unwrap(), Advertised::Own)
        .to(
            "127.0.0.3/32".parse().unwrap(),
            Advertised::Name("localhost".to_owned()),
        );
    let server = with(DataOptions {
        announce,
        ..DataOptions::default()
    });
    for (last, shown) in [(1, "(192,0,2,1,"), (2, "(127,0,0,1,"), (3, "(127,0,0,1,")] {
        let mut client = server.logged_in_from([127, 0, 0, last]).await;
        let (code, text) = client.tell("PASV").await;
        assert_eq!(code, 227);
        assert!(text.contains(shown), "{text}");
    }
}

#[tokio::test]
async fn the_old_and_the_short_form_of_passive_mode_lead_to_a_port_too() {
    let server = Running::start();
    let mut client = server.logged_in().await;
    assert_eq!(client.put("STOR file", b"bytes").await, 226);
    let (code, text) = client.tell("LPSV").await;
    assert_eq!(code, 228);
    let start = "228 Entering Long Passive Mode (4,4,127,0,0,1,2,";
    let rest = text.strip_prefix(start).unwrap().trim_end();
    let numbers: Vec<u16> = rest
        .trim_end_matches(").")
        .split(',')
        .map(|number| number.parse().unwrap())
        .collect();
    let long = numbers[0] * 256 + numbers[1];
    let mut data = dial([127, 0, 0, 1], long).await;
    assert_eq!(client.ask("RETR file").await, 150);
    assert_eq!(all_of(&mut data).await, b"bytes");
    assert_eq!(client.code().await, 226);
    let (code, text) = client.tell("SPSV").await;
    assert_eq!(code, 227);
    let short = text[4..].trim().parse().unwrap();
    let mut data = dial([127, 0, 0, 1], short).await;
    assert_eq!(client.ask("RETR file").await, 150);
    assert_eq!(all_of(&mut data).await, b"bytes");
    assert_eq!(client.code().await, 226);
    assert_eq!(client.ask("EPSV ALL").await, 200);
    for line in ["LPSV", "SPSV", "LPRT 4,4,127,0,0,1,2,8,1"] {
        assert_eq!(client.ask(line).await, 503, "{line}");
    }
}

#[tokio::test]
async fn other_servers_take_part_by_rule_alone() {
    let other: IpAddr = [127, 0, 0, 5].into();
    let foreign = Foreign::Networks(vec![(other, 32)]);
    let options = FileOptions {
        settings: Settings {
            foreign_data: foreign.clone(),
            ..Settings::default()
        },
        data: DataOptions {
            foreign,
            ..DataOptions::default()
        },
        ..FileOptions::default()
    };
    let server = Running::with(Rights::ALL, options);
    let mut client = server.logged_in().await;
    assert_eq!(client.put("STOR file", b"bytes").await, 226);
    // The other server dials in.
    let port = port_of(&mut client).await;
    assert_eq!(client.ask("RETR file").await, 150);
    let mut stranger = dial([127, 0, 0, 6], port).await;
    assert_eq!(all_of(&mut stranger).await, b"");
    let mut data = dial([127, 0, 0, 5], port).await;
    assert_eq!(all_of(&mut data).await, b"bytes");
    assert_eq!(client.code().await, 226);
    // And is dialled.
    let listener = TcpListener::bind((other, 0)).await.unwrap();
    let port = listener.local_addr().unwrap().port();
    let (high, low) = (port / 256, port % 256);
    assert_eq!(
        client.ask(format!("PORT 127,0,0,6,{high},{low}")).await,
        501
    );
    assert_eq!(
        client.ask(format!("PORT 127,0,0,5,{high},{low}")).await,
        200
    );
    assert_eq!(client.ask("RETR file").await, 150);
    let (mut data, _) = listener.accept().await.unwrap();
    assert_eq!(all_of(&mut data).await, b"bytes");
    assert_eq!(client.code().await, 226);
    // Low ports are for nobody.
    assert_eq!(client.ask("PORT 127,0,0,5,0,25").await, 501);
}

#[tokio::test]
async fn active_mode_dials_from_the_port_it_is_told_to() {
    let from = free_port().await;
    let dial = TcpDial::from_port(from);
    let mut held = Vec::new();
    for _ in 0..2 {
        // To different ports, as clients have them, from the same one.
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap();
        let to = listener.local_addr().unwrap();
        let stream = dial.dial(Ipv4Addr::LOCALHOST.into(), to).await.unwrap();
        let (_, peer) = listener.accept().await.unwrap();
        assert_eq!(peer, SocketAddr::from((Ipv4Addr::LOCALHOST, from)));
        held.push(stream);
    }
}

#[tokio::test]
async fn a_transfer_that_stands_still_or_takes_too_long_is_426() {
    let server = with(DataOptions {
        idle: Duration::from_millis(200),
        connect: Duration::from_millis(200),
        total: Some(Duration::from_millis(600)),
        ..DataOptions::default()
    });
    let mut client = server.logged_in().await;
    assert_eq!(client.ask("EPSV").await, 229);
    assert_eq!(client.ask("STOR none").await, 150);
    assert_eq!(client.code().await, 425);
    let data = client.data().await;
    assert_eq!(client.ask("STOR still").await, 150);
    assert_eq!(client.code().await, 426);
    drop(data);
    // A trickle is not still, but it ends in time.
    let mut data = client.data().await;
    assert_eq!(client.ask("STOR slow").await, 150);
    let trickle = async {
        loop {
            if data.write_all(b"x").await.is_err() {
                std::future::pending::<()>().await;
            }
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    };
    tokio::select! {
        code = client.code() => assert_eq!(code, 426),
        () = trickle => {}
    }
    client.is_in_step().await;
}
