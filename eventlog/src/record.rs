//! One event as a line of text: on one line, and with the time at which it was taken.
//!
//! Decision: D-001.

use std::borrow::Cow;
use std::fmt;

use serde::de::{MapAccess, Visitor};
use serde::{Deserialize, Deserializer};
use serde_json::value::RawValue;

/// The member that says when an event was taken, in Unix milliseconds.
const RECV_TS_MS: &str = "recv_ts_ms";
/// The member that says what was measured.
const TARGET: &str = "target";
/// The member that says how the sender had spelled that, where it was in another way.
const SENT_TARGET: &str = "sent_target";

/// The JSON object in `line`, on one line, with `recv_ts_ms` set to this time as its last member, in place of one or
/// several that are there. Every other member keeps its text and its order. `None` if it is not a JSON object: no time can
/// be set in it, and none that a sender has written may stay. Whatever `netqoe_model::Event::parse` reads is one.
pub fn with_recv_ts(line: &[u8], recv_ts_ms: i64) -> Option<Vec<u8>> {
    stamped(line, recv_ts_ms, None)
}

/// The same, with this target in the place of the one that was sent, which is kept as `sent_target`.
pub fn with_recv_ts_and_target(line: &[u8], recv_ts_ms: i64, target: &str, sent_target: &str) -> Option<Vec<u8>> {
    // A text can always be written.
    let [target, sent_target] = [target, sent_target].map(|text| serde_json::to_string(text).unwrap_or_default());
    stamped(line, recv_ts_ms, Some([&target, &sent_target]))
}

/// `respelled` is the JSON of the target, and of the one that was sent.
fn stamped(line: &[u8], recv_ts_ms: i64, respelled: Option<[&str; 2]>) -> Option<Vec<u8>> {
    let object = Object::parse(line)?;
    let mut stamped = Vec::with_capacity(line.len() + MEMBER_BYTES);
    stamped.push(b'{');
    for (name, value) in &object.members {
        let (name, value) = (name.get(), value.get());
        match respelled {
            _ if is_named(name, RECV_TS_MS) => {}
            Some(_) if is_named(name, SENT_TARGET) => {}
            Some([target, _]) if is_named(name, TARGET) => push_member(&mut stamped, name, target),
            _ => push_member(&mut stamped, name, value),
        }
    }
    put_on_one_line(&mut stamped);
    if let Some([_, sent_target]) = respelled {
        push_member(&mut stamped, &format!("\"{SENT_TARGET}\""), sent_target);
    }
    stamped.extend_from_slice(format!("\"{RECV_TS_MS}\":{recv_ts_ms}}}").as_bytes());
    Some(stamped)
}

/// As [`with_recv_ts`], for a JSON object that is known to have no `recv_ts_ms`, as `netqoe_model::Event::has_recv` tells: much
/// cheaper, since it needs no parsing. `None` if its first and last bytes are not those of one.
pub fn add_recv_ts(object: &[u8], recv_ts_ms: i64) -> Option<Vec<u8>> {
    let object = object.trim_ascii();
    let object = object.strip_prefix("\u{feff}".as_bytes()).map_or(object, <[u8]>::trim_ascii_start);
    let members = object.strip_suffix(b"}").filter(|members| members.starts_with(b"{"))?;
    let members = members.trim_ascii_end();
    let comma = if members.ends_with(b"{") { "" } else { "," };
    let mut stamped = Vec::with_capacity(members.len() + MEMBER_BYTES);
    stamped.extend_from_slice(members);
    put_on_one_line(&mut stamped);
    stamped.extend_from_slice(format!("{comma}\"{RECV_TS_MS}\":{recv_ts_ms}}}").as_bytes());
    Some(stamped)
}

