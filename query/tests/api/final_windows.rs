//! With windows in memory, every answer is the store's own.

use std::num::NonZeroU16;
use std::sync::Arc;

use netqoe_model::{
    AggregateRow, Checkpoint, Label, LogTime, Network, PairTags, Percentiles, Rules, TagValue, Tags, WindowStart,
};
use netqoe_query::{Filling, FinalWindowsReader};
use netqoe_sinks::read::{Extent, Matching, Measure, ReadError, Reader, Snapshot};

use crate::stores::{Kind, on_each_store};
use crate::support::{Api, diagnosed, minute_ms, row};

on_each_store!(
    every_answer_is_the_stores_own,
    settled_windows_are_not_asked_of_the_store_again,
    nothing_settles_before_every_partition_has_a_checkpoint,
    what_other_rules_have_made_is_not_kept,
);

const MINUTES: i64 = 47;
/// Windows from this minute on may change: not a multiple of a block's length.
const SETTLED: i64 = 36;
const NAMES: [&str; 4] = ["a", "b", "b\u{1F600}", "c"];

/// Numbers that follow from the ones before, as from a die.
struct Dice(u64);

impl Dice {
    fn throw(&mut self, sides: u64) -> u64 {
        // Source: Knuth's MMIX generator, whose upper bits are the good ones.
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) % sides
    }

    fn name(&mut self) -> Option<String> {
        NAMES.get(self.throw(8) as usize).map(|name| (*name).to_owned())
    }

    fn network(&mut self) -> Option<Arc<Network>> {
        let isp = self.name();
        Network::named(["wifi"].get(self.throw(3) as usize).copied(), isp.as_deref(), None).map(Arc::new)
    }

    fn tags(&mut self) -> Option<Arc<PairTags>> {
        let mut side = || ["{}", r#"{"team":"a"}"#, r#"{"team":"b"}"#][self.throw(3) as usize];
        PairTags::of(Tags::parse(side()).unwrap(), Tags::parse(side()).unwrap()).map(Arc::new)
    }

    /// Pairs that come and go, figures that are missing, tiny or absurd.
    fn rows(&mut self) -> Vec<AggregateRow> {
        let mut rows = Vec::new();
        for minute in 0..MINUTES {
            for client in NAMES {
                for target in NAMES {
                    if self.throw(4) > 0 {
                        rows.push(self.changed(row(client, target, minute)));
                    }
                }
            }
        }
        rows
    }

    fn changed(&mut self, mut row: AggregateRow) -> AggregateRow {
        row.window.network = self.network();
        row.window.tags = self.tags();
        row.window.is_final = row.window.start.ms() < minute_ms(SETTLED);
        row.window.count_success = self.throw(3) as u32;
        row.window.errors = [self.throw(2) as u32, 0, self.throw(3) as u32, 0, 1];
        row.window.percentiles = std::array::from_fn(|_| {
            let p50 = [0, 1, 1_000, 33_333, 300_007, 5_000_000_000_123][self.throw(6) as usize];
            (self.throw(5) > 0).then_some(Percentiles { p50, p95: p50 + self.throw(70_000) })
        });
        match self.throw(7) {
            0 => row,
            1 => diagnosed(row, Label::ServerBound),
            2 => diagnosed(row, Label::ErrorBound),
            _ => diagnosed(row, Label::Healthy),
        }
    }

    fn minute_ms(&mut self) -> i64 {
        minute_ms(self.throw(60) as i64 - 5) + [0, 0, 0, 1, -1][self.throw(5) as usize]
    }

    fn extent(&mut self) -> Extent {
        let (a_ms, b_ms) = (self.minute_ms(), self.minute_ms());
        let (client_id, target, tags) = (self.name(), self.name(), self.asked_tags());
        Extent { client_id, target, tags, from_ms: a_ms.min(b_ms), to_ms: a_ms.max(b_ms) }
    }

    /// Labels that some windows of a pair have and others have not, or that none has.
    fn asked_tags(&mut self) -> Vec<TagValue> {
        let asked = ["client.team=a", "client.team=b", "target.team=a", "target.team="];
        let tag = |dice: &mut Self| TagValue::parse(asked[dice.throw(4) as usize]).unwrap();
        (0..[0, 0, 1, 2][self.throw(4) as usize]).map(|_| tag(self)).collect()
    }

    fn matching(&mut self) -> Matching {
        let bounds = [[0.0, 1.0], [33.333, f64::INFINITY], [f64::NEG_INFINITY, 0.001], [5.0, 300.0]];
        match self.throw(Measure::ALL.len() as u64 + 3) as usize {
            measure if measure < Measure::ALL.len() => {
                Matching::Within(Measure::ALL[measure], bounds[self.throw(4) as usize])
            }
            _ => Matching::Degraded,
        }
    }

    /// Asks both the same, and wants the same.
    fn compare(&mut self, memory: &FinalWindowsReader, store: &dyn Reader, questions: u32) {
        for _ in 0..questions {
            let (extent, limit) = (self.extent(), [1_000_000, 1_000_000, 3][self.throw(3) as usize]);
            let point_ms = 60_000 * (1 + self.throw(25) as i64);
            let (inside_ms, matching) = ([self.minute_ms(), self.minute_ms()], self.matching());
            let answers = |reader: &dyn Reader| {
                let answers = reader.ask(|Snapshot { summaries, .. }| {
                    let points = summaries.points(&extent, point_ms, limit)?;
                    let split = summaries.split(&extent, inside_ms, &matching, limit)?;
                    Ok::<_, ReadError>((points, summaries.degraded(&extent, limit)?, split))
                });
                answers.unwrap()
            };
            let (found, expected) = (answers(memory), answers(store));
            assert_eq!(found.0, expected.0, "{extent:?} in points of {point_ms} ms");
            assert_eq!(found.1, expected.1, "{extent:?}");
            assert_eq!(found.2, expected.2, "{extent:?}, inside {inside_ms:?}, {matching:?}");
        }
    }
}

