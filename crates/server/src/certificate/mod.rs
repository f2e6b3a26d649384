//! The node's own certificate authority and its certificate, for networks that have none.

mod der;
mod held;

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
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject;
use time::OffsetDateTime;

pub use self::der::Read;
pub use self::held::{Held, RENEWED_DAYS, days};
use crate::config::Config;
use crate::disk;

/// Days that the authority is good for.
const AUTHORITY_DAYS: i64 = 3650;
/// Days that the node's certificate is good for: browsers take no longer ones.
const NODE_DAYS: i64 = 397;
const DAY_S: i64 = 24 * 3600;
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
    #[error("`{path}` cannot be read")]
    Key { path: PathBuf, source: io::Error },
    #[error("certificate `{path}` cannot be used for TLS 1.3")]
    Use { path: PathBuf, source: rustls::Error },
    #[error("`{0}` is no certificate that can be read")]
    Form(PathBuf),
    #[error("the authority in `{0}` has ended; name another certificate under [tls]")]
    Ended(PathBuf),
    #[error("`{0}` is missing: run `muster init`, or name a certificate under [tls]")]
    Missing(PathBuf),
}

/// Where the files of a node's certificate lie.
#[derive(Clone, Debug)]
pub struct Files {
    pub authority: PathBuf,
    authority_key: PathBuf,
    pub node: PathBuf,
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
    let common_name = format!("Muster authority of {name}");
    let mut authority = authority_params(common_name, now).map_err(fault)?;
    // Whoever trusts it trusts it for this node alone, whatever becomes of its key.
    authority.name_constraints = Some(NameConstraints {
        permitted_subtrees: all.iter().map(|name| subtree(name)).collect(),
        excluded_subtrees: Vec::new(),
    });
    let authority_key = KeyPair::generate().map_err(fault)?;
    let certificate = authority.self_signed(&authority_key).map_err(fault)?;
    let issuer = Issuer::from_params(&authority, &authority_key);
    let made = leaf((name, &all), now, now.plus_s(NODE_DAYS * DAY_S), &issuer).map_err(fault)?;
    let written = [
        (&files.authority_key, authority_key.serialize_pem()),
        (&files.authority, certificate.pem()),
        (&files.node_key, made.key),
        (&files.node, made.certificate),
    ];
    for (path, pem) in written {
        let fault = |source| Error::Write { path: path.clone(), source };
        disk::write_new(path, pem.as_bytes()).map_err(fault)?;
    }
    Ok(())
}

fn authority_params(name: String, now: Time) -> Result<CertificateParams, rcgen::Error> {
    let mut authority = params(&[], now, now.plus_s(AUTHORITY_DAYS * DAY_S))?;
    authority.distinguished_name.push(DnType::CommonName, name);
    authority.is_ca = IsCa::Ca(BasicConstraints::Constrained(0));
    authority.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
    Ok(authority)
}

/// A key and its certificate, as PEM.
struct Made {
    key: String,
    certificate: String,
}

/// A new key, and a certificate of a name for it.
fn leaf(
    (name, all): (&str, &[String]),
    now: Time,
    until: Time,
    issuer: &Issuer<'_, &KeyPair>,
) -> Result<Made, rcgen::Error> {
    let mut node = params(all, now, until)?;
    node.distinguished_name.push(DnType::CommonName, name);
    node.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth];
    node.key_usages = vec![KeyUsagePurpose::DigitalSignature];
    node.use_authority_key_identifier_extension = true;
    let key = KeyPair::generate()?;
    let certificate = node.signed_by(&key, issuer)?.pem();
    Ok(Made { key: key.serialize_pem(), certificate })
}

/// What the certificate of a file says; nothing when there is none.
///
/// # Errors
/// [`Error::Form`] for a file that is no certificate.
pub fn read(path: &Path) -> Result<Read, Error> {
    let form = || Error::Form(path.to_owned());
    let source = |source| Error::Read { path: path.to_owned(), source };
    let first = CertificateDer::pem_file_iter(path).map_err(source)?.next().ok_or_else(form)?;
    der::read(&first.map_err(source)?).ok_or_else(form)
}

/// What the certificate of the node's own authority says.
pub fn authority_of(files: &Files) -> Option<Read> {
    read(&files.authority).ok()
}

