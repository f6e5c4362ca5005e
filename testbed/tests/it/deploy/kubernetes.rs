//! The manifests and the chart: Kubernetes takes them, they make the same objects, and no pod may do more than it needs.

use std::collections::BTreeMap;

use netqoe_testbed::PackagedPython;
use serde_json::{Value, json};

use super::{check_no_secret, check_variable, deploy, read, read_by};

/// The oldest version that README.md names, and the newest one that is known.
const VERSIONS: &str = "1.31,1.37";
/// Where another test checks the same objects.
const NO_VERSION: &str = "";

/// Objects by what they are called.
type Objects = BTreeMap<String, Value>;

fn by_name(objects: Value) -> Objects {
    let Value::Array(objects) = objects else { panic!("{objects}") };
    let named = objects.into_iter().map(|object| {
        let [kind, name] = [&object["kind"], &object["metadata"]["name"]].map(|part| part.as_str().unwrap());
        (format!("{kind} {name}"), object)
    });
    named.collect()
}

/// Of the files that are applied as they are.
fn manifests(versions: &str) -> Objects {
    let files = deploy("kubernetes").read_dir().unwrap().map(|entry| entry.unwrap().path());
    let files: Vec<_> = files.filter(|path| path.extension().is_some_and(|extension| extension == "yml")).collect();
    let files = files.iter().map(|path| path.to_str().unwrap());
    by_name(read("kubernetes", &[versions].into_iter().chain(files).collect::<Vec<_>>()).unwrap())
}

/// What the chart makes of each of these values: objects, or the text of why there are none.
fn chart(versions: &str, values: &[Value]) -> Vec<Value> {
    let (folder, values) = (deploy("helm/netqoe"), values.iter().map(Value::to_string).collect::<Vec<_>>());
    let values = values.iter().map(String::as_str);
    let arguments: Vec<_> = [versions, folder.to_str().unwrap()].into_iter().chain(values).collect();
    let Value::Array(made) = read_by(&PackagedPython::with_helm().unwrap(), "helm", &arguments).unwrap() else {
        panic!("no list")
    };
    made
}

/// Whether there is a Helm here that charts can be rendered with.
fn has_helm() -> bool {
    if !PackagedPython::HAS_HELM {
        eprintln!("skipped: PyPI has no Helm for this machine");
    }
    PackagedPython::HAS_HELM
}

/// The pods of these objects, by the objects that make them.
fn pods(objects: &Objects) -> BTreeMap<&str, &Value> {
    let places = ["/spec/template/spec", "/spec/jobTemplate/spec/template/spec"];
    let found = objects
        .iter()
        .filter_map(|(name, object)| Some((name.as_str(), places.iter().find_map(|place| object.pointer(place))?)));
    found.collect()
}

#[test]
fn kubernetes_takes_the_manifests() {
    let objects = manifests(VERSIONS);
    let pods = pods(&objects);
    let expected =
        ["CronJob netqoe-maintain", "Deployment netqoe-ingest", "Job netqoe-migrate", "StatefulSet netqoe-aggregate"];
    assert_eq!(pods.keys().copied().collect::<Vec<_>>(), expected);
    for (name, pod) in pods {
        check_pod(name, pod);
    }
    check_cluster(&objects, 2);
    check_ports(&objects);
}

/// Nobody gets more from a pod that is taken over than netqoe itself needs.
fn check_pod(name: &str, pod: &Value) {
    assert_eq!(pod["automountServiceAccountToken"], false, "{name}");
    assert_eq!(pod["enableServiceLinks"], false, "{name}: variables of Services would be taken for options");
    assert_eq!(pod["securityContext"]["runAsNonRoot"], true, "{name}");
    assert_eq!(pod["securityContext"]["seccompProfile"]["type"], "RuntimeDefault", "{name}");
    for container in pod["containers"].as_array().unwrap() {
        let expected = json!({
            "allowPrivilegeEscalation": false, "readOnlyRootFilesystem": true, "capabilities": { "drop": ["ALL"] },
        });
        assert_eq!(container["securityContext"], expected, "{name}");
        assert!(container["resources"]["limits"]["memory"].is_string(), "{name}");
        for variable in container["env"].as_array().unwrap() {
            let variable = variable["name"].as_str().unwrap();
            check_variable(variable);
            check_no_secret(variable);
        }
    }
}

/// `-n`, the hosts and the number of pods are one number.
fn check_cluster(objects: &Objects, processes: usize) {
    let aggregate = &objects["StatefulSet netqoe-aggregate"]["spec"];
    assert_eq!(aggregate["replicas"], processes);
    let variables = aggregate["template"]["spec"]["containers"][0]["env"].as_array().unwrap();
    let named = variables.iter().find(|variable| variable["name"] == "NETQOE_PROCESSES").unwrap();
    assert_eq!(named["value"], processes.to_string());
    let hosts = objects["ConfigMap netqoe-aggregate"]["data"]["hosts"].as_str().unwrap();
    let expected: Vec<_> =
        (0..processes).map(|process| format!("netqoe-aggregate-{process}.netqoe-aggregate:2101")).collect();
    assert_eq!(hosts.lines().collect::<Vec<_>>(), expected);
}

