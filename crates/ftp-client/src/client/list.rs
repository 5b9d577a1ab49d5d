//! Listings: MLSD where the server has it, LIST and NLST elsewhere.

use ftp_proto::client::answer;
use ftp_proto::listing::{Entry, Kind, Reader};
use ftp_proto::transfer::{Format, Type};
use ftp_proto::{Command, Verb};
use tokio::io::AsyncReadExt;

use super::Client;
use super::command::optional;
use super::open::Way;
use crate::dial::Dial;
use crate::error::{Cause, Error, Phase};
use crate::transfer::Download;

/// Bytes of a listing read at once.
const CHUNK_BYTES: usize = 16 * 1024;

/// Longest line of a listing, in bytes: a name of 255 bytes per component, a link target of
/// `PATH_MAX` and the columns come to less. A longer one is counted as not understood.
const MAX_LINE_BYTES: usize = 16 * 1024;

/// What a directory holds.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Listing {
    /// The entries, in the server's order, without the directory itself and its parent.
    ///
    /// Names come as the server sent them; [`Entry::is_plain_name`] says which may be used as local
    /// names.
    pub entries: Vec<Entry>,
    /// Lines that were none of the forms known.
    pub unknown: usize,
}

impl<D: Dial> Client<D> {
    /// What a directory holds: by MLSD if the server has it, else by LIST. An empty path is the
    /// working directory.
    ///
    /// # Errors
    ///
    /// [`Error`]; more than [`Limits`](crate::Limits) allows is [`Cause::TooMuch`].
    pub async fn list(&mut self, path: impl AsRef<[u8]>) -> Result<Listing, Error> {
        optional(Phase::Command(Verb::List), path.as_ref())?;
        // Some servers announce MLST and mean both, as RFC 3659 §7.8 has it.
        let features = self.features().await?;
        if features.has("MLST") || features.has("MLSD") {
            match self.mlsd(path.as_ref()).await {
                Err(error)
                    if error
                        .code()
                        .is_some_and(|code| matches!(code.number(), 500 | 502)) => {}
                other => return other,
            }
        }
        self.list_by_list(path).await
    }

    /// MLSD.
    ///
    /// # Errors
    ///
    /// [`Error`].
    pub async fn mlsd(&mut self, path: impl AsRef<[u8]>) -> Result<Listing, Error> {
        let path = optional(Phase::Command(Verb::Mlsd), path.as_ref())?;
        self.entries(Command::Mlsd(path)).await
    }

    /// LIST, with hidden files where the server takes `-a`. Dates are as exact as the server writes
    /// them, and in its time zone.
    ///
    /// # Errors
    ///
    /// [`Error`].
    pub async fn list_by_list(&mut self, path: impl AsRef<[u8]>) -> Result<Listing, Error> {
        let path = path.as_ref();
        let phase = Phase::Command(Verb::List);
        // A name that begins with a dash would be taken for options.
        let path = match path {
            [b'-', ..] => [b"./", path].concat(),
            path => path.to_vec(),
        };
        // With blanks in the path, servers differ in where options end.
        if !self.config.lessons.avoids_list_options() && !path.contains(&b' ') {
            let with_options = match path.as_slice() {
                [] => b"-a".to_vec(),
                path => [b"-a ", path].concat(),
            };
            let command = Command::List(optional(phase, &with_options)?);
            match self.entries(command).await {
                Err(error) if error.reply().is_some() && !error.ends_session() => {}
                // `-a` was taken for a name that does not exist.
                Ok(listing) if listing.entries.is_empty() => {}
                other => return other,
            }
            let plain = self.entries(Command::List(optional(phase, &path)?)).await?;
            if !plain.entries.is_empty() {
                self.config.lessons.avoid_list_options();
            }
            return Ok(plain);
        }
        self.entries(Command::List(optional(phase, &path)?)).await
    }

    /// NLST: names only, paths if the server likes to give them; without the directory itself and its
    /// parent.
    ///
    /// # Errors
    ///
    /// [`Error`]; the 550 with which many servers answer for an empty directory too.
    pub async fn names(&mut self, path: impl AsRef<[u8]>) -> Result<Vec<Vec<u8>>, Error> {
        let path = optional(Phase::Command(Verb::Nlst), path.as_ref())?;
        let limit = self.config.limits.listing_entries;
        let mut names = Vec::new();
        self.lines(Command::Nlst(path), |line| {
            let last = line.rsplit(|&byte| byte == b'/').next();
            if !matches!(last, None | Some(b"" | b"." | b"..")) {
                names.push(line.to_vec());
            }
            names.len() <= limit
        })
        .await?;
        Ok(names)
    }

    /// The text of LIST as it comes.
    ///
    /// # Errors
    ///
    /// [`Error`].
    pub async fn list_raw(&mut self, path: impl AsRef<[u8]>) -> Result<Download<'_, D>, Error> {
        let path = optional(Phase::Command(Verb::List), path.as_ref())?;
        self.set_type(Type::Ascii(Format::NonPrint)).await?;
        self.retrieve_by(Command::List(path)).await
    }

    async fn entries(&mut self, command: Command) -> Result<Listing, Error> {
        let limit = self.config.limits.listing_entries;
        let mut reader = match command.verb() {
            Verb::Mlsd => Reader::mlsx(),
            _ => Reader::new((self.config.now)()),
        };
        let mut listing = Listing::default();
        self.lines(command, |line| {
            if let Some(entry) = reader.push_line(line)
                && !matches!(entry.kind, Kind::Current | Kind::Parent)
                && !matches!(entry.name.as_slice(), b"." | b"..")
            {
                listing.entries.push(entry);
            }
            listing.entries.len() <= limit && reader.unknown() <= limit
        })
        .await?;
        reader.finish();
        listing.unknown = reader.unknown();
        Ok(listing)
    }

    /// Gives each line of the command's data to `take`, which says whether it can bear more.
    async fn lines(
        &mut self,
        command: Command,
        mut take: impl FnMut(&[u8]) -> bool,
    ) -> Result<(), Error> {
        let verb = command.verb();
        let limits = self.config.limits;
        // RFC 1123 §4.1.2.7: listings go as ASCII. The type is left as it is if none was set: it
        // makes no difference to any server known, and a round trip to all.
        let opened = self.begin(command, 0, Way::In).await?;
        let _size = opened.began.as_ref().and_then(answer::announced_size);
        let mut download = Download::new(self, opened, verb, 0);
        let mut chunk = vec![0; CHUNK_BYTES];
        let mut line = Vec::new();
        let mut total = 0_u64;
        // An error is the download's own and comes again at its end.
        while let Ok(count @ 1..) = download.read(&mut chunk).await {
            total = total.saturating_add(count as u64);
            let too_much = |limit, value| {
                let cause = Cause::TooMuch { limit, value };
                Err(Error::new(Phase::Transfer(verb), cause))
            };
            if total > limits.listing_bytes {
                return too_much("listing_bytes", limits.listing_bytes);
            }
            for piece in chunk
                .get(..count)
                .unwrap_or_default()
                .split_inclusive(|&b| b == b'\n')
            {
                if line.len() <= MAX_LINE_BYTES {
                    line.extend(piece);
                }
                if piece.ends_with(b"\n") {
                    let text = line.strip_suffix(b"\n").unwrap_or(&line);
                    if !take(text.strip_suffix(b"\r").unwrap_or(text)) {
                        let value = limits.listing_entries as u64;
                        return too_much("listing_entries", value);
                    }
                    line.clear();
                }
            }
        }
        if !line.is_empty() {
            take(&line);
        }
        download.finish().await.map(drop)
    }
}
