-- Letters are looked at newest first, and those that are old go; an original can be megabytes, which neither should read.
CREATE INDEX dead_letters_by_time ON dead_letters (log_time, partition, position, line);
