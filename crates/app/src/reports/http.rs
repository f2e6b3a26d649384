//! Routes of reports.

use super::{attachment, preview};
use crate::kernel::question::Question;
use crate::kernel::route::{Gate, Method, Route, Serves};
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
    Route {
        method: Method::Post,
        path: "/attachments",
        gate: Gate::Action("report:attach"),
        serves: Serves::Upload(Question { answer: attachment::upload, query: &["name"] }),
        summary: "upload a file, to be attached within an hour",
    },
    Route::command(
        "/reports/{id}/attachments",
        "report:attach",
        ("attach", Some("report")),
        "attach uploaded files to a report",
    ),
    Route {
        method: Method::Get,
        path: "/reports/{id}/attachments/{digest}",
        gate: Gate::Reads("report"),
        serves: Serves::Question(Question::new(attachment::download)),
        summary: "a file of a report, as its portion is read",
    },
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
    Route::command(
        "/reports/{id}/downgrades",
        "report:downgrade",
        ("downgrade", Some("report")),
        "propose to say what a layer says under a lower label",
    ),
    Route::command(
        "/reports/{id}/downgrades/signature",
        "report:countersign",
        ("countersign", Some("report")),
        "sign a proposed downgrade as the second person",
    ),
    Route::command(
        "/reports/{id}/downgrades/refusal",
        "report:decline",
        ("decline", Some("report")),
        "refuse a proposed downgrade",
    ),
];
