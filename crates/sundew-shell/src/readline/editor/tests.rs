//! The editor against what real bash was seen to send.

use super::*;

/// Undoes `\xNN` and `\\`.
fn bytes(text: &str) -> Vec<u8> {
    let mut out = Vec::new();
    let mut rest = text.as_bytes();
    while let Some((&byte, tail)) = rest.split_first() {
        rest = tail;
        if byte == b'\\' && rest.first() == Some(&b'x') {
            out.push(u8::from_str_radix(std::str::from_utf8(&rest[1..3]).unwrap(), 16).unwrap());
            rest = &rest[3..];
        } else {
            out.push(byte);
            rest = if byte == b'\\' { &rest[1..] } else { rest };
        }
    }
    out
}

/// What the terminal shows of output: a newline becomes two bytes.
fn on_terminal(output: &[u8]) -> String {
    let shown: Vec<u8> = output
        .iter()
        .flat_map(|byte| {
            if *byte == b'\n' {
                &b"\r\n"[..]
            } else {
                std::slice::from_ref(byte)
            }
        })
        .copied()
        .collect();
    shown.escape_ascii().to_string()
}

fn history() -> History {
    let mut history = History::default();
    for line in ["echo one two", "ls -l /tmp", "cat /etc/passwd | grep root"] {
        history.push(line.as_bytes());
    }
    history
}

fn settings() -> &'static Arc<Settings> {
    static SETTINGS: std::sync::LazyLock<Arc<Settings>> = std::sync::LazyLock::new(Settings::new);
    &SETTINGS
}

fn setup<'a>(term: &str, columns: u16, prompt: &'a [u8]) -> Setup<'a> {
    let terminal = Terminal::of(term.as_bytes());
    Setup {
        terminal,
        columns,
        rows: 24,
        utf8: true,
        prompt,
        settings: settings(),
        keymap: Which::Emacs,
    }
}

fn type_in(editor: &mut Editor, keys: &[u8], history: &mut History) -> Vec<u8> {
    let mut output = Vec::new();
    for (index, key) in keys.iter().enumerate() {
        if let Outcome::Complete(want, _) = editor.feed(*key, index + 1 < keys.len(), history) {
            editor.complete(want, &Completion::default());
        }
        output.extend(editor.take_output());
    }
    output
}

fn matches(names: &[&str]) -> Completion {
    let quoted: Vec<Vec<u8>> = names.iter().map(|name| name.as_bytes().to_vec()).collect();
    let shown = quoted
        .iter()
        .map(|name| Shown {
            name: name.clone(),
            directory: false,
            sign: None,
        })
        .collect();
    Completion {
        quoted,
        shown,
        ..Completion::default()
    }
}

#[test]
fn keys_are_answered_with_the_bytes_of_real_bash() {
    let mut failures = Vec::new();
    for scenario in include_str!("recorded.txt").split("\n= ").skip(1) {
        let mut lines = scenario.lines();
        let title = lines.next().unwrap();
        let mut fields = lines.next().unwrap().splitn(3, ' ');
        let (term, columns) = (
            fields.next().unwrap(),
            fields.next().unwrap().parse().unwrap(),
        );
        let prompt = bytes(fields.next().unwrap());
        let mut history = history();
        let mut editor = Editor::new(setup(term, columns, &prompt), None, &mut history);
        let mut got = editor.take_output();
        let mut typed = String::new();
        for line in lines.filter(|line| !line.is_empty()) {
            if let Some(keys) = line.strip_prefix("> ") {
                typed = keys.to_owned();
                got = type_in(&mut editor, &bytes(keys), &mut history);
                continue;
            }
            let expected = bytes(line.strip_prefix('<').unwrap().trim_start_matches(' '))
                .escape_ascii()
                .to_string();
            let got = on_terminal(&got);
            let blanks = |text: &str| text.trim_start_matches(' ').to_owned();
            if blanks(&got) != blanks(&expected) {
                failures.push(format!(
                    "{title}, after {typed:?}:\n  bash {expected}\n  ours {got}"
                ));
                break;
            }
        }
    }
    assert!(failures.is_empty(), "{}", failures.join("\n"));
}

