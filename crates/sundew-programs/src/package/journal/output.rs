//! How `journalctl` shows a line: `-o`.

use sundew_kernel::Process;
use sundew_kernel::journal::Entry;
use sundew_vfs::Timestamp;

use crate::time::{Shown, Zone};

/// The values of `-o`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) enum Format {
    #[default]
    Short,
    ShortFull,
    ShortIso,
    ShortIsoPrecise,
    ShortPrecise,
    ShortMonotonic,
    ShortUnix,
    WithUnit,
    Verbose,
    Export,
    Json,
    JsonPretty,
    Cat,
}

impl Format {
    pub(super) fn of(name: &[u8]) -> Option<Self> {
        Some(match name {
            b"short" => Self::Short,
            b"short-full" => Self::ShortFull,
            b"short-iso" => Self::ShortIso,
            b"short-iso-precise" => Self::ShortIsoPrecise,
            b"short-precise" => Self::ShortPrecise,
            b"short-monotonic" | b"short-delta" => Self::ShortMonotonic,
            b"short-unix" => Self::ShortUnix,
            b"with-unit" => Self::WithUnit,
            b"verbose" => Self::Verbose,
            b"export" => Self::Export,
            b"json" => Self::Json,
            b"json-pretty" | b"json-sse" | b"json-seq" => Self::JsonPretty,
            b"cat" => Self::Cat,
            _ => return None,
        })
    }

    /// Whether nothing is told by a line that says so.
    pub(super) fn is_short(self) -> bool {
        !matches!(
            self,
            Self::Export | Self::Json | Self::JsonPretty | Self::Cat
        )
    }
}

/// What stands in every line or record.
pub(super) struct Machine {
    host: String,
    id: String,
    pub(super) boot: String,
    boot_micros: u64,
}

impl Machine {
    pub(super) async fn of(proc: &Process) -> Self {
        let read = async |path: &[u8]| {
            let text = super::super::read(proc, path).await.unwrap_or_default();
            String::from_utf8_lossy(text.trim_ascii()).into_owned()
        };
        let boot = proc.facts().boot_time;
        Self {
            host: read(b"/proc/sys/kernel/hostname").await,
            id: read(b"/etc/machine-id").await,
            boot: read(b"/proc/sys/kernel/random/boot_id")
                .await
                .replace('-', ""),
            boot_micros: u64::try_from(boot.secs).unwrap_or(0) * 1_000_000
                + u64::from(boot.nanos / 1000),
        }
    }

    pub(super) fn line(&self, entry: &Entry, format: Format, zone: &Zone, bare: bool) -> Vec<u8> {
        let time = match format {
            Format::Cat => return [entry.message.as_slice(), b"\n"].concat(),
            Format::Json => return self.json(entry, false),
            Format::JsonPretty => return self.json(entry, true),
            Format::Export => return self.export(entry),
            Format::Verbose => return self.verbose(entry, zone),
            Format::Short => date(entry.micros, zone, b"%b %d %H:%M:%S"),
            Format::WithUnit | Format::ShortFull => weekday(entry.micros, zone),
            Format::ShortIso => date(entry.micros, zone, b"%Y-%m-%dT%H:%M:%S%z"),
            Format::ShortIsoPrecise => format!(
                "{}.{:06}{}",
                date(entry.micros, zone, b"%Y-%m-%dT%H:%M:%S"),
                entry.micros % 1_000_000,
                date(entry.micros, zone, b"%z")
            ),
            Format::ShortPrecise => format!(
                "{}.{:06}",
                date(entry.micros, zone, b"%b %d %H:%M:%S"),
                entry.micros % 1_000_000
            ),
            Format::ShortMonotonic => {
                let after = self.monotonic(entry);
                format!("[{:5}.{:06}]", after / 1_000_000, after % 1_000_000)
            }
            Format::ShortUnix => {
                format!(
                    "{}.{:06}",
                    entry.micros / 1_000_000,
                    entry.micros % 1_000_000
                )
            }
        };
        let mut out = time.into_bytes();
        if !bare {
            out.push(b' ');
            out.extend(self.host.as_bytes());
        }
        out.push(b' ');
        if format == Format::WithUnit && !entry.unit.is_empty() {
            out.extend(&entry.unit);
        } else {
            out.extend(&entry.identifier);
        }
        if entry.pid != 0 {
            out.extend(format!("[{}]", entry.pid).as_bytes());
        }
        out.extend(b": ");
        out.extend(&entry.message);
        out.push(b'\n');
        out
    }

    fn monotonic(&self, entry: &Entry) -> u64 {
        entry.micros.saturating_sub(self.boot_micros)
    }

    fn cursor(&self, entry: &Entry) -> String {
        let sum = entry
            .message
            .iter()
            .fold(0xcbf2_9ce4_8422_2325_u64, |sum, byte| {
                (sum ^ u64::from(*byte)).wrapping_mul(0x0100_0000_01b3)
            });
        format!(
            "s={};i={:x};b={};m={:x};t={:x};x={sum:x}",
            self.id.chars().rev().collect::<String>(),
            self.monotonic(entry) / 1_000_000 + 1,
            self.boot,
            self.monotonic(entry),
            entry.micros
        )
    }

