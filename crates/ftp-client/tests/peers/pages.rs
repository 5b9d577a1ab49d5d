//! What the book says of the client: tests it names exist, calls it maps are all of them.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

const GUIDE: &str = include_str!("../../../../docs/guide/moving-to-ftp-client.md");

/// The public methods of suppaftp 12.2, of its blocking and its asynchronous stream.
const SUPPAFTP: &str = "abort active_mode append_file append_with_stream cdup clear_command_channel connect \
    connect_secure_implicit connect_timeout connect_with_stream custom_command custom_data_command cwd eprt \
    feat finish get_lines_from_stream get_mut get_ref get_welcome_msg into_secure into_tcp_stream list login \
    mdtm mkdir mlsd mlst nlst noop opts passive_stream_builder put_file put_with_stream pwd quit \
    read_response read_response_in rename resume_transfer retr retr_as_buffer retr_as_stream rm rmdir \
    set_active_peer_check set_encoding set_mode set_passive_nat_workaround site size transfer_type";

/// Whether a word stands in the code spans of the first column of a section's table.
fn maps(section: &str, word: &str) -> bool {
    let table = GUIDE.split(section).nth(1).unwrap();
    let table = table.split("\n## ").next().unwrap();
    table
        .lines()
        .filter(|line| line.starts_with("| "))
        .any(|line| {
            let left = line.split(" | ").next().unwrap();
            left.split('`').skip(1).step_by(2).any(|span| {
                span.split(|c: char| !c.is_ascii_alphanumeric() && c != '_')
                    .any(|found| found == word)
            })
        })
}

#[test]
fn every_call_of_suppaftp_and_ftplib_has_its_place_in_the_guide() {
    for name in SUPPAFTP.split_whitespace() {
        assert!(
            maps("## From suppaftp", name),
            "suppaftp's {name} is missing"
        );
    }
    let script = "import ftplib\nprint(*ftplib.__all__, *[name for name in dir(ftplib.FTP_TLS) \
                  if not name.startswith('_')])";
    let output = Command::new("python3")
        .args(["-c", script])
        .output()
        .unwrap();
    let names = String::from_utf8(output.stdout).unwrap();
    assert!(names.split_whitespace().count() > 40, "{names}");
    for name in names.split_whitespace() {
        assert!(
            maps("## From Python's ftplib", name),
            "ftplib's {name} is missing"
        );
    }
}

#[test]
fn every_test_that_the_pages_of_the_client_name_exists() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    let mut code = String::new();
    for folder in ["ftp-client", "ftp-tool", "ftp-proto"] {
        for part in ["src", "tests"] {
            gather(&root.join("crates").join(folder).join(part), &mut code);
        }
    }
    for (page, least) in [
        ("ftp-client-hostile.md", 40),
        ("ftp-client-capabilities.md", 60),
    ] {
        let path: PathBuf = root.join("docs/reference").join(page);
        let text = fs::read_to_string(path).unwrap();
        let mut rows = 0;
        for row in text.lines().filter(|line| line.starts_with("| ")) {
            let proof = row.trim_end_matches(" |").rsplit(" | ").next().unwrap();
            if proof == "Proof" {
                continue;
            }
            let names: Vec<&str> = proof.split('`').skip(1).step_by(2).collect();
            assert!(
                !names.is_empty() || proof.starts_with("not served: "),
                "nothing proves {row}"
            );
            for name in names {
                let exists = code.contains(&format!("fn {name}("));
                assert!(exists, "{page}: there is no {name}, of the row {row}");
            }
            rows += 1;
        }
        assert!(rows >= least, "{page}: only {rows} rows");
    }
}

fn gather(directory: &Path, code: &mut String) {
    let Ok(entries) = fs::read_dir(directory) else {
        return;
    };
    for entry in entries {
        let path = entry.unwrap().path();
        if path.is_dir() {
            gather(&path, code);
        } else if path.extension().is_some_and(|end| end == "rs") {
            code.push_str(&fs::read_to_string(path).unwrap());
        }
    }
}
