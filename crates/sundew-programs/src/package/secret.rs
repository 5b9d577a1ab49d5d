//! Passwords against `/etc/shadow`, as pam_unix(8) looks at them.

use std::time::Duration;

use sundew_kernel::Process;
use sundew_posix::crypt;

use super::{lines, read};

/// What pam_unix waits after a wrong password.
const DELAY: Duration = Duration::from_secs(2);

/// Whether `password` is the one `/etc/shadow` has for this user; a wrong one takes its time. The program
/// must be allowed to read the file: it has root's set-user-id bit.
pub(super) async fn is_right(proc: &Process, user: &[u8], password: &[u8]) -> bool {
    let text = read(proc, b"/etc/shadow").await.unwrap_or_default();
    let hash = lines(&text).into_iter().find_map(|line| {
        let mut fields = line.split(|&byte| byte == b':');
        (fields.next()? == user).then(|| fields.next().unwrap_or_default().to_vec())
    });
    let right = match hash {
        // su and sudo take an empty password for what it is.
        Some(hash) => {
            let mut memory = proc.memory();
            let password = password.to_vec();
            memory.grow(crypt::MEMORY_BYTES).is_ok()
                && proc.aside(move || crypt::verify(&password, &hash)).await == Some(true)
        }
        None => false,
    };
    if !right {
        // Interrupted or not, the answer is the same.
        let _interrupted = proc.sleep(DELAY).await;
    }
    right
}

/// A hash for `/etc/shadow`; `None` for a password that cannot have one.
pub(super) async fn hash(proc: &Process, password: &[u8]) -> Option<String> {
    let mut memory = proc.memory();
    memory.grow(crypt::MEMORY_BYTES).ok()?;
    let mut salt = [0; crypt::SALT_BYTES];
    for (to, from) in salt
        .chunks_mut(8)
        .zip([proc.random().to_le_bytes(), proc.random().to_le_bytes()])
    {
        to.copy_from_slice(&from);
    }
    let password = password.to_vec();
    proc.aside(move || crypt::hash(&password, &salt)).await?
}
