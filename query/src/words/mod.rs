//! Sentences: what an incident is, how the fleet is, and why measurements failed, in plain English.
//!
//! They hold no times, since only who reads them knows the time zone: times are members of their own beside them. Names in them
//! come from events, so they are cut, and characters that hide or turn around others are escaped. They are plain text, and no
//! HTML.
//!
//! Decision: D-090.

mod failure;
mod fleet;
mod incident;
mod labels;
mod names;

pub(crate) use failure::{failure_reason, failures_line};
pub(crate) use fleet::{Fleet, Hurt, Silent, of_fleet};
pub(crate) use incident::of_incident;
pub(crate) use labels::{evidence as evidence_needed, meanings as label_meanings};

#[cfg(test)]
pub(crate) mod tests {
    use netqoe_model::{Dimension, Incident, IncidentId, Label};

    /// An open incident of a target.
    pub(crate) fn incident(id: &str) -> Incident {
        let incident = super::incident::tests::incident(Dimension::Target, &["t"], Label::ServerBound, [12, 2]);
        Incident { id: IncidentId(id.into()), ..incident }
    }
}
