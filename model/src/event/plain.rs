//! Lines as probes write them, in one pass: texts and names without escapes, numbers as decimals. A third of the
//! time that any JSON takes.
//!
//! What is read here is what [`super::json`] reads. Whatever is out of the ordinary, the line is left to that: a
//! backslash, an exponent, more than 15 digits, nesting that is deep, and everything that is an error.
//!
//! Decision: D-036.

use std::borrow::Cow;

use super::members::{Place, Raw, RawTimings, Scalar, Timings};

/// The most digits of a number: below 10¹⁵ every whole number is one of `f64`.
const MAX_DIGITS: usize = 15;
/// The powers of ten that a fraction is divided by, indexed by its number of digits. All are exact in `f64`, so one division of two
/// exact numbers gives the nearest `f64`, as a full conversion does.
const POWERS_OF_TEN: [f64; MAX_DIGITS + 1] =
    [1e0, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8, 1e9, 1e10, 1e11, 1e12, 1e13, 1e14, 1e15];
/// How deeply an ignored value may be nested.
const MAX_DEPTH: usize = 16;

/// The members of a line; `None` if the line needs the general parser.
pub(super) fn read(text: &str) -> Option<Raw<'_>> {
    let mut raw = Raw::default();
    let mut line = Line { text, at: 0 };
    line.object(|line, name| {
        match raw.place(name.as_bytes()) {
            Place::Scalar(scalar) => *scalar = line.scalar()?,
            Place::Optional(scalar) => *scalar = Some(line.scalar()?),
            Place::Timings(timings) => line.timings(timings.insert(Timings::Null))?,
            Place::Text(text) => *text = Some(line.passed_over()?),
            Place::Nowhere => _ = line.passed_over()?,
        }
        Some(())
    })?;
    (line.next_token().is_none()).then_some(raw)
}

/// A line that is read from left to right. Between calls, `at` is a boundary of characters.
struct Line<'a> {
    text: &'a str,
    at: usize,
}

impl<'a> Line<'a> {
    /// What comes next, beyond white space; none at the end.
    fn next_token(&mut self) -> Option<u8> {
        let bytes = self.text.as_bytes();
        while let Some(&byte) = bytes.get(self.at) {
            if !matches!(byte, b' ' | b'\t' | b'\r' | b'\n') {
                return Some(byte);
            }
            self.at += 1;
        }
        None
    }

    /// Passes over `token`, if that comes next.
    fn take(&mut self, token: u8) -> Option<()> {
        let found = self.next_token() == Some(token);
        self.at += usize::from(found);
        found.then_some(())
    }

    /// An object, the value of each member read by `member`.
    fn object(&mut self, mut member: impl FnMut(&mut Self, &'a str) -> Option<()>) -> Option<()> {
        self.take(b'{')?;
        if self.take(b'}').is_some() {
            return Some(());
        }
        loop {
            let name = self.string()?;
            self.take(b':')?;
            member(self, name)?;
            if self.take(b',').is_none() {
                return self.take(b'}');
            }
        }
    }

    /// Measurements, into `place`, which holds none.
    fn timings(&mut self, place: &mut Timings<'a>) -> Option<()> {
        if self.next_token()? == b'n' {
            return self.word("null");
        }
        *place = Timings::Object(RawTimings::default());
        let Timings::Object(timings) = place else { return None };
        self.object(|line, name| {
            match timings.place(name.as_bytes()) {
                Some(scalar) => *scalar = line.scalar()?,
                None => _ = line.passed_over()?,
            }
            Some(())
        })
    }

    fn scalar(&mut self) -> Option<Scalar<'a>> {
        match self.next_token()? {
            b'"' => self.string().map(|text| Scalar::Text(Cow::Borrowed(text))),
            b'n' => self.word("null").map(|()| Scalar::Null),
            _ => self.number(),
        }
    }

