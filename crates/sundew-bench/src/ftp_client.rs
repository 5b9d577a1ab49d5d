//! FTP clients side by side: one large file down and up, many small ones, a mirror over a slow line.
//!
//! Each client is a real program on the same server in the same run; what it brought is compared with
//! what was there. Processor time is that of the finished child processes, memory the peak the kernel
//! kept while they ran.

use std::fs;
use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::{Context as _, Result, bail};
use clap::Args;
use tempfile::TempDir;

mod measure;
mod peer;
mod server;

use measure::{Cost, run_all};
use peer::{Client, Task};
use server::Server;

/// `ftp-client`.
#[derive(Debug, Args)]
pub(crate) struct Options {
    /// `sundew-ftp`, which is `sundew ftp` without the sensor
    #[arg(long)]
    tool: PathBuf,
    /// Our `ftpget`
    #[arg(long)]
    ftpget: PathBuf,
    /// Our `ftpput`
    #[arg(long)]
    ftpput: PathBuf,
    /// The client made of suppaftp, from `bench/suppaftp`; left out if it is not there
    #[arg(long)]
    suppaftp: Option<PathBuf>,
    /// MiB of the large file
    #[arg(long, default_value_t = 1024)]
    big: u64,
    /// Small files, of 4 KiB each
    #[arg(long, default_value_t = 500)]
    small: usize,
    /// Files of the mirror, of 4 KiB each; 0 leaves it out
    #[arg(long, default_value_t = 5000)]
    mirror: usize,
    /// Round trip of the mirror's line in milliseconds; needs root
    #[arg(long, default_value_t = 20)]
    latency: u32,
    /// Connections of lftp's mirror and of the second one of ours
    #[arg(long, default_value_t = 8)]
    connections: u16,
    /// Runs of each, of which the one with the least CPU time counts
    #[arg(long, default_value_t = 3)]
    runs: usize,
    /// Where files go; a tmpfs keeps the disk out of it
    #[arg(long, default_value = "/dev/shm")]
    directory: PathBuf,
    /// Put the tables between the two marks of this document as well
    #[arg(long)]
    write: Option<PathBuf>,
    /// Only clients whose name contains this
    #[arg(long)]
    only: Option<String>,
}

/// The files that are served and where they go.
#[derive(Debug)]
pub(crate) struct Ground {
    directory: TempDir,
    small: usize,
}

impl Ground {
    fn new(options: &Options) -> Result<Self> {
        let directory = TempDir::with_prefix_in("sundew-bench-", &options.directory)?;
        let ground = Self {
            directory,
            small: options.small,
        };
        fs::create_dir_all(ground.served().join("small"))?;
        fs::create_dir_all(ground.served().join("up"))?;
        let mebibyte: Vec<u8> = (0..=250_u8).cycle().take(1 << 20).collect();
        let mut big = fs::File::create(ground.served().join("big"))?;
        for _ in 0..options.big {
            std::io::Write::write_all(&mut big, &mebibyte)?;
        }
        for number in 0..options.small {
            let body = mebibyte.get(number % 251..).unwrap_or_default();
            let body = body.get(..4096).unwrap_or_default();
            fs::write(ground.served().join(format!("small/f{number}")), body)?;
        }
        for number in 0..options.mirror {
            let directory = ground.served().join(format!("tree/d{}", number / 100));
            fs::create_dir_all(&directory)?;
            let body = mebibyte.get(number % 251..).unwrap_or_default();
            fs::write(
                directory.join(format!("f{number}")),
                body.get(..4096).unwrap_or_default(),
            )?;
        }
        Ok(ground)
    }

    /// What the server serves.
    pub(crate) fn served(&self) -> PathBuf {
        self.directory.path().join("served")
    }

    /// Where downloads go.
    pub(crate) fn here(&self) -> PathBuf {
        self.directory.path().join("here")
    }

    /// A fresh directory for downloads, and nothing that was uploaded.
    fn clear(&self) -> Result<()> {
        for directory in [self.here(), self.served().join("up")] {
            if directory.exists() {
                fs::remove_dir_all(&directory)?;
            }
            fs::create_dir_all(&directory)?;
        }
        Ok(())
    }

    /// Whether everything came.
    fn check(&self, task: Task) -> Result<()> {
        let (there, here) = match task {
            Task::Down => (self.served().join("big"), self.here().join("big")),
            Task::Up => (self.served().join("big"), self.served().join("up/big")),
            Task::ManyInOne | Task::ManyProcesses => (self.served().join("small"), self.here()),
            Task::Mirror => (self.served().join("tree"), self.here()),
        };
        same(&there, &here)
    }
}

