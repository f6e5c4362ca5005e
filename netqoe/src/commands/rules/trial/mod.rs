//! `netqoe rules test`: what new rules would have found in history, beside what the present ones find.
//!
//! History is read once. Two replays take it, one with each set of rules, each into a store of its own in a temporary folder.
//! Then incidents are matched ([`netqoe_fleet::comparison`]), and rows are compared by their labels.

mod found;
mod limits;
mod replays;
mod report;
mod truth;
mod windows;

use anyhow::Context;
use netqoe_fleet::comparison;

use self::found::Found;
pub(crate) use self::limits::Exceeded;
use self::replays::History;
use self::report::Report;
use self::truth::Truth;
use self::windows::Windows;
use crate::options::RulesTestOptions;

/// The stores of both replays, in a folder that goes when the comparison ends.
const STORES: [&str; 2] = ["present.db", "new.db"];

pub(crate) fn run(options: &RulesTestOptions) -> anyhow::Result<()> {
    options.check()?;
    let rules = options.both();
    let truth = options.limits.truth.as_deref().map(Truth::read).transpose()?;
    let history = History::open(options, &rules)?;
    let folder = tempfile::tempdir().context("can't make a temporary folder for the two replays")?;
    let stores = STORES.map(|name| folder.path().join(name));
    replays::replay(history, options, &rules, &stores)?;

    let windows = Windows::compare(&stores, &options.range())?;
    let [present, new] = [Found::read(&stores[0])?, Found::read(&stores[1])?];
    let told = [present.told()?, new.told()?];
    let range_ms = options.range().start.ms()..options.range().end.ms();
    let comparison = comparison::compare(&told[0], &told[1], &range_ms, rules[0].window_ms);
    let accuracy = truth.map(|truth| truth.judge(&told, &windows, &rules, &range_ms)).transpose()?;
    let report = Report { rules: &rules, range_ms, windows: &windows, found: [&present, &new], comparison, accuracy };
    if options.json {
        report.print_json()?;
    } else {
        report.print_text()?;
    }
    limits::check(&options.limits, &report)
}
