//! What the real one does, asked of ours.

use crate::text::testing::run;

#[test]
fn complaints_are_worded_as_tar_words_them() {
    let refused = |text: &str, status| {
        (
            String::new(),
            format!("tar: {text}\nTry 'tar --help' or 'tar --usage' for more information.\n"),
            status,
        )
    };
    assert_eq!(
        run(&["tar"], b""),
        refused(
            "You must specify one of the '-Acdtrux', '--delete' or '--test-label' options",
            2
        )
    );
    assert_eq!(
        run(&["tar", "cf"], b""),
        refused("Old option 'f' requires an argument.", 2)
    );
    assert_eq!(
        run(&["tar", "cf", "x.tar"], b""),
        refused("Cowardly refusing to create an empty archive", 2)
    );
    assert_eq!(
        run(&["tar", "-q"], b""),
        refused("invalid option -- 'q'", 64)
    );
    let text = "tar: /nosuch.tar: Cannot open: No such file or directory\ntar: Error is not recoverable: exiting now\n";
    assert_eq!(
        run(&["tar", "xf", "/nosuch.tar"], b""),
        (String::new(), text.into(), 2)
    );
    let text = "tar (child): nosuch.tgz: Cannot open: No such file or directory\ntar (child): Error is not recoverable: exiting now\ntar: Child returned status 2\ntar: Error is not recoverable: exiting now\n";
    assert_eq!(
        run(&["tar", "-zxvf", "nosuch.tgz"], b""),
        (String::new(), text.into(), 2)
    );
    let text = "tar: This does not look like a tar archive\ntar: Exiting with failure status due to previous errors\n";
    assert_eq!(
        run(&["tar", "xf", "/etc/group"], b""),
        (String::new(), text.into(), 2)
    );
    let text = "\ngzip: stdin: not in gzip format\ntar: Child returned status 1\ntar: Error is not recoverable: exiting now\n";
    assert_eq!(
        run(&["tar", "xzf", "/etc/group"], b""),
        (String::new(), text.into(), 2)
    );
}

#[test]
fn members_are_named_as_they_are_stored() {
    let (out, error, status) = run(&["tar", "czvf", "/tmp/x.tgz", "/etc/hostname"], b"");
    assert_eq!(
        (out.as_str(), error.as_str(), status),
        (
            "/etc/hostname\n",
            "tar: Removing leading `/' from member names\n",
            0
        )
    );
}
