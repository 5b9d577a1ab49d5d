//! The filesystems of a machine: what each holds, and taking one away.

use std::sync::Arc;

use super::{Body, Directory, Overlay, Place, Style, Usage, entry_bytes};
use crate::InodeId;

impl Overlay {
    /// What was put onto the filesystem of this number since the machine began.
    pub(crate) fn usage_of(&self, dev: u64) -> Usage {
        let nodes = self.nodes.iter().filter(|(_, node)| node.dev == dev);
        let (own, of_image): (Vec<_>, Vec<_>) =
            nodes.partition(|(ino, _)| !self.is_of_image(**ino));
        Usage {
            bytes: self.volume(dev).map_or(0, |volume| volume.used),
            inodes: own.len() as u64,
            image_inodes: of_image.len() as u64,
        }
    }

    /// Bytes of content it may hold; `u64::MAX` for no limit but the machine's.
    pub(crate) fn room_of(&self, dev: u64) -> u64 {
        self.volume(dev).map_or(u64::MAX, |volume| volume.room)
    }

    /// Whether something on the filesystem is open.
    pub(crate) fn is_open(&self, dev: u64) -> bool {
        self.handles
            .keys()
            .any(|ino| self.nodes.get(ino).is_some_and(|node| node.dev == dev))
    }

    /// Forgets a tree made by [`Overlay::create_top`] with all that lies in it; what is open stays
    /// until it is closed.
    pub(crate) fn remove_top(&mut self, root: InodeId) {
        let Some(dev) = self.nodes.get(&root).map(|node| node.dev) else {
            return;
        };
        let doomed: Vec<InodeId> = self
            .nodes
            .iter()
            .filter(|(_, node)| node.dev == dev)
            .map(|(ino, _)| *ino)
            .collect();
        // The root was not charged for; it is from now on, like everything that is collected.
        self.inodes += 1;
        for ino in &doomed {
            let Some(node) = self.nodes.get_mut(ino) else {
                continue;
            };
            node.nlink = 0;
            if let Body::Directory(directory) = &mut node.body {
                let names = std::mem::replace(directory, Directory::at(Place::Removed)).added;
                self.bytes -= names.keys().map(|name| entry_bytes(name)).sum::<u64>();
            }
        }
        for ino in doomed {
            self.collect(ino);
        }
        if let Some(at) = self.volumes.iter().rposition(|volume| volume.dev == dev) {
            self.volumes.remove(at);
        }
    }

    /// Forgets what is on filesystems in memory, as a computer does that is switched off.
    pub(crate) fn forget_memory(&mut self) {
        let memory: Vec<u64> = self
            .volumes
            .iter()
            .filter(|volume| volume.style == Style::Memory)
            .map(|volume| volume.dev)
            .collect();
        let doomed: Vec<InodeId> = self
            .nodes
            .iter()
            .filter(|(_, node)| memory.contains(&node.dev))
            .map(|(ino, _)| *ino)
            .collect();
        for ino in doomed {
            let of_image = self.is_of_image(ino);
            let Some(mut node) = self.nodes.remove(&ino) else {
                continue;
            };
            self.bytes = self.bytes.saturating_sub(node.charge(of_image));
            let top = match &mut node.body {
                Body::Directory(directory) if matches!(directory.place, Place::Top) => {
                    directory.added.clear();
                    true
                }
                _ => false,
            };
            if top {
                node.nlink = 2;
                self.nodes.insert(ino, node);
            } else if !of_image {
                self.inodes = self.inodes.saturating_sub(1);
            }
        }
        let image = Arc::clone(&self.image);
        let volumes = &self.volumes;
        self.gone.retain(|ino| {
            let volume = image.node(*ino).map(|node| usize::from(node.volume));
            let volume = volume.and_then(|at| volumes.get(at));
            volume.is_none_or(|volume| volume.style != Style::Memory)
        });
        self.recount();
        self.settle();
    }

    /// Bytes that may still be written to this file's filesystem.
    pub(super) fn room_for(&self, ino: InodeId) -> u64 {
        let Some(node) = self.nodes.get(&ino) else {
            return u64::MAX;
        };
        self.volume(node.dev)
            .map_or(u64::MAX, |volume| volume.room.saturating_sub(volume.used))
    }

    pub(super) fn count_used(&mut self, dev: u64, more: u64, less: u64) {
        if let Some(volume) = self.volumes.iter_mut().find(|volume| volume.dev == dev) {
            volume.used = (volume.used + more).saturating_sub(less);
        }
    }

    /// Counts anew what each filesystem holds, after nodes were taken over from elsewhere.
    pub(super) fn recount(&mut self) {
        for volume in &mut self.volumes {
            volume.used = 0;
        }
        let held: Vec<(u64, u64)> = self
            .nodes
            .values()
            .filter_map(|node| match &node.body {
                Body::Regular(file) => Some((node.dev, file.charged_blocks() * super::BLOCK_BYTES)),
                _ => None,
            })
            .collect();
        for (dev, bytes) in held {
            self.count_used(dev, bytes, 0);
        }
    }

    fn volume(&self, dev: u64) -> Option<&super::Volume> {
        self.volumes.iter().find(|volume| volume.dev == dev)
    }
}
