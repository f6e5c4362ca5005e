//! Publishers beside ingest: events as single messages, written in their own ways, and what no parser reads; each
//! message with an id, and some of them twice.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::JoinHandle;
use std::time::Duration;

use async_nats::jetstream::Context;
use async_nats::jetstream::message::PublishMessage;
use rand::RngExt;
use tokio::time::{sleep, timeout};

use super::events::Events;
use super::load::Sent;
use crate::support::now_ms;

/// Between two messages.
const PAUSE_MS: std::ops::Range<u64> = 50..200;
/// How long a confirmation may take before the message is sent again.
const CONFIRMATION_WAIT: Duration = Duration::from_secs(2);
/// Longer than the server knows a message's id.
const AFTER_THE_WINDOW: Duration = Duration::from_millis(1_200);
/// What no parser reads.
const POISON: [&[u8]; 5] = [b"{\"event_id\":", b"\xff\xfe\x00", b"[1,2]", b"{\"schema_version\":9}", b"no JSON at all"];
/// Where it goes. The client decides whose an event is, also where the subject says something else.
const SUBJECTS: [&str; 5] =
    ["telemetry.events", "telemetry.events.0", "telemetry.events.7", "telemetry.events.99", "telemetry.events.x"];

/// When a message is published once more.
enum Copy {
    Never,
    AtOnce,
    Later,
}

/// Publishes until it is over.
pub(super) fn start(events: Events, nats_urls: String, over: Arc<AtomicBool>) -> JoinHandle<Sent> {
    std::thread::spawn(move || {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(publish(events, &nats_urls, &over))
    })
}

async fn publish(mut events: Events, nats_urls: &str, over: &AtomicBool) -> Sent {
    let servers: Vec<_> = nats_urls.split(',').collect();
    let client = async_nats::ConnectOptions::new().retry_on_initial_connect().connect(servers).await.unwrap();
    let jetstream = async_nats::jetstream::new(client);
    let mut sent = Sent::default();
    for number in 0.. {
        if over.load(Ordering::SeqCst) {
            break;
        }
        let (subject, body, id) = message(&mut events);
        let copy = match events.rng().random_range(0..10) {
            0 | 1 => Copy::AtOnce,
            2 => Copy::Later,
            _ => Copy::Never,
        };
        let message_id = format!("others-{number}");
        confirmed(&jetstream, subject, &message_id, &body, &mut sent).await;
        match copy {
            Copy::Never => {}
            Copy::AtOnce => confirmed(&jetstream, subject, &message_id, &body, &mut sent).await,
            Copy::Later => {
                sleep(AFTER_THE_WINDOW).await;
                confirmed(&jetstream, subject, &message_id, &body, &mut sent).await;
            }
        }
        sent.acknowledged.extend(id);
        sleep(Duration::from_millis(events.rng().random_range(PAUSE_MS))).await;
    }
    sent
}

/// A subject, a body, and the id of the event in it where there is one.
fn message(events: &mut Events) -> (&'static str, Vec<u8>, Option<String>) {
    let subject = SUBJECTS[events.rng().random_range(0..SUBJECTS.len())];
    if events.rng().random_bool(0.15) {
        return (subject, POISON[events.rng().random_range(0..POISON.len())].to_vec(), None);
    }
    let event = events.event(now_ms());
    let id = event["event_id"].as_str().map(str::to_owned);
    let body = if events.rng().random_bool(0.3) { format!("{event:#}\n") } else { event.to_string() };
    (subject, body.into_bytes(), id)
}

/// Publishes a message until the server confirms it.
async fn confirmed(jetstream: &Context, subject: &str, message_id: &str, body: &[u8], sent: &mut Sent) {
    loop {
        let message = PublishMessage::build().message_id(message_id).payload(body.to_vec().into());
        let publishing = async { jetstream.send_publish(subject.to_owned(), message).await?.await };
        // One at position 0 is known and not stored.
        if let Ok(Ok(confirmation)) = timeout(CONFIRMATION_WAIT, publishing).await
            && confirmation.sequence > 0
        {
            sent.published += 1;
            sent.known_by_id += u64::from(confirmation.duplicate);
            return;
        }
        sleep(Duration::from_millis(100)).await;
    }
}
