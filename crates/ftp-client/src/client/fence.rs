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
        self.wire.queue(&Command::Noop);
        self.note_keep_alive();
        let mut answers = keep_alives + 1;
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
