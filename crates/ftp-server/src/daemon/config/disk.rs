//! `[uploads]` and `[links]`: what is done with directories of the host.

use serde::Deserialize;
use serde::de::{self, Deserializer};

use super::Size;
use crate::backend::disk::{self, DiskOptions, Durability, Partial};

/// `[uploads]`
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Uploads {
    /// Write under a hidden name, and rename at the end.
    pub atomic: bool,
    /// What becomes of an upload that is cut.
    #[serde(deserialize_with = "partial")]
    pub partial: Partial,
    /// What is on the disk when the client is told that its upload is complete.
    #[serde(deserialize_with = "durability")]
    pub sync: Durability,
    /// Whether a file may take the place of another.
    pub overwrite: bool,
    /// Largest upload.
    pub max_bytes: Option<Size>,
    /// Set the room aside that a client announces with ALLO.
    pub preallocate: bool,
    /// Bytes that uploads leave free.
    pub keep_free: Size,
    /// Permission bits that new files do not get.
    pub umask: Option<Mask>,
}

impl Default for Uploads {
    fn default() -> Self {
        let options = disk::Uploads::default();
        Self {
            atomic: options.atomic,
            partial: options.partial,
            sync: options.durability,
            overwrite: options.overwrite,
            max_bytes: None,
            preallocate: options.preallocate,
            keep_free: Size(0),
            umask: None,
        }
    }
}

/// `[names]`
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Names {
    /// Patterns of names that are refused and not shown.
    pub deny: Vec<String>,
    /// Patterns of names that are not shown.
    pub hide: Vec<String>,
}

/// `[links]`
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Links {
    /// Which symbolic links are followed.
    #[serde(deserialize_with = "links")]
    pub follow: disk::Links,
}

/// Permission bits in octal, as in `"022"`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Mask(pub u16);

impl<'de> Deserialize<'de> for Mask {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        let mask = u16::from_str_radix(&text, 8).ok();
        let mask = mask.filter(|mask| *mask <= 0o777);
        mask.map(Self).ok_or_else(|| {
            let text = format!("`{text}` is not a mask in octal like \"022\"");
            de::Error::custom(text)
        })
    }
}

impl super::Config {
    /// What is done with directories of the host.
    #[must_use]
    pub fn disk(&self) -> DiskOptions {
        let uploads = &self.uploads;
        DiskOptions {
            links: self.links.follow,
            uploads: disk::Uploads {
                atomic: uploads.atomic,
                partial: uploads.partial,
                durability: uploads.sync,
                overwrite: uploads.overwrite,
                preallocate: uploads.preallocate,
            },
            umask: uploads.umask.map(|mask| mask.0),
            keep_free: uploads.keep_free.0,
        }
    }
}

fn partial<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Partial, D::Error> {
    let all = [("keep", Partial::Keep), ("remove", Partial::Remove)];
    choice(deserializer, &all)
}

fn durability<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Durability, D::Error> {
    let all = [
        ("none", Durability::None),
        ("file", Durability::File),
        ("directory", Durability::Directory),
    ];
    choice(deserializer, &all)
}

fn links<'de, D: Deserializer<'de>>(deserializer: D) -> Result<disk::Links, D::Error> {
    let all = [
        ("inside", disk::Links::Inside),
        ("owner", disk::Links::Owner),
        ("never", disk::Links::Never),
    ];
    choice(deserializer, &all)
}

/// One of a few words.
fn choice<'de, D: Deserializer<'de>, T: Copy>(
    deserializer: D,
    all: &[(&str, T)],
) -> Result<T, D::Error> {
    let text = String::deserialize(deserializer)?;
    let found = all.iter().find(|(word, _)| *word == text);
    found.map(|(_, value)| *value).ok_or_else(|| {
        let words: Vec<_> = all.iter().map(|(word, _)| format!("\"{word}\"")).collect();
        de::Error::custom(format!("`{text}` is none of {}", words.join(", ")))
    })
}
