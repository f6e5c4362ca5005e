//! What people write: notes on incidents, and faults that they plan. No replay touches it, and no generation fences it off.

use netqoe_model::{Cause, MaintenanceWindow};

use crate::StoreError;
use crate::read::NoteRecord;

/// Notes of one incident: more than a discussion has, and a reader gets all of them at once.
pub const MAX_NOTES: u16 = 1_000;
/// Planned faults that are not over: each incident that is shown is compared with all of them.
pub const MAX_MAINTENANCE_WINDOWS: u16 = 1_000;

/// Where people write. Each call is a transaction of its own, and blocks its thread.
pub trait Annotations: Send + Sync {
    /// Keeps a note.
    ///
    /// # Errors
    /// [`AnnotationError::NoSuchIncident`], [`AnnotationError::TooMany`], or if the store can't be written.
    fn add_note(&self, note: NewNote) -> Result<NoteRecord, AnnotationError>;

    /// Keeps a planned fault.
    ///
    /// # Errors
    /// [`AnnotationError::TooMany`], or if the store can't be written.
    fn add_maintenance(&self, planned: NewMaintenanceWindow) -> Result<MaintenanceWindow, AnnotationError>;

    /// Takes a planned fault back; false if there is none with this number.
    ///
    /// # Errors
    /// If the store can't be written.
    fn remove_maintenance(&self, id: i64) -> Result<bool, AnnotationError>;
}

/// A note that is to be kept. No text of it holds U+0000, which PostgreSQL can't keep.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NewNote {
    /// The id of the incident.
    pub incident: String,
    /// When it was written, Unix milliseconds.
    pub at_ms: i64,
    /// Who wrote it.
    pub by: String,
    /// Whether its author takes the incident up with it.
    pub acknowledges: bool,
    /// What it says.
    pub text: String,
}

/// A planned fault that is to be kept. No text of it holds U+0000.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NewMaintenanceWindow {
    /// Its first millisecond, Unix time.
    pub from_ms: i64,
    /// Its end, exclusive, Unix time in milliseconds.
    pub to_ms: i64,
    /// What is worked on.
    pub cause: Cause,
    /// Who announces it.
    pub by: String,
    /// What is planned.
    pub text: String,
    /// When it was announced, Unix milliseconds.
    pub at_ms: i64,
}

/// Why something was not kept.
#[derive(Debug, thiserror::Error)]
pub enum AnnotationError {
    /// The store has no incident with this id.
    #[error("there is no such incident; GET /api/v1/incidents lists all of them")]
    NoSuchIncident,
    /// There is no room for another.
    #[error("there are {limit} {what}, which is the most that are kept; {advice}")]
    TooMany {
        /// What there are too many of.
        what: &'static str,
        /// How many there may be.
        limit: u16,
        /// What to do.
        advice: &'static str,
    },
    /// The store can't be written.
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl AnnotationError {
    /// For an incident with all the notes that it may have.
    pub(crate) const TOO_MANY_NOTES: Self = Self::TooMany {
        what: "notes on this incident",
        limit: MAX_NOTES,
        advice: "write down elsewhere what is to be added",
    };

    /// Where all planned faults that are not over are as many as there may be.
    pub(crate) const TOO_MANY_WINDOWS: Self = Self::TooMany {
        what: "maintenance windows that are not over",
        limit: MAX_MAINTENANCE_WINDOWS,
        advice: "delete those that are not needed",
    };
}

impl NewMaintenanceWindow {
    /// As the store keeps it, under this number.
    pub(crate) fn kept_as(self, id: i64) -> MaintenanceWindow {
        let Self { from_ms, to_ms, cause, by, text, at_ms } = self;
        MaintenanceWindow { id, from_ms, to_ms, cause, author: by.into(), text: text.into(), written_at_ms: at_ms }
    }
}
