//! The sequencer: one thread that decides, numbers, seals and applies every act of a ledger.
//!
//! INVARIANT: whatever is in memory changes only after the log's commit. A batch is prepared on a
//! draft of the core; the draft replaces the core when, and only when, the log has it.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::Arc;

use base::crypto::{Algorithm, Digest, Entropy, Secret};
use base::{AgencyId, EntryId, Ids, LedgerId, PersonId, RecordId, Time, limit};
use ledger::checkpoint::{Checkpoint, Origin};
use ledger::format::Suite;
use ledger::header::{ClauseRef, Header, Local, Shared};
use ledger::note::Signer;
use ledger::portion::{Draft, Portion, SealedEntry, seal};
use ledger::tile::{Edge, Tile};
use store::log::{
    Batch, Erase, FullTile, Head, Log, LogName, LogReader, NewEntry as NewRow, Signed,
};
use store::{Keyring, Receipt, secrets};
use tokio::sync::oneshot;

use super::apply::{Applying, Change, Content, apply};
use super::capability::{Action, ActorContext, Capability, Deciding, NewEntry, NewPortion};
use super::cells::Cells;
use super::fault::Fault;
use super::node::seed;
use super::policy::Policy;
use super::refold::{Refold, Refolded};
use super::register::Register;
use super::segment::{AccessLedger, Anchor, Handed, Writing};
use super::signing::{Proof, Seen};
use super::start::Source;
use super::upkeep::Upkeep;
use super::view::{ViewWriter, Views};
use super::view_file;

/// An act that waits for its turn.
pub struct Submission {
    pub capability: &'static Capability,
    pub action: &'static Action,
    pub command: Vec<u8>,
    /// Digest of the command, under the key itself, which is not kept.
    pub digest: Digest,
    /// Digest of actor and idempotency key.
    pub key: Digest,
    pub actor: ActorContext,
    pub on_behalf_of: Option<PersonId>,
    pub cause: Option<EntryId>,
    /// The person's own signature, verified before the queue.
    pub proof: Proof,
    pub answer: oneshot::Sender<Result<Done, Fault>>,
}

/// An accepted act.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Done {
    pub record: RecordId,
    pub entry: EntryId,
    /// The act's last entry; it leaves the node only sealed.
    pub sequence: u64,
    pub at: Time,
    /// What the capability tells of this act besides; of a repeated act nothing.
    pub told: Option<serde_json::Value>,
}

/// Everything in memory that follows from the log.
#[derive(Clone)]
pub struct Core {
    pub head: Head,
    /// The right edge of the tree.
    pub edge: Edge,
    pub cells: Arc<Cells>,
    pub register: Arc<Register>,
    pub policy: Arc<Policy>,
    /// The last log time: it never goes back, whatever the clock does.
    pub at: Time,
}

/// What a committed batch tells the rest of the process.
pub struct Published {
    pub core: Core,
    pub changes: Vec<Change>,
}

/// What the sequencer is given besides the log.
pub struct Setup {
    pub ledger: LedgerId,
    pub origin: String,
    pub keys: Arc<Keyring>,
    pub capabilities: &'static [&'static Capability],
    /// The key under which labels lie in the views.
    pub label_key: Secret,
    /// The key under which answers to uploads are sealed.
    pub upload_key: Secret,
    pub signer: Signer,
    pub second_signer: Signer,
    /// Gives the log time and the time of a play.
    pub now: Box<dyn Fn() -> Time + Send + Sync>,
    pub play: Box<dyn Fn(base::Play, Time) -> Time + Send + Sync>,
    /// Told of each committed batch, before callers are answered.
    pub publish: Box<dyn Fn(Published) + Send + Sync>,
}

/// Why the sequencer ended.
#[derive(Debug)]
pub enum Stopped {
    /// Everything that waited is done.
    Done,
    /// The log failed: the process must stop, or take the start path again when in doubt.
    Log(store::Error),
}

/// The one writer.
pub struct Sequencer {
    pub setup: Setup,
    pub log: Log,
    pub views: ViewWriter,
    pub core: Core,
    pub second_signed_at: Time,
    /// The end of the log `access`, which has the same one writer.
    pub access: AccessLedger,
    /// Asked for views without what was erased.
    pub refold: Arc<Refold>,
    pub upkeep: Upkeep,
}

