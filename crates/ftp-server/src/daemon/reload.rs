//! SIGHUP: the configuration is read again, and everything of it is taken over that can be without
//! opening sockets and files anew. What cannot is named in the log.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::config::{Config, UserSection};
use super::homes::Homes;
use super::hooks;
use super::login::Logins;
use super::options::Serve;
use super::program::Runner;
use super::run;
use super::start::{self, LogControl, Logs};
use super::wiring::{self, Dialler};
use super::{Failure, FailureKind, tls};
use crate::Controls;
use crate::auth::gate::Gate;
use crate::files::FileControls;
use crate::throttle::Throttle;
use crate::tls::Tls;

/// Everything a reload changes, and what it compares with.
pub(super) struct Reload<'a> {
    pub(super) serve: &'a Serve,
    /// The configuration the process was started with: what needs a restart is as it says.
    pub(super) started: Config,
    /// What was taken over last.
    pub(super) current: Config,
    pub(super) users: BTreeMap<String, UserSection>,
    pub(super) controls: Controls,
    pub(super) files: FileControls,
    pub(super) gate: Arc<Gate<Arc<Logins>>>,
    pub(super) logins: Arc<Logins>,
    pub(super) throttle: Arc<Throttle>,
    pub(super) homes: Homes,
    pub(super) dialler: Dialler,
    pub(super) transfers: Arc<hooks::Transfers>,
    pub(super) runner: Runner,
    pub(super) tls: Option<Tls>,
    pub(super) logs: Logs,
    pub(super) log: LogControl,
}

impl Reload<'_> {
    /// Reads everything again; with a mistake in it nothing changes. Files are small and read at once.
    pub(super) fn run(&mut self) -> Result<(), Failure> {
        self.logs.reopen();
        let mut config = run::merged(self.serve)?;
        let users = run::read_users(&config)?;
        let mut late = held_back(&self.started, &mut config);
        if self.runner.is_fixed() {
            late.extend(held_programs(&self.started, &mut config));
        }
        // Checked before anything changes, so that a mistake changes nothing.
        run::look_at_files(&config, &users)?;
        self.look_at_new_roots(&config, &users)?;
        let filter = start::filter(&config)?;
        let book = run::book(&config, &users, self.serve, &self.runner)?;
        if (&config.root, config.disk()) != (&self.current.root, self.current.disk()) {
            let opened = self.homes.change(config.root.as_deref(), config.disk());
            opened.map_err(|error| self.unreachable(config.root.as_deref(), &error))?;
        }
        if let Some(tls) = &self.tls {
            tls::reload(tls, &config.tls)?;
        }
        self.log.set(filter)?;
        self.homes.forget();
        self.logins.reload(book);
        self.throttle.set_options(wiring::throttle(&config));
        self.gate.set_networks(wiring::networks(&config));
        self.controls.set_limits(wiring::limits(&config));
        self.controls.set_proxies(wiring::proxies(&config));
        self.dialler.set(config.data.active_port);
        self.transfers.change(&config.hooks, &self.runner);
        let hook = wiring::hook(&config, &self.runner);
        self.files.change(wiring::options(&config), hook);
        let changed = differences(&self.current, &config, self.users != users);
        tracing::info!(changed = %join(&changed), "configuration read again");
        if !late.is_empty() {
            tracing::warn!(keys = %join(&late), "changed, but a restart is needed for it");
        }
        (self.current, self.users) = (config, users);
        Ok(())
    }

    /// Directories that were not there before may be out of reach by now.
    fn look_at_new_roots(
        &self,
        config: &Config,
        users: &BTreeMap<String, UserSection>,
    ) -> Result<(), Failure> {
        let known: Vec<_> = run::roots(&self.current, &self.users).collect();
        for root in run::roots(config, users).filter(|root| !known.contains(root)) {
            if let Err(error) = std::fs::read_dir(root) {
                return Err(self.unreachable(Some(root), &error));
            }
        }
        Ok(())
    }

    fn unreachable(&self, root: Option<&Path>, error: &std::io::Error) -> Failure {
        let root = root.unwrap_or(Path::new("/")).display();
        let why = match self.started.process.landlock {
            true => " (directories that were not known at the start may need a restart)",
            false => "",
        };
        Failure::new(FailureKind::Input, format!("{root}: {error}{why}"))
    }
}

