//! `systemd-escape`, `systemd-id128`, `systemd-path`: names, numbers and places.

use sundew_kernel::{Errno, ExitStatus, Process};

use super::cli::{self, Order};

/// Whether a byte stands for itself in a unit's name.
fn is_plain(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b':' | b'_' | b'.')
}

fn escaped(text: &[u8], path: bool) -> String {
    let mut bytes = text.to_vec();
    if path {
        let parts = text
            .split(|&byte| byte == b'/')
            .filter(|part| !part.is_empty());
        bytes = parts.collect::<Vec<_>>().join(&b'/');
        if bytes.is_empty() {
            return "-".to_owned();
        }
    }
    let mut out = String::new();
    for (at, &byte) in bytes.iter().enumerate() {
        match byte {
            b'/' => out.push('-'),
            b'.' if at == 0 => out.push_str("\\x2e"),
            byte if is_plain(byte) => out.push(char::from(byte)),
            byte => out.push_str(&format!("\\x{byte:02x}")),
        }
    }
    out
}

fn unescaped(text: &[u8], path: bool) -> Option<Vec<u8>> {
    let mut out = Vec::new();
    if path {
        out.push(b'/');
        if text == b"-" {
            return Some(out);
        }
    }
    let mut bytes = text.iter().copied();
    while let Some(byte) = bytes.next() {
        match byte {
            b'-' => out.push(b'/'),
            b'\\' => {
                bytes.next().filter(|&mark| mark == b'x')?;
                let digits = [bytes.next()?, bytes.next()?];
                let digits = std::str::from_utf8(&digits).ok()?;
                out.push(u8::from_str_radix(digits, 16).ok()?);
            }
            byte => out.push(byte),
        }
    }
    Some(out)
}

pub(super) async fn escape(proc: &mut Process) -> ExitStatus {
    let line = match cli::read(proc, "systemd-escape", 1, Order::Any).await {
        Ok(line) => line,
        Err(status) => return status,
    };
    if line.operands.is_empty() {
        return super::fail(proc, "Not enough arguments.\n", 1).await;
    }
    if line.has("template") && line.has("suffix") {
        let text = "--suffix= and --template= may not be combined.\n";
        return super::fail(proc, text, 1).await;
    }
    let mut shown = Vec::new();
    for word in &line.operands {
        let path = line.has("path");
        let one = if line.has("unescape") {
            // What stands between the first @ and the suffix is the instance.
            match unescaped(word, path) {
                Some(bytes) => super::text(&bytes),
                None => {
                    let why = Errno::Einval.message();
                    let text = format!("Failed to unescape string: {why}\n");
                    return super::fail(proc, text, 1).await;
                }
            }
        } else if line.has("mangle") {
            let name = super::text(word);
            if name.contains('.') {
                name
            } else {
                format!("{name}.service")
            }
        } else {
            let one = escaped(word, path);
            match (line.value("template"), line.value("suffix")) {
                (Some(template), _) => {
                    let template = super::text(template);
                    let Some((head, tail)) = template.split_once('@') else {
                        let text = format!("Template name {template} is not valid.\n");
                        return super::fail(proc, text, 1).await;
                    };
                    format!("{head}@{one}{tail}")
                }
                (None, Some(suffix)) => format!("{one}.{}", super::text(suffix)),
                (None, None) => one,
            }
        };
        shown.push(one);
    }
    super::put(proc, shown.join(" ") + "\n").await
}

/// A number of 128 bits as systemd makes one: version 4.
fn random_id(proc: &Process) -> String {
    let (high, low) = (proc.random(), proc.random());
    let high = high & !0xf000 | 0x4000;
    let low = low & !(0b11 << 62) | 1 << 63;
    format!("{high:016x}{low:016x}")
}

