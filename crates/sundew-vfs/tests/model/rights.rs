//! Who may do what: three users, a sticky directory, one that hands its group down and one of a user's own,
//! files with flags and several names, and a link that leads to itself, against the rules written down once
//! more as plainly as can be.

use std::collections::BTreeMap;

use proptest::prelude::*;
use sundew_vfs::{
    Context, Credentials, Errno, FileFlags, FileType, ImageBuilder, Limits, NoSynthetic,
    OpenOptions, Timestamp, Vfs,
};

/// Directory and name.
type Place = (usize, usize);

const DIRECTORIES: [&str; 3] = ["sticky", "group", "own"];
const NAMES: [&str; 2] = ["a", "b"];
/// The group that users 0 and 1 have and that `group` hands down.
const STAFF: u32 = 50;

#[derive(Clone, Debug)]
enum Act {
    Create(Place, u16),
    Read(Place),
    Append(Place),
    Cut(Place),
    Unlink(Place),
    Rename(Place, Place),
    Link(Place, Place),
    Chmod(Place, u16),
    Flag(Place, u32),
    Mkdir(usize),
    Loop(usize),
}

fn act() -> impl Strategy<Value = Act> {
    let place = || (0..DIRECTORIES.len(), 0..NAMES.len());
    let mode = || prop::sample::select(vec![0o644u16, 0o600, 0o664, 0o666, 0o444, 0o000]);
    let flag = prop::sample::select(vec![0, 0, FileFlags::IMMUTABLE.0, FileFlags::APPEND.0]);
    prop_oneof![
        6 => (place(), mode()).prop_map(|(place, mode)| Act::Create(place, mode)),
        2 => place().prop_map(Act::Read),
        2 => place().prop_map(Act::Append),
        2 => place().prop_map(Act::Cut),
        3 => place().prop_map(Act::Unlink),
        4 => (place(), place()).prop_map(|(old, new)| Act::Rename(old, new)),
        3 => (place(), place()).prop_map(|(old, new)| Act::Link(old, new)),
        2 => (place(), mode()).prop_map(|(place, mode)| Act::Chmod(place, mode)),
        2 => (place(), flag).prop_map(|(place, flag)| Act::Flag(place, flag)),
        1 => (0..DIRECTORIES.len()).prop_map(Act::Mkdir),
        1 => (0..DIRECTORIES.len()).prop_map(Act::Loop),
    ]
}

#[derive(Clone, Debug)]
struct File {
    uid: u32,
    gid: u32,
    mode: u16,
    flags: u32,
    len: u64,
}

#[derive(Default)]
struct Model {
    files: Vec<File>,
    names: BTreeMap<Place, usize>,
}

/// Owner, group and mode of a directory.
fn directory(which: usize) -> (u32, u32, u16) {
    [(0, 0, 0o1777), (0, STAFF, 0o2775), (1, 1, 0o755)][which]
}

fn in_group(user: u32, gid: u32) -> bool {
    gid == user || (gid == STAFF && user < 2)
}

fn permits(user: u32, (uid, gid, mode): (u32, u32, u16), bit: u16) -> bool {
    let class = match user {
        0 => return true,
        user if user == uid => 6,
        user if in_group(user, gid) => 3,
        _ => 0,
    };
    mode >> class & bit != 0
}

impl Model {
    fn file(&self, place: Place) -> Option<&File> {
        self.names.get(&place).map(|file| &self.files[*file])
    }

    fn may(&self, user: u32, place: Place, bit: u16) -> bool {
        self.file(place)
            .is_some_and(|file| permits(user, (file.uid, file.gid, file.mode), bit))
    }

    fn owns(&self, user: u32, place: Place) -> bool {
        self.file(place)
            .is_some_and(|file| user == 0 || file.uid == user)
    }

    fn pinned(&self, place: Place) -> bool {
        self.file(place).is_some_and(|file| file.flags != 0)
    }

    fn may_enter(user: u32, (dir, _): Place) -> bool {
        permits(user, directory(dir), 2)
    }

    fn may_remove(&self, user: u32, place: Place) -> bool {
        let (uid, _, mode) = directory(place.0);
        let sticky = mode & 0o1000 != 0 && uid != user && !self.owns(user, place);
        Self::may_enter(user, place) && !sticky && !self.pinned(place)
    }

