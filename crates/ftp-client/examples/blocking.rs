//! Uploads one file over TLS, without async.
//!
//! ```text
//! cargo run -p ftp-client --example blocking -- ftp.example.org USER PASSWORD LOCAL REMOTE
//! ```

#![allow(clippy::disallowed_methods, reason = "a program for people")]

use std::error::Error;
use std::fs::File;

use ftp_client::blocking::Client;
use ftp_client::{Config, Login, Security, TlsOptions};

fn main() -> Result<(), Box<dyn Error>> {
    let words: Vec<String> = std::env::args().skip(1).collect();
    let [host, user, password, local, remote] = words.as_slice() else {
        return Err("usage: blocking HOST USER PASSWORD LOCAL REMOTE".into());
    };
    let mut config = Config::at(host);
    config.security = Security::Explicit(TlsOptions::system()?);
    let mut client = Client::connect(config)?;
    client.login(&Login::new(user.as_str(), password.as_str()))?;
    let mut file = File::open(local)?;
    let mut upload = client.store(remote, 0)?;
    std::io::copy(&mut file, &mut upload)?;
    upload.finish()?;
    client.quit()?;
    Ok(())
}
