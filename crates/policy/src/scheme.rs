//! Schemes of labels: levels, compartments, audiences, caveats and how they are written.
//!
//! A scheme's file has the shape of an XMLSPIF 2.1 policy: `levels` are its classifications with
//! their hierarchy, `compartments` restrictive, `audiences` permissive and `caveats` informative
//! tags, and `marking` its marking qualifiers. Ranks are never renumbered.

use std::collections::{BTreeMap, BTreeSet};

use base::{Label, Level, Line, Marking, Releasable, SchemeId, Token};
use serde::Deserialize;

use crate::Error;

/// One level of a scheme (XMLSPIF `securityClassification`).
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Classification {
    pub rank: Level,
    pub code: Token,
    /// The words of the banner.
    pub name: Line<48>,
    /// The letters of a portion mark.
    pub portion: Line<24>,
    /// The colour of the banner, `#rrggbb`.
    pub colour: Line<7>,
}

/// A compartment or caveat and when it may be used (XMLSPIF `tagCategory`).
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Category {
    pub code: Token,
    pub name: Line<48>,
    pub portion: Line<24>,
    /// The lowest level with which it may stand.
    pub level_min: Option<Token>,
    /// The highest level with which it may stand.
    pub level_max: Option<Token>,
    /// Categories of its own sort that must stand with it.
    #[serde(default)]
    pub requires: BTreeSet<Token>,
    /// Categories of its own sort that may not stand with it.
    #[serde(default)]
    pub excludes: BTreeSet<Token>,
    /// Written onto the level with a hyphen, as in OFFICIAL-SENSITIVE.
    #[serde(default)]
    pub fused: bool,
}

/// A code that a releasable-to list may name.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Audience {
    pub code: Token,
    pub name: Line<80>,
}

/// A code that stands for several audiences; who holds one of them holds the group as well.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Group {
    pub code: Token,
    pub name: Line<80>,
    pub members: BTreeSet<Token>,
}

/// A releasable-to list that is written in words of its own, as UK EYES ONLY.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Phrase {
    pub codes: BTreeSet<Token>,
    pub name: Line<48>,
    pub portion: Line<24>,
    /// The colour of the banner, where it is not the level's.
    pub colour: Option<Line<7>>,
    /// Whether the record also needs a circle that names its recipients.
    #[serde(default)]
    pub circle: bool,
}

/// A part of a written marking.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Part {
    Level,
    Compartments,
    Releasable,
    Caveats,
}

/// How a scheme writes its markings (XMLSPIF `markingQualifier`).
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Template {
    /// The parts in the order of writing; without [`Part::Level`] the level is not written.
    pub order: Vec<Part>,
    /// Between parts.
    pub separator: String,
    /// Between the codes of one part.
    pub within: String,
    /// Before a releasable-to list.
    pub release: String,
    /// The words for a list that names nobody.
    pub nobody: String,
    /// The words for no restriction; nothing is written when there are none.
    pub unrestricted: Option<String>,
    /// Whether only the lists that have a phrase may be used.
    pub phrases_only: bool,
}

impl Default for Template {
    fn default() -> Self {
        Self {
            order: vec![Part::Level, Part::Compartments, Part::Releasable, Part::Caveats],
            separator: "//".into(),
            within: "/".into(),
            release: "REL TO ".into(),
            nobody: "REL TO NOBODY".into(),
            unrestricted: None,
            phrases_only: false,
        }
    }
}

/// What a scheme's levels mean.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Sort {
    /// Levels of sensitivity; may be mapped to other classifications.
    Classification,
    /// Audiences only, as the traffic light protocol; never mapped to a classification.
    Audience,
}

