//! What `ssh` is told: its command line, `-o` options, and ssh_config(5), the first to say something
//! being right.

use sundew_kernel::Process;

use super::letters::Alphabet;

const LETTERS: Alphabet = Alphabet {
    with_value: b"BbcDEeFIiJLlmOopQRSWw",
    alone: b"1246AaCfGgKkMNnqsTtVvXxYy",
};
/// Lines read of one configuration file; nobody's is as long.
const MAX_CONFIG_LINES: usize = 4096;

/// What becomes of a host key that is not known.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Strict {
    Ask,
    Yes,
    No,
    AcceptNew,
}

/// Whether the other side gives a terminal.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum WantsTerminal {
    Auto,
    No,
    Yes,
    Force,
}

/// How much is told of what goes on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd)]
pub(super) enum Level {
    Quiet,
    Error,
    Info,
    Debug,
}

/// Everything that was said. What is `None` was not said yet.
#[derive(Debug, Default)]
pub(super) struct Settings {
    pub(super) hostname: Option<Vec<u8>>,
    pub(super) user: Option<Vec<u8>>,
    pub(super) port: Option<u16>,
    pub(super) identities: Vec<Vec<u8>>,
    pub(super) strict: Option<Strict>,
    pub(super) known_hosts: Option<Vec<Vec<u8>>>,
    pub(super) hash_hosts: Option<bool>,
    pub(super) batch: Option<bool>,
    pub(super) timeout: Option<u64>,
    pub(super) prompts: Option<u32>,
    pub(super) keys: Option<bool>,
    pub(super) passwords: Option<bool>,
    pub(super) questions: Option<bool>,
    pub(super) terminal: Option<WantsTerminal>,
    pub(super) level: Option<Level>,
    pub(super) command: Option<Vec<u8>>,
}

/// A command line.
#[derive(Debug, Default)]
pub(super) struct Line {
    pub(super) said: Settings,
    pub(super) destination: Option<Vec<u8>>,
    pub(super) command: Vec<Vec<u8>>,
    pub(super) config: Option<Vec<u8>>,
    pub(super) version: bool,
    pub(super) query: Option<Vec<u8>>,
    pub(super) subsystem: bool,
    pub(super) no_command: bool,
    pub(super) background: bool,
    pub(super) no_input: bool,
}

/// Why a command line is not taken.
pub(super) enum Refusal {
    /// The complaint goes before the usage.
    Usage(String),
    /// The complaint is all.
    Plain(String),
}

fn words(line: &[u8]) -> Vec<Vec<u8>> {
    let mut out = Vec::new();
    let mut rest = line.trim_ascii();
    while !rest.is_empty() {
        let (word, tail) = match rest.strip_prefix(b"\"") {
            Some(quoted) => {
                let end = quoted.iter().position(|&byte| byte == b'"');
                let end = end.unwrap_or(quoted.len());
                (
                    quoted.get(..end).unwrap_or_default(),
                    quoted.get(end + 1..).unwrap_or_default(),
                )
            }
            None => {
                let end = rest
                    .iter()
                    .position(|&byte| matches!(byte, b' ' | b'\t' | b'='));
                rest.split_at(end.unwrap_or(rest.len()))
            }
        };
        out.push(word.to_vec());
        rest = tail.trim_ascii_start();
        if out.len() == 1 {
            rest = rest.strip_prefix(b"=").unwrap_or(rest).trim_ascii_start();
        }
    }
    out
}

fn flag(value: &[u8]) -> Option<bool> {
    match value.to_ascii_lowercase().as_slice() {
        b"yes" | b"true" => Some(true),
        b"no" | b"false" => Some(false),
        _ => None,
    }
}

/// A time of sshd_config(5): `90`, `1m30`.
fn seconds(value: &[u8]) -> Option<u64> {
    let (mut total, mut number) = (0_u64, None::<u64>);
    for &byte in value {
        if byte.is_ascii_digit() {
            let digit = u64::from(byte - b'0');
            number = Some(number.unwrap_or(0).checked_mul(10)?.checked_add(digit)?);
            continue;
        }
        let unit = match byte.to_ascii_lowercase() {
            b's' => 1,
            b'm' => 60,
            b'h' => 3600,
            b'd' => 86_400,
            b'w' => 604_800,
            _ => return None,
        };
        total = total.checked_add(number.take()?.checked_mul(unit)?)?;
    }
    let rest = number.unwrap_or(0);
    (!value.is_empty()).then(|| total.saturating_add(rest))
}

