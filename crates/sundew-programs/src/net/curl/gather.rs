//! Reads the files that curl's options name: configuration, data, forms, uploads.

use sundew_kernel::descriptor::OpenFlags;
use sundew_kernel::{ExitStatus, Process};

use super::options::Options;

/// Reads the files that options name; a status if that ends it all.
pub(super) async fn gather(proc: &mut Process, options: &mut Options) -> Option<ExitStatus> {
    for path in std::mem::take(&mut options.configs) {
        if let Ok(text) = read_file(proc, &path).await {
            if let Some(refused) = options.read_config(&text) {
                let text = [
                    b"curl: ".as_slice(),
                    &refused,
                    b"\ncurl: try 'curl --help' or 'curl --manual' for more information\n",
                ]
                .concat();
                proc.print_error(&text).await;
                return Some(ExitStatus::Exited(2));
            }
            continue;
        }
        let text = String::from_utf8_lossy(&path).into_owned();
        let text = format!(
            "curl: cannot read config from '{text}'\ncurl: option -K: error encountered when reading a file\ncurl: try 'curl --help' or 'curl --manual' for more information\n"
        );
        proc.print_error(text.as_bytes()).await;
        return Some(ExitStatus::Exited(26));
    }
    let mut data: Vec<u8> = Vec::new();
    for piece in std::mem::take(&mut options.pieces) {
        if !data.is_empty() && !piece.json {
            data.push(b'&');
        }
        let Some(path) = piece.text.strip_prefix(b"@").filter(|_| piece.may_be_file) else {
            data.extend(piece.text);
            continue;
        };
        match read_file(proc, path).await {
            Ok(bytes) => data.extend(
                bytes
                    .into_iter()
                    .filter(|byte| piece.binary || !b"\r\n\0".contains(byte)),
            ),
            Err(_) => {
                let words = b"Warning: Couldn't read data from file \"".as_slice();
                let rest = b"\", this makes an empty POST.\n";
                proc.print_error(&[words, path, rest].concat()).await;
            }
        }
    }
    options.data = options.data.take().map(|_| data);
    if options.forms.iter().any(|field| !field.contains(&b'=')) {
        let text = b"Warning: Illegally formatted input field!\ncurl: option -F: is badly used here\ncurl: try 'curl --help' or 'curl --manual' for more information\n";
        proc.print_error(text).await;
        return Some(ExitStatus::Exited(2));
    }
    if !options.forms.is_empty()
        && let Some(status) = form(proc, options).await
    {
        return Some(status);
    }
    if let Some(path) = options.upload.take() {
        match read_file(proc, &path).await {
            Ok(bytes) => options.upload = Some(bytes),
            Err(_) => {
                let text = [b"curl: Can't open '".as_slice(), &path, b"'!\ncurl: try 'curl --help' or 'curl --manual' for more information\ncurl: (26) Failed to open/read local data from file/application\n"].concat();
                proc.print_error(&text).await;
                return Some(ExitStatus::Exited(26));
            }
        }
    }
    None
}

/// A whole file, or standard input for `-`.
pub(super) async fn read_file(
    proc: &mut Process,
    path: &[u8],
) -> Result<Vec<u8>, sundew_kernel::Errno> {
    if path == b"-" {
        return Ok(proc.read_to_end(sundew_kernel::STDIN).await?.0);
    }
    let fd = proc.open(path, OpenFlags::READ, 0).await?;
    let bytes = proc.read_to_end(fd).await;
    // Opened here.
    let _open = proc.close(fd);
    Ok(bytes?.0)
}

/// `-F`: RFC 7578.
async fn form(proc: &mut Process, options: &mut Options) -> Option<ExitStatus> {
    let boundary = format!("------------------------{:016x}", proc.random());
    let mut body = Vec::new();
    for field in std::mem::take(&mut options.forms) {
        let at = field.iter().position(|&byte| byte == b'=').unwrap_or(0);
        let (name, value) = field.split_at(at);
        let value = value.get(1..).unwrap_or_default();
        body.extend(
            format!("--{boundary}\r\nContent-Disposition: form-data; name=\"").into_bytes(),
        );
        body.extend_from_slice(name);
        body.push(b'"');
        let file = value
            .strip_prefix(b"@")
            .or_else(|| value.strip_prefix(b"<"));
        let Some(file) = file else {
            body.extend([b"\r\n\r\n", value, b"\r\n"].concat());
            continue;
        };
        let path = file.split(|&byte| byte == b';').next().unwrap_or_default();
        let Ok(bytes) = read_file(proc, path).await else {
            let text = b"curl: (26) Failed to open/read local data from file/application\n";
            proc.print_error(text).await;
            return Some(ExitStatus::Exited(26));
        };
        if value.starts_with(b"@") {
            let base = path.rsplit(|&byte| byte == b'/').next().unwrap_or_default();
            let kind: &[u8] = match base.rsplit(|&byte| byte == b'.').next() {
                Some(b"txt") => b"text/plain",
                Some(b"html") => b"text/html",
                Some(b"jpg" | b"jpeg") => b"image/jpeg",
                Some(b"png") => b"image/png",
                _ => b"application/octet-stream",
            };
            let more = [
                b"; filename=\"".as_slice(),
                base,
                b"\"\r\nContent-Type: ",
                kind,
            ]
            .concat();
            body.extend(more);
        }
        body.extend([b"\r\n\r\n", bytes.as_slice(), b"\r\n"].concat());
    }
    body.extend(format!("--{boundary}--\r\n").into_bytes());
    options.content_type = Some(format!("multipart/form-data; boundary={boundary}").into_bytes());
    options.data = Some(body);
    None
}
