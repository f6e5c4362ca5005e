//! The labels of clients and targets that windows are asked for by: `labelled=client.team=core`.

use netqoe_model::TagValue;
use utoipa::openapi::schema::{ArrayBuilder, Type};
use utoipa::openapi::{ObjectBuilder, RefOr, Schema};
use utoipa::{PartialSchema, ToSchema};

use crate::answer::Refusal;
use crate::schema::label_dimension;

/// The name of the parameter.
pub(crate) const LABELLED: &str = "labelled";

/// Labels that can be asked for at once: more than anybody chooses. Each is looked for in every row that is looked at.
const MAX_LABELLED: usize = 8;

/// What the parameter may be.
pub(crate) struct Labelled;

impl Labelled {
    /// The labels that are asked for, in one order: who asks for the same gets the same answer.
    pub(crate) fn read(texts: &[String]) -> Result<Vec<TagValue>, Refusal> {
        if texts.len() > MAX_LABELLED {
            return Err(Refusal::invalid(format!("{LABELLED} may stand {MAX_LABELLED} times at most")));
        }
        let mut texts: Vec<_> = texts.iter().collect();
        texts.sort_unstable();
        texts.dedup();
        texts.into_iter().map(|text| TagValue::parse(text).ok_or_else(no_label)).collect()
    }
}

fn no_label() -> Refusal {
    Refusal::invalid(format!(
        "{LABELLED} must be a label and its value, written as client.NAME=VALUE or target.NAME=VALUE"
    ))
}

impl PartialSchema for Labelled {
    fn schema() -> RefOr<Schema> {
        let label = ObjectBuilder::new().schema_type(Type::String).pattern(Some(format!("^{}=", label_dimension())));
        ArrayBuilder::new().items(label).max_items(Some(MAX_LABELLED)).build().into()
    }
}

impl ToSchema for Labelled {}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(texts: &[&str]) -> Result<Vec<String>, String> {
        let texts: Vec<_> = texts.iter().map(|text| (*text).to_owned()).collect();
        let found = Labelled::read(&texts).map(|labels| labels.iter().map(ToString::to_string).collect());
        found.map_err(|refusal| serde_json::to_value(&refusal).unwrap()["message"].as_str().unwrap().to_owned())
    }

    #[test]
    fn labels_are_read_in_one_order_and_once() {
        let [a, b] = ["client.team=core", "target.service="];
        assert_eq!(read(&[]), Ok(vec![]));
        assert_eq!(read(&[b, a, b]), Ok(vec![a.to_owned(), b.to_owned()]));
    }

    #[test]
    fn what_is_no_label_and_what_is_too_much_is_refused() {
        for text in ["", "core", "team=core", "client.team", "client.a-b=c"] {
            let message =
                "labelled must be a label and its value, written as client.NAME=VALUE or target.NAME=VALUE".to_owned();
            assert_eq!(read(&[text]), Err(message), "{text}");
        }
        assert!(read(&["client.a=b"; 8]).is_ok());
        assert_eq!(read(&["client.a=b"; 9]), Err("labelled may stand 8 times at most".to_owned()));
    }
}
