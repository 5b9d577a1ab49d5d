//! `--version` and `--help`.

use sundew_kernel::{ExitStatus, Process};

/// Sections `=== NAME`, each followed by what `NAME --help` prints.
const HELP: &str = include_str!("help.txt");

/// Answers a standard option of the program called `name`; ends it.
pub(crate) async fn run(proc: &mut Process, key: &str, name: &str) -> ExitStatus {
    let text = if key == "version" {
        let authors = AUTHORS
            .iter()
            .find(|row| row.0 == name)
            .map_or("", |row| row.1);
        format!(
            "{name} (GNU coreutils) 9.1\n\
             Copyright (C) 2022 Free Software Foundation, Inc.\n\
             License GPLv3+: GNU GPL version 3 or later <https://gnu.org/licenses/gpl.html>.\n\
             This is free software: you are free to change and redistribute it.\n\
             There is NO WARRANTY, to the extent permitted by law.\n\n\
             Written by {authors}\n"
        )
    } else {
        let own = String::from_utf8_lossy(proc.name()).into_owned();
        let section = HELP
            .split("=== ")
            .find_map(|section| section.strip_prefix(name)?.strip_prefix('\n'))
            .unwrap_or_default();
        // The usage names the program as it was called.
        let lines = section.lines().map(|line| {
            let head = ["Usage: ", "  or:  "]
                .into_iter()
                .find_map(|head| line.strip_prefix(head).map(|rest| (head, rest)));
            match head.and_then(|(head, rest)| Some((head, rest.strip_prefix(name)?))) {
                Some((head, rest)) => format!("{head}{own}{rest}\n"),
                None => format!("{line}\n"),
            }
        });
        lines.collect()
    };
    // A closed output is reported when the program ends.
    let _reported_at_exit = proc.print(text.as_bytes()).await;
    proc.status()
}

