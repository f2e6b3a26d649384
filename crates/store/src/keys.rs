//! Key providers: where the keys of a node live.
//!
//! Data and keys are apart: a copy of the data directory, with its backups, opens nothing.

use std::collections::BTreeMap;
use std::fs::{self, DirBuilder, File, OpenOptions};
use std::io::{ErrorKind, Write};
use std::os::unix::fs::{DirBuilderExt, MetadataExt, OpenOptionsExt};
use std::path::{Path, PathBuf};
use std::sync::{Mutex, MutexGuard, PoisonError};

use base::crypto::{Algorithm, Digest, Entropy, Hasher, Secret, SeedKey};
use base::label::Label;
use base::{Releasable, Time};
use ledger::portion::CompartmentKeys;
use zeroize::Zeroizing;

use crate::Error;

/// Where the root secret of a node comes from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Provider {
    /// Files in a directory, mode 0600. For demonstration: every page says so.
    File { directory: PathBuf },
    /// A credential passed by systemd; shred keys lie wrapped in `shred`.
    SystemdCredential { credentials: PathBuf, shred: PathBuf },
}

impl Provider {
    /// The provider's name, as pages and the first entry show it.
    pub const fn name(&self) -> &'static str {
        match self {
            Self::File { .. } => "file",
            Self::SystemdCredential { .. } => "systemd-credential",
        }
    }
}

/// Milliseconds in a week: a shred key's span of use.
const WEEK_MS: i64 = 7 * 24 * 60 * 60 * 1000;
/// Weeks after which a shred key is destroyed (35 days).
const SHRED_WEEKS: u32 = 5;

/// The keys of a running node.
pub struct Keyring {
    root: Secret,
    provider: &'static str,
    shred_directory: PathBuf,
    shred: Mutex<Shred>,
}

/// The shred keys that were used so far.
struct Shred {
    keys: BTreeMap<u32, Secret>,
    /// Every week before this one is over for ever: its key was destroyed and is not made again.
    first: u32,
}

/// What destroying shred keys did.
#[derive(Clone, Debug, PartialEq, Eq, Default)]
pub struct Destroyed {
    /// The weeks whose keys are gone.
    pub weeks: Vec<u32>,
    /// The weeks whose keys are overdue but still needed by live secrets: wrap those anew first.
    pub held: Vec<u32>,
}

impl Keyring {
    /// Makes a new root secret at the provider. Only `muster init` calls it.
    ///
    /// # Errors
    /// [`Error::KeyExists`], [`Error::Io`] when it cannot be written;
    /// [`Error::KeyMissing`] for a provider that the node cannot write to.
    pub fn create(provider: &Provider, entropy: &mut Entropy) -> Result<(), Error> {
        match provider {
            Provider::File { directory } => {
                make_directory(directory)?;
                write_new(&directory.join("root.key"), entropy.secret().expose())
            }
            Provider::SystemdCredential { credentials, .. } => {
                read_key(&credentials.join("muster.root"), Exposure::Provider).map(drop)
            }
        }
    }

    /// Opens the provider.
    ///
    /// # Errors
    /// [`Error::KeyMissing`] when there is no root secret, [`Error::KeyForm`] when it is not 32
    /// bytes, [`Error::KeyExposed`] when its file can be read by others.
    pub fn open(provider: &Provider) -> Result<Self, Error> {
        let (root, shred_directory) = match provider {
            Provider::File { directory } => {
                let root = read_key(&directory.join("root.key"), Exposure::Owner)?;
                (root, directory.join("shred"))
            }
            Provider::SystemdCredential { credentials, shred } => {
                let root = read_key(&credentials.join("muster.root"), Exposure::Provider)?;
                (root, shred.clone())
            }
        };
        make_directory(&shred_directory)?;
        let first = read_first(&shred_directory)?;
        let shred = Mutex::new(Shred { keys: BTreeMap::new(), first });
        Ok(Self { root, provider: provider.name(), shred_directory, shred })
    }

