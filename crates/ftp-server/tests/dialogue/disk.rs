//! The dialogue over a directory of the host: what a disk has that memory has not.

use std::ffi::OsStr;
use std::fs;
use std::os::unix::ffi::OsStrExt;

use ftp_server::backend::disk::{Disk, DiskOptions, Partial, Uploads};
use ftp_server::files::FileOptions;
use ftp_server::ftp_proto::permission::Rights;
use tempfile::TempDir;
use tokio::io::AsyncWriteExt;

use crate::harness::{Client, Running};

struct Place {
    root: TempDir,
    server: Running,
}

fn place(options: DiskOptions) -> Place {
    let root = tempfile::tempdir().unwrap();
    let disk = Disk::open_with(root.path(), options).unwrap();
    let server = Running::over(disk, Rights::ALL, FileOptions::default());
    Place { root, server }
}

impl Place {
    fn has(&self, name: &str) -> bool {
        self.root.path().join(name).exists()
    }
}

/// Begins an upload, sends something and aborts.
async fn abort(client: &mut Client, line: &str) {
    let mut data = client.data().await;
    assert_eq!(client.ask(line).await, 150);
    data.write_all(b"part").await.unwrap();
    while client.ask("STAT").await != 211 {}
    client.say("ABOR\r\n").await;
    assert_eq!(client.code().await, 426);
    assert_eq!(client.code().await, 226);
}

#[tokio::test]
async fn an_aborted_upload_leaves_what_the_operator_wants() {
    for (atomic, partial) in [
        (false, Partial::Keep),
        (false, Partial::Remove),
        (true, Partial::Remove),
    ] {
        let place = place(DiskOptions {
            uploads: Uploads {
                atomic,
                partial,
                ..Uploads::default()
            },
            ..DiskOptions::default()
        });
        let mut client = place.server.logged_in().await;
        abort(&mut client, "STOR file").await;
        // The next command of the session finds it done.
        let is_kept = partial == Partial::Keep;
        let code = client.ask("MDTM file").await;
        assert_eq!(code == 213, is_kept, "{atomic} {partial:?}");
        let (_, listing) = client.get("NLST").await;
        assert_eq!(listing.is_empty(), !is_kept);
        assert_eq!(
            fs::read_dir(place.root.path()).unwrap().count(),
            usize::from(is_kept)
        );
        assert_eq!(client.put("STOR file", b"whole").await, 226);
        assert_eq!(client.put("APPE file", b" more").await, 226);
        assert_eq!(client.get("RETR file").await, (226, b"whole more".to_vec()));
    }
}

#[tokio::test]
async fn names_that_are_not_text_survive_and_those_with_line_ends_forge_nothing() {
    let place = place(DiskOptions::default());
    for name in [
        &b"a\nb"[..],
        b"c\r\n226 forged\r\nd",
        b"latin-\xe9",
        b"tab\t",
        b"\xff",
    ] {
        fs::write(place.root.path().join(OsStr::from_bytes(name)), "x").unwrap();
    }
    let mut client = place.server.logged_in().await;
    let (code, listing) = client.get("NLST").await;
    assert_eq!(code, 226);
    let mut names: Vec<_> = listing.split(|&byte| byte == b'\n').collect();
    names.sort_unstable();
    assert_eq!(names, [&b""[..], b"latin-\xe9\r", b"tab\t\r", b"\xff\r"]);
    for line in ["LIST", "MLSD"] {
        let (code, listing) = client.get(line).await;
        assert_eq!(code, 226);
        // A line for each at most, and none that is not about a file.
        let lines: Vec<_> = listing.split(|&byte| byte == b'\n').collect();
        assert!(lines.len() <= 6, "{line} {lines:?}");
        assert!(
            !lines.iter().any(|line| line.starts_with(b"226")),
            "{lines:?}"
        );
    }
    let (code, text) = client.tell("STAT .").await;
    assert_eq!(code, 212, "{text}");
    // 255 is doubled on the wire (RFC 854), and is one byte in the name.
    assert_eq!(client.get("RETR latin-\u{e9}").await.0, 550);
    client.say(b"SIZE latin-\xe9\r\n").await;
    assert_eq!(client.code().await, 213);
    client.say(b"SIZE \xff\xff\r\n").await;
    assert_eq!(client.code().await, 213);
    client.is_in_step().await;
}