/// Traffic that no policy names is refused, so these are all ports that anybody reaches.
fn check_ports(objects: &Objects) {
    let ports = |direction: &str, component: &str| {
        let rules =
            objects[&format!("NetworkPolicy netqoe-{component}")]["spec"][direction].as_array().unwrap().clone();
        let ports = rules.iter().flat_map(|rule| {
            assert!(rule["from"].is_array() || rule["to"].is_array(), "{component}: a rule for everybody");
            rule["ports"].as_array().unwrap().clone()
        });
        ports.map(|port| port["port"].as_u64().unwrap()).collect::<Vec<_>>()
    };
    let denied = json!({
        "podSelector": { "matchLabels": { "app.kubernetes.io/name": "netqoe", "app.kubernetes.io/instance": "netqoe" } },
        "policyTypes": ["Ingress", "Egress"],
    });
    assert_eq!(objects["NetworkPolicy netqoe-default-deny"]["spec"], denied);
    assert_eq!(ports("ingress", "ingest"), [8081]);
    assert_eq!(ports("ingress", "aggregate"), [8082, 2101]);
    assert_eq!(ports("egress", "ingest"), [4222]);
    assert_eq!(ports("egress", "aggregate"), [2101, 4222, 5432]);
    assert_eq!(ports("egress", "schema"), [5432]);
}

#[test]
#[ignore = "gets Helm from PyPI, 240 MB; `cargo xtask soak` runs it"]
fn the_chart_makes_the_same_objects() {
    if !has_helm() {
        return;
    }
    let mut expected = manifests(NO_VERSION);
    // Helm's own `--create-namespace` makes it.
    expected.remove("Namespace netqoe").unwrap();
    let mut rendered = by_name(chart(NO_VERSION, &[json!({})]).remove(0));
    // When Helm applies it, which kubectl is told by hand.
    let hooks = rendered.get_mut("Job netqoe-migrate").unwrap()["metadata"].as_object_mut().unwrap();
    assert_eq!(hooks.remove("annotations").unwrap()["helm.sh/hook"], "pre-install,pre-upgrade");
    assert_eq!(rendered.keys().collect::<Vec<_>>(), expected.keys().collect::<Vec<_>>());
    for (name, object) in expected {
        assert_eq!(rendered[&name], object, "{name}");
    }
}

#[test]
#[ignore = "gets Helm from PyPI, 240 MB; `cargo xtask soak` runs it"]
fn the_chart_follows_its_values() {
    if !has_helm() {
        return;
    }
    let changed = json!({
        "image": { "repository": "other.example/netqoe", "tag": "1.2.3", "pullSecrets": ["registry"] },
        "aggregate": { "processes": 3, "env": [{ "name": "NETQOE_WINDOW", "value": "30s" }] },
        "ingest": { "maxReplicas": 40 },
        "networkPolicies": { "enabled": false },
    });
    let rendered = by_name(chart(VERSIONS, &[changed]).remove(0));
    check_cluster(&rendered, 3);
    assert!(!rendered.keys().any(|name| name.starts_with("NetworkPolicy")));
    assert_eq!(rendered["HorizontalPodAutoscaler netqoe-ingest"]["spec"]["maxReplicas"], 40);
    for (name, pod) in pods(&rendered) {
        check_pod(name, pod);
        assert_eq!(pod["containers"][0]["image"], "other.example/netqoe:1.2.3", "{name}");
        assert_eq!(pod["imagePullSecrets"][0]["name"], "registry", "{name}");
    }
    let variables = &rendered["StatefulSet netqoe-aggregate"]["spec"]["template"]["spec"]["containers"][0]["env"];
    assert!(variables.as_array().unwrap().contains(&json!({ "name": "NETQOE_WINDOW", "value": "30s" })));
}

#[test]
#[ignore = "gets Helm from PyPI, 240 MB; `cargo xtask soak` runs it"]
fn the_chart_refuses_wrong_values() {
    if !has_helm() {
        return;
    }
    let wrong = [
        (json!({ "aggregate": { "processes": "two" } }), "/aggregate/processes"),
        (json!({ "ingest": { "replicas": 2 } }), "replicas"),
        (json!({ "nats": { "url": "http://nats:4222" } }), "/nats/url"),
        (json!({ "networkPolicies": { "proxies": [], "monitoring": [] } }), "would let everybody in"),
    ];
    let said = chart(NO_VERSION, &wrong.clone().map(|(values, _)| values));
    for ((values, reason), said) in wrong.iter().zip(&said) {
        assert!(said.as_str().is_some_and(|said| said.contains(reason)), "{values}: {said}");
    }
}

#[test]
fn a_mistake_in_a_manifest_is_found() {
    let folder = tempfile::tempdir().unwrap();
    let shipped = std::fs::read_to_string(deploy("kubernetes/ingest.yml")).unwrap();
    let mistakes = [
        ("readOnlyRootFilesystem:", "readonlyRootFilesystem:", "'readonlyRootFilesystem' was unexpected"),
        ("containerPort: 8081", "containerPort: http", "'http' is not of type 'integer'"),
        ("      port: 8081\n", "      port: 8081\n      port: 8082\n", "the key port stands twice"),
    ];
    let files = [0, 1, 2].map(|index| folder.path().join(format!("{index}.yml")));
    for ((right, wrong, _), file) in mistakes.iter().zip(&files) {
        let mistaken = shipped.replacen(right, wrong, 1);
        assert_ne!(mistaken, shipped);
        std::fs::write(file, mistaken).unwrap();
    }
    let files = files.iter().map(|file| file.to_str().unwrap());
    let said = read("kubernetes", &["1.31"].into_iter().chain(files).collect::<Vec<_>>()).unwrap_err();
    for (_, wrong, reason) in mistakes {
        assert!(said.contains(reason), "{wrong}: {said}");
    }
}
