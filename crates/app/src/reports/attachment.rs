//! Attachments: files that lie encrypted beside the log, named by a portion that has their secret.
//!
//! Uploading answers a *ticket*: address, secret and name of the file, sealed by the node for the
//! person who sent it. A command hands the ticket in, so that nobody attaches what another sent,
//! nor what they only know the address of. The secret lies in the portion alone: who may not read
//! the portion cannot open the file, and erasing the portion erases the file.

use std::fmt;

use base::crypto::Secret;
use base::{Digest, Line, PersonId, Time};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde::{Deserialize, Serialize};
use store::state::{StateRow, StateTable};

use super::{ReportId, view};
use crate::kernel::Fault;
use crate::kernel::node::Node;
use crate::kernel::question::{Answer, Asked};
use crate::kernel::reader::conflict;

/// Media types that are taken: none of them is run by a browser.
pub const MEDIA: &[&str] = &[
    "application/octet-stream",
    "application/pdf",
    "audio/mpeg",
    "audio/wav",
    "image/jpeg",
    "image/png",
    "text/csv",
    "text/plain",
    "video/mp4",
];
/// LIMIT: uploads of a person that no report names yet.
pub const UNCITED_MAX: usize = 16;
/// LIMIT: uploads of all people that no report names yet.
const UPLOADS_MAX: u32 = 1024;
/// The kind of the entries that name files.
pub const KIND: &str = "report.attached/1";
/// How long a ticket can be handed in, in the time of its play.
const TICKET_MS: i64 = 60 * 60 * 1000;
/// When an upload that no report names is removed; later than its ticket ends.
const KEPT_MS: i64 = 2 * TICKET_MS;

/// The secret of a file.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct FileKey(Digest);

impl FileKey {
    /// Keeps a secret in a fact.
    pub fn new(secret: &Secret) -> Self {
        Self(Digest(*secret.expose()))
    }

    /// The secret, to open the file with.
    pub const fn secret(&self) -> Secret {
        Secret::new((self.0).0)
    }
}

impl fmt::Debug for FileKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("FileKey")
    }
}

/// A file as its portion keeps it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct File {
    /// SHA-256 of the sealed file: it names the file and tells nothing of its content.
    pub digest: Digest,
    pub key: FileKey,
    pub name: Line<160>,
    pub media: Line<80>,
    /// Bytes of the file itself.
    pub bytes: u64,
}

/// A file as readers of its portion see it.
#[derive(Debug, Serialize)]
pub struct Named<'a> {
    digest: Digest,
    name: &'a Line<160>,
    media: &'a Line<80>,
    bytes: u64,
}

impl File {
    /// What readers are told of it.
    pub const fn named(&self) -> Named<'_> {
        let Self { digest, name, media, bytes, .. } = self;
        Named { digest: *digest, name, media, bytes: *bytes }
    }
}

/// Files were attached to a report, under the label and circle of this portion.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Attached {
    pub report: ReportId,
    pub files: Vec<File>,
}

/// What uploading answered, to be handed in with a command.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Ticket(Line<2048>);

#[derive(Serialize, Deserialize)]
struct Sealed {
    file: File,
    until: Time,
}

impl Ticket {
    fn seal(
        key: &Secret,
        nonce: [u8; 12],
        person: PersonId,
        sealed: &Sealed,
    ) -> Result<Self, Fault> {
        let plain = serde_json::to_vec(sealed).map_err(Fault::bug)?;
        let sealed = key.seal(nonce, &associated(person), &plain).map_err(Fault::bug)?;
        let text = URL_SAFE_NO_PAD.encode([nonce.as_slice(), &sealed].concat());
        Line::new(text).map(Self).map_err(Fault::bug)
    }

    /// Opens a ticket of the person who acts, at the time of the act.
    ///
    /// # Errors
    /// `invalid-attachment` when it was given to another, changed, not given at all, or is over.
    pub fn open(&self, key: &Secret, person: Option<PersonId>, at: Time) -> Result<File, Fault> {
        let wrong = || {
            let detail = "an attachment is handed in within an hour by whoever uploaded it";
            Fault::invalid("invalid-attachment", detail)
        };
        let person = person.ok_or_else(wrong)?;
        let bytes = URL_SAFE_NO_PAD.decode(self.0.as_str()).map_err(|_form| wrong())?;
        let (nonce, sealed) = bytes.split_first_chunk::<12>().ok_or_else(wrong)?;
        let plain = key.open(*nonce, &associated(person), sealed).map_err(|_changed| wrong())?;
        let Sealed { file, until } = serde_json::from_slice(&plain).map_err(|_form| wrong())?;
        if at > until { Err(wrong()) } else { Ok(file) }
    }
}

fn associated(person: PersonId) -> Vec<u8> {
    [b"muster/upload/v1".as_slice(), &person.0].concat()
}

/// A name without path and without characters that change how it is shown.
fn clean(name: &str) -> Result<Line<160>, Fault> {
    let last = name.rsplit(['/', '\\']).next().unwrap_or_default();
    let hidden = |c: char| {
        c.is_control()
            || matches!(c, '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}')
            || matches!(c, '\u{2060}'..='\u{206f}' | '\u{61c}' | '\u{feff}')
    };
    let shown: String = last.chars().filter(|c| !hidden(*c)).collect();
    let shown = shown.trim_matches(|c: char| c == '.' || c.is_whitespace());
    let wrong = |cause: &str| Fault::invalid("attachment-name", format!("`name`: {cause}"));
    if shown.is_empty() {
        return Err(wrong("the file has no name"));
    }
    Line::new(shown).map_err(|cause| wrong(&cause.to_string()))
}

