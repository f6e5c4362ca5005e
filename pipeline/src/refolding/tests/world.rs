//! A fleet of which parts are offline at times and send what they measured later, and a process that finds its incidents.

use std::collections::{BTreeMap, BTreeSet};
use std::num::NonZeroU16;
use std::ops::RangeInclusive;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use netqoe_fleet::Fleet;
use netqoe_model::{
    Checkpoint, FleetChanges, Generation, Incident, IncidentChange, IncidentMember, IncidentRevision, IncidentState,
    Label, LogIdentity, LogTime, Look, Network, PairTally, Partition, PartitionCommit, Position, Rules, Severity,
    Sighting, Standing, Unmeasured, WindowStart,
};
use netqoe_sinks::{FleetCommit, FleetStore, Opening, RefoldStore, SqliteStore, Store, WriteTurn};
use parking_lot::Mutex;
use rusqlite::{Connection, params};
use tempfile::TempDir;

use crate::fleet::{FleetLink, FleetPlan, Following, Found};
use crate::refolding::STATE_EVERY_MS;
use crate::{Failures, MeasuredStore, Patience};

const MINUTE_MS: i64 = 60_000;
const FIRST_MINUTE: i64 = 28_000_000;
const PARTITIONS: u16 = 3;
const CLIENTS: usize = 6;
const TARGETS: usize = 4;
const MINUTES: i64 = 260;
const HORIZON_MS: i64 = 70 * MINUTE_MS;
/// For so long after an outage its measurements change how a pair is judged.
const JUDGED_ANEW_MINUTES: i64 = 20;

/// Numbers that follow from a seed.
#[derive(Clone, Copy)]
struct Chance(u64);

impl Chance {
    /// Of these numbers, below a bound.
    fn of(self, numbers: &[i64], below: i64) -> i64 {
        let mixed = numbers.iter().fold(self.0.wrapping_add(0x9e37_79b9_7f4a_7c15), |mixed, number| {
            let mixed = (mixed ^ number.cast_unsigned()).wrapping_mul(0xbf58_476d_1ce4_e5b9);
            (mixed ^ (mixed >> 29)).wrapping_mul(0x94d0_49bb_1331_11eb)
        });
        i64::try_from((mixed ^ (mixed >> 32)) % below.cast_unsigned()).unwrap()
    }
}

/// Minutes in which a client reached nobody.
#[derive(Clone, Copy)]
struct Outage {
    client: usize,
    from: i64,
    until: i64,
}

/// What happens next.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Step {
    /// A partition passes a minute.
    Pass(usize),
    /// What a client sends late corrects its rows.
    Correct,
    /// The process looks for new minutes.
    Follow,
    /// It finds again, one portion.
    FindAgain,
    /// It is lost, and another one starts.
    Lose,
    /// It can't write one of its tables, and is lost then.
    Fail,
}

/// By incident and number, all that a revision says.
type Revisions = BTreeMap<(String, i64), Vec<String>>;

/// What a fold finds.
struct Expected {
    incidents: BTreeMap<Arc<str>, Incident>,
    members: BTreeMap<String, IncidentMember>,
    silent: BTreeMap<String, Unmeasured>,
    tally: PairTally,
}

pub(super) struct World {
    chance: Chance,
    rules: Rules,
    folder: TempDir,
    generation: Generation,
    writer: SqliteStore,
    following: Option<Following>,
    /// The newest minute that each partition has passed.
    passed: [i64; PARTITIONS as usize],
    outages: Vec<Outage>,
    /// Outages of which the measurements have come.
    sent: BTreeSet<usize>,
    steps: i64,
    now: Instant,
    refolds: Arc<AtomicUsize>,
    revisions: Revisions,
}

fn window(minute: i64) -> WindowStart {
    WindowStart::from_ms((FIRST_MINUTE + minute) * MINUTE_MS)
}

fn partition_of(client: usize) -> usize {
    client % usize::from(PARTITIONS)
}

