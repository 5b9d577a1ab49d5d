//! How an executable file names its program: the build id in an ELF note, or in a script's comment.
//!
//! A file is run for what it *is*, not for where it lies: `cp /bin/busybox /tmp/x; /tmp/x` works
//! because the copy carries the id. Writing (for images) and reading (for `execve`) stand side by
//! side. Layout after the ELF specification and elf(5); little-endian x86-64 and 32-bit ARM are
//! written, and read where a machine of that kind would load them ([`runs_on`]). Nothing here is
//! code that could run.

mod arm;
mod debian;

use sha2::{Digest, Sha256};

/// Bytes in a build id, as GNU ld makes them with its default (SHA-1 sized) style.
pub const BUILD_ID_BYTES: usize = 20;

/// Bytes of an id that say which program; by the other four our ids are known.
const NAME_BYTES: usize = 16;

/// How much of a file [`build_id_of`] ever looks at. Linux reads one page of notes at most; a file
/// whose id lies further in has no id.
pub const HEAD_BYTES: usize = 4096;

/// Program headers we look through. Real executables have 8 to 14.
const MAX_PROGRAM_HEADERS: u16 = 64;

/// Lines of a script we look through for the id.
const MAX_SCRIPT_LINES: usize = 4;

const SCRIPT_MARK: &[u8] = b"# Build-Id: ";

/// What sort of ELF file to write.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// A position-independent program with an interpreter: nearly everything in Debian.
    Program,
    /// A statically linked program at a fixed address: `busybox`.
    Static,
    /// A shared library: no interpreter.
    Library,
    /// A statically linked 32-bit ARM program: what cameras run.
    StaticArm,
}

/// Whether a machine that `uname -m` calls `machine` loads this file: an ELF file for its processor.
/// An x86-64 kernel runs i386 as well, an ARM one only 32-bit ARM.
pub fn runs_on(machine: &[u8], head: &[u8]) -> bool {
    if !head.starts_with(&MAGIC) || head.get(5) != Some(&LITTLE_ENDIAN) {
        return false;
    }
    let loadable = matches!(u16_at(head, 16), Some(ET_EXEC | ET_DYN)) && has_segments(head);
    let kind = (head.get(4).copied(), u16_at(head, 18));
    loadable
        && if machine.starts_with(b"arm") {
            kind == (Some(arm::CLASS_32), Some(arm::EM_ARM))
        } else {
            matches!(
                kind,
                (Some(CLASS_64), Some(EM_X86_64)) | (Some(arm::CLASS_32), Some(EM_386))
            )
        }
}

/// Whether a file is long enough for the program headers that it says it has: Linux loads no other. Of a
/// file longer than [`HEAD_BYTES`] it is believed.
fn has_segments(head: &[u8]) -> bool {
    let wide = head.get(4) == Some(&CLASS_64);
    let (place, size, count) = if wide { (32, 54, 56) } else { (28, 42, 44) };
    let place = head
        .get(place..place + 4)
        .and_then(<[u8]>::first_chunk::<4>);
    let sizes = (u16_at(head, size), u16_at(head, count));
    let (Some(place), (Some(size), Some(count))) = (place, sizes) else {
        return false;
    };
    let place = usize::try_from(u32::from_le_bytes(*place)).unwrap_or(usize::MAX);
    let end = place.saturating_add(usize::from(size) * usize::from(count));
    count > 0 && (end <= head.len() || head.len() >= HEAD_BYTES)
}

/// The build id that stands for a program: the one it has in Debian 12; for others one derived from the
/// name, so that the image and the program table agree without a list. The last bytes of those follow
/// from the first, see [`is_of_an_image`].
pub fn build_id(program: &[u8]) -> [u8; BUILD_ID_BYTES] {
    debian::id_of(program).unwrap_or_else(|| derived_id(program))
}

