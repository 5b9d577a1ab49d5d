//! tr(1).

use sundew_kernel::{ExitStatus, Process, STDIN};

use super::input::{self, CHUNK};
use super::{about, escape};
use crate::getopt::{Arity, Getopt, Spec, refuse, try_help};
use crate::quote::{self, Locale};

const SPEC: Spec = Spec::gnu(
    "+AcCdst",
    &[
        ("complement", Arity::No, "c"),
        ("delete", Arity::No, "d"),
        ("squeeze-repeats", Arity::No, "s"),
        ("truncate-set1", Arity::No, "t"),
    ],
);

/// A set of bytes in order, as written.
struct Set {
    items: Vec<Item>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Item {
    Byte(u8),
    Class(&'static str, Vec<u8>),
    /// `[x*N]`; 0 fills up.
    Repeat(u8, usize),
}

/// Most bytes that a set may come to; a set has 256 distinct ones.
const MAX_SET: usize = 1 << 16;

pub(crate) async fn run(proc: &mut Process) -> ExitStatus {
    let (mut complement, mut delete, mut squeeze, mut truncate) = (false, false, false, false);
    let mut options = Getopt::new(&SPEC, proc.args());
    while let Some(option) = options.next() {
        match option.map(|option| option.key) {
            Ok("c" | "C") => complement = true,
            Ok("d") => delete = true,
            Ok("s") => squeeze = true,
            Ok("t") => truncate = true,
            Ok("A") => {}
            Ok(key) => return about::run(proc, key, "tr").await,
            Err(error) => return refuse(proc, &error, 1).await,
        }
    }
    let operands = options.operands();
    let least = 1 + usize::from(delete == squeeze);
    let most = if delete && !squeeze { 1 } else { 2 };
    if operands.len() < least {
        let Some(last) = operands.last() else {
            return input::missing_operand(proc).await;
        };
        let shown = quote::text(proc, last);
        proc.complain_text([b"missing operand after ", shown.as_slice()].concat())
            .await;
        let why: &[u8] = if squeeze {
            b"Two strings must be given when both deleting and squeezing repeats.\n"
        } else {
            b"Two strings must be given when translating.\n"
        };
        proc.print_error(why).await;
        return try_help(proc, 1).await;
    }
    if let Some(extra) = operands.get(most) {
        let shown = quote::text(proc, extra);
        proc.complain_text([b"extra operand ", shown.as_slice()].concat())
            .await;
        if operands.len() == 2 {
            proc.print_error(
                b"Only one string may be given when deleting without squeezing repeats.\n",
            )
            .await;
        }
        return try_help(proc, 1).await;
    }
    let locale = Locale::of(proc);
    let mut sets = Vec::new();
    for text in &operands {
        match Set::parse(text, locale) {
            Ok(set) => sets.push(set),
            Err(text) => {
                proc.complain_text(text).await;
                return proc.status();
            }
        }
    }
    let plan = match plan(&sets, complement, delete, squeeze, truncate) {
        Ok(plan) => plan,
        Err(text) => {
            proc.complain_text(text).await;
            return proc.status();
        }
    };
    filter(proc, &plan).await
}

/// What happens to each byte.
struct Plan {
    delete: [bool; 256],
    map: [u8; 256],
    squeeze: [bool; 256],
}

/// Whether a class of letters in the second set stands across from something else.
fn misaligned(first: &Set, second: &Set, length: usize) -> bool {
    let mut starts = Vec::new();
    let mut at = 0;
    for item in &first.items {
        let one = Set {
            items: vec![item.clone()],
        };
        if matches!(item, Item::Class("upper" | "lower", _)) {
            starts.push(at);
        }
        at += one.bytes(0).len();
    }
    let mut at = 0;
    for item in &second.items {
        if matches!(item, Item::Class("upper" | "lower", _)) && !starts.contains(&at) {
            return true;
        }
        let one = Set {
            items: vec![item.clone()],
        };
        at += match item {
            Item::Repeat(_, 0) => return false,
            _ => one.bytes(length).len(),
        };
    }
    false
}

fn plan(
    sets: &[Set],
    complement: bool,
    delete: bool,
    squeeze: bool,
    truncate: bool,
) -> Result<Plan, &'static str> {
    let mut map = [0; 256];
    for (byte, slot) in (0..=u8::MAX).zip(map.iter_mut()) {
        *slot = byte;
    }
    let mut plan = Plan {
        delete: [false; 256],
        map,
        squeeze: [false; 256],
    };
    let Some(first) = sets.first() else {
        return Ok(plan);
    };
    // With a count it only stands for so many.
    if first
        .items
        .iter()
        .any(|item| matches!(item, Item::Repeat(_, 0)))
    {
        return Err("the [c*] repeat construct may not appear in string1");
    }
    let mut one = first.bytes(0);
    if complement {
        one = (0..=u8::MAX).filter(|byte| !one.contains(byte)).collect();
    }
    let mark = |table: &mut [bool; 256], bytes: &[u8]| {
        bytes
            .iter()
            .for_each(|byte| table[usize::from(*byte)] = true);
    };
    let second = sets.get(1);
    if delete {
        mark(&mut plan.delete, &one);
        if let Some(second) = second {
            mark(&mut plan.squeeze, &second.bytes(0));
        }
        return Ok(plan);
    }
    let Some(second) = second else {
        mark(&mut plan.squeeze, &one);
        return Ok(plan);
    };
    let classes = second.items.iter().filter_map(|item| match item {
        Item::Class(name, _) => Some(*name),
        _ => None,
    });
    for class in classes {
        if !matches!(class, "upper" | "lower") {
            return Err(
                "when translating, the only character classes that may appear in\nstring2 are 'upper' and 'lower'",
            );
        }
    }
    let mut two = second.bytes(one.len());
    if !complement && misaligned(first, second, one.len()) {
        return Err("misaligned [:upper:] and/or [:lower:] construct");
    }
    if truncate {
        one.truncate(two.len());
    } else if two.len() < one.len() {
        let Some(&last) = two.last() else {
            return Err("when not truncating set1, string2 must be non-empty");
        };
        if matches!(second.items.last(), Some(Item::Class(..))) {
            return Err(
                "when translating with string1 longer than string2,\nthe latter string must not end with a character class",
            );
        }
        two.resize(one.len(), last);
    }
    for (from, to) in one.iter().zip(&two) {
        plan.map[usize::from(*from)] = *to;
    }
    if squeeze {
        mark(&mut plan.squeeze, &second.bytes(one.len()));
    }
    Ok(plan)
}

async fn filter(proc: &mut Process, plan: &Plan) -> ExitStatus {
    let mut chunk = vec![0; CHUNK];
    let mut last: Option<u8> = None;
    loop {
        let got = match proc.read(STDIN, &mut chunk).await {
            Ok(0) => return proc.status(),
            Ok(got) => got,
            Err(errno) => {
                proc.complain(b"read error", errno).await;
                return proc.status();
            }
        };
        let mut out = Vec::with_capacity(got);
        for &byte in chunk.get(..got).unwrap_or_default() {
            if plan.delete[usize::from(byte)] {
                continue;
            }
            let byte = plan.map[usize::from(byte)];
            if plan.squeeze[usize::from(byte)] && last == Some(byte) {
                continue;
            }
            last = Some(byte);
            out.push(byte);
        }
        if proc.print(&out).await.is_err() {
            return proc.status();
        }
    }
}

impl Set {
    fn parse(text: &[u8], locale: Locale) -> Result<Self, Vec<u8>> {
        let chars = unescape(text);
        let mut items = Vec::new();
        let mut rest = chars.as_slice();
        while let [first, after @ ..] = rest {
            if *first == (b'[', false)
                && let Some((mut item, after)) = bracket(after, locale)?
            {
                items.append(&mut item);
                rest = after;
                continue;
            }
            if let [(b'-', false), (last, _), beyond @ ..] = after {
                if *last < first.0 {
                    let range = [printable(first.0).as_slice(), b"-", &printable(*last)].concat();
                    let text = [
                        b"range-endpoints of '".as_slice(),
                        &range,
                        b"' are in reverse collating sequence order",
                    ];
                    return Err(text.concat());
                }
                items.extend((first.0..=*last).map(Item::Byte));
                rest = beyond;
            } else {
                items.push(Item::Byte(first.0));
                rest = after;
            }
            if items.len() > MAX_SET {
                return Err(b"too many characters in set".to_vec());
            }
        }
        Ok(Self { items })
    }

