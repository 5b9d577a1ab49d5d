//! Sends commands the library has no method for, and prints what the server says.
//!
//! ```text
//! cargo run -p ftp-client --example custom_command -- ftp.example.org 'SITE HELP' 'STAT'
//! ```

#![allow(
    clippy::print_stdout,
    clippy::disallowed_methods,
    reason = "a program for people"
)]

use std::error::Error;

use ftp_client::{Client, Config, Login, dial::Tcp};

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Box<dyn Error>> {
    let mut words = std::env::args().skip(1);
    let host = words.next().ok_or("usage: custom_command HOST LINE...")?;
    let mut client = Client::connect(Tcp, Config::at(&host)).await?;
    client.login(&Login::anonymous()).await?;
    for line in words {
        let reply = client.quote(&line).await?;
        for text in reply.lines() {
            println!("{} {}", reply.code(), text.escape_ascii());
        }
    }
    client.quit().await?;
    Ok(())
}
