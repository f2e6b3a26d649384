//! What a capability gives to the kernel: its words, its rules and its fold; nothing else.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use base::crypto::Secret;
use base::{
    AgencyId, CircleId, ClauseId, Digest, Ids, Label, Marking, OperationId, PersonId, Place, Play,
    RecordId, SchemeId, SeatId, SessionId, Time,
};
use ledger::header::{Actor, Authentication, Purpose};
use ledger::leaf::Class as LeafClass;
use policy::Class;
use serde::Serialize;
use serde::de::DeserializeOwned;

use super::cells::{Cell, CellNumber, Cells};
use super::fault::Fault;
use super::policy::Policy;
use super::register::Register;
use super::route::Route;
use super::view::{RecordRow, Views};

/// One capability; `capabilities.rs` lists them all.
pub struct Capability {
    /// The folder, the path and the words on the screen: `alerts`.
    pub name: &'static str,
    /// The kind of its records: `alert`.
    pub noun: &'static str,
    /// The kinds of its entries; a kind, once released, decodes for ever.
    pub kinds: &'static [&'static str],
    pub actions: &'static [Action],
    pub routes: &'static [Route],
    /// Whether what it writes reaches live readers before everything else.
    pub urgent: bool,
    /// Whether `register` is called for its records.
    pub registers: bool,
    /// Its default rules.
    pub policy: &'static str,
    /// Tables of its own in the views, where a page needs them.
    pub tables: &'static str,
    /// Loads what the command names, decides, and gives the entries to write.
    pub act: fn(&[u8], &mut Deciding<'_>) -> Result<Vec<NewEntry>, Fault>,
    /// Adds one fact to its layer. Pure and total: an erased fact becomes null.
    pub fold: fn(&Fact<'_>, &mut Layer),
    /// Fills its own tables from the same fact. Pure function of the log.
    pub index: fn(&Fact<'_>, Views<'_>) -> Result<(), Fault>,
    /// Keeps what policy needs of it in memory: agencies, persons, seats, circles, agreements.
    pub register: fn(&Fact<'_>, &mut Register),
    /// What must follow from a fact, on behalf of the person whose act it was.
    pub react: fn(&Fact<'_>) -> Vec<Reaction>,
}

/// Which queue an act waits in.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Lane {
    /// Declarations, alerts, acknowledgements, revocations.
    Alert,
    Normal,
    /// Imports and other long work.
    Bulk,
}

/// What a person may be allowed to do: `alert:raise`.
#[derive(Clone, Copy, Debug)]
pub struct Action {
    pub name: &'static str,
    pub lane: Lane,
    /// Whose consent it needs.
    pub class: Class,
    /// Whether the system may do it as a duty: by timer or reaction.
    pub duty: bool,
    /// Whether the act must carry the person's own signature.
    pub signed: bool,
}

/// A command that the system gives on behalf of a person.
pub struct Reaction {
    pub action: &'static str,
    pub command: Vec<u8>,
}

/// Who acts, from where, how proved.
#[derive(Clone, Debug)]
pub struct ActorContext {
    pub actor: Actor,
    pub person: Option<PersonId>,
    pub seat: Option<SeatId>,
    pub agency: AgencyId,
    pub session: Option<SessionId>,
    pub authentication: Option<Authentication>,
    pub purpose: Purpose,
    pub play: Play,
}

/// What a decision may look at. No clock, no randomness: both are given.
pub struct Deciding<'a> {
    pub views: Views<'a>,
    pub register: &'a Register,
    pub cells: &'a Cells,
    pub policy: &'a Policy,
    pub actor: &'a ActorContext,
    pub action: &'static Action,
    /// The time of the act in its play.
    pub at: Time,
    pub ids: Ids,
    /// The key under which answers to uploads are sealed.
    pub uploads: &'a Secret,
    /// What the answer to the act tells besides, once; a repeated act is answered without it.
    pub told: Option<serde_json::Value>,
}

impl Deciding<'_> {
    /// A digest that only this node can make: a copy of the views confirms no guess of its parts.
    pub fn keyed(&self, domain: &'static str, parts: &[&[u8]]) -> Digest {
        Digest(self.views.keyed(domain, parts))
    }

    /// Reads the command.
    ///
    /// # Errors
    /// `invalid-command` with the place and the reason when it has another form.
    pub fn parse<T: DeserializeOwned>(&self, command: &[u8]) -> Result<T, Fault> {
        serde_json::from_slice(command)
            .map_err(|cause| Fault::invalid("invalid-command", format!("command: {cause}")))
    }
}

