//! The client's side: [`Conversation`] for a control connection used freely, [`Dialogue`] for one
//! transfer from greeting to QUIT; [`answer`] reads the texts of replies.
//!
//! The order of a [`Dialogue`] is that of BusyBox `ftpget` and `ftpput`: greeting, USER, PASS, TYPE I, EPSV (PASV if
//! that is refused), for a download SIZE and REST, then RETR or STOR, the bytes, the final reply,
//! QUIT. No bytes are moved here. The driver asks [`Dialogue::action`], does it, and reports back:
//!
//! ```text
//!  Ask(step) ── reply ──▶ Ask(next step) ─ … ─▶ Connecting ─ connected ─▶ Ask(Size)
//!     │ 1xx                                                                  │ reply
//!     ▼                                                                      ▼
//!  Wait(step)        Done ◀─ Quit ◀─ Wait(Final) ◀─ Transferring ◀─ Retr ◀─ ChoosingOffset
//! ```
//!
//! An address in a 227 is handed on for the record; the driver connects to the control peer with
//! the announced port, whatever the address says (CVE-2020-8284, CVE-2021-4189).

pub mod answer;
mod conversation;
mod verdict;

use std::fmt;
use std::net::SocketAddrV4;

pub use self::conversation::{Conversation, MAX_PRELIMINARY_REPLIES};
pub use self::verdict::{Verdict, verdict};
use crate::address;
use crate::argument::Argument;
use crate::command::{Command, ExtendedPassive};
use crate::reply::{Code, Reply, ReplyError};
use crate::transfer::Type;

/// What to do, decided before the connection is made.
#[derive(Clone, Debug)]
pub struct Job {
    /// For USER.
    pub user: Argument,
    /// For PASS; `None` sends an empty one.
    pub password: Option<Argument>,
    /// For SIZE, RETR and STOR, sent as it is: there is no CWD.
    pub path: Argument,
    /// Which way the bytes go.
    pub direction: Direction,
    /// How strictly replies are judged.
    pub manner: Manner,
}

/// Which way the bytes go.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Direction {
    /// From the server: RETR.
    Retrieve,
    /// To the server: STOR.
    Store,
}

/// How replies are judged.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Manner {
    /// By their first digit, as RFC 959 §5.4 and RFC 1123 §4.1.2.11 ask; 1xx replies are waited out.
    Standard,
    /// By the exact codes BusyBox 1.35 compares with: 220, 230, 331, 229, 227, 213, 350, up to 150
    /// for RETR, 125 and 150 for STOR, 226. The reply to TYPE and QUIT is not looked at.
    BusyBox,
}

/// The point of the dialogue a reply belongs to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Step {
    /// The server's first word.
    Greeting,
    /// USER.
    User,
    /// PASS.
    Pass,
    /// TYPE I.
    Type,
    /// EPSV.
    Epsv,
    /// PASV.
    Pasv,
    /// SIZE.
    Size,
    /// REST.
    Rest,
    /// RETR.
    Retr,
    /// STOR.
    Stor,
    /// The reply after the data connection has ended.
    Final,
    /// QUIT.
    Quit,
}

/// What the driver is to do now.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Action {
    /// Send this command, then read one reply and give it to [`Dialogue::handle_reply`].
    Send(Command),
    /// Read one reply and give it to [`Dialogue::handle_reply`]; nothing is sent.
    AwaitReply,
    /// Open the data connection to the control peer's address and this port, then call
    /// [`Dialogue::connected`].
    Connect {
        /// The port from the 229 or 227.
        port: u16,
        /// The whole address from a 227, for the record only.
        announced: Option<SocketAddrV4>,
    },
    /// Say with [`Dialogue::choose_offset`] where to begin; BusyBox looks at the local file only now.
    ChooseOffset {
        /// The size the server gave, if it did.
        size: Option<u64>,
    },
    /// Move the bytes, close the data connection, then call [`Dialogue::transferred`].
    Transfer {
        /// Which way.
        direction: Direction,
        /// The offset REST was accepted for, else 0: the local file begins there.
        offset: u64,
    },
    /// The server has answered QUIT; close.
    Done,
}

/// How a transfer failed on the control connection.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ClientError {
    /// A reply that does not fit the step.
    UnexpectedReply {
        /// The step it answers.
        step: Step,
        /// The reply; [`Reply::last_line`] is what people want to see.
        reply: Reply,
    },
    /// A 229 or 227 without a readable address.
    BadAddress {
        /// EPSV or PASV.
        step: Step,
        /// The reply.
        reply: Reply,
    },
    /// The server closed the connection while a reply was awaited.
    Closed {
        /// The step whose reply was awaited.
        step: Step,
    },
    /// The server's bytes are no reply.
    Unreadable {
        /// The step whose reply was awaited.
        step: Step,
        /// What is wrong with them.
        error: ReplyError,
    },
}