pub(super) async fn id128(proc: &mut Process) -> ExitStatus {
    let line = match cli::read(proc, "systemd-id128", 1, Order::Any).await {
        Ok(line) => line,
        Err(status) => return status,
    };
    let hyphens = |id: &str| {
        let parts = [(0, 8), (8, 12), (12, 16), (16, 20), (20, 32)];
        parts
            .map(|(start, end)| id.get(start..end).unwrap_or_default())
            .join("-")
    };
    let id = match line.operands.first().map(Vec::as_slice) {
        None => return super::fail(proc, "Command verb required.\n", 1).await,
        Some(b"new") => random_id(proc),
        Some(b"machine-id") => {
            let id = proc.read_small_file(b"/etc/machine-id").unwrap_or_default();
            super::text(id.trim_ascii())
        }
        Some(b"boot-id") => {
            let path = b"/proc/sys/kernel/random/boot_id";
            let id = proc.read_small_file(path).unwrap_or_default();
            super::text(id.trim_ascii()).replace('-', "")
        }
        Some(b"invocation-id") => match proc.env().value(b"INVOCATION_ID") {
            Some(id) => super::text(id),
            None => {
                let text = "Failed to get invocation-ID: No such device or address\n";
                // tidy-allow(errno-word): the words of a call that the machine does not have
                return super::fail(proc, text, 1).await;
            }
        },
        Some(b"help") => return super::put(proc, cli::section("systemd-id128")).await,
        Some(verb) => {
            let text = [b"Unknown command verb ".as_slice(), verb, b".\n"].concat();
            return super::fail(proc, text, 1).await;
        }
    };
    if line.has("pretty") {
        let bytes = (0..16).filter_map(|at| id.get(2 * at..2 * at + 2));
        let list: Vec<&str> = bytes.collect();
        let out = format!(
            "As string:\n{id}\n\nAs UUID:\n{}\n\nAs systemd-id128(1) macro:\n#define XYZ SD_ID128_MAKE({})\n\nAs Python constant:\n>>> import uuid\n>>> XYZ = uuid.UUID('{id}')\n",
            hyphens(&id),
            list.join(",")
        );
        return super::put(proc, out).await;
    }
    let shown = if line.has("uuid") { hyphens(&id) } else { id };
    super::put(proc, shown + "\n").await
}

