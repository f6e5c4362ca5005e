//! One sentence for the whole fleet.

use netqoe_model::{Incident, Label, PairTally, Severity};

use super::incident::{clause, of_incident};
use super::names::{capitalised, counted, plural, shown};

/// A log that nobody writes into gets a tick this often at least, in milliseconds.
const TICKS_APART_MS: i64 = 60_000;
/// How much older the newest log time may be, in windows, before the log is believed to be down.
const SILENT_WINDOWS: i64 = 3;

/// What the sentence is made of.
#[derive(Clone, Debug, Default)]
pub(crate) struct Fleet<'a> {
    /// The gravest of the open incidents.
    pub(crate) gravest: Option<&'a Incident>,
    /// How many incidents are open.
    pub(crate) open: u64,
    /// Pairs by how they stand, of those that are asked for.
    pub(crate) tally: PairTally,
    /// The same of all pairs, as the newest look has found them.
    pub(crate) whole: PairTally,
    /// The worst of the degraded pairs.
    pub(crate) worst: Option<Hurt<'a>>,
    /// The client with the most unmeasured pairs.
    pub(crate) silent: Option<Silent<'a>>,
    /// Clients with unmeasured pairs.
    pub(crate) silent_clients: u64,
    /// Clients and targets that are measured now.
    pub(crate) measured: [u64; 2],
    /// When the incident was over that was over last, Unix milliseconds.
    pub(crate) last_closed_ms: Option<i64>,
    /// The newest log time of all partitions, Unix milliseconds.
    pub(crate) log_time_ms: Option<i64>,
    /// The end of the newest window that was measured, Unix milliseconds.
    pub(crate) measured_until_ms: Option<i64>,
    /// The present, Unix milliseconds; none where the past is asked for.
    pub(crate) now_ms: Option<i64>,
    pub(crate) window_ms: i64,
}

/// A degraded pair.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Hurt<'a> {
    pub(crate) client_id: &'a str,
    pub(crate) target: &'a str,
    pub(crate) label: Label,
    pub(crate) severity: Severity,
    /// Since when the first of the degraded pairs is, Unix milliseconds.
    pub(crate) since_ms: Option<i64>,
    /// Whether all degraded pairs have this label.
    pub(crate) is_label_of_all: bool,
}

/// A client that misses its rhythm.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Silent<'a> {
    pub(crate) client_id: &'a str,
    /// Its unmeasured pairs.
    pub(crate) pairs: u64,
    /// Whether it measures something else.
    pub(crate) measures: bool,
    /// The end of the newest window that it measured with these pairs, Unix milliseconds.
    pub(crate) until_ms: i64,
}

/// A sentence, and what stands beside it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Sentence<'a> {
    pub(crate) text: String,
    pub(crate) severity: Option<Severity>,
    /// The incident that it tells of.
    pub(crate) incident: Option<&'a Incident>,
    /// Since when it has been so, Unix milliseconds.
    pub(crate) since_ms: Option<i64>,
}

impl Sentence<'_> {
    fn plain(text: String, since_ms: Option<i64>) -> Self {
        Self { text, severity: None, incident: None, since_ms }
    }
}

/// The gravest thing that can be said: that nobody measures; or the gravest incident; or which pairs are degraded; or who is
/// silent; or that all is as usual.
pub(crate) fn of_fleet<'a>(fleet: &Fleet<'a>) -> Sentence<'a> {
    if let Some(sentence) = of_silence(fleet) {
        return sentence;
    }
    if let Some(gravest) = fleet.gravest {
        return of_gravest(gravest, fleet);
    }
    if let Some(worst) = &fleet.worst {
        return of_degraded(worst, fleet);
    }
    match &fleet.silent {
        Some(silent) => of_silent(silent, fleet),
        None => of_usual(fleet),
    }
}

