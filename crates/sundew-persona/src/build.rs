//! Everything of one machine in one value.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use sundew_kernel::Pid;
use sundew_kernel::environment::Environment;
use sundew_kernel::facts::Facts;
use sundew_kernel::machine::{Resident, Residents};
use sundew_kernel::socket::{Protocol, SocketInfo};
use sundew_vfs::{
    Content, Context, Credentials, Errno, Grown, Image, ImageError, InodeId, Limits, Making, Mount,
    NoSynthetic, Timestamp, Vfs,
};

use crate::facts::{self, Origin};
use crate::manifest::{self, ManifestError};
use crate::seed::Seed;
use crate::tree::{self, Data, Executable, Runs};
use crate::users::{self, Group, User};
use crate::{camera, made, mounts, processes};

/// Which sort of machine.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Model {
    /// A Debian 12 server on amd64.
    #[default]
    Debian12,
    /// An IP camera: ARM, flash memory, nothing but BusyBox.
    Camera,
}

/// One believable machine: what a kernel needs to be told, and what a front end must know.
#[derive(Debug)]
pub struct Persona {
    /// Which sort of machine it is.
    pub model: Model,
    /// The filesystem, shared by all visitors.
    pub image: Arc<Image>,
    /// Its facts.
    pub facts: Arc<Facts>,
    /// `/etc/passwd` as it is in the image.
    pub users: Vec<User>,
    /// `/etc/group` as it is in the image.
    pub groups: Vec<Group>,
    /// The mount table in order.
    pub mounts: Vec<Mount>,
    /// The processes of the booted machine.
    pub residents: Residents,
    /// What its daemons listen on.
    pub sockets: Vec<SocketInfo>,
    /// The listening daemon that lets users in: the parent of a login.
    pub sshd: Pid,
    /// The last process number given so far.
    pub last_pid: Pid,
    /// Where the machine's randomness starts.
    pub seed: u64,
    executables: Vec<Executable>,
    /// What has grown since the image was made, and when that was looked at.
    grown: Mutex<(i64, Arc<Grown>)>,
    origin: Origin,
}

/// Why a machine cannot be built. All of them are errors of the data.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum PersonaError {
    /// A line of this file does not parse.
    Manifest(&'static str, ManifestError),
    /// The tree promises this file a content that is nowhere.
    MissingContent(Vec<u8>),
    /// A node does not fit.
    Image(ImageError),
}

impl std::fmt::Display for PersonaError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Manifest(file, error) => write!(f, "{file}: {error}"),
            Self::MissingContent(path) => {
                write!(
                    f,
                    "{}: in tree.txt, but without content",
                    String::from_utf8_lossy(path)
                )
            }
            Self::Image(error) => error.fmt(f),
        }
    }
}

impl std::error::Error for PersonaError {}

impl From<ImageError> for PersonaError {
    fn from(error: ImageError) -> Self {
        Self::Image(error)
    }
}

/// The data of the Debian 12 persona, part of the program.
pub const DEBIAN12: Data<'static> = Data {
    tree: include_bytes!("../../../personas/debian12/tree.txt"),
    config: include_bytes!("../../../personas/debian12/config.txt"),
    own: include_bytes!("../../../personas/debian12/own.txt"),
    lists: include_bytes!("../../../personas/debian12/lists.txt"),
    zones: include_bytes!("../../../personas/debian12/zones.txt"),
};

/// The data of the camera.
pub const CAMERA: Data<'static> = Data {
    tree: include_bytes!("../../../personas/camera/tree.txt"),
    config: b"",
    own: include_bytes!("../../../personas/camera/own.txt"),
    lists: b"",
    zones: b"",
};

impl Persona {
    /// A machine of this model without the commands for which `runs` answers no; the same for the
    /// same origin.
    ///
    /// Takes some milliseconds: once for each sensor, not for each visitor.
    ///
    /// # Errors
    ///
    /// None with the data as it is in the repository; a test sees to that.
    pub fn new(model: Model, origin: &Origin, runs: Runs<'_>) -> Result<Self, PersonaError> {
        let data = match model {
            Model::Debian12 => DEBIAN12,
            Model::Camera => CAMERA,
        };
        Self::build(model, data, origin, runs)
    }

