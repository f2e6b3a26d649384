//! Markings: what the sender says about passing an object on (STIX 2.1 §7.2).
//!
//! The standard leaves open how several markings of one thing are read together. Here the strictest
//! of them holds, of the whole object and of each part, and what is not understood is read as
//! strictly as the label table can say. So a marking can only ever add to the protection.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::str::FromStr;
use std::sync::Arc;

use base::label::LabelError;
use base::{Label, Marking, Releasable, SchemeId};

use crate::json::Json;
use crate::stix::head::{Detail, Head};
use crate::stix::rules::Findings;
use crate::stix::{Bundle, StixId};
use crate::{Fault, limit};

/// The Traffic Light Protocol 2.0, from least to most strict; `WHITE` of 1.0 is read as `Clear`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Tlp {
    /// The world may see it.
    Clear,
    /// The community may.
    Green,
    /// The recipient's organisation and its clients, as far as they need to know.
    Amber,
    /// The recipient's organisation alone.
    AmberStrict,
    /// The named recipients alone.
    Red,
}

/// A text that is no level of the Traffic Light Protocol.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("not a level of the Traffic Light Protocol")]
pub struct TlpError;

/// The extension by which a marking definition says a level of TLP 2.0.
const TLP_2: &str = "extension-definition--60a3c5c5-0d10-413e-aab3-9e08dde9e88d";

/// The standard's own definitions: TLP 1.0 (STIX 2.1 §7.2.1.4), then TLP 2.0.
const STANDARD: [(&str, Tlp); 9] = [
    ("marking-definition--613f2e26-407d-48c7-9eca-b8e91df99dc9", Tlp::Clear),
    ("marking-definition--34098fce-860f-48ae-8e50-ebd3cc5e41da", Tlp::Green),
    ("marking-definition--f88d31f6-486f-44da-b317-01333bde0b82", Tlp::Amber),
    ("marking-definition--5e57c739-391a-4eb3-b6be-7d15ca92d5ed", Tlp::Red),
    ("marking-definition--94868c89-83c2-464b-929b-a1a8aa3c8487", Tlp::Clear),
    ("marking-definition--bab4a63c-aed9-4cf5-a766-dfca5abac2bb", Tlp::Green),
    ("marking-definition--55d920b0-5e8b-4f79-9ee9-91f868d9b421", Tlp::Amber),
    ("marking-definition--939a9414-2ddd-4d32-a0cd-375ea402b003", Tlp::AmberStrict),
    ("marking-definition--e828b379-4e03-4974-9ac4-e53a884c97c1", Tlp::Red),
];

impl Tlp {
    /// Every level, from least to most strict.
    pub const ALL: [Self; 5] =
        [Self::Clear, Self::Green, Self::Amber, Self::AmberStrict, Self::Red];

    /// The text form of TLP 2.0: capitals, no space.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Clear => "TLP:CLEAR",
            Self::Green => "TLP:GREEN",
            Self::Amber => "TLP:AMBER",
            Self::AmberStrict => "TLP:AMBER+STRICT",
            Self::Red => "TLP:RED",
        }
    }

    /// The level that one of the standard's own definitions says, of TLP 1.0 or 2.0.
    pub fn of_standard(id: &StixId) -> Option<Self> {
        STANDARD.iter().find_map(|(known, tlp)| (*known == id.as_str()).then_some(*tlp))
    }

    /// The text of the id of the definition of TLP 2.0, for what we send.
    pub const fn definition_id(self) -> &'static str {
        match self {
            Self::Clear => "marking-definition--94868c89-83c2-464b-929b-a1a8aa3c8487",
            Self::Green => "marking-definition--bab4a63c-aed9-4cf5-a766-dfca5abac2bb",
            Self::Amber => "marking-definition--55d920b0-5e8b-4f79-9ee9-91f868d9b421",
            Self::AmberStrict => "marking-definition--939a9414-2ddd-4d32-a0cd-375ea402b003",
            Self::Red => "marking-definition--e828b379-4e03-4974-9ac4-e53a884c97c1",
        }
    }

    /// The definition of TLP 2.0 itself, which a bundle that uses it carries along.
    pub fn definition(self) -> String {
        let (id, name) = (self.definition_id(), self.as_str());
        let level = name.trim_start_matches("TLP:").to_ascii_lowercase();
        format!(
            concat!(
                r#"{{"type":"marking-definition","spec_version":"2.1","id":"{id}","#,
                r#""created":"2022-10-01T00:00:00.000Z","name":"{name}","#,
                r#""extensions":{{"{extension}":{{"#,
                r#""extension_type":"property-extension","tlp_2_0":"{level}"}}}}}}"#
            ),
            id = id,
            name = name,
            extension = TLP_2,
            level = level
        )
    }
}

