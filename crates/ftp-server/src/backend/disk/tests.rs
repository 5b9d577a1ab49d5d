//! The confinement and the ways of storing, tried with links and with a real directory.

use ftp_proto::permission::Rights;

use super::*;
use crate::backend::Writer;

struct Place {
    disk: Disk,
    root: tempfile::TempDir,
    outside: tempfile::TempDir,
}

fn place() -> Place {
    let root = tempfile::tempdir().unwrap();
    let outside = tempfile::tempdir().unwrap();
    std::fs::write(outside.path().join("secret"), "s").unwrap();
    std::fs::create_dir(root.path().join("dir")).unwrap();
    std::fs::write(root.path().join("dir/file"), "0123456789").unwrap();
    let link = |to: &HostPath, name: &str| {
        std::os::unix::fs::symlink(to, root.path().join(name)).unwrap();
    };
    link(outside.path(), "out");
    link(&outside.path().join("secret"), "secret");
    link(HostPath::new("../../../../etc"), "up");
    link(HostPath::new("dir/file"), "inside");
    link(HostPath::new("loop"), "loop");
    Place {
        disk: Disk::open(root.path()).unwrap(),
        root,
        outside,
    }
}

fn path(text: &str) -> Path {
    Path::root().join(text.as_bytes()).unwrap()
}

async fn read_all(disk: &Disk, text: &str, offset: u64) -> Result<Vec<u8>, FileError> {
    let (_, mut reader) = disk.read(&path(text), offset).await?;
    let mut all = Vec::new();
    while let Some(bytes) = reader.read().await? {
        all.extend(bytes);
    }
    Ok(all)
}

#[tokio::test]
async fn no_link_leads_out() {
    let place = place();
    let disk = &place.disk;
    for name in ["out/secret", "secret", "up/passwd", "loop"] {
        assert_eq!(
            read_all(disk, name, 0).await,
            Err(FileError::Denied),
            "{name}"
        );
        assert_eq!(disk.look(&path(name)).await, Err(FileError::Denied));
        let written = disk.write(&path(name), Placement::Replace).await;
        assert_eq!(written.err(), Some(FileError::Denied));
    }
    for name in ["out/x", "up/x"] {
        assert_eq!(
            disk.make_directory(&path(name)).await,
            Err(FileError::Denied)
        );
        assert_eq!(disk.delete(&path(name)).await, Err(FileError::Denied));
        let renamed = disk.rename(&path("dir/file"), &path(name)).await;
        assert_eq!(renamed, Err(FileError::Denied));
    }
    assert_eq!(
        std::fs::read(place.outside.path().join("secret")).unwrap(),
        b"s"
    );
}

#[tokio::test]
async fn links_that_stay_inside_are_followed_and_listed_as_links() {
    let place = place();
    assert_eq!(read_all(&place.disk, "inside", 4).await.unwrap(), b"456789");
    let mut lister = place.disk.list(&Path::root()).await.unwrap();
    let batch = lister.next().await.unwrap().unwrap();
    assert_eq!(lister.next().await, Ok(None));
    let inside = batch.iter().find(|entry| entry.name == b"inside").unwrap();
    let target = Some(b"dir/file".to_vec());
    assert_eq!(inside.kind, Kind::Link { target });
    assert!(batch.is_sorted_by_key(|entry| &entry.name));
}

#[tokio::test]
async fn bytes_go_where_the_placement_says() {
    let place = place();
    for (placement, expected) in [
        (Placement::Append, "0123456789ab"),
        (Placement::At(3), "012ab"),
        (Placement::Replace, "ab"),
    ] {
        let mut writer = place
            .disk
            .write(&path("dir/file"), placement)
            .await
            .unwrap();
        writer.write(Bytes::from_static(b"a")).await.unwrap();
        writer.write(Bytes::from_static(b"b")).await.unwrap();
        writer.finish().await.unwrap();
        assert_eq!(
            read_all(&place.disk, "dir/file", 0).await.unwrap(),
            expected.as_bytes()
        );
    }
    let behind = place.disk.write(&path("dir/file"), Placement::At(3)).await;
    assert_eq!(behind.err(), Some(FileError::BadOffset));
    assert_eq!(
        read_all(&place.disk, "dir/file", 3).await,
        Err(FileError::BadOffset)
    );
    assert_eq!(read_all(&place.disk, "dir/file", 2).await.unwrap(), b"");
}