    /// `fs.protected_regular`: what somebody else left in a sticky directory is not opened with `O_CREAT`; none
    /// of the calls here does that but to make a file anew.
    fn act(&mut self, user: u32, act: &Act) -> bool {
        match *act {
            Act::Create(place, mode) => {
                if self.names.contains_key(&place) || !Self::may_enter(user, place) {
                    return false;
                }
                let (_, gid, of_directory) = directory(place.0);
                let inherits = of_directory & 0o2000 != 0;
                self.files.push(File {
                    uid: user,
                    gid: if inherits { gid } else { user },
                    mode,
                    flags: 0,
                    len: 0,
                });
                self.names.insert(place, self.files.len() - 1);
                true
            }
            Act::Read(place) => self.may(user, place, 4),
            Act::Append(place) => {
                let fixed = |file: &File| file.flags & FileFlags::IMMUTABLE.0 != 0;
                let fine = self.may(user, place, 2) && !self.file(place).is_some_and(fixed);
                if fine && let Some(file) = self.names.get(&place) {
                    self.files[*file].len += 3;
                }
                fine
            }
            Act::Cut(place) => {
                let fine = self.may(user, place, 2) && !self.pinned(place);
                if fine && let Some(file) = self.names.get(&place) {
                    self.files[*file].len = 0;
                }
                fine
            }
            Act::Unlink(place) => {
                self.may_remove(user, place) && self.names.remove(&place).is_some()
            }
            Act::Rename(old, new) => self.rename(user, old, new),
            Act::Link(old, new) => {
                let safe = self.owns(user, old) || self.may(user, old, 4) && self.may(user, old, 2);
                let fine = self.names.contains_key(&old)
                    && !self.names.contains_key(&new)
                    && safe
                    && !self.pinned(old)
                    && Self::may_enter(user, new);
                if fine {
                    self.names.insert(new, self.names[&old]);
                }
                fine
            }
            Act::Chmod(place, mode) => {
                let fine = self.owns(user, place) && !self.pinned(place);
                if fine {
                    self.files[self.names[&place]].mode = mode;
                }
                fine
            }
            Act::Flag(place, flags) => {
                let Some(file) = self.names.get(&place) else {
                    return false;
                };
                let file = &mut self.files[*file];
                let fine = user == 0 || user == file.uid && file.flags == flags;
                if fine {
                    file.flags = flags;
                }
                fine
            }
            Act::Mkdir(dir) | Act::Loop(dir) => permits(user, directory(dir), 2),
        }
    }

    fn rename(&mut self, user: u32, old: Place, new: Place) -> bool {
        let Some(file) = self.names.get(&old).copied() else {
            return false;
        };
        if self.names.get(&new) == Some(&file) {
            return true;
        }
        let room = if self.names.contains_key(&new) {
            self.may_remove(user, new)
        } else {
            Self::may_enter(user, new)
        };
        let fine = room && self.may_remove(user, old);
        if fine {
            self.names.remove(&old);
            self.names.insert(new, file);
        }
        fine
    }
}

fn credentials(user: u32) -> Credentials {
    Credentials {
        uid: user,
        gid: user,
        groups: if user < 2 { vec![STAFF] } else { Vec::new() },
    }
}

fn path((dir, name): Place) -> Vec<u8> {
    format!("/{}/{}", DIRECTORIES[dir], NAMES[name]).into_bytes()
}

