//! `sftp-server` of OpenSSH 9.2: draft-ietf-secsh-filexfer-02, version 3, on standard input and output.
//!
//! What is written is kept as it comes; a file that is written out of order is kept once more, whole,
//! when it is closed.

use std::collections::BTreeMap;

use sundew_kernel::descriptor::OpenFlags;
use sundew_kernel::observe::{Capture, DownloadEnd, Upload, UploadProtocol};
use sundew_kernel::process::Seek;
use sundew_kernel::{Errno, ExitStatus, Fd, Process, STDIN, STDOUT};
use sundew_vfs::{Metadata, Timestamp};

use self::wire::{Attributes, Reader, Status, Writer};
use crate::time::{Shown, Zone};
use crate::users::Directory;

pub(super) mod wire;

/// Longest packet, in bytes: OpenSSH's own limit.
pub(super) const MAX_PACKET_BYTES: usize = 256 * 1024;
/// Bytes that one read brings at most: OpenSSH's own limit.
const MAX_READ_BYTES: u32 = 255 * 1024;
/// Handles open at once. OpenSSH has as many as descriptors.
const MAX_HANDLES: usize = 200;
/// Names in one answer.
const NAMES_AT_ONCE: usize = 100;
/// Bytes read from the client at once.
const CHUNK_BYTES: usize = 32 * 1024;

/// What OpenSSH 9.2 offers beyond version 3.
const EXTENSIONS: &[(&str, &str)] = &[
    ("posix-rename@openssh.com", "1"),
    ("statvfs@openssh.com", "2"),
    ("fstatvfs@openssh.com", "2"),
    ("hardlink@openssh.com", "1"),
    ("fsync@openssh.com", "1"),
    ("lsetstat@openssh.com", "1"),
    ("limits@openssh.com", "1"),
    ("expand-path@openssh.com", "1"),
    ("copy-data", "1"),
    ("home-directory", "1"),
    ("users-groups-by-id@openssh.com", "1"),
];

/// `sftp-server`.
pub(super) async fn run(proc: &mut Process) -> ExitStatus {
    let mut server = Server {
        handles: BTreeMap::new(),
        next: 0,
        users: Directory::load(proc).await,
        zone: Zone::of(proc).await,
    };
    let mut buffer = Vec::new();
    let mut chunk = vec![0; CHUNK_BYTES];
    loop {
        while let Some(packet) = wire::packet(&mut buffer) {
            proc.tick().await;
            let answer = server.answer(proc, &packet).await;
            if proc.write_all(STDOUT, &answer).await.is_err() {
                return ExitStatus::FAILURE;
            }
        }
        if wire::announced(&buffer).is_some_and(|length| length > MAX_PACKET_BYTES) {
            let text = "bad message from  local user root\r\n";
            proc.print_error(text.as_bytes()).await;
            return ExitStatus::Exited(11);
        }
        match proc.read(STDIN, &mut chunk).await {
            Ok(count @ 1..) => buffer.extend_from_slice(chunk.get(..count).unwrap_or_default()),
            _ => break,
        }
    }
    // Files that the client left open are as complete as they will be.
    for (_, handle) in std::mem::take(&mut server.handles) {
        if let Handle::File(file) = handle {
            file.close(proc, false).await;
        }
    }
    ExitStatus::SUCCESS
}

struct Server {
    handles: BTreeMap<u32, Handle>,
    next: u32,
    users: Directory,
    zone: Zone,
}

enum Handle {
    File(File),
    /// A directory's path and the names that were not told yet.
    Names(Vec<u8>, Vec<Vec<u8>>),
}

struct File {
    fd: Fd,
    path: Vec<u8>,
    append: bool,
    /// What was written, kept, and where the next piece belongs.
    upload: Option<(Box<dyn Capture>, u64)>,
    /// Whether pieces came out of order.
    scattered: bool,
}

type Answer = Result<Writer, Status>;