#[tokio::test]
async fn what_is_no_file_is_neither_read_nor_written() {
    let place = place();
    let disk = &place.disk;
    assert_eq!(read_all(disk, "dir", 0).await, Err(FileError::IsADirectory));
    let pipe = place.root.path().join("pipe");
    rustix::fs::mknodat(
        rustix::fs::CWD,
        &pipe,
        FileType::Fifo,
        Mode::from_raw_mode(0o600),
        0,
    )
    .unwrap();
    assert_eq!(read_all(disk, "pipe", 0).await, Err(FileError::Denied));
    let written = disk.write(&path("pipe"), Placement::Replace).await;
    assert_eq!(written.err(), Some(FileError::Denied));
    assert_eq!(
        disk.list(&path("dir/file")).await.err(),
        Some(FileError::NotADirectory)
    );
}

#[tokio::test]
async fn names_made_up_are_new() {
    let place = place();
    let (first, _) = place
        .disk
        .write_unique(&path("dir"), b"file")
        .await
        .unwrap();
    let (second, _) = place
        .disk
        .write_unique(&path("dir"), b"file")
        .await
        .unwrap();
    assert_eq!((first, second), (b"file.1".to_vec(), b"file.2".to_vec()));
}

#[tokio::test]
async fn the_root_itself_stays() {
    let place = place();
    let root = Path::root();
    assert_eq!(
        place.disk.remove_directory(&root).await,
        Err(FileError::Denied)
    );
    assert_eq!(
        place.disk.rename(&root, &path("x")).await,
        Err(FileError::Denied)
    );
    assert_eq!(
        place.disk.delete(&path("dir")).await,
        Err(FileError::IsADirectory)
    );
    assert_eq!(
        place.disk.remove_directory(&path("dir")).await,
        Err(FileError::NotEmpty)
    );
}

#[tokio::test]
async fn a_time_that_was_set_is_seen() {
    let place = place();
    let time = Timestamp::from_unix(1_000_000_000);
    let change = Change {
        modified: Some(time),
        mode: Some(0o600),
        ..Change::default()
    };
    place.disk.change(&path("dir/file"), change).await.unwrap();
    let entry = place.disk.look(&path("dir/file")).await.unwrap();
    assert_eq!((entry.modified, entry.mode), (Some(time), Some(0o600)));
}

fn uploads(place: &Place, uploads: Uploads) -> Disk {
    let options = DiskOptions {
        uploads,
        ..DiskOptions::default()
    };
    Disk::open_with(place.root.path(), options).unwrap()
}

const ATOMIC: Uploads = Uploads {
    atomic: true,
    partial: Partial::Keep,
    durability: Durability::Directory,
    overwrite: true,
    preallocate: true,
};

async fn names(disk: &Disk, directory: &str) -> Vec<String> {
    let mut lister = disk.list(&path(directory)).await.unwrap();
    let mut names = Vec::new();
    while let Some(batch) = lister.next().await.unwrap() {
        names.extend(batch.into_iter().map(|entry| entry.name));
    }
    names.sort();
    let text = |name| String::from_utf8(name).unwrap();
    names.into_iter().map(text).collect()
}

fn host_names(place: &Place, directory: &str) -> Vec<String> {
    let entries = std::fs::read_dir(place.root.path().join(directory)).unwrap();
    let name = |entry: io::Result<std::fs::DirEntry>| entry.unwrap().file_name();
    let mut names: Vec<_> = entries
        .map(|entry| name(entry).into_string().unwrap())
        .collect();
    names.sort();
    names
}

