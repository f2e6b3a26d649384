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
    all_boundaries(agreements, others).filter(|boundary| *boundary > at).min().unwrap_or(Time::MAX)
}

/// The last time up to `at` at which a decision may have changed without an act.
fn last_boundary(at: Time, agreements: &[&Agreement], others: &[Time]) -> Time {
    all_boundaries(agreements, others).filter(|boundary| *boundary <= at).max().unwrap_or(Time::MIN)
}

fn all_boundaries(agreements: &[&Agreement], others: &[Time]) -> impl Iterator<Item = Time> {
    let windows = agreements.iter().flat_map(|agreement| {
        std::iter::once(agreement.force).chain(agreement.clauses.iter().map(|c| c.force))
    });
    windows.flat_map(|window| [window.starts_at, window.ends_at]).chain(others.iter().copied())
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
    valid_from: Time,
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
    pub const fn digest(&self) -> Digest {
        self.digest
    }

    /// The time before which the epoch decides nothing: the last boundary.
    pub const fn valid_from(&self) -> Time {
        self.valid_from
    }

    /// The time from which on the epoch decides nothing: the next boundary.
    pub const fn valid_until(&self) -> Time {
        self.valid_until
    }

    /// Says whether the epoch may decide at a time.
    pub fn decides_at(&self, at: Time) -> bool {
        self.valid_from <= at && at < self.valid_until
    }

    /// The schemes of the epoch.
    pub const fn schemes(&self) -> &Arc<Schemes> {
        &self.schemes
    }

    /// The tree of agencies of the epoch.
    pub const fn tree(&self) -> &AgencyTree {
        &self.tree
    }

    /// The class of a declared action, existence included.
    pub fn class(&self, action: &Action) -> Option<Class> {
        self.declared.get(action).copied()
    }

    /// The declared actions.
    pub fn actions(&self) -> impl Iterator<Item = (&Action, Class)> {
        self.declared.iter().map(|(action, class)| (action, *class))
    }

    /// The clauses in force, each with its agreement.
    pub fn clauses(&self) -> impl Iterator<Item = (&Agreement, &Clause)> {
        self.agreements.iter().flat_map(|a| a.clauses.iter().map(move |clause| (a, clause)))
    }

    /// The clause that a decision cites.
    pub fn clause(&self, name: ClauseRef) -> Option<(&Agreement, &Clause)> {
        self.clauses().find(|(agreement, clause)| agreement.clause_ref(clause) == name)
    }

    fn rules(&self) -> impl Iterator<Item = &Rule> {
        self.compiled.values().flat_map(|compiled| &compiled.rules)
    }

    /// All rules as text, each behind its id, for review and analysis.
    pub fn to_cedar(&self) -> String {
        let rule = |rule: &Rule| format!("// {}\n{}\n", rule.policy.id(), rule.policy);
        self.rules().map(rule).collect()
    }

    /// The Cedar schema of the rules, for review and analysis.
    pub fn schema_text(&self) -> &str {
        &self.schema.0
    }

    pub(crate) const fn authorizer(&self) -> &Authorizer {
        &self.authorizer
    }

    pub(crate) const fn whole(&self) -> &Arc<PolicySet> {
        &self.whole
    }

    /// The rules, without the mandatory ones, that can matter to readers of an agency for an action
    /// upon what originates with another.
    ///
    /// LIMIT: beyond [`SLICES`] all are dropped; they are cut again when asked for.
    pub(crate) fn slice(
        &self,
        reader: AgencyId,
        action: &Action,
        originator: AgencyId,
    ) -> Result<Arc<PolicySet>, Error> {
        let key = (reader, action.clone(), originator);
        let lock = || self.slices.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(slice) = lock().get(&key) {
            return Ok(slice.clone());
        }
        let names = |agencies: &Option<BTreeSet<AgencyId>>, unit| {
            let named =
                |named: &BTreeSet<AgencyId>| self.tree.line(unit).any(|a| named.contains(&a));
            agencies.as_ref().is_none_or(named)
        };
        let matters = |rule: &&Rule| {
            !rule.mandatory
                && rule.actions.as_ref().is_none_or(|actions| actions.contains(action))
                && names(&rule.grantees, reader)
                && names(&rule.grantors, originator)
        };
        let policies = self.rules().filter(matters).map(|rule| rule.policy.clone());
        let slice = Arc::new(PolicySet::from_policies(policies).map_err(Box::new)?);
        let mut slices = lock();
        if slices.len() >= SLICES {
            slices.clear();
        }
        Ok(slices.entry(key).or_insert(slice).clone())
    }
}

