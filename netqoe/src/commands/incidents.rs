//! `netqoe incidents`: the incidents of a store, as JSON or as a table.

use jiff::Timestamp;
use netqoe_sinks::ListedIncident;
use serde_json::{Value, json};

use crate::options::IncidentsOptions;
use crate::output;

/// The heads of the table.
pub(super) const HEADS: [&str; 7] = ["OPENED", "CLOSED", "STATE", "SEVERITY", "LABEL", "PAIRS", "CAUSE"];

pub(crate) fn run(options: &IncidentsOptions) -> anyhow::Result<()> {
    let (range, postgres) = (options.range()?, options.database.postgres());
    let mut count = 0_u64;
    let mut print = |incident: ListedIncident| -> anyhow::Result<()> {
        if options.json {
            // Each on a line of its own, so that the list can be as long as it likes.
            let before = if count == 0 { "[" } else { "," };
            output::line(format_args!("{before}{}", as_json(&incident)))?;
        } else {
            if count == 0 {
                output::own_line(row(HEADS))?;
            }
            output::line(as_row(&incident))?;
        }
        count += 1;
        Ok(())
    };
    options.store.list_incidents(&postgres, &range, &mut print)?;
    if options.json {
        output::own_line(if count == 0 { "[]" } else { "]" })?;
    } else if count == 0 {
        output::own_line("no incident")?;
    }
    Ok(())
}

/// An incident as a member of the JSON list.
pub(super) fn as_json(incident: &ListedIncident) -> Value {
    let value = match &incident.cause_value[..] {
        [] => Value::Null,
        [value] => Value::from(&**value),
        values => Value::from(values),
    };
    json!({
        "id": incident.id, "label": incident.label, "cause_dimension": incident.cause_dimension, "cause_value": value,
        "opened_ms": incident.opened_ms, "detected_ms": incident.detected_ms, "named_ms": incident.named_ms,
        "closed_ms": incident.closed_ms, "severity": incident.severity, "state": incident.state,
        "members": incident.members,
    })
}

/// An incident as a line of the table.
pub(super) fn as_row(incident: &ListedIncident) -> String {
    let time = |ms| Timestamp::from_millisecond(ms).map_or_else(|_| ms.to_string(), |time| time.to_string());
    let closed = incident.closed_ms.map_or_else(|| "-".to_owned(), time);
    let cause = format!("{} {}", incident.cause_dimension, incident.cause_value.join(" × "));
    let pairs = incident.members.len().to_string();
    let [opened, state, severity, label] =
        [time(incident.opened_ms), incident.state.clone(), incident.severity.clone(), incident.label.clone()];
    row([&opened, &closed, &state, &severity, &label, &pairs, &cause])
}

pub(super) fn row([opened, closed, state, severity, label, pairs, cause]: [&str; 7]) -> String {
    format!("{opened:<20}  {closed:<20}  {state:<9}  {severity:<8}  {label:<16}  {pairs:>6}  {cause}")
}
