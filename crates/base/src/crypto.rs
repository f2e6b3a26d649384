//! The crypto trait and its one provider, aws-lc; suites are named in every artefact.
//!
//! No algorithm is written here: this module only gives names, lengths and domain separation.

use std::fmt;
use std::str::FromStr;

use aws_lc_rs::aead::{AES_256_GCM, Aad, LessSafeKey, Nonce, UnboundKey};
use aws_lc_rs::agreement::{ECDH_P256, PrivateKey};
use aws_lc_rs::digest::{Context, SHA256};
use aws_lc_rs::hkdf::{HKDF_SHA256, KeyType, Salt};
use aws_lc_rs::hmac;
use aws_lc_rs::signature::{
    ECDSA_P256_SHA256_ASN1, ECDSA_P256_SHA256_ASN1_SIGNING, ED25519, EcdsaKeyPair, Ed25519KeyPair,
    KeyPair as _, ML_DSA_87, ML_DSA_87_SIGNING, PqdsaKeyPair, UnparsedPublicKey,
};
use zeroize::{Zeroize, ZeroizeOnDrop};

/// What a primitive refused.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
pub enum Error {
    #[error("ciphertext was changed or the key is another")]
    Open,
    #[error("signature does not fit the message and key")]
    Signature,
    #[error("key has a wrong form")]
    Key,
    #[error("digest is not 64 lower-case hexadecimal digits")]
    Digest,
    #[error("cryptographic module failed")]
    Module,
}

/// A SHA-256 digest.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct Digest(pub [u8; 32]);

impl Digest {
    /// The 32 bytes.
    pub const fn as_bytes(&self) -> &[u8; 32] {
        &self.0
    }

    /// Reads 32 bytes; `None` for any other length.
    pub fn from_slice(bytes: &[u8]) -> Option<Self> {
        bytes.try_into().ok().map(Self)
    }
}

impl fmt::Display for Digest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&hex::encode(self.0))
    }
}

impl fmt::Debug for Digest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl FromStr for Digest {
    type Err = Error;
    fn from_str(text: &str) -> Result<Self, Error> {
        if text.bytes().any(|b| b.is_ascii_uppercase()) {
            return Err(Error::Digest);
        }
        let mut bytes = [0; 32];
        hex::decode_to_slice(text, &mut bytes).map_err(|_cause| Error::Digest)?;
        Ok(Self(bytes))
    }
}

impl serde::Serialize for Digest {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> serde::Deserialize<'de> for Digest {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = <std::borrow::Cow<'de, str>>::deserialize(deserializer)?;
        text.parse().map_err(serde::de::Error::custom)
    }
}

/// SHA-256 of `bytes` as they stand (FIPS 180-4).
pub fn sha256(bytes: &[u8]) -> Digest {
    finish(aws_lc_rs::digest::digest(&SHA256, bytes).as_ref())
}

/// SHA-256 over the concatenation of `parts`, for formats that others fixed (RFC 6962).
pub fn sha256_concat(parts: &[&[u8]]) -> Digest {
    let mut context = Context::new(&SHA256);
    for part in parts {
        context.update(part);
    }
    finish(context.finish().as_ref())
}

fn finish(bytes: &[u8]) -> Digest {
    let mut digest = Digest::default();
    for (to, from) in digest.0.iter_mut().zip(bytes) {
        *to = *from;
    }
    digest
}

/// Hashes named parts: a domain, then each part behind its length.
///
/// SHA-256( u8 length of domain ‖ domain ‖ for each part: u64 big-endian length ‖ part ). No two
/// different lists of parts, and no two domains, give the same input.
pub struct Hasher(Context);

impl Hasher {
    /// Starts a hash in `domain`, an ASCII name of at most 255 bytes.
    pub fn new(domain: &'static str) -> Self {
        debug_assert!(domain.len() <= 255 && domain.is_ascii(), "domain is a short ASCII name");
        let mut context = Context::new(&SHA256);
        context.update(&[u8::try_from(domain.len()).unwrap_or(u8::MAX)]);
        context.update(domain.as_bytes());
        Self(context)
    }

