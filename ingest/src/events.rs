//! `POST /api/v1/events`: from a request to an answer.

use std::collections::HashMap;
use std::num::NonZeroU32;
use std::sync::Arc;

use axum::extract::{Extension, Request, State};
use axum::middleware::{self, Next};
use axum::response::{IntoResponse, Response};
use axum::{Json, Router};
use http::StatusCode;
use netqoe_eventlog::{AppendError, EventLog};
use netqoe_model::metrics::Metrics;
use netqoe_model::{Partition, TraceContext};
use netqoe_server::{Authentication, Bearer, Clock, Code, Outage, Refusal, TokenId, Tokens, for_senders};
use netqoe_trace::{Kind, Span, Tracer};
use tracing::Instrument;
use utoipa::openapi::{HttpMethod, OpenApi};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::IngestConfig;
use crate::answer::{BatchOutcome, BatchRefusal, Outcome, Refused, Stored};
use crate::batch::{Batch, Candidate, Parsed, Rules, parse};
use crate::body::{BodyReader, InFlight, WholeBody};
use crate::document::{ContentEncoding, NewEvents};
use crate::media::MediaType;
use crate::pairs::Pairs;
use crate::rate::shared::SharedLimits;
use crate::rate::{EventsTaken, RateLimits, Standing};
use crate::refusals::Refusals;
use crate::turned_away::{TurnedAway, Turnstile};

/// Bodies above this length, in bytes, are parsed on a thread of their own: parsing takes about a millisecond for each
/// 100 kB, and other requests wait meanwhile.
const OFFLOAD_BYTES: usize = 256 << 10;
/// When a client is to come back after the log did not take its events, in seconds.
const RETRY_AFTER_S: u64 = 1;

/// The API that takes events. Clones are the same one.
#[derive(Clone)]
pub struct Ingest {
    shared: Arc<Shared>,
}

struct Shared {
    log: Arc<dyn EventLog>,
    metrics: Metrics,
    authentication: Authentication,
    bodies: BodyReader,
    rates: Arc<RateLimits>,
    pairs: Pairs,
    turnstile: Turnstile,
    outage: Outage,
    config: IngestConfig,
    clock: Arc<dyn Clock>,
    tracer: Tracer,
}

impl Ingest {
    /// In front of this log. Requests have spans where `config` names a tracer.
    pub fn new(
        log: Arc<dyn EventLog>,
        metrics: Metrics,
        tokens: Tokens,
        config: IngestConfig,
        clock: Arc<dyn Clock>,
    ) -> Self {
        let shared = Shared {
            log,
            bodies: BodyReader::new(&config, &tokens),
            rates: Arc::new(RateLimits::new(&config, &tokens, Arc::clone(&clock))),
            authentication: Authentication::new(tokens, metrics.clone()),
            pairs: Pairs::new(&config, Arc::clone(&clock), metrics.clone()),
            turnstile: Turnstile::new(metrics.clone(), config.uncounted.clone(), Arc::clone(&clock)),
            metrics,
            outage: Outage::default(),
            tracer: config.tracer.clone(),
            config,
            clock,
        };
        Self { shared: Arc::new(shared) }
    }

    /// A pair of client and target was counted before this process began, and has its place among
    /// [`IngestConfig::max_pairs`].
    pub fn know_pair(&self, client_id: &str, target: &str) {
        self.shared.pairs.know(client_id, target);
    }

    /// Its part in the limits that several instances hold together, where it was made to
    /// [share](IngestConfig::shares_limits) them. `instance` is a name that no other instance has; `tokens` are those that it was made
    /// with.
    pub fn shared_limits(&self, instance: String, tokens: &Tokens) -> Option<SharedLimits> {
        let (rates, metrics) = (Arc::clone(&self.shared.rates), self.shared.metrics.clone());
        let untold = Arc::clone(rates.untold()?);
        Some(SharedLimits::new(rates, untold, tokens.clone(), instance, metrics))
    }

