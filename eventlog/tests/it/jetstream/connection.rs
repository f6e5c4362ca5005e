//! Ways to connect, and what is said where it is not possible.

use std::path::PathBuf;

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use netqoe_eventlog::NatsAuthentication;
use nkeys::KeyPair;
use tempfile::TempDir;

use super::*;

fn server(configuration: &str) -> NatsServer {
    let configuration = configuration.to_owned();
    NatsServer::start_with(&netqoe_testbed::NatsOptions { configuration, ..Default::default() }).unwrap()
}

fn open_as(url: &str, authentication: NatsAuthentication) -> Result<JetStreamLog, LogError> {
    let mut options = options(url);
    options.connection.authentication = authentication;
    JetStreamLog::open(options)
}

fn with_user_info(nats: &NatsServer, user_info: &str) -> String {
    nats.url().replace("nats://", &format!("nats://{user_info}@"))
}

fn check_unauthorized(opened: Result<JetStreamLog, LogError>) {
    let error = opened.err().expect("the server refuses");
    assert!(matches!(error, LogError::Unauthorized { .. }), "{error}");
    assert!(!error.to_string().contains("wr0ng"), "{error}");
}

#[test]
fn a_user_with_a_password() {
    let nats = server("authorization { user: ingest, password: \"s3cret\" }\n");
    let who = |password: &str| NatsAuthentication::UserAndPassword {
        user: "ingest".to_owned(),
        password: password.to_owned(),
    };
    let log = open_as(&nats.url(), who("s3cret")).unwrap();
    append(&log, 0, "{}").unwrap();
    open_as(&with_user_info(&nats, "ingest:s3cret"), NatsAuthentication::FromUrl).unwrap();
    check_unauthorized(open_as(&nats.url(), who("wr0ng")));
    check_unauthorized(open_as(&with_user_info(&nats, "ingest:wr0ng"), NatsAuthentication::FromUrl));
    check_unauthorized(open_as(&nats.url(), NatsAuthentication::FromUrl));
}

#[test]
fn a_token() {
    let nats = server("authorization { token: \"s3cret\" }\n");
    open_as(&nats.url(), NatsAuthentication::Token("s3cret".to_owned())).unwrap();
    open_as(&with_user_info(&nats, "s3cret"), NatsAuthentication::FromUrl).unwrap();
    check_unauthorized(open_as(&nats.url(), NatsAuthentication::Token("wr0ng".to_owned())));
}

/// A claim of one key about another, as NATS signs them.
fn jwt(issuer: &KeyPair, subject: &KeyPair, about: &serde_json::Value) -> String {
    let claims = serde_json::json!({
        "jti": "a test", "iat": 1_700_000_000, "iss": issuer.public_key(), "sub": subject.public_key(),
        "name": "test", "nats": about,
    });
    let encode = |value: &serde_json::Value| URL_SAFE_NO_PAD.encode(value.to_string());
    let signed = format!("{}.{}", encode(&serde_json::json!({"typ": "JWT", "alg": "ed25519-nkey"})), encode(&claims));
    let signature = issuer.sign(signed.as_bytes()).unwrap();
    format!("{signed}.{}", URL_SAFE_NO_PAD.encode(signature))
}

#[test]
fn a_credentials_file() {
    let (operator, account, user) = (KeyPair::new_operator(), KeyPair::new_account(), KeyPair::new_user());
    let operator_jwt = jwt(&operator, &operator, &serde_json::json!({"type": "operator", "version": 2}));
    let limits = serde_json::json!({
        "subs": -1, "data": -1, "payload": -1, "imports": -1, "exports": -1, "wildcards": true, "conn": -1, "leaf": -1,
        "mem_storage": -1, "disk_storage": -1, "streams": -1, "consumer": -1,
    });
    let account_about = serde_json::json!({"type": "account", "version": 2, "limits": limits});
    let system = KeyPair::new_account();
    let system_jwt = jwt(&operator, &system, &serde_json::json!({"type": "account", "version": 2}));
    let account_jwt = jwt(&operator, &account, &account_about);
    let user_about = serde_json::json!({"type": "user", "version": 2, "subs": -1, "data": -1, "payload": -1});
    let user_jwt = jwt(&account, &user, &user_about);
    let (system, account) = (system.public_key(), account.public_key());
    let nats = server(&format!(
        "operator: {operator_jwt}\nsystem_account: {system}\nresolver: MEMORY\n\
         resolver_preload: {{ {system}: {system_jwt}, {account}: {account_jwt} }}\n",
    ));

    let folder = TempDir::new().unwrap();
    let file = folder.path().join("user.creds");
    let credentials = |seed: &str| {
        format!(
            "-----BEGIN NATS USER JWT-----\n{user_jwt}\n------END NATS USER JWT------\n\n\
             -----BEGIN USER NKEY SEED-----\n{seed}\n------END USER NKEY SEED------\n"
        )
    };
    std::fs::write(&file, credentials(&user.seed().unwrap())).unwrap();
    let log = open_as(&nats.url(), NatsAuthentication::CredentialsFile(file.clone())).unwrap();
    append(&log, 0, "{}").unwrap();
    std::fs::write(&file, credentials(&KeyPair::new_user().seed().unwrap())).unwrap();
    check_unauthorized(open_as(&nats.url(), NatsAuthentication::CredentialsFile(file.clone())));
    for unusable in [file.with_extension("missing"), folder.path().to_owned()] {
        let error = open_as(&nats.url(), NatsAuthentication::CredentialsFile(unusable)).err().unwrap();
        assert!(matches!(error, LogError::ConnectionFile { .. }), "{error}");
    }
}

