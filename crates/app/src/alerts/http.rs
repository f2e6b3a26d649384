//! Routes of alerts.

use crate::kernel::question::Question;
use crate::kernel::route::Route;
use crate::kernel::why;

/// What callers may ask.
pub const ROUTES: &[Route] = &[
    Route::list("/alerts", "alert", "alerts, newest first"),
    Route::get("/alerts/{id}", "alert", "one alert with its answers"),
    Route::why("/alerts/{id}/why", "alert", Question::new(|asked| why::answer(asked, "alert"))),
    Route::command("/alerts", "alert:raise", ("raise", None), "raise an alert"),
    Route::command(
        "/alerts/{id}/acknowledgements",
        "alert:acknowledge",
        ("acknowledge", Some("alert")),
        "answer for yourself and your agency",
    ),
    Route::command(
        "/alerts/{id}/cancellation",
        "alert:cancel",
        ("cancel", Some("alert")),
        "cancel an alert",
    ),
];
