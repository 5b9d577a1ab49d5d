//! Names of users and groups, from the machine's `/etc/passwd` and `/etc/group`: getpwnam(3).

use std::collections::HashMap;

use sundew_kernel::Process;
use sundew_kernel::descriptor::OpenFlags;

/// Bytes that we read of either file; a larger one is cut. Real ones are a few KiB.
const MAX_BYTES: usize = 1 << 20;

/// A line of `/etc/passwd`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct User {
    /// The login name.
    pub(crate) name: Vec<u8>,
    /// The password field: `x`, nothing, or a hash.
    pub(crate) password: Vec<u8>,
    /// Its number.
    pub(crate) uid: u32,
    /// The number of its first group.
    pub(crate) gid: u32,
    /// The comment.
    pub(crate) gecos: Vec<u8>,
    /// Where it lives.
    pub(crate) home: Vec<u8>,
    /// What runs at login.
    pub(crate) shell: Vec<u8>,
}

/// A line of `/etc/group`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Group {
    /// Its name.
    pub(crate) name: Vec<u8>,
    /// Its number.
    pub(crate) gid: u32,
    /// Login names of its members.
    pub(crate) members: Vec<Vec<u8>>,
}

/// The users and groups that a machine knows.
#[derive(Debug, Clone, Default)]
pub(crate) struct Directory {
    users: Vec<User>,
    groups: Vec<Group>,
    user_names: HashMap<u32, Vec<u8>>,
    group_names: HashMap<u32, Vec<u8>>,
}

impl Directory {
    /// Reads both files; a missing one has no lines.
    pub(crate) async fn load(proc: &Process) -> Self {
        let users: Vec<User> = lines(&contents(proc, b"/etc/passwd").await, user);
        let groups: Vec<Group> = lines(&contents(proc, b"/etc/group").await, group);
        let mut directory = Self::default();
        for user in &users {
            directory
                .user_names
                .entry(user.uid)
                .or_insert_with(|| user.name.clone());
        }
        for group in &groups {
            directory
                .group_names
                .entry(group.gid)
                .or_insert_with(|| group.name.clone());
        }
        Self {
            users,
            groups,
            ..directory
        }
    }

    /// All users in the file's order.
    pub(crate) fn users(&self) -> &[User] {
        &self.users
    }

    /// The user of this name.
    pub(crate) fn user(&self, name: &[u8]) -> Option<&User> {
        self.users.iter().find(|user| user.name == name)
    }

    /// The first user of this number.
    pub(crate) fn user_by_id(&self, uid: u32) -> Option<&User> {
        self.users.iter().find(|user| user.uid == uid)
    }

    /// The group of this name.
    pub(crate) fn group(&self, name: &[u8]) -> Option<&Group> {
        self.groups.iter().find(|group| group.name == name)
    }

    /// The name of a user number.
    pub(crate) fn user_name(&self, uid: u32) -> Option<&[u8]> {
        self.user_names.get(&uid).map(Vec::as_slice)
    }

    /// The name of a group number.
    pub(crate) fn group_name(&self, gid: u32) -> Option<&[u8]> {
        self.group_names.get(&gid).map(Vec::as_slice)
    }

    /// The name of a user number, or the number as text.
    pub(crate) fn user_text(&self, uid: u32) -> Vec<u8> {
        self.user_name(uid)
            .map_or_else(|| uid.to_string().into_bytes(), <[u8]>::to_vec)
    }

    /// The name of a group number, or the number as text.
    pub(crate) fn group_text(&self, gid: u32) -> Vec<u8> {
        self.group_name(gid)
            .map_or_else(|| gid.to_string().into_bytes(), <[u8]>::to_vec)
    }

    /// The groups that a login of `user` gets, its first group first: getgrouplist(3).
    pub(crate) fn groups_of(&self, user: &User) -> Vec<u32> {
        let mut ids = vec![user.gid];
        for group in &self.groups {
            if group.gid != user.gid && group.members.contains(&user.name) {
                ids.push(group.gid);
            }
        }
        ids
    }
}

async fn contents(proc: &Process, path: &[u8]) -> Vec<u8> {
    let Ok(fd) = proc.open(path, OpenFlags::READ, 0).await else {
        return Vec::new();
    };
    let mut all = Vec::new();
    let mut chunk = vec![0; 16 * 1024];
    while let Ok(count) = proc.read(fd, &mut chunk).await {
        if count == 0 || all.len() > MAX_BYTES {
            break;
        }
        all.extend_from_slice(chunk.get(..count).unwrap_or_default());
    }
    // Opened above; closing it cannot fail in a way that matters here.
    let _closed = proc.close(fd);
    all
}

fn lines<T>(text: &[u8], parse: impl Fn(&[&[u8]]) -> Option<T>) -> Vec<T> {
    text.split(|&byte| byte == b'\n')
        .filter_map(|line| parse(&line.split(|&byte| byte == b':').collect::<Vec<_>>()))
        .collect()
}

fn number(text: &[u8]) -> Option<u32> {
    std::str::from_utf8(text).ok()?.parse().ok()
}

fn user(fields: &[&[u8]]) -> Option<User> {
    let [name, password, uid, gid, gecos, home, shell] = fields else {
        return None;
    };
    Some(User {
        name: name.to_vec(),
        password: password.to_vec(),
        uid: number(uid)?,
        gid: number(gid)?,
        gecos: gecos.to_vec(),
        home: home.to_vec(),
        shell: shell.to_vec(),
    })
}

fn group(fields: &[&[u8]]) -> Option<Group> {
    let [name, _password, gid, members] = fields else {
        return None;
    };
    Some(Group {
        name: name.to_vec(),
        gid: number(gid)?,
        members: members
            .split(|&byte| byte == b',')
            .filter(|member| !member.is_empty())
            .map(<[u8]>::to_vec)
            .collect(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_that_are_none_are_skipped() {
        let users = lines(
            b"root:x:0:0:root:/root:/bin/bash\n\nbroken\nx:y:z:0:::\n",
            user,
        );
        assert_eq!(users.len(), 1);
        assert_eq!(users[0].shell, b"/bin/bash");
        let groups = lines(b"sudo:x:27:anna,bob\nempty:x:3:\n", group);
        assert_eq!(groups[0].members, [b"anna".to_vec(), b"bob".to_vec()]);
        assert!(groups[1].members.is_empty());
    }
}
