//! What a download is called here.

use sundew_kernel::Process;

use super::Session;
use crate::net::fetch::{self, Url};

impl Session {
    /// The file's name as the options make it from the URL.
    pub(super) fn plain_name(&self, url: &Url) -> Vec<u8> {
        let mut name = fetch::decoded(&url.file_name());
        if name.is_empty() {
            name = b"index.html".to_vec();
        }
        if let Some(query) = url.path.iter().position(|&byte| byte == b'?') {
            let query = url.path.get(query..).unwrap_or_default();
            for byte in query {
                match byte {
                    b'/' => name.extend_from_slice(b"%2F"),
                    byte => name.push(*byte),
                }
            }
        }
        // A slash out of an escape must not lead elsewhere.
        let mut name: Vec<u8> = name
            .into_iter()
            .map(|byte| {
                if byte == b'/' || byte == 0 {
                    b'_'
                } else {
                    byte
                }
            })
            .collect();
        if self.options.directories.unwrap_or(self.options.recursive) {
            let folder = url.folder();
            let folder = folder.strip_prefix(b"/").unwrap_or(folder);
            let safe = |part: &&[u8]| !part.is_empty() && *part != b".." && *part != b".";
            let parts: Vec<&[u8]> = folder.split(|&byte| byte == b'/').filter(safe).collect();
            let mut path = parts.join(&b'/');
            if !path.is_empty() {
                path.push(b'/');
            }
            name = [path, name].concat();
            if !self.options.no_host_directory {
                name = [url.authority().as_slice(), b"/", &name].concat();
            }
        }
        self.below_directory(name)
    }

    /// Below the directory of `-P`.
    pub(super) fn below_directory(&self, name: Vec<u8>) -> Vec<u8> {
        match &self.options.directory {
            Some(directory) if directory.ends_with(b"/") => [directory.as_slice(), &name].concat(),
            Some(directory) => [directory.as_slice(), b"/", &name].concat(),
            None => name,
        }
    }

    /// The name with a number behind it while it is taken.
    pub(super) fn free_name(&self, proc: &Process, name: Vec<u8>) -> Vec<u8> {
        let options = &self.options;
        let overwrites = options.go_on
            || options.if_newer
            || options.spider
            || options.directories.unwrap_or(options.recursive);
        let free = |name: &[u8]| proc.lstat(name).is_err();
        if overwrites || free(&name) {
            return name;
        }
        // A stranger could make very many; the last one is written over.
        let numbered = |number: u32| [name.as_slice(), format!(".{number}").as_bytes()].concat();
        numbered(
            (1..1000)
                .find(|&number| free(&numbered(number)))
                .unwrap_or(1000),
        )
    }
}
