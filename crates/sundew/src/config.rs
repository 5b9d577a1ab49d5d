//! `sundew.toml`: every key with its default; reading it says where a mistake is and what was meant.

use std::fmt;
use std::net::SocketAddr;

use serde::Deserialize;
use sundew_egress::Network;
use sundew_kernel::budget::{SourceCpu, Together};

mod template;

pub use template::TEMPLATE;

/// The whole configuration.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Config {
    /// Who this sensor is.
    pub sensor: Sensor,
    /// The SSH door.
    pub ssh: Ssh,
    /// The way out.
    pub egress: Egress,
    /// What is kept.
    pub capture: Capture,
    /// What one visitor's machine may use.
    pub machine: Machine,
    /// What all machines of one address may use together.
    pub source: Source,
    /// Sundew's own log.
    pub log: Log,
    /// Stopping.
    pub shutdown: Shutdown,
}

/// `[sensor]`
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Sensor {
    /// The name in every event; empty for the host's name.
    pub name: String,
    /// Live processes of all machines.
    pub processes: u64,
    /// Bytes of memory of their programs.
    pub memory: u64,
    /// Bytes of files written on them.
    pub files: u64,
    /// Number of files made on them.
    pub inodes: u64,
    /// Bytes that they send in an hour.
    pub output: u64,
}

/// `[source]`
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Source {
    /// Live processes.
    pub processes: u64,
    /// Bytes of memory.
    pub memory: u64,
    /// Bytes of files written.
    pub files: u64,
    /// Number of files made.
    pub inodes: u64,
    /// Bytes sent in an hour.
    pub output: u64,
    /// CPU seconds.
    pub cpu_seconds: u32,
    /// Percent of one core in the long run.
    pub cpu_share_percent: u32,
}

/// `[ssh]`
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Ssh {
    /// Where to listen; empty for nowhere.
    pub listen: Vec<SocketAddr>,
    /// Seconds to log in.
    pub login_grace_seconds: u32,
    /// Seconds of silence after which a connection is closed.
    pub idle_seconds: u32,
    /// Connections in all.
    pub max_connections: usize,
    /// Connections from one IPv4 address or IPv6 /64.
    pub max_per_source: usize,
}

/// `[egress]`
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Egress {
    /// Whether visitors get out at all.
    pub mode: Mode,
    /// Special addresses that may be reached all the same.
    pub allow: Vec<Network>,
    /// Public addresses that may not be reached.
    pub deny: Vec<Network>,
    /// Connections of one machine at a time.
    pub connections_per_machine: usize,
    /// Connections of all machines at a time.
    pub connections: usize,
}

/// `egress.mode`
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Mode {
    /// Public addresses may be reached.
    #[default]
    Allow,
    /// Nothing may be reached.
    Deny,
}

/// `[capture]`
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Capture {
    /// Most bytes of one artifact.
    pub download_limit: u64,
    /// Most bytes of output in one recording.
    pub recording_limit: u64,
    /// Most bytes of everything captured.
    pub quota: u64,
    /// Bytes that stay free on the disk.
    pub min_free: u64,
}

/// `[machine]`
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Machine {
    /// Which machine visitors find.
    pub persona: Persona,
    /// An image made with `sundew fs` that takes the place of the persona's; empty for its own.
    pub image: String,
    /// Whether a source finds its machine again as it left it.
    pub persist: bool,
    /// Days without a visit after which such a machine is forgotten.
    pub persist_days: u32,
    /// Bytes of all machines that are kept.
    pub persist_quota: u64,
    /// Live processes.
    pub processes: usize,
    /// Open files of one process.
    pub descriptors: usize,
    /// Open files of all processes.
    pub open_files: usize,
    /// Bytes of memory.
    pub memory: u64,
    /// CPU seconds of one process.
    pub process_cpu_seconds: u32,
    /// CPU seconds of the machine.
    pub machine_cpu_seconds: u32,
    /// Percent of one core in the long run.
    pub cpu_share_percent: u32,
    /// Bytes sent to the visitor in all.
    pub output: u64,
    /// Bytes of files written.
    pub files: u64,
    /// Number of files made.
    pub inodes: u64,
}

/// `machine.persona`
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Persona {
    /// A Debian 12 server.
    #[default]
    Debian12,
    /// An IP camera with BusyBox.
    Camera,
}

/// `[log]`
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Log {
    /// A filter as tracing takes it: `warn`, `info`, `sundew_ssh=debug`.
    pub filter: String,
}

/// `[shutdown]`
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Shutdown {
    /// Seconds that sessions may go on after a signal.
    pub grace_seconds: u32,
}

impl Default for Sensor {
    fn default() -> Self {
        let limits = Together::all();
        Self {
            name: String::new(),
            processes: limits.processes,
            memory: limits.memory_bytes,
            files: limits.file_bytes,
            inodes: limits.inodes,
            output: limits.output_bytes,
        }
    }
}

