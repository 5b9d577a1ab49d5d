//! Redirections: what `>`, `<`, `>&`, `<<` do to the descriptors of a process.

use sundew_kernel::descriptor::OpenFlags;
use sundew_kernel::{Errno, Fd, Process, STDERR, STDIN, STDOUT};
use sundew_sh_syntax::Dialect;
use sundew_sh_syntax::ast::{Descriptor, Part, Redirect, RedirectKind, Word};

use crate::shell::{Flow, Shell};

/// Lowest descriptor that the shell uses for itself.
const PRIVATE: Fd = 10;

/// How to undo redirections: what each descriptor was before.
#[derive(Debug, Default)]
pub struct Undo(Vec<(Fd, Option<Fd>)>);

/// A redirection that failed; the complaint is printed already.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RedirectFailed(pub(crate) Option<Flow>);

impl Shell {
    /// `$?` after a redirection that failed.
    pub(crate) fn redirection_status(&self) -> u8 {
        match self.dialect {
            Dialect::Dash => 2,
            Dialect::Bash | Dialect::Ash => 1,
        }
    }

    /// Performs redirections from left to right. What they replaced is kept in `undo`, if given.
    ///
    /// # Errors
    ///
    /// [`RedirectFailed`] at the first that fails; those before it stay performed.
    pub async fn redirect(
        &mut self,
        proc: &mut Process,
        redirects: &[Redirect],
        mut undo: Option<&mut Undo>,
    ) -> Result<(), RedirectFailed> {
        for redirect in redirects {
            let fd = match &redirect.descriptor {
                Descriptor::Number(fd) => *fd,
                Descriptor::Default => default_descriptor(&redirect.kind),
                Descriptor::Variable(name) => {
                    self.redirect_variable(proc, name, &redirect.kind).await?;
                    continue;
                }
            };
            self.redirect_one(proc, fd, redirect, undo.as_deref_mut())
                .await?;
        }
        Ok(())
    }

    async fn redirect_one(
        &mut self,
        proc: &mut Process,
        fd: Fd,
        redirect: &Redirect,
        undo: Option<&mut Undo>,
    ) -> Result<(), RedirectFailed> {
        let both = match &redirect.kind {
            RedirectKind::OutputBoth(_) | RedirectKind::AppendBoth(_) => true,
            RedirectKind::DuplicateOutput(word) if redirect.descriptor == Descriptor::Default => {
                // `>& file` means `&> file` unless the word is a number or a dash.
                let text = self.redirect_word(proc, word).await?;
                self.dialect != Dialect::Dash
                    && !text.iter().all(u8::is_ascii_digit)
                    && !text.ends_with(b"-")
            }
            _ => false,
        };
        let source = self.open_target(proc, fd, &redirect.kind, both).await?;
        if let Some(undo) = undo {
            // As bash 5.2 has it: what `3>&1-` closes comes back if 3 was open.
            let moved = match source {
                Target::Copy { from, close: true } => Some(from),
                _ => None,
            };
            if let Some(from) = moved.filter(|from| *from != fd && proc.is_open(fd)) {
                undo.save(proc, from);
            }
            match &source {
                // It was free: the file itself has landed there.
                Target::Opened(new) if *new == fd => undo.0.push((fd, None)),
                _ => undo.save(proc, fd),
            }
            if both {
                undo.save(proc, STDERR);
            }
        }
        match source {
            Target::Opened(new) => {
                if let Err(errno) = move_descriptor(proc, new, fd) {
                    // Past the limit of descriptors.
                    let errno = match self.dialect {
                        Dialect::Dash => Errno::Einval,
                        _ => errno,
                    };
                    self.complain(proc, format!("{fd}: {}", errno.message()))
                        .await;
                    return Err(RedirectFailed(None));
                }
                if both {
                    let _checked_open = proc.duplicate_to(fd, STDERR);
                }
            }
            Target::Copy { from, close } => {
                let copied = proc.duplicate_to(from, fd);
                if close && from != fd {
                    let _checked_open = proc.close(from);
                }
                if copied.is_err() {
                    let text = format!("{from}: {}", Errno::Ebadf.message());
                    self.complain(proc, text).await;
                    return Err(RedirectFailed(None));
                }
            }
            Target::Close => {
                let _may_be_closed = proc.close(fd);
            }
        }
        Ok(())
    }

