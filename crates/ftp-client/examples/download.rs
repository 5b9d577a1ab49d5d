//! Downloads one file with progress, and continues where an earlier attempt stopped.
//!
//! ```text
//! cargo run -p ftp-client --example download -- ftp.example.org pub/file [LOCAL]
//! ```

#![allow(
    clippy::print_stderr,
    clippy::disallowed_methods,
    reason = "a program for people"
)]

use std::error::Error;

use ftp_client::{Client, Config, Login, dial::Tcp};
use tokio::io::{AsyncReadExt, AsyncSeekExt, AsyncWriteExt};

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Box<dyn Error>> {
    let mut words = std::env::args().skip(1);
    let (Some(host), Some(path)) = (words.next(), words.next()) else {
        return Err("usage: download HOST PATH [LOCAL]".into());
    };
    let local = words
        .next()
        .or_else(|| path.rsplit('/').next().map(str::to_owned))
        .ok_or("no local name")?;

    let mut client = Client::connect(Tcp, Config::at(&host)).await?;
    client.login(&Login::anonymous()).await?;
    let total = client.size(&path).await?;

    let mut file = tokio::fs::OpenOptions::new()
        .create(true)
        .append(true)
        .open(&local)
        .await?;
    let have = file.metadata().await?.len();
    let mut body = client.retrieve_from(&path, have).await?;
    // A server that does not restart sends everything again.
    file.set_len(body.offset()).await?;
    file.seek(std::io::SeekFrom::End(0)).await?;

    let mut chunk = vec![0; 64 * 1024];
    loop {
        let count = body.read(&mut chunk).await?;
        if count == 0 {
            break;
        }
        file.write_all(chunk.get(..count).unwrap_or_default())
            .await?;
        let done = body.offset() + body.received();
        match total {
            Some(total) => eprint!("\r{done} of {total} bytes"),
            None => eprint!("\r{done} bytes"),
        }
    }
    eprintln!();
    file.flush().await?;
    body.finish().await?;
    client.quit().await?;
    Ok(())
}
