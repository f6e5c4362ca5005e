//! The figures as tables.

use netqoe_model::Dimension;

use super::IncidentScore;
use super::score::OfKind;
use crate::insight::score::Share;
use crate::insight::tables::{Table, percent};

/// Shown delays, in windows.
const DELAYS: [i64; 4] = [0, 1, 2, 3];

/// All tables of one score.
pub(in crate::insight) fn tables(score: &IncidentScore) -> String {
    let (whole, kinds) = (whole(score), kinds(score));
    format!(
        "Incidents, of faults that at least three pairs show:\n\n{whole}\nWhat the incident of a fault names, by the fault's cause:\n\n{kinds}"
    )
}

fn whole(score: &IncidentScore) -> String {
    let within = DELAYS.map(|windows| format!("within {windows}")).join(" | ");
    let heads = ["faults", "not visible", "recall", "precision", "exactly one", "right cause", &within];
    let mut table = Table::of(&[&heads[..], &["withdrawn", "false in clean hours"]].concat());
    let share = |part| percent(Share { part, all: score.faults });
    let figures = [
        score.faults.to_string(),
        score.invisible.to_string(),
        percent(score.recall()),
        format!("{} of {}", percent(score.precision()), score.told),
        share(score.exactly_one),
        share(score.right),
    ];
    let clean = format!("{} in {} ({} withdrawn)", score.clean_false, score.clean_hours, score.clean_withdrawn);
    let delays = DELAYS.map(|windows| percent(score.within(windows)));
    table.line(figures.into_iter().chain(delays).chain([score.withdrawn.to_string(), clean]));
    table.text()
}

/// The confusion matrix.
fn kinds(score: &IncidentScore) -> String {
    let dimensions = Dimension::ALL.map(Dimension::as_str).join(" | ");
    let mut table = Table::of(&["cause", "faults", "right", "exactly one", &dimensions, "nothing"]);
    for (kind, OfKind { faults, right, exactly_one, named, missed }) in &score.by_kind {
        let share = |part: u64| percent(Share { part, all: *faults });
        let counts = Dimension::ALL.map(|dimension| named.get(&dimension).map_or(String::new(), u64::to_string));
        let figures = [kind.as_str().to_owned(), faults.to_string(), share(*right), share(*exactly_one)];
        table.line(figures.into_iter().chain(counts).chain([missed.to_string()]));
    }
    table.text()
}
