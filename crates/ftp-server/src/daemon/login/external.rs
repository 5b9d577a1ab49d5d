//! Logins decided elsewhere: a program, or a web service.
//!
//! Both read one JSON object, `{"user", "password", "address", "local", "tls"}`, and answer with one:
//! `{"allow": false}`, or `{"allow": true, …}` with the keys of `[user.NAME]`. A program reads it from
//! standard input, so that no password shows in a process list.

use std::sync::Arc;

use tokio::sync::Semaphore;

use crate::auth::{Attempt, Denied};
use crate::daemon::config::{Login, UserSection};
use crate::daemon::http::{self, Trust, Url};
use crate::daemon::program::{self, Program, Runner};

/// Whoever knows more users than the configuration.
#[derive(Debug)]
pub struct External {
    oracle: Oracle,
    timeout: std::time::Duration,
    questions: Arc<Semaphore>,
}

#[derive(Debug)]
enum Oracle {
    Program(Program),
    Web(Url, Trust),
}

impl External {
    /// What `[login]` names, if it names anything.
    ///
    /// # Errors
    ///
    /// What is wrong with `login.authorities`.
    pub fn new(login: &Login, runner: &Runner) -> Result<Option<Self>, String> {
        let oracle = match (Program::new(&login.command, runner), &login.url) {
            (Some(program), _) => Oracle::Program(program),
            (None, Some(url)) => {
                if !url.is_private() {
                    tracing::warn!(
                        "`login.url` is not https: passwords go over a network in the clear"
                    );
                }
                Oracle::Web(url.clone(), trust(login, url)?)
            }
            (None, None) => return Ok(None),
        };
        Ok(Some(Self {
            oracle,
            timeout: login.timeout.0,
            questions: Arc::new(Semaphore::new(login.concurrency)),
        }))
    }

    /// What a user may do.
    ///
    /// # Errors
    ///
    /// [`Denied::Wrong`] if the answer says so, [`Denied::Unavailable`] if there is none.
    pub async fn ask(&self, attempt: Attempt<'_>) -> Result<UserSection, Denied> {
        // JSON is text. A name that is not has no user anywhere we could ask.
        let text = |bytes| std::str::from_utf8(bytes).map_err(|_| Denied::Wrong);
        let question = serde_json::json!({
            "user": text(attempt.user.as_bytes())?,
            "password": text(attempt.password)?,
            "address": attempt.peer.address.ip(),
            "local": attempt.peer.local,
            "tls": attempt.tls.is_some(),
        });
        let question = question.to_string().into_bytes();
        let Ok(_permit) = self.questions.acquire().await else {
            return Err(Denied::Unavailable);
        };
        let answer = match &self.oracle {
            Oracle::Program(program) => {
                let run = program.run(&[], question, self.timeout).await;
                run.and_then(program::Finished::output)
            }
            Oracle::Web(url, trust) => http::post(url, trust, question, self.timeout).await,
        };
        let answer = answer.map_err(|error| {
            tracing::error!(%error, "no answer about a login");
            Denied::Unavailable
        })?;
        read(&answer)
    }
}

/// How the service is asked.
///
/// # Errors
///
/// What is wrong with `login.authorities`.
pub fn trust(login: &Login, url: &Url) -> Result<Trust, String> {
    let Some(path) = &login.authorities else {
        return Trust::of(url, None);
    };
    let about = |text: String| format!("{}: {text}", path.display());
    let pem = std::fs::read(path).map_err(|error| about(error.to_string()))?;
    Trust::of(url, Some(&pem)).map_err(about)
}

fn read(answer: &[u8]) -> Result<UserSection, Denied> {
    let unreadable = |error: &dyn std::fmt::Display| {
        tracing::error!(%error, "the answer about a login cannot be read");
        Denied::Unavailable
    };
    let mut object: serde_json::Map<_, _> =
        serde_json::from_slice(answer).map_err(|error| unreadable(&error))?;
    match object.remove("allow") {
        Some(serde_json::Value::Bool(true)) => {}
        Some(serde_json::Value::Bool(false)) => return Err(Denied::Wrong),
        Some(_) | None => return Err(unreadable(&"`allow` is not true or false")),
    }
    let section: UserSection =
        serde_json::from_value(object.into()).map_err(|error| unreadable(&error))?;
    if section.enabled {
        Ok(section)
    } else {
        Err(Denied::Wrong)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_answer_allows_only_if_it_says_so_in_known_words() {
        let user = read(br#"{"allow": true, "permissions": "elrw", "quota_bytes": "1k"}"#).unwrap();
        assert_eq!(user.permissions().general().to_string(), "elrw");
        assert_eq!(user.allowance().quota_bytes, Some(1024));
        assert_eq!(read(br#"{"allow": false}"#), Err(Denied::Wrong));
        assert_eq!(
            read(br#"{"allow": true, "enabled": false}"#),
            Err(Denied::Wrong)
        );
        for broken in [
            &b""[..],
            b"yes",
            b"{}",
            b"[true]",
            br#"{"allow": "true"}"#,
            br#"{"allow": true, "premissions": "elrw"}"#,
            br#"{"allow": true, "permissions": "rwx"}"#,
        ] {
            assert_eq!(read(broken), Err(Denied::Unavailable));
        }
    }
}
