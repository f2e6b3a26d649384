//! The demonstration: an invented world on a real node, and a play that everybody acts in.
//!
//! It goes through the same acts as everybody: what the system may do as a duty it does at the
//! founding, all else is done by the people of the world in sessions of their own.

mod cast;
mod founding;
mod links;
mod play;
mod record;
mod scene_answers;
mod scene_clauses;
mod scene_declaration;
mod scene_entities;
mod scene_handover;
mod scene_inquiry;
mod scene_reports;
mod scene_suspension;
mod scene_webhooks;
mod screens;
mod stage;
mod world;

pub use cast::Cast;
pub use founding::found;
pub use links::Links;
pub use play::perform;
pub use record::Record;
pub use scene_entities::read_bundle;
pub use scene_webhooks::Dispatch;
pub use world::{Founded, World};
