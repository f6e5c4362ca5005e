//! What an event says of its client's network, read from its line with no code of the model's.

use std::sync::Arc;

use netqoe_model::Network;
use serde_json::Value;

/// "An event names a network where its `network_context` is an object of at most 4 KiB that has at least one of: a
/// `network_type` (or `interface_type`), an `isp`, a `site` (or `user_label`)", each of them a text.
pub(crate) fn named(line: &str) -> Option<Arc<Network>> {
    let context = context(line)?;
    let text = |names: &[&str]| names.iter().find_map(|name| context.get(name)?.as_str()).map(Arc::from);
    let network = Network {
        network_type: text(&["network_type", "interface_type"]),
        isp: text(&["isp"]),
        site: text(&["site", "user_label"]),
    };
    let unknown = Network { network_type: None, isp: None, site: None };
    (network != unknown).then(|| Arc::new(network))
}

/// The context, if it is one.
pub(crate) fn context(line: &str) -> Option<Value> {
    let event: Value = serde_json::from_str(line).ok()?;
    event.get("network_context").filter(|context| context.is_object()).cloned()
}
