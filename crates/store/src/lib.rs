//! RIM: owns every disk and database — the log with its secrets, state, blobs, keys and backup.
//!
//! Three stores and no more: the **log** is the only truth, **state** is small and mutable,
//! **blobs** are content-addressed. The log and state stand behind one enum of backends; there is
//! no trait of repositories. Views are local SQLite files, opened here and filled by the kernel.

pub mod backup;
pub mod blob;
mod error;
pub mod keys;
pub mod log;
mod manifest;
mod postgres_log;
mod row;
pub mod search;
pub mod secrets;
pub mod sqlite;
mod sqlite_log;
pub mod state;
mod sum;
mod table;

pub use backup::{Data, backup, restore};
pub use blob::{Blob, BlobReader, Blobs};
pub use error::Error;
pub use keys::{Keyring, Provider};
pub use log::{Batch, Head, Log, LogName, LogReader, Page, Place, Receipt, StoredEntry};
pub use manifest::{File, Manifest, Size};
pub use secrets::Wrapped;
pub use state::{State, StateRow, StateTable};
