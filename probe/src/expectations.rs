//! What a page is expected to answer, and what of that is not met.

use std::fmt;
use std::str::FromStr;

use ::http::header::{HeaderName, SET_COOKIE};
use netqoe_model::ErrorStage;

/// Bytes of a text that is looked for: a sentence or two, and never a page.
pub const MAX_TEXT_BYTES: usize = 1024;
/// Bytes of a header's value that a message repeats.
const MAX_SHOWN_BYTES: usize = 120;

/// What a page is expected to answer. Nothing of it is expected where it is empty: a status under 400 will do.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Expectations {
    /// The status is one of these. A redirect that is among them is not followed.
    pub status: Vec<StatusRange>,
    /// The body contains this.
    pub text: Option<ExpectedText>,
    /// Each of these headers is there.
    pub headers: Vec<ExpectedHeader>,
    /// No certificate expires in fewer days.
    pub certificate_days: Option<u32>,
}

/// Statuses from one to another, both included.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct StatusRange {
    first: u16,
    last: u16,
}

/// A text to be found in a body.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ExpectedText(String);

/// A header that is to be there, with any value or with this one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ExpectedHeader {
    pub(crate) name: HeaderName,
    value: Option<String>,
}

/// Why something can't be expected.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum InvalidExpectation {
    /// Not a status.
    #[error("{0:?} is no status: write one from 200 to 599, or a range as 200-299")]
    Status(String),
    /// Not a text that can be looked for.
    #[error("a text to look for has 1 to {MAX_TEXT_BYTES} bytes")]
    Text,
    /// Not a header.
    #[error("{0:?} is no header: write its name, or NAME: VALUE")]
    Header(String),
}

/// What was expected, and what came instead.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Unmet {
    /// Another status.
    #[error("the server answered with status {status}; expected was {expected}")]
    Status {
        /// What came.
        status: u16,
        /// What would have been right.
        expected: String,
    },
    /// The body lacks the text.
    #[error("the body does not contain {text:?}{within}; it came with status {status}{about}")]
    Text {
        /// What was looked for.
        text: String,
        /// Where it was looked for, if not in all of it.
        within: &'static str,
        /// The status of the answer.
        status: u16,
        /// What the answer says that the body is.
        about: String,
    },
    /// A header is absent.
    #[error("the answer, with status {status}, has no header {name}")]
    NoHeader {
        /// Which.
        name: String,
        /// The status of the answer.
        status: u16,
    },
    /// A header says something else.
    #[error("header {name} is {came}; expected was {expected:?}")]
    OtherHeader {
        /// Which.
        name: String,
        /// What came.
        came: String,
        /// What would have been right.
        expected: String,
    },
    /// A certificate is about to expire.
    #[error("a certificate expires in {days} days; expected were at least {expected}")]
    CertificateDays {
        /// What is left.
        days: i64,
        /// What would have been right.
        expected: u32,
    },
}

impl Unmet {
    /// Where the measurement fails.
    pub(crate) fn stage(&self) -> ErrorStage {
        match self {
            Self::Status { .. } | Self::Text { .. } | Self::NoHeader { .. } | Self::OtherHeader { .. } => {
                ErrorStage::Http
            }
            Self::CertificateDays { .. } => ErrorStage::Tls,
        }
    }
}

impl Expectations {
    /// Whether this status is one of those that are named.
    pub(crate) fn names(&self, status: u16) -> bool {
        self.status.iter().any(|range| range.holds(status))
    }

    /// Whether the status is right; where none is named, any under 400 is.
    pub(crate) fn check_status(&self, status: u16) -> Result<(), Unmet> {
        if self.status.is_empty() || self.names(status) {
            return Ok(());
        }
        let expected = self.status.iter().map(ToString::to_string).collect::<Vec<_>>().join(" or ");
        Err(Unmet::Status { status, expected })
    }

    /// Whether the headers are right. `values` has those under a name.
    pub(crate) fn check_headers<'a>(&self, status: u16, values: impl Fn(&str) -> Vec<&'a [u8]>) -> Result<(), Unmet> {
        for ExpectedHeader { name, value } in &self.headers {
            let came = values(name.as_str());
            let Some(first) = came.first().copied() else {
                return Err(Unmet::NoHeader { name: name.to_string(), status });
            };
            if let Some(expected) = value
                && !came.contains(&expected.as_bytes())
            {
                let (name, expected) = (name.to_string(), expected.clone());
                return Err(Unmet::OtherHeader { came: shown(&name, first), name, expected });
            }
        }
        Ok(())
    }

    /// Whether the first certificate to expire is good for long enough. Both are Unix seconds.
    pub(crate) fn check_certificate(&self, expires_s: Option<i64>, now_s: i64) -> Result<(), Unmet> {
        let (Some(expected), Some(expires_s)) = (self.certificate_days, expires_s) else { return Ok(()) };
        let days = (expires_s - now_s).div_euclid(24 * 60 * 60);
        if days < i64::from(expected) { Err(Unmet::CertificateDays { days, expected }) } else { Ok(()) }
    }
}

/// A value as a message may show it. A cookie may be a secret.
fn shown(name: &str, value: &[u8]) -> String {
    if name == SET_COOKIE.as_str() {
        return "another cookie".to_owned();
    }
    format!("{:?}", String::from_utf8_lossy(&value[..value.len().min(MAX_SHOWN_BYTES)]))
}

impl StatusRange {
    fn holds(self, status: u16) -> bool {
        (self.first..=self.last).contains(&status)
    }
}

impl FromStr for StatusRange {
    type Err = InvalidExpectation;

