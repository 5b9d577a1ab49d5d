//! The command line.

use std::net::{IpAddr, SocketAddr};
use std::path::PathBuf;
use std::time::Duration;

use clap::{Args, Parser, Subcommand};
use ftp_proto::Argument;

use super::config::{Host, Ports, Span};
use crate::auth::Secret;

/// Serve a directory over FTP.
#[derive(Debug, Parser)]
#[command(
    name = "ftpd",
    version,
    args_conflicts_with_subcommands = true,
    after_help = EXAMPLES
)]
pub struct Options {
    /// What to do instead of serving.
    #[command(subcommand)]
    pub command: Option<Command>,
    /// How to serve.
    #[command(flatten)]
    pub serve: Serve,
}

/// How to serve.
#[derive(Debug, Default, Args)]
pub struct Serve {
    /// The directory; nothing outside of it can be reached
    pub dir: Option<PathBuf>,
    /// Read this configuration; other flags are stronger
    #[arg(long, value_name = "FILE")]
    pub config: Option<PathBuf>,
    /// Port on all addresses, IPv4 and IPv6; 0 takes any free one [default: 2121]
    #[arg(long, value_name = "N")]
    pub port: Option<u16>,
    /// Listen on this address only; can be given several times
    #[arg(long, value_name = "ADDRESS:PORT", conflicts_with = "port")]
    pub listen: Vec<SocketAddr>,
    /// A user with a password; can be given several times
    #[arg(long, value_name = "NAME:PASSWORD", value_parser = account)]
    pub user: Vec<(Argument, Secret)>,
    /// Let users change files; anonymous ones too if there are no others
    #[arg(long)]
    pub write: bool,
    /// Let nobody in without a password
    #[arg(long)]
    pub no_anonymous: bool,
    /// Offer TLS, with a certificate made at each start unless one is given
    #[arg(long)]
    pub tls: bool,
    /// Offer TLS with a certificate made at each start, whatever the configuration says
    #[arg(long, conflicts_with = "cert")]
    pub self_signed: bool,
    /// The certificate, in PEM
    #[arg(long, value_name = "FILE", requires = "key")]
    pub cert: Option<PathBuf>,
    /// The certificate's key, in PEM
    #[arg(long, value_name = "FILE", requires = "cert")]
    pub key: Option<PathBuf>,
    /// Refuse logins and transfers without TLS
    #[arg(long)]
    pub require_tls: bool,
    /// Ports of passive mode
    #[arg(long, value_name = "FIRST-LAST", value_parser = ports)]
    pub passive_ports: Option<Ports>,
    /// The address or host name PASV announces, for a server behind address translation
    #[arg(long, value_name = "HOST", value_parser = host)]
    pub advertise: Option<Host>,
    /// Serve numbers for Prometheus here; loopback only
    #[arg(long, value_name = "ADDRESS:PORT")]
    pub metrics: Option<SocketAddr>,
    /// What to log: warn, info, debug, or per part
    #[arg(long, value_name = "FILTER")]
    pub log: Option<String>,
    /// The socket `ftpd who` asks
    #[arg(long, value_name = "FILE")]
    pub control: Option<PathBuf>,
}

