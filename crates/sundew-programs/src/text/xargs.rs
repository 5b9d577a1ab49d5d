//! `xargs` of findutils 4.9.

use sundew_kernel::descriptor::OpenFlags;
use sundew_kernel::process::Spawn;
use sundew_kernel::{Errno, ExitStatus, Fd, Process, STDIN};

use crate::getopt::{Arity, Getopt, Spec, refuse, try_help};
use crate::text::{command, input, shell};

const HELP: &[u8] = include_bytes!("help/xargs.txt");
const VERSION: &[u8] = include_bytes!("help/xargs-version.txt");

/// Bytes of a command line, as xargs chooses them.
const MAX_BYTES: usize = 128 * 1024;
/// Longest single argument.
const MAX_ARGUMENT: usize = 128 * 1024;

const SPEC: Spec = Spec::new(
    "+0a:E:e::i::I:l::L:n:prs:txP:d:",
    &[
        ("null", Arity::No, "0"),
        ("arg-file", Arity::Required, "a"),
        ("delimiter", Arity::Required, "d"),
        ("eof", Arity::Optional, "e"),
        ("replace", Arity::Optional, "i"),
        ("max-lines", Arity::Optional, "l"),
        ("max-args", Arity::Required, "n"),
        ("open-tty", Arity::No, "o"),
        ("interactive", Arity::No, "p"),
        ("no-run-if-empty", Arity::No, "r"),
        ("max-chars", Arity::Required, "s"),
        ("verbose", Arity::No, "t"),
        ("show-limits", Arity::No, "limits"),
        ("exit", Arity::No, "x"),
        ("max-procs", Arity::Required, "P"),
        ("process-slot-var", Arity::Required, "slot"),
        ("version", Arity::No, "version"),
        ("help", Arity::No, "help"),
    ],
);

#[derive(Debug)]
struct Options {
    delimiter: Option<u8>,
    file: Option<Vec<u8>>,
    end: Option<Vec<u8>>,
    replace: Option<Vec<u8>>,
    lines: Option<usize>,
    args: Option<usize>,
    bytes: usize,
    run_if_empty: bool,
    verbose: bool,
    /// Whether each command is asked about.
    asks: bool,
    /// The variable that tells a command its slot.
    slot: Option<Vec<u8>>,
    limits: bool,
    command: Vec<Vec<u8>>,
}

/// Why reading stops.
enum Halt {
    /// A complaint, and status 1.
    Text(Vec<u8>),
    /// A command that ends everything; the status.
    Status(u8),
}

pub(crate) async fn run(proc: &mut Process) -> ExitStatus {
    let options = match read_options(proc).await {
        Ok(options) => options,
        Err(status) => return status,
    };
    let fd = match &options.file {
        Some(path) => match input::open(proc, path).await {
            Ok(fd) => fd,
            Err(errno) => {
                let reason = errno.message().as_bytes();
                let text = [
                    "Cannot open input file ‘".as_bytes(),
                    path,
                    "’: ".as_bytes(),
                    reason,
                ]
                .concat();
                proc.complain_text(text).await;
                return ExitStatus::FAILURE;
            }
        },
        None => STDIN,
    };
    if options.limits {
        limits(proc, options.bytes).await;
    }
    let mut xargs = Xargs {
        warned: false,
        options,
        batch: Vec::new(),
        size: 0,
        lines: 0,
        ran: false,
        status: 0,
    };
    match xargs.go(proc, fd).await {
        Ok(()) => ExitStatus::Exited(xargs.status),
        Err(Halt::Status(status)) => ExitStatus::Exited(status),
        Err(Halt::Text(text)) => {
            proc.complain_text(text).await;
            ExitStatus::FAILURE
        }
    }
}

