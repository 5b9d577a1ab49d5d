//! Random system calls, recorded on a real Linux with their answers, replayed here.
//!
//! `traces/linux.trace` holds several runs over the same starting tree. Each is replayed twice: on
//! a tree that the image holds, where every change is a copy, and on one made by calls.
//! Not compared: times, sizes in blocks, inode numbers.

#![allow(
    clippy::expect_used,
    clippy::unwrap_used,
    clippy::panic,
    reason = "helpers of tests, outside of #[test] functions"
)]

use std::sync::Arc;

use sundew_vfs::{
    Attributes, Content, Context, Credentials, Errno, FileType, ImageBuilder, InodeId, Limits,
    Metadata, NoSynthetic, OpenOptions, Timestamp, Vfs,
};

const TRACE: &str = include_str!("traces/linux.trace");

#[test]
fn over_an_image_calls_answer_as_on_linux() {
    replay(TRACE, machine_from_image);
}

#[test]
fn over_new_files_calls_answer_as_on_linux() {
    replay(TRACE, machine_from_calls);
}

struct Machine {
    vfs: Vfs,
    creds: Credentials,
    cwd: InodeId,
}

fn replay(trace: &str, machine: fn(&[Vec<&str>]) -> Vfs) {
    let setup: Vec<Vec<&str>> = trace
        .lines()
        .filter_map(|line| line.strip_prefix("setup "))
        .map(|line| line.split(' ').collect())
        .collect();
    let mut at = Machine::new(machine(&setup));
    let mut compared = 0;
    let mut run = 0;
    for (number, line) in trace.lines().enumerate() {
        if line == "new" {
            at = Machine::new(machine(&setup));
            run = number;
        } else if let Some((call, expected)) = line.split_once(" = ") {
            let words: Vec<&str> = call.split(' ').collect();
            let answer = at.call(&words).unwrap_or_else(|errno| {
                let name = format!("{errno:?}").to_uppercase();
                if errno == Errno::Eopnotsupp {
                    "ENOTSUP".into()
                } else {
                    name
                }
            });
            assert_eq!(
                answer,
                expected,
                "line {}: {line}\nrun begins at {run}",
                number + 1
            );
            compared += 1;
        }
    }
    assert!(compared > 1000, "only {compared} calls in the trace");
}

fn machine_from_image(setup: &[Vec<&str>]) -> Vfs {
    let mut image = ImageBuilder::new();
    for line in setup {
        let path = line[1].as_bytes();
        match line[0] {
            "sym" => image.symlink(path, Attributes::default(), line[2].as_bytes()),
            "hard" => image.hard_link(path, line[2].as_bytes()),
            kind => {
                let attributes = Attributes {
                    mode: octal(line[2]),
                    uid: line[3].parse().unwrap(),
                    gid: line[4].parse().unwrap(),
                    ..Attributes::default()
                };
                if kind == "dir" {
                    image.directory(path, attributes)
                } else {
                    image.file(
                        path,
                        attributes,
                        Content::Bytes(Arc::from(line[5].as_bytes())),
                    )
                }
            }
        }
        .unwrap();
    }
    Vfs::new(image.finish(), Limits::default())
}

fn machine_from_calls(setup: &[Vec<&str>]) -> Vfs {
    let mut at = Machine::new(Vfs::new(ImageBuilder::new().finish(), Limits::default()));
    for line in setup {
        match line[0] {
            "sym" => at.call(&["symlink", line[2], line[1]]),
            "hard" => at.call(&["link", line[1], line[2], "0"]),
            kind => {
                if kind == "dir" {
                    at.call(&["mkdir", line[1], "755"]).unwrap();
                } else {
                    at.call(&["open", line[1], "w,creat,excl"]).unwrap();
                    let cx = context(&at.creds, at.cwd);
                    let ino = at.vfs.resolve(&cx, line[1].as_bytes(), true).unwrap();
                    let text = line[5].as_bytes();
                    at.vfs.write_at(ino, 0, text, Timestamp::default()).unwrap();
                }
                at.call(&["chown", line[1], line[3], line[4]]).unwrap();
                at.call(&["chmod", line[1], line[2]])
            }
        }
        .unwrap();
    }
    at.vfs
}

fn context(creds: &Credentials, cwd: InodeId) -> Context<'_> {
    Context {
        creds,
        synthetic: &NoSynthetic,
        cwd,
        now: Timestamp::default(),
    }
}

impl Machine {
    fn new(vfs: Vfs) -> Self {
        let cwd = vfs.root();
        Self {
            vfs,
            creds: Credentials::root(),
            cwd,
        }
    }

