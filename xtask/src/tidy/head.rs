//! Every file says at its top what it is, and modules are `foo.rs` beside `foo/`.

use super::Finding;
use super::source::Checkout;

pub(super) fn every_file_has_a_head(checkout: &Checkout) -> Vec<Finding> {
    let lacks = checkout.rust().filter(|file| {
        // A fuzz target's first line must be its crate attribute.
        let mut lines = file
            .text
            .lines()
            .filter(|line| !line.starts_with("#![") && !line.is_empty());
        !lines.next().is_some_and(|line| line.starts_with("//! "))
    });
    lacks
        .map(|file| {
            Finding::failure(
                "head",
                &file.path,
                1,
                "no `//!` head: say what this file is",
            )
        })
        .collect()
}

pub(super) fn no_mod_rs(checkout: &Checkout) -> Vec<Finding> {
    let named = checkout
        .rust()
        .filter(|file| file.path.ends_with("/mod.rs"));
    named
        .map(|file| Finding::failure("mod-rs", &file.path, 0, "call it `NAME.rs` beside `NAME/`"))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_without_a_head_is_found() {
        let good = ("crates/a/src/lib.rs", "//! A crate.\n");
        let fuzz = ("fuzz/fuzz_targets/a.rs", "#![no_main]\n//! A target.\n");
        let bad = ("crates/a/src/b.rs", "use std::io;\n//! late\n");
        let findings = every_file_has_a_head(&Checkout::of(&[good, fuzz, bad]));
        assert_eq!(findings.len(), 1);
        assert_eq!(findings[0].path, "crates/a/src/b.rs");
    }

    #[test]
    fn a_mod_rs_is_found() {
        let checkout = Checkout::of(&[
            ("crates/a/src/b/mod.rs", "//! B.\n"),
            ("crates/a/src/mod_rs.rs", "//! C.\n"),
        ]);
        assert_eq!(no_mod_rs(&checkout).len(), 1);
    }
}
