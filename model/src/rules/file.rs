//! A rules file: TOML in, rules out, or one line that says what is wrong with it.

use std::sync::LazyLock;

use serde::Deserialize;

use super::diagnosis::{Centre, Condition, Figure, MAX_WINDOWS_BY_PHASE, PhaseRule, Spread};
use super::{DiagnosisRules, ErrorRule, EvidenceRules, FleetRules, SeverityRules, UsualRules};

/// The rules files that are part of netqoe, by name.
const SHIPPED: [(&str, &str); 2] =
    [("steady", include_str!("../../rules/steady.toml")), ("classic", include_str!("../../rules/classic.toml"))];

/// One final row of a pair in this many carries its state. A start reads the newest state and the rows after it: eight on
/// average. It makes a row a few bytes longer.
pub const ROWS_PER_STATE: u16 = 16;

/// Windows of evidence at most: each costs memory a pair.
const MAX_EVIDENCE_WINDOWS: u16 = 3;
/// Windows that a history of whole windows holds at most: each costs 48 bytes a pair.
const MAX_WINDOWS: u16 = 1000;
/// Changes with the form of stored states.
const STATE_FORM: u64 = 1;
/// From this similarity (0 to 1) on, one name is suggested for the other.
const ALIKE: f64 = 0.7;

/// Read once; a test holds that they can be.
static STEADY: LazyLock<DiagnosisRules> = LazyLock::new(|| shipped("steady"));
static CLASSIC: LazyLock<DiagnosisRules> = LazyLock::new(|| shipped("classic"));

/// What is wrong with a rules file, in one line.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct InvalidRules(String);

/// What a rules file says.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct RulesFile {
    /// How windows are diagnosed.
    pub diagnosis: DiagnosisRules,
    /// How incidents are found: apart, so that other rules for incidents leave the stored states of pairs valid.
    pub fleet: FleetRules,
}

/// The tables of a rules file. They are listed here, since serde's `flatten` would refuse no unknown key and would not say
/// on which line one stands.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Tables {
    name: String,
    usual: UsualRules,
    evidence: EvidenceRules,
    #[serde(rename = "error-bound")]
    error_bound: ErrorRule,
    #[serde(rename = "dns-bound")]
    dns_bound: PhaseRule,
    #[serde(rename = "handshake-bound")]
    handshake_bound: PhaseRule,
    #[serde(rename = "server-bound")]
    server_bound: PhaseRule,
    #[serde(rename = "throughput-bound")]
    throughput_bound: PhaseRule,
    severity: SeverityRules,
    #[serde(default)]
    fleet: FleetRules,
}

impl RulesFile {
    /// Reads a rules file.
    ///
    /// # Errors
    /// If it is not valid TOML, has an unknown key, lacks a key, or a value makes no sense.
    pub fn parse(text: &str) -> Result<Self, InvalidRules> {
        let tables: Tables = toml::from_str(text).map_err(|error| InvalidRules(refusal(text, &error)))?;
        let diagnosis = DiagnosisRules {
            name: tables.name,
            usual: tables.usual,
            evidence: tables.evidence,
            error_bound: tables.error_bound,
            dns_bound: tables.dns_bound,
            handshake_bound: tables.handshake_bound,
            server_bound: tables.server_bound,
            throughput_bound: tables.throughput_bound,
            severity: tables.severity,
        };
        diagnosis.check().map_err(InvalidRules)?;
        tables.fleet.check().map_err(InvalidRules)?;
        Ok(Self { diagnosis, fleet: tables.fleet })
    }
}

impl Default for DiagnosisRules {
    /// The rules `steady`.
    fn default() -> Self {
        STEADY.clone()
    }
}

impl DiagnosisRules {
    /// The rules of the reference: they forget a fault after some windows, and are kept to compare with.
    pub fn classic() -> Self {
        CLASSIC.clone()
    }

