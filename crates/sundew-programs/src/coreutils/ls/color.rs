//! Colours of file names: `LS_COLORS`, and the default database of dircolors(1).

use sundew_vfs::FileType;

use super::entry::Entry;

/// dircolors' built-in database as `LS_COLORS` carries it.
pub(in crate::coreutils) const DATABASE: &str = "rs=0:di=01;34:ln=01;36:mh=00:pi=40;33:so=01;35:do=01;35:bd=40;33;01:cd=40;33;01:or=40;31;01:mi=00:su=37;41:sg=30;43:ca=00:tw=30;42:ow=34;42:st=37;44:ex=01;32:*.tar=01;31:*.tgz=01;31:*.arc=01;31:*.arj=01;31:*.taz=01;31:*.lha=01;31:*.lz4=01;31:*.lzh=01;31:*.lzma=01;31:*.tlz=01;31:*.txz=01;31:*.tzo=01;31:*.t7z=01;31:*.zip=01;31:*.z=01;31:*.dz=01;31:*.gz=01;31:*.lrz=01;31:*.lz=01;31:*.lzo=01;31:*.xz=01;31:*.zst=01;31:*.tzst=01;31:*.bz2=01;31:*.bz=01;31:*.tbz=01;31:*.tbz2=01;31:*.tz=01;31:*.deb=01;31:*.rpm=01;31:*.jar=01;31:*.war=01;31:*.ear=01;31:*.sar=01;31:*.rar=01;31:*.alz=01;31:*.ace=01;31:*.zoo=01;31:*.cpio=01;31:*.7z=01;31:*.rz=01;31:*.cab=01;31:*.wim=01;31:*.swm=01;31:*.dwm=01;31:*.esd=01;31:*.avif=01;35:*.jpg=01;35:*.jpeg=01;35:*.mjpg=01;35:*.mjpeg=01;35:*.gif=01;35:*.bmp=01;35:*.pbm=01;35:*.pgm=01;35:*.ppm=01;35:*.tga=01;35:*.xbm=01;35:*.xpm=01;35:*.tif=01;35:*.tiff=01;35:*.png=01;35:*.svg=01;35:*.svgz=01;35:*.mng=01;35:*.pcx=01;35:*.mov=01;35:*.mpg=01;35:*.mpeg=01;35:*.m2v=01;35:*.mkv=01;35:*.webm=01;35:*.webp=01;35:*.ogm=01;35:*.mp4=01;35:*.m4v=01;35:*.mp4v=01;35:*.vob=01;35:*.qt=01;35:*.nuv=01;35:*.wmv=01;35:*.asf=01;35:*.rm=01;35:*.rmvb=01;35:*.flc=01;35:*.avi=01;35:*.fli=01;35:*.flv=01;35:*.gl=01;35:*.dl=01;35:*.xcf=01;35:*.xwd=01;35:*.yuv=01;35:*.cgm=01;35:*.emf=01;35:*.ogv=01;35:*.ogx=01;35:*.aac=00;36:*.au=00;36:*.flac=00;36:*.m4a=00;36:*.mid=00;36:*.midi=00;36:*.mka=00;36:*.mp3=00;36:*.mpc=00;36:*.ogg=00;36:*.ra=00;36:*.wav=00;36:*.oga=00;36:*.opus=00;36:*.spx=00;36:*.xspf=00;36:*~=00;90:*#=00;90:*.bak=00;90:*.old=00;90:*.orig=00;90:*.part=00;90:*.rej=00;90:*.swp=00;90:*.tmp=00;90:*.dpkg-dist=00;90:*.dpkg-old=00;90:*.ucf-dist=00;90:*.ucf-new=00;90:*.ucf-old=00;90:*.rpmnew=00;90:*.rpmorig=00;90:*.rpmsave=00;90:";

/// Which colour for what.
#[derive(Debug, Clone)]
pub(super) struct Colors {
    kinds: Vec<(Vec<u8>, Vec<u8>)>,
    suffixes: Vec<(Vec<u8>, Vec<u8>)>,
}

/// What `ls` itself assumes without `LS_COLORS`.
const BUILT_IN: &[(&str, &str)] = &[
    ("di", "01;34"),
    ("ln", "01;36"),
    ("pi", "33"),
    ("so", "01;35"),
    ("bd", "01;33"),
    ("cd", "01;33"),
    ("ex", "01;32"),
    ("su", "37;41"),
    ("sg", "30;43"),
    ("st", "37;44"),
    ("ow", "34;42"),
    ("tw", "30;42"),
    ("do", "01;35"),
];

