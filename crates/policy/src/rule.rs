//! The texts that the compiler writes: the schema, the mandatory rules, and a rule for each clause.
//!
//! Everything put into a text is an id, a number, an action or a [`Token`], none of which can hold
//! a quotation mark or a backslash, so no text can be broken out of.

use std::collections::BTreeSet;
use std::fmt::Display;

use base::{SchemeId, Token};

use crate::agreement::{Action, Agreement, Clause, Effect, Grantee, Limits};
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

fn agencies<T: Display>(agencies: impl IntoIterator<Item = T>) -> String {
    list(agencies, |agency| format!("Agency::\"{agency}\""))
}

fn actions<'a>(actions: impl IntoIterator<Item = &'a Action>) -> String {
    list(actions, |action| format!("Action::\"{action}\""))
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
pub fn clause(agreement: &Agreement, clause: &Clause) -> (String, String) {
    let grantors: BTreeSet<_> = clause.grantors.iter().collect();
    let scope = format!(
        "(principal, action in {}, resource)
when {{ resource in {} }}
when {{ {} }}",
        actions(&clause.rule_actions()),
        agencies(grantors),
        grantees(clause.grantees.as_slice()),
    );
    let within = within(clause);
    let text = match clause.effect {
        Effect::Permit => format!("permit {scope}\nwhen {{ {within} }};"),
        Effect::Forbid if clause.limits.ceilings.is_empty() => format!("forbid {scope};"),
        Effect::Forbid => format!("forbid {scope}\nunless {{ {within} }};"),
    };
    (agreement.clause_ref(clause).to_string(), text)
}

fn grantees(grantees: &[Grantee]) -> String {
    let one = |grantee: &Grantee| {
        let agency = format!("principal in Agency::\"{}\"", grantee.agency);
        match grantee.role_set() {
            None => agency,
            Some(roles) => {
                format!("({agency} && principal.roles.containsAny({}))", quoted(roles))
            }
        }
    };
    let all: Vec<String> = grantees.iter().map(one).collect();
    all.join(" || ")
}

/// What a permit asks for, and what a forbid spares.
fn within(clause: &Clause) -> String {
    let purposes: BTreeSet<&Token> = clause.purposes.iter().collect();
    let mut conditions = vec![format!("{}.contains(context.purpose)", quoted(purposes))];
    conditions.extend(limits(&clause.limits));
    if !clause.training.is_empty() {
        let courses = quoted(&clause.training);
        conditions.push(format!("principal.training.containsAll({courses})"));
    }
    conditions.join("\n  && ")
}

fn limits(limits: &Limits) -> Vec<String> {
    let schemes = quoted(limits.ceilings.keys());
    let mut conditions = vec![format!("{schemes}.containsAll(resource.schemes)")];
    for (SchemeId(scheme), ceiling) in &limits.ceilings {
        let marking = format!("resource.markings[\"{scheme}\"]");
        // An empty set has no type in Cedar, so it cannot be written as a literal.
        let compartments = if ceiling.compartments.is_empty() {
            format!("{marking}.compartments.isEmpty()")
        } else {
            format!("{}.containsAll({marking}.compartments)", quoted(&ceiling.compartments))
        };
        conditions.push(format!(
            "(if resource.markings has \"{scheme}\" then {marking}.level <= {} && {compartments} \
             else true)",
            ceiling.level.0
        ));
    }
    if !limits.caveats_excluded.is_empty() {
        let caveats = quoted(&limits.caveats_excluded);
        conditions.push(format!("!resource.caveats.containsAny({caveats})"));
    }
    conditions
}