/// Program and authors, as `--version` names them.
const AUTHORS: &[(&str, &str)] = &[
    ("[", "Kevin Braunsdorf and Matthew Bradburn."),
    ("arch", "David MacKenzie and Karel Zak."),
    ("b2sum", "Padraig Brady and Samuel Neves."),
    ("base32", "Simon Josefsson."),
    ("base64", "Simon Josefsson."),
    ("basename", "David MacKenzie."),
    ("basenc", "Simon Josefsson and Assaf Gordon."),
    ("cat", "Torbjorn Granlund and Richard M. Stallman."),
    ("chgrp", "David MacKenzie and Jim Meyering."),
    ("chmod", "David MacKenzie and Jim Meyering."),
    ("chown", "David MacKenzie and Jim Meyering."),
    ("chroot", "Roland McGrath."),
    ("cksum", "Padraig Brady and Q. Frank Xia."),
    ("comm", "Richard M. Stallman and David MacKenzie."),
    (
        "cp",
        "Torbjorn Granlund, David MacKenzie, and Jim Meyering.",
    ),
    ("csplit", "Stuart Kemp and David MacKenzie."),
    ("cut", "David M. Ihnat, David MacKenzie, and Jim Meyering."),
    ("date", "David MacKenzie."),
    ("dd", "Paul Rubin, David MacKenzie, and Stuart Kemp."),
    ("df", "Torbjorn Granlund, David MacKenzie, and Paul Eggert."),
    ("dir", "Richard M. Stallman and David MacKenzie."),
    ("dircolors", "H. Peter Anvin."),
    ("dirname", "David MacKenzie and Jim Meyering."),
    (
        "du",
        "Torbjorn Granlund, David MacKenzie, Paul Eggert,\nand Jim Meyering.",
    ),
    ("echo", "Brian Fox and Chet Ramey."),
    (
        "env",
        "Richard Mlynarik, David MacKenzie, and Assaf Gordon.",
    ),
    ("expand", "David MacKenzie."),
    ("expr", "Mike Parker, James Youngman, and Paul Eggert."),
    ("factor", "Paul Rubin, Torbjörn Granlund, and Niels Möller."),
    ("false", "Jim Meyering."),
    ("fmt", "Ross Paterson."),
    ("fold", "David MacKenzie."),
    ("groups", "David MacKenzie and James Youngman."),
    ("head", "David MacKenzie and Jim Meyering."),
    ("hostid", "Jim Meyering."),
    ("id", "Arnold Robbins and David MacKenzie."),
    ("install", "David MacKenzie."),
    ("join", "Mike Haertel."),
    ("link", "Michael Stone."),
    ("ln", "Mike Parker and David MacKenzie."),
    ("logname", "FIXME: unknown."),
    ("ls", "Richard M. Stallman and David MacKenzie."),
    ("md5sum", "Ulrich Drepper, Scott Miller, and David Madore."),
    ("mkdir", "David MacKenzie."),
    ("mkfifo", "David MacKenzie."),
    ("mknod", "David MacKenzie."),
    ("mktemp", "Jim Meyering and Eric Blake."),
    ("mv", "Mike Parker, David MacKenzie, and Jim Meyering."),
    ("nice", "David MacKenzie."),
    ("nl", "Scott Bartram and David MacKenzie."),
    ("nohup", "Jim Meyering."),
    ("nproc", "Giuseppe Scrivano."),
    ("numfmt", "Assaf Gordon."),
    ("od", "Jim Meyering."),
    ("paste", "David M. Ihnat and David MacKenzie."),
    ("pathchk", "Paul Eggert, David MacKenzie, and Jim Meyering."),
    (
        "pinky",
        "Joseph Arceneaux, David MacKenzie, and Kaveh Ghazi.",
    ),
    ("pr", "Pete TerMaat and Roland Huebner."),
    ("printenv", "David MacKenzie and Richard Mlynarik."),
    ("printf", "David MacKenzie."),
    ("ptx", "François Pinard."),
    ("pwd", "Jim Meyering."),
    ("readlink", "Dmitry V. Levin."),
    ("realpath", "Padraig Brady."),
    (
        "rm",
        "Paul Rubin, David MacKenzie, Richard M. Stallman,\nand Jim Meyering.",
    ),
    ("rmdir", "David MacKenzie."),
    ("seq", "Ulrich Drepper."),
    ("sha1sum", "Ulrich Drepper, Scott Miller, and David Madore."),
    (
        "sha224sum",
        "Ulrich Drepper, Scott Miller, and David Madore.",
    ),
    (
        "sha256sum",
        "Ulrich Drepper, Scott Miller, and David Madore.",
    ),
    (
        "sha384sum",
        "Ulrich Drepper, Scott Miller, and David Madore.",
    ),
    (
        "sha512sum",
        "Ulrich Drepper, Scott Miller, and David Madore.",
    ),
    ("shred", "Colin Plumb."),
    ("shuf", "Paul Eggert."),
    ("sleep", "Jim Meyering and Paul Eggert."),
    ("sort", "Mike Haertel and Paul Eggert."),
    ("split", "Torbjorn Granlund and Richard M. Stallman."),
    ("stat", "Michael Meskes."),
    ("stdbuf", "Padraig Brady."),
    ("stty", "David MacKenzie."),
    ("sum", "Kayvan Aghaiepour and David MacKenzie."),
    ("sync", "Jim Meyering and Giuseppe Scrivano."),
    ("tac", "Jay Lepreau and David MacKenzie."),
    (
        "tail",
        "Paul Rubin, David MacKenzie, Ian Lance Taylor,\nand Jim Meyering.",
    ),
    (
        "tee",
        "Mike Parker, Richard M. Stallman, and David MacKenzie.",
    ),
    ("timeout", "Padraig Brady."),
    (
        "touch",
        "Paul Rubin, Arnold Robbins, Jim Kingdon,\nDavid MacKenzie, and Randy Smith.",
    ),
    ("tr", "Jim Meyering."),
    ("true", "Jim Meyering."),
    ("truncate", "Padraig Brady."),
    ("tsort", "Mark Kettenis."),
    ("tty", "David MacKenzie."),
    ("uname", "David MacKenzie."),
    ("unexpand", "David MacKenzie."),
    ("uniq", "Richard M. Stallman and David MacKenzie."),
    ("unlink", "Michael Stone."),
    ("users", "Joseph Arceneaux and David MacKenzie."),
    ("vdir", "Richard M. Stallman and David MacKenzie."),
    ("wc", "Paul Rubin and David MacKenzie."),
    (
        "who",
        "Joseph Arceneaux, David MacKenzie, and Michael Stone.",
    ),
    ("whoami", "Richard Mlynarik."),
    ("yes", "David MacKenzie."),
];
