//! Lookups at servers of a few lines, each of which does one thing.

use std::sync::Arc;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, UdpSocket};

use super::*;
use std::net::SocketAddr;

const WEB: [u8; 4] = [192, 0, 2, 1];
const OTHER: [u8; 4] = [192, 0, 2, 9];

/// A server whose answers to a message are what `answers` says, over UDP.
async fn serve(answers: impl Fn(&[u8]) -> Vec<Vec<u8>> + Send + Sync + 'static) -> SocketAddr {
    serve_late(Duration::ZERO, answers).await
}

async fn serve_late(after: Duration, answers: impl Fn(&[u8]) -> Vec<Vec<u8>> + Send + Sync + 'static) -> SocketAddr {
    let socket = Arc::new(UdpSocket::bind("127.0.0.1:0").await.unwrap());
    let (address, answers) = (socket.local_addr().unwrap(), Arc::new(answers));
    tokio::spawn(async move {
        let mut buffer = [0; 2000];
        loop {
            let (length, asker) = socket.recv_from(&mut buffer).await.unwrap();
            let (question, socket, answers) = (buffer[..length].to_vec(), Arc::clone(&socket), Arc::clone(&answers));
            tokio::spawn(async move {
                tokio::time::sleep(after).await;
                for answer in answers(&question) {
                    socket.send_to(&answer, asker).await.unwrap();
                }
            });
        }
    });
    address
}

/// Where the question ends that stands in a message.
fn question_end(message: &[u8]) -> usize {
    12 + message[12..].iter().position(|byte| *byte == 0).unwrap() + 5
}

fn is_v4(message: &[u8]) -> bool {
    message[question_end(message) - 3] == 1
}

fn has_edns(message: &[u8]) -> bool {
    message[11] == 1
}

/// An answer with this response code, and `count` records.
fn answer(message: &[u8], code: u8, count: u8, records: &[u8]) -> Vec<u8> {
    let head = [message[0], message[1], 0x81, 0x80 | code, 0, 1, 0, count, 0, 0, 0, 0];
    [&head[..], &message[12..question_end(message)], records].concat()
}

fn record(ip: [u8; 4]) -> Vec<u8> {
    [&[0xc0, 12, 0, 1, 0, 1, 0, 0, 0, 60, 0, 4][..], &ip].concat()
}

/// `ip` for IPv4, and no IPv6.
fn has(ip: [u8; 4]) -> impl Fn(&[u8]) -> Vec<Vec<u8>> {
    move |asked| vec![if is_v4(asked) { answer(asked, 0, 1, &record(ip)) } else { answer(asked, 0, 0, &[]) }]
}

fn says(code: u8) -> impl Fn(&[u8]) -> Vec<Vec<u8>> {
    move |asked| vec![answer(asked, code, 0, &[])]
}

/// A port that nobody listens on.
async fn nobody() -> SocketAddr {
    UdpSocket::bind("127.0.0.1:0").await.unwrap().local_addr().unwrap()
}

fn lookup(conf: &str, servers: &[SocketAddr], host: &str) -> Lookup {
    let (conf, clock, name) = (parse_resolv_conf(conf.as_bytes()), Clock::start(), DnsName::from_host(host).unwrap());
    let servers = Servers::with(conf, servers.to_vec(), name, &Family::BOTH, clock);
    let families = Family::BOTH.to_vec();
    Lookup { host: host.to_owned(), clock, families, source: None, known: None, servers, system: None }
}

fn never() -> Instant {
    Instant::now() + Duration::from_hours(1)
}

async fn found(lookup: &mut Lookup) -> (String, Duration) {
    let (addresses, span) = lookup.addresses(never()).await.unwrap();
    let shown: Vec<_> = addresses.iter().map(|address| address.ip.to_string()).collect();
    (shown.join(" "), span.duration())
}

async fn failure(conf: &str, servers: &[SocketAddr], host: &str) -> String {
    lookup(conf, servers, host).addresses(never()).await.unwrap_err().to_string()
}

