//! What can be asked for, as it stands in a URL.

use netqoe_model::{Label, WindowStart};
use netqoe_sinks::read::{Filter, IncidentPosition, MaintenancePosition, Paged, Pair, Query, RowPosition};
use serde::Deserialize;
use serde::de::DeserializeOwned;
use utoipa::IntoParams;

use crate::answer::Refusal;
use crate::labelled::Labelled;
use crate::schema;
use crate::values::{Time, Whole};

const DEFAULT_LIMIT: u16 = 100;
/// More rows than this a page would take longer than a reader wants to wait.
const MAX_LIMIT: u32 = 1000;

/// How many items a page has.
pub(crate) type Limit = Whole<1, MAX_LIMIT>;

/// Filters and paging.
#[derive(Debug, Default, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(crate) struct Parameters {
    /// Of this client only.
    pub(crate) client_id: Option<String>,
    /// Of this target only.
    pub(crate) target: Option<String>,
    /// Windows that start at or after this time: Unix milliseconds or RFC 3339.
    #[param(inline, value_type = Option<Time>)]
    pub(crate) from: Option<String>,
    /// Windows that start before this time: Unix milliseconds or RFC 3339.
    #[param(inline, value_type = Option<Time>)]
    pub(crate) to: Option<String>,
    /// With this diagnosis only.
    #[param(inline, value_type = Option<schema::Label>)]
    pub(crate) label: Option<String>,
    /// With this label of their client or target only, such as `client.team=core`; several: with each of them.
    #[serde(default)]
    #[param(inline, value_type = Option<Labelled>)]
    pub(crate) labelled: Vec<String>,
    /// Items a page; 100 where absent.
    #[param(inline, value_type = Option<Limit>)]
    pub(crate) limit: Option<String>,
    /// Where the page begins: `next_cursor` of the page before.
    pub(crate) cursor: Option<String>,
}

impl Parameters {
    pub(crate) fn filter(&self) -> Result<Filter, Refusal> {
        Ok(Filter {
            client_id: self.client_id.clone(),
            target: self.target.clone(),
            from_ms: self.from.as_deref().map(|text| Time::read("from", text)).transpose()?,
            to_ms: self.to.as_deref().map(|text| Time::read("to", text)).transpose()?,
            label: one_of("label", self.label.as_deref(), &Label::ALL, Label::as_str)?,
            tags: Labelled::read(&self.labelled)?,
        })
    }

    pub(crate) fn query<P: Cursor>(&self) -> Result<Query<P>, Refusal> {
        let Paged { after, limit } = paged(self.limit.as_deref(), self.cursor.as_deref())?;
        Ok(Query { filter: self.filter()?, after, limit })
    }
}

/// Which page is asked for.
pub(crate) fn paged<P: Cursor>(limit: Option<&str>, cursor: Option<&str>) -> Result<Paged<P>, Refusal> {
    let limit = Limit::read("limit", limit)?.unwrap_or(DEFAULT_LIMIT);
    let after = cursor.map(|text| {
        P::decode(text).ok_or_else(|| Refusal::invalid("cursor must be the next_cursor of an earlier answer"))
    });
    Ok(Paged { after: after.transpose()?, limit })
}

/// What a text stands for, of what has names.
pub(crate) fn one_of<T: Copy>(
    parameter: &str,
    text: Option<&str>,
    all: &[T],
    name: fn(T) -> &'static str,
) -> Result<Option<T>, Refusal> {
    let Some(text) = text else { return Ok(None) };
    let found = all.iter().copied().find(|value| name(*value) == text);
    let names = || all.iter().map(|value| name(*value)).collect::<Vec<_>>().join(", ");
    found.map(Some).ok_or_else(|| Refusal::invalid(format!("{parameter} must be one of {}", names())))
}

/// A place between two items of a list, as an opaque text.
pub(crate) trait Cursor: Sized {
    fn encode(&self) -> String;
    fn decode(text: &str) -> Option<Self>;
}

impl Cursor for RowPosition {
    fn encode(&self) -> String {
        hex_of(&(self.window_start.ms(), &self.client_id, &self.target))
    }

    fn decode(text: &str) -> Option<Self> {
        let (start_ms, client_id, target) = of_hex(text)?;
        Some(Self { window_start: WindowStart::from_ms(start_ms), client_id, target })
    }
}

impl Cursor for String {
    fn encode(&self) -> String {
        hex_of(self)
    }

    fn decode(text: &str) -> Option<Self> {
        of_hex(text)
    }
}

impl Cursor for IncidentPosition {
    fn encode(&self) -> String {
        hex_of(&(self.opened.ms(), &self.id))
    }

    fn decode(text: &str) -> Option<Self> {
        let (opened_ms, id) = of_hex(text)?;
        Some(Self { opened: WindowStart::from_ms(opened_ms), id })
    }
}

impl Cursor for MaintenancePosition {
    fn encode(&self) -> String {
        hex_of(&(self.from_ms, self.id))
    }

    fn decode(text: &str) -> Option<Self> {
        let (from_ms, id) = of_hex(text)?;
        Some(Self { from_ms, id })
    }
}

impl Cursor for Pair {
    fn encode(&self) -> String {
        hex_of(&(&*self.client_id, &*self.target))
    }

    fn decode(text: &str) -> Option<Self> {
        let (client_id, target): (String, String) = of_hex(text)?;
        Some(Self { client_id: client_id.into(), target: target.into() })
    }
}

/// JSON, in hexadecimal digits: it needs no escapes in a URL.
fn hex_of(value: &impl serde::Serialize) -> String {
    serde_json::json!(value).to_string().bytes().map(|byte| format!("{byte:02x}")).collect()
}

fn of_hex<T: DeserializeOwned>(text: &str) -> Option<T> {
    let digits = text.as_bytes().chunks(2).map(|pair| u8::from_str_radix(std::str::from_utf8(pair).ok()?, 16).ok());
    serde_json::from_slice(&digits.collect::<Option<Vec<_>>>()?).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cursor_comes_back_as_it_was() {
        let position =
            RowPosition { window_start: WindowStart::from_ms(-5), client_id: "é\"\u{1}".into(), target: "t".into() };
        assert_eq!(RowPosition::decode(&position.encode()), Some(position));
        assert_eq!(String::decode(&"x".to_owned().encode()).as_deref(), Some("x"));
    }

    #[test]
    fn a_forged_cursor_is_refused() {
        for forged in ["", "f", "zz", "+1", "é", "5b5d", "22"] {
            assert_eq!(RowPosition::decode(forged), None, "{forged}");
        }
    }
}