fn derived_id(program: &[u8]) -> [u8; BUILD_ID_BYTES] {
    let digest = Sha256::new()
        .chain_update(b"sundew program ")
        .chain_update(program)
        .finalize();
    let mut id = [0; BUILD_ID_BYTES];
    id.iter_mut()
        .take(NAME_BYTES)
        .zip(digest)
        .for_each(|(to, from)| *to = from);
    let check = check_bytes(&id);
    id.iter_mut()
        .skip(NAME_BYTES)
        .zip(check)
        .for_each(|(to, from)| *to = from);
    id
}

/// Whether [`build_id`] made this one: a file that carries it belongs to an image or is a copy of such
/// a file, even if the program table lacks the program. No list is needed to tell it from a binary
/// that a visitor brought.
pub fn is_of_an_image(id: &[u8; BUILD_ID_BYTES]) -> bool {
    id.iter().skip(NAME_BYTES).eq(&check_bytes(id)) || debian::is_known(id)
}

fn check_bytes(id: &[u8; BUILD_ID_BYTES]) -> [u8; BUILD_ID_BYTES - NAME_BYTES] {
    let digest = Sha256::new()
        .chain_update(b"sundew check ")
        .chain_update(id.get(..NAME_BYTES).unwrap_or_default())
        .finalize();
    let mut check = [0; BUILD_ID_BYTES - NAME_BYTES];
    check
        .iter_mut()
        .zip(digest)
        .for_each(|(to, from)| *to = from);
    check
}

/// Reads the build id from the first bytes of a file; give [`HEAD_BYTES`] of it or all of it.
///
/// `None` for anything that is neither a loadable ELF file with a build id nor a `#!` script
/// with a `# Build-Id:` comment in its first lines.
pub fn build_id_of(head: &[u8]) -> Option<[u8; BUILD_ID_BYTES]> {
    let head = head.get(..HEAD_BYTES).unwrap_or(head);
    if head.starts_with(b"#!") {
        script_build_id(head)
    } else {
        elf_build_id(head)
    }
}

/// The first bytes of an ordinary program of this name, [`elf_head_of`] with some likely length.
pub fn elf_head(program: &[u8]) -> Vec<u8> {
    elf_head_of(program, Kind::Program, 64 * 1024)
}

/// The first bytes of an ELF file that is `len` bytes long in all and carries the id of `program`.
///
/// Always under [`HEAD_BYTES`]; a `len` shorter than the head gives a head that reaches past the
/// end of the file, which tools show as a truncated file.
pub fn elf_head_of(program: &[u8], kind: Kind, len: u64) -> Vec<u8> {
    if kind == Kind::StaticArm {
        return arm::head(program, len);
    }
    let plan = Plan::new(kind, len);
    let mut out = Vec::with_capacity(usize::from(plan.end));
    plan.file_header(&mut out);
    plan.program_headers(&mut out);
    plan.contents(&mut out, &build_id(program));
    plan.section_headers(&mut out);
    out
}

/// The comment line, without newline, that makes a script carry the id of `program`; it belongs
/// right after the `#!` line.
pub fn script_mark(program: &[u8]) -> Vec<u8> {
    let mut line = SCRIPT_MARK.to_vec();
    for byte in build_id(program) {
        line.extend_from_slice(format!("{byte:02x}").as_bytes());
    }
    line
}

fn script_build_id(head: &[u8]) -> Option<[u8; BUILD_ID_BYTES]> {
    let hex = head
        .split(|&byte| byte == b'\n')
        .take(MAX_SCRIPT_LINES)
        .find_map(|line| line.strip_prefix(SCRIPT_MARK))?;
    if hex.len() != 2 * BUILD_ID_BYTES {
        return None;
    }
    let mut id = [0; BUILD_ID_BYTES];
    for (to, pair) in id.iter_mut().zip(hex.chunks_exact(2)) {
        let pair = std::str::from_utf8(pair)
            .ok()
            .filter(|pair| !pair.starts_with('+'))?;
        *to = u8::from_str_radix(pair, 16).ok()?;
    }
    Some(id)
}

