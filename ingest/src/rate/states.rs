//! What is known of each client's rate, of a bounded number of clients.

use std::convert::Infallible;
use std::sync::Arc;
use std::time::Duration;

use governor::nanos::Nanos;
use governor::state::StateStore;
use governor::state::keyed::{DashMapStateStore, ShrinkableKeyedStateStore};

/// What clients beyond the bound are followed as; no client_id is empty.
const OVERFLOW: &str = "";

/// A state for each client, up to a number of them. Clones are handles on the same states.
///
/// A state is a point in time, counted from the limiter's start: a request takes it one interval further, and is refused where
/// it would be further ahead of the present than a burst takes.
#[derive(Clone)]
pub(super) struct BoundedStates {
    clients: Arc<DashMapStateStore<String>>,
    max_clients: usize,
}

impl BoundedStates {
    pub(super) fn new(max_clients: usize) -> Self {
        Self { clients: Arc::default(), max_clients }
    }

    /// Takes a client's state further by `by`, though no further ahead of `now` than `most`. A client that has no place here is
    /// left out.
    pub(super) fn charge(&self, client_id: &String, now: Duration, by: Duration, most: Duration) {
        if !self.has_place_for(client_id) {
            return;
        }
        let now = Nanos::from(now);
        let further = |state: Option<Nanos>| {
            let charged = state.unwrap_or(now).max(now) + Nanos::from(by);
            Ok::<_, Infallible>(((), charged.min(now + Nanos::from(most))))
        };
        let Ok(()) = self.clients.measure_and_replace(client_id, further);
    }

    // Requests that arrive at once may each see the last free place: as many too many as there are threads.
    fn has_place_for(&self, client_id: &String) -> bool {
        self.clients.contains_key(client_id) || self.clients.len() < self.max_clients
    }
}

impl StateStore for BoundedStates {
    type Key = String;

    fn measure_and_replace<T, F, E>(&self, client_id: &String, decide: F) -> Result<T, E>
    where
        F: Fn(Option<Nanos>) -> Result<(T, Nanos), E>,
    {
        if self.has_place_for(client_id) {
            self.clients.measure_and_replace(client_id, decide)
        } else {
            self.clients.measure_and_replace(&OVERFLOW.to_owned(), decide)
        }
    }
}

impl ShrinkableKeyedStateStore<String> for BoundedStates {
    fn retain_recent(&self, drop_below: Nanos) {
        self.clients.retain_recent(drop_below);
    }

    fn len(&self) -> usize {
        self.clients.len()
    }

    fn is_empty(&self) -> bool {
        self.clients.is_empty()
    }
}
