//! What a commit writes, within the transaction that the caller has begun: a few statements, each over arrays.

use std::sync::LazyLock;
use std::time::SystemTime;

use netqoe_model::{
    AggregateRow, ClientRow, DeadLetter, Evidence, Generation, LogIdentity, Metric, PartitionCommit, Percentiles,
    Severity, from_thousandths,
};
use postgres::Transaction;
use postgres::types::{ToSql, Type};

use super::Failure;
use super::window::{narrow, timestamptz};
use crate::{Opening, batch};

/// Rows in one statement. The server holds a statement's arrays in memory; beyond some thousands nothing is gained.
pub(super) const ROWS_PER_STATEMENT: usize = 5_000;

/// Bytes of dead letters in one statement, far below the gigabyte that a message may have.
const LETTER_BYTES_PER_STATEMENT: usize = 8 << 20;

pub(super) type Parameter<'a> = (&'a (dyn ToSql + Sync), Type);

/// The arrays of [`BATCH_COLUMNS`].
const UNNESTED: &str = "$1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18, $19, $20,
                             $21, $22, $23, $24, $25, $26, $27, $28, $29, $30, $31, $32, $33, $34, $35, $36, $37,
                             $38, $39, $40, $41, $42";

/// What a row and its diagnosis are made of, in the order in which [`RowColumns`] has them.
const BATCH_COLUMNS: &str =
    "client_id, target, window_start_ts, count_total, count_success, count_error, dns_error_count,
                  tcp_error_count, tls_error_count, http_error_count, throughput_error_count, dns_p50, dns_p95, tcp_p50,
                  tcp_p95, tls_p50, tls_p95, ttfb_p50, ttfb_p95, throughput_p50, throughput_p95, diagnosis_label,
                  is_final, as_of, pair_state, network_type, isp, site, client_labels, target_labels, severity, stage, observed,
                  usual, usual_low, usual_high, sigmas, share_of_total, samples, bad_samples, windows, since_ts";

/// Writes rows and their diagnoses at once. `written` holds the rows that the store took, which are all but those
/// of which it has a newer state.
static UPSERT_ROWS: LazyLock<String> = LazyLock::new(|| {
    format!(
        "
    WITH batch AS (
        SELECT * FROM unnest({UNNESTED})
        AS batch ({BATCH_COLUMNS})
    ), written AS (
        INSERT INTO agg_1m AS stored
        SELECT client_id, target, window_start_ts, count_total, count_success, count_error, dns_error_count,
               tcp_error_count, tls_error_count, http_error_count, throughput_error_count, dns_p50, dns_p95, tcp_p50,
               tcp_p95, tls_p50, tls_p95, ttfb_p50, ttfb_p95, throughput_p50, throughput_p95, diagnosis_label,
               is_final, as_of, $43, pair_state, network_type, isp, site, client_labels, target_labels
        FROM batch
        ON CONFLICT (client_id, target, window_start_ts) DO UPDATE SET
            (count_total, count_success, count_error, dns_error_count, tcp_error_count, tls_error_count,
             http_error_count, throughput_error_count, dns_p50, dns_p95, tcp_p50, tcp_p95, tls_p50, tls_p95, ttfb_p50,
             ttfb_p95, throughput_p50, throughput_p95, diagnosis_label, is_final, as_of, updated_at, pair_state,
             network_type, isp, site, client_labels, target_labels)
            = (excluded.count_total, excluded.count_success, excluded.count_error, excluded.dns_error_count,
               excluded.tcp_error_count, excluded.tls_error_count, excluded.http_error_count,
               excluded.throughput_error_count, excluded.dns_p50, excluded.dns_p95, excluded.tcp_p50, excluded.tcp_p95,
               excluded.tls_p50, excluded.tls_p95, excluded.ttfb_p50, excluded.ttfb_p95, excluded.throughput_p50,
               excluded.throughput_p95, excluded.diagnosis_label, excluded.is_final, excluded.as_of,
               excluded.updated_at, excluded.pair_state, excluded.network_type, excluded.isp, excluded.site,
               excluded.client_labels, excluded.target_labels)
        WHERE excluded.as_of >= stored.as_of
        RETURNING client_id, target, window_start_ts
    ), healed AS (
        DELETE FROM diagnoses
        USING batch NATURAL JOIN written
        WHERE batch.severity IS NULL AND diagnoses.client_id = batch.client_id AND diagnoses.target = batch.target
          AND diagnoses.window_start_ts = batch.window_start_ts
    )
    INSERT INTO diagnoses (client_id, target, window_start_ts, label, severity, stage, observed, usual, usual_low,
                           usual_high, sigmas, share_of_total, samples, bad_samples, windows, since_ts, is_final, as_of,
                           updated_at)
    SELECT client_id, target, window_start_ts, diagnosis_label, severity, stage, observed, usual, usual_low, usual_high,
           sigmas, share_of_total, samples, bad_samples, windows, since_ts, is_final, as_of, $43
    FROM batch NATURAL JOIN written
    WHERE severity IS NOT NULL
    ON CONFLICT (client_id, target, window_start_ts) DO UPDATE SET
        (label, severity, stage, observed, usual, usual_low, usual_high, sigmas, share_of_total, samples, bad_samples,
         windows, since_ts, is_final, as_of, updated_at)
        = (excluded.label, excluded.severity, excluded.stage, excluded.observed, excluded.usual, excluded.usual_low,
           excluded.usual_high, excluded.sigmas, excluded.share_of_total, excluded.samples, excluded.bad_samples,
           excluded.windows, excluded.since_ts, excluded.is_final, excluded.as_of, excluded.updated_at)"
    )
});