fn elf_build_id(head: &[u8]) -> Option<[u8; BUILD_ID_BYTES]> {
    let loadable = head.starts_with(&MAGIC)
        && head.get(5) == Some(&LITTLE_ENDIAN)
        && matches!(u16_at(head, 16)?, ET_EXEC | ET_DYN);
    if !loadable {
        return None;
    }
    match (*head.get(4)?, u16_at(head, 18)?) {
        (CLASS_64, EM_X86_64) if u16_at(head, 54)? == PROGRAM_HEADER_BYTES => {
            let table = usize::try_from(u64_at(head, 32)?).ok()?;
            let rows = rows(head, table, u16_at(head, 56)?, PROGRAM_HEADER_BYTES);
            noted(head, rows, |row| {
                let start = usize::try_from(u64_at(row, 8)?).ok()?;
                Some((start, usize::try_from(u64_at(row, 32)?).ok()?))
            })
        }
        (arm::CLASS_32, arm::EM_ARM) if u16_at(head, 42)? == arm::PROGRAM_HEADER_BYTES => {
            let table = usize::try_from(u32_at(head, 28)?).ok()?;
            let rows = rows(head, table, u16_at(head, 44)?, arm::PROGRAM_HEADER_BYTES);
            noted(head, rows, |row| {
                let start = usize::try_from(u32_at(row, 4)?).ok()?;
                Some((start, usize::try_from(u32_at(row, 16)?).ok()?))
            })
        }
        _ => None,
    }
}

/// The rows of a program header table, from each to the end of what was read.
fn rows(head: &[u8], table: usize, count: u16, bytes: u16) -> impl Iterator<Item = &[u8]> {
    (0..count.min(MAX_PROGRAM_HEADERS)).filter_map(move |index| {
        let at = table.checked_add(usize::from(index) * usize::from(bytes))?;
        head.get(at..)
    })
}

/// The build id in the note segments among `rows`; `place` reads a segment's offset and length.
fn noted<'a>(
    head: &[u8],
    rows: impl Iterator<Item = &'a [u8]>,
    place: impl Fn(&[u8]) -> Option<(usize, usize)>,
) -> Option<[u8; BUILD_ID_BYTES]> {
    rows.filter(|row| u32_at(row, 0) == Some(PT_NOTE))
        .find_map(|row| {
            let (start, len) = place(row)?;
            let notes = head.get(start..)?;
            note_build_id(notes.get(..len).unwrap_or(notes))
        })
}

/// Walks a note segment; each note takes at least twelve bytes, so it ends.
fn note_build_id(mut notes: &[u8]) -> Option<[u8; BUILD_ID_BYTES]> {
    loop {
        let name_len = usize::try_from(u32_at(notes, 0)?).ok()?;
        let len = usize::try_from(u32_at(notes, 4)?).ok()?;
        let kind = u32_at(notes, 8)?;
        let body = notes.get(12..)?;
        let name = body.get(..name_len)?;
        let value = body.get(name_len.checked_next_multiple_of(4)?..)?;
        if kind == NT_GNU_BUILD_ID && name == GNU {
            return value.get(..len)?.try_into().ok();
        }
        notes = value.get(len.checked_next_multiple_of(4)?..)?;
    }
}

fn u16_at(bytes: &[u8], at: usize) -> Option<u16> {
    bytes
        .get(at..)?
        .first_chunk()
        .map(|chunk| u16::from_le_bytes(*chunk))
}

fn u32_at(bytes: &[u8], at: usize) -> Option<u32> {
    bytes
        .get(at..)?
        .first_chunk()
        .map(|chunk| u32::from_le_bytes(*chunk))
}

fn u64_at(bytes: &[u8], at: usize) -> Option<u64> {
    bytes
        .get(at..)?
        .first_chunk()
        .map(|chunk| u64::from_le_bytes(*chunk))
}

