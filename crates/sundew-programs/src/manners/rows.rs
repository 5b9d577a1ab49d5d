//! The rows, one a program: what the originals hand to getopt_long(3).

use crate::getopt::Arity::{No, Optional, Required};
use crate::getopt::Spec;

use sundew_kernel::program::Program;

use super::{Row, receive};

macro_rules! rows {
    ($($name:literal, $short:literal, [$($long:expr),* $(,)?], $help:literal, $version:literal;)*) => {
        /// Programs at whose door somebody looks.
        pub(super) const ROWS: &[Row] = &[$(Row {
            door: Program { name: $name, run: |proc| Box::pin(receive(proc, $name)) },
            spec: Spec::new($short, &[$($long),*]),
            help: $help,
            version: $version,
        },)*];
    };
}

rows! {
    "arp", "A:H:adfp:nsei:t:vh?DNV", [
        ("verbose", No, "v"), ("version", No, "V"), ("all", No, "a"), ("delete", No, "d"),
        ("file", No, "f"), ("numeric", No, "n"), ("set", No, "s"), ("protocol", Required, "A"),
        ("hw-type", Required, "H"), ("device", Required, "i"), ("help", No, "h"), ("use-device", No, "D"), ("symbolic", No, "N")
    ], "", "V";
    "blkid", "c:DdgH:hilL:n:ko:O:ps:S:t:u:U:w:Vv", [
        ("cache-file", Required, "c"), ("no-encoding", No, "d"), ("no-part-details", No, "D"),
        ("garbage-collect", No, "g"), ("output", Required, "o"), ("list-filesystems", No, "k"),
        ("match-tag", Required, "s"), ("match-token", Required, "t"), ("list-one", No, "l"),
        ("label", Required, "L"), ("uuid", Required, "U"), ("probe", No, "p"), ("hint", Required,
        "H"), ("info", No, "i"), ("size", Required, "S"), ("offset", Required, "O"), ("usages", Required, "u"), ("match-types", Required, "n"), ("version", No, "V"), ("help", No, "h")
    ], "h", "V";
    "chfn", "f:h:o:r:R:uw:", [
        ("full-name", Required, "f"), ("home-phone", Required, "h"), ("other", Required, "o"),
        ("room", Required, "r"), ("root", Required, "R"), ("help", No, "u"), ("work-phone", Required, "w")
    ], "u", "";
    "chpasswd", "c:ehmR:s:", [
        ("crypt-method", Required, "c"), ("encrypted", No, "e"), ("help", No, "h"), ("md5", No,
        "m"), ("root", Required, "R"), ("sha-rounds", Required, "s")
    ], "h", "";
    "chrt", "+abdD:fiphmoP:T:rRvV", [
        ("all-tasks", No, "a"), ("batch", No, "b"), ("deadline", No, "d"), ("fifo", No, "f"),
        ("idle", No, "i"), ("pid", No, "p"), ("help", No, "h"), ("max", No, "m"), ("other", No,
        "o"), ("rr", No, "r"), ("sched-runtime", Required, "T"), ("sched-period", Required, "P"),
        ("sched-deadline", Required, "D"), ("reset-on-fork", No, "R"), ("verbose", No, "v"),
        ("version", No, "V")
    ], "h", "V";
    "clear", "T:Vx", [], "", "";
    "cmp", "bci:ln:sv", [
        ("print-bytes", No, "b"), ("print-chars", No, "c"), ("ignore-initial", Required, "i"),
        ("verbose", No, "l"), ("bytes", Required, "n"), ("silent", No, "s"), ("quiet", No, "s"),
        ("version", No, "v"), ("help", No, "help")
    ], "help", "v";
    "diff", "0123456789abBcC:dD:eEfF:hHiI:lL:nNpPqrsS:tTuU:vwW:x:X:yZ", [
        ("binary", No, "binary"), ("brief", No, "q"), ("changed-group-format", Required,
        "changed-group-format"), ("color", Optional, "color"), ("context", Optional, "C"), ("ed", No, "e"), ("exclude", Required, "x"), ("exclude-from", Required, "X"), ("expand-tabs", No,
        "t"), ("forward-ed", No, "f"), ("from-file", Required, "from-file"), ("help", No, "help"),
        ("horizon-lines", Required, "horizon-lines"), ("ifdef", Required, "D"),
        ("ignore-all-space", No, "w"), ("ignore-blank-lines", No, "B"), ("ignore-case", No, "i"),
        ("ignore-file-name-case", No, "ignore-file-name-case"), ("ignore-matching-lines", Required, "I"), ("ignore-space-change", No, "b"), ("ignore-tab-expansion", No, "E"),
        ("ignore-trailing-space", No, "Z"), ("inhibit-hunk-merge", No, "inhibit-hunk-merge"),
        ("initial-tab", No, "T"), ("label", Required, "L"), ("left-column", No, "left-column"),
        ("line-format", Required, "line-format"), ("minimal", No, "d"), ("new-file", No, "N"),
        ("new-group-format", Required, "new-group-format"), ("new-line-format", Required,
        "new-line-format"), ("no-dereference", No, "no-dereference"), ("no-ignore-file-name-case", No, "no-ignore-file-name-case"), ("normal", No, "normal"), ("old-group-format", Required,
        "old-group-format"), ("old-line-format", Required, "old-line-format"), ("paginate", No,
        "l"), ("palette", Required, "palette"), ("rcs", No, "n"), ("recursive", No, "r"),
        ("report-identical-files", No, "s"), ("sdiff-merge-assist", No, "sdiff-merge-assist"),
        ("show-c-function", No, "p"), ("show-function-line", Required, "F"), ("side-by-side", No,
        "y"), ("speed-large-files", No, "H"), ("starting-file", Required, "S"),
        ("strip-trailing-cr", No, "strip-trailing-cr"), ("suppress-blank-empty", No,
        "suppress-blank-empty"), ("suppress-common-lines", No, "suppress-common-lines"),
        ("tabsize", Required, "tabsize"), ("text", No, "a"), ("to-file", Required, "to-file"),
        ("unchanged-group-format", Required, "unchanged-group-format"), ("unchanged-line-format", Required, "unchanged-line-format"), ("unidirectional-new-file", No, "P"), ("unified", Optional, "U"), ("version", No, "v"), ("width", Required, "W"), ("-presume-output-tty", No, "-presume-output-tty")
    ], "help", "v";
    "file", "bcCde:Ef:F:hiklLm:nNpP:rsSvzZ0", [
        ("help", No, "help"), ("version", No, "v"), ("magic-file", Required, "m"), ("uncompress", No, "z"), ("uncompress-noreport", No, "Z"), ("brief", No, "b"), ("checking-printout", No,
        "c"), ("exclude", Required, "e"), ("exclude-quiet", Required, "exclude-quiet"),
        ("files-from", Required, "f"), ("separator", Required, "F"), ("mime", No, "i"), ("apple", No, "apple"), ("extension", No, "extension"), ("mime-type", No, "mime-type"),
        ("mime-encoding", No, "mime-encoding"), ("keep-going", No, "k"), ("list", No, "l"),
        ("dereference", No, "L"), ("no-dereference", No, "h"), ("no-buffer", No, "n"), ("no-pad", No, "N"), ("print0", No, "0"), ("preserve-date", No, "p"), ("parameter", Required, "P"),
        ("raw", No, "r"), ("special-files", No, "s"), ("no-sandbox", No, "S"), ("compile", No,
        "C"), ("debug", No, "d")
    ], "help", "v";
    "flock", "+sexnoFuw:E:hV?", [
        ("shared", No, "s"), ("exclusive", No, "x"), ("unlock", No, "u"), ("nonblocking", No,
        "n"), ("nb", No, "n"), ("timeout", Required, "w"), ("wait", Required, "w"),
        ("conflict-exit-code", Required, "E"), ("close", No, "o"), ("no-fork", No, "F"),
        ("verbose", No, "verbose"), ("help", No, "h"), ("version", No, "V")
    ], "h", "V";
    "ischroot", "fthV", [
        ("default-false", No, "f"), ("default-true", No, "t"), ("help", No, "h"), ("version", No,
        "V")
    ], "h", "V";
    "lastlog", "b:ChR:St:u:", [
        ("before", Required, "b"), ("clear", No, "C"), ("help", No, "h"), ("root", Required, "R"),
        ("set", No, "S"), ("time", Required, "t"), ("user", Required, "u")
    ], "h", "";
    "losetup", "ab:c:d:Dfhj:JlLno:O:PrvV", [
        ("all", No, "a"), ("set-capacity", Required, "c"), ("detach", Required, "d"),
        ("detach-all", No, "D"), ("find", No, "f"), ("nooverlap", No, "L"), ("help", No, "h"),
        ("associated", Required, "j"), ("json", No, "J"), ("list", No, "l"), ("sector-size", Required, "b"), ("noheadings", No, "n"), ("offset", Required, "o"), ("output", Required,
        "O"), ("output-all", No, "output-all"), ("sizelimit", Required, "sizelimit"), ("partscan", No, "P"), ("read-only", No, "r"), ("direct-io", Optional, "direct-io"), ("raw", No,
        "raw"), ("show", No, "show"), ("verbose", No, "v"), ("version", No, "V")
    ], "h", "V";
    "lsattr", "RVadlvp", [], "", "";
    "lscpu", "aBbC::ce::hJp::s:xyV", [
        ("all", No, "a"), ("online", No, "b"), ("bytes", No, "B"), ("caches", Optional, "C"),
        ("offline", No, "c"), ("help", No, "h"), ("extended", Optional, "e"), ("json", No, "J"),
        ("parse", Optional, "p"), ("sysroot", Required, "s"), ("physical", No, "y"), ("hex", No,
        "x"), ("version", No, "V"), ("output-all", No, "output-all")
    ], "h", "V";
    "lspci", "nvbxs:d:tPi:mgp:qkMDQA:GO:H:F:", [("version", No, "version")], "", "";
    "mcookie", "f:m:vVh", [
        ("file", Required, "f"), ("max-size", Required, "m"), ("verbose", No, "v"), ("version", No, "V"), ("help", No, "h")
    ], "h", "V";
    "more", "dflcpsun:eVh", [
        ("silent", No, "d"), ("logical", No, "f"), ("no-pause", No, "l"), ("print-over", No, "c"),
        ("clean-print", No, "p"), ("exit-on-eof", No, "e"), ("squeeze", No, "s"), ("plain", No,
        "u"), ("lines", Required, "n"), ("version", No, "V"), ("help", No, "h")
    ], "h", "V";
    "netstat", "A:CFMacdeghilnNoprsStuUvVWw2fx64?Z", [
        ("ax25", No, "ax25"), ("x25", No, "x25"), ("ip", No, "ip"), ("ipx", No, "ipx"),
        ("appletalk", No, "appletalk"), ("netrom", No, "netrom"), ("inet", No, "inet"), ("inet6", No, "inet6"), ("ddp", No, "ddp"), ("rose", No, "rose"), ("unix", No, "unix"),
        ("bluetooth", No, "bluetooth"), ("tcpip", No, "tcpip"), ("version", No, "V"),
        ("interfaces", No, "i"), ("help", No, "h"), ("route", No, "r"), ("masquerade", No, "M"),
        ("protocol", Required, "A"), ("tcp", No, "t"), ("sctp", No, "S"), ("udp", No, "u"),
        ("udplite", No, "U"), ("raw", No, "w"), ("unix", No, "x"), ("l2cap", No, "2"), ("rfcomm", No, "f"), ("listening", No, "l"), ("all", No, "a"), ("timers", No, "o"), ("continuous", No, "c"), ("extend", No, "e"), ("programs", No, "p"), ("verbose", No, "v"), ("statistics", No, "s"), ("wide", No, "W"), ("numeric", No, "n"), ("numeric-hosts", No, "numeric-hosts"),
        ("numeric-ports", No, "numeric-ports"), ("numeric-users", No, "numeric-users"),
        ("symbolic", No, "N"), ("cache", No, "C"), ("fib", No, "F"), ("groups", No, "g"),
        ("context", No, "Z")
    ], "", "V";
    "passwd", "adehi:kln:qr:R:Suw:x:", [
        ("all", No, "a"), ("delete", No, "d"), ("expire", No, "e"), ("help", No, "h"),
        ("inactive", Required, "i"), ("keep-tokens", No, "k"), ("lock", No, "l"), ("mindays", Required, "n"), ("quiet", No, "q"), ("repository", Required, "r"), ("root", Required,
        "R"), ("status", No, "S"), ("unlock", No, "u"), ("warndays", Required, "w"), ("maxdays", Required, "x")
    ], "h", "";
    "pstree", "aAcC:GhH:nN:pglsStTuUVZ", [
        ("arguments", No, "a"), ("ascii", No, "A"), ("compact-not", No, "c"), ("color", Required,
        "C"), ("vt100", No, "G"), ("highlight-all", No, "h"), ("highlight-pid", Required, "H"),
        ("long", No, "l"), ("numeric-sort", No, "n"), ("ns-sort", Required, "N"), ("show-pids", No, "p"), ("show-pgids", No, "g"), ("show-parents", No, "s"), ("ns-changes", No, "S"),
        ("thread-names", No, "t"), ("hide-threads", No, "T"), ("uid-changes", No, "u"),
        ("unicode", No, "U"), ("version", No, "V"), ("security-context", No, "Z")
    ], "", "V";
    "pwdx", "Vh", [
        ("version", No, "V"), ("help", No, "h")
    ], "h", "V";
    "rev", "Vh", [
        ("version", No, "V"), ("help", No, "h")
    ], "h", "V";
    "run-parts", "u:ha:vV", [
        ("test", No, "test"), ("list", No, "list"), ("verbose", No, "v"), ("debug", No, "debug"),
        ("report", No, "report"), ("reverse", No, "reverse"), ("umask", Required, "u"), ("arg", Required, "a"), ("help", No, "h"), ("version", No, "V"), ("lsbsysinit", No, "lsbsysinit"),
        ("regex", Required, "regex"), ("stdin", No, "stdin"), ("exit-on-error", No,
        "exit-on-error"), ("new-session", No, "new-session")
    ], "h", "V";
    "runuser", "c:fg:G:lmpPs:u:hVw:", [
        ("command", Required, "c"), ("session-command", Required, "session-command"), ("fast", No,
        "f"), ("login", No, "l"), ("preserve-environment", No, "p"), ("pty", No, "P"), ("shell", Required, "s"), ("group", Required, "g"), ("supp-group", Required, "G"), ("user", Required, "u"), ("whitelist-environment", Required, "w"), ("help", No, "h"), ("version", No, "V")
    ], "h", "V";
    "setsid", "+Vhcfw", [
        ("ctty", No, "c"), ("fork", No, "f"), ("wait", No, "w"), ("version", No, "V"), ("help", No, "h")
    ], "h", "V";
    "ss", "dhaletuwxnro460spTbEf:mMiA:D:F:vVzZN:KHSO", [
        ("numeric", No, "n"), ("resolve", No, "r"), ("options", No, "o"), ("extended", No, "e"),
        ("memory", No, "m"), ("info", No, "i"), ("processes", No, "p"), ("threads", No, "T"),
        ("bpf", No, "b"), ("events", No, "E"), ("dccp", No, "d"), ("tcp", No, "t"), ("sctp", No,
        "S"), ("udp", No, "u"), ("raw", No, "w"), ("unix", No, "x"), ("tipc", No, "tipc"),
        ("vsock", No, "vsock"), ("all", No, "a"), ("listening", No, "l"), ("ipv4", No, "4"),
        ("ipv6", No, "6"), ("packet", No, "0"), ("family", Required, "f"), ("socket", Required,
        "A"), ("query", Required, "A"), ("summary", No, "s"), ("diag", Required, "D"), ("filter", Required, "F"), ("version", No, "V"), ("help", No, "h"), ("context", No, "Z"),
        ("contexts", No, "z"), ("net", Required, "N"), ("tipcinfo", No, "tipcinfo"), ("tos", No,
        "tos"), ("cgroup", No, "cgroup"), ("kill", No, "K"), ("no-header", No, "H"), ("xdp", No,
        "xdp"), ("mptcp", No, "M"), ("oneline", No, "O"), ("inet-sockopt", No, "inet-sockopt")
    ], "h", "V";
    "swapoff", "ahvVL:U:", [
        ("all", No, "a"), ("help", No, "h"), ("verbose", No, "v"), ("version", No, "V")
    ], "h", "V";
    "sysctl", "bneNwfp::qoxaAXr:Vdh", [
        ("all", No, "a"), ("deprecated", No, "deprecated"), ("dry-run", No, "dry-run"), ("binary", No, "b"), ("ignore", No, "e"), ("names", No, "N"), ("values", No, "n"), ("load", Optional,
        "p"), ("quiet", No, "q"), ("write", No, "w"), ("system", No, "system"), ("pattern", Required, "r"), ("help", No, "h"), ("version", No, "V")
    ], "h", "V";
    "systemd-detect-virt", "hqcvr", [
        ("help", No, "h"), ("version", No, "version"), ("container", No, "c"), ("vm", No, "v"),
        ("chroot", No, "r"), ("private-users", No, "private-users"), ("quiet", No, "q"), ("list", No, "list")
    ], "h", "version";
    "top", "bcd:E:e:Hhin:Oo:p:SsU:u:Vw::1", [
        ("batch-mode", No, "b"), ("cmdline-toggle", No, "c"), ("delay", Required, "d"),
        ("scale-summary-mem", Required, "E"), ("scale-task-mem", Required, "e"), ("threads-show", No, "H"), ("help", No, "h"), ("idle-toggle", No, "i"), ("iterations", Required, "n"),
        ("list-fields", No, "O"), ("sort-override", Required, "o"), ("pid", Required, "p"),
        ("accum-time-toggle", No, "S"), ("secure-mode", No, "s"), ("filter-any-user", Required,
        "U"), ("filter-only-euser", Required, "u"), ("version", No, "V"), ("width", Optional,
        "w"), ("single-cpu-toggle", No, "1")
    ], "h", "V";
    "tput", "ST:Vx", [], "", "";
    "umount", "aAcdfhilnqRrO:t:vVN:", [
        ("all", No, "a"), ("all-targets", No, "A"), ("detach-loop", No, "d"), ("fake", No,
        "fake"), ("force", No, "f"), ("help", No, "h"), ("internal-only", No, "i"), ("lazy", No,
        "l"), ("no-canonicalize", No, "c"), ("no-mtab", No, "n"), ("quiet", No, "q"),
        ("read-only", No, "r"), ("recursive", No, "R"), ("test-opts", Required, "O"), ("types", Required, "t"), ("verbose", No, "v"), ("version", No, "V"), ("namespace", Required, "N")
    ], "h", "V";
    "userdel", "fhrR:P:Z", [
        ("force", No, "f"), ("help", No, "h"), ("remove", No, "r"), ("root", Required, "R"),
        ("prefix", Required, "P"), ("selinux-user", No, "Z")
    ], "h", "";
    "vmstat", "afmnsdDp:S:wthVy", [
        ("active", No, "a"), ("forks", No, "f"), ("slabs", No, "m"), ("one-header", No, "n"),
        ("stats", No, "s"), ("disk", No, "d"), ("disk-sum", No, "D"), ("partition", Required,
        "p"), ("unit", Required, "S"), ("wide", No, "w"), ("timestamp", No, "t"), ("help", No,
        "h"), ("version", No, "V"), ("no-first", No, "y")
    ], "h", "V";
    "wall", "nt:g:Vh", [
        ("nobanner", No, "n"), ("timeout", Required, "t"), ("group", Required, "g"), ("version", No, "V"), ("help", No, "h")
    ], "h", "V";
    "watch", "+bced::ghq:n:pvtwx", [
        ("color", No, "c"), ("differences", Optional, "d"), ("help", No, "h"), ("interval", Required, "n"), ("beep", No, "b"), ("errexit", No, "e"), ("chgexit", No, "g"), ("equexit", Required, "q"), ("exec", No, "x"), ("precise", No, "p"), ("no-title", No, "t"),
        ("no-wrap", No, "w"), ("version", No, "v")
    ], "h", "v";
}
