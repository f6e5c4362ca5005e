//! What of a commit was read and is not counted, for those who look on: late events, and dead letters.

use netqoe_dataflow::LateEvents;
use netqoe_model::{DeadLetter, Event, Example, LeftOut, PartitionCommit, Uncounted};

const MINUTE_MS: i64 = 60_000;

/// Notes them, each at its log time.
pub(crate) fn note_left_out(uncounted: &Uncounted, late: &[LateEvents], partitions: &[PartitionCommit]) {
    for events in late {
        let message = late_message(events.log_time.ms() - events.ts.ms());
        let (client_id, target) = (Some(events.client_id()), Some(events.target()));
        let example = Example { client_id, target, message: &message };
        uncounted.note(events.log_time.ms(), LeftOut::Late, "late", events.count, example);
    }
    for commit in partitions {
        let minute = |letter: &DeadLetter| letter.log_time.ms().div_euclid(MINUTE_MS);
        for letters in commit.dead_letters.chunk_by(|a, b| minute(a) == minute(b)) {
            let Some(last) = letters.last() else { continue };
            let event = Event::parse(&last.original).ok();
            let (client_id, target) = event.as_ref().map(|event| (&*event.client_id, &*event.target)).unzip();
            let example = Example { client_id, target, message: &last.reason };
            uncounted.note(last.log_time.ms(), LeftOut::Unreadable, "unreadable", letters.len() as u64, example);
        }
    }
}

fn late_message(behind_ms: i64) -> String {
    let seconds = behind_ms / 1_000;
    let (count, unit) = match seconds {
        ..120 => (seconds, "s"),
        120..7_200 => (seconds / 60, "min"),
        7_200..172_800 => (seconds / 3_600, "h"),
        _ => (seconds / 86_400, "days"),
    };
    format!("measured {count} {unit} before it came; its window was closed")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn how_late_it_was_is_said_in_a_unit_that_fits() {
        for (behind_ms, told) in [
            (119_999, "119 s"),
            (120_000, "2 min"),
            (7_199_999, "119 min"),
            (7_200_000, "2 h"),
            (172_799_999, "47 h"),
            (172_800_000, "2 days"),
        ] {
            assert_eq!(late_message(behind_ms), format!("measured {told} before it came; its window was closed"));
        }
    }
}
