//! The command line of `sundew ftp`.

use std::path::PathBuf;
use std::time::Duration;

use clap::{Args, Subcommand, ValueEnum};

use crate::rate::parse_rate;
use crate::url::Url;

mod help;

/// FTP for people: get, put, list, mirror; resumes, retries, checks.
#[derive(Debug, Args)]
#[command(after_help = help::OVERVIEW, arg_required_else_help = true)]
pub struct Arguments {
    /// What to do.
    #[command(subcommand)]
    pub command: Command,
}

/// What to do.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Download files; goes on where an earlier attempt ended
    #[command(after_help = help::GET)]
    Get(With<Get>),
    /// Upload files; goes on where an earlier attempt ended
    #[command(after_help = help::PUT)]
    Put(With<Put>),
    /// List a directory
    #[command(after_help = help::LS)]
    Ls(With<Ls>),
    /// List a directory and everything below it
    #[command(after_help = help::TREE)]
    Tree(With<TreeArguments>),
    /// Write files to the standard output
    #[command(after_help = help::CAT)]
    Cat(With<Cat>),
    /// Make one directory like another, down or up
    #[command(after_help = help::MIRROR)]
    Mirror(With<Mirror>),
    /// Copy a file from one server to another
    #[command(after_help = help::COPY)]
    Copy(With<Copy>),
    /// Remove files, and with -r directories
    #[command(after_help = help::RM)]
    Rm(With<Rm>),
    /// Rename a file or directory
    #[command(after_help = help::MV)]
    Mv(With<Mv>),
    /// Make directories
    #[command(after_help = help::MKDIR)]
    Mkdir(With<Mkdir>),
    /// Type commands to a server
    #[command(after_help = help::SHELL)]
    Shell(With<Shell>),
}

/// What a command has of its own, and what all have.
#[derive(Debug, Args)]
#[expect(
    missing_docs,
    reason = "clap takes a comment on these for the help of the command"
)]
pub struct With<T: Args> {
    #[command(flatten)]
    pub own: T,
    #[command(flatten)]
    pub common: Common,
}

/// Options every command has.
#[derive(Clone, Debug, Args)]
pub struct Common {
    /// User name; the password comes from netrc, SUNDEW_FTP_PASSWORD or a prompt
    #[arg(short, long, value_name = "NAME", help_heading = "Login")]
    pub user: Option<String>,
    /// Read this file instead of ~/.netrc
    #[arg(long, value_name = "FILE", help_heading = "Login")]
    pub netrc_file: Option<PathBuf>,
    /// Do not read ~/.netrc
    #[arg(long, conflicts_with = "netrc_file", help_heading = "Login")]
    pub no_netrc: bool,

    /// Trust the certificates in this PEM file instead of the well-known ones
    #[arg(long, value_name = "FILE", help_heading = "TLS")]
    pub ca: Option<PathBuf>,
    /// Trust only the certificate with this SHA-256 fingerprint
    #[arg(long, value_name = "HEX", help_heading = "TLS")]
    pub pin: Option<String>,
    /// Show this certificate (PEM, with its chain) to servers that ask for one
    #[arg(long, value_name = "FILE", requires = "key", help_heading = "TLS")]
    pub cert: Option<PathBuf>,
    /// The private key of --cert (PEM)
    #[arg(long, value_name = "FILE", requires = "cert", help_heading = "TLS")]
    pub key: Option<PathBuf>,
    /// Encrypt, but do not ask who is at the other end
    #[arg(long, conflicts_with_all = ["ca", "pin"], help_heading = "TLS")]
    pub insecure: bool,

    /// Let the server make the data connections (active mode)
    #[arg(long, help_heading = "Connection")]
    pub active: bool,
    /// Go through a proxy: socks5://HOST:PORT or http://HOST:PORT
    #[arg(long, value_name = "URL", help_heading = "Connection")]
    pub proxy: Option<String>,
    /// Seconds until a silent server is given up
    #[arg(long, value_name = "SECONDS", default_value = "30", value_parser = seconds, help_heading = "Connection")]
    pub timeout: Duration,
    /// Attempts after the first that fails for a reason that may pass
    #[arg(
        long,
        value_name = "N",
        default_value_t = 4,
        help_heading = "Connection"
    )]
    pub retries: u32,
    /// Bytes per second for the whole run: 500k, 2M
    #[arg(long, value_name = "RATE", value_parser = parse_rate, help_heading = "Connection")]
    pub limit_rate: Option<u64>,

    /// Compress on the way (MODE Z), where the server can
    #[arg(long, help_heading = "Connection")]
    pub compress: bool,

    /// Show what is said to the server and what it answers; passwords are left out
    #[arg(short, long, help_heading = "Output")]
    pub verbose: bool,
    /// One JSON object a line on the standard output
    #[arg(long, help_heading = "Output")]
    pub json: bool,
    /// No progress and no summary; errors are still shown
    #[arg(short, long, help_heading = "Output")]
    pub quiet: bool,
}

