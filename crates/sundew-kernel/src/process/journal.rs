//! The journal as a program sees it: syslog(3), and what `journalctl` reads.

use super::Process;
use crate::journal::{Entry, facility};
use crate::lock;

impl Process {
    /// Everything in the journal, oldest first; `None` on a machine without one or when its file is
    /// gone. Who may read it is the caller's to check.
    pub fn journal(&self) -> Option<Vec<Entry>> {
        self.kernel.journal()
    }

    /// The file of the journal, where there is one.
    pub fn journal_path(&self) -> Option<&[u8]> {
        self.kernel
            .facts
            .journal
            .as_ref()
            .map(|one| one.path.as_slice())
    }

    /// Says something to the journal in this process's name: syslog(3).
    pub fn log(&self, facility: u8, priority: u8, identifier: &[u8], message: Vec<u8>) {
        self.log_as(facility, priority, identifier, message, b"");
    }

    /// The same in the name of a unit's daemon.
    pub fn log_as(
        &self,
        facility: u8,
        priority: u8,
        identifier: &[u8],
        message: Vec<u8>,
        unit: &[u8],
    ) {
        self.kernel.log(&Entry {
            micros: self.kernel.micros(),
            priority,
            facility,
            identifier: identifier.to_vec(),
            pid: if identifier == b"systemd" {
                1
            } else {
                self.pid()
            },
            uid: self.credentials().uid,
            unit: unit.to_vec(),
            message,
        });
    }

    /// The line of the kernel's log for a program that may not be started: what AppArmor says.
    pub(super) fn log_denied(&self, path: &[u8]) {
        let (name, uid) = {
            let inner = lock(&self.state.inner);
            (inner.name.clone(), inner.credentials.uid)
        };
        let micros = self.kernel.micros();
        let serial = 30 + self.state.pid % 500;
        let message = [
            format!(
                "audit: type=1400 audit({}.{:03}:{serial}): apparmor=\"DENIED\" operation=\"exec\" profile=\"sshd-session\" name=\"",
                micros / 1_000_000,
                micros / 1000 % 1000
            )
            .as_bytes(),
            path,
            format!("\" pid={} comm=\"", self.state.pid).as_bytes(),
            &name,
            format!("\" requested_mask=\"x\" denied_mask=\"x\" fsuid={uid} ouid=0").as_bytes(),
        ]
        .concat();
        self.kernel.log(&Entry {
            micros,
            priority: 5,
            facility: facility::KERN,
            identifier: b"kernel".to_vec(),
            pid: 0,
            uid: 0,
            unit: Vec::new(),
            message,
        });
    }
}