    /// A Debian 12 server with every command.
    ///
    /// # Errors
    ///
    /// As [`Persona::new`].
    pub fn debian12(origin: &Origin) -> Result<Self, PersonaError> {
        Self::new(Model::Debian12, origin, &|_| true)
    }

    /// A machine of other data.
    ///
    /// # Errors
    ///
    /// What is wrong with the data.
    pub fn build(
        model: Model,
        data: Data<'_>,
        origin: &Origin,
        runs: Runs<'_>,
    ) -> Result<Self, PersonaError> {
        let facts = match model {
            Model::Debian12 => facts::facts(origin),
            Model::Camera => camera::facts(origin),
        };
        let tree = tree::build(data, origin, &facts, runs, model)?;
        let sections = |name, text| {
            manifest::sections(text).map_err(|error| PersonaError::Manifest(name, error))
        };
        let config = sections("config.txt", data.config)?;
        let own = sections("own.txt", data.own)?;
        let text = |path: &[u8]| {
            let found = config.get(path).or_else(|| own.get(path));
            found.copied().unwrap_or_default()
        };
        let (mounts, residents, sshd, last_pid) = match model {
            Model::Debian12 => (
                mounts::debian12(&facts),
                processes::residents(origin, &facts),
                processes::sshd_pid(origin),
                processes::last_pid(origin),
            ),
            Model::Camera => (
                mounts::camera(),
                camera::residents(origin),
                camera::DROPBEAR,
                camera::last_pid(origin),
            ),
        };
        let sockets = sockets(model, origin, sshd, &residents);
        Ok(Self {
            model,
            sockets,
            users: users::passwd(text(b"/etc/passwd")),
            groups: users::group(text(b"/etc/group")),
            mounts,
            residents: Residents::new(residents),
            sshd,
            last_pid,
            seed: origin.seed.number("machine"),
            image: tree.image,
            executables: tree.executables,
            facts: Arc::new(facts),
            grown: Mutex::default(),
            origin: origin.clone(),
        })
    }

    /// Every executable file with the program it must run; the program table has to know them all.
    pub fn executables(&self) -> &[Executable] {
        &self.executables
    }

    /// The user of this name.
    pub fn user(&self, name: &[u8]) -> Option<&User> {
        self.users.iter().find(|user| user.name == name)
    }

    /// The environment sshd gives a login before the shell adds its own; `SSH_CLIENT`,
    /// `SSH_CONNECTION`, `SSH_TTY` and `TERM` are the front end's.
    pub fn environment(&self, user: &User) -> Environment {
        let path: &[u8] = match (self.model, user.uid) {
            (Model::Camera, _) => CAMERA_PATH,
            (Model::Debian12, 0) => SUPERUSER_PATH,
            (Model::Debian12, _) => USER_PATH,
        };
        [
            (b"USER".as_slice(), user.name.as_slice()),
            (b"LOGNAME", &user.name),
            (b"HOME", &user.home),
            (b"PATH", path),
            (b"SHELL", &user.shell),
            (b"LANG", b"C.UTF-8"),
        ]
        .into_iter()
        .collect()
    }

    /// The daemon's child that serves a login of this user: what `ps` shows above the shell. `tty` is
    /// `/dev/pts/N`; `up` the time since boot.
    pub fn login_daemon(&self, user: &User, tty: Option<&[u8]>, up: Duration) -> Resident {
        let place = tty.map_or(b"notty".as_slice(), |path| {
            path.strip_prefix(b"/dev/").unwrap_or(path)
        });
        let resident = Resident {
            pid: 0,
            ppid: self.sshd,
            uid: 0,
            gid: 0,
            name: b"sshd".to_vec(),
            args: vec![[b"sshd: ", user.name.as_slice(), b"@", place].concat()],
            executable: b"/usr/sbin/sshd".to_vec(),
            session: 0,
            // It has shaken hands and asked for the password before.
            started: up.saturating_sub(HANDSHAKE),
            cpu: Duration::from_millis(20),
            busy_ppm: 200,
            vsz_kib: 17_972,
            rss_kib: 10_960,
            state: b"Ss".to_vec(),
            tty: None,
        };
        match self.model {
            Model::Debian12 => resident,
            Model::Camera => Resident {
                name: b"dropbear".to_vec(),
                args: [b"/app/dropbear".as_slice(), b"-p", b"22"]
                    .map(<[u8]>::to_vec)
                    .to_vec(),
                executable: b"/app/dropbear".to_vec(),
                vsz_kib: 1_168,
                rss_kib: 740,
                state: b"S".to_vec(),
                ..resident
            },
        }
    }

