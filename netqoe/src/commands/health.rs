//! What `/health` tells of a process that runs a pipeline.

use std::sync::Arc;
use std::time::Instant;

use netqoe_ingest::ComponentCheck;
use netqoe_pipeline::View;

/// The parts that `/health` names. Clients can send for as long as the log takes what they send.
pub(super) fn checks(view: &View) -> Vec<ComponentCheck> {
    let (log, store, works) = (Arc::clone(&view.log.1), view.store.1.clone(), view.works.clone());
    vec![
        ComponentCheck { component: "log", needed_for_ready: true, check: Box::new(move || log()) },
        ComponentCheck {
            component: "store",
            needed_for_ready: false,
            check: Box::new(move || store.check(Instant::now())),
        },
        ComponentCheck { component: "pipeline", needed_for_ready: false, check: Box::new(move || works.check()) },
    ]
}
