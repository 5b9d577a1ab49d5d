//! A whole listing, line by line, in whichever form the server writes.

use super::mainframe::{self, MvsColumns};
use super::{Entry, Line, mlsx, parse_line, vms};
use crate::time::Timestamp;

/// Reads a whole listing line by line, in whichever form the server writes.
///
/// Some forms need to know the lines before: VMS breaks long ones, MVS names its columns first.
#[derive(Clone, Debug)]
pub struct Reader {
    now: Timestamp,
    form: Form,
    unknown: usize,
}

#[derive(Clone, Debug)]
enum Form {
    /// What LIST gives, each line for itself.
    Lines,
    /// A name of VMS that waits for its columns.
    VmsName(Vec<u8>),
    /// After the line that names the columns.
    Mvs(MvsColumns),
    /// What MLSD gives.
    Mlsx,
}

impl Reader {
    /// A reader of what LIST gives; `now` gives the year to dates that come without one.
    #[must_use]
    pub const fn new(now: Timestamp) -> Self {
        Self {
            now,
            form: Form::Lines,
            unknown: 0,
        }
    }

    /// A reader of what MLSD gives.
    #[must_use]
    pub fn mlsx() -> Self {
        Self {
            now: Timestamp::from_unix(0),
            form: Form::Mlsx,
            unknown: 0,
        }
    }

    /// Takes one line without its end; gives an entry if one is complete.
    pub fn push_line(&mut self, line: &[u8]) -> Option<Entry> {
        let line = line.strip_suffix(b"\r").unwrap_or(line);
        let found = match std::mem::replace(&mut self.form, Form::Lines) {
            Form::Mlsx => {
                self.form = Form::Mlsx;
                mlsx::parse(line).map_or(Line::Unknown, Line::Entry)
            }
            Form::Mvs(columns) => {
                self.form = Form::Mvs(columns);
                mainframe::mvs(line, columns)
                    .map_or_else(|| parse_line(line, self.now), Line::Entry)
            }
            Form::VmsName(name) if line.starts_with(b" ") => {
                let joined = [&name[..], line].concat();
                vms::parse(&joined).map_or(Line::Unknown, Line::Entry)
            }
            Form::VmsName(_without_columns) => {
                self.unknown += 1;
                self.line(line)
            }
            Form::Lines => self.line(line),
        };
        match found {
            Line::Entry(entry) => Some(entry),
            Line::Filler => None,
            Line::Unknown => {
                self.unknown += 1;
                None
            }
        }
    }

    /// The end of the listing: what was waiting for another line is not understood.
    pub fn finish(&mut self) {
        if let Form::VmsName(_) = std::mem::replace(&mut self.form, Form::Lines) {
            self.unknown += 1;
        }
    }

    /// Lines that were none of the forms.
    #[must_use]
    pub const fn unknown(&self) -> usize {
        self.unknown
    }

    fn line(&mut self, line: &[u8]) -> Line {
        if let Some(columns) = mainframe::mvs_header(line) {
            self.form = Form::Mvs(columns);
            return Line::Filler;
        }
        if vms::is_name_alone(line) {
            self.form = Form::VmsName(line.trim_ascii_end().to_vec());
            return Line::Filler;
        }
        parse_line(line, self.now)
    }
}

#[cfg(test)]
mod tests {
    use super::super::Kind;
    use super::*;

    /// 2024-03-10 12:00:00 UTC.
    const NOW: i64 = 1_710_072_000;

    /// Name, kind, size and time of every entry, and the number of lines not understood.
    fn read(text: &str) -> (Vec<String>, usize) {
        let mut reader = Reader::new(Timestamp::from_unix(NOW));
        let found = text
            .lines()
            .filter_map(|line| reader.push_line(line.as_bytes()))
            .map(|entry| {
                let kind = match entry.kind {
                    Kind::File => "file",
                    Kind::Directory => "dir",
                    Kind::Link { .. } => "link",
                    Kind::Other | Kind::Current | Kind::Parent => "other",
                };
                let size = entry.size.map_or("?".into(), |size| size.to_string());
                let time = entry.modified.map_or("?".into(), |time| time.to_string());
                let name = String::from_utf8(entry.name).unwrap();
                let owner = String::from_utf8(entry.owner.unwrap_or_default()).unwrap();
                format!("{kind} {name} {size} {time} {owner}")
                    .trim()
                    .to_owned()
            })
            .collect();
        reader.finish();
        (found, reader.unknown())
    }

