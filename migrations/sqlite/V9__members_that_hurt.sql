-- A member's `until` is null as long as it has the label: its newest window is then that of its incident's `last`. Members of a
-- great incident are not written anew each minute.
CREATE TABLE incident_members_that_hurt (
    incident  TEXT    NOT NULL,
    client_id TEXT    NOT NULL,
    target    TEXT    NOT NULL,
    since     INTEGER NOT NULL, -- the first of its windows with the label
    until     INTEGER,          -- the newest of them, once it has recovered
    severity  TEXT    NOT NULL, -- the worst of them
    PRIMARY KEY (incident, client_id, target)
) STRICT, WITHOUT ROWID;

INSERT INTO incident_members_that_hurt SELECT incident, client_id, target, since, until, severity FROM incident_members;
DROP TABLE incident_members;
ALTER TABLE incident_members_that_hurt RENAME TO incident_members;
