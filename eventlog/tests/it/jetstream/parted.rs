//! A server that is there and confirms nothing, while another one would.

use netqoe_testbed::MutedProxy;

use super::*;

/// Two ways to a server, of which each can come to look like a server that is parted from the others.
struct Ways {
    nats: NatsServer,
    ways: [MutedProxy; 2],
}

impl Ways {
    fn start() -> Self {
        let nats = NatsServer::start().unwrap();
        let address = format!("127.0.0.1:{}", nats.port()).parse().unwrap();
        Self { ways: [(); 2].map(|()| MutedProxy::start(address).unwrap()), nats }
    }

    fn options(&self) -> JetStreamOptions {
        let mut options = options("");
        options.connection.servers = self.ways.iter().map(MutedProxy::url).collect();
        options
    }

    /// Mutes the one that a client is connected by. The other one is not.
    fn mute_the_connected(&self) -> usize {
        let mut muted = 0;
        eventually("one of them has a client", || {
            let connected: Vec<_> = self.ways.iter().map(|way| way.connections() > 0).collect();
            muted = usize::from(connected[1]);
            connected[0] != connected[1]
        });
        self.ways[1 - muted].mute(false);
        self.ways[muted].mute(true);
        muted
    }
}

#[test]
fn a_server_that_confirms_nothing_is_left_by_who_publishes_and_by_who_reads() {
    let ways = Ways::start();
    let mut options = ways.options();
    options.stall_wait = PATIENCE;
    let log = JetStreamLog::open(options).unwrap();
    let mut own = reader(&log, [0]);
    append(&log, 0, "1").unwrap();
    assert_eq!(read(&mut *own, 1).len(), 1);
    for n in ["2", "3"] {
        ways.mute_the_connected();
        append(&log, 0, n).unwrap();
        assert_eq!(texts(&read(&mut *own, 1))[0].2, format!("{n}\n"));
    }
}

#[test]
fn who_only_reads_leaves_it_too() {
    let ways = Ways::start();
    let writing = JetStreamLog::open(options(&format!("nats://127.0.0.1:{}", ways.nats.port()))).unwrap();
    let log = JetStreamLog::find(ways.options()).unwrap();
    let mut own = reader(&log, [0]);
    ways.mute_the_connected();
    append(&writing, 0, "1").unwrap();
    assert_eq!(read(&mut *own, 1).len(), 1);
}

#[test]
fn a_start_by_way_of_it_goes_on_by_another() {
    let ways = Ways::start();
    // Which of them is tried first is left to chance.
    ways.ways[0].mute(true);
    for _ in 0..3 {
        JetStreamLog::open(ways.options()).unwrap();
    }
}

#[test]
fn where_none_confirms_they_are_left_the_more_seldom_and_health_says_so() {
    let ways = Ways::start();
    let log = JetStreamLog::open(ways.options()).unwrap();
    let mut own = reader(&log, [0]);
    ways.ways.iter().for_each(|way| way.mute(true));
    let started = Instant::now();
    eventually("health says so", || log.healthy().is_err());
    let error = append(&log, 0, "1").unwrap_err();
    assert!(matches!(error, AppendError::Unconfirmed { .. }), "{error}");
    std::thread::sleep(Duration::from_secs(15));
    let taken: usize = ways.ways.iter().map(MutedProxy::taken).sum();
    let most = 2 + started.elapsed().as_secs() / 5;
    assert!((2..=most).contains(&(taken as u64)), "{taken} connections within {:?}", started.elapsed());
    ways.ways.iter().for_each(|way| way.mute(false));
    eventually("events are taken again", || append(&log, 0, "2").is_ok());
    eventually("they are read, too", || !own.read(1 << 20).unwrap().is_empty());
}
