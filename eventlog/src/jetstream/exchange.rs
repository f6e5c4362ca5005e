//! What the instances of a cluster tell each other, in a bucket of NATS's key-value store. It is no log: what is not heard at once
//! is gone.

use std::error::Error;
use std::time::Duration;

use async_nats::jetstream::kv::Store;
use async_nats::jetstream::stream::{Config, DiscardPolicy, StorageType};
use futures::StreamExt;
use tokio::runtime::Handle;
use tokio::sync::mpsc::{Receiver, Sender, channel, error::TrySendError};

use super::connect::{Connection, with_sources};
use super::source::Source;

/// How long the server may take to take a message, before the bucket is looked for anew.
const PATIENCE: Duration = Duration::from_secs(1);
/// How soon it is tried again.
const AGAIN_AFTER: Duration = Duration::from_secs(1);
/// Messages of an instance that the bucket keeps, so that none is gone before it was handed to all.
const HISTORY: i64 = 8;
/// How long it keeps them: those of an instance that has ended are gone then.
const KEPT: Duration = Duration::from_secs(60);
/// Memory of the server that the bucket may take.
const MAX_BYTES: i64 = 32 << 20;
/// Messages that wait here to be told: older ones are worth less than new ones.
const WAITING_TOLD: usize = 1;
/// Messages that wait here to be heard: one of each of so many instances.
const WAITING_HEARD: usize = 256;

/// The two ends of what instances tell each other. It ends with them.
pub struct Exchange {
    /// Takes what all instances hear, this one as well. It is full where the server takes nothing.
    pub tell: Sender<Vec<u8>>,
    /// What any instance tells.
    pub heard: Receiver<Vec<u8>>,
}

pub(super) fn start(source: Source, instance: String, runtime: &Handle) -> Exchange {
    let (tell, told) = channel(WAITING_TOLD);
    let (hear, heard) = channel(WAITING_HEARD);
    runtime.spawn(run(source, instance, told, hear));
    Exchange { tell, heard }
}

async fn run(source: Source, instance: String, mut told: Receiver<Vec<u8>>, hear: Sender<Vec<u8>>) {
    let mut is_away = false;
    loop {
        let Err(reason) = pass_on(&source, &instance, &mut told, &hear, &mut is_away).await else { return };
        if !std::mem::replace(&mut is_away, true) {
            tracing::warn!("instances can't tell each other anything through NATS: {reason}; it is tried again");
        }
        tokio::time::sleep(AGAIN_AFTER).await;
    }
}

/// Passes messages on in both directions, until nobody has the other ends any more.
async fn pass_on(
    source: &Source,
    instance: &str,
    told: &mut Receiver<Vec<u8>>,
    hear: &Sender<Vec<u8>>,
    was_away: &mut bool,
) -> Result<(), String> {
    let connection = &source.connection;
    let link = connection.connected().await;
    let store = tokio::time::timeout(PATIENCE, bucket(source)).await.map_err(|_| no_answer())??;
    let mut watch = store.watch_all().await.map_err(|error| with_sources(&error))?;
    loop {
        tokio::select! {
            message = told.recv() => {
                let Some(message) = message else { return Ok(()) };
                let put = tokio::time::timeout(PATIENCE, store.put(instance, message.into())).await;
                put.map_err(|_| no_answer())?.map_err(|error| with_sources(&error))?;
                if std::mem::take(was_away) {
                    tracing::info!("instances tell each other again what they let through");
                }
            }
            entry = watch.next() => {
                let entry = entry.ok_or("the bucket is no longer watched")?.map_err(|error| with_sources(&error))?;
                if let Err(TrySendError::Closed(_)) = hear.try_send(entry.value.into()) {
                    return Ok(());
                }
            }
            () = connection.lost(link.made) => return Err(lost(connection)),
        }
    }
}

/// The bucket of the log's instances, which the first of them makes.
async fn bucket(source: &Source) -> Result<Store, String> {
    let jetstream = &source.connection.jetstream;
    let stream = &source.stream.cached_info().config;
    let name = name(&stream.name);
    if let Ok(store) = jetstream.get_key_value(&name).await {
        return Ok(store);
    }
    // As the client library makes it, which asks for the account first, and can't read what older servers answer.
    let config = Config {
        name: format!("KV_{name}"),
        subjects: vec![format!("$KV.{name}.>")],
        description: Some("what instances of netqoe ingest tell each other".to_owned()),
        max_messages_per_subject: HISTORY,
        max_age: KEPT,
        duplicate_window: KEPT,
        max_bytes: MAX_BYTES,
        storage: StorageType::Memory,
        num_replicas: stream.num_replicas,
        discard: DiscardPolicy::Old,
        allow_rollup: true,
        deny_delete: true,
        allow_direct: true,
        ..Config::default()
    };
    let why = |error: &(dyn Error + 'static)| {
        format!("there is no bucket {name}, and it can't be made: {}", with_sources(error))
    };
    jetstream.create_stream(config).await.map_err(|error| why(&error))?;
    jetstream.get_key_value(&name).await.map_err(|error| why(&error))
}

/// The bucket's name: of the stream's, what a bucket may have in its name.
fn name(stream: &str) -> String {
    let allowed = |c: char| if c.is_ascii_alphanumeric() || c == '_' || c == '-' { c } else { '_' };
    stream.chars().map(allowed).chain("_instances".chars()).collect()
}

fn no_answer() -> String {
    format!("the server did not answer within {PATIENCE:?}")
}

fn lost(connection: &Connection) -> String {
    format!("the connection to NATS at {} is lost", connection.servers)
}