/// What is wrong with the value of `LS_COLORS`: a kind that is none, or nothing that has a name.
pub(super) fn wrong(value: &[u8]) -> Option<Vec<u8>> {
    const KINDS: &[u8] = b"lcrcecrsnofidilnpisobdcdmiorexdosusgstowtwcamhcl";
    for part in value.split(|&byte| byte == b':') {
        match part {
            [] | [b'*', ..] => {}
            [one, two, b'=', ..] => {
                let kind = [*one, *two];
                if !KINDS.chunks(2).any(|known| known == kind) {
                    return Some(kind.to_vec());
                }
            }
            _ => return Some(Vec::new()),
        }
    }
    None
}

impl Colors {
    /// From `LS_COLORS`, if it is set.
    pub(super) fn new(variable: Option<&[u8]>) -> Self {
        let mut colors = Self {
            kinds: Vec::new(),
            suffixes: Vec::new(),
        };
        for (kind, color) in BUILT_IN {
            colors
                .kinds
                .push((kind.as_bytes().to_vec(), color.as_bytes().to_vec()));
        }
        for part in variable.unwrap_or_default().split(|&byte| byte == b':') {
            let Some(at) = part.iter().position(|&byte| byte == b'=') else {
                continue;
            };
            let (key, color) = part.split_at(at);
            let color = color.get(1..).unwrap_or_default().to_vec();
            match key.strip_prefix(b"*") {
                Some(suffix) => colors.suffixes.push((suffix.to_vec(), color)),
                None => {
                    colors.kinds.retain(|known| known.0 != key);
                    colors.kinds.push((key.to_vec(), color));
                }
            }
        }
        colors
    }

    /// A kind's colour, unless it is none (`00`, `0`, nothing).
    fn kind(&self, key: &[u8]) -> Option<&[u8]> {
        let color = self.kinds.iter().find(|known| known.0 == key)?.1.as_slice();
        (!matches!(color, b"" | b"0" | b"00")).then_some(color)
    }

    /// The colour of a name in a listing.
    pub(super) fn of(&self, entry: &Entry) -> Option<&[u8]> {
        let metadata = entry.metadata?;
        if metadata.is_symlink() {
            let broken = entry
                .target
                .as_ref()
                .is_none_or(|(_, found)| found.is_none());
            return match (broken, self.kind(b"or"), self.kind(b"ln")) {
                (true, Some(orphan), _) => Some(orphan),
                (_, _, link) => link,
            };
        }
        self.of_file(
            &entry.name,
            metadata.file_type,
            metadata.mode,
            metadata.nlink,
        )
    }

    /// The colour of what a link leads to.
    pub(super) fn of_target(&self, entry: &Entry) -> Option<&[u8]> {
        let (name, found) = entry.target.as_ref()?;
        match found {
            Some(found) => self.of_file(name, found.file_type, found.mode, found.nlink),
            None => self.kind(b"mi").or_else(|| self.kind(b"or")),
        }
    }

    fn of_file(&self, name: &[u8], file_type: FileType, mode: u16, nlink: u32) -> Option<&[u8]> {
        match file_type {
            FileType::Directory => {
                let special: &[u8] = match (mode & 0o1000 != 0, mode & 0o002 != 0) {
                    (true, true) => b"tw",
                    (false, true) => b"ow",
                    (true, false) => b"st",
                    (false, false) => b"di",
                };
                self.kind(special).or_else(|| self.kind(b"di"))
            }
            FileType::Symlink => self.kind(b"ln"),
            FileType::Fifo => self.kind(b"pi"),
            FileType::Socket => self.kind(b"so"),
            FileType::BlockDevice => self.kind(b"bd"),
            FileType::CharDevice => self.kind(b"cd"),
            FileType::Regular => {
                let by_mode = if mode & 0o4000 != 0 {
                    self.kind(b"su")
                } else if mode & 0o2000 != 0 {
                    self.kind(b"sg")
                } else {
                    None
                };
                by_mode
                    .or_else(|| {
                        if mode & 0o111 != 0 {
                            self.kind(b"ex")
                        } else {
                            None
                        }
                    })
                    .or_else(|| if nlink > 1 { self.kind(b"mh") } else { None })
                    .or_else(|| self.by_suffix(name))
                    .or_else(|| self.kind(b"fi"))
            }
        }
    }

    fn by_suffix(&self, name: &[u8]) -> Option<&[u8]> {
        // The last rule counts; case does not matter if no exact one matches.
        self.suffixes
            .iter()
            .rev()
            .find(|(suffix, _)| {
                name.len() >= suffix.len() && name.to_ascii_lowercase().ends_with(suffix)
            })
            .map(|(_, color)| color.as_slice())
    }
}
