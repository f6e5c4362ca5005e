//! A reader whose questions are watched from outside: the one place that hands on every question.

use netqoe_model::{
    Checkpoint, IncidentMember, IncidentRevision, LogTime, MaintenanceWindow, PairTally, Unmeasured, WindowStart,
};

use super::{
    AggregateRecord, ClientRecord, CorrectedHour, CorrectedSince, CurrentRecord, DegradedRecord, DiagnosisRecord,
    Extent, Filter, IncidentFilter, IncidentQuery, IncidentRecord, Incidents, MaintenancePosition, Matching,
    NoteRecord, Page, Paged, Pair, PastLabel, PointRecord, Query, ReadError, Reader, RowPosition, Rows, RunRecord,
    ScoreRecord, ScoreTerms, Snapshot, SplitRecord, Summaries, TargetRecord, UnmeasuredFilter, WaitingEvents,
};

/// Watches what is asked of a store, and changes nothing.
pub trait Watch: Send + Sync {
    /// Takes a snapshot, and lets it go once all is asked that is to be asked.
    ///
    /// # Errors
    /// Those of `take`.
    fn snapshot(&self, take: impl FnOnce() -> Result<(), ReadError>) -> Result<(), ReadError> {
        take()
    }

    /// Asks the question of this name, as the methods of [`Rows`], [`Summaries`] and [`Incidents`] are called.
    ///
    /// # Errors
    /// Those of `ask`.
    fn question<T>(&self, name: &'static str, ask: impl FnOnce() -> Result<T, ReadError>) -> Result<T, ReadError>;
}

/// A reader and who watches it.
pub struct Watched<R, W> {
    reader: R,
    watch: W,
}

impl<R: Reader, W: Watch> Watched<R, W> {
    /// Everything that is asked of `reader` is seen by `watch`.
    pub const fn new(reader: R, watch: W) -> Self {
        Self { reader, watch }
    }
}

impl<R: Reader, W: Watch> Reader for Watched<R, W> {
    fn at_once(&self, ask: &mut dyn FnMut(Snapshot<'_>)) -> Result<(), ReadError> {
        let watch = &self.watch;
        let watched = &mut |Snapshot { rows, summaries, incidents }: Snapshot<'_>| {
            let (rows, summaries) = (WatchedRows { rows, watch }, WatchedSummaries { summaries, watch });
            let incidents = WatchedIncidents { incidents, watch };
            ask(Snapshot { rows: &rows, summaries: &summaries, incidents: &incidents });
        };
        watch.snapshot(|| self.reader.at_once(watched))
    }
}

struct WatchedRows<'a, W> {
    rows: &'a dyn Rows,
    watch: &'a W,
}

impl<W: Watch> Rows for WatchedRows<'_, W> {
    fn aggregates(&self, query: &Query<RowPosition>) -> Result<Page<AggregateRecord>, ReadError> {
        self.watch.question("aggregates", || self.rows.aggregates(query))
    }

    fn diagnoses(&self, query: &Query<RowPosition>) -> Result<Page<DiagnosisRecord>, ReadError> {
        self.watch.question("diagnoses", || self.rows.diagnoses(query))
    }

    fn clients(&self, query: &Query<String>) -> Result<Page<ClientRecord>, ReadError> {
        self.watch.question("clients", || self.rows.clients(query))
    }

    fn targets(&self, query: &Query<String>) -> Result<Page<TargetRecord>, ReadError> {
        self.watch.question("targets", || self.rows.targets(query))
    }

    fn checkpoints(&self) -> Result<Vec<Checkpoint>, ReadError> {
        self.watch.question("checkpoints", || self.rows.checkpoints())
    }

    fn current(&self, extent: &Extent, limit: u32) -> Result<Vec<CurrentRecord>, ReadError> {
        self.watch.question("current", || self.rows.current(extent, limit))
    }

    fn latest_labels(&self, pairs: &[Pair], times_ms: [i64; 2], limit: u32) -> Result<Vec<Vec<PastLabel>>, ReadError> {
        self.watch.question("latest_labels", || self.rows.latest_labels(pairs, times_ms, limit))
    }

    fn runs(&self, filter: &Filter, limit: u16) -> Result<Page<RunRecord>, ReadError> {
        self.watch.question("runs", || self.rows.runs(filter, limit))
    }

    fn scores(&self, extent: &Extent, terms: ScoreTerms, limit: u32) -> Result<Vec<ScoreRecord>, ReadError> {
        self.watch.question("scores", || self.rows.scores(extent, terms, limit))
    }

    fn corrected_since(&self, known: i64) -> Result<CorrectedSince, ReadError> {
        self.watch.question("corrected_since", || self.rows.corrected_since(known))
    }

    fn corrected_hours(&self, times_ms: [i64; 2], limit: u32) -> Result<Vec<CorrectedHour>, ReadError> {
        self.watch.question("corrected_hours", || self.rows.corrected_hours(times_ms, limit))
    }

    fn waiting_events(&self) -> Result<WaitingEvents, ReadError> {
        self.watch.question("waiting_events", || self.rows.waiting_events())
    }

    fn rules(&self) -> Result<Option<String>, ReadError> {
        self.watch.question("rules", || self.rows.rules())
    }
}

