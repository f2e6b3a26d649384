//! How an entry's portions and secrets are packed into one row each.

use ledger::portion::SlotSecret;

use crate::Error;
use crate::secrets::{WRAPPED_BYTES, Wrapped};

/// Packs portions: for each `u8 slot ‖ u32 length ‖ bytes`, big-endian.
pub(crate) fn pack_portions(portions: &[(u8, Vec<u8>)]) -> Vec<u8> {
    let total = portions.iter().map(|(_, bytes)| bytes.len() + 5).sum();
    let mut packed = Vec::with_capacity(total);
    for (slot, bytes) in portions {
        packed.push(*slot);
        packed.extend_from_slice(&u32::try_from(bytes.len()).unwrap_or(u32::MAX).to_be_bytes());
        packed.extend_from_slice(bytes);
    }
    packed
}

/// Unpacks what [`pack_portions`] packed.
pub(crate) fn unpack_portions(mut packed: &[u8]) -> Result<Vec<(u8, Vec<u8>)>, Error> {
    let mut portions = Vec::new();
    while !packed.is_empty() {
        let (portion, rest) = unpack_portion(packed).ok_or(Error::Form("portions of an entry"))?;
        portions.push(portion);
        packed = rest;
    }
    Ok(portions)
}

/// A slot with its sealed bytes, and what follows them.
type Unpacked<'a> = ((u8, Vec<u8>), &'a [u8]);

fn unpack_portion(packed: &[u8]) -> Option<Unpacked<'_>> {
    let ([slot], rest) = packed.split_first_chunk::<1>()?;
    let (length, rest) = rest.split_first_chunk::<4>()?;
    let (bytes, rest) = rest.split_at_checked(u32::from_be_bytes(*length) as usize)?;
    Some(((*slot, bytes.to_vec()), rest))
}

/// Packs wrapped secrets: for each `u8 slot ‖ wrapped`.
pub(crate) fn pack_secrets(secrets: &[(u8, Wrapped)]) -> Vec<u8> {
    let mut packed = Vec::with_capacity(secrets.len() * (WRAPPED_BYTES + 1));
    for (slot, wrapped) in secrets {
        packed.push(*slot);
        packed.extend_from_slice(&wrapped.0);
    }
    packed
}

/// Unpacks what [`pack_secrets`] packed.
pub(crate) fn unpack_secrets(packed: &[u8]) -> Result<Vec<(u8, Wrapped)>, Error> {
    let chunks = packed.chunks_exact(WRAPPED_BYTES + 1);
    if !chunks.remainder().is_empty() {
        return Err(Error::Form("secrets of an entry"));
    }
    let unpack = |chunk: &[u8]| {
        let (slot, wrapped) = chunk.split_first()?;
        Some((*slot, Wrapped(wrapped.try_into().ok()?)))
    };
    chunks.map(|chunk| unpack(chunk).ok_or(Error::Form("secrets of an entry"))).collect()
}

/// A secret found under `slot`.
pub(crate) fn find(secrets: &[SlotSecret], slot: u8) -> Option<&SlotSecret> {
    secrets.iter().find(|secret| secret.slot == slot)
}