fn same(there: &Path, here: &Path) -> Result<()> {
    if there.is_dir() {
        for entry in fs::read_dir(there)? {
            let name = entry?.file_name();
            same(&there.join(&name), &here.join(&name))?;
        }
        return Ok(());
    }
    let (a, b) = (fs::File::open(there)?, fs::File::open(here));
    let b = b.with_context(|| format!("{} did not come", here.display()))?;
    let equal = a.metadata()?.len() == b.metadata()?.len()
        && (a.metadata()?.len() > 1 << 20 || fs::read(there)? == fs::read(here)?);
    if !equal {
        bail!("{} came otherwise than it was sent", here.display());
    }
    Ok(())
}

pub(crate) fn run(options: &Options) -> Result<()> {
    let ground = Ground::new(options)?;
    let clients: Vec<Client> = peer::all(options)
        .into_iter()
        .filter(|client| {
            options
                .only
                .as_ref()
                .is_none_or(|only| client.name.contains(only.as_str()))
        })
        .collect();
    let mut report = String::new();
    let mut tell = |text: String| {
        println!("{text}");
        report += &text;
        report.push('\n');
    };
    let server = Server::start(&ground, None)?;
    for task in [Task::Down, Task::Up, Task::ManyInOne, Task::ManyProcesses] {
        table(options, &ground, &clients, task, &server, &mut tell)?;
    }
    drop(server);
    if options.mirror > 0 {
        let line = server::Line::start(options.latency)?;
        let server = Server::start(&ground, Some(&line))?;
        table(options, &ground, &clients, Task::Mirror, &server, &mut tell)?;
        tell(format!("\nThe slow line is made of {}.", line.how()));
    }
    match &options.write {
        Some(document) => write(document, &report),
        None => Ok(()),
    }
}

/// Between these two the tables stand in a document.
const BEGIN: &str = "<!-- bench ftp-client: begin -->";
const END: &str = "<!-- bench ftp-client: end -->";

fn write(document: &Path, report: &str) -> Result<()> {
    let text = fs::read_to_string(document)?;
    let marks = text.split_once(BEGIN).and_then(|(before, rest)| {
        let (_, after) = rest.split_once(END)?;
        Some((before, after))
    });
    let Some((before, after)) = marks else {
        bail!("{}: no place for the tables", document.display());
    };
    let text = format!("{before}{BEGIN}\n{report}\n{END}{after}");
    Ok(fs::write(document, text)?)
}

fn table(
    options: &Options,
    ground: &Ground,
    clients: &[Client],
    task: Task,
    server: &Server,
    tell: &mut impl FnMut(String),
) -> Result<()> {
    let (title, amount) = match task {
        Task::Down => (format!("{} MiB down", options.big), options.big),
        Task::Up => (format!("{} MiB up", options.big), options.big),
        Task::ManyInOne => (format!("{} files of 4 KiB in one run", options.small), 0),
        Task::ManyProcesses => (
            format!("{} files of 4 KiB, a process each", options.small),
            0,
        ),
        Task::Mirror => (
            format!(
                "mirror of {} files of 4 KiB, {} ms round trip; lftp and `-j` with {} connections",
                options.mirror, options.latency, options.connections
            ),
            0,
        ),
    };
    tell(format!("\n**{title}** from {}\n", server.name()));
    tell("| client | seconds | MiB/s | CPU s | peak RSS MiB |".to_owned());
    tell("|---|---:|---:|---:|---:|".to_owned());
    for client in clients {
        let Some(commands) = client.commands(task, ground, server) else {
            continue;
        };
        let mut best: Option<Cost> = None;
        let runs = if task == Task::Mirror {
            1
        } else {
            options.runs
        };
        for _ in 0..runs {
            ground.clear()?;
            let cost = run_all(&commands, &ground.here(), RUN_WITHIN)
                .and_then(|cost| ground.check(task).map(|()| cost));
            match cost {
                Ok(cost) if best.is_none_or(|best| cost.cpu < best.cpu) => best = Some(cost),
                Ok(_) => {}
                Err(error) => tell(format!("| {} | failed: {error:#} | | | |", client.name)),
            }
        }
        if let Some(cost) = best {
            let seconds = cost.wall.as_secs_f64();
            let rate = match amount {
                0 => String::new(),
                amount => format!("{:.0}", amount as f64 / seconds),
            };
            tell(format!(
                "| {} | {seconds:.2} | {rate} | {:.2} | {:.1} |",
                client.name,
                cost.cpu.as_secs_f64(),
                cost.peak_kib as f64 / 1024.0
            ));
        }
    }
    Ok(())
}

/// How long one run of one client may take.
const RUN_WITHIN: Duration = Duration::from_secs(180);
