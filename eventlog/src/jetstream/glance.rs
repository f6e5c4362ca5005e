//! The client of a line, without parsing the line: one thread follows the stream and looks at each of its lines.
//!
//! Decision: D-018.

use std::sync::LazyLock;

use memchr::memchr;
use memchr::memmem::Finder;

/// The name of the member as probes write it.
const NAME: &[u8] = br#""client_id""#;

static FIND_NAME: LazyLock<Finder<'static>> = LazyLock::new(|| Finder::new(NAME));

/// The client of a line: where the line is an event, it is that event's. `None` if only parsing can tell.
///
/// It is certain since in a line without a backslash each quotation mark begins or ends a text. So what looks like the
/// name is a text of its own, and an event has a member of this name; where the line holds it once, this is the member.
pub(super) fn client_at_a_glance(line: &[u8]) -> Option<&str> {
    let name = FIND_NAME.find(line)?;
    let rest = &line[name + NAME.len()..];
    if FIND_NAME.find(rest).is_some() || memchr(b'\\', line).is_some() {
        return None;
    }
    let value = rest.trim_ascii_start().strip_prefix(b":")?.trim_ascii_start().strip_prefix(b"\"")?;
    std::str::from_utf8(&value[..memchr(b'"', value)?]).ok()
}

#[cfg(test)]
mod tests {
    use netqoe_model::Event;
    use proptest::prelude::*;

    use super::*;

    fn line(members: &str) -> String {
        format!(r#"{{"event_id":"e","ts_ms":1,"target":"t","timing_measurements":{{}}{members}}}"#)
    }

    #[test]
    fn what_is_plain_is_seen_and_what_is_not_is_left_to_the_parser() {
        for (members, client) in [
            (r#","client_id":"c""#, Some("c")),
            (",\"client_id\" :\t\"c é\"", Some("c é")),
            (r#","client_id":"client_id""#, None),
            (r#","client_id":"a","client_id":"b""#, None),
            (r#","client_id":"a","client\u005fid":"b""#, None),
            (r#","client_id":"a","network_context":{"client_id":"b"}"#, None),
            (r#","client_id":null"#, None),
            (r#","client":"c""#, None),
        ] {
            assert_eq!(client_at_a_glance(line(members).as_bytes()), client, "{members}");
        }
        assert_eq!(client_at_a_glance(br#"{"client_id":"c"#), None);
        assert_eq!(client_at_a_glance(b"{\"client_id\":\"\xff\"}"), None);
    }

    /// Pieces of which lines are made, well and badly.
    fn piece() -> impl Strategy<Value = &'static str> {
        proptest::sample::select(vec![
            r#","client_id":"a""#,
            r#","client_id":"b""#,
            r#","client\u005fid":"b""#,
            r#", "client_id" : "c\"d""#,
            r#","network_context":{"client_id":"n"}"#,
            r#","x":"client_id""#,
            r#","client_id""#,
            r#","","#,
            "\"",
            ":",
            "{",
            "}",
            "client_id",
            "\\",
            "\u{b}",
        ])
    }

    proptest! {
        #[test]
        fn it_is_the_client_of_the_event(pieces in proptest::collection::vec(piece(), 0..5)) {
            let line = line(&pieces.concat());
            if let (Some(client), Ok(event)) = (client_at_a_glance(line.as_bytes()), Event::parse(line.as_bytes())) {
                prop_assert_eq!(client, event.client_id);
            }
        }

        #[test]
        fn any_bytes_are_looked_at(line: Vec<u8>) {
            client_at_a_glance(&line);
        }
    }
}
