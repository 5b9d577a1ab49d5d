//! The ways in which other servers were broken, each by its name, as far as the dialogue is concerned.

use ftp_server::files::FileOptions;
use ftp_server::ftp_proto::permission::Rights;

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

/// CVE-2011-0418 (pure-ftpd) and CVE-2010-2632 (the C library): braces within braces, and directories
/// that are gone through for each part of a pattern.
#[tokio::test]
async fn cve_2011_0418_and_cve_2010_2632_nested_patterns_are_names_and_cost_nothing() {
    let server = Running::start();
    let mut client = server.logged_in().await;
    let mut path = String::new();
    for _ in 0..20 {
        path.push_str("/a");
        assert_eq!(client.ask(format!("MKD {path}")).await, 257);
    }
    let patterns = [
        "{a,{b,".repeat(300),
        "{..,..,..}/".repeat(100) + "*",
        "*/".repeat(300),
        "*/../".repeat(200) + "*",
        "[".repeat(1000),
        "a*".repeat(500),
        "~".repeat(1000),
    ];
    for pattern in &patterns {
        for verb in ["LIST", "NLST", "LIST -R"] {
            let (code, text) = client.get(&format!("{verb} {pattern}")).await;
            assert!(matches!(code, 226 | 550), "{verb} {pattern}: {code}");
            assert!(text.len() < 5000, "{verb} {pattern}");
        }
        let code = client.ask(format!("STAT {pattern}")).await;
        assert!(matches!(code, 212 | 213 | 450), "STAT {pattern}: {code}");
    }
    client.is_in_step().await;
}

#[tokio::test]
async fn a_listing_of_everything_below_has_an_end() {
    let server = Running::start();
    let mut client = server.logged_in().await;
    let mut path = String::new();
    for _ in 0..40 {
        path.push_str("/deep");
        assert_eq!(client.ask(format!("MKD {path}")).await, 257);
    }
    let (code, text) = client.get("LIST -R").await;
    assert_eq!(code, 226);
    let shown = String::from_utf8(text).unwrap();
    assert_eq!(shown.matches(":\r\n").count(), 32);
}

/// CVE-2019-12815: copies without the rights they need.
#[tokio::test]
async fn cve_2019_12815_a_copy_needs_the_rights_of_reading_and_of_storing() {
    for (letters, wanted) in [("elr", [350, 550, 550]), ("elw", [550, 503, 550])] {
        let rights: Rights = letters.parse().unwrap();
        let server = Running::with(rights, FileOptions::default());
        let mut owner = server.logged_in_as("owner").await;
        assert_eq!(owner.put("STOR file", b"x").await, 226);
        let mut client = server.logged_in().await;
        if letters == "elr" {
            let mut one = server.logged_in().await;
            assert_eq!(one.put("STOR own", b"x").await, 553);
        }
        for (line, code) in ["SITE CPFR file", "SITE CPTO copy", "SITE COPY file copy"]
            .iter()
            .zip(wanted)
        {
            // Anna is not the owner: her letters count.
            assert_eq!(client.ask(line).await, code, "{letters} {line}");
        }
        assert_eq!(owner.ask("SIZE copy").await, 550);
    }
}

/// CVE-1999-0080 (wu-ftpd): SITE EXEC.
#[tokio::test]
async fn cve_1999_0080_nothing_is_executed() {
    let server = Running::start();
    let mut client = server.logged_in().await;
    for line in [
        "SITE EXEC id",
        "SITE EXEC bash -c id",
        "SITE INDEX id",
        "SITE CHMOD",
    ] {
        let (code, text) = client.tell(line).await;
        assert!(matches!(code, 500..=502), "{line}: {text}");
        assert!(!text.contains("uid="));
    }
}

/// CVE-2011-2523: the back door of vsftpd 2.3.4 opened with a smile; that of ProFTPD 1.3.3c with HELP.
#[tokio::test]
async fn cve_2011_2523_a_smiling_user_is_a_user_and_help_is_help() {
    let server = Running::start();
    let mut client = server.client().await;
    assert_eq!(client.ask("USER x:)").await, 331);
    assert_eq!(client.ask("PASS x").await, 530);
    assert_eq!(client.ask("HELP ACIDBITCHEZ").await, 501);
    client.is_in_step().await;
}

/// CVE-2026-44331: what a name server says about a client is said by the client. Nobody asks one.
#[tokio::test]
async fn cve_2026_44331_a_client_is_known_by_its_address_and_by_no_name() {
    let server = Running::start();
    let mut client = server.logged_in_from([127, 0, 0, 77]).await;
    for line in ["SITE WHO", "STAT"] {
        let (_, text) = client.tell(line).await;
        assert!(text.contains("127.0.0.77"), "{line}: {text}");
        assert!(!text.contains("localhost"), "{line}: {text}");
    }
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
