//! Our own server, and what only it is asked: that what it writes, the client reads.

use std::ffi::OsStr;
use std::net::{Ipv4Addr, SocketAddr};
use std::os::unix::ffi::OsStrExt;
use std::path::PathBuf;

use ftp_client::{Client, Config, Login, dial::Tcp};
use ftp_server::auth::Accounts;
use ftp_server::backend::disk::Disk;
use ftp_server::files::{FileOptions, FileServer};
use ftp_server::ftp_proto::permission::Rights;
use ftp_server::ftp_proto::server::TlsRules;
use ftp_server::tls::{Identity, Tls, TlsOptions};
use ftp_server::{Limits, Listener, Server};
use tokio::io::AsyncReadExt;
use tokio_util::sync::CancellationToken;

/// A server that lets anybody read and write, in clear text or after AUTH TLS.
pub(crate) struct Ours {
    pub(crate) directory: tempfile::TempDir,
    pub(crate) port: u16,
    stop: CancellationToken,
}

impl Ours {
    pub(crate) fn start() -> Self {
        let directory = tempfile::tempdir().unwrap();
        for name in ["data", "here"] {
            std::fs::create_dir(directory.path().join(name)).unwrap();
        }
        let names = ["localhost".to_owned(), "127.0.0.1".to_owned()];
        let (identity, made) = Identity::self_signed(&names).unwrap();
        std::fs::write(directory.path().join("ca.pem"), made.certificate).unwrap();
        let tls = Tls::new(identity, &TlsOptions::default()).unwrap();
        let disk = Disk::open(&directory.path().join("data")).unwrap();
        let accounts = Accounts::new().with_anonymous(Rights::ALL);
        let mut options = FileOptions::default();
        options.settings.tls = Some(TlsRules::default());
        let files = FileServer::new(accounts, disk, options);
        let server = Server::new(files, Limits::default()).with_tls(tls);
        let any: SocketAddr = (Ipv4Addr::LOCALHOST, 0).into();
        let listener = Listener::bind(&[any]).unwrap();
        let port = listener.addresses().unwrap()[0].port();
        let stop = server.stop_token();
        tokio::spawn(async move { server.serve(listener).await.unwrap() });
        Self {
            directory,
            port,
            stop,
        }
    }

    pub(crate) fn there(&self, path: &str) -> PathBuf {
        self.directory.path().join("data").join(path)
    }

    pub(crate) fn here(&self, path: &str) -> PathBuf {
        self.directory.path().join("here").join(path)
    }

    pub(crate) fn place(&self) -> String {
        format!("localhost:{}", self.port)
    }
}

impl Drop for Ours {
    fn drop(&mut self) {
        self.stop.cancel();
    }
}

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
    let ours = Ours::start();
    std::fs::create_dir(ours.there("d")).unwrap();
    for (number, name) in NAMES.iter().enumerate() {
        let path = ours.there("d").join(OsStr::from_bytes(name));
        std::fs::write(path, vec![b'x'; number]).unwrap();
    }
    let mut client = Client::connect(Tcp, Config::at(&ours.place()))
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
