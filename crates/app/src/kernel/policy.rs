//! Policy as the kernel asks it: may this actor act, or write this cell; which cells may it read.
//!
//! INVARIANT: every exit and every act passes here; the answer to anything unknown is no.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex, PoisonError};

use base::{AgencyId, ClauseId, Clearance, Digest, Kind, Label, Time, Token};
use ledger::header::{Actor, Purpose};
use policy::{
    AgencyTree, Agreement, Attributes, Class, Declared, Intent, LabelTable, PolicyEpoch, Profile,
    ReadableSets, Schemes, Sources, Target, Text, compile, decide, decide_act, recompile,
};
use roaring::RoaringBitmap;

use super::capability::{ActorContext, Capability};
use super::cells::{Cell, CellNumber, Cells};
use super::fault::Fault;
use super::register::{Register, Service};

/// The rules in force, with what they need to be asked.
pub struct Policy {
    epoch: PolicyEpoch,
    schemes: Arc<Schemes>,
    capabilities: &'static [&'static Capability],
    /// The register's count of policy changes when it was compiled.
    compiled_from: u64,
    sets: ReadableSets,
    /// The labels of the cells, as entities; numbered as the cells number them.
    labels: Mutex<LabelTable>,
    acts: Mutex<BTreeMap<(Digest, &'static str, AgencyId), bool>>,
    /// Which clauses carry an action to an agency, until the register's people change.
    flows: Mutex<(u64, Flows)>,
    /// Profiles by reader, until the register's people change.
    profiles: Mutex<(u64, Profiles)>,
}

type ReaderKey = (Actor, AgencyId, Option<base::SeatId>);
type FlowKey = (AgencyId, String, Digest, &'static str);
type Flows = BTreeMap<FlowKey, Option<Vec<(ClauseId, u32)>>>;
type Profiles = BTreeMap<ReaderKey, Arc<Profile>>;

/// LIMIT: profiles and act decisions kept.
const KEPT: usize = 65_536;

/// The class of every device: no other is told apart yet.
const DEVICE: &str = "STANDARD";

/// The purpose, as agreements name it.
pub(super) const fn purpose_code(purpose: Purpose) -> &'static str {
    match purpose {
        Purpose::Administration => "ADMINISTRATION",
        Purpose::Protection => "PROTECTION",
        Purpose::Emergency => "EMERGENCY",
        Purpose::Intelligence => "INTELLIGENCE",
        Purpose::Inspection => "INSPECTION",
        Purpose::Training => "TRAINING",
    }
}

fn token(text: &str) -> Result<Token, Fault> {
    Token::new(text).map_err(Fault::bug)
}

fn action(name: &str) -> Result<policy::Action, Fault> {
    policy::Action::new(name).map_err(Fault::bug)
}

