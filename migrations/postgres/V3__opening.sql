-- How the generation that may write was opened. Null where an older netqoe has opened it.
ALTER TABLE fence
    ADD COLUMN rules     text, -- by which its rows are made, as JSON
    ADD COLUMN opened_by text; -- the process
