//! PURE: the words every crate shares — ids, time, labels, limits, faults, crypto.
//!
//! Nothing here reads a clock, a random source, a file or a socket. Time, ids and keys are
//! parameters; the rim supplies them.

pub mod crypto;
pub mod fault;
pub mod geo;
pub mod id;
pub mod label;
pub mod limit;
pub mod text;
pub mod time;

pub use crypto::Digest;
pub use fault::{Code, Kind};
pub use geo::{Lat, Lon, Place};
pub use id::{
    AgencyId, AgreementId, AuthorityId, CircleId, ClauseId, DeviceId, EntryId, ExerciseId, Ids,
    LedgerId, OperationId, PersonId, RecordId, SeatId, ServiceId, SessionId,
};
pub use label::{Clearance, Label, Level, Marking, Play, Releasable, SchemeId};
pub use text::{Line, NonEmpty, Text, Token};
pub use time::Time;
