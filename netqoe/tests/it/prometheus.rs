//! What Prometheus makes of netqoe's metrics with the rules and alerts that are shipped, and what it has for the dashboards.

use std::cell::RefCell;
use std::collections::BTreeSet;
use std::net::{Ipv4Addr, SocketAddr};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::Arc;
use std::sync::atomic::AtomicU16;
use std::thread::sleep;
use std::time::Duration;

use netqoe_model::metrics::Metrics;
use netqoe_testbed::{Postgres, Prometheus, promtool};

use crate::cluster_support::{Rig, Shape};
use crate::grafana::{Expression, check_statements, expressions};
use crate::support::{JSON, Server, event, eventually_or_say, get, netqoe, post};

/// How often Prometheus looks here.
const SCRAPED_EVERY: Duration = Duration::from_secs(1);
/// Clients that go on sending while the log is away.
const REFUSED_AT_ONCE: usize = 8;
/// Requests of the client that floods, between two looks at the alerts.
const FLOOD: usize = 50;

/// What only a target with TLS has, and none here is.
const OF_TLS: &str = "probe_ssl_earliest_cert_expiry";
/// Where names of metrics are declared apart from the servers' own.
const DECLARED: [&str; 3] =
    ["../probe/src/exporter/gauges.rs", "../probe/src/exporter/families.rs", "src/commands/process_metrics.rs"];

fn deployed(file: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../deploy/prometheus").join(file)
}

fn read(path: impl AsRef<Path>) -> String {
    std::fs::read_to_string(path).unwrap()
}

/// The values of a key of the alerts.
fn values<'a>(text: &'a str, key: &str) -> Vec<&'a str> {
    text.lines().filter_map(|line| line.trim().trim_start_matches("- ").strip_prefix(key)).map(str::trim).collect()
}

#[test]
fn each_alert_fires_and_does_not_fire_where_it_should() {
    let promtool = promtool().unwrap();
    let check = |arguments: &[&str], file: &str| {
        let output = Command::new(&promtool).args(arguments).arg(deployed(file)).output().unwrap();
        assert!(output.status.success(), "{file}: {}", String::from_utf8_lossy(&output.stdout));
    };
    check(&["check", "config", "--syntax-only"], "prometheus.yml");
    check(&["test", "rules"], "tests/alerts.yml");
    let (alerts, tests) = (read(deployed("alerts.yml")), read(deployed("tests/alerts.yml")));
    let tested: BTreeSet<_> = values(&tests, "name: ").into_iter().collect();
    let untested: Vec<_> = values(&alerts, "alert: ").into_iter().filter(|alert| !tested.contains(alert)).collect();
    assert!(!tested.is_empty() && untested.is_empty(), "{untested:?}");
}

#[test]
fn each_alert_has_a_place_in_the_runbook() {
    let runbook = read(deployed("../../docs/operations/alerts.md"));
    let described: Vec<_> = runbook.lines().filter_map(|line| line.strip_prefix("## ")).collect();
    assert_eq!(
        values(&read(deployed("alerts.yml")), "alert: ").into_iter().collect::<BTreeSet<_>>(),
        described.into_iter().collect()
    );
}

#[test]
fn what_rules_and_panels_are_about_is_a_metric() {
    let rules = read(deployed("alerts.yml")) + &read(deployed("rules.yml"));
    let panels: String = expressions().into_iter().map(|panel| panel.text + "\n").collect();
    let recorded: BTreeSet<_> = values(&rules, "record: ").into_iter().collect();
    let declared = DECLARED.map(|file| read(Path::new(env!("CARGO_MANIFEST_DIR")).join(file))).concat();
    let is_known = |name: &&str| {
        let of_a_histogram = |end| name.strip_suffix(end).is_some_and(|base| Metrics::NAMES.contains(&base));
        recorded.contains(name)
            || declared.contains(&format!("\"{name}\""))
            || ["", "_bucket", "_sum", "_count"].into_iter().any(of_a_histogram)
    };
    let is_of_a_name = |c: char| c.is_ascii_alphanumeric() || c == '_' || c == ':';
    for text in [&rules, &panels] {
        let names = text
            .split(|c| !is_of_a_name(c))
            .filter(|word| ["telemetry_", "nats_", "netqoe:", "probe_"].iter().any(|prefix| word.starts_with(prefix)));
        let (known, unknown): (BTreeSet<_>, BTreeSet<_>) = names.partition(is_known);
        assert!(!known.is_empty() && unknown.is_empty(), "{unknown:?}");
    }
}

