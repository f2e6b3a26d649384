//! Routes of erasures.

use crate::kernel::route::Route;

/// What callers may ask.
pub const ROUTES: &[Route] = &[
    Route::list("/erasures", "erasure", "erasures, newest first"),
    Route::get("/erasures/{id}", "erasure", "one erasure: its request, order and certificate"),
    Route::command(
        "/erasures",
        "erasure:request",
        ("request", None),
        "ask that a record or one layer of it be erased",
    ),
    Route::command(
        "/erasures/{id}/approval",
        "erasure:approve",
        ("approve", Some("erasure")),
        "sign the order that erases it",
    ),
    Route::command(
        "/erasures/{id}/refusal",
        "erasure:decline",
        ("decline", Some("erasure")),
        "decline a request, or take back one's own",
    ),
];
