//! Names and numbers within sentences.

use std::borrow::Cow;

use netqoe_model::escaped;

/// Characters of a name that a sentence shows: enough for the addresses that people write, and a sentence stays one.
const SHOWN_CHARACTERS: usize = 80;

/// A name as a sentence shows it: on one line, and cut where it is too long.
pub(super) fn shown(name: &str) -> Cow<'_, str> {
    let escaped = escaped(name);
    match escaped.char_indices().nth(SHOWN_CHARACTERS) {
        None => escaped,
        Some((end, _)) => Cow::Owned(format!("{}…", &escaped[..end])),
    }
}

/// `1 pair`, `2 pairs`.
pub(super) fn counted(count: u64, one: &str) -> String {
    format!("{count} {}", plural(count, one))
}

pub(super) fn plural(count: u64, one: &str) -> Cow<'_, str> {
    if count == 1 { Cow::Borrowed(one) } else { Cow::Owned(format!("{one}s")) }
}

/// With a capital letter at its beginning.
pub(super) fn capitalised(text: &str) -> String {
    let mut characters = text.chars();
    characters.next().map_or_else(String::new, |first| first.to_uppercase().chain(characters).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_stay_on_one_line_and_are_cut() {
        assert_eq!(shown("https://example.com/"), "https://example.com/");
        assert_eq!(shown("a\nb\u{202e}<b>"), "a\\u000ab\\u202e<b>");
        let exact = "é".repeat(SHOWN_CHARACTERS);
        assert_eq!(shown(&exact), exact);
        assert_eq!(shown(&"é".repeat(SHOWN_CHARACTERS + 1)), format!("{exact}…"));
        assert_eq!(shown(&"\n".repeat(1024)).chars().count(), SHOWN_CHARACTERS + 1);
    }

    #[test]
    fn one_is_no_plural() {
        assert_eq!([0, 1, 2].map(|count| counted(count, "pair")), ["0 pairs", "1 pair", "2 pairs"]);
    }
}
