-- A member's `until` is null as long as it has the label: its newest window is then that of its incident's `last`. Members of a
-- great incident are not written anew each minute.
ALTER TABLE incident_members ALTER COLUMN until DROP NOT NULL;
