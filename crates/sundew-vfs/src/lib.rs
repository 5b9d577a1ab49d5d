//! A Unix filesystem in memory: a shared immutable image and a copy-on-write overlay.
//!
//! Everything is synchronous and takes what varies: no clock, no host, no locks. Names and contents
//! are bytes. Many machines share one [`Image`]; each has a [`Vfs`] whose memory grows with what
//! was changed in it and nothing else.
//!
//! - [`errno`]: why a call failed, and the words for it
//! - [`inode`]: identities, types, attributes
//! - [`permission`]: who may do what
//! - [`path`]: limits of names and paths
//! - [`pool`]: what several machines use together
//! - [`image`]: the shared tree, built once
//! - [`synthetic`]: nodes that somebody else answers for, such as `/proc`
//! - [`vfs`]: the face: everything a system call needs
//! - [`fuzz`]: entry points for fuzzers
//! - `overlay`: one machine's changes, chunk by chunk, within a quota; saved and restored
//! - `resolve`: from a path to an inode
//!
//! ```
//! use std::sync::Arc;
//! use sundew_vfs::{
//!     Attributes, Content, Context, Credentials, ImageBuilder, Limits, NoSynthetic, Timestamp, Vfs,
//! };
//!
//! let mut image = ImageBuilder::new();
//! let attributes = Attributes { mode: 0o644, ..Attributes::default() };
//! image.file(b"/etc/hostname", attributes, Content::Bytes(Arc::from(*b"web1\n")))?;
//! let vfs = Vfs::new(image.finish(), Limits::default());
//!
//! let cx = Context {
//!     creds: &Credentials::root(),
//!     synthetic: &NoSynthetic,
//!     cwd: vfs.root(),
//!     now: Timestamp::default(),
//! };
//! let metadata = vfs.stat(&cx, b"/etc/../etc/hostname")?;
//! let mut buffer = [0; 16];
//! assert_eq!(vfs.read_at(metadata.ino, 0, &mut buffer)?, 5);
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

#![warn(
    clippy::indexing_slicing,
    clippy::string_slice,
    clippy::cast_possible_truncation
)]

pub mod errno;
pub mod fuzz;
pub mod image;
pub mod inode;
mod overlay;
pub mod path;
pub mod permission;
pub mod pool;
mod resolve;
pub mod synthetic;
pub mod vfs;

pub use errno::Errno;
pub use image::{Attributes, Backed, Backing, Content, Image, ImageBuilder, ImageError, LoadError};
pub use inode::{DirEntry, FileFlags, FileType, InodeId, Metadata, Timestamp};
pub use overlay::{Grown, Limits, RestoreError, Usage};
pub use permission::{Access, Credentials, permits};
pub use synthetic::{NoSynthetic, Synthetic};
pub use vfs::{Context, Making, Mount, MountRoot, OpenOptions, Opened, Vfs};
