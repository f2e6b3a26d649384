//! A small world: five agencies, the shipped schemes, a few actions and rules.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use base::label::Cleared;
use base::{
    AgencyId, AgreementId, ClauseId, Clearance, Label, Level, Line, Marking, NonEmpty, Play,
    Releasable, SchemeId, Time, Token,
};
use policy::{
    Action, AgencyTree, Agreement, Attributes, Ceiling, Class, Clause, Declared, Discloses, Effect,
    Error, Grantee, Intent, Limits, Onward, PolicyEpoch, Profile, Roles, Schemes, Sources, Text,
    Window, compile,
};

pub const POLICE: AgencyId = AgencyId([1; 16]);
pub const ARMY: AgencyId = AgencyId([2; 16]);
pub const INTEL: AgencyId = AgencyId([3; 16]);
pub const FIRE: AgencyId = AgencyId([4; 16]);
/// A unit of the police.
pub const DISTRICT: AgencyId = AgencyId([11; 16]);

pub const AGENCIES: [AgencyId; 5] = [POLICE, ARMY, INTEL, FIRE, DISTRICT];

/// Rules as a capability writes them: reading one's own, acting on one's own, acknowledging
/// anything.
pub const RULES: &str = r#"
@id("read-own")
permit (principal, action in [Action::"report:read", Action::"entity:read"], resource)
when { resource in principal.agency && principal.roles.contains("ANALYST") };

@id("not-mobile")
forbid (principal, action == Action::"entity:read", resource)
when { principal.device == "MOBILE" };

@id("create")
permit (principal, action == Action::"report:create", resource)
when { principal.roles.contains("ANALYST") };

@id("acknowledge")
permit (principal, action == Action::"alert:acknowledge", resource)
when { resource.state == "OPEN" && resource.facts.contains("ADDRESSED") };
"#;

pub fn token(text: &str) -> Token {
    Token::new(text).expect("a code")
}

pub fn tokens(codes: &[&str]) -> BTreeSet<Token> {
    codes.iter().map(|code| token(code)).collect()
}

pub fn scheme(id: &str) -> SchemeId {
    SchemeId(token(id))
}

pub fn action(text: &str) -> Action {
    Action::new(text).expect("an action")
}

pub fn at(ms: i64) -> Time {
    Time::from_ms(ms).expect("a time")
}

pub fn name(agency: AgencyId) -> String {
    match agency {
        POLICE => "Police".into(),
        ARMY => "Army".into(),
        INTEL => "Intelligence".into(),
        FIRE => "Fire".into(),
        DISTRICT => "District".into(),
        other => other.to_string(),
    }
}

pub fn schemes() -> Arc<Schemes> {
    Arc::new(Schemes::shipped().expect("the shipped schemes"))
}

pub fn declared() -> Vec<Declared> {
    [
        ("report:read", Class::Read),
        ("entity:read", Class::Read),
        ("report:create", Class::Own),
        ("alert:acknowledge", Class::Joint),
    ]
    .map(|(name, class)| Declared { action: action(name), class })
    .to_vec()
}

pub fn marking(level: u8, compartments: &[&str]) -> Marking {
    Marking {
        level: Level(level),
        compartments: tokens(compartments),
        releasable_to: Releasable::Unrestricted,
        caveats: BTreeSet::new(),
    }
}

pub fn released(level: u8, to: &[&str]) -> Marking {
    Marking { releasable_to: Releasable::Only(tokens(to)), ..marking(level, &[]) }
}

pub fn label(id: &str, marking: Marking, originators: &[AgencyId]) -> Label {
    let markings = BTreeMap::from([(scheme(id), marking)]);
    Label::new(markings, originators.iter().copied().collect(), Play::Live).expect("a label")
}

pub fn nat(level: u8, originator: AgencyId) -> Label {
    label("NAT", marking(level, &[]), &[originator])
}

pub fn clearance(id: &str, level: u8, compartments: &[&str], audiences: &[&str]) -> Clearance {
    let cleared = Cleared { level: Level(level), compartments: tokens(compartments) };
    Clearance {
        schemes: BTreeMap::from([(scheme(id), cleared)]),
        audiences: tokens(audiences),
        exercises: BTreeSet::new(),
    }
}