async fn begin(disk: &Disk, name: &str, placement: Placement, bytes: &'static [u8]) -> DiskWriter {
    let mut writer = disk.write(&path(name), placement).await.unwrap();
    writer.write(Bytes::from_static(bytes)).await.unwrap();
    writer
}

#[tokio::test]
async fn an_atomic_upload_is_seen_whole_or_not_at_all() {
    let place = place();
    let disk = uploads(&place, ATOMIC);
    let old = begin(&disk, "dir/file", Placement::Replace, b"new").await;
    let new = begin(&disk, "dir/other", Placement::Replace, b"other").await;
    assert_eq!(names(&disk, "dir").await, ["file"]);
    assert_eq!(read_all(&disk, "dir/file", 0).await.unwrap(), b"0123456789");
    let hidden = host_names(&place, "dir");
    assert_eq!(hidden.len(), 3);
    for name in hidden.iter().filter(|name| name.starts_with(".ftpd-")) {
        let path = path(&format!("dir/{name}"));
        assert_eq!(disk.look(&path).await, Err(FileError::NotFound));
        assert_eq!(disk.delete(&path).await, Err(FileError::NotFound));
        let renamed = disk.rename(&path, &self::path("x")).await;
        assert_eq!(renamed, Err(FileError::NotFound));
        let written = disk.write(&path, Placement::Replace).await;
        assert_eq!(written.err(), Some(FileError::NotFound));
    }
    old.finish().await.unwrap();
    new.finish().await.unwrap();
    assert_eq!(read_all(&disk, "dir/file", 0).await.unwrap(), b"new");
    assert_eq!(read_all(&disk, "dir/other", 0).await.unwrap(), b"other");
    assert_eq!(host_names(&place, "dir"), ["file", "other"]);
}

#[tokio::test]
async fn what_replaces_a_file_has_its_mode_and_what_may_not_be_written_stays() {
    use std::os::unix::fs::PermissionsExt;

    let place = place();
    let disk = uploads(&place, ATOMIC);
    let file = place.root.path().join("dir/file");
    let mode = |mode| std::fs::set_permissions(&file, PermissionsExt::from_mode(mode)).unwrap();
    mode(0o640);
    let writer = begin(&disk, "dir/file", Placement::Replace, b"new").await;
    writer.finish().await.unwrap();
    assert_eq!(
        disk.look(&path("dir/file")).await.unwrap().mode,
        Some(0o640)
    );
    // A link keeps being one, and what it leads to is written.
    let writer = begin(&disk, "inside", Placement::Replace, b"by link").await;
    writer.finish().await.unwrap();
    assert_eq!(read_all(&disk, "dir/file", 0).await.unwrap(), b"by link");
    assert!(place.root.path().join("inside").is_symlink());
    let written = disk.write(&path("secret"), Placement::Replace).await;
    assert_eq!(written.err(), Some(FileError::Denied));
    let written = disk.write(&path("dir"), Placement::Replace).await;
    assert_eq!(written.err(), Some(FileError::IsADirectory));
}

