-- The network that a window was measured over, as its newest counted event says that names one. Null where none does, and
-- in rows from before: what their network was is unknown.
ALTER TABLE agg_1m
    ADD COLUMN network_type text,
    ADD COLUMN isp          text,
    ADD COLUMN site         text; -- where the client was, in the operator's words
