//! `sslmode` and `sslrootcert`, against a server with and without encryption.

use std::path::PathBuf;

use netqoe_testbed::Postgres;
use postgres::{Client, NoTls};
use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, DnType, IsCa, KeyPair};
use tempfile::TempDir;

use crate::postgres::{connect, eventually, write_file};

/// A server that offers encryption with a certificate for `localhost`, and the certificates of two authorities.
struct Bench {
    server: Postgres,
    folder: TempDir,
}

impl Bench {
    fn start() -> Self {
        let server = Postgres::start().unwrap();
        let folder = TempDir::new().unwrap();
        let (authority, stranger) = (authority("ours"), authority("strange"));
        std::fs::write(folder.path().join("ours.pem"), authority.pem()).unwrap();
        std::fs::write(folder.path().join("strange.pem"), stranger.pem()).unwrap();
        let key = KeyPair::generate().unwrap();
        let params = CertificateParams::new(["localhost".to_owned()]).unwrap();
        let certificate = params.signed_by(&key, &authority).unwrap();
        let mut client = Client::connect(&server.url(), NoTls).unwrap();
        write_file(&mut client, "server.crt", &certificate.pem());
        write_file(&mut client, "server.key", &key.serialize_pem());
        client.batch_execute("ALTER SYSTEM SET ssl = on").unwrap();
        let bench = Self { server, folder };
        bench.reload(&mut client, "on");
        bench
    }

    fn without_encryption() -> Self {
        Self { server: Postgres::start().unwrap(), folder: TempDir::new().unwrap() }
    }

    /// The server reads its settings when it comes to it.
    fn reload(&self, client: &mut Client, ssl: &str) {
        client.batch_execute("SELECT pg_reload_conf()").unwrap();
        eventually(|| {
            let mut fresh = Client::connect(&self.server.url(), NoTls).unwrap();
            fresh.query_one("SHOW ssl", &[]).unwrap().get::<_, String>(0) == ssl
        });
    }

    fn issuers(&self, file: &str) -> PathBuf {
        self.folder.path().join(file)
    }

    /// Whether a store gets through to this host and is encrypted; or why not.
    fn check(&self, host: &str, parameters: &str) -> Result<bool, String> {
        let url = format!("postgres://postgres@{host}:{}/postgres?{parameters}", self.server.port());
        let store = connect(&url).map_err(|error| error.to_string())?;
        let mut client = Client::connect(&self.server.url(), NoTls).unwrap();
        let encrypted = client.query_one(
            // The newest: an earlier store's connections may not have ended yet.
            "SELECT ssl FROM pg_stat_ssl JOIN pg_stat_activity USING (pid) WHERE application_name = 'netqoe'
             ORDER BY backend_start DESC LIMIT 1",
            &[],
        );
        drop(store);
        Ok(encrypted.unwrap().get(0))
    }
}

fn authority(name: &str) -> CertifiedIssuer<'static, KeyPair> {
    let mut params = CertificateParams::default();
    params.distinguished_name.push(DnType::CommonName, name);
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    CertifiedIssuer::self_signed(params, KeyPair::generate().unwrap()).unwrap()
}

#[track_caller]
fn assert_refused(answer: Result<bool, String>, part: &str) {
    match answer {
        Err(message) => assert!(message.contains(part) && !message.contains('\n'), "{message}"),
        Ok(encrypted) => panic!("not refused; encrypted: {encrypted}"),
    }
}

#[test]
fn each_mode_protects_as_far_as_it_says() {
    let bench = Bench::start();
    let with = |mode: &str, file: &str| format!("sslmode={mode}&sslrootcert={}", bench.issuers(file).display());
    for (host, parameters, encrypted) in [
        ("localhost", String::new(), true),
        ("localhost", "sslmode=disable".to_owned(), false),
        ("127.0.0.1", "sslmode=prefer".to_owned(), true),
        ("127.0.0.1", "sslmode=require".to_owned(), true),
        ("127.0.0.1", with("require", "ours.pem"), true),
        ("127.0.0.1", with("verify-ca", "ours.pem"), true),
        ("localhost", with("verify-full", "ours.pem"), true),
        ("localhost", with("prefer", "strange.pem"), true),
    ] {
        assert_eq!(bench.check(host, &parameters), Ok(encrypted), "{host} {parameters}");
    }
    for mode in ["require", "verify-ca", "verify-full"] {
        assert_refused(bench.check("localhost", &with(mode, "strange.pem")), "UnknownIssuer");
        assert_refused(bench.check("localhost", &with(mode, "missing.pem")), "missing.pem");
    }
    assert_refused(bench.check("127.0.0.1", &with("verify-full", "ours.pem")), "not valid for name");
    assert_refused(bench.check("localhost", "sslmode=verify-full&sslrootcert=system"), "UnknownIssuer");
}

#[test]
fn a_server_without_encryption_is_good_enough_only_where_nothing_is_asked() {
    let bench = Bench::without_encryption();
    assert_eq!(bench.check("127.0.0.1", ""), Ok(false));
    assert_eq!(bench.check("127.0.0.1", "sslmode=prefer"), Ok(false));
    assert_refused(bench.check("127.0.0.1", "sslmode=require"), "does not support TLS");
}