/// The content of a scheme's file.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SchemeFile {
    pub id: SchemeId,
    pub title: Line<160>,
    pub version: u32,
    /// The name of the policy in other systems, where it has one `urn:oid:…`.
    pub uri: Line<160>,
    pub kind: Sort,
    /// Whether the shared nations and their groups are audiences of this scheme.
    #[serde(default)]
    pub nations: bool,
    #[serde(default)]
    pub marking: Template,
    pub levels: Vec<Classification>,
    #[serde(default)]
    pub compartments: Vec<Category>,
    #[serde(default)]
    pub audiences: Vec<Audience>,
    #[serde(default)]
    pub groups: Vec<Group>,
    #[serde(default)]
    pub phrases: Vec<Phrase>,
    #[serde(default)]
    pub caveats: Vec<Category>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct NationsFile {
    audiences: Vec<Audience>,
    groups: Vec<Group>,
}

/// A scheme whose file keeps its rules.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Scheme(SchemeFile);

impl Scheme {
    /// Checks a scheme's file.
    ///
    /// # Errors
    /// [`Error::SchemeRule`] names the first rule that is broken.
    pub fn new(file: SchemeFile) -> Result<Self, Error> {
        let scheme = Self(file);
        match first_fault(&scheme.0) {
            None => Ok(scheme),
            Some(rule) => Err(Error::SchemeRule { scheme: scheme.id().to_string(), rule }),
        }
    }

    /// Everything that the file says.
    pub const fn file(&self) -> &SchemeFile {
        &self.0
    }

    /// The name of the scheme.
    pub const fn id(&self) -> &SchemeId {
        &self.0.id
    }

    /// The level of a rank.
    pub fn level(&self, rank: Level) -> Option<&Classification> {
        self.0.levels.iter().find(|level| level.rank == rank)
    }

    /// The level of a code.
    pub fn level_by_code(&self, code: &Token) -> Option<&Classification> {
        self.0.levels.iter().find(|level| level.code == *code)
    }

    /// The compartment of a code.
    pub fn compartment(&self, code: &Token) -> Option<&Category> {
        self.0.compartments.iter().find(|category| category.code == *code)
    }

    /// The caveat of a code.
    pub fn caveat(&self, code: &Token) -> Option<&Category> {
        self.0.caveats.iter().find(|category| category.code == *code)
    }

    /// The phrase for a releasable-to list.
    pub fn phrase(&self, codes: &BTreeSet<Token>) -> Option<&Phrase> {
        self.0.phrases.iter().find(|phrase| phrase.codes == *codes)
    }

    /// Says whether a releasable-to list may name the code, as audience or group.
    pub fn knows_audience(&self, code: &Token) -> bool {
        self.0.audiences.iter().any(|audience| audience.code == *code)
            || self.0.groups.iter().any(|group| group.code == *code)
    }

    /// Says whether a record so marked also needs a circle that names its recipients.
    pub fn needs_circle(&self, marking: &Marking) -> bool {
        match &marking.releasable_to {
            Releasable::Unrestricted => false,
            Releasable::Only(codes) => self.phrase(codes).is_some_and(|phrase| phrase.circle),
        }
    }

    /// Puts the members in place of each group, so that a join with lists of members is exact.
    #[must_use]
    pub fn expanded(&self, audience: &Releasable) -> Releasable {
        let Releasable::Only(codes) = audience else { return Releasable::Unrestricted };
        let members = |code: &Token| {
            let group = self.0.groups.iter().find(|group| group.code == *code);
            group.map_or_else(|| BTreeSet::from([code.clone()]), |group| group.members.clone())
        };
        Releasable::Only(codes.iter().flat_map(members).collect())
    }

    /// Checks that the scheme has the marking's level, codes and list of audiences.
    ///
    /// This is what writing and reading need. A join may break the constraints of
    /// [`Scheme::check`], such as SENSITIVE above OFFICIAL, and can still be written.
    ///
    /// # Errors
    /// [`Error::Marking`] names the first that is not known.
    pub fn known(&self, marking: &Marking) -> Result<(), Error> {
        if self.level(marking.level).is_none() {
            return Err(self.refusal(format!("there is no level of rank {}", marking.level.0)));
        }
        let unknown = |code: &&Token| self.compartment(code).is_none();
        let stray = |code: &&Token| self.caveat(code).is_none();
        let compartment = marking.compartments.iter().find(unknown);
        if let Some(code) = compartment.or_else(|| marking.caveats.iter().find(stray)) {
            return Err(self.refusal(format!("`{code}` is not known")));
        }
        self.check_audience(&marking.releasable_to)
    }

