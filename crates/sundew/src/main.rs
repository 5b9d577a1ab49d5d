//! The sensor: `sundew up`, `sundew check`, `sundew fs`; and the FTP client beside it: `sundew ftp`,
//! `ftpget`, `ftpput`.
#![allow(
    clippy::disallowed_methods,
    clippy::print_stdout,
    clippy::print_stderr,
    reason = "the program talks to its operator"
)]

use std::ffi::OsString;
use std::io::Write as _;
use std::net::SocketAddr;
use std::os::unix::ffi::OsStringExt;
use std::path::PathBuf;
use std::process::ExitCode;

use clap::{Args, Parser, Subcommand};
use ftp_client::program;
use sundew::data::Data;
use sundew::failure::Failure;
use sundew::fs::Task;

/// Machines come and go on many threads: freed memory has to come back, whichever thread freed it.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

/// A honeypot: an emulated Debian machine that lets attackers in over SSH and keeps what they bring.
#[derive(Debug, Parser)]
#[command(name = "sundew", version, args_conflicts_with_subcommands = true, after_help = AFTER_HELP)]
struct Cli {
    #[command(subcommand)]
    command: Option<Command>,
    #[command(flatten)]
    up: Up,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Start the sensor (the default)
    #[command(after_help = AFTER_HELP)]
    Up(Up),
    /// Check the configuration and say what is wrong with it
    Check(Check),
    /// Images of machines: build, import, look into, change, compare
    #[command(subcommand)]
    Fs(Fs),
    /// FTP for people: get, put, list, mirror
    Ftp(Box<ftp_tool::cli::Arguments>),
    /// Download a file as BusyBox does
    #[command(disable_help_flag = true)]
    Ftpget(BusyBox),
    /// Upload a file as BusyBox does
    #[command(disable_help_flag = true)]
    Ftpput(BusyBox),
}

/// IMAGE is a file that `build` or `import` wrote, or `debian12` or `camera` for the built-in ones.
#[derive(Debug, Subcommand)]
enum Fs {
    /// Make an image from a directory, a tar archive (also .gz) or an OCI image layout
    Build {
        /// The directory, archive or layout
        source: PathBuf,
        /// The file to write
        image: PathBuf,
    },
    /// Make an image from Cowrie's fs.pickle; only data is read from the pickle, nothing is called
    Import {
        /// The pickle
        pickle: PathBuf,
        /// The file to write
        image: PathBuf,
        /// A directory with the contents of files, by path, as Cowrie's honeyfs
        #[arg(long, value_name = "DIR")]
        contents: Option<PathBuf>,
    },
    /// List an image
    Ls {
        /// The image
        image: PathBuf,
        /// Only what is below this path
        #[arg(default_value = "/")]
        path: String,
    },
    /// Print a file of an image
    Cat {
        /// The image
        image: PathBuf,
        /// The file
        path: String,
    },
    /// Put a file of this computer into an image
    Put {
        /// The image, which is rewritten
        image: PathBuf,
        /// The file of this computer
        file: PathBuf,
        /// Where it goes
        path: String,
        /// Permission bits in octal; the file's own by default
        #[arg(long, value_parser = octal)]
        mode: Option<u16>,
    },
    /// Say what differs: - only in ONE, + only in OTHER, ~ not the same
    Diff {
        /// An image
        one: PathBuf,
        /// Another
        other: PathBuf,
    },
}

fn octal(text: &str) -> Result<u16, String> {
    u16::from_str_radix(text, 8)
        .ok()
        .filter(|mode| *mode <= 0o7777)
        .ok_or_else(|| "expected octal digits up to 7777".to_owned())
}

fn images(command: Fs) -> Result<(), Failure> {
    let task = match command {
        Fs::Build { source, image } => Task::Build { source, image },
        Fs::Import {
            pickle,
            image,
            contents,
        } => Task::Import {
            pickle,
            image,
            contents,
        },
        Fs::Ls { image, path } => Task::List { image, path },
        Fs::Cat { image, path } => Task::Cat { image, path },
        Fs::Put {
            image,
            file,
            path,
            mode,
        } => Task::Put {
            image,
            file,
            path,
            mode,
        },
        Fs::Diff { one, other } => Task::Diff { one, other },
    };
    let mut out = std::io::stdout().lock();
    sundew::fs::run(&task, &sundew::run::programs(), &mut out)
}

/// What BusyBox's own reader of options gets.
#[derive(Debug, Args)]
struct BusyBox {
    /// As in BusyBox
    #[arg(trailing_var_arg = true, allow_hyphen_values = true)]
    arguments: Vec<OsString>,
}

impl BusyBox {
    fn bytes(self) -> Vec<Vec<u8>> {
        self.arguments
            .into_iter()
            .map(OsStringExt::into_vec)
            .collect()
    }
}

#[derive(Debug, Args)]
struct Up {
    /// Directory of configuration, keys, events and captures; made at the first start
    #[arg(long, value_name = "DIR", default_value = "sundew-data")]
    data: PathBuf,
    /// Where to listen for SSH, `off` for nowhere; several with commas or repeated; port 0: any
    #[arg(long, value_name = "ADDR:PORT", value_delimiter = ',', value_parser = door)]
    ssh: Vec<Door>,
    /// Where to listen for Telnet (this version has no such door)
    #[arg(long, value_name = "ADDR:PORT", value_delimiter = ',', value_parser = door)]
    telnet: Vec<Door>,
    /// Where to listen for FTP (this version has no such door)
    #[arg(long, value_name = "ADDR:PORT", value_delimiter = ',', value_parser = door)]
    ftp: Vec<Door>,
    /// Where to show the dashboard (this version has no such door)
    #[arg(long, value_name = "ADDR:PORT", value_delimiter = ',', value_parser = door)]
    dashboard: Vec<Door>,
}

