//! A node's place, keys and randomness, and entries to write into it.

use std::fs;
use std::path::{Path, PathBuf};

use base::crypto::{Digest, Entropy, Secret, sha256};
use base::label::Label;
use base::{AgencyId, EntryId, LedgerId, Level, Marking, Play, RecordId, SchemeId, Time, Token};
use ledger::format::Suite;
use ledger::header::{Actor, Header, Local, Purpose, Shared};
use ledger::leaf::{Class, Leaf};
use ledger::portion::{
    Draft, HEADER_SLOT, Portion, open_commitments, open_header, open_portion, open_signature, seal,
};
use store::log::{Erase, FullTile, NewEntry, Signed, StoredSecrets};
use store::{
    Batch, Data, Error, Head, Keyring, Log, LogName, LogReader, Place, Provider, Receipt, Size,
    StoredEntry, secrets,
};

use crate::postgres::{TemporaryDirectory, TemporaryPostgres};

/// Milliseconds in a week.
pub const WEEK: i64 = 7 * 24 * 60 * 60 * 1000;

/// A node.
pub struct World {
    directory: TemporaryDirectory,
    pub place: Place,
    pub keys: Keyring,
    pub entropy: Entropy,
    /// Now.
    pub at: Time,
}

impl World {
    pub fn sqlite() -> Self {
        let directory = TemporaryDirectory::new().expect("a directory");
        let place = Place::Sqlite { directory: directory.path().join("data") };
        Self::at(directory, place)
    }

    pub fn postgres() -> Self {
        let directory = TemporaryDirectory::new().expect("a directory");
        let server = TemporaryPostgres::shared().expect("a PostgreSQL server");
        let url = server.new_database().expect("a database");
        Self::at(directory, Place::Postgres { url })
    }

    pub fn at(directory: TemporaryDirectory, place: Place) -> Self {
        let mut entropy = Entropy::new(Secret::new([9; 32]));
        let provider = Provider::File { directory: directory.path().join("keys") };
        Keyring::create(&provider, &mut entropy).expect("a new root key");
        let keys = Keyring::open(&provider).expect("the keys");
        let at = Time::from_ms(3000 * WEEK + 1).expect("a time");
        Self { directory, place, keys, entropy, at }
    }

    /// A path beside the node's own.
    pub fn path(&self, name: &str) -> PathBuf {
        self.directory.path().join(name)
    }

    /// The data directory of a node on SQLite.
    pub fn data(&self) -> Option<&Path> {
        match &self.place {
            Place::Sqlite { directory } => Some(directory),
            Place::Postgres { .. } => None,
        }
    }

    pub fn provider(&self) -> Provider {
        Provider::File { directory: self.path("keys") }
    }

    /// Opens the provider again, as a restarted process does.
    pub fn reopen_keys(&mut self) {
        self.keys = Keyring::open(&self.provider()).expect("the keys");
    }

    /// Takes the lead; PostgreSQL frees the lock of the leader before only once it has noticed that
    /// its connection ended.
    pub fn lead(&self) -> Log {
        for _ in 0..1000 {
            match Log::lead(&self.place) {
                Err(Error::NotLeader) => std::thread::yield_now(),
                outcome => return outcome.expect("the lead"),
            }
        }
        panic!("another leader holds the log");
    }

    pub fn reader(&self) -> LogReader {
        LogReader::open(&self.place).expect("a reader")
    }

    /// What a backup of the node covers.
    pub fn covered(&self) -> Data {
        Data { place: self.place.clone(), blobs: self.path("blobs") }
    }

    /// Seals an entry that is to get a sequence number, with a portion for each body.
    pub fn entry(&mut self, log: LogName, sequence: u64, bodies: &[&str]) -> NewEntry {
        let draft = Draft {
            class: Class::Act,
            header: header(EntryId(half(self.entropy.draw()))),
            at: self.at,
            portions: bodies.iter().map(|body| portion(body)).collect(),
            signature: sequence.is_multiple_of(2).then(|| b"a signature".to_vec()),
        };
        let (sealed, _header) =
            seal(draft, &self.keys, &mut self.entropy).expect("an entry is sealed");
        let place = (log, sequence);
        let (week, wrapped) =
            secrets::wrap(&self.keys, self.at, place, &sealed.secrets, &mut self.entropy)
                .expect("secrets are wrapped");
        NewEntry {
            leaf: sealed.leaf,
            header: sealed.header,
            commitments: sealed.commitments,
            portions: sealed.portions,
            signature: sealed.signature,
            week,
            secrets: wrapped,
        }
    }