fn set<T>(place: &mut Option<T>, value: T) {
    place.get_or_insert(value);
}

impl Settings {
    /// Takes one option. The complaint says what comes after "line N: ".
    pub(super) fn take(&mut self, name: &[u8], values: &[Vec<u8>]) -> Result<(), String> {
        let shown = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
        let value = values.first().map_or(b"".as_slice(), Vec::as_slice);
        let name = name.to_ascii_lowercase();
        let unsupported = || format!("unsupported option \"{}\".", shown(value));
        match name.as_slice() {
            b"hostname" => set(&mut self.hostname, value.to_vec()),
            b"user" => set(&mut self.user, value.to_vec()),
            b"port" => {
                let port = shown(value).parse().ok().filter(|port| *port != 0);
                let port = port.ok_or_else(|| format!("Bad port '{}'.", shown(value)))?;
                set(&mut self.port, port);
            }
            b"identityfile" => self.identities.push(value.to_vec()),
            b"stricthostkeychecking" => {
                let strict = match value.to_ascii_lowercase().as_slice() {
                    b"yes" | b"true" => Strict::Yes,
                    b"no" | b"false" | b"off" => Strict::No,
                    b"ask" => Strict::Ask,
                    b"accept-new" => Strict::AcceptNew,
                    _ => return Err(unsupported()),
                };
                set(&mut self.strict, strict);
            }
            b"userknownhostsfile" => set(&mut self.known_hosts, values.to_vec()),
            b"hashknownhosts" => set(&mut self.hash_hosts, flag(value).ok_or_else(unsupported)?),
            b"batchmode" => set(&mut self.batch, flag(value).ok_or_else(unsupported)?),
            b"connecttimeout" => {
                let time = seconds(value).ok_or("invalid time value.")?;
                set(&mut self.timeout, time);
            }
            b"numberofpasswordprompts" => {
                let count = shown(value).parse().ok();
                set(&mut self.prompts, count.ok_or("integer value invalid.")?);
            }
            b"pubkeyauthentication" => set(&mut self.keys, flag(value).unwrap_or(true)),
            b"passwordauthentication" => {
                set(&mut self.passwords, flag(value).ok_or_else(unsupported)?);
            }
            b"kbdinteractiveauthentication" | b"challengeresponseauthentication" => {
                set(&mut self.questions, flag(value).ok_or_else(unsupported)?);
            }
            b"preferredauthentications" => {
                let text = shown(value);
                let has = |method: &str| text.split(',').any(|one| one == method);
                set(&mut self.keys, has("publickey"));
                set(&mut self.passwords, has("password"));
                set(&mut self.questions, has("keyboard-interactive"));
            }
            b"requesttty" => {
                let wanted = match value.to_ascii_lowercase().as_slice() {
                    b"yes" => WantsTerminal::Yes,
                    b"force" => WantsTerminal::Force,
                    b"no" => WantsTerminal::No,
                    b"auto" => WantsTerminal::Auto,
                    _ => return Err(unsupported()),
                };
                set(&mut self.terminal, wanted);
            }
            b"loglevel" => {
                let level = match value.to_ascii_lowercase().as_slice() {
                    b"quiet" => Level::Quiet,
                    b"fatal" | b"error" => Level::Error,
                    b"info" | b"verbose" => Level::Info,
                    b"debug" | b"debug1" | b"debug2" | b"debug3" => Level::Debug,
                    _ => return Err(format!("unsupported log level '{}'", shown(value))),
                };
                set(&mut self.level, level);
            }
            b"remotecommand" if value != b"none" => set(&mut self.command, values.join(&b' ')),
            other if KNOWN.split(' ').any(|known| known.as_bytes() == other) => {}
            other => return Err(format!("Bad configuration option: {}", shown(other))),
        }
        Ok(())
    }