    /// The provider's name.
    pub const fn provider(&self) -> &'static str {
        self.provider
    }

    /// The node's checkpoint key for one algorithm.
    ///
    /// # Errors
    /// [`Error::Crypto`] when the module refuses the seed.
    pub fn signer(&self, algorithm: Algorithm) -> Result<SeedKey, Error> {
        let info = match algorithm {
            Algorithm::Ed25519 => "muster/checkpoint-ed25519/v1",
            Algorithm::MlDsa87 => "muster/checkpoint-ml-dsa-87/v1",
        };
        Ok(SeedKey::from_seed(algorithm, &self.root.derive(b"", info)?)?)
    }

    /// A key for one named use inside the node, such as sealing cursors.
    ///
    /// # Errors
    /// [`Error::Crypto`] when the module fails.
    pub fn derive(&self, salt: &[u8], info: &'static str) -> Result<Secret, Error> {
        Ok(self.root.derive(salt, info)?)
    }

    /// The week that a time belongs to.
    pub fn week(at: Time) -> u32 {
        u32::try_from(at.ms() / WEEK_MS).unwrap_or(0)
    }

    /// The week under whose key secrets are wrapped at a time.
    ///
    /// It is the week of `at`; when the clock was set back to a week whose key was destroyed, it is
    /// the first week whose key was not.
    pub fn open_week(&self, at: Time) -> u32 {
        Self::week(at).max(self.shred().first)
    }

    /// The first week whose shred key was never destroyed.
    pub fn first_week(&self) -> u32 {
        self.shred().first
    }

    /// The shred key of a week; made on first use when `make` is given.
    ///
    /// # Errors
    /// [`Error::Shredded`] when it was destroyed; [`Error::KeyMissing`] when it is lost;
    /// [`Error::Io`] when it cannot be read, or not be kept durably.
    pub fn shred_key(&self, week: u32, make: Option<&mut Entropy>) -> Result<Secret, Error> {
        let mut shred = self.shred();
        if week < shred.first {
            return Err(Error::Shredded(week));
        }
        if let Some(key) = shred.keys.get(&week) {
            return Ok(key.clone());
        }
        let path = self.shred_path(week);
        let aad = week.to_be_bytes();
        let wrap = self.root.derive(&aad, "muster/shred-wrap/v1")?;
        let form = || Error::KeyForm(format!("shred-{week}"));
        let key = match (read_optional(&path)?, make) {
            (Some(bytes), _) => {
                // A nonce of its own, so that a key made twice for one week tells nothing.
                let (nonce, sealed) = bytes.split_first_chunk::<12>().ok_or_else(form)?;
                let plain = Zeroizing::new(wrap.open(*nonce, &aad, sealed)?);
                Secret::from_slice(&plain).ok_or_else(form)?
            }
            (None, Some(entropy)) => {
                let key = entropy.secret();
                let nonce = entropy.nonce();
                let sealed = wrap.seal(nonce, &aad, key.expose())?;
                write_new(&path, &[nonce.as_slice(), &sealed].concat())?;
                key
            }
            (None, None) => {
                // Another process of the node may have destroyed it.
                shred.first = read_first(&self.shred_directory)?.max(shred.first);
                return Err(if week < shred.first {
                    Error::Shredded(week)
                } else {
                    Error::KeyMissing(format!("shred-{week}"))
                });
            }
        };
        shred.keys.insert(week, key.clone());
        Ok(key)
    }

    /// Destroys the shred keys of weeks that ended more than 35 days ago.
    ///
    /// `live` is the oldest week under whose key a live secret is wrapped: its key, and every later
    /// one, is kept whatever the clock says. [`crate::Log::destroy_shred_keys`] knows it.
    ///
    /// # Errors
    /// [`Error::Io`] when a key cannot be removed.
    pub fn destroy_shred_keys(&self, at: Time, live: Option<u32>) -> Result<Destroyed, Error> {
        let weeks = self.kept_weeks()?;
        let due = Self::week(at).saturating_sub(SHRED_WEEKS);
        // The clock may be wrong. No week is declared over for which there was never a key, because
        // nothing could be wrapped in it once the clock is right again.
        let known = weeks.last().map_or(0, |newest| newest.saturating_add(1));
        let keep = due.min(live.unwrap_or(u32::MAX)).min(known);
        // SAFETY OF ORDER: first no new secret may be wrapped in those weeks, then their keys go. A
        // crash in between leaves keys that nobody uses, which the next call destroys.
        let mut shred = self.shred();
        if keep > shred.first {
            replace(&self.shred_directory.join("first"), keep.to_string().as_bytes())?;
            shred.first = keep;
        }
        let first = shred.first;
        shred.keys.retain(|week, _| *week >= first);
        drop(shred);
        let (gone, rest): (Vec<u32>, Vec<u32>) = weeks.into_iter().partition(|week| *week < first);
        for week in &gone {
            let path = self.shred_path(*week);
            overwrite(&path)?;
            fs::remove_file(&path).map_err(Error::io(&path, "removed"))?;
        }
        sync_directory(&self.shred_directory)?;
        let held = rest.into_iter().filter(|week| *week < due).collect();
        Ok(Destroyed { weeks: gone, held })
    }

    /// The weeks whose keys are kept, in ascending order.
    fn kept_weeks(&self) -> Result<Vec<u32>, Error> {
        let fault = || Error::io(&self.shred_directory, "listed");
        let mut weeks = Vec::new();
        for file in fs::read_dir(&self.shred_directory).map_err(fault())? {
            let name = file.map_err(fault())?.file_name();
            let week = name.to_str().and_then(|name| name.strip_prefix("shred-"));
            let week = week.and_then(|week| week.strip_suffix(".key"));
            weeks.extend(week.and_then(|week| week.parse::<u32>().ok()));
        }
        weeks.sort_unstable();
        Ok(weeks)
    }

    fn shred(&self) -> MutexGuard<'_, Shred> {
        self.shred.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The size and root of the largest checkpoint that this node is known to have signed.
    ///
    /// It lies with the keys, not with the data, so that an old copy of the data is found out.
    ///
    /// # Errors
    /// [`Error::Io`] when it cannot be read, [`Error::Form`] when it has another form.
    pub fn signed(&self) -> Result<Option<(u64, Digest)>, Error> {
        read_noted(&self.signed_path())
    }

    /// Notes the size and root of a signed checkpoint, replacing the last note in one step.
    ///
    /// # Errors
    /// [`Error::Io`] when it cannot be written.
    pub fn note_signed(&self, size: u64, root: Digest) -> Result<(), Error> {
        let path = self.signed_path();
        let new = path.with_extension("new");
        fs::write(&new, noted(size, root)).map_err(Error::io(&new, "written"))?;
        fs::rename(&new, &path).map_err(Error::io(&path, "replaced"))
    }

    /// The head that is lost, while the entry that says so is not written yet.
    ///
    /// # Errors
    /// As [`Keyring::signed`].
    pub fn loss(&self) -> Result<Option<(u64, Digest)>, Error> {
        read_noted(&self.loss_path())
    }

    /// Notes the head that is lost, before the log is written again.
    ///
    /// # Errors
    /// [`Error::Io`] when it cannot be written.
    pub fn begin_loss(&self, size: u64, root: Digest) -> Result<(), Error> {
        replace(&self.loss_path(), &noted(size, root))
    }

    /// Forgets the head that is lost: the log says it now.
    ///
    /// # Errors
    /// [`Error::Io`] when it cannot be removed.
    pub fn end_loss(&self) -> Result<(), Error> {
        let path = self.loss_path();
        fs::remove_file(&path).map_err(Error::io(&path, "removed"))?;
        sync_directory(&self.shred_directory)
    }

    fn loss_path(&self) -> PathBuf {
        self.shred_directory.join("lost")
    }

    fn signed_path(&self) -> PathBuf {
        self.shred_directory.join("signed")
    }

    fn shred_path(&self, week: u32) -> PathBuf {
        self.shred_directory.join(format!("shred-{week}.key"))
    }
}

