//! `complete` remembers and shows specifications; `compgen` makes the lists that attackers and
//! completion scripts ask for. Functions (`-F`) are called at a prompt only, commands (`-C`) never.

use std::collections::BTreeSet;

use sundew_kernel::Process;
use sundew_posix::pattern::{Options as PatternOptions, Pattern, Piece};
use sundew_vfs::{Access, FileType};

use crate::builtin::getopt::{Found, Options};
use crate::builtin::type_::KEYWORDS;
use crate::builtin::{Answer, TABLE, find};
use crate::expand::transform::quote;
use crate::option::{SET_OPTIONS, SHOPT_OPTIONS};
use crate::shell::{Flow, Shell};

const USAGE_TAIL: &str = "[-o option] [-A action] [-G globpat] [-W wordlist] [-F function] [-C command] [-X filterpat] [-P prefix] [-S suffix]";

/// Commands with a specification; more are not remembered.
const MAX_SPECIFICATIONS: usize = 4096;

/// What the options of both builtins say.
#[derive(Default)]
struct Specification<'a> {
    actions: BTreeSet<u8>,
    named_actions: Vec<&'a [u8]>,
    options: Vec<&'a [u8]>,
    /// Arguments of `G W P S X C F`, in the order in which `complete -p` shows them.
    values: [Option<&'a [u8]>; 7],
    print: bool,
    remove: bool,
    /// `-D`, `-E`, `-I`
    special: Vec<u8>,
}

/// The letters of [`Specification::values`].
const VALUES: &[u8] = b"GWPSXCF";

impl<'a> Specification<'a> {
    fn read(options: &mut Options<'a>) -> Result<Self, Found<'a>> {
        let mut specification = Self::default();
        while let Some(found) = options.next() {
            let Found::Option(letter, value) = found else {
                return Err(found);
            };
            match letter {
                b'p' => specification.print = true,
                b'r' => specification.remove = true,
                b'D' | b'E' | b'I' => specification.special.push(letter),
                b'o' => specification.options.push(value),
                b'A' => match action_letter(value) {
                    Some(letter) if b"abcdefgjksuv".contains(&letter) => {
                        specification.actions.insert(letter);
                    }
                    _ => specification.named_actions.push(value),
                },
                letter => match VALUES.iter().position(|known| *known == letter) {
                    Some(index) => {
                        if let Some(slot) = specification.values.get_mut(index) {
                            *slot = Some(value);
                        }
                    }
                    None => {
                        specification.actions.insert(letter);
                    }
                },
            }
        }
        Ok(specification)
    }

    /// What follows a `-o` and is no option of completion.
    fn unknown_option(&self) -> Option<&'a [u8]> {
        const NAMES: [&[u8]; 8] = [
            b"bashdefault",
            b"default",
            b"dirnames",
            b"filenames",
            b"noquote",
            b"nosort",
            b"nospace",
            b"plusdirs",
        ];
        let unknown = |name: &&&[u8]| !NAMES.contains(*name);
        self.options.iter().find(unknown).copied()
    }

    fn value(&self, letter: u8) -> Option<&'a [u8]> {
        VALUES
            .iter()
            .zip(self.values)
            .find_map(|(known, value)| value.filter(|_| *known == letter))
    }

    /// As `complete -p` shows it, without the command's name.
    fn to_text(&self) -> Vec<u8> {
        let mut text = b"complete ".to_vec();
        for option in &self.options {
            text.extend([b"-o ".as_slice(), option, b" "].concat());
        }
        for action in &self.actions {
            text.extend([b'-', *action, b' ']);
        }
        for action in &self.named_actions {
            text.extend([b"-A ".as_slice(), action, b" "].concat());
        }
        for (letter, value) in VALUES.iter().zip(self.values) {
            let Some(value) = value else { continue };
            let value = if *letter == b'F' {
                value.to_vec()
            } else {
                quote(value)
            };
            text.extend([&[b'-', *letter, b' '], value.as_slice(), b" "].concat());
        }
        text
    }

    fn is_empty(&self) -> bool {
        self.actions.is_empty()
            && self.named_actions.is_empty()
            && self.options.is_empty()
            && self.values.iter().all(Option::is_none)
    }
}