    /// The fields in the order in which systemd happens to store them.
    fn fields(&self, entry: &Entry) -> Vec<(&'static str, Vec<u8>)> {
        let mut fields: Vec<(&'static str, Vec<u8>)> = vec![
            ("_BOOT_ID", self.boot.clone().into_bytes()),
            ("_MACHINE_ID", self.id.clone().into_bytes()),
            ("_HOSTNAME", self.host.clone().into_bytes()),
            ("PRIORITY", entry.priority.to_string().into_bytes()),
            ("SYSLOG_FACILITY", entry.facility.to_string().into_bytes()),
            ("SYSLOG_IDENTIFIER", entry.identifier.clone()),
            ("_TRANSPORT", transport(entry).as_bytes().to_vec()),
        ];
        for name in ["_COMM", "_PID", "_UID", "_GID", "_SYSTEMD_UNIT"] {
            if let Some(value) = super::value(entry, name.as_bytes()) {
                fields.push((name, value));
            }
        }
        fields.push(("MESSAGE", entry.message.clone()));
        fields
    }

    fn json(&self, entry: &Entry, pretty: bool) -> Vec<u8> {
        let mut fields = vec![
            ("__CURSOR", self.cursor(entry).into_bytes()),
            (
                "__REALTIME_TIMESTAMP",
                entry.micros.to_string().into_bytes(),
            ),
            (
                "__MONOTONIC_TIMESTAMP",
                self.monotonic(entry).to_string().into_bytes(),
            ),
        ];
        fields.extend(self.fields(entry));
        let shown = fields.iter().map(|(name, value)| {
            let value = json_value(value);
            if pretty {
                format!("\t\"{name}\" : {value}")
            } else {
                format!("\"{name}\":{value}")
            }
        });
        let shown: Vec<String> = shown.collect();
        if pretty {
            format!("{{\n{}\n}}\n", shown.join(",\n")).into_bytes()
        } else {
            format!("{{{}}}\n", shown.join(",")).into_bytes()
        }
    }

    fn export(&self, entry: &Entry) -> Vec<u8> {
        let mut out = format!(
            "__CURSOR={}\n__REALTIME_TIMESTAMP={}\n__MONOTONIC_TIMESTAMP={}\n",
            self.cursor(entry),
            entry.micros,
            self.monotonic(entry)
        )
        .into_bytes();
        for (name, value) in self.fields(entry) {
            out.extend(name.as_bytes());
            out.push(b'=');
            out.extend(value);
            out.push(b'\n');
        }
        out.push(b'\n');
        out
    }

    fn verbose(&self, entry: &Entry, zone: &Zone) -> Vec<u8> {
        let mut out = format!(
            "{}.{:06} {} [{}]\n",
            date(entry.micros, zone, b"%a %Y-%m-%d %H:%M:%S"),
            entry.micros % 1_000_000,
            date(entry.micros, zone, b"%Z"),
            self.cursor(entry)
        )
        .into_bytes();
        for (name, value) in self.fields(entry) {
            out.extend(format!("    {name}=").as_bytes());
            out.extend(value);
            out.push(b'\n');
        }
        out
    }
}

/// How a line came into the journal.
pub(super) fn transport(entry: &Entry) -> &'static str {
    match entry.identifier.as_slice() {
        b"kernel" => "kernel",
        b"systemd" | b"systemd-logind" => "journal",
        _ => "syslog",
    }
}

/// A string; what is no text as an array of numbers, as systemd has it.
fn json_value(value: &[u8]) -> String {
    let plain = std::str::from_utf8(value)
        .ok()
        .filter(|text| !text.chars().any(|c| c.is_control() && c != '\t'));
    let Some(text) = plain else {
        let numbers: Vec<String> = value.iter().map(u8::to_string).collect();
        return format!("[{}]", numbers.join(","));
    };
    let mut out = String::from("\"");
    for c in text.chars() {
        match c {
            '"' => out.push_str("\\\""),
            '\\' => out.push_str("\\\\"),
            '\t' => out.push_str("\\t"),
            c => out.push(c),
        }
    }
    out.push('"');
    out
}

/// `Sat 2026-11-21 06:52:25 UTC`.
pub(super) fn weekday(micros: u64, zone: &Zone) -> String {
    date(micros, zone, b"%a %Y-%m-%d %H:%M:%S %Z")
}

fn date(micros: u64, zone: &Zone, format: &[u8]) -> String {
    let moment = Timestamp {
        secs: i64::try_from(micros / 1_000_000).unwrap_or(0),
        nanos: u32::try_from(micros % 1_000_000 * 1000).unwrap_or(0),
    };
    String::from_utf8_lossy(&Shown::new(moment, zone).format(format)).into_owned()
}
