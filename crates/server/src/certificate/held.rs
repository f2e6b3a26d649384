//! The certificate that is shown to whoever connects: looked at while the node serves, renewed in
//! time, and changed without a restart.

use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError, RwLock};

use base::Time;
use rustls::crypto::aws_lc_rs;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::server::{ClientHello, ResolvesServerCert};
use rustls::sign::CertifiedKey;

use super::{Error, Files, Read, authority_of, der, renew, settle};
use crate::config::{Config, Tls};
use crate::terminal::chain;

/// With less than these days left the certificate is renewed.
pub const RENEWED_DAYS: i64 = 30;
/// With less than these days left of the authority, or of a certificate that somebody else
/// renews, a warning says so once a day.
const WARNED_DAYS: i64 = 90;
const DAY_S: i64 = 24 * 3600;

/// The certificate in use, and where it comes from.
#[derive(Debug)]
pub struct Held {
    current: RwLock<Current>,
    certificate: PathBuf,
    key: PathBuf,
    /// The node's own authority; nothing where the configuration names another certificate.
    own: Option<Files>,
    /// The day of the last warning, so that each comes once a day.
    warned: Mutex<Option<i64>>,
}

#[derive(Clone, Debug)]
struct Current {
    certified: Arc<CertifiedKey>,
    ends_at: Time,
}

impl ResolvesServerCert for Held {
    fn resolve(&self, _hello: ClientHello<'_>) -> Option<Arc<CertifiedKey>> {
        Some(self.current().certified)
    }
}

impl Held {
    /// Loads the certificate of a configuration, renewed first when its end is near.
    ///
    /// # Errors
    /// [`Error::Missing`], [`Error::Read`] or [`Error::Use`] with the file. A renewal that fails
    /// is told in the node's own output, for the certificate still serves.
    pub fn open(config: &Config, now: Time) -> Result<Self, Error> {
        let (certificate, key, own) = if let Some(Tls { certificate, key }) = &config.tls {
            (certificate.clone(), key.clone(), None)
        } else {
            let files = Files::of(&config.keys);
            settle(&files)?;
            (files.node.clone(), files.node_key.clone(), Some(files))
        };
        let current = RwLock::new(load(&certificate, &key)?);
        let held = Self { current, certificate, key, own, warned: Mutex::new(None) };
        held.look(now);
        Ok(held)
    }

    fn current(&self) -> Current {
        self.current.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// When the certificate in use ends.
    pub fn ends_at(&self) -> Time {
        self.current().ends_at
    }

    /// Renews the certificate when its end is near, takes a file that was changed into use, and
    /// warns of what a person must do. A fault leaves the certificate in use as it is.
    pub fn look(&self, now: Time) {
        if let Err(fault) = self.renewed(now)
            && self.warns(now)
        {
            tracing::error!(cause = chain(&fault), "the certificate could not be renewed");
        }
        match load(&self.certificate, &self.key) {
            Ok(found) => {
                let same = found.certified.cert == self.current().certified.cert;
                if !same {
                    tracing::info!(ends_at = %found.ends_at, "a new certificate is in use");
                    *self.current.write().unwrap_or_else(PoisonError::into_inner) = found;
                }
            }
            // Between the two renames of another process the files do not fit one another.
            Err(fault) => tracing::debug!(cause = chain(&fault), "the certificate was not read"),
        }
        self.warn(now);
    }

    fn renewed(&self, now: Time) -> Result<(), Error> {
        let Some(files) = &self.own else { return Ok(()) };
        let left_days = days(now, self.ends_at());
        let Some(authority) = authority_of(files).filter(|_| left_days < RENEWED_DAYS) else {
            return Ok(());
        };
        // One that ends with its authority gains nothing by being made again.
        if days(self.ends_at(), authority.ends_at) < 1 {
            return Ok(());
        }
        let Read { ends_at, .. } = renew(files, now)?;
        tracing::info!(%ends_at, "the certificate was renewed");
        Ok(())
    }

    fn warn(&self, now: Time) {
        let (what, ends_at) = match &self.own {
            Some(files) => match authority_of(files) {
                Some(authority) => ("the node's own authority", authority.ends_at),
                // Without its authority nothing renews the certificate.
                None => ("the certificate, whose authority is not there,", self.ends_at()),
            },
            None => ("the certificate named under [tls]", self.ends_at()),
        };
        let left_days = days(now, ends_at);
        if left_days < WARNED_DAYS && self.warns(now) {
            tracing::warn!(
                left_days,
                %ends_at,
                "{what} is near its end: put a new one in its place, or browsers will refuse"
            );
        }
    }

    /// Whether nothing was warned of on this day yet.
    fn warns(&self, now: Time) -> bool {
        let day = now.ms() / (DAY_S * 1000);
        let mut warned = self.warned.lock().unwrap_or_else(PoisonError::into_inner);
        warned.replace(day) != Some(day)
    }
}

/// Whole days from one time to another, negative when it has passed.
pub fn days(from: Time, to: Time) -> i64 {
    to.ms_since(from).div_euclid(DAY_S * 1000)
}

fn load(certificate: &PathBuf, key: &PathBuf) -> Result<Current, Error> {
    if let Some(missing) = [certificate, key].into_iter().find(|path| !path.is_file()) {
        return Err(Error::Missing(missing.clone()));
    }
    let read = |path: &PathBuf| {
        let path = path.clone();
        move |source| Error::Read { path, source }
    };
    let chain: Vec<CertificateDer<'static>> = CertificateDer::pem_file_iter(certificate)
        .and_then(Iterator::collect)
        .map_err(read(certificate))?;
    let private = PrivateKeyDer::from_pem_file(key).map_err(read(key))?;
    let ends_at = chain.first().and_then(|first| der::read(first)).map(|read| read.ends_at);
    let ends_at = ends_at.ok_or_else(|| Error::Form(certificate.clone()))?;
    let provider = aws_lc_rs::default_provider();
    let unusable = |source| Error::Use { path: certificate.clone(), source };
    let certified = CertifiedKey::from_der(chain, private, &provider).map_err(unusable)?;
    Ok(Current { certified: Arc::new(certified), ends_at })
}
