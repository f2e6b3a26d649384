//! Routes of people and seats.

use crate::kernel::route::Route;

/// What callers may ask.
pub const ROUTES: &[Route] = &[
    Route::list("/people", "person", "people and seats"),
    Route::get("/people/{id}", "person", "one person or seat"),
    Route::command("/people", "person:add", ("add", None), "add a person to an agency"),
    Route::command(
        "/people/{id}/clearance",
        "person:clear",
        ("clear", Some("person")),
        "set a person's clearance, roles and training",
    ),
    Route::command(
        "/people/{id}/removal",
        "person:remove",
        ("remove", Some("person")),
        "end every right of a person",
    ),
    Route::command("/seats", "seat:add", ("add_seat", None), "add a seat to an agency"),
    Route::command(
        "/seats/{id}/holder",
        "seat:take",
        ("take", Some("seat")),
        "say who holds a seat, or that it stands empty",
    ),
];
