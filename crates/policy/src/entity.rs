//! Profiles, labels and targets as Cedar entities, built in Rust and never through JSON.

use std::collections::BTreeSet;
use std::sync::{Arc, LazyLock};

use base::label::Cleared;
use base::{AgencyId, Digest, Label, Marking, Play, Releasable, SchemeId, Token};
use cedar_policy::{
    Context, Entity, EntityId, EntityTypeName, EntityUid, ParseErrors,
    RestrictedExpression as Value,
};

use crate::agreement::Action;
use crate::decide::Target;
use crate::profile::Attributes;
use crate::{AgencyTree, Error};

struct Words {
    agency: EntityTypeName,
    profile: EntityTypeName,
    label: EntityTypeName,
    target: EntityTypeName,
    action: EntityTypeName,
}

/// The schema's entity types, parsed once: parsing a name costs more than a decision.
static WORDS: LazyLock<Result<Words, String>> = LazyLock::new(|| {
    let parse = |word: &str| word.parse().map_err(|cause: ParseErrors| cause.to_string());
    Ok(Words {
        agency: parse("Agency")?,
        profile: parse("Profile")?,
        label: parse("Label")?,
        target: parse("Target")?,
        action: parse("Action")?,
    })
});

/// The play of a live record, in rules; an exercise is named by its id.
pub const LIVE: &str = "live";

fn uid(word: fn(&Words) -> &EntityTypeName, id: impl AsRef<str>) -> Result<EntityUid, Error> {
    match &*WORDS {
        Ok(words) => Ok(EntityUid::from_type_name_and_id(word(words).clone(), EntityId::new(id))),
        Err(cause) => Err(Error::Words(cause.clone())),
    }
}

fn agency_uid(agency: AgencyId) -> Result<EntityUid, Error> {
    uid(|words| &words.agency, agency.to_string())
}

/// The name of an action in rules.
pub fn action_uid(action: &Action) -> Result<EntityUid, Error> {
    uid(|words| &words.action, action.as_str())
}

fn codes<'a>(codes: impl IntoIterator<Item = &'a Token>) -> Value {
    Value::new_set(codes.into_iter().map(|code| Value::new_string(code.as_str().to_owned())))
}

fn record<'a>(fields: impl IntoIterator<Item = (&'a str, Value)>) -> Result<Value, Error> {
    Value::new_record(fields.into_iter().map(|(name, value)| (name.to_owned(), value)))
        .map_err(|cause| Error::Attributes(Box::new(cause)))
}

fn by_scheme<'a, T: 'a>(
    schemes: impl IntoIterator<Item = (&'a SchemeId, &'a T)>,
    value: impl Fn(&T) -> Result<Value, Error>,
) -> Result<Value, Error> {
    let fields: Result<Vec<_>, Error> =
        schemes.into_iter().map(|(id, of)| Ok((id.0.as_str(), value(of)?))).collect();
    record(fields?)
}

fn cleared(cleared: &Cleared) -> Result<Value, Error> {
    record([
        ("level", Value::new_long(i64::from(cleared.level.0))),
        ("compartments", codes(&cleared.compartments)),
    ])
}

/// `restricted` keeps nobody and everybody apart: an empty `released_to` alone would say neither.
fn marking(marking: &Marking) -> Result<Value, Error> {
    let (restricted, released_to) = match &marking.releasable_to {
        Releasable::Unrestricted => (false, codes([])),
        Releasable::Only(only) => (true, codes(only)),
    };
    record([
        ("level", Value::new_long(i64::from(marking.level.0))),
        ("compartments", codes(&marking.compartments)),
        ("restricted", Value::new_bool(restricted)),
        ("released_to", released_to),
    ])
}

fn entity<const N: usize>(
    uid: EntityUid,
    attributes: [(&str, Value); N],
    parent: EntityUid,
) -> Result<Entity, Error> {
    let attributes = attributes.map(|(name, value)| (name.to_owned(), value));
    Entity::new_with_tags(uid, attributes, [parent], [])
        .map_err(|cause| Error::Entity(Box::new(cause)))
}

