//! The world as data: agencies, posts, people, places, agreements and the play, with their checks.

use std::collections::{BTreeMap, BTreeSet};

use app::alerts::Precedence;
use base::crypto::{Hasher, Secret};
use base::{
    AgencyId, AgreementId, ClauseId, Ids, LedgerId, Level, Line, NonEmpty, PersonId, Place,
    SchemeId, SeatId, Time, Token,
};
use policy::agreement::{
    Ceiling, Clause, Discloses, Effect, Grantee, Limits, Onward, Roles, Window,
};
use policy::{Action, Agreement, Schemes};
use serde::Deserialize;

/// What is wrong with the data.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    #[error("`{file}` cannot be read")]
    Form { file: &'static str, source: Box<toml::de::Error> },
    #[error("the world of the demonstration: {0}")]
    Rule(String),
    #[error("the world of the demonstration has a text that breaks its rule")]
    Text(#[from] base::text::TextError),
    #[error("agreement `{id}` of the demonstration cannot be in force")]
    Agreement { id: String, source: policy::Error },
}

/// `world.toml`
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct WorldFile {
    agencies: Vec<Agency>,
    places: BTreeMap<String, NamedPlace>,
    links: Vec<Link>,
}

/// An agency with its seats.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Agency {
    pub code: String,
    pub name: String,
    pub parent: Option<String>,
    /// Codes of releasable-to lists under which its people fall.
    pub audiences: BTreeSet<Token>,
    pub seats: Vec<Seat>,
}

/// A seat with the person who holds it when the world is founded.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Seat {
    pub id: String,
    pub post: String,
    pub roles: BTreeSet<Token>,
    #[serde(default)]
    pub deputies: Vec<String>,
    pub holder: String,
    pub level: u8,
    #[serde(default)]
    pub codes: BTreeSet<Token>,
    pub nato: Option<u8>,
    /// Days until a course lapses.
    #[serde(default)]
    pub courses: BTreeMap<Token, i64>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct NamedPlace {
    #[expect(dead_code, reason = "names a coordinate for whoever reads the file")]
    name: String,
    lat: f64,
    lon: f64,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Link {
    seat: String,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct AgreementsFile {
    agreements: Vec<AgreementData>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct AgreementData {
    id: String,
    title: String,
    parties: Vec<String>,
    legal_basis: String,
    purposes: Vec<Token>,
    days: (i64, i64),
    retention_days: Option<u32>,
    onward: Onward,
    clauses: Vec<ClauseData>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct ClauseData {
    grantors: Vec<String>,
    grantees: Vec<String>,
    roles: Option<Vec<Token>>,
    actions: Vec<Action>,
    discloses: Option<Discloses>,
    nat: Option<u8>,
    #[serde(default)]
    codes: BTreeSet<Token>,
    nato: Option<u8>,
    #[serde(default)]
    exclude: BTreeSet<Token>,
    purposes: Vec<Token>,
    #[serde(default)]
    training: BTreeSet<Token>,
    days: Option<(i64, i64)>,
}

/// `play.toml`
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Play {
    pub answers: Vec<Answer>,
    pub suspension: Suspension,
    pub handover: Handover,
    pub inquiry: Inquiry,
    pub declaration: Declaration,
    pub before: Vec<Before>,
    pub reports: super::scene_reports::Reports,
    pub entities: super::scene_entities::Entities,
    pub clauses: super::scene_clauses::Clauses,
    pub webhooks: super::scene_webhooks::Webhooks,
}

/// An answer to the alert of the declaration.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Answer {
    pub seat: String,
    pub at_s: u32,
    pub option: u8,
    pub layers: usize,
    pub note: Option<String>,
}

/// An agreement that is suspended and resumed.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Suspension {
    pub agreement: String,
    pub at_s: u32,
    pub by: String,
    pub reason: String,
    pub from: String,
    pub to: String,
    pub resumed_by: Vec<Consent>,
}

/// A consent to the resumption.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Consent {
    pub seat: String,
    pub at_s: u32,
}

/// A seat that changes hands: to the holder of another.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Handover {
    pub seat: String,
    pub to: String,
    pub at_s: u32,
    /// What the outgoing officer adds to the brief.
    pub notes: String,
    /// Who is told of it.
    pub told: String,
}

/// An inquiry into the alert of the declaration, by an inspector.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Inquiry {
    pub seat: String,
    pub level: u8,
    pub reason: String,
}

