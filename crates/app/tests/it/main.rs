//! The one test binary of the product: the kernel's rules here, each capability's beside it.
#![expect(
    clippy::expect_used,
    clippy::indexing_slicing,
    reason = "a test stops where the world is not as it says"
)]

mod access;
mod endpoints;
mod golden;
mod joint;
mod kernel;
mod live;
mod non_interference;
mod redecide;
mod replay;
mod search;
mod why_not;

#[path = "../../src/agencies/tests.rs"]
mod agencies;
#[path = "../../src/agreements/tests.rs"]
mod agreements;
#[path = "../../src/alerts/tests.rs"]
mod alerts;
#[path = "../../src/circles/tests.rs"]
mod circles;
#[path = "../../src/declarations/tests.rs"]
mod declarations;
#[path = "../../src/drawings/tests.rs"]
mod drawings;
#[path = "../../src/entities/tests.rs"]
mod entities;
#[path = "../../src/erasures/tests.rs"]
mod erasures;
#[path = "../../src/identity/tests.rs"]
mod identity;
#[path = "../../src/inquiries/tests.rs"]
mod inquiries;
#[path = "../../src/operations/tests.rs"]
mod operations;
#[path = "../../src/people/tests.rs"]
mod people;
#[path = "../../src/plans/tests.rs"]
mod plans;
#[path = "../../src/queries/tests.rs"]
mod queries;
#[path = "../../src/reports/tests.rs"]
mod reports;
#[path = "../../src/roster/tests.rs"]
mod roster;
#[path = "../../src/spillages/tests.rs"]
mod spillages;
#[path = "../../src/watches/tests.rs"]
mod watches;
#[path = "../../src/webhooks/tests.rs"]
mod webhooks;
