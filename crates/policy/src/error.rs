//! What this crate refuses, with the causes kept.

use base::label::LabelError;
use base::text::TextError;
use base::{AgencyId, AgreementId, Code, Kind, SchemeId, Time};
use cedar_policy::{
    CedarSchemaError, ContextCreationError, EntityAttrEvaluationError, ExpressionConstructionError,
    ParseErrors, PolicySetError,
};

use crate::equivalence::Counterexample;

/// A refusal of `policy`.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The file of a scheme is not TOML of the expected shape.
    #[error("read scheme file `{0}`")]
    SchemeFile(String, #[source] Box<toml::de::Error>),
    /// The file of a scheme contradicts itself or another scheme.
    #[error("scheme `{scheme}`: {rule}")]
    SchemeRule { scheme: String, rule: String },
    /// A label, clause or table names a scheme that this node does not have.
    #[error("scheme `{0}` is not known here")]
    SchemeUnknown(SchemeId),
    /// A marking breaks a rule of its scheme.
    #[error("marking of scheme `{scheme}`: {rule}")]
    Marking { scheme: SchemeId, rule: String },
    /// A typed marking that no scheme, or more than one, can read.
    #[error("`{0}` is not a marking of the schemes here")]
    Portion(String),
    /// The join of real life and an exercise, or of two exercises.
    #[error("labels of different plays do not join")]
    Plays,
    /// The join of no labels.
    #[error("no label is given to join")]
    NothingToJoin,
    /// A label over its limits.
    #[error("make label")]
    Label(#[from] LabelError),
    /// A text that is not what it should be.
    #[error("read text")]
    Text(#[from] TextError),
    /// A text that is not `noun:verb`.
    #[error("`{0}` is not an action of the form `noun:verb`")]
    Action(String),
    /// A text that is not `agreement:clause:version`.
    #[error("`{0}` does not name a clause")]
    ClauseRef(String),
    /// Agencies that stand above themselves, or too deep.
    #[error("agency `{0}` stands above itself, or too deep in the tree")]
    AgencyTree(AgencyId),
    /// An agreement that contradicts itself or names what does not exist.
    #[error("agreement `{agreement}`: {rule}")]
    Agreement { agreement: AgreementId, rule: String },
    /// A table of equivalences that contradicts itself or its schemes.
    #[error("equivalence `{from}` to `{to}`: {rule}")]
    Table { from: SchemeId, to: SchemeId, rule: String },
    /// A table of equivalences that breaks a law.
    #[error("{0}")]
    Equivalence(Box<Counterexample>),
    /// A rule text that is not Cedar.
    #[error("read rules of `{text}`")]
    RuleText {
        text: String,
        #[source]
        source: Box<ParseErrors>,
    },
    /// A rule that may not stand in a policy set.
    #[error("rules of `{text}`: {rule}")]
    Rule { text: String, rule: String },
    /// The assembled Cedar schema was refused.
    #[error("assemble the schema of actions")]
    Schema(#[source] Box<CedarSchemaError>),
    /// The assembled rules do not fit the schema, or are suspicious.
    #[error("rule `{rule}` does not validate: {finding}")]
    Validation { rule: String, finding: String },
    /// The assembled rules do not form a set.
    #[error("assemble the rules")]
    Rules(#[from] Box<PolicySetError>),
    /// A value could not be made into an entity.
    #[error("make an entity")]
    Entity(#[from] Box<EntityAttrEvaluationError>),
    /// A value could not be made into a record.
    #[error("make a record of attributes")]
    Attributes(#[from] Box<ExpressionConstructionError>),
    /// Entities contradict each other.
    #[error("put entities together")]
    Entities(#[source] Box<cedar_policy::entities_errors::EntitiesError>),
    /// A request could not be made.
    #[error("make a request")]
    Request(#[source] Box<cedar_policy::RequestValidationError>),
    /// The context of a request could not be made.
    #[error("make the context of a request")]
    Context(#[from] Box<ContextCreationError>),
    /// A word of this crate's own schema is not a Cedar name.
    #[error("the schema's own words are broken: {0}")]
    Words(String),
    /// An epoch asked outside the time for which it was compiled.
    #[error("policy epoch {epoch} does not decide at {at}")]
    Epoch { epoch: u64, at: Time },
    /// More labels than a node interns.
    #[error("more than {max} labels", max = crate::LABELS_PER_NODE)]
    Labels,
}

impl Error {
    /// The class and the stable name of the refusal.
    pub const fn code(&self) -> Code {
        let (kind, slug) = match self {
            Self::SchemeFile(..) => (Kind::Invalid, "scheme-file"),
            Self::SchemeRule { .. } => (Kind::Invalid, "scheme-rule"),
            Self::SchemeUnknown(_) => (Kind::Invalid, "scheme-unknown"),
            Self::Marking { .. } => (Kind::Invalid, "marking"),
            Self::Portion(_) => (Kind::Invalid, "portion-mark"),
            Self::Plays => (Kind::Conflict, "plays-do-not-join"),
            Self::NothingToJoin => (Kind::Invalid, "nothing-to-join"),
            Self::Label(_) => (Kind::Invalid, "label"),
            Self::Text(_) => (Kind::Invalid, "text"),
            Self::Action(_) => (Kind::Invalid, "action"),
            Self::ClauseRef(_) => (Kind::Invalid, "clause-name"),
            Self::AgencyTree(_) => (Kind::Invalid, "agency-tree"),
            Self::Agreement { .. } => (Kind::Invalid, "agreement"),
            Self::Table { .. } => (Kind::Invalid, "equivalence-table"),
            Self::Equivalence(_) => (Kind::Invalid, "equivalence-law"),
            Self::RuleText { .. } | Self::Rule { .. } => (Kind::Invalid, "policy-text"),
            Self::Validation { .. } => (Kind::Invalid, "policy-validation"),
            Self::Schema(_)
            | Self::Rules(_)
            | Self::Entity(_)
            | Self::Attributes(_)
            | Self::Context(_)
            | Self::Entities(_)
            | Self::Request(_)
            | Self::Words(_) => (Kind::Bug, "policy-engine"),
            Self::Epoch { .. } => (Kind::Unavailable, "policy-epoch"),
            Self::Labels => (Kind::TooMany, "labels"),
        };
        Code::new(kind, slug)
    }
}