    /// `{name}>file`: the shell chooses a descriptor from 10 on and tells it in the variable.
    async fn redirect_variable(
        &mut self,
        proc: &mut Process,
        name: &[u8],
        kind: &RedirectKind,
    ) -> Result<(), RedirectFailed> {
        if let RedirectKind::DuplicateInput(word) | RedirectKind::DuplicateOutput(word) = kind
            && self.redirect_word(proc, word).await? == b"-"
        {
            let number = self
                .variables
                .scalar(name)
                .and_then(|text| std::str::from_utf8(text).ok()?.parse().ok());
            let Some(fd) = number else {
                self.complain(proc, [name, b": ambiguous redirect"].concat())
                    .await;
                return Err(RedirectFailed(None));
            };
            let _may_be_closed = proc.close(fd);
            return Ok(());
        }
        let fd = match self.open_target(proc, STDIN, kind, false).await? {
            Target::Opened(fd) => {
                let moved = proc.duplicate_from(fd, PRIVATE);
                let _just_opened = proc.close(fd);
                moved
            }
            Target::Copy { from, .. } => proc.duplicate_from(from, PRIVATE),
            Target::Close => return Ok(()),
        };
        match fd {
            Ok(fd) => {
                self.variables.set_own(name, fd.to_string());
                Ok(())
            }
            Err(errno) => {
                self.complain(proc, errno.message()).await;
                Err(RedirectFailed(None))
            }
        }
    }

    async fn open_target(
        &mut self,
        proc: &mut Process,
        _fd: Fd,
        kind: &RedirectKind,
        both: bool,
    ) -> Result<Target, RedirectFailed> {
        let flags = |flags: OpenFlags| OpenFlags {
            redirection: flags.write,
            ..flags
        };
        let (word, flags) = match kind {
            RedirectKind::Input(word) => (word, flags(OpenFlags::READ)),
            RedirectKind::Output(word) => {
                let clobber = !self.options.is_set("noclobber");
                (
                    word,
                    OpenFlags {
                        exclusive: !clobber,
                        ..flags(OpenFlags::CREATE)
                    },
                )
            }
            RedirectKind::Clobber(word) => (word, flags(OpenFlags::CREATE)),
            RedirectKind::OutputBoth(word) => (
                word,
                OpenFlags {
                    exclusive: self.options.is_set("noclobber"),
                    ..flags(OpenFlags::CREATE)
                },
            ),
            RedirectKind::Append(word) | RedirectKind::AppendBoth(word) => {
                (word, flags(OpenFlags::APPEND))
            }
            RedirectKind::InputOutput(word) => (word, flags(OpenFlags::READ_WRITE)),
            RedirectKind::DuplicateOutput(word) if both => (
                word,
                OpenFlags {
                    exclusive: self.options.is_set("noclobber"),
                    ..flags(OpenFlags::CREATE)
                },
            ),
            RedirectKind::DuplicateInput(word) | RedirectKind::DuplicateOutput(word) => {
                return self.duplicate_target(proc, word).await;
            }
            RedirectKind::HereDocument(document) => {
                let text = self
                    .expand_here(proc, document.body(), document.quoted)
                    .await
                    .map_err(|flow| RedirectFailed(Some(flow)))?;
                return self.feed(proc, text).await;
            }
            RedirectKind::HereString(word) => {
                let mut text = self
                    .expand_string(proc, word)
                    .await
                    .map_err(|flow| RedirectFailed(Some(flow)))?;
                text.push(b'\n');
                return self.feed(proc, text).await;
            }
        };
        let path = self.redirect_word(proc, word).await?;
        if flags.write && self.is_restricted() {
            let text = [path.as_slice(), b": restricted: cannot redirect output"].concat();
            self.complain(proc, text).await;
            return Err(RedirectFailed(None));
        }
        if let Some(target) = network_target(&path).filter(|_| self.is_bash()) {
            return self.open_network(proc, &path, target).await;
        }
        self.open_path(proc, &path, flags).await
    }

