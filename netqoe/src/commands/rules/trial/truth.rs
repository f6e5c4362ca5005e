//! Faults that are known to have been there, and how right the incidents are about them.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::Range;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use anyhow::ensure;
use netqoe_fleet::causes_that_hold;
use netqoe_fleet::comparison::ToldIncident;
use netqoe_fleet::matching::{Finding, KnownFault};
use netqoe_model::{Cause, DimensionName, IncidentState, Label, Rules, WindowStart};
use serde::Deserialize;

use super::windows::{PairName, Surroundings, Windows};
use crate::exit::WrongUsage;

/// A list of faults that is longer than this is no list of faults.
const MAX_BYTES: u64 = 64 << 20;

/// The faults of a file.
#[derive(Debug)]
pub(super) struct Truth {
    path: PathBuf,
    faults: Vec<Fault>,
}

/// A fault that is known. Times are Unix milliseconds.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Fault {
    /// The labels that are right for it; any is where there are none.
    labels: Vec<Label>,
    cause: Cause,
    from_ms: i64,
    to_ms: i64,
}

/// How right one set of rules is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Accuracy {
    /// Known faults.
    pub(super) faults: usize,
    /// Those of which there is an incident ...
    pub(super) found: usize,
    /// ... and one that names the cause.
    pub(super) right_cause: usize,
    /// Incidents that stand.
    pub(super) told: usize,
    /// Those that are of no known fault.
    pub(super) false_ones: usize,
}

impl Accuracy {
    /// The share of the faults that was found.
    pub(super) fn recall(self) -> Option<f64> {
        share(self.found, self.faults)
    }

    /// The share of the incidents that are of a fault; `None` where there are none.
    pub(super) fn precision(self) -> Option<f64> {
        share(self.told - self.false_ones, self.told)
    }
}

fn share(part: usize, all: usize) -> Option<f64> {
    (all > 0).then(|| part as f64 / all as f64)
}

impl Truth {
    pub(super) fn read(path: &Path) -> Result<Self, WrongUsage> {
        let refused = |why: String| WrongUsage(format!("can't read the truth in {}: {why}", path.display()));
        let bytes = std::fs::metadata(path).map_err(|error| refused(error.to_string()))?.len();
        if bytes > MAX_BYTES {
            return Err(refused(format!("it has {bytes} bytes, and {MAX_BYTES} are allowed")));
        }
        let text = std::fs::read_to_string(path).map_err(|error| refused(error.to_string()))?;
        let faults = parse(&text).map_err(refused)?;
        Ok(Self { path: path.to_owned(), faults })
    }

    /// Judges what both rules have told of the faults that began in the range.
    pub(super) fn judge(
        &self,
        told: &[Vec<ToldIncident<'_>>; 2],
        windows: &Windows,
        rules: &[Rules; 2],
        range_ms: &Range<i64>,
    ) -> anyhow::Result<[Accuracy; 2]> {
        let count = self.faults.iter().filter(|fault| range_ms.contains(&fault.from_ms)).count();
        ensure!(
            count > 0,
            "no fault in {} began in the time that is compared; give other faults, or another --from and --to",
            self.path.display()
        );
        let judge = |told: &[ToldIncident<'_>], rules| {
            let causes = self.faults.iter().map(|fault| &fault.cause).chain(told.iter().map(|told| &told.cause));
            let scopes = Scopes::new(windows, rules, &causes.collect());
            accuracy(&self.faults, told, &scopes, range_ms)
        };
        Ok([judge(&told[0], &rules[0]), judge(&told[1], &rules[1])])
    }
}

fn accuracy(faults: &[Fault], told: &[ToldIncident<'_>], scopes: &Scopes, range_ms: &Range<i64>) -> Accuracy {
    let scoped: Vec<_> = faults.iter().map(|fault| Scoped { fault, scopes }).collect();
    let mut accuracy = Accuracy::default();
    let (mut is_found, mut is_right) = (vec![false; faults.len()], vec![false; faults.len()]);
    for incident in told {
        let [opened, last] = [incident.opened_ms, incident.closed_ms.unwrap_or(i64::MAX)].map(WindowStart::from_ms);
        let members: Vec<_> = incident.members.iter().map(|pair| (pair, opened, last)).collect();
        let finding = Finding { label: incident.label, cause: &incident.cause, members: &members };
        let of = finding.fault(&scoped);
        let is_counted = range_ms.contains(&incident.opened_ms);
        accuracy.told += usize::from(is_counted);
        accuracy.false_ones += usize::from(is_counted && of.is_none());
        if let Some(number) = of {
            is_found[number] = true;
            is_right[number] |= scoped[number].is_scope(&incident.cause);
        }
        // Faults of one cause may follow each other so soon that one incident is of both.
        for (number, fault) in scoped.iter().enumerate().filter(|(_, fault)| finding.is_of_scope(*fault)) {
            is_found[number] = true;
            is_right[number] |= fault.is_scope(&incident.cause);
        }
    }
    for (number, _) in faults.iter().enumerate().filter(|(_, fault)| range_ms.contains(&fault.from_ms)) {
        accuracy.faults += 1;
        accuracy.found += usize::from(is_found[number]);
        accuracy.right_cause += usize::from(is_right[number]);
    }
    accuracy
}

/// The measured pairs that each cause holds, of those causes that are asked for.
struct Scopes(BTreeMap<Cause, BTreeSet<PairName>>);

impl Scopes {
    fn new(windows: &Windows, rules: &Rules, wanted: &BTreeSet<&Cause>) -> Self {
        let mut scopes: BTreeMap<Cause, BTreeSet<PairName>> = BTreeMap::new();
        for (pair, Surroundings { network, tags }) in &windows.pairs {
            for cause in causes_that_hold(&pair.0, &pair.1, network.as_deref(), tags.as_deref(), &rules.fleet) {
                if wanted.contains(&cause) {
                    scopes.entry(cause).or_default().insert(pair.clone());
                }
            }
        }
        Self(scopes)
    }
}

/// A fault, and whom it hurts.
struct Scoped<'a> {
    fault: &'a Fault,
    scopes: &'a Scopes,
}

impl KnownFault<&(String, String)> for Scoped<'_> {
    fn span_ms(&self) -> (i64, i64) {
        (self.fault.from_ms, self.fault.to_ms)
    }

