//! A measurement over addresses of a preferred family.

use std::time::Instant;

use super::question::{Families, Question};
use crate::{Failure, Family, Measurement, Settings};

/// The only family that the probe uses at all, where the question wants nothing but the other.
pub(super) fn never_used(families: Families, settings: &Settings) -> Option<&'static str> {
    let only = settings.only.filter(|only| !families.falls_back && *only != families.preferred)?;
    Some(match only {
        Family::V4 => "IPv4",
        Family::V6 => "IPv6",
    })
}

/// Measures over addresses of the preferred family, and over what there is where there are none: as blackbox_exporter chooses one. What the
/// first lookup took is in no phase then.
pub(super) async fn measure(question: &Question, settings: &Settings) -> Measurement {
    let Some(Families { preferred, falls_back }) = question.families else {
        return crate::measure(&question.target, settings).await;
    };
    let began = Instant::now();
    let preferring = Settings { only: Some(preferred), ..settings.clone() };
    let measurement = crate::measure(&question.target, &preferring).await;
    if !falls_back || !measurement.failure.as_ref().is_some_and(is_for_want_of_it) {
        return measurement;
    }
    let timeout = settings.timeout.saturating_sub(began.elapsed());
    crate::measure(&question.target, &Settings { timeout, ..settings.clone() }).await
}

/// Whether there is no address of the preferred family.
fn is_for_want_of_it(failure: &Failure) -> bool {
    matches!(failure, Failure::NoAddress { .. } | Failure::NoSuchName { .. } | Failure::OtherFamily { .. })
}
