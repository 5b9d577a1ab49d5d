//! Finding the way back after a transfer that was given up.
//!
//! Servers answer with 426 and 226, 226 twice, 225 or 226 once, and pure-ftpd (seen in 1.0.50) with
//! a last line that says 150. So nothing is counted: a NOOP is sent behind, and whatever comes
//! before its answer belongs to the transfer.

use std::time::Duration;

use ftp_proto::Command;
use ftp_proto::reply::Code;

use super::Client;
use crate::dial::Dial;
use crate::error::{Cause, Error, Phase};

/// How long the transfer's own reply is awaited, where nothing may be sent before it.
const PATIENCE: Duration = Duration::from_secs(3);

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
        if !self.pipelines && self.wire.conversation.owed() > 0 {
            let was_lost = self.lost;
            match self.next_final_within(phase, PATIENCE).await {
                Ok(_about_the_transfer) => {}
                Err(error) if matches!(error.cause(), Cause::Timeout(_)) => self.lost = was_lost,
                Err(error) => return Err(error),
            }
        }
        self.wire.conversation.queue(&Command::Noop);
        self.note_keep_alive();
        let mut answers = keep_alives + 1;
        for _ in 0..MAX_REPLIES {
            let reply = self.next_final(phase).await?;
            let is_answer = matches!(
                reply.code(),
                Code::OKAY | Code::SYNTAX_ERROR | Code::NOT_IMPLEMENTED | Code::NOT_LOGGED_IN
            );
            if is_answer {
                self.note_keep_alive_answered();
                answers -= 1;
            }
            if answers == 0 {
                break;
            }
        }
        self.wire.conversation.forgive();
        self.transfer_is_over();
        Ok(())
    }
}