/// What to do instead of serving.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Read a configuration and say what is wrong
    Check {
        /// The configuration
        file: PathBuf,
    },
    /// Print a commented configuration with every key
    Template,
    /// Read a password and print its hash for the configuration
    Hash,
    /// Show who is connected
    #[command(after_help = WHO_HELP)]
    Who {
        /// One JSON object a line
        #[arg(long)]
        json: bool,
        /// Which server
        #[command(flatten)]
        server: Which,
    },
    /// End sessions; their transfers are cut
    #[command(after_help = KICK_EXAMPLES)]
    Kick {
        /// Numbers that `ftpd who` shows
        #[arg(required_unless_present_any = ["user", "address"])]
        sessions: Vec<u64>,
        /// All sessions of this user
        #[arg(long, value_name = "NAME")]
        user: Option<String>,
        /// All sessions from this address
        #[arg(long)]
        address: Option<IpAddr>,
        /// One JSON object for each session that was ended
        #[arg(long)]
        json: bool,
        /// Which server
        #[command(flatten)]
        server: Which,
    },
    /// Ban an address, and end its sessions
    Ban {
        /// The address; of IPv6 its /64
        address: IpAddr,
        /// For how long
        #[arg(long = "for", value_name = "DURATION", default_value = "1h", value_parser = span)]
        time: Duration,
        /// One JSON object for each session that was ended
        #[arg(long)]
        json: bool,
        /// Which server
        #[command(flatten)]
        server: Which,
    },
    /// Show the addresses that are banned
    Bans {
        /// One JSON object a line
        #[arg(long)]
        json: bool,
        /// Which server
        #[command(flatten)]
        server: Which,
    },
    /// Lift a ban
    Unban {
        /// The address
        address: IpAddr,
        /// Which server
        #[command(flatten)]
        server: Which,
    },
    /// Count users' files again for their quotas, at the next upload
    Recount {
        /// Of this user; of all if not given
        user: Option<String>,
        /// Which server
        #[command(flatten)]
        server: Which,
    },
    /// Run the operator's programs for a server that has given up its files
    #[command(hide = true)]
    Helper,
}

/// A server that is running.
#[derive(Debug, Args)]
pub struct Which {
    /// Its port
    #[arg(long, value_name = "N", default_value_t = 2121)]
    pub port: u16,
    /// Its control socket, if it has another one than usual
    #[arg(long, value_name = "FILE")]
    pub control: Option<PathBuf>,
}

fn account(text: &str) -> Result<(Argument, Secret), String> {
    let (name, password) = text.split_once(':').ok_or("expected NAME:PASSWORD")?;
    let name = Argument::try_from(name)
        .map_err(|_| "the name before the colon cannot be said with USER")?;
    if password.is_empty() {
        return Err("no password behind the colon".to_owned());
    }
    Ok((name, Secret::new(password.as_bytes())))
}

fn host(text: &str) -> Result<Host, String> {
    Host::new(text).ok_or_else(|| "expected an IPv4 address or a host name".to_owned())
}

fn ports(text: &str) -> Result<Ports, String> {
    Ports::new(text).ok_or_else(|| "expected two ports from 1024 on, like 50000-50999".to_owned())
}

fn span(text: &str) -> Result<Duration, String> {
    let value = toml::Value::String(text.to_owned());
    let span: Span = value.try_into().map_err(|error: toml::de::Error| {
        let text = error.to_string();
        text.trim().to_owned()
    })?;
    Ok(span.0)
}

const WHO_HELP: &str = "\
Columns: the number `ftpd kick` takes and logs show, the user, where from, since when, how long silent,
and the last command or the file that is being transferred.

Examples:
  ftpd who
  ftpd who --port 21
  ftpd who --json | jq -r 'select(.idle_seconds > 600) | .session' | xargs -r ftpd kick";

const KICK_EXAMPLES: &str = "\
Clients are told 421. Exit status 1: there was no such session.

Examples:
  ftpd kick 17 18
  ftpd kick --user anna
  ftpd kick --address 192.0.2.7 --json";

const EXAMPLES: &str = "\
Examples:
  ftpd .                                    read-only for everybody, on port 2121
  ftpd --write --user anna:secret /srv/ftp  anna may change files, others read
  ftpd --tls --no-anonymous --user a:b .    with a certificate made at each start
  ftpd --tls --cert c.pem --key k.pem .     with a certificate of yours
  ftpd template > ftpd.toml                 every key, commented
  ftpd check ftpd.toml && ftpd --config ftpd.toml
  ftpd who                                  who is connected
  ftpd kick --user anna                     end her sessions

Exit status: 0 stopped by a signal, 1 `kick`: no such session, 2 command line, 66 no such directory, 69 no server answers,
71 a port cannot be had or the system refuses, 77 root cannot be given up, 78 configuration.";
