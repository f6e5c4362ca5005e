//! `sslmode` and `sslrootcert`, against a server with and without encryption, and what is said where it does not come about.

use std::path::PathBuf;
use std::time::{Duration, SystemTime};

use netqoe_sinks::PostgresOptions;
use netqoe_sinks::read::PostgresReader;
use netqoe_testbed::Postgres;
use postgres::{Client, NoTls};
use rcgen::{
    BasicConstraints, CertificateParams, CertifiedIssuer, DnType, ExtendedKeyUsagePurpose, IsCa, KeyPair, date_time_ymd,
};
use tempfile::TempDir;

use crate::postgres::{connect, eventually, write_file};

/// A server that offers encryption with a certificate for `localhost`, and the certificates of two authorities.
struct Bench {
    server: Postgres,
    folder: TempDir,
    authority: CertifiedIssuer<'static, KeyPair>,
}

impl Bench {
    fn start() -> Self {
        let server = Postgres::start().unwrap();
        let folder = TempDir::new().unwrap();
        let (authority, stranger) = (authority("ours"), authority("strange"));
        std::fs::write(folder.path().join("ours.pem"), authority.pem()).unwrap();
        std::fs::write(folder.path().join("strange.pem"), stranger.pem()).unwrap();
        let bench = Self { server, folder, authority };
        bench.show_signed(&for_localhost());
        bench.set("ssl", "on");
        bench
    }

    fn without_encryption() -> Self {
        let (server, folder) = (Postgres::start().unwrap(), TempDir::new().unwrap());
        Self { server, folder, authority: authority("ours") }
    }

    fn client(&self) -> Client {
        Client::connect(&self.server.url(), NoTls).unwrap()
    }

    /// The server shows a certificate that our authority has signed.
    fn show_signed(&self, params: &CertificateParams) {
        let key = KeyPair::generate().unwrap();
        self.show(&params.signed_by(&key, &self.authority).unwrap().pem(), &key);
    }

    /// The server shows a certificate that is signed with its own key, which is also in the file `self.pem`.
    fn show_self_signed(&self, params: &CertificateParams) {
        let key = KeyPair::generate().unwrap();
        let certificate = params.self_signed(&key).unwrap().pem();
        std::fs::write(self.issuers("self.pem"), &certificate).unwrap();
        self.show(&certificate, &key);
    }

    fn show(&self, certificate: &str, key: &KeyPair) {
        let mut client = self.client();
        write_file(&mut client, "server.crt", certificate);
        write_file(&mut client, "server.key", &key.serialize_pem());
        self.reload(&mut client);
    }

    fn set(&self, setting: &str, value: &str) {
        let mut client = self.client();
        client.batch_execute(&format!("ALTER SYSTEM SET {setting} = '{value}'")).unwrap();
        self.reload(&mut client);
    }

    /// The server reads its settings when it comes to it.
    fn reload(&self, client: &mut Client) {
        let loaded =
            |client: &mut Client| -> SystemTime { client.query_one("SELECT pg_conf_load_time()", &[]).unwrap().get(0) };
        let before = loaded(client);
        client.batch_execute("SELECT pg_reload_conf()").unwrap();
        eventually(|| loaded(&mut self.client()) > before);
    }

    fn issuers(&self, file: &str) -> PathBuf {
        self.folder.path().join(file)
    }

    /// The URL for a host and parameters.
    fn url(&self, host: &str, parameters: &str) -> String {
        format!("postgres://postgres@{host}:{}/postgres?{parameters}", self.server.port())
    }

    /// A store that wants all protection that there is and trusts this file is refused with these words.
    #[track_caller]
    fn check_refused(&self, host: &str, file: &str, expected: &str) {
        let parameters = format!("sslmode=verify-full&sslrootcert={}", self.issuers(file).display());
        let store = format!("postgres://postgres@{host}:{}/postgres", self.server.port());
        let expected = format!("can't set up TLS with {store}: {expected}");
        assert_eq!(self.check(host, &parameters), Err(expected));
    }