/// Writes the rows of all partitions and the diagnoses that follow from them.
pub(super) fn rows(
    transaction: &mut Transaction<'_>,
    partitions: &[PartitionCommit],
    updated_at: i64,
) -> Result<(), Failure> {
    let updated_at = timestamptz(updated_at);
    // A statement may not touch a row twice.
    for chunk in batch::last_of_each(&batch::rows_by_key(partitions)).chunks(ROWS_PER_STATEMENT) {
        upsert_rows(transaction, chunk, updated_at)?;
    }
    Ok(())
}

/// Writes rows that are final, unless they are there; `revision` of those that were there becomes one more. Returns how many it wrote.
pub(super) fn correct_rows(
    transaction: &mut Transaction<'_>,
    rows: &[AggregateRow],
    updated_at: SystemTime,
) -> Result<u64, Failure> {
    let mut written = 0;
    for chunk in rows.chunks(ROWS_PER_STATEMENT) {
        let chunk: Vec<&AggregateRow> = chunk.iter().collect();
        let mut differing = Vec::new();
        for row in transaction.query_typed(&DIFFERING, &RowColumns::of(&chunk).parameters())? {
            differing.push(chunk[narrow::<i64, usize>(&row, 0)?]);
        }
        // Before they are written: rows that were not there have their first revision.
        execute_for(transaction, REVISE, &differing, &updated_at)?;
        upsert_rows(transaction, &differing, updated_at)?;
        // Of the others, what later rows are judged by may have come to stand elsewhere.
        written += differing.len() as u64 + execute_for(transaction, PUT_STATES, &chunk, &updated_at)?;
    }
    Ok(written)
}

