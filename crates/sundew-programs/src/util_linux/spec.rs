//! What the programs' command lines know: letters and names, as their `--help` lists them.

use crate::getopt::{Arity, Spec};

/// `script`.
pub(super) const SCRIPT: Spec = Spec::new(
    "I:O:B:T:t::m:ac:efE:o:qhV",
    &[
        ("log-in", Arity::Required, "I"),
        ("log-out", Arity::Required, "O"),
        ("log-io", Arity::Required, "B"),
        ("log-timing", Arity::Required, "T"),
        ("logging-format", Arity::Required, "m"),
        ("append", Arity::No, "a"),
        ("command", Arity::Required, "c"),
        ("return", Arity::No, "e"),
        ("flush", Arity::No, "f"),
        ("echo", Arity::Required, "E"),
        ("output-limit", Arity::Required, "o"),
        ("quiet", Arity::No, "q"),
        ("help", Arity::No, "h"),
        ("version", Arity::No, "V"),
    ],
);

/// `scriptreplay`.
pub(super) const SCRIPTREPLAY: Spec = Spec::new(
    "t:T:I:O:B:s:d:m:x:c:hV",
    &[
        ("timing", Arity::Required, "t"),
        ("log-timing", Arity::Required, "T"),
        ("log-in", Arity::Required, "I"),
        ("log-out", Arity::Required, "O"),
        ("log-io", Arity::Required, "B"),
        ("typescript", Arity::Required, "s"),
        ("divisor", Arity::Required, "d"),
        ("maxdelay", Arity::Required, "m"),
        ("stream", Arity::Required, "x"),
        ("cr-mode", Arity::Required, "c"),
        ("help", Arity::No, "h"),
        ("version", Arity::No, "V"),
    ],
);

/// `unshare`.
pub(super) const UNSHARE: Spec = Spec::new(
    "+m::u::i::n::p::U::C::T::frcR:w:S:G:hV",
    &[
        ("mount", Arity::Optional, "m"),
        ("uts", Arity::Optional, "u"),
        ("ipc", Arity::Optional, "i"),
        ("net", Arity::Optional, "n"),
        ("pid", Arity::Optional, "p"),
        ("user", Arity::Optional, "U"),
        ("cgroup", Arity::Optional, "C"),
        ("time", Arity::Optional, "T"),
        ("fork", Arity::No, "f"),
        ("map-root-user", Arity::No, "r"),
        ("map-current-user", Arity::No, "c"),
        ("root", Arity::Required, "R"),
        ("wd", Arity::Required, "w"),
        ("setuid", Arity::Required, "S"),
        ("setgid", Arity::Required, "G"),
        ("help", Arity::No, "h"),
        ("version", Arity::No, "V"),
        ("mount-proc", Arity::Optional, "mount-proc"),
        ("kill-child", Arity::Optional, "kill-child"),
        ("propagation", Arity::Required, "propagation"),
        ("setgroups", Arity::Required, "setgroups"),
        ("map-user", Arity::Required, "map-user"),
        ("map-group", Arity::Required, "map-group"),
        ("map-users", Arity::Required, "map-users"),
        ("map-groups", Arity::Required, "map-groups"),
        ("map-auto", Arity::No, "map-auto"),
        ("keep-caps", Arity::No, "keep-caps"),
        ("monotonic", Arity::Required, "monotonic"),
        ("boottime", Arity::Required, "boottime"),
    ],
);

/// `nsenter`.
pub(super) const NSENTER: Spec = Spec::new(
    "+at:m::u::i::n::p::C::U::T::S:G:r::w::WFZhV",
    &[
        ("all", Arity::No, "a"),
        ("target", Arity::Required, "t"),
        ("mount", Arity::Optional, "m"),
        ("uts", Arity::Optional, "u"),
        ("ipc", Arity::Optional, "i"),
        ("net", Arity::Optional, "n"),
        ("pid", Arity::Optional, "p"),
        ("cgroup", Arity::Optional, "C"),
        ("user", Arity::Optional, "U"),
        ("time", Arity::Optional, "T"),
        ("setuid", Arity::Required, "S"),
        ("setgid", Arity::Required, "G"),
        ("root", Arity::Optional, "r"),
        ("wd", Arity::Optional, "w"),
        ("no-fork", Arity::No, "F"),
        ("follow-context", Arity::No, "Z"),
        ("help", Arity::No, "h"),
        ("version", Arity::No, "V"),
    ],
);