#[tokio::test]
async fn offsets_beyond_four_gibibytes_are_kept_and_those_beyond_all_files_refused() {
    let place = place(DiskOptions::default());
    // Sparse: it takes up next to nothing.
    let size = (5_u64 << 30) + 3;
    let file = fs::File::create(place.root.path().join("huge")).unwrap();
    file.set_len(size).unwrap();
    let mut client = place.server.logged_in().await;
    let (code, text) = client.tell("SIZE huge").await;
    assert_eq!((code, &text[..]), (213, &format!("213 {size}\r\n")[..]));
    assert_eq!(client.ask(format!("REST {}", size - 3)).await, 350);
    assert_eq!(client.get("RETR huge").await, (226, vec![0; 3]));
    assert_eq!(client.ask(format!("REST {}", size - 1)).await, 350);
    assert_eq!(client.put("STOR huge", b"abc").await, 226);
    assert_eq!(file.metadata().unwrap().len(), size + 2);
    assert_eq!(
        client.ask(format!("RANG {} {}", size - 1, size + 9)).await,
        350
    );
    assert_eq!(client.get("RETR huge").await, (226, b"abc".to_vec()));
    assert_eq!(client.ask(format!("REST {}", size + 3)).await, 350);
    assert_eq!(client.put("STOR huge", b"x").await, 554);
    assert_eq!(file.metadata().unwrap().len(), size + 2);
    assert_eq!(client.ask(format!("REST {}", i64::MAX)).await, 350);
    assert_eq!(client.get("RETR huge").await.0, 554);
    for offset in [
        "9223372036854775808",
        "18446744073709551616",
        "-1",
        "1e3",
        "",
    ] {
        assert_eq!(client.ask(format!("REST {offset}")).await, 501, "{offset}");
    }
    assert_eq!(client.ask("REST 5").await, 350);
    assert_eq!(client.put("APPE huge", b"x").await, 450);
    assert_eq!(client.ask("TYPE A").await, 200);
    assert_eq!(client.ask("REST 5").await, 501);
    assert_eq!(client.ask("REST 0").await, 350);
    assert_eq!(client.ask("SIZE huge").await, 550);
    // Set in TYPE I, used in TYPE A.
    assert_eq!(client.ask("TYPE I").await, 200);
    assert_eq!(client.ask("REST 5").await, 350);
    assert_eq!(client.ask("TYPE A").await, 200);
    assert_eq!(client.get("RETR huge").await.0, 554);
    client.is_in_step().await;
}

#[tokio::test]
async fn a_working_directory_that_is_removed_is_told_and_left() {
    let place = place(DiskOptions::default());
    let mut client = place.server.logged_in().await;
    assert_eq!(client.ask("MKD a").await, 257);
    assert_eq!(client.ask("CWD a").await, 250);
    assert_eq!(client.put("STOR file", b"x").await, 226);
    fs::remove_dir_all(place.root.path().join("a")).unwrap();
    assert_eq!(client.ask("PWD").await, 257);
    assert_eq!(client.get("LIST").await.0, 550);
    assert_eq!(client.get("RETR file").await.0, 550);
    assert_eq!(client.put("STOR file", b"x").await, 553);
    assert_eq!(client.ask("MKD b").await, 550);
    assert_eq!(client.ask("STAT .").await, 450);
    assert_eq!(client.ask("CDUP").await, 200);
    assert_eq!(client.put("STOR file", b"x").await, 226);
}

#[tokio::test]
async fn what_does_not_fit_is_refused_before_it_comes() {
    let place = place(DiskOptions::default());
    let mut client = place.server.logged_in().await;
    assert_eq!(client.ask("ALLO 1000").await, 200);
    assert_eq!(client.put("STOR small", b"x").await, 226);
    assert_eq!(client.ask(format!("ALLO {}", 1_u64 << 60)).await, 504);
    assert_eq!(client.put("STOR after", b"x").await, 226);
    assert_eq!(
        fs::metadata(place.root.path().join("small")).unwrap().len(),
        1
    );
    let full = self::place(DiskOptions {
        keep_free: u64::MAX,
        ..DiskOptions::default()
    });
    let mut client = full.server.logged_in().await;
    for line in ["STOR x", "APPE x", "STOU x"] {
        assert_eq!(client.put(line, b"x").await, 452, "{line}");
    }
    assert_eq!(client.tell("AVBL").await.1, "213 0\r\n");
    assert!(!full.has("x"));
}

#[tokio::test]
async fn site_answers_for_what_a_directory_can_do() {
    let place = place(DiskOptions::default());
    let mut client = place.server.logged_in().await;
    assert_eq!(client.put("STOR file", b"x").await, 226);
    for (line, wanted) in [
        ("SITE UMASK 077", "200 UMASK set to 077"),
        ("SITE UMASK", "200 UMASK is 077"),
        ("SITE UMASK 9", "501"),
        ("SITE UTIME 20200102030405 file", "200"),
        ("MDTM file", "213 20200102030405"),
        ("SITE UTIME 202102030405 file", "200"),
        ("MDTM file", "213 20210203040500"),
        ("SITE CHMOD 640 file", "200"),
        ("SITE SYMLINK file link", "200"),
        ("SITE SYMLINK ../../etc/passwd out", "550"),
        ("SITE QUOTA", "200-Quota:\r\n No quota.\r\n200 "),
        (
            "MFMT 20190102030405 link",
            "213 Modify=20190102030405; link",
        ),
        ("MDTM file", "213 20190102030405"),
        ("MFF UNIX.mode=0600;Modify=20180102030405; file", "213 "),
        ("MFF Create=20180102030405; file", "502"),
        ("MFCT 20180102030405 file", "502"),
        ("SITE COPY file copy", "200"),
        ("SITE MKDIR x/y/z", "200"),
        ("SITE RMDIR x", "200"),
    ] {
        let (_, text) = client.tell(line).await;
        assert!(text.starts_with(wanted), "{line}: {text}");
    }
    let (code, text) = client.tell("SITE WHO").await;
    assert_eq!(code, 200);
    assert!(text.contains("\r\n anna 127.0.0.1 "), "{text}");
    assert_eq!(client.put("STOR masked", b"").await, 226);
    let (_, text) = client.tell("STAT masked").await;
    assert!(text.contains("-rw-------"), "{text}");
    let (_, text) = client.tell("STAT file").await;
    assert!(text.contains("-rw-------"), "{text}");
}