/// Which rows are not in the store as they are here, their diagnoses included: `nth - 1`.
static DIFFERING: LazyLock<String> = LazyLock::new(|| {
    let window = [
        "count_total, count_success, count_error, dns_error_count, tcp_error_count, tls_error_count, http_error_count",
        "throughput_error_count, dns_p50, dns_p95, tcp_p50, tcp_p95, tls_p50, tls_p95, ttfb_p50, ttfb_p95, throughput_p50",
        "throughput_p95, diagnosis_label, is_final, network_type, isp, site, client_labels, target_labels",
    ];
    let diagnosis = [
        "severity, stage, observed, usual, usual_low, usual_high, sigmas, share_of_total, samples, bad_samples, windows",
        "since_ts",
    ];
    let of = |table: &str, lists: &[&str]| {
        let columns = lists.iter().flat_map(|list| list.split(", "));
        columns.map(|column| format!("{table}.{column}")).collect::<Vec<_>>().join(", ")
    };
    format!(
        "SELECT nth - 1 FROM unnest({UNNESTED}) WITH ORDINALITY AS batch ({BATCH_COLUMNS}, nth)
         LEFT JOIN agg_1m AS stored USING (client_id, target, window_start_ts)
         LEFT JOIN diagnoses AS found USING (client_id, target, window_start_ts)
         WHERE ROW({}) IS DISTINCT FROM ROW({}) OR ROW({}) IS DISTINCT FROM ROW({})
         ORDER BY nth",
        of("stored", &window),
        of("batch", &window),
        of("found", &diagnosis),
        of("batch", &diagnosis),
    )
});

/// Counts one more revision of rows that are final.
const REVISE: &str = "
    UPDATE agg_1m SET revision = revision + 1, updated_at = $5
    FROM unnest($1, $2, $3, $4) AS batch (client_id, target, window_start_ts, pair_state)
    WHERE agg_1m.client_id = batch.client_id AND agg_1m.target = batch.target
      AND agg_1m.window_start_ts = batch.window_start_ts AND agg_1m.is_final";

/// Writes what later rows are judged by.
const PUT_STATES: &str = "
    UPDATE agg_1m SET pair_state = batch.pair_state, updated_at = $5
    FROM unnest($1, $2, $3, $4) AS batch (client_id, target, window_start_ts, pair_state)
    WHERE agg_1m.client_id = batch.client_id AND agg_1m.target = batch.target
      AND agg_1m.window_start_ts = batch.window_start_ts AND agg_1m.pair_state IS DISTINCT FROM batch.pair_state";

fn execute_for(
    transaction: &mut Transaction<'_>,
    statement: &str,
    rows: &[&AggregateRow],
    updated_at: &SystemTime,
) -> Result<u64, Failure> {
    let client_ids = each(rows, |row| &*row.client_id);
    let targets = each(rows, |row| &*row.target);
    let starts = each(rows, |row| timestamptz(row.window.start.ms()));
    let pair_states = each(rows, |row| row.pair_state.as_deref());
    Ok(transaction.execute_typed(
        statement,
        &[
            (&client_ids, Type::TEXT_ARRAY),
            (&targets, Type::TEXT_ARRAY),
            (&starts, Type::TIMESTAMPTZ_ARRAY),
            (&pair_states, Type::BYTEA_ARRAY),
            (updated_at, Type::TIMESTAMPTZ),
        ],
    )?)
}

fn upsert_rows(
    transaction: &mut Transaction<'_>,
    rows: &[&AggregateRow],
    updated_at: SystemTime,
) -> Result<(), Failure> {
    let columns = RowColumns::of(rows);
    let mut parameters = columns.parameters();
    parameters.push((&updated_at, Type::TIMESTAMPTZ));
    transaction.execute_typed(&UPSERT_ROWS, &parameters)?;
    Ok(())
}

