//! Routes of standing queries.

use super::find;
use crate::kernel::question::Question;
use crate::kernel::route::Route;

/// What callers may ask.
pub const ROUTES: &[Route] = &[
    Route::list("/queries", "query", "one's own standing queries, newest first"),
    Route::get("/queries/{id}", "query", "one standing query"),
    Route::question(
        "/queries/news",
        "query:ask",
        Question::new(find::news),
        "how much of what each standing query finds is new",
    ),
    Route::question(
        "/queries/{id}/hits",
        "query:ask",
        Question { answer: find::hits, query: &["cursor", "limit"] },
        "what a standing query finds now, and how much of it is new",
    ),
    Route::command("/queries", "query:keep", ("keep", None), "keep a query"),
    Route::command(
        "/queries/{id}/seen",
        "query:see",
        ("see", Some("query")),
        "what it found was seen",
    ),
    Route::command(
        "/queries/{id}/removal",
        "query:remove",
        ("remove", Some("query")),
        "keep it no more",
    ),
];
