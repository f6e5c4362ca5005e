use netqoe_model::{Incident, MaintenanceWindow};
use netqoe_sinks::MAX_MAINTENANCE_WINDOWS;
use netqoe_sinks::read::{IncidentRecord, Incidents, ReadError};

/// Maintenance windows that may explain some incidents.
#[derive(Debug, Default)]
pub(crate) struct Planned(Vec<MaintenanceWindow>);

impl Planned {
    /// Those that overlap any of these incidents.
    pub(crate) fn of(store: &dyn Incidents, incidents: &[IncidentRecord]) -> Result<Self, ReadError> {
        let times = || incidents.iter().map(|record| &record.incident);
        let first_ms = times().map(|incident| incident.opened.ms()).min();
        let last_ms = times().map(|incident| incident.last.ms()).max();
        let Some((first_ms, last_ms)) = first_ms.zip(last_ms) else { return Ok(Self::default()) };
        Ok(Self(store.maintenance_within([first_ms, last_ms.saturating_add(1)], MAX_MAINTENANCE_WINDOWS)?))
    }

    /// Whether one of them explains this incident.
    pub(crate) fn explain(&self, incident: &Incident) -> bool {
        self.0.iter().any(|window| window.explains(incident))
    }
}