#[tokio::test]
async fn a_part_is_kept_or_removed_as_the_operator_wants_and_never_replaces_a_whole() {
    for (atomic, partial, old, new) in [
        (false, Partial::Keep, Some("cut"), Some("cut")),
        (false, Partial::Remove, None, None),
        (true, Partial::Keep, Some("0123456789"), Some("cut")),
        (true, Partial::Remove, Some("0123456789"), None),
    ] {
        let place = place();
        let wanted = Uploads {
            atomic,
            partial,
            ..ATOMIC
        };
        let disk = uploads(&place, wanted);
        let case = format!("{wanted:?}");
        for (name, expected) in [("dir/file", old), ("dir/new", new)] {
            drop(begin(&disk, name, Placement::Replace, b"cut").await);
            let left = read_all(&disk, name, 0).await.ok();
            assert_eq!(
                left,
                expected.map(|text| text.as_bytes().to_vec()),
                "{case}"
            );
        }
        // One that was gone on with keeps what it has.
        std::fs::write(place.root.path().join("dir/file"), "0123456789").unwrap();
        drop(begin(&disk, "dir/file", Placement::At(4), b"x").await);
        assert_eq!(read_all(&disk, "dir/file", 0).await.unwrap(), b"0123x");
        drop(begin(&disk, "dir/file", Placement::Append, b"y").await);
        assert_eq!(read_all(&disk, "dir/file", 0).await.unwrap(), b"0123xy");
        let (name, writer) = disk.write_unique(&path("dir"), b"u").await.unwrap();
        drop(writer);
        let is_there = disk.look(&path("dir").join(&name).unwrap()).await.is_ok();
        assert_eq!(is_there, !atomic && partial == Partial::Keep, "{case}");
        let left = host_names(&place, "dir");
        assert!(
            left.iter().all(|name| !name.starts_with(".ftpd-")),
            "{left:?}"
        );
    }
}

#[tokio::test]
async fn two_atomic_uploads_with_made_up_names_do_not_get_the_same() {
    let place = place();
    let disk = uploads(&place, ATOMIC);
    let (first, one) = disk.write_unique(&path("dir"), b"u").await.unwrap();
    let (second, two) = disk.write_unique(&path("dir"), b"u").await.unwrap();
    assert_ne!(first, second);
    assert_eq!(names(&disk, "dir").await, ["file"]);
    // Somebody else has taken the name meanwhile.
    std::fs::write(place.root.path().join("dir/u.1"), "theirs").unwrap();
    assert_eq!(one.finish().await, Err(FileError::Exists));
    two.finish().await.unwrap();
    assert_eq!(read_all(&disk, "dir/u.1", 0).await.unwrap(), b"theirs");
    assert_eq!(host_names(&place, "dir"), ["file", "u.1", "u.2"]);
}

#[tokio::test]
async fn nothing_takes_the_place_of_a_file_that_may_not_be_overwritten() {
    for atomic in [false, true] {
        let place = place();
        let wanted = Uploads {
            atomic,
            overwrite: false,
            ..ATOMIC
        };
        let disk = uploads(&place, wanted);
        let written = disk.write(&path("dir/file"), Placement::Replace).await;
        assert_eq!(written.err(), Some(FileError::Exists));
        let writer = begin(&disk, "dir/new", Placement::Replace, b"new").await;
        writer.finish().await.unwrap();
        let renamed = disk.rename(&path("dir/new"), &path("dir/file")).await;
        assert_eq!(renamed, Err(FileError::Exists));
        let copied = disk.copy(&path("dir/new"), &path("dir/file")).await;
        assert_eq!(copied, Err(FileError::Exists));
        drop(begin(&disk, "dir/file", Placement::Append, b"x").await);
        assert_eq!(
            read_all(&disk, "dir/file", 0).await.unwrap(),
            b"0123456789x"
        );
        disk.rename(&path("dir/new"), &path("moved")).await.unwrap();
    }
}

#[tokio::test]
async fn uploads_left_behind_by_a_crash_are_removed_and_those_under_way_are_not() {
    let place = place();
    let disk = uploads(&place, ATOMIC);
    let old = |name: &str| {
        let file = place.root.path().join("dir").join(name);
        std::fs::write(&file, "left").unwrap();
        let file = File::options().write(true).open(file).unwrap();
        file.set_modified(std::time::UNIX_EPOCH).unwrap();
    };
    old(".ftpd-0123456789abcdef.part");
    let writer = begin(&disk, "dir/new", Placement::Replace, b"bytes").await;
    let host = writer.host_file().unwrap();
    host.file.set_modified(std::time::UNIX_EPOCH).unwrap();
    drop(host);
    assert_eq!(names(&disk, "dir").await, ["file"]);
    assert_eq!(host_names(&place, "dir").len(), 2);
    disk.delete(&path("dir/file")).await.unwrap();
    let removed = disk.remove_directory(&path("dir")).await;
    assert_eq!(removed, Err(FileError::NotEmpty));
    drop(writer);
    disk.delete(&path("dir/new")).await.unwrap();
    old(".ftpd-left.part");
    disk.remove_directory(&path("dir")).await.unwrap();
}

