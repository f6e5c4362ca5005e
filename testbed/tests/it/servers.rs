//! Each server is started, hurt in every way, and found again with its data.

use std::collections::BTreeSet;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::path::PathBuf;
use std::process::{Command, Stdio};
use std::sync::mpsc::{RecvTimeoutError, channel};
use std::time::Duration;

use netqoe_testbed::{
    CuttingProxy, Database, NatsCluster, NatsOptions, NatsServer, Nginx, PgBouncer, Postgres, Server,
};

/// What a server says first, or to this; empty where it says nothing for a moment, an error where nobody is there.
fn ask(port: u16, question: &str) -> std::io::Result<String> {
    let mut stream = TcpStream::connect(("127.0.0.1", port))?;
    stream.set_read_timeout(Some(Duration::from_millis(300)))?;
    stream.write_all(question.as_bytes())?;
    let mut answer = [0; 1024];
    let bytes = stream.read(&mut answer).unwrap_or_default();
    Ok(String::from_utf8_lossy(&answer[..bytes]).into_owned())
}

/// Runs SQL through `psql`.
fn sql(url: &str, statement: &str) -> Option<String> {
    let output = Command::new("psql").args(["--no-psqlrc", "-At", "-c", statement, url]).output().unwrap();
    output.status.success().then(|| String::from_utf8(output.stdout).unwrap().trim().to_owned())
}

fn is_gone(port: u16) -> bool {
    TcpStream::connect(("127.0.0.1", port)).is_err()
}

#[test]
fn nats_comes_back_on_the_same_port() {
    let mut nats = NatsServer::start().unwrap();
    let port = nats.port();
    assert_eq!(nats.url(), format!("nats://127.0.0.1:{port}"));
    assert!(ask(port, "").unwrap().contains("\"jetstream\":true"));
    for end in [Server::kill, Server::stop] {
        end(&mut nats).unwrap();
        assert!(is_gone(port));
        nats.restart().unwrap();
        assert!(ask(port, "").unwrap().starts_with("INFO "));
    }
    nats.pause().unwrap();
    assert_eq!(ask(port, "").unwrap(), "", "the kernel still accepts, the server says nothing");
    nats.resume().unwrap();
    assert!(ask(port, "").unwrap().starts_with("INFO "));
    let store = nats.store();
    assert!(store.exists());
    nats.pause().unwrap();
    drop(nats);
    assert!(is_gone(port) && !store.exists());
}

#[test]
fn nats_takes_more_configuration() {
    let options =
        NatsOptions { jetstream: false, configuration: "max_payload: 4321\n".to_owned(), ..Default::default() };
    let nats = NatsServer::start_with(&options).unwrap();
    let greeting = ask(nats.port(), "").unwrap();
    assert!(greeting.contains("\"max_payload\":4321") && !greeting.contains("\"jetstream\":true"), "{greeting}");
}

#[test]
fn three_nats_servers_come_together_and_one_comes_back() {
    let mut cluster = NatsCluster::start().unwrap();
    assert_eq!(cluster.url().split(',').count(), 3);
    let member = cluster.member("testbed-1").unwrap();
    let port = member.port();
    assert!(ask(port, "").unwrap().contains("\"cluster\":\"testbed\""));
    member.kill().unwrap();
    assert!(is_gone(port));
    cluster.member("testbed-1").unwrap().restart().unwrap();
    cluster.wait_until_healthy().unwrap();
    assert!(cluster.member("testbed-3").is_none());
}

#[test]
fn a_server_that_can_not_start_says_why() {
    let options = NatsOptions { configuration: "no_such_setting: 1\n".to_owned(), ..NatsOptions::default() };
    let Err(error) = NatsServer::start_with(&options) else { panic!("it started") };
    let error = error.to_string();
    assert!(error.contains("ended with") && error.contains("no_such_setting"), "{error}");
}