pub(super) async fn run_complete(
    shell: &mut Shell,
    proc: &mut Process,
    args: &[Vec<u8>],
) -> Answer {
    let usage =
        format!("complete: usage: complete [-abcdefgjksuv] [-pr] [-DEI] {USAGE_TAIL} [name ...]");
    let mut options = Options::new(args, b"abcdefgjksuvo:A:G:W:P:S:X:F:C:prDEI");
    let specification = match Specification::read(&mut options) {
        Ok(specification) => specification,
        Err(found) => return Ok(shell.bad_option(proc, args, found, &usage).await),
    };
    if let Some(name) = specification.unknown_option() {
        let text = [name, b": invalid option name"].concat();
        return Ok(shell.builtin_error(proc, args, text, 2).await);
    }
    let special = specification
        .special
        .iter()
        .map(|letter| vec![b'-', *letter]);
    let names: Vec<Vec<u8>> = special.chain(options.operands().iter().cloned()).collect();
    if names.is_empty()
        && !specification.remove
        && (specification.print || specification.is_empty())
    {
        for (name, text) in &shell.completions {
            let _checked_at_flush = proc.print(&[text.as_slice(), name, b"\n"].concat()).await;
        }
        return Ok(0);
    }
    if names.is_empty() && specification.remove {
        shell.completions.clear();
        return Ok(0);
    }
    if names.is_empty() {
        proc.print_error(format!("{usage}\n").as_bytes()).await;
        return Ok(2);
    }
    if specification.remove && shell.completions.is_empty() {
        // Where there is no table yet, nothing is missing in it.
        return Ok(0);
    }
    let mut status = 0;
    for name in names {
        let known = shell.completions.get(&name);
        if specification.print || specification.remove {
            let Some(text) = known else {
                let text = [name.as_slice(), b": no completion specification"].concat();
                status = shell.builtin_error(proc, args, text, 1).await;
                continue;
            };
            if specification.print {
                let line = [text.as_slice(), &name, b"\n"].concat();
                let _checked_at_flush = proc.print(&line).await;
            } else {
                shell.completions.remove(&name);
            }
        } else if shell.completions.len() < MAX_SPECIFICATIONS {
            shell.completions.insert(name, specification.to_text());
        }
    }
    Ok(status)
}

pub(super) async fn run_compgen(shell: &mut Shell, proc: &mut Process, args: &[Vec<u8>]) -> Answer {
    let usage = format!("compgen: usage: compgen [-abcdefgjksuv] {USAGE_TAIL} [word]");
    let mut options = Options::new(args, b"abcdefgjksuvo:A:G:W:P:S:X:F:C:");
    let specification = match Specification::read(&mut options) {
        Ok(specification) => specification,
        Err(found) => return Ok(shell.bad_option(proc, args, found, &usage).await),
    };
    let word = options.operands().first().cloned().unwrap_or_default();
    if let Some(name) = specification.unknown_option() {
        let text = [name, b": invalid option name"].concat();
        return Ok(shell.builtin_error(proc, args, text, 2).await);
    }
    for name in &specification.named_actions {
        if action_letter(name).is_none() {
            let text = [name, b": invalid action name".as_slice()].concat();
            return Ok(shell.builtin_error(proc, args, text, 2).await);
        }
    }
    for letter in [b'F', b'C'] {
        let Some(command) = specification.value(letter) else {
            continue;
        };
        let letter = char::from(letter);
        let text = format!("compgen: warning: -{letter} option may not work as you expect");
        shell.complain(proc, text).await;
        if letter == 'F' && !shell.functions.contains_key(command) {
            let text = [b"completion: function `", command, b"' not found"].concat();
            shell.complain(proc, text).await;
        }
    }
    let matches = generate(shell, proc, &specification, &word).await?;
    for candidate in &matches {
        proc.tick().await;
        let line = [candidate.as_slice(), b"\n"].concat();
        if proc.print(&line).await.is_err() {
            break;
        }
    }
    Ok(u8::from(matches.is_empty()))
}

