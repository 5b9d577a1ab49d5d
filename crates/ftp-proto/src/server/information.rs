//! What the server says about itself and the session: FEAT, OPTS, HELP, STAT, SYST, LANG, CSID.

use super::{Control, Data, Response, Session, Then, help, reply, text};
use crate::argument::Argument;
use crate::command::{Command, Facts, OptionSetting, Verb};
use crate::feature::{self, Feature};
use crate::hash::Algorithm;
use crate::listing::mlsx::Fact;
use crate::reply::{Code, Reply};

impl Session {
    /// Commands about the server and the session; the others are handed on.
    pub(super) fn information(&mut self, command: Command) -> Response {
        match command {
            Command::Noop | Command::Clnt(_) => reply(Code::OKAY, text::OKAY),
            Command::Syst => reply(Code::SYSTEM_TYPE, self.settings.system.clone()),
            Command::Stat(_) => self.status(),
            Command::Help(topic) => self.help(topic.as_ref()),
            Command::Feat => self.features(),
            Command::Opts(setting) => self.options(&setting),
            Command::Lang(tag) => language(tag.as_ref()),
            Command::Csid(identity) => self.identity(&identity),
            Command::Abor => {
                self.data = Data::None;
                Response {
                    replies: Reply::with(Code::DATA_OPEN, text::NOTHING_TO_ABORT).into(),
                    then: Then::CloseData,
                }
            }
            other => self.parameters(other),
        }
    }

    fn status(&self) -> Response {
        let peer = self.endpoints.peer.ip();
        let user = self
            .user()
            .map_or_else(|| "nobody".to_owned(), ToString::to_string);
        let control = match self.security.control {
            Control::Tls { .. } => "protected by TLS",
            Control::Clear | Control::Securing | Control::Cleared => "in clear",
        };
        let data = if self.security.private {
            "protected by TLS"
        } else {
            "in clear"
        };
        let waiting = match self.data {
            Data::None => " No data connection is set up".to_owned(),
            Data::Passive { .. } => " Waiting for a data connection".to_owned(),
            Data::Active(address) => format!(" The next data connection goes to {address}"),
        };
        let lines = [
            "Status of this session:".to_owned(),
            format!(" Connected from {peer}"),
            format!(" Logged in as {user}"),
            format!(" Working directory {}", self.directory),
            format!(
                " TYPE {}, STRU {}, MODE {}",
                if self.is_ascii() { "A" } else { "I" },
                char::from(self.structure.letter()),
                char::from(self.mode.letter()),
            ),
            format!(" The control connection is {control}, data connections are {data}"),
            waiting,
        ];
        Reply::multi(Code::SYSTEM_STATUS, lines, "End of status.").into()
    }

    fn help(&self, topic: Option<&Argument>) -> Response {
        let Some(topic) = topic else {
            let offered = Verb::ALL.iter().filter(|verb| self.offers(**verb));
            let names: Vec<_> = offered.map(|verb| verb.name()).collect();
            let lines = help::columns(&names);
            let first = std::iter::once("The following commands are recognized:".to_owned());
            return Reply::multi(Code::HELP, first.chain(lines), "Help command successful.").into();
        };
        let mut words = topic
            .as_bytes()
            .trim_ascii()
            .splitn(2, |&byte| byte == b' ');
        let word = words.next().unwrap_or_default();
        match Verb::parse(word) {
            Some(Verb::Site) if self.offers(Verb::Site) => {
                let word = words.next().map(<[u8]>::trim_ascii);
                help::site(word, self.settings.abilities)
            }
            Some(verb) if self.offers(verb) => {
                reply(Code::HELP, format!("Syntax: {}", help::syntax(verb)))
            }
            Some(_) => reply(Code::NOT_IMPLEMENTED, text::NOT_IMPLEMENTED),
            None => reply(Code::BAD_ARGUMENT, "Unrecognized command."),
        }
    }