    /// Takes over what a configuration file says of `host`. Files that cannot be read say nothing.
    async fn take_file(&mut self, proc: &Process, path: &[u8], host: &[u8]) {
        let text = crate::net::read_file(proc, path).await;
        let mut applies = true;
        for line in text.split(|&byte| byte == b'\n').take(MAX_CONFIG_LINES) {
            let words = words(line);
            let Some((name, values)) = words.split_first() else {
                continue;
            };
            if name.starts_with(b"#") {
                continue;
            }
            if name.eq_ignore_ascii_case(b"host") {
                applies = super::known::matches_list(values, host);
            } else if name.eq_ignore_ascii_case(b"match") {
                applies = values.first().is_some_and(|one| one == b"all");
            } else if applies {
                // A mistake in a file of the machine's own is passed over.
                let _mistake = self.take(name, values);
            }
        }
    }
}

/// Reads a command line.
pub(super) fn read(args: &[Vec<u8>]) -> Result<Line, Refusal> {
    let mut line = Line::default();
    let mut words = args.iter().skip(1);
    let mut ended = false;
    while let Some(word) = words.next() {
        let letters = word
            .strip_prefix(b"-")
            .filter(|letters| !letters.is_empty() && !ended);
        let Some(letters) = letters else {
            if line.destination.is_none() {
                line.destination = Some(word.clone());
                continue;
            }
            line.command.push(word.clone());
            line.command.extend(words.cloned());
            break;
        };
        if letters == b"-" {
            ended = true;
            continue;
        }
        for (letter, value) in LETTERS.read(letters, &mut words).map_err(Refusal::Usage)? {
            match value {
                Some(value) => option(&mut line, letter, &value)?,
                None => alone(&mut line, letter),
            }
        }
    }
    Ok(line)
}

fn alone(line: &mut Line, letter: u8) {
    let said = &mut line.said;
    match letter {
        b'q' => said.level = Some(Level::Quiet),
        b'v' => said.level = Some(Level::Debug),
        b'T' => said.terminal = Some(WantsTerminal::No),
        b't' => {
            said.terminal = Some(match said.terminal {
                Some(WantsTerminal::Yes | WantsTerminal::Force) => WantsTerminal::Force,
                _ => WantsTerminal::Yes,
            });
        }
        b'V' => line.version = true,
        b's' => line.subsystem = true,
        b'N' => line.no_command = true,
        b'n' => line.no_input = true,
        b'f' => (line.background, line.no_input) = (true, true),
        _ => {}
    }
}

fn option(line: &mut Line, letter: u8, value: &[u8]) -> Result<(), Refusal> {
    let shown = || String::from_utf8_lossy(value).into_owned();
    match letter {
        b'p' => {
            let port = shown().parse().ok().filter(|port| *port != 0);
            let port = port.ok_or_else(|| Refusal::Plain(format!("Bad port '{}'\n", shown())))?;
            set(&mut line.said.port, port);
        }
        b'l' => set(&mut line.said.user, value.to_vec()),
        b'i' => line.said.identities.push(value.to_vec()),
        b'F' => line.config = Some(value.to_vec()),
        b'Q' => line.query = Some(value.to_vec()),
        b'W' => line.no_command = true,
        b'o' => {
            let words = words(value);
            let (name, values) = words.split_first().unwrap_or((const { &Vec::new() }, &[]));
            if values.first().is_none_or(Vec::is_empty) {
                return Err(Refusal::Plain(
                    "command-line line 0: no argument after keyword\r\n".to_owned(),
                ));
            }
            line.said.take(name, values).map_err(|complaint| {
                // The one complaint that OpenSSH words with a colon more.
                let colon = if complaint.starts_with("Bad configuration") {
                    ":"
                } else {
                    ""
                };
                Refusal::Plain(format!("command-line{colon} line 0: {complaint}\r\n"))
            })?;
        }
        b'c' if !CIPHERS.split(' ').any(|known| known.as_bytes() == value)
            && !value.contains(&b',') =>
        {
            return Err(Refusal::Plain(format!(
                "Unknown cipher type '{}'\n",
                shown()
            )));
        }
        _ => {}
    }
    Ok(())
}