impl Default for Source {
    fn default() -> Self {
        let (source, source_cpu) = (Together::default(), SourceCpu::default());
        Self {
            processes: source.processes,
            memory: source.memory_bytes,
            files: source.file_bytes,
            inodes: source.inodes,
            output: source.output_bytes,
            cpu_seconds: seconds(source_cpu.time),
            cpu_share_percent: source_cpu.share_percent,
        }
    }
}

impl Default for Ssh {
    fn default() -> Self {
        let limits = sundew_ssh::Limits::default();
        Self {
            listen: vec![
                SocketAddr::from(([0, 0, 0, 0], 2222)),
                SocketAddr::from(([0; 16], 2222)),
            ],
            login_grace_seconds: seconds(limits.login_grace),
            idle_seconds: seconds(limits.idle),
            max_connections: limits.max_connections,
            max_per_source: limits.max_per_source,
        }
    }
}

impl Default for Capture {
    fn default() -> Self {
        let quota = sundew_capture::Quota::default();
        Self {
            download_limit: sundew_capture::store::DEFAULT_DOWNLOAD_LIMIT,
            recording_limit: sundew_capture::recording::DEFAULT_OUTPUT_LIMIT,
            quota: quota.max_bytes,
            min_free: quota.min_free_bytes,
        }
    }
}

impl Default for Egress {
    fn default() -> Self {
        let limits = sundew_egress::Limits::default();
        Self {
            mode: Mode::default(),
            allow: Vec::new(),
            deny: Vec::new(),
            connections_per_machine: limits.connections_per_machine,
            connections: limits.connections,
        }
    }
}

impl Default for Machine {
    fn default() -> Self {
        let limits = sundew_kernel::budget::Limits::default();
        let files = sundew_vfs::Limits::default();
        Self {
            persona: Persona::default(),
            image: String::new(),
            persist: false,
            persist_days: 7,
            persist_quota: 2 << 30,
            processes: limits.processes,
            descriptors: limits.descriptors,
            open_files: limits.open_files,
            memory: limits.memory_bytes,
            process_cpu_seconds: seconds(limits.process_cpu),
            machine_cpu_seconds: seconds(limits.machine_cpu),
            cpu_share_percent: limits.cpu_share_percent,
            output: limits.output_bytes,
            files: files.max_bytes,
            inodes: files.max_inodes,
        }
    }
}

impl Default for Log {
    fn default() -> Self {
        Self {
            filter: "warn".to_owned(),
        }
    }
}

impl Default for Shutdown {
    fn default() -> Self {
        Self { grace_seconds: 5 }
    }
}

fn seconds(duration: std::time::Duration) -> u32 {
    u32::try_from(duration.as_secs()).unwrap_or(u32::MAX)
}

/// What is wrong with a configuration, and where.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ConfigError {
    /// Counted from 1.
    pub line: usize,
    /// Counted in characters from 1.
    pub column: usize,
    /// In one line, with what was expected.
    pub text: String,
}

impl fmt::Display for ConfigError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}: {}", self.line, self.column, self.text)
    }
}

impl std::error::Error for ConfigError {}

/// Reads a configuration; what is not said has its default.
///
/// # Errors
///
/// The first mistake, with its place.
pub fn parse(bytes: &[u8]) -> Result<Config, ConfigError> {
    let text = match std::str::from_utf8(bytes) {
        Ok(text) => text,
        Err(error) => {
            let (valid, _) = bytes.split_at(error.valid_up_to());
            return Err(at(
                &String::from_utf8_lossy(valid),
                valid.len(),
                "not UTF-8".to_owned(),
            ));
        }
    };
    let config: Config = toml::from_str(text).map_err(|error| {
        let start = error.span().map_or(0, |span| span.start);
        at(text, start, words(error.message()))
    })?;
    check(&config).map_err(|(key, problem)| at(text, find_key(text, key), problem.to_owned()))?;
    Ok(config)
}

/// Values of the right type that make no sense.
fn check(config: &Config) -> Result<(), (&'static str, &'static str)> {
    let percent = config.machine.cpu_share_percent;
    if percent == 0 || percent > 100 {
        return Err((
            "cpu_share_percent",
            "`cpu_share_percent` must be from 1 to 100",
        ));
    }
    if config.source.cpu_share_percent == 0 {
        return Err((
            "cpu_share_percent",
            "`cpu_share_percent` of a source must be at least 1",
        ));
    }
    if config.machine.processes < 8 || config.source.processes < 8 {
        return Err((
            "processes",
            "`processes` must be at least 8, or nobody can work",
        ));
    }
    if config.ssh.login_grace_seconds == 0 || config.ssh.idle_seconds == 0 {
        return Err((
            "_seconds",
            "a time of 0 seconds would close every connection at once",
        ));
    }
    Ok(())
}

fn find_key(text: &str, key: &str) -> usize {
    text.find(key).unwrap_or(0)
}