#[test]
fn any_keys_at_all_leave_a_line_within_its_bounds() {
    let mut state = 1_u64;
    for columns in [0, 1, 2, 3, 20, 80] {
        for term in ["xterm", "dumb", "vt100"] {
            let mut history = history();
            let mut editor = Editor::new(
                setup(term, columns, b"\x01\x1b[1m\x02p\n$ "),
                None,
                &mut history,
            );
            for step in 0..3000 {
                state = state
                    .wrapping_mul(6_364_136_223_846_793_005)
                    .wrapping_add(1_442_695_040_888_963_407);
                let byte = match state >> 60 {
                    0..4 => 0x1b,
                    4..8 => (state >> 50) as u8 & 0x1f,
                    8..10 => b"[O;~0123ABCD<>.yutrc"[(state >> 40) as usize % 20],
                    _ => (state >> 33) as u8,
                };
                if let Outcome::Complete(want, _) = editor.feed(byte, step % 3 == 0, &mut history) {
                    let completion = matches(&["alpha", "beta"]);
                    editor.complete(want, &completion);
                }
                let (line, point) = editor.line();
                assert!(point <= line.len() && line.len() <= MAX_LINE_BYTES);
                editor.take_output();
            }
        }
    }
}

#[test]
fn a_line_past_its_limit_rings_the_bell() {
    let mut history = History::default();
    let mut editor = Editor::new(setup("xterm", 80, b"$ "), None, &mut history);
    let long = vec![b'x'; MAX_LINE_BYTES + 10];
    let output = type_in(&mut editor, &long, &mut history);
    assert_eq!(editor.line().0.len(), MAX_LINE_BYTES);
    assert_eq!(output.iter().filter(|byte| **byte == 7).count(), 10);
}

#[test]
fn matches_are_listed_in_columns_and_many_after_a_question() {
    let mut history = History::default();
    let mut editor = Editor::new(setup("xterm", 80, b"$ "), None, &mut history);
    type_in(&mut editor, b"ls al", &mut history);
    let completion = Completion {
        start: 3,
        common: b"alp".to_vec(),
        ..matches(&["alpha", "alpine"])
    };
    let mut seen = Vec::new();
    for _ in 0..3 {
        let Outcome::Complete(want, _) = editor.feed(9, false, &mut history) else {
            panic!("no completion")
        };
        editor.complete(want, &completion);
        seen.push(on_terminal(&editor.take_output()));
    }
    // Recorded from bash 5.2.15.
    assert_eq!(
        seen,
        ["\\x07p", "\\x07", "\\r\\nalpha   alpine  \\r\\n$ ls alp"]
    );

    let names: Vec<String> = (0..120).map(|number| format!("f{number:03}")).collect();
    let many = matches(&names.iter().map(String::as_str).collect::<Vec<_>>());
    editor.complete(Want::List, &many);
    assert_eq!(
        on_terminal(&editor.take_output()),
        "\\r\\nDisplay all 120 possibilities? (y or n)"
    );
    assert_eq!(
        on_terminal(&type_in(&mut editor, b"n", &mut history)),
        "\\r\\n$ ls alp"
    );
}

#[test]
fn a_resized_terminal_gets_the_line_anew() {
    let mut history = History::default();
    let mut editor = Editor::new(setup("xterm", 80, b"$ "), None, &mut history);
    type_in(&mut editor, b"hello world", &mut history);
    editor.take_output();
    editor.resize(40, 24);
    assert_eq!(
        on_terminal(&editor.take_output()),
        "\\r\\x1b[K\\r$ hello world"
    );
    editor.resize(8, 24);
    editor.take_output();
    editor.resize(80, 24);
    assert_eq!(
        on_terminal(&editor.take_output()),
        "\\r\\x1b[K\\r\\x1b[A\\x1b[K\\r$ hello world"
    );
}