/// A declaration by a plan.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Declaration {
    /// Who declares, and whose plan it is.
    pub seat: String,
    pub head: String,
    pub incident: Token,
    pub name: String,
    /// The label of all that follows.
    pub level: u8,
    pub precedence: Precedence,
    pub options: Vec<String>,
    pub ladder_s: [u32; 3],
    pub text: String,
    pub objectives: Vec<String>,
    pub title: String,
    pub words: String,
    pub stood_down: String,
    /// Who writes a line into the log of the operation.
    pub partner: String,
    pub note: String,
    /// A line of the log that stands higher than the operation.
    pub higher_level: u8,
    pub higher_codes: BTreeSet<Token>,
    pub higher: String,
    /// The seat on which nobody sits when it is declared.
    pub gap: String,
    /// Agencies that are obliged and that no clause reaches.
    pub unreached: Vec<String>,
    /// The agency whose desk does not answer, and who is called for it at each rung.
    pub deaf: String,
    pub called: [Vec<String>; 3],
    pub obliged: Vec<Obliged>,
    pub roles: Vec<Role>,
}

impl Declaration {
    /// The agencies that it alerts: all that are obliged and that a clause reaches.
    pub fn alerted(&self) -> impl Iterator<Item = &String> {
        let codes = self.obliged.iter().map(|obliged| &obliged.agency);
        codes.filter(|code| !self.unreached.contains(code))
    }
}

/// An agency, and the agreement that obliges it.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Obliged {
    pub agency: String,
    pub by: String,
}

/// A role of the operation and its seat.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Role {
    pub name: String,
    pub seat: String,
}

/// An alert of the time before.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Before {
    pub seat: String,
    pub place: String,
    pub level: u8,
    #[serde(default)]
    pub codes: BTreeSet<Token>,
    pub precedence: Precedence,
    pub title: String,
    pub text: String,
    pub answered_by: Vec<String>,
}

/// The whole world.
pub struct World {
    pub agencies: Vec<Agency>,
    pub links: Vec<String>,
    pub play: Play,
    /// The bundle of holdings that was given; without one the play has its own.
    pub intel: Option<Vec<u8>>,
    /// The program that a webhook delivers to.
    pub dispatch: Option<super::scene_webhooks::Dispatch>,
    places: BTreeMap<String, Place>,
    agreements: Vec<AgreementData>,
}

/// People that the world has at least, and agreements.
const PEOPLE_MIN: usize = 60;
const AGREEMENTS_MIN: usize = 10;
const DAY_S: i64 = 24 * 3600;

fn rule<T>(broken: impl Into<String>) -> Result<T, Error> {
    Err(Error::Rule(broken.into()))
}

impl World {
    /// Reads the data of this build and checks it.
    ///
    /// # Errors
    /// [`Error`] with the rule that is broken.
    pub fn load() -> Result<Self, Error> {
        let form = |file| move |source| Error::Form { file, source: Box::new(source) };
        let world: WorldFile =
            toml::from_str(include_str!("world.toml")).map_err(form("world.toml"))?;
        let agreements: AgreementsFile =
            toml::from_str(include_str!("agreements.toml")).map_err(form("agreements.toml"))?;
        let play: Play = toml::from_str(include_str!("play.toml")).map_err(form("play.toml"))?;
        let mut places = BTreeMap::new();
        for (id, place) in world.places {
            let position = Place::new(place.lat, place.lon)
                .map_err(|fault| Error::Rule(format!("place `{id}`: {fault}")))?;
            places.insert(id, position);
        }
        let links = world.links.into_iter().map(|link| link.seat).collect();
        let agreements = agreements.agreements;
        let (intel, dispatch) = (None, None);
        let agencies = world.agencies;
        let world = Self { agencies, links, play, intel, dispatch, places, agreements };
        world.check()?;
        Ok(world)
    }

    fn check(&self) -> Result<(), Error> {
        self.check_people()?;
        let mut codes = BTreeSet::new();
        for agency in &self.agencies {
            if agency.parent.as_ref().is_some_and(|parent| !codes.contains(parent.as_str())) {
                return rule(format!("the parent of {} stands after it", agency.code));
            }
            codes.insert(agency.code.as_str());
            for role in ["DUTY", "HEAD"] {
                self.with_role(&agency.code, role)?;
            }
        }
        let named = self.seats_of_the_play();
        if let Some(seat) = named.iter().find(|seat| self.seat(seat).is_none()) {
            return rule(format!("there is no seat `{seat}`"));
        }
        let places = self.play.before.iter().map(|before| &before.place);
        for place in places.chain([&self.play.reports.place]) {
            self.place(place)?;
        }
        self.check_agreements()
    }

