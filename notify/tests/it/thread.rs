//! All of it together: the thread, the store, and a webhook that is away at first.

use std::net::TcpListener;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};

use netqoe_notify::{Notifier, NotifyConfig, Policy, Receiver};
use serde_json::Value;
use tokio::runtime::Builder;
use tokio_util::sync::CancellationToken;

use crate::fleet::{Fleet, MINUTE_MS, START_MS, id};
use crate::server::{HttpServer, answer};

/// The clock of the one test here. Each look at it takes a minute, so that pauses are over soon.
static NOW_MS: AtomicI64 = AtomicI64::new(START_MS + 10 * MINUTE_MS);

#[test]
fn the_thread_sends_what_is_new_and_ends_when_it_is_asked_to() {
    let fleet = Fleet::new();
    let generation = fleet.start();
    let mut away = true;
    let server = HttpServer::on(TcpListener::bind("127.0.0.1:0").unwrap(), None, move |_| {
        let status = if std::mem::take(&mut away) { "503 Service Unavailable" } else { "200 OK" };
        answer(status, "", "")
    });
    let mut notify =
        format!("[[receiver]]\nname = 'ops'\nkind = 'webhook'\nurl = 'http://{}'", server.address).parse().unwrap();
    let config = NotifyConfig::take(&mut notify).unwrap();
    let receivers = vec![Arc::new(Receiver::open(&config.receivers[0]).unwrap())];
    let postman = fleet.postman_of(generation, vec![Policy::from(&*receivers[0])]);
    let runtime = Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap();
    let notifier =
        Notifier::new(postman, receivers, || NOW_MS.fetch_add(MINUTE_MS, Ordering::SeqCst), runtime.handle().clone());
    let stop = CancellationToken::new();
    let thread = std::thread::spawn({
        let stop = stop.clone();
        move || notifier.run(&stop)
    });

    fleet.fold(0);
    fleet.change(7, 0, 1, "opened", "major");
    fleet.fold(3);
    let message_id = || {
        let body: Value = serde_json::from_str(&server.request().body).unwrap();
        body["messages"][0]["id"].clone()
    };
    assert_eq!(message_id(), format!("{}-0", id(7)));
    // The first answer was no good one.
    assert_eq!(message_id(), format!("{}-0", id(7)));
    stop.cancel();
    thread.join().unwrap();
    let [counts] = fleet.outbox().counts().unwrap().try_into().unwrap();
    assert_eq!((counts.waiting, counts.delivered), (0, 1));
}
