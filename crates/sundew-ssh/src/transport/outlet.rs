//! A channel's way to the client.

use bytes::Bytes;
use russh::server::{Handle, Msg};
use russh::{ChannelId, ChannelWriteHalf, Sig};

use crate::boundary::ExitStatus;
use crate::pump::{Gone, Outlet};

/// The number RFC 4254 §5.2 gives to standard error.
const STDERR: u32 = 1;

/// Writes within the client's window: the half waits for room, so data never queue up inside the
/// library, where they would hold up the connection's other channels.
pub(super) struct ChannelOutlet {
    pub(super) half: ChannelWriteHalf<Msg>,
    pub(super) handle: Handle,
}

impl ChannelOutlet {
    fn id(&self) -> ChannelId {
        self.half.id()
    }
}

impl Outlet for ChannelOutlet {
    async fn stdout(&self, bytes: Bytes) -> Result<(), Gone> {
        self.half.data_bytes(bytes).await.map_err(|_closed| Gone)
    }

    async fn stderr(&self, bytes: Bytes) -> Result<(), Gone> {
        self.half
            .extended_data_bytes(STDERR, bytes)
            .await
            .map_err(|_closed| Gone)
    }

    async fn end(&self) -> Result<(), Gone> {
        self.half.eof().await.map_err(|_closed| Gone)
    }

    async fn exit(&self, status: ExitStatus) -> Result<(), Gone> {
        match status {
            ExitStatus::Code(code) => self.half.exit_status(code).await.map_err(|_closed| Gone),
            ExitStatus::Signal { name, core } => {
                let signal = signal_named(name);
                let (message, language) = (String::new(), String::new());
                self.handle
                    .exit_signal_request(self.id(), signal, core, message, language)
                    .await
                    .map_err(|()| Gone)
            }
        }
    }

    async fn close(&self) -> Result<(), Gone> {
        self.half.close().await.map_err(|_closed| Gone)
    }
}

fn signal_named(name: String) -> Sig {
    match name.as_str() {
        "ABRT" => Sig::ABRT,
        "ALRM" => Sig::ALRM,
        "FPE" => Sig::FPE,
        "HUP" => Sig::HUP,
        "ILL" => Sig::ILL,
        "INT" => Sig::INT,
        "KILL" => Sig::KILL,
        "PIPE" => Sig::PIPE,
        "QUIT" => Sig::QUIT,
        "SEGV" => Sig::SEGV,
        "TERM" => Sig::TERM,
        "USR1" => Sig::USR1,
        _ => Sig::Custom(name),
    }
}

/// The signal's name without `SIG`.
pub(super) fn signal_name(signal: &Sig) -> &str {
    match signal {
        Sig::ABRT => "ABRT",
        Sig::ALRM => "ALRM",
        Sig::FPE => "FPE",
        Sig::HUP => "HUP",
        Sig::ILL => "ILL",
        Sig::INT => "INT",
        Sig::KILL => "KILL",
        Sig::PIPE => "PIPE",
        Sig::QUIT => "QUIT",
        Sig::SEGV => "SEGV",
        Sig::TERM => "TERM",
        Sig::USR1 => "USR1",
        Sig::Custom(name) => name,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn signals_keep_their_names() {
        for name in ["ABRT", "USR1", "USR2", "odd@example.com"] {
            assert_eq!(signal_name(&signal_named(name.to_owned())), name);
        }
    }
}
