//! Incidents that have changed, and their JSON.

use std::collections::BTreeMap;
use std::sync::{Arc, OnceLock};

use netqoe_model::Incident;
use netqoe_sinks::read::IncidentRecord;
use serde_json::{Value, json};

use crate::incidents::Planned;
use crate::incidents::answer::IncidentItem;

/// Incidents of one change of the fleet that are told one by one. Of more, readers are told to ask.
pub(super) const MAX_TOLD: usize = 1_000;

/// What one look at the fleet, or several, have changed.
#[derive(Debug)]
pub(super) struct ChangedIncidents {
    incidents: Vec<Incident>,
    as_of_ms: i64,
    text: OnceLock<Box<str>>,
}

impl ChangedIncidents {
    pub(super) fn new(incidents: Vec<Incident>, as_of_ms: i64) -> Self {
        Self { incidents, as_of_ms, text: OnceLock::new() }
    }

    /// Of several changes, each incident as it came to stand, by id.
    pub(super) fn merged(changes: Vec<Arc<Self>>) -> Option<Arc<Self>> {
        if changes.len() < 2 {
            return changes.into_iter().next();
        }
        let newest = changes.iter().flat_map(|change| &change.incidents).map(|incident| (&incident.id, incident));
        let newest: BTreeMap<_, _> = newest.collect();
        let as_of_ms = changes.iter().map(|change| change.as_of_ms).max()?;
        Some(Arc::new(Self::new(newest.into_values().cloned().collect(), as_of_ms)))
    }

    pub(super) fn count(&self) -> usize {
        self.incidents.len()
    }

    /// The JSON, made once for all readers. What people say of incidents is not known here.
    pub(super) fn text(&self) -> &str {
        self.text.get_or_init(|| {
            let items: Vec<_> = self.incidents.iter().map(item).collect();
            json!({ "items": items, "as_of": self.as_of_ms }).to_string().into()
        })
    }
}

fn item(incident: &Incident) -> Value {
    let record = IncidentRecord { incident: incident.clone(), acknowledged: None };
    let mut item = json!(IncidentItem::of(record, &Planned::default()));
    if let Some(members) = item.as_object_mut() {
        members.remove("acknowledged");
        members.remove("planned");
    }
    item
}
