//! What differs, in words or as JSON.

use std::ops::Range;

use jiff::Timestamp;
use netqoe_fleet::comparison::{Comparison, Difference, Moved};
use netqoe_model::{Label, Rules};
use netqoe_sinks::ListedIncident;
use serde_json::{Value, json};

use super::found::Found;
use super::truth::Accuracy;
use super::windows::{Change, Windows};
use crate::commands::incidents::{HEADS, as_json, as_row, row};
use crate::output::{self, OutputError};

/// Incidents of each kind that are printed. `--json` has all.
const EXAMPLES: usize = 5;
/// Changes of labels that are printed, the most frequent first.
const CHANGES: usize = 10;

/// All that came of a comparison.
pub(super) struct Report<'a> {
    pub(super) rules: &'a [Rules; 2],
    pub(super) range_ms: Range<i64>,
    pub(super) windows: &'a Windows,
    /// With the present rules, and with the new ones.
    pub(super) found: [&'a Found; 2],
    pub(super) comparison: Comparison,
    /// Where the truth is known.
    pub(super) accuracy: Option<[Accuracy; 2]>,
}

impl Report<'_> {
    pub(super) fn print_text(&self) -> Result<(), OutputError> {
        let [present, new] = self.names();
        let (from, to) = (time(self.range_ms.start), time(self.range_ms.end));
        output::line(format_args!("present rules {present}, new rules {new}, from {from} to {to}"))?;
        self.print_windows()?;
        self.print_counts()?;
        let Comparison { gained, lost, moved, .. } = &self.comparison;
        self.print_examples("gained", gained, self.found[1])?;
        self.print_examples("lost", lost, self.found[0])?;
        self.print_moved(moved)?;
        self.print_accuracy()
    }

    pub(super) fn print_json(&self) -> Result<(), OutputError> {
        output::line(self.as_json())
    }

    fn names(&self) -> [&str; 2] {
        [&self.rules[0].diagnosis.name, &self.rules[1].diagnosis.name].map(String::as_str)
    }

    fn print_windows(&self) -> Result<(), OutputError> {
        let Windows { all, pairs, changed_pairs, .. } = self.windows;
        output::own_line(format_args!(
            "\nwindows: {all} of {} pairs, of which {} of {} pairs have another label",
            pairs.len(),
            self.windows.changed(),
            changed_pairs.len(),
        ))?;
        let changes = self.changes();
        for ((from, to), count) in changes.iter().take(CHANGES) {
            output::own_line(format_args!("{count:>10}  {} → {}", label(*from), label(*to)))?;
        }
        print_rest(changes.len(), CHANGES)
    }

    /// How many windows changed from which label to which, the most first.
    fn changes(&self) -> Vec<(Change, u64)> {
        let mut changes: Vec<_> = self.windows.changes.iter().map(|(change, count)| (*change, *count)).collect();
        changes.sort_by_key(|(_, count)| std::cmp::Reverse(*count));
        changes
    }

    fn print_counts(&self) -> Result<(), OutputError> {
        let [present, new] = [0, 1].map(|number| self.told(number));
        let [present_withdrawn, new_withdrawn] = [0, 1].map(|number| self.withdrawn(number));
        let Comparison { same, moved, lost, gained } = &self.comparison;
        let (moved, lost, gained) = (moved.len(), lost.len(), gained.len());
        output::own_line(format_args!(
            "\nincidents: {present} with the present rules ({present_withdrawn} more were withdrawn), {new} with the new ones \
             ({new_withdrawn})"
        ))?;
        for (count, what) in [(*same, "the same"), (gained, "gained"), (lost, "lost"), (moved, "moved")] {
            output::own_line(format_args!("{count:>10}  {what}"))?;
        }
        Ok(())
    }

    /// Incidents that opened in the range and stand.
    fn told(&self, number: usize) -> usize {
        let incidents = self.found[number].incidents.iter();
        incidents.filter(|incident| self.range_ms.contains(&incident.opened_ms)).count()
    }

    fn withdrawn(&self, number: usize) -> usize {
        self.found[number].withdrawn_opened_ms.iter().filter(|opened_ms| self.range_ms.contains(opened_ms)).count()
    }

    fn print_examples(&self, what: &str, numbers: &[usize], found: &Found) -> Result<(), OutputError> {
        if numbers.is_empty() {
            return Ok(());
        }
        output::own_line(format_args!("\n{what}"))?;
        output::own_line(row(HEADS))?;
        for number in numbers.iter().take(EXAMPLES) {
            output::line(as_row(&found.incidents[*number]))?;
        }
        print_rest(numbers.len(), EXAMPLES)
    }

    fn print_moved(&self, moved: &[Moved]) -> Result<(), OutputError> {
        if moved.is_empty() {
            return Ok(());
        }
        output::own_line("\nmoved, with the present and with the new rules")?;
        output::own_line(row(HEADS))?;
        for Moved { present, new, differences } in moved.iter().take(EXAMPLES) {
            let (present, new) = (&self.found[0].incidents[*present], &self.found[1].incidents[*new]);
            output::line(as_row(present))?;
            output::line(as_row(new))?;
            let differences: Vec<_> = differences.iter().map(|difference| words(*difference, present, new)).collect();
            output::own_line(format_args!("  differs in {}", differences.join(", ")))?;
        }
        print_rest(moved.len(), EXAMPLES)
    }

    fn print_accuracy(&self) -> Result<(), OutputError> {
        let Some(accuracy) = self.accuracy else { return Ok(()) };
        output::own_line(format_args!("\ntruth: {} faults", accuracy[0].faults))?;
        for (rules, accuracy) in ["present", "new"].into_iter().zip(accuracy) {
            let Accuracy { faults, found, right_cause, told, false_ones } = accuracy;
            output::own_line(format_args!(
                "{rules:>10}  recall {} ({found} of {faults} faults, {right_cause} with the right cause), precision {} ({} of \
                 {told} incidents)",
                percent(accuracy.recall()),
                percent(accuracy.precision()),
                told - false_ones,
            ))?;
        }
        Ok(())
    }

    fn as_json(&self) -> Value {
        let incident = |number: usize, of: usize| as_json(&self.found[of].incidents[number]);
        let all = |numbers: &[usize], of| numbers.iter().map(|number| incident(*number, of)).collect::<Vec<_>>();
        let moved = self.comparison.moved.iter().map(|moved| {
            let differences: Vec<_> = moved.differences.iter().map(|difference| difference.as_str()).collect();
            json!({"differences": differences, "present": incident(moved.present, 0), "new": incident(moved.new, 1)})
        });
        let changes = self.changes().into_iter().map(|((present, new), windows)| {
            let [present, new] = [present, new].map(|label| label.map(Label::as_str));
            json!({"present": present, "new": new, "windows": windows})
        });
        let bound = |ms: i64| (ms != i64::MIN && ms != i64::MAX).then_some(ms);
        let [present, new] = self.names();
        json!({
            "from_ms": bound(self.range_ms.start), "to_ms": bound(self.range_ms.end),
            "rules": {"present": present, "new": new},
            "windows": {
                "all": self.windows.all, "pairs": self.windows.pairs.len(), "changed": self.windows.changed(),
                "changed_pairs": self.windows.changed_pairs.len(), "changes": changes.collect::<Vec<_>>(),
            },
            "incidents": {
                "present": self.told(0), "new": self.told(1), "present_withdrawn": self.withdrawn(0),
                "new_withdrawn": self.withdrawn(1), "same": self.comparison.same,
                "gained": all(&self.comparison.gained, 1), "lost": all(&self.comparison.lost, 0),
                "moved": moved.collect::<Vec<_>>(),
            },
            "truth": self.accuracy.map(|[present, new]| json!({"present": of_truth(present), "new": of_truth(new)})),
        })
    }
}