#[derive(Debug, Args)]
struct Check {
    /// The directory to check
    #[arg(long, value_name = "DIR", default_value = "sundew-data")]
    data: PathBuf,
}

/// One address of a door, or that it stays shut.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Door {
    Off,
    At(SocketAddr),
}

fn door(text: &str) -> Result<Door, String> {
    if text == "off" {
        return Ok(Door::Off);
    }
    let address = text
        .parse()
        .map_err(|_| "expected ADDR:PORT, [ADDR6]:PORT or off".to_owned())?;
    Ok(Door::At(address))
}

fn main() -> ExitCode {
    // Under these names it is those programs, as with BusyBox.
    let name = std::env::args_os().next().map(PathBuf::from);
    match name.as_ref().and_then(|name| name.file_name()?.to_str()) {
        Some("ftpget") => return program::ftpget(&program::arguments()),
        Some("ftpput") => return program::ftpput(&program::arguments()),
        _ => {}
    }
    let cli = ftp_tool::conceal::parse::<Cli>();
    let result = match cli.command {
        None => up(&cli.up),
        Some(Command::Up(options)) => up(&options),
        Some(Command::Check(options)) => check(&options),
        Some(Command::Ftp(arguments)) => return ftp_tool::run(&arguments),
        Some(Command::Ftpget(options)) => return program::ftpget(&options.bytes()),
        Some(Command::Ftpput(options)) => return program::ftpput(&options.bytes()),
        Some(Command::Fs(command)) => images(command),
    };
    match result {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => {
            eprintln!("sundew: {failure}");
            ExitCode::from(failure.code())
        }
    }
}

fn up(options: &Up) -> Result<(), Failure> {
    let data = Data::at(options.data.clone());
    data.prepare()?;
    let mut config = data.config()?;
    start_log(&config.log.filter);
    if !options.ssh.is_empty() {
        config.ssh.listen = addresses(&options.ssh);
    }
    let absent = [
        ("telnet", &options.telnet),
        ("ftp", &options.ftp),
        ("dashboard", &options.dashboard),
    ];
    for (name, doors) in absent {
        if !addresses(doors).is_empty() {
            eprintln!("sundew: --{name}: this version has no such door; it stays shut");
        }
    }
    sundew::run::run(&config, &data, |listening| welcome(&data, listening))
}

fn check(options: &Check) -> Result<(), Failure> {
    let data = Data::at(options.data.clone());
    data.config()?;
    data.policy()?;
    say(&format!(
        "{}: configuration and user database are fine\n",
        data.path().display()
    ));
    Ok(())
}

fn addresses(doors: &[Door]) -> Vec<SocketAddr> {
    let at = |door: &Door| match door {
        Door::Off => None,
        Door::At(address) => Some(*address),
    };
    doors.iter().filter_map(at).collect()
}

/// At most ten lines: where it listens, where things are, how to try it.
fn welcome(data: &Data, listening: &[SocketAddr]) {
    let path = data.path().display();
    let doors: Vec<String> = listening.iter().map(ToString::to_string).collect();
    let mut text = format!("sundew {}\n", env!("CARGO_PKG_VERSION"));
    match listening.first() {
        Some(first) => {
            text += &format!("  ssh        {}\n", doors.join(", "));
            text += &format!(
                "  data       {path}/ (sundew.toml: settings, userdb.txt: who may log in)\n"
            );
            text += &format!("  events     {path}/log/cowrie.json\n");
            text += &format!("  captures   {path}/artifacts/, recordings in {path}/tty/\n");
            text += &format!(
                "  try it     ssh -p {} root@{}   (any password)\n",
                first.port(),
                host(first)
            );
        }
        None => text += &format!("  ssh        off\n  data       {path}/\n"),
    }
    text += "  stop it    Ctrl-C\n";
    say(&text);
}

/// How to reach an address from the same computer.
fn host(address: &SocketAddr) -> String {
    if address.ip().is_unspecified() {
        "localhost".to_owned()
    } else {
        address.ip().to_string()
    }
}

/// Prints; an operator who closed the pipe does not stop the sensor.
fn say(text: &str) {
    let mut out = std::io::stdout().lock();
    if out
        .write_all(text.as_bytes())
        .and_then(|()| out.flush())
        .is_err()
    {
        tracing::debug!("nobody reads the standard output");
    }
}

fn start_log(filter: &str) {
    use tracing_subscriber::EnvFilter;
    let filter = EnvFilter::builder().parse_lossy(filter);
    let log = tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_writer(std::io::stderr);
    if log.try_init().is_err() {
        eprintln!("sundew: the log was started twice");
    }
}

const AFTER_HELP: &str = "\
Examples:
  sundew                                     start with ./sundew-data on port 2222
  sundew up --data /var/lib/sundew --ssh 0.0.0.0:2222 --ssh '[::]:2222'
  sundew up --ssh 127.0.0.1:0                any free port, printed
  sundew check --data /var/lib/sundew

SIGINT and SIGTERM: sessions get a few seconds, events are synced; a second signal ends at once.

Exit status:
  0   ended by SIGINT or SIGTERM, everything is on disk
  2   the command line is wrong
  70  a fault inside
  71  an address is in use, or the system refuses something else
  73  a file or directory cannot be made, read or written
  78  the configuration is wrong
  130, 143  a second SIGINT, SIGTERM";
