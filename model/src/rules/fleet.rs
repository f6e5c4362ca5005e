//! What a rules file says of incidents: section `[fleet]`.
//!
//! `rules/steady.toml` has every key, with a comment on each. Without the section, or a key of it, the defaults hold.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::file::within;

/// Host patterns of the table of hosting networks at most. Each is compared with the host of each new target.
const MAX_HOSTS: usize = 10_000;

/// How incidents are found in looks, and when a pair counts as silent.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct FleetRules {
    /// How likely a pair of a cause has the label, if it is the cause (0 to 1).
    pub degraded_if_cause: f64,
    /// How likely it has the label, if it is not the cause (0 to 1).
    pub degraded_otherwise: f64,
    /// How likely it is suspected of the label, if it is not the cause (0 to 1).
    pub suspected_otherwise: f64,
    /// Pairs with the label, or suspected of it, that a cause needs.
    pub least_pairs: u32,
    /// Log-likelihood ratio that it needs.
    pub open_score: f64,
    /// Share of its observed pairs that must have the label.
    pub open_share: f64,
    /// Pairs with the label that keep an incident open ...
    pub keep_pairs: u32,
    /// ... and their share of the observed pairs of its cause.
    pub keep_share: f64,
    /// Windows without enough evidence after which an incident is over.
    pub gap_windows: u32,
    /// The same for an incident that has come and gone before.
    pub flapping_gap_windows: u32,
    /// Windows after which it is over where most of its pairs are not measured.
    pub unobserved_windows: u32,
    /// For so many windows the cause of an incident can be amended.
    pub young_windows: u32,
    /// What begins at most this many windows apart may be one fault.
    pub together_windows: u32,
    /// Incidents that begin at most this many windows apart may be parts of one.
    pub kin_windows: u32,
    /// Share of a cause's pairs that must be pairs of another for it to be a part of it.
    pub inside_share: f64,
    /// Share of an incident's degraded pairs that must be as bad as the incident is said to be.
    pub severity_share: f64,
    /// Looks in a row that must be worse before the severity rises ...
    pub severity_rise_looks: u32,
    /// ... and less bad before it falls.
    pub severity_fall_looks: u32,
    /// Windows that a pair may miss beyond its rhythm; with one more it is unmeasured.
    pub missed_windows: u32,
    /// Hours after which an unmeasured pair is forgotten.
    pub forget_hours: u32,
    /// Names of hosting networks, and the hosts in each: a host, or `*.` and a domain.
    pub hosting: BTreeMap<String, Vec<String>>,
}

impl Default for FleetRules {
    fn default() -> Self {
        Self {
            degraded_if_cause: 0.85,
            degraded_otherwise: 0.01,
            suspected_otherwise: 0.03,
            least_pairs: 3,
            open_score: 11.0,
            open_share: 0.4,
            keep_pairs: 2,
            keep_share: 0.35,
            gap_windows: 8,
            flapping_gap_windows: 12,
            unobserved_windows: 30,
            young_windows: 30,
            together_windows: 3,
            kin_windows: 9,
            inside_share: 0.8,
            severity_share: 0.33,
            severity_rise_looks: 2,
            severity_fall_looks: 5,
            missed_windows: 2,
            forget_hours: 24,
            hosting: BTreeMap::new(),
        }
    }
}

impl FleetRules {
    /// Distinguishes rules that can lead to different incidents.
    pub fn fingerprint(&self) -> u64 {
        // Serializing numbers and names does not fail.
        let json = serde_json::to_string(self).unwrap_or_default();
        crate::Fingerprint::of(&json).0 as u64
    }

    /// The hosting network of a host, in lower case. A host that is named goes before a domain, and a longer domain before
    /// a shorter one.
    pub fn hosting_of(&self, host: &str) -> Option<&str> {
        let matches = |pattern: &str| match pattern.strip_prefix("*.") {
            Some(domain) => host.strip_suffix(domain).is_some_and(|rest| rest.len() > 1 && rest.ends_with('.')),
            None => host == pattern,
        };
        let entries = self.hosting.iter().flat_map(|(name, hosts)| hosts.iter().map(move |host| (host, name)));
        let found = entries.filter(|(pattern, _)| matches(&pattern.to_ascii_lowercase()));
        let best = found.max_by_key(|(pattern, _)| (!pattern.starts_with('*'), pattern.len()));
        best.map(|(_, name)| name.as_str())
    }

