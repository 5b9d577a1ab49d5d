//! Who may use `sudo`: the part of sudoers(5) that people write. One rule for all commands is read; host
//! lists, aliases and lists of commands count as a rule for everything.

use sundew_kernel::Process;

use crate::package::{lines, read};
use crate::users::{Directory, User};

/// What the files say about a user; the last rule that fits holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Rule {
    /// Nothing: not in the sudoers file.
    None,
    /// May, with a password.
    Password,
    /// May without.
    Free,
}

/// Bytes of rules that are read in all.
const MAX_BYTES: usize = 256 * 1024;

/// The rule for this user in `/etc/sudoers` and `/etc/sudoers.d`.
pub(super) async fn rule_for(proc: &Process, users: &Directory, user: &User) -> Rule {
    let mut text = read(proc, b"/etc/sudoers").await.unwrap_or_default();
    let mut names: Vec<Vec<u8>> = proc
        .read_directory(b"/etc/sudoers.d")
        .unwrap_or_default()
        .into_iter()
        .map(|entry| entry.name.to_vec())
        // Names with a dot or a tilde at the end are skipped, as the manual says.
        .filter(|name| !name.contains(&b'.') && !name.ends_with(b"~"))
        .collect();
    names.sort();
    for name in names {
        let more = read(proc, &[b"/etc/sudoers.d/".as_slice(), &name].concat()).await;
        text.push(b'\n');
        text.extend(more.unwrap_or_default());
    }
    text.truncate(MAX_BYTES);
    let groups: Vec<Vec<u8>> = users
        .groups_of(user)
        .into_iter()
        .map(|gid| users.group_text(gid))
        .collect();
    rule(&text, &user.name, &groups)
}

fn rule(text: &[u8], user: &[u8], groups: &[Vec<u8>]) -> Rule {
    let mut found = Rule::None;
    for line in lines(text) {
        let mut words = line
            .split(|byte| byte.is_ascii_whitespace())
            .filter(|word| !word.is_empty());
        let Some(who) = words.next() else { continue };
        let rest: Vec<&[u8]> = words.collect();
        if who.starts_with(b"#") || who.starts_with(b"@") || who.starts_with(b"Defaults") {
            continue;
        }
        let fits = who.split(|&byte| byte == b',').any(|who| {
            who == b"ALL"
                || who == user
                || who
                    .strip_prefix(b"%")
                    .is_some_and(|group| groups.iter().any(|own| own == group))
        });
        let rest = rest.join(&b' ');
        if !fits || !rest.contains(&b'=') {
            continue;
        }
        let free = rest.windows(9).any(|window| window == b"NOPASSWD:");
        found = if free { Rule::Free } else { Rule::Password };
    }
    found
}

#[cfg(test)]
mod tests {
    use super::{Rule, rule};

    #[test]
    fn the_last_rule_that_fits_holds() {
        let text =
            b"# comment\nDefaults env_reset\nroot ALL=(ALL:ALL) ALL\n%sudo\tALL=(ALL:ALL) ALL\n\
                     bob ALL=(ALL) NOPASSWD: ALL\nALICE\neve\n";
        let groups = [b"sudo".to_vec()];
        assert_eq!(rule(text, b"anna", &groups), Rule::Password);
        assert_eq!(rule(text, b"anna", &[]), Rule::None);
        assert_eq!(rule(text, b"bob", &groups), Rule::Free);
        assert_eq!(rule(text, b"eve", &[]), Rule::None);
        assert_eq!(rule(b"a,b ALL=(ALL) ALL", b"b", &[]), Rule::Password);
    }
}
