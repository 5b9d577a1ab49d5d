//! Everything that needs no data connection, and the two that begin one.

use ftp_proto::argument::Argument;
use ftp_proto::client::answer;
use ftp_proto::command::{ByteRange, OptionSetting, TimedPath};
use ftp_proto::feature::{self, Feature};
use ftp_proto::listing::{Entry, mlsx};
use ftp_proto::reply::{Class, Code};
use ftp_proto::time::Timestamp;
use ftp_proto::transfer::{Mode, Type};
use ftp_proto::{Command, Reply, Verb, address};

use super::open::Way;
use super::{Client, accepted, argument};
use crate::dial::Dial;
use crate::error::{Cause, Error, Phase};
use crate::transfer::{Download, Upload};

/// What the server says it can do.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Features(Vec<Feature>);

impl Features {
    /// Whether the feature is there, its name in any case.
    #[must_use]
    pub fn has(&self, name: &str) -> bool {
        self.get(name).is_some()
    }

    /// The feature with this name.
    #[must_use]
    pub fn get(&self, name: &str) -> Option<&Feature> {
        self.0.iter().find(|feature| feature.is(name))
    }

    /// All of them.
    pub fn iter(&self) -> impl Iterator<Item = &Feature> {
        self.0.iter()
    }
}

impl<D: Dial> Client<D> {
    /// FEAT, asked once a login; a server that does not know it has no features.
    ///
    /// # Errors
    ///
    /// [`Error`]; a refusal is none.
    pub async fn features(&mut self) -> Result<&Features, Error> {
        if self.features.is_none() {
            let phase = Phase::Command(Verb::Feat);
            let reply = self.exchange(phase, &Command::Feat).await?;
            let found = match reply.code().class() {
                Class::Completion => feature::parse(&reply).into_iter().collect(),
                _ => Vec::new(),
            };
            self.features = Some(Features(found));
        }
        Ok(self.features.get_or_insert_default())
    }

    /// Right after the login: features, UTF-8 and our name, as far as they are wanted.
    pub(super) async fn introduce(&mut self) -> Result<(), Error> {
        let name = self.config.client_name.clone();
        let features = self.features().await?;
        let (utf8, asks_name) = (features.has("UTF8"), features.has("CLNT"));
        let mut commands = Vec::new();
        if let Some(name) = name.filter(|_| asks_name) {
            let name = argument(Phase::Command(Verb::Clnt), name)?;
            commands.push(Command::Clnt(name));
        }
        if utf8 {
            let on = argument(Phase::Command(Verb::Opts), "ON")?;
            let name = argument(Phase::Command(Verb::Opts), "UTF8")?;
            commands.extend(OptionSetting::new(name, Some(on)).map(Command::Opts));
        }
        if !commands.is_empty() {
            // Files are binary, and on the way the word costs no round trip.
            commands.push(Command::Type(Type::Image));
            // Most servers have UTF-8 on for good and some refuse to be told: either is fine.
            let phase = Phase::Command(Verb::Opts);
            let replies = self.exchange_all(phase, &commands).await?;
            let is_set = replies
                .last()
                .is_some_and(|reply| reply.code() == Code::OKAY);
            self.representation = is_set.then_some(Type::Image);
        }
        Ok(())
    }

    /// TYPE, if it is not set already.
    ///
    /// # Errors
    ///
    /// [`Error`].
    pub async fn set_type(&mut self, representation: Type) -> Result<(), Error> {
        if self.representation != Some(representation) {
            self.representation = None;
            self.ask(Command::Type(representation)).await?;
            self.representation = Some(representation);
        }
        Ok(())
    }

