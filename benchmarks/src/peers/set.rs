//! The logs that all are measured with.

use std::fs::File;
use std::io::{BufWriter, Write};
use std::num::NonZeroU64;
use std::path::{Path, PathBuf};

use anyhow::Context;
use clap::ValueEnum;
use netqoe_simulator::RandomPairs;
use serde::Serialize;

use crate::options::BenchPeersOptions;

/// How many rows the events become.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, ValueEnum)]
#[serde(rename_all = "lowercase")]
pub(crate) enum PeerSet {
    /// A million events of 10,000 pairs in 20 minutes: 5 a row
    Small,
    /// Two million events of 500,000 pairs in 10 minutes: 1.2 a row
    Wide,
}

impl PeerSet {
    /// With as many events as are asked for, and as many pairs for each event as ever.
    fn log(self, events: Option<u64>, seed: u64) -> RandomPairs {
        let whole = match self {
            Self::Small => RandomPairs { seed, events: 1_000_000, pairs: 10_000, minutes: 20 },
            Self::Wide => RandomPairs { seed, events: 2_000_000, pairs: 500_000, minutes: 10 },
        };
        let events = events.unwrap_or(whole.events);
        let pairs = u128::from(whole.pairs) * u128::from(events) / u128::from(whole.events);
        RandomPairs { events, pairs: u32::try_from(pairs).unwrap_or(u32::MAX).max(1), ..whole }
    }

    pub(super) fn as_str(self) -> &'static str {
        match self {
            Self::Small => "small",
            Self::Wide => "wide",
        }
    }
}

/// A log on disk.
pub(super) struct Log {
    pub(super) path: PathBuf,
    pub(super) content: RandomPairs,
    /// Its events, copies among them.
    pub(super) lines: u64,
    pub(super) bytes: u64,
}

impl Log {
    pub(super) fn write(set: PeerSet, options: &BenchPeersOptions, path: &Path) -> anyhow::Result<Self> {
        let content = set.log(options.events.map(NonZeroU64::get), options.seed);
        let cant_write = || format!("can't write {}", path.display());
        let mut out = BufWriter::new(File::create(path).with_context(cant_write)?);
        let lines = content.write_to(&mut out).with_context(cant_write)?;
        out.flush().with_context(cant_write)?;
        // Or who reads it would wait for the disk, to which it is still on its way.
        out.get_ref().sync_all().with_context(cant_write)?;
        let bytes = out.get_ref().metadata().with_context(cant_write)?.len();
        Ok(Self { path: path.to_owned(), content, lines, bytes })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fewer_events_are_of_fewer_pairs() {
        let shape = |set: PeerSet, events| {
            let RandomPairs { events, pairs, minutes, .. } = set.log(events, 1);
            (events, pairs, minutes)
        };
        assert_eq!(shape(PeerSet::Small, None), (1_000_000, 10_000, 20));
        assert_eq!(shape(PeerSet::Wide, Some(2_000)), (2_000, 500, 10));
        assert_eq!(shape(PeerSet::Small, Some(7)), (7, 1, 20));
    }
}