/// Where everything goes in a head: file header, program headers, interpreter, notes, dynamic
/// section, strings, section headers. Real linkers put the section headers at the file's end; we
/// have no bytes of our own there, so they follow the strings.
struct Plan {
    kind: Kind,
    len: u64,
    base: u64,
    sections: Vec<Section>,
    names_at: u16,
    section_headers_at: u16,
    end: u16,
}

struct Section {
    name: &'static str,
    sh_type: u32,
    flags: u64,
    at: u16,
    /// `None`: from `at` to the end of the file.
    size: Option<u16>,
}

impl Plan {
    fn new(kind: Kind, len: u64) -> Self {
        let mut plan = Self {
            kind,
            len,
            base: if kind == Kind::Static { 0x40_0000 } else { 0 },
            sections: Vec::new(),
            names_at: 0,
            section_headers_at: 0,
            end: FIRST_SECTION,
        };
        if kind == Kind::Program {
            plan.place(".interp", SHT_PROGBITS, SHF_ALLOC, Some(28));
        }
        plan.place(".note.gnu.build-id", SHT_NOTE, SHF_ALLOC, Some(36));
        plan.place(".note.ABI-tag", SHT_NOTE, SHF_ALLOC, Some(32));
        if kind != Kind::Static {
            plan.place(".dynstr", SHT_STRTAB, SHF_ALLOC, Some(DYNSTR_BYTES));
            plan.place(".dynamic", SHT_DYNAMIC, SHF_ALLOC | SHF_WRITE, Some(80));
        }
        plan.names_at = plan.place(".shstrtab", SHT_STRTAB, 0, Some(SECTION_NAMES_BYTES));
        let text_at = plan.end + SECTION_HEADER_BYTES * SECTION_HEADERS_ROOM;
        plan.section_headers_at = plan.end;
        plan.end = text_at;
        plan.place(".text", SHT_PROGBITS, SHF_ALLOC | SHF_EXECINSTR, None);
        plan
    }

    fn place(&mut self, name: &'static str, sh_type: u32, flags: u64, size: Option<u16>) -> u16 {
        let at = self.end;
        self.end = (at + size.unwrap_or(0)).next_multiple_of(8);
        self.sections.push(Section {
            name,
            sh_type,
            flags,
            at,
            size,
        });
        at
    }

    fn section(&self, name: &str) -> Option<(usize, &Section)> {
        // Index 0 of the table is the null section.
        (1..)
            .zip(&self.sections)
            .find(|(_, section)| section.name == name)
    }

    fn place_of(&self, name: &str) -> (u64, u64) {
        self.section(name).map_or((0, 0), |(_, section)| {
            (section.at.into(), section.size.unwrap_or(0).into())
        })
    }

    fn file_header(&self, out: &mut Vec<u8>) {
        let (os_abi, file_type) = match self.kind {
            Kind::Static | Kind::StaticArm => (3, ET_EXEC),
            Kind::Program | Kind::Library => (0, ET_DYN),
        };
        out.extend_from_slice(&MAGIC);
        out.extend_from_slice(&[CLASS_64, LITTLE_ENDIAN, 1, os_abi, 0, 0, 0, 0, 0, 0, 0, 0]);
        u16s(out, &[file_type, EM_X86_64]);
        u32s(out, &[1]);
        let entry = if self.kind == Kind::Library {
            0
        } else {
            self.base + self.text_at()
        };
        u64s(
            out,
            &[
                entry,
                FILE_HEADER_BYTES.into(),
                self.section_headers_at.into(),
            ],
        );
        u32s(out, &[0]);
        let sections = u16::try_from(self.sections.len() + 1).unwrap_or(0);
        let names = self
            .section(".shstrtab")
            .and_then(|(index, _)| u16::try_from(index).ok());
        u16s(
            out,
            &[
                FILE_HEADER_BYTES,
                PROGRAM_HEADER_BYTES,
                self.segments().len().try_into().unwrap_or(0),
                SECTION_HEADER_BYTES,
                sections,
                names.unwrap_or(0),
            ],
        );
    }

