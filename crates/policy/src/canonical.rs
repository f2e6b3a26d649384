//! Deterministic CBOR (RFC 8949 §4.2.1) for what is signed or named by its digest.

use std::collections::BTreeSet;

use base::{Digest, Time, Token};
use minicbor::Encoder;

/// Bytes under construction; writing to memory cannot fail, so no call has an outcome to report.
pub struct Canonical(Vec<u8>);

impl Canonical {
    pub const fn new() -> Self {
        Self(Vec::new())
    }

    /// Opens a list of `length` items, which the next calls add.
    pub fn list(&mut self, length: usize) -> &mut Self {
        let _infallible = Encoder::new(&mut self.0).array(length as u64);
        self
    }

    pub fn text(&mut self, text: &str) -> &mut Self {
        let _infallible = Encoder::new(&mut self.0).str(text);
        self
    }

    pub fn bytes(&mut self, bytes: &[u8]) -> &mut Self {
        let _infallible = Encoder::new(&mut self.0).bytes(bytes);
        self
    }

    pub fn number(&mut self, number: u64) -> &mut Self {
        let _infallible = Encoder::new(&mut self.0).u64(number);
        self
    }

    pub fn null(&mut self) -> &mut Self {
        let _infallible = Encoder::new(&mut self.0).null();
        self
    }

    pub fn time(&mut self, time: Time) -> &mut Self {
        // Times are never negative, so the fallback is never taken.
        self.number(u64::try_from(time.ms()).unwrap_or(0))
    }

    pub fn codes<'a>(&mut self, codes: impl IntoIterator<Item = &'a Token>) -> &mut Self {
        let sorted: BTreeSet<&Token> = codes.into_iter().collect();
        self.list(sorted.len());
        for code in sorted {
            self.text(code.as_str());
        }
        self
    }

    pub fn ids<'a>(&mut self, ids: impl IntoIterator<Item = &'a [u8; 16]>) -> &mut Self {
        let sorted: BTreeSet<&[u8; 16]> = ids.into_iter().collect();
        self.list(sorted.len());
        for id in sorted {
            self.bytes(id);
        }
        self
    }

    pub fn finish(self) -> Vec<u8> {
        self.0
    }

    /// The digest of the bytes in `domain`.
    pub fn digest(&self, domain: &'static str) -> Digest {
        base::crypto::Hasher::new(domain).part(&self.0).finish()
    }
}