fn member_key(member: &IncidentMember) -> String {
    format!("{} {} {}", member.incident, member.client_id, member.target)
}

fn pair_key(pair: &Unmeasured) -> String {
    format!("{} {}", pair.client_id, pair.target)
}

fn store(folder: &TempDir) -> SqliteStore {
    SqliteStore::open(&folder.path().join("store.db"), WriteTurn::default(), Arc::new(|| 1)).unwrap()
}

impl World {
    pub(super) fn new(seed: u64) -> Self {
        Self::of(seed, HORIZON_MS)
    }

    pub(super) fn without_horizon(seed: u64) -> Self {
        Self::of(seed, 0)
    }

    fn of(seed: u64, correction_horizon_ms: i64) -> Self {
        let chance = Chance(seed);
        let outage = |nth: i64| {
            let (client, from) = (chance.of(&[nth, 1], CLIENTS as i64), 3 + chance.of(&[nth, 2], MINUTES - 10));
            Outage { client: client as usize, from, until: from + 1 + chance.of(&[nth, 3], 40) }
        };
        let folder = TempDir::new().unwrap();
        let mut world = Self {
            writer: store(&folder),
            chance,
            rules: Rules { correction_horizon_ms, ..Rules::default() },
            folder,
            generation: Generation(0),
            following: None,
            passed: [0; PARTITIONS as usize],
            outages: (0..14).map(outage).collect(),
            sent: BTreeSet::new(),
            steps: 0,
            now: Instant::now(),
            refolds: Arc::default(),
            revisions: BTreeMap::new(),
        };
        world.start();
        world
    }

    fn sql(&self) -> Connection {
        Connection::open(self.folder.path().join("store.db")).unwrap()
    }

    pub(super) fn count(&self, table: &str) -> i64 {
        self.sql().query_row(&format!("SELECT count(*) FROM {table}"), [], |row| row.get(0)).unwrap()
    }

    pub(super) fn refolds(&self) -> usize {
        self.refolds.load(Ordering::SeqCst)
    }

    fn start(&mut self) {
        let mut store = store(&self.folder);
        let log = LogIdentity { id: "live".to_owned(), partitions: NonZeroU16::new(PARTITIONS).unwrap() };
        self.generation = store.open(&log, &Opening::default()).unwrap();
        let refolds = Arc::clone(&self.refolds);
        let plan = FleetPlan {
            link: FleetLink {
                store: Arc::new(Mutex::new(MeasuredStore::unwatched(Box::new(store)))),
                generation: self.generation,
                patience: Patience::None,
            },
            rules: self.rules.clone(),
            partitions: log.partitions,
            has_others: false,
            is_file: false,
            on_found: Box::new(move |found| {
                refolds.fetch_add(usize::from(matches!(found, Found::Again(..))), Ordering::SeqCst);
                assert!(!matches!(found, Found::Beyond), "all that is corrected is kept");
            }),
            failures: Failures::new().0,
        };
        self.following = Some(Following::resume(plan).unwrap());
    }

    pub(super) fn next_step(&mut self) -> Option<Step> {
        self.steps += 1;
        let behind = (0..usize::from(PARTITIONS)).min_by_key(|partition| self.passed[*partition])?;
        if self.passed[behind] >= MINUTES {
            return None;
        }
        Some(match self.chance.of(&[self.steps, 4], 100) {
            0..60 => Step::Pass(behind),
            60..68 => {
                let any = self.chance.of(&[self.steps, 5], i64::from(PARTITIONS)) as usize;
                let is_near = self.passed[any] < self.passed[behind] + 4 && self.passed[any] < MINUTES;
                Step::Pass(if is_near { any } else { behind })
            }
            68..84 => Step::Follow,
            84..89 => Step::Correct,
            89..97 => Step::FindAgain,
            97..99 => Step::Lose,
            _ => Step::Fail,
        })
    }

