//! What stty(1) can switch: names, Linux's bits, and whether `sane` has them on.

use sundew_kernel::tty::termios::{
    VDISCARD, VEOF, VEOL, VEOL2, VERASE, VINTR, VKILL, VLNEXT, VMIN, VQUIT, VREPRINT, VSTART,
    VSTOP, VSUSP, VTIME, VWERASE,
};

/// Local flag: lines, not bytes.
pub(super) const ICANON: u32 = 2;

/// Which field a flag is in, in the order shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Part {
    Control,
    Input,
    Output,
    Local,
}

/// One setting.
#[derive(Debug)]
pub(super) struct Mode {
    pub(super) name: &'static str,
    pub(super) part: Part,
    pub(super) bits: u32,
    pub(super) mask: u32,
    /// On or off after `sane`; nothing if it is left alone.
    pub(super) sane: Option<bool>,
    /// A synonym, never shown.
    pub(super) hidden: bool,
    /// One of several values of a field: no dash switches it off.
    one_of: bool,
}

impl Mode {
    /// Whether a dash in front switches it off: not for one of several values.
    pub(super) fn may_be_off(&self) -> bool {
        !self.one_of
    }
}

const fn flag(name: &'static str, part: Part, bits: u32, sane: Option<bool>) -> Mode {
    Mode {
        name,
        part,
        bits,
        mask: bits,
        sane,
        hidden: false,
        one_of: false,
    }
}

const fn value(name: &'static str, part: Part, bits: u32, mask: u32, sane: bool) -> Mode {
    Mode {
        name,
        part,
        bits,
        mask,
        sane: if sane { Some(true) } else { None },
        hidden: false,
        one_of: true,
    }
}

const fn synonym(name: &'static str, part: Part, bits: u32) -> Mode {
    Mode {
        name,
        part,
        bits,
        mask: bits,
        sane: None,
        hidden: true,
        one_of: false,
    }
}

/// In the order of `stty -a`.
pub(super) const MODES: &[Mode] = &[
    flag("parenb", Part::Control, 0o400, None),
    flag("parodd", Part::Control, 0o1000, None),
    flag("cmspar", Part::Control, 0o10_000_000_000, None),
    value("cs5", Part::Control, 0, 0o60, false),
    value("cs6", Part::Control, 0o20, 0o60, false),
    value("cs7", Part::Control, 0o40, 0o60, false),
    value("cs8", Part::Control, 0o60, 0o60, false),
    flag("hupcl", Part::Control, 0o2000, None),
    synonym("hup", Part::Control, 0o2000),
    flag("cstopb", Part::Control, 0o100, None),
    flag("cread", Part::Control, 0o200, Some(true)),
    flag("clocal", Part::Control, 0o4000, None),
    flag("crtscts", Part::Control, 0o20_000_000_000, None),
    flag("ignbrk", Part::Input, 0o1, Some(false)),
    flag("brkint", Part::Input, 0o2, Some(true)),
    flag("ignpar", Part::Input, 0o4, None),
    flag("parmrk", Part::Input, 0o10, None),
    flag("inpck", Part::Input, 0o20, None),
    flag("istrip", Part::Input, 0o40, None),
    flag("inlcr", Part::Input, 0o100, Some(false)),
    flag("igncr", Part::Input, 0o200, Some(false)),
    flag("icrnl", Part::Input, 0o400, Some(true)),
    flag("ixon", Part::Input, 0o2000, None),
    flag("ixoff", Part::Input, 0o10000, Some(false)),
    synonym("tandem", Part::Input, 0o10000),
    flag("iuclc", Part::Input, 0o1000, Some(false)),
    flag("ixany", Part::Input, 0o4000, Some(false)),
    flag("imaxbel", Part::Input, 0o20000, Some(true)),
    flag("iutf8", Part::Input, 0o40000, None),
    flag("opost", Part::Output, 0o1, Some(true)),
    flag("olcuc", Part::Output, 0o2, Some(false)),
    flag("ocrnl", Part::Output, 0o10, Some(false)),
    flag("onlcr", Part::Output, 0o4, Some(true)),
    flag("onocr", Part::Output, 0o20, Some(false)),
    flag("onlret", Part::Output, 0o40, Some(false)),
    flag("ofill", Part::Output, 0o100, Some(false)),
    flag("ofdel", Part::Output, 0o200, Some(false)),
    value("nl1", Part::Output, 0o400, 0o400, false),
    value("nl0", Part::Output, 0, 0o400, true),
    value("cr3", Part::Output, 0o3000, 0o3000, false),
    value("cr2", Part::Output, 0o2000, 0o3000, false),
    value("cr1", Part::Output, 0o1000, 0o3000, false),
    value("cr0", Part::Output, 0, 0o3000, true),
    value("tab3", Part::Output, 0o14000, 0o14000, false),
    value("tab2", Part::Output, 0o10000, 0o14000, false),
    value("tab1", Part::Output, 0o4000, 0o14000, false),
    value("tab0", Part::Output, 0, 0o14000, true),
    value("bs1", Part::Output, 0o20000, 0o20000, false),
    value("bs0", Part::Output, 0, 0o20000, true),
    value("vt1", Part::Output, 0o40000, 0o40000, false),
    value("vt0", Part::Output, 0, 0o40000, true),
    value("ff1", Part::Output, 0o100000, 0o100000, false),
    value("ff0", Part::Output, 0, 0o100000, true),
    flag("isig", Part::Local, 0o1, Some(true)),
    flag("icanon", Part::Local, ICANON, Some(true)),
    flag("iexten", Part::Local, 0o100000, Some(true)),
    flag("echo", Part::Local, 0o10, Some(true)),
    flag("echoe", Part::Local, 0o20, Some(true)),
    synonym("crterase", Part::Local, 0o20),
    flag("echok", Part::Local, 0o40, Some(true)),
    flag("echonl", Part::Local, 0o100, Some(false)),
    flag("noflsh", Part::Local, 0o200, Some(false)),
    flag("xcase", Part::Local, 0o4, Some(false)),
    flag("tostop", Part::Local, 0o400, Some(false)),
    flag("echoprt", Part::Local, 0o2000, Some(false)),
    synonym("prterase", Part::Local, 0o2000),
    flag("echoctl", Part::Local, 0o1000, Some(true)),
    synonym("ctlecho", Part::Local, 0o1000),
    flag("echoke", Part::Local, 0o4000, Some(true)),
    synonym("crtkill", Part::Local, 0o4000),
    flag("flusho", Part::Local, 0o10000, Some(false)),
    flag("extproc", Part::Local, 0o200000, Some(false)),
];