pub fn analyst(agency: AgencyId, level: u8) -> Attributes {
    Attributes {
        agency,
        clearance: clearance("NAT", level, &["KESTREL"], &["FRA"]),
        roles: tokens(&["ANALYST"]),
        training: BTreeSet::new(),
        device: token("DESK"),
    }
}

pub fn profile(attributes: Attributes) -> Profile {
    Profile::new(attributes).expect("a profile")
}

pub fn always() -> Window {
    Window { starts_at: at(0), ends_at: Time::MAX }
}

pub fn ceilings(of: &[(&str, u8, &[&str])]) -> BTreeMap<SchemeId, Ceiling> {
    of.iter()
        .map(|(id, level, codes)| {
            (scheme(id), Ceiling { level: Level(*level), compartments: tokens(codes) })
        })
        .collect()
}

/// Everybody of `to` may read reports of `from` up to NAT SECRET without compartment.
pub fn clause(n: u8, from: AgencyId, to: AgencyId) -> Clause {
    Clause {
        id: ClauseId([n; 16]),
        version: 1,
        grantors: NonEmpty::one(from),
        grantees: NonEmpty::one(Grantee { agency: to, roles: Roles::Any }),
        effect: Effect::Permit,
        actions: NonEmpty::one(action("report:read")),
        discloses: Discloses::Content,
        limits: Limits {
            ceilings: ceilings(&[("NAT", 4, &[])]),
            caveats_excluded: tokens(&["ORCON"]),
        },
        purposes: NonEmpty::one(token("PROTECTION")),
        training: BTreeSet::new(),
        force: always(),
    }
}

pub fn agreement(n: u8, clauses: Vec<Clause>) -> Agreement {
    Agreement {
        id: AgreementId([n; 16]),
        version: 1,
        title: Line::new("Joint protection").expect("a title"),
        parties: NonEmpty::new(vec![POLICE, ARMY, INTEL, FIRE]).expect("parties"),
        legal_basis: Line::new("Security Act, section 12").expect("a basis"),
        purposes: NonEmpty::new(vec![token("PROTECTION"), token("EMERGENCY")]).expect("purposes"),
        force: always(),
        clauses,
        equivalences: Vec::new(),
        retention_days_max: Some(365),
        onward: Onward::WithConsent,
    }
}

pub fn tree() -> AgencyTree {
    AgencyTree::new(BTreeMap::from([(DISTRICT, POLICE)])).expect("a tree")
}

pub fn with_sources<T>(
    ms: i64,
    agreements: &[&Agreement],
    rules: &str,
    then: impl FnOnce(&Sources<'_>) -> T,
) -> T {
    then(&Sources {
        epoch: 7,
        at: at(ms),
        schemes: &schemes(),
        tree: &tree(),
        agreements,
        actions: &declared(),
        texts: &[Text { name: "reports", cedar: rules }],
        boundaries: &[],
    })
}

pub fn compile_at(ms: i64, agreements: &[&Agreement], rules: &str) -> Result<PolicyEpoch, Error> {
    with_sources(ms, agreements, rules, compile)
}

pub fn epoch(agreements: &[&Agreement]) -> PolicyEpoch {
    compile_at(1_000, agreements, RULES).expect("an epoch")
}

/// An intent for the purpose of protection.
pub struct For {
    action: Action,
    purpose: Token,
}

impl For {
    pub fn protection(text: &str) -> Self {
        Self { action: action(text), purpose: token("PROTECTION") }
    }

    pub fn purpose(text: &str, purpose: &str) -> Self {
        Self { action: action(text), purpose: token(purpose) }
    }

    pub fn intent(&self) -> Intent<'_> {
        Intent { action: &self.action, purpose: &self.purpose }
    }
}

/// Breaks lines after words, so that a long text stands in a test of 100 columns.
pub fn wrapped(text: &str) -> String {
    let mut lines = Vec::new();
    for long in text.lines() {
        let indent = " ".repeat(long.chars().take_while(|c| *c == ' ').count());
        let mut line = indent.clone();
        if long.chars().count() <= 88 {
            lines.push(long.to_owned());
            continue;
        }
        for word in long.trim_start().split(' ') {
            if line.chars().count() + word.chars().count() > 80 && !line.trim().is_empty() {
                lines.push(std::mem::take(&mut line));
                line.push_str(&indent);
                line.push_str("    ");
            } else if !line.trim().is_empty() {
                line.push(' ');
            }
            line.push_str(word);
        }
        lines.push(line);
    }
    lines.join("\n")
}
