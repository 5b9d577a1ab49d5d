//! What curl asks for, in its order of headers.

use super::options::Options;
use crate::net::fetch::{Manner, Request, Url, decoded, request as plain};

/// The request for one URL.
pub(super) fn request(options: &Options, url: &Url, output: Option<&[u8]>, offset: u64) -> Request {
    let mut url = url.clone();
    let login = login(options, &url);
    let mut body = Vec::new();
    let posts = options.data.is_some() && !options.data_in_url;
    if options.data_in_url
        && let Some(data) = &options.data
    {
        let sign = if url.path.contains(&b'?') { b'&' } else { b'?' };
        url.path.push(sign);
        url.path.extend_from_slice(data);
    }
    let mut headers = Headers {
        options,
        text: Vec::new(),
    };
    headers.add("Host", &url.authority());
    if let Some((user, password)) = login.as_ref().filter(|_| url.scheme.is_web()) {
        use base64::Engine as _;
        let text = [user.as_slice(), b":", password].concat();
        let text = base64::engine::general_purpose::STANDARD.encode(text);
        headers.add("Authorization", format!("Basic {text}").as_bytes());
    }
    if let Some(range) = &options.range {
        headers.add("Range", &[b"bytes=".as_slice(), range].concat());
    } else if offset > 0 {
        headers.add("Range", format!("bytes={offset}-").as_bytes());
    }
    let agent = options.agent.as_deref().unwrap_or(b"curl/7.88.1");
    if !agent.is_empty() {
        headers.add("User-Agent", agent);
    }
    headers.add(
        "Accept",
        if options.json {
            b"application/json"
        } else {
            b"*/*"
        },
    );
    if options.compressed {
        headers.add("Accept-Encoding", b"deflate, gzip, br, zstd");
    }
    if let Some(referer) = &options.referer {
        headers.add("Referer", referer);
    }
    if let Some(cookie) = &options.cookie {
        headers.add("Cookie", cookie);
    }
    headers.text.extend(options.custom());
    if let Some(since) = &options.since {
        headers.add("If-Modified-Since", since);
    }
    let mut upload = None;
    if let Some(bytes) = &options.upload {
        if url.scheme.is_web() {
            body.clone_from(bytes);
            headers.add("Content-Length", body.len().to_string().as_bytes());
        } else {
            upload = Some(bytes.clone());
        }
    } else if let (Some(data), true) = (&options.data, posts) {
        body.clone_from(data);
        headers.add("Content-Length", body.len().to_string().as_bytes());
        let usual: &[u8] = if options.json {
            b"application/json"
        } else {
            b"application/x-www-form-urlencoded"
        };
        headers.add(
            "Content-Type",
            options.content_type.as_deref().unwrap_or(usual),
        );
    }
    let usual: &[u8] = match (options.head, &options.upload) {
        (true, _) => b"HEAD",
        (false, Some(_)) => b"PUT",
        (false, None) if posts => b"POST",
        (false, None) => b"GET",
    };
    Request {
        method: options.method.clone().unwrap_or_else(|| usual.to_vec()),
        headers: headers.text,
        body,
        wants_error_body: !options.fail || options.fail_with_body,
        checks_certificate: !options.insecure,
        proxy: options.proxy.clone(),
        manner: Manner::Curl,
        upload,
        login,
        offset,
        ..plain(&url, output.unwrap_or_default())
    }
}

fn login(options: &Options, url: &Url) -> Option<(Vec<u8>, Vec<u8>)> {
    let (text, escaped) = match (&options.user, &url.userinfo) {
        (Some(text), _) => (text, false),
        (None, Some(info)) => (info, true),
        (None, None) => return None,
    };
    let mut parts = text.splitn(2, |&byte| byte == b':');
    let mut part = || {
        let part = parts.next().unwrap_or_default();
        if escaped {
            decoded(part)
        } else {
            part.to_vec()
        }
    };
    Some((part(), part()))
}

struct Headers<'a> {
    options: &'a Options,
    text: Vec<u8>,
}

impl Headers<'_> {
    /// Adds curl's own unless `-H` replaces it. The host keeps its place at the top.
    fn add(&mut self, name: &str, value: &[u8]) {
        let value = match self.options.replaced(name) {
            None => value,
            Some(custom) if name == "Host" && !custom.is_empty() => custom,
            Some(_) => return,
        };
        let safe = value.iter().copied().filter(|byte| !b"\r\n".contains(byte));
        self.text.extend(name.bytes().chain(*b": "));
        self.text.extend(safe.chain(*b"\r\n"));
    }
}
