//! The command line.

use std::net::{IpAddr, SocketAddr};
use std::path::PathBuf;

use clap::{Args, Parser, Subcommand};
use ftp_proto::Argument;

use super::config::{Host, Ports};
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
    Who {
        /// One JSON object a line
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
    let name = Argument::try_from(name).map_err(|error| error.to_string())?;
    Ok((name, Secret::new(password.as_bytes())))
}

fn host(text: &str) -> Result<Host, String> {
    Host::new(text).ok_or_else(|| "expected an IPv4 address or a host name".to_owned())
}

fn ports(text: &str) -> Result<Ports, String> {
    Ports::new(text).ok_or_else(|| "expected two ports from 1024 on, like 50000-50999".to_owned())
}

const EXAMPLES: &str = "\
Examples:
  ftpd .                                    read-only for everybody, on port 2121
  ftpd --write --user anna:secret /srv/ftp  anna may change files, others read
  ftpd --tls --no-anonymous --user a:b .    with a certificate made at each start
  ftpd --tls --cert c.pem --key k.pem .     with a certificate of yours
  ftpd template > ftpd.toml                 every key, commented
  ftpd check ftpd.toml && ftpd --config ftpd.toml
  ftpd who                                  who is connected

Exit status: 0 stopped by a signal, 2 command line, 66 no such directory, 69 no server answers,
71 a port cannot be had or the system refuses, 77 root cannot be given up, 78 configuration.";
