//! Signatures of acts: by passkeys that the log itself has enrolled, over what the entry says.

use std::collections::BTreeMap;

use app::identity::{Enrolled, Removed};
use app::kernel::apply::Content;
use app::kernel::cursor::decode;
use app::kernel::start::OpenedEntry;
use base::{PersonId, RecordId};
use ledger::act_signature::ActSignature;
use ledger::assertion::{PublicKey, RelyingParty};
use ledger::header::Actor;
use serde::de::DeserializeOwned;

use crate::terminal::chain;

/// Kinds of entry that a person writes only with a signature.
const SIGNED_KINDS: &[&str] =
    &["agreement.signed/1", "agreement.suspended/1", "agreement.resumed/1", "seat.taken/1"];

/// The passkeys of the log so far, and how many signatures fitted them.
#[derive(Default)]
pub struct Signatures {
    /// By the credential id of WebAuthn.
    enrolled: BTreeMap<Vec<u8>, Passkey>,
    pub good: u64,
}

struct Passkey {
    record: RecordId,
    person: PersonId,
    key: PublicKey,
}

fn facts<T: DeserializeOwned>(entry: &OpenedEntry) -> impl Iterator<Item = T> {
    entry.contents.iter().filter_map(|(_, content)| match content {
        Content::Open(body) => serde_json::from_slice(body).ok(),
        Content::Sealed | Content::Erased => None,
    })
}

impl Signatures {
    /// Looks at one entry of a node of this name, in the order of the log.
    ///
    /// # Errors
    /// What is wrong with its signature, or that it lacks one.
    pub fn entry(&mut self, entry: &OpenedEntry, name: &str) -> Result<(), String> {
        let outcome = self.check(entry, name);
        match entry.header.shared.kind.as_str() {
            "credential.enrolled/1" => facts(entry).for_each(|fact| self.enrol(&fact)),
            "credential.removed/1" => {
                for Removed { credential } in facts(entry) {
                    self.enrolled.retain(|_, passkey| passkey.record != credential);
                }
            }
            _ => {}
        }
        outcome
    }

    fn enrol(&mut self, enrolled: &Enrolled) {
        let key = decode(enrolled.key.as_str()).and_then(|k| PublicKey::from_cose(&k).ok());
        if let (Some(id), Some((key, _))) = (decode(enrolled.id.as_str()), key) {
            let (record, person) = (enrolled.credential, enrolled.person);
            self.enrolled.insert(id, Passkey { record, person, key });
        }
    }

    fn check(&mut self, entry: &OpenedEntry, name: &str) -> Result<(), String> {
        let (shared, local) = (&entry.header.shared, &entry.header.local);
        let Some(bytes) = &entry.signature else {
            let needed = SIGNED_KINDS.contains(&shared.kind.as_str());
            return match shared.actor {
                Actor::System => Ok(()),
                Actor::Person(_) | Actor::Service(_) if !needed => Ok(()),
                Actor::Person(_) | Actor::Service(_) => {
                    Err("an act of its kind is signed, and it is not".to_owned())
                }
            };
        };
        let form = || "it has no known form".to_owned();
        let signature = ActSignature::from_bytes(bytes).ok_or_else(form)?;
        let passkey = self.enrolled.get(&signature.credential);
        let passkey = passkey.ok_or("its passkey is not enrolled at that time")?;
        if shared.actor != Actor::Person(passkey.person) {
            return Err("its passkey is of somebody else".to_owned());
        }
        let party = RelyingParty { id: name.to_owned() };
        let of = (shared.ledger, local.command);
        signature.verify(&passkey.key, &party, of).map_err(|fault| chain(&fault))?;
        self.good += 1;
        Ok(())
    }
}