/// `chmem`.
pub(super) const CHMEM: Spec = Spec::new(
    "edbz:vhV",
    &[
        ("enable", Arity::No, "e"),
        ("disable", Arity::No, "d"),
        ("blocks", Arity::No, "b"),
        ("zone", Arity::Required, "z"),
        ("verbose", Arity::No, "v"),
        ("help", Arity::No, "h"),
        ("version", Arity::No, "V"),
    ],
);

/// `lsns`.
pub(super) const LSNS: Spec = Spec::new(
    "Jlno:p:ruWt:T::hV",
    &[
        ("json", Arity::No, "J"),
        ("list", Arity::No, "l"),
        ("noheadings", Arity::No, "n"),
        ("output", Arity::Required, "o"),
        ("task", Arity::Required, "p"),
        ("raw", Arity::No, "r"),
        ("notruncate", Arity::No, "u"),
        ("nowrap", Arity::No, "W"),
        ("type", Arity::Required, "t"),
        ("tree", Arity::Optional, "T"),
        ("help", Arity::No, "h"),
        ("version", Arity::No, "V"),
    ],
);

/// `lslogins`.
pub(super) const LSLOGINS: Spec = Spec::new(
    "acefGg:Ll:no:prsuyZzhV",
    &[
        ("acc-expiration", Arity::No, "a"),
        ("colon-separate", Arity::No, "c"),
        ("export", Arity::No, "e"),
        ("failed", Arity::No, "f"),
        ("supp-groups", Arity::No, "G"),
        ("groups", Arity::Required, "g"),
        ("last", Arity::No, "L"),
        ("logins", Arity::Required, "l"),
        ("newline", Arity::No, "n"),
        ("output", Arity::Optional, "o"),
        ("pwd", Arity::No, "p"),
        ("raw", Arity::No, "r"),
        ("system-accs", Arity::No, "s"),
        ("user-accs", Arity::No, "u"),
        ("shell", Arity::No, "y"),
        ("context", Arity::No, "Z"),
        ("print0", Arity::No, "z"),
        ("help", Arity::No, "h"),
        ("version", Arity::No, "V"),
    ],
);

/// `lsipc`.
pub(super) const LSIPC: Spec = Spec::new(
    "mqsgi:bceJnlo:PrtyhV",
    &[
        ("shmems", Arity::No, "m"),
        ("queues", Arity::No, "q"),
        ("semaphores", Arity::No, "s"),
        ("global", Arity::No, "g"),
        ("id", Arity::Required, "i"),
        ("bytes", Arity::No, "b"),
        ("creator", Arity::No, "c"),
        ("export", Arity::No, "e"),
        ("json", Arity::No, "J"),
        ("newline", Arity::No, "n"),
        ("list", Arity::No, "l"),
        ("output", Arity::Optional, "o"),
        ("numeric-perms", Arity::No, "P"),
        ("raw", Arity::No, "r"),
        ("time", Arity::No, "t"),
        ("shell", Arity::No, "y"),
        ("help", Arity::No, "h"),
        ("version", Arity::No, "V"),
    ],
);

/// `lslocks`.
pub(super) const LSLOCKS: Spec = Spec::new(
    "bJino:p:ruhV",
    &[
        ("bytes", Arity::No, "b"),
        ("json", Arity::No, "J"),
        ("noinaccessible", Arity::No, "i"),
        ("noheadings", Arity::No, "n"),
        ("output", Arity::Required, "o"),
        ("pid", Arity::Required, "p"),
        ("raw", Arity::No, "r"),
        ("notruncate", Arity::No, "u"),
        ("help", Arity::No, "h"),
        ("version", Arity::No, "V"),
    ],
);

