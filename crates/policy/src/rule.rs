//! The texts that the compiler writes: the schema, the mandatory rules, and a rule for each clause.
//!
//! Everything put into a text is an id, a number, an action or a [`Token`], none of which can hold
//! a quotation mark or a backslash, so no text can be broken out of.

use std::collections::BTreeSet;
use std::fmt::Display;

use base::{SchemeId, Token};

use crate::agreement::{Agreement, Clause, Effect, Grantee, Limits};
use crate::compile::{Class, Declared};
use crate::entity::LIVE;
use crate::scheme::{Scheme, Schemes};

/// The prefix of a mandatory rule's id.
pub const MANDATORY: &str = "mandatory";

fn list<T: Display>(items: impl IntoIterator<Item = T>, written: impl Fn(T) -> String) -> String {
    let items: Vec<String> = items.into_iter().map(written).collect();
    format!("[{}]", items.join(", "))
}

fn quoted<T: Display>(items: impl IntoIterator<Item = T>) -> String {
    list(items, |item| format!("\"{item}\""))
}

/// `a || b || c`, in brackets when there are several. Cedar makes a set literal anew each time that
/// it evaluates one, so conditions are written without, where they can be.
fn any<T>(items: impl IntoIterator<Item = T>, written: impl Fn(T) -> String) -> String {
    let items: Vec<String> = items.into_iter().map(written).collect();
    match items.as_slice() {
        [one] => one.clone(),
        several => format!("({})", several.join(" || ")),
    }
}

/// The Cedar schema of this node: its schemes' markings and its capabilities' actions.
pub fn schema(schemes: &Schemes, declared: &BTreeSet<Declared>) -> String {
    let fields = |of: &str| {
        let fields: Vec<String> =
            schemes.iter().map(|scheme| format!("\"{}\"?: {of}", scheme.id())).collect();
        fields.join(", ")
    };
    let marked = "schemes: Set<String>, markings: Markings, caveats: Set<String>, play: String";
    let types = format!(
        "type Cleared = {{ level: Long, compartments: Set<String> }};
type Marking = {{ level: Long, compartments: Set<String>, restricted: Bool, \
         released_to: Set<String> }};
type Clearances = {{ {} }};
type Markings = {{ {} }};
entity Agency in [Agency];
entity Profile in [Agency] = {{ agency: Agency, roles: Set<String>, training: Set<String>, \
         device: String, cleared: Clearances, audiences: Set<String>, exercises: Set<String> }};
entity Label in [Agency] = {{ agency: Agency, {marked} }};
entity Target in [Agency] = {{ agency: Agency, state: String, facts: Set<String>, {marked} }};
",
        fields("Cleared"),
        fields("Marking"),
    );
    let action = |Declared { action, class }: &Declared| {
        let resource = match class {
            Class::Read => "Label",
            Class::Own | Class::Joint => "Target",
        };
        format!(
            "action \"{action}\" appliesTo {{ principal: [Profile], resource: [{resource}], \
             context: {{ purpose: String }} }};"
        )
    };
    let actions: Vec<String> = declared.iter().map(action).collect();
    types + &actions.join("\n")
}

/// Dominance once more, as rules: so that the whole set can be analysed without this program.
pub fn mandatory(schemes: &Schemes) -> Vec<(String, String)> {
    let play = format!(
        "forbid (principal, action, resource)
unless {{ resource.play == \"{LIVE}\" || principal.exercises.contains(resource.play) }};"
    );
    let known = format!(
        "forbid (principal, action, resource)
unless {{ {}.containsAll(resource.schemes) }};",
        quoted(schemes.iter().map(Scheme::id))
    );
    let mut rules =
        vec![(format!("{MANDATORY}:play"), play), (format!("{MANDATORY}:schemes"), known)];
    for scheme in schemes.iter() {
        let id = scheme.id();
        let (held, needed) =
            (format!("principal.cleared[\"{id}\"]"), format!("resource.markings[\"{id}\"]"));
        let text = format!(
            "forbid (principal, action, resource)
when {{ resource.markings has \"{id}\" }}
unless {{
  resource.markings has \"{id}\" && principal.cleared has \"{id}\"
  && {held}.level >= {needed}.level
  && {held}.compartments.containsAll({needed}.compartments)
  && (!{needed}.restricted || principal.audiences.containsAny({needed}.released_to))
}};"
        );
        rules.push((format!("{MANDATORY}:{id}"), text));
    }
    rules
}

/// The rule of a clause; its id is the clause's name, so a decision's ids are the clauses it cites.
pub fn clause(schemes: &Schemes, agreement: &Agreement, clause: &Clause) -> (String, String) {
    let actions = clause.rule_actions();
    let action = match actions.iter().collect::<Vec<_>>().as_slice() {
        [one] => format!("action == Action::\"{one}\""),
        several => format!("action in {}", list(several, |one| format!("Action::\"{one}\""))),
    };
    let grantors: BTreeSet<_> = clause.grantors.iter().collect();
    let scope = format!(
        "(principal, {action}, resource)
when {{ {} }}
when {{ {} }}",
        any(grantors, |agency| format!("resource in Agency::\"{agency}\"")),
        any(clause.grantees.as_slice(), grantee),
    );
    let within = within(schemes, clause);
    let text = match clause.effect {
        Effect::Permit => format!("permit {scope}\nwhen {{ {within} }};"),
        Effect::Forbid if clause.limits.ceilings.is_empty() => format!("forbid {scope};"),
        Effect::Forbid => format!("forbid {scope}\nunless {{ {within} }};"),
    };
    (agreement.clause_ref(clause).to_string(), text)
}

fn grantee(grantee: &Grantee) -> String {
    let agency = format!("principal in Agency::\"{}\"", grantee.agency);
    match grantee.role_set() {
        None => agency,
        Some(roles) => {
            let role = any(roles, |role| format!("principal.roles.contains(\"{role}\")"));
            format!("({agency} && {role})")
        }
    }
}

/// What a permit asks for, and what a forbid spares.
fn within(schemes: &Schemes, clause: &Clause) -> String {
    let purposes: BTreeSet<&Token> = clause.purposes.iter().collect();
    let mut conditions = vec![any(purposes, |purpose| format!("context.purpose == \"{purpose}\""))];
    conditions.extend(limits(schemes, &clause.limits));
    for course in &clause.training {
        conditions.push(format!("principal.training.contains(\"{course}\")"));
    }
    conditions.join("\n  && ")
}

fn limits(schemes: &Schemes, limits: &Limits) -> Vec<String> {
    let mut conditions = Vec::new();
    // A scheme that is not of this node is refused before any rule is asked.
    for scheme in schemes.iter().filter(|scheme| !limits.ceilings.contains_key(scheme.id())) {
        conditions.push(format!("!(resource.markings has \"{}\")", scheme.id()));
    }
    for (SchemeId(scheme), ceiling) in &limits.ceilings {
        let marking = format!("resource.markings[\"{scheme}\"]");
        let none = format!("{marking}.compartments.isEmpty()");
        // An empty set has no type in Cedar, so it cannot be written as a literal.
        let compartments = if ceiling.compartments.is_empty() {
            none
        } else {
            let allowed = quoted(&ceiling.compartments);
            format!("({none} || {allowed}.containsAll({marking}.compartments))")
        };
        conditions.push(format!(
            "(if resource.markings has \"{scheme}\"
      then {marking}.level <= {}
        && {compartments}
      else true)",
            ceiling.level.0
        ));
    }
    for caveat in &limits.caveats_excluded {
        conditions.push(format!("!resource.caveats.contains(\"{caveat}\")"));
    }
    conditions
}
