//! The TLS sessions that one control connection and its data connections can resume.

use std::collections::VecDeque;
use std::sync::{Mutex, MutexGuard, PoisonError};

use rustls::server::StoresServerSessions;

/// Sessions kept at a time. A client has use for one or two; those that take a fresh one for each data
/// connection rarely have more than ten connections at a time.
const MAX_SESSIONS: usize = 12;

/// The first so many are those of the control connection and are never pushed out: many clients resume
/// the same one for every data connection.
const PINNED_SESSIONS: usize = 4;

/// Largest session kept, in bytes. It holds the client's certificates; more than this many bytes of
/// them are not worth the memory, and the session then cannot be resumed.
const MAX_SESSION_BYTES: usize = 16 * 1024;

/// A store whose sessions can be resumed any number of times.
///
/// rustls' own gives each TLS 1.3 session out once, as RFC 8446 §8.1 advises against replayed early
/// data. There is no early data here, and clients built on OpenSSL resume one session many times.
#[derive(Debug, Default)]
pub(super) struct Sessions(Mutex<VecDeque<(Vec<u8>, Vec<u8>)>>);

impl Sessions {
    fn lock(&self) -> MutexGuard<'_, VecDeque<(Vec<u8>, Vec<u8>)>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl StoresServerSessions for Sessions {
    fn put(&self, key: Vec<u8>, value: Vec<u8>) -> bool {
        if value.len() > MAX_SESSION_BYTES {
            return false;
        }
        let mut sessions = self.lock();
        sessions.retain(|(kept, _)| *kept != key);
        if sessions.len() >= MAX_SESSIONS {
            sessions.remove(PINNED_SESSIONS);
        }
        sessions.push_back((key, value));
        true
    }

    fn get(&self, key: &[u8]) -> Option<Vec<u8>> {
        let sessions = self.lock();
        let found = sessions.iter().find(|(kept, _)| kept == key);
        found.map(|(_, value)| value.clone())
    }

    fn take(&self, key: &[u8]) -> Option<Vec<u8>> {
        self.get(key)
    }

    fn can_cache(&self) -> bool {
        true
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_sessions_stay_and_the_number_is_bounded() {
        let sessions = Sessions::default();
        for number in 0..100_u8 {
            assert!(sessions.put(vec![number], vec![number]));
        }
        assert_eq!(sessions.lock().len(), MAX_SESSIONS);
        for number in [0, 3, 99] {
            assert_eq!(sessions.take(&[number]), Some(vec![number]));
            assert_eq!(sessions.take(&[number]), Some(vec![number]));
        }
        assert_eq!(sessions.get(&[50]), None);
        assert!(!sessions.put(vec![200], vec![0; MAX_SESSION_BYTES + 1]));
    }
}
