//! Every capability of the product, one line each.

use crate::kernel::capability::Capability;

/// All capabilities, in the order in which a newcomer meets them.
pub const ALL: &[&Capability] = &[
    &crate::kernel::epoch::CAPABILITY,
    &crate::kernel::anchor::CAPABILITY,
    &crate::kernel::loss::CAPABILITY,
    &crate::agencies::CAPABILITY,
    &crate::identity::CAPABILITY,
    &crate::people::CAPABILITY,
    &crate::circles::CAPABILITY,
    &crate::agreements::CAPABILITY,
    &crate::alerts::CAPABILITY,
    &crate::spillages::CAPABILITY,
    &crate::inquiries::CAPABILITY,
    &crate::reports::CAPABILITY,
    &crate::plans::CAPABILITY,
    &crate::declarations::CAPABILITY,
    &crate::operations::CAPABILITY,
    &crate::roster::CAPABILITY,
    &crate::erasures::CAPABILITY,
    &crate::entities::CAPABILITY,
    &crate::watches::CAPABILITY,
    &crate::webhooks::CAPABILITY,
    &crate::drawings::CAPABILITY,
    &crate::queries::CAPABILITY,
];