    /// MODE Z for all that comes, listings included, or with `None` MODE S again. The level, 0 to 9, is
    /// how hard both sides try; a server that cannot be told keeps its own. Says whether the server has
    /// agreed: one that does not know the mode goes on without.
    ///
    /// # Errors
    ///
    /// [`Error`] of the connection; a refusal is none.
    pub async fn set_compression(&mut self, level: Option<u8>) -> Result<bool, Error> {
        let phase = Phase::Command(Verb::Mode);
        let level = level.map(|level| level.min(9));
        if self.deflate == level {
            return Ok(true);
        }
        let Some(level) = level else {
            self.ask(Command::Mode(Mode::Stream)).await?;
            self.deflate = None;
            return Ok(true);
        };
        if !self.features().await?.0.iter().any(is_mode_z) {
            return Ok(false);
        }
        let mut commands = vec![Command::Mode(Mode::Deflate)];
        let opts = Phase::Command(Verb::Opts);
        let name = argument(opts, "MODE")?;
        let value = argument(opts, format!("Z LEVEL {level}"))?;
        commands.extend(OptionSetting::new(name, Some(value)).map(Command::Opts));
        let replies = self.exchange_all(phase, &commands).await?;
        let agreed = replies
            .first()
            .is_some_and(|reply| reply.code().class() == Class::Completion);
        self.deflate = agreed.then_some(level);
        Ok(agreed)
    }

    pub(crate) const fn deflate(&self) -> Option<u8> {
        self.deflate
    }

