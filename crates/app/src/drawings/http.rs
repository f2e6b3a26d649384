//! Routes of drawings.

use crate::kernel::route::Route;

/// What callers may ask.
pub const ROUTES: &[Route] = &[
    Route::list("/drawings", "drawing", "drawings, newest first"),
    Route::get("/drawings/{id}", "drawing", "one drawing"),
    Route::command("/drawings", "drawing:make", ("make", None), "make a drawing"),
    Route::command(
        "/drawings/{id}/revision",
        "drawing:revise",
        ("revise", Some("drawing")),
        "replace all that a drawing shows",
    ),
    Route::command(
        "/drawings/{id}/withdrawal",
        "drawing:withdraw",
        ("withdraw", Some("drawing")),
        "withdraw a drawing",
    ),
];