    /// Whether a store gets through to this host and is encrypted; or why not.
    fn check(&self, host: &str, parameters: &str) -> Result<bool, String> {
        let store = connect(&self.url(host, parameters)).map_err(|error| error.to_string())?;
        let mut client = self.client();
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

fn for_localhost() -> CertificateParams {
    CertificateParams::new(["localhost".to_owned()]).unwrap()
}

/// The same, but for this.
fn altered(alter: impl FnOnce(&mut CertificateParams)) -> CertificateParams {
    let mut params = for_localhost();
    alter(&mut params);
    params
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

const UNTRUSTED: &str = "its certificate is self-signed, or signed by an authority that is not trusted; name a file with \
                         the certificate of that authority in the URL (sslrootcert=FILE)";

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
        assert_refused(bench.check("localhost", &with(mode, "strange.pem")), UNTRUSTED);
        assert_refused(bench.check("localhost", &with(mode, "missing.pem")), "missing.pem");
    }
    assert_refused(bench.check("127.0.0.1", &with("verify-full", "ours.pem")), "for another name: localhost");
    assert_refused(bench.check("localhost", "sslmode=verify-full&sslrootcert=system"), UNTRUSTED);
}

#[test]
fn a_server_without_encryption_is_good_enough_only_where_nothing_is_asked() {
    let bench = Bench::without_encryption();
    assert_eq!(bench.check("127.0.0.1", ""), Ok(false));
    assert_eq!(bench.check("127.0.0.1", "sslmode=prefer"), Ok(false));
    assert_refused(bench.check("127.0.0.1", "sslmode=require"), "it does not speak TLS");
}

#[test]
fn what_is_wrong_with_a_certificate_is_told_with_what_to_do() {
    let bench = Bench::start();
    bench.check_refused("localhost", "strange.pem", UNTRUSTED);
    bench.check_refused(
        "127.0.0.1",
        "ours.pem",
        "its certificate is for another name: localhost; write a name in the URL that is in the certificate, or give the \
         server a certificate for this name; sslmode=verify-ca compares no names",
    );

    bench.show_self_signed(&for_localhost());
    bench.check_refused("localhost", "ours.pem", UNTRUSTED);
    let trusted = format!("sslmode=verify-full&sslrootcert={}", bench.issuers("self.pem").display());
    assert_eq!(bench.check("localhost", &trusted), Ok(true));
    // As `openssl req -x509` makes it.
    bench.show_self_signed(&altered(|params| params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained)));
    let authoritys_own = "its certificate is an authority's own, and no server's; give the server a certificate that an \
                          authority has signed, or a self-signed one that was made with basicConstraints=CA:FALSE";
    bench.check_refused("localhost", "self.pem", authoritys_own);

    let expired = date_time_ymd(2020, 1, 1);
    let age = SystemTime::now().duration_since(expired.into()).unwrap();
    bench.show_signed(&altered(|params| params.not_after = expired));
    let days = age.as_secs() / Duration::from_hours(24).as_secs();
    bench.check_refused(
        "localhost",
        "ours.pem",
        &format!(
            "its certificate expired {days} days ago; renew the server's certificate, or set this machine's clock if it is \
             wrong"
        ),
    );
    bench.show_signed(&altered(|params| params.not_before = date_time_ymd(2900, 1, 1)));
    bench.check_refused("localhost", "ours.pem", "its certificate is not valid yet; check this machine's clock");
    bench.show_signed(&altered(|params| params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ClientAuth]));
    bench.check_refused(
        "localhost",
        "ours.pem",
        "its certificate, or an authority's, is not meant for servers; give the server another certificate",
    );
}

#[test]
fn what_is_wrong_with_a_file_is_told_with_what_to_do() {
    let bench = Bench::without_encryption();
    let path = bench.issuers("ca.pem");
    for (content, reason) in [
        ("", "it holds no certificate in PEM form (BEGIN CERTIFICATE)"),
        ("-----BEGIN CERTIFICATE-----\nAAAA\n", "it is damaged: what it holds is not PEM"),
        (
            "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n",
            "certificate 1 in it is damaged, or is no X.509 certificate",
        ),
    ] {
        std::fs::write(&path, content).unwrap();
        let place = path.display();
        let expected = format!("can't use the certificates in {place}: {reason}; see sslrootcert in the URL");
        bench.check_refused("localhost", "ca.pem", &expected);
    }
}

#[test]
fn a_server_without_tls_or_with_an_old_version_of_it_is_told_with_what_to_do() {
    let bench = Bench::without_encryption();
    std::fs::write(bench.issuers("ours.pem"), bench.authority.pem()).unwrap();
    let no_tls = "it does not speak TLS; switch it on there (ssl = on), or allow a connection without it in the URL \
                  (sslmode=prefer)";
    bench.check_refused("localhost", "ours.pem", no_tls);

    let bench = Bench::start();
    let mut client = bench.client();
    let both = "ALTER SYSTEM SET ssl_min_protocol_version = 'TLSv1.1'";
    client.batch_execute(both).unwrap();
    bench.set("ssl_max_protocol_version", "TLSv1.1");
    bench.check_refused(
        "localhost",
        "ours.pem",
        "it speaks neither TLS 1.2 nor TLS 1.3; allow TLS 1.2 or TLS 1.3 with ECDHE at the server",
    );
}

#[test]
fn a_server_that_wants_a_client_certificate_is_told_with_what_to_do() {
    let bench = Bench::start();
    let mut client = bench.client();
    write_file(&mut client, "ca.crt", &bench.authority.pem());
    let access = "hostnossl all all 127.0.0.1/32 trust\nhostssl all all all trust clientcert=verify-ca";
    write_file(&mut client, "pg_hba.conf", access);
    bench.set("ssl_ca_file", "ca.crt");
    let said = bench.check("localhost", "sslmode=require").unwrap_err();
    let advice = "netqoe shows none to PostgreSQL: take clientcert out of the server's pg_hba.conf";
    assert!(said.contains("connection requires a valid client certificate") && said.contains(advice), "{said}");
}

#[test]
fn what_reads_the_store_says_the_same() {
    let bench = Bench::start();
    let (runtime, options) = (tokio::runtime::Runtime::new().unwrap(), PostgresOptions::default());
    for file in ["strange.pem", "missing.pem"] {
        let parameters = format!("sslmode=verify-ca&sslrootcert={}", bench.issuers(file).display());
        let url = bench.url("localhost", &parameters);
        let reading = PostgresReader::connect(&url, &options, runtime.handle().clone());
        let read = runtime.block_on(reading).err().unwrap().to_string();
        assert_eq!(Err(read), bench.check("localhost", &parameters));
    }
}
