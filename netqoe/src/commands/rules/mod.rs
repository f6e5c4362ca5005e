//! `netqoe rules`: rules files, to look at, to check, and to try on history.

mod trial;

use netqoe_model::DiagnosisRules;
pub(crate) use trial::Exceeded;

use crate::exit::WrongUsage;
use crate::options::{RulesCommand, rules_names};
use crate::output;

pub(crate) fn run(command: &RulesCommand) -> anyhow::Result<()> {
    match command {
        RulesCommand::Show { name } => {
            let text = DiagnosisRules::text(name);
            let text =
                text.ok_or_else(|| WrongUsage(format!("there are no rules `{name}`; there are {}", rules_names())))?;
            output::text(text)?;
        }
        RulesCommand::Check { rules } => {
            output::line(format_args!("the rules `{}` are understood", rules.diagnosis.name))?;
        }
        RulesCommand::Test(options) => trial::run(options)?,
    }
    Ok(())
}