    #[test]
    fn vms_with_and_without_blocks_allocated_and_with_broken_lines() {
        let text = "Directory DISK$PCSA:[ANONYMOUS]

ARCHIVES.DIR;1  2/15  14-NOV-2022 12:34:56.78  [GROUP,OWNER]  (RWED,RWED,RE,RE)
README.TXT;4             1   5-JUN-1997 10:11  [ANONYMOUS]       (RWE,RWED,RE,RE)
A_VERY_LONG_NAME_THAT_DOES_NOT_FIT.TXT;12
                      8/12  12-MAR-2005 08:44:57  [SUMNER] (RWED,RWED,RE,)
NO_COLUMNS.TXT;1

Total of 3 files, 11/27 blocks.";
        let (found, unknown) = read(text);
        assert_eq!(
            found,
            [
                "dir ARCHIVES ? 20221114123456 OWNER",
                "file README.TXT;4 ? 19970605101100 ANONYMOUS",
                "file A_VERY_LONG_NAME_THAT_DOES_NOT_FIT.TXT;12 ? 20050312084457 SUMNER",
            ]
        );
        assert_eq!(unknown, 1, "the name without columns");
    }

    #[test]
    fn mvs_data_sets_and_members() {
        let text = "Volume Unit    Referred Ext Used Recfm Lrecl BlkSz Dsorg Dsname
B10142 3390   2006/03/20  2   31  F       80    80  PS   MDI.OKL.WORK
B10142 3390   2006/03/20  2   31  F       80    80  PO   MDI.PDS
Migrated                                                OLD.SET
Pseudo Directory                                        SUB
garbage";
        let (found, unknown) = read(text);
        assert_eq!(
            found,
            [
                "file MDI.OKL.WORK ? 20060320000000",
                "dir MDI.PDS ? 20060320000000",
                "file OLD.SET ? ?",
                "dir SUB ? ?",
            ]
        );
        assert_eq!(unknown, 1);
        let text = " Name     VV.MM   Created       Changed      Size  Init   Mod   Id
TBSHELF   01.03 2002/09/12 2002/10/11 09:37    11    11     0 KIL001
BARE";
        assert_eq!(
            read(text).0,
            ["file TBSHELF ? 20021011093700", "file BARE ? ?"]
        );
    }

    #[test]
    fn os400_netware_and_eplf() {
        let text = "QSYS            77824 02/23/00 15:09:55 *DIR       QOpenSys/
PGMR             3000 10/05/22 01:02:03 *STMF      read me.txt
PGMR             3000 10/05/22 01:02:03 *FILE      SRC.FILE/
PGMR                                    *MEM       SRC.FILE/A.MBR
d [R----F--] supervisor            512       Jan 16 18:53    login
- [R----F--] rhesus             214059       Oct 20 15:27 cx.exe
+i8388621.48594,m825718503,r,s280,\tdjb.html
+i8388621.50690,m824255907,/,\t514";
        let (found, unknown) = read(text);
        assert_eq!(
            found,
            [
                "dir QOpenSys ? 20000223150955 QSYS",
                "file read me.txt 3000 20221005010203 PGMR",
                "dir SRC.FILE ? 20221005010203 PGMR",
                "file SRC.FILE/A.MBR ? ? PGMR",
                "dir login ? 20240116185300 supervisor",
                "file cx.exe 214059 20231020152700 rhesus",
                "file djb.html 280 19960301221503",
                "dir 514 ? 19960213235827",
            ]
        );
        assert_eq!(unknown, 0);
    }