impl CompartmentKeys for Keyring {
    /// Keys are per scheme, level and set of compartments: whoever is given one opens no other.
    fn portion_key(&self, label: &Label) -> Result<Secret, base::crypto::Error> {
        let mut hasher = Hasher::new("muster/compartment/v1");
        for (scheme, marking) in label.markings() {
            hasher = hasher.part(scheme.0.as_str().as_bytes()).part(&[marking.level.0]);
            for compartment in &marking.compartments {
                hasher = hasher.part(compartment.as_str().as_bytes());
            }
            let nobody = matches!(&marking.releasable_to, Releasable::Only(c) if c.is_empty());
            hasher = hasher.part(&[u8::from(nobody)]);
        }
        self.root.derive(&hasher.finish().0, "muster/kek/v1")
    }

    fn header_key(&self) -> Result<Secret, base::crypto::Error> {
        self.root.derive(b"", "muster/header-key/v1")
    }
}

/// Who may read a key's file.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Exposure {
    /// Nobody but its owner.
    Owner,
    /// Whoever the provider lets; systemd gives credentials modes of its own.
    Provider,
}

fn read_key(path: &Path, exposure: Exposure) -> Result<Secret, Error> {
    let name = name_of(path);
    let Some(bytes) = read_optional(path)? else { return Err(Error::KeyMissing(name)) };
    let mode = fs::metadata(path).map_err(Error::io(path, "read"))?.mode();
    if exposure == Exposure::Owner && mode & 0o077 != 0 {
        return Err(Error::KeyExposed(name));
    }
    Secret::from_slice(&bytes).ok_or(Error::KeyForm(name))
}

