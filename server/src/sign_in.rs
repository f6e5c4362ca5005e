//! Who may read: a token that is bound to no client, or a browser's session that one has opened.

use std::sync::Arc;

use axum::body::Body;
use axum::extract::rejection::JsonRejection;
use axum::extract::{DefaultBodyLimit, Request, State};
use axum::middleware::{self, Next};
use axum::response::{IntoResponse, Response};
use axum::{Json, Router};
use cookie::{Cookie, SameSite};
use futures::StreamExt;
use http::{HeaderMap, HeaderValue, StatusCode, header};
use netqoe_model::metrics::Metrics;
use parking_lot::Mutex;
use serde::{Deserialize, Serialize};
use tokio_util::sync::CancellationToken;
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::answer::{Code, Refusal};
use crate::authentication::{self, NotAdmitted, bearer_token, check_token};
use crate::exchange::Peer;
use crate::session::{Session, SessionId};
use crate::signed_out::SignedOut;
use crate::tokens::{Bearer, TokenId};
use crate::{Clock, Grant, Tokens, own_host, same_origin};

pub(crate) const COOKIE: &str = "netqoe_session";
/// Cookies of this name that are looked at: other servers on the same host can set some, too.
const MAX_COOKIES: usize = 8;
/// Longest body that holds a token, in bytes.
const MAX_BODY_BYTES: usize = 16 << 10;
/// The media type of live streams.
const EVENT_STREAM: &str = "text/event-stream";

/// Guards the routes that read, and opens sessions for browsers.
#[derive(Clone)]
pub struct SignIn {
    tokens: Tokens,
    metrics: Metrics,
    clock: Arc<dyn Clock>,
    signed_out: Arc<Mutex<SignedOut>>,
}

/// Why a request may read.
enum Admitted {
    /// By this token, or because none is needed.
    AsItIs(TokenId),
    BySession(Signed),
}

/// A session that holds, and the token that has opened it.
struct Signed {
    session: Session,
    token: TokenId,
}

impl Admitted {
    fn token(&self) -> TokenId {
        match self {
            Self::AsItIs(token) | Self::BySession(Signed { token, .. }) => *token,
        }
    }
}

impl SignIn {
    /// With these tokens; failures are counted.
    pub fn new(tokens: Tokens, metrics: Metrics, clock: Arc<dyn Clock>) -> Self {
        Self { tokens, metrics, clock, signed_out: Arc::default() }
    }

    /// The same routes, which answer 401 to who may not read, and 403 to what another site may have sent. A router
    /// without routes stays as it is.
    pub fn guard(&self, router: Router) -> Router {
        if !router.has_routes() {
            return router;
        }
        router.route_layer(middleware::from_fn_with_state(self.clone(), check))
    }

    /// `/api/v1/session` and what it says of itself, for [`assemble`](crate::assemble).
    pub fn router(&self) -> (Router, utoipa::openapi::OpenApi) {
        let (router, document) = OpenApiRouter::new()
            .routes(routes!(session, sign_in, sign_out))
            .layer(DefaultBodyLimit::max(MAX_BODY_BYTES))
            .with_state(self.clone())
            .split_for_parts();
        (router, document)
    }

    /// Whether this request may read, and where not, why.
    async fn admit(&self, headers: &HeaderMap, peer: Option<&Peer>) -> Result<Admitted, NotAdmitted> {
        match bearer_token(headers)? {
            Some(token) => match check_token(&self.tokens, token, peer).await? {
                Bearer { grant: Grant::Any, token } => Ok(Admitted::AsItIs(token)),
                _ => Err(NotAdmitted::Bound),
            },
            None => match self.tokens.find(None) {
                Some(Bearer { token, .. }) => Ok(Admitted::AsItIs(token)),
                None => {
                    let session = self.sessions(headers).await.into_iter().next();
                    session.map(Admitted::BySession).ok_or(NotAdmitted::Missing)
                }
            },
        }
    }

    /// Those of the request's cookies that hold.
    async fn sessions(&self, headers: &HeaderMap) -> Vec<Signed> {
        let lines = headers.get_all(header::COOKIE).iter().filter_map(|value| value.to_str().ok());
        let cookies = lines.flat_map(Cookie::split_parse).filter_map(Result::ok);
        let cookies = cookies.filter(|cookie| cookie.name() == COOKIE).take(MAX_COOKIES);
        let mut sessions: Vec<_> = cookies.filter_map(|cookie| Session::parse(cookie.value())).collect();
        sessions.retain(|session| !session.is_over(self.now_s()));
        if sessions.is_empty() {
            return Vec::new();
        }
        let signers = self.tokens.signers().await;
        let signed = |session| Some(Signed { token: signers.signer_of(&session)?, session });
        // Signing out, and withdrawing a token, hold as well for who has waited for keys.
        let holds = |signed: &Signed| self.tokens.has(signed.token) && !self.signed_out.lock().has(&signed.session);
        sessions.into_iter().filter_map(signed).filter(holds).collect()
    }