    #[allow(clippy::too_many_lines, reason = "one arm per call")]
    fn call(&mut self, words: &[&str]) -> Result<String, Errno> {
        let creds = self.creds.clone();
        let cx = context(&creds, self.cwd);
        let path = words.get(1).map_or(&b""[..], |path| bytes(path));
        let done = |()| "ok".to_owned();
        let vfs = &mut self.vfs;
        match words[0] {
            "mkdir" => vfs.mkdir(&cx, path, octal(words[2])).map(|_| done(())),
            "open" => vfs
                .open(&cx, path, options(words[2]))
                .map(|opened| show(&opened.metadata)),
            "unlink" => vfs.unlink(&cx, path).map(done),
            "rmdir" => vfs.rmdir(&cx, path).map(done),
            "rename" => vfs.rename(&cx, path, bytes(words[2])).map(done),
            "link" => vfs
                .link(&cx, path, bytes(words[2]), words[3] == "1")
                .map(done),
            "symlink" => vfs.symlink(&cx, path, bytes(words[2])).map(|_| done(())),
            "stat" => vfs.stat(&cx, path).map(|meta| show(&meta)),
            "lstat" => vfs.lstat(&cx, path).map(|meta| show(&meta)),
            "readlink" => vfs.read_link(&cx, path).map(|target| text(&target)),
            "mknod" => {
                let (file_type, rdev) = match words[2] {
                    "p" => (FileType::Fifo, (0, 0)),
                    "s" => (FileType::Socket, (0, 0)),
                    _ => (FileType::CharDevice, (1, 3)),
                };
                vfs.mknod(&cx, path, file_type, 0o644, rdev)
                    .map(|_| done(()))
            }
            "truncate" => {
                let ino = vfs.open(&cx, path, options("w"))?.ino;
                vfs.strip_set_id(&cx, ino);
                vfs.truncate(ino, words[2].parse().unwrap(), cx.now)
                    .map(done)
            }
            "write" => {
                let ino = vfs.open(&cx, path, options("w"))?.ino;
                vfs.strip_set_id(&cx, ino);
                let data = words[4].repeat(words[3].parse().unwrap());
                let offset = words[2].parse().unwrap();
                let written = vfs.write_at(ino, offset, data.as_bytes(), cx.now)?;
                Ok(written.to_string())
            }
            "read" => {
                let ino = vfs.open(&cx, path, options("r"))?.ino;
                let mut content = vec![0; 100_000];
                let count = vfs.read_at(ino, 0, &mut content)?;
                Ok(format!("{count} {:016x}", fnv(&content[..count])))
            }
            "chdir" => {
                let ino = vfs.resolve(&cx, path, true)?;
                if !vfs.metadata(&cx, ino)?.is_dir() {
                    return Err(Errno::Enotdir);
                }
                vfs.access(&cx, ino, sundew_vfs::Access::Execute)?;
                vfs.retain(ino);
                vfs.release(self.cwd);
                self.cwd = ino;
                Ok(done(()))
            }
            "getcwd" => vfs
                .path_of(self.cwd)
                .map(|path| text(&path))
                .ok_or(Errno::Enoent),
            "list" => {
                let ino = vfs.resolve(&cx, path, true)?;
                let names = vfs.read_dir(&cx, ino)?;
                let names: Vec<String> =
                    names.iter().map(|entry| text(&entry.name) + " ").collect();
                Ok(format!("[ {}]", names.concat()))
            }
            "chmod" => {
                let ino = vfs.resolve(&cx, path, true)?;
                vfs.chmod(&cx, ino, octal(words[2])).map(done)
            }
            "chown" => {
                let ino = vfs.resolve(&cx, path, true)?;
                let id = |word: &str| word.parse().ok();
                vfs.chown(&cx, ino, id(words[2]), id(words[3])).map(done)
            }
            "user" => {
                let uid = words[1].parse().unwrap();
                let groups = if uid == 0 { vec![] } else { vec![100] };
                self.creds = Credentials {
                    uid,
                    gid: uid,
                    groups,
                };
                Ok(done(()))
            }
            other => panic!("unknown call {other}"),
        }
    }
}

fn options(words: &str) -> OpenOptions {
    let mut options = OpenOptions {
        mode: 0o640,
        ..OpenOptions::default()
    };
    for word in words.split(',') {
        match word {
            "r" => options.read = true,
            "w" => options.write = true,
            "rw" => (options.read, options.write) = (true, true),
            "creat" => options.create = true,
            "excl" => options.exclusive = true,
            "trunc" => options.truncate = true,
            "dir" => options.directory = true,
            "nofollow" => options.no_follow = true,
            "append" => options.append = options.write,
            other => panic!("unknown flag {other}"),
        }
    }
    options
}

fn show(meta: &Metadata) -> String {
    let kind = match meta.file_type {
        FileType::Regular => '-',
        FileType::Directory => 'd',
        FileType::Symlink => 'l',
        FileType::CharDevice => 'c',
        FileType::BlockDevice => 'b',
        FileType::Fifo => 'p',
        FileType::Socket => 's',
    };
    format!(
        "{kind} {:o} {} {} {} {}",
        meta.mode, meta.uid, meta.gid, meta.nlink, meta.size
    )
}

fn bytes(word: &str) -> &[u8] {
    if word == "''" { b"" } else { word.as_bytes() }
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8(bytes.to_vec()).unwrap()
}

fn octal(word: &str) -> u16 {
    u16::from_str_radix(word, 8).unwrap()
}

/// FNV-1a, so that the trace need not hold contents.
fn fnv(bytes: &[u8]) -> u64 {
    bytes.iter().fold(0xcbf2_9ce4_8422_2325, |hash, byte| {
        (hash ^ u64::from(*byte)).wrapping_mul(0x0100_0000_01b3)
    })
}
