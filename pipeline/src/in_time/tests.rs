//! What counts of a history in its new order is what counts of it with a lateness as long as the horizon.

use std::collections::BTreeMap;
use std::io::Cursor;

use netqoe_eventlog::NdjsonReader;
use netqoe_model::{Event, LogTime, Rules, Tick};
use proptest::prelude::*;

use super::{InTime, Latecomers, each_timed};

const MINUTE_MS: i64 = 60_000;

fn rules(lateness_ms: i64) -> Rules {
    Rules { lateness_ms, ..Rules::default() }
}

fn event(id: u32, ts_ms: i64, recv_ts_ms: i64) -> String {
    format!(
        r#"{{"event_id":"e{id}","client_id":"c","ts_ms":{ts_ms},"target":"t","timing_measurements":{{}},"recv_ts_ms":{recv_ts_ms}}}"#
    )
}

/// The lines in their new order, each with the number of its chunk's first line added to its place there.
fn in_time(history: &str, horizon_ms: i64) -> Vec<(u64, String)> {
    let text = || Box::new(Cursor::new(history.to_owned().into_bytes()));
    let latecomers = Latecomers::find([text(), text()], horizon_ms, &rules(2 * MINUTE_MS)).unwrap();
    let mut reader = InTime::new(NdjsonReader::new(text()), latecomers);
    let mut lines = Vec::new();
    while let Some(chunk) = reader.next_chunk().unwrap() {
        let text = String::from_utf8(chunk.lines).unwrap();
        lines.extend((chunk.position.0..).zip(text.lines().map(str::to_owned)));
    }
    lines
}

/// For each window, when the events that count in it were measured, by their ids in the order in which the log has them.
fn counted(history: &str, lateness_ms: i64) -> BTreeMap<i64, Vec<(String, i64)>> {
    let mut windows: BTreeMap<i64, Vec<(String, i64)>> = BTreeMap::new();
    let rules = rules(lateness_ms);
    each_timed(Cursor::new(history.to_owned().into_bytes()), |_, _, log_time, event| {
        let Some(event) = event else { return Ok(()) };
        let window = event.ts.window(rules.window_ms);
        if log_time <= rules.closes_after(window) {
            let known = windows.entry(window.ms()).or_default();
            if !known.iter().any(|(id, _)| *id == event.event_id) {
                known.push((event.event_id.to_string(), event.ts.ms()));
            }
        }
        Ok(())
    })
    .unwrap();
    windows.values_mut().for_each(|events| events.sort());
    windows
}

fn text(lines: &[(u64, String)]) -> String {
    lines.iter().map(|(_, line)| format!("{line}\n")).collect()
}

/// Events of which some were measured long before the log took them, copies with other times, ticks, and lines that are none.
fn history() -> impl Strategy<Value = String> {
    let line = (0..12_u32, 0..90_000_i64, prop_oneof![3 => 0..100_000_i64, 2 => 0..5_400_000_i64], 0..20_u8);
    proptest::collection::vec(line, 0..60).prop_map(|lines| {
        let mut recv_ms = 10_000_000;
        let line = |(id, step_ms, delay_ms, kind)| {
            recv_ms += step_ms;
            match kind {
                0 => String::from_utf8(Tick(LogTime::from_ms(recv_ms)).line()).unwrap(),
                1 => "no event".to_owned(),
                2 => String::new(),
                3 => event(id, recv_ms - delay_ms, recv_ms - 70_000),
                _ => event(id, recv_ms - delay_ms, recv_ms),
            }
        };
        lines.into_iter().map(line).collect::<Vec<_>>().join("\n")
    })
}

proptest! {
    #[test]
    fn what_came_within_the_horizon_counts_and_nothing_else_changes(history in history(), horizon_minutes in 2..80_i64) {
        let horizon_ms = horizon_minutes * MINUTE_MS;
        let lines = in_time(&history, horizon_ms);
        prop_assert_eq!(counted(&text(&lines), 2 * MINUTE_MS), counted(&history, horizon_ms));

        let original: Vec<_> = history.lines().collect();
        let (mut kept, mut moved) = (0, 0);
        for (number, line) in &lines {
            let stands = original[usize::try_from(*number).unwrap() - 1];
            if line == stands || Tick::parse(line.as_bytes()).is_some() { kept += 1 } else { moved += 1 }
        }
        prop_assert_eq!((kept + moved, kept), (lines.len(), original.len()), "each line has one in its place");
        let ends = |text: &str| {
            let mut end = LogTime::default();
            each_timed(Cursor::new(text.to_owned().into_bytes()), |_, _, time, _| { end = time; Ok(()) }).unwrap();
            end
        };
        prop_assert_eq!(ends(&text(&lines)), ends(&history));
    }
}

