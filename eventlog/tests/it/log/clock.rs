//! A clock that jumps: what the log takes from it.

use super::*;

const DAY_MS: i64 = 86_400_000;

/// A log whose machine's clock and time that passes are two.
struct Jumping {
    bench: Bench,
    uptime_ms: Arc<AtomicI64>,
}

impl Jumping {
    fn new() -> Self {
        let bench = Bench::new();
        bench.set_clock(DAY_MS);
        Self { bench, uptime_ms: Arc::default() }
    }

    fn open(&self, boot_id: &str) -> SqliteLog {
        let uptime_ms = Arc::clone(&self.uptime_ms);
        let uptime = Arc::new(move || Duration::from_millis(uptime_ms.load(Ordering::SeqCst).unsigned_abs()));
        let boot = Boot { id: Some(boot_id.to_owned()), uptime };
        let options = SqliteLogOptions { boot, believe_clock_after: Duration::from_secs(600), ..self.bench.options() };
        SqliteLog::open(&self.bench.path, options).unwrap()
    }

    fn pass(&self, ms: i64) {
        self.uptime_ms.fetch_add(ms, Ordering::SeqCst);
        self.bench.now_ms.fetch_add(ms, Ordering::SeqCst);
    }

    fn jump(&self, ms: i64) {
        self.bench.now_ms.fetch_add(ms, Ordering::SeqCst);
    }
}

fn is_ahead(answer: &Result<LogTime, AppendError>) -> bool {
    matches!(answer, Err(AppendError::ClockAhead { .. }))
}

#[test]
fn neither_events_nor_ticks_nor_imports_follow_a_jump_ahead() {
    let machine = Jumping::new();
    let log = machine.open("a");
    append(&log, 0, "before").unwrap();
    machine.jump(3_600_000);
    assert!(is_ahead(&append(&log, 0, "ahead")));
    assert!(is_ahead(&block_on(log.tick(vec![Partition(0)]))));
    let times = [(LogTime::from_ms(DAY_MS + 3_600_000), vec![(Partition(0), b"ahead".to_vec())])];
    assert!(is_ahead(&block_on(log.import(times))));
    let message = log.healthy().unwrap_err();
    assert!(message.contains("clock jumped ahead by 3600 s"), "{message}");

    machine.jump(-3_600_000);
    machine.pass(1_000);
    assert_eq!(append(&log, 0, "after"), Ok(LogTime::from_ms(DAY_MS + 1_000)));
    assert_eq!(log.healthy(), Ok(()));
}

#[test]
fn a_clock_that_stays_ahead_is_believed_though_nobody_appends() {
    let machine = Jumping::new();
    let log = machine.open("a");
    machine.jump(DAY_MS);
    eventually("the jump is seen", || log.healthy().is_err());
    machine.pass(600_000);
    eventually("the clock is believed", || log.healthy().is_ok());
    assert_eq!(append(&log, 0, "{}"), Ok(LogTime::from_ms(2 * DAY_MS + 600_000)));
}

#[test]
fn a_start_believes_no_jump_of_the_same_run_of_the_machine() {
    let machine = Jumping::new();
    let log = machine.open("a");
    eventually("what is believed is stored", || {
        let file = rusqlite::Connection::open(&machine.bench.path).unwrap();
        file.query_row("SELECT count(*) FROM log_clock", [], |row| row.get::<_, i64>(0)).unwrap() == 1
    });
    log.close();
    machine.jump(DAY_MS);
    let log = machine.open("a");
    assert!(is_ahead(&append(&log, 0, "{}")));
    log.close();
    let log = machine.open("b");
    assert!(append(&log, 0, "{}").is_ok(), "after a reboot nothing is known of the time between");
}

#[test]
fn a_jump_ahead_discards_nothing() {
    let machine = Jumping::new();
    let log = machine.open("a");
    append(&log, 0, "{}").unwrap();
    append(&log, 0, "{}").unwrap();
    log.allow_discard_through(Partition(0), Position(2));
    machine.jump(365 * DAY_MS);
    // The upkeep that sees the jump would discard first.
    eventually("the jump is seen", || log.healthy().is_err());
    assert_eq!(drain(&mut *reader(&log, [0])).len(), 2);
}
