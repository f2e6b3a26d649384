//! Routes of plans.

use crate::kernel::route::Route;

/// What callers may ask.
pub const ROUTES: &[Route] = &[
    Route::list("/plans", "plan", "plans of declaration, newest first"),
    Route::get("/plans/{id}", "plan", "one plan"),
    Route::command("/plans", "plan:make", ("make", None), "make a plan"),
    Route::command(
        "/plans/proposals",
        "plan:propose",
        ("propose", None),
        "propose a plan: it waits for the approval of another person",
    ),
    Route::command(
        "/plans/{id}/approval",
        "plan:approve",
        ("approve", Some("plan")),
        "sign a proposed plan: it is in force",
    ),
    Route::command(
        "/plans/{id}/revision",
        "plan:revise",
        ("revise", Some("plan")),
        "put a new text in the place of a plan's",
    ),
    Route::command(
        "/plans/{id}/withdrawal",
        "plan:withdraw",
        ("withdraw", Some("plan")),
        "withdraw a plan",
    ),
];
