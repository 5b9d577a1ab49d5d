//! Giving up what is not needed: other files (Landlock), and root.

use std::ffi::CString;
use std::fmt;
use std::io;
use std::path::{Path, PathBuf};

use landlock::{
    ABI, Access, AccessFs, Ruleset, RulesetAttr, RulesetCreatedAttr, RulesetStatus,
    path_beneath_rules,
};
use nix::unistd::{Group, User, initgroups, setgroups, setresgid, setresuid};

/// What stays reachable.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Reach {
    /// Read and written, with everything below.
    pub write: Vec<PathBuf>,
    /// Read, with everything below.
    pub read: Vec<PathBuf>,
}

/// Why it could not be done.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ConfineError(String);

impl fmt::Display for ConfineError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for ConfineError {}

/// Gives up all files but these, for this thread and those it starts; call it before there are others.
///
/// On a kernel that cannot, nothing happens but a line in the log.
///
/// # Errors
///
/// When the kernel can, and refuses.
pub fn restrict(reach: &Reach) -> Result<(), ConfineError> {
    let wrong = |error: &dyn fmt::Display| ConfineError(format!("cannot restrict files: {error}"));
    let (all, read) = (AccessFs::from_all(LANDLOCK), AccessFs::from_read(LANDLOCK));
    let status = Ruleset::default()
        .handle_access(all)
        .and_then(Ruleset::create)
        .map_err(|error| wrong(&error))?
        .add_rules(path_beneath_rules(&reach.write, all))
        .map_err(|error| wrong(&error))?
        .add_rules(path_beneath_rules(&reach.read, read & !AccessFs::Execute))
        .map_err(|error| wrong(&error))?
        .restrict_self()
        .map_err(|error| wrong(&error))?;
    match status.ruleset {
        RulesetStatus::FullyEnforced => tracing::info!("files restricted by Landlock"),
        RulesetStatus::PartiallyEnforced => tracing::warn!("files partly restricted by Landlock"),
        RulesetStatus::NotEnforced => tracing::warn!("this kernel has no Landlock"),
    }
    Ok(())
}

/// A user to become.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Identity {
    user: User,
    group: Group,
}

impl Identity {
    /// Looks up names; without a group it is the user's own.
    ///
    /// # Errors
    ///
    /// A name there is nobody of.
    pub fn find(user: &str, group: Option<&str>) -> Result<Self, ConfineError> {
        let missing = |kind, name: &str| ConfineError(format!("there is no {kind} `{name}`"));
        let found = User::from_name(user).ok().flatten();
        let found = found.ok_or_else(|| missing("user", user))?;
        let own = match group {
            Some(name) => Group::from_name(name).ok().flatten(),
            None => Group::from_gid(found.gid).ok().flatten(),
        };
        Ok(Self {
            group: own.ok_or_else(|| missing("group", group.unwrap_or("of the user")))?,
            user: found,
        })
    }

    /// Gives a file to this user, so that it can be opened again once root is given up.
    ///
    /// # Errors
    ///
    /// The system's.
    pub fn own(&self, path: &Path) -> io::Result<()> {
        let (uid, gid) = (self.user.uid.as_raw(), self.group.gid.as_raw());
        std::os::unix::fs::chown(path, Some(uid), Some(gid))
    }

    /// Becomes this user for good, in all threads.
    ///
    /// # Errors
    ///
    /// If the system refuses, or gave root back when asked for it.
    pub fn become_it(&self) -> Result<(), ConfineError> {
        let wrong = |what: &str, error: &dyn fmt::Display| {
            ConfineError(format!("cannot become {}: {what}: {error}", self.user.name))
        };
        let (uid, gid) = (self.user.uid, self.group.gid);
        if nix::unistd::geteuid() == uid && !uid.is_root() {
            return Ok(());
        }
        let name = CString::new(self.user.name.as_str()).map_err(|error| wrong("name", &error))?;
        setgroups(&[]).map_err(|error| wrong("setgroups", &error))?;
        initgroups(&name, gid).map_err(|error| wrong("initgroups", &error))?;
        setresgid(gid, gid, gid).map_err(|error| wrong("setresgid", &error))?;
        setresuid(uid, uid, uid).map_err(|error| wrong("setresuid", &error))?;
        let root = nix::unistd::Uid::from_raw(0);
        if !uid.is_root() && setresuid(root, root, root).is_ok() {
            return Err(wrong("setresuid", &"root came back"));
        }
        tracing::info!(user = %self.user.name, group = %self.group.name, "gave up root");
        Ok(())
    }
}

/// Whether we are root.
#[must_use]
pub fn is_root() -> bool {
    nix::unistd::geteuid().is_root()
}

/// The newest rules we ask for; an older kernel gives what it has.
const LANDLOCK: ABI = ABI::V5;
