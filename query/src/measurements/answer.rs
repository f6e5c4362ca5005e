//! The answer about measurements: the events of a page, and why those failed that failed.

use std::collections::BTreeMap;

use netqoe_model::{ErrorStage, Event, Rules};
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;
use utoipa::ToSchema;

use super::corrected::CorrectedWindows;
use super::outcome::{Outcome, outcomes};
use super::{Found, Place};
use crate::parameters::Cursor;
use crate::schema;
use crate::words::{failure_reason, failures_line};

/// Reasons that are told apart in one answer: measurements of one window fail for a few, and what others write may be anything.
const MAX_REASONS: usize = 10;

/// Events of the log, newest first, and what they have in common.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct MeasurementsAnswer {
    items: Vec<MeasurementItem>,
    /// Where the next page begins; null where there is none. A page may have no items, and there may be another one.
    #[schema(required)]
    next_cursor: Option<String>,
    /// Whether what follows is of all measurements that were asked for, from this page back to `from`. If not, it is of the newest
    /// of them: more were not read for one answer.
    is_whole: bool,
    /// Measurements that count.
    count_total: u64,
    /// Of these, those that failed.
    count_error: u64,
    /// Why measurements failed that count, the most frequent reason first.
    failures: Vec<FailureGroup>,
    /// The same in one line, as `17 × connection refused, 2 × timeout after 30 s`; null where none failed.
    #[schema(required)]
    failed_because: Option<String>,
    /// Log time of the oldest record that the log still has, Unix milliseconds: what it took before is gone. Null where it has
    /// discarded nothing.
    #[schema(required)]
    kept_since: Option<i64>,
}

/// An event as it was accepted.
#[derive(Debug, Serialize, ToSchema)]
struct MeasurementItem {
    /// All of it, with what this version does not know.
    #[schema(value_type = schema::AnyEvent)]
    event: Box<RawValue>,
    /// When the log took it, Unix milliseconds.
    log_time: i64,
    /// Start of its window, Unix milliseconds.
    window_start_ts: i64,
    #[schema(value_type = schema::MeasurementOutcome)]
    outcome: Outcome,
    /// Why it failed, in a few words; null where it did not.
    #[schema(required)]
    failure: Option<String>,
}

/// Measurements that failed for the same reason.
#[derive(Debug, PartialEq, Eq, Serialize, ToSchema)]
pub(super) struct FailureGroup {
    /// Where they failed: dns, tcp, tls, http or throughput; null for what is left of several.
    #[schema(required)]
    stage: Option<&'static str>,
    /// In a few words.
    reason: String,
    count: u64,
}

/// What of an event tells why it failed.
#[derive(Deserialize)]
struct Explained {
    #[serde(default)]
    evidence: Option<ExplainedEvidence>,
}

#[derive(Deserialize)]
struct ExplainedEvidence {
    #[serde(default)]
    error_message: Option<String>,
}

/// The reason of an event that failed.
pub(super) fn reason_of(line: &[u8], event: &Event<'_>) -> Option<(ErrorStage, String)> {
    let stage = event.error_stage?;
    // What is no evidence as the probe writes it explains nothing.
    let explained: Option<Explained> = serde_json::from_slice(without_mark(line)).ok();
    let message = explained.and_then(|explained| explained.evidence?.error_message);
    Some((stage, failure_reason(stage, message.as_deref())))
}

/// A line without the byte order mark that it may begin with.
fn without_mark(line: &[u8]) -> &[u8] {
    line.strip_prefix("\u{feff}".as_bytes()).unwrap_or(line)
}