    fn has_label(&self, label: Label) -> bool {
        self.fault.labels.is_empty() || self.fault.labels.contains(&label)
    }

    fn holds(&self, (client, target): &&(String, String)) -> bool {
        let pair: PairName = (Arc::from(&**client), Arc::from(&**target));
        self.scopes.0.get(&self.fault.cause).is_some_and(|pairs| pairs.contains(&pair))
    }

    fn is_scope(&self, cause: &Cause) -> bool {
        let pairs = |cause| self.scopes.0.get(cause);
        *cause == self.fault.cause || pairs(cause).is_some_and(|held| pairs(&self.fault.cause) == Some(held))
    }
}

/// A list of faults, or one after the other. Fails with what is wrong, and where.
fn parse(text: &str) -> Result<Vec<Fault>, String> {
    let is_list = text.trim_start().starts_with('[');
    let entries: Result<Vec<Entry>, _> = if is_list {
        serde_json::from_str(text)
    } else {
        serde_json::Deserializer::from_str(text).into_iter().collect()
    };
    let mut faults = Vec::new();
    for (number, entry) in (1..).zip(entries.map_err(|error| error.to_string())?) {
        // An incident that was withdrawn was no fault.
        let is_withdrawn = entry.state == Some(IncidentState::Withdrawn);
        let fault = Fault::try_from(entry).map_err(|why| format!("fault {number}: {why}"))?;
        faults.extend((!is_withdrawn).then_some(fault));
    }
    Ok(faults)
}

/// A fault as it is written: as an incident of `netqoe incidents --json`, whose other members mean nothing here.
#[derive(Deserialize)]
struct Entry {
    #[serde(default)]
    label: Option<OneOrMany<Label>>,
    cause_dimension: DimensionName,
    #[serde(default)]
    cause_value: Option<OneOrMany<String>>,
    opened_ms: i64,
    #[serde(default)]
    closed_ms: Option<i64>,
    #[serde(default)]
    state: Option<IncidentState>,
}

#[derive(Deserialize)]
#[serde(untagged, expecting = "a known text, or a list of such")]
enum OneOrMany<T> {
    One(T),
    Many(Vec<T>),
}

impl<T> OneOrMany<T> {
    fn all(given: Option<Self>) -> Vec<T> {
        match given {
            None => Vec::new(),
            Some(Self::One(one)) => vec![one],
            Some(Self::Many(many)) => many,
        }
    }
}

impl TryFrom<Entry> for Fault {
    type Error = String;

    fn try_from(entry: Entry) -> Result<Self, String> {
        let Entry { label, cause_dimension: dimension, cause_value, opened_ms, closed_ms, .. } = entry;
        let to_ms = closed_ms.unwrap_or(i64::MAX);
        if to_ms <= opened_ms {
            return Err(format!("closed_ms {to_ms} is not after opened_ms {opened_ms}"));
        }
        let value: Vec<Arc<str>> = OneOrMany::all(cause_value).into_iter().map(Arc::from).collect();
        let needed = dimension.texts();
        if value.len() != needed {
            return Err(format!("cause_value has {} texts, and {dimension} needs {needed}", value.len()));
        }
        let cause = dimension.with(value);
        Ok(Self { labels: OneOrMany::all(label), cause, from_ms: opened_ms, to_ms })
    }
}

#[cfg(test)]
mod tests {
    use netqoe_model::Dimension;

    use super::*;

    const SLOW: &str = r#"{"label": "dns-bound", "cause_dimension": "client", "cause_value": "a", "opened_ms": 60000, "closed_ms": 120000}"#;

    fn faults(text: &str) -> Vec<Fault> {
        parse(text).unwrap()
    }

