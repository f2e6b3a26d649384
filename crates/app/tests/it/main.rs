//! The one test binary of the product: the kernel's rules here, each capability's beside it.

#[path = "../../src/alerts/tests.rs"]
mod alerts;
mod endpoints;
mod kernel;
mod live;
mod non_interference;