/// The line with this time if it is a JSON object. Otherwise the line unchanged, on one line: no reader takes it for an
/// event, and it stays in the log for inspection.
pub fn stamped_or_as_it_is(line: &[u8], recv_ts_ms: i64) -> Vec<u8> {
    with_recv_ts(line, recv_ts_ms).unwrap_or_else(|| {
        let mut line = line.to_vec();
        put_on_one_line(&mut line);
        line
    })
}

/// Adds a member and a comma.
fn push_member(line: &mut Vec<u8>, name: &str, value: &str) {
    for part in [name, ":", value, ","] {
        line.extend_from_slice(part.as_bytes());
    }
}

/// Bytes that the member adds, at most: `,"recv_ts_ms":` and the longest number.
const MEMBER_BYTES: usize = 40;

/// Puts spaces in place of line ends. Within JSON they can only stand between tokens.
pub(crate) fn put_on_one_line(line: &mut [u8]) {
    if memchr::memchr2(b'\n', b'\r', line).is_some() {
        line.iter_mut().filter(|byte| matches!(byte, b'\n' | b'\r')).for_each(|byte| *byte = b' ');
    }
}

/// Whether this JSON text of a member's name, which may hold escapes, says this name.
fn is_named(text: &str, name: &str) -> bool {
    // One whose escapes make no text is some other name.
    serde_json::from_str::<Cow<'_, str>>(text).is_ok_and(|text| text == name)
}

/// A JSON object's members as they are written.
struct Object<'a> {
    members: Vec<(&'a RawValue, &'a RawValue)>,
}

impl<'a> Object<'a> {
    fn parse(line: &'a [u8]) -> Option<Self> {
        let text = std::str::from_utf8(line).ok()?;
        // A byte order mark is passed over, as where events are read.
        serde_json::from_str(text.strip_prefix('\u{feff}').unwrap_or(text)).ok()
    }
}

impl<'de> Deserialize<'de> for Object<'de> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_map(ObjectVisitor)
    }
}

struct ObjectVisitor;

