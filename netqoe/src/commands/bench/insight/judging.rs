//! The rules that are measured. All that the bench knows of them is here.

use std::rc::Rc;

use netqoe_dataflow::baseline::{PairWindow, PastWindow, baselines};
use netqoe_dataflow::diagnose::diagnose;
use netqoe_model::{Label, Rules, WindowRow};

use crate::exit::WrongUsage;

/// Rules by the name under which they were asked for.
#[derive(Clone, Debug)]
pub(super) struct NamedRules {
    pub(super) name: String,
    pub(super) rules: Rules,
}

impl NamedRules {
    pub(super) fn named(name: &str) -> Result<Self, WrongUsage> {
        match name {
            "classic" => Ok(Self { name: name.to_owned(), rules: Rules::default() }),
            _ => Err(WrongUsage(format!("there are no rules `{name}`; there are: classic"))),
        }
    }
}

/// Judges the windows of one pair, one after the other.
pub(super) struct PairJudge<'a> {
    rules: &'a Rules,
    past: Vec<PastWindow>,
}

impl<'a> PairJudge<'a> {
    pub(super) fn new(rules: &'a Rules) -> Self {
        Self { rules, past: Vec::new() }
    }

    /// What the next window is called; none where nothing is said of it.
    pub(super) fn judge(&mut self, row: &WindowRow) -> Option<Label> {
        let current = PairWindow::current(Rc::new(row.clone()));
        let past = PairWindow::past(Rc::from(&self.past[..]));
        let mut label = None;
        baselines(past.iter().chain([&current]), &self.rules.diagnosis, |row, baseline| {
            label = diagnose(row, baseline.as_ref(), &self.rules.diagnosis).map(|diagnosis| diagnosis.label);
        });
        self.past.extend(PastWindow::of(row));
        let surplus = self.past.len().saturating_sub(self.rules.diagnosis.baseline_windows);
        self.past.drain(..surplus);
        label
    }
}
