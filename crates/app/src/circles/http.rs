//! Routes of circles.

use crate::kernel::route::Route;

/// What callers may ask.
pub const ROUTES: &[Route] = &[
    Route::list("/circles", "circle", "circles that you may know of"),
    Route::get("/circles/{id}", "circle", "one circle"),
    Route::command(
        "/circles/{id}/members",
        "circle:join",
        ("join", Some("circle")),
        "add members to a circle",
    ),
    Route::command(
        "/circles/{id}/departures",
        "circle:leave",
        ("leave", Some("circle")),
        "remove members from a circle",
    ),
];