impl<'de> Visitor<'de> for ObjectVisitor {
    type Value = Object<'de>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a JSON object")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Object<'de>, A::Error> {
        let mut members = Vec::new();
        while let Some(member) = map.next_entry()? {
            members.push(member);
        }
        Ok(Object { members })
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::Value;

    use super::*;

    fn check(line: &str, expected: &str) {
        assert_eq!(String::from_utf8(stamped_or_as_it_is(line.as_bytes(), 7)).unwrap(), expected, "{line:?}");
    }

    #[test]
    fn sets_the_time_and_keeps_the_rest_as_written() {
        check("{}", r#"{"recv_ts_ms":7}"#);
        check(r#"{"a": 1.50, "b" :[ 1,2 ]}"#, r#"{"a":1.50,"b":[ 1,2 ],"recv_ts_ms":7}"#);
        check(r#"{"recv_ts_ms":1,"a":1e2,"recv_ts_ms":"x"}"#, r#"{"a":1e2,"recv_ts_ms":7}"#);
        check(r#"{"recv\u005fts_ms":1,"a":{"recv_ts_ms":1}}"#, r#"{"a":{"recv_ts_ms":1},"recv_ts_ms":7}"#);
        check("{\n \"a\": {\r\n  \"b\": \"\\n\"\n }\n}\n", r#"{"a":{    "b": "\n"  },"recv_ts_ms":7}"#);
        check("\u{feff}{\"a\":1}", r#"{"a":1,"recv_ts_ms":7}"#);
        check(r#"{"\ud800":1}"#, r#"{"\ud800":1,"recv_ts_ms":7}"#);
    }

    #[test]
    fn a_target_is_replaced_and_what_was_sent_is_kept() {
        for (line, expected) in [
            (
                r#"{"a": 1.50,"target":"T\u0041","recv_ts_ms":1}"#,
                r#"{"a":1.50,"target":"n","sent_target":"\"s","recv_ts_ms":7}"#,
            ),
            (
                "{\"targe\\u0074\":\"x\",\n\"sent_target\":\"y\",\"target\":\"z\"}",
                r#"{"targe\u0074":"n","target":"n","sent_target":"\"s","recv_ts_ms":7}"#,
            ),
        ] {
            let stamped = with_recv_ts_and_target(line.as_bytes(), 7, "n", "\"s").unwrap();
            assert_eq!(String::from_utf8(stamped).unwrap(), expected);
        }
        assert_eq!(with_recv_ts_and_target(b"[]", 7, "n", "s"), None);
    }

    #[test]
    fn what_is_no_object_stays_as_it_is() {
        for line in ["", "null", "[{}]", "3", "{", r#"{"a":1} x"#, "text with } at its end }"] {
            check(line, line);
            assert_eq!(with_recv_ts(line.as_bytes(), 7), None, "{line}");
        }
        check("{\n", "{ ");
        assert_eq!(stamped_or_as_it_is(b"\xff\n}", 7), b"\xff }");
        check("{\"a\u{1}\":1,\"recv_ts_ms\":9}", "{\"a\u{1}\":1,\"recv_ts_ms\":9}");
    }

    #[test]
    fn adds_the_time_without_parsing() {
        for (object, expected) in [
            ("{}", r#"{"recv_ts_ms":-7}"#),
            ("{ }\n", r#"{"recv_ts_ms":-7}"#),
            ("\u{feff} {}", r#"{"recv_ts_ms":-7}"#),
            (r#"{"a":{}}"#, r#"{"a":{},"recv_ts_ms":-7}"#),
            ("{\n\"a\": 1\n}\n", r#"{ "a": 1,"recv_ts_ms":-7}"#),
        ] {
            assert_eq!(String::from_utf8(add_recv_ts(object.as_bytes(), -7).unwrap()).unwrap(), expected, "{object:?}");
        }
        for other in ["no object", "", "}", "[{}", "\u{feff}\u{feff}{}"] {
            assert_eq!(add_recv_ts(other.as_bytes(), 7), None, "{other:?}");
        }
    }

    fn json() -> impl Strategy<Value = Value> {
        let leaf = prop_oneof![
            Just(Value::Null),
            any::<bool>().prop_map(Value::from),
            any::<i64>().prop_map(Value::from),
            any::<String>().prop_map(Value::from),
        ];
        leaf.prop_recursive(3, 20, 4, |inner| {
            let name = prop_oneof![any::<String>(), Just(RECV_TS_MS.to_owned())];
            prop_oneof![
                proptest::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
                proptest::collection::btree_map(name, inner, 0..4).prop_map(|members| members.into_iter().collect()),
            ]
        })
    }

    proptest! {
        #[test]
        fn sets_one_member_of_any_object(mut value in json(), recv_ts_ms: i64, pretty: bool) {
            let text = if pretty { format!("{value:#}") } else { value.to_string() };
            let stamped = stamped_or_as_it_is(text.as_bytes(), recv_ts_ms);
            prop_assert!(!stamped.contains(&b'\n'));
            let has_recv = value.get(RECV_TS_MS).is_some();
            if let Value::Object(members) = &mut value {
                members.insert(RECV_TS_MS.to_owned(), recv_ts_ms.into());
                if !has_recv {
                    let added = add_recv_ts(text.as_bytes(), recv_ts_ms).unwrap();
                    prop_assert!(!added.contains(&b'\n'));
                    prop_assert_eq!(&serde_json::from_slice::<Value>(&added).unwrap(), &value);
                }
            }
            prop_assert_eq!(serde_json::from_slice::<Value>(&stamped).unwrap(), value);
        }

        #[test]
        fn any_bytes_come_back_on_one_line(line: Vec<u8>, recv_ts_ms: i64) {
            let added = add_recv_ts(&line, recv_ts_ms);
            for stamped in added.into_iter().chain([stamped_or_as_it_is(&line, recv_ts_ms)]) {
                prop_assert!(!stamped.contains(&b'\n') && !stamped.contains(&b'\r'));
            }
        }
    }
}