#[test]
fn an_event_is_put_where_it_was_measured_and_a_tick_in_its_place() {
    let at = |minute: i64| 10_000_000_000_000 / MINUTE_MS * MINUTE_MS + minute * MINUTE_MS;
    let history = [event(1, at(0), at(0)), event(2, at(3), at(3)), event(3, at(1), at(9)), event(4, at(9), at(9))];
    let [first, second, late, last] = &history;
    let tick = String::from_utf8(Tick(LogTime::from_ms(at(9))).line()).unwrap();
    let expected = [first.clone(), event(3, at(1), at(1)), second.clone(), tick, last.clone()];
    let lines = in_time(&history.join("\n"), 60 * MINUTE_MS);
    assert_eq!(lines.iter().map(|(number, _)| *number).collect::<Vec<_>>(), [1, 2, 2, 3, 4]);
    assert_eq!(lines.into_iter().map(|(_, line)| line).collect::<Vec<_>>(), expected);
    assert_eq!(in_time(&history.join("\n"), 4 * MINUTE_MS)[2].1, *late, "the horizon does not reach it");
}

#[test]
fn a_copy_that_came_in_time_counts_instead_of_those_that_came_late() {
    let at = |minute: i64| 10_000_000_000_000 / MINUTE_MS * MINUTE_MS + minute * MINUTE_MS;
    // The copy says that it was measured earlier, and would be first where it was measured.
    let (in_its_time, copy) = (event(1, at(0) + 30_000, at(0) + 40_000), event(1, at(0), at(9)));
    let lines = in_time(&[in_its_time.clone(), event(2, at(4), at(4)), copy].join("\n"), 60 * MINUTE_MS);
    let expected = [in_its_time, event(1, at(0), at(3)), event(2, at(4), at(4))];
    assert_eq!(lines[..3].iter().map(|(_, line)| line.clone()).collect::<Vec<_>>(), expected);
}

#[test]
fn events_that_an_outage_kept_back_come_in_parts() {
    let at = |ms: i64| 10_000_000_000_000 / MINUTE_MS * MINUTE_MS + ms;
    let mut history: Vec<_> = vec![event(0, at(0), at(0))];
    let outage_ms = 60 * MINUTE_MS;
    history.extend((1..20_000).map(|id| event(id, at(i64::from(id)), at(outage_ms))));
    let text = || Box::new(Cursor::new(history.join("\n").into_bytes()));
    let latecomers = Latecomers::find([text(), text()], outage_ms, &rules(2 * MINUTE_MS)).unwrap();
    assert_eq!(latecomers.count(), history.len() - 1);
    let mut reader = InTime::new(NdjsonReader::new(text()), latecomers);
    let (mut lines, mut chunks) = (0, 0);
    while let Some(chunk) = reader.next_chunk().unwrap() {
        assert!(chunk.lines.len() < (1 << 20) + 1_000, "{}", chunk.lines.len());
        let is_event = |line: &&str| Event::parse(line.as_bytes()).is_ok();
        lines += str::from_utf8(&chunk.lines).unwrap().lines().filter(is_event).count();
        chunks += 1;
    }
    assert_eq!(lines, history.len());
    assert!(chunks > 3, "{chunks}");
}

#[test]
fn a_history_that_was_cut_since_is_an_error() {
    let at = |minute: i64| 10_000_000_000_000 / MINUTE_MS * MINUTE_MS + minute * MINUTE_MS;
    let history = [event(1, at(0), at(0)), event(2, at(9), at(9)), event(3, at(1), at(9))];
    let text = |lines: &[String]| Box::new(Cursor::new(lines.join("\n").into_bytes()));
    let latecomers = Latecomers::find([text(&history), text(&history)], 60 * MINUTE_MS, &rules(2 * MINUTE_MS)).unwrap();
    let mut reader = InTime::new(NdjsonReader::new(text(&history[..2])), latecomers);
    let error = loop {
        match reader.next_chunk() {
            Ok(chunk) => assert!(chunk.is_some(), "the third line is missing"),
            Err(error) => break error.to_string(),
        }
    };
    assert!(error.contains("it has changed since it was read for late events"), "{error}");
}
