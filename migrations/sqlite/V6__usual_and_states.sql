-- What later windows of the pair are judged by. Some final rows have it, most are null.
ALTER TABLE agg_1m ADD COLUMN pair_state BLOB;

-- What is usual, in the unit of observed; null for error-bound. Rows of before have the mean, and one sigma to each side.
ALTER TABLE diagnoses RENAME COLUMN mean TO usual;
ALTER TABLE diagnoses ADD COLUMN usual_low REAL;
ALTER TABLE diagnoses ADD COLUMN usual_high REAL;
UPDATE diagnoses SET usual_low = usual - sigma, usual_high = usual + sigma;
ALTER TABLE diagnoses DROP COLUMN sigma;

-- What a diagnosis rests on. Null in rows of before.
ALTER TABLE diagnoses ADD COLUMN samples INTEGER;     -- measurements in the windows that were looked at
ALTER TABLE diagnoses ADD COLUMN bad_samples INTEGER; -- of these, how many failed, or at least how many were slow
ALTER TABLE diagnoses ADD COLUMN windows INTEGER;     -- how many windows were looked at
ALTER TABLE diagnoses ADD COLUMN since_ts INTEGER;    -- start of the first window of the run, Unix milliseconds