#[expect(
    clippy::too_many_lines,
    reason = "one arm for each option, in one place"
)]
async fn read_options(proc: &mut Process) -> Result<Options, ExitStatus> {
    let mut options = Options {
        delimiter: None,
        file: None,
        end: None,
        replace: None,
        lines: None,
        args: None,
        bytes: MAX_BYTES,
        run_if_empty: true,
        verbose: false,
        asks: false,
        slot: None,
        limits: false,
        command: Vec::new(),
    };
    let mut getopt = Getopt::new(&SPEC, proc.args());
    while let Some(option) = getopt.next() {
        let option = match option {
            Ok(option) => option,
            Err(error) => return Err(refuse(proc, &error, 1).await),
        };
        let value = option.value;
        match option.key {
            "0" => options.delimiter = Some(0),
            "d" => {
                options.delimiter = Some(match delimiter(&value) {
                    Some(byte) => byte,
                    None => {
                        let text = [
                            b"Invalid input delimiter specification ".as_slice(),
                            &value,
                            b": the delimiter must be either a single character or an escape sequence starting with \\.",
                        ];
                        proc.complain_text(text.concat()).await;
                        return Err(ExitStatus::FAILURE);
                    }
                });
            }
            "a" => options.file = Some(value),
            "E" => options.end = Some(value),
            "e" => options.end = Some(value).filter(|value| !value.is_empty()),
            "I" | "i" if options.args.is_some() || options.lines.is_some() => {
                let other = if options.args.is_some() {
                    "--max-args"
                } else {
                    "--max-lines"
                };
                exclusive(proc, other, "--replace/-I/-i").await;
                (options.args, options.lines) = (None, None);
                let plain = option.key == "i" && value.is_empty();
                options.replace = Some(if plain { b"{}".to_vec() } else { value });
            }
            "I" => options.replace = Some(value),
            "i" => {
                options.replace = Some(if value.is_empty() {
                    b"{}".to_vec()
                } else {
                    value
                })
            }
            "l" if value.is_empty() => options.lines = Some(1),
            "l" | "L" => {
                let lines = number(proc, &value, 'L').await?;
                let name = if option.key == "L" {
                    "-L"
                } else {
                    "--max-lines/-l"
                };
                if options.args.take().is_some() {
                    exclusive(proc, "--max-args", name).await;
                }
                if options.replace.take().is_some() {
                    exclusive(proc, "--replace", name).await;
                }
                options.lines = Some(lines);
            }
            "n" => {
                let most = number(proc, &value, 'n').await?;
                // One at a time is what replacing does anyhow.
                if most == 1 && options.replace.is_some() {
                    continue;
                }
                if options.lines.take().is_some() {
                    exclusive(proc, "--max-lines", "--max-args/-n").await;
                }
                if options.replace.take().is_some() {
                    exclusive(proc, "--replace", "--max-args/-n").await;
                }
                options.args = Some(most);
            }
            "s" => options.bytes = number(proc, &value, 's').await?.min(MAX_BYTES),
            "r" => options.run_if_empty = false,
            "t" => options.verbose = true,
            "p" => (options.verbose, options.asks) = (true, true),
            "slot" => options.slot = Some(value),
            "limits" => options.limits = true,
            "help" | "version" => {
                let text = if option.key == "help" { HELP } else { VERSION };
                // The kernel reports a failed write at exit.
                let _reported = proc.print(text).await;
                return Err(ExitStatus::SUCCESS);
            }
            _ => {}
        }
    }
    options.command = getopt.operands();
    if options.command.is_empty() {
        options.command.push(b"echo".to_vec());
    }
    Ok(options)
}

/// The warning about two options of which the later one counts.
async fn exclusive(proc: &mut Process, before: &str, now: &str) {
    let text = format!(
        ": warning: options {before} and {now} are mutually exclusive, ignoring previous {before} value\n"
    );
    let line = [proc.name(), text.as_bytes()].concat();
    proc.print_error(&line).await;
}

/// What `--show-limits` tells: what the system allows and what is used of it.
async fn limits(proc: &mut Process, bytes: usize) {
    /// `ARG_MAX`, less the 2048 bytes that POSIX wants kept free.
    const UPPER: usize = 2_097_152 - 2048;
    let environment = proc.env().size();
    let text = format!(
        "Your environment variables take up {environment} bytes\n\
         POSIX upper limit on argument length (this system): {}\n\
         POSIX smallest allowable upper limit on argument length (all systems): 4096\n\
         Maximum length of command we could actually use: {}\n\
         Size of command buffer we are actually using: {bytes}\n\
         Maximum parallelism (--max-procs must be no greater): 2147483647\n",
        UPPER.saturating_sub(environment),
        UPPER.saturating_sub(environment.saturating_mul(2)),
    );
    proc.print_error(text.as_bytes()).await;
}

async fn number(proc: &mut Process, text: &[u8], letter: char) -> Result<usize, ExitStatus> {
    let shown = String::from_utf8_lossy(text).into_owned();
    let complaint = match shown.parse::<i64>() {
        Ok(number) if number >= 1 => return Ok(usize::try_from(number).unwrap_or(usize::MAX)),
        Ok(number) => format!("value {number} for -{letter} option should be >= 1"),
        Err(_) => format!("invalid number \"{shown}\" for -{letter} option"),
    };
    proc.complain_text(complaint).await;
    Err(try_help(proc, 1).await)
}