    /// Checks a marking that a person composes: [`Scheme::known`], and every constraint.
    ///
    /// A list that names nobody passes: it is what a join may leave.
    ///
    /// # Errors
    /// [`Error::Marking`] names the first rule that is broken.
    pub fn check(&self, marking: &Marking) -> Result<(), Error> {
        self.known(marking)?;
        let compartments = (&self.0.compartments, &marking.compartments);
        for (sort, used) in [compartments, (&self.0.caveats, &marking.caveats)] {
            for category in sort.iter().filter(|category| used.contains(&category.code)) {
                self.check_category(category, marking.level, used)?;
            }
        }
        Ok(())
    }

    fn check_category(
        &self,
        category: &Category,
        level: Level,
        used: &BTreeSet<Token>,
    ) -> Result<(), Error> {
        let code = &category.code;
        let rank = |bound: &Option<Token>| {
            bound.as_ref().and_then(|code| self.level_by_code(code)).map(|level| level.rank)
        };
        if rank(&category.level_min).is_some_and(|min| level < min)
            || rank(&category.level_max).is_some_and(|max| level > max)
        {
            return Err(self.refusal(format!("`{code}` may not stand with this level")));
        }
        if let Some(missing) = category.requires.difference(used).next() {
            return Err(self.refusal(format!("`{code}` needs `{missing}`")));
        }
        if let Some(other) = category.excludes.intersection(used).next() {
            return Err(self.refusal(format!("`{code}` may not stand with `{other}`")));
        }
        Ok(())
    }

    fn check_audience(&self, audience: &Releasable) -> Result<(), Error> {
        let Releasable::Only(codes) = audience else { return Ok(()) };
        if codes.is_empty() || self.phrase(codes).is_some() {
            return Ok(());
        }
        if self.0.marking.phrases_only {
            return Err(self.refusal("this list of audiences has no words".into()));
        }
        match codes.iter().find(|code| !self.knows_audience(code)) {
            None => Ok(()),
            Some(code) => Err(self.refusal(format!("audience `{code}` is not known"))),
        }
    }

    pub(crate) fn refusal(&self, rule: String) -> Error {
        Error::Marking { scheme: self.id().clone(), rule }
    }
}

/// Looks for the first rule that a file breaks.
fn first_fault(file: &SchemeFile) -> Option<String> {
    levels_fault(file)
        .or_else(|| categories_fault(file))
        .or_else(|| audiences_fault(file))
        .or_else(|| template_fault(file))
        .or_else(|| crate::marking::texts_fault(file))
}

fn repeated<T: Ord>(items: impl IntoIterator<Item = T>) -> Option<T> {
    let mut seen = BTreeSet::new();
    for item in items {
        if seen.contains(&item) {
            return Some(item);
        }
        seen.insert(item);
    }
    None
}

fn levels_fault(file: &SchemeFile) -> Option<String> {
    if file.levels.is_empty() {
        return Some("there is no level".into());
    }
    if let Some(rank) = repeated(file.levels.iter().map(|level| level.rank)) {
        return Some(format!("rank {} stands twice", rank.0));
    }
    repeated(file.levels.iter().map(|level| &level.code))
        .map(|code| format!("level `{code}` stands twice"))
}