    fn check_people(&self) -> Result<(), Error> {
        let (mut seats, mut names) = (BTreeSet::new(), BTreeSet::new());
        for seat in self.agencies.iter().flat_map(|agency| &agency.seats) {
            if !seats.insert(&seat.id) {
                return rule(format!("seat `{}` stands twice", seat.id));
            }
            if !names.insert(&seat.holder) {
                return rule(format!("{} holds two seats", seat.holder));
            }
        }
        if names.len() < PEOPLE_MIN {
            return rule(format!("it has {} people, not {PEOPLE_MIN}", names.len()));
        }
        let mut deputies = self.agencies.iter().flat_map(|a| &a.seats).flat_map(|s| &s.deputies);
        match deputies.find(|deputy| !seats.contains(*deputy)) {
            Some(deputy) => rule(format!("there is no deputy `{deputy}`")),
            None => Ok(()),
        }
    }

    fn check_agreements(&self) -> Result<(), Error> {
        if self.agreements.len() < AGREEMENTS_MIN {
            return rule(format!("it has fewer than {AGREEMENTS_MIN} agreements"));
        }
        let schemes = Schemes::shipped()
            .map_err(|source| Error::Agreement { id: "schemes".to_owned(), source })?;
        let founding = Founded { ledger: LedgerId([0; 16]), at: Time::MIN.plus_s(4000 * DAY_S) };
        let mut clauses = BTreeSet::new();
        for (data, agreement) in self.agreements.iter().zip(self.agreements(&founding)?) {
            let fault = |source| Error::Agreement { id: data.id.clone(), source };
            agreement.check(&schemes).map_err(fault)?;
            for party in &data.parties {
                self.with_role(party, "SIGNATORY")?;
            }
            if !clauses.insert(format!("{:?}", data.clauses_key())) {
                return rule(format!("agreement `{}` has the clauses of another", data.id));
            }
        }
        Ok(())
    }

    fn seats_of_the_play(&self) -> Vec<&String> {
        let Play { answers, suspension, handover, inquiry, declaration, .. } = &self.play;
        let Play { before, reports, entities, clauses, webhooks, .. } = &self.play;
        let mut named = vec![&suspension.by, &suspension.from, &suspension.to];
        named.extend([&handover.seat, &handover.to, &handover.told, &inquiry.seat]);
        named.extend([&declaration.seat, &declaration.head, &declaration.gap]);
        named.extend(declaration.roles.iter().map(|role| &role.seat));
        named.extend(declaration.called.iter().flatten());
        named.extend(answers.iter().map(|answer| &answer.seat));
        named.extend(suspension.resumed_by.iter().map(|consent| &consent.seat));
        named.extend(before.iter().flat_map(|b| b.answered_by.iter().chain([&b.seat])));
        named.extend(reports.seats());
        named.extend(entities.seats());
        named.extend(clauses.seats());
        named.extend(webhooks.seats());
        named.extend(&self.links);
        named
    }

    /// A seat with its agency.
    pub fn seat(&self, id: &str) -> Option<(&Agency, &Seat)> {
        let mut seats =
            self.agencies.iter().flat_map(|a| a.seats.iter().map(move |seat| (a, seat)));
        seats.find(|(_, seat)| seat.id == id)
    }

    /// The first seat of an agency that has a role.
    ///
    /// # Errors
    /// [`Error::Rule`] when none has.
    pub fn with_role(&self, code: &str, role: &str) -> Result<&Seat, Error> {
        let agency = self.agencies.iter().find(|agency| agency.code == code);
        let has = |seat: &&Seat| seat.roles.iter().any(|r| r.as_str() == role);
        match agency.and_then(|agency| agency.seats.iter().find(has)) {
            Some(seat) => Ok(seat),
            None => rule(format!("nobody of {code} has the role {role}")),
        }
    }

    /// A place by its name in the file.
    ///
    /// # Errors
    /// [`Error::Rule`] when there is none.
    pub fn place(&self, id: &str) -> Result<Place, Error> {
        self.places.get(id).copied().ok_or_else(|| Error::Rule(format!("there is no place `{id}`")))
    }

    /// The agreements as the parties sign them, in the order of the file; the first is the charter.
    ///
    /// # Errors
    /// [`Error::Text`] or [`Error::Rule`] for what breaks a rule of form.
    pub fn agreements(&self, founded: &Founded) -> Result<Vec<Agreement>, Error> {
        self.agreements.iter().map(|data| data.agreement(founded)).collect()
    }

    /// The signatories of an agreement, in the order of its parties.
    ///
    /// # Errors
    /// [`Error::Rule`] when a party has none.
    pub fn signatories(&self, place: usize) -> Result<Vec<&Seat>, Error> {
        let parties = self.agreements.get(place).map_or(&[][..], |data| &data.parties);
        parties.iter().map(|code| self.with_role(code, "SIGNATORY")).collect()
    }

