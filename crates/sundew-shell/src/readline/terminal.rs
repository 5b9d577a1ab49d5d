//! What the terminals of this world can do: the capabilities of terminfo(5) that line editing uses.

/// The capabilities of one terminal type.
///
/// A string is empty where the terminal cannot do it. Counted ones end before the number's final
/// letter, which is in `insert_many` and `delete_many` always the same.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Terminal {
    /// `am` and `xenl`: the cursor waits behind the last column and the next character wraps.
    pub wraps: bool,
    /// `cuu1`
    pub up: &'static [u8],
    /// `cuf1`
    pub forward: &'static [u8],
    /// `cub1`
    pub back: &'static [u8],
    /// `ich`: opens room for any number of characters (`ESC [ N @`).
    pub insert_many: bool,
    /// `dch`: removes any number of characters (`ESC [ N P`).
    pub delete_many: bool,
    /// `el`
    pub clear_line: &'static [u8],
    /// `clear`
    pub clear_screen: &'static [u8],
    /// `E3`: forgets what has scrolled away.
    pub forget: &'static [u8],
    /// `smso`
    pub standout: &'static [u8],
    /// `rmso`
    pub standout_end: &'static [u8],
    /// Whether `khome` and `kend` are `ESC [ 1 ~` and `ESC [ 4 ~`.
    pub numbered_keys: bool,
    /// `kdch1`: whether Delete is known to be `ESC [ 3 ~`.
    pub delete_key: bool,
    /// Whether pasted text is asked to be bracketed: not on a terminal that knows no sequences.
    pub brackets: bool,
}

/// `dumb`, and what readline takes an unknown type for.
const DUMB: Terminal = Terminal {
    wraps: false,
    up: b"",
    forward: b"",
    back: b"",
    insert_many: false,
    delete_many: false,
    clear_line: b"",
    clear_screen: b"",
    forget: b"",
    standout: b"",
    standout_end: b"",
    numbered_keys: false,
    delete_key: false,
    brackets: false,
};

const XTERM: Terminal = Terminal {
    wraps: true,
    up: b"\x1b[A",
    forward: b"\x1b[C",
    back: b"\x08",
    insert_many: true,
    delete_many: true,
    clear_line: b"\x1b[K",
    clear_screen: b"\x1b[H\x1b[2J",
    forget: b"\x1b[3J",
    standout: b"\x1b[7m",
    standout_end: b"\x1b[27m",
    numbered_keys: false,
    delete_key: true,
    brackets: true,
};

const LINUX: Terminal = Terminal {
    clear_screen: b"\x1b[H\x1b[J",
    numbered_keys: true,
    ..XTERM
};

const VT220: Terminal = Terminal {
    forget: b"",
    numbered_keys: false,
    ..LINUX
};

const SCREEN: Terminal = Terminal {
    forget: b"",
    up: b"\x1bM",
    standout: b"\x1b[3m",
    standout_end: b"\x1b[23m",
    ..LINUX
};

const TMUX: Terminal = Terminal {
    up: b"\x1bM",
    ..LINUX
};

const RXVT: Terminal = Terminal {
    forget: b"",
    delete_many: false,
    ..XTERM
};

const ANSI: Terminal = Terminal {
    wraps: false,
    back: b"\x1b[D",
    standout_end: b"\x1b[m",
    delete_key: false,
    ..VT220
};

/// The `$<2>` of its entries are delays, which at 38400 baud are so many NULs.
const VT100: Terminal = Terminal {
    up: b"\x1b[A\0\0\0\0\0\0\0\0",
    forward: b"\x1b[C\0\0\0\0\0\0\0\0",
    insert_many: false,
    delete_many: false,
    clear_line: b"\x1b[K\0\0\0\0\0\0\0\0\0\0\0\0",
    clear_screen: &VT100_CLEAR,
    forget: b"",
    standout: b"\x1b[7m\0\0\0\0\0\0\0\0",
    standout_end: b"\x1b[m\0\0\0\0\0\0\0\0",
    delete_key: false,
    ..XTERM
};

/// `ESC [ H ESC [ J` and a delay of 50 ms.
const VT100_CLEAR: [u8; 219] = {
    let mut bytes = [0; 219];
    let head = *b"\x1b[H\x1b[J";
    let mut at = 0;
    while at < head.len() {
        bytes[at] = head[at];
        at += 1;
    }
    bytes
};

impl Terminal {
    /// The terminal that `$TERM` names.
    pub fn of(term: &[u8]) -> Self {
        let family = term
            .split(|&byte| byte == b'-' || byte == b'.')
            .next()
            .unwrap_or_default();
        match family {
            b"xterm" | b"gnome" | b"konsole" | b"vte" | b"putty" | b"alacritty" | b"Eterm" => XTERM,
            b"linux" => LINUX,
            b"vt220" | b"cons25" => VT220,
            b"screen" => SCREEN,
            b"tmux" => TMUX,
            b"rxvt" => RXVT,
            b"vt100" | b"vt102" => VT100,
            b"ansi" | b"cygwin" | b"pcansi" => ANSI,
            _ => DUMB,
        }
    }
}
