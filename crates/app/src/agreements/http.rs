//! Routes of agreements.

use super::replay;
use crate::kernel::question::Question;
use crate::kernel::route::Route;

/// What callers may ask.
pub const ROUTES: &[Route] = &[
    Route::list("/agreements", "agreement", "agreements to which your agency is a party"),
    Route::get("/agreements/{id}", "agreement", "one agreement with its clauses and signatures"),
    Route::command(
        "/agreements",
        "agreement:propose",
        ("propose", None),
        "propose an agreement or its next version",
    ),
    Route::asking(
        "/agreements/replay",
        "agreement:propose",
        Question::new(replay::answer),
        "what a draft would have let flow, and what it would have stopped",
    ),
    Route::command(
        "/agreements/{id}/signatures",
        "agreement:sign",
        ("sign", Some("agreement")),
        "sign an agreement for your agency",
    ),
    Route::command(
        "/agreements/{id}/suspension",
        "agreement:suspend",
        ("suspend", Some("agreement")),
        "suspend an agreement at once",
    ),
    Route::command(
        "/agreements/{id}/resumption",
        "agreement:resume",
        ("resume", Some("agreement")),
        "consent to the resumption of an agreement",
    ),
];
