//! Signed notes (C2SP signed-note v1.0.0): a text, an empty line, and who signed it.
//!
//! Signature types: `0x01`, Ed25519 over the text; `0x04`, a cosignature ([`crate::cosignature`]);
//! and ML-DSA-87, which C2SP has not assigned. Its type is `0xff`, followed as C2SP recommends by
//! an identifier of its own, `muster/ml-dsa-87/v1`; its key is the 2,592 bytes of FIPS 204, and it
//! signs that identifier, a newline and the text, with an empty context. So for each type:
//!
//! ```text
//! key id       = SHA-256( name ‖ 0x0A ‖ type ‖ public key ), its first 4 bytes
//! verifier key = name + "+" + hex(key id) + "+" + base64( type ‖ public key )
//! type         = 0x01 | 0x04 | 0xff ‖ "muster/ml-dsa-87/v1"
//! ```
//! Verifiers that know only `0x01` ignore the ML-DSA line, as the specification demands of them.

use std::fmt;
use std::str::FromStr;
use std::sync::Arc;

use base::crypto::{Algorithm, Sign, sha256_concat};
use base::limit;

use crate::cosignature;
use crate::encoding::{base64, excerpt, from_base64};
use crate::error::Error;

/// How a signature line begins: em dash, space.
const LINE_START: &str = "— ";
/// LIMIT: bytes of a verifier key as text; one of ML-DSA-87 has about 3,500.
const VERIFIER_KEY_BYTES: usize = 8192;
/// What follows `0xff` in the type of an ML-DSA-87 key, and begins what it signs.
const ML_DSA_87: &[u8] = b"muster/ml-dsa-87/v1";

/// The name of a key: for a log its origin, for a witness its own.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct KeyName(String);

impl KeyName {
    /// Takes a name: not empty, no Unicode spaces, no plus sign, no control characters.
    ///
    /// # Errors
    /// [`Error::KeyName`] for any other.
    pub fn new(name: &str) -> Result<Self, Error> {
        let refused = |c: char| c.is_whitespace() || c < ' ' || c == '+';
        if name.is_empty() || name.chars().any(refused) {
            return Err(Error::KeyName(excerpt(name)));
        }
        Ok(Self(name.to_owned()))
    }

    /// The name.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for KeyName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// The id of a key: the first 4 bytes of a digest; it tells keys of one name apart, nothing more.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct KeyId(pub [u8; 4]);

impl fmt::Display for KeyId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:08x}", u32::from_be_bytes(self.0))
    }
}

/// The type of a signature, which fixes the algorithm and the message that is signed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum SignatureType {
    /// Ed25519 over the text, `0x01`.
    Ed25519,
    /// Ed25519 over a time and the text, `0x04` (C2SP tlog-cosignature v1).
    Cosignature,
    /// ML-DSA-87 over its identifier and the text, `0xff` and that identifier.
    MlDsa87,
}

impl SignatureType {
    /// The bytes that name the type in a verifier key and a key id.
    fn identifier(self) -> Vec<u8> {
        match self {
            Self::Ed25519 => vec![0x01],
            Self::Cosignature => vec![0x04],
            Self::MlDsa87 => [&[0xff], ML_DSA_87].concat(),
        }
    }

    const fn algorithm(self) -> Algorithm {
        match self {
            Self::Ed25519 | Self::Cosignature => Algorithm::Ed25519,
            Self::MlDsa87 => Algorithm::MlDsa87,
        }
    }

    const fn public_bytes(self) -> usize {
        match self.algorithm() {
            Algorithm::Ed25519 => 32,
            Algorithm::MlDsa87 => 2592,
        }
    }

    /// Parts the type from the public key behind it.
    fn part(material: &[u8]) -> Option<(Self, &[u8])> {
        let types = [Self::Ed25519, Self::Cosignature, Self::MlDsa87];
        types.into_iter().find_map(|kind| {
            let public = material.strip_prefix(kind.identifier().as_slice())?;
            Some((kind, public))
        })
    }
}

/// A public key with its name and type.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct VerifierKey {
    name: KeyName,
    id: KeyId,
    kind: SignatureType,
    public: Vec<u8>,
}

impl VerifierKey {
    /// Takes a public key in its algorithm's own encoding.
    ///
    /// # Errors
    /// [`Error::VerifierKey`] when it has another length than such keys have.
    pub fn new(name: KeyName, kind: SignatureType, public: &[u8]) -> Result<Self, Error> {
        if public.len() != kind.public_bytes() {
            return Err(Error::VerifierKey(name.0));
        }
        let parts: [&[u8]; 4] = [name.0.as_bytes(), b"\n", &kind.identifier(), public];
        let [a, b, c, d, ..] = sha256_concat(&parts).0;
        Ok(Self { name, id: KeyId([a, b, c, d]), kind, public: public.to_vec() })
    }

