//! Names as DNS knows them: labels of any bytes, and not only those that a host may be called.

use std::fmt;

/// Of one label (RFC 1035, section 2.3.4).
const MAX_LABEL_BYTES: usize = 63;
/// Of a whole name in a message, with the lengths of its labels and the empty one at its end.
pub(super) const MAX_NAME_BYTES: usize = 255;

/// A name that can be asked for. Any label may be (RFC 2181, section 11): `my_app`, `-x`, `xn--a` as well as `www`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DnsName {
    /// As a message writes it: each label after its length, and a 0 at the end.
    wire: Vec<u8>,
    /// Whether it ended with a dot, after which nothing of the search list is tried.
    is_absolute: bool,
}

/// Why a text is not a [`DnsName`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum InvalidName {
    /// Two dots in a row, or nothing at all.
    #[error("it has an empty label")]
    EmptyLabel,
    /// More than a message can hold.
    #[error("it has a label of more than 63 bytes")]
    LongLabel,
    /// More than a message can hold.
    #[error("it is longer than 253 bytes")]
    LongName,
    /// `\` with nothing, or no number up to 255, behind it.
    #[error("it has a \\ that escapes nothing")]
    Escape,
}

impl DnsName {
    /// The name that programs mean by `text`: every byte but the dot stands for itself.
    pub fn from_host(text: &str) -> Result<Self, InvalidName> {
        Self::from_bytes(text.bytes().map(|byte| (byte, byte == b'.')))
    }

    /// The name that a zone file would write so: `\.` is a dot within a label, `\032` a space (RFC 1035, section 5.1).
    pub fn from_escaped(text: &[u8]) -> Result<Self, InvalidName> {
        let mut bytes = Vec::with_capacity(text.len());
        let mut left = text.iter().copied();
        while let Some(byte) = left.next() {
            if byte != b'\\' {
                bytes.push((byte, byte == b'.'));
                continue;
            }
            let escaped = left.next().ok_or(InvalidName::Escape)?;
            if !escaped.is_ascii_digit() {
                bytes.push((escaped, false));
                continue;
            }
            let digits = [Some(escaped), left.next(), left.next()];
            let number = digits.iter().try_fold(0_u16, |number, digit| {
                let digit = digit.filter(u8::is_ascii_digit)?;
                Some(number * 10 + u16::from(digit - b'0'))
            });
            let byte = number.and_then(|number| u8::try_from(number).ok()).ok_or(InvalidName::Escape)?;
            bytes.push((byte, false));
        }
        Self::from_bytes(bytes.into_iter())
    }

    /// Of bytes, each with whether it ends a label.
    fn from_bytes(bytes: impl Iterator<Item = (u8, bool)>) -> Result<Self, InvalidName> {
        let (mut wire, mut label, mut is_absolute) = (Vec::new(), Vec::new(), false);
        let push = |wire: &mut Vec<u8>, label: &mut Vec<u8>| match label.len() {
            0 => Err(InvalidName::EmptyLabel),
            length if length > MAX_LABEL_BYTES => Err(InvalidName::LongLabel),
            length => {
                wire.push(length as u8);
                wire.append(label);
                Ok(())
            }
        };
        for (byte, ends_label) in bytes {
            is_absolute = ends_label;
            if ends_label {
                push(&mut wire, &mut label)?;
            } else {
                label.push(byte);
            }
        }
        if !is_absolute {
            push(&mut wire, &mut label)?;
        }
        wire.push(0);
        if wire.len() > MAX_NAME_BYTES {
            return Err(InvalidName::LongName);
        }
        Ok(Self { wire, is_absolute })
    }

    /// The name that is tried with a domain of the search list behind it; `None` if that is too long for one.
    pub(super) fn within(&self, domain: &Self) -> Option<Self> {
        let mut wire = self.wire[..self.wire.len() - 1].to_vec();
        wire.extend_from_slice(&domain.wire);
        (wire.len() <= MAX_NAME_BYTES).then_some(Self { wire, is_absolute: true })
    }

    /// How many dots stand between its labels.
    pub(super) fn dots(&self) -> usize {
        labels(&self.wire).count().saturating_sub(1)
    }

    pub(super) fn is_absolute(&self) -> bool {
        self.is_absolute
    }

    /// As a question holds it.
    pub(super) fn wire(&self) -> &[u8] {
        &self.wire
    }