    /// Adds a part.
    #[must_use]
    pub fn part(mut self, bytes: &[u8]) -> Self {
        self.0.update(&(bytes.len() as u64).to_be_bytes());
        self.0.update(bytes);
        self
    }

    /// The digest of all parts.
    pub fn finish(self) -> Digest {
        finish(self.0.finish().as_ref())
    }
}

/// 32 secret bytes that are wiped when dropped, compared in constant time and never printed.
#[derive(Clone, Zeroize, ZeroizeOnDrop)]
pub struct Secret([u8; 32]);

impl PartialEq for Secret {
    fn eq(&self, other: &Self) -> bool {
        equal(&self.0, &other.0)
    }
}

impl Eq for Secret {}

impl Secret {
    /// Takes 32 bytes.
    pub const fn new(bytes: [u8; 32]) -> Self {
        Self(bytes)
    }

    /// Reads 32 bytes; `None` for any other length.
    pub fn from_slice(bytes: &[u8]) -> Option<Self> {
        bytes.try_into().ok().map(Self)
    }

    /// The bytes, for a primitive that needs them.
    pub const fn expose(&self) -> &[u8; 32] {
        &self.0
    }

    /// Authenticates a message: HMAC-SHA-256 (RFC 2104) under this key.
    pub fn mac(&self, message: &[u8]) -> [u8; 32] {
        let key = hmac::Key::new(hmac::HMAC_SHA256, &self.0);
        finish(hmac::sign(&key, message).as_ref()).0
    }

    /// Derives another secret: HKDF-SHA-256 (RFC 5869) with `salt` and the name `info`.
    ///
    /// # Errors
    /// [`Error::Module`] when the module fails; the lengths used here never do.
    pub fn derive(&self, salt: &[u8], info: &'static str) -> Result<Self, Error> {
        struct Length;
        impl KeyType for Length {
            fn len(&self) -> usize {
                32
            }
        }
        let mut out = [0; 32];
        Salt::new(HKDF_SHA256, salt)
            .extract(&self.0)
            .expand(&[info.as_bytes()], Length)
            .and_then(|okm| okm.fill(&mut out))
            .map_err(|_cause| Error::Module)?;
        Ok(Self(out))
    }

    /// Encrypts with AES-256-GCM; the 16-byte tag follows the ciphertext.
    ///
    /// `nonce` must never repeat under one key: callers use a key once, or a counter, or 96 random
    /// bits under a key that seals fewer than 2³² messages.
    ///
    /// # Errors
    /// [`Error::Module`] when the module fails.
    pub fn seal(&self, nonce: [u8; 12], aad: &[u8], plain: &[u8]) -> Result<Vec<u8>, Error> {
        let mut bytes = Vec::with_capacity(plain.len() + 16);
        bytes.extend_from_slice(plain);
        self.key()?
            .seal_in_place_append_tag(
                Nonce::assume_unique_for_key(nonce),
                Aad::from(aad),
                &mut bytes,
            )
            .map_err(|_cause| Error::Module)?;
        Ok(bytes)
    }

    /// Decrypts what [`Secret::seal`] made.
    ///
    /// # Errors
    /// [`Error::Open`] when a byte, the nonce, the associated data or the key is another.
    pub fn open(&self, nonce: [u8; 12], aad: &[u8], sealed: &[u8]) -> Result<Vec<u8>, Error> {
        let mut bytes = sealed.to_vec();
        let length = self
            .key()?
            .open_in_place(Nonce::assume_unique_for_key(nonce), Aad::from(aad), &mut bytes)
            .map_err(|_cause| Error::Open)?
            .len();
        bytes.truncate(length);
        Ok(bytes)
    }

    fn key(&self) -> Result<LessSafeKey, Error> {
        UnboundKey::new(&AES_256_GCM, &self.0).map(LessSafeKey::new).map_err(|_cause| Error::Key)
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Secret(..)")
    }
}

