//! All programs, for the machine's program table.

use sundew_kernel::program::Program;

use crate::{
    archive, busybox, coreutils, crypto, manners, net, package, procps, system, text, util_linux,
};

/// Every program of this crate.
pub fn programs() -> impl Iterator<Item = Program> {
    without_doors().map(manners::with_door)
}

/// The programs as they are, with nobody at the door (see [`manners`]).
pub(crate) fn without_doors() -> impl Iterator<Item = Program> {
    [
        coreutils::TABLE,
        text::TABLE,
        procps::TABLE,
        util_linux::TABLE,
        net::TABLE,
        crypto::TABLE,
        busybox::TABLE,
        archive::TABLE,
        package::TABLE,
        system::TABLE,
        system::rare::TABLE,
    ]
    .into_iter()
    .flatten()
    .copied()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_name_is_given_twice() {
        let mut names: Vec<&str> = programs().map(|program| program.name).collect();
        names.sort_unstable();
        let count = names.len();
        names.dedup();
        assert_eq!(names.len(), count);
    }
}