/// Compiles an epoch.
///
/// # Errors
/// [`Error::RuleText`], [`Error::Rule`] and [`Error::Validation`] name the text or rule that is
/// refused, [`Error::Agreement`] the agreement; then no epoch is made, and the one before decides
/// until its boundary.
pub fn compile(sources: &Sources<'_>) -> Result<PolicyEpoch, Error> {
    compiled(sources, None)
}

/// Compiles the epoch that follows another: texts that did not change are not compiled again.
///
/// # Errors
/// As [`compile`], whose result it equals.
pub fn recompile(sources: &Sources<'_>, before: &PolicyEpoch) -> Result<PolicyEpoch, Error> {
    compiled(sources, Some(before))
}

fn compiled(sources: &Sources<'_>, before: Option<&PolicyEpoch>) -> Result<PolicyEpoch, Error> {
    let declared = with_existence(sources.actions)?;
    let schema_text = rule::schema(sources.schemes, &declared);
    let before = before.filter(|before| before.schema.0 == schema_text);
    let schema = match before {
        Some(before) => before.schema.1.clone(),
        None => parse_schema(&schema_text)?,
    };
    let agreements = in_force(sources);
    for agreement in &agreements {
        agreement.check_clauses(sources.schemes)?;
    }
    let mut compiler = Compiler { before, compiled: BTreeMap::new(), fresh: Vec::new() };
    for (id, text) in rule::mandatory(sources.schemes) {
        compiler.add(id, text, |id, text| {
            Ok(vec![Rule { mandatory: true, ..any_rule(parse(id, text)?) }])
        })?;
    }
    for text in sources.texts {
        compiler.add(text.name.to_owned(), text.cedar.to_owned(), rules_of)?;
    }
    for agreement in &agreements {
        for clause in &agreement.clauses {
            let (id, text) = rule::clause(sources.schemes, agreement, clause);
            compiler.add(id, text, |id, text| Ok(vec![clause_rule(clause, parse(id, text)?)]))?;
        }
    }
    let Compiler { compiled, fresh, .. } = compiler;
    validate(schema.clone(), &PolicySet::from_policies(fresh).map_err(Box::new)?)?;
    let all = compiled.values().flat_map(|compiled| &compiled.rules);
    let whole = PolicySet::from_policies(all.map(|rule| rule.policy.clone())).map_err(Box::new)?;
    Ok(PolicyEpoch {
        epoch: sources.epoch,
        digest: digest(&schema_text, &compiled, sources.tree, &agreements),
        valid_from: last_boundary(sources.at, sources.agreements, sources.boundaries),
        valid_until: next_boundary(sources.at, sources.agreements, sources.boundaries),
        schemes: sources.schemes.clone(),
        tree: sources.tree.clone(),
        declared: declared.into_iter().map(|d| (d.action, d.class)).collect(),
        agreements,
        schema: (schema_text, schema),
        compiled,
        whole: Arc::new(whole),
        slices: Mutex::default(),
        authorizer: Authorizer::new(),
    })
}

/// Gathers texts by name; parses those that the epoch before did not have.
struct Compiler<'a> {
    before: Option<&'a PolicyEpoch>,
    compiled: BTreeMap<String, Arc<Compiled>>,
    /// The rules that are yet to be validated.
    fresh: Vec<Policy>,
}

impl Compiler<'_> {
    fn add(
        &mut self,
        name: String,
        text: String,
        parse: impl FnOnce(&str, &str) -> Result<Vec<Rule>, Error>,
    ) -> Result<(), Error> {
        let known = self.before.and_then(|before| before.compiled.get(&name));
        let compiled = if let Some(known) = known.filter(|known| known.text == text) {
            known.clone()
        } else {
            let rules = parse(&name, &text)?;
            self.fresh.extend(rules.iter().map(|rule| rule.policy.clone()));
            Arc::new(Compiled { text, rules })
        };
        match self.compiled.insert(name.clone(), compiled) {
            None => Ok(()),
            Some(_) => Err(Error::Rule { text: name, rule: "it stands twice".into() }),
        }
    }
}

fn parse_schema(text: &str) -> Result<Schema, Error> {
    let (schema, warnings) =
        Schema::from_cedarschema_str(text).map_err(|cause| Error::Schema(Box::new(cause)))?;
    match warnings.into_iter().next() {
        None => Ok(schema),
        Some(warning) => {
            Err(Error::Validation { rule: "schema".into(), finding: warning.to_string() })
        }
    }
}