/// The words that a specification makes of `word`.
async fn generate(
    shell: &mut Shell,
    proc: &mut Process,
    specification: &Specification<'_>,
    word: &[u8],
) -> Result<Vec<Vec<u8>>, Flow> {
    let mut matches: Vec<Vec<u8>> = Vec::new();
    let letters = specification.actions.iter().copied();
    let mut actions: Vec<u8> = letters.collect();
    for name in &specification.named_actions {
        actions.extend(action_letter(name));
    }
    for action in actions {
        proc.tick().await;
        candidates(shell, proc, action, word, &mut matches);
    }
    if let Some(pattern) = specification.value(b'G') {
        let pieces: Vec<Piece> = pattern
            .iter()
            .map(|&byte| Piece {
                byte,
                quoted: false,
            })
            .collect();
        let found = shell.glob(proc, &pieces, PatternOptions::default()).await;
        let (mut found, _held) = found.into_parts();
        found.sort();
        matches.extend(found);
    }
    if let Some(list) = specification.value(b'W') {
        let expanded = shell.expand_text(proc, list).await?;
        let separators = shell.field_separators();
        let words = expanded
            .split(|byte| separators.contains(byte))
            .filter(|word| !word.is_empty());
        matches.extend(words.map(<[u8]>::to_vec));
    }
    matches.retain(|candidate| candidate.starts_with(word));
    if let Some(filter) = specification.value(b'X') {
        let (negated, pattern) = match filter.strip_prefix(b"!") {
            Some(pattern) => (true, pattern),
            None => (false, filter),
        };
        let pattern = Pattern::from_bytes(pattern, PatternOptions::default());
        matches.retain(|candidate| pattern.matches(candidate) == negated);
    }
    let prefix = specification.value(b'P').unwrap_or_default();
    let suffix = specification.value(b'S').unwrap_or_default();
    if !prefix.is_empty() || !suffix.is_empty() {
        for candidate in &mut matches {
            *candidate = [prefix, candidate, suffix].concat();
        }
    }
    Ok(matches)
}

/// What a specification makes of the word at a prompt.
pub(crate) struct Specified {
    /// The words.
    pub(crate) words: Vec<Vec<u8>>,
    /// Whether they are files.
    pub(crate) files: bool,
    /// Whether no blank follows the only one.
    pub(crate) no_space: bool,
    /// Whether bash's own completion is to be tried if there are none.
    pub(crate) fall_back: bool,
}

/// What `specification`, as `complete -p` shows it, makes of the last of `words`.
pub(crate) async fn specified(
    shell: &mut Shell,
    proc: &mut Process,
    specification: &[u8],
    words: &[Vec<u8>],
    line: &[u8],
) -> Option<Specified> {
    let args = unquoted_words(specification);
    let mut options = Options::new(&args, b"abcdefgjksuvo:A:G:W:P:S:X:F:C:prDEI");
    let specification = Specification::read(&mut options).ok()?;
    let word = words.last()?;
    let mut found = generate(shell, proc, &specification, word).await.ok()?;
    if let Some(function) = specification.value(b'F') {
        found.extend(call(shell, proc, function, words, line).await);
    }
    let has = |name: &[u8]| specification.options.contains(&name);
    let files = specification
        .actions
        .iter()
        .any(|action| matches!(action, b'd' | b'f'));
    Some(Specified {
        words: found,
        files: files || has(b"filenames"),
        no_space: has(b"nospace"),
        fall_back: has(b"default") || has(b"bashdefault") || has(b"dirnames"),
    })
}

