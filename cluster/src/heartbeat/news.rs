//! What this process has to tell the others beside that it lives. No clock, no network.

use std::sync::Arc;

use netqoe_dataflow::Epochs;
use netqoe_model::Generation;

use super::message::Message;

/// What there is to tell, and what the others are known to know.
#[derive(Default)]
pub(super) struct News {
    /// The epochs that this process takes.
    pub(super) epochs: Option<Arc<Epochs>>,
    /// The generation of this start.
    pub(super) generation: Option<Generation>,
    /// Why this process leaves.
    pub(super) farewell: Option<Message>,
    /// By process: the least epoch that it can still take, as it said last.
    reached: Vec<u64>,
}

/// What one other process was told.
#[derive(Debug, Default)]
pub(super) struct Told {
    epoch: u64,
    generation: bool,
}

impl News {
    /// For a cluster of this many processes.
    pub(super) fn new(processes: usize) -> Self {
        Self { reached: vec![0; processes], ..Self::default() }
    }

    /// What `other` does not know yet. It is `told` afterwards.
    pub(super) fn for_process(&self, other: usize, told: &mut Told) -> Vec<Message> {
        let mut messages = Vec::new();
        if let Some(generation) = self.generation.filter(|_| !told.generation) {
            told.generation = true;
            messages.push(Message::Generation(generation.0));
        }
        let next = self.epochs.as_ref().map_or(0, |epochs| epochs.next());
        if next > told.epoch.max(self.reached[other]) {
            told.epoch = next;
            messages.push(Message::Epoch(next));
        }
        messages.extend(self.farewell);
        messages
    }

    /// `other` has come so far.
    pub(super) fn has_reached(&mut self, other: usize, next: u64) {
        self.reached[other] = self.reached[other].max(next);
    }

    /// How far the process has come that has come furthest.
    pub(super) fn furthest(&self) -> u64 {
        self.reached.iter().copied().max().unwrap_or_default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_process_is_told_what_it_does_not_know_and_only_once() {
        let (mut news, mut told) = (News::new(3), Told::default());
        assert_eq!(news.for_process(1, &mut told), []);
        let epochs = Arc::new(Epochs::default());
        epochs.take();
        news.epochs = Some(Arc::clone(&epochs));
        news.generation = Some(Generation(7));
        assert_eq!(news.for_process(1, &mut told), [Message::Generation(7), Message::Epoch(1)]);
        assert_eq!(news.for_process(1, &mut told), []);
        news.has_reached(1, 5);
        epochs.raise_to(4);
        assert_eq!(news.for_process(1, &mut told), [], "it is further itself");
        assert_eq!(news.for_process(2, &mut Told::default()), [Message::Generation(7), Message::Epoch(4)]);
        assert_eq!(news.furthest(), 5);
    }
}
