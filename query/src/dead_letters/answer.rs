use serde::Serialize;
use utoipa::ToSchema;

use super::{Letter, SHOWN_BYTES};

/// Letters, newest first, and whether and how they can be tried again.
#[derive(Serialize, ToSchema)]
pub(super) struct LettersAnswer {
    pub(super) items: Vec<LetterItem>,
    /// Where the next page begins; null where there is none.
    #[schema(required)]
    pub(super) next_cursor: Option<String>,
    /// Whether `POST /api/v1/dead-letters/{id}/replay` is offered: on a server that only this machine reaches.
    pub(super) may_replay: bool,
    /// The command that replays from a shell, with ID in place of an id.
    pub(super) how_to_replay: String,
}

/// A line that could not be counted.
#[derive(Debug, PartialEq, Serialize, ToSchema)]
pub(super) struct LetterItem {
    id: String,
    #[schema(required)]
    partition: Option<u16>,
    /// When the log took it, Unix milliseconds.
    log_time: i64,
    /// Why it can't be counted.
    reason: String,
    /// The line as text, what is none replaced by U+FFFD; its first 4 KiB.
    original: String,
    /// How long the line is.
    bytes: u64,
    /// Whether `original` is not all of it.
    is_cut: bool,
}

impl From<Letter> for LetterItem {
    fn from(letter: Letter) -> Self {
        let Letter { id, partition, log_time_ms, reason, original, bytes } = letter;
        let shown = &original[..original.len().min(SHOWN_BYTES)];
        let is_cut = (shown.len() as u64) < bytes;
        let shown = if is_cut { whole_characters(shown) } else { shown };
        let original = String::from_utf8_lossy(shown).into_owned();
        Self { id, partition, log_time: log_time_ms, reason, original, bytes, is_cut }
    }
}

/// Without the beginning of a character that the cut has gone through.
fn whole_characters(cut: &[u8]) -> &[u8] {
    let is_whole = |end: usize| match std::str::from_utf8(&cut[end..]) {
        Ok(_) => false,
        Err(error) => error.valid_up_to() == 0 && error.error_len().is_none(),
    };
    // No character is longer than four bytes.
    (cut.len().saturating_sub(3)..cut.len()).find(|&end| is_whole(end)).map_or(cut, |end| &cut[..end])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(original: &[u8], bytes: u64, shown: &str, is_cut: bool) {
        let letter = Letter {
            id: "7".to_owned(),
            partition: None,
            log_time_ms: 1,
            reason: "no JSON".to_owned(),
            original: original.to_vec(),
            bytes,
        };
        let item = LetterItem::from(letter);
        assert_eq!((item.original.as_str(), item.is_cut), (shown, is_cut));
    }

    #[test]
    fn what_is_short_is_shown_whole() {
        check(b"", 0, "", false);
        check(b"{\"a\0\": \xff", 8, "{\"a\0\": \u{fffd}", false);
        check("é".as_bytes(), 2, "é", false);
        check(b"\xc3", 1, "\u{fffd}", false);
    }

    #[test]
    fn what_is_long_is_cut_between_characters() {
        let long = vec![b'x'; SHOWN_BYTES + 1];
        check(&long, long.len() as u64, &"x".repeat(SHOWN_BYTES), true);
        for (character, kept) in [("é", 1), ("€", 2), ("🦀", 3)] {
            let text = format!("{}{character}", "x".repeat(SHOWN_BYTES - kept));
            check(text.as_bytes(), text.len() as u64, &"x".repeat(SHOWN_BYTES - kept), true);
            check(&text.as_bytes()[..SHOWN_BYTES], text.len() as u64, &"x".repeat(SHOWN_BYTES - kept), true);
        }
        let bad = [&vec![b'x'; SHOWN_BYTES - 1][..], b"\xff\xff"].concat();
        check(&bad, bad.len() as u64, &format!("{}\u{fffd}", "x".repeat(SHOWN_BYTES - 1)), true);
    }
}
