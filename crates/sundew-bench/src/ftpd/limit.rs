//! The least an FTP server can do: one epoll loop, sendfile, no checks of anything.
//!
//! What it costs is what the kernel and the protocol cost on this machine; no server can be below it by
//! much. It answers wrong commands as if they were right and serves whatever is asked for: loopback
//! only, and never anywhere else.

use std::collections::HashMap;
use std::fs::{self, File};
use std::io::{Read as _, Write as _};
use std::net::{Ipv4Addr, TcpListener, TcpStream};
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};
use std::thread;

use anyhow::Result;
use rustix::buffer::spare_capacity;
use rustix::event::epoll::{self, CreateFlags, EventData, EventFlags};

use super::LimitOptions;

/// Larger files are sent by a thread of their own, so that the loop goes on.
const INLINE_BYTES: u64 = 128 * 1024;

struct Session {
    control: TcpStream,
    input: Vec<u8>,
    output: Vec<u8>,
    passive: Option<TcpListener>,
    directory: PathBuf,
}

/// Serves until it is killed.
pub(crate) fn serve(options: &LimitOptions) -> Result<()> {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, options.port))?;
    rustix::net::listen(&listener, 4096)?;
    listener.set_nonblocking(true)?;
    let epoll = epoll::create(CreateFlags::CLOEXEC)?;
    let token = |fd: &dyn std::os::fd::AsRawFd| {
        EventData::new_u64(u64::try_from(fd.as_raw_fd()).unwrap_or(u64::MAX))
    };
    epoll::add(&epoll, &listener, token(&listener), EventFlags::IN)?;
    let door = token(&listener).u64();
    let mut sessions: HashMap<u64, Session> = HashMap::new();
    let mut events = Vec::with_capacity(1024);
    let mut buffer = vec![0; 16 * 1024];
    loop {
        events.clear();
        epoll::wait(&epoll, spare_capacity(&mut events), None)?;
        for event in &events {
            let id = event.data.u64();
            if id == door {
                while let Ok((control, _)) = listener.accept() {
                    control.set_nodelay(true)?;
                    (&control).write_all(b"220 limit\r\n")?;
                    let id = token(&control);
                    epoll::add(&epoll, &control, id, EventFlags::IN)?;
                    let session = Session {
                        control,
                        input: Vec::new(),
                        output: Vec::new(),
                        passive: None,
                        directory: options.root.clone(),
                    };
                    sessions.insert(id.u64(), session);
                }
            } else if let Some(session) = sessions.get_mut(&id)
                && !session.turn(&mut buffer, &options.root).unwrap_or(false)
            {
                sessions.remove(&id);
            }
        }
    }
}

impl Session {
    /// Reads and answers; `false` at the end.
    fn turn(&mut self, buffer: &mut [u8], root: &Path) -> Result<bool> {
        let count = self.control.read(buffer)?;
        self.input.extend_from_slice(&buffer[..count]);
        let mut goes_on = count > 0;
        let input = std::mem::take(&mut self.input);
        let mut rest = input.as_slice();
        while let Some(end) = rest.iter().position(|&byte| byte == b'\n') {
            let line = String::from_utf8_lossy(&rest[..end]).into_owned();
            rest = &rest[end + 1..];
            goes_on &= self.command(line.trim_end(), root)?;
        }
        self.input = rest.to_vec();
        self.flush()?;
        Ok(goes_on)
    }

    fn flush(&mut self) -> Result<()> {
        self.control.write_all(&self.output)?;
        self.output.clear();
        Ok(())
    }

    fn answer(&mut self, text: &str) {
        self.output.extend_from_slice(text.as_bytes());
        self.output.extend_from_slice(b"\r\n");
    }

    fn command(&mut self, line: &str, root: &Path) -> Result<bool> {
        let (verb, argument) = line.split_once(' ').unwrap_or((line, ""));
        match verb {
            "USER" => self.answer("331 password"),
            "PASS" => self.answer("230 in"),
            "CWD" => {
                self.directory = root.join(argument);
                self.answer("250 there");
            }
            "EPSV" => {
                let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?;
                let port = listener.local_addr()?.port();
                self.passive = Some(listener);
                self.answer(&format!("229 here (|||{port}|)"));
            }
            "QUIT" => {
                self.answer("221 bye");
                return Ok(false);
            }
            "RETR" | "STOR" | "LIST" | "MLSD" => self.transfer(verb, &root.join(argument))?,
            _ => self.answer("200 fine"),
        }
        Ok(true)
    }

    fn transfer(&mut self, verb: &str, path: &Path) -> Result<()> {
        let Some(listener) = self.passive.take() else {
            self.answer("425 EPSV first");
            return Ok(());
        };
        self.answer("150 now");
        let is_store = verb == "STOR";
        if verb == "LIST" || verb == "MLSD" {
            self.flush()?;
            let text = listing(&self.directory, verb == "MLSD")?;
            listener.accept()?.0.write_all(&text)?;
            self.answer("226 done");
            return Ok(());
        }
        let file = if is_store {
            File::create(path)?
        } else {
            File::open(path)?
        };
        let length = file.metadata()?.len();
        if !is_store && length <= INLINE_BYTES {
            send(&listener, &file, length)?;
            self.answer("226 done");
            return Ok(());
        }
        self.flush()?;
        let control = self.control.try_clone()?;
        thread::spawn(move || {
            let moved = if is_store {
                receive(&listener, file)
            } else {
                send(&listener, &file, length)
            };
            let end: &[u8] = if moved.is_ok() {
                b"226 done\r\n"
            } else {
                b"426 cut\r\n"
            };
            // A client that is gone is not told.
            (&control).write_all(end).unwrap_or_default();
        });
        Ok(())
    }
}

fn send(listener: &TcpListener, file: &File, length: u64) -> Result<()> {
    let (data, _) = listener.accept()?;
    let mut offset = 0;
    while offset < length {
        let left = usize::try_from(length - offset)?;
        if rustix::fs::sendfile(&data, file, Some(&mut offset), left)? == 0 {
            break;
        }
    }
    Ok(())
}

fn receive(listener: &TcpListener, mut file: File) -> Result<()> {
    let (mut data, _) = listener.accept()?;
    let mut buffer = vec![0; 256 * 1024];
    loop {
        match data.read(&mut buffer)? {
            0 => return Ok(()),
            count => file.write_all(&buffer[..count])?,
        }
    }
}

/// In the directory's own order, one stat an entry, no names of owners.
fn listing(directory: &Path, facts: bool) -> Result<Vec<u8>> {
    let mut text = Vec::with_capacity(1 << 20);
    for entry in fs::read_dir(directory)? {
        let entry = entry?;
        let (name, about) = (entry.file_name(), entry.metadata()?);
        let (name, size, time) = (name.to_string_lossy(), about.size(), about.mtime());
        if facts {
            write!(text, "type=file;size={size};modify={time}; {name}\r\n")?;
        } else {
            write!(text, "-rw-r--r-- 1 0 0 {size} {time} {name}\r\n")?;
        }
    }
    Ok(text)
}