    async fn open_path(
        &mut self,
        proc: &mut Process,
        path: &[u8],
        flags: OpenFlags,
    ) -> Result<Target, RedirectFailed> {
        let result = match proc.open(path, flags, 0o666).await {
            // `noclobber` protects regular files only.
            Err(Errno::Eexist) if flags.exclusive => match proc.stat(path) {
                Ok(metadata) if metadata.file_type != sundew_vfs::FileType::Regular => {
                    proc.open(
                        path,
                        OpenFlags {
                            exclusive: false,
                            ..flags
                        },
                        0o666,
                    )
                    .await
                }
                _ => {
                    let text: &[u8] = match self.dialect {
                        Dialect::Bash => b"",
                        Dialect::Dash => b"cannot create ",
                        Dialect::Ash => b"can't create ",
                    };
                    let reason = if self.is_bash() {
                        "cannot overwrite existing file"
                    } else {
                        Errno::Eexist.message()
                    };
                    let text = [text, path, b": ", reason.as_bytes()].concat();
                    self.complain(proc, text).await;
                    return Err(RedirectFailed(None));
                }
            },
            result => result,
        };
        match result {
            Ok(fd) => Ok(Target::Opened(fd)),
            Err(errno) => {
                let text = match self.dialect {
                    Dialect::Bash => [path, b": ", errno.message().as_bytes()].concat(),
                    dialect => ash_open_error(dialect, path, errno, flags),
                };
                self.complain(proc, text).await;
                Err(RedirectFailed(None))
            }
        }
    }

    async fn duplicate_target(
        &mut self,
        proc: &mut Process,
        word: &Word,
    ) -> Result<Target, RedirectFailed> {
        let text = self.redirect_word(proc, word).await?;
        if text == b"-" {
            return Ok(Target::Close);
        }
        let (digits, close) = match text.strip_suffix(b"-") {
            Some(digits) if self.is_bash() => (digits, true),
            _ => (text.as_slice(), false),
        };
        let number = std::str::from_utf8(digits)
            .ok()
            .and_then(|digits| digits.parse::<Fd>().ok());
        let Some(from) = number else {
            if !self.is_bash() {
                let literal = matches!(word.parts.as_slice(), [Part::Literal(_)]);
                let text: &[u8] = match self.dialect {
                    Dialect::Dash => b"Syntax error: Bad fd number",
                    _ if literal => b"redir error",
                    _ => b"syntax error: bad fd number",
                };
                if self.dialect == Dialect::Dash {
                    // The line after is the one that the parser has come to.
                    self.line = self.lines.read;
                }
                let run = self.fatal(proc, 2, text).await;
                return Err(RedirectFailed(run.err()));
            }
            let text = [text.as_slice(), b": ambiguous redirect"].concat();
            self.complain(proc, text).await;
            return Err(RedirectFailed(None));
        };
        if !proc.is_open(from) {
            // bash names what was written.
            let shown = match self.dialect {
                Dialect::Bash => sundew_sh_syntax::unparse::word(word),
                _ => from.to_string().into_bytes(),
            };
            let text = [&shown, b": ".as_slice(), Errno::Ebadf.message().as_bytes()].concat();
            self.complain(proc, text).await;
            return Err(RedirectFailed(None));
        }
        Ok(Target::Copy { from, close })
    }

