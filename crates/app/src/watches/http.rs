//! Routes of watches.

use crate::kernel::route::Route;

/// What callers may ask.
pub const ROUTES: &[Route] = &[
    Route::list("/watches", "watch", "planned watches, newest first"),
    Route::get("/watches/{id}", "watch", "one watch"),
    Route::command("/watches", "watch:plan", ("plan", None), "plan a watch on a seat"),
    Route::command(
        "/watches/{id}/cancellation",
        "watch:cancel",
        ("cancel", Some("watch")),
        "cancel a watch",
    ),
];