fn categories_fault(file: &SchemeFile) -> Option<String> {
    let known = |code: &Option<Token>| {
        code.as_ref().is_none_or(|code| file.levels.iter().any(|level| level.code == *code))
    };
    for sort in [&file.compartments, &file.caveats] {
        let codes: BTreeSet<&Token> = sort.iter().map(|category| &category.code).collect();
        if let Some(code) = repeated(sort.iter().map(|category| &category.code)) {
            return Some(format!("`{code}` stands twice"));
        }
        for category in sort {
            if !known(&category.level_min) || !known(&category.level_max) {
                return Some(format!("`{}` names a level that is not there", category.code));
            }
            let mut named = category.requires.iter().chain(&category.excludes);
            if let Some(other) = named.find(|other| !codes.contains(other)) {
                return Some(format!("`{}` names `{other}`, which is not there", category.code));
            }
        }
    }
    let fused = file.caveats.iter().filter(|caveat| caveat.fused).count();
    let compartment = file.compartments.iter().any(|compartment| compartment.fused);
    (fused > 1 || compartment).then(|| "only one caveat may be fused, and no compartment".into())
}

fn audiences_fault(file: &SchemeFile) -> Option<String> {
    let audiences = file.audiences.iter().map(|audience| &audience.code);
    let groups = file.groups.iter().map(|group| &group.code);
    if let Some(code) = repeated(audiences.clone().chain(groups.clone())) {
        return Some(format!("audience `{code}` stands twice"));
    }
    let singles: BTreeSet<&Token> = audiences.collect();
    for group in &file.groups {
        if group.members.is_empty() {
            return Some(format!("group `{}` has no member", group.code));
        }
        if let Some(member) = group.members.iter().find(|member| !singles.contains(member)) {
            return Some(format!("group `{}` names `{member}`, which is not there", group.code));
        }
    }
    let all: BTreeSet<&Token> = singles.into_iter().chain(groups).collect();
    for phrase in &file.phrases {
        if phrase.codes.is_empty() {
            return Some(format!("phrase `{}` names nobody", phrase.name));
        }
        if let Some(code) = phrase.codes.iter().find(|code| !all.contains(code)) {
            return Some(format!("phrase `{}` names `{code}`, which is not there", phrase.name));
        }
    }
    repeated(file.phrases.iter().map(|phrase| &phrase.codes))
        .map(|_| "two phrases are for one list of audiences".into())
}

fn template_fault(file: &SchemeFile) -> Option<String> {
    let template = &file.marking;
    if let Some(part) = repeated(&template.order) {
        return Some(format!("part {part:?} is written twice"));
    }
    let written = |part| template.order.contains(&part);
    if !written(Part::Releasable)
        || (!file.compartments.is_empty() && !written(Part::Compartments))
        || (!file.caveats.is_empty() && !written(Part::Caveats))
    {
        return Some("a part of its markings is never written".into());
    }
    let silent = !written(Part::Level);
    if silent
        && (file.levels.len() != 1 || !template.phrases_only || template.unrestricted.is_none())
    {
        return Some("a level may stay unwritten only where phrases say everything".into());
    }
    None
}

/// The schemes of a node.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Schemes(BTreeMap<SchemeId, Scheme>);

const NATIONS: &str = include_str!("../schemes/nations.toml");
const SHIPPED: [(&str, &str); 4] = [
    ("nat.toml", include_str!("../schemes/nat.toml")),
    ("nato.toml", include_str!("../schemes/nato.toml")),
    ("tlp.toml", include_str!("../schemes/tlp.toml")),
    ("uk.toml", include_str!("../schemes/uk.toml")),
];

impl Schemes {
    /// The schemes that every node has: NATO, UK, TLP and the invented NAT.
    ///
    /// # Errors
    /// As [`Schemes::load`]; a test holds that there is none.
    pub fn shipped() -> Result<Self, Error> {
        Self::load(&SHIPPED)
    }

