//! Numbers for Prometheus.

use std::fmt;
use std::time::Instant;

use prometheus_client::encoding::{EncodeLabelSet, text};
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::metrics::histogram::Histogram;
use prometheus_client::registry::Registry;

use super::log::{end_word, refusal_word};
use crate::auth::Denied;
use crate::connection::Peer;
use crate::event::{Event, Observer};

/// Everything that is counted.
#[derive(Debug)]
pub struct Metrics {
    registry: Registry,
    sessions: Gauge,
    connections: Counter,
    refused: Family<Why, Counter>,
    logins: Family<Outcome, Counter>,
    commands: Family<Verb, Counter>,
    answers: Family<Answer, Counter>,
    login_failures: Family<Why, Counter>,
    replies: Family<Code, Counter>,
    transfers: Family<Transfer, Counter>,
    bytes: Family<Direction, Counter>,
    transfer_seconds: Family<Direction, Histogram>,
    session_seconds: Histogram,
}

#[derive(Clone, Debug, Hash, PartialEq, Eq, EncodeLabelSet)]
struct Why {
    reason: &'static str,
}

#[derive(Clone, Debug, Hash, PartialEq, Eq, EncodeLabelSet)]
struct Outcome {
    result: &'static str,
}

#[derive(Clone, Debug, Hash, PartialEq, Eq, EncodeLabelSet)]
struct Verb {
    verb: &'static str,
}

#[derive(Clone, Debug, Hash, PartialEq, Eq, EncodeLabelSet)]
struct Code {
    code: u16,
}

#[derive(Clone, Debug, Hash, PartialEq, Eq, EncodeLabelSet)]
struct Answer {
    verb: &'static str,
    code: u16,
}

#[derive(Clone, Debug, Hash, PartialEq, Eq, EncodeLabelSet)]
struct Build {
    version: &'static str,
}

#[derive(Clone, Debug, Hash, PartialEq, Eq, EncodeLabelSet)]
struct Direction {
    direction: &'static str,
}

#[derive(Clone, Debug, Hash, PartialEq, Eq, EncodeLabelSet)]
struct Transfer {
    direction: &'static str,
    result: &'static str,
}

impl Default for Metrics {
    fn default() -> Self {
        Self::new()
    }
}

impl Metrics {
    /// Everything at zero.
    #[must_use]
    pub fn new() -> Self {
        let mut registry = Registry::with_prefix("ftpd");
        let sessions = Gauge::default();
        registry.register(
            "sessions",
            "Control connections that are open",
            sessions.clone(),
        );
        let connections = Counter::default();
        registry.register(
            "connections",
            "Control connections let in",
            connections.clone(),
        );
        let refused = Family::default();
        registry.register(
            "connections_refused",
            "Connections turned away",
            refused.clone(),
        );
        let logins = Family::default();
        registry.register("logins", "Logins, by how they ended", logins.clone());
        let commands = Family::default();
        registry.register("commands", "Commands, by verb", commands.clone());
        let answers = Family::default();
        registry.register(
            "answers",
            "Commands, by verb and the code of the answer",
            answers.clone(),
        );
        let login_failures = Family::default();
        registry.register(
            "login_failures",
            "Logins that failed, by why",
            login_failures.clone(),
        );
        let build = Family::<Build, Gauge>::default();
        let version = env!("CARGO_PKG_VERSION");
        build.get_or_create(&Build { version }).set(1);
        registry.register("build_info", "The version that runs", build);
        let replies = Family::default();
        registry.register("replies", "Replies, by code", replies.clone());
        let transfers = Family::default();
        registry.register(
            "transfers",
            "Transfers, by how they ended",
            transfers.clone(),
        );
        let bytes = Family::default();
        registry.register("transfer_bytes", "Bytes on data connections", bytes.clone());
        let transfer_seconds =
            Family::new_with_constructor((|| Histogram::new(SECONDS)) as fn() -> Histogram);
        registry.register(
            "transfer_seconds",
            "How long transfers took",
            transfer_seconds.clone(),
        );
        let session_seconds = Histogram::new(SECONDS);
        registry.register(
            "session_seconds",
            "How long sessions lasted",
            session_seconds.clone(),
        );
        Self {
            registry,
            sessions,
            connections,
            refused,
            logins,
            commands,
            answers,
            login_failures,
            replies,
            transfers,
            bytes,
            transfer_seconds,
            session_seconds,
        }
    }

    /// The numbers in the text form of OpenMetrics.
    ///
    /// # Errors
    ///
    /// None that a string gives.
    pub fn page(&self) -> Result<String, fmt::Error> {
        let mut page = String::new();
        text::encode(&mut page, &self.registry)?;
        Ok(page)
    }
}

impl Observer for Metrics {
    fn observe(&self, peer: &Peer, event: &Event<'_>) {
        match event {
            Event::Accepted => {
                self.sessions.inc();
                self.connections.inc();
            }
            Event::Refused(why) => {
                let reason = refusal_word(*why);
                self.refused.get_or_create(&Why { reason }).inc();
            }
            Event::Request(request) => {
                // Only names we know: a stranger must not make series.
                let verb = match &request.command {
                    Ok(command) => command.verb().name(),
                    Err(error) => error.verb().map_or("unknown", |verb| verb.name()),
                };
                self.commands.get_or_create(&Verb { verb }).inc();
            }
            Event::Reply(code) => {
                let code = code.number();
                self.replies.get_or_create(&Code { code }).inc();
            }
            Event::LoggedIn(_) => {
                let result = "in";
                self.logins.get_or_create(&Outcome { result }).inc();
            }
            Event::Answered { verb, code } => {
                let (verb, code) = (verb.name(), code.number());
                self.answers.get_or_create(&Answer { verb, code }).inc();
            }
            Event::LoginFailed { why, .. } => {
                let reason = denied_word(*why);
                self.login_failures.get_or_create(&Why { reason }).inc();
                let result = "failed";
                self.logins.get_or_create(&Outcome { result }).inc();
            }
            Event::TransferBegan(_) => {}
            Event::TransferEnded(report) => {
                let direction = report.start.direction.word();
                let result = end_word(report.end);
                let label = Transfer { direction, result };
                self.transfers.get_or_create(&label).inc();
                let label = Direction { direction };
                self.bytes.get_or_create(&label).inc_by(report.bytes);
                let seconds = report.took.as_secs_f64();
                self.transfer_seconds.get_or_create(&label).observe(seconds);
            }
            Event::Disconnected(_) => {
                self.sessions.dec();
                let lasted = Instant::now().saturating_duration_since(peer.since);
                self.session_seconds.observe(lasted.as_secs_f64());
            }
        }
    }
}

const fn denied_word(why: Denied) -> &'static str {
    match why {
        Denied::Wrong => "wrong",
        Denied::Network => "network",
        Denied::NotSecure => "not_secure",
        Denied::TooMany => "too_many",
        Denied::Banned => "banned",
        Denied::Unavailable => "unavailable",
    }
}

/// The type of [`Metrics::page`].
pub const OPEN_METRICS: &str = "application/openmetrics-text; version=1.0.0; charset=utf-8";

/// Upper bounds, from a small file on a near network to a night.
const SECONDS: [f64; 10] = [
    0.01, 0.1, 0.5, 1.0, 5.0, 30.0, 120.0, 600.0, 3600.0, 28_800.0,
];