/// The declared actions, and for every noun whose content can be read, its existence.
fn with_existence(actions: &[Declared]) -> Result<BTreeSet<Declared>, Error> {
    let fault = |action: &Action, rule: &str| {
        Err(Error::Rule { text: action.to_string(), rule: rule.into() })
    };
    let mut declared = BTreeMap::new();
    for Declared { action, class } in actions {
        if action.discloses_existence() {
            return fault(action, "existence is declared with the action of reading");
        }
        if declared.insert(action.clone(), *class).is_some() {
            return fault(action, "the action is declared twice");
        }
    }
    let reads = actions.iter().filter(|declared| declared.class == Class::Read);
    let existences: Vec<Action> = reads.map(|declared| declared.action.existence()).collect();
    declared.extend(existences.into_iter().map(|action| (action, Class::Read)));
    Ok(declared.into_iter().map(|(action, class)| Declared { action, class }).collect())
}

/// The agreements in force, each with only those of its clauses that are.
fn in_force(sources: &Sources<'_>) -> Vec<Agreement> {
    let cut = |agreement: &&Agreement| {
        let clauses: Vec<Clause> = agreement.in_force(sources.at).cloned().collect();
        (!clauses.is_empty()).then(|| Agreement { clauses, ..(*agreement).clone() })
    };
    sources.agreements.iter().filter_map(cut).collect()
}

fn any_rule(policy: Policy) -> Rule {
    Rule { policy, actions: None, grantees: None, grantors: None, mandatory: false }
}

fn clause_rule(clause: &Clause, policy: Policy) -> Rule {
    Rule {
        actions: Some(clause.rule_actions()),
        grantees: Some(clause.grantees.iter().map(|grantee| grantee.agency).collect()),
        grantors: Some(clause.grantors.iter().copied().collect()),
        ..any_rule(policy)
    }
}

fn parse(id: &str, text: &str) -> Result<Policy, Error> {
    Policy::parse(Some(PolicyId::new(id)), text)
        .map_err(|cause| Error::RuleText { text: id.into(), source: Box::new(cause) })
}

/// The rules of a capability, each with the id `capability/id`.
fn rules_of(name: &str, cedar: &str) -> Result<Vec<Rule>, Error> {
    let fault = |rule: &str| Error::Rule { text: name.into(), rule: rule.into() };
    if name.contains(':') {
        return Err(fault("a colon in its name could be taken for a clause"));
    }
    let set: PolicySet = cedar
        .parse()
        .map_err(|cause| Error::RuleText { text: name.into(), source: Box::new(cause) })?;
    if set.num_of_templates() > 0 {
        return Err(fault("a template is no rule"));
    }
    let mut rules = BTreeMap::new();
    for policy in set.policies() {
        let id = policy.annotation("id").ok_or_else(|| fault("a rule has no `@id`"))?.to_owned();
        if id.is_empty() || id.contains(':') {
            return Err(fault("an `@id` is empty or has a colon"));
        }
        let actions = match policy.action_constraint() {
            ActionConstraint::Any => None,
            ActionConstraint::Eq(uid) => Some(vec![uid]),
            ActionConstraint::In(uids) => Some(uids),
        };
        let named = |uid: &cedar_policy::EntityUid| Action::new(uid.id().unescaped());
        let actions = actions.map(|uids| uids.iter().map(named).collect()).transpose()?;
        let policy = policy.new_id(PolicyId::new(format!("{name}/{id}")));
        if rules.insert(id, Rule { actions, ..any_rule(policy) }).is_some() {
            return Err(fault("two rules have one `@id`"));
        }
    }
    Ok(rules.into_values().collect())
}

/// Refuses every error and every warning: a rule that can never apply is a mistake of its author.
fn validate(schema: Schema, set: &PolicySet) -> Result<(), Error> {
    let result = Validator::new(schema).validate(set, ValidationMode::Strict);
    let errors = result.validation_errors().map(|e| (e.policy_id().to_string(), e.to_string()));
    let warnings = result.validation_warnings();
    let warnings = warnings.map(|w| (w.policy_id().to_string(), w.to_string()));
    // In the order of ids, so that the same sources are refused in the same words.
    match errors.chain(warnings).min() {
        None => Ok(()),
        Some((rule, finding)) => Err(Error::Validation { rule, finding }),
    }
}

fn digest(
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
