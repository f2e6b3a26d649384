//! Agreements: the signed instruments between agencies, as data that a machine executes.
//!
//! What a person reads ([`crate::prose`]) and what the machine decides by ([`crate::compile`]) are
//! both made from the same [`Clause`], so the two cannot differ.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::str::FromStr;

use base::{
    AgencyId, AgreementId, ClauseId, Digest, Label, Level, Line, NonEmpty, SchemeId, Time, Token,
};
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::canonical::Canonical;
use crate::equivalence::Table;
use crate::scheme::Schemes;
use crate::{CLAUSES_PER_AGREEMENT, Error};

/// What may be done, as `noun:verb`: `report:read`.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Action(String);

const EXISTS: &str = "exists";

impl Action {
    /// Takes an action's name: two words of lower-case letters, digits and hyphens.
    ///
    /// # Errors
    /// [`Error::Action`] for any other form, and above 64 bytes.
    pub fn new(text: impl Into<String>) -> Result<Self, Error> {
        let text = text.into();
        let word = |word: &str| {
            word.starts_with(|c: char| c.is_ascii_lowercase())
                && word.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-')
        };
        match text.split_once(':') {
            Some((noun, verb)) if word(noun) && word(verb) && text.len() <= 64 => Ok(Self(text)),
            Some(_) | None => Err(Error::Action(text.chars().take(64).collect())),
        }
    }

    /// The name itself.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    fn noun(&self) -> &str {
        self.0.split_once(':').map_or("", |(noun, _)| noun)
    }

    /// The action of learning that a record of the noun exists, and nothing of its content.
    #[must_use]
    pub fn existence(&self) -> Self {
        Self(format!("{}:{EXISTS}", self.noun()))
    }

    /// Says whether this is the action of learning that a record exists.
    pub fn discloses_existence(&self) -> bool {
        self.0.split_once(':').is_some_and(|(_, verb)| verb == EXISTS)
    }
}

impl fmt::Display for Action {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl FromStr for Action {
    type Err = Error;
    fn from_str(text: &str) -> Result<Self, Error> {
        Self::new(text)
    }
}

impl Serialize for Action {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&self.0)
    }
}

impl<'de> Deserialize<'de> for Action {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Self::new(String::deserialize(deserializer)?).map_err(serde::de::Error::custom)
    }
}

/// The name of one version of one clause, as decisions and headers cite it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct ClauseRef {
    pub agreement: AgreementId,
    pub clause: ClauseId,
    pub version: u32,
}

impl fmt::Display for ClauseRef {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}:{}", self.agreement, self.clause, self.version)
    }
}

impl FromStr for ClauseRef {
    type Err = Error;
    fn from_str(text: &str) -> Result<Self, Error> {
        let parts: Vec<&str> = text.split(':').collect();
        let read = || match parts.as_slice() {
            [agreement, clause, version] => Some(Self {
                agreement: agreement.parse().ok()?,
                clause: clause.parse().ok()?,
                version: version.parse().ok()?,
            }),
            _ => None,
        };
        read()
            .filter(|clause| clause.to_string() == text)
            .ok_or_else(|| Error::ClauseRef(text.chars().take(128).collect()))
    }
}

/// A span of time: from its start, up to but not including its end.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Window {
    pub starts_at: Time,
    pub ends_at: Time,
}

impl Window {
    /// Says whether the span holds the time.
    pub fn contains(&self, at: Time) -> bool {
        self.starts_at <= at && at < self.ends_at
    }
}

/// Whether a clause lets something through, or caps what others let through.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Effect {
    /// The grantees may, within the limits.
    Permit,
    /// The grantees may not, except within the limits, whatever other clauses permit.
    Forbid,
}

/// What the grantee learns.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Discloses {
    /// The content, and with it that the record exists.
    Content,
    /// That a record exists, and nothing of its content: a hit or no hit.
    Existence,
}

/// Which people of a grantee receive.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Roles {
    Any,
    /// Holders of one of these roles.
    Only(NonEmpty<Token>),
}

/// An agency, with its units, that receives.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Grantee {
    pub agency: AgencyId,
    pub roles: Roles,
}

/// The most that flows of one scheme's markings.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Ceiling {
    pub level: Level,
    /// Compartments that may be present; any other blocks.
    #[serde(default)]
    pub compartments: BTreeSet<Token>,
}

/// Which labels are within a clause. A scheme that is not named is not within it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Limits {
    pub ceilings: BTreeMap<SchemeId, Ceiling>,
    /// Caveats that take a record out of the clause: ORCON needs a release of its own.
    #[serde(default)]
    pub caveats_excluded: BTreeSet<Token>,
}