/// Makes a new key and certificate of the same names under the node's own authority.
///
/// Both lie beside the old ones before they take their places; [`settle`] ends what a crash left
/// half done. It never outlives the authority.
///
/// # Errors
/// [`Error::Ended`] when the authority has; [`Error::Key`] when its key cannot be read, which may
/// be kept elsewhere; else [`Error::Read`], [`Error::Form`], [`Error::Make`] or [`Error::Write`]
/// with the file.
pub fn renew(files: &Files, now: Time) -> Result<Read, Error> {
    settle(files)?;
    let (old, authority) = (read(&files.node)?, read(&files.authority)?);
    if authority.ends_at <= now {
        return Err(Error::Ended(files.authority.clone()));
    }
    let fault = |source| Error::Make { name: old.subject.clone(), source };
    let file = &files.authority_key;
    let pem =
        fs::read_to_string(file).map_err(|source| Error::Key { path: file.clone(), source })?;
    let key = KeyPair::from_pem(&pem).map_err(fault)?;
    // Subject and key are all that a certificate takes over from its issuer.
    let params = authority_params(authority.subject, now).map_err(fault)?;
    let until = now.plus_s(NODE_DAYS * DAY_S).min(authority.ends_at);
    let issuer = Issuer::from_params(&params, &key);
    let made = leaf((&old.subject, &old.names), now, until, &issuer).map_err(fault)?;
    let (key, certificate) = (new(&files.node_key), new(&files.node));
    for (path, pem) in [(&key, &made.key), (&certificate, &made.certificate)] {
        let fault = |source| Error::Write { path: path.clone(), source };
        disk::write_new(path, pem.as_bytes()).map_err(fault)?;
    }
    put(&key, &files.node_key)?;
    put(&certificate, &files.node)?;
    read(&files.node)
}

/// Where a file lies before it takes the place of another.
fn new(path: &Path) -> PathBuf {
    disk::beside(path, "new")
}

fn put(from: &Path, to: &Path) -> Result<(), Error> {
    disk::replace(from, to).map_err(|source| Error::Write { path: to.to_owned(), source })
}

/// Ends a renewal that was cut off: the key moves first, so its new file says that nothing did.
///
/// # Errors
/// [`Error::Write`] with the file.
fn settle(files: &Files) -> Result<(), Error> {
    let (key, certificate) = (new(&files.node_key), new(&files.node));
    if key.exists() {
        for path in [certificate, key].into_iter().filter(|path| path.exists()) {
            fs::remove_file(&path).map_err(|source| Error::Write { path, source })?;
        }
        return Ok(());
    }
    if certificate.exists() { put(&certificate, &files.node) } else { Ok(()) }
}

fn params(names: &[String], now: Time, until: Time) -> Result<CertificateParams, rcgen::Error> {
    let at = |time: Time| {
        OffsetDateTime::from_unix_timestamp(time.ms() / 1000).unwrap_or(OffsetDateTime::UNIX_EPOCH)
    };
    let mut params = CertificateParams::new(names.to_vec())?;
    params.distinguished_name = rcgen::DistinguishedName::new();
    // Clocks of a network without time servers differ.
    params.not_before = at(now.plus_s(-DAY_S));
    params.not_after = at(until);
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

/// What TLS needs: TLS 1.3 only, HTTP/2 and HTTP/1.1, and the certificate of the moment.
///
/// # Errors
/// [`Error::Use`] when this build cannot speak it.
pub fn server(held: &Arc<Held>) -> Result<Arc<ServerConfig>, Error> {
    let unusable = |source| Error::Use { path: PathBuf::from("TLS 1.3"), source };
    let mut server = ServerConfig::builder_with_provider(Arc::new(aws_lc_rs::default_provider()))
        .with_protocol_versions(&[&rustls::version::TLS13])
        .map_err(unusable)?
        .with_no_client_auth()
        .with_cert_resolver(Arc::clone(held) as Arc<dyn rustls::server::ResolvesServerCert>);
    server.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
    Ok(Arc::new(server))
}

/// The certificate of the node's own authority, where it has one.
pub fn authority(config: &Config) -> Option<Vec<u8>> {
    fs::read(Files::of(&config.keys).authority).ok()
}