/// What a batch has gathered so far.
#[derive(Default)]
struct Gathered {
    entries: Vec<NewRow>,
    receipts: Vec<Receipt>,
    tiles: Vec<FullTile>,
    erased: Vec<Erase>,
    changes: Vec<Change>,
    by_key: BTreeMap<Digest, (Digest, Done)>,
}

/// One act of a batch while it is being decided.
struct Turn<'a> {
    act: &'a Submission,
    command: Digest,
    /// The time of the act in its play.
    acted_at: Time,
    core: &'a mut Core,
    gathered: &'a mut Gathered,
    entropy: &'a mut Entropy,
}

type Answer = (oneshot::Sender<Result<Done, Fault>>, Result<Done, Fault>);

impl Sequencer {
    /// Decides and commits one batch, then answers its callers.
    ///
    /// # Errors
    /// The log's own fault; then nothing of the batch counts as done, and callers are told that the
    /// outcome is unknown.
    pub fn batch(&mut self, acts: Vec<Submission>) -> Result<(), store::Error> {
        if acts.is_empty() {
            return Ok(());
        }
        let keys: Vec<Digest> = acts.iter().map(|act| act.key).collect();
        let known = match self.log.receipts(&keys) {
            Ok(known) => known,
            Err(fault) => return fail(acts.into_iter().map(|act| act.answer), fault),
        };
        let mut draft = self.core.clone();
        let mut gathered = Gathered::default();
        let mut answers: Vec<Answer> = Vec::with_capacity(acts.len());
        if let Err(fault) = Views::new(&self.views).begin() {
            for act in acts {
                answers.push((act.answer, Err(Fault::unavailable(fault.to_string()))));
            }
            send(answers);
            return Ok(());
        }
        let mut entropy = match seed() {
            Ok(seed) => Entropy::new(seed),
            Err(fault) => {
                tracing::error!(error = %fault, "no randomness: the batch is not decided");
                let fault = store::Error::Form("randomness of the operating system");
                return self.abandon_unanswered(acts, fault);
            }
        };
        // INVARIANT: log time never goes back, whatever the clock does.
        draft.at = draft.at.max((self.setup.now)());
        match Policy::renewed(&draft.policy, &draft.register, draft.at) {
            Ok(renewed) => draft.policy = renewed,
            Err(fault) => {
                // The old rules decide nothing past their boundary, so every act is refused.
                tracing::error!(error = %fault, "policy could not be renewed at its boundary");
            }
        }
        for act in acts {
            let outcome = self.one(&act, &known, &mut draft, &mut gathered, &mut entropy);
            answers.push((act.answer, outcome));
        }
        self.finish(draft, gathered, answers)
    }

    /// One act of a batch: a refusal rolls back what it did and nothing else.
    fn one(
        &self,
        act: &Submission,
        known: &[Receipt],
        draft: &mut Core,
        gathered: &mut Gathered,
        entropy: &mut Entropy,
    ) -> Result<Done, Fault> {
        let command = act.digest;
        if let Some(done) = self.repeated(act, command, known, gathered)? {
            return Ok(done);
        }
        let views = Views::new(&self.views);
        views.mark_act()?;
        let mut tried = draft.clone();
        let mark = (gathered.entries.len(), gathered.tiles.len(), gathered.changes.len());
        let erased = gathered.erased.len();
        let acted_at = (self.setup.play)(act.actor.play, tried.at);
        let mut turn = Turn { act, command, acted_at, core: &mut tried, gathered, entropy };
        match self.decide(&mut turn) {
            Ok(done) => {
                views.keep_act()?;
                *draft = tried;
                gathered.receipts.push(Receipt {
                    key: act.key,
                    command,
                    sequence: done.sequence,
                    entries: u32::try_from(gathered.entries.len() - mark.0).unwrap_or(0),
                    at: done.at,
                });
                gathered.by_key.insert(act.key, (command, done.clone()));
                Ok(done)
            }
            Err(fault) => {
                gathered.entries.truncate(mark.0);
                gathered.tiles.truncate(mark.1);
                gathered.changes.truncate(mark.2);
                gathered.erased.truncate(erased);
                views.undo_act()?;
                Err(fault)
            }
        }
    }

