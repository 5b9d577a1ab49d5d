//! suppaftp as a client of the benchmark: `bench-suppaftp HOST PORT get|put PATH...`.

use std::fs::File;
use std::path::Path;

use suppaftp::types::FileType;
use suppaftp::{FtpError, FtpStream};

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let words: Vec<String> = std::env::args().skip(1).collect();
    let [host, port, verb, paths @ ..] = words.as_slice() else {
        return Err("usage: bench-suppaftp HOST PORT get|put PATH...".into());
    };
    let mut ftp = FtpStream::connect(format!("{host}:{port}"))?;
    ftp.login("anonymous", "anonymous@")?;
    ftp.transfer_type(FileType::Binary)?;
    for path in paths {
        let name = Path::new(path).file_name().ok_or("no name")?;
        if verb == "get" {
            let mut out = File::create(name)?;
            ftp.retr(path, |body| {
                std::io::copy(body, &mut out)
                    .map(drop)
                    .map_err(FtpError::ConnectionError)
            })?;
        } else {
            let mut body = File::open(path)?;
            ftp.put_file(format!("up/{}", name.display()), &mut body)?;
        }
    }
    ftp.quit()?;
    Ok(())
}
