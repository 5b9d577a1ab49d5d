//! Runs a case twice, with the real program and with ours, and compares all that can be seen.

use std::os::unix::ffi::OsStringExt;
use std::os::unix::fs::PermissionsExt;
use std::os::unix::process::ExitStatusExt;
use std::path::Path;
use std::pin::Pin;
use std::process::Stdio;
use std::time::Duration;

use tokio::io::AsyncReadExt;
use tokio::process::{Child, Command};

use crate::server::{Script, Server, replace, script};

/// Both programs answer at once on loopback; a silent one is a failure.
const PATIENCE: Duration = Duration::from_secs(60);

/// One command line against one server.
pub(crate) struct Case {
    name: String,
    program: &'static str,
    args: Vec<Vec<u8>>,
    script: Script,
    files: Vec<(&'static str, &'static [u8])>,
    directories: Vec<&'static str>,
    wrapper: &'static str,
    interrupt: Option<Until>,
}

/// The only absolute paths a case may name: both programs write for real, perhaps as root.
const HARMLESS_PATHS: &[&[u8]] = &[b"/dev/full", b"/proc/x", b"/sub/n.txt"];

/// When the program is to be interrupted.
#[derive(Clone, Copy)]
pub(crate) enum Until {
    /// The server has read a command and does not answer.
    Silence,
    /// Standard error shows this text.
    Stderr(&'static str),
    /// A file has this many bytes.
    FileHas(&'static str, u64),
}

/// `args` is split at blanks; `''` is an empty word, `{port}` the server's port.
pub(crate) fn get(args: &str) -> Case {
    let args = args
        .split(' ')
        .filter(|word| !word.is_empty())
        .map(|word| word.replace("''", "").into_bytes())
        .collect();
    Case {
        name: String::new(),
        program: "ftpget",
        args,
        script: script(),
        files: Vec::new(),
        directories: Vec::new(),
        wrapper: r#"exec "$@""#,
        interrupt: None,
    }
}

pub(crate) fn put(args: &str) -> Case {
    Case {
        program: "ftpput",
        ..get(args)
    }
}

/// `-v`, the server's port and 127.0.0.1 before `args`.
pub(crate) fn verbose(args: &str) -> Case {
    get(&format!("-v -P {{port}} 127.0.0.1 {args}"))
}

impl Case {
    pub(crate) fn server(mut self, script: Script) -> Self {
        self.script = script;
        self
    }

    /// What tells this case from others with the same arguments.
    pub(crate) fn named(mut self, name: impl Into<String>) -> Self {
        self.name = name.into();
        self
    }

    pub(crate) fn raw_argument(mut self, bytes: &[u8]) -> Self {
        self.args.push(bytes.to_vec());
        self
    }

    pub(crate) fn file(mut self, name: &'static str, content: &'static [u8]) -> Self {
        self.files.push((name, content));
        self
    }

    pub(crate) fn directory(mut self, name: &'static str) -> Self {
        self.directories.push(name);
        self
    }

    /// A shell script that runs the program as `"$@"`.
    pub(crate) fn through(mut self, script: &'static str) -> Self {
        self.wrapper = script;
        self
    }

    pub(crate) fn interrupted(mut self, until: Until) -> Self {
        self.interrupt = Some(until);
        self
    }

    fn title(&self) -> String {
        let args: Vec<_> = self
            .args
            .iter()
            .map(|arg| arg.escape_ascii().to_string())
            .collect();
        format!("{} {} [{}]", self.program, args.join(" "), self.name)
    }
}

/// Runs all cases and reports every difference.
pub(crate) fn same(cases: impl IntoIterator<Item = Case>) -> Pin<Box<dyn Future<Output = ()>>> {
    Box::pin(compare(cases.into_iter().collect()))
}

async fn compare(cases: Vec<Case>) {
    let mut differences = String::new();
    for case in cases {
        let real = vec!["busybox".to_owned(), case.program.to_owned()];
        let ours = vec![match case.program {
            "ftpget" => env!("CARGO_BIN_EXE_ftpget").to_owned(),
            _ => env!("CARGO_BIN_EXE_ftpput").to_owned(),
        }];
        let both = async { tokio::join!(observe(&case, real), observe(&case, ours)) };
        let (real, ours) = tokio::time::timeout(PATIENCE, both)
            .await
            .unwrap_or_else(|_| panic!("{} does not end", case.title()));
        assert_ne!(real.status, "127", "busybox is not installed");
        if real != ours {
            differences += &format!("{}\nreal: {real:#?}\nours: {ours:#?}\n\n", case.title());
        }
    }
    assert!(differences.is_empty(), "{differences}");
}

/// All that can be seen of a run.
#[derive(Debug, PartialEq, Eq)]
struct Outcome {
    status: String,
    stdout: Vec<String>,
    stderr: Vec<String>,
    files: Vec<String>,
    wire: Vec<String>,
}

async fn observe(case: &Case, program: Vec<String>) -> Outcome {
    for arg in &case.args {
        let inside = !arg.starts_with(b"/") && !arg.windows(2).any(|pair| pair == b"..");
        // A HOST may hold two dots; it becomes a local name only if it is the last operand.
        let host = arg == b"127..1";
        assert!(
            inside || host || HARMLESS_PATHS.contains(&arg.as_slice()),
            "{} could write outside its directory",
            case.title()
        );
    }
    let directory = tempfile::tempdir().unwrap();
    for name in &case.directories {
        std::fs::create_dir(directory.path().join(name)).unwrap();
    }
    for (name, content) in &case.files {
        std::fs::write(directory.path().join(name), content).unwrap();
    }
    let server = Server::start(case.script.clone()).await;
    let port = server.address.port().to_string();
    let args = case.args.iter().map(|arg| {
        let arg = replace(arg, b"{port}", port.as_bytes());
        std::ffi::OsString::from_vec(arg)
    });
    // Who runs the tests in the background of a script ignores INT, and so would what they start.
    let mut child = Command::new("env")
        .args(["--default-signal=INT", "sh", "-c", case.wrapper, "sh"])
        .args(program)
        .args(args)
        .current_dir(directory.path())
        .env_remove("POSIXLY_CORRECT")
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .kill_on_drop(true)
        .spawn()
        .unwrap();
    let (stdout, stderr) = follow(&mut child, case.interrupt, directory.path(), &server).await;
    let status = child.wait().await.unwrap();
    let text = |bytes: Vec<u8>| {
        let bytes = replace(&bytes, port.as_bytes(), b"{port}");
        let lines = bytes.split_inclusive(|&byte| byte == b'\n');
        lines.map(|line| line.escape_ascii().to_string()).collect()
    };
    Outcome {
        status: match (status.code(), status.signal()) {
            (Some(code), _) => code.to_string(),
            (None, signal) => format!("signal {signal:?}"),
        },
        stdout: text(stdout),
        stderr: text(stderr),
        files: files(directory.path()),
        wire: server.stop().await,
    }
}

/// Reads both streams to their end, interrupting the program when its time has come.
async fn follow(
    child: &mut Child,
    interrupt: Option<Until>,
    directory: &Path,
    server: &Server,
) -> (Vec<u8>, Vec<u8>) {
    let (mut out, mut err) = (child.stdout.take().unwrap(), child.stderr.take().unwrap());
    let (mut stdout, mut stderr) = (Vec::new(), Vec::new());
    let Some(until) = interrupt else {
        let (one, two) = tokio::join!(out.read_to_end(&mut stdout), err.read_to_end(&mut stderr));
        one.and(two).unwrap();
        return (stdout, stderr);
    };
    let pid = child.id().unwrap().to_string();
    match until {
        Until::Silence => server.silence().await,
        Until::Stderr(text) => {
            while !String::from_utf8_lossy(&stderr).contains(text) {
                assert_ne!(
                    err.read_buf(&mut stderr).await.unwrap(),
                    0,
                    "ended too early"
                );
            }
        }
        Until::FileHas(name, size) => {
            let mut ticks = tokio::time::interval(Duration::from_millis(5));
            let path = directory.join(name);
            while std::fs::metadata(&path).map_or(0, |metadata| metadata.len()) < size {
                ticks.tick().await;
            }
        }
    }
    let killed = Command::new("kill").args(["-INT", &pid]).status().await;
    assert!(killed.unwrap().success());
    let (one, two) = tokio::join!(out.read_to_end(&mut stdout), err.read_to_end(&mut stderr));
    one.and(two).unwrap();
    (stdout, stderr)
}

fn files(directory: &Path) -> Vec<String> {
    let mut found: Vec<_> = std::fs::read_dir(directory)
        .unwrap()
        .map(|entry| {
            let entry = entry.unwrap();
            let metadata = entry.metadata().unwrap();
            let content = if metadata.is_file() {
                std::fs::read(entry.path()).unwrap()
            } else {
                Vec::new()
            };
            format!(
                "{:?} {:o} {} {}",
                entry.file_name(),
                metadata.permissions().mode(),
                content.len(),
                content.escape_ascii()
            )
        })
        .collect();
    found.sort();
    found
}

/// What the server receives from our program, for the one thing we do otherwise.
pub(crate) async fn wire_of_ours(case: &Case) -> Vec<String> {
    observe(case, vec![env!("CARGO_BIN_EXE_ftpget").to_owned()])
        .await
        .wire
}
