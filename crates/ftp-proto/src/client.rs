//! The client's side: [`Conversation`] for a control connection, [`answer`] for what the texts of replies
//! mean.
//!
//! What is asked in which order is the driver's (`ftp_client::client`, and `ftp_client::busybox` where
//! every byte has to be BusyBox's): a caller decides that from step to step. What holds whatever is
//! asked is here: which reply belongs to which command, and what may be believed of it.

pub mod answer;
mod conversation;

pub use self::conversation::{Conversation, MAX_PRELIMINARY_REPLIES};
