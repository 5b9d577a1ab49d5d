//! Finding the way back after a transfer that was given up.
//!
//! Servers answer with 426 and 226, 226 twice, 225 or 226 once, and pure-ftpd (seen in 1.0.50) with
//! a last line that says 150 or 500. So nothing is counted: a NOOP is sent behind, and the way is
//! free once it is answered and something was said about the transfer, in either order.

use std::time::Duration;

use ftp_proto::reply::Code;
use ftp_proto::{Command, Reply};

use super::Client;
use crate::dial::Dial;
use crate::error::{Cause, Error, Phase};

/// How long a reply is awaited that may never come: the transfer's, where nothing may be sent before
/// it or the NOOP behind it is answered already; and the answer to NOOP, where nothing is owed.
const PATIENCE: Duration = Duration::from_secs(1);

/// Most replies read up to the answer: those of the transfer, of ABOR and of keep-alives.
const MAX_REPLIES: usize = 64;

impl<D: Dial> Client<D> {
    /// The transfer's last reply was read.
    pub(crate) const fn transfer_is_over(&mut self) {
        self.unfinished = None;
    }

    pub(crate) const fn note_late_keep_alives(&mut self, count: usize) {
        self.late_keep_alives = count;
    }

    pub(crate) fn note_keep_alive(&mut self) {
        self.unfinished = self.unfinished.map(|count| count + 1);
    }

    pub(crate) fn note_keep_alive_answered(&mut self) {
        self.unfinished = self.unfinished.map(|count| count.saturating_sub(1));
    }

    /// Reads past everything that belongs to the last transfer.
    ///
    /// Dropped in the middle, the next one begins anew, behind this one.
    pub(crate) async fn fence(&mut self, phase: Phase) -> Result<(), Error> {
        let Some(keep_alives) = self.unfinished else {
            return Ok(());
        };
        let mut about_transfer = 0;
        if !self.pipelines && self.wire.conversation.owed() > 0 {
            about_transfer += usize::from(self.next_soon(phase).await?.is_some());
        }
        if keep_alives > 0 {
            about_transfer += self.read_past_keep_alives(phase).await?;
            if about_transfer == 0 {
                self.next_soon(phase).await?;
                self.wire.conversation.forgive();
            }
            self.transfer_is_over();
            return Ok(());
        }
        self.wire.queue(&Command::Noop);
        self.note_keep_alive();
        let mut answers = 1;
        for _ in 0..MAX_REPLIES {
            if answers == 0 && about_transfer > 0 {
                break;
            }
            let reply = if answers == 0 || self.wire.conversation.owed() == 0 {
                let Some(reply) = self.next_soon(phase).await? else {
                    break;
                };
                reply
            } else {
                self.next_final(phase).await?
            };
            if reply.code() == Code::OKAY && answers > 0 {
                self.note_keep_alive_answered();
                answers -= 1;
            } else {
                about_transfer += 1;
            }
        }
        self.wire.conversation.forgive();
        self.transfer_is_over();
        Ok(())
    }

    /// Reads the answers to signs of life that the transfer's end has overtaken.
    pub(crate) async fn catch_up(&mut self, phase: Phase) -> Result<(), Error> {
        while self.late_keep_alives > 0 && self.wire.conversation.owed() > 0 {
            if self.next_soon(phase).await?.is_none() {
                return self.read_past_keep_alives(phase).await.map(drop);
            }
            self.late_keep_alives -= 1;
        }
        self.late_keep_alives = 0;
        Ok(())
    }

    /// pure-ftpd (seen in 1.0.50) answers all that came during a transfer with one 500, so how many
    /// answers there will be is not known: a PWD is sent behind, whose 257 is like none of them. Gives how
    /// many replies before it were about something else than a NOOP.
    async fn read_past_keep_alives(&mut self, phase: Phase) -> Result<usize, Error> {
        self.wire.queue(&Command::Pwd);
        let mut others = 0;
        while self.wire.conversation.owed() > 0 {
            match self.next_final(phase).await?.code() {
                Code::PATHNAME => break,
                code => others += usize::from(code != Code::OKAY),
            }
        }
        self.wire.conversation.forgive();
        self.late_keep_alives = 0;
        Ok(others)
    }

    async fn next_soon(&mut self, phase: Phase) -> Result<Option<Reply>, Error> {
        let was_lost = self.lost;
        match self.next_final_within(phase, PATIENCE).await {
            Ok(reply) => Ok(Some(reply)),
            Err(error) if matches!(error.cause(), Cause::Timeout(_)) => {
                self.lost = was_lost;
                Ok(None)
            }
            Err(error) => Err(error),
        }
    }
}