fn of_truth(accuracy: Accuracy) -> Value {
    let Accuracy { faults, found, right_cause, told, false_ones } = accuracy;
    json!({
        "faults": faults, "found": found, "right_cause": right_cause, "told": told, "false": false_ones,
        "recall": accuracy.recall(), "precision": accuracy.precision(),
    })
}

fn print_rest(count: usize, shown: usize) -> Result<(), OutputError> {
    match count.saturating_sub(shown) {
        0 => Ok(()),
        rest => output::own_line(format_args!("  and {rest} more")),
    }
}

fn label(label: Option<Label>) -> &'static str {
    label.map_or("unjudged", Label::as_str)
}

/// In what two incidents differ; of times, by how much the new one is later or earlier.
fn words(difference: Difference, present: &ListedIncident, new: &ListedIncident) -> String {
    let ms = match difference {
        Difference::Label | Difference::Cause => None,
        Difference::Opened => Some(new.opened_ms - present.opened_ms),
        Difference::Detected => Some(new.detected_ms - present.detected_ms),
        Difference::Closed => new.closed_ms.zip(present.closed_ms).map(|(new, present)| new - present),
    };
    let name = difference.as_str();
    let Some(ms) = ms else { return name.to_owned() };
    let (length, how) = (ms.unsigned_abs() / 1000, if ms < 0 { "earlier" } else { "later" });
    format!("{name} ({} {how})", humantime::format_duration(std::time::Duration::from_secs(length)))
}

fn percent(share: Option<f64>) -> String {
    share.map_or_else(|| "-".to_owned(), |share| format!("{:.1} %", 100.0 * share))
}

/// A bound of the range.
fn time(ms: i64) -> String {
    match ms {
        i64::MIN => "the beginning".to_owned(),
        i64::MAX => "the end".to_owned(),
        ms => Timestamp::from_millisecond(ms).map_or_else(|_| ms.to_string(), |time| time.to_string()),
    }
}
