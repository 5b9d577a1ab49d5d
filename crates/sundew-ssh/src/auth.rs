//! Counting login attempts as OpenSSH counts them.

/// How far the login attempts of one connection have come.
#[derive(Debug)]
pub(crate) struct Attempts {
    user: Option<Vec<u8>>,
    requests: u32,
    failures: u32,
    max_failures: u32,
}

/// What a failed attempt leads to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Failure {
    /// The client may try again.
    Again,
    /// That was one too many.
    TooMany,
}

impl Attempts {
    pub(crate) fn new(max_failures: u32) -> Self {
        Self {
            user: None,
            requests: 0,
            failures: 0,
            max_failures,
        }
    }

    /// Begins an attempt; gives the first user back when this one is another, which ends the
    /// connection.
    pub(crate) fn begin(&mut self, user: &[u8]) -> Result<(), Vec<u8>> {
        self.requests = self.requests.saturating_add(1);
        match &self.user {
            Some(first) if first != user => Err(first.clone()),
            Some(_) => Ok(()),
            None => {
                self.user = Some(user.to_vec());
                Ok(())
            }
        }
    }

    /// The attempt failed. `none` is free as the first request only: it is how clients ask for the
    /// list of methods.
    pub(crate) fn failed(&mut self, none: bool) -> Failure {
        if !(none && self.requests <= 1) {
            self.failures = self.failures.saturating_add(1);
        }
        if self.failures >= self.max_failures {
            Failure::TooMany
        } else {
            Failure::Again
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_sixth_failure_is_one_too_many_and_the_first_none_is_free() {
        let mut attempts = Attempts::new(6);
        assert_eq!(attempts.begin(b"root"), Ok(()));
        assert_eq!(attempts.failed(true), Failure::Again);
        for _ in 0..5 {
            assert_eq!(attempts.begin(b"root"), Ok(()));
            assert_eq!(attempts.failed(false), Failure::Again);
        }
        assert_eq!(attempts.begin(b"root"), Ok(()));
        assert_eq!(attempts.failed(true), Failure::TooMany);
    }

    #[test]
    fn another_user_is_noticed() {
        let mut attempts = Attempts::new(6);
        assert_eq!(attempts.begin(b"a"), Ok(()));
        assert_eq!(attempts.begin(b"b"), Err(b"a".to_vec()));
    }
}
