//! Where the process spends its time and its memory: `/debug/pprof/profile` and `/debug/pprof/heap`.
//!
//! Decision: D-093.

use std::ops::RangeInclusive;
use std::sync::Arc;
use std::time::Duration;

use anyhow::Context;
use axum::extract::rejection::QueryRejection;
use axum::extract::{Query, State};
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use axum::{Json, Router};
use netqoe_profile::{CpuProfiler, ProfileError};
use serde::Deserialize;
use serde_json::json;
use tokio::sync::Semaphore;

/// How long a profile of the CPU takes, in seconds: longer ones would be cut off, since a connection that nothing moves on is closed
/// after two minutes.
const SECONDS: RangeInclusive<u64> = 1..=60;
/// As Go's programs have it.
const DEFAULT_SECONDS: u64 = 30;

/// Takes profiles, one at a time.
#[derive(Clone)]
pub(super) struct Profiles(Arc<Shared>);

struct Shared {
    cpu: CpuProfiler,
    #[cfg(feature = "heap-profile")]
    heap: netqoe_profile::HeapProfiler,
    /// For whoever takes one: each costs memory and time.
    turn: Semaphore,
}

impl Profiles {
    pub(super) fn new() -> anyhow::Result<Self> {
        let with_option = "--pprof can't be used";
        Ok(Self(Arc::new(Shared {
            cpu: CpuProfiler::new().context(with_option)?,
            #[cfg(feature = "heap-profile")]
            heap: netqoe_profile::HeapProfiler::new().context(with_option)?,
            turn: Semaphore::new(1),
        })))
    }

    pub(super) fn routes(self) -> Router {
        Router::new()
            .route("/debug/pprof/profile", get(of_cpu))
            .route("/debug/pprof/heap", get(of_heap))
            .with_state(self)
    }
}

#[derive(Deserialize)]
struct Asked {
    seconds: Option<u64>,
}

async fn of_cpu(State(Profiles(profiles)): State<Profiles>, asked: Result<Query<Asked>, QueryRejection>) -> Response {
    let seconds = asked.ok().map(|Query(asked)| asked.seconds.unwrap_or(DEFAULT_SECONDS));
    let Some(seconds) = seconds.filter(|seconds| SECONDS.contains(seconds)) else {
        let message = format!("give seconds from {} to {}", SECONDS.start(), SECONDS.end());
        return refusal(StatusCode::BAD_REQUEST, "invalid_request", &message);
    };
    let Ok(_turn) = profiles.turn.try_acquire() else { return is_busy() };
    let sampling = match profiles.cpu.start() {
        Ok(sampling) => sampling,
        Err(error) => return failed(&error),
    };
    tracing::info!("a profile of the CPU is taken for {seconds} s");
    tokio::time::sleep(Duration::from_secs(seconds)).await;
    answer("profile", move || sampling.finish()).await
}

#[cfg(feature = "heap-profile")]
async fn of_heap(State(Profiles(profiles)): State<Profiles>) -> Response {
    let Ok(_turn) = profiles.turn.try_acquire() else { return is_busy() };
    tracing::info!("a profile of the heap is taken");
    let taken = Arc::clone(&profiles);
    answer("heap", move || taken.heap.take()).await
}

#[cfg(not(feature = "heap-profile"))]
async fn of_heap() -> Response {
    let message = "this netqoe can't tell who holds memory; build one that can with `--features heap-profile`";
    refusal(StatusCode::NOT_IMPLEMENTED, "not_implemented", message)
}

/// What is made on a thread that may take its time.
async fn answer(name: &str, make: impl FnOnce() -> Result<Vec<u8>, ProfileError> + Send + 'static) -> Response {
    match tokio::task::spawn_blocking(make).await {
        Ok(Ok(profile)) => {
            let file = format!("attachment; filename=\"{name}.pb.gz\"");
            let headers =
                [(header::CONTENT_TYPE, "application/octet-stream".to_owned()), (header::CONTENT_DISPOSITION, file)];
            (headers, profile).into_response()
        }
        Ok(Err(error)) => failed(&error),
        Err(_) => {
            refusal(StatusCode::INTERNAL_SERVER_ERROR, "internal_error", "the profile was not finished; ask again")
        }
    }
}

fn is_busy() -> Response {
    refusal(StatusCode::CONFLICT, "profile_in_progress", "another profile is being taken; ask again when it is done")
}

fn failed(error: &ProfileError) -> Response {
    tracing::warn!("{error}");
    refusal(StatusCode::SERVICE_UNAVAILABLE, "service_unavailable", &error.to_string())
}

fn refusal(status: StatusCode, error: &str, message: &str) -> Response {
    (status, Json(json!({ "error": error, "message": message }))).into_response()
}