    fn text_at(&self) -> u64 {
        u64::from(self.end)
    }

    /// Type, flags, offset, size, alignment.
    fn segments(&self) -> Vec<(u32, u32, u64, u64, u64)> {
        let text_at = self.text_at();
        let data_at = (self.len / 16 * 15).max(text_at);
        let (notes_at, build_id) = self.place_of(".note.gnu.build-id");
        let (abi_at, abi) = self.place_of(".note.ABI-tag");
        let mut segments = Vec::new();
        if self.kind == Kind::Program {
            let (interp_at, interp) = self.place_of(".interp");
            segments.push((PT_INTERP, R, interp_at, interp, 1));
        }
        segments.extend([
            (PT_LOAD, R, 0, text_at, 0x1000),
            (PT_LOAD, R | X, text_at, data_at - text_at, 0x1000),
            (
                PT_LOAD,
                R | W,
                data_at,
                self.len.saturating_sub(data_at),
                0x1000,
            ),
        ]);
        if self.kind != Kind::Static {
            let (dynamic_at, dynamic) = self.place_of(".dynamic");
            segments.push((PT_DYNAMIC, R | W, dynamic_at, dynamic, 8));
        }
        debug_assert_eq!(notes_at + build_id.next_multiple_of(8), abi_at);
        segments.push((PT_NOTE, R, notes_at, build_id, 4));
        segments.push((PT_NOTE, R, abi_at, abi, 4));
        segments.push((PT_GNU_STACK, R | W, 0, 0, 16));
        segments
    }

    fn program_headers(&self, out: &mut Vec<u8>) {
        for (kind, flags, at, size, align) in self.segments() {
            let address = if kind == PT_GNU_STACK {
                0
            } else {
                self.base + at
            };
            u32s(out, &[kind, flags]);
            u64s(out, &[at, address, address, size, size, align]);
        }
    }

    fn contents(&self, out: &mut Vec<u8>, build_id: &[u8]) {
        for section in &self.sections {
            let Some(size) = section.size else { continue };
            out.resize(section.at.into(), 0);
            match section.name {
                ".interp" => out.extend_from_slice(INTERPRETER),
                ".note.gnu.build-id" => note(out, NT_GNU_BUILD_ID, build_id),
                ".note.ABI-tag" => {
                    // Linux 3.2.0, what Debian 12's C library asks for.
                    let mut version = Vec::new();
                    u32s(&mut version, &[0, 3, 2, 0]);
                    note(out, NT_GNU_ABI_TAG, &version);
                }
                ".dynstr" => out.extend_from_slice(DYNSTR),
                ".dynamic" => self.dynamic(out),
                ".shstrtab" => out.extend_from_slice(SECTION_NAMES),
                _ => {}
            }
            out.resize((section.at + size).into(), 0);
        }
    }

    fn dynamic(&self, out: &mut Vec<u8>) {
        let (strings_at, strings) = self.place_of(".dynstr");
        let flags = if self.kind == Kind::Program {
            DF_1_NOW | DF_1_PIE
        } else {
            DF_1_NOW
        };
        for entry in [
            [DT_NEEDED, 1],
            [DT_STRTAB, strings_at],
            [DT_STRSZ, strings],
            [DT_FLAGS_1, flags],
            [0, 0],
        ] {
            u64s(out, &entry);
        }
    }

    fn section_headers(&self, out: &mut Vec<u8>) {
        out.resize(self.section_headers_at.into(), 0);
        out.resize(out.len() + usize::from(SECTION_HEADER_BYTES), 0);
        let strings = self
            .section(".dynstr")
            .and_then(|(index, _)| u32::try_from(index).ok());
        for section in &self.sections {
            let at = u64::from(section.at);
            let size = section.size.map_or(self.len.saturating_sub(at), u64::from);
            let address = if section.flags & SHF_ALLOC == 0 {
                0
            } else {
                self.base + at
            };
            let (link, entry) = if section.sh_type == SHT_DYNAMIC {
                (strings.unwrap_or(0), 16)
            } else {
                (0, 0)
            };
            u32s(out, &[name_offset(section.name), section.sh_type]);
            u64s(out, &[section.flags, address, at, size]);
            u32s(out, &[link, 0]);
            u64s(
                out,
                &[if section.sh_type == SHT_NOTE { 4 } else { 8 }, entry],
            );
        }
        out.resize(self.end.into(), 0);
    }
}