fn real(vfs: &mut Vfs, user: u32, act: &Act) -> Result<(), Errno> {
    let creds = credentials(user);
    let cx = Context {
        creds: &creds,
        synthetic: &NoSynthetic,
        cwd: vfs.root(),
        now: Timestamp::default(),
    };
    let open = |vfs: &mut Vfs, place, options| vfs.open(&cx, &path(place), options);
    let writing = OpenOptions {
        write: true,
        ..OpenOptions::default()
    };
    match *act {
        Act::Create(place, mode) => {
            let options = OpenOptions {
                create: true,
                exclusive: true,
                mode,
                ..writing
            };
            open(vfs, place, options).map(drop)
        }
        Act::Read(place) => {
            let options = OpenOptions {
                read: true,
                ..OpenOptions::default()
            };
            open(vfs, place, options).map(drop)
        }
        Act::Append(place) => {
            let options = OpenOptions {
                append: true,
                ..writing
            };
            let found = open(vfs, place, options)?;
            let end = found.metadata.size;
            vfs.write_at(found.ino, end, b"abc", cx.now).map(drop)
        }
        Act::Cut(place) => {
            let options = OpenOptions {
                truncate: true,
                ..writing
            };
            open(vfs, place, options).map(drop)
        }
        Act::Unlink(place) => vfs.unlink(&cx, &path(place)),
        Act::Rename(old, new) => vfs.rename(&cx, &path(old), &path(new)),
        Act::Link(old, new) => vfs.link(&cx, &path(old), &path(new), false),
        Act::Chmod(place, mode) => {
            let ino = vfs.resolve(&cx, &path(place), false)?;
            vfs.chmod(&cx, ino, mode)
        }
        Act::Flag(place, flags) => {
            let ino = vfs.resolve(&cx, &path(place), false)?;
            vfs.set_flags(&cx, ino, FileFlags(flags))
        }
        Act::Mkdir(dir) => {
            let path = format!("/{}/new", DIRECTORIES[dir]).into_bytes();
            let ino = vfs.mkdir(&cx, &path, 0o755)?;
            let made = vfs.metadata(&cx, ino)?;
            let (_, gid, mode) = directory(dir);
            let inherits = mode & 0o2000 != 0;
            assert_eq!(made.gid, if inherits { gid } else { user });
            assert_eq!(made.mode & 0o2000 != 0, inherits);
            vfs.rmdir(&cx, &path)
        }
        Act::Loop(dir) => link_to_itself(vfs, &cx, dir),
    }
}

/// Makes a link that leads to itself and takes it away again.
fn link_to_itself(vfs: &mut Vfs, cx: &Context<'_>, dir: usize) -> Result<(), Errno> {
    let path = format!("/{}/loop", DIRECTORIES[dir]).into_bytes();
    vfs.symlink(cx, b"loop", &path)?;
    assert_eq!(vfs.stat(cx, &path), Err(Errno::Eloop));
    assert_eq!(
        vfs.stat(cx, &[&path[..], b"/x"].concat()),
        Err(Errno::Eloop)
    );
    assert_eq!(
        vfs.lstat(cx, &path).map(|meta| meta.file_type),
        Ok(FileType::Symlink)
    );
    vfs.unlink(cx, &path)
}

fn machine() -> Vfs {
    let mut vfs = Vfs::new(ImageBuilder::new().finish(), Limits::default());
    let root = Credentials::root();
    let cx = Context {
        creds: &root,
        synthetic: &NoSynthetic,
        cwd: vfs.root(),
        now: Timestamp::default(),
    };
    for (which, name) in DIRECTORIES.iter().enumerate() {
        let (uid, gid, mode) = directory(which);
        let ino = vfs
            .mkdir(&cx, format!("/{name}").as_bytes(), 0o755)
            .unwrap();
        vfs.chown(&cx, ino, Some(uid), Some(gid)).unwrap();
        vfs.chmod(&cx, ino, mode).unwrap();
    }
    vfs
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(300))]
    #[test]
    fn users_may_what_the_rules_allow_and_nothing_else(
        acts in proptest::collection::vec((0u32..3, act()), 1..60),
    ) {
        let (mut model, mut vfs) = (Model::default(), machine());
        for (user, act) in &acts {
            let result = real(&mut vfs, *user, act);
            prop_assert_eq!(result.is_ok(), model.act(*user, act), "{} {:?}: {:?}", user, act, result);
        }
        let root = Credentials::root();
        let cx = Context {
            creds: &root,
            synthetic: &NoSynthetic,
            cwd: vfs.root(),
            now: Timestamp::default(),
        };
        for dir in 0..DIRECTORIES.len() {
            for name in 0..NAMES.len() {
                let found = vfs.lstat(&cx, &path((dir, name))).ok();
                let found = found.map(|meta| (meta.uid, meta.gid, meta.mode, meta.flags.0, meta.size));
                let expected = model.file((dir, name));
                let expected = expected.map(|file| (file.uid, file.gid, file.mode, file.flags, file.len));
                prop_assert_eq!(found, expected, "{:?}", path((dir, name)));
            }
        }
    }
}
