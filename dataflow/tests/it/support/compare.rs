//! Whether the engine found what the reference found. Counts and names are the same; figures may differ by the last bits,
//! as the order of a sum is not part of the rules.

use std::collections::BTreeMap;

use netqoe_model::{Diagnosis, Evidence, UsualRange};

use super::reference::{Judged, Key, Row};

#[track_caller]
pub(crate) fn assert_same_rows(got: &BTreeMap<Key, Row>, expected: &BTreeMap<Key, Row>) {
    assert_eq!(got.keys().collect::<Vec<_>>(), expected.keys().collect::<Vec<_>>(), "the windows that have a row");
    for (key, row) in expected {
        assert!(is_same_row(&got[key], row), "{key:?} is\n{:?}\nand should be\n{row:?}", got[key]);
    }
}

fn is_same_row(got: &Row, expected: &Row) -> bool {
    let as_expected = Row { judged: expected.judged.clone(), as_of_ms: expected.as_of_ms, ..got.clone() };
    let [least_ms, most_ms] = expected.as_of_ms;
    let is_of_then = got.as_of_ms.iter().all(|as_of_ms| (least_ms..=most_ms).contains(as_of_ms));
    as_expected == *expected && is_of_then && is_same(&got.judged, &expected.judged)
}

pub(crate) fn is_same(got: &Judged, expected: &Judged) -> bool {
    let diagnosis = match (&got.diagnosis, &expected.diagnosis) {
        (Some(got), Some(expected)) => is_same_diagnosis(got, expected),
        (got, expected) => got == expected,
    };
    diagnosis && got.ended_runs == expected.ended_runs
}

fn is_same_diagnosis(got: &Diagnosis, expected: &Diagnosis) -> bool {
    let finding = match (&got.finding, &expected.finding) {
        (Some(got), Some(expected)) => got.0 == expected.0 && is_same_evidence(&got.1, &expected.1),
        (got, expected) => got == expected,
    };
    got.label == expected.label && finding
}

fn is_same_evidence(got: &Evidence, expected: &Evidence) -> bool {
    let Evidence { observed, usual, sigmas, share_of_total, .. } = expected.clone();
    let other_figures = Evidence { observed, usual, sigmas, share_of_total, ..got.clone() };
    other_figures == *expected
        && is_near(Some(got.observed), Some(observed))
        && is_same_range(got.usual, usual)
        && is_near(got.sigmas, sigmas)
        && is_near(got.share_of_total, share_of_total)
}

pub(crate) fn is_same_range(got: Option<UsualRange>, expected: Option<UsualRange>) -> bool {
    let figures = |range: Option<UsualRange>| range.map(|range| [range.centre, range.low, range.high]);
    let each = |got: [f64; 3], expected: [f64; 3]| got.iter().zip(&expected).all(|(a, b)| is_near(Some(*a), Some(*b)));
    match (figures(got), figures(expected)) {
        (Some(got), Some(expected)) => each(got, expected),
        (got, expected) => got == expected,
    }
}

fn is_near(got: Option<f64>, expected: Option<f64>) -> bool {
    match (got, expected) {
        (Some(got), Some(expected)) => (got - expected).abs() <= 1e-9 * (1.0 + expected.abs()),
        (got, expected) => got == expected,
    }
}