impl Policy {
    /// The rules of a node without agencies and agreements: nothing flows.
    ///
    /// # Errors
    /// A bug when a scheme or a capability's own rules cannot be compiled.
    pub fn empty(capabilities: &'static [&'static Capability]) -> Result<Arc<Self>, Fault> {
        let schemes = Arc::new(Schemes::shipped().map_err(Fault::bug)?);
        let register = Register::default();
        Self::compile(&schemes, capabilities, &register, (0, Time::MIN), None).map(Arc::new)
    }

    /// The same rules, or new ones when agreements or agencies changed or a boundary has passed.
    ///
    /// # Errors
    /// A bug when the rules cannot be compiled; the act that changed them is refused then.
    pub fn renewed(policy: &Arc<Self>, register: &Register, at: Time) -> Result<Arc<Self>, Fault> {
        let same = policy.compiled_from == register.policy_changes;
        if same && at < policy.epoch.valid_until() {
            return Ok(Arc::clone(policy));
        }
        let next = (policy.epoch.epoch() + 1, at);
        policy.again(register, next).map(Arc::new)
    }

    /// Compiles other rules: texts that are the same are not compiled again.
    fn again(&self, register: &Register, epoch: (u64, Time)) -> Result<Self, Fault> {
        let before = Some(&self.epoch);
        Self::compile(&self.schemes, self.capabilities, register, epoch, before)
    }

    fn compile(
        schemes: &Arc<Schemes>,
        capabilities: &'static [&'static Capability],
        register: &Register,
        epoch: (u64, Time),
        before: Option<&PolicyEpoch>,
    ) -> Result<Self, Fault> {
        let above = register.agencies.iter().filter_map(|(id, agency)| {
            // A service keeps its content from the ministry above it: only units are one line.
            agency.unit.then_some(()).and(agency.parent).map(|parent| (*id, parent))
        });
        let tree = AgencyTree::new(above.collect()).map_err(Fault::bug)?;
        let agreements: Vec<&Agreement> = register
            .agreements
            .values()
            .filter(|signed| !signed.suspended)
            .filter_map(|signed| signed.in_force.as_ref())
            .collect();
        let mut declared = Vec::new();
        let mut texts = Vec::new();
        for capability in capabilities {
            for noun in std::iter::once(capability.noun) {
                let name = action(&format!("{noun}:read"))?;
                declared.push(Declared { action: name, class: Class::Read });
            }
            for act in capability.actions {
                declared.push(Declared { action: action(act.name)?, class: act.class });
            }
            texts.push(Text { name: capability.name, cedar: capability.policy });
        }
        texts.push(Text { name: "kernel", cedar: include_str!("policy.cedar") });
        let boundaries = boundaries(register);
        let sources = Sources {
            epoch: epoch.0,
            at: epoch.1,
            schemes,
            tree: &tree,
            agreements: &agreements,
            actions: &declared,
            texts: &texts,
            boundaries: &boundaries,
        };
        let compiled = match before {
            Some(before) => recompile(&sources, before),
            None => compile(&sources),
        };
        Ok(Self {
            epoch: compiled.map_err(|cause| {
                Fault::new(Kind::Bug, "policy-invalid", cause.to_string()).because(cause)
            })?,
            schemes: Arc::clone(schemes),
            capabilities,
            compiled_from: register.policy_changes,
            sets: ReadableSets::default(),
            labels: Mutex::default(),
            acts: Mutex::default(),
            flows: Mutex::default(),
            profiles: Mutex::default(),
        })
    }

    /// The number of the epoch.
    pub const fn epoch(&self) -> u64 {
        self.epoch.epoch()
    }

    /// The digest of all rules in force.
    pub const fn digest(&self) -> Digest {
        self.epoch.digest()
    }

    /// The time from which on these rules decide nothing.
    pub const fn valid_until(&self) -> Time {
        self.epoch.valid_until()
    }

    /// The schemes of labels.
    pub const fn schemes(&self) -> &Arc<Schemes> {
        &self.schemes
    }

    /// The compiled rules, for explanation and simulation.
    pub const fn rules(&self) -> &PolicyEpoch {
        &self.epoch
    }

    /// What policy knows of an actor.
    ///
    /// # Errors
    /// `denied` for a person whom the register does not have.
    pub fn profile(
        &self,
        register: &Register,
        actor: &ActorContext,
    ) -> Result<Arc<Profile>, Fault> {
        let key = (actor.actor, actor.agency, actor.seat);
        let lock = || self.profiles.lock().unwrap_or_else(PoisonError::into_inner);
        {
            let mut kept = lock();
            if kept.0 != register.people_changes || kept.1.len() >= KEPT {
                *kept = (register.people_changes, Profiles::new());
            }
            if let Some(found) = kept.1.get(&key) {
                return Ok(Arc::clone(found));
            }
        }
        let attributes = self.attributes(register, actor)?;
        let profile = Arc::new(Profile::new(attributes).map_err(Fault::bug)?);
        let mut kept = lock();
        if kept.0 == register.people_changes {
            kept.1.insert(key, Arc::clone(&profile));
        }
        Ok(profile)
    }

    fn attributes(&self, register: &Register, actor: &ActorContext) -> Result<Attributes, Fault> {
        let device = token(DEVICE)?;
        if let Actor::Service(id) = actor.actor {
            let service = register.identity.services.get(&id).filter(|service| service.active);
            let service = service.ok_or_else(denied)?;
            let mut clearance = service.clearance.clone();
            clearance.audiences = self.schemes.audiences_of(&clearance.audiences);
            return Ok(Attributes {
                agency: service.agency,
                clearance,
                roles: service.roles.clone(),
                training: BTreeSet::new(),
                device,
            });
        }
        let Some(id) = actor.person else {
            // The system has no reading right of its own.
            return Ok(Attributes {
                agency: actor.agency,
                clearance: Clearance::default(),
                roles: BTreeSet::new(),
                training: BTreeSet::new(),
                device,
            });
        };
        let person = register.persons.get(&id).filter(|person| person.active);
        let person = person.ok_or_else(denied)?;
        let at = self.epoch.valid_until();
        let current = |until: &Time| *until >= at;
        let mut clearance = person.clearance.clone();
        if person.cleared_until.is_some_and(|until| until < at) {
            clearance = Clearance::default();
        }
        clearance.audiences = self.schemes.audiences_of(&clearance.audiences);
        let mut roles = person.roles.clone();
        let seat = actor.seat.and_then(|seat| register.seats.get(&seat));
        roles.extend(seat.iter().flat_map(|seat| seat.roles.iter().cloned()));
        Ok(Attributes {
            agency: actor.agency,
            clearance,
            roles,
            training: person
                .training
                .iter()
                .filter(|(_, until)| current(until))
                .map(|(course, _)| course.clone())
                .collect(),
            device,
        })
    }

    /// The digest that names an actor's profile; zeros for one that has none.
    pub fn profile_digest(&self, register: &Register, actor: &ActorContext) -> Digest {
        self.profile(register, actor).map(|profile| profile.digest()).unwrap_or_default()
    }

    /// Whether an actor may do an act at all; what it is upon is asked with its cell.
    ///
    /// # Errors
    /// `denied`.
    pub fn may(
        &self,
        register: &Register,
        actor: &ActorContext,
        name: &'static str,
    ) -> Result<(), Fault> {
        self.may_upon(register, actor, name, actor.agency)
    }

    /// Whether an actor may do an act upon what originates with `agency`: its own line's rules, or
    /// a clause of that agency, must permit.
    ///
    /// # Errors
    /// `denied`.
    pub fn may_upon(
        &self,
        register: &Register,
        actor: &ActorContext,
        name: &'static str,
        agency: AgencyId,
    ) -> Result<(), Fault> {
        if matches!(actor.actor, Actor::System) {
            let acts = self.capabilities.iter().flat_map(|c| c.actions);
            let duty = acts.into_iter().any(|act| act.name == name && act.duty);
            return if duty { Ok(()) } else { Err(denied()) };
        }
        let within = |service: &Service| service.actions.contains(name);
        if !in_scope(register, actor, within) {
            return Err(denied());
        }
        let profile = self.profile(register, actor)?;
        let key = (profile.digest(), name, agency);
        let lock = || self.acts.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(allowed) = lock().get(&key) {
            return if *allowed { Ok(()) } else { Err(denied()) };
        }
        let (asked, purpose) = (action(name)?, token(purpose_code(actor.purpose))?);
        let intent = Intent { action: &asked, purpose: &purpose };
        let facts = BTreeSet::new();
        let target = Target { agency, label: None, state: None, facts: &facts };
        let decision = decide_act(&self.epoch, &profile, intent, &target);
        if decision.alarm {
            tracing::error!(action = name, "rules could not be evaluated: denied");
        }
        let mut acts = lock();
        if acts.len() >= KEPT {
            acts.clear();
        }
        acts.insert(key, decision.allows());
        if decision.allows() { Ok(()) } else { Err(denied()) }
    }

    /// Whether an actor may write under a cell: it must be cleared for what it writes.
    ///
    /// # Errors
    /// `label-above-clearance`.
    pub fn may_write(
        &self,
        register: &Register,
        actor: &ActorContext,
        cell: &Cell,
    ) -> Result<(), Fault> {
        if cell.label.play() != actor.play {
            return Err(Fault::invalid("other-play", "the label is of another play"));
        }
        if matches!(actor.actor, Actor::System) {
            return Ok(());
        }
        let profile = self.profile(register, actor)?;
        if policy::readable(&profile.attributes().clearance, &cell.label) {
            return Ok(());
        }
        Err(Fault::new(
            Kind::Denied,
            "label-above-clearance",
            "you are not cleared for the label that you write under",
        ))
    }

    /// Whether a label follows the rules of its schemes.
    ///
    /// # Errors
    /// `invalid-label` with the rule.
    pub fn check_label(&self, label: &Label) -> Result<(), Fault> {
        self.schemes
            .check(label)
            .map_err(|cause| Fault::invalid("invalid-label", cause.to_string()).because(cause))
    }

    /// The cells of a kind of record that an actor may read.
    ///
    /// `known` are those among the first `from` cells, from the same rules and people; the rest is
    /// asked now.
    pub fn readable(
        &self,
        register: &Register,
        cells: &Cells,
        actor: &ActorContext,
        noun: &str,
        (mut known, from): (RoaringBitmap, usize),
    ) -> RoaringBitmap {
        let labels = self.labels_of(register, cells, actor, noun);
        let line = register.ancestors(actor.agency);
        let reader = (actor.person, actor.seat);
        let from = CellNumber::try_from(from).unwrap_or(CellNumber::MAX);
        for (number, row) in cells.rows_from(from) {
            let member = row.circle.is_none_or(|circle| register.belongs(circle, reader, &line));
            if member && labels.contains(row.label) {
                known.insert(number);
            }
        }
        known
    }

    /// The labels of a kind of record that an actor may read; none when that cannot be told.
    pub(super) fn labels_of(
        &self,
        register: &Register,
        cells: &Cells,
        actor: &ActorContext,
        noun: &str,
    ) -> RoaringBitmap {
        self.readable_labels(register, cells, actor, noun).unwrap_or_else(|fault| {
            tracing::warn!(error = %fault, "a readable set could not be computed: it is empty");
            RoaringBitmap::new()
        })
    }

    fn readable_labels(
        &self,
        register: &Register,
        cells: &Cells,
        actor: &ActorContext,
        noun: &str,
    ) -> Result<RoaringBitmap, Fault> {
        let within = |service: &Service| service.kinds.contains(noun);
        if !in_scope(register, actor, within) {
            return Ok(RoaringBitmap::new());
        }
        let profile = self.profile(register, actor)?;
        let (asked, purpose) =
            (action(&format!("{noun}:read"))?, token(purpose_code(actor.purpose))?);
        let intent = Intent { action: &asked, purpose: &purpose };
        let mut table = self.labels.lock().unwrap_or_else(PoisonError::into_inner);
        while let Some(label) = cells.label(table.len()) {
            table.intern(label).map_err(Fault::bug)?;
        }
        // The sets check the epoch's time themselves; its start is always within it.
        let at = self.epoch.valid_until().plus_ms(-1);
        let set = self.sets.get(&self.epoch, &profile, intent, &table, at).map_err(Fault::bug)?;
        if !set.alarms().is_empty() {
            tracing::error!(labels = set.alarms().len(), "rules could not be evaluated: denied");
        }
        // A table may know labels of a newer state than `cells`: no cell of it has their numbers.
        Ok(set.bits().clone())
    }

    /// Whether an actor may read one cell of a kind of record.
    pub fn readable_cell(
        &self,
        register: &Register,
        cells: &Cells,
        actor: &ActorContext,
        of: (&str, CellNumber),
    ) -> bool {
        let (noun, cell) = of;
        let Some(row) = cells.row(cell) else { return false };
        let line = register.ancestors(actor.agency);
        let reader = (actor.person, actor.seat);
        if row.circle.is_some_and(|circle| !register.belongs(circle, reader, &line)) {
            return false;
        }
        self.readable_labels(register, cells, actor, noun)
            .is_ok_and(|labels| labels.contains(row.label))
    }

    /// The rules as they were at `at`, when the register was `register`.
    ///
    /// # Errors
    /// A bug when the rules cannot be compiled.
    pub fn as_of(&self, register: &Register, at: Time) -> Result<Self, Fault> {
        self.again(register, (self.epoch.epoch(), at))
    }

    /// Decides whether an actor may read what bears a label, and says on what grounds.
    ///
    /// # Errors
    /// `denied` for a person whom the register does not have.
    pub fn decision(
        &self,
        register: &Register,
        actor: &ActorContext,
        noun: &str,
        label: &Label,
    ) -> Result<policy::Decision, Fault> {
        let profile = self.profile(register, actor)?;
        let (asked, purpose) =
            (action(&format!("{noun}:read"))?, token(purpose_code(actor.purpose))?);
        let intent = Intent { action: &asked, purpose: &purpose };
        Ok(decide(&self.epoch, &profile, intent, label))
    }

    /// Whether rules and clauses would let readers of an agency, if they were cleared, through to
    /// every one of some labels; nothing is asked of the people who are there.
    ///
    /// # Errors
    /// A bug when the rules cannot be asked.
    pub fn reach(
        &self,
        (agency, roles): (AgencyId, &BTreeSet<Token>),
        noun: &str,
        labels: &[&Label],
        purpose: Purpose,
    ) -> Result<policy::Reach, Fault> {
        let (asked, purpose) = (action(&format!("{noun}:read"))?, token(purpose_code(purpose))?);
        let intent = Intent { action: &asked, purpose: &purpose };
        let device = token(DEVICE)?;
        let of = policy::Readers { agency, device: &device, roles };
        policy::reach(&self.epoch, of, intent, labels).map_err(Fault::bug)
    }

    /// The clauses under which people of an agency who are cleared for a label may read it.
    ///
    /// # Errors
    /// `no-clause` that names the agency, when no clause lets it through.
    pub fn flow(
        &self,
        register: &Register,
        recipient: AgencyId,
        name: &str,
        label: &Label,
        purpose: Purpose,
    ) -> Result<Vec<(ClauseId, u32)>, Fault> {
        let key = (recipient, name.to_owned(), label.digest(), purpose_code(purpose));
        let lock = || self.flows.lock().unwrap_or_else(PoisonError::into_inner);
        let known = {
            let mut flows = lock();
            if flows.0 != register.people_changes || flows.1.len() >= KEPT {
                *flows = (register.people_changes, Flows::new());
            }
            flows.1.get(&key).cloned()
        };
        let found = if let Some(found) = known {
            found
        } else {
            let found = self.best_placed(register, recipient, name, (label, purpose))?;
            lock().1.insert(key, found.clone());
            found
        };
        found.ok_or_else(|| {
            let known = register.agencies.get(&recipient);
            let code = known.map_or_else(|| recipient.to_string(), |a| a.code.to_string());
            Fault::new(
                Kind::Denied,
                "no-clause",
                format!("no clause lets `{name}` at this label flow to {code}"),
            )
        })
    }

    /// Whether a person of an agency, on a seat, would be let through to a label; circles are asked
    /// elsewhere.
    pub fn reads(
        &self,
        register: &Register,
        (person, agency, seat): (base::PersonId, AgencyId, Option<base::SeatId>),
        name: &str,
        label: &Label,
        purpose: Purpose,
    ) -> bool {
        let reader = reader_of(person, agency, seat);
        let (Ok(profile), Ok(asked)) = (self.profile(register, &reader), action(name)) else {
            return false;
        };
        let Ok(purpose) = token(purpose_code(purpose)) else { return false };
        let intent = Intent { action: &asked, purpose: &purpose };
        decide(&self.epoch, &profile, intent, label).allows()
    }

    /// Asks policy as each reader of an agency until one is let through: whoever of it reads in the
    /// end passes the same policy with a profile of their own.
    fn best_placed(
        &self,
        register: &Register,
        recipient: AgencyId,
        name: &str,
        (label, purpose): (&Label, Purpose),
    ) -> Result<Option<Vec<(ClauseId, u32)>>, Fault> {
        let (asked, purpose) = (action(name)?, token(purpose_code(purpose))?);
        let intent = Intent { action: &asked, purpose: &purpose };
        for (id, person) in register.persons.iter().filter(|(_, p)| p.agency == recipient) {
            let seats = register.seats_of(*id).map(|(seat, _)| Some(*seat)).chain([None]);
            for seat in seats {
                let reader = reader_of(*id, person.agency, seat);
                let Ok(profile) = self.profile(register, &reader) else { continue };
                let decision = decide(&self.epoch, &profile, intent, label);
                if decision.allows() {
                    let cited = decision.clauses.iter();
                    return Ok(Some(cited.map(|c| (c.clause, c.version)).collect()));
                }
            }
        }
        Ok(None)
    }
}

/// Whether a service account's own list lets it go on; policy still decides after it.
fn in_scope(
    register: &Register,
    actor: &ActorContext,
    within: impl FnOnce(&Service) -> bool,
) -> bool {
    match actor.actor {
        Actor::Service(id) => register.identity.services.get(&id).is_some_and(within),
        Actor::Person(_) | Actor::System => true,
    }
}

fn reader_of(person: base::PersonId, agency: AgencyId, seat: Option<base::SeatId>) -> ActorContext {
    ActorContext {
        actor: Actor::Person(person),
        person: Some(person),
        seat,
        agency,
        session: None,
        authentication: None,
        purpose: Purpose::Protection,
        play: base::Play::Live,
    }
}

fn denied() -> Fault {
    Fault::new(Kind::Denied, "denied", "policy does not let you do this")
}

/// When rights of people end with time.
fn boundaries(register: &Register) -> Vec<Time> {
    let mut boundaries = Vec::new();
    for person in register.persons.values() {
        boundaries.extend(person.cleared_until);
        boundaries.extend(person.training.values().copied());
    }
    boundaries
}