/// The dialogue of one [`Job`].
#[derive(Clone, Debug)]
pub struct Dialogue {
    job: Job,
    phase: Phase,
}

impl Dialogue {
    /// A dialogue before the greeting.
    #[must_use]
    pub const fn new(job: Job) -> Self {
        Self {
            job,
            phase: Phase::Wait(Asked::Greeting),
        }
    }

    /// What to do now; asking twice gives the same answer.
    #[must_use]
    pub fn action(&self) -> Action {
        match &self.phase {
            Phase::Ask(asked) => match self.command(*asked) {
                Some(command) => Action::Send(command),
                None => Action::AwaitReply,
            },
            Phase::Wait(_) => Action::AwaitReply,
            Phase::Connecting { port, announced } => Action::Connect {
                port: *port,
                announced: *announced,
            },
            Phase::ChoosingOffset { size } => Action::ChooseOffset { size: *size },
            Phase::Transferring { offset } => Action::Transfer {
                direction: self.job.direction,
                offset: *offset,
            },
            Phase::Done => Action::Done,
        }
    }

    /// The step whose reply is awaited or asked for next; `None` while it is the driver's turn.
    #[must_use]
    pub const fn step(&self) -> Option<Step> {
        match &self.phase {
            Phase::Ask(asked) | Phase::Wait(asked) => Some(asked.step()),
            Phase::Connecting { .. }
            | Phase::ChoosingOffset { .. }
            | Phase::Transferring { .. }
            | Phase::Done => None,
        }
    }

    /// Takes one reply of the server.
    ///
    /// A reply that comes while it is the driver's turn (nobody awaits one) is ignored.
    ///
    /// # Errors
    ///
    /// [`ClientError::UnexpectedReply`] and [`ClientError::BadAddress`]; the dialogue is over.
    pub fn handle_reply(&mut self, reply: Reply) -> Result<(), ClientError> {
        let (Phase::Ask(asked) | Phase::Wait(asked)) = self.phase else {
            return Ok(());
        };
        let step = asked.step();
        self.phase = match verdict(self.job.manner, step, reply.code()) {
            Verdict::Accept => self.accepted(asked, reply)?,
            Verdict::Refused => self.refused(asked),
            Verdict::Wait => Phase::Wait(asked),
            Verdict::Fail => return Err(ClientError::UnexpectedReply { step, reply }),
        };
        Ok(())
    }

    /// The error for a server that closed or sent what is no reply, with the step it happened in.
    #[must_use]
    pub fn failure(&self, error: Option<ReplyError>) -> ClientError {
        // While the driver is busy, the next reply due is the final one.
        let step = self.step().unwrap_or(Step::Final);
        match error {
            None => ClientError::Closed { step },
            Some(error) => ClientError::Unreadable { step, error },
        }
    }

    /// The data connection stands.
    pub fn connected(&mut self) {
        if matches!(self.phase, Phase::Connecting { .. }) {
            self.phase = Phase::Ask(match self.job.direction {
                Direction::Retrieve => Asked::Size,
                Direction::Store => Asked::Stor,
            });
        }
    }

    /// Where the download is to begin; 0 sends no REST.
    pub fn choose_offset(&mut self, offset: u64) {
        if matches!(self.phase, Phase::ChoosingOffset { .. }) {
            self.phase = Phase::Ask(match offset {
                0 => Asked::Retr { offset: 0 },
                offset => Asked::Rest { offset },
            });
        }
    }

    /// All bytes are moved and the data connection is closed.
    pub fn transferred(&mut self) {
        if matches!(self.phase, Phase::Transferring { .. }) {
            self.phase = Phase::Wait(Asked::Final);
        }
    }

    fn command(&self, asked: Asked) -> Option<Command> {
        let job = &self.job;
        Some(match asked {
            Asked::Greeting | Asked::Final => return None,
            Asked::User => Command::User(job.user.clone()),
            Asked::Pass => Command::Pass(job.password.clone()),
            Asked::Type => Command::Type(Type::Image),
            Asked::Epsv => Command::Epsv(ExtendedPassive::Default),
            Asked::Pasv => Command::Pasv,
            Asked::Size => Command::Size(job.path.clone()),
            Asked::Rest { offset } => Command::Rest(offset),
            Asked::Retr { .. } => Command::Retr(job.path.clone()),
            Asked::Stor => Command::Stor(job.path.clone()),
            Asked::Quit => Command::Quit,
        })
    }