    /// The name of these bytes, which were read from a message.
    pub(super) fn from_wire(wire: Vec<u8>) -> Self {
        Self { wire, is_absolute: true }
    }

    /// Whether DNS takes both for one name: it knows no difference between `A` and `a`, nor one made by a final dot.
    pub(super) fn is_same(&self, other: &Self) -> bool {
        self.wire.eq_ignore_ascii_case(&other.wire)
    }
}

/// What can't be taken for a part of the notation stands for itself, all else as `\032`. Without the final dot.
impl fmt::Display for DnsName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, label) in labels(&self.wire).enumerate() {
            f.write_str(if index > 0 { "." } else { "" })?;
            for byte in label {
                match byte {
                    b'.' | b'\\' => write!(f, "\\{}", char::from(*byte))?,
                    b'!'..=b'~' => write!(f, "{}", char::from(*byte))?,
                    _ => write!(f, "\\{byte:03}")?,
                }
            }
        }
        Ok(())
    }
}

fn labels(wire: &[u8]) -> impl Iterator<Item = &[u8]> {
    let mut left = wire;
    std::iter::from_fn(move || {
        let (length, rest) = left.split_first()?;
        let (label, rest) = rest.split_at_checked(usize::from(*length))?;
        left = rest;
        (*length > 0).then_some(label)
    })
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn any_label_may_be_asked_for() {
        for text in
            ["www.example.com", "my_app", "_x.test", "x_.test", "-x.test", "x-.test", "xn--a.test", "a$b", "A.b"]
        {
            assert_eq!(DnsName::from_host(text).unwrap().to_string(), text);
        }
        let longest_label = "a".repeat(63);
        assert_eq!(DnsName::from_host(&longest_label).unwrap().to_string(), longest_label);
        assert_eq!(DnsName::from_host("x.test").unwrap().wire(), b"\x01x\x04test\0");
    }

    #[test]
    fn a_final_dot_says_that_nothing_may_follow() {
        let name = DnsName::from_host("x.test.").unwrap();
        assert!(name.is_absolute() && name.dots() == 1 && name.to_string() == "x.test");
        assert!(!DnsName::from_host("x.test").unwrap().is_absolute());
    }

    #[test]
    fn what_no_message_can_hold_is_refused() {
        for (text, error) in [
            ("", InvalidName::EmptyLabel),
            (".", InvalidName::EmptyLabel),
            ("a..b", InvalidName::EmptyLabel),
            (&"a".repeat(64), InvalidName::LongLabel),
            (&["a".repeat(63).as_str(); 4].join("."), InvalidName::LongName),
        ] {
            assert_eq!(DnsName::from_host(text), Err(error), "{text}");
        }
        let longest = ["a".repeat(63), "a".repeat(63), "a".repeat(63), "a".repeat(61)].join(".");
        assert_eq!(DnsName::from_host(&longest).unwrap().wire().len(), MAX_NAME_BYTES);
    }

    #[test]
    fn escapes_are_those_of_zone_files() {
        let name = DnsName::from_escaped(br"my\032printer.a\.b.test").unwrap();
        assert_eq!(name.wire(), b"\x0amy printer\x03a.b\x04test\0");
        assert_eq!(name.to_string(), r"my\032printer.a\.b.test");
        for text in [r"a\", r"a\25", r"a\256", r"a\2x5"] {
            assert_eq!(DnsName::from_escaped(text.as_bytes()), Err(InvalidName::Escape), "{text}");
        }
    }

    #[test]
    fn a_domain_of_the_search_list_that_makes_it_too_long_is_passed_over() {
        let domain = DnsName::from_host("corp.test").unwrap();
        let name = |text: &str| DnsName::from_host(text).unwrap();
        assert_eq!(name("app").within(&domain).unwrap().to_string(), "app.corp.test");
        assert_eq!(name(&["a".repeat(61).as_str(); 4].join(".")).within(&domain), None);
    }

    proptest! {
        #[test]
        fn what_is_shown_is_read_as_the_same_name(text in proptest::collection::vec(any::<u8>(), 0..300)) {
            if let Ok(name) = DnsName::from_escaped(&text) {
                let shown = name.to_string();
                prop_assert!(shown.bytes().all(|byte| byte.is_ascii_graphic()));
                prop_assert!(DnsName::from_escaped(shown.as_bytes()).unwrap().is_same(&name));
            }
        }
    }
}
