//! Decisions: both layers must allow, and every originator must consent.

use std::collections::BTreeSet;
use std::sync::Arc;

use base::{AgencyId, Label, SchemeId, Token};
use cedar_policy::{
    AuthorizationError, Context, Decision as Answer, Entities, EntityUid, PolicySet, Request,
};

use crate::Error;
use crate::agreement::{Action, ClauseRef};
use crate::compile::{Class, PolicyEpoch};
use crate::dominance::{Shortfall, readable, shortfalls};
use crate::entity::{self, LabelEntity};
use crate::profile::Profile;

/// What a reader wants to do, and what for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Intent<'a> {
    pub action: &'a Action,
    /// As agreements name it: `PROTECTION`, `EMERGENCY`.
    pub purpose: &'a Token,
}

/// What an act is upon.
#[derive(Clone, Copy, Debug)]
pub struct Target<'a> {
    /// The agency whose record it is or will be.
    pub agency: AgencyId,
    /// The label of the record, where it has one; the actor must be cleared for it.
    pub label: Option<&'a Label>,
    pub state: Option<&'a Token>,
    /// What the capability knows of the actor and the target: `AUTHOR`, `MEMBER`, `AUTHORISED`.
    pub facts: &'a BTreeSet<Token>,
}

/// Yes or no.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Verdict {
    Allow,
    Deny,
}

/// Why.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Reason {
    /// Both layers allow and every originator consents.
    Permitted,
    /// The epoch does not know the action, or knows it as one of the other sort.
    Action,
    /// The epoch does not know a scheme of the label.
    Scheme(SchemeId),
    /// The mandatory rules keep it from the reader.
    Mandatory(Vec<Shortfall>),
    /// These originators have neither rule nor clause that permits.
    NoConsent(BTreeSet<AgencyId>),
    /// The cited clauses or rules forbid.
    Forbidden,
    /// The rules could not be evaluated, for this cause; deny, and wake someone.
    Failed(String),
}

/// A decision and what it rests on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Decision {
    pub verdict: Verdict,
    /// The clauses that permit, or that forbid, in order.
    pub clauses: Vec<ClauseRef>,
    /// The capabilities' rules that permit or forbid, `capability/id`, in order.
    pub rules: Vec<String>,
    pub reason: Reason,
    /// Whether the rules failed: an operator must know.
    pub alarm: bool,
}

impl Decision {
    /// Says whether the verdict is to allow.
    pub fn allows(&self) -> bool {
        self.verdict == Verdict::Allow
    }

    fn deny(reason: Reason) -> Self {
        let alarm = matches!(reason, Reason::Failed(_));
        Self { verdict: Verdict::Deny, clauses: Vec::new(), rules: Vec::new(), reason, alarm }
    }

    fn failed(cause: &Error) -> Self {
        Self::deny(Reason::Failed(cause.to_string()))
    }

    fn citing(mut self, cited: Cited) -> Self {
        self.clauses = cited.clauses.into_iter().collect();
        self.rules = cited.rules.into_iter().collect();
        self
    }
}

/// Decides whether a reader may do something with what bears a label.
///
/// Allows when the mandatory rules do, and for each originator a rule of a capability within the
/// reader's own line, or a clause of that originator, permits, and nothing forbids. Existence is
/// allowed to whoever may read the content. The caller has asked [`PolicyEpoch::decides_at`].
pub fn decide(
    epoch: &PolicyEpoch,
    profile: &Profile,
    intent: Intent<'_>,
    label: &Label,
) -> Decision {
    if epoch.class(intent.action) != Some(Class::Read) {
        return Decision::deny(Reason::Action);
    }
    let clearance = &profile.attributes().clearance;
    if !readable(clearance, label) {
        return Decision::deny(Reason::Mandatory(shortfalls(clearance, label)));
    }
    consent(epoch, profile, intent, label)
}

/// Decides the discretionary layer alone: what agreements and rules say, whatever the clearance.
pub(crate) fn consent(
    epoch: &PolicyEpoch,
    profile: &Profile,
    intent: Intent<'_>,
    label: &Label,
) -> Decision {
    let decided = LabelEntity::new(Arc::new(label.clone()))
        .and_then(|entity| Ok((Hearing::of_labels(epoch, profile, intent, [&entity])?, entity)));
    match decided {
        Ok((hearing, entity)) => hearing.consents(&entity),
        Err(cause) => Decision::failed(&cause),
    }
}

