//! `up` over TLS, as curl sees it.

use std::path::Path;
use std::process::Command;

use netqoe_testbed::free_port;
use rcgen::{CertificateParams, KeyPair};
use serde_json::json;

use crate::support::{Server, eventually, get, netqoe, send};

fn write_pair(folder: &Path) {
    let key = KeyPair::generate().unwrap();
    let certificate = CertificateParams::new(["localhost".to_owned()]).unwrap().self_signed(&key).unwrap();
    std::fs::write(folder.join("tls.pem"), certificate.pem()).unwrap();
    std::fs::write(folder.join("tls.key"), key.serialize_pem()).unwrap();
}

/// The status and the version of HTTP of who trusts the certificate in the file; none where no connection comes about.
fn curl(folder: &Path, port: u16, options: &[&str]) -> Option<String> {
    let mut command = Command::new("curl");
    command
        .args(["-sS", "-o", "/dev/null", "-w", "%{http_code} %{http_version}", "--cacert"])
        .arg(folder.join("tls.pem"));
    command.args(["--resolve", &format!("localhost:{port}:127.0.0.1")]).args(options);
    let output = command.arg(format!("https://localhost:{port}/readyz")).output().unwrap();
    output.status.success().then(|| String::from_utf8(output.stdout).unwrap())
}

#[test]
fn a_server_speaks_tls_and_its_certificate_is_replaced() {
    let folder = tempfile::tempdir().unwrap();
    write_pair(folder.path());
    let [certificate, key] = ["tls.pem", "tls.key"].map(|name| folder.path().join(name).display().to_string());
    let admin = free_port().unwrap();
    let options = ["--tls-cert", &certificate, "--tls-key", &key, "--admin-port", &admin.to_string()];
    let mut up = Server::start(&folder.path().join("data"), &options);
    let port = up.port();
    eventually("it is ready", || curl(folder.path(), port, &[]).as_deref() == Some("200 2"));
    assert_eq!(curl(folder.path(), port, &["--http1.1"]).as_deref(), Some("200 1.1"));
    eventually("the admin routes are there", || get(admin, "/admin/log-level").is_ok());

    write_pair(folder.path());
    let answer = send(admin, "POST", "/-/reload", &[], b"").unwrap().json();
    // It may have been noticed without being told.
    assert!(
        answer["changed"] == json!(["certificate"]) || up.has_logged("new connections get the certificate"),
        "{answer}"
    );
    assert_eq!(curl(folder.path(), port, &[]).as_deref(), Some("200 2"));
    std::fs::write(&key, "no key").unwrap();
    assert_eq!(send(admin, "POST", "/-/reload", &[], b"").unwrap().status, 500);
    assert_eq!(curl(folder.path(), port, &[]).as_deref(), Some("200 2"));
    up.stop();

    for (options, complaint) in [
        (&["--tls-cert", &*certificate][..], "--tls-cert and --tls-key belong together"),
        (&["--tls-cert", &certificate, "--tls-key", &key], "it holds no private key in PEM form"),
    ] {
        let refused = netqoe().args(["up", "--port", "0", "--data"]).arg(folder.path()).args(options).output().unwrap();
        assert_eq!(refused.status.code(), Some(2));
        assert!(String::from_utf8_lossy(&refused.stderr).contains(complaint), "{refused:?}");
    }
}