/// What lies in the past of this minute, with its lateness, is settled.
fn settled(minute: i64) -> Checkpoint {
    let rules = Rules::default();
    let log_time = LogTime::from_ms(minute_ms(minute) + rules.window_ms + rules.lateness_ms);
    Checkpoint { log_time, ..Checkpoint::default() }
}

fn over(api: &Api, partitions: u16) -> Arc<FinalWindowsReader> {
    let partitions = NonZeroU16::new(partitions).unwrap();
    Arc::new(FinalWindowsReader::new(api.reader(), &Rules::default(), partitions))
}

/// Blocks that were read.
async fn fill(memory: &Arc<FinalWindowsReader>) -> usize {
    let memory = Arc::clone(memory);
    let fill = move || (0..).take_while(|_| memory.fill_one().unwrap() == Filling::GoesOn).count();
    tokio::task::spawn_blocking(fill).await.unwrap()
}

async fn ask<T: Send + 'static>(question: impl FnOnce() -> T + Send + 'static) -> T {
    tokio::task::spawn_blocking(question).await.unwrap()
}

async fn every_answer_is_the_stores_own(kind: Kind) {
    for seed in 1..=3 {
        let mut dice = Dice(seed);
        let api = Api::on(kind, &[]).await;
        api.write_as(settled(SETTLED), &dice.rows());
        let (memory, store) = (over(&api, 1), api.reader());
        // Before anything is there, half way, and with all that has settled.
        for blocks in [0, 2, 1_000] {
            let (filling, asked) = (Arc::clone(&memory), Arc::clone(&store));
            dice = ask(move || {
                (0..blocks).take_while(|_| filling.fill_one().unwrap() == Filling::GoesOn).for_each(drop);
                dice.compare(&filling, &*asked, 100);
                dice
            })
            .await;
        }
    }
}

async fn settled_windows_are_not_asked_of_the_store_again(kind: Kind) {
    let api = Api::on(kind, &[]).await;
    api.write_as(settled(20), &[row("a", "t", 3), row("a", "t", 12)]);
    let memory = over(&api, 1);
    assert_eq!(fill(&memory).await, 151);
    let windows = |memory: &Arc<FinalWindowsReader>| {
        let memory = Arc::clone(memory);
        let (from_ms, to_ms) = (minute_ms(0), minute_ms(20));
        let extent = Extent { client_id: None, target: None, tags: Vec::new(), from_ms, to_ms };
        ask(move || {
            let reader: &dyn Reader = &*memory;
            let split = reader.ask(|store| store.summaries.split(&extent, [0, 1], &Matching::Degraded, 10));
            split.unwrap()[0].outside_windows
        })
    };
    // No pipeline does so.
    api.write_as(settled(21), &[row("a", "t", 4)]);
    assert_eq!(fill(&memory).await, 0);
    assert_eq!(windows(&memory).await, 2);
    // A store whose log is not as far is another one.
    api.write_as(settled(19), &[]);
    assert_eq!(fill(&memory).await, 151);
    assert_eq!(windows(&memory).await, 3);
}

async fn nothing_settles_before_every_partition_has_a_checkpoint(kind: Kind) {
    let api = Api::on(kind, &[]).await;
    api.write_as(settled(20), &[row("a", "t", 3)]);
    assert_eq!(fill(&over(&api, 2)).await, 0);
}

async fn what_other_rules_have_made_is_not_kept(kind: Kind) {
    let mut open = row("a", "t", 13);
    open.window.is_final = false;
    let mut short = row("a", "t", 13);
    short.window.start = WindowStart::from_ms(minute_ms(13) + 10_000);
    for other in [open, short] {
        let api = Api::on(kind, &[]).await;
        api.write_as(settled(30), &[row("a", "t", 3), other, row("a", "t", 23)]);
        let memory = over(&api, 1);
        assert_eq!(fill(&memory).await, 2);
        assert!(memory.tell().starts_with("1 final windows"), "{}", memory.tell());
    }
}
