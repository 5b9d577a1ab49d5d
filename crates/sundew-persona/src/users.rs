//! The users of a machine when it is made: passwd(5) and group(5) as values.
//!
//! Programs read the files themselves, which an attacker may change; this is for who lets users in.

/// A line of `/etc/passwd`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct User {
    /// Login name.
    pub name: Vec<u8>,
    /// User number.
    pub uid: u32,
    /// Number of the main group.
    pub gid: u32,
    /// Full name and the like.
    pub gecos: Vec<u8>,
    /// Home directory.
    pub home: Vec<u8>,
    /// Login shell.
    pub shell: Vec<u8>,
}

impl User {
    /// Whether the shell is one to work in.
    pub fn can_log_in(&self) -> bool {
        !(self.shell.ends_with(b"/nologin")
            || self.shell.ends_with(b"/false")
            || self.shell.ends_with(b"/sync"))
    }
}

/// A line of `/etc/group`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Group {
    /// Its name.
    pub name: Vec<u8>,
    /// Its number.
    pub gid: u32,
    /// Names of its members beyond those whose main group it is.
    pub members: Vec<Vec<u8>>,
}

/// Reads passwd(5); lines that are not as they should be are skipped, as the C library does.
pub fn passwd(text: &[u8]) -> Vec<User> {
    lines(text)
        .filter_map(|[name, _, uid, gid, gecos, home, shell]| {
            Some(User {
                name: name.to_vec(),
                uid: number(uid)?,
                gid: number(gid)?,
                gecos: gecos.to_vec(),
                home: home.to_vec(),
                shell: shell.to_vec(),
            })
        })
        .collect()
}

/// Reads group(5); lines that are not as they should be are skipped.
pub fn group(text: &[u8]) -> Vec<Group> {
    lines(text)
        .filter_map(|[name, _, gid, members]| {
            let members = members
                .split(|&byte| byte == b',')
                .filter(|name| !name.is_empty());
            Some(Group {
                name: name.to_vec(),
                gid: number(gid)?,
                members: members.map(<[u8]>::to_vec).collect(),
            })
        })
        .collect()
}

fn lines<const FIELDS: usize>(text: &[u8]) -> impl Iterator<Item = [&[u8]; FIELDS]> {
    text.split(|&byte| byte == b'\n').filter_map(|line| {
        let fields: Vec<_> = line.split(|&byte| byte == b':').collect();
        fields.try_into().ok()
    })
}

fn number(field: &[u8]) -> Option<u32> {
    std::str::from_utf8(field).ok()?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn users_and_groups_are_read_and_broken_lines_skipped() {
        let users = passwd(
            b"root:x:0:0:root:/root:/bin/bash\nbroken\nx:x:one:1::/:/bin/sh\n\
            sshd:x:101:65534::/run/sshd:/usr/sbin/nologin\n",
        );
        assert_eq!(users.len(), 2);
        assert!(users[0].can_log_in() && !users[1].can_log_in());
        let groups = group(b"sudo:x:27:anna,bert\nadm:x:4:\n");
        assert_eq!(groups[0].members, [b"anna".to_vec(), b"bert".to_vec()]);
        assert!(groups[1].members.is_empty());
    }
}