    /// The same machine with other files: users, groups and host name are those of the image, and what
    /// cannot be mounted on it is not.
    #[must_use]
    pub fn over(mut self, image: &Arc<Image>) -> Self {
        let mut vfs = Vfs::new(Arc::clone(image), Limits::default());
        self.mounts.retain(|mount| vfs.mount(mount.clone()).is_ok());
        let read = |path: &[u8]| {
            let creds = Credentials::root();
            let cx = Context {
                creds: &creds,
                synthetic: &NoSynthetic,
                cwd: vfs.root(),
                now: Timestamp::default(),
            };
            let ino = vfs.resolve(&cx, path, true).ok()?;
            let content = image.file_content(ino)?;
            let len = usize::try_from(content.len()).ok()?;
            let mut bytes = vec![0; len.min(MAX_ACCOUNT_BYTES)];
            let count = content.read_at(0, &mut bytes);
            bytes.truncate(count);
            Some(bytes)
        };
        let text = |path: &[u8]| read(path).unwrap_or_default();
        self.users = users::passwd(&text(b"/etc/passwd"));
        self.groups = users::group(&text(b"/etc/group"));
        let name = text(b"/etc/hostname").trim_ascii().to_vec();
        if !name.is_empty() {
            let mut facts = (*self.facts).clone();
            facts.hostname = name;
            self.facts = Arc::new(facts);
        }
        self.image = Arc::clone(image);
        self.executables = Vec::new();
        self
    }

    /// A password hash for `/etc/shadow` of an account that is made later: the same for the same user
    /// of the same machine, and of no password anybody knows.
    pub fn password_hash(&self, name: &[u8]) -> String {
        let mut bytes = self.seed.to_le_bytes().to_vec();
        bytes.resize(32, 0x5a);
        let seed = Seed::new(<[u8; 32]>::try_from(bytes).unwrap_or_default());
        let label = String::from_utf8_lossy(name);
        let salt = made::crypt64(&seed, &format!("salt of {label}"), 22);
        let hash = made::crypt64(&seed, &format!("hash of {label}"), 43);
        match self.model {
            Model::Debian12 => format!("$y$j9T${salt}${hash}"),
            Model::Camera => format!("$1${:.8}${hash:.22}", salt),
        }
    }

    /// The records of a machine that goes down now and is up again at `up`: `utmp`, and what `wtmp` gets.
    pub fn rebooted(&self, down: i64, up: i64) -> (Vec<u8>, Vec<u8>) {
        crate::accounting::rebooted(&self.origin, &self.facts, down, up)
    }

    /// Facts and processes of this machine if it was booted at another time, after the image was made.
    pub fn booted_at(&self, boot: i64) -> (Arc<Facts>, Residents) {
        let mut facts = (*self.facts).clone();
        facts.boot_time = Timestamp {
            secs: boot,
            ..facts.boot_time
        };
        // What came later than the boot comes soon after it.
        let residents = self.residents.iter().map(|one| Resident {
            started: one.started.min(LONGEST_BOOT),
            ..one.clone()
        });
        (Arc::new(facts), residents.collect())
    }

    /// The number of the first session that `systemd-logind` gives to a visitor.
    pub fn first_session(&self) -> u32 {
        let visits = crate::accounting::visits(&self.origin, self.facts.gateway);
        u32::try_from(visits.len()).unwrap_or(0) + 2
    }

    /// The same as [`Persona::filesystem`], with logs that have grown until `now`.
    ///
    /// # Errors
    ///
    /// As [`Persona::filesystem`].
    pub fn filesystem_at(&self, limits: Limits, now: Timestamp) -> Result<Vfs, Errno> {
        let mut vfs = self.filesystem(limits)?;
        if self.model == Model::Debian12 {
            let mut grown = self.grown.lock().unwrap_or_else(PoisonError::into_inner);
            let period = now.secs.div_euclid(GROWN_SECS);
            if grown.0 != period {
                *grown = (period, Arc::new(self.grow(&vfs, now)));
            }
            vfs.grow(Arc::clone(&grown.1));
        }
        Ok(vfs)
    }