/// Where nobody measures: nothing else that could be said is of now.
fn of_silence<'a>(fleet: &Fleet<'a>) -> Option<Sentence<'a>> {
    if measured_pairs(&fleet.tally) == 0 && fleet.tally.unmeasured == 0 && fleet.measured_until_ms.is_none() {
        return Some(Sentence::plain("Nothing has been measured yet".to_owned(), None));
    }
    let now_ms = fleet.now_ms?;
    let is_old = |log_time_ms: i64| now_ms - log_time_ms > TICKS_APART_MS + SILENT_WINDOWS * fleet.window_ms;
    if fleet.log_time_ms.is_some_and(is_old) {
        let text = "No events arrive: ingest or the log may be down".to_owned();
        return Some(Sentence::plain(text, fleet.log_time_ms));
    }
    // One client alone is more likely to have stopped than ingest.
    let is_everybody = measured_pairs(&fleet.whole) == 0 && fleet.whole.unmeasured > 0 && fleet.silent_clients > 1;
    let text = "No client reports: ingest or the way to it may be down";
    is_everybody.then(|| Sentence::plain(text.to_owned(), fleet.measured_until_ms))
}

fn of_gravest<'a>(gravest: &'a Incident, fleet: &Fleet<'_>) -> Sentence<'a> {
    let told = of_incident(gravest);
    let text = match fleet.open.saturating_sub(1) {
        0 => told,
        1 => format!("{told}; 1 more incident is open"),
        more => format!("{told}; {more} more incidents are open"),
    };
    let (severity, since_ms) = (Some(gravest.severity), Some(gravest.opened.ms()));
    Sentence { text, severity, incident: Some(gravest), since_ms }
}

/// Degraded pairs that make no incident.
fn of_degraded<'a>(worst: &Hurt<'_>, fleet: &Fleet<'_>) -> Sentence<'a> {
    let (degraded, all) = (u64::from(fleet.tally.degraded), measured_pairs(&fleet.tally));
    let what = clause(worst.label)[0];
    let text = if degraded == 1 {
        let pair = format!("{} to {}", shown(worst.client_id), shown(worst.target));
        format!("{pair}: {what}; {}", cannot_tell(worst.label, fleet))
    } else if worst.is_label_of_all {
        format!("{} for {degraded} of {all} pairs; {}", capitalised(what), cannot_tell(worst.label, fleet))
    } else {
        format!("{degraded} of {all} pairs are degraded, and have no cause in common")
    };
    Sentence { text, severity: Some(worst.severity), incident: None, since_ms: worst.since_ms }
}

/// Why no cause is named, and what can be told all the same.
fn cannot_tell(label: Label, fleet: &Fleet<'_>) -> String {
    let [clients, targets] = fleet.measured;
    let from = match (clients, targets) {
        (1, _) => "cannot tell whose fault it is from one vantage point",
        (_, 1) => "cannot tell whose fault it is from one target",
        _ => "too few pairs to tell whose fault it is",
    };
    let known = match label {
        Label::ErrorBound => return from.to_owned(),
        Label::DnsBound => "the time is lost before the target is contacted, so look at the resolver first",
        Label::HandshakeBound => "the time is lost on the way to the target",
        Label::ServerBound => "connecting is as fast as usual, and the target answers late",
        Label::ThroughputBound => "connecting and the first byte are as fast as usual",
        Label::Healthy => "all is as usual",
    };
    format!("{from}; {known}")
}

fn of_silent<'a>(silent: &Silent<'_>, fleet: &Fleet<'_>) -> Sentence<'a> {
    let (name, unmeasured) = (shown(silent.client_id), u64::from(fleet.tally.unmeasured));
    let text = match fleet.silent_clients.saturating_sub(1) {
        0 if silent.measures => {
            let verb = if silent.pairs == 1 { "is" } else { "are" };
            format!("{} of {name} {verb} no longer measured", counted(silent.pairs, "target"))
        }
        0 => format!("{name} has not reported: {}", counted(silent.pairs, "pair")),
        more => {
            let others = plural(more, "client");
            format!("{name} and {more} more {others} have not reported: {}", counted(unmeasured, "pair"))
        }
    };
    let text = match measured_pairs(&fleet.tally) {
        0 => text,
        1 => format!("{text}; the other pair is as usual"),
        others => format!("{text}; the other {others} pairs are as usual"),
    };
    Sentence::plain(text, Some(silent.until_ms))
}

