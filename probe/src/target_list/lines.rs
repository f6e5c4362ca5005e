//! A target a line, with comments after `#`.

use super::Written;
use crate::Labels;

pub(super) fn parse(text: &str) -> Vec<Written> {
    let lines = (1..).zip(text.split('\n').map(before_comment));
    let lines = lines.filter(|(_, text)| !text.is_empty());
    lines.map(|(line, text)| Written { text: text.to_owned(), line, module: None, labels: Labels::default() }).collect()
}

/// A `#` within a URL begins its fragment, one after a space a comment.
fn before_comment(line: &str) -> &str {
    let line = trim(line);
    let comment = line.match_indices('#').find(|(at, _)| line[..*at].chars().next_back().is_none_or(is_space));
    comment.map_or(line, |(at, _)| trim(&line[..at]))
}

/// Files that were written one behind the other have a byte order mark each.
fn is_space(char: char) -> bool {
    char.is_whitespace() || char == '\u{feff}'
}

fn trim(text: &str) -> &str {
    text.trim_matches(is_space)
}