    pub(super) fn take(&mut self, step: Step) {
        match step {
            Step::Pass(partition) => self.pass(partition),
            Step::Correct => self.correct(),
            Step::Follow => self.following.as_mut().unwrap().follow(self.now, false).unwrap(),
            Step::FindAgain => {
                // Any time may have passed.
                self.now += Duration::from_secs(3_600);
                self.following.as_mut().unwrap().find_again(self.now).unwrap();
            }
            Step::Lose => self.start(),
            Step::Fail => self.fail(),
        }
    }

    fn fail(&mut self) {
        let tables = ["incidents", "incident_revisions", "fleet", "fleet_states"];
        let table = tables[self.chance.of(&[self.steps, 6], tables.len() as i64) as usize];
        let spoil = format!("CREATE TRIGGER spoil BEFORE INSERT ON {table} BEGIN SELECT RAISE(ABORT, 'spoilt'); END");
        self.sql().execute_batch(&spoil).unwrap();
        let mut following = self.following.take().unwrap();
        self.now += Duration::from_secs(3_600);
        // It goes on until it needs the table, or for long enough.
        let mut is_lost = following.follow(self.now, false).is_err();
        for _ in 0..4 {
            is_lost = is_lost || following.find_again(self.now).is_err();
        }
        drop(following);
        self.sql().execute_batch("DROP TRIGGER spoil").unwrap();
        self.start();
    }

    /// Lets everything be corrected and found again.
    pub(super) fn settle(&mut self) {
        let following = self.following.as_mut().unwrap();
        following.follow(self.now, true).unwrap();
        following.find_all_again().unwrap();
        assert!(!following.refolding.is_under_way());
    }

    /// How a pair is judged in a minute, with what has come by now; `None` where nothing of it is known.
    fn standing(&self, client: usize, target: usize, minute: i64, seen_at: i64) -> Option<Standing> {
        let of_pair = [client as i64, target as i64, minute];
        let chance = |salt: i64, below: i64| self.chance.of(&[&of_pair[..], &[salt]].concat(), below);
        let mut is_flipped = false;
        for (nth, outage) in self.outages.iter().enumerate().filter(|(_, outage)| outage.client == client) {
            let has_come = self.sent.contains(&nth);
            if (outage.from..outage.until).contains(&minute) && !has_come {
                return None;
            }
            let is_judged_anew = (outage.from..outage.until + JUDGED_ANEW_MINUTES).contains(&minute);
            is_flipped ^= is_judged_anew && has_come && chance(100 + nth as i64, 100) < 15;
        }
        if chance(40, 100) < 6 {
            return None;
        }
        let is_wrong = self.is_faulty(client, target, minute) ^ (chance(42 + seen_at - minute, 100) < 4) ^ is_flipped;
        let severity = [Severity::Minor, Severity::Major, Severity::Critical][chance(41, 3) as usize];
        Some(if is_wrong { Standing::Degraded(self.label(minute), severity) } else { Standing::Healthy })
    }

    /// Every 45 minutes there is another fault.
    fn is_faulty(&self, client: usize, target: usize, minute: i64) -> bool {
        let (fault, minute) = (minute / 45, minute % 45);
        let is_on = (8..8 + self.chance.of(&[fault, 51], 30)).contains(&minute);
        is_on
            && match self.chance.of(&[fault, 50], 6) {
                0 => target as i64 == self.chance.of(&[fault, 52], TARGETS as i64),
                1 => client.is_multiple_of(2),
                2 => client as i64 == self.chance.of(&[fault, 53], CLIENTS as i64),
                3 => client / 3 == 1,
                4 => true,
                _ => false,
            }
    }

    fn label(&self, minute: i64) -> Label {
        let labels = [Label::ErrorBound, Label::HandshakeBound, Label::ThroughputBound];
        labels[self.chance.of(&[minute / 45, 54], 3) as usize]
    }

