//! Routes of spillages.

use crate::kernel::route::Route;

/// What callers may ask.
pub const ROUTES: &[Route] = &[
    Route::list("/spillages", "spillage", "spillages, newest first"),
    Route::get("/spillages/{id}", "spillage", "one spillage"),
    Route::command(
        "/spillages",
        "spillage:contain",
        ("contain", None),
        "raise the label of a record or a layer, at once and backward",
    ),
];
