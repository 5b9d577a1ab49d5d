//! Programs of the operator around commands and after transfers.
//!
//! They are told in their environment, never on their command line: `FTP_EVENT`, `FTP_SESSION`,
//! `FTP_ADDRESS`, `FTP_USER`, `FTP_DIRECTORY`, `FTP_VERB`, `FTP_ARGUMENT`, `FTP_CODE`, and for
//! transfers `FTP_PATH`, `FTP_DIRECTION`, `FTP_BYTES`, `FTP_SECONDS`, `FTP_END`. The bytes are the
//! client's: a script has to quote them.

use std::ffi::OsString;
use std::os::unix::ffi::OsStringExt;
use std::sync::Arc;
use std::time::Duration;

use ftp_proto::{Code, Command};
use futures_util::future::BoxFuture;
use tokio::runtime::Handle;
use tokio::sync::Semaphore;

use super::config::Hooks;
use super::log::end_word;
use super::program::{Program, Runner};
use crate::connection::Peer;
use crate::event::{Event, Observer};
use crate::handler::{Answer, Request};
use crate::hook::{Hook, Visitor};
use crate::live::Live;

/// `hooks.before` and `hooks.after`.
#[derive(Debug)]
pub struct Commands {
    before: Option<Program>,
    after: Option<Program>,
    verbs: Vec<String>,
    timeout: Duration,
    places: Arc<Semaphore>,
}

impl Commands {
    /// What the configuration names, if it names anything.
    #[must_use]
    pub fn new(hooks: &Hooks, runner: &Runner) -> Option<Self> {
        let program = |line: &Vec<String>| Program::new(line, runner);
        let (before, after) = (program(&hooks.before), program(&hooks.after));
        let has_work = (before.is_some() || after.is_some()) && !hooks.verbs.is_empty();
        has_work.then(|| Self {
            before,
            after,
            verbs: hooks
                .verbs
                .iter()
                .map(|verb| verb.to_ascii_uppercase())
                .collect(),
            timeout: hooks.timeout.0,
            places: Arc::new(Semaphore::new(hooks.concurrency)),
        })
    }

    fn concerns<'r>(&self, request: &'r Request) -> Option<(&'static str, &'r Command)> {
        let command = request.command.as_ref().ok()?;
        let verb = command.verb().name();
        self.verbs
            .iter()
            .any(|other| other == verb)
            .then_some((verb, command))
    }

    fn environment(
        event: &'static str,
        visitor: Visitor<'_>,
        verb: &'static str,
        request: &Request,
    ) -> Environment {
        let mut environment = Environment::new(event, visitor.peer);
        if let Some(user) = visitor.user {
            environment.add("FTP_USER", user.as_bytes());
        }
        environment.add("FTP_DIRECTORY", visitor.directory);
        environment.add("FTP_VERB", verb.as_bytes());
        // A password is not shown, here as in logs.
        if verb != "PASS" {
            let blank = request.line.iter().position(|&byte| byte == b' ');
            let argument = blank.and_then(|blank| request.line.get(blank + 1..));
            environment.add("FTP_ARGUMENT", argument.unwrap_or_default());
        }
        environment
    }
}

impl Hook for Commands {
    fn before<'a>(
        &'a self,
        visitor: Visitor<'a>,
        request: &'a Request,
    ) -> BoxFuture<'a, Option<Answer>> {
        Box::pin(async move {
            let program = self.before.as_ref()?;
            let (verb, _) = self.concerns(request)?;
            let environment = Self::environment("before", visitor, verb, request);
            let _place = self.places.acquire().await.ok()?;
            let run = program
                .run(&environment.list(), Vec::new(), self.timeout)
                .await;
            match run {
                Ok(finished) if finished.status.success() => None,
                Ok(finished) => {
                    let line = finished.stdout.split(|&byte| byte == b'\n').next();
                    let text = line.unwrap_or_default().trim_ascii();
                    let text = if text.is_empty() { REFUSED } else { text };
                    Some(Answer::reply(Code::FILE_UNAVAILABLE, text))
                }
                // What cannot be asked is not allowed: the program is there to refuse.
                Err(error) => {
                    tracing::error!(%error, "hook");
                    Some(Answer::reply(Code::LOCAL_ERROR, UNAVAILABLE))
                }
            }
        })
    }

    fn after<'a>(
        &'a self,
        visitor: Visitor<'a>,
        request: &'a Request,
        code: Option<Code>,
    ) -> BoxFuture<'a, ()> {
        let (Some(program), Some((verb, _))) = (&self.after, self.concerns(request)) else {
            return Box::pin(std::future::ready(()));
        };
        let mut environment = Self::environment("after", visitor, verb, request);
        if let Some(code) = code {
            environment.add("FTP_CODE", code.number().to_string().as_bytes());
        }
        Box::pin(async move {
            if let Ok(_place) = self.places.acquire().await
                && let Err(error) = program
                    .run(&environment.list(), Vec::new(), self.timeout)
                    .await
            {
                tracing::error!(%error, "hook");
            }
        })
    }
}

/// `hooks.transfer`.
#[derive(Debug)]
pub struct Transfers {
    report: Live<Option<Report>>,
    runtime: Handle,
}

#[derive(Debug)]
struct Report {
    program: Program,
    timeout: Duration,
    places: Arc<Semaphore>,
}

impl Transfers {
    /// What the configuration names, if it names anything; the programs run on this runtime.
    #[must_use]
    pub fn new(hooks: &Hooks, runner: &Runner, runtime: Handle) -> Self {
        Self {
            report: Live::new(Report::new(hooks, runner)),
            runtime,
        }
    }

