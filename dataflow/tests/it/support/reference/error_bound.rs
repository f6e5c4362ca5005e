//! Evidence of failures, the same in both rules.

use netqoe_model::{ErrorStage, Evidence, WindowRow, WindowStart};

/// Of these windows together; "of `error-bound` the stage at which most of the counted measurements failed, the earlier
/// stage on a tie", and `observed` "the failed share of the evidence".
pub(crate) fn evidence(windows: &[&WindowRow], since: WindowStart) -> Evidence {
    let samples: u32 = windows.iter().map(|row| row.count_success + row.errors.iter().sum::<u32>()).sum();
    let failed_at = |stage: ErrorStage| windows.iter().map(|row| row.errors[stage as usize]).sum::<u32>();
    let mut worst = ErrorStage::ALL[0];
    for stage in ErrorStage::ALL {
        if failed_at(stage) > failed_at(worst) {
            worst = stage;
        }
    }
    let failed: u32 = ErrorStage::ALL.into_iter().map(failed_at).sum();
    Evidence {
        stage: worst.as_str(),
        observed: f64::from(failed) / f64::from(samples),
        usual: None,
        sigmas: None,
        share_of_total: None,
        samples,
        bad_samples: failed,
        windows: windows.len() as u32,
        since,
    }
}
