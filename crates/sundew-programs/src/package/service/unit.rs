//! Unit files: where they lie, what they say, whether they are enabled.

use sundew_kernel::{Errno, Process};

/// Where units lie, the first find counts.
const DIRECTORIES: [&[u8]; 3] = [
    b"/etc/systemd/system/",
    b"/run/systemd/system/",
    b"/lib/systemd/system/",
];
/// Where units are enabled.
const ENABLED: &[u8] = b"/etc/systemd/system/";
/// What hides a unit.
const NOWHERE: &[u8] = b"/dev/null";

/// A unit that there is.
pub(super) struct Unit {
    pub(super) name: Vec<u8>,
    /// Where its file lies.
    pub(super) path: Vec<u8>,
    lines: Vec<Vec<u8>>,
}

/// Whether a unit starts with the machine.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum State {
    Enabled,
    Disabled,
    Static,
    Masked,
}

impl State {
    pub(super) const fn word(self) -> &'static str {
        match self {
            Self::Enabled => "enabled",
            Self::Disabled => "disabled",
            Self::Static => "static",
            Self::Masked => "masked",
        }
    }
}

/// A unit's whole name: a service unless it says something else.
pub(in super::super) fn full_name(name: &[u8]) -> Vec<u8> {
    let kinds: [&[u8]; 9] = [
        b".service",
        b".socket",
        b".target",
        b".timer",
        b".mount",
        b".path",
        b".slice",
        b".scope",
        b".device",
    ];
    let base = name.rsplit(|&byte| byte == b'/').next().unwrap_or(name);
    if kinds.iter().any(|kind| base.ends_with(kind)) {
        base.to_vec()
    } else {
        [base, b".service"].concat()
    }
}

impl Unit {
    /// Looks a unit up by its whole name.
    pub(super) async fn find(proc: &Process, name: &[u8]) -> Option<Self> {
        let template = super::instance_of(name).map(|(stem, _)| [stem, b"@.service"].concat());
        let files = [Some(name.to_vec()), template];
        let places = files
            .into_iter()
            .flatten()
            .flat_map(|file| DIRECTORIES.map(|directory| [directory, file.as_slice()].concat()));
        for path in places {
            if proc.lstat(&path).is_err() {
                continue;
            }
            let text = super::super::read(proc, &path).await.unwrap_or_default();
            return Some(Self {
                name: name.to_vec(),
                path,
                lines: super::super::lines(&text),
            });
        }
        None
    }

    /// The name of the file that an alias leads to; its own if it is none.
    pub(super) fn real_name(&self, proc: &Process) -> Vec<u8> {
        let target = proc.read_link(&self.path).unwrap_or_default();
        let target = target.rsplit(|&byte| byte == b'/').next();
        let target = target.filter(|name| name.ends_with(b".service"));
        target.map_or_else(|| self.name.clone(), <[u8]>::to_vec)
    }

    /// The values of a setting, in order.
    pub(super) fn values(&self, key: &[u8]) -> impl Iterator<Item = &[u8]> {
        self.lines.iter().filter_map(move |line| {
            let value = line.strip_prefix(key)?.trim_ascii_start();
            Some(value.strip_prefix(b"=")?.trim_ascii())
        })
    }

    pub(super) fn text(&self) -> Vec<u8> {
        super::super::joined(&self.lines)
    }

    /// What it is called for people; its name if nothing else.
    pub(super) fn description(&self) -> Vec<u8> {
        let text = self.values(b"Description").last();
        text.map_or_else(|| self.name.clone(), <[u8]>::to_vec)
    }

    /// The links that enable it: their places.
    pub(super) fn links(&self) -> Vec<Vec<u8>> {
        let mut links = Vec::new();
        for (key, folder) in [
            (b"WantedBy".as_slice(), b".wants/".as_slice()),
            (b"RequiredBy", b".requires/"),
        ] {
            let targets = self
                .values(key)
                .flat_map(|value| value.split(u8::is_ascii_whitespace));
            let safe = targets.filter(|target| !target.is_empty() && !target.contains(&b'/'));
            links.extend(safe.map(|target| [ENABLED, target, folder, &self.name].concat()));
        }
        let aliases = self
            .values(b"Alias")
            .flat_map(|value| value.split(u8::is_ascii_whitespace));
        let safe = aliases.filter(|alias| !alias.is_empty() && !alias.contains(&b'/'));
        links.extend(safe.map(|alias| [ENABLED, alias].concat()));
        links
    }

    pub(super) fn state(&self, proc: &Process) -> State {
        if proc
            .read_link(&self.path)
            .is_ok_and(|target| target == NOWHERE)
        {
            return State::Masked;
        }
        let links = self.links();
        if links.is_empty() {
            return State::Static;
        }
        if links.iter().any(|link| proc.lstat(link).is_ok()) {
            State::Enabled
        } else {
            State::Disabled
        }
    }

    /// Makes the links; those that were made.
    pub(super) fn enable(&self, proc: &Process) -> Result<Vec<Vec<u8>>, Errno> {
        let mut made = Vec::new();
        for link in self.links() {
            if proc.lstat(&link).is_ok() {
                continue;
            }
            let end = link.iter().rposition(|&byte| byte == b'/').unwrap_or(0);
            match proc.make_directory(link.get(..end).unwrap_or_default(), 0o755) {
                Ok(()) | Err(Errno::Eexist) => {}
                Err(errno) => return Err(errno),
            }
            proc.symlink(&self.path, &link)?;
            made.push(link);
        }
        Ok(made)
    }

    /// Removes the links; those that were there.
    pub(super) fn disable(&self, proc: &Process) -> Result<Vec<Vec<u8>>, Errno> {
        let mut gone = Vec::new();
        for link in self.links() {
            if proc.lstat(&link).is_ok() {
                proc.unlink(&link)?;
                gone.push(link);
            }
        }
        Ok(gone)
    }
}
