//! Why, and why not: a short proof in plain words, for those entitled to ask.

use base::{AgencyId, Label, Level, SchemeId, Token};

use crate::agreement::{Agreement, Clause, ClauseRef, Effect};
use crate::compile::PolicyEpoch;
use crate::decide::{Decision, Intent, Reason, Verdict, consent, decide};
use crate::dominance::{Shortfall, shortfalls};
use crate::marking::Form;
use crate::profile::Profile;

/// Whether the asker may be shown the label itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Shown {
    Label,
    /// Then absent and withheld are explained in the same words.
    Nothing,
}

/// One step of a proof.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Step {
    pub holds: bool,
    pub text: String,
    /// The clause on which the step rests.
    pub clause: Option<ClauseRef>,
    pub because: Vec<Step>,
}

/// An answer to why or why not.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Explanation {
    pub verdict: Verdict,
    pub steps: Vec<Step>,
}

impl Explanation {
    /// What is said of a record that is not there, and of one whose label may not be shown.
    pub fn absent() -> Self {
        let text = "there is nothing here that you may know of".into();
        let step = Step { holds: false, text, clause: None, because: Vec::new() };
        Self { verdict: Verdict::Deny, steps: vec![step] }
    }

    /// The proof as indented lines: `+` holds, `-` does not.
    pub fn to_text(&self) -> String {
        let head = match self.verdict {
            Verdict::Allow => "allowed",
            Verdict::Deny => "denied",
        };
        let mut text = format!("{head}\n");
        push_steps(&mut text, &self.steps, 1);
        text
    }
}

/// LIMIT: a proof is three steps deep, so the recursion is too.
fn push_steps(text: &mut String, steps: &[Step], depth: usize) {
    for step in steps {
        let sign = if step.holds { "+ " } else { "- " };
        text.push_str(&"  ".repeat(depth));
        text.push_str(sign);
        text.push_str(&step.text);
        text.push('\n');
        push_steps(text, &step.because, depth + 1);
    }
}

fn step(holds: bool, text: String) -> Step {
    Step { holds, text, clause: None, because: Vec::new() }
}

/// Explains a decision about a label to its reader.
///
/// `names` gives the name of an agency. With [`Shown::Nothing`] the answer is the same constant
/// whatever the label says.
pub fn explain(
    epoch: &PolicyEpoch,
    profile: &Profile,
    intent: Intent<'_>,
    shown: (Shown, &Label),
    names: &dyn Fn(AgencyId) -> String,
) -> Explanation {
    let (Shown::Label, label) = shown else { return Explanation::absent() };
    let teller = Teller { epoch, profile, intent, label, names };
    let mut steps = vec![teller.mandatory()];
    steps.extend(label.originators().iter().map(|originator| teller.originator(*originator)));
    let decision = decide(epoch, profile, intent, label);
    match &decision.reason {
        Reason::Action => {
            steps.push(step(false, format!("`{}` is no action upon a label here", intent.action)));
        }
        Reason::Scheme(scheme) => {
            steps.push(step(false, format!("scheme {scheme} is not known here")));
        }
        Reason::Failed(_) => {
            steps.push(step(false, "the rules could not be evaluated; operators are told".into()));
        }
        Reason::Permitted | Reason::Mandatory(_) | Reason::NoConsent(_) | Reason::Forbidden => {}
    }
    Explanation { verdict: decision.verdict, steps }
}

struct Teller<'a> {
    epoch: &'a PolicyEpoch,
    profile: &'a Profile,
    intent: Intent<'a>,
    label: &'a Label,
    names: &'a dyn Fn(AgencyId) -> String,
}

