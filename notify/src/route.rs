//! Which receivers hear of an incident.

use netqoe_model::{Cause, DimensionName, Label, Severity};

use crate::pattern;

/// What an incident must be for some receivers to hear of it. What is left empty admits everything.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Route {
    /// Names of receivers.
    pub receivers: Vec<String>,
    /// Labels, one of which it must have.
    pub labels: Vec<Label>,
    /// Severities, one of which it must have.
    pub severities: Vec<Severity>,
    /// Dimensions, one of which its cause must have.
    pub dimensions: Vec<DimensionName>,
    /// Patterns, one of which a value of its cause must match.
    pub values: Vec<String>,
}

impl Route {
    fn admits(&self, label: Label, severity: Severity, cause: &Cause) -> bool {
        let matched = || {
            let matches = |pattern: &String| cause.texts().iter().any(|value| pattern::matches(pattern, value));
            self.values.iter().any(matches)
        };
        (self.labels.is_empty() || self.labels.contains(&label))
            && (self.severities.is_empty() || self.severities.contains(&severity))
            && (self.dimensions.is_empty() || self.dimensions.iter().any(|dimension| dimension.is_of(cause)))
            && (self.values.is_empty() || matched())
    }
}

/// Whether a receiver hears of an incident like this one. Without any route, every receiver hears of all.
pub(crate) fn leads_to(routes: &[Route], receiver: &str, label: Label, severity: Severity, cause: &Cause) -> bool {
    let leads =
        |route: &Route| route.receivers.iter().any(|name| name == receiver) && route.admits(label, severity, cause);
    routes.is_empty() || routes.iter().any(leads)
}

#[cfg(test)]
mod tests {
    use netqoe_model::{Dimension, Side};

    use super::*;

    /// Whether a route with this condition, and no other, leads an incident to `ops`: error-bound, major, provider isp-a.
    #[track_caller]
    fn check(route: Route, expected: bool) {
        let cause = Cause { dimension: Dimension::Isp, value: vec!["isp-a".into()] };
        let routes = [Route { receivers: vec!["ops".to_owned()], ..route }];
        assert_eq!(leads_to(&routes, "ops", Label::ErrorBound, Severity::Major, &cause), expected, "{routes:?}");
        assert!(!leads_to(&routes, "other", Label::ErrorBound, Severity::Major, &cause));
    }

    #[test]
    fn each_condition_counts() {
        check(Route::default(), true);
        check(Route { labels: vec![Label::DnsBound, Label::ErrorBound], ..Route::default() }, true);
        check(Route { labels: vec![Label::DnsBound], ..Route::default() }, false);
        check(Route { severities: vec![Severity::Major, Severity::Critical], ..Route::default() }, true);
        check(Route { severities: vec![Severity::Critical], ..Route::default() }, false);
        check(Route { dimensions: vec![Dimension::Isp.into()], ..Route::default() }, true);
        check(Route { dimensions: vec![Dimension::Target.into()], ..Route::default() }, false);
        let label = |name: &str| DimensionName::parse(name).unwrap();
        check(Route { dimensions: vec![label("client.team")], ..Route::default() }, false);
        check(Route { values: vec!["x".to_owned(), "isp-*".to_owned()], ..Route::default() }, true);
        check(Route { values: vec!["isp".to_owned()], ..Route::default() }, false);
        check(Route { labels: vec![Label::ErrorBound], values: vec!["b*".to_owned()], ..Route::default() }, false);
    }

    #[test]
    fn a_label_is_matched_by_its_name_and_its_value() {
        let team = Cause::of_label(Side::Client, &"team".into(), &"core".into());
        for (dimension, value, expected) in [
            ("client.team", "core", true),
            ("client.site", "core", false),
            ("target.team", "core", false),
            ("client.team", "team", false),
        ] {
            let dimensions = vec![DimensionName::parse(dimension).unwrap()];
            let route =
                Route { receivers: vec!["ops".into()], dimensions, values: vec![value.into()], ..Route::default() };
            let leads = leads_to(&[route], "ops", Label::DnsBound, Severity::Minor, &team);
            assert_eq!(leads, expected, "{dimension} {value}");
        }
    }

    #[test]
    fn without_routes_everybody_hears_of_all() {
        let everything = Cause { dimension: Dimension::Everything, value: vec![] };
        assert!(leads_to(&[], "ops", Label::DnsBound, Severity::Minor, &everything));
        let by_value = [Route { receivers: vec!["ops".to_owned()], values: vec!["*".to_owned()], ..Route::default() }];
        assert!(!leads_to(&by_value, "ops", Label::DnsBound, Severity::Minor, &everything), "it has no value");
    }
}
