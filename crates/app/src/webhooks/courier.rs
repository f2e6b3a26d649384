//! Who carries letters out of the node: sockets and certificates are the rim's, not this crate's.

use super::address::Address;
use crate::kernel::Fault;

/// One delivery, ready to be sent.
pub struct Letter {
    pub to: Address,
    /// Names and values of headers, besides those of HTTP itself.
    pub headers: Vec<(&'static str, String)>,
    pub body: Vec<u8>,
}

/// Sends letters to where the operator of the node allows it, and nowhere else.
pub trait Courier: Send + Sync {
    /// Whether anything may be sent to an address: it is listed, and there is a certificate to
    /// know it by.
    ///
    /// # Errors
    /// `webhook-not-listed`, `webhook-no-certificate`.
    fn allows(&self, to: &Address) -> Result<(), Fault>;

    /// Sends a letter and gives the status of the answer; its body is not kept.
    ///
    /// # Errors
    /// As [`Courier::allows`]; `webhook-address-refused` when the host's name stands for an address
    /// that is not listed for it, `webhook-unreachable`, `webhook-untrusted`, `webhook-answer`.
    fn send(&self, letter: &Letter) -> Result<u16, Fault>;
}
