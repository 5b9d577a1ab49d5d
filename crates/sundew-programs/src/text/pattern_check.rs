//! What GNU's own matcher (dfa.c) says about patterns that the C library would accept.

/// Whether the pattern has `[:space:]` where `[[:space:]]` was meant, which is refused.
pub(crate) fn has_bare_class(pattern: &[u8]) -> bool {
    let mut at = 0;
    while let Some(&byte) = pattern.get(at) {
        match byte {
            b'\\' => at += 2,
            b'[' => {
                let rest = pattern.get(at + 1..).unwrap_or_default();
                let length = bracket_length(rest);
                let inside = rest.get(..length).unwrap_or_default();
                if inside.len() > 2 && inside.starts_with(b":") && inside.ends_with(b":") {
                    return true;
                }
                at += length + 2;
            }
            _ => at += 1,
        }
    }
    false
}

/// Bytes between the `[` and its `]`.
fn bracket_length(rest: &[u8]) -> usize {
    let mut at = usize::from(rest.first() == Some(&b'^'));
    let first = at;
    while let Some(&byte) = rest.get(at) {
        let next = rest.get(at + 1).copied();
        if byte == b']' && at > first {
            return at;
        }
        if let (b'[', Some(kind @ (b':' | b'.' | b'='))) = (byte, next) {
            let tail = rest.get(at + 2..).unwrap_or_default();
            if let Some(end) = tail.windows(2).position(|pair| pair == [kind, b']']) {
                at += end + 4;
                continue;
            }
        }
        at += 1;
    }
    rest.len()
}

/// The operators of an extended pattern that stand at the start of an expression; GNU grep warns
/// of each.
pub(crate) fn leading_operators(pattern: &[u8]) -> Vec<&'static str> {
    let mut found = Vec::new();
    let mut at = 0;
    let mut start = true;
    while let Some(&byte) = pattern.get(at) {
        match byte {
            b'*' | b'+' | b'?' if start => {
                found.push(match byte {
                    b'*' => "*",
                    b'+' => "+",
                    _ => "?",
                });
                start = true;
            }
            b'\\' => {
                at += 1;
                start = false;
            }
            b'[' => {
                at += bracket_length(pattern.get(at + 1..).unwrap_or_default()) + 1;
                start = false;
            }
            b'(' | b'|' | b'\n' => start = true,
            _ => start = false,
        }
        at += 1;
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_class_without_its_outer_brackets_is_noticed() {
        assert!(has_bare_class(b"x[:space:]*"));
        assert!(!has_bare_class(b"x[[:space:]]*"));
        assert!(!has_bare_class(b"\\[:space:]"));
    }

    #[test]
    fn operators_without_an_operand_are_named() {
        assert_eq!(leading_operators(b"*a|+b(?c)[*]*"), ["*", "+", "?"]);
        assert!(leading_operators(b"a*\\(*").is_empty());
    }
}
