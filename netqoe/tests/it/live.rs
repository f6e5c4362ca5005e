//! Live readers that read nothing, before a running `up`: the pipeline writes every row, they are dropped and counted, and
//! catch up once they come back.

use std::collections::BTreeSet;
use std::io::{BufRead, BufReader, Write};
use std::net::TcpStream;

use serde_json::Value;

use crate::support::{
    DATA_FILE, NDJSON, NO_RATE, PATIENCE, Server, event, eventually, get, ledger, metric, post, query,
};

/// How long a server waits for a reader that takes nothing.
const WRITE_TIMEOUT: &str = "2s";
const READERS: usize = 4;
/// Each event of these is of a client of its own, and so a row.
const EVENTS_A_POST: usize = 500;
/// More text than a socket's buffers hold, and fewer rows than are kept for who comes back.
const EVENTS: usize = 20_000;
/// Commits that are kept for who comes back.
const KEPT_COMMITS: u64 = 256;
const DROPPED: &str = "telemetry_live_readers_dropped_total";

/// Reads the stream while it is asked to.
struct Reader {
    stream: BufReader<TcpStream>,
    last_event_id: String,
    /// Clients whose rows it has seen.
    seen: BTreeSet<String>,
}

impl Reader {
    fn open(port: u16, last_event_id: Option<&str>) -> Self {
        let mut stream = TcpStream::connect(("127.0.0.1", port)).unwrap();
        stream.set_read_timeout(Some(PATIENCE)).unwrap();
        let resumed = last_event_id.map(|id| format!("Last-Event-ID: {id}\r\n")).unwrap_or_default();
        // Of HTTP/1.0, or the events would come in chunks.
        write!(stream, "GET /api/v1/live HTTP/1.0\r\nHost: localhost\r\n{resumed}\r\n").unwrap();
        let mut reader = Self { stream: BufReader::new(stream), last_event_id: String::new(), seen: BTreeSet::new() };
        assert_eq!(reader.next_event(), None, "every stream begins with an id");
        reader
    }

    /// The name of the next event, where it has one. What was cut off is no event.
    fn next_event(&mut self) -> Option<String> {
        let (mut name, mut id) = (None, String::new());
        loop {
            let mut line = String::new();
            assert_ne!(self.stream.read_line(&mut line).unwrap(), 0, "the stream has ended");
            let line = line.trim_end();
            if let Some(text) = line.strip_prefix("event: ") {
                name = Some(text.to_owned());
            } else if let Some(text) = line.strip_prefix("id: ") {
                text.clone_into(&mut id);
            } else if let Some(text) = line.strip_prefix("data: ") {
                let row: Value = serde_json::from_str(text).unwrap();
                self.seen.extend(row["client_id"].as_str().map(str::to_owned));
            } else if line.is_empty() && !id.is_empty() {
                self.last_event_id = id;
                return name;
            }
        }
    }
}

fn client(number: usize) -> String {
    format!("client-{number:06}")
}

/// The number of the commit up to which, or within which, an id leads.
fn commit(id: &str) -> u64 {
    id.split('-').nth(1).unwrap().parse().unwrap()
}

/// Posts an event of each of these clients, until all are taken.
fn post_events(port: u16, first: usize) {
    let lines: Vec<_> = (first..first + EVENTS_A_POST)
        .map(|number| event(&format!("e-{number}"), &client(number)).to_string())
        .collect();
    eventually("the events are taken", || post(port, &[NDJSON], lines.join("\n")).unwrap().status == 200);
}

#[test]
fn readers_that_read_nothing_are_dropped_and_catch_up_and_every_row_is_written() {
    let folder = tempfile::tempdir().unwrap();
    let (server, port) =
        Server::start_and_wait(folder.path(), &[&NO_RATE[..], &["--write-timeout", WRITE_TIMEOUT]].concat());
    let mut readers: Vec<_> = (0..READERS).map(|_| Reader::open(port, None)).collect();
    post_events(port, 0);
    // Each stops reading at another place, the first at its very beginning.
    for (index, reader) in readers.iter_mut().enumerate() {
        for _ in 0..index * 7 {
            assert_eq!(reader.next_event().as_deref(), Some("row"));
        }
    }
    (EVENTS_A_POST..EVENTS).step_by(EVENTS_A_POST).for_each(|first| post_events(port, first));
    let read = || metric(port, "telemetry_events_processed_total{status=\"success\"}");
    eventually("all events are in rows", || read() == Some(EVENTS as f64));
    eventually("all readers are dropped", || metric(port, DROPPED) == Some(READERS as f64));
    eventually("their places are free", || get(port, "/api/v1/pipeline").unwrap().json()["live_readers"] == 0);

    let newest = || commit(&Reader::open(port, None).last_event_id);
    for Reader { last_event_id, seen, .. } in readers {
        let mut again = Reader { seen, ..Reader::open(port, Some(&last_event_id)) };
        let mut lagged_at = None;
        while again.seen.len() < EVENTS {
            // A window that ends meanwhile is another row of the same client.
            match again.next_event().as_deref() {
                Some("row") => {}
                // On a busy machine this reader is too slow as well. Then it goes on where it was, as any other.
                Some("lagged") if lagged_at != Some(again.seen.len()) => {
                    lagged_at = Some(again.seen.len());
                    again = Reader { seen: again.seen, ..Reader::open(port, Some(&again.last_event_id)) };
                }
                // On a slow machine so many commits may have been made that it is told to ask for what it missed.
                Some("reset") if lagged_at.is_some() || newest() - commit(&last_event_id) > KEPT_COMMITS => break,
                other => panic!("{other:?} after {} rows", again.seen.len()),
            }
        }
    }
    server.stop();

    let store = folder.path().join(DATA_FILE);
    let counted = query(&store, "SELECT count(DISTINCT client_id), sum(count_total) FROM agg_1m");
    assert_eq!(counted, [[format!("Integer({EVENTS})"), format!("Integer({EVENTS})")]]);
    assert_eq!(ledger(&store)[..2], [EVENTS as u64, EVENTS as u64]);
}
