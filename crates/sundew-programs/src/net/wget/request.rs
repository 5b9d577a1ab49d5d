//! What wget asks for, in its words and their order.

use super::{Job, Session, Shown, Zone};
use crate::net::fetch::{Manner, Request, Url, request};

impl Session {
    pub(super) fn request(&self, url: &Url, job: &Job, destination: &[u8]) -> Request {
        let options = &self.options;
        let mut headers = Headers(Vec::new());
        headers.add("Host", &url.authority());
        if job.offset > 0 {
            headers.add("Range", format!("bytes={}-", job.offset).as_bytes());
        }
        if let Some(since) = job.since {
            let shown = Shown::new(since, &Zone::utc()).format(b"%a, %d %b %Y %H:%M:%S GMT");
            headers.add("If-Modified-Since", &shown);
        }
        if let Some(referer) = options.referer.as_ref().or(job.referer.as_ref()) {
            headers.add("Referer", referer);
        }
        let agent = options.agent.as_deref().unwrap_or(b"Wget/1.21.3");
        if !agent.is_empty() {
            headers.add("User-Agent", agent);
        }
        headers.add("Accept", b"*/*");
        headers.add("Accept-Encoding", b"identity");
        let login = self.login(url);
        if let Some((user, password)) = &login {
            use base64::Engine as _;
            let text = [user.as_slice(), b":", password].concat();
            let text = base64::engine::general_purpose::STANDARD.encode(text);
            headers.add("Authorization", format!("Basic {text}").as_bytes());
        }
        headers.add("Connection", b"Keep-Alive");
        let body = options.post.clone().unwrap_or_default();
        if options.post.is_some() {
            headers.add("Content-Type", b"application/x-www-form-urlencoded");
            headers.add("Content-Length", body.len().to_string().as_bytes());
        }
        headers.0.extend_from_slice(&options.headers);
        let usual: &[u8] = if options.spider {
            b"HEAD"
        } else if options.post.is_some() {
            b"POST"
        } else {
            b"GET"
        };
        Request {
            method: options.method.clone().unwrap_or_else(|| usual.to_vec()),
            headers: headers.0,
            body,
            checks_certificate: !options.trusts_anybody,
            manner: Manner::Wget,
            login,
            offset: job.offset,
            ..request(url, destination)
        }
    }

    fn login(&self, url: &Url) -> Option<(Vec<u8>, Vec<u8>)> {
        if let Some(info) = &url.userinfo {
            let mut parts = info.splitn(2, |&byte| byte == b':');
            let mut part = || crate::net::fetch::decoded(parts.next().unwrap_or_default());
            return Some((part(), part()));
        }
        let user = self.options.user.clone()?;
        Some((user, self.options.password.clone().unwrap_or_default()))
    }
}

struct Headers(Vec<u8>);

impl Headers {
    fn add(&mut self, name: &str, value: &[u8]) {
        self.0.extend_from_slice(name.as_bytes());
        self.0.extend_from_slice(b": ");
        let safe = |byte: &&u8| !b"\r\n".contains(*byte);
        self.0.extend(value.iter().filter(safe));
        self.0.extend_from_slice(b"\r\n");
    }
}
