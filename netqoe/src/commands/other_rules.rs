//! Whether a store's rows were made by other rules than those of this command.

use std::time::Duration;

use netqoe_model::Rules;
use netqoe_sinks::StoreUrl;
use netqoe_sinks::read::Reader;
use serde_json::{Map, Value};

/// The member of the rules that says until when late events count.
const CORRECTION_HORIZON: &str = "correction_horizon_ms";

/// Says so where the latest rows of `live` were made by other rules: they can't be the same then.
pub(super) fn warn(live: &StoreUrl, reader: &dyn Reader, rules: &Rules) -> anyhow::Result<()> {
    if let Some(others) = others_of(reader, rules)? {
        tracing::warn!(
            "{live} was made by other rules, so rows will differ: {others}; give the options that its aggregate has"
        );
    }
    Ok(())
}

/// Says so where the netqoe that made `live` works by other rules than those that are taken for its present ones.
pub(super) fn warn_of_present(live: &StoreUrl, reader: &dyn Reader, rules: &Rules) -> anyhow::Result<()> {
    if let Some(others) = others_of(reader, rules)? {
        tracing::warn!(
            "{live} works by other rules than those given as the present ones: {others}; give --rules and the other options \
             that its netqoe has"
        );
    }
    Ok(())
}

/// Says so where the latest rows of a store that is shown were made by other rules: the ranges that charts call usual are
/// computed by those of this command.
pub(super) fn warn_of_served(store: &StoreUrl, reader: &dyn Reader, rules: &Rules) -> anyhow::Result<()> {
    if let Some(others) = others_of(reader, rules)? {
        tracing::warn!(
            "{store} was made by other rules, so charts show other usual ranges than those it was judged by: {others}; \
             give --rules and the other options that its netqoe has"
        );
    }
    Ok(())
}

/// In what the rules of a store's latest rows differ. A store that an older netqoe has written does not tell.
fn others_of(reader: &dyn Reader, rules: &Rules) -> anyhow::Result<Option<String>> {
    let Some(theirs) = reader.ask(|store| store.rows.rules())? else { return Ok(None) };
    let mut theirs = members(&theirs);
    // Until when something is corrected says nothing of how.
    theirs.remove(CORRECTION_HORIZON);
    let others = others(&theirs, &members(&serde_json::to_string(rules)?));
    Ok((!others.is_empty()).then(|| others.join(", ")))
}

/// How long after their windows' ends late events were counted in a store's rows; none where they were not, or where it does not tell.
pub(super) fn correction_horizon(reader: &dyn Reader) -> anyhow::Result<Option<Duration>> {
    let theirs = reader.ask(|store| store.rows.rules())?.map(|rules| members(&rules));
    let horizon_ms = theirs.and_then(|theirs| theirs.get(CORRECTION_HORIZON)?.as_u64());
    Ok(horizon_ms.filter(|horizon_ms| *horizon_ms > 0).map(Duration::from_millis))
}

/// None where it is not what we write.
fn members(rules: &str) -> Map<String, Value> {
    serde_json::from_str(rules).unwrap_or_default()
}

/// The rules that both know and that differ.
fn others(theirs: &Map<String, Value>, ours: &Map<String, Value>) -> Vec<String> {
    let both = theirs.iter().filter_map(|(name, theirs)| Some((name, theirs, ours.get(name)?)));
    both.flat_map(|(name, theirs, ours)| match (theirs, ours) {
        (Value::Object(theirs), Value::Object(ours)) => {
            others(theirs, ours).into_iter().map(|below| format!("{name}.{below}")).collect()
        }
        _ if theirs != ours => vec![format!("{name} is {theirs} there and {ours} here")],
        _ => Vec::new(),
    })
    .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(theirs: &str, expected: &[&str]) {
        let ours = serde_json::to_string(&Rules::default()).unwrap();
        assert_eq!(others(&members(theirs), &members(&ours)), expected, "{theirs}");
    }

    #[test]
    fn only_what_both_know_can_differ() {
        check(&serde_json::to_string(&Rules::default()).unwrap(), &[]);
        check(r#"{"window_ms": 60000, "of_a_later_version": 1}"#, &[]);
        check(
            r#"{"window_ms": 1000, "lateness_ms": 120000, "diagnosis": {"name": "mine", "usual": {"windows": 61}}}"#,
            &[
                "diagnosis.name is \"mine\" there and \"steady\" here",
                "diagnosis.usual.windows is 61 there and 60 here",
                "window_ms is 1000 there and 60000 here",
            ],
        );
        check("", &[]);
        check("[1]", &[]);
    }
}
