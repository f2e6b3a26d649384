//! Configuration: one TOML file and the `MUSTER_*` variables, read once, at start.
//!
//! What stands on the command line goes before the variables, these before the file, and the file
//! before the defaults.

use std::ffi::OsString;
use std::fs;
use std::io;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::path::{Path, PathBuf};

use app::kernel::{Fault, view_file};
use base::{LedgerId, Time};
use serde::{Deserialize, Serialize};
use store::Provider;
use store::log::Place;

use crate::courier::WebhooksSection;
use crate::witness::WitnessSection;

/// The name of the configuration file in a data directory.
pub const FILE: &str = "muster.toml";
/// Where a node listens when nobody says otherwise.
pub const LISTEN: SocketAddr = SocketAddr::new(IpAddr::V4(Ipv4Addr::LOCALHOST), 8080);

/// What is wrong with a configuration.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    #[error("`{path}` cannot be read")]
    Read { path: PathBuf, source: io::Error },
    #[error("`{path}` is not a configuration")]
    Form { path: PathBuf, source: Box<toml::de::Error> },
    #[error("variable `{name}` has the value `{value}`, which is {why}")]
    Variable { name: &'static str, value: String, why: &'static str },
    #[error("`{0}` has the log in PostgreSQL, but no url: set `url` or MUSTER_POSTGRES")]
    NoUrl(PathBuf),
    #[error(
        "provider `systemd-credential` works only in a service: CREDENTIALS_DIRECTORY is unset"
    )]
    NoCredentials,
    #[error("a directory is missing: give --data or --config, or set MUSTER_DATA")]
    NoDirectory,
}

/// The file as it is written.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct File {
    /// The host name of the node; its logs are `NAME/muster/acts` and so on.
    pub name: String,
    pub ledger: LedgerId,
    /// Where the data lies; the file's own directory when absent.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub data: Option<PathBuf>,
    #[serde(default)]
    pub listen: Listen,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub tls: Option<Tls>,
    #[serde(default)]
    pub log: LogSection,
    pub keys: KeysSection,
    #[serde(default)]
    pub trace: Trace,
    /// Who cosigns the log of acts.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub witness: Vec<WitnessSection>,
    /// Where records may be delivered.
    #[serde(default, skip_serializing_if = "WebhooksSection::is_empty")]
    pub webhooks: WebhooksSection,
    /// Present in a demonstration and nowhere else.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub demonstration: Option<Demonstration>,
}

/// `[listen]`
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Listen {
    pub address: SocketAddr,
}

impl Default for Listen {
    fn default() -> Self {
        Self { address: LISTEN }
    }
}

/// `[tls]`: a certificate of the organisation's own authority, in place of the one that init made.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Tls {
    pub certificate: PathBuf,
    pub key: PathBuf,
}

/// Where the log is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Backend {
    #[default]
    Sqlite,
    Postgres,
}

/// `[log]`
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct LogSection {
    #[serde(default)]
    pub backend: Backend,
    /// Only for PostgreSQL; `MUSTER_POSTGRES` keeps a password out of the file.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub url: Option<String>,
}

/// Where the root secret comes from.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum ProviderName {
    File,
    SystemdCredential,
}

/// `[keys]`
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct KeysSection {
    pub provider: ProviderName,
    /// The root secret of the provider `file`; shred keys and certificates of both.
    pub directory: PathBuf,
}

/// `[trace]`
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Trace {
    #[serde(default = "info")]
    pub filter: String,
    #[serde(default)]
    pub format: Format,
}

fn info() -> String {
    "info".to_owned()
}

impl Default for Trace {
    fn default() -> Self {
        Self { filter: info(), format: Format::default() }
    }
}

/// How events are written.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Format {
    #[default]
    Text,
    Json,
}

/// `[demonstration]`: the node is invented, and its times count from here.
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Demonstration {
    pub founded_at: Time,
}

/// The variables of the environment that a node looks at.
#[derive(Clone, Debug, Default)]
pub struct Environment {
    pub data: Option<PathBuf>,
    pub keys: Option<PathBuf>,
    pub listen: Option<SocketAddr>,
    pub postgres: Option<String>,
    pub trace: Option<String>,
    /// Where systemd puts the credentials of a service.
    pub credentials: Option<PathBuf>,
}

impl Environment {
    /// Reads them, once.
    ///
    /// # Errors
    /// [`Error::Variable`] for one that cannot be what it stands for.
    pub fn read() -> Result<Self, Error> {
        let text = |name| {
            variable(name).map(|value| {
                let why = "not UTF-8";
                let wrong = |value: OsString| value.to_string_lossy().into_owned();
                value.into_string().map_err(|v| Error::Variable { name, value: wrong(v), why })
            })
        };
        let listen = text("MUSTER_LISTEN").transpose()?;
        let listen = listen.map(|value| {
            let why = "not an address and a port, such as 127.0.0.1:8080";
            let wrong =
                |_form| Error::Variable { name: "MUSTER_LISTEN", value: value.clone(), why };
            value.parse().map_err(wrong)
        });
        Ok(Self {
            data: variable("MUSTER_DATA").map(PathBuf::from),
            keys: variable("MUSTER_KEYS").map(PathBuf::from),
            listen: listen.transpose()?,
            postgres: text("MUSTER_POSTGRES").transpose()?,
            trace: text("MUSTER_TRACE").transpose()?,
            credentials: variable("CREDENTIALS_DIRECTORY").map(PathBuf::from),
        })
    }
}

fn variable(name: &str) -> Option<OsString> {
    std::env::var_os(name).filter(|value| !value.is_empty())
}

