//! Which trace a request, a message or a record is part of, as W3C's Trace Context says it in the header `traceparent`.

use std::fmt;
use std::str::FromStr;

/// Characters of a `traceparent` of version 00: `00-`, 32 digits, `-`, 16 digits, `-`, 2 digits.
const CHARS: usize = 55;

/// The flag of a trace that is recorded.
const SAMPLED: u8 = 1;

/// A span, as the spans that follow from it name it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TraceContext {
    /// Which trace. Not all zero.
    pub trace_id: [u8; 16],
    /// Which span of it. Not all zero.
    pub span_id: [u8; 8],
    /// Whether the trace is recorded.
    pub sampled: bool,
}

impl TraceContext {
    /// The name of the header, in HTTP and in messages.
    pub const HEADER: &str = "traceparent";
}

/// A text that is not a `traceparent`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct InvalidTraceContext;

impl FromStr for TraceContext {
    type Err = InvalidTraceContext;

    /// Strict: digits are lower-case, and only versions to come may have more after the flags.
    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let (known, rest) = text.as_bytes().split_at_checked(CHARS).ok_or(InvalidTraceContext)?;
        let parts: Vec<_> = known.split(|character| *character == b'-').collect();
        let [version, trace_id, span_id, flags] = parts[..] else { return Err(InvalidTraceContext) };
        let ([version], [flags]) = (bytes(version)?, bytes(flags)?);
        let is_longer = version != 0 && rest.first() == Some(&b'-');
        if version == 0xff || !(rest.is_empty() || is_longer) {
            return Err(InvalidTraceContext);
        }
        let (trace_id, span_id) = (bytes(trace_id)?, bytes(span_id)?);
        if trace_id == [0; 16] || span_id == [0; 8] {
            return Err(InvalidTraceContext);
        }
        Ok(Self { trace_id, span_id, sampled: flags & SAMPLED != 0 })
    }
}

/// So many bytes in lower-case hexadecimal digits, and nothing else.
fn bytes<const N: usize>(digits: &[u8]) -> Result<[u8; N], InvalidTraceContext> {
    let mut bytes = [0; N];
    if digits.len() != 2 * N {
        return Err(InvalidTraceContext);
    }
    for (byte, pair) in bytes.iter_mut().zip(digits.chunks_exact(2)) {
        *byte = digit(pair[0])? << 4 | digit(pair[1])?;
    }
    Ok(bytes)
}

fn digit(character: u8) -> Result<u8, InvalidTraceContext> {
    match character {
        b'0'..=b'9' => Ok(character - b'0'),
        b'a'..=b'f' => Ok(character - b'a' + 10),
        _ => Err(InvalidTraceContext),
    }
}

impl fmt::Display for TraceContext {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (trace_id, span_id) = (u128::from_be_bytes(self.trace_id), u64::from_be_bytes(self.span_id));
        write!(f, "00-{trace_id:032x}-{span_id:016x}-{:02x}", u8::from(self.sampled))
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const VALID: &str = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";

    #[test]
    fn is_read_as_it_is_written() {
        let context: TraceContext = VALID.parse().unwrap();
        assert_eq!(context.to_string(), VALID);
        assert_eq!((context.trace_id[0], context.span_id[7], context.sampled), (0x4b, 0xb7, true));
        let sampled = |flags: &str| VALID.replace("-01", flags).parse::<TraceContext>().unwrap().sampled;
        assert_eq!(["-00", "-02", "-03", "-ff"].map(sampled), [false, false, true, true]);
    }

    #[test]
    fn a_version_to_come_may_say_more() {
        for text in [VALID.replace("00-4b", "01-4b"), VALID.replace("00-4b", "cc-4b") + "-what-the-future-says"] {
            assert_eq!(text.parse(), VALID.parse::<TraceContext>(), "{text}");
        }
    }

    #[test]
    fn what_is_malformed_is_none() {
        for text in [
            String::new(),
            VALID[..54].to_owned(),
            VALID.to_owned() + "-more",
            VALID.to_owned() + " ",
            " ".to_owned() + &VALID[..54],
            VALID.to_uppercase(),
            VALID.replace('-', "_"),
            VALID.replace("00-4b", "ff-4b"),
            VALID.replace("00-4b", "0x-4b"),
            VALID.replace("00-4b", "01-4b") + ".more",
            VALID.replace("4bf9", "4bg9"),
            VALID.replace("4bf9", "4é9"),
            VALID.replace("-01", "-0g"),
            VALID.replace("4bf92f3577b34da6a3ce929d0e0e4736", &"0".repeat(32)),
            VALID.replace("00f067aa0ba902b7", &"0".repeat(16)),
            VALID.replace("-00f067aa0ba902b7", "0-0f067aa0ba902b7"),
        ] {
            assert_eq!(text.parse::<TraceContext>(), Err(InvalidTraceContext), "{text}");
        }
    }

    proptest! {
        #[test]
        fn any_text_is_a_context_or_none(text in "\\PC{0,60}", digits in "[0-9a-f-]{50,60}") {
            for text in [text, digits] {
                if let Ok(context) = text.parse::<TraceContext>() {
                    prop_assert_eq!(context.to_string().parse(), Ok(context));
                }
            }
        }

        #[test]
        fn any_context_is_read_back(trace_id: [u8; 16], span_id: [u8; 8], sampled: bool) {
            prop_assume!(trace_id != [0; 16] && span_id != [0; 8]);
            let context = TraceContext { trace_id, span_id, sampled };
            prop_assert_eq!(context.to_string().parse(), Ok(context));
        }
    }
}
