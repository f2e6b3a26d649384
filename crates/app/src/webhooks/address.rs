//! Where a webhook points: `https`, or `http` to this machine; nothing that a resolver would guess.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use crate::kernel::Fault;

/// LIMIT: bytes of an address.
pub const URL_BYTES: usize = 512;

/// An address taken apart (RFC 3986 §3); it names no user and no fragment.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Address {
    /// Whether it is `https`.
    pub secure: bool,
    /// A name in lower case, or an address of IPv4 or IPv6 without brackets.
    pub host: String,
    pub port: u16,
    /// Path and query; begins with a slash.
    pub path: String,
}

fn wrong(why: &str) -> Fault {
    Fault::invalid("webhook-url", format!("the address of a webhook {why}"))
}

impl Address {
    /// Reads an address such as `https://hooks.example/alerts` or `http://127.0.0.1:9000/`.
    ///
    /// # Errors
    /// `webhook-url` with what is wrong.
    pub fn parse(url: &str) -> Result<Self, Fault> {
        if url.len() > URL_BYTES {
            return Err(wrong("has at most 512 bytes"));
        }
        if !url.bytes().all(|byte| byte.is_ascii_graphic()) || url.contains(['#', '\\', '"', '<']) {
            return Err(wrong("has no spaces, no fragment and ASCII only"));
        }
        let (secure, rest) = match (url.strip_prefix("https://"), url.strip_prefix("http://")) {
            (Some(rest), _) => (true, rest),
            (None, Some(rest)) => (false, rest),
            (None, None) => return Err(wrong("begins with `https://`")),
        };
        let end = rest.find(['/', '?']).unwrap_or(rest.len());
        let (authority, path) =
            rest.split_at_checked(end).ok_or_else(|| wrong("cannot be read"))?;
        if authority.contains('@') {
            return Err(wrong("names no user"));
        }
        let (host, port) = host_and_port(authority, if secure { 443 } else { 80 })?;
        let path = if path.starts_with('/') { path.to_owned() } else { format!("/{path}") };
        let address = Self { secure, host, port, path };
        let here = address.ip().is_some_and(|ip| ip.is_loopback());
        if !secure && !here {
            return Err(wrong("is `https`, but for an address of this machine such as 127.0.0.1"));
        }
        Ok(address)
    }

    /// The host when it is an address of IPv4 or IPv6.
    pub fn ip(&self) -> Option<IpAddr> {
        self.host.parse().ok()
    }

    /// Host and port, as the operator's list and the header `Host` name them.
    pub fn authority(&self) -> String {
        authority(&self.host, self.port)
    }
}

fn authority(host: &str, port: u16) -> String {
    if host.contains(':') { format!("[{host}]:{port}") } else { format!("{host}:{port}") }
}

/// Reads `host:port` as an operator writes it; gives it as [`Address::authority`] does.
///
/// # Errors
/// `webhook-url` when it has another form or no port.
pub fn listed(text: &str) -> Result<String, Fault> {
    let (host, port) = host_and_port(text, 0)?;
    if port == 0 {
        return Err(wrong("has a port in the list of the node"));
    }
    Ok(authority(&host, port))
}

fn host_and_port(authority: &str, default: u16) -> Result<(String, u16), Fault> {
    let port_of = |text: &str| match text.parse::<u16>() {
        Ok(port) if port > 0 && !text.starts_with(['+', '0']) => Ok(port),
        Ok(_) | Err(_) => Err(wrong("has a port from 1 to 65535")),
    };
    if let Some(rest) = authority.strip_prefix('[') {
        let (ip, after) = rest.split_once(']').ok_or_else(|| wrong("has a bracket too many"))?;
        let ip: Ipv6Addr = ip.parse().map_err(|cause| wrong("has no such host").because(cause))?;
        let port = after.strip_prefix(':').map(port_of).transpose()?;
        if port.is_none() && !after.is_empty() {
            return Err(wrong("has a port after a colon"));
        }
        return Ok((ip.to_string(), port.unwrap_or(default)));
    }
    let (host, port) = match authority.split_once(':') {
        Some((host, port)) => (host, port_of(port)?),
        None => (authority, default),
    };
    if host.parse::<Ipv4Addr>().is_ok() {
        return Ok((host.to_owned(), port));
    }
    name(host)?;
    Ok((host.to_ascii_lowercase(), port))
}

/// Refuses what is no name (RFC 1123 §2.1). A resolver takes `127.1`, `0x7f.1` and `2130706433` for
/// addresses: no last label that begins with a digit is a name of a host.
fn name(host: &str) -> Result<(), Fault> {
    let of_name = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'-';
    let labels: Vec<&str> = host.split('.').collect();
    let formed = labels.iter().all(|label| {
        (1..=63).contains(&label.len())
            && label.bytes().all(of_name)
            && !label.starts_with('-')
            && !label.ends_with('-')
    });
    let last = labels.last().and_then(|label| label.bytes().next());
    if !formed || host.len() > 253 || last.is_none_or(|byte| byte.is_ascii_digit()) {
        return Err(wrong("has no such host"));
    }
    Ok(())
}

/// Whether everybody may reach an address: it is none of a machine's own, of a local network or of
/// a special use (RFC 6890).
pub fn public(ip: IpAddr) -> bool {
    match ip {
        IpAddr::V4(ip) => public_v4(ip),
        IpAddr::V6(ip) => match (ip.to_ipv4_mapped(), ip.segments()) {
            (Some(v4), _) => public_v4(v4),
            // Only 2000::/3 is given out, less what stands for addresses of IPv4 (6to4, Teredo) and
            // for examples.
            (None, [first, second, ..]) => {
                first & 0xe000 == 0x2000
                    && first != 0x2002
                    && !(first == 0x2001 && (second < 0x0200 || second == 0x0db8))
            }
        },
    }
}

fn public_v4(ip: Ipv4Addr) -> bool {
    let [a, b, c, _] = ip.octets();
    let shared = a == 100 && (64..128).contains(&b);
    let special = (a == 192 && b == 0 && c == 0) || (a == 198 && (b == 18 || b == 19));
    let local = ip.is_private() || ip.is_loopback() || ip.is_link_local();
    !(local || shared || special || ip.is_documentation() || a == 0 || a >= 224)
}
