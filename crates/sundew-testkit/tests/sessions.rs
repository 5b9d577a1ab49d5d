//! Every transcript below `tests/sessions`, on a fresh machine each.

use std::path::Path;

use sundew_testkit::machine::Debian;
use sundew_testkit::session::check_directory;

#[tokio::test]
async fn every_session_reads_as_on_the_real_machine() {
    let directory = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/sessions");
    check_directory(&directory, async |_| Debian::new())
        .await
        .assert_passed();
}
