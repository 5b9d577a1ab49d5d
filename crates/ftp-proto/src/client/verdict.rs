//! Which replies each step of the dialogue accepts: the one table of it.

use super::{Manner, Step};
use crate::reply::{Class, Code};

/// What a reply means to the step it answers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// Go on.
    Accept,
    /// Not done, but the dialogue can do without.
    Refused,
    /// Another reply will follow.
    Wait,
    /// The transfer has failed.
    Fail,
}

use Verdict::{Accept, Fail, Refused, Wait};

/// Judges the code of a reply to `step`.
#[must_use]
pub fn verdict(manner: Manner, step: Step, code: Code) -> Verdict {
    match manner {
        Manner::Standard => standard(step, code),
        Manner::BusyBox => busybox(step, code),
    }
}

/// RFC 959 §5.4.
fn standard(step: Step, code: Code) -> Verdict {
    let class = code.class();
    match (step, class) {
        (Step::Retr | Step::Stor, Class::Preliminary) => Accept,
        (_, Class::Preliminary) => Wait,
        // The end of our usefulness whatever was asked.
        (Step::Quit, _) => Accept,
        (_, _) if code == Code::SERVICE_UNAVAILABLE => Fail,
        (Step::User, Class::Intermediate) if code == Code::NEED_PASSWORD => Accept,
        (Step::Rest, Class::Intermediate) => Accept,
        (Step::Retr | Step::Stor | Step::Rest, Class::Completion) => Fail,
        (_, Class::Completion) => Accept,
        (Step::Epsv | Step::Size | Step::Rest, _) => Refused,
        _ => Fail,
    }
}

/// What BusyBox 1.35 compares with; see [`Manner::BusyBox`].
fn busybox(step: Step, code: Code) -> Verdict {
    let accepted = match step {
        Step::Greeting => code == Code::READY,
        Step::User => matches!(code, Code::LOGGED_IN | Code::NEED_PASSWORD),
        Step::Pass => code == Code::LOGGED_IN,
        Step::Type | Step::Quit => true,
        Step::Epsv => code == Code::EXTENDED_PASSIVE,
        Step::Pasv => code == Code::PASSIVE,
        Step::Size => code == Code::FILE_STATUS,
        Step::Rest => code == Code::PENDING,
        Step::Retr => code <= Code::OPENING_DATA,
        Step::Stor => matches!(code, Code::TRANSFER_STARTING | Code::OPENING_DATA),
        Step::Final => code == Code::TRANSFER_COMPLETE,
    };
    match (accepted, step) {
        (true, _) => Accept,
        (false, Step::Epsv | Step::Size | Step::Rest) => Refused,
        (false, _) => Fail,
    }
}