fn delimiter(text: &[u8]) -> Option<u8> {
    Some(match text {
        [b'\\', b'n'] => b'\n',
        [b'\\', b't'] => b'\t',
        [b'\\', b'r'] => b'\r',
        [b'\\', b'a'] => 7,
        [b'\\', b'b'] => 8,
        [b'\\', b'f'] => 12,
        [b'\\', b'v'] => 11,
        [b'\\', b'\\'] => b'\\',
        [b'\\', b'x', digits @ ..] => {
            u8::from_str_radix(std::str::from_utf8(digits).ok()?, 16).ok()?
        }
        [b'\\', digits @ ..] if !digits.is_empty() => {
            u8::from_str_radix(std::str::from_utf8(digits).ok()?, 8).ok()?
        }
        [byte] => *byte,
        [] => 0,
        _ => return None,
    })
}

struct Xargs {
    /// Whether a NUL byte in the input was complained of.
    warned: bool,
    options: Options,
    batch: Vec<Vec<u8>>,
    size: usize,
    lines: usize,
    ran: bool,
    status: u8,
}

/// Takes input apart into arguments.
#[derive(Default)]
struct Splitter {
    word: Vec<u8>,
    /// Whether there is a word, if only an empty one in quotes.
    begun: bool,
    quote: Option<u8>,
    escaped: bool,
    /// Whether the last byte but the newline was a blank, which joins lines for `-L`.
    blank: bool,
}

impl Xargs {
    async fn go(&mut self, proc: &mut Process, fd: Fd) -> Result<(), Halt> {
        let mut buffer = vec![0; 4096];
        let mut splitter = Splitter::default();
        let mut ended = false;
        while !ended {
            let count = match proc.read(fd, &mut buffer).await {
                Ok(count) => count,
                Err(errno) => return Err(Halt::Text(errno.message().as_bytes().to_vec())),
            };
            if count == 0 {
                break;
            }
            for &byte in buffer.get(..count).unwrap_or_default() {
                if self.byte(proc, &mut splitter, byte).await? {
                    ended = true;
                    break;
                }
            }
        }
        if let Some(quote) = splitter.quote {
            return Err(self.unmatched(proc, quote).await);
        }
        if splitter.begun {
            self.argument(proc, splitter.word).await?;
        }
        let empty = self.batch.is_empty();
        let wanted = if self.ran || self.options.replace.is_some() {
            !empty
        } else {
            !empty || self.options.run_if_empty
        };
        if wanted {
            self.execute(proc).await
        } else {
            Ok(())
        }
    }

    /// Looks at one byte; true at the word that ends the input.
    async fn byte(
        &mut self,
        proc: &mut Process,
        splitter: &mut Splitter,
        byte: u8,
    ) -> Result<bool, Halt> {
        if splitter.word.len() > MAX_ARGUMENT {
            return Err(Halt::Text(b"argument line too long".to_vec()));
        }
        if byte == 0
            && self.options.delimiter != Some(0)
            && !std::mem::replace(&mut self.warned, true)
        {
            let line = [
                proc.name(),
                b": WARNING: a NUL character occurred in the input.  It cannot be passed through in \
                  the argument list.  Did you mean to use the --null option?\n",
            ];
            let line = line.concat();
            proc.print_error(&line).await;
        }
        if let Some(delimiter) = self.options.delimiter {
            splitter.begun = true;
            if byte == delimiter {
                let word = std::mem::take(&mut splitter.word);
                splitter.begun = false;
                self.argument(proc, word).await?;
                self.line(proc).await?;
            } else {
                splitter.word.push(byte);
            }
            return Ok(false);
        }
        if std::mem::take(&mut splitter.escaped) {
            splitter.word.push(byte);
            return Ok(false);
        }
        if let Some(quote) = splitter.quote {
            match byte {
                b'\n' => return Err(self.unmatched(proc, quote).await),
                byte if byte == quote => splitter.quote = None,
                byte => splitter.word.push(byte),
            }
            return Ok(false);
        }
        // With -I only newlines end an argument, and leading blanks go.
        let ends = if self.options.replace.is_some() {
            byte == b'\n'
        } else {
            matches!(byte, b' ' | b'\t' | b'\n')
        };
        if ends || (matches!(byte, b' ' | b'\t') && !splitter.begun) {
            let joined = std::mem::replace(&mut splitter.blank, byte != b'\n');
            if splitter.begun {
                splitter.begun = false;
                let word = std::mem::take(&mut splitter.word);
                if self.options.end.as_ref() == Some(&word) {
                    return Ok(true);
                }
                self.argument(proc, word).await?;
            }
            if byte == b'\n' && !joined && !self.batch.is_empty() {
                self.line(proc).await?;
            }
            return Ok(false);
        }
        splitter.blank = false;
        splitter.begun = true;
        match byte {
            b'\\' => splitter.escaped = true,
            b'"' | b'\'' => splitter.quote = Some(byte),
            byte => splitter.word.push(byte),
        }
        Ok(false)
    }

