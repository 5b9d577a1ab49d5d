//! Keys and what they are bound to: readline's default emacs keymap.

use super::terminal::Terminal;

/// What a key does; named as in the readline manual.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[expect(
    missing_docs,
    reason = "each is the function of that name in readline(3)"
)]
pub enum Command {
    SelfInsert,
    BeginningOfLine,
    EndOfLine,
    ForwardChar,
    BackwardChar,
    ForwardWord,
    BackwardWord,
    DeleteChar,
    BackwardDeleteChar,
    KillLine,
    UnixLineDiscard,
    UnixWordRubout,
    KillWord,
    BackwardKillWord,
    BackwardKillLine,
    Yank,
    YankPop,
    YankLastArg,
    YankNthArg,
    TransposeChars,
    TransposeWords,
    UpcaseWord,
    DowncaseWord,
    CapitalizeWord,
    Complete,
    PossibleCompletions,
    InsertCompletions,
    AcceptLine,
    OperateAndGetNext,
    ClearScreen,
    PreviousHistory,
    NextHistory,
    BeginningOfHistory,
    EndOfHistory,
    ReverseSearchHistory,
    ForwardSearchHistory,
    HistorySearchBackward,
    HistorySearchForward,
    Abort,
    Undo,
    RevertLine,
    QuotedInsert,
    SetMark,
    ExchangePointAndMark,
    BracketedPasteBegin,
    OverwriteMode,
    InsertComment,
    DeleteHorizontalSpace,
    CharacterSearch,
    CharacterSearchBackward,
    HistoryExpandLine,
    TildeExpand,
    DigitArgument,
    DisplayVersion,
    Meta,
    ControlX,
    Unbound,
}

use Command as C;

/// What a byte does at the start of a key.
pub fn plain(byte: u8) -> Command {
    match byte {
        0 => C::SetMark,
        1 => C::BeginningOfLine,
        2 => C::BackwardChar,
        4 => C::DeleteChar,
        5 => C::EndOfLine,
        6 => C::ForwardChar,
        7 => C::Abort,
        8 | 0x7f => C::BackwardDeleteChar,
        9 => C::Complete,
        10 | 13 => C::AcceptLine,
        11 => C::KillLine,
        12 => C::ClearScreen,
        14 => C::NextHistory,
        15 => C::OperateAndGetNext,
        16 => C::PreviousHistory,
        17 | 22 => C::QuotedInsert,
        18 => C::ReverseSearchHistory,
        19 => C::ForwardSearchHistory,
        20 => C::TransposeChars,
        21 => C::UnixLineDiscard,
        23 => C::UnixWordRubout,
        24 => C::ControlX,
        25 => C::Yank,
        27 => C::Meta,
        29 => C::CharacterSearch,
        31 => C::Undo,
        3 | 26 | 28 | 30 => C::Unbound,
        _ => C::SelfInsert,
    }
}

/// What a byte does after Escape; `[` and `O` begin a [`sequence`].
pub fn meta(byte: u8) -> Command {
    match byte.to_ascii_lowercase() {
        7 => C::Abort,
        8 | 0x7f => C::BackwardKillWord,
        12 => C::ClearScreen,
        13 | 10 => C::Unbound,
        18 => C::RevertLine,
        25 => C::YankNthArg,
        29 => C::CharacterSearchBackward,
        b' ' => C::SetMark,
        b'#' => C::InsertComment,
        b'&' | b'~' => C::TildeExpand,
        b'*' => C::InsertCompletions,
        b'-' | b'0'..=b'9' => C::DigitArgument,
        b'.' | b'_' => C::YankLastArg,
        b'<' => C::BeginningOfHistory,
        b'=' | b'?' => C::PossibleCompletions,
        b'>' => C::EndOfHistory,
        b'\\' => C::DeleteHorizontalSpace,
        b'^' => C::HistoryExpandLine,
        b'b' => C::BackwardWord,
        b'c' => C::CapitalizeWord,
        b'd' => C::KillWord,
        b'f' => C::ForwardWord,
        b'l' => C::DowncaseWord,
        b'r' => C::RevertLine,
        b't' => C::TransposeWords,
        b'u' => C::UpcaseWord,
        b'y' => C::YankPop,
        9 => C::Complete,
        _ => C::Unbound,
    }
}

/// What a byte does after `^X`.
pub fn control_x(byte: u8) -> Command {
    match byte {
        7 => C::Abort,
        18 => C::Unbound,
        21 => C::Undo,
        22 => C::DisplayVersion,
        24 => C::ExchangePointAndMark,
        0x7f => C::BackwardKillLine,
        _ => C::Unbound,
    }
}

/// Keys of more than two bytes, without their Escape. The terminal's own come on top.
const SEQUENCES: &[(&[u8], Command)] = &[
    (b"[A", C::PreviousHistory),
    (b"[B", C::NextHistory),
    (b"[C", C::ForwardChar),
    (b"[D", C::BackwardChar),
    (b"[H", C::BeginningOfLine),
    (b"[F", C::EndOfLine),
    (b"OA", C::PreviousHistory),
    (b"OB", C::NextHistory),
    (b"OC", C::ForwardChar),
    (b"OD", C::BackwardChar),
    (b"OH", C::BeginningOfLine),
    (b"OF", C::EndOfLine),
    (b"[1;5C", C::ForwardWord),
    (b"[1;5D", C::BackwardWord),
    (b"[1;3C", C::ForwardWord),
    (b"[1;3D", C::BackwardWord),
    (b"[2~", C::OverwriteMode),
    (b"[3;5~", C::KillWord),
    (b"[5~", C::HistorySearchBackward),
    (b"[6~", C::HistorySearchForward),
    (b"[200~", C::BracketedPasteBegin),
];

/// `khome` and `kend` of the terminals that send numbers.
const NUMBERED: &[(&[u8], Command)] = &[(b"[1~", C::BeginningOfLine), (b"[4~", C::EndOfLine)];

/// `kdch1` of the terminals that have that key.
const DELETE: &[(&[u8], Command)] = &[(b"[3~", C::DeleteChar)];

/// What bytes after Escape mean so far.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Sequence {
    /// A whole key.
    Is(Command),
    /// More has to come.
    Begins,
    /// No key begins so.
    Unknown,
}

/// What bytes after Escape mean on this terminal.
pub fn sequence(bytes: &[u8], terminal: &Terminal) -> Sequence {
    let numbered = if terminal.numbered_keys {
        NUMBERED
    } else {
        &[]
    };
    let delete = if terminal.delete_key { DELETE } else { &[] };
    let known = SEQUENCES.iter().chain(numbered).chain(delete);
    let mut begins = false;
    for (keys, command) in known {
        if *keys == bytes {
            return Sequence::Is(*command);
        }
        begins |= keys.starts_with(bytes);
    }
    if begins {
        Sequence::Begins
    } else {
        Sequence::Unknown
    }
}
