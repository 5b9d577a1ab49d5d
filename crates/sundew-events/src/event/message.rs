//! The sentence of each event, worded as Cowrie words it.

use std::fmt;

use super::{
    Captured, Credential, DownloadSource, Event, EventKind, FileDownload, Login, Protocol, Target,
    UploadProtocol,
};

impl Event {
    /// The event as a sentence: the field `message`.
    #[must_use]
    pub fn message(&self) -> String {
        match &self.kind {
            EventKind::SessionConnect => self.connect_message(),
            EventKind::ClientVar { name, value } => match self.connection.protocol() {
                Protocol::Telnet => format!("Telnet NEW-ENVIRON: {name}={value}"),
                Protocol::Ssh | Protocol::Ftp => format!("request_env: {name}={value}"),
            },
            kind => kind.message(),
        }
    }

    fn connect_message(&self) -> String {
        let ((src_ip, src_port), (dst_ip, dst_port)) =
            (self.connection.src(), self.connection.dst());
        let session = self.connection.session();
        format!("New connection: {src_ip}:{src_port} ({dst_ip}:{dst_port}) [session: {session}]")
    }
}

impl EventKind {
    /// The sentence of the kinds that need nothing from the envelope.
    fn message(&self) -> String {
        match self {
            // Worded with the envelope, above. An empty sentence is what Cowrie writes for params.
            Self::SessionConnect | Self::ClientVar { .. } | Self::SessionParams { .. } => {
                String::new()
            }
            Self::SessionClosed { duration_ms } => {
                format!("Connection lost after {duration_ms} milliseconds")
            }
            Self::ClientVersion { version } => format!("Remote SSH version: {version}"),
            Self::ClientKex(kex) => format!("SSH client hassh fingerprint: {}", kex.hassh),
            Self::ClientFingerprint { username, key } => format!(
                "public key attempt for user {username} of type {} with fingerprint {}",
                key.algorithm, key.fingerprint
            ),
            Self::ClientSize { width, height } => format!("Terminal Size: {width} {height}"),
            Self::LoginSuccess(login) => login.message("succeeded"),
            Self::LoginFailed(login) => login.message("failed"),
            Self::CommandInput { realm: None, input } => format!("CMD: {input}"),
            Self::CommandInput {
                realm: Some(realm),
                input,
            } => {
                format!("INPUT ({realm}): {input}")
            }
            Self::CommandFailed { command, arguments } => {
                format!("Command not found: {command} {arguments}")
            }
            Self::FileDownload(download) => download.message(),
            Self::FileDownloadFailed { url, error } => failed_message(url, error.as_ref()),
            Self::FileUpload(upload) => format!(
                "{} Uploaded file \"{}\" to {}",
                upload.via, upload.filename, upload.stored.outfile
            ),
            Self::LogClosed(log) => {
                format!(
                    "Closing TTY Log: {} after {} milliseconds",
                    log.ttylog, log.duration_ms
                )
            }
            Self::DirectTcpipRequest { target, origin } => {
                format!("direct-tcp connection request to {target} from {origin}")
            }
            Self::DirectTcpipData {
                target,
                data,
                channel,
            } => {
                format!(
                    "discarded direct-tcp forward request {channel} to {target} with data {data}"
                )
            }
            Self::BudgetSpent { budget, of } => {
                format!("Limit of the {of} reached: {budget}")
            }
            Self::CommandUnimplemented { program, input, .. } => {
                format!("No emulation of {program}: {input}")
            }
            Self::WindowChange { width, height } => format!("Window Change: {width} {height}"),
            Self::CaptureLost {
                what,
                reason,
                bytes,
            } => {
                format!("Lost {bytes} bytes of {what}: {reason}")
            }
            Self::EgressRefused { target, reason, .. } => {
                format!("Refused connection to {target}: {reason}")
            }
        }
    }
}

fn failed_message(url: &impl fmt::Display, error: Option<&impl fmt::Display>) -> String {
    let mut message = format!("Attempt to download file(s) from URL ({url}) failed");
    if let Some(error) = error {
        message.push_str(&format!(": {error}"));
    }
    message
}

impl Login {
    fn message(&self, outcome: &str) -> String {
        let username = &self.username;
        match &self.credential {
            Credential::Password(password) => {
                format!("login attempt [{username}/{password}] {outcome}")
            }
            Credential::PublicKey(_) => {
                format!("public key login attempt for [{username}] {outcome}")
            }
            Credential::Nothing => format!("login attempt [{username}] {outcome}"),
        }
    }
}

impl FileDownload {
    fn message(&self) -> String {
        let (shasum, outfile) = (self.stored.shasum, &self.stored.outfile);
        match &self.source {
            DownloadSource::Url { url, .. } => {
                format!("Downloaded URL ({url}) with SHA-256 {shasum} to {outfile}")
            }
            DownloadSource::Stdin => {
                format!("Saved stdin contents with SHA-256 {shasum} to {outfile}")
            }
            DownloadSource::Redirect { .. } => {
                format!("Saved redir contents with SHA-256 {shasum} to {outfile}")
            }
        }
    }
}

impl fmt::Display for Target {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.host, self.port)
    }
}

impl fmt::Display for UploadProtocol {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Sftp => "SFTP",
            Self::Scp => "SCP",
            Self::Ftp => "FTP",
        })
    }
}

impl fmt::Display for Captured {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Artifact => "artifact",
            Self::Recording => "recording",
        })
    }
}
