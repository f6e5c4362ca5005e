//! The figures as tables.

use std::fmt::Write;

use netqoe_model::Label;
use netqoe_simulator::simulation::{Access, Cause, Shape, Strength};

use super::score::{Called, Delays, Group, Kind, Lasted, MINUTES, OfCause, Outcomes, Score, Share};

/// The minutes of a fault that are shown.
const SHOWN_MINUTES: [usize; 7] = [1, 2, 3, 10, 30, 60, 120];
/// The minutes of which the worst is shown, from the third on; and how many windows a minute must have for that.
const WORST_FROM: usize = 3;
const WORST_OF_WINDOWS: u64 = 1000;
/// Shown delays, in windows.
const DELAYS: [usize; 4] = [0, 1, 2, 3];

/// All tables of one score.
pub(super) fn tables(score: &Score) -> String {
    let tables = [clean(score), windows(score), minutes(score), delays(score), after(score), causes(score)];
    tables.map(|(title, table)| format!("{title}\n\n{}", table.text())).join("\n")
}

type Titled = (&'static str, Table);

fn clean(score: &Score) -> Titled {
    let mut table = Table::of(&["clean windows of", "windows", "all", &by_label(), "not judged"]);
    let mut line = |name: &str, called: &Called| {
        let labels = hurting().map(|label| per_thousand(called.of(label), called.all()));
        let all = per_thousand(called.degraded(), called.all());
        let not_judged = percent(Share { part: called.nothing(), all: called.all() });
        table.line([name.to_owned(), called.all().to_string(), all].into_iter().chain(labels).chain([not_judged]));
    };
    for (kind, name) in [(Kind::Clean, "runs without faults"), (Kind::WithFaults, "runs with faults")] {
        let by_access = &score.clean[kind as usize];
        let all = sum(by_access.iter());
        line(name, &all);
    }
    for access in Access::ALL {
        line(access.as_str(), &sum(score.clean.iter().map(|by_access| &by_access[access as usize])));
    }
    ("False labels, of 1,000 clean windows:", table)
}

fn sum<'a>(called: impl Iterator<Item = &'a Called>) -> Called {
    called.fold(Called::default(), |mut sum, called| {
        sum.add(called);
        sum
    })
}

fn windows(score: &Score) -> Titled {
    let mut table = Table::of(&["faulty", "windows", "right", "other label", "missed", "faults of pairs", "found"]);
    let mut line = |name: &str, outcomes: &Outcomes, found: Option<Share>| {
        let all = outcomes.all();
        let shares = [outcomes.right, outcomes.wrong, outcomes.missed].map(|part| percent(Share { part, all }));
        let found = found.map_or([String::new(), String::new()], |found| [found.all.to_string(), percent(found)]);
        table.line([name.to_owned(), all.to_string()].into_iter().chain(shares).chain(found));
    };
    for (group, name) in Group::all() {
        line(name, &score.by_group[group.index()], Some(score.delays[group.index()].found()));
    }
    let (all, found) = all_groups(score);
    line("all", &all, Some(found));
    for shape in Shape::ALL {
        line(shape.as_str(), &score.by_shape[shape as usize], None);
    }
    let false_in_clean = sum(score.clean[Kind::WithFaults as usize].iter()).degraded();
    let precision = Share { part: all.right, all: all.right + all.wrong + false_in_clean };
    let runs = score.runs[Kind::WithFaults as usize];
    let labelled = format!("of {} windows with a label", precision.all);
    table.line(["precision".to_owned(), labelled, percent(precision)]);
    table.line(["precision".to_owned(), format!("of {} runs of a label", runs.all), percent(runs)]);
    ("Windows that lie within a fault that a person notices, and whether their label is right:", table)
}

fn all_groups(score: &Score) -> (Outcomes, Share) {
    let (mut outcomes, mut delays) = (Outcomes::default(), Delays::default());
    score.by_group.iter().for_each(|more| outcomes.add(more));
    score.delays.iter().for_each(|more| delays.add(more));
    (outcomes, delays.found())
}

fn minutes(score: &Score) -> Titled {
    let shown = SHOWN_MINUTES.map(|minute| minute.to_string()).join(" | ");
    let mut table = Table::of(&["in minute", &shown, "worst of 3 to 120"]);
    let groups = Group::all().map(|(group, name)| (name, &score.by_minute[group.index()]));
    let ramping = ("of the first two lines, ramping", &score.ramping_by_minute);
    for (name, by_minute) in groups.chain([ramping]) {
        let shown = SHOWN_MINUTES.map(|minute| percent(by_minute[minute - 1]));
        table.line([name.to_owned()].into_iter().chain(shown).chain([worst(by_minute)]));
    }
    ("Windows with the right label, by minute of the fault:", table)
}

