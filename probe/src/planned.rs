//! A target of an agent, with what is said of it alone.

use std::ops::RangeInclusive;
use std::sync::Arc;
use std::time::Duration;

use crate::{Labels, OwnSettings, Target};

/// More often, a target would be loaded rather than measured; more seldom, its windows would have no neighbours.
pub const INTERVALS: RangeInclusive<Duration> = Duration::from_millis(100)..=Duration::from_hours(24);
/// In less time no connection comes about.
pub const TIMEOUTS: RangeInclusive<Duration> = Duration::from_millis(1)..=Duration::from_hours(1);

/// A target of an agent. Two are equal if they are measured in the same way.
#[derive(Clone, Debug, PartialEq)]
pub struct PlannedTarget {
    /// What is measured.
    pub target: Target,
    /// From one turn to the next, if that is not the agent's.
    pub interval: Option<Duration>,
    /// What differs from the agent's settings.
    pub own: Arc<OwnSettings>,
    /// What it is called.
    pub labels: Arc<Labels>,
}

impl From<Target> for PlannedTarget {
    fn from(target: Target) -> Self {
        Self { target, interval: None, own: Arc::default(), labels: Arc::default() }
    }
}