    fn accepted(&self, asked: Asked, reply: Reply) -> Result<Phase, ClientError> {
        let step = asked.step();
        Ok(match asked {
            Asked::Greeting => Phase::Ask(Asked::User),
            Asked::User if reply.code() == Code::NEED_PASSWORD => Phase::Ask(Asked::Pass),
            Asked::User | Asked::Pass => Phase::Ask(Asked::Type),
            Asked::Type => Phase::Ask(Asked::Epsv),
            Asked::Epsv => match address::scan_extended_passive(reply.text()) {
                Some(port) => Phase::Connecting {
                    port,
                    announced: None,
                },
                None => return Err(ClientError::BadAddress { step, reply }),
            },
            Asked::Pasv => match address::scan_passive(reply.text()) {
                Some(announced) => Phase::Connecting {
                    port: announced.port(),
                    announced: Some(announced),
                },
                None => return Err(ClientError::BadAddress { step, reply }),
            },
            Asked::Size => Phase::ChoosingOffset {
                size: address::parse_number(reply.text().trim_ascii()),
            },
            Asked::Rest { offset } => Phase::Ask(Asked::Retr { offset }),
            Asked::Retr { offset } => Phase::Transferring { offset },
            Asked::Stor => Phase::Transferring { offset: 0 },
            Asked::Final => Phase::Ask(Asked::Quit),
            Asked::Quit => Phase::Done,
        })
    }

    /// The step failed in a way the dialogue can go round.
    fn refused(&self, asked: Asked) -> Phase {
        match asked {
            Asked::Epsv => Phase::Ask(Asked::Pasv),
            Asked::Size => Phase::ChoosingOffset { size: None },
            // Without REST the whole file comes.
            Asked::Rest { .. } => Phase::Ask(Asked::Retr { offset: 0 }),
            Asked::Type => Phase::Ask(Asked::Epsv),
            Asked::Quit => Phase::Done,
            // `verdict` refuses nothing else.
            other @ (Asked::Greeting
            | Asked::User
            | Asked::Pass
            | Asked::Pasv
            | Asked::Retr { .. }
            | Asked::Stor
            | Asked::Final) => Phase::Wait(other),
        }
    }
}

impl Step {
    /// The verb that is being answered; `None` for the greeting and the final reply.
    #[must_use]
    pub const fn verb(self) -> Option<&'static str> {
        match self {
            Self::Greeting | Self::Final => None,
            Self::User => Some("USER"),
            Self::Pass => Some("PASS"),
            Self::Type => Some("TYPE"),
            Self::Epsv => Some("EPSV"),
            Self::Pasv => Some("PASV"),
            Self::Size => Some("SIZE"),
            Self::Rest => Some("REST"),
            Self::Retr => Some("RETR"),
            Self::Stor => Some("STOR"),
            Self::Quit => Some("QUIT"),
        }
    }
}

impl fmt::Display for Step {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Greeting => "greeting",
            Self::Final => "end of transfer",
            other => other.verb().unwrap_or_default(),
        })
    }
}

impl fmt::Display for ClientError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::UnexpectedReply { step, reply } => {
                write!(f, "{step}: unexpected reply: {reply}")
            }
            Self::BadAddress { step, reply } => write!(f, "{step}: no address in: {reply}"),
            Self::Closed { step } => write!(f, "{step}: the server closed the connection"),
            Self::Unreadable { step, error } => write!(f, "{step}: {error}"),
        }
    }
}

impl std::error::Error for ClientError {}

#[derive(Clone, Debug)]
enum Phase {
    /// The command is to be sent, or was sent and its reply is due.
    Ask(Asked),
    /// A reply is due without a command.
    Wait(Asked),
    Connecting {
        port: u16,
        announced: Option<SocketAddrV4>,
    },
    ChoosingOffset {
        size: Option<u64>,
    },
    Transferring {
        offset: u64,
    },
    Done,
}

/// A [`Step`] with what has to be remembered until its reply.
#[derive(Clone, Copy, Debug)]
enum Asked {
    Greeting,
    User,
    Pass,
    Type,
    Epsv,
    Pasv,
    Size,
    Rest { offset: u64 },
    Retr { offset: u64 },
    Stor,
    Final,
    Quit,
}

impl Asked {
    const fn step(self) -> Step {
        match self {
            Self::Greeting => Step::Greeting,
            Self::User => Step::User,
            Self::Pass => Step::Pass,
            Self::Type => Step::Type,
            Self::Epsv => Step::Epsv,
            Self::Pasv => Step::Pasv,
            Self::Size => Step::Size,
            Self::Rest { .. } => Step::Rest,
            Self::Retr { .. } => Step::Retr,
            Self::Stor => Step::Stor,
            Self::Final => Step::Final,
            Self::Quit => Step::Quit,
        }
    }
}

#[cfg(test)]
mod tests;
