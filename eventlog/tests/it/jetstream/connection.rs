//! Ways to connect, and what is said where it is not possible.

use std::path::PathBuf;

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use netqoe_eventlog::NatsAuthentication;
use nkeys::KeyPair;
use rcgen::{BasicConstraints, Certificate, CertificateParams, ExtendedKeyUsagePurpose, IsCa, Issuer, date_time_ymd};
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
    issuer: Issuer<'static, rcgen::KeyPair>,
}

impl Certificates {
    /// With `server.pem` and `client.pem` beside the authority's `ca.pem`, and a key for each.
    fn make() -> Self {
        let folder = TempDir::new().unwrap();
        let key = rcgen::KeyPair::generate().unwrap();
        let mut authority = CertificateParams::new(Vec::new()).unwrap();
        authority.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        std::fs::write(folder.path().join("ca.pem"), authority.self_signed(&key).unwrap().pem()).unwrap();
        let certificates = Self { folder, issuer: Issuer::new(authority, key) };
        certificates.sign("server", &for_localhost());
        certificates.sign("client", &for_clients());
        certificates
    }

    fn sign(&self, name: &str, params: &CertificateParams) {
        let key = rcgen::KeyPair::generate().unwrap();
        self.write(name, &params.signed_by(&key, &self.issuer).unwrap(), &key);
    }

    fn self_sign(&self, name: &str, params: &CertificateParams) {
        let key = rcgen::KeyPair::generate().unwrap();
        self.write(name, &params.self_signed(&key).unwrap(), &key);
    }

    fn write(&self, name: &str, certificate: &Certificate, key: &rcgen::KeyPair) {
        std::fs::write(self.path(&format!("{name}.pem")), certificate.pem()).unwrap();
        std::fs::write(self.path(&format!("{name}.key")), key.serialize_pem()).unwrap();
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// A server that shows one of them.
    fn server(&self, name: &str, more: &str) -> NatsServer {
        let [certificate, key] = [".pem", ".key"].map(|ending| self.path(&format!("{name}{ending}")));
        server(&format!("tls {{ cert_file: {certificate:?}, key_file: {key:?}{more} }}\n"))
    }

    /// One that lets in only who shows a certificate from the authority.
    fn server_that_asks(&self) -> NatsServer {
        self.server("server", &format!(", ca_file: {:?}, verify: true", self.path("ca.pem")))
    }

    /// Connects by this name and trusts this file.
    fn open(&self, nats: &NatsServer, host: &str, ca_file: &str) -> Result<JetStreamLog, LogError> {
        let mut options = options(&tls_url(nats, host));
        options.connection.ca_file = Some(self.path(ca_file));
        JetStreamLog::open(options)
    }

    #[track_caller]
    fn check_refused(&self, nats: &NatsServer, host: &str, ca_file: &str, expected: &str) {
        check_tls(self.open(nats, host, ca_file), nats, host, expected);
    }
}

fn tls_url(nats: &NatsServer, host: &str) -> String {
    format!("tls://{host}:{}", nats.port())
}

#[track_caller]
fn check_tls(opened: Result<JetStreamLog, LogError>, nats: &NatsServer, host: &str, expected: &str) {
    let error = opened.err().expect("TLS does not come about").to_string();
    assert_eq!(error, format!("can't set up TLS with NATS at {}: {expected}", tls_url(nats, host)));
}

fn for_localhost() -> CertificateParams {
    CertificateParams::new(vec!["localhost".to_owned()]).unwrap()
}

/// The same, but for this.
fn altered(alter: impl FnOnce(&mut CertificateParams)) -> CertificateParams {
    let mut params = for_localhost();
    alter(&mut params);
    params
}

fn for_clients() -> CertificateParams {
    altered(|params| params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ClientAuth])
}

const UNTRUSTED: &str = "its certificate is self-signed, or signed by an authority that is not trusted; give the \
                         certificate of that authority with --nats-ca";
const NO_TLS: &str = "it does not speak TLS; write nats:// instead of tls:// in --nats-url, or switch TLS on in the \
                      server's configuration (tls { … })";

#[test]
fn tls_with_an_authority_of_ones_own() {
    let certificates = Certificates::make();
    let nats = certificates.server("server", "");
    append(&certificates.open(&nats, "localhost", "ca.pem").unwrap(), 0, "{}").unwrap();
    // Whatever the system trusts.
    check_tls(JetStreamLog::open(options(&tls_url(&nats, "localhost"))), &nats, "localhost", UNTRUSTED);
}

