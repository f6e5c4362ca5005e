//! One window of one key while it can still change.

use std::rc::Rc;

use netqoe_model::{ErrorStage, LogTime, WindowRow, WindowStart};

use super::{SampleSet, SeenIds};
use crate::event_batch::EventRef;

/// What a window has counted, and the row that was last shown of it.
#[derive(Clone, Debug)]
pub struct OpenWindow {
    pub(crate) start: WindowStart,
    count_success: u32,
    errors: [u32; 5],
    samples: SampleSet,
    seen: SeenIds,
    /// The row that stands in the collection of rows, which must be taken back before another is put there.
    pub(crate) shown: Option<Rc<WindowRow>>,
    /// Whether the window has counted anything since.
    pub(crate) changed: bool,
}

impl OpenWindow {
    /// An empty window.
    pub(crate) fn new(start: WindowStart) -> Self {
        Self {
            start,
            count_success: 0,
            errors: [0; 5],
            samples: SampleSet::default(),
            seen: SeenIds::default(),
            shown: None,
            changed: false,
        }
    }

    /// Counts an event, unless it is a copy of one that was counted: then false.
    pub(crate) fn insert(&mut self, event: EventRef<'_>, exact_samples: usize) -> bool {
        if !self.seen.insert(event.id) {
            return false;
        }
        match event.error_stage {
            Some(stage) => self.count_error(stage),
            None => {
                self.count_success += 1;
                self.samples.insert(event.samples, exact_samples);
            }
        }
        self.changed = true;
        true
    }

    fn count_error(&mut self, stage: ErrorStage) {
        self.errors[stage as usize] += 1;
    }

    /// The row as it stands.
    pub(crate) fn row(&self, is_final: bool, as_of: LogTime) -> WindowRow {
        WindowRow {
            start: self.start,
            is_final,
            as_of,
            count_success: self.count_success,
            errors: self.errors,
            percentiles: self.samples.percentiles(),
        }
    }
}
