//! What `/health` tells of a process that runs a pipeline.

use std::sync::Arc;

use netqoe_pipeline::View;
use netqoe_server::ComponentCheck;
use tokio::runtime::Handle;
use tokio_util::task::AbortOnDropHandle;

use crate::systemd;

/// The parts that it names. Clients can send for as long as the log takes what they send.
pub(super) fn checks(view: &Arc<View>) -> Vec<ComponentCheck> {
    let [log, store, dataflow] = [view, view, view].map(Arc::clone);
    let (log, store, dataflow) =
        (move || log.check_log(), move || store.check_store(), move || dataflow.check_dataflow());
    vec![
        ComponentCheck { component: "log", needed_for_ready: true, check: Box::new(log) },
        ComponentCheck { component: "store", needed_for_ready: false, check: Box::new(store) },
        ComponentCheck { component: "pipeline", needed_for_ready: false, check: Box::new(dataflow) },
    ]
}

/// Tells a watchdog that the process lives for as long as its pipeline moves, until the handle is dropped.
pub(super) fn watch(view: &Arc<View>, runtime: &Handle) -> Option<AbortOnDropHandle<()>> {
    let (view, mut before) = (Arc::clone(view), view.pulse());
    systemd::watch(runtime, move || {
        let now = view.pulse();
        let has_moved = now.has_moved_since(&std::mem::replace(&mut before, now));
        (!has_moved).then(|| format!("the pipeline stands still while {} records of the log wait", now.waiting()))
    })
}
