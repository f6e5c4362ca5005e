//! Which windows have another label with the new rules, and which pairs were measured.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::Range;
use std::path::PathBuf;
use std::sync::Arc;

use anyhow::{bail, ensure};
use netqoe_model::{Label, Network, PairTags, WindowStart};
use netqoe_sinks::read::{AggregateRecord, SqliteReader, side_by_side};

/// A label with the present rules, and with the new ones; `None` where too little is known.
pub(super) type Change = (Option<Label>, Option<Label>);

/// Client and target.
pub(super) type PairName = (Arc<str>, Arc<str>);

/// By what a pair belongs to causes: the network of the newest window that names one, and the labels of the newest window.
#[derive(Debug, Default)]
pub(super) struct Surroundings {
    pub(super) network: Option<Arc<Network>>,
    pub(super) tags: Option<Arc<PairTags>>,
}

/// The windows of the range.
#[derive(Debug, Default)]
pub(super) struct Windows {
    pub(super) all: u64,
    /// How many windows changed from one label to another.
    pub(super) changes: BTreeMap<Change, u64>,
    pub(super) changed_pairs: BTreeSet<PairName>,
    pub(super) pairs: BTreeMap<PairName, Surroundings>,
}

impl Windows {
    pub(super) fn compare(stores: &[PathBuf; 2], range: &Range<WindowStart>) -> anyhow::Result<Self> {
        let (present, new) = (SqliteReader::open(&stores[0])?, SqliteReader::open(&stores[1])?);
        let mut windows = Self::default();
        side_by_side(&present, &new, range, |present, new| -> anyhow::Result<()> {
            let (Some(present), Some(new)) = (present, new) else {
                bail!("the two replays came to different windows, which is a fault of netqoe; please report it");
            };
            windows.add(present, new);
            Ok(())
        })?;
        ensure!(
            windows.all > 0,
            "no pair was measured in the time that is compared; give a --from and a --to that the log covers"
        );
        Ok(windows)
    }

    /// How many windows have another label.
    pub(super) fn changed(&self) -> u64 {
        self.changes.values().sum()
    }

    fn add(&mut self, present: &AggregateRecord, new: &AggregateRecord) {
        self.all += 1;
        let name = (Arc::from(&*present.client_id), Arc::from(&*present.target));
        let change = (present.diagnosis_label, new.diagnosis_label);
        if change.0 != change.1 {
            *self.changes.entry(change).or_default() += 1;
            self.changed_pairs.insert(PairName::clone(&name));
        }
        // The newest windows come first.
        let newest = || Surroundings { network: None, tags: present.window.tags.clone() };
        let known = self.pairs.entry(name).or_insert_with(newest);
        if known.network.is_none() {
            known.network.clone_from(&present.window.network);
        }
    }
}
