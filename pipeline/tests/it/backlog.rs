//! The backlog, while the store is as slow as it is told to be.

use netqoe_model::LogTime;
use netqoe_pipeline::{Running, links_within};

use crate::support::{Files, NOW_MS, WORKERS, eventually};

#[test]
fn the_backlog_is_what_the_store_does_not_reflect() {
    let files = Files::new();
    let ready = files.assembly().ready().unwrap();
    let backlog = ready.backlog.clone();
    let Running { feeds, pipeline, .. } = ready.start(links_within(WORKERS).unwrap()).unwrap();
    let commits_wait = files.write_turn.lock();
    assert_eq!(backlog.records(), 0);
    for number in 1..=40 {
        files.append(number % 16, "c", u64::from(number));
        assert_eq!(backlog.records(), u64::from(number), "nothing is committed yet");
    }
    let read = Some(LogTime::from_ms(NOW_MS));
    eventually(|| backlog.oldest().eq([read, read]));

    drop(commits_wait);
    eventually(|| backlog.records() == 0);
    assert_eq!(backlog.oldest().collect::<Vec<_>>(), [None, None]);
    feeds.end();
    assert_eq!(pipeline.join().unwrap().events.read, 40);
}
