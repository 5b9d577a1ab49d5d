//! Expressions: tests, actions, operators.

use sundew_kernel::Process;
use sundew_posix::pattern::Pattern;
use sundew_posix::regex::{Regex, Syntax};
use sundew_vfs::{FileType, Timestamp};

use super::Follow;
use crate::users::Directory;

mod condition;

/// Deepest nesting of parentheses and negations.
const MAX_DEPTH: usize = 200;
/// Most words of an expression.
const MAX_WORDS: usize = 10_000;

/// How a number is compared: `+N`, `-N`, `N`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Range {
    pub(super) order: std::cmp::Ordering,
    pub(super) number: i64,
}

impl Range {
    pub(super) fn fits(self, value: i64) -> bool {
        value.cmp(&self.number) == self.order
    }
}

/// Which of a file's times.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Time {
    Access,
    Change,
    Modification,
}

/// What an `-exec` runs.
#[derive(Debug, Clone)]
pub(super) struct Exec {
    pub(super) words: Vec<Vec<u8>>,
    pub(super) in_directory: bool,
    pub(super) asks: bool,
}

#[derive(Debug)]
pub(super) enum Node {
    And(Vec<Self>),
    Or(Vec<Self>),
    /// `,`
    List(Vec<Self>),
    Not(Box<Self>),
    True,
    False,
    Name(Pattern),
    Path(Pattern),
    LinkName(Pattern),
    Regex(Box<Regex>),
    Type(Vec<FileType>, bool),
    Size {
        range: Range,
        unit: i64,
    },
    Empty,
    Age {
        time: Time,
        range: Range,
        seconds: i64,
        now: i64,
    },
    Newer {
        than: Timestamp,
        time: Time,
    },
    /// Days between the last change and the last reading.
    Used(Range),
    /// Exact, all, any.
    Permission(u16, char),
    Owner(u32),
    Group(u32),
    UserNumber(Range),
    GroupNumber(Range),
    NoUser,
    NoGroup,
    Links(Range),
    Inode(Range),
    Same(u64, u64),
    Access(sundew_vfs::Access),
    FileSystem(Vec<u8>),
    Print {
        zero: bool,
        target: Option<usize>,
    },
    Printf(Vec<u8>, Option<usize>),
    Ls(Option<usize>),
    Delete,
    Prune,
    Quit,
    Exec(Exec),
    /// With `+`: an index into the batches.
    Batch(usize),
}

/// A command line.
pub(super) struct Parsed {
    pub(super) root: Node,
    pub(super) follow: Follow,
    pub(super) max_depth: Option<u64>,
    pub(super) min_depth: u64,
    pub(super) contents_first: bool,
    pub(super) one_filesystem: bool,
    pub(super) batches: Vec<Exec>,
    /// Files that actions write, as descriptors.
    pub(super) outputs: Vec<(Vec<u8>, sundew_kernel::Fd)>,
    pub(super) users: Directory,
    /// What is said before the search begins.
    pub(super) warnings: Vec<Vec<u8>>,
}

/// A complaint.
type Failure = Vec<u8>;

struct Parser<'a> {
    proc: &'a Process,
    words: &'a [Vec<u8>],
    at: usize,
    parsed: Parsed,
    has_action: bool,
    depth: usize,
    syntax: Syntax,
    daystart: bool,
}

impl Parsed {
    pub(super) async fn read(
        proc: &Process,
        words: &[Vec<u8>],
        follow: Follow,
    ) -> Result<Self, Failure> {
        let parsed = Self {
            root: Node::True,
            follow,
            max_depth: None,
            min_depth: 0,
            contents_first: false,
            one_filesystem: false,
            batches: Vec::new(),
            outputs: Vec::new(),
            users: Directory::load(proc).await,
            warnings: Vec::new(),
        };
        let mut parser = Parser {
            proc,
            words: words.get(..words.len().min(MAX_WORDS)).unwrap_or_default(),
            at: 0,
            parsed,
            has_action: false,
            depth: 0,
            syntax: Syntax::Basic,
            daystart: false,
        };
        let root = if words.is_empty() {
            Node::True
        } else {
            parser.list().await?
        };
        if parser.at < parser.words.len() {
            return Err(b"you have too many ')'".to_vec());
        }
        let print = Node::Print {
            zero: false,
            target: None,
        };
        parser.parsed.root = if parser.has_action {
            root
        } else {
            Node::And(vec![root, print])
        };
        Ok(parser.parsed)
    }
}

