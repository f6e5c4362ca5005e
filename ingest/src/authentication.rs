//! The token of a request that sends, looked at before anything else of it.

use axum::Router;
use axum::extract::{Request, State};
use axum::middleware::{self, Next};
use axum::response::{IntoResponse, Response};
use http::header::{self, HeaderMap};
use netqoe_model::metrics::Metrics;

use crate::answer::{Code, Refusal};
use crate::{Tokens, same_origin};

/// Guards routes with tokens. Who may read is another matter: see [`SignIn`](crate::SignIn).
#[derive(Clone, Debug)]
pub(crate) struct Authentication {
    tokens: Tokens,
    metrics: Metrics,
}

impl Authentication {
    /// With these tokens; failures are counted.
    pub(crate) fn new(tokens: Tokens, metrics: Metrics) -> Self {
        Self { tokens, metrics }
    }

    /// The same routes, which answer 401 without a valid `Authorization: Bearer TOKEN`, and where none is needed 403 to pages of
    /// other sites. Handlers find the [`Grant`](crate::Grant) of the token among the request's extensions. A router without
    /// routes stays as it is.
    pub(crate) fn guard(&self, router: Router) -> Router {
        if !router.has_routes() {
            return router;
        }
        router.route_layer(middleware::from_fn_with_state(self.clone(), check))
    }
}

async fn check(State(authentication): State<Authentication>, mut request: Request, next: Next) -> Response {
    let grant = bearer_token(request.headers()).and_then(|token| {
        let refusal = match token {
            None => "this server needs a token; send `Authorization: Bearer TOKEN`",
            Some(_) => "this token is not known here; check it for typing errors, or ask for one",
        };
        authentication.tokens.grant(token).ok_or(refusal)
    });
    let grant = match grant {
        Ok(grant) => grant,
        Err(message) => {
            authentication.metrics.ingest_auth_failures.inc();
            return Refusal::new(Code::Unauthorized, message).into_response();
        }
    };
    // No browser sends a token of ours to another site.
    if authentication.tokens.accept_none()
        && let Err(refusal) = same_origin::check_page(&request)
    {
        return refusal.into_response();
    }
    request.extensions_mut().insert(grant);
    next.run(request).await
}

/// The token of the request, or `None` where it comes without an `Authorization`.
pub(crate) fn bearer_token(headers: &HeaderMap) -> Result<Option<&str>, &'static str> {
    const MALFORMED: &str = "the Authorization header is not understood; send `Authorization: Bearer TOKEN`, once";
    let mut values = headers.get_all(header::AUTHORIZATION).iter();
    let Some(value) = values.next() else { return Ok(None) };
    let (scheme, token) = value.to_str().ok().and_then(|value| value.split_once(' ')).ok_or(MALFORMED)?;
    if values.next().is_some() || !scheme.eq_ignore_ascii_case("bearer") {
        return Err(MALFORMED);
    }
    Ok(Some(token.trim()))
}
