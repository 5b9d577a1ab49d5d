//! One control connection as the client sees it: what is to be sent, and which replies are due.
//!
//! Every command is owed exactly one final reply. Counting them is what keeps a session usable
//! after a caller gave up in the middle, lets commands be sent ahead of their replies, and tells an
//! answer from a remark nobody asked for. Telnet's Synch before ABOR is written here too (RFC 959
//! §4.1.3, RFC 854).
//!
//! ```text
//!  queue ─▶ outgoing ─▶ (driver) ─▶ server ─▶ (driver) ─▶ receive ─▶ next_reply
//!              owed + 1                                   owed - 1 at each final reply
//! ```

use crate::argument::Argument;
use crate::command::Command;
use crate::line;
use crate::reply::{Class, Code, Decoder, Grammar, Reply, ReplyError};

/// Most replies of one class 1xx taken before a final one. RFC 959 knows one per command, some
/// servers send two; past the limit: [`ReplyError::TooLong`].
pub const MAX_PRELIMINARY_REPLIES: usize = 16;

/// The dialogue's bytes and the count of replies due.
#[derive(Debug)]
pub struct Conversation {
    decoder: Decoder,
    incoming: Vec<u8>,
    /// How much of `incoming` was used.
    start: usize,
    outgoing: Vec<u8>,
    owed: usize,
    preliminary: usize,
    /// A 421 that came unasked: the answer to whatever is asked next.
    farewell: Option<Reply>,
}

impl Conversation {
    /// A conversation before the greeting, which is the first reply due.
    #[must_use]
    pub fn new() -> Self {
        Self {
            decoder: Decoder::new(Grammar::Standard),
            incoming: Vec::new(),
            start: 0,
            outgoing: Vec::new(),
            owed: 1,
            preliminary: 0,
            farewell: None,
        }
    }

    /// Puts a command into the queue; one more reply is due.
    ///
    /// What the server said unasked before is dropped first, so that it cannot be taken for the
    /// answer; only a 421 (it is closing) is kept and will be.
    pub fn queue(&mut self, command: &Command) {
        if self.owed == 0 {
            self.drop_unasked();
        }
        self.outgoing.extend(command.to_wire());
        self.owed += 1;
    }

    /// Puts any line into the queue, as [`Conversation::queue`] does a command.
    pub fn queue_line(&mut self, words: &Argument) {
        if self.owed == 0 {
            self.drop_unasked();
        }
        line::encode(words.as_bytes(), &mut self.outgoing);
        self.owed += 1;
    }

    /// Puts ABOR into the queue with what RFC 959 §4.1.3 wants before it: IAC IP, and the data mark
    /// of the Synch. The returned number is how many bytes of [`Conversation::outgoing`], counted from
    /// the end, follow the byte that ought to go as urgent data.
    pub fn queue_abort(&mut self) -> usize {
        let line = Command::Abor.to_wire();
        self.outgoing.extend([IAC, IP, IAC, DATA_MARK]);
        self.outgoing.extend(&line);
        self.owed += 1;
        line.len()
    }

    /// Bytes to be sent.
    #[must_use]
    pub fn outgoing(&self) -> &[u8] {
        &self.outgoing
    }

    /// Notes that so many bytes were sent.
    pub fn sent(&mut self, count: usize) {
        self.outgoing.drain(..count.min(self.outgoing.len()));
    }

    /// Takes bytes from the server.
    pub fn receive(&mut self, bytes: &[u8]) {
        if self.start == self.incoming.len() {
            self.incoming.clear();
            self.start = 0;
        }
        self.incoming.extend(bytes);
    }

    /// The next reply, preliminary or final, if enough was received.
    ///
    /// # Errors
    ///
    /// [`ReplyError`]; the connection is of no use afterwards.
    pub fn next_reply(&mut self) -> Result<Option<Reply>, ReplyError> {
        let reply = match self.farewell.take() {
            Some(farewell) => Some(farewell),
            None => self.decode()?,
        };
        self.count(reply.as_ref())?;
        Ok(reply)
    }

    /// A last reply that came without its line end: call it when the server has closed.
    ///
    /// # Errors
    ///
    /// As [`Conversation::next_reply`].
    pub fn finish(&mut self) -> Result<Option<Reply>, ReplyError> {
        let reply = self.decoder.finish()?;
        self.count(reply.as_ref())?;
        Ok(reply)
    }

    /// The first line since the last reply that is none, if there is one: what a peer says that speaks
    /// another protocol.
    #[must_use]
    pub fn stray(&self) -> Option<&[u8]> {
        self.decoder.stray()
    }

    /// How many final replies are due.
    #[must_use]
    pub const fn owed(&self) -> usize {
        self.owed
    }

