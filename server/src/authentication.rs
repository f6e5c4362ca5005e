//! The token of a request that sends, looked at before anything else of it.

use axum::Router;
use axum::extract::{Request, State};
use axum::middleware::{self, Next};
use axum::response::{IntoResponse, Response};
use http::header::{self, HeaderMap};
use netqoe_model::metrics::Metrics;

use crate::answer::{Code, Refusal};
use crate::attempts::TooMany;
use crate::exchange::Peer;
use crate::tokens::{Bearer, TokenId};
use crate::{Tokens, same_origin};

/// Guards routes with tokens. Who may read is another matter: see [`SignIn`](crate::SignIn).
#[derive(Clone, Debug)]
pub struct Authentication {
    tokens: Tokens,
    metrics: Metrics,
}

impl Authentication {
    /// With these tokens; failures are counted.
    pub fn new(tokens: Tokens, metrics: Metrics) -> Self {
        Self { tokens, metrics }
    }

    /// The same routes, which answer 401 without a valid `Authorization: Bearer TOKEN`, and where none is needed 403 to pages of
    /// other sites. Handlers find the [`Bearer`] among the request's extensions. A router without
    /// routes stays as it is.
    pub fn guard(&self, router: Router) -> Router {
        if !router.has_routes() {
            return router;
        }
        router.route_layer(middleware::from_fn_with_state(self.clone(), check))
    }
}

async fn check(State(authentication): State<Authentication>, mut request: Request, next: Next) -> Response {
    let Authentication { tokens, metrics } = &authentication;
    let bearer = match bearer_token(request.headers()) {
        Ok(Some(token)) => check_token(tokens, token, request.extensions().get()).await,
        Ok(None) => tokens.find(None).ok_or(NotAdmitted::Missing),
        Err(malformed) => Err(malformed),
    };
    let bearer = match bearer {
        Ok(bearer) => bearer,
        Err(why) => return why.count(metrics).refusal().into_response(),
    };
    // No browser sends a token of ours to another site.
    if tokens.accept_none()
        && let Err(refusal) = same_origin::check_page(&request)
    {
        return refusal.into_response();
    }
    admit_connection(request.extensions().get(), bearer.token);
    request.extensions_mut().insert(bearer);
    next.run(request).await
}

/// Why a request is not admitted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum NotAdmitted {
    /// It has no token.
    Missing,
    /// Its `Authorization` is none.
    Malformed,
    /// Nobody has this token.
    Unknown,
    /// The token may send and not read.
    Bound,
    /// Too many wrong ones came from the address; this one was not looked at.
    TooMany(u64),
}

impl NotAdmitted {
    /// As metrics name it.
    fn reason(self) -> &'static str {
        match self {
            Self::Missing => "missing",
            Self::Malformed => "malformed",
            Self::Unknown => "unknown",
            Self::Bound => "bound",
            Self::TooMany(_) => "too_many",
        }
    }

    pub(crate) fn count(self, metrics: &Metrics) -> Self {
        metrics.ingest_auth_failures.inc();
        metrics.auth_refusals.with_label_values(&[self.reason()]).inc();
        self
    }

    pub(crate) fn refusal(self) -> Refusal {
        let unauthorized = |message: &'static str| Refusal::new(Code::Unauthorized, message);
        match self {
            Self::Missing => unauthorized("this server needs a token; send `Authorization: Bearer TOKEN`"),
            Self::Malformed => {
                unauthorized("the Authorization header is not understood; send `Authorization: Bearer TOKEN`, once")
            }
            Self::Unknown => unauthorized("this token is not known here; check it for typing errors, or ask for one"),
            Self::Bound => unauthorized(
                "this token speaks for some clients only: it may send their events, but not read; use one that is bound to none",
            ),
            Self::TooMany(retry_after_s) => {
                let message =
                    "too many wrong tokens have come from this address; wait as Retry-After says, and check the token";
                Refusal::new(Code::RateLimitExceeded, message).retry_after(retry_after_s)
            }
        }
    }
}

/// Whose token it is. Where many wrong ones have come from the address, the answer takes its time, whatever it is.
pub(crate) async fn check_token(tokens: &Tokens, token: &str, peer: Option<&Peer>) -> Result<Bearer, NotAdmitted> {
    let address = peer.and_then(|peer| peer.address);
    let bearer = tokens.find(Some(token));
    let wait = match tokens.attempts.begin(address, bearer.as_ref().map(|bearer| bearer.token)) {
        Ok(wait) => wait,
        Err(TooMany { retry_after_s }) => return Err(NotAdmitted::TooMany(retry_after_s)),
    };
    if !wait.is_zero() {
        tokio::time::sleep(wait).await;
    }
    let bearer = bearer.ok_or(NotAdmitted::Unknown)?;
    tokens.attempts.succeeded(address, bearer.token);
    Ok(bearer)
}

/// The connection of a request has shown a token: it keeps its place.
pub(crate) fn admit_connection(peer: Option<&Peer>, token: TokenId) {
    if let Some(peer) = peer {
        peer.place.has_shown(token);
    }
}

/// The token of the request, or `None` where it comes without an `Authorization`.
pub(crate) fn bearer_token(headers: &HeaderMap) -> Result<Option<&str>, NotAdmitted> {
    let mut values = headers.get_all(header::AUTHORIZATION).iter();
    let Some(value) = values.next() else { return Ok(None) };
    let (scheme, token) = value.to_str().ok().and_then(|value| value.split_once(' ')).ok_or(NotAdmitted::Malformed)?;
    if values.next().is_some() || !scheme.eq_ignore_ascii_case("bearer") {
        return Err(NotAdmitted::Malformed);
    }
    Ok(Some(token.trim()))
}
