//! The incidents that one set of rules has found.

use std::path::Path;

use anyhow::{Context, ensure};
use netqoe_fleet::comparison::ToldIncident;
use netqoe_model::{DimensionName, IncidentState, Label};
use netqoe_sinks::{ListedIncident, ListedRange, PostgresOptions, StoreUrl};

/// Members of incidents that are held in memory for each set of rules: some 300 MB. Rules that find more incidents than this are
/// useless, or the range is longer than is needed to see so.
const MAX_MEMBERS: usize = 2_000_000;

#[derive(Debug, Default)]
pub(super) struct Found {
    /// Those that stand, by when they opened.
    pub(super) incidents: Vec<ListedIncident>,
    /// When those were opened that were told and then withdrawn.
    pub(super) withdrawn_opened_ms: Vec<i64>,
}

impl Found {
    pub(super) fn read(store: &Path) -> anyhow::Result<Self> {
        let mut found = Self::default();
        let mut member_count = 0;
        let mut take = |incident: ListedIncident| -> anyhow::Result<()> {
            if incident.state == IncidentState::Withdrawn.as_str() {
                found.withdrawn_opened_ms.push(incident.opened_ms);
                return Ok(());
            }
            member_count += incident.members.len();
            ensure!(
                member_count <= MAX_MEMBERS,
                "the incidents have more than {MAX_MEMBERS} members, too many to compare; give a shorter time by --from and \
                 --to"
            );
            found.incidents.push(incident);
            Ok(())
        };
        let store = StoreUrl::Sqlite(store.to_owned());
        store.list_incidents(&PostgresOptions::default(), &ListedRange::default(), &mut take)?;
        Ok(found)
    }

    /// As they are compared.
    pub(super) fn told(&self) -> anyhow::Result<Vec<ToldIncident<'_>>> {
        let told =
            |incident| told(incident).context("the replay's store holds an incident with an unknown label or cause");
        self.incidents.iter().map(told).collect()
    }
}

fn told(incident: &ListedIncident) -> Option<ToldIncident<'_>> {
    let texts = incident.cause_value.iter().map(|text| text.as_str().into());
    Some(ToldIncident {
        id: &incident.id,
        label: Label::parse(&incident.label)?,
        cause: DimensionName::parse(&incident.cause_dimension)?.with(texts),
        opened_ms: incident.opened_ms,
        detected_ms: incident.detected_ms,
        closed_ms: incident.closed_ms,
        members: &incident.members,
    })
}
