-- What later windows of the pair are judged by. Some final rows have it, most are null.
ALTER TABLE agg_1m ADD COLUMN pair_state bytea;

-- What is usual, in the unit of observed; null for error-bound. Rows of before have the mean, and one sigma to each side.
ALTER TABLE diagnoses RENAME COLUMN mean TO usual;
ALTER TABLE diagnoses
    ADD COLUMN usual_low  double precision,
    ADD COLUMN usual_high double precision;
UPDATE diagnoses SET usual_low = usual - sigma, usual_high = usual + sigma;
ALTER TABLE diagnoses DROP COLUMN sigma;

-- What a diagnosis rests on. Null in rows of before.
ALTER TABLE diagnoses
    ADD COLUMN samples     bigint,      -- measurements in the windows that were looked at
    ADD COLUMN bad_samples bigint,      -- of these, how many failed, or at least how many were slow
    ADD COLUMN windows     bigint,      -- how many windows were looked at
    ADD COLUMN since_ts    timestamptz; -- start of the first window of the run
