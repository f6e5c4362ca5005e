//! Servers whose TLS curl with OpenSSL puts up with.

use std::io::{BufRead, BufReader};
use std::net::SocketAddr;
use std::process::{Child, Command, Stdio};
use std::sync::Arc;

use netqoe_model::ErrorStage;
use netqoe_probe::{Measurement, Settings, TrustedRoots};
use rcgen::{BasicConstraints, Certificate, CertificateParams, CertifiedIssuer, DnType, IsCa, Issuer, KeyPair};
use rustls::crypto::aws_lc_rs;
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject;
use rustls::server::WebPkiClientVerifier;
use rustls::version::{TLS12, TLS13};
use rustls::{RootCertStore, ServerConfig, SupportedProtocolVersion};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpListener;
use tokio_rustls::TlsAcceptor;

use crate::loopback::{measure_url, plain_settings, stage};
use crate::support::web_server::{OK, WebServer, answers};

/// Settings that trust these certificates.
fn trusting(certificates: &[&CertificateDer<'static>]) -> Settings {
    let certificates = certificates.iter().copied().cloned();
    Settings { roots: Arc::new(TrustedRoots::new(certificates)), ..plain_settings() }
}

fn params(name: &str, is_authority: bool) -> CertificateParams {
    let mut params = CertificateParams::new(["127.0.0.1".to_owned()]).unwrap();
    params.distinguished_name.push(DnType::CommonName, name);
    params.is_ca = if is_authority { IsCa::Ca(BasicConstraints::Unconstrained) } else { IsCa::ExplicitNoCa };
    params
}

fn authority(name: &str) -> CertifiedIssuer<'static, KeyPair> {
    CertifiedIssuer::self_signed(params(name, true), KeyPair::generate().unwrap()).unwrap()
}

fn acceptor(chain: Vec<CertificateDer<'static>>, key: KeyPair) -> TlsAcceptor {
    let config = ServerConfig::builder_with_provider(Arc::new(aws_lc_rs::default_provider()));
    let config = config.with_safe_default_protocol_versions().unwrap().with_no_client_auth();
    TlsAcceptor::from(Arc::new(config.with_single_cert(chain, key.into()).unwrap()))
}

/// A measurement of a server that shows `chain`.
async fn measured(chain: Vec<CertificateDer<'static>>, key: KeyPair, settings: &Settings) -> Measurement {
    let server = WebServer::start_tls(acceptor(chain, key), answers(OK)).await;
    measure_url(&server.url("https", "127.0.0.1", "/"), settings).await
}

#[track_caller]
fn is_success_of_the_second_stack(measurement: &Measurement) {
    assert!(measurement.failure.is_none(), "{:?}", measurement.failure);
    let evidence = measurement.evidence.tls.as_ref().unwrap();
    assert!(evidence.refused_first.is_some(), "{evidence:?}");
    assert!(measurement.phases.tcp.is_some() && measurement.phases.tls.is_some());
    assert!(measurement.evidence.certificate_expires_s.is_some());
}

#[tokio::test]
async fn an_own_certificate_that_is_trusted_may_be_an_authoritys() {
    let key = KeyPair::generate().unwrap();
    let own = params("own", true).self_signed(&key).unwrap();
    let chain = vec![own.der().clone()];
    is_success_of_the_second_stack(&measured(chain.clone(), key, &trusting(&[own.der()])).await);
    let stranger = authority("stranger");
    let key = KeyPair::generate().unwrap();
    let other = params("own", true).self_signed(&key).unwrap();
    let refused = measured(vec![other.der().clone()], key, &trusting(&[stranger.der()])).await;
    assert_eq!(stage(&refused), Some(ErrorStage::Tls));
}