#[test]
fn postgres_keeps_its_data() {
    let mut postgres = Postgres::start().unwrap();
    let (first, second) = (postgres.database().unwrap(), postgres.database().unwrap());
    assert_ne!(first, second);
    sql(&first, "CREATE TABLE kept AS SELECT 1 AS n").unwrap();
    assert_eq!(sql(&second, "SELECT n FROM kept"), None, "databases are apart");
    for end in [Server::kill, Server::stop] {
        end(&mut postgres).unwrap();
        assert!(is_gone(postgres.port()));
        postgres.restart().unwrap();
        assert_eq!(sql(&first, "SELECT n FROM kept"), Some("1".to_owned()));
    }
}

#[test]
fn databases_are_apart() {
    let (first, second) = (Database::fresh().unwrap(), Database::fresh().unwrap());
    for database in [&first, &second] {
        sql(database.url(), "CREATE TABLE made (n integer)").unwrap();
    }
}

#[test]
fn postgres_is_held_still_with_all_its_backends() {
    let postgres = Postgres::start().unwrap();
    let mut client = Command::new("psql")
        .args(["--no-psqlrc", "-At", &postgres.url()])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut questions = client.stdin.take().unwrap();
    let (answered, answers) = channel();
    let lines = BufReader::new(client.stdout.take().unwrap()).lines();
    std::thread::spawn(move || lines.for_each(|line| answered.send(line.unwrap()).unwrap()));
    writeln!(questions, "SELECT 'first';").unwrap();
    assert_eq!(answers.recv().unwrap(), "first");
    postgres.pause().unwrap();
    writeln!(questions, "SELECT 'second';").unwrap();
    assert_eq!(answers.recv_timeout(Duration::from_millis(500)), Err(RecvTimeoutError::Timeout), "a backend went on");
    postgres.resume().unwrap();
    assert_eq!(answers.recv().unwrap(), "second");
    drop(questions);
    assert!(client.wait().unwrap().success());
}

#[test]
fn pgbouncer_gives_each_transaction_a_connection() {
    let mut postgres = Postgres::start().unwrap();
    let database = postgres.database().unwrap();
    let mut bouncer = PgBouncer::start(&database).unwrap();
    sql(bouncer.url(), "CREATE TABLE made AS SELECT 1 AS n").unwrap();
    assert_eq!(sql(&database, "SELECT n FROM made"), Some("1".to_owned()));
    assert_eq!(
        sql(bouncer.url(), "SELECT current_database() || ':' || n FROM made").unwrap().split(':').nth(1),
        Some("1")
    );
    for end in [Server::kill, Server::stop] {
        end(&mut bouncer).unwrap();
        assert_eq!(sql(bouncer.url(), "SELECT 1"), None);
        bouncer.restart().unwrap();
        assert_eq!(sql(bouncer.url(), "SELECT n FROM made"), Some("1".to_owned()));
    }
    postgres.kill().unwrap();
    postgres.restart().unwrap();
    let mut tries = 0..6_000;
    while sql(bouncer.url(), "SELECT n FROM made").is_none() {
        assert!(tries.next().is_some(), "it does not come back to its database");
    }
}

/// A server that answers every request with its name, until the test ends.
fn answering(name: &'static str) -> SocketAddr {
    let listener = TcpListener::bind(("127.0.0.1", 0)).unwrap();
    let address = listener.local_addr().unwrap();
    std::thread::spawn(move || {
        for mut stream in listener.incoming().map_while(Result::ok) {
            let head = BufReader::new(stream.try_clone().unwrap()).lines().map_while(Result::ok);
            head.take_while(|line| !line.is_empty()).for_each(drop);
            let length = name.len();
            write!(stream, "HTTP/1.1 200 OK\r\nContent-Length: {length}\r\nConnection: close\r\n\r\n{name}").unwrap();
        }
    });
    address
}