    /// The complaint about an open quote; what was read before it is still run.
    async fn unmatched(&mut self, proc: &mut Process, quote: u8) -> Halt {
        if !self.batch.is_empty()
            && let Err(halt) = self.execute(proc).await
        {
            return halt;
        }
        unmatched(quote)
    }

    async fn line(&mut self, proc: &mut Process) -> Result<(), Halt> {
        self.lines += 1;
        if self.options.lines.is_some_and(|most| self.lines >= most) {
            self.execute(proc).await?;
        }
        Ok(())
    }

    async fn argument(&mut self, proc: &mut Process, mut word: Vec<u8>) -> Result<(), Halt> {
        proc.tick().await;
        if let Some(end) = word.iter().position(|&byte| byte == 0) {
            word.truncate(end);
        }
        let fixed: usize = self.options.command.iter().map(|word| word.len() + 1).sum();
        if fixed + word.len() + 1 > self.options.bytes {
            let text = b"argument line too long";
            return Err(Halt::Text(text.to_vec()));
        }
        if fixed + self.size + word.len() + 1 > self.options.bytes {
            self.execute(proc).await?;
        }
        self.size += word.len() + 1;
        self.batch.push(word);
        let full = self
            .options
            .args
            .is_some_and(|most| self.batch.len() >= most);
        if full || self.options.replace.is_some() {
            self.execute(proc).await?;
        }
        Ok(())
    }

    async fn execute(&mut self, proc: &mut Process) -> Result<(), Halt> {
        let batch = std::mem::take(&mut self.batch);
        (self.size, self.lines, self.ran) = (0, 0, true);
        let words: Vec<Vec<u8>> = match &self.options.replace {
            Some(mark) if !mark.is_empty() => {
                let text = batch.first().cloned().unwrap_or_default();
                let mut words = self.options.command.iter();
                let name = words.next().cloned();
                name.into_iter()
                    .chain(words.map(|word| replaced(word, mark, &text)))
                    .collect()
            }
            _ => self.options.command.iter().cloned().chain(batch).collect(),
        };
        if self.options.verbose {
            let shown: Vec<Vec<u8>> = words
                .iter()
                .map(|word| crate::quote::shell(word, crate::quote::Locale::of(proc), false))
                .collect();
            let line = shown.join(&b' ');
            if self.options.asks {
                proc.print_error(&line).await;
                if !agreed(proc).await? {
                    return Ok(());
                }
            } else {
                proc.print_error(&[line, b"\n".to_vec()].concat()).await;
            }
        }
        let name = words.first().cloned().unwrap_or_default();
        let shown = String::from_utf8_lossy(&name).into_owned();
        let pid = match start(proc, words, self.options.slot.as_deref()).await {
            Ok(pid) => pid,
            Err(errno) => {
                proc.complain(&name, errno).await;
                return Err(Halt::Status(if errno == Errno::Enoent { 127 } else { 126 }));
            }
        };
        match shell::wait(proc, pid).await {
            ExitStatus::Exited(0) => {}
            ExitStatus::Exited(255) => {
                proc.complain_text(format!("{shown}: exited with status 255; aborting"))
                    .await;
                return Err(Halt::Status(124));
            }
            ExitStatus::Exited(status @ (126 | 127)) => return Err(Halt::Status(status)),
            ExitStatus::Exited(_) => self.status = 123,
            ExitStatus::Signaled(signal) => {
                proc.complain_text(format!("{shown}: terminated by signal {}", signal.number()))
                    .await;
                return Err(Halt::Status(125));
            }
        }
        Ok(())
    }
}