#[tokio::test]
async fn the_first_server_is_believed_however_fast_another_says_something_else() {
    const SLOW: Duration = Duration::from_millis(100);
    for other in [serve(says(3)).await, serve(says(0)).await, serve(has(OTHER)).await] {
        let mut lookup = lookup("", &[serve_late(SLOW, has(WEB)).await, other], "app.test");
        let (addresses, took) = found(&mut lookup).await;
        assert_eq!(addresses, "192.0.2.1");
        assert!(took >= SLOW, "{took:?}");
        let evidence = lookup.finish(never()).await;
        assert_eq!(evidence.source, Some(NameSource::NameServer));
        assert_eq!(evidence.answers.iter().filter(|answer| answer.server == other).count(), 2, "{evidence:?}");
        let failed = evidence.answers.iter().find(|answer| answer.outcome.failure().is_some());
        assert_eq!(failed, None);
    }
}

#[tokio::test]
async fn its_word_that_there_is_none_is_final() {
    let knows = serve(has(WEB)).await;
    let first = serve(says(3)).await;
    let message = failure("", &[first, knows], "app.test").await;
    assert!(message.contains(&format!("app.test does not exist (NXDOMAIN), says {first}")), "{message}");
    let message = failure("", &[serve(says(0)).await, knows], "app.test").await;
    assert_eq!(message, "app.test has no address: neither an A nor an AAAA record");
}

#[tokio::test]
async fn one_that_can_not_tell_gives_way_to_the_next() {
    let knows = serve(has(WEB)).await;
    // It refers elsewhere: no authority, no recursion.
    let refers = |asked: &[u8]| vec![[&asked[..2], &[0x81, 0, 0, 1, 0, 0, 0, 0, 0, 0], &asked[12..]].concat()];
    let cut = |asked: &[u8]| vec![answer(asked, 0, 1, &record(WEB)[..14])];
    for first in [
        serve(says(2)).await,
        serve(says(5)).await,
        serve(refers).await,
        serve(cut).await,
        nobody().await,
        "[fe80::53]:53".parse().unwrap(),
    ] {
        let mut lookup = lookup("", &[first, knows], "app.test");
        assert_eq!(found(&mut lookup).await.0, "192.0.2.1");
        let evidence = lookup.finish(never()).await;
        let failed = |answer: &&DnsAnswer| answer.server == first && answer.outcome.failure().is_some();
        assert!(evidence.answers.iter().any(|answer| failed(&answer)), "{evidence:?}");
    }
}

/// A program waits so long, too.
#[tokio::test]
async fn a_silent_one_is_waited_for_and_that_is_in_the_phase() {
    let silent = serve(|_| Vec::new()).await;
    let mut lookup = lookup("options timeout:1", &[silent, serve(has(WEB)).await], "app.test");
    let (addresses, took) = found(&mut lookup).await;
    assert!(addresses == "192.0.2.1" && took >= Duration::from_secs(1), "{addresses} {took:?}");
}

/// The other was asked as evidence meanwhile, and has answered long before its turn.
#[tokio::test]
async fn what_was_known_early_is_used_in_its_turn() {
    let (silent, asked) = (serve(|_| Vec::new()).await, Arc::new(std::sync::atomic::AtomicUsize::new(0)));
    let count = Arc::clone(&asked);
    let knows = serve(move |message| {
        count.fetch_add(1, std::sync::atomic::Ordering::Relaxed);
        has(WEB)(message)
    });
    let mut lookup = lookup("options timeout:2", &[silent, knows.await], "app.test");
    let (addresses, took) = found(&mut lookup).await;
    assert!(addresses == "192.0.2.1" && took >= Duration::from_secs(2), "{addresses} {took:?}");
    assert_eq!(asked.load(std::sync::atomic::Ordering::Relaxed), 2, "once for each family");
}

#[tokio::test]
async fn a_silent_one_leaves_time_for_the_others() {
    let mut lookup = lookup("", &[serve(|_| Vec::new()).await, serve(has(WEB)).await], "app.test");
    let (_, span) = lookup.addresses(Instant::now() + Duration::from_secs(2)).await.unwrap();
    assert!(span.duration() < ResolvConf::default().timeout, "{span:?}");
}

#[tokio::test]
async fn where_all_fail_each_says_why() {
    let servers = [serve(says(2)).await, serve(says(5)).await, serve(|_| Vec::new()).await];
    let message = failure("options timeout:1 attempts:1", &servers, "app.test").await;
    let [first, second, third] = servers;
    let expected = format!("app.test could not be resolved: {first}: SERVFAIL; {second}: REFUSED; {third}: no answer");
    assert_eq!(message, expected);
}