impl Deciding<'_> {
    /// The base cell of a record that the actor may know of.
    ///
    /// # Errors
    /// `absent` when it does not exist, is of another kind, or may not be known to exist.
    pub fn known(&self, record: RecordId, noun: &'static str) -> Result<Cell, Fault> {
        let row = self.views.record(record)?.filter(|row| row.kind == noun);
        self.known_row(&row.ok_or_else(Fault::absent)?)
    }

    fn known_row(&self, row: &RecordRow) -> Result<Cell, Fault> {
        let duty = matches!(self.actor.actor, Actor::System);
        let gates = [Some(row.base), row.floor].into_iter().flatten();
        if !duty && !gates.clone().all(|cell| self.reads(&row.kind, cell)) {
            return Err(Fault::absent());
        }
        let cell = self.cells.row(row.base).ok_or_else(Fault::absent)?;
        let label = self.cells.label(cell.label).ok_or_else(Fault::absent)?;
        Ok(Cell { label: (**label).clone(), circle: cell.circle })
    }

    /// The base cell of a record that the actor may know of and may change.
    ///
    /// # Errors
    /// As [`Deciding::known`]; `other-agency` when neither the actor's line nor a clause of an
    /// originator lets it be changed, or, for [`Class::Joint`], when a clause forbids it.
    pub fn base_of(&self, record: RecordId, noun: &'static str) -> Result<Cell, Fault> {
        let row = self.views.record(record)?.filter(|row| row.kind == noun);
        self.base_of_row(&row.ok_or_else(Fault::absent)?)
    }

    /// Whether the actor may know of a record of a kind, whoever may change it.
    pub fn knows(&self, record: RecordId, noun: &'static str) -> bool {
        let row = self.views.record(record).ok().flatten().filter(|row| row.kind == noun);
        let gates = |row: &RecordRow| [Some(row.base), row.floor].into_iter().flatten().collect();
        let gates: Vec<CellNumber> = row.as_ref().map(gates).unwrap_or_default();
        let duty = matches!(self.actor.actor, Actor::System);
        row.is_some() && (duty || gates.iter().all(|cell| self.reads(noun, *cell)))
    }

    /// The base cell of a record whatever its kind; else as [`Deciding::base_of`].
    ///
    /// # Errors
    /// As [`Deciding::base_of`].
    pub fn base_of_row(&self, row: &RecordRow) -> Result<Cell, Fault> {
        let cell = self.known_row(row)?;
        // Joint acts are let in by rule, and yet each originator may forbid them by a clause.
        let asked = matches!(self.action.class, Class::Own | Class::Joint);
        if asked && !matches!(self.actor.actor, Actor::System) {
            for agency in cell.label.originators() {
                self.policy
                    .may_upon(self.register, self.actor, self.action.name, *agency)
                    .map_err(|cause| other_agency().because(cause))?;
            }
        }
        Ok(cell)
    }

    /// Whether the actor may read records of a kind in a cell.
    pub fn reads(&self, noun: &str, cell: CellNumber) -> bool {
        self.policy.readable_cell(self.register, self.cells, self.actor, (noun, cell))
    }

    /// What policy knows of the actor; `None` for the system at its duties.
    ///
    /// # Errors
    /// `denied` for a person whom the register does not have.
    pub fn profile(&self) -> Result<Option<Arc<policy::Profile>>, Fault> {
        match self.actor.actor {
            Actor::System => Ok(None),
            Actor::Person(_) | Actor::Service(_) => {
                self.policy.profile(self.register, self.actor).map(Some)
            }
        }
    }

    /// A new cell under the actor's play.
    ///
    /// # Errors
    /// `invalid-label` when the markings break a rule of their scheme.
    pub fn cell(
        &self,
        markings: BTreeMap<SchemeId, Marking>,
        originator: AgencyId,
        circle: Option<CircleId>,
    ) -> Result<Cell, Fault> {
        let label = Label::new(markings, BTreeSet::from([originator]), self.actor.play)
            .map_err(|cause| Fault::invalid("invalid-label", cause.to_string()))?;
        self.policy.check_label(&label)?;
        Ok(Cell { label, circle })
    }

    /// The clauses under which an agency may read what bears a label.
    ///
    /// # Errors
    /// `no-clause` that names the agency; the agency's own line needs no clause.
    pub fn flow(
        &self,
        recipient: AgencyId,
        action: &str,
        label: &Label,
    ) -> Result<Vec<(ClauseId, u32)>, Fault> {
        self.policy.flow(self.register, recipient, action, label, self.actor.purpose)
    }

    /// Whether the actor may administer an agency: its own, or any at the set-up of the node. The
    /// first administrators set up agencies of which nobody can sign in yet.
    ///
    /// # Errors
    /// `other-agency`: each agency administers its own.
    pub fn administers(&self, agency: AgencyId) -> Result<(), Fault> {
        let duty = matches!(self.actor.actor, Actor::System);
        let founder = |person| self.register.identity.founders.contains(&person);
        let sets_up =
            self.actor.person.is_some_and(founder) && !self.register.administers_itself(agency);
        if duty || self.actor.agency == agency || sets_up {
            return Ok(());
        }
        Err(other_agency())
    }
}