/// A chain of so many authorities under `root`, the nearest to the server first, and the server's own.
fn deep_chain(root: &CertifiedIssuer<'static, KeyPair>, depth: usize) -> (Vec<CertificateDer<'static>>, KeyPair) {
    let sign =
        |params: CertificateParams, key: &KeyPair, above: Option<&(CertificateParams, KeyPair)>| -> Certificate {
            match above {
                Some((above, above_key)) => params.signed_by(key, &Issuer::from_params(above, above_key)).unwrap(),
                None => params.signed_by(key, root).unwrap(),
            }
        };
    let (mut chain, mut above) = (Vec::new(), None);
    for n in 0..depth {
        let (key, params) = (KeyPair::generate().unwrap(), params(&format!("authority {n}"), true));
        chain.insert(0, sign(params.clone(), &key, above.as_ref()).der().clone());
        above = Some((params, key));
    }
    let key = KeyPair::generate().unwrap();
    chain.insert(0, sign(params("server", false), &key, above.as_ref()).der().clone());
    (chain, key)
}

#[tokio::test]
async fn a_chain_of_sixteen_in_any_order_with_what_nobody_needs() {
    let root = authority("root");
    let (mut chain, key) = deep_chain(&root, 16);
    chain[1..].reverse();
    chain.extend_from_within(3..8);
    chain.push(authority("stranger").der().clone());
    is_success_of_the_second_stack(&measured(chain, key, &trusting(&[root.der()])).await);
}

#[tokio::test]
async fn a_chain_with_a_gap_is_refused_in_plain_words() {
    let root = authority("root");
    let (mut chain, key) = deep_chain(&root, 9);
    chain.remove(4);
    let measurement = measured(chain, key, &trusting(&[root.der()])).await;
    let message = measurement.failure.unwrap().to_string();
    assert!(
        message.contains("its certificate is signed by an authority that is not trusted: CN=authority"),
        "{message}"
    );
}

/// A server that asks for a client certificate, in one version of TLS.
async fn asking(version: &'static SupportedProtocolVersion, is_required: bool) -> Measurement {
    let root = authority("root");
    let (chain, key) = deep_chain(&root, 0);
    let mut clients = RootCertStore::empty();
    clients.add(root.der().clone()).unwrap();
    let provider = Arc::new(aws_lc_rs::default_provider());
    let verifier = WebPkiClientVerifier::builder_with_provider(Arc::new(clients), Arc::clone(&provider));
    let verifier = if is_required { verifier } else { verifier.allow_unauthenticated() };
    let config = ServerConfig::builder_with_provider(provider).with_protocol_versions(&[version]).unwrap();
    let config = config.with_client_cert_verifier(verifier.build().unwrap()).with_single_cert(chain, key.into());
    let server = WebServer::start_tls(TlsAcceptor::from(Arc::new(config.unwrap())), answers(OK)).await;
    measure_url(&server.url("https", "127.0.0.1", "/"), &trusting(&[root.der()])).await
}

#[tokio::test]
async fn a_client_certificate_that_is_required_is_of_one_stage_in_all_versions() {
    for version in [&TLS12, &TLS13] {
        let measurement = asking(version, true).await;
        assert_eq!(stage(&measurement), Some(ErrorStage::Tls), "{version:?}: {:?}", measurement.failure);
        assert!(measurement.failure.unwrap().to_string().contains("requires a client certificate"));
        let phases = measurement.phases;
        assert!(phases.tcp.is_some() && phases.tls.is_none() && phases.ttfb.is_none(), "{version:?}");
        assert!(asking(version, false).await.failure.is_none(), "it is not required");
    }
}

/// A server that sends `answer` over TLS, and closes the connection without a word in TLS.
async fn abrupt(answer: &'static str) -> Measurement {
    let root = authority("root");
    let (chain, key) = deep_chain(&root, 0);
    let acceptor = acceptor(chain, key);
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(async move {
        let (stream, _) = listener.accept().await.unwrap();
        let mut stream = acceptor.accept(stream).await.unwrap();
        let mut request = [0; 1024];
        assert!(stream.read(&mut request).await.unwrap() > 0);
        stream.write_all(answer.as_bytes()).await.unwrap();
        stream.flush().await.unwrap();
        stream.into_inner().0.shutdown().await.unwrap();
    });
    measure_url(&format!("https://{address}/"), &trusting(&[root.der()])).await
}

#[tokio::test]
async fn a_close_that_tls_does_not_announce_ends_a_body_without_length() {
    let without_length = abrupt("HTTP/1.1 200 OK\r\n\r\nhello").await;
    assert!(without_length.failure.is_none(), "{:?}", without_length.failure);
    assert_eq!(without_length.evidence.body_bytes, Some(5));
    assert!(abrupt("HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello").await.failure.is_none());
    let short = abrupt("HTTP/1.1 200 OK\r\nContent-Length: 6\r\n\r\nhello").await;
    assert_eq!(stage(&short), Some(ErrorStage::Throughput));
}

