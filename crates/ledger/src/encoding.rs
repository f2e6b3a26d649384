//! The encodings that the C2SP text formats share: base64 and decimal, in their one canonical form.

use base::Digest;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

/// Writes bytes in base64 (RFC 4648 §4), padded.
pub(crate) fn base64(bytes: &[u8]) -> String {
    STANDARD.encode(bytes)
}

/// Reads base64; `None` for missing padding, other characters or bits left over (RFC 4648 §3.5).
///
/// Each text that is read is the text that would be written, so a note keeps its bytes.
pub(crate) fn from_base64(text: &str) -> Option<Vec<u8>> {
    STANDARD.decode(text).ok()
}

/// Reads the base64 of a hash of 32 bytes.
pub(crate) fn hash_from_base64(text: &str) -> Option<Digest> {
    Digest::from_slice(&from_base64(text)?)
}

/// Reads a decimal number without sign and without leading zeros.
pub(crate) fn decimal(text: &str) -> Option<u64> {
    let digits = text.bytes().all(|byte| byte.is_ascii_digit());
    let canonical = text == "0" || !text.starts_with('0');
    if digits && canonical { text.parse().ok() } else { None }
}

/// Reads a first line and then lines that each hold one hash; the last without its newline.
pub(crate) fn line_and_hashes(text: &str) -> Option<(&str, Vec<Digest>)> {
    let Some((first, hashes)) = text.split_once('\n') else { return Some((text, Vec::new())) };
    let hashes = hashes.split('\n').map(hash_from_base64).collect::<Option<_>>()?;
    Some((first, hashes))
}

/// The first characters of a text from outside, for an error message.
pub(crate) fn excerpt(text: &str) -> String {
    text.chars().take(80).collect()
}