    pub(super) fn check(&self) -> Result<(), String> {
        within("fleet.degraded_if_cause", self.degraded_if_cause, 0.5, 0.999)?;
        within("fleet.degraded_otherwise", self.degraded_otherwise, 0.0001, 0.4)?;
        within("fleet.suspected_otherwise", self.suspected_otherwise, 0.0001, 0.4)?;
        within("fleet.least_pairs", self.least_pairs.into(), 2.0, 1e6)?;
        within("fleet.open_score", self.open_score, 0.0, 1e6)?;
        within("fleet.open_share", self.open_share, 0.0, 1.0)?;
        within("fleet.keep_pairs", self.keep_pairs.into(), 1.0, self.least_pairs.into())?;
        within("fleet.keep_share", self.keep_share, 0.0, self.open_share)?;
        within("fleet.gap_windows", self.gap_windows.into(), 1.0, 1440.0)?;
        within("fleet.flapping_gap_windows", self.flapping_gap_windows.into(), self.gap_windows.into(), 1440.0)?;
        within("fleet.unobserved_windows", self.unobserved_windows.into(), self.gap_windows.into(), 1440.0)?;
        within("fleet.young_windows", self.young_windows.into(), 0.0, 1440.0)?;
        within("fleet.together_windows", self.together_windows.into(), 0.0, 60.0)?;
        within("fleet.kin_windows", self.kin_windows.into(), 0.0, 1440.0)?;
        within("fleet.inside_share", self.inside_share, 0.5, 1.0)?;
        within("fleet.severity_share", self.severity_share, 0.0, 1.0)?;
        within("fleet.severity_rise_looks", self.severity_rise_looks.into(), 1.0, 60.0)?;
        within("fleet.severity_fall_looks", self.severity_fall_looks.into(), 1.0, 60.0)?;
        within("fleet.missed_windows", self.missed_windows.into(), 0.0, 60.0)?;
        within("fleet.forget_hours", self.forget_hours.into(), 1.0, 24.0 * 30.0)?;
        self.check_hosting()
    }

    fn check_hosting(&self) -> Result<(), String> {
        let count: usize = self.hosting.values().map(Vec::len).sum();
        within("the number of hosts in fleet.hosting", count as f64, 0.0, MAX_HOSTS as f64)?;
        for (name, hosts) in &self.hosting {
            let name_is_empty = name.is_empty();
            let wrong = hosts.iter().find(|host| {
                let domain = host.strip_prefix("*.").unwrap_or(host);
                domain.is_empty() || domain.contains(['*', '/', ' '])
            });
            if name_is_empty {
                return Err("fleet.hosting has a network without a name".to_owned());
            }
            if let Some(wrong) = wrong {
                let wrong = crate::escaped(wrong);
                return Err(format!("fleet.hosting: `{wrong}` is neither a host nor `*.` and a domain"));
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::super::RulesFile;
    use super::*;

    fn with_hosting(table: &str) -> Result<FleetRules, String> {
        let steady = crate::DiagnosisRules::text("steady").unwrap();
        let text = steady.replacen("[fleet.hosting]", &format!("[fleet.hosting]\n{table}\n"), 1);
        RulesFile::parse(&text).map(|file| file.fleet).map_err(|error| error.to_string())
    }

    #[test]
    fn steady_states_the_defaults_and_classic_has_no_section() {
        for name in ["steady", "classic"] {
            let text = crate::DiagnosisRules::text(name).unwrap();
            assert_eq!(RulesFile::parse(text).unwrap().fleet, FleetRules::default(), "{name}");
        }
    }

    #[test]
    fn a_host_is_found_by_name_and_by_domain() {
        let rules =
            with_hosting("cdn = [\"*.cdn.example\", \"one.example\"]\nedge = [\"*.edge.cdn.example\"]").unwrap();
        let hosting = |host| rules.hosting_of(host);
        assert_eq!(hosting("a.cdn.example"), Some("cdn"));
        assert_eq!(hosting("one.example"), Some("cdn"));
        assert_eq!(hosting("a.edge.cdn.example"), Some("edge"), "the longer domain");
        assert_eq!(hosting("cdn.example"), None, "the domain itself is not below it");
        assert_eq!(hosting("two.example"), None);
        assert_eq!(hosting("evilcdn.example"), None);
    }

    #[test]
    fn what_makes_no_sense_is_refused_by_its_key() {
        assert!(with_hosting("cdn = [\"a b\"]").unwrap_err().contains("`a b` is neither a host nor"));
        let steady = crate::DiagnosisRules::text("steady").unwrap();
        let wrong = RulesFile::parse(&steady.replacen("gap_windows = 8", "gap_windows = 0", 1)).unwrap_err();
        assert!(wrong.to_string().contains("fleet.gap_windows is 0, and must be from 1 to 1440"), "{wrong}");
        let wrong = RulesFile::parse(&steady.replacen("gap_windows = 8", "gap_window = 12", 1)).unwrap_err();
        assert!(wrong.to_string().ends_with("did you mean `gap_windows`?"), "{wrong}");
    }

    #[test]
    fn the_fleets_rules_do_not_change_what_states_of_pairs_are_tagged_by() {
        let steady = crate::DiagnosisRules::text("steady").unwrap();
        let other = RulesFile::parse(&steady.replacen("gap_windows = 8", "gap_windows = 7", 1)).unwrap();
        assert_eq!(other.diagnosis.fingerprint(), crate::DiagnosisRules::default().fingerprint());
        assert_ne!(other.fleet.fingerprint(), FleetRules::default().fingerprint());
    }
}
