//! Events that came late and that a correction will count: which pairs they are of.

use std::collections::BTreeMap;

use netqoe_model::{Position, Rules, WaitingCorrection, WindowStart};

use crate::event_batch::EventRef;

/// What waits of one pair.
#[derive(Clone, Copy, Debug)]
struct Waiting {
    client_bytes: usize,
    from: WindowStart,
    since: Position,
    events: u64,
}

/// The pairs of such events since the last output, by client, U+0000, target.
#[derive(Debug, Default)]
pub(super) struct WaitingPairs(BTreeMap<String, Waiting>);

impl WaitingPairs {
    /// Adds an event that came late, in log order.
    pub(super) fn add(&mut self, event: EventRef<'_>, position: Position, rules: &Rules) {
        let window = event.ts.window(rules.window_ms);
        if let Some(waiting) = self.0.get_mut(event.pair) {
            waiting.from = waiting.from.min(window);
            waiting.events += 1;
        } else {
            let waiting = Waiting { client_bytes: event.client_bytes, from: window, since: position, events: 1 };
            self.0.insert(event.pair.to_owned(), waiting);
        }
    }

    /// What was added since this was last asked.
    pub(super) fn take(&mut self) -> Vec<WaitingCorrection> {
        let waiting = std::mem::take(&mut self.0).into_iter().map(|(pair, waiting)| WaitingCorrection {
            client_id: pair[..waiting.client_bytes].into(),
            target: pair[waiting.client_bytes + 1..].into(),
            from: waiting.from,
            since: waiting.since,
            events: waiting.events,
        });
        waiting.collect()
    }
}
