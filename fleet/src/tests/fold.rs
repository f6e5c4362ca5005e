//! The fold is what the reference says, whatever the looks, the partitions and the restarts.

use std::sync::Arc;

use netqoe_model::{
    FleetChanges, FleetRules, Label, Look, Network, PairTags, Partition, Severity, Sighting, Standing, Tags,
    WindowStart,
};
use proptest::collection::vec;
use proptest::prelude::*;

use super::reference::Reference;
use super::scenario::{MINUTE_MS, minute};
use crate::Fleet;

/// What is wrong for some minutes, with pairs that one of their numbers chooses.
#[derive(Clone, Debug)]
struct Fault {
    kind: usize,
    number: usize,
    from: usize,
    minutes: usize,
    label: Label,
    severity: Severity,
}

/// A fleet, what is wrong with it, and what chance does to it.
#[derive(Clone, Debug)]
pub(super) struct Story {
    pub(super) clients: usize,
    pub(super) targets: usize,
    pub(super) minutes: usize,
    faults: Vec<Fault>,
    noise: Vec<u8>,
    /// Whether its clients and targets have labels.
    is_labelled: bool,
}

fn fault() -> impl Strategy<Value = Fault> {
    let label = prop_oneof![Just(Label::ErrorBound), Just(Label::HandshakeBound), Just(Label::ThroughputBound)];
    let severity = prop_oneof![Just(Severity::Minor), Just(Severity::Major), Just(Severity::Critical)];
    (0..9_usize, 0..8_usize, 0..50_usize, 1..30_usize, label, severity).prop_map(
        |(kind, number, from, minutes, label, severity)| Fault { kind, number, from, minutes, label, severity },
    )
}

pub(super) fn story() -> impl Strategy<Value = Story> {
    (2..7_usize, 2..6_usize, 20..60_usize, vec(fault(), 0..6), vec(any::<u8>(), 256), any::<bool>()).prop_map(
        |(clients, targets, minutes, faults, noise, is_labelled)| Story {
            clients,
            targets,
            minutes,
            faults,
            noise,
            is_labelled,
        },
    )
}

impl Story {
    fn chance(&self, numbers: [usize; 4]) -> u8 {
        let mixed = numbers.iter().fold(7_usize, |mixed, number| mixed.wrapping_mul(31).wrapping_add(*number + 1));
        self.noise[(mixed ^ (mixed >> 8)) % self.noise.len()].wrapping_add((mixed % 251) as u8)
    }

    fn standing(&self, client: usize, target: usize, minute: usize) -> Standing {
        let holds = |fault: &&Fault| match fault.kind {
            0 => client == fault.number % self.clients,
            1 => target == fault.number % self.targets,
            2 => client % 2 == fault.number % 2,
            3 => client / 3 == fault.number % 2 && target == fault.number % self.targets,
            4 => client / 3 == fault.number % 2,
            5 => target / 2 == fault.number % 2,
            6 => client % 3 == fault.number % 3,
            7 => target % 2 == fault.number % 2,
            _ => true,
        };
        let mut present = self.faults.iter().filter(|fault| (fault.from..fault.from + fault.minutes).contains(&minute));
        match (present.rfind(holds), self.chance([client, target, minute, 0])) {
            (Some(_), 0..30) | (None, 30..250) => Standing::Healthy,
            (Some(fault), 30..90) => Standing::Suspected(fault.label),
            (Some(fault), _) => Standing::Degraded(fault.label, fault.severity),
            (None, 0..15) => Standing::Degraded(Label::HandshakeBound, Severity::Major),
            (None, 15..25) => Standing::Suspected(Label::HandshakeBound),
            (None, 25..28) => Standing::Unjudged,
            (None, _) => Standing::Working,
        }
    }

    /// What the look after this minute brings.
    fn sightings(&self, minute_number: usize) -> Vec<Sighting> {
        let mut sightings = Vec::new();
        for client in 0..self.clients {
            for target in 0..self.targets {
                let is_gone = self.chance([client, minute_number / 8, 1, 1]) < 40;
                let is_missing = self.chance([client, target, minute_number, 2]) < 25;
                // The second target is measured every three minutes.
                if !is_gone && !is_missing && (target != 1 || minute_number.is_multiple_of(3)) {
                    sightings.push(self.sighting(client, target, minute_number, minute_number, false));
                }
                for back in 1..3 {
                    if minute_number >= back && self.chance([client, target, minute_number, 3 + back]) < 25 {
                        sightings.push(self.sighting(client, target, minute_number - back, minute_number, true));
                    }
                }
            }
        }
        sightings
    }