/// The smallest part of an agreement that permits a flow.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Clause {
    pub id: ClauseId,
    pub version: u32,
    /// The agencies, with their units, whose records flow.
    pub grantors: NonEmpty<AgencyId>,
    pub grantees: NonEmpty<Grantee>,
    pub effect: Effect,
    pub actions: NonEmpty<Action>,
    pub discloses: Discloses,
    pub limits: Limits,
    pub purposes: NonEmpty<Token>,
    /// Courses that a reader must have passed, all of them.
    #[serde(default)]
    pub training: BTreeSet<Token>,
    pub force: Window,
}

/// Whether a grantee may hand on what it received.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Onward {
    Forbidden,
    /// Each time with the originator's consent.
    WithConsent,
    /// To the other parties under their own clauses.
    AmongParties,
}

/// A signed instrument between agencies.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Agreement {
    pub id: AgreementId,
    pub version: u32,
    pub title: Line<160>,
    pub parties: NonEmpty<AgencyId>,
    /// The law, decree or order on which it rests.
    pub legal_basis: Line<400>,
    pub purposes: NonEmpty<Token>,
    pub force: Window,
    pub clauses: Vec<Clause>,
    #[serde(default)]
    pub equivalences: Vec<Table>,
    /// Days after which a grantee erases what it received; unlimited when absent.
    pub retention_days_max: Option<u32>,
    pub onward: Onward,
}

impl Clause {
    /// The action that the rule is about: the action itself, or its existence.
    pub(crate) fn rule_actions(&self) -> BTreeSet<Action> {
        let of = |action: &Action| match self.discloses {
            Discloses::Content => action.clone(),
            Discloses::Existence => action.existence(),
        };
        self.actions.iter().map(of).collect()
    }

    fn encode(&self, to: &mut Canonical) {
        to.list(11).bytes(&self.id.0).number(u64::from(self.version));
        to.ids(self.grantors.iter().map(AgencyId::as_bytes));
        let grantees: BTreeSet<(AgencyId, Option<BTreeSet<&Token>>)> =
            self.grantees.iter().map(|g| (g.agency, g.role_set())).collect();
        to.list(grantees.len());
        for (agency, roles) in grantees {
            to.list(2).bytes(&agency.0);
            match roles {
                None => to.null(),
                Some(roles) => to.codes(roles),
            };
        }
        to.text(match self.effect {
            Effect::Permit => "permit",
            Effect::Forbid => "forbid",
        });
        let actions: BTreeSet<&Action> = self.actions.iter().collect();
        to.list(actions.len());
        for action in actions {
            to.text(action.as_str());
        }
        to.text(match self.discloses {
            Discloses::Content => "content",
            Discloses::Existence => "existence",
        });
        to.list(2).list(self.limits.ceilings.len());
        for (scheme, ceiling) in &self.limits.ceilings {
            to.list(3).text(scheme.0.as_str()).number(u64::from(ceiling.level.0));
            to.codes(&ceiling.compartments);
        }
        to.codes(&self.limits.caveats_excluded).codes(&self.purposes).codes(&self.training);
        to.list(2).time(self.force.starts_at).time(self.force.ends_at);
    }
}

impl Grantee {
    /// The roles of which one is needed; `None` for everybody.
    pub fn role_set(&self) -> Option<BTreeSet<&Token>> {
        match &self.roles {
            Roles::Any => None,
            Roles::Only(roles) => Some(roles.iter().collect()),
        }
    }
}

impl Agreement {
    /// The name under which decisions cite a clause of this agreement.
    pub const fn clause_ref(&self, clause: &Clause) -> ClauseRef {
        ClauseRef { agreement: self.id, clause: clause.id, version: clause.version }
    }

    /// The clauses in force at a time; none when the agreement itself is not.
    pub fn in_force(&self, at: Time) -> impl Iterator<Item = &Clause> {
        let open = self.force.contains(at);
        self.clauses.iter().filter(move |clause| open && clause.force.contains(at))
    }

    /// The canonical bytes that the parties sign: deterministic CBOR (RFC 8949 §4.2.1).
    ///
    /// The order in which a set was written does not matter; the order of clauses and rows does.
    pub fn to_bytes(&self) -> Vec<u8> {
        let mut to = Canonical::new();
        to.list(12).number(1).bytes(&self.id.0).number(u64::from(self.version));
        to.text(self.title.as_str()).ids(self.parties.iter().map(AgencyId::as_bytes));
        to.text(self.legal_basis.as_str()).codes(&self.purposes);
        to.list(2).time(self.force.starts_at).time(self.force.ends_at);
        to.list(self.clauses.len());
        for clause in &self.clauses {
            clause.encode(&mut to);
        }
        to.list(self.equivalences.len());
        for table in &self.equivalences {
            table.encode(&mut to);
        }
        match self.retention_days_max {
            None => to.null(),
            Some(days) => to.number(u64::from(days)),
        };
        to.text(match self.onward {
            Onward::Forbidden => "forbidden",
            Onward::WithConsent => "with-consent",
            Onward::AmongParties => "among-parties",
        });
        to.finish()
    }

