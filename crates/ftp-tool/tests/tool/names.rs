//! What our server writes, our client reads.

use std::ffi::OsStr;
use std::fs;
use std::os::unix::ffi::OsStrExt as _;

use ftp_client::{Client, Config, Login, dial::Tcp};
use tokio::io::AsyncReadExt as _;

use crate::server::{Kind, Running};

/// Names that are hard on listings: blanks, arrows, quotes, options, columns, bytes that are no text.
const NAMES: [&[u8]; 20] = [
    b"plain",
    b" in front",
    b"behind ",
    b"two  blanks",
    b"a -> b",
    b"\"quoted\"",
    b"it's",
    b"-rf",
    b"-rw-r--r-- 1 a a 4 Jan  1 2024 x",
    b"type=dir; x",
    b"total 5",
    b"12-20-22  02:45PM <DIR> x",
    b"[a]*?",
    b"semi;colon",
    b"a\tb",
    b"esc\x1b[2Jape",
    b"latin-\xe9\xff",
    "gr\u{fc}\u{df}e \u{1f600}".as_bytes(),
    b".hidden",
    b"%20",
];

#[tokio::test]
async fn whatever_a_file_is_called_our_server_lists_it_and_our_client_fetches_it() {
    let ours = Running::start(Kind::Ours);
    fs::create_dir(ours.there("d")).unwrap();
    for (number, name) in NAMES.iter().enumerate() {
        let path = ours.there("d").join(OsStr::from_bytes(name));
        fs::write(path, vec![b'x'; number]).unwrap();
    }
    let mut client = Client::connect(Tcp, Config::at(&format!("127.0.0.1:{}", ours.port)))
        .await
        .unwrap();
    client.login(&Login::anonymous()).await.unwrap();
    let mut expected: Vec<(Vec<u8>, Option<u64>)> = NAMES
        .iter()
        .enumerate()
        .map(|(number, name)| (name.to_vec(), Some(number as u64)))
        .collect();
    expected.sort();
    let listings = [
        ("MLSD", client.mlsd("d").await.unwrap()),
        ("LIST", client.list_by_list("d").await.unwrap()),
    ];
    for (verb, listing) in listings {
        assert_eq!(listing.unknown, 0, "{verb}");
        let found = listing.entries.into_iter();
        let mut found: Vec<_> = found.map(|entry| (entry.name, entry.size)).collect();
        found.sort();
        assert_eq!(found, expected, "{verb}");
    }
    let mut names = client.names("d").await.unwrap();
    names.sort();
    let bare: Vec<_> = expected.iter().map(|(name, _)| name.clone()).collect();
    let below: Vec<_> = bare
        .iter()
        .map(|name| [&b"d/"[..], name].concat())
        .collect();
    assert!(names == bare || names == below, "{names:?}");
    client.change_directory("d").await.unwrap();
    for (number, name) in NAMES.iter().enumerate() {
        let shown = name.escape_ascii();
        let mut body = Vec::new();
        let mut download = client.retrieve(name).await.unwrap();
        download.read_to_end(&mut body).await.unwrap();
        drop(download);
        assert_eq!(body.len(), number, "{shown}");
        let facts = client.facts(name).await.unwrap();
        assert_eq!(facts.size, Some(number as u64), "{shown}");
        let again = [name, &b".2"[..]].concat();
        client.rename(name, &again).await.unwrap();
        client.delete(&again).await.unwrap();
    }
    assert!(client.list("").await.unwrap().entries.is_empty());
    client.quit().await.unwrap();
}
