//! chown(1) and chgrp(1).

use sundew_kernel::{ExitStatus, Process};
use sundew_vfs::Metadata;

use super::chmod::{Verbosity, refuse_root};
use super::walk::{Follow, Stage, Walk};
use super::{about, input};
use crate::getopt::{Arity, Getopt, Spec, refuse};
use crate::quote;
use crate::users::Directory;

const SPEC: Spec = Spec::gnu(
    "HLPRcfhv",
    &[
        ("recursive", Arity::No, "R"),
        ("changes", Arity::No, "c"),
        ("dereference", Arity::No, "dereference"),
        ("from", Arity::Required, "from"),
        ("no-dereference", Arity::No, "h"),
        ("no-preserve-root", Arity::No, "no-preserve-root"),
        ("preserve-root", Arity::No, "preserve-root"),
        ("quiet", Arity::No, "f"),
        ("silent", Arity::No, "f"),
        ("reference", Arity::Required, "reference"),
        ("verbose", Arity::No, "v"),
    ],
);

/// Numbers of an owner, as far as given.
#[derive(Debug, Clone, Copy, Default)]
struct Owner {
    uid: Option<u32>,
    gid: Option<u32>,
    /// A separator was given: messages name both parts, even an empty one.
    both: bool,
}

struct Job {
    owner: Owner,
    from: Owner,
    verbosity: Verbosity,
    dereference: bool,
    names: Directory,
    group_only: bool,
}

pub(crate) async fn run(proc: &mut Process) -> ExitStatus {
    change(proc, false).await
}

pub(crate) async fn run_chgrp(proc: &mut Process) -> ExitStatus {
    change(proc, true).await
}

#[expect(
    clippy::too_many_lines,
    reason = "one arm for each option, in one place"
)]
async fn change(proc: &mut Process, group_only: bool) -> ExitStatus {
    let names = Directory::load(proc).await;
    let mut job = Job {
        owner: Owner::default(),
        from: Owner::default(),
        verbosity: Verbosity::Failures,
        dereference: true,
        names,
        group_only,
    };
    let (mut recursive, mut preserve_root, mut reference) = (false, false, None);
    let mut follow = Follow::Never;
    let mut options = Getopt::new(&SPEC, proc.args());
    while let Some(option) = options.next() {
        match option.map(|option| (option.key, option.value)) {
            Ok(("R", _)) => recursive = true,
            Ok(("H", _)) => follow = Follow::Operand,
            Ok(("L", _)) => follow = Follow::Always,
            Ok(("P", _)) => follow = Follow::Never,
            Ok(("c", _)) => job.verbosity = Verbosity::Changes,
            Ok(("f", _)) => job.verbosity = Verbosity::Quiet,
            Ok(("v", _)) => job.verbosity = Verbosity::All,
            Ok(("h", _)) => job.dereference = false,
            Ok(("dereference", _)) => job.dereference = true,
            Ok(("no-preserve-root", _)) => preserve_root = false,
            Ok(("preserve-root", _)) => preserve_root = true,
            Ok(("reference", value)) => reference = Some(value),
            Ok(("from", value)) => match owner_of(&value, &job.names) {
                Ok(owner) => job.from = owner,
                Err(what) => return input::complain_word(proc, what, &value).await,
            },
            Ok((key, _)) => {
                return about::run(proc, key, if group_only { "chgrp" } else { "chown" }).await;
            }
            Err(error) => return refuse(proc, &error, 1).await,
        }
    }
    let mut operands = options.operands();
    match operands.as_slice() {
        [] => return input::missing_operand(proc).await,
        [only] if reference.is_none() => {
            let only = only.clone();
            return input::refuse_word(proc, "missing operand after", &only).await;
        }
        _ => {}
    }
    job.owner = match reference {
        Some(reference) => match proc.stat(&reference) {
            Ok(found) => Owner {
                uid: (!group_only).then_some(found.uid),
                gid: Some(found.gid),
                both: !group_only,
            },
            Err(errno) => {
                input::complain_about(proc, "failed to get attributes of", &reference, errno).await;
                return proc.status();
            }
        },
        None => {
            let word = operands.remove(0);
            if !group_only && warns_of_dot(&word, &job.names) {
                let shown = quote::text(proc, &word);
                let line = [
                    proc.name(),
                    b": warning: '.' should be ':': ",
                    &shown,
                    b"\n",
                ]
                .concat();
                proc.print_error(&line).await;
            }
            let owner = if group_only {
                group_of(&word, &job.names)
                    .map(|gid| Owner {
                        uid: None,
                        gid,
                        both: false,
                    })
                    .ok_or("invalid group:")
            } else {
                owner_of(&word, &job.names)
            };
            match owner {
                Ok(owner) => owner,
                Err(what) => return input::complain_word(proc, what, &word).await,
            }
        }
    };
    if recursive {
        job.dereference = follow != Follow::Never && job.dereference;
    }
    for path in operands {
        if recursive && preserve_root && path == b"/" {
            refuse_root(proc).await;
            continue;
        }
        let follow = if recursive {
            follow
        } else if job.dereference {
            Follow::Always
        } else {
            Follow::Never
        };
        walk(proc, Walk::new(proc, &path, follow, recursive), &job).await;
    }
    proc.status()
}