    /// The names of the rules that are part of netqoe.
    pub fn names() -> impl Iterator<Item = &'static str> {
        SHIPPED.into_iter().map(|(name, _)| name)
    }

    /// The text of the rules file that is part of netqoe under this name.
    pub fn text(name: &str) -> Option<&'static str> {
        SHIPPED.into_iter().find(|(shipped, _)| *shipped == name).map(|(_, text)| text)
    }

    /// Reads what a rules file says of diagnoses.
    ///
    /// # Errors
    /// Those of [`RulesFile::parse`].
    pub fn parse(text: &str) -> Result<Self, InvalidRules> {
        RulesFile::parse(text).map(|file| file.diagnosis)
    }

    /// Distinguishes rules that can lead to different results.
    pub fn fingerprint(&self) -> u64 {
        // Serializing numbers and names does not fail.
        let json = serde_json::to_string(self).unwrap_or_default();
        crate::Fingerprint::of(&json).0 as u64
    }

    /// What stored states of pairs begin with, so that those of other rules, or of another form, are not read.
    pub fn state_tag(&self) -> [u8; 8] {
        (self.fingerprint() ^ STATE_FORM).to_le_bytes()
    }

    /// How many rows of a pair are read where no stored state can be: enough to fill its history, and as many again that
    /// may have been left out.
    pub fn rows_without_state(&self) -> u16 {
        self.usual.windows.saturating_mul(2).max(ROWS_PER_STATE)
    }

    fn check(&self) -> Result<(), String> {
        self.check_usual()?;
        self.check_evidence()?;
        for (table, rule) in [
            ("dns-bound", &self.dns_bound),
            ("handshake-bound", &self.handshake_bound),
            ("server-bound", &self.server_bound),
            ("throughput-bound", &self.throughput_bound),
        ] {
            check_phase(table, rule, self.usual.figure == Figure::Samples)?;
        }
        self.check_severity()
    }

    fn check_usual(&self) -> Result<(), String> {
        let usual = &self.usual;
        let by_phase = usual.figure == Figure::Samples;
        let most = if by_phase { MAX_WINDOWS_BY_PHASE } else { MAX_WINDOWS };
        within("usual.windows", usual.windows.into(), 1.0, most.into())?;
        within("usual.every_windows", usual.every_windows.into(), 1.0, 60.0)?;
        within("usual.warm_up_windows", usual.warm_up_windows.into(), 1.0, usual.windows.into())?;
        within("usual.reach_hours", usual.reach_hours.into(), 1.0, 24.0 * 90.0)?;
        within("usual.new_normal_after_hours", usual.new_normal_after_hours.into(), 1.0, 24.0 * 90.0)?;
        within("usual.spread_quantile", usual.spread_quantile, 0.5, 1.0)?;
        within("usual.spread_floor_ratio", usual.spread_floor_ratio, 0.0, 10.0)?;
        within("usual.spread_floor", usual.spread_floor, 0.0, 1e6)?;
        within("usual.better_ratio", usual.better_ratio, 1.0, 1e6)?;
        if usual.better_windows != 0 {
            let least = usual.warm_up_windows.into();
            within("usual.better_windows", usual.better_windows.into(), least, usual.windows.into())?;
        }
        if usual.leave_out_degraded && !by_phase {
            return Err("usual.leave_out_degraded needs usual.figure = \"samples\"".to_owned());
        }
        if usual.centre == Centre::Median && usual.spread == Spread::Deviation {
            return Err("usual.spread = \"deviation\" needs usual.centre = \"mean\"".to_owned());
        }
        Ok(())
    }

    fn check_evidence(&self) -> Result<(), String> {
        let (evidence, errors) = (&self.evidence, &self.error_bound);
        within("evidence.windows", evidence.windows.into(), 1.0, MAX_EVIDENCE_WINDOWS.into())?;
        within("evidence.within_minutes", evidence.within_minutes.into(), 1.0, 1440.0)?;
        within("evidence.least_samples", evidence.least_samples.into(), 1.0, 1e6)?;
        within("evidence.share", evidence.share, 0.0, 1.0)?;
        within("evidence.beyond_quantile", evidence.beyond_quantile, 0.0, 1.0)?;
        within(
            "evidence.more_windows",
            evidence.more_windows.into(),
            evidence.windows.into(),
            MAX_EVIDENCE_WINDOWS.into(),
        )?;
        within("evidence.more_share", evidence.more_share, 0.0, 1.0)?;
        within("evidence.keep_after_windows", evidence.keep_after_windows.into(), 0.0, 60.0)?;
        within("evidence.keep_share", evidence.keep_share, 0.0, evidence.share)?;
        within("evidence.bridged_windows", evidence.bridged_windows.into(), 0.0, 60.0)?;
        within("error-bound.windows", errors.windows.into(), 1.0, MAX_EVIDENCE_WINDOWS.into())?;
        within("error-bound.least_failures", errors.least_failures.into(), 1.0, 1e6)?;
        within("error-bound.share", errors.share, 0.0, 1.0)?;
        within("error-bound.keep_share", errors.keep_share, 0.0, errors.share)
    }

    fn check_severity(&self) -> Result<(), String> {
        let severity = &self.severity;
        for (level, bounds) in [("major", &severity.latency.major), ("critical", &severity.latency.critical)] {
            within(&format!("severity.latency.{level}.ratio"), bounds.ratio, 0.0, 1e6)?;
            within(&format!("severity.latency.{level}.extra_ms"), bounds.extra_ms, 0.0, 1e9)?;
        }
        for (level, bounds) in [("major", &severity.throughput.major), ("critical", &severity.throughput.critical)] {
            within(&format!("severity.throughput.{level}.ratio"), bounds.ratio, 0.0, 1e6)?;
            if let Some(mbps) = bounds.below_mbps {
                within(&format!("severity.throughput.{level}.below_mbps"), mbps, 0.0, 1e6)?;
            }
        }
        within("severity.failed.major_share", severity.failed.major_share, 0.0, 1.0)?;
        within("severity.failed.critical_share", severity.failed.critical_share, 0.0, 1.0)
    }
}