    fn features(&self) -> Response {
        let abilities = self.settings.abilities;
        let mut lines = Vec::new();
        for (verb, line) in FEATURES {
            if self.offers(verb) {
                lines.push(line.to_owned());
            }
        }
        if self.offers(Verb::Hash) {
            let names = Algorithm::ALL.map(|algorithm| {
                let star = if algorithm == self.algorithm { "*" } else { "" };
                format!("{}{star}", algorithm.name())
            });
            lines.push(format!("HASH {}", names.join(";")));
        }
        if self.offers(Verb::Mff) {
            let facts = [
                (abilities.times, "Modify;"),
                (abilities.creation, "Create;"),
                (abilities.modes, "unix.mode;"),
            ];
            let facts = facts.iter().filter(|(has, _)| *has).map(|(_, fact)| *fact);
            lines.push(format!("MFF {}", facts.collect::<String>()));
        }
        for (has, word) in [
            (abilities.modes, "CHMOD"),
            (abilities.links, "SYMLINK"),
            (abilities.times, "UTIME"),
        ] {
            if has && self.offers(Verb::Site) {
                lines.push(format!("SITE {word}"));
            }
        }
        if self.offers(Verb::Mlst) {
            let facts = Fact::ALL.iter();
            let facts = facts.filter(|fact| **fact != Fact::Create || abilities.creation);
            let facts = facts.map(|fact| {
                let star = if self.facts.contains(fact) { "*" } else { "" };
                format!("{}{star};", fact.name())
            });
            lines.push(format!("MLST {}", facts.collect::<String>()));
        }
        if self.settings.deflate && self.offers(Verb::Mode) {
            lines.push("MODE Z".to_owned());
        }
        lines.push("TVFS".to_owned());
        lines.push("UTF8".to_owned());
        lines.sort_unstable();
        let features: Vec<_> = lines
            .iter()
            .filter_map(|line| Feature::parse(line.as_bytes()))
            .collect();
        feature::reply(&features).into()
    }

    fn options(&mut self, setting: &OptionSetting) -> Response {
        let is = |name: &[u8]| setting.name().as_bytes().eq_ignore_ascii_case(name);
        let parameters = setting.parameters().map_or(&b""[..], Argument::as_bytes);
        if is(b"UTF8") || is(b"UTF-8") {
            // Names are bytes and never converted, so there is no other way to be in.
            let wanted = parameters.trim_ascii();
            if wanted.is_empty() || wanted.eq_ignore_ascii_case(b"ON") {
                return reply(Code::OKAY, "Always in UTF8 mode.");
            }
            return reply(Code::BAD_ARGUMENT, "Invalid argument: always in UTF8 mode.");
        }
        if is(b"MLST") && self.offers(Verb::Mlst) {
            return self.choose_facts(parameters);
        }
        if is(b"HASH") && self.offers(Verb::Hash) {
            return self.choose_algorithm(parameters);
        }
        if is(b"MODE") && self.settings.deflate {
            return self.choose_level(parameters);
        }
        reply(Code::BAD_ARGUMENT, "Unsupported command.")
    }

    /// RFC 3659 §7.9: facts nobody knows are left out, and none at all turns all off.
    fn choose_facts(&mut self, parameters: &[u8]) -> Response {
        if parameters.contains(&b' ') {
            return reply(Code::BAD_ARGUMENT, "Invalid number of arguments.");
        }
        if !parameters.is_empty() && !parameters.ends_with(b";") {
            return reply(Code::BAD_ARGUMENT, "Invalid argument.");
        }
        let wanted: Vec<_> = parameters
            .split(|&byte| byte == b';')
            .filter_map(Fact::parse)
            .collect();
        let chosen = Fact::ALL.into_iter().filter(|fact| wanted.contains(fact));
        self.facts = chosen.collect();
        let names = self.facts.iter().map(|fact| format!("{};", fact.name()));
        reply(
            Code::OKAY,
            format!("MLST OPTS {}", names.collect::<String>()),
        )
    }

    fn choose_algorithm(&mut self, parameters: &[u8]) -> Response {
        if !parameters.is_empty() {
            let Some(algorithm) = Algorithm::parse(parameters) else {
                return reply(Code::BAD_ARGUMENT, "Unknown algorithm.");
            };
            self.algorithm = algorithm;
        }
        reply(Code::OKAY, self.algorithm.name())
    }

