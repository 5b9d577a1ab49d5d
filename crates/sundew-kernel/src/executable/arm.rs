//! The head of a 32-bit ARM executable: what runs on cameras and routers.
//!
//! Statically linked at a fixed address, EABI version 5, hard-float, as Debian's armhf builds it.

use super::{
    ET_EXEC, GNU, LITTLE_ENDIAN, MAGIC, NT_GNU_ABI_TAG, NT_GNU_BUILD_ID, PT_GNU_STACK, PT_LOAD,
    PT_NOTE, R, SHF_ALLOC, SHF_EXECINSTR, SHT_NOTE, SHT_PROGBITS, SHT_STRTAB, W, X, build_id, note,
    u16s, u32s,
};

/// The first bytes of a static ARM executable of `len` bytes that carries the id of `program`.
pub(super) fn head(program: &[u8], len: u64) -> Vec<u8> {
    let len = u32::try_from(len).unwrap_or(u32::MAX);
    let mut out = Vec::with_capacity(usize::from(TEXT_AT));
    file_header(&mut out);
    for [kind, at, size, flags, align] in segments(len) {
        let address = if kind == PT_GNU_STACK {
            0
        } else {
            BASE.wrapping_add(at)
        };
        u32s(
            &mut out,
            &[kind, at, address, address, size, size, flags, align],
        );
    }
    note(&mut out, NT_GNU_BUILD_ID, &build_id(program));
    let mut version = Vec::new();
    u32s(&mut version, &[0, 3, 2, 0]);
    note(&mut out, NT_GNU_ABI_TAG, &version);
    out.extend_from_slice(NAMES);
    out.resize(usize::from(SECTIONS_AT), 0);
    for section in sections(len) {
        u32s(&mut out, &section);
    }
    out
}

fn file_header(out: &mut Vec<u8>) {
    out.extend_from_slice(&MAGIC);
    out.extend_from_slice(&[CLASS_32, LITTLE_ENDIAN, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0]);
    u16s(out, &[ET_EXEC, EM_ARM]);
    u32s(
        out,
        &[
            1,
            BASE + u32::from(TEXT_AT),
            u32::from(FILE_HEADER_BYTES),
            u32::from(SECTIONS_AT),
            EABI5_HARD_FLOAT,
        ],
    );
    u16s(
        out,
        &[
            FILE_HEADER_BYTES,
            PROGRAM_HEADER_BYTES,
            PROGRAM_HEADERS,
            SECTION_HEADER_BYTES,
            SECTIONS,
            SECTIONS - 1,
        ],
    );
}

/// Type, offset, size, flags, alignment.
fn segments(len: u32) -> [[u32; 5]; PROGRAM_HEADERS as usize] {
    let data_at = (len / 16 * 15).max(u32::from(TEXT_AT));
    [
        [PT_LOAD, 0, data_at, R | X, 0x1_0000],
        [
            PT_LOAD,
            data_at,
            len.saturating_sub(data_at),
            R | W,
            0x1_0000,
        ],
        [PT_NOTE, u32::from(NOTES_AT), u32::from(NOTES_BYTES), R, 4],
        [PT_GNU_STACK, 0, 0, R | W, 16],
    ]
}

/// Name, type, flags, address, offset, size, link, info, alignment, entry size.
fn sections(len: u32) -> [[u32; 10]; SECTIONS as usize] {
    let low = |flags: u64| u32::try_from(flags).unwrap_or(0);
    let (notes, text) = (u32::from(NOTES_AT), u32::from(TEXT_AT));
    let (alloc, exec) = (low(SHF_ALLOC), low(SHF_ALLOC | SHF_EXECINSTR));
    let rest = len.saturating_sub(text);
    [
        [0; 10],
        [
            1,
            SHT_NOTE,
            alloc,
            BASE + notes,
            notes,
            BUILD_ID_NOTE_BYTES,
            0,
            0,
            4,
            0,
        ],
        [
            20,
            SHT_NOTE,
            alloc,
            BASE + notes + BUILD_ID_NOTE_BYTES,
            notes + BUILD_ID_NOTE_BYTES,
            u32::from(NOTES_BYTES) - BUILD_ID_NOTE_BYTES,
            0,
            0,
            4,
            0,
        ],
        [34, SHT_PROGBITS, exec, BASE + text, text, rest, 0, 0, 8, 0],
        [
            40,
            SHT_STRTAB,
            0,
            0,
            u32::from(NAMES_AT),
            u32::from(NAMES_BYTES),
            0,
            0,
            1,
            0,
        ],
    ]
}

pub(super) const CLASS_32: u8 = 1;
pub(super) const EM_ARM: u16 = 40;
/// `EF_ARM_EABI_VER5 | EF_ARM_ABI_FLOAT_HARD`.
const EABI5_HARD_FLOAT: u32 = 0x0500_0400;
/// Where GNU ld links ARM executables.
const BASE: u32 = 0x1_0000;
const FILE_HEADER_BYTES: u16 = 52;
pub(super) const PROGRAM_HEADER_BYTES: u16 = 32;
const PROGRAM_HEADERS: u16 = 4;
const SECTION_HEADER_BYTES: u16 = 40;
const SECTIONS: u16 = 5;
const NOTES_AT: u16 = FILE_HEADER_BYTES + PROGRAM_HEADERS * PROGRAM_HEADER_BYTES;
/// The build id's note and the one that names the oldest kernel.
const NOTES_BYTES: u16 = 36 + 32;
const BUILD_ID_NOTE_BYTES: u32 = 36;
const NAMES_AT: u16 = NOTES_AT + NOTES_BYTES;
const NAMES: &[u8] = b"\0.note.gnu.build-id\0.note.ABI-tag\0.text\0.shstrtab\0";
const NAMES_BYTES: u16 = 50;
const SECTIONS_AT: u16 = (NAMES_AT + NAMES_BYTES).next_multiple_of(8);
const TEXT_AT: u16 = SECTIONS_AT + SECTIONS * SECTION_HEADER_BYTES;

const _: () = assert!(NAMES.len() == NAMES_BYTES as usize);
const _: () = assert!(GNU.len() == 4);
