//! Triggers in the database that see every commit: what must never happen on the way, whatever the end looks like.
//!
//! What later rows are judged by (`pair_state`) may be corrected where its row stays as it is, so it is compared at the end alone.

use netqoe_sinks::{PostgresOptions, PostgresStore};
use postgres::{Client, NoTls};

use super::tables::postgres_rows;

const INSTALL: &str = "
    CREATE TABLE audit_progress (
        id bigserial PRIMARY KEY, transaction xid8 NOT NULL DEFAULT pg_current_xact_id(), partition integer,
        generation bigint, processed bigint, log_time timestamptz, read bigint, accepted bigint, duplicate bigint,
        late bigint, invalid bigint);
    CREATE TABLE audit_rows (transaction xid8 PRIMARY KEY DEFAULT pg_current_xact_id());
    CREATE TABLE audit_finals (transaction xid8 NOT NULL DEFAULT pg_current_xact_id(), was jsonb, became jsonb);
    CREATE TABLE audit_corrections (transaction xid8 NOT NULL DEFAULT pg_current_xact_id());

    CREATE FUNCTION audit_progress() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
        INSERT INTO audit_progress (partition, generation, processed, log_time, read, accepted, duplicate, late, invalid)
        VALUES (NEW.partition, NEW.generation, NEW.processed, NEW.log_time, NEW.read, NEW.accepted, NEW.duplicate,
                NEW.late, NEW.invalid);
        RETURN NULL;
    END $$;
    CREATE TRIGGER audit_progress AFTER INSERT OR UPDATE ON checkpoint FOR EACH ROW EXECUTE FUNCTION audit_progress();

    CREATE FUNCTION audit_rows() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
        INSERT INTO audit_rows DEFAULT VALUES ON CONFLICT DO NOTHING; RETURN NULL;
    END $$;
    CREATE TRIGGER audit_new_rows AFTER INSERT ON agg_1m FOR EACH ROW EXECUTE FUNCTION audit_rows();
    CREATE TRIGGER audit_rows AFTER UPDATE ON agg_1m FOR EACH ROW
        WHEN (to_jsonb(OLD) - '{updated_at,pair_state}'::text[] IS DISTINCT FROM to_jsonb(NEW) - '{updated_at,pair_state}'::text[])
        EXECUTE FUNCTION audit_rows();

    CREATE FUNCTION audit_corrections() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
        INSERT INTO audit_corrections DEFAULT VALUES; RETURN NULL;
    END $$;
    CREATE TRIGGER audit_corrections AFTER INSERT ON corrections FOR EACH STATEMENT EXECUTE FUNCTION audit_corrections();

    CREATE FUNCTION audit_finals() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
        INSERT INTO audit_finals (was, became) VALUES (to_jsonb(OLD), to_jsonb(NEW)); RETURN NULL;
    END $$;
    CREATE TRIGGER audit_finals AFTER UPDATE ON agg_1m FOR EACH ROW
        WHEN (OLD.is_final AND to_jsonb(OLD) - '{updated_at,pair_state}'::text[] IS DISTINCT FROM to_jsonb(NEW) - '{updated_at,pair_state}'::text[])
        EXECUTE FUNCTION audit_finals();";

/// What must give no row, and what it means where it does.
const NEVER: [(&str, &str); 6] = [
    (
        "an earlier generation committed after a later one",
        "SELECT * FROM (SELECT id, partition, generation, lag(generation) OVER (ORDER BY id) AS before
         FROM audit_progress) AS progress WHERE generation < before",
    ),
    (
        "progress of a partition went back",
        "SELECT * FROM (SELECT id, partition, processed, lag(processed) OVER of_it AS processed_before, log_time,
             lag(log_time) OVER of_it AS log_time_before, read, lag(read) OVER of_it AS read_before
         FROM audit_progress WINDOW of_it AS (PARTITION BY partition ORDER BY id)) AS progress
         WHERE processed < processed_before OR log_time < log_time_before OR read < read_before",
    ),
    (
        "a ledger did not balance",
        "SELECT id, partition, read, accepted, duplicate, late, invalid FROM audit_progress
         WHERE read <> accepted + duplicate + late + invalid",
    ),
    (
        "rows were committed without progress, and by no correction",
        "SELECT transaction::text FROM audit_rows EXCEPT SELECT transaction::text FROM audit_progress
         EXCEPT SELECT transaction::text FROM audit_corrections",
    ),
    (
        "a final row changed, and by no correction",
        "SELECT was::text, became::text FROM audit_finals WHERE transaction NOT IN (SELECT transaction FROM audit_corrections)
             OR (became ->> 'revision')::integer < greatest(1, (was ->> 'revision')::integer)",
    ),
    (
        "a row was still provisional at the end",
        "SELECT client_id, target, window_start_ts, count_total FROM agg_1m WHERE NOT is_final",
    ),
];

