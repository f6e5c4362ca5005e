//! The certificate of pages over TLS, and the file by which programs are told to trust it.

use std::net::IpAddr;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use anyhow::Context;
use rcgen::CertifiedKey;
use rustls::ServerConfig;
use rustls::crypto::aws_lc_rs;
use tokio_rustls::TlsAcceptor;

pub(super) struct Certificate {
    file: PathBuf,
    acceptor: TlsAcceptor,
}

impl Certificate {
    /// For pages at this address. The file is in the folder; the key is nowhere but in memory.
    pub(super) fn make(address: IpAddr, folder: &Path) -> anyhow::Result<Self> {
        let made = rcgen::generate_simple_self_signed([address.to_string()]);
        let CertifiedKey { cert, signing_key } = made.context("can't make a certificate")?;
        let file = folder.join("pages.pem");
        std::fs::write(&file, cert.pem()).context("can't write the pages' certificate")?;
        let mut config = ServerConfig::builder_with_provider(Arc::new(aws_lc_rs::default_provider()))
            .with_safe_default_protocol_versions()?
            .with_no_client_auth()
            .with_single_cert(vec![cert.der().clone()], signing_key.into())?;
        // As servers do: whoever can speaks HTTP/2.
        config.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
        Ok(Self { file, acceptor: TlsAcceptor::from(Arc::new(config)) })
    }

    pub(super) fn file(&self) -> &Path {
        &self.file
    }

    pub(super) fn acceptor(&self) -> TlsAcceptor {
        self.acceptor.clone()
    }
}