fn name_offset(name: &str) -> u32 {
    let offset = SECTION_NAMES
        .windows(name.len() + 2)
        .position(|window| {
            window.first() == Some(&0)
                && window.last() == Some(&0)
                && window.get(1..=name.len()) == Some(name.as_bytes())
        })
        .map_or(0, |before| before + 1);
    u32::try_from(offset).unwrap_or(0)
}

fn note(out: &mut Vec<u8>, kind: u32, value: &[u8]) {
    u32s(out, &[4, u32::try_from(value.len()).unwrap_or(0), kind]);
    out.extend_from_slice(GNU);
    out.extend_from_slice(value);
}

fn u16s(out: &mut Vec<u8>, values: &[u16]) {
    values
        .iter()
        .for_each(|value| out.extend_from_slice(&value.to_le_bytes()));
}

fn u32s(out: &mut Vec<u8>, values: &[u32]) {
    values
        .iter()
        .for_each(|value| out.extend_from_slice(&value.to_le_bytes()));
}

fn u64s(out: &mut Vec<u8>, values: &[u64]) {
    values
        .iter()
        .for_each(|value| out.extend_from_slice(&value.to_le_bytes()));
}

const MAGIC: [u8; 4] = [0x7f, b'E', b'L', b'F'];
const CLASS_64: u8 = 2;
const LITTLE_ENDIAN: u8 = 1;
const ET_EXEC: u16 = 2;
const ET_DYN: u16 = 3;
const EM_X86_64: u16 = 62;
const EM_386: u16 = 3;
const FILE_HEADER_BYTES: u16 = 64;
const PROGRAM_HEADER_BYTES: u16 = 56;
const SECTION_HEADER_BYTES: u16 = 64;
/// Room for eight program headers behind the file header.
const FIRST_SECTION: u16 = FILE_HEADER_BYTES + 8 * PROGRAM_HEADER_BYTES;
/// The null section and at most seven more.
const SECTION_HEADERS_ROOM: u16 = 8;
const R: u32 = 4;
const W: u32 = 2;
const X: u32 = 1;
const PT_LOAD: u32 = 1;
const PT_DYNAMIC: u32 = 2;
const PT_INTERP: u32 = 3;
const PT_NOTE: u32 = 4;
const PT_GNU_STACK: u32 = 0x6474_e551;
const SHT_PROGBITS: u32 = 1;
const SHT_STRTAB: u32 = 3;
const SHT_DYNAMIC: u32 = 6;
const SHT_NOTE: u32 = 7;
const SHF_WRITE: u64 = 1;
const SHF_ALLOC: u64 = 2;
const SHF_EXECINSTR: u64 = 4;
const NT_GNU_ABI_TAG: u32 = 1;
const NT_GNU_BUILD_ID: u32 = 3;
const DT_NEEDED: u64 = 1;
const DT_STRTAB: u64 = 5;
const DT_STRSZ: u64 = 10;
const DT_FLAGS_1: u64 = 0x6fff_fffb;
const DF_1_NOW: u64 = 1;
const DF_1_PIE: u64 = 0x0800_0000;
const GNU: &[u8] = b"GNU\0";
const INTERPRETER: &[u8] = b"/lib64/ld-linux-x86-64.so.2\0";
const DYNSTR: &[u8] = b"\0libc.so.6\0";
const DYNSTR_BYTES: u16 = 11;
const SECTION_NAMES: &[u8] =
    b"\0.interp\0.note.gnu.build-id\0.note.ABI-tag\0.dynstr\0.dynamic\0.shstrtab\0.text\0";
