//! Directories of the host: the one that is served, and those some users have of their own.

use std::collections::HashMap;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

use ftp_proto::server::{Abilities, FileError};

use crate::auth::User;
use crate::backend::Backend;
use crate::backend::disk::{Disk, DiskOptions};
use crate::live::Live;

/// A backend that gives every user the root their rules name.
#[derive(Clone, Debug)]
pub struct Homes {
    common: Arc<Live<Common>>,
    /// Those that were used; opened again when they are gone.
    opened: Arc<Mutex<HashMap<PathBuf, Disk>>>,
}

/// What holds for everybody.
#[derive(Debug)]
struct Common {
    /// The directory of users who have none of their own.
    disk: Option<Disk>,
    options: Arc<DiskOptions>,
}

impl Common {
    fn open(root: Option<&Path>, options: DiskOptions) -> io::Result<Self> {
        let options = Arc::new(options);
        let open = |path| Disk::open_with(path, Arc::clone(&options));
        Ok(Self {
            disk: root.map(open).transpose()?,
            options,
        })
    }
}

impl Homes {
    /// With this directory for users who have none of their own.
    ///
    /// # Errors
    ///
    /// The system's, for a directory that cannot be opened.
    pub fn new(common: Option<&Path>, options: DiskOptions) -> io::Result<Self> {
        Ok(Self {
            common: Arc::new(Live::new(Common::open(common, options)?)),
            opened: Arc::default(),
        })
    }

    /// From now on another directory is that of users who have none of their own, and other options
    /// hold for everybody who logs in.
    ///
    /// # Errors
    ///
    /// The system's, for a directory that cannot be opened; nothing has changed then.
    pub fn change(&self, common: Option<&Path>, options: DiskOptions) -> io::Result<()> {
        self.common.store(Common::open(common, options)?);
        Ok(())
    }

    /// Forgets directories that were opened, so that what replaced them is found.
    pub fn forget(&self) {
        let mut opened = self.opened.lock().unwrap_or_else(PoisonError::into_inner);
        opened.clear();
    }

    fn keep(&self, root: &Path, disk: &Disk) {
        let mut opened = self.opened.lock().unwrap_or_else(PoisonError::into_inner);
        if opened.len() >= MAX_OPENED {
            opened.clear();
        }
        opened.insert(root.to_owned(), disk.clone());
    }

    fn kept(&self, root: &Path) -> Option<Disk> {
        let opened = self.opened.lock().unwrap_or_else(PoisonError::into_inner);
        opened.get(root).cloned()
    }
}

impl Backend for Homes {
    type Files = <Disk as Backend>::Files;

    fn abilities(&self) -> Abilities {
        // All are disks.
        Disk::abilities_of(&self.common.load().options)
    }

    async fn enter(&self, user: &User) -> Result<Self::Files, FileError> {
        let common = self.common.load();
        let Some(root) = &user.rules.root else {
            let common = common.disk.as_ref().ok_or(FileError::NotFound)?;
            return common.enter(user).await;
        };
        if let Some(disk) = self.kept(root) {
            return disk.enter(user).await;
        }
        let (path, options) = (root.clone(), Arc::clone(&common.options));
        let opened = tokio::task::spawn_blocking(move || Disk::open_with(&path, options)).await;
        let disk = match opened {
            Ok(Ok(disk)) => disk,
            Ok(Err(error)) => {
                tracing::error!(root = %root.display(), %error, "no directory for a user");
                return Err(FileError::NotFound);
            }
            Err(_) => return Err(FileError::Other),
        };
        self.keep(root, &disk);
        disk.enter(user).await
    }
}

/// Directories kept open, a descriptor each.
const MAX_OPENED: usize = 256;
