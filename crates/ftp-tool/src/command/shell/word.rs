//! A typed line as words: blanks separate, quotes and backslashes keep them.

/// Splits a line.
///
/// # Errors
///
/// A sentence, for a quote that does not end.
pub(super) fn split(line: &str) -> Result<Vec<String>, &'static str> {
    let mut words = Vec::new();
    let mut word: Option<String> = None;
    let mut characters = line.trim_end_matches(['\r', '\n']).chars();
    while let Some(c) = characters.next() {
        match c {
            ' ' | '\t' => words.extend(word.take()),
            '\\' => match characters.next() {
                Some(next) => word.get_or_insert_default().push(next),
                None => return Err("the line ends with a backslash"),
            },
            quote @ ('"' | '\'') => {
                let word = word.get_or_insert_default();
                loop {
                    match characters.next() {
                        None => return Err("a quote does not end"),
                        Some(c) if c == quote => break,
                        Some('\\') if quote == '"' => word.extend(characters.next()),
                        Some(c) => word.push(c),
                    }
                }
            }
            c => word.get_or_insert_default().push(c),
        }
    }
    words.extend(word);
    Ok(words)
}

/// A name as it has to be typed to be one word.
pub(super) fn quote(name: &str) -> String {
    let mut quoted = String::with_capacity(name.len());
    for c in name.chars() {
        if matches!(c, ' ' | '\t' | '\\' | '"' | '\'') {
            quoted.push('\\');
        }
        quoted.push(c);
    }
    quoted
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn quotes_keep_blanks() {
        assert_eq!(
            split("get 'a b' \"c \\\" d\" e\\ f\n").unwrap(),
            ["get", "a b", "c \" d", "e f"]
        );
        assert_eq!(split("  ").unwrap(), Vec::<String>::new());
        assert_eq!(split("''").unwrap(), [""]);
        assert!(split("'a").is_err() && split("a\\").is_err());
    }

    proptest! {
        #[test]
        fn what_is_quoted_is_one_word(name in "[ a\\\\'\"]{1,12}") {
            prop_assert_eq!(split(&quote(&name)).unwrap(), [name]);
        }
    }
}