/// Puts what cannot be changed back to what it was at the start; gives the keys that would have
/// changed.
fn held_back(started: &Config, config: &mut Config) -> Vec<&'static str> {
    let mut late = Vec::new();
    let proxies = std::mem::take(&mut config.listen.proxy_from);
    let known = std::mem::replace(&mut config.listen, started.listen.clone());
    config.listen.proxy_from = proxies;
    let mut note = |is_other: bool, key| is_other.then(|| late.push(key));
    note(known.port != started.listen.port, "listen.port");
    note(
        known.addresses != started.listen.addresses,
        "listen.addresses",
    );
    note(
        known.implicit_tls != started.listen.implicit_tls,
        "listen.implicit_tls",
    );
    note(known.systemd != started.listen.systemd, "listen.systemd");
    hold(&mut config.metrics, &started.metrics, "metrics", &mut late);
    hold(&mut config.process, &started.process, "process", &mut late);
    // FEAT says whether links can be made.
    hold(&mut config.links, &started.links, "links", &mut late);
    let (log, old) = (&mut config.log, &started.log);
    hold(&mut log.format, &old.format, "log.format", &mut late);
    hold(
        &mut log.transfers,
        &old.transfers,
        "log.transfers",
        &mut late,
    );
    hold(&mut log.events, &old.events, "log.events", &mut late);
    let tls = (config.has_tls(), config.tls.self_signed);
    if tls != (started.has_tls(), started.tls.self_signed) {
        // With and without TLS are two servers; one half of the section would not do.
        hold(&mut config.tls, &started.tls, "tls", &mut late);
    }
    late
}

/// The same for programs, where a helper runs those it was told of at the start.
fn held_programs(started: &Config, config: &mut Config) -> Vec<&'static str> {
    let mut late = Vec::new();
    let (hooks, old) = (&mut config.hooks, &started.hooks);
    hold(&mut hooks.before, &old.before, "hooks.before", &mut late);
    hold(&mut hooks.after, &old.after, "hooks.after", &mut late);
    hold(
        &mut hooks.transfer,
        &old.transfer,
        "hooks.transfer",
        &mut late,
    );
    let (login, old) = (&mut config.login, &started.login);
    hold(&mut login.command, &old.command, "login.command", &mut late);
    late
}

fn hold<T: Clone + PartialEq>(
    new: &mut T,
    old: &T,
    key: &'static str,
    late: &mut Vec<&'static str>,
) {
    if new != old {
        new.clone_from(old);
        late.push(key);
    }
}

/// The sections that are taken over and are other than before.
fn differences(old: &Config, new: &Config, users_file: bool) -> Vec<&'static str> {
    [
        ("root", old.root != new.root),
        (
            "users",
            users_file || old.user != new.user || old.users_file != new.users_file,
        ),
        ("anonymous", old.anonymous != new.anonymous),
        ("listen.proxy_from", old.listen != new.listen),
        ("session", old.session != new.session),
        ("limits", old.limits != new.limits),
        ("networks", old.networks != new.networks),
        ("login", old.login != new.login),
        ("bans", old.bans != new.bans),
        ("data", old.data != new.data),
        ("uploads", old.uploads != new.uploads),
        ("names", old.names != new.names),
        ("tls", old.tls != new.tls),
        ("log", old.log != new.log),
        ("hooks", old.hooks != new.hooks),
    ]
    .into_iter()
    .filter_map(|(name, is_other)| is_other.then_some(name))
    .collect()
}

fn join(names: &[&str]) -> String {
    match names {
        [] => "nothing".to_owned(),
        names => names.join(", "),
    }
}

/// Where somebody's files are.
pub(super) fn parent(path: &Path) -> PathBuf {
    match path.parent() {
        Some(parent) if !parent.as_os_str().is_empty() => parent.to_owned(),
        _ => PathBuf::from("."),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn config(text: &str) -> Config {
        Config::parse(Path::new("f"), text.as_bytes()).unwrap()
    }

    #[test]
    fn what_needs_a_restart_is_named_and_stays_and_the_rest_is_taken() {
        let started = config(
            "[listen]\nport = 2100\n[limits]\nconnections = 7\n[log]\nfilter = 'info'\n\
             [metrics]\nlisten = '127.0.0.1:1'\n",
        );
        let mut new = config(
            "[listen]\nport = 2101\nproxy_from = ['10.0.0.0/8']\n[limits]\nconnections = 8\n\
             [log]\nfilter = 'debug'\nformat = 'json'\nevents = '/x'\n[process]\nuser = 'x'\n\
             [tls]\nself_signed = true\nallow_ccc = false\n",
        );
        let late = held_back(&started, &mut new);
        assert_eq!(
            late,
            [
                "listen.port",
                "metrics",
                "process",
                "log.format",
                "log.events",
                "tls"
            ]
        );
        assert_eq!(new.listen.port, 2100);
        assert!(!new.has_tls());
        assert_eq!(
            differences(&started, &new, false),
            ["listen.proxy_from", "limits", "log"]
        );
        assert_eq!(new.limits.connections, 8);
    }

    #[test]
    fn programs_that_a_helper_does_not_know_need_a_restart() {
        let started = config("[hooks]\nbefore = ['/a']\nverbs = ['DELE']\n");
        let mut new =
            config("[hooks]\nbefore = ['/b']\nverbs = ['STOR']\n[login]\ncommand = ['/c']\n");
        let late = held_programs(&started, &mut new);
        assert_eq!(late, ["hooks.before", "login.command"]);
        assert_eq!(new.hooks.before, ["/a"]);
        assert_eq!(new.hooks.verbs, ["STOR"]);
    }
}