    /// Its routes and what they say of themselves, for [`assemble`](netqoe_server::assemble).
    pub fn router(&self) -> (Router, OpenApi) {
        let (routes, mut document) = OpenApiRouter::new()
            .routes(routes!(post_events))
            .routes(routes!(post_events_alias))
            .with_state(self.clone())
            .split_for_parts();
        document_alike(&mut document);
        let observed = middleware::from_fn_with_state(self.clone(), observe);
        (self.shared.authentication.guard(routes).route_layer(observed), for_senders(document))
    }
}

/// Takes one event, a JSON array of events, or one event a line. The answer comes once the log has stored them durably.
#[utoipa::path(
    post,
    path = "/api/v1/events",
    tag = "ingest",
    params(
        ("Content-Encoding" = inline(Option<ContentEncoding>), Header, description = "How the body is compressed"),
    ),
    request_body(
        description = "One event of version 1, an array of them, or one a line",
        content(
            (NewEvents = "application/json", example = json!({
                "schema_version": 1,
                "event_id": "550e8400-e29b-41d4-a716-446655440000",
                "client_id": "probe-001",
                "ts_ms": 1_703_347_200_000_i64,
                "target": "https://api.example.com/",
                "network_context": {"network_type": "wifi", "isp": "Example ISP"},
                "client_labels": {"team": "core"},
                "target_labels": {"service": "shop"},
                "timing_measurements": {
                    "dns_ms": 15.3, "tcp_ms": 25.7, "tls_ms": 45.2, "ttfb_ms": 125.8, "throughput_mbps": 95.4
                },
                "error_stage": null
            })),
            (String = "application/x-ndjson"),
            (String = "application/jsonl"),
        ),
    ),
    responses(
        (status = 200, description = "Stored durably: `Stored` for one event; for a batch `BatchOutcome`, where at least one event was",
            body = Outcome),
        (status = 400, description = "Not an event; for a batch, none was accepted", body = Refused),
        (status = 401, description = "No token, a wrong one, or one that is bound to other clients", body = Refusal),
        (status = 403, description = "Without tokens: a page of another site has sent this", body = Refusal),
        (status = 408, description = "The body came too slowly", body = Refusal),
        (status = 413, description = "The body is too large after decompression", body = Refusal),
        (status = 415, description = "Neither JSON nor lines of it, or an unknown compression", body = Refusal),
        (status = 429, description = "The client is above its rate of requests or of events, or too many wrong tokens came (`rate_limit_exceeded`), or the target would be one more than it or the server may have (`too_many_pairs`), or is new while the server has no memory for it (`memory_exceeded`); see Retry-After", body = Refusal),
        (status = 503, description = "The log can't take events now; see Retry-After", body = Refusal),
    ),
)]
async fn post_events(ingest: State<Ingest>, bearer: Extension<Bearer>, request: Request) -> Response {
    let mut span = ingest.shared.span(&request);
    let taken = ingest.shared.take(bearer.0, request, &mut span).await;
    let mut response = taken.unwrap_or_else(|turned_away| {
        ingest.shared.turnstile.turned_away(&turned_away);
        Refused::One(turned_away.refusal).into_response()
    });
    response.extensions_mut().insert(LetIn);
    span.set_count("http.response.status_code", response.status().as_u16().into());
    if response.status().is_server_error() {
        span.fail("the events were not taken");
    }
    response
}

/// Marks the answer to a request whose sender may send: what was refused of it is counted.
#[derive(Clone, Copy)]
struct LetIn;

/// The same under a shorter name.
#[utoipa::path(
    post,
    path = "/events",
    tag = "ingest",
    responses((status = 200)),
)]
async fn post_events_alias(ingest: State<Ingest>, bearer: Extension<Bearer>, request: Request) -> Response {
    post_events(ingest, bearer, request).await
}

