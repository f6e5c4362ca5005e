-- What came after its window was closed, and counts all the same.

-- How often the row was written again since it is final.
ALTER TABLE agg_1m ADD COLUMN revision integer NOT NULL DEFAULT 0;

-- Pairs with events that came late, and that their rows do not reflect yet. Written with the checkpoint that passes the events.
CREATE TABLE waiting_corrections (
    partition   integer NOT NULL,
    client_id   text COLLATE "C" NOT NULL,
    target      text COLLATE "C" NOT NULL,
    from_window timestamptz NOT NULL, -- the first window that one of them belongs to
    since       bigint NOT NULL, -- the first record that holds one of them
    events      bigint NOT NULL,
    PRIMARY KEY (partition, client_id, target)
);

-- What was corrected. Incidents are found again from the first window of those that they do not reflect.
CREATE TABLE corrections (
    id           bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    partition    integer NOT NULL,
    at           timestamptz NOT NULL, -- the log time that it reflects
    from_window  timestamptz NOT NULL, -- the first window that it may have changed
    pairs        bigint NOT NULL,
    accepted     bigint NOT NULL, -- events that came late and count now
    duplicate    bigint NOT NULL, -- copies of events that are counted
    rows_written bigint NOT NULL,
    written_at   timestamptz NOT NULL
);

-- What was corrected in each hour is asked for.
CREATE INDEX corrections_at ON corrections (at);

-- What incidents were found from, as of some looks within the correction horizon.
CREATE TABLE fleet_states (
    at    timestamptz NOT NULL PRIMARY KEY, -- the look that it reflects
    state bytea NOT NULL
);

ALTER TABLE fleet ADD COLUMN corrected bigint NOT NULL DEFAULT 0; -- the newest of `corrections` that incidents reflect

-- The incident as it was known then: where it stood, its label and its end, why it was withdrawn or corrected, and all of it as
-- JSON. Null in revisions from before.
ALTER TABLE incident_revisions ADD COLUMN state text;
ALTER TABLE incident_revisions ADD COLUMN label text;
ALTER TABLE incident_revisions ADD COLUMN closed timestamptz;
ALTER TABLE incident_revisions ADD COLUMN because text;
ALTER TABLE incident_revisions ADD COLUMN incident_json text;
