//! Routes of inquiries.

use super::bundle;
use super::findings;
use crate::kernel::question::Question;
use crate::kernel::route::Route;

/// What callers may ask.
pub const ROUTES: &[Route] = &[
    Route::list("/inquiries", "inquiry", "inquiries, newest first"),
    Route::get("/inquiries/{id}", "inquiry", "one inquiry"),
    Route::command(
        "/inquiries",
        "inquiry:open",
        ("open", None),
        "ask who knew of a record at an instant",
    ),
    Route::question(
        "/inquiries/{id}/findings",
        "inquiry:open",
        Question::new(findings::answer),
        "who knew, was sent, opened, acknowledged, and from whom it was withheld",
    ),
    Route::question(
        "/inquiries/{id}/bundle",
        "inquiry:open",
        Question::new(bundle::answer),
        "the findings with their evidence, as a signed file",
    ),
];