    /// The text of a value that nobody looks into here.
    fn passed_over(&mut self) -> Option<&'a str> {
        self.next_token()?;
        let start = self.at;
        self.pass_over(MAX_DEPTH)?;
        Some(&self.text[start..self.at])
    }

    fn pass_over(&mut self, depth: usize) -> Option<()> {
        let deeper = depth.checked_sub(1)?;
        match self.next_token()? {
            b'"' => self.string().map(|_| ()),
            b'n' => self.word("null"),
            b't' => self.word("true"),
            b'f' => self.word("false"),
            b'{' => self.object(|line, _| line.pass_over(deeper)),
            b'[' => self.array(deeper),
            _ => self.number().map(|_| ()),
        }
    }

    fn array(&mut self, depth: usize) -> Option<()> {
        self.take(b'[')?;
        if self.take(b']').is_some() {
            return Some(());
        }
        loop {
            self.pass_over(depth)?;
            if self.take(b',').is_none() {
                return self.take(b']');
            }
        }
    }

    fn word(&mut self, word: &str) -> Option<()> {
        let found = self.text.as_bytes()[self.at..].starts_with(word.as_bytes());
        self.at += word.len();
        found.then_some(())
    }

    /// A text in which nothing is escaped.
    fn string(&mut self) -> Option<&'a str> {
        self.take(b'"')?;
        let start = self.at;
        let end = start + first_special(&self.text.as_bytes()[start..])?;
        self.at = end + 1;
        (self.text.as_bytes()[end] == b'"').then(|| &self.text[start..end])
    }

    /// A number that is not negative, of at most [`MAX_DIGITS`] digits and without an exponent.
    fn number(&mut self) -> Option<Scalar<'a>> {
        let start = self.at;
        let whole = self.digits(0);
        let whole_digits = self.at - start;
        let leads_with_zero = self.text.as_bytes().get(start) == Some(&b'0');
        if whole_digits == 0 || (leads_with_zero && whole_digits > 1) {
            return None;
        }
        let is_whole = self.text.as_bytes().get(self.at) != Some(&b'.');
        let (mantissa, fraction_digits) = if is_whole {
            (whole, 0)
        } else {
            self.at += 1;
            let fraction = self.at;
            (self.digits(whole), self.at - fraction)
        };
        let ends = !matches!(self.text.as_bytes().get(self.at), Some(b'e' | b'E' | b'.'));
        if !ends || whole_digits + fraction_digits > MAX_DIGITS || (fraction_digits == 0 && !is_whole) {
            return None;
        }
        Some(if is_whole {
            Scalar::Integer(mantissa as i64)
        } else {
            Scalar::Float(mantissa as f64 / POWERS_OF_TEN[fraction_digits])
        })
    }

    /// The digits that come next, behind those of `before`. Wraps around where they are too many for any use.
    fn digits(&mut self, before: u64) -> u64 {
        let mut value = before;
        while let Some(digit @ b'0'..=b'9') = self.text.as_bytes().get(self.at) {
            value = value.wrapping_mul(10).wrapping_add(u64::from(digit - b'0'));
            self.at += 1;
        }
        value
    }
}