/// A database whose commits are watched.
pub(crate) struct Audit {
    url: String,
}

impl Audit {
    /// Makes the store's tables and the triggers on them, in an empty database.
    pub(crate) fn install(url: &str) -> Self {
        drop(PostgresStore::connect(url, &PostgresOptions::default(), std::sync::Arc::new(|| 0)).unwrap());
        let audit = Self { url: url.to_owned() };
        audit.client().batch_execute(INSTALL).unwrap();
        audit
    }

    /// What happened and never may, each with an example.
    pub(crate) fn problems(&self) -> Vec<String> {
        let mut client = self.client();
        let found = NEVER.map(|(what, sql)| (what, postgres_rows(&mut client, sql)));
        let found = found.into_iter().filter(|(_, rows)| !rows.is_empty());
        found.map(|(what, rows)| format!("{what}: {} times, as in {:?}", rows.len(), rows[0])).collect()
    }

    /// The superuser's URL of the database.
    pub(crate) fn url(&self) -> &str {
        &self.url
    }

    /// The number of the last progress that was committed; they have their order.
    pub(crate) fn last_commit(&self) -> Option<u64> {
        self.number("SELECT coalesce(max(id), 0) FROM audit_progress")
    }

    /// Commits of progress so far.
    pub(crate) fn commits(&self) -> Option<u64> {
        self.number("SELECT count(DISTINCT transaction) FROM audit_progress")
    }

    /// The generation that may commit.
    pub(crate) fn generation(&self) -> Option<u64> {
        self.number("SELECT coalesce(max(generation), 0) FROM fence")
    }

    /// The generation of the last commit.
    pub(crate) fn committed_generation(&self) -> Option<u64> {
        self.number("SELECT coalesce((SELECT generation FROM audit_progress ORDER BY id DESC LIMIT 1), 0)")
    }

    /// Rows that can still change.
    pub(crate) fn provisional_rows(&self) -> Option<u64> {
        self.number("SELECT count(*) FROM agg_1m WHERE NOT is_final")
    }

    /// Pairs with late events that no row reflects yet.
    pub(crate) fn waiting_corrections(&self) -> Option<u64> {
        self.number("SELECT count(*) FROM waiting_corrections")
    }

    /// Rows that were corrected.
    pub(crate) fn corrected_rows(&self) -> Option<u64> {
        self.number("SELECT count(*) FROM agg_1m WHERE revision > 0")
    }

    /// Lines that the ledgers count.
    pub(crate) fn lines_read(&self) -> Option<u64> {
        self.number("SELECT coalesce(sum(read), 0)::bigint FROM checkpoint")
    }

    /// The position of the log that every partition has reached, and the one that the furthest has.
    pub(crate) fn reached(&self) -> Option<(u64, u64)> {
        let of = |which| self.number(&format!("SELECT coalesce({which}(processed), 0)::bigint FROM checkpoint"));
        Some((of("min")?, of("max")?))
    }

    /// None where the database does not answer.
    fn number(&self, sql: &str) -> Option<u64> {
        let row = Client::connect(&self.url, NoTls).and_then(|mut client| client.query_one(sql, &[])).ok()?;
        u64::try_from(row.get::<_, i64>(0)).ok()
    }

    fn client(&self) -> Client {
        Client::connect(&self.url, NoTls).unwrap()
    }
}