fn name_of(path: &Path) -> String {
    path.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default()
}

/// Reads a file that may be absent; any other fault is one.
fn read_optional(path: &Path) -> Result<Option<Zeroizing<Vec<u8>>>, Error> {
    match fs::read(path) {
        Ok(bytes) => Ok(Some(Zeroizing::new(bytes))),
        Err(absent) if absent.kind() == ErrorKind::NotFound => Ok(None),
        Err(other) => Err(Error::io(path, "read")(other)),
    }
}

/// A head as it is noted beside the keys: its size, big-endian, and its root.
fn noted(size: u64, root: Digest) -> Vec<u8> {
    size.to_be_bytes().into_iter().chain(root.0).collect()
}

fn read_noted(path: &Path) -> Result<Option<(u64, Digest)>, Error> {
    let Some(bytes) = read_optional(path)? else { return Ok(None) };
    let (size, root) = bytes.split_first_chunk::<8>().ok_or(Error::Form("second copy"))?;
    let root = Digest::from_slice(root).ok_or(Error::Form("second copy"))?;
    Ok(Some((u64::from_be_bytes(*size), root)))
}

fn read_first(directory: &Path) -> Result<u32, Error> {
    let Some(bytes) = read_optional(&directory.join("first"))? else { return Ok(0) };
    let first = std::str::from_utf8(&bytes).ok().and_then(|text| text.trim().parse().ok());
    first.ok_or(Error::Form("first week of the shred keys"))
}

/// Makes a directory for its owner only, with the directories above it.
pub(crate) fn make_directory(path: &Path) -> Result<(), Error> {
    if path.is_dir() {
        return Ok(());
    }
    DirBuilder::new().recursive(true).mode(0o700).create(path).map_err(Error::io(path, "made"))?;
    path.parent().filter(|parent| parent.is_dir()).map_or(Ok(()), sync_directory)
}

/// Writes a file that must not exist yet, for its owner only, durably with its directory.
///
/// Whoever finds the file finds all of it: a crash leaves no part of a key under its name.
pub(crate) fn write_new(path: &Path, bytes: &[u8]) -> Result<(), Error> {
    let new = write_beside(path, bytes)?;
    let linked = fs::hard_link(&new, path);
    fs::remove_file(&new).map_err(Error::io(&new, "removed"))?;
    match linked {
        Ok(()) => path.parent().map_or(Ok(()), sync_directory),
        Err(held) if held.kind() == ErrorKind::AlreadyExists => {
            Err(Error::KeyExists(name_of(path)))
        }
        Err(other) => Err(Error::io(path, "made")(other)),
    }
}

/// Writes a file in place of one that may exist, durably and in one step.
pub(crate) fn replace(path: &Path, bytes: &[u8]) -> Result<(), Error> {
    let new = write_beside(path, bytes)?;
    fs::rename(&new, path).map_err(Error::io(path, "replaced"))?;
    path.parent().map_or(Ok(()), sync_directory)
}

/// Writes and syncs a file of another name, which a crash may leave behind.
fn write_beside(path: &Path, bytes: &[u8]) -> Result<PathBuf, Error> {
    let new = path.with_file_name(format!(".{}.{}", name_of(path), std::process::id()));
    let mut file = OpenOptions::new()
        .write(true)
        .create(true)
        .truncate(true)
        .mode(0o600)
        .open(&new)
        .map_err(Error::io(&new, "made"))?;
    file.write_all(bytes).map_err(Error::io(&new, "written"))?;
    file.sync_all().map_err(Error::io(&new, "made durable"))?;
    Ok(new)
}

fn overwrite(path: &Path) -> Result<(), Error> {
    let mut file = OpenOptions::new().write(true).open(path).map_err(Error::io(path, "opened"))?;
    file.write_all(&[0; 64]).map_err(Error::io(path, "overwritten"))?;
    file.sync_all().map_err(Error::io(path, "made durable"))
}

/// Makes the names in a directory durable.
pub(crate) fn sync_directory(path: &Path) -> Result<(), Error> {
    File::open(path)
        .and_then(|directory| directory.sync_all())
        .map_err(Error::io(path, "made durable"))
}