    /// A here-document: a pipe if it fits, as bash does, else a file without a name.
    async fn feed(&mut self, proc: &mut Process, text: Vec<u8>) -> Result<Target, RedirectFailed> {
        let fed = if text.len() <= sundew_kernel::pipe::CAPACITY {
            feed_by_pipe(proc, &text).await
        } else {
            feed_by_file(proc, &text).await
        };
        match fed {
            Ok(fd) => Ok(Target::Opened(fd)),
            Err(errno) => {
                let text = [
                    b"cannot create temp file for here-document: ".as_slice(),
                    errno.message().as_bytes(),
                ]
                .concat();
                self.complain(proc, text).await;
                Err(RedirectFailed(None))
            }
        }
    }

    /// The one word that a redirection's target must expand to.
    async fn redirect_word(
        &mut self,
        proc: &mut Process,
        word: &Word,
    ) -> Result<Vec<u8>, RedirectFailed> {
        // Only bash looks for files, and not in its POSIX mode, and minds if there are several.
        if !self.is_bash() || self.options.is_set("posix") && !self.interactive {
            return self
                .expand_string(proc, word)
                .await
                .map_err(|flow| RedirectFailed(Some(flow)));
        }
        let mut fields = self
            .expand_words(proc, std::slice::from_ref(word))
            .await
            .map_err(|flow| RedirectFailed(Some(flow)))?;
        match (fields.pop(), fields.is_empty()) {
            (Some(field), true) => Ok(field),
            _ => {
                let typed = sundew_sh_syntax::unparse::word(word);
                let text = [typed.as_slice(), b": ambiguous redirect"].concat();
                self.complain(proc, text).await;
                Err(RedirectFailed(None))
            }
        }
    }

    /// `/dev/tcp/HOST/PORT`, `/dev/udp/HOST/PORT`.
    async fn open_network(
        &mut self,
        proc: &mut Process,
        path: &[u8],
        (host, port): (Vec<u8>, Vec<u8>),
    ) -> Result<Target, RedirectFailed> {
        let port: Option<u16> = std::str::from_utf8(&port)
            .ok()
            .and_then(|port| port.parse().ok());
        let network = proc.network();
        let Ok(Ok(addresses)) = proc.interruptible(network.resolve(&host)).await else {
            let text = [host.as_slice(), b": Name or service not known"].concat();
            self.complain(proc, text).await;
            let text = [path, b": ", Errno::Einval.message().as_bytes()].concat();
            self.complain(proc, text).await;
            return Err(RedirectFailed(None));
        };
        let mut errno = Errno::Econnrefused;
        for address in addresses {
            let target = std::net::SocketAddr::new(address, port.unwrap_or(0));
            let connecting = if path.starts_with(b"/dev/udp/") {
                network.connect_datagram(target)
            } else {
                network.connect(target)
            };
            match proc.interruptible(connecting).await {
                Ok(Ok(stream)) => {
                    if let Ok(fd) = proc.add_stream(stream) {
                        return Ok(Target::Opened(fd));
                    }
                    errno = Errno::Emfile;
                }
                Ok(Err(failed)) | Err(failed) => errno = failed,
            }
        }
        let text = format!(": connect: {}\n", errno.message());
        proc.print_error(&[self.arg0.as_slice(), text.as_bytes()].concat())
            .await;
        let text = [path, b": ", errno.message().as_bytes()].concat();
        self.complain(proc, text).await;
        Err(RedirectFailed(None))
    }
}

async fn feed_by_pipe(proc: &mut Process, text: &[u8]) -> Result<Fd, Errno> {
    let (read, write) = proc.pipe()?;
    let written = proc.write_all(write, text).await;
    proc.close(write)?;
    written?;
    Ok(read)
}