    /// What a partition sees when it passes a minute, with what has come by now.
    fn look(&self, partition: usize, minute: i64) -> Look {
        let mut sightings = Vec::new();
        for client in (0..CLIENTS).filter(|client| partition_of(*client) == partition) {
            for target in 0..TARGETS {
                let is_revised = self.chance.of(&[client as i64, target as i64, minute, 60], 100) < 15;
                for back in (1..if is_revised { 3 } else { 2 }).rev() {
                    let standing = self.standing(client, target, minute - back, minute);
                    sightings.extend(standing.map(|standing| sighting(client, target, minute - back, standing)));
                }
            }
        }
        Look { partition: Partition(partition as u16), at: window(minute), sightings }
    }

    fn pass(&mut self, partition: usize) {
        self.passed[partition] += 1;
        let minute = self.passed[partition];
        let look = self.look(partition, minute);
        let position = Position(minute.unsigned_abs());
        let checkpoint = Checkpoint {
            partition: Partition(partition as u16),
            resume_from: position,
            processed: position,
            log_time: LogTime::from_ms(window(minute).ms() + 1),
            ..Checkpoint::default()
        };
        let looks = if look.sightings.is_empty() { vec![] } else { vec![look] };
        let (rows, clients, dead_letters, waiting, oldest_record) = Default::default();
        let commit = PartitionCommit { checkpoint, rows, clients, dead_letters, looks, waiting, oldest_record };
        self.writer.commit(self.generation, &[commit]).unwrap();
    }

    /// Measurements of some outages of one partition come, and its looks are corrected: in two parts, between which anything may be
    /// lost, and of which only the second is noted.
    fn correct(&mut self) {
        let partition = self.chance.of(&[self.steps, 7], i64::from(PARTITIONS)) as usize;
        let passed = self.passed[partition];
        let can_come = |(nth, outage): &(usize, &Outage)| {
            let is_over = outage.until < passed && outage.from > passed - HORIZON_MS / MINUTE_MS;
            is_over && !self.sent.contains(nth) && partition_of(outage.client) == partition
        };
        let come: Vec<_> = self.outages.iter().enumerate().filter(can_come).map(|(nth, it)| (nth, it.from)).collect();
        let Some(from) = come.iter().map(|(_, from)| *from).min() else { return };
        self.sent.extend(come.iter().map(|(nth, _)| *nth));
        let whole = from + 1..=passed;
        let second = match self.chance.of(&[self.steps, 8], 100) {
            0..40 => {
                let middle = from + self.chance.of(&[self.steps, 9], passed - from) + 1;
                self.correct_looks(partition, from + 1..=middle);
                let between = [Step::Lose, Step::Follow, Step::FindAgain, Step::Fail];
                self.take(between[self.chance.of(&[self.steps, 10], 4) as usize]);
                middle + 1..=passed
            }
            _ => whole,
        };
        self.correct_looks(partition, second);
        let correction = params![partition, window(passed).ms() + 1, window(from).ms(), come.len()];
        self.sql()
            .execute(
                "INSERT INTO corrections
                     (partition, at, from_window, pairs, accepted, duplicate, rows_written, written_at)
                 VALUES (?1, ?2, ?3, 1, ?4, 0, 1, 1)",
                correction,
            )
            .unwrap();
    }

    fn correct_looks(&self, partition: usize, minutes: RangeInclusive<i64>) {
        let mut sql = self.sql();
        let transaction = sql.transaction().unwrap();
        for minute in minutes {
            let look = self.look(partition, minute);
            let of_look = params![look.at.ms(), look.partition.0];
            transaction.execute("DELETE FROM looks WHERE at = ?1 AND partition = ?2", of_look).unwrap();
            if !look.sightings.is_empty() {
                let look = params![look.at.ms(), look.partition.0, look.sightings_to_bytes()];
                transaction.execute("INSERT INTO looks VALUES (?1, ?2, ?3)", look).unwrap();
            }
        }
        transaction.commit().unwrap();
    }

    /// The newest minute that all partitions have passed.
    fn through(&self) -> i64 {
        self.passed.iter().copied().min().unwrap()
    }