/// An authority, and what it certifies, in files.
struct Certificates {
    folder: TempDir,
}

impl Certificates {
    fn make() -> Self {
        use rcgen::{BasicConstraints, CertificateParams, ExtendedKeyUsagePurpose, IsCa, Issuer};

        let folder = TempDir::new().unwrap();
        let authority_key = rcgen::KeyPair::generate().unwrap();
        let mut authority = CertificateParams::new(Vec::new()).unwrap();
        authority.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        let write = |name: &str, text: String| std::fs::write(folder.path().join(name), text).unwrap();
        write("ca.pem", authority.self_signed(&authority_key).unwrap().pem());
        let issuer = Issuer::new(authority, authority_key);
        for (name, usage) in
            [("server", ExtendedKeyUsagePurpose::ServerAuth), ("client", ExtendedKeyUsagePurpose::ClientAuth)]
        {
            let key = rcgen::KeyPair::generate().unwrap();
            let mut certified = CertificateParams::new(vec!["localhost".to_owned()]).unwrap();
            certified.extended_key_usages = vec![usage];
            write(&format!("{name}.pem"), certified.signed_by(&key, &issuer).unwrap().pem());
            write(&format!("{name}.key"), key.serialize_pem());
        }
        Self { folder }
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }
}

#[test]
fn tls_with_an_authority_of_ones_own() {
    let certificates = Certificates::make();
    let (certificate, key) = (certificates.path("server.pem"), certificates.path("server.key"));
    let nats = server(&format!("tls {{ cert_file: {certificate:?}, key_file: {key:?} }}\n"));
    let url = format!("tls://localhost:{}", nats.port());
    let open_with = |ca_file: Option<PathBuf>| {
        let mut options = options(&url);
        options.connection.ca_file = ca_file;
        JetStreamLog::open(options)
    };
    append(&open_with(Some(certificates.path("ca.pem"))).unwrap(), 0, "{}").unwrap();
    for unknown in [None, Some(certificates.path("server.pem"))] {
        let error = open_with(unknown).err().expect("the server is not trusted");
        assert!(matches!(error, LogError::Connect { .. }), "{error}");
    }
    let error = open_with(Some(certificates.path("missing.pem"))).err().expect("nobody is trusted");
    assert!(matches!(&error, LogError::ConnectionFile { path, .. } if path.ends_with("missing.pem")), "{error}");
}

#[test]
fn tls_where_the_server_asks_who_we_are() {
    let certificates = Certificates::make();
    let [certificate, key, authority] = ["server.pem", "server.key", "ca.pem"].map(|name| certificates.path(name));
    let nats = server(&format!(
        "tls {{ cert_file: {certificate:?}, key_file: {key:?}, ca_file: {authority:?}, verify: true }}\n"
    ));
    let mut options = options(&format!("tls://localhost:{}", nats.port()));
    options.connection.ca_file = Some(authority);
    assert!(JetStreamLog::open(options.clone()).is_err());
    options.connection.client_certificate = Some((certificates.path("client.pem"), certificates.path("client.key")));
    append(&JetStreamLog::open(options).unwrap(), 0, "{}").unwrap();
}

#[test]
fn what_is_not_there_is_said_in_one_line() {
    let mut nats = NatsServer::start().unwrap();
    let url = nats.url();
    nats.stop().unwrap();
    let error = JetStreamLog::open(options(&url)).err().unwrap().to_string();
    assert!(error.starts_with(&format!("can't connect to NATS at {url}: ")) && !error.contains('\n'), "{error}");
    assert!(error.contains("refused"), "{error}");

    let without = netqoe_testbed::NatsOptions { jetstream: false, ..Default::default() };
    let nats = NatsServer::start_with(&without).unwrap();
    let error = JetStreamLog::open(options(&nats.url())).err().unwrap();
    assert!(matches!(error, LogError::NoJetStream { .. }), "{error}");
}

#[test]
fn the_second_server_serves_where_the_first_is_away() {
    let nats = NatsServer::start().unwrap();
    let mut options = options(&format!("nats://127.0.0.1:{}", netqoe_testbed::free_port().unwrap()));
    options.connection.servers.push(nats.url());
    append(&JetStreamLog::open(options).unwrap(), 0, "{}").unwrap();
}
