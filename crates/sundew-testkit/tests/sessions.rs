//! Every transcript below `tests/sessions` and `tests/terminals`, on a fresh machine each.

#![allow(
    clippy::disallowed_methods,
    reason = "reads transcripts from the checkout"
)]

use std::path::Path;

use sundew_testkit::machine::Emulated;
use sundew_testkit::session::{Session, check_directory};
use sundew_testkit::terminal;

/// The machine that a transcript's head names.
fn emulated(session: &Session) -> std::io::Result<Emulated> {
    let camera = |(key, value): &(String, String)| key == "persona" && value == "camera";
    if session.head.iter().any(camera) {
        Emulated::camera()
    } else {
        Emulated::debian()
    }
}

#[tokio::test]
async fn every_session_reads_as_on_the_real_machine() {
    let directory = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/sessions");
    check_directory(&directory, async |session| emulated(session))
        .await
        .assert_passed();
}

#[test]
fn every_terminal_shows_what_the_real_one_shows() {
    let directory = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/terminals");
    let only = std::env::var("SESSION").unwrap_or_default();
    let (mut report, mut count) = (String::new(), 0);
    let files = std::fs::read_dir(directory).unwrap();
    for file in files.map(|file| file.unwrap().path()) {
        if !file.to_string_lossy().contains(&only) {
            continue;
        }
        let text = std::fs::read_to_string(&file).unwrap();
        for conversation in terminal::parse(&text).unwrap() {
            count += 1;
            let args: Vec<&[u8]> = conversation.args.iter().map(Vec::as_slice).collect();
            let env: Vec<(&[u8], &[u8])> = conversation
                .env
                .iter()
                .map(|(name, value)| (name.as_slice(), value.as_slice()))
                .collect();
            let machine = if text.lines().any(|line| line == "# persona: camera") {
                Emulated::camera()
            } else {
                Emulated::debian()
            };
            let mut machine = machine.unwrap();
            let answers = machine.converse(&args, &env, &conversation.acts());
            let differences = conversation.differences(&answers.unwrap());
            if !differences.is_empty() {
                let place = format!("{}:{}\n", file.display(), conversation.line);
                report.push_str(&(place + &differences));
            }
        }
    }
    assert!(report.is_empty(), "{report}");
    assert!(count > 0 || !only.is_empty(), "no conversation was held");
}