    /// No reply is due any more: what a fence has shown after ABOR, which some servers answer once
    /// and some twice.
    pub fn forgive(&mut self) {
        self.owed = 0;
    }

    /// Drops what was received and not yet read; call it right before a TLS handshake.
    ///
    /// Whatever was said in clear could be anybody's (CVE-2021-22947). Returns how many bytes.
    pub fn drop_received(&mut self) -> usize {
        let dropped = self.incoming.len() - self.start;
        self.incoming.clear();
        self.start = 0;
        self.decoder = Decoder::new(Grammar::Standard);
        dropped
    }

    fn count(&mut self, reply: Option<&Reply>) -> Result<(), ReplyError> {
        match reply.map(|reply| reply.code().class()) {
            None => {}
            Some(Class::Preliminary) => {
                self.preliminary += 1;
                if self.preliminary > MAX_PRELIMINARY_REPLIES {
                    return Err(ReplyError::TooLong);
                }
            }
            Some(_) => {
                self.preliminary = 0;
                self.owed = self.owed.saturating_sub(1);
            }
        }
        Ok(())
    }

    fn decode(&mut self) -> Result<Option<Reply>, ReplyError> {
        let mut rest = self.incoming.get(self.start..).unwrap_or_default();
        let before = rest.len();
        let decoded = self.decoder.decode(&mut rest);
        self.start += before - rest.len();
        decoded
    }

    fn drop_unasked(&mut self) {
        // What is unreadable now shows when the answer is awaited: the connection is then silent or
        // out of step, and a deadline ends it.
        while let Ok(Some(reply)) = self.decode() {
            if reply.code() == Code::SERVICE_UNAVAILABLE {
                self.farewell = Some(reply);
            }
        }
    }
}

impl Default for Conversation {
    fn default() -> Self {
        Self::new()
    }
}

const IAC: u8 = 255;
const IP: u8 = 244;
const DATA_MARK: u8 = 242;

#[cfg(test)]
mod tests {
    use super::*;

    fn greeted() -> Conversation {
        let mut conversation = Conversation::new();
        conversation.receive(b"220 ready\r\n");
        assert!(conversation.next_reply().unwrap().is_some());
        assert_eq!(conversation.owed(), 0);
        conversation
    }

    fn codes(conversation: &mut Conversation) -> Vec<u16> {
        let mut found = Vec::new();
        while let Some(reply) = conversation.next_reply().unwrap() {
            found.push(reply.code().number());
        }
        found
    }

    #[test]
    fn a_final_reply_pays_what_a_command_owes_and_a_preliminary_one_does_not() {
        let mut conversation = greeted();
        conversation.queue(&Command::Noop);
        conversation.queue(&Command::Pwd);
        assert_eq!(conversation.outgoing(), b"NOOP\r\nPWD\r\n");
        conversation.sent(6);
        assert_eq!(conversation.outgoing(), b"PWD\r\n");
        conversation.receive(b"200 ok\r\n150 odd\r\n25");
        assert_eq!(codes(&mut conversation), [200, 150]);
        assert_eq!(conversation.owed(), 1);
        conversation.receive(b"7 \"/\"\r\n");
        assert_eq!(codes(&mut conversation), [257]);
        assert_eq!(conversation.owed(), 0);
    }

    #[test]
    fn what_nobody_asked_for_is_dropped_but_a_farewell_is_not() {
        let mut conversation = greeted();
        conversation.receive(b"226 late\r\n");
        conversation.queue(&Command::Noop);
        conversation.receive(b"200 ok\r\n");
        assert_eq!(codes(&mut conversation), [200]);
        conversation.receive(b"226 late\r\n421 idle\r\n");
        conversation.queue(&Command::Noop);
        assert_eq!(codes(&mut conversation), [421]);
    }

    #[test]
    fn an_abort_carries_the_synch_before_its_line() {
        let mut conversation = greeted();
        let behind = conversation.queue_abort();
        assert_eq!(conversation.outgoing(), b"\xff\xf4\xff\xf2ABOR\r\n");
        assert_eq!(behind, 6);
    }

    #[test]
    fn what_was_said_before_a_handshake_is_dropped() {
        let mut conversation = greeted();
        conversation.receive(b"230 in\r\n25");
        assert_eq!(conversation.drop_received(), 10);
        conversation.receive(b"200 ok\r\n");
        assert_eq!(codes(&mut conversation), [200]);
    }

    #[test]
    fn preliminary_replies_without_end_are_an_error() {
        let mut conversation = Conversation::new();
        conversation.receive(&b"120 soon\r\n".repeat(MAX_PRELIMINARY_REPLIES + 1));
        let error = loop {
            match conversation.next_reply() {
                Ok(reply) => assert!(reply.is_some(), "the flood is taken for silence"),
                Err(error) => break error,
            }
        };
        assert_eq!(error, ReplyError::TooLong);
    }
}