    /// All bytes; a `[x*]` fills up to `length`.
    fn bytes(&self, length: usize) -> Vec<u8> {
        let fixed: usize = self
            .items
            .iter()
            .map(|item| match item {
                Item::Byte(_) => 1,
                Item::Class(_, bytes) => bytes.len(),
                Item::Repeat(_, count) => *count,
            })
            .sum();
        let mut out = Vec::new();
        for item in &self.items {
            match item {
                Item::Byte(byte) => out.push(*byte),
                Item::Class(_, bytes) => out.extend_from_slice(bytes),
                Item::Repeat(byte, 0) => {
                    out.extend(std::iter::repeat_n(*byte, length.saturating_sub(fixed)))
                }
                Item::Repeat(byte, count) => out.extend(std::iter::repeat_n(*byte, *count)),
            }
        }
        out
    }
}

fn printable(byte: u8) -> Vec<u8> {
    if byte.is_ascii_graphic() || byte == b' ' {
        vec![byte]
    } else {
        format!("\\{byte:03o}").into_bytes()
    }
}

/// Bytes, and whether each was written with a backslash.
fn unescape(text: &[u8]) -> Vec<(u8, bool)> {
    let mut out = Vec::new();
    let mut rest = text;
    while let Some((&byte, after)) = rest.split_first() {
        rest = after;
        if byte != b'\\' {
            out.push((byte, false));
            continue;
        }
        let Some((&letter, after)) = rest.split_first() else {
            out.push((b'\\', false));
            break;
        };
        if (b'0'..=b'7').contains(&letter) {
            // Three digits over 377 are two digits and a character.
            let most = if letter > b'3' { 2 } else { 3 };
            let (value, length) = escape::octal(rest, most);
            out.push((value, true));
            rest = rest.get(length..).unwrap_or_default();
            continue;
        }
        let value = match letter {
            b'e' => letter,
            letter => escape::single(letter).unwrap_or(letter),
        };
        out.push((value, true));
        rest = after;
    }
    out
}

type Chars<'a> = &'a [(u8, bool)];
/// What a bracket stands for, and what is behind it.
type Bracket<'a> = Option<(Vec<Item>, Chars<'a>)>;

