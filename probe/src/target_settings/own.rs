//! What holds for one target, or for those of the command line: in place of what holds for all.

use std::fmt;
use std::fs::File;
use std::io::Read;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use netqoe_tls::{FileError, certificates_in, key_pair_in};
use rustls::pki_types::CertificateDer;
use rustls::sign::CertifiedKey;

use super::{InvalidWord, TargetWords};
use crate::tls::provider;
use crate::{
    Authorization, Expectations, Family, MAX_REQUEST_BODY_BYTES, Proxy, RequestSettings, Settings, ThroughputObject,
    TrustedRoots,
};

/// Bytes of the longest password or token that is read from a file.
const MAX_SECRET_BYTES: u64 = 16 * 1024;

/// What is said of a target, with what was in the files. Two are equal if nothing in them differs, secrets included.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct OwnSettings {
    timeout: Option<Duration>,
    only: Option<Family>,
    throughput: Option<Option<ThroughputObject>>,
    stay_on_host: Option<bool>,
    expectations: Expectations,
    request: RequestSettings,
    identity: Option<ClientIdentity>,
    authorities: Option<Vec<CertificateDer<'static>>>,
    insecure: bool,
    proxy: Option<Proxy>,
}

/// The certificate that the probe shows to servers, with its key.
#[derive(Clone)]
pub struct ClientIdentity(pub(crate) Arc<CertifiedKey>, Arc<[u8]>);

impl ClientIdentity {
    /// The key, as the file has it.
    pub(crate) fn key_pem(&self) -> &[u8] {
        &self.1
    }
}

impl PartialEq for ClientIdentity {
    fn eq(&self, other: &Self) -> bool {
        // A key is of one certificate; what is in the file tells them apart.
        self.0.cert == other.0.cert && self.1 == other.1
    }
}

impl fmt::Debug for ClientIdentity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ClientIdentity").finish_non_exhaustive()
    }
}

impl TargetWords {
    /// Reads the files that the words name; those with a relative path, in `folder`.
    ///
    /// # Errors
    /// The word whose file can't be used. No message repeats what is in a file.
    pub fn read(&self, folder: &Path) -> Result<OwnSettings, InvalidWord> {
        let mut request = RequestSettings { headers: self.headers.clone(), ..RequestSettings::default() };
        if let Some(method) = &self.method {
            request.method = method.clone();
        }
        if let Some(body) = &self.body {
            if body.len() > MAX_REQUEST_BODY_BYTES {
                return Err(InvalidWord::new("body", crate::InvalidRequest::Body.to_string()));
            }
            request.body = Some(Bytes::copy_from_slice(body.as_bytes()));
        }
        if let (Some(user), Some(file)) = (&self.user, &self.password_file) {
            let password = secret_in(&folder.join(file)).map_err(|cause| InvalidWord::new("password_file", cause))?;
            let basic = Authorization::basic(user, &password);
            request.authorization = Some(basic.map_err(|error| InvalidWord::new("user", error.to_string()))?);
        }
        if let Some(file) = &self.bearer_token_file {
            let of_file = |cause: String| InvalidWord::new("bearer_token_file", cause);
            let path = folder.join(file);
            let bearer = Authorization::bearer(&secret_in(&path).map_err(of_file)?);
            request.authorization = Some(bearer.map_err(|error| of_file(format!("{}: {error}", path.display())))?);
        }
        let authorities = self.ca_file.as_ref().map(|file| certificates_in(&folder.join(file))).transpose();
        Ok(OwnSettings {
            timeout: self.timeout,
            only: self.only,
            throughput: self.throughput.clone(),
            stay_on_host: self.stay_on_host,
            expectations: self.expectations.clone(),
            request,
            identity: self.identity(folder)?,
            authorities: authorities.map_err(|error| InvalidWord::new("ca_file", words(&error)))?,
            insecure: self.insecure,
            proxy: self.proxy.clone(),
        })
    }

    fn identity(&self, folder: &Path) -> Result<Option<ClientIdentity>, InvalidWord> {
        let (Some(certificate), Some(key)) = (&self.client_certificate, &self.client_key) else { return Ok(None) };
        let (certificate, key) = (folder.join(certificate), folder.join(key));
        let pair = key_pair_in(&certificate, &key, &provider()).map_err(|error| {
            let of = if error.path == certificate { "client_certificate" } else { "client_key" };
            InvalidWord::new(of, words(&error))
        })?;
        let key = read(&key).map_err(|error| InvalidWord::new("client_key", error))?;
        Ok(Some(ClientIdentity(Arc::new(pair), key.into())))
    }
}

fn words(error: &FileError) -> String {
    format!("{}: {}", error.path.display(), error.reason)
}

fn read(path: &Path) -> Result<Vec<u8>, String> {
    let mut bytes = Vec::new();
    let read = File::open(path).and_then(|file| file.take(MAX_SECRET_BYTES + 1).read_to_end(&mut bytes));
    read.map_err(|error| format!("can't read {}: {error}", path.display()))?;
    if bytes.len() as u64 > MAX_SECRET_BYTES {
        return Err(format!("{} is longer than {MAX_SECRET_BYTES} bytes", path.display()));
    }
    Ok(bytes)
}

/// A secret is a line; editors end it.
fn secret_in(path: &Path) -> Result<String, String> {
    let text = String::from_utf8(read(path)?).map_err(|_| format!("{} is not UTF-8 text", path.display()))?;
    let secret = text.trim_end_matches(['\r', '\n']);
    if secret.is_empty() { Err(format!("{} is empty", path.display())) } else { Ok(secret.to_owned()) }
}

impl OwnSettings {
    /// Whether nothing is said.
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }

    /// How a target of its own is measured, where `all` is how those are of which nothing is said.
    pub fn over(&self, all: &Settings) -> Settings {
        let roots = self.authorities.as_ref().map(|own| Arc::new(TrustedRoots::new(own.iter().cloned())));
        Settings {
            timeout: self.timeout.unwrap_or(all.timeout),
            only: self.only.or(all.only),
            throughput: self.throughput.clone().unwrap_or_else(|| all.throughput.clone()),
            stay_on_host: self.stay_on_host.unwrap_or(all.stay_on_host),
            roots: roots.unwrap_or_else(|| Arc::clone(&all.roots)),
            expectations: Arc::new(self.expectations.clone()),
            request: Arc::new(self.request.clone()),
            identity: self.identity.clone(),
            insecure: self.insecure,
            proxy: self.proxy.clone().map(Arc::new),
            ..all.clone()
        }
    }
}
