-- The labels of the client and of the target of a window, as its newest counted event says that carries any: JSON objects of texts whose
-- names are in order. Null where there are none, and in rows from before. They are text, since two that are equal have the same text.
ALTER TABLE agg_1m
    ADD COLUMN client_labels text,
    ADD COLUMN target_labels text;
