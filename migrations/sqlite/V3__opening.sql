-- How the generation that may write was opened. Null where an older netqoe has opened it.
ALTER TABLE fence ADD COLUMN rules TEXT;     -- by which its rows are made, as JSON
ALTER TABLE fence ADD COLUMN opened_by TEXT; -- the process