impl fmt::Display for Tlp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl FromStr for Tlp {
    type Err = TlpError;

    /// Reads a level with or without `TLP:`, in letters of any case.
    fn from_str(text: &str) -> Result<Self, TlpError> {
        let upper = text.trim().to_ascii_uppercase();
        match upper.strip_prefix("TLP:").unwrap_or(&upper) {
            "CLEAR" | "WHITE" => Ok(Self::Clear),
            "GREEN" => Ok(Self::Green),
            "AMBER" => Ok(Self::Amber),
            "AMBER+STRICT" => Ok(Self::AmberStrict),
            "RED" => Ok(Self::Red),
            _ => Err(TlpError),
        }
    }
}

/// What a marking definition says, by its content (STIX 2.1 §7.2.1).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Definition {
    pub tlp: Option<Tlp>,
    pub statement: Option<Arc<str>>,
    /// Whether nothing in the definition is left unread.
    pub understood: bool,
}

impl Definition {
    /// Reads the definition, a marking of TLP 1.0 or 2.0 or a statement, by what it says.
    ///
    /// TLP 1.0 is looked for in letters of any case and with the levels of 2.0, because products
    /// send it so.
    pub(crate) fn read(object: &Json<'_>) -> Self {
        let mut levels = Vec::new();
        let mut statement = None;
        let mut understood = true;
        let definition = object.get("definition").map(Json::entries).unwrap_or_default();
        let kind = object.get("definition_type").and_then(Json::text);
        if kind.is_some_and(|kind| kind.eq_ignore_ascii_case("tlp")) {
            let level = definition.iter().find(|(name, _)| name.eq_ignore_ascii_case("tlp"));
            levels.push(level.and_then(|(_, level)| level.text()));
        } else if kind == Some("statement") {
            let text = definition.iter().find(|(name, _)| name == "statement");
            statement = text.and_then(|(_, text)| text.text()).map(Arc::from);
            understood = statement.is_some();
        } else if kind.is_some() {
            understood = false;
        }
        for (name, extension) in object.get("extensions").map(Json::entries).unwrap_or_default() {
            if name == TLP_2 {
                levels.push(extension.get("tlp_2_0").and_then(Json::text));
            } else {
                understood = false;
            }
        }
        let levels: Vec<Option<Tlp>> =
            levels.into_iter().map(|level| level.and_then(|level| level.parse().ok())).collect();
        understood &= levels.iter().all(Option::is_some);
        let tlp = levels.into_iter().flatten().max();
        understood &= tlp.is_some() || statement.is_some();
        Self { tlp, statement, understood }
    }

    /// What a person may want to know of the definition that has this id.
    pub(crate) fn remark(&self, id: &StixId) -> Option<Fault> {
        if !self.understood {
            return Some(Fault::Marking);
        }
        (self.tlp.is_some() && self.tlp != Tlp::of_standard(id)).then_some(Fault::Tlp)
    }
}

/// A path to a part of an object, such as `labels.[1]` (STIX 2.1 §7.2.3.1); the part exists.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Selector(Box<str>);

impl Selector {
    /// The text.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Whether `other` is this part or lies within it.
    pub fn covers(&self, other: &Self) -> bool {
        let rest = other.0.strip_prefix(self.as_str());
        rest.is_some_and(|rest| rest.is_empty() || rest.starts_with('.'))
    }

    /// The part that `text` selects; `None` when the path is none or leads nowhere.
    pub fn find<'j, 'a>(text: &str, object: &'j Json<'a>) -> Option<&'j Json<'a>> {
        text.split('.').try_fold(object, |part, step| {
            let index = step.strip_prefix('[').and_then(|step| step.strip_suffix(']'));
            match index {
                Some(index) => part.members().get(index.parse::<usize>().ok()?),
                None => part.get(step),
            }
        })
    }
}

/// What a granular marking marks.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Reach {
    /// A selector named nothing: the marking is read as one of the whole object.
    Whole,
    Part(Selector),
}

/// One marking of one part (STIX 2.1 §7.2.3). Those that only name a language are not kept.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Granular {
    pub marking: StixId,
    pub reach: Reach,
}