    /// RETR: the file, byte by byte as it is on the server.
    ///
    /// # Errors
    ///
    /// [`Error`]; when it returns, the server has agreed to send.
    pub async fn retrieve(&mut self, path: impl AsRef<[u8]>) -> Result<Download<'_, D>, Error> {
        self.retrieve_from(path, 0).await
    }

    /// REST and RETR: the file from an offset on. A server that refuses to restart sends all of it:
    /// see [`Download::offset`].
    ///
    /// # Errors
    ///
    /// [`Error`]; when it returns, the server has agreed to send.
    pub async fn retrieve_from(
        &mut self,
        path: impl AsRef<[u8]>,
        offset: u64,
    ) -> Result<Download<'_, D>, Error> {
        let path = argument(Phase::Command(Verb::Retr), path)?;
        self.set_type(Type::Image).await?;
        let opened = self.begin(Command::Retr(path), offset, Way::In).await?;
        Ok(Download::new(self, opened, Verb::Retr, offset))
    }

    /// Whether the server has RANG, and MODE allows it.
    ///
    /// # Errors
    ///
    /// [`Error`] of the connection.
    pub async fn serves_ranges(&mut self) -> Result<bool, Error> {
        Ok(self.deflate.is_none() && self.features().await?.has("RANG"))
    }

    /// RANG and RETR: a part of the file, from `first` up to but not including `end`. Where the server has
    /// no RANG, REST: then more comes than was asked for, and the caller stops reading.
    ///
    /// # Errors
    ///
    /// As [`Client::retrieve_from`].
    pub async fn retrieve_range(
        &mut self,
        path: impl AsRef<[u8]>,
        first: u64,
        end: u64,
    ) -> Result<Download<'_, D>, Error> {
        let path = argument(Phase::Command(Verb::Retr), path)?;
        let ranges = self.serves_ranges().await?;
        let Some(last) = end.checked_sub(1).filter(|last| ranges && *last >= first) else {
            return self.retrieve_from(path, first).await;
        };
        self.set_type(Type::Image).await?;
        let phase = Phase::Command(Verb::Rang);
        let range = Command::Rang(ByteRange { first, last });
        let reply = self.exchange(phase, &range).await?;
        if reply.code().class() != Class::Intermediate {
            return Err(Error::new(phase, Cause::Refused(reply)));
        }
        let mut opened = self.begin(Command::Retr(path), 0, Way::In).await?;
        opened.restarted = true;
        Ok(Download::new(self, opened, Verb::Retr, first))
    }

    /// STOR: a new file, or a new content for an old one.
    ///
    /// # Errors
    ///
    /// [`Error`]; when it returns, the server has agreed to take it.
    pub async fn store(&mut self, path: impl AsRef<[u8]>) -> Result<Upload<'_, D>, Error> {
        self.store_from(path, 0).await
    }

    /// REST and STOR: the rest of a file from an offset on.
    ///
    /// # Errors
    ///
    /// [`Error`]; a server that refuses to restart is one, and nothing was overwritten.
    pub async fn store_from(
        &mut self,
        path: impl AsRef<[u8]>,
        offset: u64,
    ) -> Result<Upload<'_, D>, Error> {
        let path = argument(Phase::Command(Verb::Stor), path)?;
        self.upload(Command::Stor(path), offset).await
    }

    /// APPE: behind the end of a file, which need not exist.
    ///
    /// # Errors
    ///
    /// As [`Client::store`].
    pub async fn append(&mut self, path: impl AsRef<[u8]>) -> Result<Upload<'_, D>, Error> {
        let path = argument(Phase::Command(Verb::Appe), path)?;
        self.upload(Command::Appe(path), 0).await
    }

    /// STOU: under a name of the server's choice, which [`Upload::unique_name`] gives.
    ///
    /// # Errors
    ///
    /// As [`Client::store`].
    pub async fn store_unique(&mut self) -> Result<Upload<'_, D>, Error> {
        self.upload(Command::Stou(None), 0).await
    }

    async fn upload(&mut self, command: Command, offset: u64) -> Result<Upload<'_, D>, Error> {
        self.set_type(Type::Image).await?;
        let verb = command.verb();
        let opened = self.begin(command, offset, Way::Out).await?;
        Ok(Upload::new(self, opened, verb))
    }

    /// SIZE in bytes; `None` if the server does not say: it is no file, or there is no such verb.
    ///
    /// # Errors
    ///
    /// [`Error`]; a refusal is none.
    pub async fn size(&mut self, path: impl AsRef<[u8]>) -> Result<Option<u64>, Error> {
        let phase = Phase::Command(Verb::Size);
        let path = argument(phase, path)?;
        // In ASCII the size would be another one, and many servers refuse to count it.
        self.set_type(Type::Image).await?;
        let reply = self.exchange(phase, &Command::Size(path)).await?;
        let is_answer = reply.code().class() == Class::Completion;
        Ok(answer::size(&reply).filter(|_| is_answer))
    }

    /// MDTM, in UTC; `None` if the server does not say.
    ///
    /// # Errors
    ///
    /// [`Error`]; a refusal is none.
    pub async fn modified(&mut self, path: impl AsRef<[u8]>) -> Result<Option<Timestamp>, Error> {
        let phase = Phase::Command(Verb::Mdtm);
        let path = argument(phase, path)?;
        let reply = self.exchange(phase, &Command::Mdtm(path)).await?;
        let is_answer = reply.code().class() == Class::Completion;
        Ok(answer::modified(&reply).filter(|_| is_answer))
    }

    /// SIZE and MDTM, and TYPE where it has to come before them, in one round trip if the server bears
    /// that; `None` for what it does not say.
    ///
    /// # Errors
    ///
    /// [`Error`]; a refusal is none.
    pub async fn size_and_modified(
        &mut self,
        path: impl AsRef<[u8]>,
    ) -> Result<(Option<u64>, Option<Timestamp>), Error> {
        let phase = Phase::Command(Verb::Size);
        let path = argument(phase, path)?;
        let mut commands = vec![Command::Size(path.clone()), Command::Mdtm(path)];
        let sets_type = self.representation != Some(Type::Image);
        if sets_type {
            commands.insert(0, Command::Type(Type::Image));
            self.representation = None;
        }
        let mut replies = self.exchange_all(phase, &commands).await?.into_iter();
        if sets_type && let Some(reply) = replies.next() {
            accepted(Phase::Command(Verb::Type), reply)?;
            self.representation = Some(Type::Image);
        }
        let mut yes = || {
            let reply = replies.next();
            reply.filter(|reply| reply.code().class() == Class::Completion)
        };
        let (size, modified) = (yes(), yes());
        Ok((
            size.as_ref().and_then(answer::size),
            modified.as_ref().and_then(answer::modified),
        ))
    }

    /// MFMT: sets the time of the last change.
    ///
    /// # Errors
    ///
    /// [`Error`].
    pub async fn set_modified(
        &mut self,
        path: impl AsRef<[u8]>,
        time: Timestamp,
    ) -> Result<(), Error> {
        let path = argument(Phase::Command(Verb::Mfmt), path)?;
        self.ask(Command::Mfmt(TimedPath { time, path })).await?;
        Ok(())
    }

    /// MLST: one entry, its name as the server spells the path.
    ///
    /// # Errors
    ///
    /// [`Error`].
    pub async fn facts(&mut self, path: impl AsRef<[u8]>) -> Result<Entry, Error> {
        let phase = Phase::Command(Verb::Mlst);
        let path = argument(phase, path)?;
        let reply = self.ask(Command::Mlst(Some(path))).await?;
        // The fact line stands between the first and the last one; pure-ftpd has it as the only one.
        let found = reply
            .inner_lines()
            .map(|line| line.strip_prefix(b" ").unwrap_or(line))
            .find_map(mlsx::parse);
        found.ok_or_else(|| Error::new(phase, Cause::Malformed(reply)))
    }

    /// PWD.
    ///
    /// # Errors
    ///
    /// [`Error`].
    pub async fn working_directory(&mut self) -> Result<Vec<u8>, Error> {
        let reply = self.ask(Command::Pwd).await?;
        quoted(Verb::Pwd, reply)
    }

    /// CWD.
    ///
    /// # Errors
    ///
    /// [`Error`].
    pub async fn change_directory(&mut self, path: impl AsRef<[u8]>) -> Result<(), Error> {
        let path = argument(Phase::Command(Verb::Cwd), path)?;
        self.ask(Command::Cwd(path)).await.map(drop)
    }

    /// CDUP.
    ///
    /// # Errors
    ///
    /// [`Error`].
    pub async fn change_to_parent(&mut self) -> Result<(), Error> {
        self.ask(Command::Cdup).await.map(drop)
    }

    /// MKD; gives the path as the server names it, or as it was asked for if the server does not.
    ///
    /// # Errors
    ///
    /// [`Error`].
    pub async fn make_directory(&mut self, path: impl AsRef<[u8]>) -> Result<Vec<u8>, Error> {
        let path = argument(Phase::Command(Verb::Mkd), path)?;
        let reply = self.ask(Command::Mkd(path.clone())).await?;
        Ok(address::unquote(reply.text()).unwrap_or_else(|| path.into_bytes()))
    }

    /// RMD.
    ///
    /// # Errors
    ///
    /// [`Error`].
    pub async fn remove_directory(&mut self, path: impl AsRef<[u8]>) -> Result<(), Error> {
        let path = argument(Phase::Command(Verb::Rmd), path)?;
        self.ask(Command::Rmd(path)).await.map(drop)
    }

    /// DELE.
    ///
    /// # Errors
    ///
    /// [`Error`].
    pub async fn delete(&mut self, path: impl AsRef<[u8]>) -> Result<(), Error> {
        let path = argument(Phase::Command(Verb::Dele), path)?;
        self.ask(Command::Dele(path)).await.map(drop)
    }

    /// RNFR and RNTO.
    ///
    /// # Errors
    ///
    /// [`Error`].
    pub async fn rename(
        &mut self,
        from: impl AsRef<[u8]>,
        to: impl AsRef<[u8]>,
    ) -> Result<(), Error> {
        let phase = Phase::Command(Verb::Rnfr);
        let from = argument(phase, from)?;
        let to = argument(Phase::Command(Verb::Rnto), to)?;
        let reply = self.exchange(phase, &Command::Rnfr(from)).await?;
        if reply.code().class() != Class::Intermediate {
            return Err(Error::new(phase, Cause::Refused(reply)));
        }
        self.ask(Command::Rnto(to)).await.map(drop)
    }

    /// NOOP.
    ///
    /// # Errors
    ///
    /// [`Error`].
    pub async fn noop(&mut self) -> Result<(), Error> {
        self.ask(Command::Noop).await.map(drop)
    }

    /// Any command that needs no data connection; its final reply, whatever it says.
    ///
    /// # Errors
    ///
    /// [`Error`] of the connection; a refusal is a reply.
    pub async fn command(&mut self, command: &Command) -> Result<Reply, Error> {
        // What a command of the caller's changed is no longer known.
        self.representation = None;
        let phase = Phase::Command(command.verb());
        self.exchange(phase, command).await
    }

    /// Several commands, sent ahead of their replies if the server bears that; the replies in order.
    ///
    /// # Errors
    ///
    /// [`Error`] of the connection; a refusal is a reply.
    pub async fn commands(&mut self, commands: &[Command]) -> Result<Vec<Reply>, Error> {
        self.representation = None;
        let Some(first) = commands.first() else {
            return Ok(Vec::new());
        };
        let phase = Phase::Command(first.verb());
        let mut replies = Vec::with_capacity(commands.len());
        // A server that reads nothing while we write and we read nothing while it writes would wait
        // for ever if both had more to say than the sockets hold.
        for some in commands.chunks(MAX_AHEAD) {
            replies.extend(self.exchange_all(phase, some).await?);
        }
        Ok(replies)
    }

    /// Any line, verbs included that nobody has heard of; its final reply, whatever it says.
    ///
    /// # Errors
    ///
    /// [`Error`] of the connection or the line; a refusal is a reply.
    pub async fn quote(&mut self, line: impl AsRef<[u8]>) -> Result<Reply, Error> {
        let line = argument(Phase::Quote, line)?;
        self.representation = None;
        self.settle(Phase::Quote).await?;
        self.wire.queue_line(&line);
        self.next_final(Phase::Quote).await
    }

    /// Any command whose answer comes over a data connection, as a stream.
    ///
    /// # Errors
    ///
    /// [`Error`].
    pub async fn retrieve_by(&mut self, command: Command) -> Result<Download<'_, D>, Error> {
        let verb = command.verb();
        let opened = self.begin(command, 0, Way::In).await?;
        Ok(Download::new(self, opened, verb, 0))
    }

    /// Any command whose argument goes over a data connection, as a stream. TYPE is the caller's to set.
    ///
    /// # Errors
    ///
    /// [`Error`].
    pub async fn store_by(&mut self, command: Command) -> Result<Upload<'_, D>, Error> {
        let verb = command.verb();
        let opened = self.begin(command, 0, Way::Out).await?;
        Ok(Upload::new(self, opened, verb))
    }

    /// SITE with these words.
    ///
    /// # Errors
    ///
    /// [`Error`].
    pub async fn site(&mut self, words: impl AsRef<[u8]>) -> Result<Reply, Error> {
        let words = argument(Phase::Command(Verb::Site), words)?;
        self.ask(Command::Site(words)).await
    }

    pub(crate) fn queue(&mut self, command: &Command) {
        self.wire.queue(command);
    }

    pub(crate) fn poll_exchange(
        &mut self,
        cx: &mut std::task::Context<'_>,
    ) -> std::task::Poll<Result<Reply, Cause>> {
        self.wire.poll_exchange(cx)
    }

    /// ABOR with Synch: the data mark as urgent data where the dialler can, else in line.
    pub(crate) async fn send_abort(&mut self, phase: Phase) -> Result<(), Error> {
        let limit = self.config.limits.reply;
        if !self.wire.transport.is_clear() {
            // Within TLS there is no urgent data, and Telnet bytes would be part of the verb.
            self.wire.queue(&Command::Abor);
        } else {
            let behind = self.wire.queue_abort();
            let wire = &mut self.wire;
            // The data mark and the line stay behind.
            let sent = std::future::poll_fn(|cx| wire.poll_send(cx, behind + 1));
            super::within(phase, limit, sent).await?;
            if let Some(socket) = self.wire.transport.socket()
                && self.dial.send_urgent(socket, DATA_MARK).is_ok()
            {
                self.wire.conversation.sent(1);
            }
        }
        let wire = &mut self.wire;
        super::within(phase, limit, std::future::poll_fn(|cx| wire.poll_flush(cx))).await
    }
}

/// Commands sent ahead of their replies: fits the socket buffers of both sides with the longest
/// replies servers give to such commands.
const MAX_AHEAD: usize = 64;

/// Telnet's data mark. RFC 854.
const DATA_MARK: u8 = 242;

/// `MODE Z`, with or without what follows.
fn is_mode_z(feature: &Feature) -> bool {
    let says_z = |words: &[u8]| {
        words
            .first()
            .is_some_and(|byte| byte.eq_ignore_ascii_case(&b'Z'))
    };
    feature.is("MODE") && says_z(feature.parameters())
}

fn quoted(verb: Verb, reply: Reply) -> Result<Vec<u8>, Error> {
    let phase = Phase::Command(verb);
    let reply = accepted(phase, reply)?;
    address::unquote(reply.text()).ok_or_else(|| Error::new(phase, Cause::Malformed(reply)))
}

/// A path that may be none.
pub(super) fn optional(phase: Phase, path: &[u8]) -> Result<Option<Argument>, Error> {
    match path {
        [] => Ok(None),
        path => argument(phase, path).map(Some),
    }
}
