//! Carrying letters of webhooks: to what the operator has listed, and nowhere else.
//!
//! A host's name is resolved once, and the connection goes to the address that was looked at, so
//! that no second answer of a name server counts. Redirects are not followed, no body of an answer
//! is kept, and the whole exchange ends within [`PATIENCE`].

use std::collections::{BTreeMap, BTreeSet};
use std::io::{self, Read, Write};
use std::net::{IpAddr, SocketAddr, TcpStream, ToSocketAddrs};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context, Result};
use app::kernel::{Fault, Node};
use app::webhooks::address::{Address, listed, public};
use app::webhooks::{Courier, Letter, follow};
use base::Kind;
use rustls::pki_types::ServerName;
use serde::{Deserialize, Serialize};

use crate::deadline::Deadline;
use crate::peer::trust;

/// LIMIT: how long one exchange lasts, from the connection to the status.
const PATIENCE: Duration = Duration::from_secs(10);
/// LIMIT: how long the rest of an answer is listened to.
const REST: Duration = Duration::from_millis(250);
/// LIMIT: bytes of the head of an answer, and of what is read of its body.
const HEAD_BYTES_MAX: usize = 16 * 1024;
const REST_BYTES_MAX: u64 = 64 * 1024;

/// `[webhooks]`
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct WebhooksSection {
    /// Where anything may be sent; nowhere when empty.
    #[serde(default)]
    pub allow: Vec<Allowed>,
}

impl WebhooksSection {
    /// Whether nothing is listed.
    pub fn is_empty(&self) -> bool {
        self.allow.is_empty()
    }

    /// The section with its files named from a directory.
    #[must_use]
    pub fn within(self, base: &Path) -> Self {
        let within = |allowed| match allowed {
            Allowed::Host(host) => Allowed::Host(host),
            Allowed::Receiver(receiver) => {
                Allowed::Receiver(Receiver { ca: receiver.ca.map(|ca| base.join(ca)), ..receiver })
            }
        };
        Self { allow: self.allow.into_iter().map(within).collect() }
    }
}

/// One that may be sent to: `host:port`, or more about it.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(untagged)]
pub enum Allowed {
    Host(String),
    Receiver(Receiver),
}

/// One that may be sent to.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Receiver {
    /// `host:port`
    pub to: String,
    /// The certificates that are trusted for `https`, as PEM.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ca: Option<PathBuf>,
    /// The only addresses that its name may stand for; needed for those of a local network.
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    pub addresses: BTreeSet<IpAddr>,
}

struct Listed {
    tls: Option<Arc<rustls::ClientConfig>>,
    addresses: BTreeSet<IpAddr>,
}

/// Sends what is sent to the outside.
pub struct Outside(BTreeMap<String, Listed>);

impl Outside {
    /// Reads a section, with its certificates.
    ///
    /// # Errors
    /// An entry of another form than `host:port`; certificates that cannot be read.
    pub fn new(section: &WebhooksSection) -> Result<Self> {
        let mut all = BTreeMap::new();
        for allowed in &section.allow {
            let (to, ca, addresses) = match allowed {
                Allowed::Host(to) => (to, None, BTreeSet::new()),
                Allowed::Receiver(of) => (&of.to, of.ca.as_deref(), of.addresses.clone()),
            };
            let name = listed(to).with_context(|| format!("read `{to}` of [webhooks]"))?;
            let tls = ca.map(|ca| trust(Some(ca))).transpose();
            let tls = tls.with_context(|| format!("trust `{to}` of [webhooks]"))?;
            all.insert(name, Listed { tls, addresses });
        }
        Ok(Self(all))
    }

    fn listed(&self, to: &Address) -> Result<&Listed, Fault> {
        let detail = "the operator of the node has not listed this address";
        let listed = self.0.get(&to.authority());
        let listed =
            listed.ok_or_else(|| Fault::new(Kind::Denied, "webhook-not-listed", detail))?;
        if to.secure && listed.tls.is_none() {
            let detail = "the operator of the node has named no certificate for this address";
            return Err(Fault::new(Kind::Denied, "webhook-no-certificate", detail));
        }
        Ok(listed)
    }
}

/// Lets a node deliver to the outside.
///
/// # Errors
/// When the system gives no threads.
pub fn carry(node: &Arc<Node>, outside: Outside) -> Result<()> {
    let courier: Arc<dyn Courier> = Arc::new(outside);
    follow(node, courier).context("start the threads of webhooks")
}

fn unreachable(cause: io::Error) -> Fault {
    let detail = "the receiver cannot be reached, or does not answer in time";
    Fault::new(Kind::Unavailable, "webhook-unreachable", detail).because(cause)
}

/// What went wrong once a connection stood.
fn broken(cause: io::Error) -> Fault {
    let tls =
        cause.get_ref().is_some_and(<dyn std::error::Error + Send + Sync>::is::<rustls::Error>);
    if tls {
        let detail = "the receiver does not show a certificate that is trusted for it";
        return Fault::new(Kind::Unavailable, "webhook-untrusted", detail).because(cause);
    }
    unreachable(cause)
}

