//! `lslogins`, `lsipc`, `lslocks`, `lsmem`, `chmem`, `lsirq`, `lsfd`, `ipcmk`, `ipcrm`, `chcpu`: what
//! there is on the machine, in tables.

mod hardware;
mod ipc;
mod login;
mod open;

pub(super) use hardware::{chcpu, chmem, lsirq, lsmem};
pub(super) use ipc::{ipcmk, ipcrm, lsipc};
pub(super) use login::lslogins;
pub(super) use open::{lsfd, lslocks};

fn text_of(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

/// `128M`, `4.9G`: libcommon's short form.
pub(super) fn short_size(bytes: u64) -> String {
    const LETTERS: &[u8] = b"BKMGTPE";
    let mut power = 0;
    while power + 1 < LETTERS.len() && bytes >> (10 * (power + 1)) > 0 {
        power += 1;
    }
    let letter = LETTERS.get(power).copied().map_or('B', char::from);
    let unit = 1u64 << (10 * power);
    let whole = bytes / unit;
    let tenths = (u128::from(bytes % unit) * 10 + u128::from(unit) / 2) / u128::from(unit);
    match (power, tenths) {
        (0, _) | (_, 0) => format!("{whole}{letter}"),
        (_, 10) => format!("{}{letter}", whole + 1),
        (_, tenths) => format!("{whole}.{tenths}{letter}"),
    }
}

#[cfg(test)]
mod tests {
    use super::short_size;

    #[test]
    fn sizes_are_short() {
        for (bytes, text) in [
            (0, "0B"),
            (1024, "1K"),
            (1300, "1.3K"),
            (128 << 20, "128M"),
            (5 << 30, "5G"),
        ] {
            assert_eq!(short_size(bytes), text);
        }
    }
}
