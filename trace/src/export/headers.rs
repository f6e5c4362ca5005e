//! Headers that a collector wants, such as a token. No message shows their values.

use std::fmt;
use std::str::FromStr;

use http::{HeaderName, HeaderValue};

/// Headers of each delivery.
#[derive(Clone, Default)]
pub struct Headers(Vec<(HeaderName, HeaderValue)>);

impl Headers {
    pub(super) fn iter(&self) -> impl Iterator<Item = &(HeaderName, HeaderValue)> {
        self.0.iter()
    }

    pub(super) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

impl FromStr for Headers {
    /// Which line, and what is wrong with it, without what is in it.
    type Err = String;

    /// One header a line, `Name: value`. Blank lines and those that begin with `#` are none.
    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let lines = text.lines().enumerate().map(|(index, line)| (index + 1, line.trim()));
        let lines = lines.filter(|(_, line)| !line.is_empty() && !line.starts_with('#'));
        let header = |(number, line): (usize, &str)| {
            let (name, value) =
                line.split_once(':').ok_or(format!("line {number} has no colon; write `Name: value`"))?;
            let name = name.trim().parse().map_err(|_| format!("line {number} names no header"))?;
            let value = HeaderValue::from_str(value.trim());
            let mut value = value.map_err(|_| format!("the value in line {number} can't be sent in a header"))?;
            value.set_sensitive(true);
            Ok((name, value))
        };
        lines.map(header).collect::<Result<_, _>>().map(Self)
    }
}

impl fmt::Debug for Headers {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(self.0.iter().map(|(name, _)| name)).finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_header_is_a_line() {
        let headers: Headers =
            "# token of the collector\nAuthorization: Bearer s3cr:et\n\n X-Scope :  7 \n".parse().unwrap();
        let read: Vec<_> = headers.iter().map(|(name, value)| (name.as_str(), value.to_str().unwrap())).collect();
        assert_eq!(read, [("authorization", "Bearer s3cr:et"), ("x-scope", "7")]);
        assert!(!format!("{headers:?}").contains("s3cr"));
    }

    #[test]
    fn an_error_shows_nothing_of_a_value() {
        for text in ["A: b\ns3cret", "s3cret name: x", "A: s3cret\u{1}"] {
            let error = text.parse::<Headers>().unwrap_err();
            assert!(error.contains("line") && !error.contains("s3cret"), "{error}");
        }
    }
}