fn check_phase(table: &str, rule: &PhaseRule, by_phase: bool) -> Result<(), String> {
    if rule.when.is_empty() {
        return Err(format!("{table}.when needs a condition"));
    }
    for condition in &rule.when {
        let Condition { ratio, extra_ms, spreads, share_of_total, share_of_extra } = condition;
        let given = [
            ("ratio", ratio, 1e6),
            ("extra_ms", extra_ms, 1e9),
            ("spreads", spreads, 1e6),
            ("share_of_total", share_of_total, 1.0),
            ("share_of_extra", share_of_extra, 1.0),
        ];
        if given.iter().all(|(_, value, _)| value.is_none()) {
            return Err(format!("a condition of {table}.when is empty, and would always hold"));
        }
        for (key, value, most) in given {
            within(&format!("{table}.when.{key}"), value.unwrap_or(0.0), 0.0, most)?;
        }
    }
    let others = [
        ("handshake_spreads", rule.handshake_spreads),
        ("total_spreads", rule.total_spreads),
        ("beyond_handshake", rule.beyond_handshake),
    ];
    for (key, value) in others {
        within(&format!("{table}.{key}"), value.unwrap_or(0.0), 0.0, 1e6)?;
    }
    if by_phase && rule.total_spreads.is_some() {
        return Err(format!("{table}.total_spreads needs usual.figure = \"p95\": the total has no history of its own"));
    }
    Ok(())
}

pub(super) fn within(key: &str, value: f64, least: f64, most: f64) -> Result<(), String> {
    if (least..=most).contains(&value) {
        return Ok(());
    }
    Err(format!("{key} is {value}, and must be from {least} to {most}"))
}

/// The first line of what serde says, with the line of the file and, of an unknown key, the one that may be meant.
fn refusal(text: &str, error: &toml::de::Error) -> String {
    let message = error.message().lines().next().unwrap_or_default();
    let line = error.span().map_or(1, |span| text[..span.start.min(text.len())].matches('\n').count() + 1);
    let mut quoted = message.split('`').skip(1).step_by(2);
    let meant = match (message.starts_with("unknown field"), quoted.next()) {
        (true, Some(unknown)) => nearest(unknown, quoted).map(|near| format!("; did you mean `{near}`?")),
        _ => None,
    };
    format!("line {line}: {message}{}", meant.unwrap_or_default())
}

fn nearest<'a>(unknown: &str, known: impl Iterator<Item = &'a str>) -> Option<&'a str> {
    let alike = known.map(|known| (strsim::jaro_winkler(unknown, known), known));
    let best = alike.max_by(|(a, _), (b, _)| a.total_cmp(b))?;
    (best.0 >= ALIKE).then_some(best.1)
}

// A shipped file that can't be read is a mistake in this crate, and the tests read both.
#[allow(clippy::expect_used)]
fn shipped(name: &str) -> DiagnosisRules {
    DiagnosisRules::parse(DiagnosisRules::text(name).unwrap_or_default()).expect("a shipped rules file")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refused(from: &str, to: &str) -> String {
        let text = DiagnosisRules::text("steady").unwrap();
        assert!(text.contains(from), "{from}");
        DiagnosisRules::parse(&text.replacen(from, to, 1)).unwrap_err().to_string()
    }

    #[test]
    fn the_shipped_rules_are_read_and_have_their_names() {
        for name in DiagnosisRules::names() {
            assert_eq!(DiagnosisRules::parse(DiagnosisRules::text(name).unwrap()).unwrap().name, name);
        }
        assert_eq!(DiagnosisRules::default().name, "steady");
        assert_eq!(DiagnosisRules::classic().name, "classic");
        assert_eq!(DiagnosisRules::text("none"), None);
    }

    #[test]
    fn an_unknown_key_is_refused_with_the_one_that_may_be_meant() {
        let message = refused("keep_share", "kept_share");
        assert!(message.contains("unknown field `kept_share`"), "{message}");
        assert!(message.ends_with("did you mean `keep_share`?"), "{message}");
        assert!(message.starts_with("line "), "{message}");
        let message = refused("keep_share", "zzz");
        assert!(message.contains("unknown field `zzz`") && !message.contains("did you mean"), "{message}");
    }

    #[test]
    fn what_makes_no_sense_is_refused_by_its_key() {
        assert!(refused("windows = 60", "windows = 61").contains("usual.windows is 61, and must be from 1 to 60"));
        assert!(refused("windows = 60", "windows = \"many\"").contains("invalid type"));
        assert!(refused("centre = \"median\"", "centre = \"middle\"").contains("unknown variant `middle`"));
        assert!(refused("spread = \"quantile\"", "spread = \"deviation\"").contains("needs usual.centre"));
        assert!(refused("spread_quantile = 0.9", "spread_quantile = nan").contains("usual.spread_quantile is NaN"));
        assert!(refused("[severity", "[severe").contains("did you mean `severity`?"));
    }

    #[test]
    fn other_rules_have_another_fingerprint() {
        let (steady, mut other) = (DiagnosisRules::default(), DiagnosisRules::default());
        other.evidence.share += 0.01;
        assert_eq!(steady.fingerprint(), DiagnosisRules::default().fingerprint());
        assert_ne!(steady.fingerprint(), other.fingerprint());
        assert_ne!(steady.fingerprint(), DiagnosisRules::classic().fingerprint());
    }
}
