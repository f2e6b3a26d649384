//! Routes of identity: ceremonies of passkeys are the kernel's, the rest are commands.

use crate::kernel::route::{Gate, Method, Route, Serves};

const BEFORE: &str = "whoever signs in has no session yet; the passkey's answer is the proof";
const BY_CODE: &str = "whoever enrols has no session yet; a one-time code is the proof";

const fn kernel(
    method: Method,
    path: &'static str,
    gate: Gate,
    name: &'static str,
    summary: &'static str,
) -> Route {
    Route { method, path, gate, serves: Serves::Kernel(name), summary }
}

/// What callers may ask.
pub const ROUTES: &[Route] = &[
    Route::list("/credentials", "credential", "passkeys, sessions and services of your agency"),
    Route::get("/credentials/{id}", "credential", "one passkey, session or service"),
    kernel(
        Method::Post,
        "/session/challenge",
        Gate::Public(BEFORE),
        "sign-in-challenge",
        "ask for a challenge to sign in with a passkey",
    ),
    kernel(
        Method::Post,
        "/session",
        Gate::Public(BEFORE),
        "sign-in",
        "sign in with a passkey's answer",
    ),
    kernel(
        Method::Post,
        "/me/verification",
        Gate::SignedIn,
        "step-up",
        "show again that you are here, with a passkey's answer",
    ),
    kernel(Method::Get, "/me/credentials", Gate::SignedIn, "my-credentials", "your own passkeys"),
    kernel(
        Method::Post,
        "/me/credentials/challenge",
        Gate::SignedIn,
        "my-credential-challenge",
        "ask for a challenge to add a passkey of your own",
    ),
    kernel(
        Method::Post,
        "/me/credentials",
        Gate::SignedIn,
        "my-credential",
        "add a passkey of your own",
    ),
    kernel(
        Method::Post,
        "/enrolment/challenge",
        Gate::Public(BY_CODE),
        "enrolment-challenge",
        "ask for a challenge to enrol with a one-time code",
    ),
    kernel(
        Method::Post,
        "/enrolment",
        Gate::Public(BY_CODE),
        "enrolment",
        "enrol your first passkey with a one-time code",
    ),
    kernel(
        Method::Get,
        "/founding",
        Gate::Public("a browser must know whether to show the set-up; it learns yes or no"),
        "founding-state",
        "whether the node waits for its first two administrators",
    ),
    kernel(
        Method::Post,
        "/founding/challenge",
        Gate::Public(BY_CODE),
        "founding-challenge",
        "ask for a challenge to become one of the first two administrators",
    ),
    kernel(
        Method::Post,
        "/founding",
        Gate::Public(BY_CODE),
        "founding",
        "become one of the first two administrators",
    ),
    kernel(
        Method::Post,
        "/challenges",
        Gate::SignedIn,
        "act-challenge",
        "ask for the text and the challenge of an act that you sign",
    ),
    Route::command(
        "/credentials/{id}/name",
        "credential:rename",
        ("rename", Some("credential")),
        "give a passkey of your own another name",
    ),
    Route::command(
        "/credentials/{id}/removal",
        "credential:remove",
        ("remove", Some("credential")),
        "end a passkey, and every session that it opened",
    ),
    Route::command(
        "/people/{id}/enrolment",
        "enrolment:issue",
        ("issue", Some("person")),
        "let a person enrol a passkey with a one-time code",
    ),
    Route::command(
        "/enrolments/{id}/confirmation",
        "enrolment:confirm",
        ("confirm", Some("enrolment")),
        "confirm that a person may enrol, as another administrator",
    ),
    Route::command(
        "/people/{id}/sessions/revocation",
        "session:revoke",
        ("revoke_sessions", Some("person")),
        "end every session of a person",
    ),
    Route::command("/services", "service:add", ("add_service", None), "add a service account"),
    Route::command(
        "/services/{id}/revocation",
        "service:revoke",
        ("revoke_service", Some("service")),
        "end a service account",
    ),
];