    /// From now on what another configuration names is run.
    pub fn change(&self, hooks: &Hooks, runner: &Runner) {
        self.report.store(Report::new(hooks, runner));
    }
}

impl Report {
    fn new(hooks: &Hooks, runner: &Runner) -> Option<Self> {
        Some(Self {
            program: Program::new(&hooks.transfer, runner)?,
            timeout: hooks.timeout.0,
            places: Arc::new(Semaphore::new(hooks.concurrency)),
        })
    }
}

impl Observer for Transfers {
    fn observe(&self, peer: &Peer, event: &Event<'_>) {
        let Event::TransferEnded(report) = event else {
            return;
        };
        let hook = self.report.load();
        let Some(hook) = &*hook else {
            return;
        };
        let Ok(place) = Arc::clone(&hook.places).try_acquire_owned() else {
            tracing::warn!(
                id = peer.id,
                "too many hooks run, a transfer is not reported"
            );
            return;
        };
        let mut environment = Environment::new("transfer", peer);
        let start = &report.start;
        environment.add("FTP_USER", start.user.as_bytes());
        environment.add("FTP_PATH", start.path.as_bytes());
        environment.add("FTP_DIRECTION", start.direction.word().as_bytes());
        environment.add("FTP_BYTES", report.bytes.to_string().as_bytes());
        environment.add("FTP_SECONDS", report.took.as_secs().to_string().as_bytes());
        environment.add("FTP_END", end_word(report.end).as_bytes());
        let (program, time) = (hook.program.clone(), hook.timeout);
        // Bounded by the semaphore and the timeout; ends with the runtime.
        drop(self.runtime.spawn(async move {
            if let Err(error) = program.run(&environment.list(), Vec::new(), time).await {
                tracing::error!(%error, "hook");
            }
            drop(place);
        }));
    }
}

struct Environment(Vec<(&'static str, OsString)>);

impl Environment {
    fn new(event: &'static str, peer: &Peer) -> Self {
        let mut environment = Self(Vec::new());
        environment.add("FTP_EVENT", event.as_bytes());
        environment.add("FTP_SESSION", peer.id.to_string().as_bytes());
        environment.add("FTP_ADDRESS", peer.address.ip().to_string().as_bytes());
        environment
    }

    fn add(&mut self, name: &'static str, value: &[u8]) {
        // An environment cannot hold NUL; no path that exists does either.
        let value: Vec<u8> = value.iter().copied().filter(|byte| *byte != 0).collect();
        self.0.push((name, OsString::from_vec(value)));
    }

    fn list(&self) -> Vec<(&str, &std::ffi::OsStr)> {
        let pairs = self.0.iter();
        pairs
            .map(|(name, value)| (*name, value.as_os_str()))
            .collect()
    }
}

const REFUSED: &[u8] = b"Refused.";
const UNAVAILABLE: &[u8] = b"Requested action aborted. Local error in processing.";

#[cfg(test)]
mod tests {
    use std::time::Instant;

    use ftp_proto::Argument;

    use super::*;
    use crate::daemon::config::Span;

    fn hooks(script: &str) -> Commands {
        let line = ["/bin/sh", "-c", script].map(str::to_owned).to_vec();
        let hooks = Hooks {
            before: line.clone(),
            after: line,
            verbs: vec!["dele".to_owned()],
            timeout: Span(Duration::from_secs(20)),
            ..Hooks::default()
        };
        Commands::new(&hooks, &Runner::Here).unwrap()
    }

    fn peer() -> Peer {
        Peer {
            id: 3,
            address: "192.0.2.1:5".parse().unwrap(),
            local: "127.0.0.1:2".parse().unwrap(),
            since: Instant::now(),
        }
    }

    #[tokio::test]
    async fn a_program_may_refuse_a_command_with_its_own_words() {
        let hooks = hooks("echo \"$FTP_USER may not $FTP_VERB $FTP_ARGUMENT\"; exit 1");
        let (peer, user) = (peer(), Argument::try_from("anna").unwrap());
        let visitor = Visitor {
            peer: &peer,
            user: Some(&user),
            directory: b"/",
        };
        let request = Request::new(b"DELE $(touch x) y".to_vec());
        let answer = hooks.before(visitor, &request).await.unwrap();
        let text = answer.reply.unwrap().to_string();
        assert!(
            text.contains("550 anna may not DELE $(touch x) y"),
            "{text}"
        );
        let other = Request::new(b"NOOP".to_vec());
        assert!(hooks.before(visitor, &other).await.is_none());
    }

    #[tokio::test]
    async fn one_that_agrees_lets_the_command_go_on_and_one_that_is_missing_does_not() {
        let peer = peer();
        let visitor = Visitor {
            peer: &peer,
            user: None,
            directory: b"/",
        };
        let request = Request::new(b"DELE x".to_vec());
        assert!(hooks("true").before(visitor, &request).await.is_none());
        let mut missing = hooks("true");
        missing.before = Program::new(&["/nonexistent".to_owned()], &Runner::Here);
        let answer = missing.before(visitor, &request).await.unwrap();
        assert!(answer.reply.unwrap().to_string().contains("451"));
    }

    #[tokio::test]
    async fn afterwards_a_program_is_told_the_code() {
        let dir = tempfile::tempdir().unwrap();
        let file = dir.path().join("said");
        let script = format!("echo $FTP_EVENT $FTP_CODE > '{}'", file.display());
        let peer = peer();
        let visitor = Visitor {
            peer: &peer,
            user: None,
            directory: b"/",
        };
        let request = Request::new(b"DELE x".to_vec());
        hooks(&script)
            .after(visitor, &request, Code::new(250))
            .await;
        assert_eq!(std::fs::read_to_string(&file).unwrap(), "after 250\n");
    }
}
