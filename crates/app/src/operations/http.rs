//! Routes of operations.

use crate::kernel::route::Route;

/// What callers may ask.
pub const ROUTES: &[Route] = &[
    Route::list("/operations", "operation", "operations, newest first"),
    Route::get("/operations/{id}", "operation", "one operation with roles and log"),
    Route::command("/operations", "operation:open", ("open", None), "open an operation"),
    Route::command(
        "/operations/{id}/agencies",
        "operation:join",
        ("join", Some("operation")),
        "let agencies join",
    ),
    Route::command(
        "/operations/{id}/departures",
        "operation:leave",
        ("leave", Some("operation")),
        "leave an operation, or have an agency leave one's own",
    ),
    Route::command(
        "/operations/{id}/roles",
        "operation:assign",
        ("assign", Some("operation")),
        "give roles to seats",
    ),
    Route::command(
        "/operations/{id}/course",
        "operation:set",
        ("set", Some("operation")),
        "set title, phase, place or objectives",
    ),
    Route::command(
        "/operations/{id}/notes",
        "operation:note",
        ("note", Some("operation")),
        "add a line to the log",
    ),
    Route::command(
        "/operations/{id}/closure",
        "operation:close",
        ("close", Some("operation")),
        "close an operation",
    ),
];
