//! The part of the stream that one reader gets.
//!
//! Decision: D-013.

use std::collections::BTreeMap;
use std::sync::Arc;

use netqoe_model::{Chunk, Partition, Position};

use super::read_ahead::ReadAhead;
use crate::Start;

/// Where a partition of the reader's stands.
struct Place {
    from: Position,
    /// The last position that was handed out for it.
    handed: Position,
}

/// The way to one reader.
pub(super) struct Route {
    pub ahead: Arc<ReadAhead>,
    places: BTreeMap<Partition, Place>,
    /// Whether the reader was last told of more to come.
    expects_more: bool,
}

impl Route {
    pub(super) fn new(starts: &[Start], ahead: Arc<ReadAhead>) -> Self {
        let place = |start: &Start| {
            (start.partition, Place { from: start.from, handed: Position(start.from.0.saturating_sub(1)) })
        };
        Self { ahead, places: starts.iter().map(place).collect(), expects_more: false }
    }

    /// Where the reader's partitions begin.
    pub(super) fn froms(&self) -> impl Iterator<Item = Position> {
        self.places.values().map(|place| place.from)
    }

    /// Takes from the chunks of a message what concerns the reader.
    pub(super) fn offer(&mut self, chunks: &mut Vec<Chunk>, position: Position, pending: u64) {
        let is_own = |chunk: &mut Chunk| {
            let place = chunk.partition.and_then(|partition| self.places.get_mut(&partition));
            let place = place.filter(|place| place.from <= position);
            place.map(|place| place.handed = position).is_some()
        };
        let own: Vec<_> = chunks.extract_if(.., is_own).collect();
        if own.is_empty() {
            return self.nothing(position, pending);
        }
        self.expects_more = pending > 0;
        self.ahead.put(own, position, pending);
    }

    /// Takes in that nothing concerns the reader up to here.
    pub(super) fn nothing(&mut self, scanned: Position, pending: u64) {
        self.ahead.put(None, scanned, pending);
        if self.expects_more && pending == 0 {
            // Otherwise it would wait for more, with what it has read not shown.
            self.advance(scanned);
        }
    }

    /// Tells the partitions that stand behind it how far the stream has come.
    pub(super) fn advance(&mut self, scanned: Position) {
        self.expects_more = false;
        let pending = self.ahead.pending();
        for (partition, place) in &mut self.places {
            if place.handed < scanned && place.from <= scanned {
                place.handed = scanned;
                let chunk = Chunk {
                    partition: Some(*partition),
                    position: scanned,
                    log_time: None,
                    lines: Vec::new(),
                    set_aside: None,
                    came_late: false,
                    trace: None,
                };
                self.ahead.put(Some(chunk), scanned, pending);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use netqoe_model::LogTime;

    use super::*;

    fn route(starts: &[(u16, u64)]) -> (Route, Arc<ReadAhead>) {
        let ahead = Arc::<ReadAhead>::default();
        let start = |&(partition, from): &(u16, u64)| Start {
            partition: Partition(partition),
            from: Position(from),
            processed: Position(0),
            log_time: None,
        };
        (Route::new(&starts.iter().map(start).collect::<Vec<_>>(), Arc::clone(&ahead)), ahead)
    }

    /// Offers a message with something for each of these partitions; whether all of it was taken.
    fn offer(route: &mut Route, partitions: impl IntoIterator<Item = u16>, position: u64, pending: u64) -> bool {
        let chunk = |partition| Chunk {
            partition: Some(Partition(partition)),
            position: Position(position),
            log_time: Some(LogTime::from_ms(1)),
            lines: b"{}\n".to_vec(),
            set_aside: None,
            came_late: false,
            trace: None,
        };
        let mut chunks = partitions.into_iter().map(chunk).collect();
        route.offer(&mut chunks, Position(position), pending);
        chunks.is_empty()
    }

    /// Partition, position and whether it is a message, of all that lies ready.
    fn ready(ahead: &ReadAhead) -> Vec<(Option<u16>, u64, bool)> {
        let chunks = ahead.take(usize::MAX).unwrap();
        let of =
            |chunk: &Chunk| (chunk.partition.map(|partition| partition.0), chunk.position.0, chunk.log_time.is_some());
        chunks.iter().map(of).collect()
    }

    #[test]
    fn a_reader_gets_what_concerns_its_partitions_from_where_they_begin() {
        let (mut route, ahead) = route(&[(1, 0), (2, 5)]);
        assert!(offer(&mut route, Some(1), 3, 9));
        assert!(!offer(&mut route, Some(2), 4, 8));
        assert!(offer(&mut route, Some(2), 5, 7));
        assert!(!offer(&mut route, Some(7), 6, 6));
        offer(&mut route, None, 7, 5);
        assert_eq!((ahead.lag(), ahead.scanned()), (2 + 5, Position(7)));
        assert_eq!(ready(&ahead), [(Some(1), 3, true), (Some(2), 5, true)]);
    }

    #[test]
    fn a_message_may_hold_something_for_several_partitions() {
        let (mut route, ahead) = route(&[(1, 0), (2, 0), (4, 9)]);
        assert!(!offer(&mut route, [1, 2, 3, 4], 3, 0));
        assert_eq!(ready(&ahead), [(Some(1), 3, true), (Some(2), 3, true)]);
        route.advance(Position(3));
        assert_eq!(ready(&ahead), [], "both have heard of it");
    }

    #[test]
    fn who_expects_more_hears_that_nothing_was_for_it() {
        let (mut route, ahead) = route(&[(1, 0)]);
        offer(&mut route, Some(1), 1, 2);
        offer(&mut route, Some(7), 2, 1);
        assert_eq!(ready(&ahead), [(Some(1), 1, true)]);
        offer(&mut route, Some(7), 3, 0);
        assert_eq!((ready(&ahead), ahead.lag()), (vec![(Some(1), 3, false)], 0));
        offer(&mut route, Some(7), 4, 0);
        assert_eq!(ready(&ahead), [], "nothing was expected any more");
        offer(&mut route, Some(1), 5, 0);
        offer(&mut route, None, 6, 0);
        assert_eq!(ready(&ahead), [(Some(1), 5, true)]);
    }

    #[test]
    fn only_partitions_that_stand_behind_are_told() {
        let (mut route, ahead) = route(&[(1, 0), (2, 0), (3, 50)]);
        offer(&mut route, Some(1), 9, 0);
        route.advance(Position(9));
        assert_eq!(ready(&ahead), [(Some(1), 9, true), (Some(2), 9, false)]);
        route.advance(Position(9));
        assert_eq!(ready(&ahead), []);
        route.advance(Position(50));
        assert_eq!(ready(&ahead), [(Some(1), 50, false), (Some(2), 50, false), (Some(3), 50, false)]);
    }
}