/// `lsirq`.
pub(super) const LSIRQ: Spec = Spec::new(
    "JPno:s:ShV",
    &[
        ("json", Arity::No, "J"),
        ("pairs", Arity::No, "P"),
        ("noheadings", Arity::No, "n"),
        ("output", Arity::Required, "o"),
        ("sort", Arity::Required, "s"),
        ("softirq", Arity::No, "S"),
        ("help", Arity::No, "h"),
        ("version", Arity::No, "V"),
    ],
);

/// `ipcmk`.
pub(super) const IPCMK: Spec = Spec::new(
    "M:S:Qp:hV",
    &[
        ("shmem", Arity::Required, "M"),
        ("semaphore", Arity::Required, "S"),
        ("queue", Arity::No, "Q"),
        ("mode", Arity::Required, "p"),
        ("help", Arity::No, "h"),
        ("version", Arity::No, "V"),
    ],
);

/// `ipcrm`.
pub(super) const IPCRM: Spec = Spec::new(
    "m:M:q:Q:s:S:a::vhV",
    &[
        ("shmem-id", Arity::Required, "m"),
        ("shmem-key", Arity::Required, "M"),
        ("queue-id", Arity::Required, "q"),
        ("queue-key", Arity::Required, "Q"),
        ("semaphore-id", Arity::Required, "s"),
        ("semaphore-key", Arity::Required, "S"),
        ("all", Arity::Optional, "a"),
        ("verbose", Arity::No, "v"),
        ("help", Arity::No, "h"),
        ("version", Arity::No, "V"),
    ],
);

/// `choom`.
pub(super) const CHOOM: Spec = Spec::new(
    "+n:p:hV",
    &[
        ("adjust", Arity::Required, "n"),
        ("pid", Arity::Required, "p"),
        ("help", Arity::No, "h"),
        ("version", Arity::No, "V"),
    ],
);

/// `hardlink`.
pub(super) const HARDLINK: Spec = Spec::new(
    "vqny:fpotcXmMOx:i:s:S:b:r:hV",
    &[
        ("verbose", Arity::No, "v"),
        ("quiet", Arity::No, "q"),
        ("dry-run", Arity::No, "n"),
        ("method", Arity::Required, "y"),
        ("respect-name", Arity::No, "f"),
        ("ignore-mode", Arity::No, "p"),
        ("ignore-owner", Arity::No, "o"),
        ("ignore-time", Arity::No, "t"),
        ("content", Arity::No, "c"),
        ("respect-xattrs", Arity::No, "X"),
        ("maximize", Arity::No, "m"),
        ("minimize", Arity::No, "M"),
        ("keep-oldest", Arity::No, "O"),
        ("exclude", Arity::Required, "x"),
        ("include", Arity::Required, "i"),
        ("minimum-size", Arity::Required, "s"),
        ("maximum-size", Arity::Required, "S"),
        ("io-size", Arity::Required, "b"),
        ("cache-size", Arity::Required, "r"),
        ("help", Arity::No, "h"),
        ("version", Arity::No, "V"),
    ],
);

/// `fincore`.
pub(super) const FINCORE: Spec = Spec::new(
    "Jbno:rhV",
    &[
        ("json", Arity::No, "J"),
        ("bytes", Arity::No, "b"),
        ("noheadings", Arity::No, "n"),
        ("output", Arity::Required, "o"),
        ("raw", Arity::No, "r"),
        ("help", Arity::No, "h"),
        ("version", Arity::No, "V"),
    ],
);

/// `wipefs`.
pub(super) const WIPEFS: Spec = Spec::new(
    "abfiJno:O:pqt:hV",
    &[
        ("all", Arity::No, "a"),
        ("backup", Arity::No, "b"),
        ("force", Arity::No, "f"),
        ("noheadings", Arity::No, "i"),
        ("json", Arity::No, "J"),
        ("no-act", Arity::No, "n"),
        ("offset", Arity::Required, "o"),
        ("output", Arity::Required, "O"),
        ("parsable", Arity::No, "p"),
        ("quiet", Arity::No, "q"),
        ("types", Arity::Required, "t"),
        ("help", Arity::No, "h"),
        ("version", Arity::No, "V"),
    ],
);