/// `[:class:]`, `[=x=]`, `[x*3]` behind the opening bracket; `None` if it is just a bracket.
fn bracket(after: Chars<'_>, locale: Locale) -> Result<Bracket<'_>, Vec<u8>> {
    if let [(kind @ (b':' | b'='), false), body @ ..] = after {
        let end = body
            .windows(2)
            .position(|pair| *pair == [(*kind, false), (b']', false)]);
        if let Some(end) = end.filter(|end| *end > 0 || *kind == b':') {
            let name: Vec<u8> = body.iter().take(end).map(|char| char.0).collect();
            let rest = body.get(end + 2..).unwrap_or_default();
            if *kind == b'=' {
                let [byte] = name.as_slice() else {
                    let text = [
                        name.as_slice(),
                        b": equivalence class operand must be a single character",
                    ];
                    return Err(text.concat());
                };
                return Ok(Some((vec![Item::Byte(*byte)], rest)));
            }
            let class = CLASSES.iter().find(|class| class.0.as_bytes() == name);
            let Some(class) = class else {
                let shown = [
                    b"invalid character class ".as_slice(),
                    &quote::text_in(locale, &name),
                ]
                .concat();
                return Err(shown);
            };
            let bytes = (0..=u8::MAX).filter(|byte| (class.1)(*byte)).collect();
            return Ok(Some((vec![Item::Class(class.0, bytes)], rest)));
        }
    }
    if let [(byte, _), (b'*', false), body @ ..] = after
        && let Some(end) = body.iter().position(|char| *char == (b']', false))
    {
        let digits: Vec<u8> = body.iter().take(end).map(|char| char.0).collect();
        if !digits.iter().all(u8::is_ascii_digit) {
            return Err([
                b"invalid repeat count ".as_slice(),
                &quote::text_in(locale, &digits),
                b" in [c*n] construct",
            ]
            .concat());
        }
        let radix = if digits.starts_with(b"0") { 8 } else { 10 };
        let text = String::from_utf8_lossy(&digits).into_owned();
        let count = if digits.is_empty() {
            0
        } else {
            usize::from_str_radix(&text, radix).unwrap_or(MAX_SET)
        };
        let rest = body.get(end + 1..).unwrap_or_default();
        return Ok(Some((vec![Item::Repeat(*byte, count.min(MAX_SET))], rest)));
    }
    Ok(None)
}

/// Whether a byte belongs to a class.
type Test = fn(u8) -> bool;

const CLASSES: &[(&str, Test)] = &[
    ("alnum", |byte| byte.is_ascii_alphanumeric()),
    ("alpha", |byte| byte.is_ascii_alphabetic()),
    ("blank", |byte| matches!(byte, b' ' | b'\t')),
    ("cntrl", |byte| byte.is_ascii_control()),
    ("digit", |byte| byte.is_ascii_digit()),
    ("graph", |byte| byte.is_ascii_graphic()),
    ("lower", |byte| byte.is_ascii_lowercase()),
    ("print", |byte| byte.is_ascii_graphic() || byte == b' '),
    ("punct", |byte| byte.is_ascii_punctuation()),
    ("space", |byte| matches!(byte, b' ' | 9..=13)),
    ("upper", |byte| byte.is_ascii_uppercase()),
    ("xdigit", |byte| byte.is_ascii_hexdigit()),
];
