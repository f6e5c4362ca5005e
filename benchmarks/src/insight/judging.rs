//! The rules that are measured. All that the bench knows of them is here.

use netqoe_dataflow::judge::PairState;
use netqoe_model::{Label, Rules, RulesFile, WindowRow};

use crate::product::{Product, WrongUsage};

/// Rules, as they were asked for.
#[derive(Clone, Debug)]
pub(super) struct NamedRules {
    pub(super) name: String,
    rules: Rules,
}

impl NamedRules {
    pub(super) fn read(name_or_file: &str, product: &Product) -> Result<Self, WrongUsage> {
        let RulesFile { diagnosis, fleet } =
            (product.rules)(name_or_file).map_err(|error| WrongUsage(format!("--rules {name_or_file}: {error}")))?;
        Ok(Self { name: name_or_file.to_owned(), rules: Rules { diagnosis, fleet, ..Rules::default() } })
    }

    pub(super) fn rules(&self) -> &Rules {
        &self.rules
    }
}

/// Judges the windows of one pair, one after the other.
pub(super) struct PairJudge<'a> {
    rules: &'a Rules,
    state: PairState,
}

impl<'a> PairJudge<'a> {
    pub(super) fn new(rules: &'a NamedRules) -> Self {
        Self { rules: &rules.rules, state: PairState::new(&rules.rules.diagnosis) }
    }

    /// What the next window is called; none where nothing is said of it.
    pub(super) fn judge(&mut self, row: &WindowRow) -> Option<Label> {
        self.state.judge(row, self.rules).diagnosis.map(|diagnosis| diagnosis.label)
    }
}
