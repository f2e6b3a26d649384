//! Routes of reports.

use super::preview;
use crate::kernel::question::Question;
use crate::kernel::route::Route;
use crate::kernel::why;

/// What callers may ask.
pub const ROUTES: &[Route] = &[
    Route::list("/reports", "report", "reports and requests, newest first"),
    Route::get("/reports/{id}", "report", "one report with its versions and releases"),
    Route::why("/reports/{id}/why", "report", Question::new(|asked| why::answer(asked, "report"))),
    Route::command("/reports", "report:submit", ("submit", None), "submit a report"),
    Route::preview(
        "/reports/preview",
        "report:submit",
        preview::answer,
        "who would read which portion of a draft",
    ),
    Route::command(
        "/reports/requests",
        "report:request",
        ("request", None),
        "ask an agency for a report by a time",
    ),
    Route::command(
        "/reports/{id}/revisions",
        "report:revise",
        ("revise", Some("report")),
        "replace portions of a report",
    ),
    Route::command(
        "/reports/{id}/releases",
        "report:release",
        ("release", Some("report")),
        "release a report to agencies",
    ),
    Route::command(
        "/reports/{id}/withdrawals",
        "report:withdraw",
        ("withdraw", Some("report")),
        "end the reading of an agency",
    ),
];