    /// The name of an agreement in the file.
    pub fn agreement_name(&self, place: usize) -> &str {
        self.agreements.get(place).map_or("", |data| &data.id)
    }
}

/// When and on which ledger the world was founded: ids and windows follow from it.
#[derive(Clone, Copy)]
pub struct Founded {
    pub ledger: LedgerId,
    pub at: Time,
}

impl Founded {
    /// The id of something that has a name in the files; another on each ledger.
    fn id(&self, kind: &'static str, name: &str) -> [u8; 16] {
        let seed = Hasher::new("muster/demo-id/v1")
            .part(&self.ledger.0)
            .part(kind.as_bytes())
            .part(name.as_bytes())
            .finish();
        Ids::new(Secret::new(seed.0)).next_id()
    }

    pub fn agency(&self, code: &str) -> AgencyId {
        AgencyId(self.id("agency", code))
    }

    pub fn person(&self, name: &str) -> PersonId {
        PersonId(self.id("person", name))
    }

    pub fn seat(&self, id: &str) -> SeatId {
        SeatId(self.id("seat", id))
    }

    pub fn agreement(&self, id: &str) -> AgreementId {
        AgreementId(self.id("agreement", id))
    }

    fn window(&self, days: (i64, i64)) -> Window {
        let day = |days: i64| self.at.plus_s(days * DAY_S);
        Window { starts_at: day(days.0), ends_at: day(days.1) }
    }

    /// When a course lapses.
    pub fn day(&self, days: i64) -> Time {
        self.at.plus_s(days * DAY_S)
    }
}

fn scheme(name: &str) -> Result<SchemeId, Error> {
    Ok(SchemeId(Token::new(name)?))
}

impl AgreementData {
    /// What makes one agreement differ from another.
    fn clauses_key(&self) -> impl std::fmt::Debug + use<> {
        let clause = |c: &ClauseData| {
            let who = (c.grantors.clone(), c.grantees.clone(), c.roles.clone());
            let what = (c.nat, c.codes.clone(), c.nato, c.exclude.clone(), c.discloses);
            (who, what, c.purposes.clone(), c.training.clone())
        };
        self.clauses.iter().map(clause).collect::<Vec<_>>()
    }

    fn agreement(&self, founded: &Founded) -> Result<Agreement, Error> {
        let parties = self.parties.iter().map(|code| founded.agency(code)).collect();
        let mut clauses = Vec::with_capacity(self.clauses.len());
        for (place, clause) in self.clauses.iter().enumerate() {
            let id = ClauseId(founded.id("clause", &format!("{}/{place}", self.id)));
            clauses.push(clause.clause(id, founded, self.days)?);
        }
        Ok(Agreement {
            id: founded.agreement(&self.id),
            version: 1,
            title: Line::new(self.title.as_str())?,
            parties: NonEmpty::new(parties)?,
            legal_basis: Line::new(self.legal_basis.as_str())?,
            purposes: NonEmpty::new(self.purposes.clone())?,
            force: founded.window(self.days),
            clauses,
            equivalences: Vec::new(),
            retention_days_max: self.retention_days,
            onward: self.onward,
        })
    }
}

impl ClauseData {
    fn clause(&self, id: ClauseId, founded: &Founded, days: (i64, i64)) -> Result<Clause, Error> {
        let roles = match &self.roles {
            Some(roles) => Roles::Only(NonEmpty::new(roles.clone())?),
            None => Roles::Any,
        };
        let grantee =
            |code: &String| Grantee { agency: founded.agency(code), roles: roles.clone() };
        let mut ceilings = BTreeMap::new();
        if let Some(level) = self.nat {
            let compartments = self.codes.clone();
            ceilings.insert(scheme("NAT")?, Ceiling { level: Level(level), compartments });
        }
        if let Some(level) = self.nato {
            let compartments = BTreeSet::new();
            ceilings.insert(scheme("NATO")?, Ceiling { level: Level(level), compartments });
        }
        let grantors = self.grantors.iter().map(|code| founded.agency(code)).collect();
        Ok(Clause {
            id,
            version: 1,
            grantors: NonEmpty::new(grantors)?,
            grantees: NonEmpty::new(self.grantees.iter().map(grantee).collect())?,
            effect: Effect::Permit,
            actions: NonEmpty::new(self.actions.clone())?,
            discloses: self.discloses.unwrap_or(Discloses::Content),
            limits: Limits { ceilings, caveats_excluded: self.exclude.clone() },
            purposes: NonEmpty::new(self.purposes.clone())?,
            training: self.training.clone(),
            force: founded.window(self.days.unwrap_or(days)),
        })
    }
}
