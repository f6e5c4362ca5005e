//! What could not be counted: kept, listed, replayed, purged.

use netqoe_eventlog::{DeadLetterOptions, DeadLetters, LetterOrder, ReplayError, StoredLetter};
use netqoe_model::DeadLetter;

use super::*;

fn letter(position: u64, line: u32, original: &[u8]) -> DeadLetter {
    DeadLetter {
        partition: Partition(1),
        position: Position(position),
        line,
        log_time: LogTime::from_ms(12_345),
        reason: format!("reason {position}"),
        original: original.to_vec(),
    }
}

struct Bench {
    nats: NatsServer,
    log: JetStreamLog,
    other: Other,
    letters: DeadLetters,
}

impl Bench {
    fn new() -> Self {
        let nats = NatsServer::start().unwrap();
        let log = open(&nats);
        let other = Other::connect(&nats);
        let letters = other.runtime.block_on(log.dead_letters(DeadLetterOptions::default())).unwrap();
        Self { nats, log, other, letters }
    }

    fn publish(&self, letters: &[DeadLetter]) {
        self.other.runtime.block_on(self.letters.publish(letters)).unwrap();
    }

    fn list(&self, order: LetterOrder, after: Option<u64>, count: usize) -> Vec<StoredLetter> {
        self.other.runtime.block_on(self.letters.list(order, after.map(Position), count)).unwrap()
    }

    fn positions(&self, order: LetterOrder, after: Option<u64>, count: usize) -> Vec<u64> {
        self.list(order, after, count).iter().map(|letter| letter.position.0).collect()
    }

    fn replay(&self, position: u64) -> Result<bool, ReplayError> {
        self.other.runtime.block_on(self.letters.replay(Position(position)))
    }
}

#[test]
fn a_letter_keeps_its_origin_and_its_bytes() {
    let bench = Bench::new();
    append(&bench.log, 1, "{\"a\":1}").unwrap();
    bench.other.publish("telemetry.events", "no\r\nJSON \u{0}");
    bench.publish(&[letter(1, 3, b"{\"a\":1}"), letter(2, 0, b"no  JSON \0"), letter(99, 0, b"\xff\n")]);
    let stored = bench.list(LetterOrder::OldestFirst, None, 10);
    let found: Vec<_> = stored
        .iter()
        .map(|letter| (letter.origin_subject.as_str(), letter.origin.0, letter.origin_line, letter.original.as_slice()))
        .collect();
    assert_eq!(
        found,
        [
            ("telemetry.events.1", 1, 3, b"{\"a\":1}".as_slice()),
            ("telemetry.events", 2, 0, b"no\r\nJSON \0"),
            ("telemetry.events.1", 99, 0, b"\xff\n"),
        ],
        "an event that came alone is kept as it came"
    );
    assert_eq!((stored[0].reason.as_str(), stored[0].log_time.ms()), ("reason 1", 12_345));
    assert!(!stored[0].is_cut && (now_ms() - stored[0].stored.ms()).abs() < 3_600_000);
}

#[test]
fn a_letter_that_is_published_again_is_kept_once() {
    let mut bench = Bench::new();
    let letters: Vec<_> = (1..200).map(|n| letter(1 + n / 2, u32::try_from(n % 2).unwrap(), b"x")).collect();
    bench.publish(&letters[..150]);
    bench.nats.kill().unwrap();
    bench.nats.restart().unwrap();
    eventually("the server answers again", || bench.other.runtime.block_on(bench.letters.publish(&letters)).is_ok());
    let stored = bench.list(LetterOrder::OldestFirst, None, 1_000);
    let origins: Vec<_> = stored.iter().map(|letter| (letter.origin.0, letter.origin_line)).collect();
    let expected: Vec<_> = letters.iter().map(|letter| (letter.position.0, letter.line)).collect();
    assert_eq!(origins, expected);
}

#[test]
fn letters_are_listed_by_pages_in_both_orders() {
    let bench = Bench::new();
    assert!(bench.positions(LetterOrder::NewestFirst, None, 3).is_empty());
    bench.publish(&(1..=7).map(|n| letter(n, 0, b"x")).collect::<Vec<_>>());
    let purge = |position| bench.other.runtime.block_on(bench.letters.purge(Position(position))).unwrap();
    assert_eq!([purge(1), purge(4), purge(4), purge(99)], [true, true, false, false]);
    assert_eq!(bench.positions(LetterOrder::OldestFirst, None, 3), [2, 3, 5]);
    assert_eq!(bench.positions(LetterOrder::OldestFirst, Some(5), 3), [6, 7]);
    assert_eq!(bench.positions(LetterOrder::NewestFirst, None, 3), [7, 6, 5]);
    assert_eq!(bench.positions(LetterOrder::NewestFirst, Some(5), 3), [3, 2]);
    let get = |position| bench.other.runtime.block_on(bench.letters.get(Position(position))).unwrap();
    assert_eq!((get(4), get(5).map(|letter| letter.origin)), (None, Some(Position(5))));
    assert_eq!(bench.other.runtime.block_on(bench.letters.purge_all()).unwrap(), 5);
    assert!(bench.positions(LetterOrder::OldestFirst, None, 3).is_empty());
}

#[test]
fn a_replayed_letter_is_in_the_log_of_its_client() {
    let bench = Bench::new();
    let event = r#"{"event_id":"e","client_id":"probe-001","ts_ms":1,"target":"t","timing_measurements":{}}"#;
    bench.publish(&[letter(5, 0, event.as_bytes()), letter(6, 0, b"garbage")]);
    assert!(bench.replay(1).unwrap() && bench.replay(2).unwrap());
    assert!(!bench.replay(1).unwrap(), "it is not there any more");
    let owner = Partition::of("probe-001", bench.log.identity().partitions);
    assert_ne!(owner, Partition(1), "the test means nothing where they are the same");
    let chunks = read(&mut *reader(&bench.log, 0..4), 2);
    assert_eq!(texts(&chunks), [(Some(owner.0), 1, format!("{event}\n").as_str()), (Some(1), 2, "garbage\n")]);
}

#[test]
fn a_letter_that_was_cut_is_not_replayed() {
    let bench = Bench::new();
    bench.publish(&[letter(5, 0, &vec![b'x'; 1 << 20])]);
    let stored = &bench.list(LetterOrder::OldestFirst, None, 1)[0];
    assert!(stored.is_cut && stored.original.len() > 1_000_000);
    let refused = bench.replay(1).unwrap_err();
    assert!(matches!(refused, ReplayError::Cut { origin: Position(5), .. }), "{refused}");
    assert_eq!(bench.positions(LetterOrder::OldestFirst, None, 1), [1]);
}