fn of_usual<'a>(fleet: &Fleet<'_>) -> Sentence<'a> {
    let (healthy, unjudged) = (u64::from(fleet.tally.healthy), u64::from(fleet.tally.unjudged));
    let text = match (healthy, unjudged) {
        (0, 0) => "Nothing is measured".to_owned(),
        (0, 1) => "The only pair has too few measurements to be judged yet".to_owned(),
        (0, _) => format!("All {unjudged} pairs have too few measurements to be judged yet"),
        (1, 0) => "The only pair is as usual".to_owned(),
        (_, 0) => format!("All {healthy} pairs are as usual"),
        (1, _) => format!("1 pair is as usual; {} too few measurements to be judged yet", have(unjudged)),
        (_, _) => {
            format!("{healthy} pairs are as usual; {} too few measurements to be judged yet", have(unjudged))
        }
    };
    Sentence::plain(text, fleet.last_closed_ms.filter(|_| healthy > 0))
}

fn have(count: u64) -> String {
    if count == 1 { "1 more has".to_owned() } else { format!("{count} more have") }
}

fn measured_pairs(tally: &PairTally) -> u64 {
    [tally.degraded, tally.healthy, tally.unjudged].map(u64::from).into_iter().sum()
}

#[cfg(test)]
mod tests {
    use netqoe_model::Dimension;

    use super::super::incident::tests::incident;
    use super::*;

    const NOW_MS: i64 = 10_000_000;

    fn fleet<'a>([degraded, healthy, unjudged, unmeasured]: [u32; 4]) -> Fleet<'a> {
        let tally = PairTally { degraded, healthy, unjudged, unmeasured };
        Fleet {
            tally,
            whole: tally,
            measured: [6, 9],
            log_time_ms: Some(NOW_MS - 60_000),
            measured_until_ms: Some(NOW_MS - 90_000),
            now_ms: Some(NOW_MS),
            window_ms: 60_000,
            ..Fleet::default()
        }
    }

