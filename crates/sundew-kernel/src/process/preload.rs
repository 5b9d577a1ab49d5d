//! What ld.so(8) says of objects it should load before all others: `LD_PRELOAD`, `/etc/ld.so.preload`.
//!
//! Nothing is ever loaded. An object that could be is passed over in silence, as its owner expects who
//! hides things with it; one that could not is complained of by every program, as on a real machine.

use sundew_vfs::Errno;

use super::Process;
use crate::environment::Environment;

/// The file with objects for every program.
const FILE: &[u8] = b"/etc/ld.so.preload";
/// Bytes of it that are read.
const MAX_FILE_BYTES: usize = 4096;
/// Objects that are looked at for one program.
const MAX_OBJECTS: usize = 16;
/// Bytes of an object's start that tell whether it is one: an ELF header of 64 bits.
const HEADER_BYTES: usize = 64;

impl Process {
    /// What is said when an executable with this head starts.
    pub(super) fn preload_complaint(&self, env: &Environment, head: &[u8]) -> Vec<u8> {
        let of_env = env.value(b"LD_PRELOAD").unwrap_or_default();
        let of_file = self.start_of(FILE, MAX_FILE_BYTES).unwrap_or_default();
        if of_env.is_empty() && of_file.is_empty() {
            return Vec::new();
        }
        // Without a dynamic linker nobody says anything.
        let linker = b"ld-linux";
        if !head.windows(linker.len()).any(|part| part == linker) {
            return Vec::new();
        }
        let mut out = Vec::new();
        let words = |text: &[u8]| -> Vec<Vec<u8>> {
            text.split(|&byte| byte == b':' || byte.is_ascii_whitespace())
                .filter(|word| !word.is_empty())
                .take(MAX_OBJECTS)
                .map(<[u8]>::to_vec)
                .collect()
        };
        let without_remarks: Vec<u8> = of_file
            .split_inclusive(|&byte| byte == b'\n')
            .flat_map(|line| {
                let end = line.iter().position(|&byte| byte == b'#');
                let text = line.get(..end.unwrap_or(line.len())).unwrap_or_default();
                [text, b"\n"].concat()
            })
            .collect();
        let sources = [
            (words(of_env), "LD_PRELOAD"),
            (words(&without_remarks), "/etc/ld.so.preload"),
        ];
        for (objects, source) in sources {
            for object in objects {
                let Some(why) = self.unusable(&object) else {
                    continue;
                };
                let parts: [&[u8]; 7] = [
                    b"ERROR: ld.so: object '",
                    &object,
                    b"' from ",
                    source.as_bytes(),
                    b" cannot be preloaded (",
                    why.as_bytes(),
                    b"): ignored.\n",
                ];
                out.extend(parts.concat());
            }
        }
        out
    }

    /// Why an object cannot be loaded, if it cannot.
    fn unusable(&self, object: &[u8]) -> Option<&'static str> {
        let found = if object.contains(&b'/') {
            self.start_of(object, HEADER_BYTES)
        } else {
            let directories: [&[u8]; 2] = [b"/lib/x86_64-linux-gnu/", b"/usr/lib/"];
            let mut found = directories.iter().filter_map(|directory| {
                self.start_of(&[directory, object].concat(), HEADER_BYTES)
                    .ok()
            });
            found.next().ok_or(Errno::Enoent)
        };
        match found {
            Err(_) => Some("cannot open shared object file"),
            Ok(head) if head.len() < HEADER_BYTES => Some("file too short"),
            Ok(head) if !head.starts_with(b"\x7fELF") => Some("invalid ELF header"),
            Ok(head) if head.get(4) != Some(&2) => Some("wrong ELF class: ELFCLASS32"),
            Ok(_) => None,
        }
    }

    /// The first bytes of a file that can be read.
    fn start_of(&self, path: &[u8], most: usize) -> Result<Vec<u8>, Errno> {
        self.with_fs(|fs, cx| {
            let ino = fs.resolve(cx, path, true)?;
            fs.access(cx, ino, sundew_vfs::Access::Read)?;
            let mut content = vec![0; most];
            let count = fs.read_at(ino, 0, &mut content)?;
            content.truncate(count);
            Ok(content)
        })
    }
}