/// Adds what the configuration files say of `host`.
pub(super) async fn configure(proc: &Process, line: &mut Line, host: &[u8]) {
    let files = match &line.config {
        Some(path) if path == b"none" => Vec::new(),
        Some(path) => vec![path.clone()],
        None => vec![
            [super::home(proc).as_slice(), b"/.ssh/config"].concat(),
            b"/etc/ssh/ssh_config".to_vec(),
        ],
    };
    for path in files {
        line.said.take_file(proc, &path, host).await;
    }
}

const CIPHERS: &str = "3des-cbc aes128-cbc aes192-cbc aes256-cbc aes128-ctr aes192-ctr aes256-ctr \
                       aes128-gcm@openssh.com aes256-gcm@openssh.com chacha20-poly1305@openssh.com";

/// Options of ssh_config(5) that change nothing of what is done here.
const KNOWN: &str = "addkeystoagent addressfamily bindaddress bindinterface canonicaldomains \
                     canonicalizefallbacklocal canonicalizehostname canonicalizemaxdots \
                     canonicalizepermittedcnames casignaturealgorithms certificatefile checkhostip ciphers \
                     clearallforwardings compression connectionattempts controlmaster controlpath \
                     controlpersist dynamicforward enableescapecommandline enablesshkeysign escapechar \
                     exitonforwardfailure fingerprinthash forkafterauthentication forwardagent forwardx11 \
                     forwardx11timeout forwardx11trusted gatewayports globalknownhostsfile \
                     gssapiauthentication gssapiclientidentity gssapidelegatecredentials gssapikeyexchange \
                     gssapirenewalforcesrekey gssapiserveridentity gssapitrustdns gssapikexalgorithms \
                     hostbasedacceptedalgorithms hostbasedauthentication hostkeyalgorithms hostkeyalias \
                     identitiesonly identityagent ignoreunknown include ipqos kbdinteractivedevices \
                     kexalgorithms knownhostscommand localcommand localforward logverbose macs \
                     nohostauthenticationforlocalhost permitlocalcommand permitremoteopen pkcs11provider \
                     protocol proxycommand proxyjump proxyusefdpass pubkeyacceptedalgorithms \
                     pubkeyacceptedkeytypes rekeylimit remotecommand remoteforward requiredrsasize \
                     revokedhostkeys securitykeyprovider sendenv serveralivecountmax serveraliveinterval \
                     sessiontype setenv stdinnull streamlocalbindmask streamlocalbindunlink syslogfacility \
                     tcpkeepalive tunnel tunneldevice updatehostkeys useroaming verifyhostkeydns \
                     visualhostkey xauthlocation rhostsrsaauthentication rsaauthentication \
                     useprivilegedport cipher";

#[cfg(test)]
mod tests {
    use super::*;

    fn line(text: &str) -> Line {
        let args: Vec<Vec<u8>> = text
            .split(' ')
            .map(|word| word.as_bytes().to_vec())
            .collect();
        match read(&args) {
            Ok(line) => line,
            Err(Refusal::Usage(text) | Refusal::Plain(text)) => panic!("{text}"),
        }
    }

    #[test]
    fn options_may_follow_the_destination_but_not_the_command() {
        let line = line("ssh root@host -p 2222 -oStrictHostKeyChecking=no uname -a");
        assert_eq!(line.destination.as_deref(), Some(&b"root@host"[..]));
        assert_eq!(line.said.port, Some(2222));
        assert_eq!(line.said.strict, Some(Strict::No));
        assert_eq!(line.command, [b"uname".to_vec(), b"-a".to_vec()]);
    }

    #[test]
    fn the_first_to_say_something_is_right() {
        let line = line("ssh -o Port=1 -p 2 -o User=a -l b host");
        assert_eq!(line.said.port, Some(1));
        assert_eq!(line.said.user.as_deref(), Some(&b"a"[..]));
    }

    #[test]
    fn times_have_units() {
        assert_eq!(seconds(b"1m30"), Some(90));
        assert_eq!(seconds(b"abc"), None);
    }
}