    /// The first incident that will be found was told before, and a correction has withdrawn it. Answers the number of its newest
    /// revision.
    pub(super) fn withdraw_the_first(&mut self) -> u32 {
        let first = self.expected(MINUTES).incidents.into_values().min_by_key(|incident| incident.detected).unwrap();
        let revision = |(revision, change): (u32, IncidentChange)| IncidentRevision {
            incident: first.id.clone(),
            revision,
            at: window(0),
            change,
            cause: first.cause.clone(),
            severity: first.severity,
            degraded: 3,
            state: change.leads_to(),
            because: None,
        };
        let revisions = [IncidentChange::Opened, IncidentChange::Severity, IncidentChange::Withdrawn];
        let revisions: Vec<_> = (0..).zip(revisions).map(revision).collect();
        let incident = Incident { state: IncidentState::Withdrawn, revision: 2, as_of: window(0), ..first };
        let changes = FleetChanges { incidents: vec![incident], revisions, ..FleetChanges::default() };
        let commit = FleetCommit { changes: vec![changes], through: window(0), ..FleetCommit::default() };
        self.writer.commit_fleet(self.generation, &commit).unwrap();
        self.start();
        2
    }

    /// The numbers under which an incident was opened.
    pub(super) fn opened(&self) -> Vec<u32> {
        let sql = self.sql();
        let mut statement =
            sql.prepare("SELECT revision FROM incident_revisions WHERE change = 'opened' ORDER BY revision").unwrap();
        let numbers = statement.query_map([], |row| row.get(0)).unwrap();
        numbers.collect::<Result<_, _>>().unwrap()
    }

    /// What a fold over the looks up to a minute finds as they are corrected now.
    fn expected(&self, through: i64) -> Expected {
        let mut fleet = Fleet::new(&self.rules.fleet, MINUTE_MS);
        let (incidents, members, silent) = Default::default();
        let mut expected = Expected { incidents, members, silent, tally: PairTally::default() };
        for minute in 1..=through {
            let looks = (0..usize::from(PARTITIONS)).map(|partition| self.look(partition, minute)).collect();
            let changes = fleet.advance(window(minute), looks);
            expected.incidents.extend(changes.incidents.into_iter().map(|it| (Arc::clone(&it.id.0), it)));
            expected.members.extend(changes.members.into_iter().map(|it| (member_key(&it), it)));
            for (client, target) in changes.measured_again {
                expected.silent.remove(&format!("{client} {target}"));
            }
            expected.silent.extend(changes.unmeasured.into_iter().map(|it| (pair_key(&it), it)));
            expected.tally = changes.tally;
        }
        expected
    }

    pub(super) fn check(&self) {
        let seed = self.chance.0;
        let mut store = store(&self.folder);
        let found = store.incidents_since(WindowStart::from_ms(i64::MIN), &[]).unwrap();
        let found: BTreeMap<_, _> = found.into_iter().map(|it| (Arc::clone(&it.id.0), it)).collect();
        let expected = self.expected(self.through());
        let mut members = BTreeMap::new();
        for (id, expected) in &expected.incidents {
            let found = found.get(id).unwrap_or_else(|| panic!("seed {seed}: {expected:?} is missing"));
            assert_eq!(*found, Incident { revision: found.revision, ..expected.clone() }, "seed {seed}");
            let of_incident = store.incident_members(&expected.id).unwrap();
            members.extend(of_incident.into_iter().map(|it| (member_key(&it), it)));
        }
        assert_eq!(members, expected.members, "seed {seed}");
        for surplus in found.values().filter(|incident| !expected.incidents.contains_key(&incident.id.0)) {
            assert_eq!(surplus.state, IncidentState::Withdrawn, "seed {seed}: {surplus:?}");
            assert!(surplus.withdrawn_because.is_some(), "seed {seed}: {surplus:?}");
            assert!(!store.incident_members(&surplus.id).unwrap().is_empty(), "its members stay: {surplus:?}");
        }
        let silent = store.unmeasured().unwrap();
        let silent: BTreeMap<_, _> = silent.into_iter().map(|it| (pair_key(&it), it)).collect();
        assert_eq!(silent, expected.silent, "seed {seed}");
        assert_eq!(self.progress(), (expected.tally, self.count("corrections")), "seed {seed}");
        assert_eq!(store.resume_fleet(self.generation).unwrap().through, Some(window(self.through())));
    }

