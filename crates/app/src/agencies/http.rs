//! Routes of agencies.

use crate::kernel::route::Route;

/// What callers may ask.
pub const ROUTES: &[Route] = &[
    Route::list("/agencies", "agency", "agencies"),
    Route::get("/agencies/{id}", "agency", "one agency"),
    Route::command("/agencies", "agency:add", ("add", None), "add an agency"),
    Route::command(
        "/agencies/{id}/name",
        "agency:rename",
        ("rename", Some("agency")),
        "give an agency another name",
    ),
];
