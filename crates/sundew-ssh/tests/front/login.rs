//! From the first byte to the login.

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::time::timeout;

use crate::client::{Client, text};
use crate::sensor::{LONG, PASSWORD, sensor, sensor_with};
use sundew_ssh::Limits;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_password_logs_in_and_the_order_of_events_is_the_protocols() {
    let sensor = sensor().await;
    let output = Client::new(sensor.addresses[0])
        .run(&[], &["echo", "hello"])
        .await;
    assert_eq!(text(&output.stderr), "");
    assert_eq!(text(&output.stdout), "hello\n");
    assert_eq!(output.status.code(), Some(0));
    assert_eq!(sensor.seen.line("closed").await, "closed client");
    let words: Vec<String> = sensor
        .seen
        .lines()
        .iter()
        .map(|line| line.split(' ').next().unwrap_or_default().to_owned())
        .collect();
    assert_eq!(
        words,
        [
            "open",
            "identified",
            "kex",
            "none",
            "password",
            "channel",
            "exec",
            "channel",
            "closed"
        ],
        "{:#?}",
        sensor.seen.lines()
    );
    assert_eq!(
        sensor.seen.line("password").await,
        format!("password root {PASSWORD}")
    );
    assert!(
        sensor
            .seen
            .line("identified")
            .await
            .starts_with("identified SSH-2.0-OpenSSH_")
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn wrong_passwords_are_seen_and_the_right_one_still_logs_in() {
    let sensor = sensor().await;
    let client = Client::with_passwords(sensor.addresses[0], &["one", "", PASSWORD]);
    let output = client
        .run(&["-o", "NumberOfPasswordPrompts=5"], &["echo", "in"])
        .await;
    assert_eq!(text(&output.stdout), "in\n", "{}", text(&output.stderr));
    let lines = sensor.seen.lines();
    let passwords: Vec<&str> = lines
        .iter()
        .filter_map(|line| line.strip_prefix("password "))
        .collect();
    assert_eq!(
        passwords,
        ["root one", "root ", &format!("root {PASSWORD}")]
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_sixth_failure_disconnects_in_openssh_words() {
    let sensor = sensor().await;
    let client = Client::with_passwords(
        sensor.addresses[0],
        &["1", "2", "3", "4", "5", "6", "7", "8"],
    );
    let output = client
        .run(&["-o", "NumberOfPasswordPrompts=9"], &["echo", "in"])
        .await;
    assert_eq!(output.status.code(), Some(255));
    let port = sensor.addresses[0].port();
    let wanted = format!(
        "Received disconnect from 127.0.0.1 port {port}:2: Too many authentication failures"
    );
    assert!(
        text(&output.stderr).contains(&wanted),
        "{}",
        text(&output.stderr)
    );
    assert_eq!(sensor.seen.line("closed").await, "closed too-many-failures");
    let passwords = sensor
        .seen
        .lines()
        .iter()
        .filter(|line| line.starts_with("password"))
        .count();
    assert_eq!(passwords, 6);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_refused_client_is_told_the_methods() {
    let sensor = sensor().await;
    let output = Client::new(sensor.addresses[0])
        .run(&["-o", "PreferredAuthentications=none"], &["true"])
        .await;
    let wanted = "root@127.0.0.1: Permission denied (publickey,password).";
    assert!(
        text(&output.stderr).contains(wanted),
        "{}",
        text(&output.stderr)
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn keys_are_seen_in_full_and_log_in_after_the_signature() {
    let sensor = sensor().await;
    let client = Client::new(sensor.addresses[0]);
    for kind in ["ed25519", "rsa", "ecdsa"] {
        let path = client.path().join(kind);
        let status = tokio::process::Command::new("ssh-keygen")
            .args(["-q", "-N", "", "-t", kind, "-f"])
            .arg(&path)
            .status()
            .await
            .unwrap();
        assert!(status.success());
        let identity = format!("IdentityFile={}", path.display());
        let only = ["-o", &identity, "-o", "PreferredAuthentications=publickey"];
        let refused = client.run(&only, &["echo", "in"]).await;
        assert_eq!(refused.status.code(), Some(255));
        let accepted = client.run_as("keyed", &only, &["echo", "in"]).await;
        assert_eq!(text(&accepted.stdout), "in\n", "{}", text(&accepted.stderr));
        let public = std::fs::read_to_string(path.with_extension("pub")).unwrap();
        let line = public.rsplit_once(' ').unwrap().0;
        let lines = sensor.seen.lines();
        for start in ["key root false ", "key keyed false ", "key keyed true "] {
            assert!(
                lines
                    .iter()
                    .any(|seen| seen.starts_with(start) && seen.contains(line)),
                "{start} {lines:#?}"
            );
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn hassh_is_that_of_the_proposal_ssh_itself_shows() {
    let sensor = sensor().await;
    let options = [
        "-vv",
        "-o",
        "Ciphers=aes128-ctr,aes256-ctr",
        "-o",
        "Compression=yes",
    ];
    let output = Client::new(sensor.addresses[0])
        .run(&options, &["echo", "hi"])
        .await;
    let log = text(&output.stderr);
    let (_, proposal) = log.split_once("local client KEXINIT proposal").unwrap();
    let list = |name: &str| {
        let start = format!("debug2: {name}: ");
        proposal
            .lines()
            .find_map(|line| line.strip_prefix(&start))
            .unwrap()
            .trim_end()
    };
    let wanted = [
        list("KEX algorithms"),
        list("ciphers ctos"),
        list("MACs ctos"),
        list("compression ctos"),
    ]
    .join(";");
    let offers = sensor.seen.offers.lock().unwrap().clone();
    assert_eq!(text(&offers[0].hassh_algorithms()), wanted);
    assert_eq!(
        text(offers[0].host_key.as_bytes()),
        list("host key algorithms")
    );
    assert_eq!(text(&output.stdout), "hi\n");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_algorithm_of_the_profile_works_with_openssh() {
    let sensor = sensor().await;
    let client = Client::new(sensor.addresses[0]);
    let profile = sundew_ssh::Profile::openssh_9_2_debian_12();
    let all = |option: &str, names: &[String]| -> Vec<String> {
        let real = names.iter().filter(|name| !name.starts_with("kex-strict"));
        real.map(|name| format!("{option}={name}")).collect()
    };
    let mut options = all("KexAlgorithms", &profile.kex);
    options.extend(all("Ciphers", &profile.cipher));
    // A MAC is used with a cipher that needs one.
    options.extend(
        all("MACs", &profile.mac)
            .into_iter()
            .map(|mac| format!("{mac} -oCiphers=aes128-ctr")),
    );
    options.extend([
        "HostKeyAlgorithms=ssh-ed25519".to_owned(),
        "HostKeyAlgorithms=ecdsa-sha2-nistp256".to_owned(),
    ]);
    options.push("Compression=yes".to_owned());
    for option in options {
        let words: Vec<&str> = option.split(' ').collect();
        let output = client
            .run(&[&["-o"][..], &words[..]].concat(), &["echo", "works"])
            .await;
        assert_eq!(
            text(&output.stdout),
            "works\n",
            "{option}: {}",
            text(&output.stderr)
        );
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_server_shows_what_the_profile_says() {
    let sensor = sensor().await;
    let output = Client::new(sensor.addresses[0])
        .run(&["-vv"], &["echo", "hi"])
        .await;
    let log = text(&output.stderr);
    assert!(
        log.contains("remote software version OpenSSH_9.2p1 Debian-2+deb12u10"),
        "{log}"
    );
    let (_, proposal) = log.split_once("peer server KEXINIT proposal").unwrap();
    let profile = sundew_ssh::Profile::openssh_9_2_debian_12();
    let keys = "ecdsa-sha2-nistp256,ssh-ed25519".to_owned();
    for (name, wanted) in [
        ("KEX algorithms", profile.kex.join(",")),
        ("host key algorithms", keys),
        ("ciphers ctos", profile.cipher.join(",")),
        ("ciphers stoc", profile.cipher.join(",")),
        ("MACs ctos", profile.mac.join(",")),
        ("compression stoc", profile.compression.join(",")),
    ] {
        let start = format!("debug2: {name}: ");
        let shown = proposal
            .lines()
            .find_map(|line| line.strip_prefix(&start))
            .unwrap();
        assert_eq!(shown.trim_end(), wanted, "{name}");
    }
}

/// What a plain socket gets for these bytes, to the end.
async fn answer(address: std::net::SocketAddr, bytes: &[u8]) -> String {
    let mut socket = TcpStream::connect(address).await.unwrap();
    socket.write_all(bytes).await.unwrap();
    let mut got = Vec::new();
    // A reset after the text is as good an end as a close.
    let _end = timeout(LONG, socket.read_to_end(&mut got)).await.unwrap();
    text(&got)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn bad_first_lines_are_answered_like_openssh() {
    const BANNER: &str = "SSH-2.0-OpenSSH_9.2p1 Debian-2+deb12u10\r\n";
    let sensor = sensor().await;
    let address = sensor.addresses[0];
    for (line, said) in [
        (
            &b"GET / HTTP/1.0\r\n\r\n"[..],
            "Invalid SSH identification string.\r\n",
        ),
        (
            b"SSH-1337-OpenSSH_9.0\r\n",
            "Invalid SSH identification string.\r\n",
        ),
        (b"\n", "Invalid SSH identification string.\r\n"),
        (b"SSH-1.5-old\r\n", "Protocol major versions differ.\r\n"),
        (b"SSH-2.0-Probe-1\r\n", ""),
    ] {
        assert_eq!(
            answer(address, line).await,
            format!("{BANNER}{said}"),
            "{}",
            line.escape_ascii()
        );
    }
    assert_eq!(
        sensor.seen.line("identified GET").await,
        "identified GET / HTTP/1.0"
    );
    assert_eq!(
        sensor.seen.line("closed").await,
        "closed bad-identification"
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_client_that_sends_nonsense_after_its_line_is_closed() {
    let sensor = sensor().await;
    let got = answer(
        sensor.addresses[0],
        b"SSH-2.0-x\r\n\xff\xff\xff\xffwhatever",
    )
    .await;
    assert!(got.starts_with("SSH-2.0-OpenSSH"), "{got}");
    assert_eq!(sensor.seen.line("closed").await, "closed protocol");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn both_address_families_share_a_port() {
    let first = sensor_with(&["127.0.0.1:0"], Limits::default()).await;
    let port = first.addresses[0].port();
    let both = sensor_with(&[&format!("[::1]:{port}")], Limits::default()).await;
    let output = Client::new(both.addresses[0])
        .run(&[], &["echo", "six"])
        .await;
    assert_eq!(text(&output.stdout), "six\n", "{}", text(&output.stderr));
    assert_eq!(both.seen.line("open").await, "open ::1");
    assert!(first.seen.lines().is_empty());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_unspecified_addresses_go_together() {
    let mut last = None;
    // The port the system chose for one family may be taken in the other.
    for _ in 0..20 {
        let probe = std::net::TcpListener::bind("[::]:0").unwrap();
        let port = probe.local_addr().unwrap().port();
        drop(probe);
        let (four, six) = (format!("0.0.0.0:{port}"), format!("[::]:{port}"));
        let addresses = [four.parse().unwrap(), six.parse().unwrap()];
        let keys = sundew_ssh::HostKeys::ephemeral().unwrap();
        let profile = sundew_ssh::Profile::openssh_9_2_debian_12();
        match sundew_ssh::Listener::bind(&addresses, profile, &keys, Limits::default()) {
            Ok(listener) => {
                assert_eq!(listener.addresses(), addresses);
                return;
            }
            Err(error) => last = Some(error),
        }
    }
    panic!("{last:?}");
}