    /// Reads schemes from the texts of their files, each with the name that errors use.
    ///
    /// # Errors
    /// [`Error::SchemeFile`] for a text of another shape; [`Error::SchemeRule`] when a scheme, or
    /// two together, break a rule: between schemes the first words of a marking differ, so that a
    /// reader knows the scheme, and an audience's code means the same everywhere, because a reader
    /// holds audiences once for all schemes.
    pub fn load(files: &[(&str, &str)]) -> Result<Self, Error> {
        let nations: NationsFile = toml::from_str(NATIONS)
            .map_err(|cause| Error::SchemeFile("nations.toml".into(), Box::new(cause)))?;
        let mut schemes = BTreeMap::new();
        for (name, text) in files {
            let mut file: SchemeFile = toml::from_str(text)
                .map_err(|cause| Error::SchemeFile((*name).into(), Box::new(cause)))?;
            if file.nations {
                file.audiences.extend(nations.audiences.iter().cloned());
                file.groups.extend(nations.groups.iter().cloned());
            }
            let scheme = Scheme::new(file)?;
            if let Some(other) = schemes.insert(scheme.id().clone(), scheme) {
                let rule = "stands in two files".into();
                return Err(Error::SchemeRule { scheme: other.id().to_string(), rule });
            }
        }
        let schemes = Self(schemes);
        schemes.check_together()?;
        Ok(schemes)
    }

    fn check_together(&self) -> Result<(), Error> {
        let mut meanings: BTreeMap<&Token, (&Line<80>, &BTreeSet<Token>)> = BTreeMap::new();
        let mut heads = BTreeSet::new();
        let single = BTreeSet::new();
        for scheme in self.iter() {
            let fault = |rule| Error::SchemeRule { scheme: scheme.id().to_string(), rule };
            let audiences = scheme.0.audiences.iter().map(|a| (&a.code, (&a.name, &single)));
            let groups = scheme.0.groups.iter().map(|g| (&g.code, (&g.name, &g.members)));
            for (code, meaning) in audiences.chain(groups) {
                if *meanings.entry(code).or_insert(meaning) != meaning {
                    return Err(fault(format!("audience `{code}` means another elsewhere")));
                }
            }
            for head in crate::marking::heads(&scheme.0).into_iter().collect::<BTreeSet<_>>() {
                if !heads.insert(head.clone()) {
                    return Err(fault(format!("`{head}` begins a marking of another scheme")));
                }
            }
        }
        Ok(())
    }

    /// The scheme of a name.
    ///
    /// # Errors
    /// [`Error::SchemeUnknown`] when there is none.
    pub fn get(&self, id: &SchemeId) -> Result<&Scheme, Error> {
        self.0.get(id).ok_or_else(|| Error::SchemeUnknown(id.clone()))
    }

    /// All schemes in the order of their names.
    pub fn iter(&self) -> impl Iterator<Item = &Scheme> {
        self.0.values()
    }

    /// Checks every marking of a label against its scheme.
    ///
    /// # Errors
    /// [`Error::SchemeUnknown`] and [`Error::Marking`] for the first that fails.
    pub fn check(&self, label: &Label) -> Result<(), Error> {
        label.markings().iter().try_for_each(|(id, marking)| self.get(id)?.check(marking))
    }

    /// The audiences that a holder of `codes` belongs to: the codes and every group with one of
    /// them.
    ///
    /// A clearance holds this closure, so that dominance needs no scheme.
    pub fn audiences_of(&self, codes: &BTreeSet<Token>) -> BTreeSet<Token> {
        let groups = self.iter().flat_map(|scheme| &scheme.0.groups);
        let joined = groups.filter(|group| !group.members.is_disjoint(codes));
        codes.iter().cloned().chain(joined.map(|group| group.code.clone())).collect()
    }

    /// Says whether a record so labelled also needs a circle that names its recipients.
    ///
    /// # Errors
    /// [`Error::SchemeUnknown`] for a marking of a scheme that is not here.
    pub fn needs_circle(&self, label: &Label) -> Result<bool, Error> {
        label
            .markings()
            .iter()
            .try_fold(false, |needs, (id, m)| Ok(self.get(id)?.needs_circle(m) || needs))
    }
}