/// `findfs`.
pub(super) const FINDFS: Spec = Spec::new(
    "hV",
    &[("help", Arity::No, "h"), ("version", Arity::No, "V")],
);

/// `partx`.
pub(super) const PARTX: Spec = Spec::new(
    "adusbgn:o:PrS:t:vhV",
    &[
        ("add", Arity::No, "a"),
        ("delete", Arity::No, "d"),
        ("update", Arity::No, "u"),
        ("show", Arity::No, "s"),
        ("bytes", Arity::No, "b"),
        ("noheadings", Arity::No, "g"),
        ("nr", Arity::Required, "n"),
        ("output", Arity::Required, "o"),
        ("pairs", Arity::No, "P"),
        ("raw", Arity::No, "r"),
        ("sector-size", Arity::Required, "S"),
        ("type", Arity::Required, "t"),
        ("verbose", Arity::No, "v"),
        ("help", Arity::No, "h"),
        ("version", Arity::No, "V"),
    ],
);

/// `addpart`.
pub(super) const ADDPART: Spec = Spec::new(
    "hV",
    &[("help", Arity::No, "h"), ("version", Arity::No, "V")],
);

/// `delpart`.
pub(super) const DELPART: Spec = Spec::new(
    "hV",
    &[("help", Arity::No, "h"), ("version", Arity::No, "V")],
);

/// `resizepart`.
pub(super) const RESIZEPART: Spec = Spec::new(
    "hV",
    &[("help", Arity::No, "h"), ("version", Arity::No, "V")],
);

/// `blkdiscard`.
pub(super) const BLKDISCARD: Spec = Spec::new(
    "fo:l:p:szvhV",
    &[
        ("force", Arity::No, "f"),
        ("offset", Arity::Required, "o"),
        ("length", Arity::Required, "l"),
        ("step", Arity::Required, "p"),
        ("secure", Arity::No, "s"),
        ("zeroout", Arity::No, "z"),
        ("verbose", Arity::No, "v"),
        ("help", Arity::No, "h"),
        ("version", Arity::No, "V"),
    ],
);

/// `chcpu`.
pub(super) const CHCPU: Spec = Spec::new(
    "e:d:c:g:p:rhV",
    &[
        ("enable", Arity::Required, "e"),
        ("disable", Arity::Required, "d"),
        ("configure", Arity::Required, "c"),
        ("deconfigure", Arity::Required, "g"),
        ("dispatch", Arity::Required, "p"),
        ("rescan", Arity::No, "r"),
        ("help", Arity::No, "h"),
        ("version", Arity::No, "V"),
    ],
);

/// `ctrlaltdel`.
pub(super) const CTRLALTDEL: Spec = Spec::new(
    "hV",
    &[("help", Arity::No, "h"), ("version", Arity::No, "V")],
);

/// `fsfreeze`.
pub(super) const FSFREEZE: Spec = Spec::new(
    "fuhV",
    &[
        ("freeze", Arity::No, "f"),
        ("unfreeze", Arity::No, "u"),
        ("help", Arity::No, "h"),
        ("version", Arity::No, "V"),
    ],
);

/// `fstrim`.
pub(super) const FSTRIM: Spec = Spec::new(
    "aAI:o:l:m:vnhV",
    &[
        ("all", Arity::No, "a"),
        ("fstab", Arity::No, "A"),
        ("listed-in", Arity::Required, "I"),
        ("offset", Arity::Required, "o"),
        ("length", Arity::Required, "l"),
        ("minimum", Arity::Required, "m"),
        ("verbose", Arity::No, "v"),
        ("dry-run", Arity::No, "n"),
        ("help", Arity::No, "h"),
        ("version", Arity::No, "V"),
    ],
);

/// `isosize`.
pub(super) const ISOSIZE: Spec = Spec::new(
    "d:xhV",
    &[
        ("divisor", Arity::Required, "d"),
        ("sectors", Arity::No, "x"),
        ("help", Arity::No, "h"),
        ("version", Arity::No, "V"),
    ],
);