    fn hurt(label: Label, is_label_of_all: bool) -> Option<Hurt<'static>> {
        let (client_id, target) = ("laptop", "https://x/");
        let (severity, since_ms) = (Severity::Major, Some(7));
        Some(Hurt { client_id, target, label, severity, since_ms, is_label_of_all })
    }

    fn silent(pairs: u64, measures: bool) -> Option<Silent<'static>> {
        Some(Silent { client_id: "probe-07", pairs, measures, until_ms: 5 })
    }

    #[track_caller]
    fn check(fleet: &Fleet<'_>, text: &str, severity: Option<Severity>, since_ms: Option<i64>) {
        let found = of_fleet(fleet);
        assert_eq!((&*found.text, found.severity, found.since_ms), (text, severity, since_ms));
    }

    #[test]
    fn the_gravest_incident_comes_first() {
        let gravest = incident(Dimension::Target, &["x"], Label::ServerBound, [12, 2]);
        let told = "Target x is slow to answer for 12 of 14 clients";
        for (open, text) in [
            (1, told.to_owned()),
            (2, format!("{told}; 1 more incident is open")),
            (4, format!("{told}; 3 more incidents are open")),
        ] {
            let fleet = Fleet {
                gravest: Some(&gravest),
                open,
                worst: hurt(Label::DnsBound, true),
                silent: silent(3, false),
                silent_clients: 1,
                ..fleet([12, 20, 0, 3])
            };
            check(&fleet, &text, Some(Severity::Major), Some(60_000));
            assert_eq!(of_fleet(&fleet).incident, Some(&gravest));
        }
    }

    #[test]
    fn degraded_pairs_without_an_incident_are_named_as_what_they_are() {
        let of = |degraded, measured, worst| Fleet { worst, measured, ..fleet([degraded, 8, 0, 0]) };
        for (fleet, text) in [
            (
                of(1, [1, 9], hurt(Label::DnsBound, true)),
                "laptop to https://x/: name resolution is slow; cannot tell whose fault it is from one vantage point; \
                 the time is lost before the target is contacted, so look at the resolver first",
            ),
            (
                of(1, [6, 1], hurt(Label::ErrorBound, true)),
                "laptop to https://x/: measurements fail; cannot tell whose fault it is from one target",
            ),
            (
                of(2, [6, 9], hurt(Label::HandshakeBound, true)),
                "Connecting is slow for 2 of 10 pairs; too few pairs to tell whose fault it is; \
                 the time is lost on the way to the target",
            ),
            (
                of(2, [6, 9], hurt(Label::HandshakeBound, false)),
                "2 of 10 pairs are degraded, and have no cause in common",
            ),
        ] {
            check(&fleet, text, Some(Severity::Major), Some(7));
        }
    }

    #[test]
    fn who_is_silent_is_named() {
        let of = |tally, silent_clients, silent| Fleet { silent, silent_clients, ..fleet(tally) };
        for (fleet, text) in [
            (
                of([0, 40, 0, 20], 1, silent(20, false)),
                "probe-07 has not reported: 20 pairs; the other 40 pairs are as usual",
            ),
            (
                of([0, 1, 0, 1], 1, silent(1, true)),
                "1 target of probe-07 is no longer measured; the other pair is as usual",
            ),
            (
                of([0, 4, 0, 3], 1, silent(3, true)),
                "3 targets of probe-07 are no longer measured; the other 4 pairs are as usual",
            ),
            (
                of([0, 4, 0, 80], 4, silent(20, false)),
                "probe-07 and 3 more clients have not reported: 80 pairs; the other 4 pairs are as usual",
            ),
            (of([0, 0, 0, 1], 1, silent(1, false)), "probe-07 has not reported: 1 pair"),
        ] {
            check(&fleet, text, None, Some(5));
        }
    }

    #[test]
    fn silence_of_everybody_is_told_before_all_else() {
        let gravest = incident(Dimension::Target, &["x"], Label::ServerBound, [12, 2]);
        let everybody = Fleet {
            gravest: Some(&gravest),
            open: 1,
            silent: silent(20, false),
            silent_clients: 4,
            ..fleet([0, 0, 0, 80])
        };
        let text = "No client reports: ingest or the way to it may be down";
        check(&everybody, text, None, Some(NOW_MS - 90_000));
        let others_report = Fleet { whole: PairTally { healthy: 1, ..everybody.whole }, ..everybody };
        assert!(of_fleet(&others_report).incident.is_some());

        let old =
            Fleet { log_time_ms: Some(NOW_MS - 240_001), gravest: Some(&gravest), open: 1, ..fleet([12, 2, 0, 0]) };
        check(&old, "No events arrive: ingest or the log may be down", None, Some(NOW_MS - 240_001));
        let past = Fleet { now_ms: None, ..old.clone() };
        check(&past, "Target x is slow to answer for 12 of 14 clients", Some(Severity::Major), Some(60_000));
        let fresh = Fleet { log_time_ms: Some(NOW_MS - 240_000), ..old };
        assert!(of_fleet(&fresh).incident.is_some());
    }

    #[test]
    fn where_all_is_as_usual_it_says_so() {
        for (tally, text, since_ms) in [
            ([0, 40, 0, 0], "All 40 pairs are as usual", Some(3)),
            ([0, 1, 0, 0], "The only pair is as usual", Some(3)),
            ([0, 40, 1, 0], "40 pairs are as usual; 1 more has too few measurements to be judged yet", Some(3)),
            ([0, 1, 2, 0], "1 pair is as usual; 2 more have too few measurements to be judged yet", Some(3)),
            ([0, 0, 1, 0], "The only pair has too few measurements to be judged yet", None),
            ([0, 0, 5, 0], "All 5 pairs have too few measurements to be judged yet", None),
            ([0, 0, 0, 0], "Nothing is measured", None),
        ] {
            check(&Fleet { last_closed_ms: Some(3), ..fleet(tally) }, text, None, since_ms);
        }
        check(&Fleet::default(), "Nothing has been measured yet", None, None);
    }

    #[test]
    fn a_hostile_name_does_not_take_over_the_sentence() {
        let name = format!("<b>\n{}", "x".repeat(1020));
        let worst = hurt(Label::ErrorBound, true).map(|hurt| Hurt { target: &name, client_id: &name, ..hurt });
        let text = of_fleet(&Fleet { worst, ..fleet([1, 0, 0, 0]) }).text;
        assert!(text.chars().count() < 300 && !text.contains('\n'), "{text}");
    }
}
