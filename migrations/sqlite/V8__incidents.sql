-- Incidents: what they are found in, how far that has come, and what was found.

-- What a partition saw of its pairs when its log time passed a minute, written with the rows of the same commit. Those that
-- every start has passed are deleted.
CREATE TABLE looks (
    at        INTEGER NOT NULL, -- the minute that was passed
    partition INTEGER NOT NULL,
    sightings BLOB    NOT NULL,
    PRIMARY KEY (at, partition)
) STRICT, WITHOUT ROWID;

-- How far incidents reflect the looks. At most one row.
CREATE TABLE fleet (
    only_row INTEGER NOT NULL PRIMARY KEY CHECK (only_row = 1),
    through  INTEGER NOT NULL, -- the newest look that incidents reflect
    state_at INTEGER,          -- the look that `state` reflects; a start goes on from there
    state    BLOB,
    degraded INTEGER NOT NULL, -- pairs at `through`
    healthy  INTEGER NOT NULL,
    unjudged INTEGER NOT NULL,
    unmeasured INTEGER NOT NULL
) STRICT;

CREATE TABLE incidents (
    id                TEXT    NOT NULL PRIMARY KEY,
    label             TEXT    NOT NULL,
    cause_dimension   TEXT    NOT NULL,
    cause_value       TEXT    NOT NULL, -- a JSON list of texts: two where two dimensions are joined, none for everything
    state             TEXT    NOT NULL, -- open, closed, withdrawn
    withdrawn_because TEXT,
    opened            INTEGER NOT NULL, -- the first window with evidence
    detected          INTEGER NOT NULL, -- the log time at which it was first told
    named             INTEGER NOT NULL, -- the log time at which it got its present cause and label
    last              INTEGER NOT NULL, -- the newest window with evidence
    closed            INTEGER,          -- the end of `last`, once it is over
    severity          TEXT    NOT NULL,
    peak_severity     TEXT    NOT NULL,
    degraded_at_first INTEGER NOT NULL, -- pairs for and against it when it was told under this cause
    healthy_at_first  INTEGER NOT NULL,
    degraded_now      INTEGER NOT NULL,
    healthy_now       INTEGER NOT NULL,
    pairs             INTEGER NOT NULL, -- that have had its label since it opened
    clients           INTEGER NOT NULL,
    targets           INTEGER NOT NULL,
    revision          INTEGER NOT NULL,
    as_of             INTEGER NOT NULL, -- the look that it reflects
    updated_at        INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

-- What the API asks for: pages by when they opened, what is open now, and when the last one was over.
CREATE INDEX incidents_opened ON incidents (opened, id);
CREATE INDEX incidents_open ON incidents (opened, id) WHERE state = 'open';
CREATE INDEX incidents_closed ON incidents (closed) WHERE state = 'closed';

CREATE TABLE incident_members (
    incident  TEXT    NOT NULL,
    client_id TEXT    NOT NULL,
    target    TEXT    NOT NULL,
    since     INTEGER NOT NULL, -- the first and the newest of its windows with the label
    until     INTEGER NOT NULL,
    severity  TEXT    NOT NULL, -- the worst of them
    PRIMARY KEY (incident, client_id, target)
) STRICT, WITHOUT ROWID;

CREATE TABLE incident_revisions (
    incident        TEXT    NOT NULL,
    revision        INTEGER NOT NULL,
    at              INTEGER NOT NULL, -- the look at which it changed
    change          TEXT    NOT NULL, -- opened, cause, severity, absorbed, closed, withdrawn
    cause_dimension TEXT    NOT NULL,
    cause_value     TEXT    NOT NULL,
    severity        TEXT    NOT NULL,
    degraded        INTEGER NOT NULL,
    PRIMARY KEY (incident, revision)
) STRICT, WITHOUT ROWID;

CREATE INDEX incident_revisions_at ON incident_revisions (at);

-- What people say of an incident. No replay touches it.
CREATE TABLE incident_notes (
    id           INTEGER PRIMARY KEY AUTOINCREMENT,
    incident     TEXT    NOT NULL,
    written_at   INTEGER NOT NULL,
    author       TEXT    NOT NULL,
    acknowledges INTEGER NOT NULL, -- 1: the author has taken it up
    text         TEXT    NOT NULL
) STRICT;

CREATE INDEX incident_notes_incident ON incident_notes (incident, id);

-- Faults that are planned: incidents of such a cause are kept and not notified. No replay touches it.
CREATE TABLE maintenance_windows (
    id              INTEGER PRIMARY KEY AUTOINCREMENT,
    from_ts         INTEGER NOT NULL,
    to_ts           INTEGER NOT NULL,
    cause_dimension TEXT    NOT NULL,
    cause_value     TEXT    NOT NULL,
    author          TEXT    NOT NULL,
    text            TEXT    NOT NULL,
    written_at      INTEGER NOT NULL
) STRICT;

CREATE INDEX maintenance_windows_from ON maintenance_windows (from_ts, id);
CREATE INDEX maintenance_windows_to ON maintenance_windows (to_ts, id);

-- Pairs that miss their rhythm, for a day.
CREATE TABLE unmeasured (
    client_id TEXT    NOT NULL,
    target    TEXT    NOT NULL,
    last      INTEGER NOT NULL, -- the newest window that was measured
    rhythm_ms INTEGER NOT NULL,
    isp       TEXT,
    site      TEXT,
    PRIMARY KEY (client_id, target)
) STRICT, WITHOUT ROWID;

-- What receivers are to be told, and have been.
CREATE TABLE outbox (
    id           TEXT    NOT NULL, -- of the message: incident and revision
    receiver     TEXT    NOT NULL, -- as the configuration names it
    incident     TEXT    NOT NULL,
    body         TEXT    NOT NULL, -- the message, as JSON
    created_at   INTEGER NOT NULL,
    due_at       INTEGER NOT NULL, -- when it is sent, or sent again
    attempts     INTEGER NOT NULL,
    delivered_at INTEGER,
    given_up_at  INTEGER,
    last_error   TEXT,
    PRIMARY KEY (receiver, id)
) STRICT, WITHOUT ROWID;

CREATE INDEX outbox_due ON outbox (receiver, due_at) WHERE delivered_at IS NULL AND given_up_at IS NULL;

-- Up to which look receivers were told. At most one row.
CREATE TABLE told (
    only_row INTEGER NOT NULL PRIMARY KEY CHECK (only_row = 1),
    through  INTEGER NOT NULL
) STRICT;
