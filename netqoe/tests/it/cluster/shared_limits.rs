//! The rate of a client holds for all instances of ingest together, behind nginx.

use std::net::{Ipv4Addr, SocketAddr};
use std::sync::Arc;
use std::sync::atomic::{AtomicU16, AtomicU32, Ordering};
use std::time::{Duration, Instant};

use netqoe_testbed::Nginx;

use crate::cluster_support::Rig;
use crate::support::{JSON, Server, event, eventually, eventually_or_say, get, metric, post};

const RATE_PER_S: u32 = 100;
const BURST: u32 = 20;
/// Those that are waited for: some five seconds' worth.
const ACCEPTED: u32 = 500;
/// Clients' connections at once.
const SENDERS: usize = 4;

/// How long it takes until so many requests of one client are accepted, where it sends without a pause.
fn time_until_accepted(port: u16, client: &str) -> Duration {
    let (sent, accepted) = (AtomicU32::new(0), AtomicU32::new(0));
    let started = Instant::now();
    std::thread::scope(|scope| {
        for _ in 0..SENDERS {
            scope.spawn(|| {
                while accepted.load(Ordering::Relaxed) < ACCEPTED {
                    let number = sent.fetch_add(1, Ordering::Relaxed);
                    let body = event(&format!("{client}-{number}"), client).to_string();
                    match post(port, &[JSON], body).unwrap().status {
                        200 => _ = accepted.fetch_add(1, Ordering::Relaxed),
                        status => assert_eq!(status, 429),
                    }
                }
            });
        }
    });
    started.elapsed()
}

/// What is wrong with the limits, by the server's health.
fn problem(port: u16) -> Option<String> {
    get(port, "/health").unwrap().json()["components"]["limits"]["message"].as_str().map(str::to_owned)
}

#[test]
fn behind_nginx_a_client_has_the_rate_of_one_instance() {
    let mut rig = Rig::new("postgres://nobody-asks");
    let (rate, burst) = (RATE_PER_S.to_string(), BURST.to_string());
    let options = ["--shared-limits", "--rate", &rate, "--rate-burst", &burst];
    let mut instances: Vec<Server> = (0..2).map(|_| rig.ingest_with(&Arc::<AtomicU16>::default(), &options)).collect();
    let ports: Vec<u16> = instances.iter_mut().map(Server::port).collect();
    let hear_each_other = || ports.iter().all(|port| metric(*port, "telemetry_ingest_instances") == Some(2.0));
    let logged = || instances.iter().map(Server::last_words).collect::<String>();
    eventually_or_say("the instances hear each other", hear_each_other, logged);
    let addresses: Vec<_> = ports.iter().map(|port| SocketAddr::from((Ipv4Addr::LOCALHOST, *port))).collect();
    let nginx = Nginx::start(&addresses).unwrap();
    let port = nginx.url().rsplit(':').next().unwrap().parse().unwrap();

    let took = time_until_accepted(port, "flood");
    let least = Duration::from_secs((ACCEPTED - BURST).into()) / RATE_PER_S;
    println!("{ACCEPTED} requests were accepted within {took:.2?}; by their rate it takes {least:.2?}");
    assert!(took * 10 > least * 9, "more than a tenth above the rate");

    assert!(ports.iter().all(|port| problem(*port).is_none()));
    rig.nats.stop().unwrap();
    let say_so = || ports.iter().all(|port| problem(*port).is_some_and(|problem| problem.contains("not heard")));
    eventually("both say that they do not hear each other", say_so);
    // The bucket is in memory, and gone with the server.
    rig.nats.restart().unwrap();
    eventually("they hear each other again", || hear_each_other() && ports.iter().all(|port| problem(*port).is_none()));
    instances.into_iter().for_each(Server::stop);
}