/// Where a text ends or needs a closer look: the first quotation mark, backslash, or control character. Eight bytes at
/// a time: a byte below `n` has no high bit, and gets one when `n` is taken from it.
fn first_special(bytes: &[u8]) -> Option<usize> {
    const EACH: u64 = u64::from_le_bytes([1; 8]);
    let below = |word: u64, n: u64| word.wrapping_sub(EACH * n) & !word & (EACH << 7);
    let (words, rest) = bytes.as_chunks::<8>();
    for (index, word) in words.iter().enumerate() {
        let word = u64::from_le_bytes(*word);
        let equal = |byte: u8| below(word ^ (EACH * u64::from(byte)), 1);
        // A borrow can only mark bytes behind one that is rightly marked.
        let marked = below(word, u64::from(b' ')) | equal(b'"') | equal(b'\\');
        if marked != 0 {
            return Some(8 * index + marked.trailing_zeros() as usize / 8);
        }
    }
    let special = |byte: &u8| *byte < b' ' || matches!(byte, b'"' | b'\\');
    rest.iter().position(special).map(|at| bytes.len() - rest.len() + at)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::event::json;

    /// A line as probes write it.
    const ORDINARY: &str = r#"{"schema_version":"1.0","event_id":"0190b3f5-7c1e-7000-8000-000000000001","client_id":"c-é",
        "ts_ms":1700000000123,"target":"https://example.net/","error_stage":null,"extra":[1,{"a":true},"x"],
        "timing_measurements":{"dns_ms":15.3,"tcp_ms":0,"tls_ms":null,"ttfb_ms":125.875,"throughput_mbps":94.05},
        "network_context":{"network_type":"wifi","isp":"Example", "asn":64500},
        "client_labels":{"team":"core","site":"Oslo"},"target_labels":{}, "recv_ts_ms":1700000000456}"#;

    /// Whatever is read here, serde reads the same.
    #[track_caller]
    fn agrees(text: &str) -> bool {
        let Some(raw) = read(text) else { return false };
        assert_eq!(json::read(text).as_ref(), Ok(&raw), "{text}");
        true
    }

    #[test]
    fn ordinary_lines_are_read_here() {
        assert!(agrees(ORDINARY));
        assert!(agrees(r#"{"timings":{"http_ttfb_ms":2},"throughput_kbps":1500}"#));
        assert!(agrees("{}"));
        assert!(agrees(" {\t\"x\" : [ ] , \"y\":{ },\"ts_ms\": 999999999999999 }\r\n"));
        assert!(agrees(r#"{"ts_ms":1,"ts_ms":2.50,"timings":null,"timings":{"dns_ms":3,"dns_ms":0.001}}"#));
    }

    #[test]
    fn what_needs_a_closer_look_is_left_to_it() {
        for value in
            ["-1", "1e3", "1.5E1", "01", "1.", ".5", "1234567890123456", "0.1234567890123456", "true", "\"\\n\"", "[]"]
        {
            assert!(!agrees(&format!(r#"{{"ts_ms":{value}}}"#)), "{value}");
        }
        for text in
            ["", "{", "{}x", "{\"a\":1,}", "{\"a\" 1}", "[1]", "nul", "{\"a\":nulx}", "{\"a\":[1,]}", "{\"a\u{1}\":1}"]
        {
            assert!(!agrees(text), "{text}");
        }
        let deep = |depth: usize| format!(r#"{{"x":{}{}}}"#, "[".repeat(depth), "]".repeat(depth));
        assert!(agrees(&deep(MAX_DEPTH)));
        assert!(!agrees(&deep(MAX_DEPTH + 1)));
    }

    /// Pieces of which lines are made, well and badly.
    fn piece() -> impl Strategy<Value = String> {
        prop_oneof![
            8 => proptest::sample::select(vec![
                "{", "}", "[", "]", ",", ":", "\"", "\\", " ", "\n", "null", "true", "false", "\"ts_ms\":", "\"target\":",
                "\"timings\":", "\"dns_ms\":", "\"network_context\":", "\"client_labels\":", "\"x\"", "\"é\"", "0", "-", ".", "e", "\u{0}",
            ]).prop_map(str::to_owned),
            2 => "[0-9]{1,17}(\\.[0-9]{1,17})?",
            1 => any::<String>(),
        ]
    }

    proptest! {
        #[test]
        fn pieces_put_together_are_read_alike(pieces in proptest::collection::vec(piece(), 0..24)) {
            agrees(&pieces.concat());
        }

        #[test]
        fn an_ordinary_line_with_a_change_is_read_alike(at in 0..ORDINARY.len(), removed in 0_usize..4, piece in piece()) {
            let boundary = |at: usize| (at..).find(|at| ORDINARY.is_char_boundary(*at)).unwrap();
            let (start, end) = (boundary(at), boundary((at + removed).min(ORDINARY.len())));
            agrees(&format!("{}{piece}{}", &ORDINARY[..start], &ORDINARY[end..]));
        }

        #[test]
        fn decimals_are_the_nearest_of_their_kind(whole in 0_u64..100_000_000, fraction in "[0-9]{1,7}") {
            let text = format!(r#"{{"timings":{{"dns_ms":{whole}.{fraction}}}}}"#);
            prop_assert!(agrees(&text));
        }
    }
}