    /// The first outcome of the same key; another command under it is a conflict.
    fn repeated(
        &self,
        act: &Submission,
        command: Digest,
        known: &[Receipt],
        gathered: &Gathered,
    ) -> Result<Option<Done>, Fault> {
        let conflict = || {
            Fault::new(
                base::Kind::Conflict,
                "idempotency-conflict",
                "this idempotency key was used for another command",
            )
        };
        if let Some((first, done)) = gathered.by_key.get(&act.key) {
            return if *first == command { Ok(Some(done.clone())) } else { Err(conflict()) };
        }
        let Some(receipt) = known.iter().find(|receipt| receipt.key == act.key) else {
            return Ok(None);
        };
        if receipt.command != command {
            return Err(conflict());
        }
        let (record, entry) = Views::new(&self.views)
            .entry_at(receipt.sequence)?
            .ok_or_else(|| Fault::bug("a receipt names an entry that the views do not have"))?;
        Ok(Some(Done { record, entry, sequence: receipt.sequence, at: receipt.at, told: None }))
    }

    fn decide(&self, turn: &mut Turn<'_>) -> Result<Done, Fault> {
        let (act, core) = (turn.act, &*turn.core);
        core.policy.may(&core.register, &act.actor, act.action.name)?;
        let seen = Seen { policy: &core.policy, register: &core.register, cells: &core.cells };
        act.proof.holds(Views::new(&self.views), &seen, &act.actor)?;
        let mut deciding = Deciding {
            views: Views::new(&self.views),
            register: &core.register,
            cells: &core.cells,
            policy: &core.policy,
            actor: &act.actor,
            action: act.action,
            at: turn.acted_at,
            ids: Ids::new(turn.entropy.secret()),
            uploads: &self.setup.upload_key,
            told: None,
        };
        let entries = (act.capability.act)(&act.command, &mut deciding)?;
        let told = deciding.told.take();
        check_size(&entries)?;
        let mut done = None;
        for entry in entries {
            done = Some(self.write(turn, entry)?);
        }
        let done = done.map(|done| Done { told, ..done });
        done.ok_or_else(|| {
            Fault::new(base::Kind::Conflict, "nothing-to-do", "the command changes nothing")
        })
    }

    /// Seals one entry, gives it its number and applies it to the views.
    fn write(&self, turn: &mut Turn<'_>, entry: NewEntry) -> Result<Done, Fault> {
        // Whoever finds content above their own head must be able to raise its label nevertheless.
        let upward = entry.kind == super::floor::KIND;
        let play = turn.act.actor.play;
        for portion in &entry.portions {
            if upward && portion.cell.label.play() == play {
                continue;
            }
            let core = &*turn.core;
            core.policy.may_write(&core.register, &turn.act.actor, &portion.cell)?;
        }
        let header = self.header(turn, &entry)?;
        let bodies = entry.portions;
        let draft = Draft {
            class: entry.class,
            header,
            at: turn.core.at,
            portions: bodies.iter().map(portion_of).collect(),
            signature: turn.act.proof.bytes(),
        };
        let (sealed, header) = seal(draft, &*self.setup.keys, turn.entropy).map_err(Fault::bug)?;
        let sequence = turn.core.head.size;
        let contents = contents_of(&header, bodies);
        let applied = apply(
            &mut Applying {
                views: Views::new(&self.views),
                cells: &mut turn.core.cells,
                register: &mut turn.core.register,
                key: &self.setup.label_key,
                entropy: turn.entropy,
                capabilities: self.setup.capabilities,
            },
            sequence,
            &header,
            &contents,
        )?;
        turn.gathered.changes.extend(applied.changes);
        turn.gathered.erased.extend(applied.erased);
        let core = &mut *turn.core;
        core.policy = Policy::renewed(&core.policy, &core.register, core.at)?;
        let done = Done {
            record: header.shared.record,
            entry: header.shared.entry,
            sequence,
            at: core.at,
            told: None,
        };
        self.append(turn, sealed)?;
        Ok(done)
    }

