//! Routes of webhooks.

use super::show;
use crate::kernel::question::Question;
use crate::kernel::route::{Gate, Method, Route, Serves};

/// What callers may ask.
pub const ROUTES: &[Route] = &[
    Route::list("/webhooks", "webhook", "webhooks of your agency, newest first"),
    Route::get("/webhooks/{id}", "webhook", "one webhook"),
    Route {
        method: Method::Get,
        path: "/webhooks/{id}/outbox",
        gate: Gate::Reads("webhook"),
        serves: Serves::Question(Question::new(show::outbox)),
        summary: "how its deliveries stand: the last outcome, the next try, how many wait",
    },
    Route::command(
        "/webhooks",
        "webhook:register",
        ("register", None),
        "register where the node delivers what a service account may read",
    ),
    Route::asking(
        "/webhooks/{id}/secret",
        "webhook:rekey",
        Question::new(show::secret),
        "make a new secret, shown in this answer and never again",
    ),
    Route::asking(
        "/webhooks/{id}/ping",
        "webhook:ping",
        Question::new(show::ping),
        "deliver a test that names nothing",
    ),
    Route::command(
        "/webhooks/{id}/resumption",
        "webhook:resume",
        ("resume", Some("webhook")),
        "go on after a pause, with what waits",
    ),
    Route::command(
        "/webhooks/{id}/removal",
        "webhook:remove",
        ("remove", Some("webhook")),
        "end a webhook; what waits is not delivered",
    ),
];