/// Reads the granular markings and holds object markings and selectors to their limits.
pub(crate) fn read_granular(object: &Json<'_>, findings: &mut Findings) -> Vec<Granular> {
    let members = |name| object.get(name).map(Json::members).unwrap_or_default();
    for name in ["object_marking_refs", "granular_markings"] {
        if members(name).len() > limit::MARKINGS_PER_OBJECT {
            findings.push(Fault::TooMany(name));
            return Vec::new();
        }
    }
    let mut granular = Vec::new();
    for member in members("granular_markings") {
        let marking = match member.get("marking_ref").map(|id| id.text().map(str::parse)) {
            Some(Some(Ok(id))) => id,
            None if member.get("lang").and_then(Json::text).is_some() => continue,
            Some(Some(Err(_))) => {
                findings.push(Fault::Id("granular_markings"));
                continue;
            }
            Some(None) | None => {
                findings.push(Fault::WrongKind("granular_markings"));
                continue;
            }
        };
        read_selectors(object, &marking, member, &mut granular, findings);
    }
    granular
}

fn read_selectors(
    object: &Json<'_>,
    marking: &StixId,
    member: &Json<'_>,
    granular: &mut Vec<Granular>,
    findings: &mut Findings,
) {
    if marking.type_name() != "marking-definition" {
        findings.push(Fault::IdType("granular_markings"));
    }
    let selectors = member.get("selectors").map(Json::members).unwrap_or_default();
    if granular.len() + selectors.len().max(1) > limit::SELECTORS_PER_OBJECT {
        findings.push(Fault::TooMany("selectors"));
        return;
    }
    // A marking that selects nothing was meant to mark something.
    let mut reaches: BTreeSet<Reach> = BTreeSet::new();
    for selector in selectors {
        let text = selector.text().filter(|text| Selector::find(text, object).is_some());
        reaches.insert(text.map_or(Reach::Whole, |text| Reach::Part(Selector(text.into()))));
    }
    if reaches.is_empty() {
        reaches.insert(Reach::Whole);
    }
    if reaches.contains(&Reach::Whole) {
        findings.push(Fault::Selector);
    }
    let marked = reaches.into_iter().map(|reach| Granular { marking: marking.clone(), reach });
    granular.extend(marked);
}

/// What the markings of a thing say together.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct MarkingClaim {
    /// The strictest level of all.
    pub tlp: Option<Tlp>,
    /// Copyright, terms of use: shown with the thing, no bar by themselves.
    pub statements: BTreeSet<Arc<str>>,
    /// Markings that are not defined here, or not in words that we know.
    pub unknown: BTreeSet<StixId>,
}

impl MarkingClaim {
    /// Whether the markings say nothing about who may see the thing.
    pub fn silent(&self) -> bool {
        self.tlp.is_none() && self.unknown.is_empty()
    }

    /// Both claims together: the stricter level, all statements, all that is unknown.
    #[must_use]
    pub fn join(mut self, other: &Self) -> Self {
        self.tlp = self.tlp.max(other.tlp);
        self.statements.extend(other.statements.iter().cloned());
        self.unknown.extend(other.unknown.iter().cloned());
        self
    }

    /// The label of a thing with this claim, by the recipient's table.
    ///
    /// A silent claim gives `unmarked`. Otherwise the markings are the table's, with the
    /// originators and the play of `unmarked`. Beside an unknown marking those of `unmarked` hold
    /// as well.
    ///
    /// # Errors
    /// [`LabelError`] when table and `unmarked` together have more schemes than a label may have.
    pub fn label(&self, map: &impl LabelMap, unmarked: &Label) -> Result<Label, LabelError> {
        if self.silent() {
            return Ok(unmarked.clone());
        }
        let mut markings = BTreeMap::new();
        if let Some(tlp) = self.tlp {
            add(&mut markings, map.tlp(tlp));
        }
        for id in &self.unknown {
            if let Some(marking) = map.definition(id) {
                add(&mut markings, marking);
            } else {
                add(&mut markings, map.unknown());
                for (scheme, marking) in unmarked.markings() {
                    add(&mut markings, (scheme.clone(), marking.clone()));
                }
            }
        }
        Label::new(markings, unmarked.originators().clone(), unmarked.play())
    }
}