/// Says of the shorter name what is said of the route.
fn document_alike(document: &mut OpenApi) {
    let route = document.paths.get_path_operation("/api/v1/events", HttpMethod::Post).cloned();
    let alias = document.paths.paths.get_mut("/events").and_then(|path| path.post.as_mut());
    if let (Some(alias), Some(route)) = (alias, route) {
        let own = std::mem::replace(alias, route);
        (alias.summary, alias.description, alias.operation_id) = (own.summary, own.description, own.operation_id);
    }
}

/// Counts a request and the time that it takes; everything that is logged meanwhile is within its span.
async fn observe(State(ingest): State<Ingest>, request: Request, next: Next) -> Response {
    let shared = &ingest.shared;
    let started = shared.clock.elapsed();
    let response = next.run(request).instrument(tracing::info_span!("ingest")).await;
    let status = response.status();
    shared.metrics.ingest_duration.observe(shared.clock.elapsed().saturating_sub(started).as_secs_f64());
    shared.metrics.ingest_requests.with_label_values(&[status.as_str()]).inc();
    if status.is_client_error() || status.is_server_error() {
        shared.metrics.ingest_errors.inc();
    }
    if response.extensions().get::<LetIn>().is_none()
        && let Some(code) = not_let_in(status)
    {
        shared.turnstile.not_let_in(code);
    }
    response
}

/// Why a request was answered before anybody looked for events in it.
fn not_let_in(status: StatusCode) -> Option<Code> {
    [Code::Unauthorized, Code::Forbidden, Code::RateLimitExceeded].into_iter().find(|code| code.status() == status)
}

impl Shared {
    /// Of a request whose sender may send: nobody else decides what is recorded.
    fn span(&self, request: &Request) -> Span {
        if !self.tracer.is_on() {
            return Span::default();
        }
        let mut span = self.tracer.start("POST /api/v1/events", Kind::Server, parent(request.headers()));
        span.set_text("http.request.method", "POST");
        span.set_text("http.route", "/api/v1/events");
        span
    }

    async fn take(&self, bearer: Bearer, request: Request, span: &mut Span) -> Result<Response, TurnedAway> {
        let Bearer { token, grant } = bearer;
        let media_type = MediaType::of(request.headers())?;
        let (head, body) = request.into_parts();
        let body = self.bodies.read(token, &head.headers, body).await?;
        span.set_count("netqoe.bytes", body.bytes.len() as u64);
        let recv_ts_ms = self.clock.now_ms();
        let rules = Rules { grant, recv_ts_ms, max_future_ms: self.config.max_future_ms };
        let (parsed, _in_flight) = parse_aside(media_type, body, rules).await?;
        match parsed {
            Parsed::One { event_id, event } => {
                let standing = self.rates.take(token, &event.client_id);
                let claim = event.claim();
                let stored = self.store_one(token, standing, event, span).await;
                if let Err(refusal) = &stored {
                    self.turnstile.turned_away(&TurnedAway { refusal: refusal.clone(), events: 1, claim });
                }
                let answer = stored.map(|()| Json(Outcome::One(Stored { status: "ok", event_id, recv_ts_ms })));
                Ok((standing.headers(), answer).into_response())
            }
            Parsed::Batch(batch) => self.store_batch(token, batch, recv_ts_ms, span).await,
        }
    }

    async fn store_one(
        &self,
        token: TokenId,
        standing: Standing,
        event: Candidate,
        span: &mut Span,
    ) -> Result<(), Refusal> {
        let one = || self.rates.take_events(token, &event.client_id, NonZeroU32::MIN);
        if let Some(refusal) = above_rate(standing).or_else(|| above_event_rate(one())) {
            self.metrics.ingest_rate_limited.inc();
            return Err(refusal);
        }
        self.pairs.admit(&event.client_id, &event.target)?;
        self.append(vec![event], span).await
    }