#[tokio::test]
async fn room_is_made_for_what_was_announced_and_given_back() {
    use std::os::unix::fs::MetadataExt;

    let place = place();
    let blocks = || {
        let file = std::fs::metadata(place.root.path().join("dir/new")).unwrap();
        (file.len(), file.blocks())
    };
    let mut writer = begin(&place.disk, "dir/new", Placement::Replace, b"12").await;
    writer.expect(1 << 20).await.unwrap();
    assert_eq!(blocks().0, 2);
    assert!(blocks().1 >= 2048, "{:?}", blocks());
    writer.finish().await.unwrap();
    assert_eq!(blocks().0, 2);
    assert!(blocks().1 < 2048, "{:?}", blocks());
    let mut writer = begin(&place.disk, "dir/new", Placement::Append, b"3").await;
    assert_eq!(writer.expect(1 << 60).await, Err(FileError::NoSpace));
    drop(writer);
    let space = place.disk.space(&Path::root()).await.unwrap();
    assert!(space > 0);
    let options = DiskOptions {
        keep_free: u64::MAX,
        ..DiskOptions::default()
    };
    let full = Disk::open_with(place.root.path(), options).unwrap();
    assert_eq!(full.space(&Path::root()).await, Ok(0));
    let written = full.write(&path("x"), Placement::Replace).await;
    assert_eq!(written.err(), Some(FileError::NoSpace));
    let written = full.write_unique(&Path::root(), b"x").await;
    assert_eq!(written.err(), Some(FileError::NoSpace));
}

#[tokio::test]
async fn a_part_of_a_file_is_written_over_and_nothing_else_of_it() {
    let place = place();
    let within = |first, length| Placement::Within { first, length };
    let writer = begin(&place.disk, "dir/file", within(3, 2), b"xy").await;
    writer.finish().await.unwrap();
    let all = read_all(&place.disk, "dir/file", 0).await.unwrap();
    assert_eq!(all, b"012xy56789");
    let behind = place.disk.write(&path("dir/file"), within(11, 2)).await;
    assert_eq!(behind.err(), Some(FileError::BadOffset));
}

#[tokio::test]
async fn new_files_have_the_mask_of_the_session_and_of_no_other() {
    let place = place();
    let user = |name: &str| User::new(ftp_proto::Argument::try_from(name).unwrap(), Rights::ALL);
    let mine = place.disk.enter(&user("me")).await.unwrap();
    let other = place.disk.enter(&user("you")).await.unwrap();
    let before = mine.umask(None).await.unwrap();
    assert_eq!(mine.umask(Some(0o007)).await, Ok(before));
    assert_eq!(mine.umask(None).await, Ok(0o007));
    assert_eq!(other.umask(None).await, Ok(before));
    mine.make_directory(&path("made")).await.unwrap();
    drop(begin(&mine, "made/file", Placement::Replace, b"").await);
    drop(mine.write_unique(&path("made"), b"u").await.unwrap());
    drop(begin(&mine, "dir/file", Placement::Replace, b"").await);
    for (name, mode) in [("made", 0o770), ("made/file", 0o660), ("made/u.1", 0o660)] {
        let entry = mine.look(&path(name)).await.unwrap();
        assert_eq!(entry.mode, Some(mode), "{name}");
    }
    // One that was there keeps its own.
    let old = mine.look(&path("dir/file")).await.unwrap().mode.unwrap();
    assert_eq!(old, 0o666 & !before);
}

