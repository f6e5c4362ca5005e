//! A target that is asked for in another spelling than its rows have.
//!
//! Ingest writes one spelling of each target (D-104), so who asks for the one that was sent would get nothing. Rows of an older
//! netqoe, and of logs that others have written, have any spelling: what a row has goes first.

use std::borrow::Cow;

use axum::extract::{Request, State};
use axum::http::Uri;
use axum::http::uri::PathAndQuery;
use axum::middleware::Next;
use axum::response::Response;
use netqoe_model::normalised;
use netqoe_sinks::read::{Filter, Query};
use url::form_urlencoded::{Serializer, parse};

use crate::queries::QueryApi;

/// The parameter of all questions that are about a target.
const TARGET: &str = "target";

/// Asks for the normal spelling of a target, where no row has the one that is asked for.
pub(crate) async fn in_its_spelling(State(api): State<QueryApi>, mut request: Request, next: Next) -> Response {
    if let Some(target) = unusual(request.uri())
        && !is_known(&api, target).await
        && let Some(uri) = respelled(request.uri())
    {
        *request.uri_mut() = uri;
    }
    next.run(request).await
}

/// The target that is asked for, if it has another spelling than the normal one.
fn unusual(uri: &Uri) -> Option<String> {
    let (_, target) = parse(uri.query()?.as_bytes()).find(|(name, _)| name == TARGET)?;
    matches!(normalised(&target), Cow::Owned(_)).then(|| target.into_owned())
}

/// Where the store can't be read, the question itself will say so.
async fn is_known(api: &QueryApi, target: String) -> bool {
    let filter = Filter { target: Some(target), ..Filter::default() };
    let query = Query { filter, after: None, limit: 1 };
    api.page(move |rows| rows.targets(&query)).await.is_ok_and(|page| !page.items.is_empty())
}

fn respelled(uri: &Uri) -> Option<Uri> {
    let mut query = Serializer::new(String::new());
    for (name, value) in parse(uri.query()?.as_bytes()) {
        let value = if name == TARGET { normalised(&value) } else { Cow::Borrowed(&*value) };
        query.append_pair(&name, &value);
    }
    let path_and_query: PathAndQuery = format!("{}?{}", uri.path(), query.finish()).parse().ok()?;
    let mut parts = uri.clone().into_parts();
    parts.path_and_query = Some(path_and_query);
    Uri::from_parts(parts).ok()
}