    fn header(&self, turn: &mut Turn<'_>, entry: &NewEntry) -> Result<Header, Fault> {
        let base = entry.portions.first().ok_or_else(|| Fault::bug("an entry has no portion"))?;
        let before = Views::new(&self.views).record(entry.record)?;
        let (act, core) = (turn.act, &*turn.core);
        let shared = Shared {
            suite: Suite::ONE,
            ledger: self.setup.ledger,
            entry: EntryId::draw(&mut Ids::new(turn.entropy.secret())),
            kind: entry.kind.to_owned(),
            record: entry.record,
            actor: act.actor.actor,
            agency: act.actor.agency,
            on_behalf_of: act.on_behalf_of,
            play: act.actor.play,
            acted_at: turn.acted_at,
            valid_at: entry.valid_at,
            imported: None,
        };
        let cited = entry.clauses.iter();
        let local = Local {
            seat: act.actor.seat,
            device: None,
            cause: act.cause,
            purpose: act.actor.purpose,
            authority: None,
            basis: None,
            version: before.map_or(1, |record| record.version + 1),
            idempotency: act.key,
            command: turn.command,
            policy_epoch: core.policy.epoch(),
            policy: core.policy.digest(),
            profile: core.policy.profile_digest(&core.register, &act.actor),
            clauses: cited
                .map(|(clause, version)| ClauseRef { clause: *clause, version: *version })
                .collect(),
            authentication: act.actor.authentication,
            base: base.cell.label.digest(),
            circle: base.cell.circle,
            slots: Vec::new(),
        };
        Ok(Header { shared, local })
    }

    fn append(&self, turn: &mut Turn<'_>, sealed: SealedEntry) -> Result<(), Fault> {
        let core = &mut *turn.core;
        let place = (LogName::Acts, core.head.size);
        let (week, wrapped) =
            secrets::wrap(&self.setup.keys, core.at, place, &sealed.secrets, turn.entropy)?;
        let leaf = ledger::tree::leaf_hash(&sealed.leaf);
        core.edge.append(leaf);
        let full = core.edge.take_full().into_iter();
        turn.gathered.tiles.extend(full.map(|(tile, hashes)| full_tile(tile, hashes)));
        core.head.size += 1;
        turn.gathered.entries.push(NewRow {
            leaf: sealed.leaf,
            header: sealed.header,
            commitments: sealed.commitments,
            portions: sealed.portions,
            signature: sealed.signature,
            week,
            secrets: wrapped,
        });
        Ok(())
    }

    /// Signs, commits the log, commits the views, publishes, answers: in this order.
    fn finish(
        &mut self,
        mut draft: Core,
        gathered: Gathered,
        answers: Vec<Answer>,
    ) -> Result<(), store::Error> {
        if gathered.entries.is_empty() {
            let views = Views::new(&self.views);
            if let Err(fault) = views.roll_back() {
                tracing::error!(error = %fault, "views could not be rolled back");
            }
            send(answers);
            return Ok(());
        }
        let signed = match self.sign(&mut draft) {
            Ok(signed) => signed,
            Err(fault) => return self.abandon(answers, fault),
        };
        let batch = Batch {
            log: LogName::Acts,
            before: self.core.head.clone(),
            after: draft.head.clone(),
            entries: gathered.entries,
            tiles: gathered.tiles,
            receipts: gathered.receipts,
            signed,
            erased: gathered.erased,
        };
        let erasing = !batch.erased.is_empty();
        if erasing && let Err(fault) = Views::new(&self.views).set_stale() {
            tracing::error!(error = %fault, "an erasure could not be noted in the views");
            return self.abandon(answers, store::Error::Form("views before an erasing batch"));
        }
        super::crash::point("before-log");
        if let Err(fault) = self.log.commit(&batch) {
            return self.abandon(answers, fault);
        }
        super::crash::point("after-log");
        self.note_signed(&batch.signed, &draft);
        let views = Views::new(&self.views);
        let kept = views.set_applied(draft.head.size).and_then(|()| views.commit());
        if let Err(fault) = kept {
            // The log has the batch and the views do not: only the start path may go on.
            tracing::error!(error = %fault, "views could not be committed");
            let fault = store::Error::Form("views after a committed batch");
            return fail(answers.into_iter().map(|(answer, _)| answer), fault);
        }
        super::crash::point("after-views");
        self.core = draft.clone();
        if erasing {
            self.refold.ask();
        }
        (self.setup.publish)(Published { core: draft, changes: gathered.changes });
        send(answers);
        Ok(())
    }