impl MeasurementsAnswer {
    /// The first `limit` events of what was found, and what all of that has in common.
    pub(super) fn of(found: &Found, limit: usize, corrected: &CorrectedWindows, rules: &Rules) -> Self {
        let parsed = found.events.iter().filter_map(|found| Some((found, Event::parse(&found.line).ok()?)));
        let parsed: Vec<_> = parsed.collect();
        let outcomes = outcomes(&parsed, corrected, rules);
        let reasons: Vec<_> = parsed.iter().map(|(found, event)| reason_of(&found.line, event)).collect();
        let counted = || reasons.iter().zip(&outcomes).filter(|(_, (_, outcome))| *outcome == Outcome::Accepted);
        let failures = grouped(counted().filter_map(|(reason, _)| reason.as_ref()));
        let items = parsed.iter().zip(&outcomes).zip(&reasons).take(limit).filter_map(|(((found, _), of), reason)| {
            Some(MeasurementItem {
                event: serde_json::from_slice(without_mark(&found.line)).ok()?,
                log_time: found.log_time_ms,
                window_start_ts: of.0.ms(),
                outcome: of.1,
                failure: reason.as_ref().map(|(_, reason)| reason.clone()),
            })
        });
        let has_more = parsed.len() > limit;
        let last_shown = parsed.get(limit.saturating_sub(1)).filter(|_| has_more).map(|(found, _)| found.place);
        Self {
            items: items.collect(),
            next_cursor: last_shown.or(found.rest).map(|place| place.encode()),
            is_whole: found.rest.is_none(),
            count_total: counted().count() as u64,
            count_error: counted().filter(|(reason, _)| reason.is_some()).count() as u64,
            failed_because: failures_line(failures.iter().map(|group| (group.count, group.reason.as_str()))),
            failures,
            kept_since: found.kept_since_ms,
        }
    }
}

/// By stage and reason, the most frequent first; what is beyond the bound is told together.
fn grouped<'a>(reasons: impl Iterator<Item = &'a (ErrorStage, String)>) -> Vec<FailureGroup> {
    let mut counts: BTreeMap<&(ErrorStage, String), u64> = BTreeMap::new();
    for reason in reasons {
        *counts.entry(reason).or_default() += 1;
    }
    let mut groups: Vec<_> = counts
        .into_iter()
        .map(|((stage, reason), count)| FailureGroup { stage: Some(stage.as_str()), reason: reason.clone(), count })
        .collect();
    groups.sort_by_key(|group| std::cmp::Reverse(group.count));
    if groups.len() > MAX_REASONS {
        let others = groups.split_off(MAX_REASONS - 1);
        let count = others.iter().map(|group| group.count).sum();
        groups.push(FailureGroup { stage: None, reason: format!("{} other reasons", others.len()), count });
    }
    groups
}

impl Cursor for Place {
    fn encode(&self) -> String {
        format!("{:x}.{:x}", self.position, self.line)
    }

    fn decode(text: &str) -> Option<Self> {
        let (position, line) = text.split_once('.')?;
        let place = Self { position: hexadecimal(position)?, line: hexadecimal(line)?.try_into().ok()? };
        // In one form only, so that a cursor is what an answer has said.
        (place.encode() == text).then_some(place)
    }
}

fn hexadecimal(text: &str) -> Option<u64> {
    u64::from_str_radix(text, 16).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_place_is_a_cursor_in_one_form() {
        for place in [(0, 0), (1, 255), (u64::MAX, u32::MAX)] {
            let place = Place { position: place.0, line: place.1 };
            assert_eq!(Place::decode(&place.encode()), Some(place));
        }
        for forged in ["", ".", "1", "1.", ".1", "+1.0", "01.0", "1.0 ", "A.0", "1.100000000", "1.0.0", "é.1"] {
            assert_eq!(Place::decode(forged), None, "{forged}");
        }
    }

    #[test]
    fn what_is_beyond_the_bound_is_told_together() {
        let reason = |stage, text: &str| (stage, text.to_owned());
        let mut reasons = vec![reason(ErrorStage::Tcp, "b"); 3];
        reasons.extend(vec![reason(ErrorStage::Tls, "a"); 2]);
        reasons.push(reason(ErrorStage::Dns, "b"));
        let few = grouped(reasons.iter());
        let told: Vec<_> = few.iter().map(|group| (group.stage, group.reason.as_str(), group.count)).collect();
        assert_eq!(told, [(Some("tcp"), "b", 3), (Some("tls"), "a", 2), (Some("dns"), "b", 1)]);

        reasons.extend((0..20).map(|n| reason(ErrorStage::Http, &n.to_string())));
        let many = grouped(reasons.iter());
        assert_eq!((many.len(), many.iter().map(|group| group.count).sum::<u64>()), (MAX_REASONS, 26));
        let last = FailureGroup { stage: None, reason: "14 other reasons".to_owned(), count: 14 };
        assert_eq!(many.last(), Some(&last));
    }
}