fn worst(by_minute: &[Share; MINUTES]) -> String {
    let ratio = |share: &Share| share.part as f64 / share.all as f64;
    let enough = (WORST_FROM..).zip(&by_minute[WORST_FROM - 1..]).filter(|(_, share)| share.all >= WORST_OF_WINDOWS);
    let worst = enough.min_by(|(_, a), (_, b)| ratio(a).total_cmp(&ratio(b)));
    worst.map_or("–".to_owned(), |(minute, share)| format!("{} (in {minute})", percent(*share)))
}

fn delays(score: &Score) -> Titled {
    let within = DELAYS.map(|windows| format!("within {windows}")).join(" | ");
    let mut table = Table::of(&["delay in windows", "faults of pairs", "median", &within, "never"]);
    for (group, name) in Group::all() {
        let delays = &score.delays[group.index()];
        let median = delays.median().filter(|_| delays.all() > 0).map_or("–".to_owned(), |median| median.to_string());
        let within = DELAYS.map(|windows| percent(delays.within(windows)));
        let never = percent(Share { part: delays.never(), all: delays.all() });
        table.line([name.to_owned(), delays.all().to_string(), median].into_iter().chain(within).chain([never]));
    }
    ("How many windows of a fault go by before one has the right label:", table)
}

fn after(score: &Score) -> Titled {
    let mut table = Table::of(&["after", "ends", "healthy in window 2", "windows", "false in the hour", &by_label()]);
    for lasted in Lasted::ALL {
        let after = &score.after[lasted as usize];
        let hour = &after.hour;
        let labels = hurting().map(|label| per_thousand(hour.of(label), hour.all()));
        let figures = [
            lasted.as_str().to_owned(),
            after.well.all.to_string(),
            percent(after.well),
            hour.all().to_string(),
            per_thousand(hour.degraded(), hour.all()),
        ];
        table.line(figures.into_iter().chain(labels));
    }
    ("After a fault's end, and false labels, of 1,000 windows of the next hour:", table)
}

fn causes(score: &Score) -> Titled {
    let labels = Label::ALL.map(Label::as_str).join(" | ");
    let strengths = Strength::ALL.map(|strength| format!("right if {}", strength.as_str())).join(" | ");
    let mut table = Table::of(&["cause", "windows", &strengths, &labels, "nothing"]);
    let names = Cause::ALL.map(Cause::as_str).into_iter().chain(["several at once"]);
    for (name, OfCause { called, right }) in names.zip(&score.by_cause) {
        let all = called.all();
        let right = Strength::ALL.map(|strength| percent(right[strength as usize]));
        let called = Label::ALL.map(|label| called.of(label)).into_iter().chain([called.nothing()]);
        let shares = called.map(|part| percent(Share { part, all }));
        table.line([name.to_owned(), all.to_string()].into_iter().chain(right).chain(shares));
    }
    ("What windows within a fault are called, by its cause:", table)
}

/// The labels that say that something hurts.
fn hurting() -> impl Iterator<Item = Label> {
    Label::ALL.into_iter().filter(|label| *label != Label::Healthy)
}

fn by_label() -> String {
    hurting().map(Label::as_str).collect::<Vec<_>>().join(" | ")
}

pub(super) fn percent(share: Share) -> String {
    if share.all == 0 {
        return "–".to_owned();
    }
    format!("{:.1} %", 100.0 * share.part as f64 / share.all as f64)
}

fn per_thousand(part: u64, all: u64) -> String {
    if all == 0 { "–".to_owned() } else { format!("{:.2}", 1000.0 * part as f64 / all as f64) }
}

/// A table as Markdown writes it.
pub(super) struct Table {
    text: String,
    columns: usize,
}

impl Table {
    /// Heads may name several columns, with ` | ` between them.
    pub(super) fn of(heads: &[&str]) -> Self {
        let heads = heads.join(" | ");
        let columns = heads.split(" | ").count();
        let mut table = Self { text: String::new(), columns };
        table.line(heads.split(" | ").map(str::to_owned));
        table.line(std::iter::repeat_n("---".to_owned(), columns));
        table
    }

    /// Cells that are not given are empty.
    pub(super) fn line(&mut self, cells: impl IntoIterator<Item = String>) {
        let mut cells: Vec<_> = cells.into_iter().collect();
        cells.resize(self.columns, String::new());
        // Writing to a string does not fail.
        writeln!(self.text, "| {} |", cells.join(" | ")).unwrap_or_default();
    }

    pub(super) fn text(self) -> String {
        self.text
    }
}
