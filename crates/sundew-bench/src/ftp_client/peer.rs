//! The clients, and how each is told to do the same.

use std::path::PathBuf;

use super::server::Server;
use super::{Ground, Options};

/// What is to be done.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Task {
    /// The large file, downloaded.
    Down,
    /// The large file, uploaded.
    Up,
    /// All small files, downloaded by one process.
    ManyInOne,
    /// All small files, a process each.
    ManyProcesses,
    /// The tree, over the slow line.
    Mirror,
}

/// One client.
#[derive(Debug)]
pub(crate) struct Client {
    pub(crate) name: &'static str,
    kind: Kind,
}

#[derive(Debug)]
enum Kind {
    /// `sundew ftp`, with so many connections for the mirror, or as many as it likes.
    Tool(PathBuf, Option<u16>),
    /// Ours or BusyBox's: program and words before the options, for get and for put.
    Ftpget([Vec<String>; 2]),
    Curl,
    /// With so many connections for the mirror.
    Lftp(u16),
    Wget,
    Ftplib,
    Suppaftp(PathBuf),
}

pub(crate) fn all(options: &Options) -> Vec<Client> {
    let words = |words: &[&str]| words.iter().map(ToString::to_string).collect::<Vec<_>>();
    let own = |path: &PathBuf| vec![path.display().to_string()];
    let mut clients = vec![
        Client {
            name: "sundew ftp",
            kind: Kind::Tool(options.tool.clone(), None),
        },
        Client {
            name: "sundew ftp -j",
            kind: Kind::Tool(options.tool.clone(), Some(options.connections)),
        },
        Client {
            name: "ftpget, ftpput",
            kind: Kind::Ftpget([own(&options.ftpget), own(&options.ftpput)]),
        },
        Client {
            name: "BusyBox",
            kind: Kind::Ftpget([words(&["busybox", "ftpget"]), words(&["busybox", "ftpput"])]),
        },
        Client {
            name: "curl",
            kind: Kind::Curl,
        },
        Client {
            name: "lftp",
            kind: Kind::Lftp(options.connections),
        },
        Client {
            name: "lftp -P 32",
            kind: Kind::Lftp(32),
        },
        // Where it is at its best; with 100 it is slower again.
        Client {
            name: "lftp -P 64",
            kind: Kind::Lftp(64),
        },
        Client {
            name: "wget",
            kind: Kind::Wget,
        },
        Client {
            name: "ftplib",
            kind: Kind::Ftplib,
        },
    ];
    if let Some(path) = options.suppaftp.as_ref().filter(|path| path.exists()) {
        clients.push(Client {
            name: "suppaftp",
            kind: Kind::Suppaftp(path.clone()),
        });
    }
    clients
}

impl Client {
    /// The commands of a task, run in the directory for downloads; `None` if it cannot do it.
    pub(crate) fn commands(
        &self,
        task: Task,
        ground: &Ground,
        server: &Server,
    ) -> Option<Vec<Vec<String>>> {
        // What differs in the mirror only is measured there only.
        let repeats = matches!(self.kind, Kind::Tool(_, Some(_)) | Kind::Lftp(32 | 64));
        if repeats && task != Task::Mirror {
            return None;
        }
        let commands = match task {
            Task::ManyProcesses => (0..ground.small)
                .map(|number| self.get_one(&format!("small/f{number}"), server))
                .collect(),
            Task::Down => vec![self.get_one("big", server)],
            Task::Up => vec![self.put(ground, server)?],
            Task::ManyInOne => vec![self.get_many(ground, server)?],
            Task::Mirror => vec![self.mirror(server)?],
        };
        let prefixed = commands
            .into_iter()
            .map(|command: Vec<String>| [server.prefix(), &command].concat());
        Some(prefixed.collect())
    }

    fn get_one(&self, path: &str, server: &Server) -> Vec<String> {
        let address = server.address();
        let url = format!("ftp://{address}/{path}");
        let name = path.rsplit('/').next().unwrap_or_default();
        let (host, port) = (address.ip().to_string(), address.port().to_string());
        match &self.kind {
            Kind::Tool(tool, _) => own(
                tool,
                &["get", "-q", "--no-netrc", "--verify", "never", &url],
            ),
            Kind::Ftpget([get, _]) => {
                let mut command = get.clone();
                command.extend(["-P", &port, &host, name, path].map(str::to_owned));
                command
            }
            Kind::Curl => words(&["curl", "-s", "-O", &url]),
            Kind::Lftp(_) => lftp(&format!("open -p {port} {host}; get {path}")),
            Kind::Wget => words(&["wget", "-q", "--no-config", &url]),
            Kind::Ftplib => python(&[&host, &port, "get", path]),
            Kind::Suppaftp(program) => own(program, &[&host, &port, "get", path]),
        }
    }