/// Joins a marking into those of a label: the least marking that is as strict as both.
fn add(markings: &mut BTreeMap<SchemeId, Marking>, (scheme, other): (SchemeId, Marking)) {
    let Some(marking) = markings.get_mut(&scheme) else {
        markings.insert(scheme, other);
        return;
    };
    marking.level = marking.level.max(other.level);
    marking.compartments.extend(other.compartments);
    marking.caveats.extend(other.caveats);
    if let Releasable::Only(codes) = other.releasable_to {
        match &mut marking.releasable_to {
            Releasable::Only(own) => own.retain(|code| codes.contains(code)),
            Releasable::Unrestricted => marking.releasable_to = Releasable::Only(codes),
        }
    }
}

/// The recipient's table from markings to the product's own.
pub trait LabelMap {
    /// What a level of the Traffic Light Protocol becomes.
    fn tlp(&self, tlp: Tlp) -> (SchemeId, Marking);

    /// What a definition becomes that is not understood by itself but was agreed on with a partner.
    fn definition(&self, _id: &StixId) -> Option<(SchemeId, Marking)> {
        None
    }

    /// What any other definition becomes: the strictest that the table has.
    fn unknown(&self) -> (SchemeId, Marking) {
        self.tlp(Tlp::Red)
    }
}

impl<F: Fn(Tlp) -> (SchemeId, Marking)> LabelMap for F {
    fn tlp(&self, tlp: Tlp) -> (SchemeId, Marking) {
        self(tlp)
    }
}

/// What the markings of an object say, of the whole and of its parts.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Claims {
    pub whole: MarkingClaim,
    /// By selector; each includes the claim of the whole and of every part around it.
    pub parts: BTreeMap<Selector, MarkingClaim>,
}

impl Claims {
    /// The claim under which every part may be shown: of an object that is passed on in one piece.
    pub fn ceiling(&self) -> MarkingClaim {
        self.parts.values().fold(self.whole.clone(), MarkingClaim::join)
    }
}

/// The definitions that are known: the standard's own and what was learnt.
///
/// Keep one for each sender, so that what one defines does not tighten what another sent.
#[derive(Clone, Debug, Default)]
pub struct Definitions(BTreeMap<StixId, Definition>);

impl Definitions {
    /// The standard's own definitions alone.
    pub fn standard() -> Self {
        Self::default()
    }

    /// Learns the definitions that a bundle carries, before its objects are read: a definition may
    /// follow what it marks.
    pub fn learn_bundle(&mut self, bundle: &Bundle<'_>) {
        for object in bundle.definitions() {
            self.learn(&object.head);
        }
    }

    /// Learns a marking definition; other objects are passed over.
    ///
    /// Definitions have no versions (STIX 2.1 §7.2.1). Of two with one id both are held to, so that
    /// nobody can weaken a marking by defining it again.
    pub fn learn(&mut self, head: &Head) {
        let Detail::Marking(definition) = &head.detail else {
            return;
        };
        let Some(known) = self.0.get_mut(&head.id) else {
            self.0.insert(head.id.clone(), definition.clone());
            return;
        };
        if known.statement != definition.statement {
            known.understood = false;
        }
        known.tlp = known.tlp.max(definition.tlp);
        known.understood &= definition.understood;
    }

    /// What one marking says.
    fn add(&self, id: &StixId, claim: &mut MarkingClaim) {
        claim.tlp = claim.tlp.max(Tlp::of_standard(id));
        match self.0.get(id) {
            Some(known) => {
                claim.tlp = claim.tlp.max(known.tlp);
                claim.statements.extend(known.statement.clone());
                if !known.understood {
                    claim.unknown.insert(id.clone());
                }
            }
            None if Tlp::of_standard(id).is_some() => {}
            None => {
                claim.unknown.insert(id.clone());
            }
        }
    }

    /// What the markings of an object say.
    pub fn claims(&self, head: &Head) -> Claims {
        let mut claims = Claims::default();
        for id in &head.object_markings {
            self.add(id, &mut claims.whole);
        }
        let mut parts: Vec<(&Selector, &StixId)> = Vec::new();
        for granular in &head.granular_markings {
            match &granular.reach {
                Reach::Whole => self.add(&granular.marking, &mut claims.whole),
                Reach::Part(selector) => parts.push((selector, &granular.marking)),
            }
        }
        for (selector, _) in &parts {
            let mut claim = claims.whole.clone();
            for (_, id) in parts.iter().filter(|(around, _)| around.covers(selector)) {
                self.add(id, &mut claim);
            }
            claims.parts.insert((*selector).clone(), claim);
        }
        claims
    }
}