const SECTION_NAMES_BYTES: u16 = 75;

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn every_kind_of_head_carries_the_id_of_its_program() {
        for kind in [Kind::Program, Kind::Static, Kind::Library] {
            for len in [0, 4096, 151_344, u64::MAX] {
                let head = elf_head_of(b"ls", kind, len);
                assert!(head.len() < HEAD_BYTES, "{kind:?}: {} bytes", head.len());
                assert_eq!(build_id_of(&head), Some(build_id(b"ls")), "{kind:?} {len}");
            }
        }
        assert_ne!(build_id(b"ls"), build_id(b"cat"));
    }

    #[test]
    fn the_constants_about_strings_are_true() {
        assert_eq!(SECTION_NAMES.len(), usize::from(SECTION_NAMES_BYTES));
        assert_eq!(DYNSTR.len(), usize::from(DYNSTR_BYTES));
        assert_eq!(name_offset(".interp"), 1);
        assert_eq!(name_offset(".text"), 69);
    }

    #[test]
    fn a_copy_with_bytes_behind_it_is_still_the_program_and_a_cut_one_is_not() {
        let mut file = elf_head(b"busybox");
        file.resize(100_000, 0xaa);
        assert_eq!(build_id_of(&file), Some(build_id(b"busybox")));
        assert_eq!(build_id_of(file.get(..200).unwrap()), None);
    }

    #[test]
    fn a_script_names_its_program_in_a_comment() {
        let mut script = b"#!/bin/sh\n".to_vec();
        script.extend(script_mark(b"egrep"));
        script.extend_from_slice(b"\nexec grep -E \"$@\"\n");
        assert_eq!(build_id_of(&script), Some(build_id(b"egrep")));
        assert_eq!(build_id_of(b"#!/bin/sh\n# Build-Id: 12\n"), None);
        assert_eq!(
            build_id_of(b"#!/bin/sh\n# Build-Id: +1+1+1+1+1+1+1+1+1+1+1+1+1+1+1+1+1+1+1+1\n"),
            None
        );
    }

    #[test]
    fn an_arm_head_carries_its_id_and_runs_on_arm_alone() {
        for len in [0, 4096, 1_100_000, u64::MAX] {
            let head = elf_head_of(b"busybox", Kind::StaticArm, len);
            assert!(head.len() < HEAD_BYTES, "{}", head.len());
            assert_eq!(build_id_of(&head), Some(build_id(b"busybox")), "{len}");
            assert!(runs_on(b"armv7l", &head) && !runs_on(b"x86_64", &head));
        }
        let debian = elf_head(b"ls");
        assert!(runs_on(b"x86_64", &debian) && !runs_on(b"armv7l", &debian));
        assert!(!runs_on(b"x86_64", b"#!/bin/sh\n"));
    }

    #[test]
    fn our_ids_are_known_without_a_list_and_others_are_not_taken_for_ours() {
        assert!(is_of_an_image(&build_id(b"e2fsck")));
        assert!(is_of_an_image(&build_id(b"of ours alone")));
        let mut other = build_id(b"of ours alone");
        other[3] ^= 1;
        assert!(!is_of_an_image(&other));
        assert!(!is_of_an_image(&[0; BUILD_ID_BYTES]));
    }

    #[test]
    fn other_machines_and_other_files_have_no_program() {
        let mut arm = elf_head(b"ls");
        arm[18] = 40;
        assert_eq!(build_id_of(&arm), None);
        for other in [b"".as_slice(), b"\x7fELF", b"MZ", b"echo x\n"] {
            assert_eq!(build_id_of(other), None);
        }
    }

    proptest! {
        #[test]
        fn damage_anywhere_never_panics(at in 0usize..1500, byte: u8, cut in 0usize..2000) {
            let mut head = elf_head(b"sh");
            if let Some(place) = head.get_mut(at) {
                *place = byte;
            }
            head.truncate(cut);
            let _found = build_id_of(&head);
        }
    }
}
