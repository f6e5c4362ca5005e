-- How many pairs were degraded in each window, and by what, is read from this index alone. Its rows stay in the order of
-- the pages of diagnoses.
DROP INDEX diagnoses_window;
CREATE INDEX diagnoses_window ON diagnoses (window_start_ts, client_id, target, label);