impl Server {
    async fn answer(&mut self, proc: &mut Process, packet: &[u8]) -> Vec<u8> {
        let mut reader = Reader(packet);
        let Some(kind) = reader.byte() else {
            return Vec::new();
        };
        if kind == wire::INIT {
            let mut writer = Writer::new(wire::VERSION);
            writer.number(3);
            for (name, version) in EXTENSIONS {
                writer.string(name.as_bytes());
                writer.string(version.as_bytes());
            }
            return writer.finish();
        }
        let id = reader.number().unwrap_or(0);
        let answer = match self.request(proc, kind, id, &mut reader).await {
            Some(answer) => answer,
            None => Err(Status::BadMessage),
        };
        match answer {
            Ok(writer) => writer.finish(),
            Err(status) => status.packet(id),
        }
    }

    /// One request; `None` if it is no request.
    async fn request(
        &mut self,
        proc: &mut Process,
        kind: u8,
        id: u32,
        reader: &mut Reader<'_>,
    ) -> Option<Answer> {
        let path = |reader: &mut Reader<'_>| {
            let path = reader.string()?;
            Some(if path.is_empty() { b".".to_vec() } else { path })
        };
        Some(match kind {
            wire::OPEN => {
                let (path, flags) = (path(reader)?, reader.number()?);
                let attributes = reader.attributes()?;
                self.open(proc, id, path, flags, &attributes).await
            }
            wire::CLOSE => {
                let handle = reader.handle()?;
                match self.handles.remove(&handle) {
                    Some(Handle::File(file)) => Err(file.close(proc, true).await),
                    Some(Handle::Names(..)) => Err(Status::Ok),
                    None => Err(Status::Failure),
                }
            }
            wire::READ => {
                let (handle, offset) = (reader.handle()?, reader.long()?);
                self.read(proc, id, handle, offset, reader.number()?).await
            }
            wire::WRITE => {
                let (handle, offset) = (reader.handle()?, reader.long()?);
                let bytes = reader.string()?;
                Err(self.write(proc, handle, offset, &bytes).await)
            }
            wire::STAT => attributes(id, proc.stat(&path(reader)?)),
            wire::LSTAT => attributes(id, proc.lstat(&path(reader)?)),
            wire::FSTAT => match self.handles.get(&reader.handle()?) {
                Some(Handle::File(file)) => attributes(id, proc.fstat(file.fd)),
                Some(Handle::Names(path, _)) => attributes(id, proc.stat(path)),
                None => Err(Status::Failure),
            },
            wire::SETSTAT => {
                let path = path(reader)?;
                Err(set(proc, &path, &reader.attributes()?).await)
            }
            wire::FSETSTAT => {
                let (handle, wanted) = (reader.handle()?, reader.attributes()?);
                match self.handles.get(&handle) {
                    Some(Handle::File(file)) => Err(set(proc, &file.path, &wanted).await),
                    _ => Err(Status::Failure),
                }
            }
            wire::OPENDIR => self.open_directory(proc, id, path(reader)?),
            wire::READDIR => {
                let handle = reader.handle()?;
                self.names(proc, id, handle)
            }
            wire::REALPATH => self.real_path(proc, id, &path(reader)?),
            wire::READLINK => match proc.read_link(&path(reader)?) {
                Ok(target) => Ok(one_name(id, &target)),
                Err(errno) => Err(errno.into()),
            },
            wire::EXTENDED => {
                let name = reader.string()?;
                self.extended(proc, id, &name, reader)?
            }
            _ => Err(change(proc, kind, reader)?),
        })
    }

    fn add(&mut self, id: u32, handle: Handle) -> Writer {
        let number = self.next;
        self.next = self.next.wrapping_add(1);
        self.handles.insert(number, handle);
        let mut writer = Writer::answer(wire::HANDLE, id);
        writer.string(&number.to_be_bytes());
        writer
    }

    async fn open(
        &mut self,
        proc: &mut Process,
        id: u32,
        path: Vec<u8>,
        wanted: u32,
        attributes: &Attributes,
    ) -> Answer {
        if self.handles.len() >= MAX_HANDLES {
            return Err(Status::Failure);
        }
        let has = |bit| wanted & bit != 0;
        let write = has(2);
        let flags = OpenFlags {
            read: has(1) || !write,
            write,
            append: has(4),
            create: write && has(8),
            truncate: write && has(16),
            exclusive: write && has(32),
            ..OpenFlags::READ
        };
        let mode = attributes.mode.map_or(0o666, |mode| mode & 0o7777);
        let fd = proc.open(&path, flags, mode).await?;
        let path = proc.absolute(&path);
        let upload = write.then(|| {
            let capture = proc.observer().upload(Upload {
                path: path.clone(),
                via: UploadProtocol::Sftp,
            });
            (capture, 0)
        });
        let file = File {
            fd,
            path,
            append: flags.append,
            upload,
            scattered: false,
        };
        Ok(self.add(id, Handle::File(file)))
    }

    async fn read(
        &mut self,
        proc: &mut Process,
        id: u32,
        handle: u32,
        offset: u64,
        count: u32,
    ) -> Answer {
        let Some(Handle::File(file)) = self.handles.get(&handle) else {
            return Err(Status::Failure);
        };
        // What cannot be sought in is read as it comes.
        let _sought = proc.seek(file.fd, Seek::Start(offset));
        let count = usize::try_from(count.min(MAX_READ_BYTES)).unwrap_or(0);
        let mut bytes = vec![0; count];
        let read = proc.read(file.fd, &mut bytes).await?;
        if read == 0 {
            return Err(Status::Eof);
        }
        let mut writer = Writer::answer(wire::DATA, id);
        writer.string(bytes.get(..read).unwrap_or_default());
        Ok(writer)
    }

    async fn write(
        &mut self,
        proc: &mut Process,
        handle: u32,
        offset: u64,
        bytes: &[u8],
    ) -> Status {
        let Some(Handle::File(file)) = self.handles.get_mut(&handle) else {
            return Status::Failure;
        };
        if let Some((capture, next)) = &mut file.upload {
            file.scattered |= *next != offset && !file.append;
            if !file.scattered {
                // Over its limit the sample is cut; the visitor's own file is not.
                let _more = capture.write(bytes).await;
            }
            *next += bytes.len() as u64;
        }
        if !file.append
            && let Err(errno) = proc.seek(file.fd, Seek::Start(offset))
        {
            return errno.into();
        }
        match proc.write_all(file.fd, bytes).await {
            Ok(()) => Status::Ok,
            Err(errno) => errno.into(),
        }
    }

    fn open_directory(&mut self, proc: &Process, id: u32, path: Vec<u8>) -> Answer {
        if self.handles.len() >= MAX_HANDLES {
            return Err(Status::Failure);
        }
        let mut names: Vec<Vec<u8>> = proc
            .read_directory(&path)?
            .iter()
            .map(|entry| entry.name.to_vec())
            .collect();
        names.extend([b"..".to_vec(), b".".to_vec()]);
        names.reverse();
        Ok(self.add(id, Handle::Names(path, names)))
    }

    fn names(&mut self, proc: &Process, id: u32, handle: u32) -> Answer {
        let Some(Handle::Names(path, rest)) = self.handles.get_mut(&handle) else {
            return Err(Status::Failure);
        };
        if rest.is_empty() {
            return Err(Status::Eof);
        }
        let path = path.clone();
        let now: Vec<Vec<u8>> = rest.drain(..rest.len().min(NAMES_AT_ONCE)).collect();
        let found: Vec<(Vec<u8>, Metadata)> = now
            .into_iter()
            .filter_map(|name| {
                let metadata = proc.lstat(&[&path, b"/".as_slice(), &name].concat()).ok()?;
                Some((name, metadata))
            })
            .collect();
        let mut writer = Writer::answer(wire::NAME, id);
        writer.number(u32::try_from(found.len()).unwrap_or(0));
        for (name, metadata) in &found {
            writer.string(name);
            writer.string(&self.long_name(proc, name, metadata));
            writer.attributes(metadata);
        }
        Ok(writer)
    }

    /// A line as `ls -l` prints it.
    fn long_name(&self, proc: &Process, name: &[u8], metadata: &Metadata) -> Vec<u8> {
        let recent = proc.now().secs - metadata.mtime.secs < 365 * 86_400 / 2;
        let format: &[u8] = if recent { b"%b %e %H:%M" } else { b"%b %e  %Y" };
        let time = Shown::new(metadata.mtime, &self.zone).format(format);
        let text = |bytes: Vec<u8>| String::from_utf8_lossy(&bytes).into_owned();
        let line = format!(
            "{} {:>4} {:<8} {:<8} {:>8} {} ",
            crate::mode::letters(metadata),
            metadata.nlink,
            text(self.users.user_text(metadata.uid)),
            text(self.users.group_text(metadata.gid)),
            metadata.size,
            text(time)
        );
        [line.as_bytes(), name].concat()
    }

    fn real_path(&self, proc: &Process, id: u32, path: &[u8]) -> Answer {
        match proc.real_path(path) {
            Ok(path) => Ok(one_name(id, &path)),
            // The last part need not exist.
            Err(Errno::Enoent) => {
                let absolute = proc.absolute(path);
                let at = absolute.iter().rposition(|&byte| byte == b'/').unwrap_or(0);
                let (folder, name) = absolute.split_at(at);
                let folder = proc.real_path(if folder.is_empty() { b"/" } else { folder })?;
                let folder = folder.strip_suffix(b"/").unwrap_or(&folder);
                Ok(one_name(id, &[folder, name].concat()))
            }
            Err(errno) => Err(errno.into()),
        }
    }

    fn extended(
        &self,
        proc: &Process,
        id: u32,
        name: &[u8],
        reader: &mut Reader<'_>,
    ) -> Option<Answer> {
        let done = |outcome: Result<(), Errno>| match outcome {
            Ok(()) => Err(Status::Ok),
            Err(errno) => Err(errno.into()),
        };
        Some(match name {
            b"posix-rename@openssh.com" => {
                let (from, to) = (reader.string()?, reader.string()?);
                done(proc.rename(&from, &to))
            }
            b"hardlink@openssh.com" => {
                let (from, to) = (reader.string()?, reader.string()?);
                done(proc.link(&from, &to, false))
            }
            b"fsync@openssh.com" => Err(Status::Ok),
            b"limits@openssh.com" => {
                let mut writer = Writer::answer(wire::EXTENDED_REPLY, id);
                for limit in [262_144, 261_120, 261_120, 1019] {
                    writer.long(limit);
                }
                Ok(writer)
            }
            b"expand-path@openssh.com" => {
                let path = reader.string()?;
                let home = proc.env().value(b"HOME").unwrap_or(b"/").to_vec();
                let path = match path.strip_prefix(b"~") {
                    Some(rest) => [home, rest.to_vec()].concat(),
                    None => path,
                };
                self.real_path(proc, id, &path)
            }
            b"users-groups-by-id@openssh.com" => {
                let (users, groups) = (reader.string()?, reader.string()?);
                let names = |ids: &[u8], name: &dyn Fn(u32) -> Option<Vec<u8>>| {
                    let mut list = Writer::list();
                    for id in ids.as_chunks::<4>().0 {
                        list.string(&name(u32::from_be_bytes(*id)).unwrap_or_default());
                    }
                    list.into_bytes()
                };
                let mut writer = Writer::answer(wire::EXTENDED_REPLY, id);
                writer.string(&names(&users, &|uid| {
                    self.users.user_name(uid).map(<[u8]>::to_vec)
                }));
                writer.string(&names(&groups, &|gid| {
                    self.users.group_name(gid).map(<[u8]>::to_vec)
                }));
                Ok(writer)
            }
            b"home-directory" => {
                let user = self
                    .users
                    .user(&reader.string()?)
                    .map(|user| user.home.clone());
                match user {
                    Some(home) => Ok(one_name(id, &home)),
                    None => Err(Status::NoSuchFile),
                }
            }
            _ => Err(Status::Unsupported),
        })
    }
}