/// Asks the terminal whether to run what was shown.
async fn agreed(proc: &mut Process) -> Result<bool, Halt> {
    let tty = match proc.open(b"/dev/tty", OpenFlags::READ, 0).await {
        Ok(tty) => tty,
        Err(errno) => {
            let reason = errno.message().as_bytes();
            let text = [b"failed to open /dev/tty for reading: ", reason].concat();
            return Err(Halt::Text(text));
        }
    };
    proc.print_error(b"?...").await;
    let mut answer = [0; 256];
    let count = proc.read(tty, &mut answer).await.unwrap_or(0);
    let _opened_above = proc.close(tty);
    Ok(count > 0 && matches!(answer.first(), Some(b'y' | b'Y')))
}

/// Starts a command whose standard input is `/dev/null`, as xargs reads the other one itself.
async fn start(
    proc: &mut Process,
    words: Vec<Vec<u8>>,
    slot: Option<&[u8]>,
) -> Result<sundew_kernel::Pid, Errno> {
    let path = command::search(proc, words.first().map_or(b"", Vec::as_slice))?;
    let null = proc.open(b"/dev/null", OpenFlags::READ, 0).await?;
    let saved = proc.duplicate_from(STDIN, 10).ok();
    if let Some(saved) = saved {
        proc.set_close_on_exec(saved, true)?;
    }
    proc.duplicate_to(null, STDIN)?;
    if null != STDIN {
        proc.close(null)?;
    }
    let mut env = proc.env().clone();
    if let Some(slot) = slot {
        // One command runs at a time: it is always the first slot.
        env.set(slot, b"0".as_slice());
    }
    let result = proc.spawn(Spawn {
        path,
        args: words,
        env,
    });
    match saved {
        Some(saved) => {
            proc.duplicate_to(saved, STDIN)?;
            proc.close(saved)?;
        }
        None => proc.close(STDIN)?,
    }
    result
}

fn unmatched(quote: u8) -> Halt {
    let kind = if quote == b'"' { "double" } else { "single" };
    Halt::Text(
        format!("unmatched {kind} quote; by default quotes are special to xargs unless you use the -0 option")
            .into_bytes(),
    )
}

fn replaced(word: &[u8], mark: &[u8], text: &[u8]) -> Vec<u8> {
    let mut out = Vec::new();
    let mut rest = word;
    while let Some(at) = rest.windows(mark.len()).position(|window| window == mark) {
        out.extend_from_slice(rest.get(..at).unwrap_or_default());
        out.extend_from_slice(text);
        rest = rest.get(at + mark.len()..).unwrap_or_default();
    }
    out.extend_from_slice(rest);
    out
}

#[cfg(test)]
mod tests {
    use crate::text::testing::run;

    #[test]
    fn arguments_come_from_words_quotes_and_delimiters() {
        let input = b"root\n'nobody' x\\y\n";
        let ok = |text: &str| (text.to_owned(), String::new(), 0);
        assert_eq!(
            run(&["xargs", "find", "-L", "/etc/group", "-name"], b"group"),
            ok("/etc/group\n")
        );
        assert_eq!(
            run(
                &[
                    "xargs",
                    "-0",
                    "-n1",
                    "grep",
                    "-c",
                    "root",
                    "/etc/group",
                    "--"
                ],
                b""
            ),
            ok("1\n")
        );
        assert_eq!(
            run(&["xargs", "-t", "-n1", "find", "-false", "-name"], input).1,
            "find -false -name root\nfind -false -name nobody\nfind -false -name xy\n"
        );
        assert_eq!(
            run(&["xargs", "-I{}", "-t", "find", "/etc/{}"], b"a b\n")
                .1
                .lines()
                .next(),
            Some("find '/etc/a b'")
        );
    }

    #[test]
    fn complaints_are_worded_as_xargs_words_them() {
        assert_eq!(
            run(&["xargs", "nosuch"], b"a"),
            (
                String::new(),
                "xargs: nosuch: No such file or directory\n".into(),
                127
            )
        );
        let text = "xargs: unmatched single quote; by default quotes are special to xargs unless you use the -0 option\n";
        assert_eq!(run(&["xargs"], b"a'b\n"), (String::new(), text.into(), 1));
        let text =
            "xargs: invalid number \"x\" for -n option\nTry 'xargs --help' for more information.\n";
        assert_eq!(
            run(&["xargs", "-n", "x"], b""),
            (String::new(), text.into(), 1)
        );
    }
}
