//! What the doctor has to say of one thing.

use std::fmt;

/// One thing that is not as it should be, or that somebody should know.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Finding {
    pub grade: Grade,
    /// What it is about.
    pub what: String,
    /// How that is now.
    pub present: String,
    /// What to change, and why.
    pub advice: String,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Grade {
    /// Something is to be changed: the command fails.
    Problem,
    /// Somebody has to decide.
    Note,
}

impl Finding {
    pub(super) fn problem(what: impl Into<String>, present: impl Into<String>, advice: impl Into<String>) -> Self {
        Self { grade: Grade::Problem, what: what.into(), present: present.into(), advice: advice.into() }
    }

    pub(super) fn note(what: impl Into<String>, present: impl Into<String>, advice: impl Into<String>) -> Self {
        Self { grade: Grade::Note, ..Self::problem(what, present, advice) }
    }
}

/// A line.
impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { grade, what, present, advice } = self;
        let grade = match grade {
            Grade::Problem => "",
            Grade::Note => "note: ",
        };
        write!(f, "{grade}{what}: {present}; {advice}")
    }
}

/// Bytes as people read them.
pub(super) fn megabytes(bytes: u64) -> String {
    format!("{:.1} MB", bytes as f64 / 1e6)
}

/// What the findings are about, in their order.
#[cfg(test)]
pub(super) fn subjects(findings: &[Finding]) -> Vec<&str> {
    findings.iter().map(|finding| finding.what.as_str()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_finding_is_a_line() {
        assert_eq!(Finding::problem("a", "1", "set 2").to_string(), "a: 1; set 2");
        assert_eq!(Finding::note("a", "1", "set 2").to_string(), "note: a: 1; set 2");
        assert_eq!(megabytes(1_250_000), "1.2 MB");
    }
}