/// Whether what was transferred is compared with the server's checksum.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default, ValueEnum)]
pub enum Verify {
    /// If the server offers HASH
    #[default]
    Auto,
    /// Always; it is an error if the server cannot
    Always,
    /// Never
    Never,
}

/// `get`.
#[derive(Debug, Args)]
pub struct Get {
    /// What to download
    #[arg(required = true, value_name = "URL", value_parser = url)]
    pub urls: Vec<Url>,
    /// Where to: a file, a directory, or - for the standard output
    #[arg(short, long, value_name = "PATH")]
    pub output: Option<PathBuf>,
    /// Files at once, or segments of a single file, each over a connection of its own
    #[arg(short, long, value_name = "N", default_value_t = 1, value_parser = clap::value_parser!(u16).range(1..=64))]
    pub jobs: u16,
    /// Start over instead of going on where an earlier attempt ended
    #[arg(long)]
    pub restart: bool,
    /// Download even what is here already, with the same size and time
    #[arg(long)]
    pub force: bool,
    /// Compare checksums afterwards
    #[arg(long, value_enum, value_name = "WHEN", default_value_t)]
    pub verify: Verify,
}

/// `put`.
#[derive(Debug, Args)]
pub struct Put {
    /// Files to upload; - is the standard input
    #[arg(required = true, value_name = "FILE")]
    pub files: Vec<PathBuf>,
    /// Where to: a directory if it ends with /, else the name
    #[arg(value_name = "URL", value_parser = url)]
    pub url: Url,
    /// Files at once, each over a connection of its own
    #[arg(short, long, value_name = "N", default_value_t = 1, value_parser = clap::value_parser!(u16).range(1..=64))]
    pub jobs: u16,
    /// Start over instead of going on where an earlier attempt ended
    #[arg(long)]
    pub restart: bool,
    /// Upload even what is there already, with the same size
    #[arg(long)]
    pub force: bool,
    /// Make the directories of the URL that are missing
    #[arg(short, long)]
    pub parents: bool,
    /// Compare checksums afterwards
    #[arg(long, value_enum, value_name = "WHEN", default_value_t)]
    pub verify: Verify,
}

/// `ls`.
#[derive(Debug, Args)]
pub struct Ls {
    /// Directory to list
    #[arg(value_name = "URL", value_parser = url)]
    pub url: Url,
    /// Kind, size and time beside each name
    #[arg(short, long)]
    pub long: bool,
}

/// `tree`.
#[derive(Debug, Args)]
pub struct TreeArguments {
    /// Directory to list
    #[arg(value_name = "URL", value_parser = url)]
    pub url: Url,
    /// Levels to show
    #[arg(short = 'L', long, value_name = "N")]
    pub level: Option<usize>,
}

/// `cat`.
#[derive(Debug, Args)]
pub struct Cat {
    /// Files to write out, one after the other
    #[arg(required = true, value_name = "URL", value_parser = url)]
    pub urls: Vec<Url>,
}

/// How `mirror` compares files.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default, ValueEnum)]
pub enum CompareBy {
    /// Transfer if the sizes differ or the source is newer
    #[default]
    Time,
    /// Transfer if the sizes differ
    Size,
    /// Compare the checksums of files of the same size; the server must offer HASH
    Hash,
}

/// What `mirror` does with symbolic links of the source.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default, ValueEnum)]
pub enum Links {
    /// Leave them alone, and say so
    #[default]
    Skip,
    /// Make the same links, unless they could lead out of the directory
    Copy,
    /// Transfer what they lead to
    Follow,
}

