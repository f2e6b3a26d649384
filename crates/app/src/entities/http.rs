//! Routes of entities.

use super::related;
use crate::kernel::question::Question;
use crate::kernel::route::{Gate, Method, Route, Serves};

/// What callers may ask.
pub const ROUTES: &[Route] = &[
    Route::list("/entities", "entity", "entities, newest first"),
    Route::get("/entities/{id}", "entity", "one entity"),
    Route {
        method: Method::Get,
        path: "/entities/{id}/related",
        gate: Gate::Reads("entity"),
        serves: Serves::Question(Question::new(related::answer)),
        summary: "relationships of an entity and their other ends",
    },
    Route::command("/entities", "entity:import", ("import", None), "import STIX 2.1 objects"),
];