    /// The name.
    pub const fn name(&self) -> &KeyName {
        &self.name
    }

    /// The id.
    pub const fn id(&self) -> KeyId {
        self.id
    }

    /// The type of the signatures that it verifies.
    pub const fn kind(&self) -> SignatureType {
        self.kind
    }

    /// The public key in its algorithm's own encoding.
    pub fn public(&self) -> &[u8] {
        &self.public
    }

    /// Name and id, as error messages show them.
    pub(crate) fn label(&self) -> String {
        format!("{}+{}", self.name, self.id)
    }

    /// Whether a signature line says that it is by this key.
    pub fn made(&self, signature: &Signature) -> bool {
        self.name == signature.name && self.id == signature.id
    }

    /// Verifies a signature over the text of a note.
    ///
    /// # Errors
    /// [`Error::Signature`] when it does not fit; [`Error::Timestamp`] for a cosignature whose
    /// time cannot be; [`Error::Checkpoint`] for one over another text.
    pub fn verify(&self, text: &str, signature: &Signature) -> Result<(), Error> {
        let (message, bytes) = match self.kind {
            SignatureType::Ed25519 => (text.as_bytes().to_vec(), signature.bytes.as_slice()),
            SignatureType::MlDsa87 => (ml_dsa_message(text), signature.bytes.as_slice()),
            SignatureType::Cosignature => cosignature::part(text, signature)?,
        };
        self.kind
            .algorithm()
            .verify(&self.public, &message, bytes)
            .map_err(|source| Error::Signature { key: self.label(), source })
    }
}

/// Writes the verifier key as text (signed-note, "Verifier keys").
impl fmt::Display for VerifierKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let material = [self.kind.identifier().as_slice(), &self.public].concat();
        write!(f, "{}+{}+{}", self.name, self.id, base64(&material))
    }
}

impl FromStr for VerifierKey {
    type Err = Error;

    /// Reads a verifier key and checks that its id is the one that its name and key give.
    fn from_str(text: &str) -> Result<Self, Error> {
        let fault = || Error::VerifierKey(excerpt(text));
        if text.len() > VERIFIER_KEY_BYTES {
            return Err(fault());
        }
        let (name, rest) = text.split_once('+').ok_or_else(fault)?;
        let (id, material) = rest.split_once('+').ok_or_else(fault)?;
        let material = from_base64(material).ok_or_else(fault)?;
        let Some((kind, public)) = SignatureType::part(&material) else {
            return Err(Error::SignatureType(excerpt(text)));
        };
        let key = Self::new(KeyName::new(name)?, kind, public)?;
        if key.id.to_string() == id { Ok(key) } else { Err(Error::KeyId(excerpt(text))) }
    }
}

/// What an ML-DSA-87 key signs, so that its signature can stand for nothing but a note.
fn ml_dsa_message(text: &str) -> Vec<u8> {
    [ML_DSA_87, b"\n", text.as_bytes()].concat()
}

/// Keys that a reader knows, no two of which a note could confuse.
#[derive(Clone, Debug, PartialEq, Eq, Default)]
pub struct VerifierKeys(Vec<VerifierKey>);

impl VerifierKeys {
    /// Takes keys.
    ///
    /// # Errors
    /// [`Error::DuplicateKey`] when two have the same name and id, or are one public key.
    pub fn new(keys: Vec<VerifierKey>) -> Result<Self, Error> {
        for (place, key) in keys.iter().enumerate() {
            let same = |other: &VerifierKey| {
                other.name == key.name && other.id == key.id || other.public == key.public
            };
            if keys.iter().take(place).any(same) {
                return Err(Error::DuplicateKey(key.label()));
            }
        }
        Ok(Self(keys))
    }

    /// The keys, in the order in which they were given.
    pub fn iter(&self) -> std::slice::Iter<'_, VerifierKey> {
        self.0.iter()
    }
}

impl<'k> IntoIterator for &'k VerifierKeys {
    type Item = &'k VerifierKey;
    type IntoIter = std::slice::Iter<'k, VerifierKey>;

    fn into_iter(self) -> Self::IntoIter {
        self.iter()
    }
}

/// One signature line of a note: who is said to have signed, and the signature.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Signature {
    name: KeyName,
    id: KeyId,
    bytes: Vec<u8>,
}

impl Signature {
    /// Takes the bytes that the key `by` made.
    pub(crate) fn new(by: &VerifierKey, bytes: Vec<u8>) -> Self {
        Self { name: by.name.clone(), id: by.id, bytes }
    }

    /// The name of the key.
    pub const fn name(&self) -> &KeyName {
        &self.name
    }

    /// The id of the key.
    pub const fn id(&self) -> KeyId {
        self.id
    }

    /// The signature itself, without the key's id.
    pub fn bytes(&self) -> &[u8] {
        &self.bytes
    }