    #[test]
    fn os2_and_netpresenz() {
        let text = "                 0           DIR   12-30-97   12:32  jbrekke
     0           DIR   11-25-97   09:42  junk
 73098      A          04-06-97   15:15  ds0.internic.net1996052434624.txt
  1024     AR          08-05-97  01:27PM read me.doc
-------r--         326  1391972  1392298 Nov 22  1995 MegaPhone.sit
drwxrwxr-x               folder        2 May 10  1996 network";
        let (found, unknown) = read(text);
        assert_eq!(
            found,
            [
                "dir jbrekke ? 19971230123200",
                "dir junk ? 19971125094200",
                "file ds0.internic.net1996052434624.txt 73098 19970406151500",
                "file read me.doc 1024 19970805132700",
                "file MegaPhone.sit 1392298 19951122000000 1391972",
                "dir network 2 19960510000000",
            ]
        );
        assert_eq!(unknown, 0);
    }

    #[test]
    fn the_variety_of_unix_is_read() {
        let text = "total 12
drwxr-xr-x.  2 root root        4096 Jan  5  2023 selinux
-rw-r--r--@  1 me   staff         10 Jan  5  2023 macos
-rw-r--r--+  1 1000 1000          10 Jan  5 09:07 acl
-rw-r--r--   1 me   Domain Users  10 Jan  5  2023 two words
-rw-r--r--   1 ftp                10 Jan  5  2023 no group
-rw-rw-rw-   1 me   staff         10 2023-01-05 09:07 iso
-rw-rw-rw-   1 me   staff         10 2023-01-05 09:07:08.000000000 +0100 full
crw-rw-rw-   1 root root      1,   3 Jan  5  2023 null
crw-rw-rw-   1 root root         1,3 Jan  5  2023 zero
lrwxrwxrwx   1 me   staff          1 Jan  5  2023 a -> b
lrwxrwxrwx   1 me   staff          1 Jan  5  2023 bare
prw-r--r--   1 me   staff          0 Jan  5  2023 pipe
srwxr-xr-x   1 me   staff          0 Jan  5  2023 socket
-rw-r--r--   1 me   staff 18446744073709551615 Jan  5  2023 huge
-rw-r--r--   1 me   staff         10 Dec 31 23:59 last year
drwxr-xr-x   2 me   staff       4096 Jan  5  2023 .hidden";
        let (found, unknown) = read(text);
        let names: Vec<&str> = found.iter().map(String::as_str).collect();
        assert_eq!(unknown, 0, "{names:#?}");
        let joined = names.join("\n");
        for expected in [
            "dir selinux 4096 20230105000000",
            "file macos 10 20230105000000",
            "file acl 10 20240105090700",
            "file two words 10 20230105000000",
            "file no group 10 20230105000000",
            "file iso 10 20230105090700",
            "file full 10 20230105080708",
            "file huge 18446744073709551615 20230105000000",
            "file last year 10 20231231235900",
            "dir .hidden 4096 20230105000000",
        ] {
            assert!(joined.contains(expected), "{expected} of {joined}");
        }
        assert_eq!(names.len(), 16, "{joined}");
    }

    #[test]
    fn months_of_other_languages_and_days_before_them() {
        for (date, expected) in [
            ("31 Dez 2020", "20201231000000"),
            ("M\u{e4}r  1 2020", "20200301000000"),
            ("1 ao\u{fb} 2020", "20200801000000"),
            ("Ene 5 12:30", "20240105123000"),
        ] {
            let (found, _) = read(&format!("-rw-r--r-- 1 a b 3 {date} x"));
            assert_eq!(found, [format!("file x 3 {expected} a")], "{date}");
        }
    }

    #[test]
    fn lines_of_one_form_do_not_disturb_another() {
        let text = "total 3\ndrwxr-xr-x 2 a b 3 Jan 1 2020 x\n12-20-22 02:45PM <DIR> y\nhello";
        let (found, unknown) = read(text);
        assert_eq!(found.len(), 2);
        assert_eq!(unknown, 1);
    }
}
