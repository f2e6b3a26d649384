//! Key providers: where the keys of a node live.
//!
//! Data and keys are apart: a copy of the data directory, with its backups, opens nothing.

use std::collections::BTreeMap;
use std::fs::{self, File, OpenOptions};
use std::io::Write;
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};
use std::sync::Mutex;

use base::crypto::{Algorithm, Entropy, Hasher, Secret, SeedKey};
use base::label::Label;
use base::{Releasable, Time};
use ledger::portion::CompartmentKeys;

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
    shred: Mutex<BTreeMap<u32, Secret>>,
}

impl Keyring {
    /// Makes a new root secret at the provider. Only `muster init` calls it.
    ///
    /// # Errors
    /// [`Error::Io`] when the key exists already or cannot be written;
    /// [`Error::KeyMissing`] for a provider that the node cannot write to.
    pub fn create(provider: &Provider, entropy: &mut Entropy) -> Result<(), Error> {
        match provider {
            Provider::File { directory } => {
                fs::create_dir_all(directory).map_err(Error::io(directory, "made"))?;
                write_new(&directory.join("root.key"), &entropy.draw())
            }
            Provider::SystemdCredential { credentials, .. } => {
                read_key(&credentials.join("muster.root")).map(drop)
            }
        }
    }

    /// Opens the provider.
    ///
    /// # Errors
    /// [`Error::KeyMissing`] when there is no root secret, [`Error::KeyForm`] when it is not 32 bytes.
    pub fn open(provider: &Provider) -> Result<Self, Error> {
        let (root, shred_directory) = match provider {
            Provider::File { directory } => {
                (read_key(&directory.join("root.key"))?, directory.join("shred"))
            }
            Provider::SystemdCredential { credentials, shred } => {
                (read_key(&credentials.join("muster.root"))?, shred.clone())
            }
        };
        fs::create_dir_all(&shred_directory).map_err(Error::io(&shred_directory, "made"))?;
        let shred = Mutex::new(BTreeMap::new());
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

    /// The shred key of a week; made on first use while the week is not over.
    ///
    /// # Errors
    /// [`Error::Shredded`] when it was destroyed, [`Error::Io`] when it cannot be kept durably.
    pub fn shred_key(&self, week: u32, make: Option<&mut Entropy>) -> Result<Secret, Error> {
        let mut keys = self.shred.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        if let Some(key) = keys.get(&week) {
            return Ok(key.clone());
        }
        let path = self.shred_path(week);
        let aad = week.to_be_bytes();
        let wrap = self.root.derive(&aad, "muster/shred-wrap/v1")?;
        let key = match (fs::read(&path), make) {
            (Ok(bytes), _) => {
                let plain = wrap.open([0; 12], &aad, &bytes)?;
                Secret::from_slice(&plain).ok_or_else(|| Error::KeyForm(format!("shred-{week}")))?
            }
            (Err(_absent), Some(entropy)) => {
                let key = entropy.secret();
                write_new(&path, &wrap.seal([0; 12], &aad, key.expose())?)?;
                key
            }
            (Err(_absent), None) => return Err(Error::Shredded(week)),
        };
        keys.insert(week, key.clone());
        Ok(key)
    }

    /// Destroys the shred keys that are older than 35 days; returns their weeks.
    ///
    /// # Errors
    /// [`Error::Io`] when a key cannot be removed.
    pub fn destroy_shred_keys(&self, at: Time) -> Result<Vec<u32>, Error> {
        let keep = Self::week(at).saturating_sub(SHRED_WEEKS);
        let listed = fs::read_dir(&self.shred_directory)
            .map_err(Error::io(&self.shred_directory, "listed"))?;
        let mut destroyed = Vec::new();
        for file in listed {
            let path = file.map_err(Error::io(&self.shred_directory, "listed"))?.path();
            let name = path.file_stem().and_then(|name| name.to_str()).unwrap_or("");
            let week = name.strip_prefix("shred-").and_then(|week| week.parse::<u32>().ok());
            if let Some(week) = week.filter(|week| *week < keep) {
                overwrite(&path)?;
                fs::remove_file(&path).map_err(Error::io(&path, "removed"))?;
                destroyed.push(week);
            }
        }
        sync_directory(&self.shred_directory)?;
        let mut keys = self.shred.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        keys.retain(|week, _| *week >= keep);
        destroyed.sort_unstable();
        Ok(destroyed)
    }

    fn shred_path(&self, week: u32) -> PathBuf {
        self.shred_directory.join(format!("shred-{week}.key"))
    }
}

impl CompartmentKeys for Keyring {
    /// Keys are per scheme, level and set of compartments: whoever is given one opens no other.
    fn portion_key(&self, label: &Label) -> Secret {
        let mut hasher = Hasher::new("muster/compartment/v1");
        for (scheme, marking) in label.markings() {
            hasher = hasher.part(scheme.0.as_str().as_bytes()).part(&[marking.level.0]);
            for compartment in &marking.compartments {
                hasher = hasher.part(compartment.as_str().as_bytes());
            }
            let nobody = matches!(&marking.releasable_to, Releasable::Only(c) if c.is_empty());
            hasher = hasher.part(&[u8::from(nobody)]);
        }
        // Deriving 32 bytes cannot fail; a constant would be a shared key, so the root stands in.
        self.root
            .derive(&hasher.finish().0, "muster/kek/v1")
            .unwrap_or_else(|_module| self.root.clone())
    }

    fn header_key(&self) -> Secret {
        self.root.derive(b"", "muster/header-key/v1").unwrap_or_else(|_module| self.root.clone())
    }
}

fn read_key(path: &Path) -> Result<Secret, Error> {
    let name = path.file_name().map(|name| name.to_string_lossy().into_owned());
    let name = name.unwrap_or_default();
    let bytes = match fs::read(path) {
        Ok(bytes) => bytes,
        Err(absent) if absent.kind() == std::io::ErrorKind::NotFound => {
            return Err(Error::KeyMissing(name));
        }
        Err(other) => return Err(Error::io(path, "read")(other)),
    };
    Secret::from_slice(&bytes).ok_or(Error::KeyForm(name))
}

/// Writes a file that must not exist yet, for its owner only, durably with its directory.
pub(crate) fn write_new(path: &Path, bytes: &[u8]) -> Result<(), Error> {
    let mut file = OpenOptions::new()
        .write(true)
        .create_new(true)
        .mode(0o600)
        .open(path)
        .map_err(Error::io(path, "made"))?;
    file.write_all(bytes).map_err(Error::io(path, "written"))?;
    file.sync_all().map_err(Error::io(path, "made durable"))?;
    path.parent().map_or(Ok(()), sync_directory)
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