    /// Reads signature lines, each ending in a newline, as a witness returns them.
    ///
    /// # Errors
    /// [`Error::SignatureLine`] for a line in another form, [`Error::NoteSignatures`] for more
    /// than [`limit::NOTE_SIGNATURES`], [`Error::Note`] for none or an unfinished line.
    pub fn parse_lines(text: &str) -> Result<Vec<Self>, Error> {
        let lines = text.strip_suffix('\n').ok_or(Error::Note)?;
        let count = lines.split('\n').count();
        if count > limit::NOTE_SIGNATURES {
            return Err(Error::NoteSignatures(count));
        }
        lines.split('\n').map(str::parse).collect()
    }
}

/// Writes the line, without its newline.
impl fmt::Display for Signature {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let bytes = [self.id.0.as_slice(), &self.bytes].concat();
        write!(f, "{LINE_START}{} {}", self.name, base64(&bytes))
    }
}

impl FromStr for Signature {
    type Err = Error;

    /// Reads a line, without its newline; it is written again just as it was.
    fn from_str(line: &str) -> Result<Self, Error> {
        let parts = line.strip_prefix(LINE_START).and_then(|rest| rest.split_once(' '));
        let fault = || Error::SignatureLine(excerpt(line));
        let (name, bytes) = parts.ok_or_else(fault)?;
        let bytes = from_base64(bytes).ok_or_else(fault)?;
        let (id, bytes) = bytes.split_first_chunk::<4>().ok_or_else(fault)?;
        if bytes.is_empty() {
            return Err(fault());
        }
        Ok(Self { name: KeyName::new(name)?, id: KeyId(*id), bytes: bytes.to_vec() })
    }
}

/// A private key under a name, which signs notes; the type follows from the algorithm.
#[derive(Clone)]
pub struct Signer {
    key: VerifierKey,
    private: Arc<dyn Sign>,
}

impl Signer {
    /// Takes a private key.
    ///
    /// # Errors
    /// [`Error::VerifierKey`] when its public key has a wrong length.
    pub fn new(name: KeyName, private: Arc<dyn Sign>) -> Result<Self, Error> {
        let kind = match private.algorithm() {
            Algorithm::Ed25519 => SignatureType::Ed25519,
            Algorithm::MlDsa87 => SignatureType::MlDsa87,
        };
        Ok(Self { key: VerifierKey::new(name, kind, private.public_key())?, private })
    }

    /// The key that verifies what this one signs.
    pub const fn key(&self) -> &VerifierKey {
        &self.key
    }

    /// Signs the text of a note.
    ///
    /// # Errors
    /// [`Error::Sign`] when the key or its token fails.
    pub fn sign(&self, text: &str) -> Result<Signature, Error> {
        let signed = match self.private.algorithm() {
            Algorithm::Ed25519 => self.private.sign(text.as_bytes()),
            Algorithm::MlDsa87 => self.private.sign(&ml_dsa_message(text)),
        };
        let bytes = signed.map_err(|source| Error::Sign { key: self.key.label(), source })?;
        Ok(Signature::new(&self.key, bytes))
    }
}

impl fmt::Debug for Signer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Signer({})", self.key.label())
    }
}

/// Which signatures a reader wants to see on a note.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub enum Require {
    /// A signature by any known key, as plain C2SP readers want it.
    #[default]
    Any,
    /// One of Ed25519, whatever else there is.
    Ed25519,
    /// One of ML-DSA-87, for readers who fear quantum computers.
    MlDsa87,
    /// One of each, so that either algorithm may break.
    Both,
}

impl Require {
    fn met(self, by: &[(&VerifierKey, &Signature)]) -> bool {
        let has = |kind| by.iter().any(|(key, _signature)| key.kind == kind);
        match self {
            Self::Any => !by.is_empty(),
            Self::Ed25519 => has(SignatureType::Ed25519),
            Self::MlDsa87 => has(SignatureType::MlDsa87),
            Self::Both => has(SignatureType::Ed25519) && has(SignatureType::MlDsa87),
        }
    }
}

impl fmt::Display for Require {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Any => "any known key",
            Self::Ed25519 => "Ed25519",
            Self::MlDsa87 => "ML-DSA-87",
            Self::Both => "Ed25519 and ML-DSA-87",
        })
    }
}

/// A note as it was read: its form is right, its signatures are not verified yet.
///
/// It is written again byte for byte as it was read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Note {
    text: String,
    signatures: Vec<Signature>,
}

/// A text with those who signed it, each verified.
#[derive(Clone, Debug)]
pub struct Opened<'n> {
    /// The text, with its last newline.
    pub text: &'n str,
    /// The known keys that signed it, each with its first line, in the order of the keys.
    pub by: Vec<(&'n VerifierKey, &'n Signature)>,
}