async fn walk(proc: &mut Process, mut walk: Walk, job: &Job) {
    while let Some(visit) = walk.next(proc).await {
        match (&visit.stage, visit.metadata) {
            (Stage::Before, _) if walk.enters() => {}
            (Stage::Missing(errno), _) => {
                fail(proc, "cannot access", &visit.path, *errno, job).await;
            }
            (Stage::Unreadable(errno), _) => {
                fail(proc, "cannot read directory", &visit.path, *errno, job).await;
            }
            // A link that leads nowhere.
            (_, Some(metadata)) if metadata.is_symlink() && visit.depth == 0 && job.dereference => {
                fail(
                    proc,
                    "cannot dereference",
                    &visit.path,
                    sundew_kernel::Errno::Enoent,
                    job,
                )
                .await;
            }
            (_, Some(metadata)) => apply(proc, &visit.path, &metadata, job).await,
            (_, None) => {}
        }
    }
}

async fn fail(proc: &mut Process, what: &str, path: &[u8], errno: sundew_kernel::Errno, job: &Job) {
    if job.verbosity == Verbosity::Quiet {
        proc.set_status(1);
    } else {
        input::complain_about(proc, what, path, errno).await;
    }
    if job.verbosity == Verbosity::All {
        let kind = if job.group_only {
            "group of "
        } else {
            "ownership of "
        };
        let shown = quote::always(proc, path);
        let after = owner_text(job.owner, &job.names);
        let line = [
            b"failed to change ",
            kind.as_bytes(),
            &shown,
            b" to ",
            &after,
            b"\n",
        ]
        .concat();
        // A closed output is reported when the program ends.
        let _reported_at_exit = proc.print(&line).await;
    }
}

async fn apply(proc: &mut Process, path: &[u8], metadata: &Metadata, job: &Job) {
    let Owner { uid, gid, both } = job.owner;
    let other = |wanted: Option<u32>, is| wanted.is_some_and(|wanted| wanted != is);
    if other(job.from.uid, metadata.uid) || other(job.from.gid, metadata.gid) {
        return;
    }
    if let Err(errno) = proc.change_owner(path, uid, gid, !metadata.is_symlink()) {
        let what = if job.group_only {
            "changing group of"
        } else {
            "changing ownership of"
        };
        fail(proc, what, path, errno, job).await;
        return;
    }
    let changed = other(uid, metadata.uid) || other(gid, metadata.gid);
    if !matches!(
        (job.verbosity, changed),
        (Verbosity::All, _) | (Verbosity::Changes, true)
    ) {
        return;
    }
    let before = Owner {
        uid: (both || uid.is_some()).then_some(metadata.uid),
        gid: (both || gid.is_some()).then_some(metadata.gid),
        both,
    };
    let (before, after) = (
        owner_text(before, &job.names),
        owner_text(job.owner, &job.names),
    );
    let kind = if uid.is_some() || both {
        "ownership of "
    } else {
        "group of "
    };
    let shown = quote::always(proc, path);
    let line = if changed {
        [
            b"changed ",
            kind.as_bytes(),
            &shown,
            b" from ",
            &before,
            b" to ",
            &after,
            b"\n",
        ]
        .concat()
    } else {
        [kind.as_bytes(), &shown, b" retained as ", &before, b"\n"].concat()
    };
    // A closed output is reported when the program ends.
    let _reported_at_exit = proc.print(&line).await;
}

/// `root`, `root:adm`, `:adm`.
fn owner_text(owner: Owner, names: &Directory) -> Vec<u8> {
    let user = owner.uid.map(|uid| names.user_text(uid));
    let group = owner.gid.map(|gid| names.group_text(gid));
    match (user, group) {
        (user, Some(group)) if owner.both => {
            [user.unwrap_or_default().as_slice(), b":", &group].concat()
        }
        (user, group) => user.or(group).unwrap_or_default(),
    }
}

fn number(text: &[u8]) -> Option<u32> {
    let text = text.strip_prefix(b"+").unwrap_or(text);
    std::str::from_utf8(text).ok()?.parse().ok()
}

/// `Some(None)` for an empty word: nothing changes.
fn group_of(word: &[u8], names: &Directory) -> Option<Option<u32>> {
    if word.is_empty() {
        return Some(None);
    }
    names
        .group(word)
        .map(|group| group.gid)
        .or_else(|| number(word))
        .map(Some)
}

/// `USER`, `USER:GROUP`, `USER:`, `:GROUP`; a dot does for the colon if there is no such user.
fn owner_of(word: &[u8], names: &Directory) -> Result<Owner, &'static str> {
    let whole = split_owner(word, b':', names);
    if whole.is_err() && !word.contains(&b':') && word.contains(&b'.') {
        return split_owner(word, b'.', names).or(whole);
    }
    whole
}

/// Whether the dot of `USER.GROUP` was taken for a colon.
fn warns_of_dot(word: &[u8], names: &Directory) -> bool {
    split_owner(word, b':', names).is_err() && owner_of(word, names).is_ok()
}

fn split_owner(word: &[u8], separator: u8, names: &Directory) -> Result<Owner, &'static str> {
    let (user, group) = match word.iter().position(|&byte| byte == separator) {
        Some(at) => {
            let (user, group) = word.split_at(at);
            (user, group.get(1..))
        }
        None => (word, None),
    };
    let known = names.user(user);
    let uid = if user.is_empty() {
        None
    } else {
        Some(
            known
                .map(|user| user.uid)
                .or_else(|| number(user))
                .ok_or("invalid user:")?,
        )
    };
    let gid = match group {
        None => None,
        // `USER:` means that user's own group.
        Some(b"") if !user.is_empty() => Some(known.ok_or("invalid spec:")?.gid),
        Some(group) => group_of(group, names).ok_or("invalid group:")?,
    };
    Ok(Owner {
        uid,
        gid,
        both: group.is_some(),
    })
}
