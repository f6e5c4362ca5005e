//! What a new generation reads back to make baselines of.

use std::sync::Arc;

use netqoe_model::{AggregateRow, WindowRow};

/// Takes each key's latest rows, newest first, and gives them oldest first, without those that are too old
/// to be in a baseline with the key's newest.
#[derive(Debug)]
pub(crate) struct History {
    max_age_ms: i64,
    rows: Vec<AggregateRow>,
    /// Where the rows of the last key begin.
    key_begins: usize,
}

impl History {
    pub(crate) fn new(max_age_ms: i64) -> Self {
        Self { max_age_ms, rows: Vec::new(), key_begins: 0 }
    }

    /// Takes a row. Those of one (client, target) must follow each other.
    pub(crate) fn push(&mut self, client_id: &str, target: &str, window: WindowRow) {
        let newest = self.rows.get(self.key_begins);
        match newest.filter(|newest| &*newest.client_id == client_id && &*newest.target == target) {
            Some(newest) => {
                if newest.window.start.ms() - window.start.ms() > self.max_age_ms {
                    return;
                }
                let (client_id, target) = (Arc::clone(&newest.client_id), Arc::clone(&newest.target));
                self.rows.push(AggregateRow { client_id, target, window, diagnosis: None });
            }
            None => {
                self.end_key();
                let (client_id, target) = (Arc::from(client_id), Arc::from(target));
                self.rows.push(AggregateRow { client_id, target, window, diagnosis: None });
            }
        }
    }

    /// All rows that were kept, by key, oldest first.
    pub(crate) fn finish(mut self) -> Vec<AggregateRow> {
        self.end_key();
        self.rows
    }

    fn end_key(&mut self) {
        self.rows[self.key_begins..].reverse();
        self.key_begins = self.rows.len();
    }
}

#[cfg(test)]
mod tests {
    use netqoe_model::{LogTime, WindowStart};

    use super::*;

    #[test]
    fn keys_stay_together_oldest_first_and_lose_what_is_too_old() {
        let mut history = History::new(100);
        for (client, target, start) in
            [("a", "x", 200), ("a", "x", 100), ("a", "x", 99), ("a", "y", 50), ("b", "y", 9), ("b", "y", 1)]
        {
            let window = WindowRow {
                start: WindowStart::from_ms(start),
                is_final: true,
                as_of: LogTime::from_ms(start),
                count_success: 1,
                errors: [0; 5],
                percentiles: [None; 5],
            };
            history.push(client, target, window);
        }
        let kept: Vec<_> = history
            .finish()
            .into_iter()
            .map(|row| (row.client_id.to_string(), row.target.to_string(), row.window.start.ms()))
            .collect();
        let expected = [("a", "x", 100), ("a", "x", 200), ("a", "y", 50), ("b", "y", 1), ("b", "y", 9)];
        assert_eq!(kept, expected.map(|(client, target, start)| (client.to_owned(), target.to_owned(), start)));
    }
}
