//! Why a system call failed: the Linux error numbers and glibc's words for them.
//!
//! The only place with the words; everything that prints "No such file or directory" asks here.
//! Numbers are those of `asm-generic/errno.h`, words those of glibc 2.36 `strerror(3)`.

use std::fmt;

macro_rules! errnos {
    ($($name:ident = $number:literal $message:literal;)*) => {
        /// A Linux error number; see `errno(3)`.
        #[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Debug)]
        #[non_exhaustive]
        pub enum Errno {
            $(#[doc = $message] $name = $number,)*
        }

        impl Errno {
            /// Every value, by ascending number.
            pub const ALL: &[Self] = &[$(Self::$name,)*];

            /// What `strerror(3)` prints, without a full stop.
            #[must_use]
            pub const fn message(self) -> &'static str {
                match self {
                    $(Self::$name => $message,)*
                }
            }
        }
    };
}

errnos! {
    Eperm = 1 "Operation not permitted";
    Enoent = 2 "No such file or directory";
    Esrch = 3 "No such process";
    Eintr = 4 "Interrupted system call";
    Eio = 5 "Input/output error";
    Enxio = 6 "No such device or address";
    E2big = 7 "Argument list too long";
    Enoexec = 8 "Exec format error";
    Ebadf = 9 "Bad file descriptor";
    Echild = 10 "No child processes";
    Eagain = 11 "Resource temporarily unavailable";
    Enomem = 12 "Cannot allocate memory";
    Eacces = 13 "Permission denied";
    Efault = 14 "Bad address";
    Enotblk = 15 "Block device required";
    Ebusy = 16 "Device or resource busy";
    Eexist = 17 "File exists";
    Exdev = 18 "Invalid cross-device link";
    Enodev = 19 "No such device";
    Enotdir = 20 "Not a directory";
    Eisdir = 21 "Is a directory";
    Einval = 22 "Invalid argument";
    Enfile = 23 "Too many open files in system";
    Emfile = 24 "Too many open files";
    Enotty = 25 "Inappropriate ioctl for device";
    Etxtbsy = 26 "Text file busy";
    Efbig = 27 "File too large";
    Enospc = 28 "No space left on device";
    Espipe = 29 "Illegal seek";
    Erofs = 30 "Read-only file system";
    Emlink = 31 "Too many links";
    Epipe = 32 "Broken pipe";
    Edom = 33 "Numerical argument out of domain";
    Erange = 34 "Numerical result out of range";
    Edeadlk = 35 "Resource deadlock avoided";
    Enametoolong = 36 "File name too long";
    Enolck = 37 "No locks available";
    Enosys = 38 "Function not implemented";
    Enotempty = 39 "Directory not empty";
    Eloop = 40 "Too many levels of symbolic links";
    Enomsg = 42 "No message of desired type";
    Eidrm = 43 "Identifier removed";
    Echrng = 44 "Channel number out of range";
    El2nsync = 45 "Level 2 not synchronized";
    El3hlt = 46 "Level 3 halted";
    El3rst = 47 "Level 3 reset";
    Elnrng = 48 "Link number out of range";
    Eunatch = 49 "Protocol driver not attached";
    Enocsi = 50 "No CSI structure available";
    El2hlt = 51 "Level 2 halted";
    Ebade = 52 "Invalid exchange";
    Ebadr = 53 "Invalid request descriptor";
    Exfull = 54 "Exchange full";
    Enoano = 55 "No anode";
    Ebadrqc = 56 "Invalid request code";
    Ebadslt = 57 "Invalid slot";
    Ebfont = 59 "Bad font file format";
    Enostr = 60 "Device not a stream";
    Enodata = 61 "No data available";
    Etime = 62 "Timer expired";
    Enosr = 63 "Out of streams resources";
    Enonet = 64 "Machine is not on the network";
    Enopkg = 65 "Package not installed";
    Eremote = 66 "Object is remote";
    Enolink = 67 "Link has been severed";
    Eadv = 68 "Advertise error";
    Esrmnt = 69 "Srmount error";
    Ecomm = 70 "Communication error on send";
    Eproto = 71 "Protocol error";
    Emultihop = 72 "Multihop attempted";
    Edotdot = 73 "RFS specific error";
    Ebadmsg = 74 "Bad message";
    Eoverflow = 75 "Value too large for defined data type";
    Enotuniq = 76 "Name not unique on network";
    Ebadfd = 77 "File descriptor in bad state";
    Eremchg = 78 "Remote address changed";
    Elibacc = 79 "Can not access a needed shared library";
    Elibbad = 80 "Accessing a corrupted shared library";
    Elibscn = 81 ".lib section in a.out corrupted";
    Elibmax = 82 "Attempting to link in too many shared libraries";
    Elibexec = 83 "Cannot exec a shared library directly";
    Eilseq = 84 "Invalid or incomplete multibyte or wide character";
    Erestart = 85 "Interrupted system call should be restarted";
    Estrpipe = 86 "Streams pipe error";
    Eusers = 87 "Too many users";
    Enotsock = 88 "Socket operation on non-socket";
    Edestaddrreq = 89 "Destination address required";
    Emsgsize = 90 "Message too long";
    Eprototype = 91 "Protocol wrong type for socket";
    Enoprotoopt = 92 "Protocol not available";
    Eprotonosupport = 93 "Protocol not supported";
    Esocktnosupport = 94 "Socket type not supported";
    Eopnotsupp = 95 "Operation not supported";
    Epfnosupport = 96 "Protocol family not supported";
    Eafnosupport = 97 "Address family not supported by protocol";
    Eaddrinuse = 98 "Address already in use";
    Eaddrnotavail = 99 "Cannot assign requested address";
    Enetdown = 100 "Network is down";
    Enetunreach = 101 "Network is unreachable";
    Enetreset = 102 "Network dropped connection on reset";
    Econnaborted = 103 "Software caused connection abort";
    Econnreset = 104 "Connection reset by peer";
    Enobufs = 105 "No buffer space available";
    Eisconn = 106 "Transport endpoint is already connected";
    Enotconn = 107 "Transport endpoint is not connected";
    Eshutdown = 108 "Cannot send after transport endpoint shutdown";
    Etoomanyrefs = 109 "Too many references: cannot splice";
    Etimedout = 110 "Connection timed out";
    Econnrefused = 111 "Connection refused";
    Ehostdown = 112 "Host is down";
    Ehostunreach = 113 "No route to host";
    Ealready = 114 "Operation already in progress";
    Einprogress = 115 "Operation now in progress";
    Estale = 116 "Stale file handle";
    Euclean = 117 "Structure needs cleaning";
    Enotnam = 118 "Not a XENIX named type file";
    Enavail = 119 "No XENIX semaphores available";
    Eisnam = 120 "Is a named type file";
    Eremoteio = 121 "Remote I/O error";
    Edquot = 122 "Disk quota exceeded";
    Enomedium = 123 "No medium found";
    Emediumtype = 124 "Wrong medium type";
    Ecanceled = 125 "Operation canceled";
    Enokey = 126 "Required key not available";
    Ekeyexpired = 127 "Key has expired";
    Ekeyrevoked = 128 "Key has been revoked";
    Ekeyrejected = 129 "Key was rejected by service";
    Eownerdead = 130 "Owner died";
    Enotrecoverable = 131 "State not recoverable";
    Erfkill = 132 "Operation not possible due to RF-kill";
}

impl Errno {
    /// The number, as `$?`-like diagnostics and `strace` show it.
    #[must_use]
    pub const fn number(self) -> i32 {
        self as i32
    }
}

impl fmt::Display for Errno {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.message())
    }
}

impl std::error::Error for Errno {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_and_numbers_are_those_of_glibc() {
        assert_eq!(Errno::Enoent.number(), 2);
        assert_eq!(Errno::Enoent.to_string(), "No such file or directory");
        assert_eq!(Errno::Eloop.number(), 40);
        assert_eq!(Errno::Eloop.message(), "Too many levels of symbolic links");
        assert_eq!(Errno::Edquot.message(), "Disk quota exceeded");
    }

    #[test]
    fn numbers_ascend_without_repeats() {
        assert!(Errno::ALL.is_sorted_by(|a, b| a.number() < b.number()));
    }
}
