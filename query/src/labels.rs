//! `GET /api/v1/labels`: what labels and severities mean under the rules of this server.

use axum::Json;
use axum::extract::State;
use netqoe_model::{DiagnosisRules, Label, Severity};
use serde::Serialize;
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::queries::QueryApi;
use crate::schema;
use crate::words;

pub(crate) fn routes() -> OpenApiRouter<QueryApi> {
    OpenApiRouter::new().routes(routes!(labels))
}

/// What labels mean. Every figure is the rules' own.
#[derive(Debug, Serialize, ToSchema)]
struct LabelMeanings {
    /// The name of the rules.
    rules: String,
    /// In the order in which they are tried: a window gets the first one that applies.
    labels: Vec<LabelMeaning>,
    /// How many slow measurements it takes.
    evidence: String,
}

/// What a label means.
#[derive(Debug, Serialize, ToSchema)]
struct LabelMeaning {
    #[schema(value_type = schema::Label)]
    label: Label,
    /// In a few words.
    meaning: &'static str,
    /// When a window is given it: any of these is enough.
    when: Vec<String>,
    /// The least first.
    severities: Vec<SeverityMeaning>,
}

/// From when on it is as bad as this.
#[derive(Debug, Serialize, ToSchema)]
struct SeverityMeaning {
    #[schema(value_type = schema::Severity)]
    severity: Severity,
    when: String,
}

/// What each label and each severity means under the rules that this server is started with, in plain English and with their
/// thresholds. `docs/diagnoses.md` has all of it.
#[utoipa::path(get, path = "/api/v1/labels",
    responses((status = 200, body = LabelMeanings)))]
async fn labels(State(api): State<QueryApi>) -> Json<LabelMeanings> {
    Json(LabelMeanings::of(&api.rules.diagnosis))
}

impl LabelMeanings {
    fn of(rules: &DiagnosisRules) -> Self {
        let labels = words::label_meanings(rules).into_iter().map(|meaning| LabelMeaning {
            label: meaning.label,
            meaning: meaning.meaning,
            when: meaning.when,
            severities: meaning
                .severities
                .into_iter()
                .map(|(severity, when)| SeverityMeaning { severity, when })
                .collect(),
        });
        Self { rules: rules.name.clone(), labels: labels.collect(), evidence: words::evidence_needed(rules) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Where the document has what follows from the default rules.
    const DOCUMENT: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../docs/diagnoses.md");
    const BEGIN: &str = "<!-- Written from the rules by the test `the_document_has_what_the_default_rules_say`; NETQOE_WRITE_REFERENCE=1 writes it anew. -->\n";
    const END: &str = "<!-- End of what is written from the rules. -->\n";
    const WRITE: &str = "NETQOE_WRITE_REFERENCE";

    fn section() -> String {
        let LabelMeanings { labels, evidence, .. } = LabelMeanings::of(&DiagnosisRules::default());
        let mut text = "| label | given when | major from | critical from |\n| --- | --- | --- | --- |\n".to_owned();
        for LabelMeaning { label, when, severities, .. } in labels.iter().filter(|of| !of.when.is_empty()) {
            let from = |severity| severities.iter().find(|of| of.severity == severity).map_or("", |of| &of.when);
            let (major, critical) = (from(Severity::Major), from(Severity::Critical));
            text += &format!("| `{label}` | {} | {major} | {critical} |\n", when.join("; or "));
        }
        format!("{text}\n{evidence}\n")
    }

    #[test]
    fn the_document_has_what_the_default_rules_say() {
        let text = std::fs::read_to_string(DOCUMENT).unwrap();
        let (before, rest) = text.split_once(BEGIN).unwrap();
        let (found, after) = rest.split_once(END).unwrap();
        if std::env::var_os(WRITE).is_some() {
            std::fs::write(DOCUMENT, format!("{before}{BEGIN}{}{END}{after}", section())).unwrap();
            return;
        }
        assert_eq!(found, section(), "docs/diagnoses.md is not what the rules say; run this test with {WRITE}=1");
    }
}
