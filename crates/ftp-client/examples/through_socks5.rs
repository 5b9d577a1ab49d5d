//! Lists a directory through a SOCKS5 proxy, which also looks the name up.
//!
//! ```text
//! cargo run -p ftp-client --example through_socks5 -- 127.0.0.1:1080 ftp.example.org pub
//! ```

#![allow(
    clippy::print_stdout,
    clippy::disallowed_methods,
    reason = "a program for people"
)]

use std::error::Error;

use ftp_client::proxy::Socks5;
use ftp_client::{Client, Config, Login, dial::Tcp};

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Box<dyn Error>> {
    let mut words = std::env::args().skip(1);
    let (Some(proxy), Some(host)) = (words.next(), words.next()) else {
        return Err("usage: through_socks5 PROXY:PORT HOST [DIRECTORY]".into());
    };
    let dial = Socks5::new(Tcp, proxy.parse()?);
    let mut client = Client::connect(dial, Config::at(&host)).await?;
    client.login(&Login::anonymous()).await?;
    let listing = client.list(words.next().unwrap_or_default()).await?;
    for entry in listing.entries {
        let size = entry.size.map_or_else(String::new, |size| size.to_string());
        println!("{size:>12} {}", entry.name.escape_ascii());
    }
    client.quit().await?;
    Ok(())
}