    /// A new cookie for a session that has one for a while.
    async fn renewed(&self, admitted: &Admitted, is_https: bool) -> Option<HeaderValue> {
        let (Admitted::BySession(Signed { session, .. }), now_s) = (admitted, self.now_s()) else { return None };
        if !session.wants_renewal(now_s) {
            return None;
        }
        let renewed = self.tokens.signers().await.renew(session, now_s)?;
        HeaderValue::try_from(cookie_of(&renewed, now_s, is_https)).ok()
    }

    fn now_s(&self) -> i64 {
        self.clock.now_ms() / 1000
    }

    /// A session for who holds this token, and when it was opened.
    async fn open(&self, token: &str, peer: Option<&Peer>) -> Result<(Session, i64), NotAdmitted> {
        let Bearer { token, grant: Grant::Any } = check_token(&self.tokens, token, peer).await? else {
            return Err(NotAdmitted::Bound);
        };
        let signers = self.tokens.signers().await;
        let now_s = self.now_s();
        let session = signers.open(token, SessionId(rand::random()), now_s);
        // It may have been withdrawn meanwhile.
        let session = session.filter(|_| self.tokens.has(token)).ok_or(NotAdmitted::Unknown)?;
        Ok((session, now_s))
    }
}

async fn check(State(sign_in): State<SignIn>, request: Request, next: Next) -> Response {
    sign_in.check(request, next).await
}

impl SignIn {
    /// Goes on where the request may read.
    pub(crate) async fn check(&self, request: Request, next: Next) -> Response {
        let peer = request.extensions().get::<Peer>().cloned();
        let admitted = match self.admit(request.headers(), peer.as_ref()).await {
            Ok(admitted) => admitted,
            Err(why) => return refusal(why.count(&self.metrics)).into_response(),
        };
        let own_host = if self.tokens.accept_none() { own_host::check(&request) } else { Ok(()) };
        if let Err(refusal) = own_host.and_then(|()| same_origin::check(&request)) {
            return refusal.into_response();
        }
        let token = admitted.token();
        authentication::admit_connection(peer.as_ref(), token);
        let renewed = self.renewed(&admitted, is_https(&request)).await;
        let mut response = next.run(request).await;
        if is_stream(&response) {
            response = until(self.tokens.withdrawal_of(token), response);
        }
        response.headers_mut().extend(renewed.map(|cookie| (header::SET_COOKIE, cookie)));
        response
    }
}

/// Whether an answer goes on for as long as its client wants.
fn is_stream(response: &Response) -> bool {
    let content_type = response.headers().get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok());
    content_type.is_some_and(|content_type| content_type.starts_with(EVENT_STREAM))
}

/// The same answer, which ends once its token is withdrawn.
fn until(withdrawn: CancellationToken, response: Response) -> Response {
    response.map(|body| Body::from_stream(body.into_data_stream().take_until(withdrawn.cancelled_owned())))
}

/// What who may not read is told.
fn refusal(why: NotAdmitted) -> Refusal {
    match why {
        NotAdmitted::Missing => {
            let message = "reading needs a token; send `Authorization: Bearer TOKEN`, or sign in on the page";
            Refusal::new(Code::Unauthorized, message)
        }
        why => why.refusal(),
    }
}

/// How the browser stands.
#[derive(Serialize, ToSchema)]
struct Standing {
    /// Whether this server wants a token at all.
    token_needed: bool,
    /// Whether this request may read.
    signed_in: bool,
    /// Of netqoe.
    version: &'static str,
}

/// A token that may read.
#[derive(Deserialize, ToSchema)]
struct Credentials {
    token: String,
}

/// Whether a token is needed, and whether this request has one or a session. Always answered.
#[utoipa::path(get, path = "/api/v1/session", tag = "session", responses((status = 200, body = Standing)))]
async fn session(State(sign_in): State<SignIn>, request: Request) -> impl IntoResponse {
    let (headers, peer) = (request.headers().clone(), request.extensions().get::<Peer>().cloned());
    let standing = Standing {
        token_needed: !sign_in.tokens.accept_none(),
        signed_in: sign_in.admit(&headers, peer.as_ref()).await.is_ok(),
        version: env!("CARGO_PKG_VERSION"),
    };
    ([(header::CACHE_CONTROL, "no-store")], Json(standing))
}

/// Opens a session: the cookie `netqoe_session` stands for the token wherever something is read, for a day after it was used
/// last, and for 30 days at most.
#[utoipa::path(post, path = "/api/v1/session", tag = "session", request_body = Credentials, responses(
    (status = 204, description = "Signed in", headers(("Set-Cookie" = String, description = "The session"))),
    (status = 400, description = "No token in the body", body = Refusal),
    (status = 401, description = "A wrong token, or one that is bound to clients", body = Refusal),
    (status = 408, description = "The body did not arrive in time", body = Refusal),
    (status = 429, description = "Too many wrong tokens from this address", body = Refusal),
    (status = 403, description = "Another site may have sent this", body = Refusal),
))]
async fn sign_in(State(sign_in): State<SignIn>, request: Request) -> Result<impl IntoResponse, Refusal> {
    same_origin::check(&request)?;
    let is_https = is_https(&request);
    let peer = request.extensions().get::<Peer>().cloned();
    let credentials: Result<Json<Credentials>, JsonRejection> = axum::RequestExt::extract(request).await;
    let Ok(Json(Credentials { token })) = credentials else {
        return Err(Refusal::new(Code::InvalidRequest, "send {\"token\": \"…\"} as Content-Type: application/json"));
    };
    let signed_in = sign_in.open(token.trim(), peer.as_ref()).await;
    let (session, now_s) = signed_in.map_err(|why| why.count(&sign_in.metrics).refusal())?;
    Ok((StatusCode::NO_CONTENT, [(header::SET_COOKIE, cookie_of(&session, now_s, is_https))]))
}

