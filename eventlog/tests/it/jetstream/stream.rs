//! The stream: made, used as it is, and known again.

use netqoe_eventlog::Difference;

use super::*;

#[test]
fn a_stream_is_made_as_the_options_say_and_found_again() {
    let mut nats = NatsServer::start().unwrap();
    let log =
        JetStreamLog::open(JetStreamOptions { stream: StreamOptions::default(), ..options(&nats.url()) }).unwrap();
    let identity = log.identity().clone();
    assert_eq!((identity.partitions.get(), log.differences()), (16, &[][..]));
    let other = Other::connect(&nats);
    let config = other.stream().cached_info().config.clone();
    assert_eq!(config.description.as_deref(), Some("netqoe log, 16 partitions"));
    assert_eq!(config.subjects, ["telemetry.events", "telemetry.events.*"]);
    let limits = (config.max_messages, config.max_bytes, config.max_message_size, config.max_age.as_secs());
    assert_eq!(limits, (10_000_000, 10 << 30, 1 << 20, 604_800));
    drop(log);
    nats.restart().unwrap();
    let log = open(&nats);
    assert_eq!(log.identity(), &identity, "the number of partitions is the stream's own, not that of the options");
    let differs = Difference { setting: "partitions", wanted: "4".to_owned(), found: "16".to_owned() };
    assert_eq!(log.differences(), [differs]);
}

#[test]
fn another_stream_is_used_as_it_is() {
    let nats = NatsServer::start().unwrap();
    let other = Other::connect(&nats);
    let made = jetstream::stream::Config {
        name: "telemetry-events".to_owned(),
        description: Some("made by hand".to_owned()),
        subjects: vec!["telemetry.events".to_owned(), "more.of.it".to_owned()],
        max_messages: 1_000,
        max_messages_per_subject: 999,
        discard: jetstream::stream::DiscardPolicy::New,
        ..Default::default()
    };
    other.runtime.block_on(other.jetstream.create_stream(made)).unwrap();
    other.publish("telemetry.events", "{\"before\":1}");
    let log = open(&nats);
    let differs: Vec<_> = log.differences().iter().map(ToString::to_string).collect();
    assert_eq!(
        differs,
        [
            "max_age is 0ns, not 604800s",
            "max_msgs is 1000, not 10000000",
            "max_bytes is -1, not 10737418240",
            "max_msg_size is -1, not 1048576",
            "discard is New, not Old",
        ]
    );
    append(&log, 3, "{\"after\":1}").unwrap();
    let chunks = read(&mut *reader(&log, [0, 3]), 2);
    assert_eq!(texts(&chunks), [(Some(0), 1, "{\"before\":1}"), (Some(3), 2, "{\"after\":1}\n")]);
    let config = other.stream().cached_info().config.clone();
    assert_eq!(config.subjects, ["telemetry.events", "more.of.it", "telemetry.events.*"]);
    assert_eq!(config.description.as_deref(), Some("made by hand; netqoe log, 4 partitions"));
    assert_eq!((config.max_messages, config.max_messages_per_subject), (1_000, 999));
}

#[test]
fn a_stream_that_forgets_what_was_acknowledged_is_refused() {
    let nats = NatsServer::start().unwrap();
    let other = Other::connect(&nats);
    let made = jetstream::stream::Config {
        name: "telemetry-events".to_owned(),
        retention: jetstream::stream::RetentionPolicy::WorkQueue,
        ..Default::default()
    };
    other.runtime.block_on(other.jetstream.create_stream(made)).unwrap();
    let error = JetStreamLog::open(options(&nats.url())).err().unwrap().to_string();
    assert!(error.starts_with("can't use stream telemetry-events: its retention policy WorkQueue"), "{error}");
}

#[test]
fn processes_that_start_together_agree() {
    let nats = NatsServer::start().unwrap();
    let opening = [4, 8, 4, 16].map(|partitions| {
        let mut options = options(&nats.url());
        options.stream.partitions = NonZeroU16::new(partitions).unwrap();
        std::thread::spawn(move || JetStreamLog::open(options).unwrap().identity().clone())
    });
    let identities = opening.map(|thread| thread.join().unwrap());
    assert!(identities.iter().all(|identity| *identity == identities[0]), "{identities:?}");
}
