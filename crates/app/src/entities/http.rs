//! Routes of entities.

use super::{related, tally};
use crate::kernel::question::Question;
use crate::kernel::route::Route;

/// What callers may ask.
pub const ROUTES: &[Route] = &[
    Route::list("/entities", "entity", "entities, newest first"),
    Route::get("/entities/{id}", "entity", "one entity"),
    Route::question(
        "/entities/{id}/related",
        "entity:relate",
        Question::new(related::answer),
        "what is related to an entity, in both directions",
    ),
    Route::command("/entities", "entity:import", ("import", None), "import STIX 2.1 objects"),
    Route::preview(
        "/entities/preview",
        "entity:import",
        tally,
        "what would come of each object of an import; nothing is written",
    ),
];
