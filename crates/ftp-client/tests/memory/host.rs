//! A host in memory that remembers everything.

use ftp_client::busybox::{Host, Sink, Source, TransferEvent, Words};

/// What the program did.
#[derive(Debug)]
pub(crate) struct Record {
    pub(crate) stderr: String,
    pub(crate) body: Vec<u8>,
    pub(crate) events: Vec<String>,
    /// The body fails when it would grow beyond.
    pub(crate) limit: usize,
}

impl Default for Record {
    fn default() -> Self {
        Self {
            stderr: String::new(),
            body: Vec::new(),
            events: Vec::new(),
            limit: usize::MAX,
        }
    }
}

impl Host for Record {
    async fn stdout(&mut self, _text: &[u8]) {}

    async fn stderr(&mut self, text: &[u8]) {
        self.stderr += &String::from_utf8_lossy(text);
    }

    async fn service(&mut self, name: &[u8]) -> Option<u16> {
        (name == b"ftp-alt").then_some(2121)
    }

    async fn size_of(&mut self, _path: &[u8]) -> Result<u64, Words> {
        Ok(4)
    }

    async fn create(&mut self, _sink: Sink<'_>) -> Result<(), Words> {
        Ok(())
    }

    async fn body(&mut self, bytes: &[u8]) -> Result<(), Words> {
        assert!(!bytes.is_empty());
        if self.body.len() + bytes.len() > self.limit {
            return Err("File too large".into());
        }
        self.body.extend(bytes);
        Ok(())
    }

    async fn open(&mut self, _source: Source<'_>) -> Result<(), Words> {
        Ok(())
    }

    async fn read(&mut self, _buffer: &mut [u8]) -> Result<usize, Words> {
        Ok(0)
    }

    async fn transfer(&mut self, event: TransferEvent<'_>) {
        let text = |bytes: Vec<u8>| String::from_utf8_lossy(&bytes).into_owned();
        self.events.push(match event {
            TransferEvent::Asked { .. } => return,
            TransferEvent::Failed { remote, failure } => {
                format!("failed {}: {}", text(remote.url()), text(failure.text()))
            }
            TransferEvent::Downloading {
                remote,
                sink,
                size,
                offset,
            } => format!(
                "download {} {sink:?} {size:?} from {offset}",
                text(remote.url())
            ),
            TransferEvent::Uploading { remote, source } => {
                format!("upload {} {source:?}", text(remote.url()))
            }
            TransferEvent::Complete { bytes } => format!("complete {bytes}"),
            TransferEvent::Short { bytes, expected } => format!("short {bytes} of {expected}"),
            TransferEvent::Incomplete { bytes, failure } => {
                format!("incomplete {bytes}: {}", text(failure.text()))
            }
        });
    }
}

pub(crate) fn words(line: &str) -> Vec<Vec<u8>> {
    line.split_whitespace()
        .map(|word| word.as_bytes().to_vec())
        .collect()
}