impl Teller<'_> {
    fn level(&self, scheme: &SchemeId, level: Level) -> String {
        let known = self.epoch.schemes().get(scheme).ok();
        known.and_then(|scheme| scheme.level(level)).map_or_else(
            || format!("level {} of {scheme}", level.0),
            |level| level.name.to_string(),
        )
    }

    fn mandatory(&self) -> Step {
        let missing = shortfalls(&self.profile.attributes().clearance, self.label);
        if missing.is_empty() {
            return step(true, "your clearance covers the label".into());
        }
        let because = missing.iter().map(|shortfall| step(false, self.shortfall(shortfall)));
        Step {
            because: because.collect(),
            ..step(false, "your clearance does not cover the label".into())
        }
    }

    fn shortfall(&self, shortfall: &Shortfall) -> String {
        match shortfall {
            Shortfall::Scheme(scheme) => format!("you hold no clearance of scheme {scheme}"),
            Shortfall::Level { scheme, needed, held } => format!(
                "it needs {}, you hold {}",
                self.level(scheme, *needed),
                self.level(scheme, *held)
            ),
            Shortfall::Compartments { scheme, missing } => {
                let missing: Vec<&str> = missing.iter().map(Token::as_str).collect();
                format!("you lack {} of scheme {scheme}", missing.join(", "))
            }
            Shortfall::Audience { scheme } => {
                format!("you are none of those to whom it is releasable under scheme {scheme}")
            }
            Shortfall::Play => "you take no part in its exercise".into(),
        }
    }

    /// Explains one originator's consent, asked as if it were the only one.
    fn originator(&self, originator: AgencyId) -> Step {
        let alone =
            Label::new(self.label.markings().clone(), [originator].into(), self.label.play());
        let name = (self.names)(originator);
        let Ok(alone) = alone else { return step(false, format!("{name} cannot be asked")) };
        let decision = consent(self.epoch, self.profile, self.intent, &alone);
        let because = self.cited(&decision);
        let told = if decision.allows() {
            format!("{name} consents")
        } else if decision.reason == Reason::Forbidden {
            format!("{name} is kept from consenting")
        } else {
            return Step { because: self.near(originator), ..step(false, self.missing(&name)) };
        };
        Step { because, ..step(decision.allows(), told) }
    }

    fn missing(&self, name: &str) -> String {
        let write = |(id, marking)| {
            let scheme = self.epoch.schemes().get(id).ok()?;
            scheme.write(marking, Form::Banner).ok()
        };
        let at: Vec<String> = self.label.markings().iter().filter_map(write).collect();
        format!(
            "no clause of {name} permits `{}` at {} to {}",
            self.intent.action,
            at.join(" | "),
            (self.names)(self.profile.attributes().agency)
        )
    }

    fn cited(&self, decision: &Decision) -> Vec<Step> {
        let clause = |name: &ClauseRef| {
            let agreement = self.epoch.clause(*name).map(|(agreement, _)| &agreement.title);
            let title = agreement.map_or_else(String::new, |title| format!(" of `{title}`"));
            let (verb, version) = (self.verb(decision), name.version);
            let text = format!("clause {}{title}, version {version}, {verb}", name.clause);
            Step { clause: Some(*name), ..step(decision.allows(), text) }
        };
        let rule = |rule: &String| {
            step(decision.allows(), format!("rule `{rule}` {}", self.verb(decision)))
        };
        decision.clauses.iter().map(clause).chain(decision.rules.iter().map(rule)).collect()
    }

    fn verb(&self, decision: &Decision) -> String {
        let verb = if decision.allows() { "permits" } else { "forbids" };
        format!("{verb} `{}`", self.intent.action)
    }

    /// The clauses that name the reader's agency and the action, and still do not reach the label.
    fn near(&self, originator: AgencyId) -> Vec<Step> {
        let (tree, agency) = (self.epoch.tree(), self.profile.attributes().agency);
        let names_both = |clause: &Clause| {
            clause.effect == Effect::Permit
                && clause.rule_actions().contains(self.intent.action)
                && clause.grantors.iter().any(|grantor| tree.within(originator, *grantor))
                && clause.grantees.iter().any(|grantee| tree.within(agency, grantee.agency))
        };
        let clauses = self.epoch.clauses().filter(|(_, clause)| names_both(clause));
        clauses.map(|(agreement, clause)| self.miss(agreement, clause)).collect()
    }

    fn miss(&self, agreement: &Agreement, clause: &Clause) -> Step {
        let Clause { id, version, limits, purposes, training, grantees, .. } = clause;
        let (tree, held) = (self.epoch.tree(), self.profile.attributes());
        let role = grantees.iter().any(|grantee| {
            tree.within(held.agency, grantee.agency)
                && grantee.role_set().is_none_or(|r| r.iter().any(|role| held.roles.contains(role)))
        });
        let mut short = Vec::new();
        if !role {
            short.push("is for other roles than yours".into());
        }
        if !purposes.iter().any(|purpose| purpose == self.intent.purpose) {
            short.push(format!("is not for the purpose `{}`", self.intent.purpose));
        }
        let courses: Vec<&str> = training.difference(&held.training).map(Token::as_str).collect();
        if !courses.is_empty() {
            short.push(format!("asks for the courses {}", courses.join(", ")));
        }
        if !limits.hold(self.label) {
            short.push("does not reach this label".to_owned());
        }
        let text = format!(
            "clause {id} of `{}`, version {version}, {}",
            agreement.title,
            short.join(", and ")
        );
        Step { clause: Some(agreement.clause_ref(clause)), ..step(false, text) }
    }
}