/// The addresses to try: one that was listed itself, or those of a name which may be connected to.
fn resolve(to: &Address, listed: &Listed) -> Result<Vec<SocketAddr>, Fault> {
    if let Some(ip) = to.ip() {
        return Ok(vec![SocketAddr::new(ip, to.port)]);
    }
    let found = (to.host.as_str(), to.port).to_socket_addrs().map_err(unreachable)?;
    let good = |at: &SocketAddr| {
        if listed.addresses.is_empty() {
            public(at.ip())
        } else {
            listed.addresses.contains(&at.ip())
        }
    };
    let found: Vec<SocketAddr> = found.filter(good).collect();
    if found.is_empty() {
        let detail = "the name of the receiver stands for an address that is not listed for it";
        return Err(Fault::new(Kind::Denied, "webhook-address-refused", detail));
    }
    Ok(found)
}

impl Courier for Outside {
    fn allows(&self, to: &Address) -> Result<(), Fault> {
        self.listed(to).map(drop)
    }

    fn send(&self, letter: &Letter) -> Result<u16, Fault> {
        let (to, listed) = (&letter.to, self.listed(&letter.to)?);
        let addresses = resolve(to, listed)?;
        let deadline = Deadline::after(PATIENCE);
        let address = addresses.first().copied().ok_or_else(|| Fault::bug("no address"))?;
        let left = deadline.left().map_err(unreachable)?;
        let tcp = TcpStream::connect_timeout(&address, left).map_err(unreachable)?;
        let mut timed = Timed { tcp, deadline };
        let head = head(letter);
        let Some(tls) = listed.tls.as_ref().filter(|_| to.secure) else {
            return exchange(&mut timed, &head, &letter.body, Timed::shorten);
        };
        let name = ServerName::try_from(to.host.clone()).map_err(Fault::bug)?;
        let session = rustls::ClientConnection::new(Arc::clone(tls), name).map_err(Fault::bug)?;
        let mut stream = rustls::StreamOwned::new(session, timed);
        exchange(&mut stream, &head, &letter.body, |stream| stream.sock.shorten())
    }
}

/// A connection that ends with its deadline, however slowly the other side drips.
struct Timed {
    tcp: TcpStream,
    deadline: Deadline,
}

impl Timed {
    /// What comes now is of little use.
    fn shorten(&mut self) {
        self.deadline.shorten(REST);
    }
}

impl Read for Timed {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        self.tcp.set_read_timeout(Some(self.deadline.left()?))?;
        self.tcp.read(buffer)
    }
}

impl Write for Timed {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.tcp.set_write_timeout(Some(self.deadline.left()?))?;
        self.tcp.write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.tcp.flush()
    }
}

/// The head of a request (RFC 9112 §3). Path and host have no character that ends a line.
fn head(letter: &Letter) -> String {
    let to = &letter.to;
    let plain = if to.secure { 443 } else { 80 };
    let authority = to.authority();
    let host = authority.strip_suffix(&format!(":{plain}")).unwrap_or(&authority);
    let mut head = format!(
        "POST {} HTTP/1.1\r\nHost: {host}\r\nUser-Agent: muster\r\nConnection: close\r\n\
         Content-Length: {}\r\n",
        to.path,
        letter.body.len()
    );
    for (name, value) in &letter.headers {
        head.push_str(name);
        head.push_str(": ");
        head.push_str(value);
        head.push_str("\r\n");
    }
    head.push_str("\r\n");
    head
}

/// Sends a request and hears the status of its answer; the rest is heard and forgotten.
fn exchange<S: Read + Write>(
    stream: &mut S,
    head: &str,
    body: &[u8],
    shorten: impl FnOnce(&mut S),
) -> Result<u16, Fault> {
    stream.write_all(&[head.as_bytes(), body].concat()).map_err(broken)?;
    stream.flush().map_err(broken)?;
    let status = status(stream)?;
    shorten(stream);
    // Whoever closes with something unread cuts the other side off in its answer.
    let _rest = io::copy(&mut stream.take(REST_BYTES_MAX), &mut io::sink());
    Ok(status)
}

/// The status of the answer that counts: interim ones are passed over (RFC 9110 §15.2).
fn status(stream: &mut impl Read) -> Result<u16, Fault> {
    let wrong = || {
        let detail = "the receiver does not answer with HTTP";
        Fault::new(Kind::Unavailable, "webhook-answer", detail)
    };
    let (mut heard, mut piece) = (Vec::new(), [0; 1024]);
    loop {
        let end = heard.windows(2).position(|two| two == b"\r\n");
        if let Some(line) = end.and_then(|end| heard.get(..end)) {
            let line = std::str::from_utf8(line).ok().filter(|line| line.starts_with("HTTP/1."));
            let status = line.and_then(|line| line.split(' ').nth(1));
            let status = status.filter(|status| status.len() == 3);
            let status: u16 = status.and_then(|s| s.parse().ok()).ok_or_else(wrong)?;
            if status >= 200 {
                return Ok(status);
            }
            if let Some(end) = heard.windows(4).position(|four| four == b"\r\n\r\n") {
                heard.drain(..end + 4);
                continue;
            }
        }
        if heard.len() >= HEAD_BYTES_MAX {
            return Err(wrong());
        }
        let count = stream.read(&mut piece).map_err(broken)?;
        if count == 0 {
            return Err(wrong());
        }
        heard.extend(piece.iter().take(count));
    }
}