    fn put(&self, ground: &Ground, server: &Server) -> Option<Vec<String>> {
        let address = server.address();
        let (host, port) = (address.ip().to_string(), address.port().to_string());
        let file = ground.served().join("big").display().to_string();
        let url = format!("ftp://{address}/up/");
        Some(match &self.kind {
            Kind::Tool(tool, _) => own(
                tool,
                &["put", "-q", "--no-netrc", "--verify", "never", &file, &url],
            ),
            Kind::Ftpget([_, put]) => {
                let mut command = put.clone();
                command.extend(["-P", &port, &host, "up/big", &file].map(str::to_owned));
                command
            }
            Kind::Curl => words(&["curl", "-s", "-T", &file, &url]),
            Kind::Lftp(_) => lftp(&format!("open -p {port} {host}; put -O up {file}")),
            Kind::Wget => return None,
            Kind::Ftplib => python(&[&host, &port, "put", &file]),
            Kind::Suppaftp(program) => own(program, &[&host, &port, "put", &file]),
        })
    }

    fn get_many(&self, ground: &Ground, server: &Server) -> Option<Vec<String>> {
        let address = server.address();
        let (host, port) = (address.ip().to_string(), address.port().to_string());
        let last = ground.small.saturating_sub(1);
        let paths = (0..ground.small).map(|number| format!("small/f{number}"));
        let urls = paths.clone().map(|path| format!("ftp://{address}/{path}"));
        Some(match &self.kind {
            Kind::Tool(tool, _) => {
                let mut command = own(
                    tool,
                    &["get", "-q", "--no-netrc", "--verify", "never", "-o", "./"],
                );
                command.extend(urls);
                command
            }
            Kind::Ftpget(_) => return None,
            Kind::Curl => words(&[
                "curl",
                "-s",
                "-O",
                &format!("ftp://{address}/small/f[0-{last}]"),
            ]),
            Kind::Lftp(_) => lftp(&format!("open -p {port} {host}; mget small/*")),
            Kind::Wget => {
                let mut command = words(&["wget", "-q", "--no-config"]);
                command.extend(urls);
                command
            }
            Kind::Ftplib => {
                let mut command = python(&[&host, &port, "get"]);
                command.extend(paths);
                command
            }
            Kind::Suppaftp(program) => {
                let mut command = own(program, &[&host, &port, "get"]);
                command.extend(paths);
                command
            }
        })
    }

    fn mirror(&self, server: &Server) -> Option<Vec<String>> {
        let address = server.address();
        let (host, port) = (address.ip().to_string(), address.port().to_string());
        let url = format!("ftp://{address}/tree/");
        match &self.kind {
            Kind::Tool(tool, jobs) => {
                let mut command = own(tool, &["mirror", "-q", "--no-netrc", &url, "."]);
                if let Some(jobs) = jobs {
                    command.extend(["-j".to_owned(), jobs.to_string()]);
                }
                Some(command)
            }
            Kind::Lftp(connections) => Some(lftp(&format!(
                "set ftp:sync-mode off; set net:connection-limit 0; set ftp:use-mdtm no; \
                 set mirror:parallel-directories yes; open -p {port} {host}; \
                 mirror -P {connections} tree ."
            ))),
            _ => None,
        }
    }
}

fn words(words: &[&str]) -> Vec<String> {
    words.iter().map(ToString::to_string).collect()
}

fn own(program: &std::path::Path, arguments: &[&str]) -> Vec<String> {
    let mut command = vec![program.display().to_string()];
    command.extend(words(arguments));
    command
}

fn lftp(script: &str) -> Vec<String> {
    words(&["lftp", "--norc", "-c", script])
}

fn python(arguments: &[&str]) -> Vec<String> {
    let mut command = words(&["/usr/bin/python3", "-I", "-c", FTPLIB]);
    command.extend(words(arguments));
    command
}

/// ftplib as its documentation uses it.
const FTPLIB: &str = "\
import ftplib, os, sys
host, port, verb, *paths = sys.argv[1:]
ftp = ftplib.FTP()
ftp.connect(host, int(port))
ftp.login()
for path in paths:
    name = os.path.basename(path)
    if verb == 'get':
        with open(name, 'wb') as out:
            ftp.retrbinary('RETR ' + path, out.write)
    else:
        with open(path, 'rb') as body:
            ftp.storbinary('STOR up/' + name, body)
ftp.quit()
";