/// Calls a completion function; what it leaves in `$COMPREPLY`.
async fn call(
    shell: &mut Shell,
    proc: &mut Process,
    function: &[u8],
    words: &[Vec<u8>],
    line: &[u8],
) -> Vec<Vec<u8>> {
    let last = words.len().saturating_sub(1);
    let number = |value: usize| value.to_string().into_bytes();
    shell.variables.set_own_array(b"COMP_WORDS", words.to_vec());
    shell.variables.set_own(b"COMP_CWORD", number(last));
    shell.variables.set_own(b"COMP_LINE", line.to_vec());
    shell.variables.set_own(b"COMP_POINT", number(line.len()));
    shell.variables.set_own(b"COMP_TYPE", b"9".to_vec());
    shell.variables.set_own(b"COMP_KEY", b"9".to_vec());
    let previous = last.checked_sub(1).and_then(|at| words.get(at));
    let mut text = function.to_vec();
    for word in [words.first(), words.get(last), previous] {
        text.push(b' ');
        text.extend(quote(word.map_or(b"", Vec::as_slice)));
    }
    let status = shell.status;
    let run: futures_util::future::BoxFuture<'_, _> = Box::pin(shell.run_text(proc, &text));
    let _only_its_words_matter = run.await;
    shell.status = status;
    let reply = shell.elements(b"COMPREPLY");
    for name in [
        b"COMPREPLY".as_slice(),
        b"COMP_WORDS",
        b"COMP_CWORD",
        b"COMP_LINE",
        b"COMP_POINT",
        b"COMP_TYPE",
        b"COMP_KEY",
    ] {
        shell.variables.unset(name);
    }
    reply
}

/// The words of a specification, which are quoted with `'` where they are.
fn unquoted_words(text: &[u8]) -> Vec<Vec<u8>> {
    let mut words: Vec<Vec<u8>> = Vec::new();
    let mut word: Option<Vec<u8>> = None;
    let mut quoted = false;
    let mut bytes = text.iter().copied();
    while let Some(byte) = bytes.next() {
        match byte {
            b'\'' => {
                quoted = !quoted;
                word.get_or_insert_with(Vec::new);
            }
            b'\\' if !quoted => word.get_or_insert_with(Vec::new).extend(bytes.next()),
            b' ' if !quoted => words.extend(word.take()),
            _ => word.get_or_insert_with(Vec::new).push(byte),
        }
    }
    words.extend(word);
    words
}

/// The letter of a name that `-A` takes; those without one get a letter that no option has.
fn action_letter(name: &[u8]) -> Option<u8> {
    Some(match name {
        b"alias" => b'a',
        b"builtin" => b'b',
        b"command" => b'c',
        b"directory" => b'd',
        b"export" => b'e',
        b"file" => b'f',
        b"group" => b'g',
        b"job" => b'j',
        b"keyword" => b'k',
        b"service" => b's',
        b"user" => b'u',
        b"variable" => b'v',
        b"function" => b'F',
        b"arrayvar" => b'A',
        b"setopt" => b'O',
        b"shopt" => b'P',
        b"enabled" => b'B',
        b"disabled" => b'N',
        b"signal" => b'S',
        b"binding" | b"helptopic" | b"hostname" | b"running" | b"stopped" => b'-',
        _ => return None,
    })
}

