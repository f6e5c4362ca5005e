//! Whatever comes: never a 5xx, and the log holds exactly what was accepted.

use netqoe_model::Event;
use proptest::prelude::*;
use serde_json::{Value, json};

use crate::support::*;

/// Pieces of which something close to a batch is made: valid events, broken ones, and what stands between them.
fn piece() -> impl Strategy<Value = Vec<u8>> {
    prop_oneof![
        4 => "[a-z]{1,8}".prop_map(|id| event(&id, "client").to_string().into_bytes()),
        1 => Just(event_but("ts_ms", json!(-1)).to_string().into_bytes()),
        1 => Just(event_but("recv_ts_ms", json!([1, {"a": null}])).to_string().into_bytes()),
        4 => prop::sample::select(vec!["[", "]", ",", "\n", " ", "{", "}", "\"", "\\", "null", "\r\n", "\u{feff}"])
            .prop_map(|text| text.as_bytes().to_vec()),
        1 => prop::collection::vec(any::<u8>(), 0..20),
    ]
}

fn body() -> impl Strategy<Value = Vec<u8>> {
    let pieces = || prop::collection::vec(piece(), 0..12);
    prop_oneof![
        pieces().prop_map(|pieces| pieces.concat()),
        pieces().prop_map(|pieces| pieces.join(&b'\n')),
        pieces().prop_map(|pieces| [&b"["[..], &pieces.join(&b','), b"]"].concat()),
    ]
}

fn headers() -> impl Strategy<Value = Vec<(&'static str, &'static str)>> {
    let encodings = vec![None, None, None, Some(("content-encoding", "gzip")), Some(("content-encoding", "zstd"))];
    (prop::sample::select(vec![JSON, NDJSON]), prop::sample::select(encodings))
        .prop_map(|(content_type, encoding)| [content_type].into_iter().chain(encoding).collect())
}

/// What the answer says was accepted.
fn invariant_the_log_holds_what_was_accepted(answer: &Answer, log: &[(netqoe_model::Partition, Vec<u8>)]) {
    let accepted = match &answer.body["accepted"] {
        Value::Number(accepted) => accepted.as_u64().unwrap() as usize,
        _ => usize::from(answer.status == 200),
    };
    assert_eq!(accepted, log.len(), "{answer:?}");
    assert_eq!(answer.status == 200, accepted > 0, "{answer:?}");
    for (partition, line) in log {
        let event = Event::parse(line).unwrap();
        assert_eq!(event.recv.unwrap().ms(), NOW_MS);
        assert!(!line.contains(&b'\n'));
        assert_eq!(*partition, netqoe_model::Partition::of(&event.client_id, 16.try_into().unwrap()));
    }
}

proptest! {
    #[test]
    fn any_body_gets_an_answer_and_the_log_what_it_says(headers in headers(), body in body()) {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        let api = Api::new();
        let answer = runtime.block_on(api.post(&headers, body));
        prop_assert!(answer.status == 200 || answer.status == 400, "{answer:?}");
        invariant_the_log_holds_what_was_accepted(&answer, &api.log.lines.lock().unwrap());
    }

    #[test]
    fn lines_are_judged_one_by_one(lines in prop::collection::vec(piece(), 1..12)) {
        let lines: Vec<Vec<u8>> = lines.into_iter().filter(|line| !line.contains(&b'\n')).collect();
        let expected = lines.iter().filter(|line| Event::parse(line.trim_ascii()).is_ok() && !line.contains(&0xc)).count();
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        let api = Api::new();
        runtime.block_on(api.post(&[NDJSON], lines.join(&b'\n')));
        prop_assert_eq!(api.log.lines.lock().unwrap().len(), expected);
    }
}
