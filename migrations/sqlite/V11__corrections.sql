-- What came after its window was closed, and counts all the same.

-- How often the row was written again since it is final.
ALTER TABLE agg_1m ADD COLUMN revision INTEGER NOT NULL DEFAULT 0;

-- Pairs with events that came late, and that their rows do not reflect yet. Written with the checkpoint that passes the events.
CREATE TABLE waiting_corrections (
    partition   INTEGER NOT NULL,
    client_id   TEXT    NOT NULL,
    target      TEXT    NOT NULL,
    from_window INTEGER NOT NULL, -- the first window that one of them belongs to
    since       INTEGER NOT NULL, -- the first record that holds one of them
    events      INTEGER NOT NULL,
    PRIMARY KEY (partition, client_id, target)
) STRICT, WITHOUT ROWID;

-- What was corrected. Incidents are found again from the first window of those that they do not reflect.
CREATE TABLE corrections (
    id           INTEGER PRIMARY KEY AUTOINCREMENT,
    partition    INTEGER NOT NULL,
    at           INTEGER NOT NULL, -- the log time that it reflects
    from_window  INTEGER NOT NULL, -- the first window that it may have changed
    pairs        INTEGER NOT NULL,
    accepted     INTEGER NOT NULL, -- events that came late and count now
    duplicate    INTEGER NOT NULL, -- copies of events that are counted
    rows_written INTEGER NOT NULL,
    written_at   INTEGER NOT NULL
) STRICT;

-- What was corrected in each hour is asked for.
CREATE INDEX corrections_at ON corrections (at);

-- What incidents were found from, as of some looks within the correction horizon.
CREATE TABLE fleet_states (
    at    INTEGER NOT NULL PRIMARY KEY, -- the look that it reflects
    state BLOB    NOT NULL
) STRICT;

ALTER TABLE fleet ADD COLUMN corrected INTEGER NOT NULL DEFAULT 0; -- the newest of `corrections` that incidents reflect

-- The incident as it was known then: where it stood, its label and its end, why it was withdrawn or corrected, and all of it as
-- JSON. Null in revisions from before.
ALTER TABLE incident_revisions ADD COLUMN state TEXT;
ALTER TABLE incident_revisions ADD COLUMN label TEXT;
ALTER TABLE incident_revisions ADD COLUMN closed INTEGER;
ALTER TABLE incident_revisions ADD COLUMN because TEXT;
ALTER TABLE incident_revisions ADD COLUMN incident_json TEXT;
