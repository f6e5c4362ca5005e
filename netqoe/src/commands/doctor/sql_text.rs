//! A statement without the values in it. The server puts `$1` for most of them; one that it has missed may be anybody's secret.

/// Characters of a statement that are shown.
const SHOWN_CHARACTERS: usize = 160;
/// Stands for a value.
const VALUE: char = '…';

/// One line with the names and keywords of a statement, and without its texts, numbers and comments.
pub(super) fn without_values(statement: &str) -> String {
    let characters: Vec<_> = statement.chars().collect();
    let mut shown = String::new();
    let mut at = 0;
    while let Some(&first) = characters.get(at) {
        let rest = &characters[at..];
        let (length, put) = match first {
            '\'' => (text_length(rest, false), Put::Value),
            'e' | 'E' if rest.get(1) == Some(&'\'') => (1 + text_length(&rest[1..], true), Put::Value),
            '"' => (text_length_of(rest, '"', false), Put::AsItIs),
            '-' if rest.get(1) == Some(&'-') => (count(rest, |character| character != '\n'), Put::Space),
            '/' if rest.get(1) == Some(&'*') => (comment_length(rest), Put::Space),
            '$' if rest.get(1).is_some_and(char::is_ascii_digit) => {
                (1 + count(&rest[1..], |c| c.is_ascii_digit()), Put::AsItIs)
            }
            // A text between tags, such as `$a$…$a$`: nothing after its beginning is shown.
            '$' => (rest.len(), Put::Value),
            '0'..='9' => (count(rest, |c| c.is_ascii_alphanumeric() || c == '.'), Put::Value),
            first if is_of_a_name(first) => (count(rest, is_of_a_name), Put::AsItIs),
            first if first.is_whitespace() => (1, Put::Space),
            _ => (1, Put::AsItIs),
        };
        match put {
            Put::Value => shown.push(VALUE),
            Put::AsItIs => shown.extend(&rest[..length]),
            Put::Space if shown.ends_with(' ') || shown.is_empty() => {}
            Put::Space => shown.push(' '),
        }
        at += length;
    }
    match shown.char_indices().nth(SHOWN_CHARACTERS) {
        Some((end, _)) => format!("{}{VALUE}", &shown[..end]),
        None => shown.trim_end().to_owned(),
    }
}

/// What stands for a part of the statement.
enum Put {
    AsItIs,
    Value,
    Space,
}

fn is_of_a_name(character: char) -> bool {
    character.is_alphanumeric() || character == '_' || character == '$'
}

/// Characters at the beginning for which this holds.
fn count(characters: &[char], holds: impl Fn(char) -> bool) -> usize {
    characters.iter().take_while(|character| holds(**character)).count()
}

fn text_length(characters: &[char], has_escapes: bool) -> usize {
    text_length_of(characters, '\'', has_escapes)
}

/// Up to the closing mark, or the end; a mark that is doubled does not close.
fn text_length_of(characters: &[char], mark: char, has_escapes: bool) -> usize {
    let mut at = 1;
    while let Some(&character) = characters.get(at) {
        at += match character {
            '\\' if has_escapes => 2,
            character if character == mark && characters.get(at + 1) == Some(&mark) => 2,
            character if character == mark => return at + 1,
            _ => 1,
        };
    }
    characters.len()
}

fn comment_length(characters: &[char]) -> usize {
    let end = characters.windows(2).skip(2).position(|pair| pair == ['*', '/']);
    end.map_or(characters.len(), |end| end + 4)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn names_stay_and_values_go() {
        for (statement, shown) in [
            ("SELECT a.b1, $1 FROM \"T 1\"\n  WHERE x = $12", "SELECT a.b1, $1 FROM \"T 1\" WHERE x = $12"),
            ("SELECT 'it''s' || x, 12.5, 1e9 LIMIT 10", "SELECT … || x, …, … LIMIT …"),
            (r"SELECT 'a\', secret_column, 'b'", "SELECT …, secret_column, …"),
            (r"SELECT E'a\'b', c, e'd'", "SELECT …, c, …"),
            ("SELECT the'x'", "SELECT the…"),
            ("SELECT $a$ secret $a$, b", "SELECT …"),
            ("SELECT 1 -- secret\n+ 2 /* secret */ FROM t", "SELECT … + … FROM t"),
            ("SELECT /* never closed", "SELECT"),
            ("SELECT 'never closed", "SELECT …"),
            ("", ""),
        ] {
            assert_eq!(without_values(statement), shown, "{statement}");
        }
        assert_eq!(without_values(&"long ".repeat(100)).chars().count(), SHOWN_CHARACTERS + 1);
    }

    proptest! {
        #[test]
        fn any_text_is_read(statement in "[ -~é\n]{0,60}") {
            without_values(&statement);
        }

        #[test]
        fn no_text_of_a_statement_is_shown(secret in "[a-z ]{0,9}s3cret[a-z ]{0,9}", quote in "[eE]?") {
            let shown = without_values(&format!("SELECT x FROM t WHERE a = {quote}'{}' AND b = 7", secret.replace('\'', "''")));
            prop_assert!(!shown.contains("s3cret"), "{}", shown);
            prop_assert!(shown.ends_with("AND b = …"), "{}", shown);
        }
    }
}
