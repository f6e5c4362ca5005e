//! The rules, one by one.

use super::*;

fn line(members: &str) -> String {
    format!(r#"{{"event_id":"e","client_id":"c","ts_ms":1,"target":"t","timing_measurements":{{}}{members}}}"#)
}

#[track_caller]
#[allow(clippy::needless_pass_by_value)] // so that calls read as a table
fn check(members: &str, expected: Result<Samples, Invalid>) {
    let line = line(members);
    assert_eq!(Event::parse(line.as_bytes()).map(|event| event.samples), expected, "{line}");
}

#[test]
fn reads_both_dialects() {
    check(
        r#","timing_measurements":{"dns_ms":15.3,"ttfb_ms":125.8}"#,
        Ok([Some(15_300), None, None, Some(125_800), None]),
    );
    let spoken = r#"{"event_id":"e","client_id":"c","ts_ms":1,"target":"t","timings":{"http_ttfb_ms":2},"throughput_kbps":1500}"#;
    assert_eq!(Event::parse(spoken.as_bytes()).unwrap().samples, [None, None, None, Some(2_000), Some(1_500)]);
    check(r#","timings":{"dns_ms":1}"#, Ok([None; 5])); // hidden by timing_measurements
    check(r#","timing_measurements":null,"timings":{"dns_ms":1}"#, Err(Invalid::Timings));
    check(r#","timing_measurements":null,"error_stage":"DNS""#, Ok([None; 5]));
}

#[test]
fn the_last_of_equal_members_counts() {
    check(r#","ts_ms":"x","ts_ms":5"#, Ok([None; 5]));
    check(r#","ts_ms":5,"ts_ms":"x""#, Err(Invalid::Timestamp));
    check(
        r#","timing_measurements":{"dns_ms":"x"},"timing_measurements":{"dns_ms":1}"#,
        Ok([Some(1_000), None, None, None, None]),
    );
}

#[test]
fn the_other_dialect_is_looked_at_only_where_it_is_needed() {
    check(r#","timing_measurements":{"ttfb_ms":1,"http_ttfb_ms":"x"}"#, Ok([None, None, None, Some(1_000), None]));
    check(r#","timing_measurements":{"ttfb_ms":null,"http_ttfb_ms":"x"}"#, Err(Invalid::Measurement("http_ttfb_ms")));
    check(
        r#","timing_measurements":{"throughput_mbps":1},"throughput_kbps":-1"#,
        Ok([None, None, None, None, Some(1_000)]),
    );
}

#[test]
fn measurements_are_numbers_that_can_be_measured() {
    for bad in ["-1", "-0.001", "1000000000001", "1e13", "true", "\"1\"", "[]", "{}", "18446744073709551616"] {
        check(&format!(r#","timing_measurements":{{"dns_ms":{bad}}}"#), Err(Invalid::Measurement("dns_ms")));
    }
    for (good, us) in [
        ("1000000000000", 1_000_000_000_000_000),
        ("1e12", 1_000_000_000_000_000),
        ("-0.0", 0),
        ("0.0005", 1),
        ("0.00049", 0),
    ] {
        check(&format!(r#","timing_measurements":{{"dns_ms":{good}}}"#), Ok([Some(us), None, None, None, None]));
    }
    for bad in ["NaN", "Infinity", "1e999", "01", "1.", ".5", "+1"] {
        let line = line(&format!(r#","timing_measurements":{{"dns_ms":{bad}}}"#));
        assert!(matches!(Event::parse(line.as_bytes()), Err(Invalid::Json(_))), "{bad}");
    }
}

#[test]
fn versions_and_stages() {
    for good in ["1", "1.0", "\"1\"", "\"1.0\"", "null"] {
        check(&format!(r#","schema_version":{good}"#), Ok([None; 5]));
    }
    for bad in ["2", "0", "true", "\"2\"", "[]", "1.5"] {
        check(&format!(r#","schema_version":{bad}"#), Err(Invalid::SchemaVersion));
    }
    for bad in ["\"\"", "\"ip\"", "1", "false", "{}"] {
        check(&format!(r#","error_stage":{bad}"#), Err(Invalid::ErrorStage));
    }
}

#[test]
fn texts_have_a_length_in_bytes_and_no_u0000() {
    for bad in ["\"\"", "null", "1", r#""a\u0000""#, "{}"] {
        check(&format!(r#","event_id":{bad}"#), Err(Invalid::EventId));
    }
    check(&format!(r#","client_id":"{}""#, "é".repeat(127)), Ok([None; 5]));
    check(&format!(r#","client_id":"{}""#, "é".repeat(128)), Err(Invalid::ClientId));
    check(&format!(r#","target":"{}""#, "x".repeat(1025)), Err(Invalid::Target));
    let line = line(r#","target":"\ud800""#);
    assert!(Event::parse(line.as_bytes()).is_err(), "a lone surrogate is not text");
}

#[test]
fn what_is_not_known_is_passed_over_whatever_it_holds() {
    for unknown in [r#""\ud800":1"#, r#""x":"\ud800""#, r#""x":1e999"#, r#""x":[[{"y":[]}]]"#] {
        check(&format!(",{unknown}"), Ok([None; 5]));
    }
}

#[test]
fn a_line_that_is_no_json_is_no_event_wherever_the_fault_stands() {
    for broken in [
        // Control characters, in names, skipped values, and between tokens.
        "\"a\u{1}\":1",
        "\"a\u{1}\\n\":1",
        "\"\\n\u{1f}\":1",
        "\"a\tb\":1",
        "\"a\nb\":1",
        "\"a\0\":1",
        "\"x\":\"\u{1}\"",
        "\"x\":{\"a\u{1}\":1}",
        "\"x\":[\"\u{2}\"]",
        "\"network_context\":{\"a\u{1}\":1}",
        "\"x\":1\u{b}",
        "\"x\":1\u{c}",
        "\"x\":1\u{a0}",
        "\"timing_measurements\":{\"a\u{1}\":1}",
        "\"timings\":{\"\\u0061\u{1}\":1}",
        // Escapes that there are not.
        r#""\x":1"#,
        r#""\u12":1"#,
        r#""\u12g4":1"#,
        r#""x":"\'""#,
        r#""x":"\ ""#,
        // Numbers.
        r#""x":01"#,
        r#""x":-01"#,
        r#""x":-"#,
        r#""x":+1"#,
        r#""x":1."#,
        r#""x":.5"#,
        r#""x":1e"#,
        r#""x":1e+"#,
        r#""x":0x1"#,
        r#""x":1_0"#,
        r#""x":NaN"#,
        r#""x":-Infinity"#,
        r#""x":Infinity"#,
        r#""timing_measurements":{"x":NaN}"#,
        // Structure.
        r#""x":tru"#,
        r#""x":True"#,
        r#""x":'a'"#,
        r#"x:1"#,
        r#"1:1"#,
        r#""x":[1,]"#,
        r#""x":{"a":1,}"#,
        r#""x":1,"#,
        r#""x" 1"#,
        r#""x":/**/1"#,
        r#""x":"#,
        "\u{feff}\"x\":1",
    ] {
        let line = line(&format!(",{broken}"));
        assert!(matches!(Event::parse(line.as_bytes()), Err(Invalid::Json(_))), "{line:?}");
    }
    let whole = line("");
    for (before, after) in [
        ("", "}"),
        ("", "\0"),
        ("", "\u{c}"),
        ("", "\u{feff}"),
        ("\u{feff}\u{feff}", ""),
        ("\0", ""),
        ("", "//"),
        ("[", "]"),
    ] {
        assert!(Event::parse(format!("{before}{whole}{after}").as_bytes()).is_err(), "{before:?} {after:?}");
    }
    for bad in [&b"\xff"[..], b"\xc0\x80", b"\xed\xa0\x80", b"\xf4\x90\x80\x80", b"\xe2\x82"] {
        for (before, after) in [(&b",\"x\":\""[..], &b"\""[..]), (b",\"", b"\":1")] {
            let line = [&whole.as_bytes()[..whole.len() - 1], before, bad, after, b"}"].concat();
            assert!(matches!(Event::parse(&line), Err(Invalid::Json(_))), "{}", String::from_utf8_lossy(&line));
        }
    }
}

#[test]
fn an_escaped_name_is_the_same_name() {
    let escaped = line(r#","recv\u005fts_ms":5"#);
    assert!(Event::parse(escaped.as_bytes()).unwrap().has_recv);
    check(r#","\u0074s_ms":"x""#, Err(Invalid::Timestamp));
    check(r#","timing_measurements":{"dns\u005Fms":2}"#, Ok([Some(2_000), None, None, None, None]));
}

#[test]
fn only_objects_are_events() {
    for other in ["1", "null", "true", "\"x\"", "[1,2]", "[]"] {
        assert_eq!(Event::parse(other.as_bytes()), Err(Invalid::NotAnObject), "{other}");
    }
    for broken in ["", "{", "{\"event_id\":", "{} {}", "\u{1}"] {
        assert!(matches!(Event::parse(broken.as_bytes()), Err(Invalid::Json(_))), "{broken}");
    }
    assert!(matches!(Event::parse(b"{\"a\":\"\xff\"}"), Err(Invalid::Json(_))), "invalid UTF-8");
    assert!(Event::parse(format!("\u{feff}{}", line("")).as_bytes()).is_ok(), "a byte order mark is passed over");
}

#[test]
fn times_are_whole_and_in_range() {
    for bad in ["0", "-1", "1.0", "1e3", "253402300800000", "true", "\"1\"", "99999999999999999999"] {
        check(&format!(r#","ts_ms":{bad}"#), Err(Invalid::Timestamp));
        let line = line(&format!(r#","recv_ts_ms":{bad}"#));
        let event = Event::parse(line.as_bytes()).unwrap();
        assert_eq!((event.recv, event.has_recv), (None, true), "a bad recv_ts_ms counts as none");
    }
    check(r#","ts_ms":253402300799999"#, Ok([None; 5]));
}

#[test]
fn labels_are_checked_and_handed_on_as_they_are_written() {
    let labels = |members: &str| {
        Event::parse(line(members).as_bytes()).map(|event| event.labels.map(|text| text.map(str::to_owned)))
    };
    assert_eq!(labels(""), Ok([None, None]));
    assert_eq!(labels(r#","client_labels":null,"target_labels":{}"#), Ok([None, None]));
    assert_eq!(
        labels(r#","target_labels":{"a" : "\u0062"},"client_labels":{"z":"1","a":"2"}"#),
        Ok([Some(r#"{"z":"1","a":"2"}"#.to_owned()), Some(r#"{"a" : "\u0062"}"#.to_owned())])
    );
    let too_long = format!(r#"{{"a":"{}"}}"#, "x".repeat(257));
    for bad in ["[]", "5", "\"a\"", r#"{"a":1}"#, r#"{"a-b":"c"}"#, r#"{"a":"\u0000"}"#, &too_long] {
        for name in ["client_labels", "target_labels"] {
            assert_eq!(labels(&format!(r#","{name}":{bad}"#)), Err(Invalid::Labels(name)), "{bad}");
        }
    }
    assert!(
        Invalid::Labels("client_labels")
            .to_string()
            .starts_with("client_labels must be null or an object of at most 16 texts")
    );
    check(r#","client_labels":[],"client_labels":{"a":"b"}"#, Ok([None; 5]));
}
