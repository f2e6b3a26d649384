//! Reach: whether rules and clauses let an agency's readers through, whatever anybody's clearance.
//!
//! The reader is a described one: cleared for exactly what is asked about, with the roles and
//! courses that the clauses in force speak of. It passes the same [`decide`] as every real reader,
//! so that the answer tells what has been agreed and nothing of the people who are there.

use std::collections::BTreeSet;

use base::label::Cleared;
use base::{AgencyId, Clearance, Label, Play, Releasable, Token};

use crate::Error;
use crate::agreement::{Action, Clause, ClauseRef, Effect, Grantee};
use crate::compile::PolicyEpoch;
use crate::decide::{Decision, Intent, Reason, decide};
use crate::profile::{Attributes, Profile};

/// Of whom it is asked.
#[derive(Clone, Copy, Debug)]
pub struct Readers<'a> {
    pub agency: AgencyId,
    /// The class of their devices.
    pub device: &'a Token,
    /// Roles that they may hold besides those which clauses name.
    pub roles: &'a BTreeSet<Token>,
}

/// What the labels together need of a reader, and on what that rests.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Reach {
    /// The decision that stands in the way; `None` when the described reader is let through.
    pub refused: Option<Decision>,
    pub clauses: BTreeSet<ClauseRef>,
    /// Rules of capabilities, `capability/id`.
    pub rules: BTreeSet<String>,
    /// Roles of which the reader needs all; courses likewise. Empty when refused.
    pub roles: BTreeSet<Token>,
    pub training: BTreeSet<Token>,
}

/// The least clearance that the mandatory rules ask for some labels; nothing clears `Only(∅)`.
pub fn covering<'l>(labels: impl IntoIterator<Item = &'l Label>) -> Clearance {
    let mut clearance = Clearance::default();
    for label in labels {
        for (scheme, marking) in label.markings() {
            let cleared = clearance.schemes.entry(scheme.clone()).or_insert_with(Cleared::default);
            cleared.level = cleared.level.max(marking.level);
            cleared.compartments.extend(marking.compartments.iter().cloned());
            if let Releasable::Only(codes) = &marking.releasable_to {
                clearance.audiences.extend(codes.iter().cloned());
            }
        }
        if let Play::Exercise(exercise) = label.play() {
            clearance.exercises.insert(exercise);
        }
    }
    clearance
}

/// Says whether readers of an agency would be let through to every one of some labels.
///
/// Whenever a real reader of the agency with one of the roles named here or in a clause reads them
/// all, the described one does. Where several originators ask for several roles, one reader who has
/// them all is described.
///
/// # Errors
/// [`Error::Entity`] when the policy engine refuses a value; none here can be refused.
pub fn reach(
    epoch: &PolicyEpoch,
    of: Readers<'_>,
    intent: Intent<'_>,
    labels: &[&Label],
) -> Result<Reach, Error> {
    let asking = Asking { epoch, of, intent, labels, clearance: covering(labels.iter().copied()) };
    let (mut needed, mut courses) = (BTreeSet::new(), BTreeSet::new());
    for (_, clause) in epoch.clauses().filter(|(_, clause)| asking.named(clause)) {
        courses.extend(clause.training.iter().cloned());
        if clause.effect == Effect::Permit {
            let only = clause.grantees.iter().filter_map(Grantee::role_set);
            needed.extend(only.flatten().cloned());
        }
    }
    needed.extend(of.roles.iter().cloned());
    // Nobody in particular first, then one role each, then one reader who has all of them.
    let mut held = vec![BTreeSet::new()];
    held.extend(needed.iter().map(|role| BTreeSet::from([role.clone()])));
    if needed.len() > 1 {
        held.push(needed);
    }
    let mut nearest = None;
    for having in held {
        match asking.ask(&having, &courses)? {
            Ok(_) => return asking.least(having, courses),
            // What forbids says more than what is missing.
            Err(refusal) => {
                let nearer = refusal.reason == Reason::Forbidden;
                nearest = nearest.filter(|_| !nearer).or(Some(refusal));
            }
        }
    }
    Ok(Reach { refused: nearest, ..Reach::default() })
}

/// On what a reading rests.
#[derive(Default)]
struct Grounds {
    clauses: BTreeSet<ClauseRef>,
    rules: BTreeSet<String>,
}

struct Asking<'a> {
    epoch: &'a PolicyEpoch,
    of: Readers<'a>,
    intent: Intent<'a>,
    labels: &'a [&'a Label],
    clearance: Clearance,
}

impl Asking<'_> {
    /// Whether a clause is about the action and the agency.
    fn named(&self, clause: &Clause) -> bool {
        let tree = self.epoch.tree();
        let actions: BTreeSet<Action> = clause.rule_actions();
        actions.contains(self.intent.action)
            && clause.grantees.iter().any(|grantee| tree.within(self.of.agency, grantee.agency))
    }

    /// Asks for every label; the first refusal stands for all.
    fn ask(
        &self,
        roles: &BTreeSet<Token>,
        training: &BTreeSet<Token>,
    ) -> Result<Result<Grounds, Decision>, Error> {
        let profile = Profile::new(Attributes {
            agency: self.of.agency,
            clearance: self.clearance.clone(),
            roles: roles.clone(),
            training: training.clone(),
            device: self.of.device.clone(),
        })?;
        let mut grounds = Grounds::default();
        for label in self.labels {
            let decision = decide(self.epoch, &profile, self.intent, label);
            if !decision.allows() {
                return Ok(Err(decision));
            }
            grounds.clauses.extend(decision.clauses);
            grounds.rules.extend(decision.rules);
        }
        Ok(Ok(grounds))
    }

    /// Leaves away, one after the other, what is not needed, and says on what the rest reads.
    fn least(
        &self,
        mut roles: BTreeSet<Token>,
        mut training: BTreeSet<Token>,
    ) -> Result<Reach, Error> {
        for role in roles.clone() {
            let mut fewer = roles.clone();
            fewer.remove(&role);
            if self.ask(&fewer, &training)?.is_ok() {
                roles = fewer;
            }
        }
        for course in training.clone() {
            let mut fewer = training.clone();
            fewer.remove(&course);
            if self.ask(&roles, &fewer)?.is_ok() {
                training = fewer;
            }
        }
        Ok(match self.ask(&roles, &training)? {
            Ok(on) => {
                Reach { refused: None, clauses: on.clauses, rules: on.rules, roles, training }
            }
            Err(refusal) => Reach { refused: Some(refusal), ..Reach::default() },
        })
    }
}