/// A reader's profile, under its agency.
pub fn profile(attributes: &Attributes, digest: &Digest) -> Result<Entity, Error> {
    let Attributes { agency, clearance, roles, training, device } = attributes;
    let exercises = clearance.exercises.iter().map(|id| Value::new_string(id.to_string()));
    let agency = agency_uid(*agency)?;
    let attributes = [
        ("agency", Value::new_entity_uid(agency.clone())),
        ("roles", codes(roles)),
        ("training", codes(training)),
        ("device", Value::new_string(device.as_str().to_owned())),
        ("cleared", by_scheme(&clearance.schemes, cleared)?),
        ("audiences", codes(&clearance.audiences)),
        ("exercises", Value::new_set(exercises)),
    ];
    entity(uid(|words| &words.profile, digest.to_string())?, attributes, agency)
}

/// What a label contributes to the resource of a request.
fn label_attributes(label: Option<&Label>) -> Result<[(&'static str, Value); 4], Error> {
    let none = std::collections::BTreeMap::new();
    let markings = label.map_or(&none, Label::markings);
    let caveats: BTreeSet<&Token> = markings.values().flat_map(|m| &m.caveats).collect();
    let play = match label.map_or(Play::Live, Label::play) {
        Play::Live => LIVE.to_owned(),
        Play::Exercise(id) => id.to_string(),
    };
    Ok([
        ("schemes", codes(markings.keys().map(|id| &id.0))),
        ("markings", by_scheme(markings, marking)?),
        ("caveats", codes(caveats)),
        ("play", Value::new_string(play)),
    ])
}

/// A label as resources: one for each originator, under that agency, for each must consent.
#[derive(Clone, Debug)]
pub struct LabelEntity {
    pub label: Arc<Label>,
    pub originators: Vec<(AgencyId, Entity)>,
}

impl LabelEntity {
    pub fn new(label: Arc<Label>) -> Result<Self, Error> {
        let digest = label.digest();
        let [schemes, markings, caveats, play] = label_attributes(Some(&label))?;
        let mut originators = Vec::with_capacity(label.originators().len());
        for originator in label.originators() {
            let agency = agency_uid(*originator)?;
            let attributes = [
                ("agency", Value::new_entity_uid(agency.clone())),
                schemes.clone(),
                markings.clone(),
                caveats.clone(),
                play.clone(),
            ];
            let uid = uid(|words| &words.label, format!("{digest}/{originator}"))?;
            originators.push((*originator, entity(uid, attributes, agency)?));
        }
        Ok(Self { label, originators })
    }
}

/// What an act is upon, under its home agency.
pub fn target(target: &Target<'_>) -> Result<Entity, Error> {
    let agency = agency_uid(target.agency)?;
    let [schemes, markings, caveats, play] = label_attributes(target.label)?;
    let state = target.state.map_or("", Token::as_str).to_owned();
    let attributes = [
        ("agency", Value::new_entity_uid(agency.clone())),
        ("state", Value::new_string(state)),
        ("facts", codes(target.facts)),
        schemes,
        markings,
        caveats,
        play,
    ];
    entity(uid(|words| &words.target, "target")?, attributes, agency)
}

/// The agencies and all above them, each under the one above it.
pub fn agencies(
    tree: &AgencyTree,
    agencies: impl IntoIterator<Item = AgencyId>,
) -> Result<Vec<Entity>, Error> {
    let all: BTreeSet<AgencyId> = agencies.into_iter().flat_map(|a| tree.line(a)).collect();
    let entity = |agency: AgencyId| {
        let above = tree.above(agency).map(agency_uid).transpose()?;
        Ok(Entity::new_no_attrs(agency_uid(agency)?, above.into_iter().collect()))
    };
    all.into_iter().map(entity).collect()
}

/// The context of a request: what it is for.
pub fn context(purpose: &Token) -> Result<Context, Error> {
    let purpose = Value::new_string(purpose.as_str().to_owned());
    Context::from_pairs([("purpose".to_owned(), purpose)])
        .map_err(|cause| Error::Context(Box::new(cause)))
}
