//! Routes of handovers.

use crate::kernel::route::Route;

/// What callers may ask.
pub const ROUTES: &[Route] = &[
    Route::list("/roster", "handover", "handovers of yours, newest first"),
    Route::get("/roster/{id}", "handover", "one handover with its brief"),
    Route::command(
        "/roster",
        "handover:propose",
        ("propose", None),
        "propose to hand your seat over: the node writes the brief",
    ),
    Route::command(
        "/roster/{id}/signature",
        "handover:sign",
        ("sign", Some("handover")),
        "sign the brief and take the seat",
    ),
    Route::command(
        "/roster/{id}/withdrawal",
        "handover:withdraw",
        ("withdraw", Some("handover")),
        "withdraw a proposal",
    ),
];