    async fn store_batch(
        &self,
        token: TokenId,
        batch: Batch,
        recv_ts_ms: i64,
        span: &mut Span,
    ) -> Result<Response, TurnedAway> {
        let Batch { candidates, mut refused } = batch;
        let Admitted { events, above_rate, first_above_rate, without_place } = self.admit(token, candidates);
        refused.merge(above_rate);
        refused.merge(without_place);
        self.turnstile.left_out(&refused);
        let accepted = events.len() as u64;
        tracing::debug!(accepted, rejected = refused.count, "batch");
        if accepted == 0 {
            let refusal = BatchRefusal::new(refused, recv_ts_ms);
            let headers = match refusal.status() {
                StatusCode::TOO_MANY_REQUESTS => {
                    first_above_rate.map(|standing| standing.headers()).unwrap_or_default()
                }
                _ => http::HeaderMap::new(),
            };
            return Ok((headers, Refused::Batch(refusal)).into_response());
        }
        let claim = events.first().map(Candidate::claim).unwrap_or_default();
        let turned_away = |refusal| TurnedAway { refusal, events: accepted, claim };
        self.append(events, span).await.map_err(turned_away)?;
        Ok(Json(Outcome::Batch(BatchOutcome::new(accepted, refused, recv_ts_ms))).into_response())
    }

    /// Leaves out the events of clients that are above their rates, and of pairs that would be too many. A batch costs each
    /// client in it one request, and each of its events one event, so that a probe can send what it had to keep and nobody
    /// can send without end.
    fn admit(&self, token: TokenId, candidates: Vec<Candidate>) -> Admitted {
        let mut shares: HashMap<String, ClientShare> = HashMap::new();
        for event in &candidates {
            match shares.get_mut(&event.client_id) {
                Some(share) => share.events = share.events.saturating_add(1),
                None => _ = shares.insert(event.client_id.clone(), ClientShare::of_one_event()),
            }
        }
        for (client_id, share) in &mut shares {
            share.take(&self.rates, token, client_id);
        }
        let mut admitted = Admitted::default();
        for event in candidates {
            let Some(share) = shares.get_mut(&event.client_id) else { continue };
            match share.next() {
                None => match self.pairs.admit(&event.client_id, &event.target) {
                    Ok(()) => admitted.events.push(event),
                    Err(refusal) => admitted.without_place.push(event.index, refusal, || event.claim()),
                },
                Some(refusal) => {
                    admitted.first_above_rate = admitted.first_above_rate.or(share.standing);
                    admitted.above_rate.push(event.index, refusal, || event.claim());
                }
            }
        }
        self.metrics.ingest_rate_limited.inc_by(admitted.above_rate.count);
        admitted
    }

    /// Returns once the log has stored them all durably.
    async fn append(&self, events: Vec<Candidate>, span: &mut Span) -> Result<(), Refusal> {
        let count = events.len() as u64;
        span.set_count("netqoe.events", count);
        let partitions = self.log.identity().partitions;
        let lines = events.into_iter().map(|event| (Partition::of(&event.client_id, partitions), event.line)).collect();
        match tokio::time::timeout(self.config.write_timeout, self.log.append_traced(lines, span.sampled())).await {
            Ok(Ok(_)) => {
                self.metrics.queue_published.inc_by(count);
                if let Some(refused) = self.outage.succeeded(self.clock.elapsed()) {
                    tracing::info!("the log takes events again; {refused} requests were refused meanwhile");
                }
                Ok(())
            }
            Ok(Err(error)) => Err(self.refused_by_log(&error)),
            Err(_) => {
                self.say_refused(&format!("it did not answer within {:?}", self.config.write_timeout));
                let message = "the log did not store the events in time; send them again, copies are counted once";
                Err(Refusal::new(Code::ServiceUnavailable, message).retry_after(RETRY_AFTER_S))
            }
        }
    }