#[tokio::test]
async fn a_server_that_fails_once_is_asked_again() {
    let asked = std::sync::atomic::AtomicUsize::new(0);
    let flaky = serve(move |message| {
        let nth = asked.fetch_add(1, std::sync::atomic::Ordering::Relaxed);
        if nth < 2 { says(2)(message) } else { has(WEB)(message) }
    });
    assert_eq!(found(&mut lookup("", &[flaky.await], "app.test")).await.0, "192.0.2.1");
}

#[tokio::test]
async fn names_of_the_search_list_are_tried_in_turn_and_are_evidence() {
    let server = serve(|asked: &[u8]| {
        let is_known = asked[12..].starts_with(b"\x03app\x01b\x04test\0");
        if is_known { has(WEB)(asked) } else { says(3)(asked) }
    });
    let mut lookup = lookup("search a.test b.test", &[server.await], "app");
    assert_eq!(found(&mut lookup).await.0, "192.0.2.1");
    let names: Vec<_> = lookup.finish(never()).await.answers.into_iter().filter_map(|answer| answer.name).collect();
    assert_eq!(names, ["app.a.test", "app.a.test", "app.b.test", "app.b.test"]);
}

#[tokio::test]
async fn what_is_not_the_answer_is_passed_over_until_it_comes() {
    let noisy = |asked: &[u8]| {
        let mut right = has(WEB)(asked);
        let (mut other_id, mut other_name) = (has(OTHER)(asked).remove(0), has(OTHER)(asked).remove(0));
        other_id[0] ^= 1;
        other_name[13] ^= 1;
        right.splice(..0, [Vec::new(), vec![7; 5], other_id, other_name, asked.to_vec()]);
        right
    };
    assert_eq!(found(&mut lookup("", &[serve(noisy).await], "app.test")).await.0, "192.0.2.1");
}

#[tokio::test]
async fn one_at_a_time_where_that_is_asked_for() {
    const SLOW: Duration = Duration::from_millis(60);
    let mut lookup = lookup("options single-request", &[serve_late(SLOW, has(WEB)).await], "app.test");
    let (addresses, took) = found(&mut lookup).await;
    assert!(addresses == "192.0.2.1" && took >= 2 * SLOW, "{addresses} {took:?}");
}

#[tokio::test]
async fn long_answers_are_read_as_they_come() {
    let long = |asked: &[u8]| {
        let text = [&[0xc0, 12, 0, 16, 0, 1, 0, 0, 0, 60, 0x20, 0][..], &[7; 0x2000]].concat();
        vec![answer(asked, 0, 2, &[text, record(WEB)].concat())]
    };
    let mut lookup =
        lookup("", &[serve(move |asked| if is_v4(asked) { long(asked) } else { says(0)(asked) }).await], "a.test");
    assert_eq!(found(&mut lookup).await.0, "192.0.2.1");
}

/// Answers that were cut, and whole ones over TCP where `over_tcp`.
async fn serve_truncated(over_tcp: bool) -> SocketAddr {
    let cut = |asked: &[u8]| {
        let mut cut = answer(asked, 0, 1, &record(OTHER));
        cut[2] |= 2;
        vec![cut]
    };
    loop {
        let address = serve(cut).await;
        // The same port must be free for TCP.
        let Ok(listener) = TcpListener::bind(address).await else { continue };
        if over_tcp {
            tokio::spawn(async move {
                while let Ok((mut stream, _)) = listener.accept().await {
                    let mut asked = vec![0; usize::from(stream.read_u16().await.unwrap())];
                    stream.read_exact(&mut asked).await.unwrap();
                    let whole = has(WEB)(&asked).remove(0);
                    stream.write_all(&[&(whole.len() as u16).to_be_bytes()[..], &whole].concat()).await.unwrap();
                }
            });
        }
        return address;
    }
}

#[tokio::test]
async fn answers_that_were_cut_are_asked_for_over_tcp() {
    assert_eq!(found(&mut lookup("", &[serve_truncated(true).await], "app.test")).await.0, "192.0.2.1");
    let tcp_alone = lookup("options use-vc", &[serve_truncated(true).await], "app.test");
    assert_eq!(found(&mut { tcp_alone }).await.0, "192.0.2.1");
    let message = failure("options attempts:1", &[serve_truncated(false).await], "app.test").await;
    assert!(message.contains("too long for UDP, and can't be had over TCP: Connection refused"), "{message}");
}