impl File {
    /// Closes it; what was sent is kept.
    async fn close(self, proc: &Process, complete: bool) -> Status {
        if let Some((capture, next)) = self.upload {
            let end = if self.scattered {
                DownloadEnd::Incomplete("out of order".to_owned())
            } else if complete {
                DownloadEnd::Complete
            } else {
                DownloadEnd::Incomplete("cut".to_owned())
            };
            if next == 0 {
                // An empty file: nothing was sent.
                capture.end(DownloadEnd::Failed("empty".to_owned())).await;
            } else {
                capture.end(end).await;
            }
            if self.scattered {
                keep_again(proc, &self.path).await;
            }
        }
        match proc.close(self.fd) {
            Ok(()) => Status::Ok,
            Err(errno) => errno.into(),
        }
    }
}

/// Keeps a file as it lies there.
async fn keep_again(proc: &Process, path: &[u8]) {
    let Ok(fd) = proc.open(path, OpenFlags::READ, 0).await else {
        return;
    };
    let mut capture = proc.observer().upload(Upload {
        path: path.to_vec(),
        via: UploadProtocol::Sftp,
    });
    let mut chunk = vec![0; CHUNK_BYTES];
    while let Ok(count @ 1..) = proc.read(fd, &mut chunk).await {
        if !capture.write(chunk.get(..count).unwrap_or_default()).await {
            break;
        }
    }
    capture.end(DownloadEnd::Complete).await;
    // Opened above.
    let _open = proc.close(fd);
}

