//! The parts of a small backend: content and entries that are at hand, and a writer for those that
//! write nothing.

use bytes::Bytes;
use ftp_proto::listing::Entry;
use ftp_proto::server::FileError;

use super::{CHUNK_BYTES, Lister, Reader, Writer};

/// Content that is in memory.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Content(Bytes);

impl Content {
    /// The bytes from an offset on, with how many they are: what [`super::Files::read`] gives.
    ///
    /// # Errors
    ///
    /// [`FileError::BadOffset`] behind the end.
    pub fn from_offset(
        bytes: impl Into<Bytes>,
        offset: u64,
    ) -> Result<(Option<u64>, Self), FileError> {
        let bytes = bytes.into();
        let offset = usize::try_from(offset).map_err(|_| FileError::BadOffset)?;
        if offset > bytes.len() {
            return Err(FileError::BadOffset);
        }
        let rest = bytes.slice(offset..);
        Ok((Some(rest.len() as u64), Self(rest)))
    }
}

impl Reader for Content {
    async fn read(&mut self) -> Result<Option<Bytes>, FileError> {
        let count = self.0.len().min(CHUNK_BYTES);
        Ok((count > 0).then(|| self.0.split_to(count)))
    }
}

/// Entries that are at hand.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Entries(Option<Vec<Entry>>);

impl Entries {
    /// These.
    #[must_use]
    pub const fn new(entries: Vec<Entry>) -> Self {
        Self(Some(entries))
    }
}

impl Lister for Entries {
    async fn next(&mut self) -> Result<Option<Vec<Entry>>, FileError> {
        Ok(self.0.take())
    }
}

/// The writer of a backend that writes nothing: there is none.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NoWriter {}

impl Writer for NoWriter {
    async fn write(&mut self, _: Bytes) -> Result<(), FileError> {
        match *self {}
    }

    async fn finish(self) -> Result<(), FileError> {
        match self {}
    }
}
