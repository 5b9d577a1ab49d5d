//! Characters as numbers, and their classes: UTF-8, where a byte that belongs to no character is one
//! of its own above all code points.

/// Code points of bytes that are no UTF-8 start here: byte `b` is `RAW + b`.
pub(crate) const RAW: u32 = 0x11_0000;

/// `[:alnum:]` and its kin, and `\w`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Class {
    Alnum,
    Alpha,
    Blank,
    Cntrl,
    Digit,
    Graph,
    Lower,
    Print,
    Punct,
    Space,
    Upper,
    Word,
    Xdigit,
}

impl Class {
    pub(crate) fn from_name(name: &[u8]) -> Option<Self> {
        Some(match name {
            b"alnum" => Self::Alnum,
            b"alpha" => Self::Alpha,
            b"blank" => Self::Blank,
            b"cntrl" => Self::Cntrl,
            b"digit" => Self::Digit,
            b"graph" => Self::Graph,
            b"lower" => Self::Lower,
            b"print" => Self::Print,
            b"punct" => Self::Punct,
            b"space" => Self::Space,
            b"upper" => Self::Upper,
            b"xdigit" => Self::Xdigit,
            _ => return None,
        })
    }

    pub(crate) fn contains(self, character: u32) -> bool {
        let Some(letter) = char::from_u32(character) else {
            return false;
        };
        match self {
            Self::Alnum => letter.is_alphanumeric(),
            Self::Alpha => letter.is_alphabetic(),
            Self::Blank => matches!(letter, ' ' | '\t'),
            Self::Cntrl => letter.is_control(),
            Self::Digit => letter.is_ascii_digit(),
            Self::Graph => !letter.is_control() && !letter.is_whitespace(),
            Self::Lower => letter.is_lowercase(),
            Self::Print => !letter.is_control(),
            Self::Punct => {
                letter.is_ascii_punctuation() || (!letter.is_ascii() && is_graphic_mark(letter))
            }
            Self::Space => letter.is_whitespace(),
            Self::Upper => letter.is_uppercase(),
            Self::Word => is_word(character),
            Self::Xdigit => letter.is_ascii_hexdigit(),
        }
    }
}

fn is_graphic_mark(letter: char) -> bool {
    !letter.is_alphanumeric() && !letter.is_control() && !letter.is_whitespace()
}

/// Whether `\w` matches.
pub(crate) fn is_word(character: u32) -> bool {
    char::from_u32(character).is_some_and(|letter| letter == '_' || letter.is_alphanumeric())
}

/// A character in lower and upper case, if each is one character.
pub(crate) fn cases(character: u32) -> (u32, u32) {
    let Some(letter) = char::from_u32(character) else {
        return (character, character);
    };
    let single = |mut letters: std::iter::Peekable<std::vec::IntoIter<char>>| match (
        letters.next(),
        letters.next(),
    ) {
        (Some(only), None) => u32::from(only),
        _ => character,
    };
    let collect = |letters: Vec<char>| letters.into_iter().peekable();
    (
        single(collect(letter.to_lowercase().collect())),
        single(collect(letter.to_uppercase().collect())),
    )
}

/// The first character and its length in bytes; a byte that starts none counts as one of its own,
/// above all code points. Length 0 at the end.
pub(crate) fn first_character(text: &[u8]) -> (u32, usize) {
    let Some(&first) = text.first() else {
        return (0, 0);
    };
    if first < 0x80 {
        return (u32::from(first), 1);
    }
    let length = match first {
        0xc2..=0xdf => 2,
        0xe0..=0xef => 3,
        0xf0..=0xf4 => 4,
        _ => return (RAW + u32::from(first), 1),
    };
    text.get(..length)
        .and_then(|bytes| std::str::from_utf8(bytes).ok())
        .and_then(|text| text.chars().next())
        .map_or((RAW + u32::from(first), 1), |letter| {
            (u32::from(letter), length)
        })
}

/// Whether a character is a real one.
pub(crate) fn is_character(character: u32) -> bool {
    character < RAW
}
