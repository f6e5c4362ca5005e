//! The compose file: its schema allows it, what it names is there, and no container may do more than it needs.

use std::collections::BTreeSet;
use std::fs::Permissions;
use std::os::unix::fs::PermissionsExt;
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use netqoe_testbed::{Postgres, free_port, new_nats_server};
use serde_json::Value;

use super::{check_no_secret, check_variable, deploy, read, run};

/// Secrets as `make-secrets.sh` makes them.
fn make_secrets(folder: &Path) {
    run("sh", &[deploy("compose/make-secrets.sh").to_str().unwrap(), folder.to_str().unwrap()]);
}

fn texts(list: &Value) -> Vec<&str> {
    list.as_array().into_iter().flatten().map(|text| text.as_str().unwrap()).collect()
}

#[test]
fn the_compose_file_is_sound() {
    let file = deploy("compose/compose.yml");
    let compose = read("compose", &[file.to_str().unwrap()]).unwrap();
    check_containers(&compose);
    check_names(&compose);
    check_secrets(&compose);
    check_targets(&compose);
}

/// Nobody gets more from a container that is taken over than its program itself needs.
fn check_containers(compose: &Value) {
    for (name, service) in compose["services"].as_object().unwrap() {
        assert_eq!(service["read_only"], true, "{name}");
        assert_eq!(texts(&service["cap_drop"]), ["ALL"], "{name}");
        assert_eq!(texts(&service["security_opt"]), ["no-new-privileges:true"], "{name}");
        let image = service["image"].as_str().unwrap();
        let version = image.rsplit_once(':').unwrap().1;
        assert!(version.contains(|c: char| c.is_ascii_digit()), "{name}: {image} is not one version");
        for port in texts(&service["ports"]) {
            assert!(port.starts_with("127.0.0.1:"), "{name}: {port} is published to others");
        }
        for (variable, _) in service["environment"].as_object().into_iter().flatten() {
            check_variable(variable);
            check_no_secret(variable);
        }
        // It gives a folder to somebody else, and ends.
        if name == "nats-volume" {
            assert_eq!(service["network_mode"], "none");
            continue;
        }
        let user = service["user"].as_str().unwrap();
        assert!(!user.starts_with("0") && !user.starts_with("root"), "{name} runs as {user}");
        assert!(service["healthcheck"]["test"].is_array(), "{name} has no health check");
    }
}

/// Each secret that is declared is used and made.
fn check_secrets(compose: &Value) {
    let folder = tempfile::tempdir().unwrap();
    let made = folder.path().join("secrets");
    make_secrets(&made);
    let secrets = compose["secrets"].as_object().unwrap();
    for file in secrets.values().map(|secret| secret["file"].as_str().unwrap()) {
        assert!(made.join(file.strip_prefix("./secrets/").unwrap()).is_file(), "make-secrets.sh makes no {file}");
    }
    let services = compose["services"].as_object().unwrap().values();
    let used = services.flat_map(|service| service["secrets"].as_array().into_iter().flatten());
    let used: BTreeSet<_> = used.map(|secret| secret.as_str().or(secret["source"].as_str()).unwrap()).collect();
    assert_eq!(used, secrets.keys().map(String::as_str).collect());
}

/// Files, volumes and services that services name are there.
fn check_names(compose: &Value) {
    let services = compose["services"].as_object().unwrap();
    for (name, service) in services {
        for mount in texts(&service["volumes"]) {
            let source = mount.split(':').next().unwrap();
            let is_there = match source.starts_with('.') {
                true => deploy("compose").join(source).exists(),
                false => compose["volumes"].as_object().unwrap().contains_key(source),
            };
            assert!(is_there, "{name}: {source}");
        }
        if let Some(build) = service["build"].as_object() {
            let context = deploy("compose").join(build["context"].as_str().unwrap());
            assert!(context.join(build["dockerfile"].as_str().unwrap()).is_file(), "{name}");
        }
        for (other, _) in service["depends_on"].as_object().into_iter().flatten() {
            assert!(services.contains_key(other), "{name} depends on {other}");
        }
    }
}

/// Prometheus's configuration is the one that is shipped, so that its targets are names of containers.
fn check_targets(compose: &Value) {
    let services = compose["services"].as_object().unwrap().values();
    let aliases: BTreeSet<_> =
        services.flat_map(|service| texts(&service["networks"]["inside"]["aliases"])).map(str::to_owned).collect();
    let shipped = std::fs::read_to_string(deploy("prometheus/prometheus.yml")).unwrap();
    let targets = shipped.lines().filter_map(|line| line.trim().strip_prefix("- ")?.rsplit_once(':'));
    let named: BTreeSet<_> =
        targets.filter(|(host, _)| host.ends_with(".example.net")).map(|(host, _)| host.to_owned()).collect();
    assert!(!named.is_empty());
    assert_eq!(named, aliases);
}

#[test]
fn secrets_are_made_once() {
    let folder = tempfile::tempdir().unwrap();
    let made = folder.path().join("secrets");
    make_secrets(&made);
    let tokens = std::fs::read(made.join("tokens")).unwrap();
    let script = deploy("compose/make-secrets.sh");
    let again = Command::new("sh").arg(script).arg(&made).output().unwrap();
    assert!(!again.status.success(), "passwords that a database has were replaced");
    assert_eq!(std::fs::read(made.join("tokens")).unwrap(), tokens);
}

