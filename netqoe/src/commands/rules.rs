//! `netqoe rules`: rules files, to look at and to check.

use std::io::Write;

use netqoe_model::DiagnosisRules;

use crate::exit::WrongUsage;
use crate::options::{RulesCommand, rules_names};

pub(crate) fn run(command: &RulesCommand) -> anyhow::Result<()> {
    match command {
        RulesCommand::Show { name } => {
            let text = DiagnosisRules::text(name);
            let text =
                text.ok_or_else(|| WrongUsage(format!("there are no rules `{name}`; there are {}", rules_names())))?;
            std::io::stdout().write_all(text.as_bytes())?;
        }
        RulesCommand::Check { rules } => println!("the rules `{}` are understood", rules.name),
    }
    Ok(())
}