/// Decides with the whole set of rules, the mandatory ones among them, and without this crate's
/// dominance: the audit's second opinion.
pub fn decide_whole(
    epoch: &PolicyEpoch,
    profile: &Profile,
    intent: Intent<'_>,
    label: &Label,
) -> Decision {
    let decided = LabelEntity::new(Arc::new(label.clone())).and_then(|entity| {
        let hearing = Hearing::of_labels(epoch, profile, intent, [&entity])?;
        Ok((hearing.with_whole(), entity))
    });
    match decided {
        Ok((hearing, entity)) => hearing.consents(&entity),
        Err(cause) => Decision::failed(&cause),
    }
}

/// Decides whether an actor may do an act upon a target.
///
/// The actor must be cleared for the target's label. For [`Class::Own`] a capability's rule counts
/// within the actor's own line only; elsewhere a clause of the target's agency must permit.
pub fn decide_act(
    epoch: &PolicyEpoch,
    profile: &Profile,
    intent: Intent<'_>,
    target: &Target<'_>,
) -> Decision {
    let class = match epoch.class(intent.action) {
        Some(class @ (Class::Own | Class::Joint)) => class,
        Some(Class::Read) | None => return Decision::deny(Reason::Action),
    };
    let clearance = &profile.attributes().clearance;
    if let Some(label) = target.label {
        if let Some(scheme) = unknown_scheme(epoch, label) {
            return Decision::deny(Reason::Scheme(scheme));
        }
        if !readable(clearance, label) {
            return Decision::deny(Reason::Mandatory(shortfalls(clearance, label)));
        }
    }
    let decided = entity::target(target).and_then(|resource| {
        let resource_uid = resource.uid();
        let hearing = Hearing::new(epoch, profile, intent, [target.agency], vec![resource])?;
        Ok((hearing, resource_uid))
    });
    let (hearing, resource) = match decided {
        Ok(decided) => decided,
        Err(cause) => return Decision::failed(&cause),
    };
    let mut cited = Cited::default();
    match hearing.consent(intent.action, target.agency, resource, class, &mut cited) {
        Consent::Given => {
            Decision { verdict: Verdict::Allow, ..Decision::deny(Reason::Permitted).citing(cited) }
        }
        Consent::Missing => Decision::deny(Reason::NoConsent(BTreeSet::from([target.agency]))),
        Consent::Forbidden => Decision::deny(Reason::Forbidden).citing(cited),
        Consent::Failed(cause) => Decision::deny(Reason::Failed(cause)).citing(cited),
    }
}

fn unknown_scheme(epoch: &PolicyEpoch, label: &Label) -> Option<SchemeId> {
    label.markings().keys().find(|id| epoch.schemes().get(id).is_err()).cloned()
}

/// The clauses and rules that an answer rests on.
#[derive(Default)]
struct Cited {
    clauses: BTreeSet<ClauseRef>,
    rules: BTreeSet<String>,
}

/// What one originator says.
enum Consent {
    Given,
    Missing,
    Forbidden,
    Failed(String),
}

/// What the rules answered.
struct Answered {
    allowed: bool,
    /// The rules that could not be evaluated.
    failed: BTreeSet<String>,
    ids: Vec<String>,
}

/// One reader with one intent before the rules: asked for one label or for very many.
pub(crate) struct Hearing<'a> {
    epoch: &'a PolicyEpoch,
    profile: &'a Profile,
    intent: Intent<'a>,
    principal: EntityUid,
    context: Context,
    entities: Entities,
    whole: bool,
}

