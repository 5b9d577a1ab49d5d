//! What an ELF file says of itself: elf(5).

use super::Kind;

/// Program headers and notes that are looked at.
const MAX_HEADERS: usize = 64;

struct Reader<'a> {
    bytes: &'a [u8],
    wide: bool,
    big: bool,
}

impl Reader<'_> {
    fn number(&self, at: usize, size: usize) -> Option<u64> {
        let field = self.bytes.get(at..at.checked_add(size)?)?;
        let join = |sum: u64, byte: &u8| sum << 8 | u64::from(*byte);
        Some(if self.big {
            field.iter().fold(0, join)
        } else {
            field.iter().rev().fold(0, join)
        })
    }

    fn word(&self, narrow: (usize, usize), wide: (usize, usize)) -> Option<usize> {
        let (at, size) = if self.wide { wide } else { narrow };
        usize::try_from(self.number(at, size)?).ok()
    }
}

/// `machine` numbers and their names.
const MACHINES: &[(u64, &str)] = &[
    (2, "SPARC"),
    (3, "Intel 80386"),
    (4, "Motorola m68k, 68020"),
    (8, "MIPS, MIPS-I"),
    (20, "PowerPC or cisco 4500"),
    (40, "ARM, EABI5"),
    (42, "Renesas SH"),
    (62, "x86-64"),
    (183, "ARM aarch64"),
    (243, "UCB RISC-V"),
];

pub(super) fn describe(bytes: &[u8]) -> Kind {
    let class = match bytes.get(4) {
        Some(1) => " 32-bit",
        Some(2) => " 64-bit",
        _ => "",
    };
    let order = match bytes.get(5) {
        Some(1) => " LSB",
        Some(2) => " MSB",
        _ => "",
    };
    let head = format!("ELF{class}{order}");
    let reader = Reader {
        bytes,
        wide: bytes.get(4) == Some(&2),
        big: bytes.get(5) == Some(&2),
    };
    details(&reader, &head).unwrap_or_else(|| Kind::binary(head, "application/octet-stream"))
}

fn details(reader: &Reader<'_>, head: &str) -> Option<Kind> {
    let kind = reader.number(16, 2)?;
    let machine = reader.number(18, 2)?;
    let (table, size, count) = (
        reader.word((28, 4), (32, 8))?,
        reader.word((42, 2), (54, 2))?,
        reader.word((44, 2), (56, 2))?,
    );
    let mut notes = Vec::new();
    let (mut interpreter, mut dynamic) = (None, false);
    for at in (0..count.min(MAX_HEADERS)).filter_map(|number| table.checked_add(number * size)) {
        let program = |narrow: (usize, usize), wide: (usize, usize)| {
            reader.word((at + narrow.0, narrow.1), (at + wide.0, wide.1))
        };
        let (Some(sort), Some(offset), Some(length)) = (
            reader.number(at, 4),
            program((4, 4), (8, 8)),
            program((16, 4), (32, 8)),
        ) else {
            break;
        };
        let content = offset
            .checked_add(length)
            .and_then(|end| reader.bytes.get(offset..end));
        match (sort, content) {
            (2, _) => dynamic = true,
            (3, Some(content)) => {
                interpreter = Some(content.strip_suffix(b"\0").unwrap_or(content).to_vec())
            }
            (4, Some(_)) => notes.extend(self::notes(reader, offset, length)),
            _ => {}
        }
    }
    let sort = match kind {
        1 => "relocatable",
        2 => "executable",
        3 if interpreter.is_some() => "pie executable",
        3 => "shared object",
        4 => "core file",
        _ => "unknown type",
    };
    let mime = match sort {
        "relocatable" => "application/x-object",
        "executable" => "application/x-executable",
        "pie executable" => "application/x-pie-executable",
        "shared object" => "application/x-sharedlib",
        _ => "application/octet-stream",
    };
    let machine = MACHINES
        .iter()
        .find(|row| row.0 == machine)
        .map_or("*unknown arch*", |row| row.1);
    let system = match reader.bytes.get(7) {
        Some(3) => "GNU/Linux",
        Some(9) => "FreeBSD",
        _ => "SYSV",
    };
    let mut words = format!("{head} {sort}, {machine}, version 1 ({system})");
    words.push_str(if dynamic || interpreter.is_some() {
        ", dynamically linked"
    } else {
        ", statically linked"
    });
    if let Some(path) = interpreter {
        words.push_str(&format!(", interpreter {}", String::from_utf8_lossy(&path)));
    }
    for note in notes {
        words.push_str(&note);
    }
    words.push_str(if stripped(reader) {
        ", stripped"
    } else {
        ", not stripped"
    });
    Some(Kind::binary(words, mime))
}

/// Build id and ABI, in the order of the file.
fn notes(reader: &Reader<'_>, start: usize, length: usize) -> Vec<String> {
    let mut found = Vec::new();
    let mut at = start;
    for _ in 0..MAX_HEADERS {
        let Some(end) = start.checked_add(length).filter(|end| at < *end) else {
            break;
        };
        let (Some(name), Some(size), Some(sort)) = (
            reader.number(at, 4),
            reader.number(at + 4, 4),
            reader.number(at + 8, 4),
        ) else {
            break;
        };
        let (Ok(name), Ok(size)) = (usize::try_from(name), usize::try_from(size)) else {
            break;
        };
        let Some(content) = at
            .checked_add(12 + name.next_multiple_of(4))
            .filter(|content| *content <= end)
        else {
            break;
        };
        let owner = reader
            .bytes
            .get(at + 12..at + 12 + name)
            .unwrap_or_default();
        let bytes = content
            .checked_add(size)
            .and_then(|stop| reader.bytes.get(content..stop))
            .unwrap_or_default();
        match (owner, sort) {
            (b"GNU\0", 3) => {
                let hex: String = bytes.iter().map(|byte| format!("{byte:02x}")).collect();
                found.push(format!(", BuildID[sha1]={hex}"));
            }
            (b"GNU\0", 1) => {
                let part = |number: usize| reader.number(content + number * 4, 4).unwrap_or(0);
                found.push(format!(
                    ", for GNU/Linux {}.{}.{}",
                    part(1),
                    part(2),
                    part(3)
                ));
            }
            _ => {}
        }
        at = content + size.next_multiple_of(4);
    }
    found
}

/// Whether no section holds symbols for a debugger.
fn stripped(reader: &Reader<'_>) -> bool {
    const SYMTAB: u64 = 2;
    let table = reader.word((32, 4), (40, 8)).unwrap_or(0);
    let size = reader.word((46, 2), (58, 2)).unwrap_or(0);
    let count = reader.word((48, 2), (60, 2)).unwrap_or(0);
    !(0..count.min(256))
        .filter_map(|number| table.checked_add(number * size)?.checked_add(4))
        .any(|at| reader.number(at, 4) == Some(SYMTAB))
}