    /// A batch of entries behind a head, with all that can be in one.
    pub fn batch(&mut self, log: LogName, before: &Head, bodies: &[&[&str]]) -> Batch {
        let entries: Vec<NewEntry> = (before.size..)
            .zip(bodies)
            .map(|(sequence, bodies)| self.entry(log, sequence, bodies))
            .collect();
        let size = before.size + entries.len() as u64;
        let named = format!("{}/{size}", log.name());
        let after = Head {
            epoch: before.epoch,
            size,
            root: sha256(named.as_bytes()),
            frontier: vec![1; 33],
            note: format!("note of {named}").into_bytes(),
        };
        let receipt = Receipt {
            key: sha256(format!("key of {named}").as_bytes()),
            command: sha256(b"command"),
            sequence: before.size,
            entries: 1,
            at: self.at,
        };
        Batch {
            log,
            before: before.clone(),
            signed: vec![Signed { size, note: after.note.clone() }],
            after,
            tiles: vec![FullTile { level: 0, index: size, hashes: vec![3; 256 * 32] }],
            entries,
            receipts: vec![receipt],
            erased: Vec::new(),
        }
    }

    /// Commits a batch of entries with the bodies given.
    pub fn commit(&mut self, log: &mut Log, name: LogName, bodies: &[&[&str]]) -> Head {
        let before = log.head(name).expect("a head");
        let batch = self.batch(name, &before, bodies);
        log.commit(&batch).expect("a batch is committed");
        batch.after
    }

    /// Opens an entry with its stored secrets: the bodies in the order of their slots.
    pub fn open(&self, log: LogName, sequence: u64) -> Result<Vec<String>, Fault> {
        let reader = self.reader();
        let entry = reader.entries_at(log, &[sequence])?.pop().ok_or(Error::Missing(sequence))?;
        let secrets = reader.secrets_at(log, &[sequence])?.pop().ok_or(Error::Missing(sequence))?;
        self.open_with(log, &entry, &secrets)
    }

    /// Opens an entry with given secrets; an erased portion is left out.
    pub fn open_with(
        &self,
        log: LogName,
        entry: &StoredEntry,
        secrets: &StoredSecrets,
    ) -> Result<Vec<String>, Fault> {
        let secrets = secrets.unwrap(&self.keys, log)?;
        let secret = |slot| store::log::secret_of(&secrets, slot).map(|found| &found.secret);
        let leaf = Leaf::from_bytes(&entry.leaf)?;
        let commitments = open_commitments(&leaf, &entry.commitments)?;
        let missing = Error::SecretMissing { sequence: entry.sequence, slot: HEADER_SLOT };
        let header_secret = secret(HEADER_SLOT).ok_or(missing)?;
        let header = open_header(&leaf, &entry.header, header_secret, &self.keys)?;
        open_signature(&leaf, entry.signature.as_deref(), header_secret, &self.keys)?;
        let mut bodies = Vec::new();
        for slot in &header.local.slots {
            let Some(secret) = secret(slot.slot) else { continue };
            let sealed = entry.portion(slot.slot).ok_or(Error::Form("portion"))?;
            let committed = commitments[usize::from(slot.slot)];
            let committed = (committed, &self.keys);
            let opened = open_portion(&header.shared, slot, sealed, secret, committed)?;
            bodies.push(String::from_utf8(opened.body).expect("text"));
        }
        Ok(bodies)
    }

    /// The slot of the portion with a body.
    pub fn slot_of(&self, log: LogName, sequence: u64, body: &str) -> Erase {
        let reader = self.reader();
        let entry = reader.entries_at(log, &[sequence]).expect("an entry").remove(0);
        let all = reader.secrets_at(log, &[sequence]).expect("secrets").remove(0);
        let only = |slot: u8| {
            let mut some = all.clone();
            some.secrets.retain(|(s, _)| *s == slot || *s == HEADER_SLOT);
            self.open_with(log, &entry, &some).expect("it opens") == [body]
        };
        let slot = all.secrets.iter().map(|(slot, _)| *slot).find(|slot| only(*slot));
        Erase { log, sequence, slot: slot.expect("a portion with that body") }
    }

