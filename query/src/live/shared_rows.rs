//! The rows of one commit, and their JSON: made once for all readers, by the first of them and never by the pipeline.

use std::borrow::Cow;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, OnceLock};

use netqoe_model::AggregateRow;

use crate::answer::live_row;

/// Text that is kept, in bytes: that of all rows that are kept, where names are of ordinary length. Each reader makes its own
/// of what is beyond it.
const KEPT_TEXT_BYTES: usize = 64 << 20;

/// How many bytes of text are kept, in all commits. Clones count the same.
#[derive(Clone, Debug, Default)]
pub(super) struct KeptText(Arc<AtomicUsize>);

impl KeptText {
    fn is_full(&self) -> bool {
        self.bytes() >= KEPT_TEXT_BYTES
    }

    fn bytes(&self) -> usize {
        self.0.load(Ordering::Relaxed)
    }
}

#[derive(Debug)]
pub(super) struct SharedRows {
    rows: Vec<AggregateRow>,
    /// Those of all rows, from when the first of them is wanted.
    texts: OnceLock<Box<[OnceLock<Box<str>>]>>,
    kept_text: KeptText,
}

impl SharedRows {
    pub(super) fn new(rows: Vec<AggregateRow>, kept_text: &KeptText) -> Self {
        Self { rows, texts: OnceLock::new(), kept_text: kept_text.clone() }
    }

    pub(super) fn rows(&self) -> &[AggregateRow] {
        &self.rows
    }

    /// The JSON of the row of this index.
    pub(super) fn text(&self, index: usize) -> Cow<'_, str> {
        let make = || live_row(&self.rows[index]).to_string();
        let text = &self.texts.get_or_init(|| self.rows.iter().map(|_| OnceLock::new()).collect())[index];
        if text.get().is_none() && self.kept_text.is_full() {
            return make().into();
        }
        let keep = || {
            let text = make().into_boxed_str();
            self.kept_text.0.fetch_add(text.len(), Ordering::Relaxed);
            text
        };
        Cow::Borrowed(text.get_or_init(keep))
    }
}

impl Drop for SharedRows {
    fn drop(&mut self) {
        let texts = self.texts.get().into_iter().flatten().filter_map(OnceLock::get);
        self.kept_text.0.fetch_sub(texts.map(|text| text.len()).sum(), Ordering::Relaxed);
    }
}

#[cfg(test)]
pub(super) mod tests {
    use netqoe_model::{LogTime, WindowRow, WindowStart};

    use super::*;

    /// So many of one pair, all alike.
    pub(in crate::live) fn rows(client_id: &str, count: usize) -> Vec<AggregateRow> {
        let window = WindowRow {
            start: WindowStart::from_ms(0),
            is_final: true,
            as_of: LogTime::from_ms(0),
            count_success: 1,
            errors: [0; 5],
            percentiles: [None; 5],
            network: None,
            tags: None,
        };
        let (client_id, target) = (client_id.into(), "t".into());
        vec![AggregateRow { client_id, target, window, diagnosis: None, ended_runs: vec![], pair_state: None }; count]
    }

    #[test]
    fn a_text_is_made_once_and_given_back_with_its_rows() {
        let kept_text = KeptText::default();
        let (some, others) = (SharedRows::new(rows("c", 3), &kept_text), SharedRows::new(rows("c", 1), &kept_text));
        assert_eq!(kept_text.bytes(), 0, "nobody has asked");
        let text = some.text(1);
        assert!(text.starts_with('{') && text.contains(r#""client_id":"c""#), "{text}");
        assert!(std::ptr::eq(&*text, &*some.text(1)), "the same for all");
        assert_eq!(kept_text.bytes(), text.len());
        assert_eq!(others.text(0), text, "the same row");
        assert_eq!(kept_text.bytes(), 2 * text.len());
        drop(some);
        drop(others);
        assert_eq!(kept_text.bytes(), 0);
    }

    #[test]
    fn kept_text_is_bounded() {
        let (kept_text, name) = (KeptText::default(), "n".repeat(1 << 20));
        let some = SharedRows::new(rows(&name, 2 * KEPT_TEXT_BYTES / name.len()), &kept_text);
        for index in 0..some.rows().len() {
            assert!(some.text(index).contains(&name));
            assert!(kept_text.bytes() < KEPT_TEXT_BYTES + 2 * name.len());
        }
        assert!(kept_text.is_full());
        assert!(!std::ptr::eq(&*some.text(some.rows().len() - 1), &*some.text(some.rows().len() - 1)), "not kept");
        let more = SharedRows::new(rows("c", 1), &kept_text);
        drop(some);
        assert!(std::ptr::eq(&*more.text(0), &*more.text(0)), "there is room again");
    }
}
