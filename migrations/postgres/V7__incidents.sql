-- Incidents: what they are found in, how far that has come, and what was found.

-- What a partition saw of its pairs when its log time passed a minute, written with the rows of the same commit. Those that
-- every start has passed are deleted.
CREATE TABLE looks (
    at        timestamptz NOT NULL, -- the minute that was passed
    partition integer NOT NULL,
    sightings bytea NOT NULL,
    PRIMARY KEY (at, partition)
);

-- How far incidents reflect the looks. At most one row.
CREATE TABLE fleet (
    only_row integer NOT NULL PRIMARY KEY CHECK (only_row = 1),
    through  timestamptz NOT NULL, -- the newest look that incidents reflect
    state_at timestamptz,          -- the look that `state` reflects; a start goes on from there
    state    bytea,
    degraded bigint NOT NULL, -- pairs at `through`
    healthy  bigint NOT NULL,
    unjudged bigint NOT NULL,
    unmeasured bigint NOT NULL
);

CREATE TABLE incidents (
    id                text COLLATE "C" NOT NULL PRIMARY KEY,
    label             text NOT NULL,
    cause_dimension   text NOT NULL,
    cause_value       text NOT NULL, -- a JSON list of texts: two where two dimensions are joined, none for everything
    state             text NOT NULL, -- open, closed, withdrawn
    withdrawn_because text,
    opened            timestamptz NOT NULL, -- the first window with evidence
    detected          timestamptz NOT NULL, -- the log time at which it was first told
    named             timestamptz NOT NULL, -- the log time at which it got its present cause and label
    last              timestamptz NOT NULL, -- the newest window with evidence
    closed            timestamptz,          -- the end of `last`, once it is over
    severity          text NOT NULL,
    peak_severity     text NOT NULL,
    degraded_at_first bigint NOT NULL, -- pairs for and against it when it was told under this cause
    healthy_at_first  bigint NOT NULL,
    degraded_now      bigint NOT NULL,
    healthy_now       bigint NOT NULL,
    pairs             bigint NOT NULL, -- that have had its label since it opened
    clients           bigint NOT NULL,
    targets           bigint NOT NULL,
    revision          bigint NOT NULL,
    as_of             timestamptz NOT NULL, -- the look that it reflects
    updated_at        timestamptz NOT NULL
);

-- What the API asks for: pages by when they opened, what is open now, and when the last one was over.
CREATE INDEX incidents_opened ON incidents (opened, id);
CREATE INDEX incidents_open ON incidents (opened, id) WHERE state = 'open';
CREATE INDEX incidents_closed ON incidents (closed) WHERE state = 'closed';

CREATE TABLE incident_members (
    incident  text COLLATE "C" NOT NULL,
    client_id text COLLATE "C" NOT NULL,
    target    text COLLATE "C" NOT NULL,
    since     timestamptz NOT NULL, -- the first and the newest of its windows with the label
    until     timestamptz NOT NULL,
    severity  text NOT NULL, -- the worst of them
    PRIMARY KEY (incident, client_id, target)
);

CREATE TABLE incident_revisions (
    incident        text COLLATE "C" NOT NULL,
    revision        bigint NOT NULL,
    at              timestamptz NOT NULL, -- the look at which it changed
    change          text NOT NULL, -- opened, cause, severity, absorbed, closed, withdrawn
    cause_dimension text NOT NULL,
    cause_value     text NOT NULL,
    severity        text NOT NULL,
    degraded        bigint NOT NULL,
    PRIMARY KEY (incident, revision)
);

CREATE INDEX incident_revisions_at ON incident_revisions (at);

-- What people say of an incident. No replay touches it.
CREATE TABLE incident_notes (
    id           bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    incident     text COLLATE "C" NOT NULL,
    written_at   timestamptz NOT NULL,
    author       text NOT NULL,
    acknowledges boolean NOT NULL, -- the author has taken it up
    text         text NOT NULL
);

CREATE INDEX incident_notes_incident ON incident_notes (incident, id);

-- Faults that are planned: incidents of such a cause are kept and not notified. No replay touches it.
CREATE TABLE maintenance_windows (
    id              bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    from_ts         timestamptz NOT NULL,
    to_ts           timestamptz NOT NULL,
    cause_dimension text NOT NULL,
    cause_value     text NOT NULL,
    author          text NOT NULL,
    text            text NOT NULL,
    written_at      timestamptz NOT NULL
);

CREATE INDEX maintenance_windows_from ON maintenance_windows (from_ts, id);
CREATE INDEX maintenance_windows_to ON maintenance_windows (to_ts, id);

-- Pairs that miss their rhythm, for a day.
CREATE TABLE unmeasured (
    client_id text COLLATE "C" NOT NULL,
    target    text COLLATE "C" NOT NULL,
    last      timestamptz NOT NULL, -- the newest window that was measured
    rhythm_ms bigint NOT NULL,
    isp       text,
    site      text,
    PRIMARY KEY (client_id, target)
);

-- What receivers are to be told, and have been.
CREATE TABLE outbox (
    id           text COLLATE "C" NOT NULL, -- of the message: incident and revision
    receiver     text COLLATE "C" NOT NULL, -- as the configuration names it
    incident     text COLLATE "C" NOT NULL,
    body         text NOT NULL, -- the message, as JSON
    created_at   timestamptz NOT NULL,
    due_at       timestamptz NOT NULL, -- when it is sent, or sent again
    attempts     bigint NOT NULL,
    delivered_at timestamptz,
    given_up_at  timestamptz,
    last_error   text,
    PRIMARY KEY (receiver, id)
);

CREATE INDEX outbox_due ON outbox (receiver, due_at) WHERE delivered_at IS NULL AND given_up_at IS NULL;

-- Up to which look receivers were told. At most one row.
CREATE TABLE told (
    only_row integer NOT NULL PRIMARY KEY CHECK (only_row = 1),
    through  timestamptz NOT NULL
);