impl<'a> Hearing<'a> {
    pub(crate) fn of_labels<'l>(
        epoch: &'a PolicyEpoch,
        profile: &'a Profile,
        intent: Intent<'a>,
        labels: impl IntoIterator<Item = &'l LabelEntity>,
    ) -> Result<Self, Error> {
        let (agencies, resources): (BTreeSet<AgencyId>, Vec<_>) =
            labels.into_iter().flat_map(|label| label.originators.iter().cloned()).unzip();
        Self::new(epoch, profile, intent, agencies, resources)
    }

    fn new(
        epoch: &'a PolicyEpoch,
        profile: &'a Profile,
        intent: Intent<'a>,
        agencies: impl IntoIterator<Item = AgencyId>,
        resources: Vec<cedar_policy::Entity>,
    ) -> Result<Self, Error> {
        let agencies = agencies.into_iter().chain([profile.attributes().agency]);
        let mut entities = entity::agencies(epoch.tree(), agencies)?;
        entities.push(profile.entity().clone());
        entities.extend(resources);
        let entities = Entities::from_entities(entities, None)
            .map_err(|cause| Error::Entities(Box::new(cause)))?;
        let context = entity::context(intent.purpose)?;
        let principal = profile.entity().uid();
        Ok(Self { epoch, profile, intent, principal, context, entities, whole: false })
    }

    fn with_whole(self) -> Self {
        Self { whole: true, ..self }
    }

    /// Decides for one of the labels that the hearing was opened with.
    pub(crate) fn consents(&self, label: &LabelEntity) -> Decision {
        if self.epoch.class(self.intent.action) != Some(Class::Read) {
            return Decision::deny(Reason::Action);
        }
        if let Some(scheme) = unknown_scheme(self.epoch, &label.label) {
            return Decision::deny(Reason::Scheme(scheme));
        }
        if self.intent.action.discloses_existence() {
            let reads = self.epoch.actions().filter(|(action, class)| {
                *class == Class::Read
                    && !action.discloses_existence()
                    && action.existence() == *self.intent.action
            });
            let mut contents = reads.map(|(action, _)| self.all_consent(action, label));
            if let Some(content) = contents.find(Decision::allows) {
                return content;
            }
        }
        self.all_consent(self.intent.action, label)
    }

    fn all_consent(&self, action: &Action, label: &LabelEntity) -> Decision {
        let mut given = Cited::default();
        let mut missing = BTreeSet::new();
        for (originator, resource) in &label.originators {
            let mut cited = Cited::default();
            match self.consent(action, *originator, resource.uid(), Class::Read, &mut cited) {
                Consent::Given => {
                    given.clauses.extend(cited.clauses);
                    given.rules.extend(cited.rules);
                }
                Consent::Missing => {
                    missing.insert(*originator);
                }
                Consent::Forbidden => return Decision::deny(Reason::Forbidden).citing(cited),
                Consent::Failed(cause) => {
                    return Decision::deny(Reason::Failed(cause)).citing(cited);
                }
            }
        }
        if missing.is_empty() {
            let permitted = Decision::deny(Reason::Permitted).citing(given);
            Decision { verdict: Verdict::Allow, ..permitted }
        } else {
            Decision::deny(Reason::NoConsent(missing))
        }
    }

    /// Asks the rules for one originator; what the answer rests on goes into `cited`.
    fn consent(
        &self,
        action: &Action,
        originator: AgencyId,
        resource: EntityUid,
        class: Class,
        cited: &mut Cited,
    ) -> Consent {
        let Answered { allowed, failed, ids } = match self.ask(action, originator, resource) {
            Ok(answered) => answered,
            Err(cause) => return Consent::Failed(cause.to_string()),
        };
        for id in ids {
            match id.parse() {
                Ok(clause) => cited.clauses.insert(clause),
                Err(_no_clause) => cited.rules.insert(id),
            };
        }
        if !failed.is_empty() {
            // SAFETY OF ORDER: before the verdict, because Cedar skips a forbid that fails.
            let failed: Vec<String> = failed.into_iter().collect();
            return Consent::Failed(format!("evaluate {}", failed.join(", ")));
        }
        let own = class == Class::Joint
            || self.epoch.tree().same_line(self.profile.attributes().agency, originator);
        if allowed && !own {
            // No clause, no flow: a capability's own rule reaches no further than its own line.
            cited.rules.clear();
        }
        match (allowed, cited.clauses.is_empty() && cited.rules.is_empty()) {
            (true, false) => Consent::Given,
            (true | false, true) => Consent::Missing,
            (false, false) => Consent::Forbidden,
        }
    }

    fn ask(
        &self,
        action: &Action,
        originator: AgencyId,
        resource: EntityUid,
    ) -> Result<Answered, Error> {
        let set: Arc<PolicySet> = if self.whole {
            self.epoch.whole().clone()
        } else {
            self.epoch.slice(self.profile.attributes().agency, action, originator)?
        };
        let principal = self.principal.clone();
        let action = entity::action_uid(action)?;
        let request = Request::new(principal, action, resource, self.context.clone(), None)
            .map_err(|cause| Error::Request(Box::new(cause)))?;
        let response = self.epoch.authorizer().is_authorized(&request, &set, &self.entities);
        let diagnostics = response.diagnostics();
        Ok(Answered {
            allowed: response.decision() == Answer::Allow,
            // Ids only: an evaluator's message may hold values of a label.
            failed: diagnostics
                .errors()
                .map(|AuthorizationError::PolicyEvaluationError(error)| {
                    error.policy_id().to_string()
                })
                .collect(),
            ids: diagnostics.reason().map(ToString::to_string).collect(),
        })
    }
}
