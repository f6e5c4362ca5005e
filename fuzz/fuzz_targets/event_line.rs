//! A line that is read as an event is JSON, and says the same in whatever way it is read.

#![no_main]

use libfuzzer_sys::fuzz_target;
use netqoe_eventlog::with_recv_ts;
use netqoe_model::{Event, Tags};
use serde_json::Value;
use serde_json::value::RawValue;

fuzz_target!(|line: &[u8]| {
    let Ok(event) = Event::parse(line) else { return };
    let trimmed = line.trim_ascii();
    let trimmed = trimmed.strip_prefix("\u{feff}".as_bytes()).unwrap_or(trimmed);
    serde_json::from_slice::<&RawValue>(trimmed).expect("an event is JSON");
    for labels in event.labels.into_iter().flatten() {
        let tags = Tags::parse(labels).expect("labels are checked where they are read");
        assert_eq!(Tags::parse(tags.json().unwrap_or("null")), Some(tags), "their text is read back");
    }
    let stamped = with_recv_ts(line, 7).expect("a time can be set in an event");
    let again = Event::parse(&stamped).expect("it is an event still");
    assert_eq!((again.event_id, again.client_id, again.target), (event.event_id, event.client_id, event.target));
    // Numbers beyond a double and escapes that stand for no text are JSON, which this reader refuses.
    if let Ok(value) = serde_json::from_slice::<Value>(&stamped) {
        assert_eq!(value["recv_ts_ms"], 7);
    }
});
