//! Contents for files whose name matters and whose text does not: short, of the right sort, ours.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use sundew_kernel::executable::script_mark;

/// The text of a file nobody reads, by its path; no more than the file shall have.
pub(crate) fn text(path: &[u8], size: Option<u64>) -> Vec<u8> {
    let mut text = by_name(path);
    let room = size.and_then(|size| usize::try_from(size).ok());
    if let Some(room) = room.filter(|&room| room < text.len()) {
        text.truncate(room.saturating_sub(1));
        text.push(b'\n');
    }
    text
}

fn by_name(path: &[u8]) -> Vec<u8> {
    let name = path.rsplit(|&byte| byte == b'/').next().unwrap_or_default();
    let (stem, extension) = split_extension(name);
    match extension {
        b"service" | b"socket" | b"target" | b"timer" | b"path" | b"mount" | b"automount"
        | b"slice" => [b"[Unit]\nDescription=", stem, b"\n"].concat(),
        b"pm" => [b"package ", stem, b";\n1;\n"].concat(),
        b"pl" => b"1;\n".to_vec(),
        b"list" => b"/.\n".to_vec(),
        b"xml" => b"<?xml version=\"1.0\"?>\n".to_vec(),
        b"conf" | b"rules" => [b"# ", name, b"\n"].concat(),
        _ if name == b"copyright" => b"License: see /usr/share/common-licenses\n".to_vec(),
        _ if path.starts_with(b"/var/") => b"\n".to_vec(),
        _ => [b"# ", name, b"\n"].concat(),
    }
}

/// A script: its first line, the mark of its program if it is one, and a body.
pub(crate) fn script(
    path: &[u8],
    interpreter: &[u8],
    program: Option<&[u8]>,
    body: Option<&[u8]>,
) -> Vec<u8> {
    let mut script = [b"#!", interpreter, b"\n"].concat();
    if let Some(program) = program {
        script.extend(script_mark(program));
        script.push(b'\n');
    }
    match body {
        Some(body) => script.extend_from_slice(body),
        None if path.starts_with(b"/etc/init.d/") => {
            let name = path.rsplit(|&byte| byte == b'/').next().unwrap_or_default();
            script.extend(init_script(name));
        }
        None if interpreter.windows(4).any(|four| four == b"perl") => {
            script.extend_from_slice(b"exit 0;\n")
        }
        None => script.extend_from_slice(b"exit 0\n"),
    }
    script
}

/// An init script of a machine that systemd runs: it hands over to `systemctl`.
fn init_script(name: &[u8]) -> Vec<u8> {
    let name = String::from_utf8_lossy(name);
    format!(
        r#"### BEGIN INIT INFO
# Provides:          {name}
# Required-Start:    $remote_fs $syslog
# Required-Stop:     $remote_fs $syslog
# Default-Start:     2 3 4 5
# Default-Stop:
# Short-Description: {name}
### END INIT INFO

case "$1" in
  start|stop|restart|reload|force-reload|status) ;;
  *)
    echo "Usage: /etc/init.d/{name} {{start|stop|restart|reload|force-reload|status}}" >&2
    exit 1 ;;
esac
case "$1" in
  start) echo "Starting {name} (via systemctl): {name}.service." ;;
  stop) echo "Stopping {name} (via systemctl): {name}.service." ;;
  restart) echo "Restarting {name} (via systemctl): {name}.service." ;;
  reload|force-reload) echo "Reloading {name} configuration (via systemctl): {name}.service." ;;
esac
exec systemctl "$1" {name}.service
"#
    )
    .into_bytes()
}

/// What looks like one certificate, or as many as fill a bundle of this size; the number chooses which.
pub(crate) fn certificates(number: u64, size: Option<u64>) -> Vec<u8> {
    let Some(size) = size.and_then(|size| usize::try_from(size).ok()) else {
        return certificate(number, usual_len(number));
    };
    let mut out = Vec::with_capacity(size);
    for which in number.. {
        let left = size.saturating_sub(out.len());
        // The two lines around it, and a line end for each 64 digits of base64.
        let digits = left.saturating_sub(54) * 64 / 65;
        let room = u16::try_from(digits / 4 * 3).unwrap_or(u16::MAX);
        let usual = usual_len(which);
        match room {
            0..300 => break,
            300..3000 => out.extend(certificate(which, room.saturating_sub(4))),
            _ => out.extend(certificate(which, usual)),
        }
    }
    out
}

