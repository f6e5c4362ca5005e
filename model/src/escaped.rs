//! Text that others have written, as a terminal may show it.
//!
//! Decision: D-072.

use std::borrow::Cow;
use std::fmt::Write;

/// `text` with each character that a terminal obeys, or that hides or turns around what stands beside it, as JSON escapes it (`\u001b`):
/// control characters (C0, DEL, C1), ends of lines and paragraphs, marks of direction, and what has no width. It stays one line.
///
/// A JSON text without line ends between its members stays the same JSON.
pub fn escaped(text: &str) -> Cow<'_, str> {
    if !text.contains(is_obeyed) {
        return Cow::Borrowed(text);
    }
    let mut shown = String::with_capacity(text.len() + 16);
    for char in text.chars() {
        if is_obeyed(char) {
            for unit in char.encode_utf16(&mut [0; 2]) {
                // Writing to a string does not fail.
                let _ = write!(shown, "\\u{unit:04x}");
            }
        } else {
            shown.push(char);
        }
    }
    Cow::Owned(shown)
}

fn is_obeyed(char: char) -> bool {
    char.is_control()
        || matches!(char,
            '\u{ad}' | '\u{61c}' | '\u{180e}' | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}'
            | '\u{feff}' | '\u{fff9}'..='\u{fffb}' | '\u{e0000}'..='\u{e0fff}')
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn what_a_terminal_obeys_is_shown_instead() {
        for (text, shown) in [
            ("Zürich 東京 👍", "Zürich 東京 👍"),
            ("a\u{1b}[2J\u{7}b", "a\\u001b[2J\\u0007b"),
            ("a\r\nb\tc\0", "a\\u000d\\u000ab\\u0009c\\u0000"),
            ("\u{9b}31m\u{7f}\u{85}", "\\u009b31m\\u007f\\u0085"),
            (
                "\u{2028}\u{2029}\u{202e}\u{2066}\u{2069}\u{200f}\u{61c}",
                "\\u2028\\u2029\\u202e\\u2066\\u2069\\u200f\\u061c",
            ),
            ("\u{feff}\u{200b}\u{e0041}", "\\ufeff\\u200b\\udb40\\udc41"),
        ] {
            assert_eq!(escaped(text), shown, "{text:?}");
        }
    }

    proptest! {
        #[test]
        fn json_stays_the_same_json(text in any::<String>()) {
            let json = serde_json::to_string(&text).unwrap();
            let shown = escaped(&json);
            prop_assert!(!shown.contains(is_obeyed));
            prop_assert_eq!(serde_json::from_str::<String>(&shown).unwrap(), text);
        }
    }
}