    fn sighting(&self, client: usize, target: usize, window: usize, seen_in: usize, is_revised: bool) -> Sighting {
        let moved = self.chance([client, seen_in / 16, 5, 5]) < 40;
        let isp = format!("isp-{}", client / 3 + usize::from(moved));
        let network =
            Network::named(Some(["wifi", "ethernet"][client % 2]), Some(&isp), Some(&format!("site-{}", client / 3)));
        let standing = self.standing(client, target, window);
        Sighting {
            client_id: format!("c{client}").into(),
            target: format!("https://h{}.example/{target}", target / 2).into(),
            window: minute(1000 + window as i64),
            standing: if is_revised && self.chance([client, target, window, 9]) < 128 {
                Standing::Healthy
            } else {
                standing
            },
            network: network.filter(|_| self.chance([client, seen_in, 6, 6]) > 50).map(Arc::new),
            tags: self.tags(client, target, seen_in),
        }
    }

    /// Teams across providers, and tiers across hosts. A client joins another team for some time, and labels are left out for some time.
    fn tags(&self, client: usize, target: usize, seen_in: usize) -> Option<Arc<PairTags>> {
        if !self.is_labelled || self.chance([client, seen_in / 8, 8, 8]) < 30 {
            return None;
        }
        let joined = usize::from(self.chance([client, seen_in / 12, 7, 7]) < 40);
        let client = format!(r#"{{"team":"{}","floor":"{}"}}"#, (client + joined) % 3, client % 2);
        let target = if target < 4 { format!(r#"{{"tier":"{}"}}"#, target % 2) } else { "{}".to_owned() };
        PairTags::of(Tags::parse(&client)?, Tags::parse(&target)?).map(Arc::new)
    }

    pub(super) fn at(minute_number: usize) -> WindowStart {
        minute(1001 + minute_number as i64)
    }

    pub(super) fn look(&self, minute_number: usize) -> Look {
        Look { partition: Partition(0), at: Self::at(minute_number), sightings: self.sightings(minute_number) }
    }
}

pub(super) fn rules() -> FleetRules {
    FleetRules { young_windows: 12, gap_windows: 4, flapping_gap_windows: 7, ..FleetRules::default() }
}

fn fold(story: &Story, restart_after: Option<usize>, partitions: usize) -> (Vec<FleetChanges>, Vec<u8>) {
    let mut fleet = Fleet::new(&rules(), MINUTE_MS);
    let mut all = Vec::new();
    for number in 0..story.minutes {
        let whole = story.look(number);
        let of_partition = |partition: usize| {
            let is_of = |sighting: &&Sighting| sighting.client_id.as_bytes()[1] as usize % partitions == partition;
            let sightings = whole.sightings.iter().filter(is_of).rev().cloned().collect();
            Look { partition: Partition(partition as u16), at: whole.at, sightings }
        };
        let looks =
            if partitions == 1 { vec![whole.clone()] } else { (0..partitions).rev().map(of_partition).collect() };
        all.push(fleet.advance(whole.at, looks));
        if restart_after == Some(number) {
            fleet = Fleet::restore(&fleet.to_stored(), &rules(), MINUTE_MS).unwrap();
        }
    }
    (all, fleet.to_stored())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    #[test]
    fn the_fold_is_what_the_reference_says(story in story()) {
        let mut reference = Reference::new(&rules(), MINUTE_MS);
        let (all, _) = fold(&story, None, 1);
        for (number, changes) in all.into_iter().enumerate() {
            prop_assert_eq!(changes, reference.advance(Story::at(number), vec![story.look(number)]), "minute {}", number);
        }
    }

    #[test]
    fn restarts_and_partitions_change_nothing(story in story(), restart_after in 0..60_usize, partitions in 1..4_usize) {
        prop_assert_eq!(fold(&story, None, 1), fold(&story, Some(restart_after), partitions));
    }
}

#[test]
fn a_state_of_other_rules_or_another_form_is_not_read() {
    let fleet = Fleet::new(&rules(), MINUTE_MS);
    let stored = fleet.to_stored();
    assert!(Fleet::restore(&stored, &rules(), MINUTE_MS).is_some());
    assert!(Fleet::restore(&stored, &FleetRules::default(), MINUTE_MS).is_none());
    assert!(Fleet::restore(&stored, &rules(), 30_000).is_none());
    for length in 0..stored.len() {
        assert!(Fleet::restore(&stored[..length], &rules(), MINUTE_MS).is_none(), "{length}");
    }
}

#[test]
fn a_look_that_is_not_newer_changes_nothing() {
    let mut fleet = Fleet::new(&rules(), MINUTE_MS);
    fleet.advance(minute(5), Vec::new());
    let stored = fleet.to_stored();
    let sightings = vec![Sighting {
        client_id: "c".into(),
        target: "t".into(),
        window: minute(4),
        standing: Standing::Healthy,
        network: None,
        tags: None,
    }];
    fleet.advance(minute(5), vec![Look { partition: Partition(0), at: minute(5), sightings }]);
    assert_eq!((fleet.through(), fleet.to_stored()), (Some(minute(5)), stored));
}
