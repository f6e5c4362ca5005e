//! The cells of the heatmap: clients × targets, a character each.

use std::cmp::Reverse;
use std::collections::{BTreeMap, HashMap};

use netqoe_model::{Label, Severity, Unmeasured};
use netqoe_sinks::read::CurrentRecord;
use serde::Serialize;
use utoipa::ToSchema;

use super::current::{Current, is_degraded};
use super::networks::Network;
use crate::answer::Labels;

/// More than this no page draws.
const MAX_CLIENTS: usize = 2000;
const MAX_TARGETS: usize = 200;

/// No row.
const NOTHING: u8 = b'.';
/// No row of late, where there should be some.
const UNMEASURED: u8 = b'u';

/// The current row of each pair, by the rule of the overview.
#[derive(Debug, PartialEq, Eq, Serialize, ToSchema)]
pub(crate) struct Matrix {
    /// Start of the newest window with rows before `to`, Unix milliseconds; null without rows.
    #[schema(required)]
    at: Option<i64>,
    /// By name.
    clients: Vec<MatrixClient>,
    /// By name.
    targets: Vec<String>,
    /// The labels of each target, as the newest of its rows says that carries any; empty if there are none.
    target_labels: Vec<Labels>,
    /// A text for each client, a character for each target: `.` no row, `u` unmeasured, `?` no baseline, `h` healthy, `d` dns-bound,
    /// `c` handshake-bound, `s` server-bound, `t` throughput-bound, `e` error-bound.
    labels: Vec<String>,
    /// In the same way: `.` no row, or unmeasured, `0` nothing hurts, `1` minor, `2` major, `3` critical.
    severities: Vec<String>,
    /// Of too many clients, those that are hurt least.
    clients_left_off: usize,
    /// Of too many targets, those that are hurt least.
    targets_left_off: usize,
}

/// A client, the network of its newest row that names one, and the labels of its newest row that carries any.
#[derive(Debug, PartialEq, Eq, Serialize, ToSchema)]
pub(crate) struct MatrixClient {
    client_id: String,
    #[schema(required)]
    isp: Option<String>,
    #[schema(required)]
    network_type: Option<String>,
    /// Empty if there are none.
    labels: Labels,
}

pub(crate) fn of(current: &Current) -> Matrix {
    matrix(current, MAX_CLIENTS, MAX_TARGETS)
}

fn matrix(current: &Current, max_clients: usize, max_targets: usize) -> Matrix {
    let missed = &current.fleet.unmeasured;
    let side = |of_row: fn(&CurrentRecord) -> &str, of_missed: fn(&Unmeasured) -> &str, max| {
        let measured = current.rows.iter().map(|row| (of_row(row), is_degraded(row)));
        Side::of(measured.chain(missed.iter().map(|missed| (of_missed(missed), false))), max)
    };
    let clients = side(|row| &row.pair.client_id, |missed| &missed.client_id, max_clients);
    let targets = side(|row| &row.pair.target, |missed| &missed.target, max_targets);
    let place = |client_id: &str, target: &str| {
        let (client, target) = clients.places.get(client_id).zip(targets.places.get(target))?;
        Some((*client, *target))
    };
    let nothing = || vec![vec![NOTHING; targets.names.len()]; clients.names.len()];
    let (mut labels, mut severities) = (nothing(), nothing());
    for row in &current.rows {
        let Some((client, target)) = place(&row.pair.client_id, &row.pair.target) else { continue };
        labels[client][target] = letter(row.label);
        severities[client][target] = digit(row.finding.as_ref().map(|finding| finding.severity));
    }
    for missed in missed {
        let Some((client, target)) = place(&missed.client_id, &missed.target) else { continue };
        labels[client][target] = UNMEASURED;
    }
    Matrix {
        at: current.at_ms,
        clients: clients.names.iter().map(|name| MatrixClient::of(name, current)).collect(),
        targets: targets.names.iter().map(|name| (*name).to_owned()).collect(),
        target_labels: targets.names.iter().map(|target| current.tags.of_target(target)).collect(),
        labels: labels.into_iter().map(text).collect(),
        severities: severities.into_iter().map(text).collect(),
        clients_left_off: clients.left_off,
        targets_left_off: targets.left_off,
    }
}