#[tokio::test]
async fn who_does_not_speak_tls_is_said_to() {
    let server =
        WebServer::start(vec![crate::support::web_server::Step::send("HTTP/1.1 400 Bad Request\r\n\r\n")]).await;
    let measurement = measure_url(&server.url("https", "127.0.0.1", "/"), &plain_settings()).await;
    assert!(measurement.failure.unwrap().to_string().ends_with("it does not speak TLS"));
    assert_eq!(server.seen.lock().unwrap().connections, 1, "there is nothing to try again");
}

/// `openssl s_server` on a free port; ended with the test.
struct OpenSsl(Child, SocketAddr);

impl OpenSsl {
    fn start(folder: &std::path::Path, options: &[&str]) -> Self {
        let mut command = Command::new("openssl");
        command.args(["s_server", "-www", "-accept", "127.0.0.1:0", "-cert", "own.crt", "-key", "own.key"]);
        command.args(options).current_dir(folder).stdout(Stdio::piped()).stderr(Stdio::null());
        let mut child = command.spawn().unwrap();
        let lines = BufReader::new(child.stdout.take().unwrap()).lines();
        let address = lines.map_while(Result::ok).find_map(|line| line.strip_prefix("ACCEPT ")?.parse().ok());
        Self(child, address.unwrap())
    }
}

impl Drop for OpenSsl {
    fn drop(&mut self) {
        self.0.kill().ok();
        self.0.wait().ok();
    }
}

/// Keys of RSA, which tests of ours can't make themselves.
fn rsa_certificate(folder: &std::path::Path) -> CertificateDer<'static> {
    let made = Command::new("openssl")
        .args(["req", "-x509", "-newkey", "rsa:2048", "-nodes", "-subj", "/CN=own", "-days", "30"])
        .args(["-addext", "subjectAltName=IP:127.0.0.1", "-keyout", "own.key", "-out", "own.crt"])
        .current_dir(folder)
        .output()
        .unwrap();
    assert!(made.status.success(), "{}", String::from_utf8_lossy(&made.stderr));
    CertificateDer::from_pem_file(folder.join("own.crt")).unwrap()
}

#[tokio::test]
async fn old_cipher_suites_are_measured_and_called_old_and_old_versions_are_named() {
    let folder = tempfile::tempdir().unwrap();
    let certificate = rsa_certificate(folder.path());
    let settings = trusting(&[&certificate]);
    for (options, weakness) in [
        (&["-tls1_2", "-cipher", "ECDHE-RSA-AES256-SHA384"][..], Some("CBC")),
        (&["-tls1_2", "-cipher", "AES128-GCM-SHA256"], Some("RSA key exchange")),
        (&["-tls1_2", "-cipher", "AES256-SHA"], Some("RSA key exchange, CBC")),
        (&["-tls1_2", "-cipher", "DHE-RSA-AES128-GCM-SHA256"], None),
        (&["-tls1_3", "-groups", "P-521"], None),
    ] {
        let server = OpenSsl::start(folder.path(), options);
        let measurement = measure_url(&format!("https://{}/", server.1), &settings).await;
        is_success_of_the_second_stack(&measurement);
        assert_eq!(measurement.evidence.tls.unwrap().weakness.as_deref(), weakness, "{options:?}");
    }
    for (options, expected) in [
        (["-tls1", "-cipher", "ALL:@SECLEVEL=0"], "it only offers TLS 1.0; not spoken"),
        (["-tls1_1", "-cipher", "ALL:@SECLEVEL=0"], "it only offers TLS 1.1; not spoken"),
    ] {
        let server = OpenSsl::start(folder.path(), &options);
        let measurement = measure_url(&format!("https://{}/", server.1), &settings).await;
        assert_eq!(stage(&measurement), Some(ErrorStage::Tls));
        assert!(measurement.failure.unwrap().to_string().ends_with(expected), "{options:?}");
    }
}