    /// What a client may know of why the log did not take its events; the rest is for the server's own log.
    fn refused_by_log(&self, error: &AppendError) -> Refusal {
        let message = match error {
            AppendError::TooLarge { .. } => return Refusal::new(Code::PayloadTooLarge, error.to_string()),
            AppendError::Closed => error.to_string().into(),
            AppendError::Full => {
                self.say_refused(&error.to_string());
                error.to_string().into()
            }
            _ => {
                self.say_refused(&error.to_string());
                "the log can't store events at the moment; send again later".into()
            }
        };
        Refusal { error: Code::ServiceUnavailable, message, retry_after_s: Some(RETRY_AFTER_S) }
    }

    fn say_refused(&self, why: &str) {
        if let Some(refused) = self.outage.failed(self.clock.elapsed()) {
            tracing::error!("the log does not take events, {refused} requests are refused so far: {why}");
        }
    }
}

/// The events of a batch whose clients may send.
#[derive(Default)]
struct Admitted {
    events: Vec<Candidate>,
    above_rate: Refusals,
    first_above_rate: Option<Standing>,
    /// Of targets that are one too many.
    without_place: Refusals,
}

/// What a client may send of its events in a batch.
struct ClientShare {
    events: u32,
    standing: Option<Standing>,
    taken: EventsTaken,
}

impl ClientShare {
    fn of_one_event() -> Self {
        Self { events: 1, standing: None, taken: EventsTaken { count: 0, retry_after_s: None } }
    }

    fn take(&mut self, rates: &RateLimits, token: TokenId, client_id: &String) {
        let standing = rates.take(token, client_id);
        self.standing = Some(standing);
        if let (None, Some(events)) = (standing.retry_after_s, NonZeroU32::new(self.events)) {
            self.taken = rates.take_events(token, client_id, events);
        }
    }

    /// Why the client's next event is refused, where it is.
    fn next(&mut self) -> Option<Refusal> {
        if let Some(refusal) = self.standing.and_then(above_rate) {
            return Some(refusal);
        }
        match self.taken.count.checked_sub(1) {
            Some(left) => {
                self.taken.count = left;
                None
            }
            None => above_event_rate(self.taken),
        }
    }
}

fn above_rate(standing: Standing) -> Option<Refusal> {
    let message = "this client is above its rate; wait as Retry-After says, and send several events in one request";
    Some(Refusal::new(Code::RateLimitExceeded, message).retry_after(standing.retry_after_s?))
}

fn above_event_rate(taken: EventsTaken) -> Option<Refusal> {
    let message = "this client is above its rate of events; wait as Retry-After says, and send fewer of them";
    Some(Refusal::new(Code::RateLimitExceeded, message).retry_after(taken.retry_after_s?))
}

/// The span that a request says it follows from. A header that is malformed, or there twice, says nothing.
fn parent(headers: &http::HeaderMap) -> Option<TraceContext> {
    let mut values = headers.get_all(TraceContext::HEADER).iter();
    let (value, None) = (values.next()?, values.next()) else { return None };
    value.to_str().ok()?.parse().ok()
}

/// Parses where it holds up nobody. What is in memory counts as in flight until the events are stored.
async fn parse_aside(media_type: MediaType, body: WholeBody, rules: Rules) -> Result<(Parsed, InFlight), TurnedAway> {
    let WholeBody { bytes, in_flight } = body;
    if bytes.len() <= OFFLOAD_BYTES {
        return Ok((parse(media_type, &bytes, &rules)?, in_flight));
    }
    // The memory stays held where the client leaves meanwhile: parsing does not stop.
    let parsing = tokio::task::spawn_blocking(move || Ok((parse(media_type, &bytes, &rules)?, in_flight)));
    parsing.await.unwrap_or_else(|error| {
        tracing::error!(%error, "a body was not parsed");
        let message = "the server is stopping; send again once it is back";
        Err(Refusal::new(Code::ServiceUnavailable, message).retry_after(RETRY_AFTER_S).into())
    })
}
