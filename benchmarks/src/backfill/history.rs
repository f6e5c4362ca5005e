//! A fleet of which a part was offline: what reached the log, and what is sent when it is back.

use std::fs::File;
use std::io::{BufWriter, Write};
use std::ops::Range;
use std::path::Path;

use netqoe_simulator::Load;

const MINUTE_MS: i64 = 60_000;

/// Who measures, who is offline, and for how long.
#[derive(Clone, Copy, Debug)]
pub(super) struct Outage {
    pub(super) load: Load,
    pub(super) per_minute: u64,
    /// Clients that were offline, from the first.
    pub(super) offline_clients: u64,
    /// Minutes in which everybody was there, and those in which these clients were offline.
    pub(super) before: u32,
    pub(super) offline: u32,
    /// When the last of these minutes ends, in Unix milliseconds.
    pub(super) end_ms: i64,
}

impl Outage {
    /// Writes what came in time, in the order in which it was measured.
    pub(super) fn write(&self, path: &Path) -> std::io::Result<()> {
        let mut file = BufWriter::new(File::create(path)?);
        self.each(0..self.before, 0..self.clients(), |line| writeln!(file, "{line}"))?;
        self.each(self.before..self.before + self.offline, self.offline_clients..self.clients(), |line| {
            writeln!(file, "{line}")
        })?;
        file.flush()
    }

    /// What these clients have kept, in the order in which it was measured.
    pub(super) fn kept(&self, clients: Range<u64>) -> Vec<String> {
        let mut kept = Vec::new();
        let minutes = self.before..self.before + self.offline;
        let taken = self.each(minutes, clients, |line| {
            kept.push(line);
            Ok::<_, std::convert::Infallible>(())
        });
        match taken {
            Ok(()) => kept,
        }
    }

    /// Pairs whose events come late.
    pub(super) fn offline_pairs(&self) -> u64 {
        self.offline_clients * self.load.targets
    }

    /// All that was measured in this time.
    pub(super) fn events(&self) -> u64 {
        u64::from(self.before + self.offline) * self.per_minute * self.load.pairs
    }

    fn clients(&self) -> u64 {
        self.load.pairs / self.load.targets
    }

    /// The events of these clients, in the order in which they are measured.
    fn each<E>(
        &self,
        minutes: Range<u32>,
        clients: Range<u64>,
        mut take: impl FnMut(String) -> Result<(), E>,
    ) -> Result<(), E> {
        let begin_ms = self.end_ms - i64::from(self.before + self.offline) * MINUTE_MS;
        let between_ms = MINUTE_MS / self.per_minute as i64;
        for (minute, nth) in minutes.flat_map(|minute| (0..self.per_minute).map(move |nth| (minute, nth))) {
            let measured = u64::from(minute) * self.per_minute + nth;
            for pair in clients.start * self.load.targets..clients.end * self.load.targets {
                let offset_ms = between_ms * pair as i64 / self.load.pairs as i64;
                let ts_ms = begin_ms + i64::from(minute) * MINUTE_MS + nth as i64 * between_ms + offset_ms;
                take(self.load.event(measured * self.load.pairs + pair, ts_ms))?;
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;

    #[test]
    fn each_event_came_in_time_or_was_kept() {
        let outage = Outage {
            load: Load::healthy(1, 40),
            per_minute: 2,
            offline_clients: 1,
            before: 3,
            offline: 5,
            end_ms: 100 * MINUTE_MS,
        };
        let folder = tempfile::tempdir().unwrap();
        outage.write(&folder.path().join("history")).unwrap();
        let in_time = std::fs::read_to_string(folder.path().join("history")).unwrap();
        let kept = outage.kept(0..1);
        assert_eq!((in_time.lines().count(), kept.len()), (2 * (3 * 40 + 5 * 30), 2 * 5 * 10));
        let all: HashSet<&str> = in_time.lines().chain(kept.iter().map(String::as_str)).collect();
        assert_eq!(all.len(), 2 * 8 * 40, "no event is there twice");
        let times: Vec<i64> =
            in_time.lines().map(|line| netqoe_model::Event::parse(line.as_bytes()).unwrap().ts.ms()).collect();
        assert!(times.is_sorted() && times[0] == 92 * MINUTE_MS && times.iter().all(|ms| *ms < 100 * MINUTE_MS));
    }
}
