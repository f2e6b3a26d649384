//! Compiles the agreements in force and the capabilities' own rules into one policy epoch.
//!
//! Time stays out of decisions: only what is in force is compiled, and an epoch decides nothing
//! from its next boundary on. Anything that does not validate strictly is a refusal of the whole.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex, PoisonError};

use base::{AgencyId, Digest, Time};
use cedar_policy::{
    ActionConstraint, Authorizer, Policy, PolicyId, PolicySet, Schema, ValidationMode, Validator,
};

use crate::agency::AgencyTree;
use crate::agreement::{Action, Agreement, Clause, ClauseRef};
use crate::canonical::Canonical;
use crate::scheme::Schemes;
use crate::{Error, SLICES, rule};

/// What an action is upon, and who must consent.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Class {
    /// Content leaves: upon a label, with the consent of each of its originators.
    Read,
    /// Upon a target of one's own line, or of another agency under a clause.
    Own,
    /// Upon any target, where the capability's own rules suffice: acknowledging an alert.
    Joint,
}

/// An action that a capability declares.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Declared {
    pub action: Action,
    pub class: Class,
}

/// A capability's `policy.cedar`, with the capability's name.
///
/// Each rule bears an `@id`, unique in its text. A rule may permit what is one's own; for another
/// agency's records its permit counts for nothing (no clause, no flow), its forbid for everything.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Text<'a> {
    pub name: &'a str,
    pub cedar: &'a str,
}

/// Everything that an epoch is compiled from.
#[derive(Clone, Copy)]
pub struct Sources<'a> {
    pub epoch: u64,
    pub at: Time,
    pub schemes: &'a Arc<Schemes>,
    pub tree: &'a AgencyTree,
    /// Signed and not suspended; those outside their time are left out here.
    pub agreements: &'a [&'a Agreement],
    pub actions: &'a [Declared],
    pub texts: &'a [Text<'a>],
    /// When clearances, courses and authorities of readers end.
    pub boundaries: &'a [Time],
}

/// The next time after `at` at which a decision may change without an act; the end of time if
/// never.
pub fn next_boundary(at: Time, agreements: &[&Agreement], others: &[Time]) -> Time {
    let windows = agreements.iter().flat_map(|agreement| {
        std::iter::once(agreement.force).chain(agreement.clauses.iter().map(|c| c.force))
    });
    let others = others.iter().copied().filter(|boundary| *boundary > at);
    windows.filter_map(|window| window.boundary(at)).chain(others).min().unwrap_or(Time::MAX)
}

/// A compiled rule and for whom it can matter.
#[derive(Clone)]
struct Rule {
    policy: Policy,
    /// `None` for every action.
    actions: Option<BTreeSet<Action>>,
    /// The agencies that it names as receiving; `None` for every agency.
    grantees: Option<BTreeSet<AgencyId>>,
    /// The agencies that it names as originating; `None` for every agency.
    grantors: Option<BTreeSet<AgencyId>>,
    mandatory: bool,
}

/// A text and the rules that it was parsed into and validated as; shared between epochs.
struct Compiled {
    text: String,
    rules: Vec<Rule>,
}

type Slices = BTreeMap<(AgencyId, Action, AgencyId), Arc<PolicySet>>;

/// The rules in force between two boundaries.
pub struct PolicyEpoch {
    epoch: u64,
    digest: Digest,
    compiled_at: Time,
    valid_until: Time,
    schemes: Arc<Schemes>,
    tree: AgencyTree,
    declared: BTreeMap<Action, Class>,
    agreements: Vec<Agreement>,
    schema: (String, Schema),
    /// By the name of the text: a capability, a clause, or one of the mandatory rules.
    compiled: BTreeMap<String, Arc<Compiled>>,
    whole: Arc<PolicySet>,
    slices: Mutex<Slices>,
    authorizer: Authorizer,
}

impl PolicyEpoch {
    /// The number of the epoch.
    pub const fn epoch(&self) -> u64 {
        self.epoch
    }

    /// The digest of all rules, the schema and the tree: equal policy, equal digest.
    pub const fn digest(
    schema: &str,
    compiled: &BTreeMap<String, Arc<Compiled>>,
    tree: &AgencyTree,
    agreements: &[Agreement],
) -> Digest {
    let mut to = Canonical::new();
    to.list(4).text(schema).list(compiled.len());
    for (name, compiled) in compiled {
        to.list(2).text(name).text(&compiled.text);
    }
    to.list(tree.iter().count());
    for (unit, above) in tree.iter() {
        to.list(2).bytes(&unit.0).bytes(&above.0);
    }
    // Titles and tables too, which no rule holds: decisions cite the agreement as it was signed.
    let mut digests: Vec<Digest> = agreements.iter().map(Agreement::digest).collect();
    digests.sort_unstable();
    to.list(digests.len());
    for digest in digests {
        to.bytes(&digest.0);
    }
    to.digest("muster/policy/v1")
}