/// Whether the first bytes are what the media type says.
fn is_of(media: &str, bytes: &[u8]) -> bool {
    let at = |from: usize, magic: &[u8]| bytes.get(from..).is_some_and(|b| b.starts_with(magic));
    match media {
        "application/pdf" => at(0, b"%PDF-"),
        "audio/mpeg" => at(0, b"ID3") || at(0, &[0xff]),
        "audio/wav" => at(0, b"RIFF") && at(8, b"WAVE"),
        "image/jpeg" => at(0, &[0xff, 0xd8, 0xff]),
        "image/png" => at(0, b"\x89PNG\r\n\x1a\n"),
        "video/mp4" => at(4, b"ftyp"),
        "text/csv" | "text/plain" => std::str::from_utf8(bytes).is_ok() && !bytes.contains(&0),
        _ => true,
    }
}

/// Takes a file, and answers its address and the ticket to hand in with a command.
///
/// # Errors
/// `person-needed`, `attachment-media` for a type that is not taken or not what it says,
/// `attachment-name`, `attachment-empty`, `too-many-uploads`; the store's own fault.
pub fn upload(asked: &Asked<'_>) -> Result<Answer, Fault> {
    let Some(person) = asked.reader.actor().person else {
        return Err(Fault::invalid("person-needed", "a person attaches a file"));
    };
    let media = MEDIA.iter().find(|known| **known == asked.media);
    let media = media.filter(|media| is_of(media, asked.body)).ok_or_else(|| {
        let detail = format!("attachments are what they say, one of {}", MEDIA.join(", "));
        Fault::invalid("attachment-media", detail)
    })?;
    let name = clean(asked.query.get("name").map(String::as_str).unwrap_or_default())?;
    if asked.body.is_empty() {
        return Err(Fault::invalid("attachment-empty", "the attachment has no bytes"));
    }
    let node = asked.node;
    make_room(node, person)?;
    let mut entropy = node.entropy();
    let blob = node.blobs().put(asked.body, &mut entropy)?;
    let expires_at = node.now().plus_ms(KEPT_MS);
    let row = StateRow { key: blob.address.0.to_vec(), value: person.0.to_vec(), expires_at };
    node.state().put(StateTable::Upload, &row)?;
    let file = File {
        digest: blob.address,
        key: FileKey::new(&blob.secret),
        name,
        media: Line::new(*media).map_err(Fault::bug)?,
        bytes: blob.bytes,
    };
    let (digest, bytes) = (file.digest, file.bytes);
    let sealed = Sealed { file, until: node.play_now().plus_ms(TICKET_MS) };
    let ticket = Ticket::seal(node.upload_key(), entropy.nonce(), person, &sealed)?;
    Ok(Answer::Created(serde_json::json!({
        "digest": digest, "bytes": bytes, "attachment": ticket
    })))
}

/// Removes uploads that no report named in time, and gives those that wait still.
///
/// # Errors
/// The store's own fault; what was not removed is removed the next time.
pub fn sweep(node: &Node) -> Result<Vec<StateRow>, Fault> {
    let mut waiting = Vec::new();
    for row in node.state().list(StateTable::Upload, Time::MIN, UPLOADS_MAX)? {
        let Ok(address) = <[u8; 32]>::try_from(row.key.as_slice()) else { continue };
        let address = Digest(address);
        let cited = node.views().with(|views| view::attached(views, address))?;
        let over = row.expires_at <= node.now();
        if over && !cited {
            node.blobs().remove(address)?;
        }
        if over || cited {
            node.state().remove(StateTable::Upload, &row.key)?;
        } else {
            waiting.push(row);
        }
    }
    Ok(waiting)
}

/// Holds a person to their quota of uploads that no report names yet.
fn make_room(node: &Node, person: PersonId) -> Result<(), Fault> {
    let waiting = sweep(node)?;
    let own = waiting.iter().filter(|row| row.value == person.0).count();
    if own >= UNCITED_MAX || waiting.len() >= UPLOADS_MAX as usize {
        let detail = "uploads that no report names yet are limited; submit or wait an hour";
        return Err(conflict("too-many-uploads", detail));
    }
    Ok(())
}

/// Gives a file to whoever reads a portion that names it.
///
/// # Errors
/// `absent` when there is none, and when its portion is not read: the same answer for both.
pub fn download(asked: &Asked<'_>) -> Result<Answer, Fault> {
    let id = asked.id.ok_or_else(Fault::absent)?;
    let digest = asked.path.get("digest").and_then(|text| text.parse::<Digest>().ok());
    let digest = digest.ok_or_else(Fault::absent)?;
    let file = asked.reader.open_part("report", id, |body| {
        let Attached { files, .. } = serde_json::from_slice(body).ok()?;
        files.into_iter().find(|file| file.digest == digest)
    })?;
    let bytes = asked.node.blobs().get(file.digest, &file.key.secret())?;
    let media = MEDIA.iter().find(|known| **known == file.media.as_str());
    let media = media.copied().unwrap_or("application/octet-stream");
    Ok(Answer::File { name: file.name.to_string(), media, bytes })
}