    fn from_str(text: &str) -> Result<Self, InvalidExpectation> {
        let status = |text: &str| {
            let is_number = text.len() == 3 && text.bytes().all(|byte| byte.is_ascii_digit());
            text.parse().ok().filter(|status| is_number && (200..600).contains(status))
        };
        let (first, last) = text.split_once('-').unwrap_or((text, text));
        match (status(first.trim()), status(last.trim())) {
            (Some(first), Some(last)) if first <= last => Ok(Self { first, last }),
            _ => Err(InvalidExpectation::Status(text.to_owned())),
        }
    }
}

impl fmt::Display for StatusRange {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.first == self.last { write!(f, "{}", self.first) } else { write!(f, "{}-{}", self.first, self.last) }
    }
}

impl ExpectedText {
    /// Begins to look for it.
    pub(crate) fn search(&self) -> Search {
        Search { text: self.0.clone().into_bytes(), end: Vec::new(), is_found: false }
    }

    pub(crate) fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for ExpectedText {
    type Err = InvalidExpectation;

    fn from_str(text: &str) -> Result<Self, InvalidExpectation> {
        if (1..=MAX_TEXT_BYTES).contains(&text.len()) {
            Ok(Self(text.to_owned()))
        } else {
            Err(InvalidExpectation::Text)
        }
    }
}

impl FromStr for ExpectedHeader {
    type Err = InvalidExpectation;

    fn from_str(text: &str) -> Result<Self, InvalidExpectation> {
        let (name, value) = text.split_once(':').map_or((text, None), |(name, value)| (name, Some(value)));
        let name = name.trim().parse().map_err(|_| InvalidExpectation::Header(text.to_owned()))?;
        let value = value.map(|value| value.trim().to_owned());
        Ok(Self { name, value: value.filter(|value| !value.is_empty()) })
    }
}

/// Looks for a text in a body that comes in pieces.
#[derive(Debug)]
pub(crate) struct Search {
    text: Vec<u8>,
    /// What may be its beginning: the end of what has come, shorter than the text.
    end: Vec<u8>,
    pub(crate) is_found: bool,
}

impl Search {
    pub(crate) fn push(&mut self, piece: &[u8]) {
        if self.is_found || piece.is_empty() {
            return;
        }
        let keep = self.text.len() - 1;
        self.end.extend_from_slice(&piece[..piece.len().min(keep)]);
        self.is_found =
            memchr::memmem::find(&self.end, &self.text).or_else(|| memchr::memmem::find(piece, &self.text)).is_some();
        if piece.len() >= keep {
            self.end.clear();
            self.end.extend_from_slice(&piece[piece.len() - keep..]);
        } else {
            let surplus = self.end.len().saturating_sub(keep);
            self.end.drain(..surplus);
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn range(text: &str) -> Result<StatusRange, String> {
        text.parse().map_err(|error: InvalidExpectation| error.to_string())
    }

    #[test]
    fn a_status_is_a_number_or_a_range() {
        assert!(range("204").unwrap().holds(204) && !range("204").unwrap().holds(205));
        let range_of_success = range("200-299").unwrap();
        assert!(range_of_success.holds(200) && range_of_success.holds(299) && !range_of_success.holds(300));
        for text in ["", "2xx", "20", "2000", "100", "600", "300-200", "200-", "-299", "+20"] {
            assert!(range(text).unwrap_err().contains("200-299"), "{text}");
        }
    }

    fn expect_headers(headers: &[&str], came: &[(&str, &str)]) -> Result<(), String> {
        let headers = headers.iter().map(|text| text.parse().unwrap()).collect();
        let expectations = Expectations { headers, ..Expectations::default() };
        let checked = expectations.check_headers(200, |name| {
            came.iter().filter(|(known, _)| name == *known).map(|(_, value)| value.as_bytes()).collect()
        });
        checked.map_err(|unmet| unmet.to_string())
    }

    #[test]
    fn a_header_is_there_with_any_value_or_with_one() {
        let came = [("x-a", "1"), ("x-a", "2"), ("set-cookie", "secret=1")];
        assert_eq!(expect_headers(&["X-A", "x-a: 2"], &came), Ok(()));
        assert_eq!(expect_headers(&["x-b"], &came).unwrap_err(), "the answer, with status 200, has no header x-b");
        assert_eq!(expect_headers(&["x-a: 3"], &came).unwrap_err(), "header x-a is \"1\"; expected was \"3\"");
        assert_eq!(
            expect_headers(&["set-cookie: x"], &came).unwrap_err(),
            "header set-cookie is another cookie; expected was \"x\""
        );
        for text in ["", ": x", "a b"] {
            assert!(text.parse::<ExpectedHeader>().is_err(), "{text:?}");
        }
    }

    #[test]
    fn a_certificate_has_whole_days_left() {
        let expectations = Expectations { certificate_days: Some(14), ..Expectations::default() };
        let day = 24 * 60 * 60;
        assert_eq!(expectations.check_certificate(Some(14 * day), 0), Ok(()));
        assert_eq!(expectations.check_certificate(None, 0), Ok(()));
        let message = expectations.check_certificate(Some(14 * day - 1), 0).unwrap_err().to_string();
        assert_eq!(message, "a certificate expires in 13 days; expected were at least 14");
    }

    proptest! {
        #[test]
        fn a_text_is_found_however_the_body_is_cut(
            text in "[ab]{1,4}", body in "[ab]{0,24}", cuts in proptest::collection::vec(0_usize..24, 0..5),
        ) {
            let mut cuts = cuts.into_iter().filter(|cut| *cut <= body.len()).collect::<Vec<_>>();
            cuts.extend([0, body.len()]);
            cuts.sort_unstable();
            let mut search = text.parse::<ExpectedText>().unwrap().search();
            for pair in cuts.windows(2) {
                search.push(&body.as_bytes()[pair[0]..pair[1]]);
            }
            prop_assert_eq!(search.is_found, body.contains(&text));
        }
    }
}
