//! What is known of one pair.

use std::sync::Arc;

use netqoe_model::{Label, Network, PairTags, Severity, Sighting, Standing, Unmeasured, WindowStart};

use crate::rhythm::Rhythm;
use crate::space::CauseId;

/// Windows of which the standing is kept: a window is revised for as long as it is open, and no incident asks for older ones.
pub(crate) const RECENT_WINDOWS: usize = 6;
/// Windows without a label that do not end its run.
const BRIDGED_WINDOWS: i64 = 3;

/// Windows with one label that follow each other.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Run {
    pub(crate) label: Label,
    pub(crate) since: WindowStart,
    pub(crate) until: WindowStart,
}

/// Where a pair stands in the list of a cause's pairs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Place {
    pub(crate) cause: CauseId,
    pub(crate) index: u32,
}

/// One pair.
#[derive(Clone, Debug)]
pub(crate) struct Pair {
    pub(crate) client: Arc<str>,
    pub(crate) target: Arc<str>,
    /// Of the newest window that names one.
    pub(crate) network: Option<Arc<Network>>,
    /// Of the newest window: a label that is sent no more is none.
    pub(crate) tags: Option<Arc<PairTags>>,
    /// The causes that hold it, the client's first and the target's second.
    pub(crate) causes: Vec<Place>,
    /// The newest windows that were measured, the newest last.
    pub(crate) recent: Vec<(WindowStart, Standing)>,
    pub(crate) rhythm: Rhythm,
    /// What its newest window came to, or `None` if the pair is silent.
    pub(crate) present: Option<Standing>,
    pub(crate) run: Option<Run>,
    /// Whether it was told that it is silent.
    pub(crate) unmeasured: bool,
    /// The look at which it is asked next whether it is silent. It lies in the list of that look.
    pub(crate) asked_at: WindowStart,
    /// Open incidents of which it is a member: it is not forgotten as long as there are any.
    pub(crate) memberships: u32,
}

impl Pair {
    pub(crate) fn new(client: Arc<str>, target: Arc<str>) -> Self {
        Self {
            client,
            target,
            network: None,
            tags: None,
            causes: Vec::new(),
            recent: Vec::new(),
            rhythm: Rhythm::default(),
            present: None,
            run: None,
            unmeasured: false,
            asked_at: WindowStart::from_ms(i64::MAX),
            memberships: 0,
        }
    }

    /// The newest window that was measured.
    pub(crate) fn newest(&self) -> Option<WindowStart> {
        self.recent.last().map(|(window, _)| *window)
    }

    /// The label and severity of its newest window, if it has one and is not silent.
    pub(crate) fn degraded(&self) -> Option<(Label, Severity)> {
        degraded(self.present?)
    }

    /// Whether the window that starts then, or a later one, has the label.
    pub(crate) fn has_had(&self, label: Label, from: WindowStart) -> bool {
        let since = self.recent.iter().filter(|(window, _)| *window >= from);
        since.filter_map(|(_, standing)| degraded(*standing)).any(|(found, _)| found == label)
    }

    /// Takes in a sighting that differs from what is known.
    pub(crate) fn see(&mut self, sighting: &Sighting, window_ms: i64) {
        let Sighting { window, standing, .. } = *sighting;
        match self.newest() {
            Some(newest) if window < newest => return self.revise(window, standing),
            Some(newest) if window == newest => self.revise(window, standing),
            newest => {
                if let Some(newest) = newest {
                    self.rhythm.push((window.ms() - newest.ms()) / window_ms);
                }
                if self.recent.len() == RECENT_WINDOWS {
                    self.recent.remove(0);
                }
                self.recent.push((window, standing));
            }
        }
        self.present = Some(standing);
        self.extend_run(window, standing, window_ms);
    }

    fn revise(&mut self, window: WindowStart, standing: Standing) {
        match self.recent.binary_search_by_key(&window, |(window, _)| *window) {
            Ok(index) => self.recent[index].1 = standing,
            // The first measurement of a window may come after those of the next one.
            Err(index) if index > 0 && self.recent.len() < RECENT_WINDOWS => {
                self.recent.insert(index, (window, standing));
            }
            Err(_) => return,
        }
        let label = degraded(standing).map(|(label, _)| label);
        if self.run.is_some_and(|run| run.since == window && Some(run.label) != label) {
            self.run = self.next_of_run(window);
        }
    }

    /// The run of the newest window, if it began after this window.
    fn next_of_run(&self, window: WindowStart) -> Option<Run> {
        let run = self.run?;
        let has_label = |standing: Standing| degraded(standing).is_some_and(|(label, _)| label == run.label);
        let mut later = self.recent.iter().filter(|(later, standing)| *later > window && has_label(*standing));
        later.next().map(|(since, _)| Run { since: *since, ..run })
    }

    fn extend_run(&mut self, window: WindowStart, standing: Standing, window_ms: i64) {
        let Some((label, _)) = degraded(standing) else { return };
        self.run = match self.run {
            Some(run) if run.label == label && window.ms() - run.until.ms() <= BRIDGED_WINDOWS * window_ms => {
                Some(Run { until: window, ..run })
            }
            _ => Some(Run { label, since: window, until: window }),
        };
    }

    /// The look at which it has missed its rhythm, unless it is measured before.
    pub(crate) fn silent_at(&self, missed_windows: u32, window_ms: i64) -> WindowStart {
        let windows = self.rhythm.windows() + i64::from(missed_windows) + 1;
        let newest_ms = self.newest().map_or(0, WindowStart::ms);
        WindowStart::from_ms(newest_ms.saturating_add(windows.saturating_mul(window_ms)))
    }

    /// What is told of it when it is silent.
    pub(crate) fn as_unmeasured(&self, window_ms: i64) -> Unmeasured {
        let network = self.network.as_deref();
        Unmeasured {
            client_id: Arc::clone(&self.client),
            target: Arc::clone(&self.target),
            last: self.newest().unwrap_or_default(),
            rhythm_ms: self.rhythm.windows() * window_ms,
            isp: network.and_then(|network| network.isp.clone()),
            site: network.and_then(|network| network.site.clone()),
        }
    }
}

/// The label and severity of a standing. A label that says healthy is none; one that is suspected counts as minor.
pub(crate) fn degraded(standing: Standing) -> Option<(Label, Severity)> {
    match standing {
        Standing::Healthy | Standing::Unjudged | Standing::Working => None,
        Standing::Degraded(Label::Healthy, _) | Standing::Suspected(Label::Healthy) => None,
        Standing::Degraded(label, severity) => Some((label, severity)),
        Standing::Suspected(label) => Some((label, Severity::Minor)),
    }
}