/// One control character.
#[derive(Debug)]
pub(super) struct Key {
    pub(super) name: &'static str,
    pub(super) index: usize,
    pub(super) sane: u8,
    /// A number (`min`, `time`), not a character.
    pub(super) number: bool,
}

const fn key(name: &'static str, index: usize, sane: u8) -> Key {
    Key {
        name,
        index,
        sane,
        number: false,
    }
}

const VSWTC: usize = 7;

/// In the order of `stty -a`.
pub(super) const KEYS: &[Key] = &[
    key("intr", VINTR, 3),
    key("quit", VQUIT, 28),
    key("erase", VERASE, 127),
    key("kill", VKILL, 21),
    key("eof", VEOF, 4),
    key("eol", VEOL, 0),
    key("eol2", VEOL2, 0),
    key("swtch", VSWTC, 0),
    key("start", VSTART, 17),
    key("stop", VSTOP, 19),
    key("susp", VSUSP, 26),
    key("rprnt", VREPRINT, 18),
    key("werase", VWERASE, 23),
    key("lnext", VLNEXT, 22),
    key("discard", VDISCARD, 15),
    Key {
        name: "min",
        index: VMIN,
        sane: 1,
        number: true,
    },
    Key {
        name: "time",
        index: VTIME,
        sane: 0,
        number: true,
    },
];

/// Line speeds that a bare number may set.
pub(super) const SPEEDS: &[u64] = &[
    0, 50, 75, 110, 134, 150, 200, 300, 600, 1200, 1800, 2400, 4800, 9600, 19200, 38400, 57600,
    115_200, 230_400, 460_800, 921_600,
];

/// A control character as it is typed: `^C`, `undef`, a character, a number.
pub(super) fn key_of(text: &[u8]) -> Option<u64> {
    match text {
        b"undef" | b"^-" | b"" => Some(0),
        [byte] => Some(u64::from(*byte)),
        b"^?" => Some(127),
        [b'^', byte] => Some(u64::from(byte & 0x1f)),
        _ => super::input::decimal(text),
    }
}