    /// `OPTS MODE Z LEVEL 9`, of the deflate draft.
    fn choose_level(&mut self, parameters: &[u8]) -> Response {
        let words: Vec<_> = parameters
            .split(|&byte| byte == b' ')
            .filter(|word| !word.is_empty())
            .map(<[u8]>::to_ascii_uppercase)
            .collect();
        let words: Vec<_> = words.iter().map(Vec::as_slice).collect();
        match words.as_slice() {
            [b"Z", b"LEVEL", [digit @ b'0'..=b'9']] => {
                self.level = digit - b'0';
                let level = self.level;
                reply(Code::OKAY, format!("MODE Z LEVEL set to {level}."))
            }
            _ => reply(Code::BAD_ARGUMENT, "Expected MODE Z LEVEL and 0 to 9."),
        }
    }

    fn identity(&self, identity: &Argument) -> Response {
        let mut pairs = identity.as_bytes().trim_ascii().to_vec();
        // Names and versions may hold blanks, which facts do not.
        pairs.retain(|&byte| byte != b' ');
        if Facts::parse(&pairs).is_none() {
            return reply(Code::BAD_ARGUMENT, text::BAD_ARGUMENT);
        }
        let (name, version) = &self.settings.software;
        let text = format!("Name={name}; Version={version}; OS=Linux; CaseSensitive=1; DirSep=/;");
        reply(Code::OKAY, text)
    }
}

/// RFC 2640 §4.1. All texts are English.
fn language(tag: Option<&Argument>) -> Response {
    let Some(tag) = tag else {
        return reply(Code::OKAY, "Language is EN, the default.");
    };
    let mut parts = tag.as_bytes().split(|&byte| byte == b'-');
    let fits =
        |part: &&[u8]| (1..=8).contains(&part.len()) && part.iter().all(u8::is_ascii_alphanumeric);
    let is_tag = tag.as_bytes().first().is_some_and(u8::is_ascii_alphabetic)
        && parts.clone().all(|part| fits(&part));
    if !is_tag {
        return reply(Code::BAD_ARGUMENT, text::BAD_ARGUMENT);
    }
    if parts
        .next()
        .is_some_and(|part| part.eq_ignore_ascii_case(b"EN"))
    {
        reply(Code::OKAY, "Language is EN.")
    } else {
        reply(Code::BAD_PARAMETER, "Only EN.")
    }
}

/// What FEAT lists if the verb is offered; what has parameters of its own is not among them.
const FEATURES: [(Verb, &str); 34] = [
    (Verb::Auth, "AUTH SSL"),
    (Verb::Auth, "AUTH TLS"),
    (Verb::Avbl, "AVBL"),
    (Verb::Ccc, "CCC"),
    (Verb::Clnt, "CLNT"),
    (Verb::Comb, "COMB"),
    (Verb::Cpsv, "CPSV"),
    (Verb::Csid, "CSID"),
    (Verb::Dsiz, "DSIZ"),
    (Verb::Eprt, "EPRT"),
    (Verb::Epsv, "EPSV"),
    (Verb::Host, "HOST"),
    (Verb::Lang, "LANG EN*"),
    (Verb::Md5, "MD5"),
    (Verb::Mdtm, "MDTM"),
    (Verb::Mfct, "MFCT"),
    (Verb::Mfmt, "MFMT"),
    (Verb::Pbsz, "PBSZ"),
    (Verb::Pret, "PRET"),
    (Verb::Prot, "PROT"),
    (Verb::Rang, "RANG STREAM"),
    (Verb::Rest, "REST STREAM"),
    (Verb::Rmda, "RMDA"),
    (Verb::Site, "SITE COPY"),
    (Verb::Site, "SITE MKDIR"),
    (Verb::Site, "SITE RMDIR"),
    (Verb::Size, "SIZE"),
    (Verb::Sscn, "SSCN"),
    (Verb::Xcrc, "XCRC"),
    (Verb::Xmd5, "XMD5"),
    (Verb::Xsha, "XSHA"),
    (Verb::Xsha1, "XSHA1"),
    (Verb::Xsha256, "XSHA256"),
    (Verb::Xsha512, "XSHA512"),
];