/// `mirror`.
#[derive(Debug, Args)]
pub struct Mirror {
    /// What to copy from: a URL or a local directory
    pub source: String,
    /// What to make like it: a local directory or a URL
    pub target: String,
    /// Remove from the target what the source does not have
    #[arg(long)]
    pub delete: bool,
    /// Only files that match; can be given several times
    #[arg(short, long, value_name = "GLOB")]
    pub include: Vec<String>,
    /// Nothing that matches; can be given several times
    #[arg(short = 'x', long, value_name = "GLOB")]
    pub exclude: Vec<String>,
    /// How files are compared
    #[arg(short, long, value_enum, value_name = "BY", default_value_t)]
    pub compare: CompareBy,
    /// What to do with symbolic links
    #[arg(long, value_enum, value_name = "HOW", default_value_t)]
    pub links: Links,
    /// Say what would be done, and do nothing
    #[arg(short = 'n', long)]
    pub dry_run: bool,
    /// Connections at once; without it as many as help, at most 128 and what the server allows
    #[arg(short, long, value_name = "N", value_parser = clap::value_parser!(u16).range(1..=256))]
    pub jobs: Option<u16>,
    /// Compare checksums afterwards
    #[arg(long, value_enum, value_name = "WHEN", default_value = "never")]
    pub verify: Verify,
}

/// Which way the bytes of `copy` go.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default, ValueEnum)]
pub enum By {
    /// Straight from server to server (FXP) if both are willing, else through this computer
    #[default]
    Auto,
    /// Straight from server to server, or not at all
    Direct,
    /// Through this computer
    Through,
}

/// `copy`.
#[derive(Debug, Args)]
pub struct Copy {
    /// The file
    #[arg(value_name = "FROM", value_parser = url)]
    pub from: Url,
    /// Where to: a directory if it ends with /, else the name
    #[arg(value_name = "TO", value_parser = url)]
    pub to: Url,
    /// Which way the bytes go
    #[arg(long, value_enum, value_name = "WAY", default_value_t)]
    pub by: By,
    /// Start over instead of going on where an earlier attempt ended
    #[arg(long)]
    pub restart: bool,
    /// Copy even what is there already, with the same size
    #[arg(long)]
    pub force: bool,
    /// Compare checksums of both servers afterwards
    #[arg(long, value_enum, value_name = "WHEN", default_value_t)]
    pub verify: Verify,
}

/// `rm`.
#[derive(Debug, Args)]
pub struct Rm {
    /// What to remove
    #[arg(required = true, value_name = "URL", value_parser = url)]
    pub urls: Vec<Url>,
    /// Directories too, with everything in them
    #[arg(short, long)]
    pub recursive: bool,
}

/// `mv`.
#[derive(Debug, Args)]
pub struct Mv {
    /// What to rename
    #[arg(value_name = "URL", value_parser = url)]
    pub url: Url,
    /// New path on the same server; a name alone stays in its directory
    #[arg(value_name = "NEW")]
    pub to: String,
}

/// `mkdir`.
#[derive(Debug, Args)]
pub struct Mkdir {
    /// Directories to make
    #[arg(required = true, value_name = "URL", value_parser = url)]
    pub urls: Vec<Url>,
    /// Those above too; what is there already is fine
    #[arg(short, long)]
    pub parents: bool,
}

/// `shell`.
#[derive(Debug, Args)]
pub struct Shell {
    /// Where to begin
    #[arg(value_name = "URL", value_parser = url)]
    pub url: Url,
}

impl Command {
    /// The options every command has.
    #[must_use]
    pub const fn common(&self) -> &Common {
        match self {
            Self::Get(get) => &get.common,
            Self::Put(put) => &put.common,
            Self::Ls(ls) => &ls.common,
            Self::Tree(tree) => &tree.common,
            Self::Cat(cat) => &cat.common,
            Self::Mirror(mirror) => &mirror.common,
            Self::Rm(rm) => &rm.common,
            Self::Mv(mv) => &mv.common,
            Self::Mkdir(mkdir) => &mkdir.common,
            Self::Copy(copy) => &copy.common,
            Self::Shell(shell) => &shell.common,
        }
    }
}

fn url(text: &str) -> Result<Url, String> {
    Url::parse(text).map_err(|error| error.to_string())
}

fn seconds(text: &str) -> Result<Duration, String> {
    text.parse::<f64>()
        .ok()
        .filter(|seconds| (0.1..=86_400.0).contains(seconds))
        .map(Duration::from_secs_f64)
        .ok_or_else(|| "expected seconds, from 0.1 to 86400".to_owned())
}