    /// How pairs are counted, and which correction is reflected.
    fn progress(&self) -> (PairTally, i64) {
        let query = "SELECT degraded, healthy, unjudged, unmeasured, corrected FROM fleet";
        let progress = self.sql().query_row(query, [], |row| {
            let [degraded, healthy, unjudged] = [row.get(0)?, row.get(1)?, row.get(2)?];
            Ok((PairTally { degraded, healthy, unjudged, unmeasured: row.get(3)? }, row.get(4)?))
        });
        progress.unwrap()
    }

    /// Revisions stay as they were written, follow one another, and end with how the incident stands.
    pub(super) fn check_what_was_written(&mut self) {
        let (seed, sql) = (self.chance.0, self.sql());
        let columns = "incident, revision, at, change, cause_value, severity, degraded, state, because, incident_json";
        let query = format!("SELECT {columns} FROM incident_revisions ORDER BY incident, revision");
        let mut statement = sql.prepare(&query).unwrap();
        let rows = statement.query_map([], |row| {
            let values = (2..10).map(|column| Ok(format!("{:?}", row.get_ref(column)?)));
            Ok(((row.get(0)?, row.get(1)?), values.collect::<rusqlite::Result<Vec<_>>>()?))
        });
        let revisions: Revisions = rows.unwrap().collect::<Result<_, _>>().unwrap();
        for (key, before) in &self.revisions {
            assert_eq!(revisions.get(key), Some(before), "seed {seed}: {key:?} was changed");
        }
        let wrong = sql.query_row(
            "SELECT count(*) FROM incidents WHERE
                 revision + 1 <> (SELECT count(*) FROM incident_revisions WHERE incident = id)
                 OR revision <> (SELECT max(revision) FROM incident_revisions WHERE incident = id)
                 OR state <> (SELECT state FROM incident_revisions AS newest
                              WHERE incident = id AND newest.revision = incidents.revision)",
            [],
            |row| row.get::<_, i64>(0),
        );
        assert_eq!(wrong.unwrap(), 0, "seed {seed}, step {}", self.steps);
        self.revisions = revisions;
    }

    /// Each look is there after the newest state that is older than what can be corrected, and none is from much before it.
    pub(super) fn check_what_is_kept(&self) {
        let sql = self.sql();
        let one = |query: &str| sql.query_row(query, [], |row| row.get::<_, Option<i64>>(0)).unwrap();
        let Some(through) = one("SELECT max(through) FROM fleet") else { return };
        let corrected_ms = HORIZON_MS + self.rules.lateness_ms + self.rules.window_ms;
        let (state, look) = (one("SELECT min(at) FROM fleet_states"), one("SELECT min(at) FROM looks"));
        let (state, look) = (state.unwrap(), look.unwrap());
        let first = window(0).ms();
        assert!(look <= state.max(first) + MINUTE_MS, "a look after the state is gone");
        assert!(state <= first || state <= through - corrected_ms, "no state is old enough");
        assert!(through - state <= corrected_ms + 3 * STATE_EVERY_MS, "a state is kept for too long");
        assert!(through - look <= corrected_ms + 3 * STATE_EVERY_MS, "a look is kept for too long");
        assert!(self.count("fleet_states") <= 5);
    }
}

fn sighting(client: usize, target: usize, minute: i64, standing: Standing) -> Sighting {
    let (kind, isp) = (["wifi", "ethernet"][client % 2], format!("isp-{}", client / 3));
    Sighting {
        client_id: format!("c{client}").into(),
        target: format!("https://h{target}.example/").into(),
        window: window(minute),
        standing,
        network: Network::named(Some(kind), Some(&isp), None).map(Arc::new),
        tags: None,
    }
}
