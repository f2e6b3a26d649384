//! The node's own certificate authority and its certificate, for networks that have none.

use std::fs;
use std::io;
use std::net::IpAddr;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use base::Time;
use rcgen::{
    BasicConstraints, CertificateParams, CidrSubnet, DnType, ExtendedKeyUsagePurpose,
    GeneralSubtree, IsCa, Issuer, KeyPair, KeyUsagePurpose, NameConstraints,
};
use rustls::ServerConfig;
use rustls::crypto::aws_lc_rs;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use time::OffsetDateTime;

use crate::config::{Config, Tls};
use crate::disk;

/// Days that the authority is good for.
const AUTHORITY_DAYS: i64 = 3650;
/// Days that the node's certificate is good for: browsers take no longer ones.
const NODE_DAYS: i64 = 397;
/// Names under which every node is reached on its own machine.
const LOCAL: [&str; 3] = ["localhost", "127.0.0.1", "::1"];

/// What is wrong with a certificate.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    #[error("certificate for `{name}` cannot be made")]
    Make { name: String, source: rcgen::Error },
    #[error("`{path}` cannot be written")]
    Write { path: PathBuf, source: io::Error },
    #[error("`{path}` has no certificate or key that can be read")]
    Read { path: PathBuf, source: rustls::pki_types::pem::Error },
    #[error("certificate `{path}` cannot be used for TLS 1.3")]
    Use { path: PathBuf, source: rustls::Error },
    #[error("`{0}` is missing: run `muster init`, or name a certificate under [tls]")]
    Missing(PathBuf),
}

/// Where the files of a node's certificate lie.
pub struct Files {
    pub authority: PathBuf,
    authority_key: PathBuf,
    node: PathBuf,
    node_key: PathBuf,
}

impl Files {
    /// The files below the directory of the keys.
    pub fn of(keys: &Path) -> Self {
        let directory = keys.join("tls");
        Self {
            authority: directory.join("ca.pem"),
            authority_key: directory.join("ca.key"),
            node: directory.join("node.pem"),
            node_key: directory.join("node.key"),
        }
    }
}

/// Makes an authority that can vouch for this node and nobody else, and the node's certificate.
///
/// # Errors
/// [`Error::Make`] for a name that no certificate can have, [`Error::Write`] for a file that
/// exists or cannot be written.
pub fn create(files: &Files, names: &[String], now: Time) -> Result<(), Error> {
    let name = names.first().map_or("localhost", String::as_str);
    let fault = |source| Error::Make { name: name.to_owned(), source };
    let all: Vec<String> =
        names.iter().cloned().chain(LOCAL.into_iter().map(str::to_owned)).collect();
    let mut authority = params(&[], now, AUTHORITY_DAYS).map_err(fault)?;
    authority.distinguished_name.push(DnType::CommonName, format!("Muster authority of {name}"));
    authority.is_ca = IsCa::Ca(BasicConstraints::Constrained(0));
    authority.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
    // Whoever trusts it trusts it for this node alone, whatever becomes of its key.
    authority.name_constraints = Some(NameConstraints {
        permitted_subtrees: all.iter().map(|name| subtree(name)).collect(),
        excluded_subtrees: Vec::new(),
    });
    let authority_key = KeyPair::generate().map_err(fault)?;
    let certificate = authority.self_signed(&authority_key).map_err(fault)?;
    let mut node = params(&all, now, NODE_DAYS).map_err(fault)?;
    node.distinguished_name.push(DnType::CommonName, name);
    node.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth];
    node.key_usages = vec![KeyUsagePurpose::DigitalSignature];
    node.use_authority_key_identifier_extension = true;
    let node_key = KeyPair::generate().map_err(fault)?;
    let issuer = Issuer::from_params(&authority, &authority_key);
    let signed = node.signed_by(&node_key, &issuer).map_err(fault)?;
    let written = [
        (&files.authority_key, authority_key.serialize_pem()),
        (&files.authority, certificate.pem()),
        (&files.node_key, node_key.serialize_pem()),
        (&files.node, signed.pem()),
    ];
    for (path, pem) in written {
        let fault = |source| Error::Write { path: path.clone(), source };
        disk::write_new(path, pem.as_bytes()).map_err(fault)?;
    }
    Ok(())
}

fn params(names: &[String], now: Time, days: i64) -> Result<CertificateParams, rcgen::Error> {
    let day = |days: i64| {
        let at = now.plus_s(days * 24 * 3600).ms() / 1000;
        OffsetDateTime::from_unix_timestamp(at).unwrap_or(OffsetDateTime::UNIX_EPOCH)
    };
    let mut params = CertificateParams::new(names.to_vec())?;
    params.distinguished_name = rcgen::DistinguishedName::new();
    // Clocks of a network without time servers differ.
    params.not_before = day(-1);
    params.not_after = day(days);
    Ok(params)
}

fn subtree(name: &str) -> GeneralSubtree {
    match name.parse::<IpAddr>() {
        Ok(IpAddr::V4(v4)) => {
            GeneralSubtree::IpAddress(CidrSubnet::from_v4_prefix(v4.octets(), 32))
        }
        Ok(IpAddr::V6(v6)) => {
            GeneralSubtree::IpAddress(CidrSubnet::from_v6_prefix(v6.octets(), 128))
        }
        Err(_name) => GeneralSubtree::DnsName(name.to_owned()),
    }
}

/// What TLS needs: TLS 1.3 only, HTTP/2 and HTTP/1.1.
///
/// # Errors
/// [`Error::Missing`], [`Error::Read`] or [`Error::Use`] with the file.
pub fn server(config: &Config) -> Result<Arc<ServerConfig>, Error> {
    let (certificate, key) = if let Some(Tls { certificate, key }) = &config.tls {
        (certificate.clone(), key.clone())
    } else {
        let files = Files::of(&config.keys);
        (files.node, files.node_key)
    };
    if let Some(missing) = [&certificate, &key].into_iter().find(|path| !path.is_file()) {
        return Err(Error::Missing(missing.clone()));
    }
    let read = |path: &Path| {
        let path = path.to_owned();
        move |source| Error::Read { path, source }
    };
    let chain: Vec<CertificateDer<'static>> = CertificateDer::pem_file_iter(&certificate)
        .and_then(Iterator::collect)
        .map_err(read(&certificate))?;
    let private = PrivateKeyDer::from_pem_file(&key).map_err(read(&key))?;
    let unusable = |source| Error::Use { path: certificate.clone(), source };
    let mut server = ServerConfig::builder_with_provider(Arc::new(aws_lc_rs::default_provider()))
        .with_protocol_versions(&[&rustls::version::TLS13])
        .map_err(unusable)?
        .with_no_client_auth()
        .with_single_cert(chain, private)
        .map_err(unusable)?;
    server.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
    Ok(Arc::new(server))
}

/// The certificate of the node's own authority, where it has one.
pub fn authority(config: &Config) -> Option<Vec<u8>> {
    fs::read(Files::of(&config.keys).authority).ok()
}