    /// The digest that signatures are over.
    pub fn digest(&self) -> Digest {
        base::crypto::Hasher::new("muster/agreement/v1").part(&self.to_bytes()).finish()
    }

    /// Checks what must hold before anybody signs.
    ///
    /// # Errors
    /// [`Error::Agreement`] for the first rule that is broken; [`Error::Table`] and
    /// [`Error::Equivalence`] for its tables.
    pub fn check(&self, schemes: &Schemes) -> Result<(), Error> {
        self.check_clauses(schemes)?;
        let refuse = |rule: String| Err(Error::Agreement { agreement: self.id, rule });
        let mut pairs = BTreeSet::new();
        for table in &self.equivalences {
            if !pairs.insert((&table.from, &table.to)) {
                return refuse("two tables are for the same two schemes".into());
            }
            let mut tables = self.equivalences.iter();
            let back = tables.find(|back| back.from == table.to && back.to == table.from);
            table.check(back, schemes)?;
        }
        Ok(())
    }

    /// Checks everything but the tables.
    pub(crate) fn check_clauses(&self, schemes: &Schemes) -> Result<(), Error> {
        let refuse = |rule: String| Err(Error::Agreement { agreement: self.id, rule });
        if self.force.starts_at >= self.force.ends_at {
            return refuse("it ends before it starts".into());
        }
        if self.clauses.len() > CLAUSES_PER_AGREEMENT {
            return refuse(format!("more than {CLAUSES_PER_AGREEMENT} clauses"));
        }
        let mut ids = BTreeSet::new();
        for clause in &self.clauses {
            if !ids.insert(clause.id) {
                return refuse(format!("clause `{}` stands twice", clause.id));
            }
            if let Some(rule) = self.clause_fault(clause, schemes) {
                return refuse(format!("clause `{}`: {rule}", clause.id));
            }
        }
        Ok(())
    }

    fn clause_fault(&self, clause: &Clause, schemes: &Schemes) -> Option<String> {
        let party = |agency: &AgencyId| self.parties.iter().any(|party| party == agency);
        let agencies = clause.grantors.iter().chain(clause.grantees.iter().map(|g| &g.agency));
        if let Some(agency) = agencies.into_iter().find(|agency| !party(agency)) {
            return Some(format!("agency `{agency}` is no party"));
        }
        let named = |purpose: &&Token| !self.purposes.iter().any(|own| own == *purpose);
        if let Some(purpose) = clause.purposes.iter().find(named) {
            return Some(format!("purpose `{purpose}` is not one of the agreement"));
        }
        if clause.force.starts_at >= clause.force.ends_at {
            return Some("it ends before it starts".into());
        }
        if clause.actions.iter().any(Action::discloses_existence) {
            return Some("existence is disclosed by `discloses`, not by an action".into());
        }
        if clause.effect == Effect::Permit && clause.limits.ceilings.is_empty() {
            return Some("it permits nothing, for it names no scheme".into());
        }
        clause.limits.fault(schemes)
    }
}

impl Limits {
    fn fault(&self, schemes: &Schemes) -> Option<String> {
        for (id, ceiling) in &self.ceilings {
            let Ok(scheme) = schemes.get(id) else {
                return Some(format!("scheme `{id}` is not known"));
            };
            if scheme.level(ceiling.level).is_none() {
                return Some(format!("scheme `{id}` has no level {}", ceiling.level.0));
            }
            let unknown = |code: &&Token| scheme.compartment(code).is_none();
            if let Some(code) = ceiling.compartments.iter().find(unknown) {
                return Some(format!("scheme `{id}` has no compartment `{code}`"));
            }
        }
        let unknown = |code: &&Token| schemes.iter().all(|scheme| scheme.caveat(code).is_none());
        self.caveats_excluded
            .iter()
            .find(unknown)
            .map(|code| format!("caveat `{code}` is of no scheme"))
    }

    /// Says whether a label is within the limits: what the compiled rule says, in Rust.
    ///
    /// Explanations use it; decisions never do.
    pub fn hold(&self, label: &Label) -> bool {
        label.markings().iter().all(|(scheme, marking)| {
            self.ceilings.get(scheme).is_some_and(|ceiling| {
                marking.level <= ceiling.level
                    && marking.compartments.is_subset(&ceiling.compartments)
                    && marking.caveats.is_disjoint(&self.caveats_excluded)
            })
        })
    }
}
