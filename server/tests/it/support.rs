//! A server with a route for those that may send and one for those that may read, on a clock that stands still.

use std::net::{Ipv4Addr, SocketAddr};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use axum::body::Body;
use axum::extract::State;
use axum::routing::{get, post};
use axum::{Json, Router};
use netqoe_model::metrics::Metrics;
use netqoe_server::{Authentication, OperationsAccess, SignIn, Tokens, assemble};
use serde_json::{Value, json};

pub(crate) use crate::shared::*;

/// A route for whoever may send. It keeps what is sent.
pub(crate) const SENDING: &str = "/sending";
/// A route for whoever may read.
pub(crate) const READING: &str = "/reading";
pub(crate) const JSON: (&str, &str) = ("content-type", "application/json");

/// When the sending route answers.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) enum Answering {
    #[default]
    AtOnce,
    After(Duration),
    Never,
}

/// What the sending route has been sent, and how it answers.
#[derive(Default)]
pub(crate) struct Receiver {
    pub(crate) kept: Mutex<Vec<String>>,
    pub(crate) answering: Mutex<Answering>,
}

/// The routes of a server with everything that they touch.
pub(crate) struct Api {
    pub(crate) router: Router,
    pub(crate) receiver: Arc<Receiver>,
    pub(crate) clock: Arc<HandClock>,
    pub(crate) metrics: Metrics,
}

impl Api {
    /// Without tokens, on loopback.
    pub(crate) fn new() -> Self {
        Self::with(Tokens::none_on_loopback())
    }

    pub(crate) fn with_tokens(text: &str) -> Self {
        Self::with(Tokens::parse(text).unwrap())
    }

    fn with(tokens: Tokens) -> Self {
        Self::at(SocketAddr::from((Ipv4Addr::LOCALHOST, 8081)), tokens)
    }

    /// One that listens there.
    pub(crate) fn at(address: SocketAddr, tokens: Tokens) -> Self {
        let (receiver, clock, metrics) =
            (Arc::new(Receiver::default()), Arc::new(HandClock::default()), Metrics::new());
        let sign_in = SignIn::new(tokens.clone(), metrics.clone(), Arc::clone(&clock) as _);
        let sending = Router::new().route(SENDING, post(take)).with_state(Arc::clone(&receiver));
        let sending = Authentication::new(tokens, metrics.clone()).guard(sending);
        let reading = Router::new().route(READING, get(|| async { "read" }).post(|| async { "changed" }));
        let reading = sign_in.guard(reading);
        let parts = [sign_in.router(), (sending, Default::default()), (reading, Default::default())];
        let access = OperationsAccess::at(address, sign_in);
        let router = assemble(parts, metrics.clone(), Vec::new(), access);
        Self { router, receiver, clock, metrics }
    }

    /// What was sent and answered by 200.
    pub(crate) fn kept(&self) -> Vec<String> {
        self.receiver.kept.lock().unwrap().clone()
    }

    /// Posts to the sending route.
    pub(crate) async fn post(&self, headers: &[(&str, &str)], body: impl Into<Body>) -> Answer {
        self.send("POST", SENDING, headers, body).await
    }

    pub(crate) async fn send(
        &self,
        method: &str,
        path: &str,
        headers: &[(&str, &str)],
        body: impl Into<Body>,
    ) -> Answer {
        send(&self.router, method, path, headers, body).await
    }
}

async fn take(State(receiver): State<Arc<Receiver>>, body: String) -> Json<Value> {
    let answering = *receiver.answering.lock().unwrap();
    match answering {
        Answering::AtOnce => {}
        Answering::After(pause) => tokio::time::sleep(pause).await,
        Answering::Never => std::future::pending().await,
    }
    receiver.kept.lock().unwrap().push(body);
    Json(json!({ "status": "ok" }))
}

/// Access to the operational routes of a server without tokens that listens on loopback.
pub(crate) fn open_access() -> OperationsAccess {
    let sign_in = SignIn::new(Tokens::none_on_loopback(), Metrics::new(), Arc::new(HandClock::default()));
    OperationsAccess::at(SocketAddr::from((Ipv4Addr::LOCALHOST, 8081)), sign_in)
}
