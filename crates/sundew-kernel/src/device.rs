//! Character devices: null(4), full(4), random(4).

use crate::machine::Kernel;
use sundew_vfs::Errno;

/// A device that keeps no state of its own.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Device {
    Null,
    Zero,
    Full,
    Random,
}

impl Device {
    /// The device with these numbers, if it is one of these.
    pub(crate) fn from_numbers(rdev: (u32, u32)) -> Option<Self> {
        match rdev {
            (1, 3) => Some(Self::Null),
            (1, 5) => Some(Self::Zero),
            (1, 7) => Some(Self::Full),
            (1, 8 | 9) => Some(Self::Random),
            _ => None,
        }
    }

    pub(crate) fn read(self, kernel: &Kernel, buf: &mut [u8]) -> usize {
        match self {
            Self::Null => 0,
            Self::Zero | Self::Full => {
                buf.fill(0);
                buf.len()
            }
            Self::Random => {
                kernel.fill_random(buf);
                buf.len()
            }
        }
    }

    pub(crate) fn write(self, data: &[u8]) -> Result<usize, Errno> {
        if self == Self::Full {
            Err(Errno::Enospc)
        } else {
            Ok(data.len())
        }
    }
}
