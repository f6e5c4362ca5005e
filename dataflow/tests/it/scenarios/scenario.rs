//! One scenario: its file, and whether it comes true.

use std::fs;
use std::path::PathBuf;

use netqoe_dataflow::judge::PairState;
use netqoe_model::{
    Diagnosis, DiagnosisRules, ErrorStage, Evidence, LogTime, Percentiles, Rules, UsualRange, WindowRow, WindowStart,
};
use serde::Deserialize;

use crate::support::compare::is_same;
use crate::support::reference::{self, Judged};

/// Minute 0 of all scenarios: a whole multiple of three minutes since 1970, by which histories choose their windows.
const MINUTE_0: i64 = 3_000;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Scenario {
    /// `steady` or `classic`.
    rules: String,
    windows: Vec<Windows>,
    expected: Vec<Expected>,
}

/// Windows that are all the same. Milliseconds and Mbit/s: one figure, or the p50 and the p95.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Windows {
    /// The first and the last.
    minutes: [i64; 2],
    /// Measurements that did not fail.
    samples: u32,
    dns: Option<Figure>,
    tcp: Option<Figure>,
    tls: Option<Figure>,
    ttfb: Option<Figure>,
    throughput: Option<Figure>,
    /// Failed measurements: dns, tcp, tls, http, throughput.
    #[serde(default)]
    failed: [u32; 5],
}

#[derive(Clone, Copy, Deserialize)]
#[serde(untagged)]
enum Figure {
    One(f64),
    Two([f64; 2]),
}

/// What some windows come to.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Expected {
    minutes: [i64; 2],
    /// `none` where nothing can be said.
    label: String,
    severity: Option<String>,
    evidence: Option<ExpectedEvidence>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct ExpectedEvidence {
    stage: String,
    observed: f64,
    /// From the usual low to the usual high, with the usual value between them.
    usual: Option<[f64; 3]>,
    sigmas: Option<f64>,
    share_of_total: Option<f64>,
    samples: u32,
    bad_samples: u32,
    windows: u32,
    /// A minute.
    since: i64,
}

fn folder() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/it/scenarios/cases")
}

/// The names of all files, in order.
pub(crate) fn files() -> Vec<String> {
    let files = fs::read_dir(folder()).unwrap().map(|file| file.unwrap().path());
    let mut names: Vec<_> = files.map(|path| path.file_stem().unwrap().to_string_lossy().into_owned()).collect();
    names.sort();
    names
}

#[track_caller]
pub(crate) fn check(name: &str) {
    let text = fs::read_to_string(folder().join(name).with_extension("toml")).unwrap();
    let scenario: Scenario = toml::from_str(&text).unwrap();
    let diagnosis = match &*scenario.rules {
        "classic" => DiagnosisRules::classic(),
        "steady" => DiagnosisRules::default(),
        other => panic!("no rules are called {other}"),
    };
    let rules = Rules { diagnosis, ..Rules::default() };
    let rows: Vec<WindowRow> = scenario.windows.iter().flat_map(Windows::rows).collect();
    let mut state = PairState::new(&rules.diagnosis);
    let by_reference = reference::judged(&rows, &rules);
    let mut checked = 0;
    for (row, by_reference) in rows.iter().zip(by_reference) {
        let minute = row.start.ms() / 60_000 - MINUTE_0;
        let expected = scenario.expected(minute);
        let judged = state.judge(row, &rules);
        for (who, diagnosis) in [("the engine", judged.diagnosis), ("the reference", by_reference.diagnosis)] {
            let found = Judged { diagnosis, suspected: None, ended_runs: Vec::new() };
            let expected = Judged { diagnosis: expected.diagnosis(), suspected: None, ended_runs: Vec::new() };
            assert!(
                is_same(&found, &expected),
                "{name}, minute {minute}: {who} says\n{found:?}\nexpected is\n{expected:?}"
            );
        }
        checked += 1;
    }
    let promised: i64 = scenario.expected.iter().map(|expected| expected.minutes[1] - expected.minutes[0] + 1).sum();
    assert_eq!(promised, checked, "{name} expects something of minutes without a window");
}

impl Scenario {
    /// What is expected of a minute.
    fn expected(&self, minute: i64) -> &Expected {
        let found = self.expected.iter().find(|expected| (expected.minutes[0]..=expected.minutes[1]).contains(&minute));
        found.unwrap_or_else(|| panic!("nothing is expected of minute {minute}"))
    }
}

impl Windows {
    fn rows(&self) -> impl Iterator<Item = WindowRow> {
        let figures = [self.dns, self.tcp, self.tls, self.ttfb, self.throughput];
        let percentiles = figures.map(|figure| figure.filter(|_| self.samples > 0).map(Figure::percentiles));
        (self.minutes[0]..=self.minutes[1]).map(move |minute| WindowRow {
            start: start(minute),
            is_final: true,
            as_of: LogTime::from_ms(start(minute).ms() + 180_001),
            count_success: self.samples,
            errors: self.failed,
            percentiles,
            network: None,
            tags: None,
        })
    }
}

impl Figure {
    fn percentiles(self) -> Percentiles {
        let [p50, p95] = match self {
            Self::One(figure) => [figure; 2],
            Self::Two(both) => both,
        };
        let thousandths = |figure: f64| (figure * 1000.0).round() as u64;
        Percentiles { p50: thousandths(p50), p95: thousandths(p95) }
    }
}

impl Expected {
    fn diagnosis(&self) -> Option<Diagnosis> {
        if self.label == "none" {
            return None;
        }
        let label = netqoe_model::Label::parse(&self.label).unwrap();
        let finding = self.severity.as_deref().map(|severity| {
            let severity = netqoe_model::Severity::parse(severity).unwrap();
            Box::new((severity, self.evidence.as_ref().unwrap().evidence()))
        });
        Some(Diagnosis { label, finding })
    }
}

impl ExpectedEvidence {
    fn evidence(&self) -> Evidence {
        let phases = ["handshake", "ttfb"];
        let stages = ErrorStage::ALL.into_iter().map(ErrorStage::as_str).chain(phases);
        Evidence {
            stage: stages.into_iter().find(|stage| *stage == self.stage).unwrap(),
            observed: self.observed,
            usual: self.usual.map(|[low, centre, high]| UsualRange { centre, low, high }),
            sigmas: self.sigmas,
            share_of_total: self.share_of_total,
            samples: self.samples,
            bad_samples: self.bad_samples,
            windows: self.windows,
            since: start(self.since),
        }
    }
}

fn start(minute: i64) -> WindowStart {
    WindowStart::from_ms((MINUTE_0 + minute) * 60_000)
}
