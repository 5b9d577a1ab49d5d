//! `bench-libunftp ROOT PORT CERT KEY`: libunftp over a directory, anonymous, on 127.0.0.1.

use std::error::Error;

use libunftp::ServerBuilder;
use unftp_sbe_fs::Filesystem;

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [root, port, cert, key] = arguments.as_slice() else {
        return Err("usage: bench-libunftp ROOT PORT CERT KEY".into());
    };
    // Whether it can be opened at all; each session opens it anew.
    Filesystem::new(root.clone())?;
    let root = root.clone();
    let files = move || Filesystem::new(root.clone()).unwrap_or_else(|error| panic!("{error}"));
    let server = ServerBuilder::new(Box::new(files))
        .passive_ports(20_000..=60_000)
        .idle_session_timeout(3600)
        .ftps(cert, key)
        .build()?;
    server.listen(format!("127.0.0.1:{port}")).await?;
    Ok(())
}