async fn feed_by_file(proc: &mut Process, text: &[u8]) -> Result<Fd, Errno> {
    let path = format!("/tmp/sh-thd.{:08x}", proc.random() >> 32).into_bytes();
    let flags = OpenFlags {
        exclusive: true,
        ..OpenFlags::CREATE
    };
    let write = proc.open(&path, flags, 0o600).await?;
    let written = proc.write_all(write, text).await;
    let read = proc.open(&path, OpenFlags::READ, 0).await;
    proc.unlink(&path)?;
    proc.close(write)?;
    written?;
    read
}

impl Undo {
    fn save(&mut self, proc: &Process, fd: Fd) {
        // A limit of descriptors may leave only numbers below.
        let copy = proc
            .duplicate_from(fd, PRIVATE)
            .or_else(|_full| proc.duplicate_from(fd, 0))
            .ok();
        if let Some(copy) = copy {
            let _just_made = proc.set_close_on_exec(copy, true);
        }
        self.0.push((fd, copy));
    }

    /// Puts back what was there, the last change first.
    pub fn restore(self, proc: &Process) {
        for (fd, copy) in self.0.into_iter().rev() {
            match copy {
                Some(copy) => {
                    let _saved = proc.duplicate_to(copy, fd);
                    let _saved = proc.close(copy);
                }
                None => {
                    let _may_be_closed = proc.close(fd);
                }
            }
        }
    }

    /// Forgets how to undo: the redirections stay.
    pub fn keep(self, proc: &Process) {
        for (_, copy) in self.0 {
            if let Some(copy) = copy {
                let _saved = proc.close(copy);
            }
        }
    }
}

enum Target {
    Opened(Fd),
    Copy { from: Fd, close: bool },
    Close,
}

fn default_descriptor(kind: &RedirectKind) -> Fd {
    match kind {
        RedirectKind::Input(_)
        | RedirectKind::InputOutput(_)
        | RedirectKind::DuplicateInput(_)
        | RedirectKind::HereDocument(_)
        | RedirectKind::HereString(_) => STDIN,
        _ => STDOUT,
    }
}

fn move_descriptor(proc: &Process, from: Fd, to: Fd) -> Result<(), Errno> {
    if from == to {
        return Ok(());
    }
    let moved = proc.duplicate_to(from, to);
    let _open = proc.close(from);
    moved
}

fn network_target(path: &[u8]) -> Option<(Vec<u8>, Vec<u8>)> {
    let rest = path
        .strip_prefix(b"/dev/tcp/")
        .or_else(|| path.strip_prefix(b"/dev/udp/"))?;
    let slash = rest.iter().position(|&byte| byte == b'/')?;
    let (host, port) = rest.split_at(slash);
    let port = port.get(1..)?;
    (!host.is_empty() && !port.is_empty()).then(|| (host.to_vec(), port.to_vec()))
}

/// dash: `cannot open x: No such file`; ash: `can't open x: no such file`.
fn ash_open_error(dialect: Dialect, path: &[u8], errno: Errno, flags: OpenFlags) -> Vec<u8> {
    // Under `set -C` dash looks at what is there before it opens it.
    let looked = dialect == Dialect::Dash && flags.exclusive && errno == Errno::Eisdir;
    let verb = if flags.create && !looked {
        "create"
    } else {
        "open"
    };
    let cannot = if dialect == Dialect::Dash {
        "cannot"
    } else {
        "can't"
    };
    let reason = match (errno, flags.create, dialect) {
        (Errno::Enoent | Errno::Enotdir, true, Dialect::Dash) => "Directory nonexistent",
        (Errno::Enoent | Errno::Enotdir, true, _) => "nonexistent directory",
        (Errno::Enoent | Errno::Enotdir, false, Dialect::Dash) => "No such file",
        (Errno::Enoent | Errno::Enotdir, false, _) => "no such file",
        _ => errno.message(),
    };
    [
        format!("{cannot} {verb} ").as_bytes(),
        path,
        b": ",
        reason.as_bytes(),
    ]
    .concat()
}