/// A Prometheus with the shipped rules, and the servers that it scrapes.
struct Watched {
    prometheus: Prometheus,
    /// Alerts that page somebody and were expected so far.
    expected: BTreeSet<String>,
}

impl Watched {
    fn of(servers: &[u16]) -> Self {
        let at = |port: &u16| SocketAddr::from((Ipv4Addr::LOCALHOST, *port));
        let servers: Vec<_> = servers.iter().map(at).collect();
        let prometheus = Prometheus::start(&servers, &[&deployed("rules.yml"), &deployed("alerts.yml")]).unwrap();
        Self { prometheus, expected: BTreeSet::new() }
    }

    /// The labels of what an expression gives.
    fn query(&self, expression: &str) -> Vec<serde_json::Value> {
        let escaped: String = expression.bytes().map(|byte| format!("%{byte:02X}")).collect();
        let answer = get(self.prometheus.port(), &format!("/api/v1/query?query={escaped}"));
        let Ok(answer) = answer else { return Vec::new() };
        if answer.status != 200 {
            return Vec::new();
        }
        answer.json()["data"]["result"].as_array().unwrap().iter().map(|one| one["metric"].clone()).collect()
    }

    /// Whether there is something, and it has the labels that are asked for.
    fn has_data(&self, expression: &Expression) -> bool {
        let given = self.query(&expression.text);
        let has_labels = |metric: &serde_json::Value| expression.labels.iter().all(|label| metric[label].is_string());
        !given.is_empty() && given.iter().all(has_labels)
    }

    fn alerts(&self, selector: &str) -> BTreeSet<String> {
        let alerts = self.query(&format!("ALERTS{{{selector}}}"));
        alerts.iter().map(|alert| alert["alertname"].as_str().unwrap().to_owned()).collect()
    }

    /// Waits until an alert is pending or fires. No other that was not expected pages anybody.
    fn expect(&mut self, alert: &str) {
        self.expect_while(alert, || {});
    }

    /// The same, while something goes on that raises it.
    fn expect_while(&mut self, alert: &str, mut act: impl FnMut()) {
        self.expected.insert(alert.to_owned());
        let is_raised = || {
            act();
            self.alerts("").contains(alert)
        };
        eventually_or_say(alert, is_raised, || format!("{:?}", self.alerts("")));
        let pages = self.alerts("severity=\"page\"");
        assert!(pages.is_subset(&self.expected), "{pages:?} where {:?} are expected", self.expected);
    }
}