/// The place of a byte, as an editor counts.
fn at(text: &str, byte: usize, problem: String) -> ConfigError {
    let before: String = text
        .char_indices()
        .take_while(|(at, _)| *at < byte)
        .map(|(_, c)| c)
        .collect();
    let line_start = before.rfind('\n').map_or(0, |newline| newline + 1);
    let in_line = before.get(line_start..).unwrap_or_default();
    ConfigError {
        line: before.matches('\n').count() + 1,
        column: in_line.chars().count() + 1,
        text: problem,
    }
}

/// Our words for what the TOML reader says, in one line.
fn words(message: &str) -> String {
    if let Some(rest) = message.strip_prefix("unknown field ") {
        let mut names = rest.split('`').skip(1).step_by(2);
        let unknown = names.next().unwrap_or_default();
        let known: Vec<&str> = names.collect();
        return match nearest(unknown, &known) {
            Some(near) => format!("unknown key `{unknown}`, did you mean `{near}`?"),
            None => format!("unknown key `{unknown}`; known here: {}", known.join(", ")),
        };
    }
    message
        .lines()
        .map(str::trim)
        .filter(|line| !line.is_empty())
        .collect::<Vec<_>>()
        .join("; ")
}

/// The known name that is a slip away.
fn nearest<'a>(unknown: &str, known: &[&'a str]) -> Option<&'a str> {
    let limit = (unknown.chars().count() / 3).max(1);
    known
        .iter()
        .map(|name| (distance(unknown, name), *name))
        .filter(|(distance, _)| *distance <= limit)
        .min()
        .map(|(_, name)| name)
}

/// Levenshtein's distance, on names as long as keys are.
fn distance(one: &str, other: &str) -> usize {
    let other: Vec<char> = other.chars().collect();
    let mut row: Vec<usize> = (0..=other.len()).collect();
    for (i, a) in one.chars().take(MAX_KEY_CHARS).enumerate() {
        let mut diagonal = i;
        let mut left = i + 1;
        row[0] = left;
        for (j, b) in other.iter().enumerate() {
            let above = row[j + 1];
            left = (diagonal + usize::from(a != *b))
                .min(above + 1)
                .min(left + 1);
            diagonal = above;
            row[j + 1] = left;
        }
    }
    row.last().copied().unwrap_or(0)
}

/// Characters of a key that are compared: ours are shorter, a file's may be anything.
const MAX_KEY_CHARS: usize = 64;

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn error(text: &str) -> String {
        parse(text.as_bytes()).unwrap_err().to_string()
    }

    #[test]
    fn a_mistake_is_named_with_its_place() {
        assert_eq!(
            error("[capture]\ndownload_limt = 3\n"),
            "2:1: unknown key `download_limt`, did you mean `download_limit`?"
        );
        assert_eq!(
            error("[egres]\nallow = []\n"),
            "1:2: unknown key `egres`, did you mean `egress`?"
        );
        assert!(
            error("[ssh]\nwhatever = 1\n")
                .starts_with("2:1: unknown key `whatever`; known here: listen,")
        );
        let network = error("[egress]\nallow = [\"10.0.0.0/33\"]\n");
        assert!(
            network.starts_with("2:") && network.contains("`10.0.0.0/33` is not an address"),
            "{network}"
        );
        assert_eq!(
            error("[machine]\n  cpu_share_percent = 0\n"),
            "2:3: `cpu_share_percent` must be from 1 to 100"
        );
        assert!(error("[ssh\n").starts_with("1:"));
        assert!(!error("[ssh\n= = =\n").contains('\n'));
    }

    #[test]
    fn bytes_that_are_no_text_are_named_with_their_place() {
        let error = parse(b"# caf\xe9\n").unwrap_err();
        assert_eq!((error.line, error.column), (1, 6));
    }

    #[test]
    fn an_empty_file_is_the_default_and_so_is_the_template() {
        let default = format!("{:?}", Config::default());
        assert_eq!(format!("{:?}", parse(b"").unwrap()), default);
        assert_eq!(
            format!("{:?}", parse(TEMPLATE.as_bytes()).unwrap()),
            default
        );
    }

    #[test]
    fn every_key_of_the_template_uncommented_has_its_default() {
        let uncommented: String = TEMPLATE
            .lines()
            .map(|line| {
                line.strip_prefix('#')
                    .filter(|rest| !rest.starts_with(' '))
                    .unwrap_or(line)
            })
            .flat_map(|line| [line, "\n"])
            .collect();
        let config = parse(uncommented.as_bytes()).unwrap();
        assert_eq!(format!("{config:?}"), format!("{:?}", Config::default()));
        assert!(uncommented.contains("\ndownload_limit = 52428800"));
    }

    proptest! {
        #[test]
        fn any_bytes_are_a_configuration_or_one_line(bytes: Vec<u8>) {
            if let Err(error) = parse(&bytes) {
                prop_assert!(!error.to_string().contains('\n'));
            }
        }
    }
}
