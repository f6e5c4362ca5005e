//! A row is there within moments of its event, long before its minute is over.

use std::time::{Duration, Instant};

use crate::support::{JSON, NO_RATE, Server, event, get, post};

const EVENTS: usize = 20;

/// Posts an event of a client of its own, and waits for its row. Returns how long after the answer that was there.
fn shown_after(port: u16, client_id: &str) -> Duration {
    assert_eq!(post(port, &[JSON], event("e", client_id).to_string()).unwrap().status, 200);
    let answered = Instant::now();
    loop {
        let rows = get(port, &format!("/api/v1/aggregates?client_id={client_id}")).unwrap().json();
        if let [row] = &rows["items"].as_array().unwrap()[..] {
            assert_eq!((&row["count_total"], &row["is_final"]), (&1.into(), &false.into()), "{row}");
            return answered.elapsed();
        }
        assert!(answered.elapsed() < crate::support::PATIENCE, "{client_id} has no row");
        std::thread::sleep(Duration::from_millis(1));
    }
}

#[test]
fn an_event_shows_in_a_provisional_row() {
    let folder = tempfile::tempdir().unwrap();
    let (server, port) = Server::start_and_wait(folder.path(), &NO_RATE);
    let mut times: Vec<_> = (0..EVENTS).map(|number| shown_after(port, &format!("c{number}"))).collect();
    times.sort_unstable();
    println!(
        "rows of {EVENTS} events, one after the other: p50 {:.1?}, max {:.1?} after the answer (to be: 250 ms at most)",
        times[EVENTS / 2],
        times[EVENTS - 1],
    );
    server.stop();
}
