//! Short ways to say what is committed.

use std::num::NonZeroU16;
use std::sync::Arc;

use netqoe_model::{
    AggregateRow, Checkpoint, ClientContext, ClientRow, DeadLetter, Diagnosis, EventTime, Evidence, Label, Ledger,
    LogIdentity, LogTime, Look, Network, PairTags, Partition, PartitionCommit, Percentiles, Position, Severity,
    Sighting, Standing, Tags, UsualRange, WindowRow, WindowStart,
};
use netqoe_sinks::read::FindingRecord;

/// A minute, in which windows are counted here.
pub(crate) const MINUTE_MS: i64 = 60_000;

/// The beginning of the year 2026, between two months.
pub(crate) const YEAR_2026_MS: i64 = 1_767_225_600_000;

/// The log that most tests follow.
pub(crate) fn log() -> LogIdentity {
    named_log("live", 16)
}

pub(crate) fn named_log(id: &str, partitions: u16) -> LogIdentity {
    LogIdentity { id: id.to_owned(), partitions: NonZeroU16::new(partitions).unwrap() }
}

/// A provisional row of one success without samples.
pub(crate) fn row(client_id: &str, target: &str, start_ms: i64, as_of_ms: i64) -> AggregateRow {
    AggregateRow {
        client_id: Arc::from(client_id),
        target: Arc::from(target),
        window: WindowRow {
            start: WindowStart::from_ms(start_ms),
            is_final: false,
            as_of: LogTime::from_ms(as_of_ms),
            count_success: 1,
            errors: [0; 5],
            percentiles: [None; 5],
            network: None,
            tags: None,
        },
        diagnosis: None,
        ended_runs: Vec::new(),
        pair_state: None,
    }
}

/// A row whose every column says something of its own.
pub(crate) fn full_row(client_id: &str, target: &str, start_ms: i64, as_of_ms: i64) -> AggregateRow {
    let percentiles = |n: u64| Some(Percentiles { p50: 1_000 * n + 1, p95: 2_000 * n + 3 });
    let mut row = row(client_id, target, start_ms, as_of_ms);
    row.window.is_final = true;
    row.window.count_success = 100;
    row.window.errors = [1, 2, 3, 4, 5];
    row.window.percentiles = [percentiles(1), percentiles(2), percentiles(3), percentiles(4), None];
    row.window.network = Network::named(Some("wifi"), Some("Example ISP"), Some("home")).map(Arc::new);
    row.window.tags = labels(r#"{"site":"Oslo","team":"core"}"#, r#"{"service":"é\n"}"#);
    row.diagnosis = Some(finding(Label::ServerBound, 0.25));
    row.pair_state = Some(Arc::from(&b"state\0\xFF"[..]));
    row
}

/// Labels of the client and of the target, as JSON.
pub(crate) fn labels(client: &str, target: &str) -> Option<Arc<PairTags>> {
    PairTags::of(Tags::parse(client).unwrap(), Tags::parse(target).unwrap()).map(Arc::new)
}

pub(crate) fn healthy() -> Diagnosis {
    Diagnosis { label: Label::Healthy, finding: None }
}

/// A reader has found all that was written of what hurts.
#[track_caller]
pub(crate) fn assert_found(found: &FindingRecord, written: &Diagnosis) {
    let (severity, evidence) = written.finding.as_deref().unwrap();
    assert_eq!((found.severity, &*found.stage, found.observed), (*severity, evidence.stage, evidence.observed));
    assert_eq!(
        (found.usual, found.sigmas, found.share_of_total),
        (evidence.usual, evidence.sigmas, evidence.share_of_total)
    );
    let counts = [found.samples, found.bad_samples, found.windows];
    assert_eq!(counts, [evidence.samples, evidence.bad_samples, evidence.windows].map(Some));
    assert_eq!(found.since, Some(evidence.since));
}

/// A diagnosis of this label, told from others by what was observed.
pub(crate) fn finding(label: Label, observed: f64) -> Diagnosis {
    let evidence = Evidence {
        stage: "ttfb",
        observed,
        usual: Some(UsualRange { centre: observed / 4.0, low: observed / 5.0, high: observed / 3.0 }),
        sigmas: Some(-1.5),
        share_of_total: None,
        samples: 12,
        bad_samples: 9,
        windows: 2,
        since: WindowStart::from_ms(YEAR_2026_MS - MINUTE_MS),
    };
    Diagnosis { label, finding: Some(Box::new((Severity::Major, evidence))) }
}

pub(crate) fn client(client_id: &str, first_seen_ms: i64, last_seen_ms: i64, isp: &str) -> ClientRow {
    ClientRow {
        client_id: Arc::from(client_id),
        context: ClientContext {
            network_type: Some("wifi".to_owned()),
            isp: Some(isp.to_owned()),
            site: None,
            json: Some(format!(r#"{{"isp":"{isp}"}}"#)),
        },
        first_seen: EventTime::from_ms(first_seen_ms),
        last_seen: EventTime::from_ms(last_seen_ms),
    }
}

pub(crate) fn dead_letter(partition: u16, position: u64, line: u32, reason: &str) -> DeadLetter {
    DeadLetter {
        partition: Partition(partition),
        position: Position(position),
        line,
        log_time: LogTime::from_ms(77),
        reason: reason.to_owned(),
        original: b"{\"a\0b\": \xFF".to_vec(),
    }
}

/// A checkpoint whose every figure follows from `processed`.
pub(crate) fn checkpoint(partition: u16, processed: u64) -> Checkpoint {
    Checkpoint {
        partition: Partition(partition),
        resume_from: Position(processed / 2),
        processed: Position(processed),
        log_time: LogTime::from_ms(i64::try_from(processed).unwrap() * 1_000 + 1),
        ledger: Ledger { read: processed + 10, accepted: processed, duplicate: 1, late: 2, invalid: 7 },
    }
}

/// What a partition commits that came as far as `processed`.
pub(crate) fn commit(partition: u16, processed: u64, rows: Vec<AggregateRow>) -> PartitionCommit {
    PartitionCommit {
        checkpoint: checkpoint(partition, processed),
        rows,
        clients: Vec::new(),
        dead_letters: Vec::new(),
        looks: Vec::new(),
        waiting: Vec::new(),
        oldest_record: None,
    }
}

/// A look of a partition at which so many pairs were healthy.
pub(crate) fn look(partition: u16, at_ms: i64, pairs: usize) -> Look {
    let sighting = |nth| Sighting {
        client_id: Arc::from(format!("client {nth} of {partition}")),
        target: Arc::from("x"),
        window: WindowStart::from_ms(at_ms - MINUTE_MS),
        standing: Standing::Healthy,
        network: None,
        tags: None,
    };
    let sightings = (0..pairs).map(sighting).collect();
    Look { partition: Partition(partition), at: WindowStart::from_ms(at_ms), sightings }
}