    /// Puts views that were folded anew in the place of the live ones, once they know as much.
    ///
    /// # Errors
    /// The store's own fault, or a bug when cells differ; then the live views stay, with the mark
    /// that the next start folds them anew.
    pub fn adopt(&mut self, reader: &LogReader) -> Result<Option<PathBuf>, Fault> {
        let Some(Refolded { mut folding, asked }) = self.refold.take() else { return Ok(None) };
        let from = Source {
            keys: &self.setup.keys,
            capabilities: self.setup.capabilities,
            label_key: &self.setup.label_key,
            reader,
        };
        folding.advance(&from, self.core.head.size)?;
        let same = folding.cells() == self.core.cells.len();
        let (views, path) = folding.finish();
        // What was erased meanwhile may be in it: the thread folds again.
        if asked != self.refold.asked() || !same {
            drop(views);
            view_file::remove(&path)?;
            let bug = || Fault::bug("views folded anew have other cells");
            return if same { Ok(None) } else { Err(bug()) };
        }
        self.views = views;
        Ok(Some(path))
    }

    /// Does a step of the upkeep of keys, and says whether there is more to do now.
    ///
    /// # Errors
    /// The log's own fault; then nothing more may be decided.
    pub fn keep_up(&mut self) -> Result<bool, store::Error> {
        let seed = seed().map_err(|_none| store::Error::Form("randomness"))?;
        let at = (self.setup.now)().max(self.core.at);
        self.upkeep.step(&mut self.log, &self.setup.keys, at, &mut Entropy::new(seed))
    }

    /// Writes finished segments of the access log, each as one leaf.
    ///
    /// # Errors
    /// The log's own fault; then nothing more may be decided or served.
    pub fn record(&mut self, handed: Vec<Handed>) -> Result<(), store::Error> {
        for handed in handed {
            let segment = match handed {
                Handed::Segment(segment) => segment,
                Handed::Asked(done) => {
                    let _gone = done.send(());
                    continue;
                }
            };
            let seed = seed().map_err(|_none| store::Error::Form("randomness"))?;
            let head = &self.core.head;
            let on = Writing {
                log: &mut self.log,
                keys: &self.setup.keys,
                ledger: self.setup.ledger,
                acts: Anchor { size: head.size, root: head.root },
                at: (self.setup.now)(),
                entropy: &mut Entropy::new(seed),
            };
            self.access.write(segment, on)?;
        }
        Ok(())
    }

    /// Signs the last head with both keys when the node stops.
    pub fn sign_last(&mut self) {
        if self.core.head.size == 0 {
            return;
        }
        let mut draft = self.core.clone();
        self.second_signed_at = Time::MIN;
        let signed = self.sign(&mut draft);
        let outcome = signed.and_then(|signed| {
            self.log.resign(LogName::Acts, &draft.head, true)?;
            self.note_signed(&signed, &draft);
            Ok(())
        });
        match outcome {
            Ok(()) => self.core = draft,
            Err(fault) => tracing::warn!(error = %fault, "the last head was not signed twice"),
        }
    }

    /// Notes a checkpoint that the log has, where the keys lie: an old copy of the data is found
    /// out.
    ///
    /// SAFETY OF ORDER: never before the log has it, else a crash in between would look like one.
    fn note_signed(&self, signed: &[Signed], core: &Core) {
        if signed.is_empty() {
            return;
        }
        if let Err(fault) = self.setup.keys.note_signed(core.head.size, core.head.root) {
            tracing::warn!(error = %fault, "the second copy of the checkpoint was not written");
        }
    }