    #[test]
    fn a_list_and_lines_say_the_same() {
        let [fault] = &faults(SLOW)[..] else { panic!("one fault") };
        assert_eq!((&fault.labels[..], fault.from_ms, fault.to_ms), (&[Label::DnsBound][..], 60_000, 120_000));
        assert_eq!(faults(&format!("{SLOW}\n\n{SLOW}\n")), faults(&format!("[{SLOW}\n,{SLOW}\n]\n")));
        assert_eq!(faults("[]"), []);
        assert_eq!(faults(""), []);
    }

    #[test]
    fn what_is_withdrawn_is_no_fault() {
        let withdrawn = SLOW.replace("\"label\"", "\"state\": \"withdrawn\", \"label\"");
        assert_eq!(faults(&format!("{withdrawn}\n{SLOW}")).len(), 1);
    }

    #[test]
    fn a_label_may_be_missing_and_a_fault_may_go_on() {
        let [fault] = &faults(r#"{"cause_dimension": "everything", "opened_ms": 0, "of_a_later_version": 1}"#)[..]
        else {
            panic!("one fault")
        };
        assert_eq!((&fault.labels[..], fault.to_ms), (&[][..], i64::MAX));
        let two = r#"{"label": ["handshake-bound", "throughput-bound"], "cause_dimension": "isp×target", "cause_value": ["i", "t"], "opened_ms": 0}"#;
        assert_eq!(faults(two)[0].labels, [Label::HandshakeBound, Label::ThroughputBound]);
    }

    #[test]
    fn a_mistake_is_told_with_its_place() {
        for (wrong, says) in [
            ("{", "EOF while parsing"),
            (r#"{"cause_dimension": "clint", "opened_ms": 0}"#, "unknown variant `clint`, expected one of `client`"),
            (r#"{"cause_dimension": "client", "cause_value": "a"}"#, "missing field `opened_ms`"),
            (r#"{"cause_dimension": "client", "opened_ms": 0}"#, "cause_value has 0 texts, and client needs 1"),
            (r#"{"cause_dimension": "isp×target", "cause_value": ["a"], "opened_ms": 0}"#, "isp×target needs 2"),
            (&SLOW.replace("dns-bound", "slow"), "a known text, or a list of such"),
            (&SLOW.replace("120000", "60000"), "closed_ms 60000 is not after opened_ms 60000"),
        ] {
            let message = parse(&format!("{SLOW}\n{wrong}")).unwrap_err();
            let has_place = message.contains("line 2") || message.contains("fault 2");
            assert!(message.contains(says) && has_place, "{message}");
        }
    }

    /// Three clients measure two targets. Both incidents of `a` opened in the range, one of another client did not.
    #[test]
    fn recall_and_precision_count_what_is_in_the_range() {
        let mut windows = Windows::default();
        for client in ["a", "b", "c"] {
            for target in ["t", "u"] {
                windows.pairs.insert((client.into(), target.into()), Surroundings::default());
            }
        }
        let of = |client: &str| [(client.to_owned(), "t".to_owned()), (client.to_owned(), "u".to_owned())];
        let (a, b, c) = (of("a"), of("b"), of("c"));
        let told = |members: &'static [(String, String)]| members;
        let [a, b, c] = [a, b, c].map(|members| told(Box::leak(Box::new(members))));
        let incident = |members: &'static [(String, String)], minute: i64| ToldIncident {
            id: "id",
            label: Label::DnsBound,
            cause: Cause { dimension: Dimension::Client, value: vec![members[0].0.as_str().into()] },
            opened_ms: minute * 60_000,
            detected_ms: (minute + 1) * 60_000,
            closed_ms: Some((minute + 10) * 60_000),
            members,
        };
        let told = [incident(a, 5), incident(a, 100), incident(b, 5), incident(c, 1)];
        let line = |client, minute: i64| {
            SLOW.replace("\"a\"", client)
                .replace("120000", "600000")
                .replace(": 60000", &format!(": {}", minute * 60_000))
        };
        let text = [line("\"a\"", 5), line("\"b\"", 6), line("\"c\"", 5), line("\"b\"", 1)].join("\n");
        let truth = Truth { path: PathBuf::from("truth"), faults: faults(&text) };
        let judged = truth.judge(&[told.to_vec(), Vec::new()], &windows, &Default::default(), &(120_000..i64::MAX));
        let [present, new] = judged.unwrap();
        // The incident of `a` at minute 100 is false; that of `c` is of a fault, and opened before the range.
        assert_eq!(present, Accuracy { faults: 3, found: 3, right_cause: 3, told: 3, false_ones: 1 });
        assert_eq!((present.recall(), present.precision()), (Some(1.0), Some(2.0 / 3.0)));
        assert_eq!(new, Accuracy { faults: 3, ..Accuracy::default() });
        assert_eq!((new.recall(), new.precision()), (Some(0.0), None));
        let nothing = truth.judge(&Default::default(), &windows, &Default::default(), &(0..60_000)).unwrap_err();
        assert!(nothing.to_string().contains("no fault in truth began"), "{nothing}");
    }
}