impl Parser<'_> {
    fn peek(&self) -> Option<&[u8]> {
        self.words.get(self.at).map(Vec::as_slice)
    }

    /// The format of a `-printf`, with warnings about what means nothing in it.
    fn format(&mut self, name: &[u8]) -> Result<Vec<u8>, Failure> {
        let text = self.argument(name)?;
        let mut bytes = text.iter().copied().peekable();
        while let Some(byte) = bytes.next() {
            if byte == b'\\' {
                let letter = bytes.next().unwrap_or(b'\\');
                if !b"abcfnrtv\\01234567".contains(&letter) {
                    let warning = [b"unrecognized escape `\\".as_slice(), &[letter], b"'"];
                    self.parsed.warnings.push(warning.concat());
                }
            }
            if byte != b'%' {
                continue;
            }
            while bytes
                .next_if(|byte| b"-0123456789.#+ ".contains(byte))
                .is_some()
            {}
            let Some(letter) = bytes.next() else {
                return Err(b"error: % at end of format string".to_vec());
            };
            if b"TACB".contains(&letter) {
                bytes.next();
            } else if !b"%abcdDfFgGhHiklmMnpPsStuUyYZ".contains(&letter) {
                let warning = [
                    b"unrecognized format directive `%".as_slice(),
                    &[letter],
                    b"'",
                ];
                self.parsed.warnings.push(warning.concat());
            }
        }
        Ok(text)
    }

    fn argument(&mut self, name: &[u8]) -> Result<Vec<u8>, Failure> {
        let word = self.words.get(self.at).cloned();
        self.at += 1;
        word.ok_or_else(|| [b"missing argument to `".as_slice(), name, b"'"].concat())
    }

    fn deeper(&mut self) -> Result<(), Failure> {
        self.depth += 1;
        if self.depth > MAX_DEPTH {
            Err(b"expression too deep".to_vec())
        } else {
            Ok(())
        }
    }

    async fn list(&mut self) -> Result<Node, Failure> {
        let mut nodes = vec![self.or().await?];
        while self.peek() == Some(b",") {
            self.at += 1;
            nodes.push(self.or().await?);
        }
        Ok(single(nodes, Node::List))
    }

    async fn or(&mut self) -> Result<Node, Failure> {
        let mut nodes = vec![self.and().await?];
        while matches!(self.peek(), Some(b"-o" | b"-or")) {
            self.at += 1;
            nodes.push(self.and().await?);
        }
        Ok(single(nodes, Node::Or))
    }

    async fn and(&mut self) -> Result<Node, Failure> {
        let mut nodes = vec![self.not().await?];
        loop {
            match self.peek() {
                None | Some(b"-o" | b"-or" | b"," | b")") => return Ok(single(nodes, Node::And)),
                Some(b"-a" | b"-and") => {
                    self.at += 1;
                    nodes.push(self.not().await?);
                }
                Some(_) => nodes.push(self.not().await?),
            }
        }
    }

    async fn not(&mut self) -> Result<Node, Failure> {
        let mut negated = false;
        let mut operator = Vec::new();
        while let Some(word @ (b"!" | b"-not")) = self.peek() {
            operator = word.to_vec();
            negated = !negated;
            self.at += 1;
        }
        let Some(word) = self.peek() else {
            if operator.is_empty() {
                if self
                    .words
                    .get(self.at.wrapping_sub(1))
                    .is_some_and(|word| word == b"(")
                {
                    return Err(b"invalid expression; expected to find a ')' but didn't see one. Perhaps you need an extra predicate after '('".to_vec());
                }
                let before = self
                    .words
                    .get(self.at.wrapping_sub(1))
                    .cloned()
                    .unwrap_or_default();
                return Err([b"expected an expression after '".as_slice(), &before, b"'"].concat());
            }
            return Err([
                b"expected an expression after '".as_slice(),
                &operator,
                b"'",
            ]
            .concat());
        };
        let word = word.to_vec();
        let node = match word.as_slice() {
            b"-o" | b"-or" | b"-a" | b"-and" | b"," => {
                return Err([
                    b"invalid expression; you have used a binary operator '".as_slice(),
                    &word,
                    b"' with nothing before it.",
                ]
                .concat());
            }
            b")" if self.depth == 0 => {
                return Err(b"invalid expression; you have too many ')'".to_vec());
            }
            b")" => {
                return Err(b"invalid expression; empty parentheses are not allowed.".to_vec());
            }
            b"(" => {
                self.at += 1;
                self.deeper()?;
                let node = Box::pin(self.list()).await?;
                if self.peek() != Some(b")") {
                    return Err(
                        b"invalid expression; I was expecting to find a ')' somewhere but did not see one.".to_vec(),
                    );
                }
                self.at += 1;
                self.depth -= 1;
                node
            }
            _ => {
                self.at += 1;
                self.primary(&word).await?
            }
        };
        Ok(if negated {
            Node::Not(Box::new(node))
        } else {
            node
        })
    }

    async fn primary(&mut self, name: &[u8]) -> Result<Node, Failure> {
        if let Some(node) = self.option(name)? {
            return Ok(node);
        }
        if let Some(node) = self.action(name).await? {
            if !matches!(node, Node::Prune | Node::Quit) {
                self.has_action = true;
            }
            self.has_action |= matches!(node, Node::Quit);
            return Ok(node);
        }
        if let Some(node) = self.name_test(name)? {
            return Ok(node);
        }
        if let Some(node) = self.number_test(name)? {
            return Ok(node);
        }
        if let Some(node) = self.file_test(name)? {
            return Ok(node);
        }
        if !name.starts_with(b"-") {
            return Err([b"paths must precede expression: `".as_slice(), name, b"'"].concat());
        }
        Err([b"unknown predicate `".as_slice(), name, b"'"].concat())
    }

    fn option(&mut self, name: &[u8]) -> Result<Option<Node>, Failure> {
        match name {
            b"-maxdepth" | b"-mindepth" => {
                let word = self.argument(name)?;
                let number = std::str::from_utf8(&word)
                    .ok()
                    .filter(|text| text.bytes().all(|byte| byte.is_ascii_digit()));
                let Some(number) = number.and_then(|text| text.parse().ok()) else {
                    let text = [
                        b"Expected a positive decimal integer argument to ".as_slice(),
                        name,
                        ", but got ‘".as_bytes(),
                        &word,
                        "’".as_bytes(),
                    ];
                    return Err(text.concat());
                };
                if name == b"-maxdepth" {
                    self.parsed.max_depth = Some(number);
                } else {
                    self.parsed.min_depth = number;
                }
            }
            b"-depth" | b"-d" => self.parsed.contents_first = true,
            b"-mount" | b"-xdev" => self.parsed.one_filesystem = true,
            b"-follow" => self.parsed.follow = Follow::Always,
            b"-daystart" => self.daystart = true,
            b"-noleaf"
            | b"-warn"
            | b"-nowarn"
            | b"-ignore_readdir_race"
            | b"-noignore_readdir_race" => {}
            b"-regextype" => {
                let word = self.argument(name)?;
                self.syntax = match word.as_slice() {
                    b"posix-extended" | b"posix-egrep" | b"egrep" | b"posix-awk" | b"awk"
                    | b"gnu-awk" => Syntax::Extended,
                    b"findutils-default"
                    | b"ed"
                    | b"emacs"
                    | b"grep"
                    | b"posix-basic"
                    | b"posix-minimal-basic"
                    | b"sed" => Syntax::Basic,
                    word => {
                        let valid = "’; valid types are ‘findutils-default’, ‘ed’, ‘emacs’, ‘gnu-awk’, ‘grep’, ‘posix-awk’, ‘awk’, ‘posix-basic’, ‘posix-egrep’, ‘egrep’, ‘posix-extended’, ‘posix-minimal-basic’, ‘sed’.";
                        return Err([
                            "Unknown regular expression type ‘".as_bytes(),
                            word,
                            valid.as_bytes(),
                        ]
                        .concat());
                    }
                };
            }
            _ => return Ok(None),
        }
        Ok(Some(Node::True))
    }

    async fn action(&mut self, name: &[u8]) -> Result<Option<Node>, Failure> {
        Ok(Some(match name {
            b"-print" => Node::Print {
                zero: false,
                target: None,
            },
            b"-print0" => Node::Print {
                zero: true,
                target: None,
            },
            b"-fprint" | b"-fprint0" => {
                let target = self.output(name).await?;
                Node::Print {
                    zero: name.ends_with(b"0"),
                    target,
                }
            }
            b"-printf" => Node::Printf(self.format(name)?, None),
            b"-fprintf" => {
                let target = self.output(name).await?;
                Node::Printf(self.format(name)?, target)
            }
            b"-ls" => Node::Ls(None),
            b"-fls" => Node::Ls(self.output(name).await?),
            b"-delete" => {
                self.parsed.contents_first = true;
                Node::Delete
            }
            b"-prune" => Node::Prune,
            b"-quit" => Node::Quit,
            b"-exec" | b"-execdir" | b"-ok" | b"-okdir" => self.exec(name)?,
            _ => return Ok(None),
        }))
    }

    async fn output(&mut self, name: &[u8]) -> Result<Option<usize>, Failure> {
        let path = self.argument(name)?;
        if path == b"/dev/stdout" {
            return Ok(None);
        }
        if let Some(known) = self
            .parsed
            .outputs
            .iter()
            .position(|(known, _)| *known == path)
        {
            return Ok(Some(known));
        }
        let flags = sundew_kernel::descriptor::OpenFlags::CREATE;
        match self.proc.open(&path, flags, 0o666).await {
            Ok(fd) => {
                self.parsed.outputs.push((path, fd));
                Ok(Some(self.parsed.outputs.len() - 1))
            }
            Err(errno) => Err([
                "‘".as_bytes(),
                &path,
                "’: ".as_bytes(),
                errno.message().as_bytes(),
            ]
            .concat()),
        }
    }

    fn exec(&mut self, name: &[u8]) -> Result<Node, Failure> {
        let missing = || [b"missing argument to `".as_slice(), name, b"'"].concat();
        let mut exec = Exec {
            words: Vec::new(),
            in_directory: name.ends_with(b"dir"),
            asks: name.starts_with(b"-ok"),
        };
        loop {
            let Some(word) = self.words.get(self.at).cloned() else {
                return Err(missing());
            };
            self.at += 1;
            if word == b";" {
                break;
            }
            if word == b"+" && exec.words.last().is_some_and(|last| last == b"{}") && !exec.asks {
                exec.words.pop();
                if exec
                    .words
                    .iter()
                    .any(|word| word.windows(2).any(|pair| pair == b"{}"))
                {
                    let text = [
                        b"Only one instance of {} is supported with ".as_slice(),
                        name,
                        b" ... +",
                    ];
                    return Err(text.concat());
                }
                if exec.words.is_empty() {
                    return Err(missing());
                }
                self.parsed.batches.push(exec);
                return Ok(Node::Batch(self.parsed.batches.len() - 1));
            }
            exec.words.push(word);
        }
        if exec.words.is_empty() {
            Err(missing())
        } else {
            Ok(Node::Exec(exec))
        }
    }
}

fn single(mut nodes: Vec<Node>, join: impl FnOnce(Vec<Node>) -> Node) -> Node {
    match nodes.pop() {
        Some(only) if nodes.is_empty() => only,
        Some(last) => {
            nodes.push(last);
            join(nodes)
        }
        None => Node::True,
    }
}