#[tokio::test]
async fn links_are_followed_as_the_operator_wants() {
    let place = place();
    let at = |name: &str| place.root.path().join(name);
    for (target, name) in [
        ("dir", "to_dir"),
        ("nothing", "dangling"),
        ("to_dir/file", "twice"),
    ] {
        std::os::unix::fs::symlink(target, at(name)).unwrap();
    }
    let with = |links| {
        let options = DiskOptions {
            links,
            ..DiskOptions::default()
        };
        Disk::open_with(place.root.path(), options).unwrap()
    };
    let never = with(Links::Never);
    assert!(!never.abilities().links);
    for name in ["inside", "to_dir/file", "twice"] {
        assert_eq!(
            read_all(&never, name, 0).await,
            Err(FileError::Denied),
            "{name}"
        );
        for links in [Links::Owner, Links::Inside] {
            let read = read_all(&with(links), name, 0).await;
            assert_eq!(read.unwrap(), b"0123456789", "{name} {links:?}");
        }
    }
    let made = never.make_link(b"dir", &path("link")).await;
    assert_eq!(made, Err(FileError::Unsupported));
    never.delete(&path("twice")).await.unwrap();
    let owner = with(Links::Owner);
    for name in ["secret", "out/secret", "up/passwd", "loop"] {
        assert_eq!(
            read_all(&owner, name, 0).await,
            Err(FileError::Denied),
            "{name}"
        );
    }
    let written = owner.write(&path("dangling"), Placement::Replace).await;
    assert_eq!(written.err(), Some(FileError::Denied));
    drop(begin(&owner, "to_dir/new", Placement::Replace, b"").await);
    assert!(at("dir/new").exists());
    // Only root can have links of somebody else made here.
    if rustix::process::geteuid().is_root() {
        let nobody = rustix::fs::Uid::from_raw(65_534);
        let flags = AtFlags::SYMLINK_NOFOLLOW;
        for name in ["inside", "to_dir"] {
            rustix::fs::chownat(rustix::fs::CWD, at(name), Some(nobody), None, flags).unwrap();
        }
        for name in ["inside", "to_dir/file"] {
            let read = read_all(&owner, name, 0).await;
            assert_eq!(read, Err(FileError::Denied), "{name}");
        }
        assert!(read_all(&with(Links::Inside), "inside", 0).await.is_ok());
    }
}

#[tokio::test]
async fn a_link_that_is_made_leads_where_the_client_meant_and_never_out() {
    let place = place();
    let disk = &place.disk;
    disk.make_directory(&path("dir/sub")).await.unwrap();
    for (target, name) in [
        ("/dir/file", "dir/sub/absolute"),
        ("../file", "dir/sub/relative"),
        ("dir/file", "from_root"),
        ("/", "dir/sub/root"),
    ] {
        disk.make_link(target.as_bytes(), &path(name))
            .await
            .unwrap();
    }
    for name in [
        "dir/sub/absolute",
        "dir/sub/relative",
        "from_root",
        "dir/sub/root/dir/file",
    ] {
        assert_eq!(
            read_all(disk, name, 0).await.unwrap(),
            b"0123456789",
            "{name}"
        );
    }
    for (target, name) in [
        ("../x", "out1"),
        ("dir/../../x", "out2"),
        ("../../../x", "dir/sub/o"),
    ] {
        let made = disk.make_link(target.as_bytes(), &path(name)).await;
        assert_eq!(made, Err(FileError::Denied), "{target}");
    }
}

/// CVE-2017-7418: the name of a directory that is served may become a link; what was opened stays.
#[tokio::test]
async fn cve_2017_7418_a_root_that_is_exchanged_for_a_link_leads_nowhere_else() {
    let place = place();
    let parent = tempfile::tempdir().unwrap();
    let home = parent.path().join("home");
    std::fs::create_dir(&home).unwrap();
    std::fs::write(home.join("mine"), "m").unwrap();
    let disk = Disk::open(&home).unwrap();
    std::fs::rename(&home, parent.path().join("moved")).unwrap();
    std::os::unix::fs::symlink(place.outside.path(), &home).unwrap();
    assert_eq!(read_all(&disk, "mine", 0).await.unwrap(), b"m");
    assert_eq!(read_all(&disk, "secret", 0).await, Err(FileError::NotFound));
}