fn usual_len(number: u64) -> u16 {
    u16::try_from(900 + number % 600).unwrap_or(900)
}

fn certificate(number: u64, len: u16) -> Vec<u8> {
    // A DER sequence of two-byte length that holds another, as in every certificate.
    let [high, low] = len.to_be_bytes();
    let mut der = vec![0x30, 0x82, high, low, 0x30, 0x82];
    // SplitMix64's increments and one mixing step: there are many, and nobody looks twice.
    let noise = (1..).flat_map(|step: u64| {
        let mixed = number.wrapping_add(step.wrapping_mul(0x9e37_79b9_7f4a_7c15));
        (mixed ^ (mixed >> 29))
            .wrapping_mul(0xbf58_476d_1ce4_e5b9)
            .to_be_bytes()
    });
    der.extend(noise.take(usize::from(len) - 2));
    pem("CERTIFICATE", &der, 64)
}

/// RFC 7468 with lines of this many characters.
pub(crate) fn pem(label: &str, bytes: &[u8], width: usize) -> Vec<u8> {
    let mut text = format!("-----BEGIN {label}-----\n").into_bytes();
    for line in STANDARD.encode(bytes).as_bytes().chunks(width) {
        text.extend_from_slice(line);
        text.push(b'\n');
    }
    text.extend(format!("-----END {label}-----\n").into_bytes());
    text
}

fn split_extension(name: &[u8]) -> (&[u8], &[u8]) {
    match name.iter().rposition(|&byte| byte == b'.') {
        Some(dot) if dot > 0 => (
            name.get(..dot).unwrap_or_default(),
            name.get(dot + 1..).unwrap_or_default(),
        ),
        _ => (name, b""),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_text_fits_the_name_of_its_file() {
        assert_eq!(
            text(b"/usr/lib/systemd/system/x.service", None),
            b"[Unit]\nDescription=x\n"
        );
        assert_eq!(
            text(b"/usr/lib/perl/Getopt.pm", None),
            b"package Getopt;\n1;\n"
        );
        assert_eq!(text(b"/usr/share/x/.hidden", None), b"# .hidden\n");
        assert_eq!(text(b"/usr/share/x/compat", Some(2)), b"#\n");
    }

    #[test]
    fn a_command_carries_its_program_and_a_plain_script_does_not() {
        let command = script(
            b"/usr/bin/egrep",
            b"/bin/sh",
            Some(b"egrep"),
            Some(b"exec grep -E \"$@\"\n"),
        );
        let id = sundew_kernel::executable::build_id(b"egrep");
        assert_eq!(sundew_kernel::executable::build_id_of(&command), Some(id));
        assert!(command.ends_with(b"exec grep -E \"$@\"\n"));
        let plain = script(b"/etc/cron.daily/x", b"/bin/sh", None, None);
        assert_eq!(plain, b"#!/bin/sh\nexit 0\n");
    }

    #[test]
    fn a_bundle_is_nearly_as_long_as_it_shall_be() {
        for size in [1200, 1939, 219_342] {
            let bundle = certificates(3, Some(size)).len() as u64;
            assert!(
                bundle <= size && size - bundle < 70 + 300,
                "{size}: {bundle}"
            );
        }
    }

    #[test]
    fn a_certificate_looks_like_one() {
        let text = String::from_utf8(certificates(7, None)).unwrap();
        assert!(text.starts_with("-----BEGIN CERTIFICATE-----\nMII"));
        assert!(text.ends_with("-----END CERTIFICATE-----\n"));
        assert!(text.lines().all(|line| line.len() <= 64));
    }
}