#[tokio::test]
async fn a_server_without_edns_is_asked_without_it() {
    let refuses = |asked: &[u8]| if has_edns(asked) { says(1)(asked) } else { has(WEB)(asked) };
    let bare = |asked: &[u8]| match has_edns(asked) {
        true => vec![[&asked[..2], &[0x81, 0x81, 0, 0, 0, 0, 0, 0, 0, 0]].concat()],
        false => has(WEB)(asked),
    };
    let drops = |asked: &[u8]| if has_edns(asked) { Vec::new() } else { has(WEB)(asked) };
    for server in [serve(refuses).await, serve(bare).await, serve(drops).await] {
        assert_eq!(found(&mut lookup("options edns0", &[server], "app.test")).await.0, "192.0.2.1");
    }
}

#[tokio::test]
async fn an_alias_without_an_address_is_told() {
    let alias = |asked: &[u8]| vec![answer(asked, 0, 1, b"\xc0\x0c\0\x05\0\x01\0\0\0\x3c\0\x06\x03www\xc0\x10")];
    let message = failure("", &[serve(alias).await], "app.test").await;
    assert_eq!(message, "app.test is an alias of www.test, which has no address: neither an A nor an AAAA record");
}

/// The system knows `localhost` from its hosts file, which our own look there is left out of here.
#[tokio::test]
async fn the_system_is_believed_where_the_servers_know_nothing() {
    for server in [serve(says(3)).await, serve(says(0)).await, serve(says(2)).await, nobody().await] {
        let mut lookup = lookup("", &[server], "localhost");
        lookup.system = Some(SystemQuestion::begin("localhost", lookup.clock));
        let (addresses, _) = found(&mut lookup).await;
        assert!(addresses.contains("127.0.0.1") || addresses.contains("::1"), "{addresses}");
        let evidence = lookup.finish(never()).await;
        assert_eq!(evidence.source, Some(NameSource::System));
        assert!(evidence.system.is_some() && !evidence.answers.is_empty());
    }
}

#[tokio::test]
async fn and_where_they_are_silent() {
    let mut lookup = lookup("options timeout:1", &[serve(|_| Vec::new()).await], "localhost");
    lookup.system = Some(SystemQuestion::begin("localhost", lookup.clock));
    found(&mut lookup).await;
    assert_eq!(lookup.source, Some(NameSource::System));
}

#[tokio::test]
async fn one_server_is_asked_at_whichever_of_its_addresses_answers() {
    let (silent, knows) = (serve(|_| Vec::new()).await, serve(has(WEB)).await);
    // Without its zone, a link-local address can't be reached.
    let addresses = vec!["[fe80::53]:53".parse().unwrap(), nobody().await, silent, knows];
    let name = DnsName::from_host("app.test").unwrap();
    let mut question = ServerQuestion::new(&name, &Family::BOTH, addresses, Clock::start());
    let span = question.ask().await.unwrap();
    assert_eq!(question.answered_by(), Some(knows));
    assert!(span.start >= Duration::from_millis(250), "the wait for the silent one is not in the phase: {span:?}");
    assert_eq!(question.into_answers().len(), 8);
}

#[tokio::test]
async fn what_one_server_says_is_not_asked_for_elsewhere() {
    let name = DnsName::from_host("app.test").unwrap();
    let addresses = vec![serve(says(2)).await, serve(has(WEB)).await];
    let mut question = ServerQuestion::new(&name, &Family::BOTH, addresses.clone(), Clock::start());
    let message = question.ask().await.unwrap_err().to_string();
    assert_eq!(message, format!("app.test could not be resolved: {}: SERVFAIL", addresses[0]));
}

#[test]
fn localhost_is_this_machine() {
    for host in ["localhost", "LOCALHOST", "app.localhost", "localhost."] {
        assert!(is_localhost(host), "{host}");
    }
    for host in ["localhost.test", "xlocalhost", "local"] {
        assert!(!is_localhost(host), "{host}");
    }
}