/// Faults of a cluster, one after the other.
#[test]
fn each_fault_of_a_cluster_raises_its_alert() {
    let mut postgres = Postgres::start().unwrap();
    let mut rig = Rig::new(&postgres.url());
    let folder = tempfile::tempdir().unwrap();
    rig.environment.push(("NETQOE_CONFIG", receiver(folder.path())));
    let port = Arc::<AtomicU16>::default();
    let mut ingest = rig.ingest_with(&port, &["--rate", "5", "--rate-burst", "5"]);
    let to = ingest.port();
    let mut group = rig.working_group(Shape { processes: 1, workers: 2 });
    let aggregate = group.processes[0].port();
    let mut number = 0;
    let mut send = |client: &str| {
        number += 1;
        post(to, &[JSON], event(&format!("event-{number}"), client).to_string()).map_or(0, |answer| answer.status)
    };
    assert_eq!(send("c-0"), 200);
    let mut probe = probe(folder.path(), to, aggregate);
    let mut watched = Watched::of(&[to, aggregate, probe.port()]);

    // What netqoe shows in any case, and what JetStream adds.
    let without_data = RefCell::new(asked());
    let all_have_data = || {
        // Few, so that the refusals below are many of all requests.
        sleep(SCRAPED_EVERY);
        (0..3).for_each(|client| assert_eq!(send(&format!("c-{client}")), 200));
        let mut without_data = without_data.borrow_mut();
        without_data.retain(|expression| !watched.has_data(expression));
        without_data.is_empty()
    };
    let which = || without_data.borrow().iter().map(|expression| format!("{expression}\n")).collect();
    eventually_or_say("every rule and panel has data", all_have_data, which);
    check_statements(&postgres.url());
    // The servers are scraped one after the other, so until all are there twice, no event seems to come.
    let pages = || watched.alerts("severity=\"page\"");
    eventually_or_say("nothing pages anybody", || pages().is_empty(), || format!("{:?}", pages()));

    // One client floods, for as long as it takes.
    watched.expect_while("NetqoeRateLimited", || (0..FLOOD).for_each(|_| _ = send("flood")));

    // Somebody publishes what is no event.
    publish(&rig.nats.url(), b"no JSON at all");
    watched.expect("NetqoeDeadLetters");

    // The store is gone for a while.
    postgres.stop().unwrap();
    send("c-0");
    watched.expect("NetqoeStoreFailing");
    postgres.restart().unwrap();

    // A process is held still.
    group.processes[0].signal("STOP");
    watched.expect("NetqoeDown");
    group.processes[0].signal("CONT");

    // The log is cut off.
    rig.nats.stop().unwrap();
    let refused = || send("c-0") == 503;
    eventually_or_say("ingest refuses", refused, String::new);
    // Each of them waits for the log for as long as it may. They go on until they are many of all requests.
    watched.expect_while("NetqoeIngestFailing", || {
        std::thread::scope(|scope| {
            let refuse = |number: usize| post(to, &[JSON], event(&format!("refused-{number}"), "c-1").to_string());
            (0..REFUSED_AT_ONCE).for_each(|number| _ = scope.spawn(move || refuse(number).is_ok()));
        });
    });
}

/// Every expression of rules and panels.
fn asked() -> Vec<Expression> {
    let rules = read(deployed("rules.yml"));
    let of_rule = |rule: &str| Expression { of: "rules.yml".to_owned(), text: rule.to_owned(), labels: Vec::new() };
    let recorded = values(&rules, "record: ").into_iter().map(of_rule);
    recorded.chain(expressions().into_iter().filter(|expression| !expression.text.contains(OF_TLS))).collect()
}

/// A configuration with a receiver, of whose notifications there are metrics then. It gets none.
fn receiver(folder: &Path) -> String {
    let file = folder.join("netqoe.toml");
    std::fs::write(&file, "[[notify.receiver]]\nname = 'ops'\nkind = 'webhook'\nurl = 'http://127.0.0.1:9/'\n")
        .unwrap();
    file.display().to_string()
}

/// A probe that measures two servers, and sends what it has measured to the first.
fn probe(folder: &Path, ingest: u16, aggregate: u16) -> Server {
    let mut command = netqoe();
    let options = ["--interval 1s", "--throughput-url off", "--client-id probe", "--metrics-listen 0"];
    command.arg("probe").args(options.iter().flat_map(|option| option.split(' ')));
    command.args(["--endpoint", &format!("http://127.0.0.1:{ingest}"), "--spool"]).arg(folder.join("spool"));
    command.args([format!("http://127.0.0.1:{ingest}/readyz"), format!("tcp://127.0.0.1:{aggregate}")]);
    command.env("NETQOE_TOKEN", "token");
    Server::run(command, Arc::default())
}

fn publish(nats_url: &str, body: &'static [u8]) {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(async {
        let jetstream = async_nats::jetstream::new(async_nats::connect(nats_url).await.unwrap());
        jetstream.publish("telemetry.events.0", body.into()).await.unwrap().await.unwrap();
    });
}