fn other_agency() -> Fault {
    let detail = "each agency decides about what is its own";
    Fault::new(base::Kind::Denied, "other-agency", detail)
}

/// One portion of a new entry: a fact under one label and circle.
#[derive(Clone, Debug)]
pub struct NewPortion {
    pub cell: Cell,
    /// JSON; `kind` of the entry says which.
    pub body: Vec<u8>,
}

impl NewPortion {
    /// Writes a fact as JSON.
    ///
    /// # Errors
    /// A bug when the fact cannot be written as JSON.
    pub fn of(cell: Cell, fact: &impl Serialize) -> Result<Self, Fault> {
        Ok(Self { cell, body: serde_json::to_vec(fact).map_err(Fault::bug)? })
    }
}

/// An entry that a decision gives.
#[derive(Clone, Debug)]
pub struct NewEntry {
    pub kind: &'static str,
    pub class: LeafClass,
    pub record: RecordId,
    /// At least one; the first is the base, whose label every other dominates.
    pub portions: Vec<NewPortion>,
    pub clauses: Vec<(ClauseId, u32)>,
    pub valid_at: Option<Time>,
}

impl NewEntry {
    /// An ordinary entry of one portion.
    pub fn new(kind: &'static str, record: RecordId, portion: NewPortion) -> Self {
        Self {
            kind,
            class: LeafClass::Act,
            record,
            portions: vec![portion],
            clauses: Vec::new(),
            valid_at: None,
        }
    }
}

/// A durable timer: firing is an act with the timer's id as idempotency key.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct Timer {
    /// One of the record's own names for its timers, such as `deputy`.
    pub name: String,
    pub due_at: Option<Time>,
    /// The action that fires and its command.
    pub action: String,
    pub command: serde_json::Value,
}

/// A fact as fold, index and register see it.
pub struct Fact<'a> {
    pub sequence: u64,
    pub kind: &'a str,
    pub record: RecordId,
    pub entry: base::EntryId,
    pub actor: Actor,
    pub agency: AgencyId,
    pub seat: Option<SeatId>,
    pub cell: u32,
    pub label: &'a base::Label,
    pub circle: Option<CircleId>,
    /// The time of the act in its play.
    pub acted_at: Time,
    /// `None` when the portion was erased, or lies above what this replica may hold.
    pub body: Option<&'a [u8]>,
}

impl Fact<'_> {
    /// Reads the body; `None` when it was erased or does not have the expected form.
    pub fn read<T: DeserializeOwned>(&self) -> Option<T> {
        self.body.and_then(|body| serde_json::from_slice(body).ok())
    }

    /// The person who acted, when it was a person.
    pub const fn person(&self) -> Option<PersonId> {
        match self.actor {
            Actor::Person(person) => Some(person),
            Actor::System | Actor::Service(_) => None,
        }
    }
}

/// What one layer of a record says: columns that lists need, and a body that only `open` fills.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Layer {
    pub state: Option<String>,
    pub due_at: Option<Time>,
    pub place: Option<Place>,
    pub operation: Option<OperationId>,
    /// Filled when a reader opens the record; empty while the sequencer keeps the columns.
    pub body: serde_json::Map<String, serde_json::Value>,
}

impl Layer {
    /// Adds a fact, with its time, to a list of the body.
    pub fn push(&mut self, field: &str, at: Time, fact: &impl Serialize) {
        let Ok(serde_json::Value::Object(mut item)) = serde_json::to_value(fact) else { return };
        item.insert("at".to_owned(), serde_json::Value::String(at.to_string()));
        let list = self
            .body
            .entry(field.to_owned())
            .or_insert_with(|| serde_json::Value::Array(Vec::new()));
        if let serde_json::Value::Array(items) = list {
            items.push(serde_json::Value::Object(item));
        }
    }

    /// Sets a field of the body.
    pub fn set(&mut self, field: &str, value: impl Serialize) {
        if let Ok(value) = serde_json::to_value(value) {
            self.body.insert(field.to_owned(), value);
        }
    }
}

/// The digest of a command's bytes, for idempotency and for deciding again.
///
/// It is keyed by the client's own idempotency key, of which only another digest is kept: a header
/// tells nobody whether a guess of erased content is right.
pub fn command_digest(key: &str, action: &str, command: &[u8]) -> Digest {
    base::crypto::Hasher::new("muster/command/v1")
        .part(key.as_bytes())
        .part(action.as_bytes())
        .part(command)
        .finish()
}