impl Note {
    /// Reads a note.
    ///
    /// # Errors
    /// [`Error::NoteBytes`] or [`Error::NoteSignatures`] above a limit, [`Error::SignatureLine`]
    /// or [`Error::KeyName`] for a line, [`Error::Note`] for anything else.
    pub fn parse(bytes: &[u8]) -> Result<Self, Error> {
        if bytes.len() > limit::NOTE_BYTES {
            return Err(Error::NoteBytes(bytes.len()));
        }
        let note = std::str::from_utf8(bytes).ok().ok_or(Error::Note)?;
        if note.chars().any(|c| c < ' ' && c != '\n') {
            return Err(Error::Note);
        }
        let (text, lines) = note.rsplit_once("\n\n").ok_or(Error::Note)?;
        Ok(Self { text: format!("{text}\n"), signatures: Signature::parse_lines(lines)? })
    }

    /// Signs a text, which ends in a newline, with each key in turn.
    ///
    /// # Errors
    /// [`Error::Note`] for a text that no note can hold, [`Error::Unsigned`] without signers,
    /// [`Error::Sign`] when one fails, [`Error::NoteBytes`] above the limit.
    pub fn sign(text: &str, signers: &[Signer]) -> Result<Self, Error> {
        if !text.ends_with('\n') || text.chars().any(|c| c < ' ' && c != '\n') {
            return Err(Error::Note);
        }
        let mut note = Self { text: text.to_owned(), signatures: Vec::new() };
        for signer in signers {
            note.add(signer.sign(text)?)?;
        }
        if note.signatures.is_empty() { Err(Error::Unsigned) } else { Ok(note) }
    }

    /// Adds a signature line behind the others; one by the same key is replaced.
    ///
    /// # Errors
    /// [`Error::NoteSignatures`] or [`Error::NoteBytes`] above a limit; the note stays as it was.
    pub fn add(&mut self, signature: Signature) -> Result<(), Error> {
        let mut signatures = self.signatures.clone();
        signatures.retain(|old| old.name != signature.name || old.id != signature.id);
        signatures.push(signature);
        let changed = Self { text: self.text.clone(), signatures };
        let bytes = changed.to_string().len();
        if changed.signatures.len() > limit::NOTE_SIGNATURES {
            return Err(Error::NoteSignatures(changed.signatures.len()));
        }
        if bytes > limit::NOTE_BYTES {
            return Err(Error::NoteBytes(bytes));
        }
        *self = changed;
        Ok(())
    }

    /// The text, which nobody may believe before [`Note::open`]; it serves to choose the keys.
    pub fn unverified_text(&self) -> &str {
        &self.text
    }

    /// The signature lines, verified or not, in their order.
    pub fn signatures(&self) -> &[Signature] {
        &self.signatures
    }

    /// The signatures by known keys, each verified; there may be none.
    ///
    /// Lines of unknown keys are ignored. Each line that names a known key is verified, so a note
    /// with one false line is refused as a whole, also when the same key signed before.
    ///
    /// # Errors
    /// [`Error::Signature`] for a false one.
    pub fn signed_by<'n>(
        &'n self,
        keys: impl IntoIterator<Item = &'n VerifierKey>,
    ) -> Result<Vec<(&'n VerifierKey, &'n Signature)>, Error> {
        let mut by = Vec::new();
        for key in keys {
            let mut lines = self.signatures.iter().filter(|line| key.made(line)).peekable();
            by.extend(lines.peek().map(|first| (key, *first)));
            lines.try_for_each(|line| key.verify(&self.text, line))?;
        }
        Ok(by)
    }

    /// The note with the first line of each of some keys and no others, to be kept or passed on.
    #[must_use]
    pub fn signed_only(&self, keys: &VerifierKeys) -> Self {
        let first = |key: &VerifierKey| self.signatures.iter().find(|line| key.made(line)).cloned();
        Self { text: self.text.clone(), signatures: keys.iter().filter_map(first).collect() }
    }

    /// Verifies the note with known keys and gives its text.
    ///
    /// # Errors
    /// [`Error::Signature`] when a known key's signature is false, [`Error::Unsigned`] when no
    /// known key signed, [`Error::Required`] when those who did are not what `require` wants.
    pub fn open<'n>(
        &'n self,
        keys: &'n VerifierKeys,
        require: Require,
    ) -> Result<Opened<'n>, Error> {
        let by = self.signed_by(keys)?;
        if by.is_empty() {
            return Err(Error::Unsigned);
        }
        if !require.met(&by) {
            return Err(Error::Required(require));
        }
        Ok(Opened { text: &self.text, by })
    }
}

/// Writes the note as it is stored and sent.
impl fmt::Display for Note {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "{}", self.text)?;
        self.signatures.iter().try_for_each(|signature| writeln!(f, "{signature}"))
    }
}
