//! Readable sets: policy is asked once for each label, never for each record.
//!
//! Labels are few and never change, so a reader's rights are a set of label numbers. A set belongs
//! to one epoch, grows with new labels and is nothing from the epoch's boundary on.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};

use base::{Digest, Label, Time, Token};
use roaring::RoaringBitmap;

use crate::agreement::Action;
use crate::compile::PolicyEpoch;
use crate::decide::{Hearing, Intent, Reason};
use crate::dominance;
use crate::entity::LabelEntity;
use crate::profile::Profile;
use crate::{Error, LABELS_PER_NODE, READABLE_SETS};

/// The labels of a node, numbered by first appearance, each built as entities once.
#[derive(Clone, Debug, Default)]
pub struct LabelTable {
    labels: Vec<Arc<LabelEntity>>,
    numbers: BTreeMap<Digest, u32>,
}

impl LabelTable {
    /// Gives a label its number, the old one when it was seen before.
    ///
    /// # Errors
    /// [`Error::Labels`] beyond [`LABELS_PER_NODE`].
    pub fn intern(&mut self, label: &Label) -> Result<u32, Error> {
        let digest = label.digest();
        if let Some(number) = self.numbers.get(&digest) {
            return Ok(*number);
        }
        let number = self.len();
        if number as usize >= LABELS_PER_NODE {
            return Err(Error::Labels);
        }
        self.labels.push(Arc::new(LabelEntity::new(Arc::new(label.clone()))?));
        self.numbers.insert(digest, number);
        Ok(number)
    }

    /// The number of a label that was seen before.
    pub fn number(&self, digest: &Digest) -> Option<u32> {
        self.numbers.get(digest).copied()
    }

    /// The label of a number.
    pub fn label(&self, number: u32) -> Option<&Arc<Label>> {
        self.labels.get(number as usize).map(|entity| &entity.label)
    }

    /// How many labels there are: the next number.
    pub fn len(&self) -> u32 {
        u32::try_from(self.labels.len()).unwrap_or(u32::MAX)
    }

    /// Says whether there is no label yet.
    pub fn is_empty(&self) -> bool {
        self.labels.is_empty()
    }

    fn from(&self, number: u32) -> impl Iterator<Item = (u32, &Arc<LabelEntity>)> {
        (0..).zip(&self.labels).skip(number as usize)
    }
}

/// The labels that one profile may do one thing with, for one purpose, under one epoch.
#[derive(Clone, Debug, PartialEq)]
pub struct Readable {
    bits: RoaringBitmap,
    labels_upto: u32,
    epoch: u64,
    valid_until: Time,
    alarms: Vec<u32>,
}

impl Readable {
    /// Says whether a label is readable at a time: never past the epoch, never an unseen label.
    pub fn contains(&self, label: u32, at: Time) -> bool {
        at < self.valid_until && self.bits.contains(label)
    }

    /// The numbers of the readable labels.
    pub const fn bits(&self) -> &RoaringBitmap {
        &self.bits
    }

    /// Labels from this number on were not asked about.
    pub const fn labels_upto(&self) -> u32 {
        self.labels_upto
    }

    /// The epoch under which the set was computed.
    pub const fn epoch(&self) -> u64 {
        self.epoch
    }

    /// The time from which on the set is nothing.
    pub const fn valid_until(&self) -> Time {
        self.valid_until
    }

    /// Labels whose rules failed: denied, and an operator must know.
    pub fn alarms(&self) -> &[u32] {
        &self.alarms
    }
}

type Key = (Digest, Action, Token);
/// What makes two epochs decide alike for as long.
type EpochKey = (Digest, u64, Time);

const fn epoch_key(epoch: &PolicyEpoch) -> EpochKey {
    (epoch.digest(), epoch.epoch(), epoch.valid_until())
}

/// The readable sets of the current epoch, computed when they are first asked for.
#[derive(Debug, Default)]
pub struct ReadableSets(Mutex<(EpochKey, BTreeMap<Key, Arc<Readable>>)>);

impl ReadableSets {
    /// The readable set of a profile for an intent, extended to every label of the table.
    ///
    /// All calls pass the same table, which only grows. Sets of another epoch are dropped. Two
    /// callers at once may both compute; the sets are equal.
    ///
    /// # Errors
    /// [`Error::Epoch`] when `at` is outside the epoch's time; the other errors are the policy
    /// engine's, and mean that nothing is readable.
    pub fn get(
        &self,
        epoch: &PolicyEpoch,
        profile: &Profile,
        intent: Intent<'_>,
        table: &LabelTable,
        at: Time,
    ) -> Result<Arc<Readable>, Error> {
        if !epoch.decides_at(at) {
            return Err(Error::Epoch { epoch: epoch.epoch(), at });
        }
        let key = (profile.digest(), intent.action.clone(), intent.purpose.clone());
        let known = self.known(epoch, &key);
        if let Some(known) = &known
            && known.labels_upto >= table.len()
        {
            return Ok(known.clone());
        }
        let set = Arc::new(extended(known, epoch, profile, intent, table)?);
        self.keep(epoch, key, &set);
        Ok(set)
    }

    fn known(&self, epoch: &PolicyEpoch, key: &Key) -> Option<Arc<Readable>> {
        let mut sets = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if sets.0 != epoch_key(epoch) {
            *sets = (epoch_key(epoch), BTreeMap::new());
        }
        sets.1.get(key).cloned()
    }

    /// LIMIT: beyond [`READABLE_SETS`] all are dropped; they are computed again when asked for.
    fn keep(&self, epoch: &PolicyEpoch, key: Key, set: &Arc<Readable>) {
        let mut sets = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if sets.0 == epoch_key(epoch) {
            if sets.1.len() >= READABLE_SETS {
                sets.1.clear();
            }
            sets.1.insert(key, set.clone());
        }
    }
}

fn extended(
    known: Option<Arc<Readable>>,
    epoch: &PolicyEpoch,
    profile: &Profile,
    intent: Intent<'_>,
    table: &LabelTable,
) -> Result<Readable, Error> {
    let mut set = known.map_or_else(
        || Readable {
            bits: RoaringBitmap::new(),
            labels_upto: 0,
            epoch: epoch.epoch(),
            valid_until: epoch.valid_until(),
            alarms: Vec::new(),
        },
        |known| (*known).clone(),
    );
    let clearance = &profile.attributes().clearance;
    let cleared: Vec<(u32, &Arc<LabelEntity>)> = table
        .from(set.labels_upto)
        .filter(|(_, entity)| dominance::readable(clearance, &entity.label))
        .collect();
    let entities = cleared.iter().map(|(_, entity)| entity.as_ref());
    let hearing = Hearing::of_labels(epoch, profile, intent, entities)?;
    for (number, entity) in cleared {
        let decision = hearing.consents(entity);
        if decision.allows() {
            set.bits.insert(number);
        } else if matches!(decision.reason, Reason::Failed(_)) {
            set.alarms.push(number);
        }
    }
    set.labels_upto = table.len();
    Ok(set)
}
