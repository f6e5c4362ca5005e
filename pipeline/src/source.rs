//! The logs that a pipeline reads, with what each of them does by itself.

use std::sync::Arc;

use netqoe_eventlog::{JetStreamLog, LogError, LogSearch, SqliteLog, Start};
use netqoe_model::metrics::Metrics;
use netqoe_model::{Checkpoint, Position};

use crate::gauge::gauge;
use crate::health::Check;

/// A log, as a pipeline needs it.
pub struct Source {
    pub(crate) log: Arc<dyn LogSearch>,
    /// What the page calls it.
    pub(crate) kind: &'static str,
    /// Whether it takes events.
    pub(crate) health: Check,
    /// Whether its records are what was written, where they tell.
    pub(crate) records_intact: Option<Check>,
    /// What to do where its time is ahead of the clock.
    pub(crate) clock_advice: &'static str,
    /// Whether it is what it was when all of these places were reached.
    pub(crate) check_places: PlacesCheck,
    /// Told, after each commit, how far rows reflect a partition.
    pub(crate) on_reflected: Box<dyn Fn(&Checkpoint) + Send>,
}

type PlacesCheck = Box<dyn Fn(&[Start]) -> Result<(), LogError> + Send>;

impl Source {
    /// A log in a file of this process. It discards what rows reflect, and shows in `metrics` how much of it was found
    /// damaged.
    pub fn embedded(log: &SqliteLog, clock_advice: &'static str, metrics: &Metrics) -> Self {
        let (healthy, intact, discarding, damaged) = (log.clone(), log.clone(), log.clone(), log.clone());
        metrics.on_gather(move |metrics| {
            metrics.log_damaged_records.set(gauge(damaged.damaged_records()));
        });
        Self {
            log: Arc::new(log.clone()),
            kind: "sqlite",
            health: Arc::new(move || healthy.healthy()),
            records_intact: Some(Arc::new(move || intact.intact())),
            clock_advice,
            check_places: Box::new(|_| Ok(())),
            on_reflected: Box::new(move |checkpoint| {
                let needed_no_more = Position(checkpoint.resume_from.0.saturating_sub(1));
                discarding.allow_discard_through(checkpoint.partition, needed_no_more);
            }),
        }
    }

    /// A log on servers, which discard by their own limits.
    pub fn jetstream(log: &JetStreamLog, clock_advice: &'static str) -> Self {
        let (healthy, checked) = (log.clone(), log.clone());
        Self {
            log: Arc::new(log.clone()),
            kind: "jetstream",
            health: Arc::new(move || healthy.healthy()),
            records_intact: None,
            clock_advice,
            check_places: Box::new(move |places| checked.check(places)),
            on_reflected: Box::new(|_| {}),
        }
    }
}