/// Ends the browser's session: before this process no copy of its cookie works any more; before others, and after a restart,
/// until it has not been used for a day.
#[utoipa::path(delete, path = "/api/v1/session", tag = "session", responses(
    (status = 204, description = "Signed out", headers(("Set-Cookie" = String, description = "That the cookie is gone"))),
    (status = 403, description = "Another site may have sent this", body = Refusal),
))]
async fn sign_out(State(sign_in): State<SignIn>, request: Request) -> Result<impl IntoResponse, Refusal> {
    same_origin::check(&request)?;
    let ended = sign_in.sessions(request.headers()).await;
    ended.iter().for_each(|Signed { session, .. }| sign_in.signed_out.lock().add(session, sign_in.now_s()));
    let is_https = is_https(&request);
    Ok((StatusCode::NO_CONTENT, [(header::SET_COOKIE, cookie("", 0, is_https))]))
}

fn cookie_of(session: &Session, now_s: i64, is_https: bool) -> String {
    cookie(&session.to_text(), session.left_s(now_s), is_https)
}

fn cookie(value: &str, max_age_s: i64, is_https: bool) -> String {
    let max_age = cookie::time::Duration::seconds(max_age_s);
    let cookie = Cookie::build((COOKIE, value)).http_only(true).same_site(SameSite::Strict).path("/").max_age(max_age);
    cookie.secure(is_https).to_string()
}

/// Whether the browser speaks TLS, with this server or with the proxy before it.
fn is_https(request: &Request) -> bool {
    let is_ours = request.extensions().get::<Peer>().is_some_and(|peer| peer.is_tls);
    let forwarded = request.headers().get("x-forwarded-proto").and_then(|value| value.to_str().ok());
    let forwarded = forwarded.and_then(|value| value.split(',').next()).map(str::trim);
    let scheme = forwarded.or(request.uri().scheme_str());
    is_ours || scheme.is_some_and(|scheme| scheme.eq_ignore_ascii_case("https"))
}

#[cfg(test)]
mod tests {
    use std::sync::mpsc::channel;
    use std::time::Duration;

    use axum::routing::get;
    use tower::ServiceExt as _;

    use super::*;
    use crate::SystemClock;

    /// Long enough for any machine.
    const PATIENCE: Duration = Duration::from_secs(30);

    /// Where requests wait for keys, none of them holds up the thread that serves, and who needs no key does not wait.
    #[tokio::test]
    async fn others_are_answered_while_the_keys_of_sessions_are_made() {
        let (make, may_make) = channel();
        let may_make = Mutex::new(may_make);
        let tokens = Tokens::parse("reads\nreads-too\nsends=client").unwrap().with_keys_by(move |digest| {
            may_make.lock().recv_timeout(PATIENCE).expect("keys are made by the thread that has to answer");
            *digest
        });
        let sign_in = SignIn::new(tokens.clone(), Metrics::new(), Arc::new(SystemClock::new()));
        let guarded = sign_in.guard(Router::new().route("/", get(|| async { "read" })));
        let routes = guarded.merge(sign_in.router().0);
        let ask = |request: http::request::Builder, body: &'static str| {
            let answer = routes.clone().oneshot(request.body(Body::from(body)).unwrap());
            async { answer.await.unwrap().status().as_u16() }
        };
        let session = Session::open(&crate::tokens::digest("reads-too"), SessionId([1; 16]), sign_in.now_s());
        let by_session = || ask(Request::get("/").header("cookie", format!("{COOKIE}={}", session.to_text())), "");
        let by_token = || ask(Request::get("/").header("authorization", "Bearer reads"), "");
        let signing_in = |body| ask(Request::post("/api/v1/session").header("content-type", "application/json"), body);

        let (first, second) = (tokio::spawn(by_session()), tokio::spawn(signing_in(r#"{"token":"reads"}"#)));
        tokio::task::yield_now().await;
        assert_eq!(by_token().await, 200);
        assert_eq!(signing_in(r#"{"token":"sends"}"#).await, 401, "it opens no session, and needs no key");
        assert!(!first.is_finished() && !second.is_finished());
        (0..2).for_each(|_| make.send(()).unwrap());
        assert_eq!((first.await.unwrap(), second.await.unwrap()), (200, 204));
        assert_eq!(by_session().await, 200, "keys are made once");
    }
}
