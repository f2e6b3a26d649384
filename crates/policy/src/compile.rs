//! Compiles the agreements in force and the capabilities' own rules into one policy epoch.
//!
//! Time stays out of decisions: only what is in force is compiled, and an epoch decides nothing from
//! its next boundary on. Anything that does not validate strictly is a refusal of the whole.

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
use crate::{Error, rule};

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

/// The next time after `at` at which a decision may change without an act; the end of time if never.
pub fn next_boundary(at: Time, agreements: &[&Agreement], others: &[Time]) -> Time {
    let windows = agreements.iter().flat_map(|agreement| {
        std::iter::once(agreement.force).chain(agreement.clauses.iter().map(|c| c.force))
    });
    let others = others.iter().copied().filter(|boundary| *boundary > at);
    windows.filter_map(|window| window.boundary(at)).chain(others).min().unwrap_or(Time::MAX)
}

/// A compiled rule and for whom it can matter.
struct Rule {
    policy: Policy,
    /// `None` for every action.
    actions: Option<BTreeSet<Action>>,
    /// `None` for every agency.
    grantees: Option<BTreeSet<AgencyId>>,
    mandatory: bool,
}

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
    rules: Vec<Rule>,
    whole: Arc<PolicySet>,
    slices: Mutex<BTreeMap<(AgencyId, Action), Arc<PolicySet>>>,
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

    /// The time from which on the epoch decides nothing.
    pub const fn valid_until(&self) -> Time {
        self.valid_until
    }

    /// Says whether the epoch may decide at a time.
    pub fn decides_at(&self, at: Time) -> bool {
        self.compiled_at <= at && at < self.valid_until
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

    /// All rules as text, each behind its id, for review and analysis.
    pub fn to_cedar(&self) -> String {
        let rule = |rule: &Rule| format!("// {}\n{}\n", rule.policy.id(), rule.policy);
        self.rules.iter().map(rule).collect()
    }

    pub(crate) const fn authorizer(&self) -> &Authorizer {
        &self.authorizer
    }

    pub(crate) const fn whole(&self) -> &Arc<PolicySet> {
        &self.whole
    }

    /// The rules, without the mandatory ones, that can matter to readers of an agency for an action.
    pub(crate) fn slice(&self, agency: AgencyId, action: &Action) -> Result<Arc<PolicySet>, Error> {
        let key = (agency, action.clone());
        let found = |key| {
            let slices = self.slices.lock().unwrap_or_else(PoisonError::into_inner);
            slices.get(key).cloned()
        };
        if let Some(slice) = found(&key) {
            return Ok(slice);
        }
        let line: BTreeSet<AgencyId> = self.tree.line(agency).collect();
        let matters = |rule: &&Rule| {
            !rule.mandatory
                && rule.actions.as_ref().is_none_or(|actions| actions.contains(action))
                && rule.grantees.as_ref().is_none_or(|grantees| !grantees.is_disjoint(&line))
        };
        let policies = self.rules.iter().filter(matters).map(|rule| rule.policy.clone());
        let slice = Arc::new(PolicySet::from_policies(policies).map_err(Box::new)?);
        let mut slices = self.slices.lock().unwrap_or_else(PoisonError::into_inner);
        Ok(slices.entry(key).or_insert(slice).clone())
    }
}

/// Compiles an epoch.
///
/// # Errors
/// [`Error::RuleText`], [`Error::Rule`] and [`Error::Validation`] name the text or rule that is
/// refused; then no epoch is made, and the one before decides until its boundary.
pub fn compile(sources: &Sources<'_>) -> Result<PolicyEpoch, Error> {
    let declared = with_existence(sources.actions)?;
    let schema_text = rule::schema(sources.schemes, &declared);
    let (schema, warnings) = Schema::from_cedarschema_str(&schema_text)
        .map_err(|cause| Error::Schema(Box::new(cause)))?;
    let agreements = in_force(sources);
    let mut rules = Vec::new();
    for (id, text) in rule::mandatory(sources.schemes) {
        rules.push(Rule { mandatory: true, ..any_rule(parse(id, &text)?) });
    }
    for text in sources.texts {
        rules.extend(rules_of(text)?);
    }
    for agreement in &agreements {
        for clause in &agreement.clauses {
            let (id, text) = rule::clause(agreement, clause);
            rules.push(Rule {
                actions: Some(clause.rule_actions()),
                grantees: Some(clause.grantees.iter().map(|grantee| grantee.agency).collect()),
                ..any_rule(parse(id, &text)?)
            });
        }
    }
    let policies = rules.iter().map(|rule| rule.policy.clone());
    let whole = PolicySet::from_policies(policies).map_err(Box::new)?;
    if let Some(warning) = warnings.into_iter().next() {
        let (rule, finding) = ("schema".into(), warning.to_string());
        return Err(Error::Validation { rule, finding });
    }
    validate(schema, &whole)?;
    Ok(PolicyEpoch {
        epoch: sources.epoch,
        digest: digest(&schema_text, &rules, sources.tree, &agreements),
        compiled_at: sources.at,
        valid_until: next_boundary(sources.at, sources.agreements, sources.boundaries),
        schemes: sources.schemes.clone(),
        tree: sources.tree.clone(),
        declared: declared.into_iter().map(|d| (d.action, d.class)).collect(),
        agreements,
        rules,
        whole: Arc::new(whole),
        slices: Mutex::default(),
        authorizer: Authorizer::new(),
    })
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
    Rule { policy, actions: None, grantees: None, mandatory: false }
}

fn parse(id: String, text: &str) -> Result<Policy, Error> {
    Policy::parse(Some(PolicyId::new(&id)), text)
        .map_err(|cause| Error::RuleText { text: id, source: Box::new(cause) })
}

/// The rules of a capability, each with the id `capability/id`.
fn rules_of(text: &Text<'_>) -> Result<Vec<Rule>, Error> {
    let fault = |rule: &str| Error::Rule { text: text.name.into(), rule: rule.into() };
    if text.name.contains(':') {
        return Err(fault("a colon in its name could be taken for a clause"));
    }
    let set: PolicySet = text
        .cedar
        .parse()
        .map_err(|cause| Error::RuleText { text: text.name.into(), source: Box::new(cause) })?;
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
        let policy = policy.new_id(PolicyId::new(format!("{}/{id}", text.name)));
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

fn digest(schema: &str, rules: &[Rule], tree: &AgencyTree, agreements: &[Agreement]) -> Digest {
    let mut to = Canonical::new();
    to.text(schema).list(rules.len());
    let texts: BTreeMap<String, String> =
        rules.iter().map(|rule| (rule.policy.id().to_string(), rule.policy.to_string())).collect();
    for (id, text) in texts {
        to.text(&id).text(&text);
    }
    to.list(tree.iter().count());
    for (unit, above) in tree.iter() {
        to.bytes(&unit.0).bytes(&above.0);
    }
    to.list(agreements.len());
    for agreement in agreements {
        to.bytes(&agreement.digest().0);
    }
    to.digest("muster/policy/v1")
}
