//! cp(1).

use sundew_kernel::{ExitStatus, Process};

use super::backup::Kind;
use super::copy::{self, Copier, Force, Links};
use super::{about, input, target};
use crate::getopt::{Arity, Getopt, Spec, refuse};

const SPEC: Spec = Spec::gnu(
    "abdfHilLnprst:uvxPRS:TZ",
    &[
        ("archive", Arity::No, "a"),
        ("attributes-only", Arity::No, "attributes-only"),
        ("backup", Arity::Optional, "b"),
        ("copy-contents", Arity::No, "copy-contents"),
        ("dereference", Arity::No, "L"),
        ("force", Arity::No, "f"),
        ("interactive", Arity::No, "i"),
        ("link", Arity::No, "l"),
        ("no-clobber", Arity::No, "n"),
        ("no-dereference", Arity::No, "P"),
        ("no-preserve", Arity::Required, "no-preserve"),
        ("no-target-directory", Arity::No, "T"),
        ("one-file-system", Arity::No, "x"),
        ("parents", Arity::No, "parents"),
        ("path", Arity::No, "parents"),
        ("preserve", Arity::Optional, "preserve"),
        ("recursive", Arity::No, "R"),
        ("remove-destination", Arity::No, "remove-destination"),
        ("sparse", Arity::Required, "sparse"),
        ("reflink", Arity::Optional, "reflink"),
        ("strip-trailing-slashes", Arity::No, "strip"),
        ("suffix", Arity::Required, "S"),
        ("symbolic-link", Arity::No, "s"),
        ("target-directory", Arity::Required, "t"),
        ("update", Arity::No, "u"),
        ("verbose", Arity::No, "v"),
        ("context", Arity::Optional, "Z"),
    ],
);

#[expect(
    clippy::too_many_lines,
    reason = "one arm for each option, in one place"
)]
pub(crate) async fn run(proc: &mut Process) -> ExitStatus {
    let mut copier = Copier::new(proc);
    let mut place = target::Place::default();
    let (mut links, mut parents, mut strip) = (None, false, false);
    let mut options = Getopt::new(&SPEC, proc.args());
    while let Some(option) = options.next() {
        let (key, value) = match option {
            Ok(option) => (option.key, option.value),
            Err(error) => return refuse(proc, &error, 1).await,
        };
        match key {
            "a" => {
                (copier.recursive, copier.preserve) = (true, copy::Preserve::ALL);
                links = Some(Links::Keep);
            }
            "b" => match Kind::parse(proc, &value).await {
                Some(kind) => (copier.backup, copier.backup_kind) = (kind != Kind::Off, kind),
                None => return proc.status(),
            },
            "reflink" if !value.is_empty() => {
                const WORDS: &[(&str, u8)] = &[("auto", 0), ("always", 1), ("never", 2)];
                if input::choose(proc, "--reflink", &value, WORDS)
                    .await
                    .is_none()
                {
                    return proc.status();
                }
            }
            "sparse" => {
                const WORDS: &[(&str, u8)] = &[("never", 0), ("auto", 1), ("always", 2)];
                if input::choose(proc, "--sparse", &value, WORDS)
                    .await
                    .is_none()
                {
                    return proc.status();
                }
            }
            "S" => (copier.backup, copier.suffix) = (true, value),
            "d" => links = Some(Links::Keep),
            "f" => copier.force = Force::Retry,
            "H" => links = Some(Links::FollowOperands),
            "L" => links = Some(Links::Follow),
            "P" => links = Some(Links::Keep),
            "i" => copier.interactive = true,
            "n" => copier.no_clobber = true,
            "l" => copier.make_hard_links = true,
            "s" => copier.make_symlinks = true,
            "p" => copier.preserve = copy::Preserve::DEFAULT,
            "preserve" => match copy::Preserve::parse(proc, &value, copier.preserve).await {
                Some(preserve) => copier.preserve = preserve,
                None => return proc.status(),
            },
            "no-preserve" => {
                copier.preserve = copy::Preserve::default();
                let mut list = value.split(|&byte| byte == b',');
                copier.fresh_mode = list.any(|word| matches!(word, b"mode" | b"all"));
            }
            "r" | "R" => copier.recursive = true,
            "remove-destination" => copier.force = Force::Remove,
            "attributes-only" => copier.attributes_only = true,
            "t" => place.directory = Some(value),
            "T" => place.no_directory = true,
            "u" => copier.update = true,
            "v" => copier.verbose = true,
            "parents" => parents = true,
            "strip" => strip = true,
            "x" | "Z" | "ignored" | "copy-contents" => {}
            key => return about::run(proc, key, "cp").await,
        }
    }
    copier.links = links.unwrap_or(if copier.recursive {
        Links::Keep
    } else {
        Links::Follow
    });
    let mut operands = options.operands();
    if strip {
        operands = operands
            .iter()
            .map(|operand| input::trim_slashes(operand).to_vec())
            .collect();
    }
    let Some(jobs) = target::settle(proc, operands, &place, parents).await else {
        return proc.status();
    };
    for job in jobs {
        if parents && !copy::make_parents(proc, &job.source, &job.directory).await {
            continue;
        }
        copier.copy_operand(proc, &job.source, &job.target).await;
    }
    proc.status()
}
