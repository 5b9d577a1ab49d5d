//! What HELP and SITE HELP say: each verb with its argument.

use super::{Abilities, Response, reply, text};
use crate::command::Verb;
use crate::reply::{Code, Reply};

/// Names in columns, eight a line.
pub(super) fn columns(names: &[&str]) -> Vec<String> {
    let line = |names: &[&str]| {
        let names = names.iter().map(|name| format!(" {name:<7}"));
        names.collect::<String>().trim_end().to_owned()
    };
    names.chunks(8).map(line).collect()
}

/// The help of SITE, and of one of its words, as far as it is served.
pub(super) fn site(word: Option<&[u8]>, abilities: Abilities) -> Response {
    let serves = |word: &str| match word {
        "CHMOD" => abilities.modes,
        "SYMLINK" => abilities.links,
        "UMASK" => abilities.umask,
        "UTIME" => abilities.times,
        _ => true,
    };
    let Some(word) = word.filter(|word| !word.is_empty()) else {
        let served = SITE.iter().filter(|(word, _)| serves(word));
        let lines = served.map(|(_, syntax)| format!(" {syntax}"));
        let first = std::iter::once("The following SITE commands are recognized:".to_owned());
        return Reply::multi(
            Code::HELP,
            first.chain(lines),
            "Help SITE command successful.",
        )
        .into();
    };
    let known = SITE
        .iter()
        .find(|(name, _)| name.as_bytes().eq_ignore_ascii_case(word));
    match known {
        Some((word, syntax)) if serves(word) => reply(Code::HELP, format!("Syntax: {syntax}")),
        Some(_) => reply(Code::NOT_IMPLEMENTED, text::NOT_IMPLEMENTED),
        None => reply(Code::BAD_ARGUMENT, "Unrecognized SITE command."),
    }
}

/// The words of SITE.
const SITE: [(&str, &str); 13] = [
    ("CHMOD", "SITE CHMOD <SP> mode <SP> path"),
    ("COPY", "SITE COPY <SP> from <SP> to"),
    ("CPFR", "SITE CPFR <SP> from"),
    ("CPTO", "SITE CPTO <SP> to"),
    ("HELP", "SITE HELP [<SP> word]"),
    ("IDLE", "SITE IDLE [<SP> seconds]"),
    ("MKDIR", "SITE MKDIR <SP> path"),
    ("QUOTA", "SITE QUOTA"),
    ("RMDIR", "SITE RMDIR <SP> path"),
    ("SYMLINK", "SITE SYMLINK <SP> target <SP> link"),
    ("UMASK", "SITE UMASK [<SP> mask]"),
    ("UTIME", "SITE UTIME <SP> YYYYMMDDhhmm[ss] <SP> path"),
    ("WHO", "SITE WHO"),
];

/// A verb with its argument, in the manner of RFC 959 §5.3.1.
pub(super) fn syntax(verb: Verb) -> String {
    let name = verb.name();
    let argument = argument(verb);
    if argument.is_empty() || argument.starts_with('[') {
        format!("{name}{argument}")
    } else {
        format!("{name} <SP> {argument}")
    }
}

const fn argument(verb: Verb) -> &'static str {
    match verb {
        Verb::User => "username",
        Verb::Pass => "[<SP> password]",
        Verb::Acct => "account",
        Verb::Cwd
        | Verb::Xcwd
        | Verb::Retr
        | Verb::Stor
        | Verb::Appe
        | Verb::Rnfr
        | Verb::Rnto
        | Verb::Dele
        | Verb::Rmd
        | Verb::Xrmd
        | Verb::Rmda
        | Verb::Mkd
        | Verb::Xmkd
        | Verb::Smnt
        | Verb::Mdtm
        | Verb::Size
        | Verb::Hash
        | Verb::Md5
        | Verb::Mmd5 => "path",
        Verb::List | Verb::Nlst | Verb::Stat | Verb::Mlst | Verb::Mlsd | Verb::Stou => {
            "[<SP> path]"
        }
        Verb::Avbl | Verb::Dsiz => "[<SP> path]",
        Verb::Port => "h1,h2,h3,h4,p1,p2",
        Verb::Lprt => "af,hal,h1,...,pal,p1,...",
        Verb::Eprt => "|proto|host|port|",
        Verb::Epsv => "[<SP> proto | ALL]",
        Verb::Type => "A | I | L 8",
        Verb::Stru => "F | R",
        Verb::Mode => "S | B | Z",
        Verb::Allo => "bytes [R record]",
        Verb::Rest => "offset",
        Verb::Rang => "first last",
        Verb::Site => "word [arguments]; see SITE HELP",
        Verb::Help => "[<SP> command]",
        Verb::Auth => "TLS | SSL",
        Verb::Adat | Verb::Mic | Verb::Conf | Verb::Enc => "base64",
        Verb::Pbsz => "0",
        Verb::Prot => "C | P",
        Verb::Opts => "command [options]",
        Verb::Lang => "[<SP> tag]",
        Verb::Host => "name",
        Verb::Xcrc | Verb::Xmd5 | Verb::Xsha | Verb::Xsha1 | Verb::Xsha256 | Verb::Xsha512 => {
            "\"path\" [first end]"
        }
        Verb::Mfmt | Verb::Mfct => "YYYYMMDDhhmmss <SP> path",
        Verb::Mff => "fact=value;... <SP> path",
        Verb::Comb => "\"target\" \"part\" ...",
        Verb::Clnt => "name",
        Verb::Csid => "Name=...; Version=...;",
        Verb::Pret => "command",
        Verb::Sscn => "[<SP> ON | OFF]",
        Verb::Mail | Verb::Mlfl | Verb::Msnd | Verb::Msom | Verb::Msam => "[<SP> user]",
        Verb::Xsen | Verb::Xsem | Verb::Xmas | Verb::Mrcp => "[<SP> user]",
        Verb::Mrsq => "[<SP> scheme]",
        Verb::Cdup
        | Verb::Xcup
        | Verb::Rein
        | Verb::Quit
        | Verb::Pasv
        | Verb::Lpsv
        | Verb::Abor
        | Verb::Pwd
        | Verb::Xpwd
        | Verb::Syst
        | Verb::Noop
        | Verb::Ccc
        | Verb::Feat
        | Verb::Cpsv
        | Verb::Spsv
        | Verb::Esta
        | Verb::Estp => "",
    }
}
