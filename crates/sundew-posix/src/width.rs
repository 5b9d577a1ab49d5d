//! Columns that a character takes on a terminal: wcwidth(3).

use unicode_width::UnicodeWidthChar as _;

/// Columns of one character: 2 for the scripts of East Asia and emoji, 0 for what combines with the
/// character before it; 1 for what cannot be printed, of which programs show something else.
pub fn columns(character: char) -> usize {
    character.width().unwrap_or(1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn widths_are_those_of_the_c_library() {
        for (character, expected) in [
            ('a', 1),
            ('é', 1),
            ('\u{301}', 0),
            ('\u{200b}', 0),
            ('漢', 2),
            ('ｱ', 1),
            ('😀', 2),
        ] {
            assert_eq!(columns(character), expected, "{character:?}");
        }
    }
}