/// A source of secrets, deterministic for a given seed; the rim seeds it from the system.
///
/// After each draw the state is replaced by its hash and the old one is wiped, so that whoever
/// learns the state later cannot compute what was drawn before, erased secrets among them.
pub struct Entropy {
    state: Secret,
}

impl Entropy {
    /// Starts the sequence that belongs to `seed`.
    pub const fn new(seed: Secret) -> Self {
        Self { state: seed }
    }

    /// Draws 32 bytes that nobody without the state can foresee.
    pub fn draw(&mut self) -> [u8; 32] {
        let drawn = Hasher::new("muster/entropy/v1").part(self.state.expose()).finish();
        let next = Hasher::new("muster/entropy-next/v1").part(self.state.expose()).finish();
        self.state = Secret::new(next.0);
        drawn.0
    }

    /// Draws a secret.
    pub fn secret(&mut self) -> Secret {
        Secret::new(self.draw())
    }

    /// Draws a 96-bit nonce.
    pub fn nonce(&mut self) -> [u8; 12] {
        let mut nonce = [0; 12];
        for (to, from) in nonce.iter_mut().zip(self.draw()) {
            *to = from;
        }
        nonce
    }

    /// Draws a number below `bound`, which is not 0; the bias is below 2⁻³² for any `u32` bound.
    pub fn below(&mut self, bound: u32) -> u32 {
        debug_assert!(bound > 0, "bound is positive");
        let drawn = self.draw();
        let wide = drawn.first_chunk().copied().map_or(0, u64::from_be_bytes);
        u32::try_from(wide % u64::from(bound.max(1))).unwrap_or(0)
    }
}

/// A signature algorithm.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Algorithm {
    /// Ed25519 (RFC 8032): 32-byte keys, 64-byte signatures.
    Ed25519,
    /// ML-DSA-87 (FIPS 204): 2,592-byte keys, 4,627-byte signatures, empty context.
    MlDsa87,
}

impl Algorithm {
    /// Verifies `signature` over `message`.
    ///
    /// # Errors
    /// [`Error::Signature`] when it does not fit.
    pub fn verify(self, key: &[u8], message: &[u8], signature: &[u8]) -> Result<(), Error> {
        let outcome = match self {
            Self::Ed25519 => UnparsedPublicKey::new(&ED25519, key).verify(message, signature),
            Self::MlDsa87 => UnparsedPublicKey::new(&ML_DSA_87, key).verify(message, signature),
        };
        outcome.map_err(|_cause| Error::Signature)
    }
}

/// A private key that signs; the provider decides where it lives.
pub trait Sign: Send + Sync {
    /// The algorithm of the key.
    fn algorithm(&self) -> Algorithm;
    /// The public key in the algorithm's own encoding.
    fn public_key(&self) -> &[u8];
    /// Signs `message`.
    ///
    /// # Errors
    /// [`Error::Module`] when the module or token fails.
    fn sign(&self, message: &[u8]) -> Result<Vec<u8>, Error>;
}

/// A key held in memory, made from a 32-byte seed.
pub struct SeedKey {
    pair: Pair,
    public: Vec<u8>,
}

enum Pair {
    Ed25519(Ed25519KeyPair),
    MlDsa87(Box<PqdsaKeyPair>),
}

impl SeedKey {
    /// Makes the key that belongs to `seed` (RFC 8032 §5.1.5, FIPS 204 algorithm 6).
    ///
    /// # Errors
    /// [`Error::Key`] when the module refuses the seed.
    pub fn from_seed(algorithm: Algorithm, seed: &Secret) -> Result<Self, Error> {
        let (pair, public) = match algorithm {
            Algorithm::Ed25519 => {
                let pair = Ed25519KeyPair::from_seed_unchecked(seed.expose())
                    .map_err(|_cause| Error::Key)?;
                let public = pair.public_key().as_ref().to_vec();
                (Pair::Ed25519(pair), public)
            }
            Algorithm::MlDsa87 => {
                let pair = PqdsaKeyPair::from_seed(&ML_DSA_87_SIGNING, seed.expose())
                    .map_err(|_cause| Error::Key)?;
                let public = pair.public_key().as_ref().to_vec();
                (Pair::MlDsa87(Box::new(pair)), public)
            }
        };
        Ok(Self { pair, public })
    }
}

