//! Breaks what the environment names, so that tests can see that they notice; see [`netqoe_model::planted`].

use netqoe_model::planted::{self, UnknownPlant};

use crate::output;

const VARIABLE: &str = "NETQOE_PLANT";

/// Plants the fault that the variable names, and says so where nobody can overlook it.
pub(crate) fn plant() -> Result<(), UnknownPlant> {
    let Ok(name) = std::env::var(VARIABLE) else { return Ok(()) };
    planted::plant(name.parse()?);
    output::complain(format_args!(
        "WARNING: {VARIABLE}={name}: THIS PROCESS IS BROKEN ON PURPOSE, for tests. Trust nothing that it does."
    ));
    Ok(())
}