/// Whoever can exchange a directory for a link while commands run gains nothing: neither reading nor
/// writing nor changing times and modes leaves the root.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_directory_exchanged_for_a_link_between_check_and_use_leads_nowhere() {
    use std::sync::atomic::AtomicBool;

    let place = place();
    std::fs::write(place.outside.path().join("file"), "outside").unwrap();
    std::fs::create_dir(place.root.path().join("swap")).unwrap();
    std::fs::write(place.root.path().join("swap/file"), "inside").unwrap();
    std::os::unix::fs::symlink(place.outside.path(), place.root.path().join("link")).unwrap();
    let outside = || {
        let file = std::fs::metadata(place.outside.path().join("file")).unwrap();
        let text = std::fs::read(place.outside.path().join("file")).unwrap();
        (text, file.modified().unwrap(), file.permissions())
    };
    let before = outside();
    let stop = Arc::new(AtomicBool::new(false));
    let (stopped, root) = (Arc::clone(&stop), place.root.path().to_owned());
    let swapper = std::thread::spawn(move || {
        let (swap, link) = (root.join("swap"), root.join("link"));
        while !stopped.load(Ordering::Relaxed) {
            let flags = RenameFlags::EXCHANGE;
            let here = rustix::fs::CWD;
            rustix::fs::renameat_with(here, &swap, here, &link, flags).unwrap();
        }
    });
    let change = Change {
        modified: Some(Timestamp::from_unix(1)),
        mode: Some(0o777),
        ..Change::default()
    };
    let mut reached = 0;
    for atomic in [false, true] {
        let disk = uploads(&place, Uploads { atomic, ..ATOMIC });
        for _ in 0..150 {
            if let Ok(bytes) = read_all(&disk, "swap/file", 0).await {
                assert_eq!(bytes, b"inside");
                reached += 1;
            }
            if let Ok(mut writer) = disk.write(&path("swap/file"), Placement::Replace).await {
                writer.write(Bytes::from_static(b"inside")).await.unwrap();
                writer.finish().await.unwrap();
            }
            let _changed = disk.change(&path("swap/file"), change).await;
            let _renamed = disk.rename(&path("swap/secret"), &path("stolen")).await;
            let _deleted = disk.delete(&path("swap/secret")).await;
        }
    }
    stop.store(true, Ordering::Relaxed);
    swapper.join().unwrap();
    assert_eq!(outside(), before);
    assert!(place.outside.path().join("secret").exists());
    let names = std::fs::read_dir(place.outside.path()).unwrap();
    assert_eq!(names.count(), 2);
    assert!(reached > 0);
}

#[tokio::test]
async fn a_directory_that_is_removed_under_a_session_is_an_error_and_no_more() {
    let place = place();
    let disk = uploads(&place, ATOMIC);
    let mut writer = begin(&disk, "dir/new", Placement::Replace, b"x").await;
    let mut lister = disk.list(&path("dir")).await.unwrap();
    std::fs::remove_dir_all(place.root.path().join("dir")).unwrap();
    writer.write(Bytes::from_static(b"y")).await.unwrap();
    assert_eq!(writer.finish().await, Err(FileError::NotFound));
    assert_eq!(lister.next().await, Ok(Some(Vec::new())));
    assert_eq!(
        disk.list(&path("dir")).await.err(),
        Some(FileError::NotFound)
    );
    std::fs::remove_dir_all(place.root.path()).unwrap();
    let made = disk.make_directory(&path("x")).await;
    assert_eq!(made, Err(FileError::NotFound));
}
