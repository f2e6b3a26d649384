//! Asking another machine over HTTP/1.0: one connection a request, closed by its end.

use std::io::{Read, Write};
use std::net::TcpStream;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context, Result, bail};
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, ServerName};

/// How long the other side may be silent.
const PATIENCE: Duration = Duration::from_secs(30);
/// LIMIT: bytes of an answer.
const ANSWER_BYTES_MAX: u64 = 1024 * 1024;

/// Another machine: over TLS, or in the clear on this machine only.
pub struct Peer {
    host: String,
    address: String,
    tls: Option<Arc<rustls::ClientConfig>>,
}

impl Peer {
    /// Reads an address such as `https://host:port`; `ca` holds the certificates that are trusted.
    ///
    /// # Errors
    /// An address of another form; `http://` to another machine; certificates that cannot be read.
    pub fn new(url: &str, ca: Option<&Path>) -> Result<Self> {
        let (secure, rest) = match (url.strip_prefix("https://"), url.strip_prefix("http://")) {
            (Some(rest), _) => (true, rest),
            (None, Some(rest)) => (false, rest),
            (None, None) => bail!("`{url}` begins with neither https:// nor http://"),
        };
        let address = rest.trim_end_matches('/').to_owned();
        let host = address.rsplit_once(':').map_or(address.as_str(), |(host, _)| host).to_owned();
        let address = if address.contains(':') { address } else { format!("{address}:443") };
        if !secure && !["localhost", "127.0.0.1"].contains(&host.as_str()) {
            bail!("another machine is asked over https:// only");
        }
        let tls = if secure { Some(trust(ca)?) } else { None };
        Ok(Self { host, address, tls })
    }

    /// Posts a body; gives the status and the body of the answer.
    ///
    /// `headers` are whole lines, each with its end.
    ///
    /// # Errors
    /// When the other side cannot be reached, is silent, or answers something else than HTTP.
    pub fn post(&self, path: &str, headers: &str, body: &[u8]) -> Result<(u16, Vec<u8>)> {
        let head = format!(
            "POST {path} HTTP/1.0\r\nHost: {}\r\n{headers}Content-Length: {}\r\n\r\n",
            self.address,
            body.len()
        );
        self.ask(&head, body, ANSWER_BYTES_MAX)
    }

    /// Asks for something of at most `bytes_max` bytes; gives the status and the body.
    ///
    /// # Errors
    /// As [`Peer::post`]; an answer that is larger or was cut off.
    pub fn get(&self, path: &str, headers: &str, bytes_max: u64) -> Result<(u16, Vec<u8>)> {
        let head = format!("GET {path} HTTP/1.0\r\nHost: {}\r\n{headers}\r\n", self.address);
        self.ask(&head, b"", bytes_max.saturating_add(ANSWER_BYTES_MAX))
    }

    fn ask(&self, head: &str, body: &[u8], bytes_max: u64) -> Result<(u16, Vec<u8>)> {
        let mut tcp = TcpStream::connect(&self.address)
            .with_context(|| format!("connect to `{}`", self.address))?;
        tcp.set_read_timeout(Some(PATIENCE))?;
        tcp.set_write_timeout(Some(PATIENCE))?;
        let Some(tls) = &self.tls else { return exchange(&mut tcp, (head, body), bytes_max) };
        let name = ServerName::try_from(self.host.clone()).context("read the host's name")?;
        let session = rustls::ClientConnection::new(Arc::clone(tls), name)?;
        exchange(&mut rustls::StreamOwned::new(session, tcp), (head, body), bytes_max)
    }
}

/// Reads the certificates that are trusted for `https`.
///
/// # Errors
/// When none are named, or they cannot be read.
pub fn trust(ca: Option<&Path>) -> Result<Arc<rustls::ClientConfig>> {
    let file = ca.context("name the certificates that are trusted for https")?;
    let mut roots = rustls::RootCertStore::empty();
    for certificate in CertificateDer::pem_file_iter(file).context("read the certificates")? {
        roots.add(certificate.context("read a certificate")?)?;
    }
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let config = rustls::ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()?
        .with_root_certificates(roots)
        .with_no_client_auth();
    Ok(Arc::new(config))
}

fn exchange(
    stream: &mut (impl Read + Write),
    (head, body): (&str, &[u8]),
    bytes_max: u64,
) -> Result<(u16, Vec<u8>)> {
    stream.write_all(head.as_bytes()).context("ask")?;
    stream.write_all(body).context("ask")?;
    stream.flush().context("ask")?;
    let mut answer = Vec::new();
    stream.take(bytes_max).read_to_end(&mut answer).context("hear the answer")?;
    let end = answer.windows(4).position(|four| four == b"\r\n\r\n");
    let (head, body) = end
        .and_then(|end| answer.split_at_checked(end + 4))
        .context("the answer is no answer of HTTP")?;
    let head = std::str::from_utf8(head).context("the answer is no answer of HTTP")?;
    let length = head.lines().filter_map(|line| line.split_once(':')).find_map(|(name, value)| {
        name.eq_ignore_ascii_case("content-length").then(|| value.trim().parse::<usize>().ok())?
    });
    if length.is_some_and(|length| length != body.len()) {
        bail!("the answer was cut off");
    }
    let status = head.split(' ').nth(1);
    let status = status.and_then(|status| status.parse().ok());
    Ok((status.context("the answer has no status")?, body.to_vec()))
}
