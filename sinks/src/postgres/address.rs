//! The address and the role of a database connection, from its URL.

use std::borrow::Cow;

use percent_encoding::percent_decode_str;
use tokio_postgres::Config;
use tokio_postgres::config::{Host, SslMode};

use super::link::describe;
use super::tls::Protection;
use crate::StoreError;
use crate::url::without_password;

/// A database's URL, taken apart.
#[derive(Clone)]
pub(crate) struct Address {
    /// The URL without its password.
    pub(crate) name: String,
    pub(crate) config: Config,
    pub(crate) protection: Protection,
}

impl Address {
    /// Reads the URL. The driver knows nothing of `sslrootcert` and of the modes that verify: these are taken out first.
    ///
    /// # Errors
    /// [`StoreError::Url`].
    pub(crate) fn parse(url: &str) -> Result<Self, StoreError> {
        let refuse = |reason: String| StoreError::Url { given: without_password(url), reason };
        let (place, query) = url.split_once('?').unwrap_or((url, ""));
        let (mut mode, mut issuers, mut rest) = (None, None, Vec::new());
        for parameter in query.split('&').filter(|parameter| !parameter.is_empty()) {
            match parameter.split_once('=') {
                Some(("sslmode", value)) => mode = Some(decoded(value).map_err(refuse)?),
                Some(("sslrootcert", value)) => issuers = Some(decoded(value).map_err(refuse)?),
                _ => rest.push(parameter),
            }
        }
        let config = format!("{place}?{}", rest.join("&")).parse::<Config>();
        let mut config = config.map_err(|error| refuse(describe(&error)))?;
        let protection = Protection::read(mode.as_deref(), issuers.as_deref()).map_err(refuse)?;
        // Nobody can listen in on a local socket, and servers offer no encryption there.
        let is_local = config.get_hosts().iter().all(|host| !matches!(host, Host::Tcp(_)));
        config.ssl_mode(if is_local && config.get_hostaddrs().is_empty() {
            SslMode::Disable
        } else {
            protection.ssl_mode()
        });
        Ok(Self { name: without_password(url), config, protection })
    }
}

fn decoded(value: &str) -> Result<Cow<'_, str>, String> {
    percent_decode_str(value).decode_utf8().map_err(|_| "a value in it is not UTF-8".to_owned())
}
