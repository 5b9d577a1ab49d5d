//! Permissions by pyftpdlib's letters, and directories where others hold.

use ftp_server::files::FileOptions;
use ftp_server::ftp_proto::permission::{Override, Permissions, Rights};
use ftp_server::ftp_proto::server::Path;

use crate::harness::Running;

#[tokio::test]
async fn each_letter_is_what_its_commands_need() {
    for (letter, line) in [
        ('e', "CWD /"),
        ('e', "CDUP"),
        ('l', "MLST /"),
        ('l', "STAT /"),
        ('l', "SIZE x"),
        ('l', "MDTM x"),
        ('l', "AVBL"),
        ('r', "HASH x"),
        ('r', "XCRC x"),
        ('r', "RETR x"),
        ('a', "APPE x"),
        ('d', "DELE x"),
        ('d', "RMD x"),
        ('f', "RNFR x"),
        ('m', "MKD x"),
        ('w', "STOR x"),
        ('w', "STOU"),
        ('M', "SITE CHMOD 600 x"),
        ('T', "MFMT 20240102030405 x"),
        ('T', "SITE UTIME 20240102030405 x"),
    ] {
        let all = Rights::ALL.to_string();
        let without: Rights = all.replace(letter, "").parse().unwrap();
        let server = Running::with(without, FileOptions::default());
        let mut client = server.logged_in().await;
        let (code, text) = client.tell(line).await;
        assert!(code >= 450 && text.contains("privileges"), "{line}: {text}");
        let server = Running::with(Rights::ALL, FileOptions::default());
        let mut client = server.logged_in().await;
        let (_, text) = client.tell(line).await;
        assert!(!text.contains("privileges"), "{line}: {text}");
    }
}

#[tokio::test]
async fn an_incoming_directory_takes_files_and_shows_none() {
    let incoming = Override {
        directory: Path::root().join(b"incoming").unwrap(),
        rights: "ew".parse().unwrap(),
        recursive: true,
    };
    let permissions = Permissions::new(Rights::READ).with_override(incoming);
    let server = Running::with(permissions, FileOptions::default());
    let mut owner = server.logged_in_as("owner").await;
    for line in ["MKD incoming", "MKD incoming/sub", "MKD pub"] {
        assert_eq!(owner.ask(line).await, 257);
    }
    let mut client = server.logged_in().await;
    assert_eq!(client.put("STOR incoming/sub/x", b"1").await, 226);
    assert_eq!(client.get("RETR incoming/sub/x").await.0, 550);
    assert_eq!(client.get("NLST incoming").await.0, 550);
    assert_eq!(client.ask("MLST incoming/sub/x").await, 550);
    assert_eq!(client.put("STOR pub/x", b"1").await, 553);
    assert_eq!(client.get("NLST pub").await.0, 226);
    assert_eq!(owner.get("RETR incoming/sub/x").await.1, b"1");
}