/// Rows and their diagnoses as arrays, one for each of [`BATCH_COLUMNS`].
struct RowColumns<'a> {
    client_ids: Vec<&'a str>,
    targets: Vec<&'a str>,
    starts: Vec<SystemTime>,
    counts: [Vec<i64>; 3],
    errors: [Vec<i64>; 5],
    percentiles: Vec<Vec<Option<f64>>>,
    labels: Vec<Option<&'a str>>,
    finals: Vec<bool>,
    as_ofs: Vec<SystemTime>,
    pair_states: Vec<Option<&'a [u8]>>,
    names: [Vec<Option<&'a str>>; 3],
    labels_of: [Vec<Option<&'a str>>; 2],
    severities: Vec<Option<&'a str>>,
    stages: Vec<Option<&'a str>>,
    figures: [Vec<Option<f64>>; 6],
    bases: [Vec<Option<i64>>; 3],
    since: Vec<Option<SystemTime>>,
}

impl<'a> RowColumns<'a> {
    fn of(rows: &'a [&'a AggregateRow]) -> Self {
        let figures: [fn(&Evidence) -> Option<f64>; 6] = [
            |evidence| Some(evidence.observed),
            |evidence| evidence.usual.map(|usual| usual.centre),
            |evidence| evidence.usual.map(|usual| usual.low),
            |evidence| evidence.usual.map(|usual| usual.high),
            |evidence| evidence.sigmas,
            |evidence| evidence.share_of_total,
        ];
        let bases: [fn(&Evidence) -> u32; 3] =
            [|evidence| evidence.samples, |evidence| evidence.bad_samples, |evidence| evidence.windows];
        Self {
            client_ids: each(rows, |row| &*row.client_id),
            targets: each(rows, |row| &*row.target),
            starts: each(rows, |row| timestamptz(row.window.start.ms())),
            counts: [
                each(rows, |row| i64::from(row.window.count_total())),
                each(rows, |row| i64::from(row.window.count_success)),
                each(rows, |row| i64::from(row.window.count_error())),
            ],
            errors: std::array::from_fn(|stage| each(rows, |row| i64::from(row.window.errors[stage]))),
            percentiles: Metric::ALL.into_iter().flat_map(|metric| percentiles(rows, metric)).collect(),
            labels: each(rows, |row| row.diagnosis.as_ref().map(|diagnosis| diagnosis.label.as_str())),
            finals: each(rows, |row| row.window.is_final),
            as_ofs: each(rows, |row| timestamptz(row.window.as_of.ms())),
            pair_states: each(rows, |row| row.pair_state.as_deref()),
            names: [0, 1, 2].map(|nth| each(rows, |row| row.window.network.as_deref()?.names()[nth])),
            labels_of: [0, 1].map(|side| each(rows, |row| row.window.tags.as_deref()?.json()[side])),
            severities: each(rows, |row| finding(row).map(|(severity, _)| severity.as_str())),
            stages: each(rows, |row| finding(row).map(|(_, evidence)| evidence.stage)),
            figures: figures.map(|figure| each(rows, |row| finding(row).and_then(|(_, evidence)| figure(evidence)))),
            bases: bases.map(|basis| each(rows, |row| finding(row).map(|(_, evidence)| i64::from(basis(evidence))))),
            since: each(rows, |row| finding(row).map(|(_, evidence)| timestamptz(evidence.since.ms()))),
        }
    }

    fn parameters(&self) -> Vec<Parameter<'_>> {
        let mut parameters: Vec<Parameter<'_>> = vec![
            (&self.client_ids, Type::TEXT_ARRAY),
            (&self.targets, Type::TEXT_ARRAY),
            (&self.starts, Type::TIMESTAMPTZ_ARRAY),
        ];
        let counts = self.counts.iter().chain(&self.errors);
        parameters.extend(counts.map(|counts| -> Parameter<'_> { (counts, Type::INT8_ARRAY) }));
        parameters.extend(self.percentiles.iter().map(|values| -> Parameter<'_> { (values, Type::FLOAT8_ARRAY) }));
        parameters.push((&self.labels, Type::TEXT_ARRAY));
        parameters.push((&self.finals, Type::BOOL_ARRAY));
        parameters.push((&self.as_ofs, Type::TIMESTAMPTZ_ARRAY));
        parameters.push((&self.pair_states, Type::BYTEA_ARRAY));
        let texts = self.names.iter().chain(&self.labels_of);
        parameters.extend(texts.map(|texts| -> Parameter<'_> { (texts, Type::TEXT_ARRAY) }));
        parameters.push((&self.severities, Type::TEXT_ARRAY));
        parameters.push((&self.stages, Type::TEXT_ARRAY));
        parameters.extend(self.figures.iter().map(|values| -> Parameter<'_> { (values, Type::FLOAT8_ARRAY) }));
        parameters.extend(self.bases.iter().map(|counts| -> Parameter<'_> { (counts, Type::INT8_ARRAY) }));
        parameters.push((&self.since, Type::TIMESTAMPTZ_ARRAY));
        parameters
    }
}

/// Both percentiles of a metric.
fn percentiles(rows: &[&AggregateRow], metric: Metric) -> [Vec<Option<f64>>; 2] {
    let which: [fn(Percentiles) -> u64; 2] = [|both| both.p50, |both| both.p95];
    which.map(|which| each(rows, |row| row.window.of(metric).map(|both| from_thousandths(which(both)))))
}

pub(super) fn each<'a, Row, T>(rows: &'a [Row], value: impl Fn(&'a Row) -> T) -> Vec<T> {
    rows.iter().map(value).collect()
}

fn finding(row: &AggregateRow) -> Option<&(Severity, Evidence)> {
    row.diagnosis.as_ref()?.finding.as_deref()
}

/// Writes the clients: the earlier first time, the later last time, and the context that came with that.
pub(super) fn clients<'a>(
    transaction: &mut Transaction<'_>,
    clients: impl Iterator<Item = &'a ClientRow>,
) -> Result<(), Failure> {
    let merged = batch::clients(clients);
    for clients in merged.chunks(ROWS_PER_STATEMENT) {
        let text = |field: for<'b> fn(&'b ClientRow) -> Option<&'b str>| {
            each(clients, |client| field(client).map(batch::storable))
        };
        let client_ids = each(clients, |client| &*client.client_id);
        let network_types = text(|client| client.context.network_type.as_deref());
        let isps = text(|client| client.context.isp.as_deref());
        let contexts = text(|client| client.context.json.as_deref());
        let first_seen = each(clients, |client| timestamptz(client.first_seen.ms()));
        let last_seen = each(clients, |client| timestamptz(client.last_seen.ms()));
        transaction.execute_typed(
            "INSERT INTO clients AS stored (client_id, network_type, isp, context, first_seen, last_seen)
             SELECT * FROM unnest($1, $2, $3, $4, $5, $6)
             ON CONFLICT (client_id) DO UPDATE SET
                 network_type = CASE WHEN excluded.last_seen >= stored.last_seen
                                     THEN excluded.network_type ELSE stored.network_type END,
                 isp = CASE WHEN excluded.last_seen >= stored.last_seen THEN excluded.isp ELSE stored.isp END,
                 context = CASE WHEN excluded.last_seen >= stored.last_seen
                                THEN excluded.context ELSE stored.context END,
                 first_seen = least(excluded.first_seen, stored.first_seen),
                 last_seen = greatest(excluded.last_seen, stored.last_seen)",
            &[
                (&client_ids, Type::TEXT_ARRAY),
                (&network_types, Type::TEXT_ARRAY),
                (&isps, Type::TEXT_ARRAY),
                (&contexts, Type::TEXT_ARRAY),
                (&first_seen, Type::TIMESTAMPTZ_ARRAY),
                (&last_seen, Type::TIMESTAMPTZ_ARRAY),
            ],
        )?;
    }
    Ok(())
}

/// Writes the lines that could not be counted; one that is there already stays as it is.
pub(super) fn dead_letters(transaction: &mut Transaction<'_>, partitions: &[PartitionCommit]) -> Result<(), Failure> {
    let letters: Vec<&DeadLetter> = partitions.iter().flat_map(|partition| &partition.dead_letters).collect();
    let mut rest = &letters[..];
    while !rest.is_empty() {
        let (now, later) = rest.split_at(letters_of_one_statement(rest));
        insert_letters(transaction, now)?;
        rest = later;
    }
    Ok(())
}

/// How many of the first letters go into one statement: at least one, and no more than fit into its bytes.
fn letters_of_one_statement(letters: &[&DeadLetter]) -> usize {
    let mut bytes = 0;
    let fitting = letters.iter().take(ROWS_PER_STATEMENT).take_while(|letter| {
        bytes += letter.original.len() + letter.reason.len();
        bytes <= LETTER_BYTES_PER_STATEMENT
    });
    fitting.count().max(1)
}

fn insert_letters(transaction: &mut Transaction<'_>, letters: &[&DeadLetter]) -> Result<(), Failure> {
    let partitions = each(letters, |letter| i32::from(letter.partition.0));
    let positions = each(letters, |letter| letter.position.0.cast_signed());
    let lines = each(letters, |letter| i64::from(letter.line));
    let log_times = each(letters, |letter| timestamptz(letter.log_time.ms()));
    let reasons = each(letters, |letter| batch::storable(&letter.reason));
    let originals = each(letters, |letter| &letter.original[..]);
    transaction.execute_typed(
        "INSERT INTO dead_letters (partition, position, line, log_time, reason, original)
         SELECT * FROM unnest($1, $2, $3, $4, $5, $6) ON CONFLICT DO NOTHING",
        &[
            (&partitions, Type::INT4_ARRAY),
            (&positions, Type::INT8_ARRAY),
            (&lines, Type::INT8_ARRAY),
            (&log_times, Type::TIMESTAMPTZ_ARRAY),
            (&reasons, Type::TEXT_ARRAY),
            (&originals, Type::BYTEA_ARRAY),
        ],
    )?;
    Ok(())
}

/// Writes how far each partition has come.
pub(super) fn checkpoints(
    transaction: &mut Transaction<'_>,
    log_id: &str,
    generation: Generation,
    partitions: &[PartitionCommit],
) -> Result<(), Failure> {
    let reached = each(partitions, |partition| partition.checkpoint);
    let numbers = each(&reached, |reached| i32::from(reached.partition.0));
    let log_times = each(&reached, |reached| timestamptz(reached.log_time.ms()));
    let count = |of: fn(&netqoe_model::Checkpoint) -> u64| each(&reached, |reached| of(reached).cast_signed());
    let counts = [
        count(|reached| reached.resume_from.0),
        count(|reached| reached.processed.0),
        count(|reached| reached.ledger.read),
        count(|reached| reached.ledger.accepted),
        count(|reached| reached.ledger.duplicate),
        count(|reached| reached.ledger.late),
        count(|reached| reached.ledger.invalid),
    ];
    let mut parameters: Vec<Parameter<'_>> = vec![
        (&log_id, Type::TEXT),
        (&generation.0, Type::INT8),
        (&numbers, Type::INT4_ARRAY),
        (&log_times, Type::TIMESTAMPTZ_ARRAY),
    ];
    parameters.extend(counts.iter().map(|counts| -> Parameter<'_> { (counts, Type::INT8_ARRAY) }));
    transaction.execute_typed(
        "INSERT INTO checkpoint (log_id, generation, partition, log_time, resume_from, processed, read, accepted,
             duplicate, late, invalid)
         SELECT $1, $2, * FROM unnest($3, $4, $5, $6, $7, $8, $9, $10, $11)
         ON CONFLICT (log_id, partition) DO UPDATE SET
             (generation, log_time, resume_from, processed, read, accepted, duplicate, late, invalid)
             = (excluded.generation, excluded.log_time, excluded.resume_from, excluded.processed, excluded.read,
                excluded.accepted, excluded.duplicate, excluded.late, excluded.invalid)",
        &parameters,
    )?;
    Ok(())
}

/// Lets only this generation write, of this log.
pub(super) fn fence(
    transaction: &mut Transaction<'_>,
    log: &LogIdentity,
    generation: Generation,
    opening: &Opening,
) -> Result<(), Failure> {
    transaction.execute_typed(
        "INSERT INTO fence (only_row, log_id, partitions, generation, rules, opened_by) VALUES (1, $1, $2, $3, $4, $5)
         ON CONFLICT (only_row) DO UPDATE SET
             (log_id, partitions, generation, rules, opened_by)
             = (excluded.log_id, excluded.partitions, excluded.generation, excluded.rules, excluded.opened_by)",
        &[
            (&log.id, Type::TEXT),
            (&i32::from(log.partitions.get()), Type::INT4),
            (&generation.0, Type::INT8),
            (&opening.rules, Type::TEXT),
            (&opening.opened_by, Type::TEXT),
        ],
    )?;
    Ok(())
}