    /// The failed logins and the journal's time.
    fn grow(&self, vfs: &Vfs, now: Timestamp) -> Grown {
        let creds = Credentials::root();
        let cx = Context {
            creds: &creds,
            synthetic: &NoSynthetic,
            cwd: vfs.root(),
            now,
        };
        let find = |path: &[u8]| -> Option<(InodeId, Content)> {
            let ino = vfs.resolve(&cx, path, true).ok()?;
            Some((ino, self.image.file_content(ino)?.clone()))
        };
        let mut grown = Grown::new();
        let guesses = crate::guesses::Guesses::of(&self.origin);
        let latest = guesses.between(now.secs - 86_400, now.secs).pop();
        let latest = latest.map_or(now.secs, |guess| guess.at);
        let stamp = |secs: i64| Timestamp {
            secs,
            nanos: u32::try_from(secs.unsigned_abs() * 7919 % 999_999_937).unwrap_or(0),
        };
        if let Some((ino, _)) = find(b"/var/log/btmp") {
            let content = crate::accounting::btmp(&self.origin, now.secs);
            grown.insert(ino, (Content::Bytes(content.into()), stamp(latest)));
        }
        if let Some(journal) = &self.facts.journal
            && let Some((ino, content)) = find(&journal.path)
        {
            // cron says something at 17 past each hour at least.
            let hourly = (now.secs - 1021).div_euclid(3600) * 3600 + 1021;
            grown.insert(ino, (content, stamp(latest.max(hourly))));
        }
        grown
    }

    /// A fresh filesystem for one visitor, with all mounts, as the image was made.
    ///
    /// # Errors
    ///
    /// A mount point that is missing in the image; a test sees to that.
    pub fn filesystem(&self, limits: Limits) -> Result<Vfs, Errno> {
        let mut vfs = Vfs::new(Arc::clone(&self.image), limits);
        for mount in &self.mounts {
            let making = Making {
                now: self.facts.boot_time,
                ..Making::default()
            };
            vfs.mount_made(mount.clone(), making)?;
        }
        Ok(vfs)
    }
}

/// What listens: the daemon that lets users in, and a camera's own services.
fn sockets(model: Model, origin: &Origin, sshd: Pid, residents: &[Resident]) -> Vec<SocketInfo> {
    let first = origin.seed.between("first socket", 12_800, 14_900);
    let services: &[(&[u8], Protocol, u16)] = match model {
        Model::Debian12 => &[],
        Model::Camera => &[
            (b"telnetd", Protocol::Tcp, 23),
            (b"ipcd", Protocol::Tcp, 80),
            (b"ipcd", Protocol::Tcp, 554),
            (b"ipcd", Protocol::Udp, 3702),
        ],
    };
    let ssh = [(sshd, Protocol::Tcp, 22)];
    let others = services.iter().filter_map(|(name, protocol, port)| {
        let daemon = residents.iter().find(|one| one.name == *name)?;
        Some((daemon.pid, *protocol, *port))
    });
    let any: [IpAddr; 2] = [Ipv4Addr::UNSPECIFIED.into(), Ipv6Addr::UNSPECIFIED.into()];
    let ends = ssh
        .into_iter()
        .chain(others)
        .flat_map(|daemon| any.map(|address| (daemon, address)));
    (first..)
        .step_by(2)
        .zip(ends)
        .map(|(inode, ((pid, protocol, port), address))| SocketInfo {
            protocol,
            local: (address, port).into(),
            remote: None,
            uid: 0,
            inode,
            pid,
        })
        .collect()
}

/// When all daemons run after a boot.
const LONGEST_BOOT: Duration = Duration::from_secs(12);

/// What passes between the connection and the login.
const HANDSHAKE: Duration = Duration::from_millis(1400);

/// How long machines share one state of the logs that grow, in seconds.
const GROWN_SECS: i64 = 600;

/// Bytes read of an image's `/etc/passwd` and its kin.
const MAX_ACCOUNT_BYTES: usize = 1 << 20;

const SUPERUSER_PATH: &[u8] = b"/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";
const USER_PATH: &[u8] = b"/usr/local/bin:/usr/bin:/bin:/usr/games";
const CAMERA_PATH: &[u8] = b"/sbin:/usr/sbin:/bin:/usr/bin";
