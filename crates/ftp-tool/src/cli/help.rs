//! What stands below the options in `--help`: examples, each run by a test.

pub(super) const OVERVIEW: &str = "\
Examples:
  sundew ftp ls ftp://ftp.example.org/pub/
  sundew ftp get ftp://ftp.example.org/pub/image.iso
  sundew ftp put report.pdf ftpes://anna@ftp.example.org/incoming/
  sundew ftp mirror --delete ftp://ftp.example.org/pub/ ./pub

URLs: ftp:// is in the clear, ftpes:// asks for TLS on port 21, ftps:// is TLS from the first
byte on port 990. The path is relative to the login directory; ftp://host//etc is absolute.
;type=a at the end converts line ends.

Login: the URL, then ~/.netrc, then SUNDEW_FTP_USER and SUNDEW_FTP_PASSWORD, then a prompt;
with none of them, anonymous.

Exit status:
  0    everything was done
  1    some of several files failed
  2    the command line, a URL or the netrc file is wrong
  3    no connection
  4    TLS failed, or the certificate is not trusted
  5    the login was refused
  6    the server refused a command or a listing
  7    a transfer was refused or broke off; what came is kept
  8    a file of this computer cannot be read or written
  9    what arrived is not what the server has
  130  Ctrl-C";

pub(super) const GET: &str = "\
Examples:
  sundew ftp get ftp://ftp.example.org/pub/image.iso
  sundew ftp get -o - ftp://ftp.example.org/README | less
  sundew ftp get -j 4 ftp://ftp.example.org/pub/image.iso      one file in four segments
  sundew ftp get -j 4 -o isos/ ftp://ftp.example.org/pub/a.iso ftp://ftp.example.org/pub/b.iso
  sundew ftp get --limit-rate 500k ftp://ftp.example.org/pub/image.iso

What has come stands in .NAME.part until it is whole; the same command goes on from there.";

pub(super) const PUT: &str = "\
Examples:
  sundew ftp put report.pdf ftpes://anna@ftp.example.org/incoming/
  sundew ftp put report.pdf ftpes://anna@ftp.example.org/incoming/other-name.pdf
  tar c dir | sundew ftp put - ftp://anna@ftp.example.org/dir.tar
  sundew ftp put -p -j 4 *.jpg ftp://anna@ftp.example.org/new/photos/";

pub(super) const LS: &str = "\
Examples:
  sundew ftp ls ftp://ftp.example.org/pub/
  sundew ftp ls -l ftp://ftp.example.org/pub/
  sundew ftp ls --json ftp://ftp.example.org/pub/";

pub(super) const TREE: &str = "\
Examples:
  sundew ftp tree ftp://ftp.example.org/pub/
  sundew ftp tree -L 2 ftp://ftp.example.org/";

pub(super) const CAT: &str = "\
Examples:
  sundew ftp cat ftp://ftp.example.org/README
  sundew ftp cat 'ftp://ftp.example.org/README;type=a'";

pub(super) const MIRROR: &str = "\
Examples:
  sundew ftp mirror ftp://ftp.example.org/pub/ ./pub
  sundew ftp mirror --delete ./site ftpes://anna@ftp.example.org/htdocs/
  sundew ftp mirror -n --delete ./site ftpes://anna@ftp.example.org/htdocs/   only say what would be done
  sundew ftp mirror -i '*.iso' -x 'old/' ftp://ftp.example.org/pub/ ./pub

A glob without a slash is compared with the name, one with a slash with the path from the top;
** crosses slashes, a slash at the end means directories. What is excluded is not deleted either.";

pub(super) const COPY: &str = "\
Examples:
  sundew ftp copy ftp://old.example.org/pub/image.iso ftpes://anna@new.example.org/pub/
  sundew ftp copy --by direct ftp://anna@a.example.org/big.tar ftp://anna@b.example.org/big.tar

Most servers refuse to send to third parties; the bytes then go through this computer.";

pub(super) const RM: &str = "\
Examples:
  sundew ftp rm ftp://anna@ftp.example.org/old.txt
  sundew ftp rm -r ftp://anna@ftp.example.org/old/";

pub(super) const MV: &str = "\
Examples:
  sundew ftp mv ftp://anna@ftp.example.org/incoming/a.txt b.txt
  sundew ftp mv ftp://anna@ftp.example.org/incoming/a.txt /done/a.txt";

pub(super) const MKDIR: &str = "\
Examples:
  sundew ftp mkdir ftp://anna@ftp.example.org/new/
  sundew ftp mkdir -p ftp://anna@ftp.example.org/a/b/c/";

pub(super) const SHELL: &str = "\
Examples:
  sundew ftp shell ftp://ftp.example.org/pub/
  echo 'ls -l' | sundew ftp shell ftp://ftp.example.org/pub/

Commands: ls, tree, cd, lcd, pwd, lpwd, get, put, cat, mirror, rm, mv, mkdir, quote, help, exit.
Tab completes commands and names. What is typed is kept in ~/.local/state/sundew/ftp-history, lines with
passwords left out.";