fn candidates(shell: &Shell, proc: &Process, action: u8, word: &[u8], matches: &mut Vec<Vec<u8>>) {
    let text = |name: &str| name.as_bytes().to_vec();
    match action {
        b'a' => matches.extend(shell.aliases.keys().cloned()),
        b'b' => matches.extend(bash_builtins()),
        b'B' => matches.extend(bash_builtins().filter(|name| find(shell, name).is_some())),
        b'N' => matches.extend(shell.disabled.iter().cloned()),
        b'F' => matches.extend(shell.functions.keys().cloned()),
        b'k' => matches.extend(KEYWORDS.iter().map(|name| text(name))),
        b'O' => matches.extend(SET_OPTIONS.iter().map(|option| text(option.name))),
        b'P' => matches.extend(SHOPT_OPTIONS.iter().map(|option| text(option.0))),
        b'c' => {
            matches.extend(shell.aliases.keys().cloned());
            matches.extend(KEYWORDS.iter().map(|name| text(name)));
            matches.extend(shell.functions.keys().cloned());
            matches.extend(bash_builtins());
            matches.extend(programs(shell, proc));
        }
        b'd' | b'f' => matches.extend(files(proc, word, action == b'd')),
        b'e' | b'v' | b'A' => {
            let visible = shell.variables.visible();
            let wanted = visible.iter().filter(|(_, variable)| match action {
                b'e' => variable.attributes.exported,
                b'A' => variable.is_array(),
                _ => variable.value.is_some(),
            });
            matches.extend(wanted.map(|(name, _)| name.to_vec()));
        }
        b'S' => {
            matches.push(b"EXIT".to_vec());
            for signal in sundew_kernel::Signal::all() {
                matches.push(format!("SIG{}", signal.name()).into_bytes());
                if signal == sundew_kernel::Signal::SYS {
                    // The C library keeps these two for itself.
                    matches.extend([b"SIGJUNK(32)".to_vec(), b"SIGJUNK(33)".to_vec()]);
                }
            }
            matches.extend([b"DEBUG".to_vec(), b"ERR".to_vec(), b"RETURN".to_vec()]);
        }
        b'g' => matches.extend(first_fields(proc, b"/etc/group")),
        b'u' => matches.extend(first_fields(proc, b"/etc/passwd")),
        _ => {}
    }
}

fn bash_builtins() -> impl Iterator<Item = Vec<u8>> {
    let all = TABLE
        .iter()
        .filter(|builtin| builtin.dialects.contains(&sundew_sh_syntax::Dialect::Bash));
    all.map(|builtin| builtin.name.as_bytes().to_vec())
}

/// Everything executable in `$PATH`.
fn programs(shell: &Shell, proc: &Process) -> Vec<Vec<u8>> {
    let path = shell.variables.scalar(b"PATH").unwrap_or_default();
    let mut names = Vec::new();
    for directory in path.split(|&byte| byte == b':') {
        for entry in proc.read_directory(directory).unwrap_or_default() {
            let file = [directory, b"/", &*entry.name].concat();
            let is_file = proc
                .stat(&file)
                .is_ok_and(|metadata| metadata.file_type == FileType::Regular);
            if is_file && proc.access(&file, Access::Execute).is_ok() {
                names.push(entry.name.to_vec());
            }
        }
    }
    names
}

/// Files whose path begins with `word`.
fn files(proc: &Process, word: &[u8], directories: bool) -> Vec<Vec<u8>> {
    let split = word
        .iter()
        .rposition(|&byte| byte == b'/')
        .map_or(0, |slash| slash + 1);
    let (directory, start) = word.split_at(split);
    let entries = proc
        .read_directory(if directory.is_empty() {
            b"."
        } else {
            directory
        })
        .unwrap_or_default();
    let names = entries
        .iter()
        .map(|entry| &*entry.name)
        .filter(|name| *name != b"." && *name != b"..");
    let paths = names
        .filter(|name| name.starts_with(start))
        .map(|name| [directory, name].concat());
    paths
        .filter(|path| {
            !directories
                || proc
                    .stat(path)
                    .is_ok_and(|metadata| metadata.file_type == FileType::Directory)
        })
        .collect()
}

/// The names in a file of accounts.
fn first_fields(proc: &Process, path: &[u8]) -> Vec<Vec<u8>> {
    let text = proc.read_small_file(path).unwrap_or_default();
    let names = text
        .split(|&byte| byte == b'\n')
        .filter_map(|line| line.split(|&byte| byte == b':').next());
    names
        .filter(|name| !name.is_empty())
        .map(<[u8]>::to_vec)
        .collect()
}
