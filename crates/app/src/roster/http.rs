//! Routes of roster.

use crate::kernel::route::Route;

/// What callers may ask.
pub const ROUTES: &[Route] = &[
    Route::list("/roster", "roster", "roster, newest first"),
    Route::get("/roster/{id}", "roster", "one roster"),
    Route::command("/roster", "roster:open", ("open", None), "open a roster"),
];