    fn abandon_unanswered(
        &self,
        acts: Vec<Submission>,
        fault: store::Error,
    ) -> Result<(), store::Error> {
        if let Err(rollback) = Views::new(&self.views).roll_back() {
            tracing::error!(error = %rollback, "views could not be rolled back");
        }
        fail(acts.into_iter().map(|act| act.answer), fault)
    }

    fn abandon(&self, answers: Vec<Answer>, fault: store::Error) -> Result<(), store::Error> {
        if let Err(rollback) = Views::new(&self.views).roll_back() {
            tracing::error!(error = %rollback, "views could not be rolled back");
        }
        fail(answers.into_iter().map(|(answer, _)| answer), fault)
    }

    /// Signs the draft's head: Ed25519 each batch, ML-DSA-87 at most once a second.
    fn sign(&mut self, draft: &mut Core) -> Result<Vec<Signed>, store::Error> {
        let tree = draft.edge.head();
        draft.head.root = tree.root;
        draft.head.frontier = draft.edge.frontier().to_bytes();
        let origin = Origin::new(&self.setup.origin).map_err(store::Error::Sign)?;
        let checkpoint = Checkpoint::new(origin, tree);
        let both = draft.at.ms_since(self.second_signed_at) >= SECOND_SIGNATURE_MS;
        let mut signers = vec![self.setup.signer.clone()];
        if both {
            signers.push(self.setup.second_signer.clone());
        }
        let note = checkpoint.sign(&signers).map_err(store::Error::Sign)?;
        draft.head.note = note.to_string().into_bytes();
        if !both {
            return Ok(Vec::new());
        }
        self.second_signed_at = draft.at;
        Ok(vec![Signed { size: draft.head.size, note: draft.head.note.clone() }])
    }
}

/// Milliseconds between two ML-DSA-87 signatures: one costs half a millisecond and 4.6 kB.
const SECOND_SIGNATURE_MS: i64 = 1000;

const fn full_tile(tile: Tile, hashes: Vec<u8>) -> FullTile {
    FullTile { level: tile.level(), index: tile.index(), hashes }
}

fn check_size(entries: &[NewEntry]) -> Result<(), Fault> {
    let bytes: usize = entries.iter().flat_map(|e| &e.portions).map(|p| p.body.len()).sum();
    if entries.len() > limit::ENTRIES_PER_ACT || bytes > limit::ACT_BYTES {
        return Err(Fault::new(
            base::Kind::TooLarge,
            "act-too-large",
            format!(
                "act writes {} entries of {bytes} bytes; at most {} of {} bytes",
                entries.len(),
                limit::ENTRIES_PER_ACT,
                limit::ACT_BYTES
            ),
        ));
    }
    Ok(())
}

fn portion_of(new: &NewPortion) -> Portion {
    Portion {
        label: new.cell.label.clone(),
        circle: new.cell.circle,
        media: "application/json".to_owned(),
        body: new.body.clone(),
    }
}

/// Pairs the bodies with their slots, which stand in the order of the portions.
fn contents_of(header: &Header, bodies: Vec<NewPortion>) -> Vec<(u8, Content)> {
    let slots = header.local.slots.iter();
    slots.zip(bodies).map(|(slot, p)| (slot.slot, Content::Open(p.body))).collect()
}

fn send(answers: Vec<Answer>) {
    for (answer, outcome) in answers {
        // A caller that went away does not want its answer.
        let _gone = answer.send(outcome);
    }
}

fn fail(
    answers: impl Iterator<Item = oneshot::Sender<Result<Done, Fault>>>,
    fault: store::Error,
) -> Result<(), store::Error> {
    for answer in answers {
        let _gone = answer.send(Err(Fault::new(
            base::Kind::Unavailable,
            "outcome-unknown",
            "the log failed while the act was being written; retry with the same key",
        )));
    }
    Err(fault)
}

/// The agency whose act it is, for those who need only that.
pub const fn agency_of(act: &Submission) -> AgencyId {
    act.actor.agency
}

/// Both algorithms of a checkpoint.
pub const CHECKPOINT_ALGORITHMS: [Algorithm; 2] = [Algorithm::Ed25519, Algorithm::MlDsa87];
