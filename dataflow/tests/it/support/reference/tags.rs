//! What labels an event carries, read from its line with no code of the model's.

use std::collections::BTreeMap;
use std::sync::Arc;

use netqoe_model::{PairTags, Tags};
use serde_json::Value;

/// "An event carries labels where `client_labels` or `target_labels` is an object with at least one member."
pub(crate) fn carried(line: &str) -> Option<Arc<PairTags>> {
    let event: Value = serde_json::from_str(line).ok()?;
    let side = |name: &str| {
        let labels: BTreeMap<String, String> = serde_json::from_value(event.get(name)?.clone()).ok()?;
        Tags::parse(&serde_json::to_string(&labels).ok()?)
    };
    let [client, target] = ["client_labels", "target_labels"].map(|name| side(name).unwrap_or_default());
    PairTags::of(client, target).map(Arc::new)
}
