//! The confinement, tried with links and with a real directory.

use super::*;

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
