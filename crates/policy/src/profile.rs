//! Profiles: what policy knows of a reader, interned by digest so that many readers share one.

use std::collections::BTreeSet;

use base::{AgencyId, Clearance, Digest, Token};
use cedar_policy::Entity;

use crate::canonical::Canonical;
use crate::{Error, entity};

/// What policy knows of a reader. Whatever has expired is left out by the caller.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Attributes {
    pub agency: AgencyId,
    /// Its audiences are closed under groups ([`crate::Schemes::audiences_of`]) and hold the
    /// reader's nationality.
    pub clearance: Clearance,
    pub roles: BTreeSet<Token>,
    /// Courses passed and current.
    pub training: BTreeSet<Token>,
    /// The class of the device: what it is trusted with.
    pub device: Token,
}

/// A reader's attributes with the digest that names them; never changes.
#[derive(Clone, Debug)]
pub struct Profile {
    attributes: Attributes,
    digest: Digest,
    entity: Entity,
}

impl PartialEq for Profile {
    fn eq(&self, other: &Self) -> bool {
        self.digest == other.digest
    }
}

impl Eq for Profile {}

impl Profile {
    /// Seals attributes into a profile.
    ///
    /// # Errors
    /// [`Error::Entity`] when the policy engine refuses a value; none here can be refused.
    pub fn new(attributes: Attributes) -> Result<Self, Error> {
        let digest = digest(&attributes);
        let entity = entity::profile(&attributes, &digest)?;
        Ok(Self { attributes, digest, entity })
    }

    /// What the profile says.
    pub const fn attributes(&self) -> &Attributes {
        &self.attributes
    }

    /// The digest that names the profile: equal for equal attributes only.
    pub const fn digest(&self) -> Digest {
        self.digest
    }

    pub(crate) const fn entity(&self) -> &Entity {
        &self.entity
    }
}

fn digest(attributes: &Attributes) -> Digest {
    let Attributes { agency, clearance, roles, training, device } = attributes;
    let mut to = Canonical::new();
    to.list(8).number(1).bytes(&agency.0).list(clearance.schemes.len());
    for (scheme, cleared) in &clearance.schemes {
        to.list(3).text(scheme.0.as_str()).number(u64::from(cleared.level.0));
        to.codes(&cleared.compartments);
    }
    to.codes(&clearance.audiences).ids(clearance.exercises.iter().map(|id| &id.0));
    to.codes(roles).codes(training).text(device.as_str());
    to.digest("muster/profile/v1")
}
