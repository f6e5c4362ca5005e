-- How many pairs were degraded in each window, and by what, is read from this index alone. A row whose label stays is
-- still updated without it.
DROP INDEX idx_diagnoses_window;
CREATE INDEX idx_diagnoses_window ON diagnoses (window_start_ts, label);
