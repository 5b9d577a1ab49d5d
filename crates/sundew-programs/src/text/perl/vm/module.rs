//! `use`, `require` and `do FILE` of files that are there.

use sundew_kernel::descriptor::OpenFlags;

use super::super::compile::{Source, compile};
use super::super::{MAX_SCRIPT_BYTES, missing_module, parse};
use super::*;

impl Vm<'_> {
    /// `require Foo::Bar`, `require "file.pl"`, `use Foo`; what was read runs in a frame of its own.
    pub(super) async fn require(&mut self, name: &str, used: bool) -> Res<Value> {
        let number = super::super::number::numeric(name.trim_start_matches('v').as_bytes());
        if number.1 || parse::is_known(name) {
            return Ok(Value::Int(1));
        }
        let file = if name.contains('/') || name.contains('.') {
            name.to_owned()
        } else {
            format!("{}.pm", name.replace("::", "/"))
        };
        let loaded = self.global_hash("INC");
        if loaded.lock().map.contains_key(file.as_bytes()) {
            return Ok(Value::Int(1));
        }
        let mut places: Vec<Vec<u8>> = Vec::new();
        if file.starts_with('/') || file.starts_with("./") || file.starts_with("../") {
            places.push(file.clone().into_bytes());
        } else {
            let array = self.global_array("INC");
            let directories: Vec<Vec<u8>> =
                array.lock().iter().map(|cell| cell.get().bytes()).collect();
            places.extend(
                directories
                    .iter()
                    .map(|directory| [directory, b"/".as_slice(), file.as_bytes()].concat()),
            );
        }
        for place in places {
            let Some(text) = self.file_text(&place).await? else {
                continue;
            };
            loaded.lock().map.insert(
                file.clone().into_bytes(),
                Cell::new(Value::text(place.clone())),
            );
            return self.run_text(&text, &String::from_utf8_lossy(&place)).await;
        }
        let words = missing_module(name);
        if used {
            // A module of the command line is on no line.
            let at = if self.line == 0 {
                ".\n".to_owned()
            } else {
                self.at()
            };
            let text = format!("{words}{at}BEGIN failed--compilation aborted{at}");
            self.set_errno(Errno::Enoent);
            return Err(Flow::Die(Value::text(text)));
        }
        self.set_errno(Errno::Enoent);
        self.die(words)
    }

    /// `do FILE`: its last value, or nothing with the reason in `$!`.
    pub(super) async fn do_file(&mut self, path: &Value) -> Res<Value> {
        let path = path.bytes();
        match self.file_text(&path).await? {
            Some(text) => self.run_text(&text, &String::from_utf8_lossy(&path)).await,
            None => Ok(Value::Undef),
        }
    }

    async fn file_text(&mut self, path: &[u8]) -> Res<Option<Vec<u8>>> {
        let fd = match self.proc.open(path, OpenFlags::READ, 0).await {
            Ok(fd) => fd,
            Err(errno) => {
                self.set_errno(errno);
                return Ok(None);
            }
        };
        let bytes = self.proc.read_to_end(fd).await;
        // Opened here.
        let _open = self.proc.close(fd);
        match bytes {
            Ok((bytes, _charged)) if bytes.len() <= MAX_SCRIPT_BYTES => Ok(Some(bytes)),
            Ok(_) => Self::out_of_memory(),
            Err(errno) => {
                self.set_errno(errno);
                Ok(None)
            }
        }
    }

    /// Starts the frame of a file's code, whose value comes when it ends.
    async fn run_text(&mut self, text: &[u8], file: &str) -> Res<Value> {
        self.made(text.len() * 32)?;
        self.proc.tick().await;
        let compiled = parse::program(text, 1).and_then(|block| {
            let source = Source {
                block: &block,
                file,
                view: None,
            };
            compile(&source, &mut self.state.symbols)
        });
        match compiled {
            Ok(chunk) => {
                self.fit();
                let sub = Sub::new(chunk, "(eval)".to_owned(), Vec::new());
                self.enter_sub(&sub, Vec::new(), Answer::Scalar)?;
                Ok(Value::Undef)
            }
            Err(fault) => {
                let text = Self::complaint(&fault, file);
                Err(Flow::Die(Value::text(text)))
            }
        }
    }
}