#[test]
fn nats_server_reads_its_configuration() {
    let folder = tempfile::tempdir().unwrap();
    let made = folder.path().join("secrets");
    make_secrets(&made);
    for (from, to) in [("compose/nats.conf", "nats.conf"), ("nats/nats.conf", "netqoe.conf")] {
        std::fs::copy(deploy(from), folder.path().join(to)).unwrap();
    }
    std::fs::copy(made.join("nats-users.conf"), folder.path().join("users.conf")).unwrap();
    // Debian's does not know `sync_interval`.
    let server = new_nats_server().unwrap();
    run(server.to_str().unwrap(), &["-t", "-c", folder.path().join("nats.conf").to_str().unwrap()]);
}

#[test]
fn netqoe_and_grafana_reach_the_database() {
    let folder = tempfile::tempdir().unwrap();
    let made = folder.path().join("secrets");
    make_secrets(&made);
    let postgres = Postgres::start().unwrap();
    let sql = std::fs::read_to_string(deploy("compose/roles.sql")).unwrap();
    let roles = folder.path().join("roles.sql");
    std::fs::write(&roles, sql.replace("/run/secrets", made.to_str().unwrap())).unwrap();
    let owner = postgres.url();
    psql(&owner, &["-f", roles.to_str().unwrap()]).unwrap();
    let has_password =
        "SELECT count(*) FROM pg_authid WHERE rolname IN ('netqoe', 'grafana') AND rolpassword IS NOT NULL";
    assert_eq!(psql(&owner, &["-c", has_password]).unwrap(), "2");
    // The server of the test asks for no password, and so PgBouncer alone does.
    let pgbouncer = start_pgbouncer(folder.path(), &made, postgres.port());
    let through = |role: &str, password: &str| format!("postgres://{role}:{password}@127.0.0.1:{}/netqoe", pgbouncer.1);
    let password = std::fs::read_to_string(made.join("netqoe-database-password")).unwrap();
    let started = Instant::now();
    while let Err(said) = psql(&through("netqoe", &password), &["-c", "CREATE TABLE seen AS SELECT 1 AS n"]) {
        assert!(started.elapsed() < START && said.contains("refused"), "{said}");
        std::thread::sleep(Duration::from_millis(50));
    }
    let said = psql(&through("netqoe", "wrong"), &["-c", "SELECT n FROM seen"]).unwrap_err();
    assert!(said.contains("authentication failed"), "{said}");
    let direct = format!("postgres://grafana@127.0.0.1:{}/netqoe", postgres.port());
    assert_eq!(psql(&direct, &["-c", "SELECT n FROM seen"]).unwrap(), "1");
    let said = psql(&direct, &["-c", "INSERT INTO seen VALUES (2)"]).unwrap_err();
    assert!(said.contains("read-only"), "{said}");
}

/// How long PgBouncer may take to start on a machine that is busy.
const START: Duration = Duration::from_secs(60);

/// What psql prints, or what it says is wrong.
fn psql(url: &str, arguments: &[&str]) -> Result<String, String> {
    let options = ["--no-psqlrc", "-v", "ON_ERROR_STOP=1", "-Atq", "-d", url];
    let output = Command::new("psql").args(options).args(arguments).output().unwrap();
    match output.status.success() {
        true => Ok(String::from_utf8(output.stdout).unwrap().trim().to_owned()),
        false => Err(String::from_utf8_lossy(&output.stderr).into_owned()),
    }
}

/// PgBouncer and its port.
struct Bouncer(Child, u16);

impl Drop for Bouncer {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// With the shipped configuration, before the server at this port.
fn start_pgbouncer(folder: &Path, secrets: &Path, database: u16) -> Bouncer {
    let port = free_port().unwrap();
    let mut moved = std::fs::read_to_string(deploy("compose/pgbouncer.ini")).unwrap();
    for (from, to) in [
        ("host=postgres port=5432", format!("host=127.0.0.1 port={database}")),
        ("listen_addr = 0.0.0.0", "listen_addr = 127.0.0.1".to_owned()),
        ("listen_port = 6432", format!("listen_port = {port}")),
        ("/run/secrets", secrets.display().to_string()),
    ] {
        assert!(moved.contains(from), "{from}");
        moved = moved.replace(from, &to);
    }
    let configuration = folder.join("pgbouncer.ini");
    std::fs::write(&configuration, moved).unwrap();
    let path = format!("{}:/usr/sbin:/sbin", std::env::var("PATH").unwrap());
    let mut command = Command::new("/usr/bin/env");
    command.arg(format!("PATH={path}")).arg("pgbouncer").arg(configuration);
    // It does not run as root, and the user that it gets instead must be able to enter the folders.
    if rustix::process::geteuid().is_root() {
        for entered in [folder, secrets] {
            std::fs::set_permissions(entered, Permissions::from_mode(0o755)).unwrap();
        }
        command.uid(NOBODY).gid(NOBODY);
    }
    Bouncer(command.stderr(Stdio::null()).spawn().unwrap(), port)
}

/// As in the container: a user that has no name.
const NOBODY: u32 = 65532;
