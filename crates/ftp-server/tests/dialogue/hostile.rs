//! The ways in which other servers were broken, each by its name, as far as the dialogue is concerned.

use crate::harness::Running;

#[tokio::test]
async fn cve_2015_3306_nothing_is_copied_without_a_login() {
    let server = Running::start();
    let mut client = server.client().await;
    for line in [
        "SITE CPFR /a",
        "SITE CPTO /b",
        "SITE COPY a b",
        "SITE EXEC id",
    ] {
        assert_eq!(client.ask(line).await, 530, "{line}");
    }
}

#[tokio::test]
async fn cve_2019_18217_and_cve_2010_4221_long_lines_and_telnet_bytes_are_survived() {
    let server = Running::start();
    let mut client = server.client().await;
    client.say(vec![0xff; 100_001]).await;
    client
        .say([&vec![b'A'; 500_000][..], b"\r\n"].concat())
        .await;
    assert_eq!(client.code().await, 500);
    client.say(b"\xff\xfa\x18\x00").await;
    client
        .say([&b"\xff".repeat(4097)[..], b"\xf0\r\n"].concat())
        .await;
    assert_eq!(client.code().await, 500);
    client.say(b"\xff\xf4".repeat(5000)).await;
    assert_eq!(client.ask("NOOP").await, 200);
}

#[tokio::test]
async fn cve_2011_0762_patterns_do_not_keep_the_server_busy() {
    let server = Running::start();
    let mut client = server.logged_in().await;
    let name = "a".repeat(200);
    assert_eq!(client.put(&format!("STOR {name}"), b"").await, 226);
    let pattern = "{{*},".repeat(50) + &"*a".repeat(150) + "b";
    let (code, text) = client.get(&format!("NLST {pattern}")).await;
    assert_eq!((code, text.len()), (226, 0));
    let (code, text) = client.get(&format!("STAT {pattern}")).await;
    assert_eq!((code, text.len()), (213, 0));
}

#[tokio::test]
async fn vsftpd_2_3_4_a_smiling_user_is_a_user() {
    let server = Running::start();
    let mut client = server.client().await;
    assert_eq!(client.ask("USER x:)").await, 331);
    assert_eq!(client.ask("PASS x").await, 530);
}

#[tokio::test]
async fn names_with_nul_and_line_ends_forge_nothing() {
    let server = Running::start();
    let mut client = server.logged_in().await;
    assert_eq!(client.ask(b"MKD a\0b").await, 501);
    assert_eq!(client.ask(b"MKD a\rb").await, 501);
    assert_eq!(client.ask(b"MKD a\r\0b").await, 501);
    assert_eq!(client.ask("CWD /../../../../etc").await, 550);
    assert_eq!(client.ask(format!("CWD {}", "x/".repeat(2040))).await, 550);
    client.is_in_step().await;
}

#[tokio::test]
async fn cve_2020_9273_a_transfer_can_be_aborted_at_any_step() {
    let server = Running::start();
    let mut client = server.logged_in().await;
    let data = client.data().await;
    assert_eq!(client.ask("ABOR").await, 225);
    drop(data);
    assert_eq!(client.ask("STOR file").await, 425);
    let data = client.data().await;
    assert_eq!(client.ask("STOR file").await, 150);
    client.say("ABOR\r\nABOR\r\n").await;
    for code in [426, 226, 225] {
        assert_eq!(client.code().await, code);
    }
    drop(data);
    for _ in 0..3 {
        assert_eq!(client.ask("EPSV").await, 229);
    }
    client.is_in_step().await;
}