    /// Runs SQL of the backend's own dialect on the database that holds a file's tables.
    pub fn sql(&self, file: &str, sqlite: &str, postgres: &str) {
        match &self.place {
            Place::Sqlite { directory } => {
                let connection = rusqlite::Connection::open(directory.join(file)).expect("a file");
                connection.execute_batch(sqlite).expect("SQL");
            }
            Place::Postgres { url } => client(url).batch_execute(postgres).expect("SQL"),
        }
    }
}

pub fn client(url: &str) -> ::postgres::Client {
    ::postgres::Client::connect(url, ::postgres::NoTls).expect("a connection")
}

/// Why an entry did not open.
#[derive(Debug)]
pub enum Fault {
    Store(Error),
    Format(ledger::format::FormatError),
}

impl From<Error> for Fault {
    fn from(fault: Error) -> Self {
        Self::Store(fault)
    }
}

impl From<ledger::format::FormatError> for Fault {
    fn from(fault: ledger::format::FormatError) -> Self {
        Self::Format(fault)
    }
}

fn half(bytes: [u8; 32]) -> [u8; 16] {
    *bytes.first_chunk().expect("32 are more than 16")
}

pub fn label() -> Label {
    let marking = Marking { level: Level(2), ..Marking::default() };
    let scheme = SchemeId(Token::new("NATO").expect("a token"));
    Label::simple(scheme, marking, AgencyId([7; 16]), Play::Live)
}

fn portion(body: &str) -> Portion {
    let media = "text/plain".to_owned();
    Portion { label: label(), circle: None, media, body: body.as_bytes().to_vec() }
}

fn header(entry: EntryId) -> Header {
    let shared = Shared {
        suite: Suite::ONE,
        ledger: LedgerId([1; 16]),
        entry,
        kind: "alert.raised/1".to_owned(),
        record: RecordId([2; 16]),
        actor: Actor::System,
        agency: AgencyId([7; 16]),
        on_behalf_of: None,
        play: Play::Live,
        acted_at: Time::MIN,
        valid_at: None,
        imported: None,
    };
    let local = Local {
        seat: None,
        device: None,
        cause: None,
        purpose: Purpose::Protection,
        authority: None,
        basis: None,
        version: 1,
        idempotency: Digest([3; 32]),
        command: Digest([4; 32]),
        policy_epoch: 1,
        policy: Digest([5; 32]),
        profile: Digest([6; 32]),
        clauses: Vec::new(),
        authentication: None,
        base: label().digest(),
        circle: None,
        slots: Vec::new(),
    };
    Header { shared, local }
}

/// Whether two places have the same entries, secrets, tiles, checkpoints and receipts.
pub fn same_content(a: &World, b: &World, sizes: &[Size]) {
    let (left, right) = (a.reader(), b.reader());
    for Size { log, entries, root } in sizes {
        let all = u32::try_from(*entries).expect("few entries") + 10;
        assert_eq!(right.head(*log).expect("a head").size, *entries);
        assert_eq!(right.head(*log).expect("a head").root, *root);
        let entries_of = |r: &LogReader| r.entries(*log, 0, all).expect("entries");
        assert_eq!(entries_of(&left), entries_of(&right));
        let secrets_of = |r: &LogReader| r.secrets(*log, 0, all).expect("secrets");
        assert_eq!(secrets_of(&left), secrets_of(&right));
        for size in 0..=*entries {
            let tile_of = |r: &LogReader| r.tile(*log, 0, size).expect("a tile");
            assert_eq!(tile_of(&left), tile_of(&right));
            let signed_of = |r: &LogReader| r.signed(*log, size).expect("a checkpoint");
            assert_eq!(signed_of(&left), signed_of(&right));
        }
    }
}

/// Every file below a directory.
pub fn files(directory: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in fs::read_dir(directory).expect("a directory") {
        let path = entry.expect("a file").path();
        if path.is_dir() {
            found.extend(files(&path));
        } else {
            found.push(path);
        }
    }
    found
}

/// Whether bytes stand in any file below a directory.
pub fn stand_in_files(directory: &Path, needle: &[u8]) -> bool {
    files(directory).iter().any(|path| {
        let bytes = fs::read(path).expect("a file");
        bytes.windows(needle.len()).any(|window| window == needle)
    })
}