#[test]
fn what_is_wrong_with_a_certificate_is_told_with_what_to_do() {
    let certificates = Certificates::make();
    let nats = certificates.server("server", "");
    certificates.check_refused(&nats, "localhost", "client.pem", UNTRUSTED);
    let other_name = "its certificate is for another name: localhost; write a name in --nats-url that is in the \
                      certificate, or give the server a certificate for this name";
    certificates.check_refused(&nats, "127.0.0.1", "ca.pem", other_name);

    certificates.self_sign("self", &for_localhost());
    let nats = certificates.server("self", "");
    certificates.check_refused(&nats, "localhost", "ca.pem", UNTRUSTED);
    certificates.open(&nats, "localhost", "self.pem").unwrap();
    // As `openssl req -x509` makes it.
    certificates.self_sign("self", &altered(|params| params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained)));
    let authoritys_own = "its certificate is an authority's own, and no server's; give the server a certificate that an \
                          authority has signed, or a self-signed one that was made with basicConstraints=CA:FALSE";
    certificates.check_refused(&certificates.server("self", ""), "localhost", "self.pem", authoritys_own);

    let not_after = date_time_ymd(2020, 1, 1);
    let days = SystemTime::now().duration_since(not_after.into()).unwrap().as_secs() / 86_400;
    certificates.sign("old", &altered(|params| params.not_after = not_after));
    let expired = format!(
        "its certificate expired {days} days ago; renew the server's certificate, or set this machine's clock if it is wrong"
    );
    certificates.check_refused(&certificates.server("old", ""), "localhost", "ca.pem", &expired);
    certificates.sign("new", &altered(|params| params.not_before = date_time_ymd(2900, 1, 1)));
    let not_yet = "its certificate is not valid yet; check this machine's clock";
    certificates.check_refused(&certificates.server("new", ""), "localhost", "ca.pem", not_yet);
    let purpose = "its certificate, or an authority's, is not meant for servers; give the server another certificate";
    certificates.check_refused(&certificates.server("client", ""), "localhost", "ca.pem", purpose);
}

#[test]
fn a_server_without_tls_is_told_with_what_to_do() {
    let nats = NatsServer::start().unwrap();
    Certificates::make().check_refused(&nats, "localhost", "ca.pem", NO_TLS);
}

#[test]
fn tls_where_the_server_asks_who_we_are() {
    let certificates = Certificates::make();
    let nats = certificates.server_that_asks();
    let give = "give one that it accepts with --nats-certificate and --nats-key";
    let required = format!("it requires a client certificate; {give}");
    certificates.check_refused(&nats, "localhost", "ca.pem", &required);
    let open_as = |name: &str| {
        let mut options = options(&tls_url(&nats, "localhost"));
        options.connection.ca_file = Some(certificates.path("ca.pem"));
        let files = [".pem", ".key"].map(|ending| certificates.path(&format!("{name}{ending}")));
        let [certificate, key] = files;
        options.connection.client_certificate = Some((certificate, key));
        JetStreamLog::open(options)
    };
    append(&open_as("client").unwrap(), 0, "{}").unwrap();
    certificates.self_sign("stranger", &for_clients());
    let not_accepted = format!("it does not accept the client's certificate; {give}");
    check_tls(open_as("stranger"), &nats, "localhost", &not_accepted);
}

/// As when a certificate expires, or another authority signs the next one, while netqoe runs.
#[test]
fn a_server_that_comes_back_with_another_certificate_is_told_by_health() {
    let certificates = Certificates::make();
    let mut nats = certificates.server("server", "");
    let log = certificates.open(&nats, "localhost", "ca.pem").unwrap();
    append(&log, 0, "{}").unwrap();
    nats.kill().unwrap();
    certificates.self_sign("server", &for_localhost());
    nats.restart().unwrap();
    let expected = format!("can't set up TLS with NATS at {}: {UNTRUSTED}", tls_url(&nats, "localhost"));
    let started = Instant::now();
    while log.healthy() != Err(expected.clone()) {
        assert!(started.elapsed() < Duration::from_secs(60), "{:?}", log.healthy());
        std::thread::sleep(Duration::from_millis(20));
    }
}

#[test]
fn what_is_wrong_with_a_file_is_told() {
    let certificates = Certificates::make();
    std::fs::write(certificates.path("empty.pem"), "").unwrap();
    let nats = certificates.server("server", "");
    let check = |opened: Result<JetStreamLog, LogError>, file: &str, reason: &str| {
        let error = opened.err().expect("the file can't be used").to_string();
        let place = certificates.path(file);
        assert_eq!(error, format!("can't use {} for the connection to NATS: {reason}", place.display()));
    };
    let no_certificate = "it holds no certificate in PEM form (BEGIN CERTIFICATE)";
    check(certificates.open(&nats, "localhost", "empty.pem"), "empty.pem", no_certificate);
    check(
        certificates.open(&nats, "localhost", "missing.pem"),
        "missing.pem",
        "No such file or directory (os error 2)",
    );
    let open_with = |certificate: &str, key: &str| {
        let mut options = options(&tls_url(&nats, "localhost"));
        options.connection.client_certificate = Some((certificates.path(certificate), certificates.path(key)));
        JetStreamLog::open(options)
    };
    let other_key = format!("it is not the key of {}", certificates.path("client.pem").display());
    check(open_with("client.pem", "server.key"), "server.key", &other_key);
    check(open_with("client.key", "client.key"), "client.key", no_certificate);
    check(open_with("client.pem", "client.pem"), "client.pem", "it holds no private key in PEM form");
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