impl Sign for SeedKey {
    fn algorithm(&self) -> Algorithm {
        match self.pair {
            Pair::Ed25519(_) => Algorithm::Ed25519,
            Pair::MlDsa87(_) => Algorithm::MlDsa87,
        }
    }

    fn public_key(&self) -> &[u8] {
        &self.public
    }

    fn sign(&self, message: &[u8]) -> Result<Vec<u8>, Error> {
        match &self.pair {
            Pair::Ed25519(pair) => Ok(pair.sign(message).as_ref().to_vec()),
            Pair::MlDsa87(pair) => {
                let mut signature = vec![0; pair.algorithm().signature_len()];
                let length = pair.sign(message, &mut signature).map_err(|_cause| Error::Module)?;
                signature.truncate(length);
                Ok(signature)
            }
        }
    }
}

/// Verifies ECDSA on P-256 with SHA-256 (FIPS 186-5), as authenticators sign: `point` is the
/// uncompressed key of 65 bytes (SEC 1 §2.3.3), `signature` is DER (RFC 3279 §2.2.3).
///
/// # Errors
/// [`Error::Signature`] when it does not fit.
pub fn verify_p256(point: &[u8; 65], message: &[u8], signature: &[u8]) -> Result<(), Error> {
    UnparsedPublicKey::new(&ECDSA_P256_SHA256_ASN1, point)
        .verify(message, signature)
        .map_err(|_cause| Error::Signature)
}

/// A P-256 key in memory, for authenticators made of software.
pub struct P256Key {
    pair: EcdsaKeyPair,
    public: [u8; 65],
}

impl P256Key {
    /// Makes the key that belongs to `seed`: its first derived scalar that is below the order.
    ///
    /// # Errors
    /// [`Error::Key`] when the module refuses the scalars.
    pub fn from_seed(seed: &Secret) -> Result<Self, Error> {
        // One scalar in 2³² is above the order; four in a row do not happen.
        for salt in [[0], [1], [2], [3u8]] {
            let scalar = seed.derive(&salt, "muster/p256/v1")?;
            if let Ok(key) = Self::from_scalar(scalar.expose()) {
                return Ok(key);
            }
        }
        Err(Error::Key)
    }

    fn from_scalar(scalar: &[u8; 32]) -> Result<Self, Error> {
        let private = PrivateKey::from_private_key(&ECDH_P256, scalar);
        let private = private.map_err(|_cause| Error::Key)?;
        let computed = private.compute_public_key().map_err(|_cause| Error::Key)?;
        let public: [u8; 65] = computed.as_ref().try_into().map_err(|_length| Error::Key)?;
        let pair = EcdsaKeyPair::from_private_key_and_public_key(
            &ECDSA_P256_SHA256_ASN1_SIGNING,
            scalar,
            &public,
        );
        Ok(Self { pair: pair.map_err(|_cause| Error::Key)?, public })
    }

    /// The uncompressed public key.
    pub const fn public_key(&self) -> &[u8; 65] {
        &self.public
    }

    /// Signs `message`; the signature is DER.
    ///
    /// # Errors
    /// [`Error::Module`] when the module fails.
    pub fn sign(&self, message: &[u8]) -> Result<Vec<u8>, Error> {
        let random = aws_lc_rs::rand::SystemRandom::new();
        let signed = self.pair.sign(&random, message).map_err(|_cause| Error::Module)?;
        Ok(signed.as_ref().to_vec())
    }
}

/// Fills `bytes` from the operating system. Called by the rim alone.
///
/// # Errors
/// [`Error::Module`] when the system gives none.
pub fn system_random(bytes: &mut [u8]) -> Result<(), Error> {
    aws_lc_rs::rand::fill(bytes).map_err(|_cause| Error::Module)
}

/// Compares secrets in constant time.
pub fn equal(a: &[u8], b: &[u8]) -> bool {
    aws_lc_rs::constant_time::verify_slices_are_equal(a, b).is_ok()
}