/// `pivot_root`.
pub(super) const PIVOT_ROOT: Spec = Spec::new(
    "hV",
    &[("help", Arity::No, "h"), ("version", Arity::No, "V")],
);

/// `rtcwake`.
pub(super) const RTCWAKE: Spec = Spec::new(
    "aA:d:nlm:s:t:uvhV",
    &[
        ("auto", Arity::No, "a"),
        ("adjfile", Arity::Required, "A"),
        ("device", Arity::Required, "d"),
        ("dry-run", Arity::No, "n"),
        ("local", Arity::No, "l"),
        ("mode", Arity::Required, "m"),
        ("seconds", Arity::Required, "s"),
        ("time", Arity::Required, "t"),
        ("utc", Arity::No, "u"),
        ("verbose", Arity::No, "v"),
        ("help", Arity::No, "h"),
        ("version", Arity::No, "V"),
    ],
);

/// `sulogin`.
pub(super) const SULOGIN: Spec = Spec::new(
    "pt:ehV",
    &[
        ("login-shell", Arity::No, "p"),
        ("timeout", Arity::Required, "t"),
        ("force", Arity::No, "e"),
        ("help", Arity::No, "h"),
        ("version", Arity::No, "V"),
    ],
);

/// `swaplabel`.
pub(super) const SWAPLABEL: Spec = Spec::new(
    "L:U:hV",
    &[
        ("label", Arity::Required, "L"),
        ("uuid", Arity::Required, "U"),
        ("help", Arity::No, "h"),
        ("version", Arity::No, "V"),
    ],
);

/// `switch_root`.
pub(super) const SWITCH_ROOT: Spec = Spec::new(
    "hV",
    &[("help", Arity::No, "h"), ("version", Arity::No, "V")],
);

/// `uclampset`.
pub(super) const UCLAMPSET: Spec = Spec::new(
    "+m:M:ap:sRvhV",
    &[
        ("all-tasks", Arity::No, "a"),
        ("pid", Arity::Required, "p"),
        ("system", Arity::No, "s"),
        ("reset-on-fork", Arity::No, "R"),
        ("verbose", Arity::No, "v"),
        ("help", Arity::No, "h"),
        ("version", Arity::No, "V"),
    ],
);

/// `utmpdump`.
pub(super) const UTMPDUMP: Spec = Spec::new(
    "fro:hV",
    &[
        ("follow", Arity::No, "f"),
        ("reverse", Arity::No, "r"),
        ("output", Arity::Required, "o"),
        ("help", Arity::No, "h"),
        ("version", Arity::No, "V"),
    ],
);

/// `wdctl`.
pub(super) const WDCTL: Spec = Spec::new(
    "f:FInOo:p:g:rTs:xhV",
    &[
        ("flags", Arity::Required, "f"),
        ("noflags", Arity::No, "F"),
        ("noident", Arity::No, "I"),
        ("noheadings", Arity::No, "n"),
        ("oneline", Arity::No, "O"),
        ("output", Arity::Required, "o"),
        ("setpretimeout", Arity::Required, "p"),
        ("setpregovernor", Arity::Required, "g"),
        ("raw", Arity::No, "r"),
        ("notimeouts", Arity::No, "T"),
        ("settimeout", Arity::Required, "s"),
        ("flags-only", Arity::No, "x"),
        ("help", Arity::No, "h"),
        ("version", Arity::No, "V"),
    ],
);

/// `zramctl`.
pub(super) const ZRAMCTL: Spec = Spec::new(
    "a:bfno:rs:t:hV",
    &[
        ("algorithm", Arity::Required, "a"),
        ("bytes", Arity::No, "b"),
        ("find", Arity::No, "f"),
        ("noheadings", Arity::No, "n"),
        ("output", Arity::Required, "o"),
        ("reset", Arity::No, "r"),
        ("size", Arity::Required, "s"),
        ("streams", Arity::Required, "t"),
        ("help", Arity::No, "h"),
        ("version", Arity::No, "V"),
    ],
);