/// What the command line may say against the file.
#[derive(Clone, Debug, Default)]
pub struct Given {
    pub config: Option<PathBuf>,
    pub data: Option<PathBuf>,
    pub keys: Option<PathBuf>,
    pub listen: Option<SocketAddr>,
    pub postgres: Option<String>,
}

/// Everything that a node is started with.
#[derive(Clone, Debug)]
pub struct Config {
    pub name: String,
    pub ledger: LedgerId,
    /// The data directory.
    pub data: PathBuf,
    /// Where keys and certificates lie.
    pub keys: PathBuf,
    provider: ProviderName,
    credentials: Option<PathBuf>,
    pub place: Place,
    pub listen: SocketAddr,
    pub tls: Option<Tls>,
    pub trace: Trace,
    pub witnesses: Vec<WitnessSection>,
    pub webhooks: WebhooksSection,
    pub demonstration: Option<Demonstration>,
}

impl Given {
    /// The data directory that was named, when one was.
    pub fn directory(&self, environment: &Environment) -> Option<PathBuf> {
        let beside = |file: &PathBuf| file.parent().map(Path::to_owned);
        let named = self.data.clone().or_else(|| environment.data.clone());
        named.or_else(|| self.config.as_ref().and_then(beside))
    }

    /// Reads the file and puts everything together.
    ///
    /// # Errors
    /// [`Error`] with the file or variable that is wrong.
    pub fn load(&self, environment: &Environment) -> Result<Config, Error> {
        let path = match (&self.config, self.directory(environment)) {
            (Some(config), _) => config.clone(),
            (None, Some(directory)) => directory.join(FILE),
            (None, None) => return Err(Error::NoDirectory),
        };
        let file = File::read(&path)?;
        // Paths of the file are meant from where it lies, not from where the program was started.
        let base = path.parent().unwrap_or(Path::new("."));
        let named = self.data.clone().or_else(|| environment.data.clone());
        let data = named.unwrap_or_else(|| match &file.data {
            Some(data) => base.join(data),
            None => base.to_owned(),
        });
        let keys = self.keys.clone().or_else(|| environment.keys.clone());
        let keys = keys.unwrap_or_else(|| base.join(&file.keys.directory));
        // Whoever names a database on the command line means it, whatever the file says.
        let named = self.postgres.is_some();
        let backend = if named { Backend::Postgres } else { file.log.backend };
        let url = self.postgres.clone().or_else(|| environment.postgres.clone());
        let url = url.or_else(|| file.log.url.clone());
        let place = match (backend, url) {
            (Backend::Sqlite, _) => Place::Sqlite { directory: store_of(&data) },
            (Backend::Postgres, Some(url)) => Place::Postgres { url },
            (Backend::Postgres, None) => return Err(Error::NoUrl(path)),
        };
        let within =
            |tls: Tls| Tls { certificate: base.join(tls.certificate), key: base.join(tls.key) };
        let beside = |witness: WitnessSection| WitnessSection {
            ca: witness.ca.map(|ca| base.join(ca)),
            ..witness
        };
        let mut trace = file.trace;
        if let Some(filter) = &environment.trace {
            trace.filter.clone_from(filter);
        }
        Ok(Config {
            name: file.name,
            ledger: file.ledger,
            data,
            keys,
            provider: file.keys.provider,
            credentials: environment.credentials.clone(),
            place,
            listen: self.listen.or(environment.listen).unwrap_or(file.listen.address),
            tls: file.tls.map(within),
            trace,
            webhooks: file.webhooks.within(base),
            witnesses: file.witness.into_iter().map(beside).collect(),
            demonstration: file.demonstration,
        })
    }
}

impl File {
    /// Reads a file.
    ///
    /// # Errors
    /// [`Error::Read`] or [`Error::Form`].
    pub fn read(path: &Path) -> Result<Self, Error> {
        let text = fs::read_to_string(path)
            .map_err(|source| Error::Read { path: path.to_owned(), source })?;
        let form = |source| Error::Form { path: path.to_owned(), source: Box::new(source) };
        toml::from_str(&text).map_err(form)
    }

    /// The text of the file.
    ///
    /// # Errors
    /// A path that is not UTF-8.
    pub fn to_text(&self) -> Result<String, toml::ser::Error> {
        let text = toml::to_string(self)?;
        Ok(format!("# One node. deploy/muster.toml explains every setting.\n{text}"))
    }
}

/// The directory of log, secrets, state and blobs: what a backup covers.
pub fn store_of(data: &Path) -> PathBuf {
    data.join("store")
}

/// The directory of the files that portions name.
pub fn blobs_of(data: &Path) -> PathBuf {
    store::Data::directory(&store_of(data)).blobs
}

/// The directory of views and the access log.
pub fn local_of(data: &Path) -> PathBuf {
    data.join("local")
}

impl Config {
    /// Where the root secret comes from.
    ///
    /// # Errors
    /// [`Error::NoCredentials`] outside of a service that systemd gives credentials to.
    pub fn provider(&self) -> Result<Provider, Error> {
        match self.provider {
            ProviderName::File => Ok(Provider::File { directory: self.keys.clone() }),
            ProviderName::SystemdCredential => {
                let credentials = self.credentials.clone().ok_or(Error::NoCredentials)?;
                Ok(Provider::SystemdCredential { credentials, shred: self.keys.join("shred") })
            }
        }
    }

    /// What the kernel calls the node: its logs are named below it.
    pub fn node_name(&self) -> String {
        format!("{}/muster", self.name)
    }

    /// Where the views lie.
    ///
    /// # Errors
    /// The file system's own fault.
    pub fn views(&self) -> Result<PathBuf, Fault> {
        view_file::current(&local_of(&self.data))
    }
}
