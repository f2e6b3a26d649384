//! The kernel: act, policy, ledger, views, open — five words, one direction, no side door.

pub mod access;
pub mod anchor;
pub mod apply;
pub mod capability;
pub mod cells;
pub mod ceremony;
pub mod clock;
pub mod crash;
pub mod cursor;
pub mod duties;
pub mod epoch;
pub mod erasure;
pub mod fault;
pub mod floor;
pub mod http;
mod http_identity;
mod http_live;
mod http_log;
pub mod lanes;
pub mod ledger;
pub mod live;
pub mod loss;
pub mod near;
pub mod node;
pub mod openapi;
pub mod oversight;
pub mod policy;
pub mod problem;
pub mod question;
mod reach;
pub mod reader;
pub mod redecide;
pub mod refold;
pub mod register;
pub mod route;
pub mod search;
pub mod segment;
pub mod sequencer;
pub mod session;
pub mod signing;
pub mod start;
mod tally;
pub mod tiles;
pub mod upkeep;
pub mod view;
pub mod view_file;
pub mod why;
pub mod why_not;

pub use capability::{
    Action, ActorContext, Capability, Deciding, Fact, Lane, Layer, NewEntry, NewPortion, Reaction,
    Timer,
};
pub use cells::Cell;
pub use fault::Fault;
pub use node::{Act, Config, Node};
pub use reader::{Page, Reader, Rendition};
pub use sequencer::Done;
