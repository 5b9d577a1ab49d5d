//! Terminal settings: termios(3), with Linux's bit values so that `stty -g` prints the real ones.

/// Input flag: carriage return becomes newline.
pub const ICRNL: u32 = 0o400;
/// Input flag: newline becomes carriage return.
pub const INLCR: u32 = 0o100;
/// Input flag: carriage return is ignored.
pub const IGNCR: u32 = 0o200;
/// Input flag: `^S` and `^Q` stop and start output.
pub const IXON: u32 = 0o2000;
/// Input flag: any key starts output again.
pub const IXANY: u32 = 0o4000;
/// Input flag: ring when the input is full.
pub const IMAXBEL: u32 = 0o20000;
/// Input flag: erase removes a whole UTF-8 character.
pub const IUTF8: u32 = 0o40000;
/// Input flag: strip the eighth bit.
pub const ISTRIP: u32 = 0o40;
/// Input flag: `BRKINT`.
pub const BRKINT: u32 = 0o2;
/// Output flag: process output at all.
pub const OPOST: u32 = 0o1;
/// Output flag: newline becomes carriage return and newline.
pub const ONLCR: u32 = 0o4;
/// Output flag: carriage return becomes newline.
pub const OCRNL: u32 = 0o10;
/// Output flag: tabs become blanks.
pub const XTABS: u32 = 0o14000;
/// Control flag: eight bits.
pub const CS8: u32 = 0o60;
/// Control flag: the receiver is on.
pub const CREAD: u32 = 0o200;
/// Local flag: keys make signals.
pub const ISIG: u32 = 0o1;
/// Local flag: lines, not bytes.
pub const ICANON: u32 = 0o2;
/// Local flag: show what is typed.
pub const ECHO: u32 = 0o10;
/// Local flag: erase rubs the character out.
pub const ECHOE: u32 = 0o20;
/// Local flag: kill ends the line on the screen.
pub const ECHOK: u32 = 0o40;
/// Local flag: show the newline even without `ECHO`.
pub const ECHONL: u32 = 0o100;
/// Local flag: signals do not forget typed input.
pub const NOFLSH: u32 = 0o200;
/// Local flag: background writers are stopped.
pub const TOSTOP: u32 = 0o400;
/// Local flag: control characters show as `^X`.
pub const ECHOCTL: u32 = 0o1000;
/// Local flag: kill rubs the line out.
pub const ECHOKE: u32 = 0o4000;
/// Local flag: word erase, literal next, reprint.
pub const IEXTEN: u32 = 0o100000;

/// Index of the interrupt key.
pub const VINTR: usize = 0;
/// Index of the quit key.
pub const VQUIT: usize = 1;
/// Index of the erase key.
pub const VERASE: usize = 2;
/// Index of the kill key.
pub const VKILL: usize = 3;
/// Index of the end-of-file key.
pub const VEOF: usize = 4;
/// Index of the read timer.
pub const VTIME: usize = 5;
/// Index of the least number of bytes of a raw read.
pub const VMIN: usize = 6;
/// Index of the start key.
pub const VSTART: usize = 8;
/// Index of the stop key.
pub const VSTOP: usize = 9;
/// Index of the suspend key.
pub const VSUSP: usize = 10;
/// Index of the second end-of-line key.
pub const VEOL: usize = 11;
/// Index of the reprint key.
pub const VREPRINT: usize = 12;
/// Index of the key that discards output, which Linux keeps and does not heed.
pub const VDISCARD: usize = 13;
/// Index of the word-erase key.
pub const VWERASE: usize = 14;
/// Index of the literal-next key.
pub const VLNEXT: usize = 15;
/// Index of the third end-of-line key.
pub const VEOL2: usize = 16;
/// Number of control characters.
pub const NCCS: usize = 19;

/// The settings of a terminal.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Termios {
    /// Input flags.
    pub input: u32,
    /// Output flags.
    pub output: u32,
    /// Control flags.
    pub control: u32,
    /// Local flags.
    pub local: u32,
    /// Control characters; 0 switches one off.
    pub keys: [u8; NCCS],
    /// Line speed in bits per second.
    pub speed: u32,
}

impl Default for Termios {
    /// What sshd's pseudo-terminals start with.
    fn default() -> Self {
        let mut keys = [0; NCCS];
        for (index, key) in [
            (VINTR, 3),
            (VQUIT, 28),
            (VERASE, 127),
            (VKILL, 21),
            (VEOF, 4),
            (VMIN, 1),
            (VSTART, 17),
            (VSTOP, 19),
            (VSUSP, 26),
            (VREPRINT, 18),
            (VDISCARD, 15),
            (VWERASE, 23),
            (VLNEXT, 22),
        ] {
            if let Some(slot) = keys.get_mut(index) {
                *slot = key;
            }
        }
        Self {
            input: ICRNL | IXON,
            output: OPOST | ONLCR,
            control: CS8 | CREAD | 0o17,
            local: ISIG | ICANON | ECHO | ECHOE | ECHOK | ECHOCTL | ECHOKE | IEXTEN,
            keys,
            speed: 38400,
        }
    }
}

impl Termios {
    /// Whether this local flag is on.
    pub fn local_has(&self, flag: u32) -> bool {
        self.local & flag != 0
    }

    /// Whether this input flag is on.
    pub fn input_has(&self, flag: u32) -> bool {
        self.input & flag != 0
    }

    /// Whether this output flag is on.
    pub fn output_has(&self, flag: u32) -> bool {
        self.output & flag != 0
    }

    /// Whether `byte` is the control character at `index`, and that one is on.
    pub fn is_key(&self, index: usize, byte: u8) -> bool {
        byte != 0 && self.keys.get(index) == Some(&byte)
    }
}