impl MatrixClient {
    fn of(client_id: &str, current: &Current) -> Self {
        let Network { isp, network_type } = current.networks.of(client_id);
        Self { client_id: client_id.to_owned(), isp, network_type, labels: current.tags.of_client(client_id) }
    }
}

/// The names along one side.
struct Side<'a> {
    names: Vec<&'a str>,
    places: HashMap<&'a str, usize>,
    left_off: usize,
}

impl<'a> Side<'a> {
    /// Those that are hurt most, by name.
    fn of(pairs: impl Iterator<Item = (&'a str, bool)>, max: usize) -> Self {
        let mut degraded: BTreeMap<&str, usize> = BTreeMap::new();
        for (name, is_degraded) in pairs {
            *degraded.entry(name).or_default() += usize::from(is_degraded);
        }
        let mut names: Vec<_> = degraded.keys().copied().collect();
        let left_off = names.len().saturating_sub(max);
        if left_off > 0 {
            names.sort_by_key(|name| Reverse(degraded[name]));
            names.truncate(max);
            names.sort_unstable();
        }
        let places = names.iter().copied().zip(0..).collect();
        Self { names, places, left_off }
    }
}

fn letter(label: Option<Label>) -> u8 {
    match label {
        None => b'?',
        Some(Label::Healthy) => b'h',
        Some(Label::DnsBound) => b'd',
        Some(Label::HandshakeBound) => b'c',
        Some(Label::ServerBound) => b's',
        Some(Label::ThroughputBound) => b't',
        Some(Label::ErrorBound) => b'e',
    }
}

fn digit(severity: Option<Severity>) -> u8 {
    match severity {
        None => b'0',
        Some(Severity::Minor) => b'1',
        Some(Severity::Major) => b'2',
        Some(Severity::Critical) => b'3',
    }
}

fn text(letters: Vec<u8>) -> String {
    letters.into_iter().map(char::from).collect()
}

#[cfg(test)]
mod tests {
    use netqoe_model::{LogTime, WindowStart};
    use netqoe_sinks::read::Pair;

    use super::*;
    use crate::answer::tests::older_finding;

    fn row(client_id: &str, target: &str, severity: Option<Severity>) -> CurrentRecord {
        let finding = |severity| older_finding(severity, "dns", 1.0);
        CurrentRecord {
            pair: Pair { client_id: client_id.into(), target: target.into() },
            window_start: WindowStart::from_ms(0),
            label: Some(if severity.is_some() { Label::DnsBound } else { Label::Healthy }),
            network: None,
            tags: None,
            finding: severity.map(finding).map(Box::new),
            is_final: true,
            as_of: LogTime::from_ms(0),
            updated_at_ms: 0,
        }
    }

    #[test]
    fn of_too_many_those_that_are_hurt_most_stay() {
        let rows = vec![
            row("a", "t", None),
            row("a", "u", None),
            row("b", "t", Some(Severity::Minor)),
            row("c", "t", Some(Severity::Critical)),
            row("c", "v", Some(Severity::Major)),
        ];
        let current = Current { at_ms: Some(0), rows, ..Current::default() };
        let all = matrix(&current, 3, 3);
        assert_eq!((all.clients_left_off, all.targets_left_off), (0, 0));
        assert_eq!(all.labels, ["hh.", "d..", "d.d"]);
        assert_eq!(all.severities, ["00.", "1..", "3.2"]);
        let some = matrix(&current, 2, 2);
        let clients: Vec<_> = some.clients.iter().map(|client| &*client.client_id).collect();
        assert_eq!((clients, &some.targets[..]), (vec!["b", "c"], &["t".to_owned(), "v".to_owned()][..]));
        assert_eq!((some.clients_left_off, some.targets_left_off), (1, 1));
        assert_eq!(some.labels, ["d.", "dd"]);
    }
}
