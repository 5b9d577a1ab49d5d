//! The arithmetic of sessions, quotas and ratios.

use super::*;

fn here() -> IpAddr {
    IpAddr::from([192, 0, 2, 1])
}

fn there() -> IpAddr {
    IpAddr::from([192, 0, 2, 2])
}

#[test]
fn sessions_are_counted_in_all_and_by_address_and_free_their_place() {
    let account = Arc::new(Account::new(Allowance {
        sessions: Some(3),
        sessions_per_address: Some(2),
        ..Allowance::default()
    }));
    let first = account.enter(here()).unwrap();
    let _second = account.enter(here()).unwrap();
    assert!(account.enter(here()).is_none());
    let _third = account.enter(there()).unwrap();
    assert!(account.enter(there()).is_none());
    drop(first);
    assert!(account.enter(here()).is_some());
}

#[test]
fn new_rules_keep_what_was_counted() {
    let members = Members::default();
    let one = |sessions| Allowance {
        sessions: Some(sessions),
        ..Allowance::default()
    };
    let _seat = members.account(b"anna", &one(1)).enter(here()).unwrap();
    assert!(members.account(b"anna", &one(1)).enter(here()).is_none());
    assert!(members.account(b"anna", &one(2)).enter(here()).is_some());
    assert!(members.account(b"bert", &one(1)).enter(here()).is_some());
}

#[tokio::test]
async fn an_upload_over_the_quota_fails_and_its_bytes_are_given_back() {
    let account = Arc::new(Account::new(Allowance {
        quota_bytes: Some(100),
        quota_files: Some(2),
        ..Allowance::default()
    }));
    assert!(account.wants_count());
    account.counted(Space {
        bytes: 40,
        files: 1,
    });
    assert!(!account.is_full() && account.fits(60) && !account.fits(61));
    let meter = Meter::new(Arc::clone(&account), Direction::Received);
    assert_eq!(meter.moved(60).await, Ok(()));
    assert_eq!(meter.moved(1).await, Err(FileError::OverQuota));
    meter.settle(None, Some(60));
    let full = Space {
        bytes: 100,
        files: 2,
    };
    assert_eq!(account.space(), Some(full));
    assert!(account.is_full());
    account.changed(Some(60), None);
    let rest = Space {
        bytes: 40,
        files: 1,
    };
    assert_eq!(account.space(), Some(rest));
}

#[tokio::test]
async fn what_was_given_can_be_taken_as_often_as_the_ratio_says() {
    let account = Arc::new(Account::new(Allowance {
        ratio: Some(Ratio {
            upload: NonZeroU64::MIN,
            download: 3,
            credit: 10,
        }),
        ..Allowance::default()
    }));
    assert!(account.may_take(10) && !account.may_take(11));
    let up = Meter::new(Arc::clone(&account), Direction::Received);
    up.moved(5).await.unwrap();
    assert!(account.may_take(25) && !account.may_take(26));
    let down = Meter::new(Arc::clone(&account), Direction::Sent);
    down.moved(25).await.unwrap();
    assert!(!account.may_take(1));
    assert_eq!((up.bytes(), down.bytes()), (5, 25));
}

#[tokio::test]
async fn counts_are_kept_and_gone_on_from() {
    let ratio = Allowance {
        ratio: Some(Ratio {
            upload: NonZeroU64::MIN,
            download: 2,
            credit: 0,
        }),
        quota_bytes: Some(100),
        ..Allowance::default()
    };
    let before = Members::default();
    let account = before.account(b"anna", &ratio);
    account.counted(Space {
        bytes: 40,
        files: 1,
    });
    let meter = Meter::new(Arc::clone(&account), Direction::Received);
    meter.moved(30).await.unwrap();
    meter.settle(None, Some(30));
    before.account(b"bert", &ratio);
    let counts = before.counts();
    assert_eq!(counts.len(), 1, "nothing was counted for bert");
    let after = Members::default();
    for (name, counts) in counts {
        after.restore(&name, counts);
    }
    let account = after.account(b"anna", &ratio);
    assert!(account.may_take(60) && !account.may_take(61));
    assert!(account.fits(30) && !account.fits(31));
    assert!(!account.wants_count());
    assert_eq!(after.recount(Some(b"bert")), 0);
    assert_eq!(after.recount(None), 1);
    assert!(account.wants_count() && account.may_take(60));
}