/// Requests that change names and answer with a status; `None` if it is no request.
fn change(proc: &Process, kind: u8, reader: &mut Reader<'_>) -> Option<Status> {
    let outcome = match kind {
        wire::REMOVE => proc.unlink(&reader.string()?),
        wire::MKDIR => {
            let path = reader.string()?;
            let mode = reader.attributes()?.mode.unwrap_or(0o777);
            proc.make_directory(&path, mode & 0o7777)
        }
        wire::RMDIR => proc.remove_directory(&reader.string()?),
        wire::RENAME => {
            let (from, to) = (reader.string()?, reader.string()?);
            match proc.lstat(&to) {
                Ok(_) => return Some(Status::Failure),
                Err(_) => proc.rename(&from, &to),
            }
        }
        wire::SYMLINK => {
            // OpenSSH takes the two in the other order than the draft.
            let (target, name) = (reader.string()?, reader.string()?);
            proc.symlink(&target, &name)
        }
        _ => return Some(Status::Unsupported),
    };
    Some(match outcome {
        Ok(()) => Status::Ok,
        Err(errno) => errno.into(),
    })
}

async fn set(proc: &Process, path: &[u8], wanted: &Attributes) -> Status {
    let mut outcome = Ok(());
    if let Some(size) = wanted.size {
        let flags = OpenFlags {
            read: false,
            write: true,
            ..OpenFlags::READ
        };
        outcome = match proc.open(path, flags, 0).await {
            Ok(fd) => {
                let cut = proc.truncate(fd, size);
                cut.and(proc.close(fd))
            }
            Err(errno) => Err(errno),
        };
    }
    if let Some(mode) = wanted.mode {
        outcome = outcome.and(proc.change_mode(path, mode & 0o7777));
    }
    if let Some((accessed, modified)) = wanted.times {
        let time = |secs: u32| {
            Some(Timestamp {
                secs: i64::from(secs),
                nanos: 0,
            })
        };
        outcome = outcome.and(proc.set_times(path, time(accessed), time(modified), true));
    }
    if let Some((uid, gid)) = wanted.owner {
        outcome = outcome.and(proc.change_owner(path, Some(uid), Some(gid), true));
    }
    match outcome {
        Ok(()) => Status::Ok,
        Err(errno) => errno.into(),
    }
}

fn attributes(id: u32, found: Result<Metadata, Errno>) -> Answer {
    let mut writer = Writer::answer(wire::ATTRS, id);
    writer.attributes(&found?);
    Ok(writer)
}

/// An answer of one name without attributes.
fn one_name(id: u32, name: &[u8]) -> Writer {
    let mut writer = Writer::answer(wire::NAME, id);
    writer.number(1);
    writer.string(name);
    writer.string(name);
    writer.number(0);
    writer
}
