//! Routes of declarations.

use crate::kernel::route::Route;

/// What callers may ask.
pub const ROUTES: &[Route] = &[
    Route::list("/declarations", "declaration", "declarations, newest first"),
    Route::get("/declarations/{id}", "declaration", "one declaration with its duties"),
    Route::command(
        "/declarations",
        "declaration:declare",
        ("declare", None),
        "declare an incident by a plan: its duties are done in the same act",
    ),
    Route::command(
        "/declarations/{id}/performance",
        "declaration:perform",
        ("perform", Some("declaration")),
        "do the duties that were refused or left open",
    ),
    Route::command(
        "/declarations/{id}/type",
        "declaration:change",
        ("change", Some("declaration")),
        "change the type: another plan's duties are done besides",
    ),
    Route::command(
        "/declarations/{id}/end",
        "declaration:end",
        ("end", Some("declaration")),
        "stand down",
    ),
];