#[test]
fn nginx_spreads_requests() {
    let mut nginx = Nginx::start(&[answering("first"), answering("second")]).unwrap();
    let get = |nginx: &Nginx| {
        let mut stream = TcpStream::connect(("127.0.0.1", nginx.port())).unwrap();
        stream.write_all(b"GET /api/ HTTP/1.1\r\nHost: test\r\nConnection: close\r\n\r\n").unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).unwrap();
        answer.rsplit("\r\n\r\n").next().unwrap().to_owned()
    };
    let answers: BTreeSet<_> = (0..10).map(|_| get(&nginx)).collect();
    assert_eq!(answers, BTreeSet::from(["first".to_owned(), "second".to_owned()]));
    assert_eq!(nginx.url(), format!("http://127.0.0.1:{}", nginx.port()));
    nginx.kill().unwrap();
    assert!(is_gone(nginx.port()));
    nginx.restart().unwrap();
    get(&nginx);
}

#[test]
fn the_proxy_loses_an_answer_and_not_what_was_asked() {
    let postgres = Postgres::start().unwrap();
    let database = postgres.database().unwrap();
    let proxy = CuttingProxy::start(([127, 0, 0, 1], postgres.port()).into()).unwrap();
    let through = database.replace(&format!(":{}/", postgres.port()), &format!(":{}/", proxy.address().port()));
    sql(&through, "CREATE TABLE made (n integer)").unwrap();
    proxy.cut_after(&["INSERT INTO made", "COMMIT"]);
    assert!(sql(&through, "BEGIN; SELECT 1; COMMIT").is_some(), "another transaction");
    assert_eq!(sql(&through, "BEGIN; INSERT INTO made VALUES (1); COMMIT"), None, "nobody hears of it");
    assert_eq!(proxy.cuts(), 1);
    let mut tries = 0..6_000;
    while sql(&database, "SELECT count(*) FROM made") != Some("1".to_owned()) {
        assert!(tries.next().is_some(), "it was not done");
    }
    sql(&through, "BEGIN; INSERT INTO made VALUES (2); COMMIT").unwrap();
    assert_eq!((proxy.cuts(), sql(&database, "SELECT count(*) FROM made")), (1, Some("2".to_owned())));
    let address = proxy.address();
    drop(proxy);
    let mut tries = 0..6_000;
    while TcpStream::connect(address).is_ok() {
        assert!(tries.next().is_some(), "it still takes connections");
        std::thread::sleep(Duration::from_millis(10));
    }
}

#[test]
fn the_proxy_does_not_cut_for_what_was_sent_before_it_was_told() {
    let echo = TcpListener::bind(("127.0.0.1", 0)).unwrap();
    let proxy = CuttingProxy::start(echo.local_addr().unwrap()).unwrap();
    let mut client = TcpStream::connect(proxy.address()).unwrap();
    let mut server = echo.accept().unwrap().0;
    let mut say = |text: &str| {
        client.write_all(text.as_bytes()).unwrap();
        let mut heard = vec![0; text.len()];
        server.read_exact(&mut heard).unwrap();
        assert_eq!(heard, text.as_bytes());
    };
    say("BEGIN; COMMIT");
    proxy.cut_after(&["COMMIT"]);
    say("BEGIN; COMM");
    assert_eq!(proxy.cuts(), 0);
    say("IT");
    assert_eq!(proxy.cuts(), 1);
}

/// The tests start this program again as a process that dies without running any destructor.
#[test]
fn no_server_outlives_its_process() {
    const PORT_FILE: &str = "NETQOE_TEST_PORT_FILE";
    if let Some(file) = std::env::var_os(PORT_FILE) {
        let nats = NatsServer::start().unwrap();
        std::fs::write(file, format!("{} {}", nats.port(), nats.folder().display())).unwrap();
        std::process::abort();
    }
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("port");
    let mut child = Command::new(std::env::current_exe().unwrap());
    child.args(["--exact", "servers::no_server_outlives_its_process"]).env(PORT_FILE, &file);
    assert!(!child.output().unwrap().status.success());
    let text = std::fs::read_to_string(file).unwrap();
    let (port, left_behind) = text.split_once(' ').unwrap();
    std::fs::remove_dir_all(PathBuf::from(left_behind)).unwrap();
    let mut looks = 0..6_000;
    while !is_gone(port.parse().unwrap()) {
        assert!(looks.next().is_some(), "the server still runs a minute later");
        std::thread::sleep(Duration::from_millis(10));
    }
}
