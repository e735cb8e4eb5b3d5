//! This file makes the TLS settings from a certificate and a key in files.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use rustls::ServerConfig;
use rustls::pki_types::pem::{self, PemObject};
use rustls::pki_types::{CertificateDer, PrivateKeyDer};

/// An `Error` says why there is no TLS.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// A file can't be read, or does not have what it should have.
    #[error("{path} is no PEM file of {what}")]
    File {
        /// This is the file.
        path: PathBuf,
        /// This is what it should have.
        what: &'static str,
        /// This is why it can't be used.
        source: pem::Error,
    },
    /// The certificate and the key do not go together, or are of a kind that is not supported.
    #[error("the certificate and the key can't be used")]
    Unusable(#[source] rustls::Error),
}

/// Makes the settings of TLS 1.2 and 1.3, with the certificates in one PEM file (the service's own first) and the key
/// in another.
///
/// # Errors
/// Fails when a file can't be read, or the two do not go together.
pub fn config(certificates: &Path, key: &Path) -> Result<Arc<ServerConfig>, Error> {
    let failed = |path: &Path, what| {
        let path = path.to_path_buf();
        move |source| Error::File { path, what, source }
    };
    let chain: Vec<_> = CertificateDer::pem_file_iter(certificates)
        .and_then(Iterator::collect)
        .map_err(failed(certificates, "certificates"))?;
    let key = PrivateKeyDer::from_pem_file(key).map_err(failed(key, "a private key"))?;
    // The provider is named: two are compiled in, and rustls would not choose.
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let mut config = ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .map_err(Error::Unusable)?
        .with_no_client_auth()
        .with_single_cert(chain, key)
        .map_err(Error::Unusable)?;
    config.alpn_protocols = vec![b"http/1.1".to_vec()];
    Ok(Arc::new(config))
}