/// Places by name; `~` stands for the home directory, `%` for the user's number.
const PATHS: &[(&str, &str)] = &[
    ("temporary", "/tmp"),
    ("temporary-large", "/var/tmp"),
    ("system-binaries", "/usr/bin"),
    ("system-include", "/usr/include"),
    ("system-library-private", "/usr/lib"),
    ("system-library-arch", "/usr/lib/x86_64-linux-gnu"),
    ("system-shared", "/usr/share"),
    ("system-configuration-factory", "/usr/share/factory/etc"),
    ("system-state-factory", "/usr/share/factory/var"),
    ("system-configuration", "/etc"),
    ("system-runtime", "/run"),
    ("system-runtime-logs", "/run/log"),
    ("system-state-private", "/var/lib"),
    ("system-state-logs", "/var/log"),
    ("system-state-cache", "/var/cache"),
    ("system-state-spool", "/var/spool"),
    ("user-binaries", "~/.local/bin"),
    ("user-library-private", "~/.local/lib"),
    ("user-library-arch", "~/.local/lib/x86_64-linux-gnu"),
    ("user-shared", "~/.local/share"),
    ("user-configuration", "~/.config"),
    ("user-runtime", "/run/user/%"),
    ("user-state-cache", "~/.cache"),
    ("user", "~"),
    ("user-documents", "~"),
    ("user-music", "~"),
    ("user-pictures", "~"),
    ("user-videos", "~"),
    ("user-download", "~"),
    ("user-public", "~"),
    ("user-templates", "~"),
    ("user-desktop", "~/Desktop"),
    (
        "search-binaries",
        "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
    ),
    (
        "search-binaries-default",
        "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
    ),
    (
        "search-library-private",
        "~/.local/lib:/usr/local/lib:/usr/lib:/lib",
    ),
    (
        "search-library-arch",
        "~/.local/lib/x86_64-linux-gnu:/usr/lib/x86_64-linux-gnu:/usr/lib/x86_64-linux-gnu",
    ),
    (
        "search-shared",
        "~/.local/share:/usr/local/share:/usr/share",
    ),
    (
        "search-configuration-factory",
        "/usr/local/share/factory/etc:/usr/share/factory/etc",
    ),
    (
        "search-state-factory",
        "/usr/local/share/factory/var:/usr/share/factory/var",
    ),
    ("search-configuration", "~/.config:/etc"),
    ("systemd-util", "/lib/systemd"),
    ("systemd-system-unit", "/lib/systemd/system"),
    ("systemd-system-preset", "/lib/systemd/system-preset"),
    ("systemd-system-conf", "/etc/systemd/system"),
    ("systemd-user-unit", "/usr/lib/systemd/user"),
    ("systemd-user-preset", "/lib/systemd/user-preset"),
    ("systemd-user-conf", "/etc/systemd/user"),
    (
        "systemd-search-system-unit",
        "/etc/systemd/system.control:/run/systemd/system.control:/run/systemd/transient:/run/systemd/generator.early:/etc/systemd/system:/etc/systemd/system.attached:/run/systemd/system:/run/systemd/system.attached:/run/systemd/generator:/usr/local/lib/systemd/system:/lib/systemd/system:/usr/lib/systemd/system:/run/systemd/generator.late",
    ),
    (
        "systemd-search-user-unit",
        "~/.config/systemd/user.control:~/.config/systemd/user:/etc/xdg/systemd/user:/etc/systemd/user:/run/systemd/user:~/.local/share/systemd/user:/usr/local/share/systemd/user:/usr/share/systemd/user:/usr/local/lib/systemd/user:/usr/lib/systemd/user",
    ),
    ("systemd-system-generator", "/lib/systemd/system-generators"),
    ("systemd-user-generator", "/usr/lib/systemd/user-generators"),
    (
        "systemd-search-system-generator",
        "/run/systemd/system-generators:/etc/systemd/system-generators:/usr/local/lib/systemd/system-generators:/lib/systemd/system-generators",
    ),
    (
        "systemd-search-user-generator",
        "/run/systemd/user-generators:/etc/systemd/user-generators:/usr/local/lib/systemd/user-generators:/usr/lib/systemd/user-generators",
    ),
    ("systemd-sleep", "/lib/systemd/system-sleep"),
    ("systemd-shutdown", "/lib/systemd/system-shutdown"),
    ("tmpfiles", "/usr/lib/tmpfiles.d"),
    ("sysusers", "/usr/lib/sysusers.d"),
    ("sysctl", "/usr/lib/sysctl.d"),
    ("binfmt", "/usr/lib/binfmt.d"),
    ("modules-load", "/usr/lib/modules-load.d"),
    ("catalog", "/usr/lib/systemd/catalog"),
    (
        "systemd-search-network",
        "/etc/systemd/network:/run/systemd/network:/usr/local/lib/systemd/network:/usr/lib/systemd/network:/lib/systemd/network",
    ),
];

pub(super) async fn path(proc: &mut Process) -> ExitStatus {
    let line = match cli::read(proc, "systemd-path", 1, Order::Any).await {
        Ok(line) => line,
        Err(status) => return status,
    };
    let home = super::text(proc.env().value(b"HOME").unwrap_or(b"/root"));
    let uid = proc.credentials().uid.to_string();
    let place = |path: &str| path.replace('~', &home).replace('%', &uid);
    let mut out = String::new();
    if line.operands.is_empty() {
        for (name, path) in PATHS {
            out.push_str(&format!("{name}: {}\n", place(path)));
        }
    }
    for name in &line.operands {
        match PATHS.iter().find(|row| row.0.as_bytes() == name.as_slice()) {
            Some((_, path)) => {
                let tail = line.value("suffix").map(super::text);
                let tail = tail.map(|tail| format!("/{tail}")).unwrap_or_default();
                out.push_str(&format!("{}{tail}\n", place(path)));
            }
            None => {
                super::put(proc, out).await;
                let text = format!("Path {} not known.\n", super::text(name));
                return super::fail(proc, text, 1).await;
            }
        }
    }
    super::put(proc, out).await
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_escaped_and_back() {
        assert_eq!(escaped(b"a b/c", false), "a\\x20b-c");
        assert_eq!(escaped(b"/a//b/", true), "a-b");
        assert_eq!(escaped(b"/", true), "-");
        assert_eq!(
            unescaped(b"a\\x20b-c", false).as_deref(),
            Some(b"a b/c".as_slice())
        );
        assert_eq!(unescaped(b"a\\x2", false), None);
    }
}