struct WatchedSummaries<'a, W> {
    summaries: &'a dyn Summaries,
    watch: &'a W,
}

impl<W: Watch> Summaries for WatchedSummaries<'_, W> {
    fn points(&self, extent: &Extent, point_ms: i64, limit: u32) -> Result<Vec<PointRecord>, ReadError> {
        self.watch.question("points", || self.summaries.points(extent, point_ms, limit))
    }

    fn split(
        &self,
        extent: &Extent,
        inside_ms: [i64; 2],
        matching: &Matching,
        limit: u32,
    ) -> Result<Vec<SplitRecord>, ReadError> {
        self.watch.question("split", || self.summaries.split(extent, inside_ms, matching, limit))
    }

    fn degraded(&self, extent: &Extent, limit: u32) -> Result<Vec<DegradedRecord>, ReadError> {
        self.watch.question("degraded", || self.summaries.degraded(extent, limit))
    }
}

struct WatchedIncidents<'a, W> {
    incidents: &'a dyn Incidents,
    watch: &'a W,
}

impl<W: Watch> Incidents for WatchedIncidents<'_, W> {
    fn incidents(&self, query: &IncidentQuery) -> Result<Page<IncidentRecord>, ReadError> {
        self.watch.question("incidents", || self.incidents.incidents(query))
    }

    fn incident(&self, id: &str) -> Result<Option<IncidentRecord>, ReadError> {
        self.watch.question("incident", || self.incidents.incident(id))
    }

    fn incidents_then(&self, query: &IncidentQuery, then: LogTime) -> Result<Page<IncidentRecord>, ReadError> {
        self.watch.question("incidents_then", || self.incidents.incidents_then(query, then))
    }

    fn incident_then(&self, id: &str, then: LogTime) -> Result<Option<IncidentRecord>, ReadError> {
        self.watch.question("incident_then", || self.incidents.incident_then(id, then))
    }

    fn gravest(&self, filter: &IncidentFilter, limit: u16) -> Result<Vec<IncidentRecord>, ReadError> {
        self.watch.question("gravest_incidents", || self.incidents.gravest(filter, limit))
    }

    fn count(&self, filter: &IncidentFilter) -> Result<u64, ReadError> {
        self.watch.question("incident_count", || self.incidents.count(filter))
    }

    fn revisions(&self, id: &str, limit: u16) -> Result<Vec<IncidentRevision>, ReadError> {
        self.watch.question("incident_revisions", || self.incidents.revisions(id, limit))
    }

    fn notes(&self, id: &str, limit: u16) -> Result<Vec<NoteRecord>, ReadError> {
        self.watch.question("incident_notes", || self.incidents.notes(id, limit))
    }

    fn members(&self, id: &str, page: &Paged<Pair>) -> Result<Page<IncidentMember>, ReadError> {
        self.watch.question("incident_members", || self.incidents.members(id, page))
    }

    fn last_closed(&self, until: Option<LogTime>) -> Result<Option<LogTime>, ReadError> {
        self.watch.question("last_closed_incident", || self.incidents.last_closed(until))
    }

    fn unmeasured(&self, filter: &UnmeasuredFilter, page: &Paged<Pair>) -> Result<Page<Unmeasured>, ReadError> {
        self.watch.question("unmeasured", || self.incidents.unmeasured(filter, page))
    }

    fn tally(&self) -> Result<Option<(WindowStart, PairTally)>, ReadError> {
        self.watch.question("tally", || self.incidents.tally())
    }

    fn maintenance(&self, page: &Paged<MaintenancePosition>) -> Result<Page<MaintenanceWindow>, ReadError> {
        self.watch.question("maintenance", || self.incidents.maintenance(page))
    }

    fn maintenance_within(&self, times_ms: [i64; 2], limit: u16) -> Result<Vec<MaintenanceWindow>, ReadError> {
        self.watch.question("maintenance_within", || self.incidents.maintenance_within(times_ms, limit))
    }
}
