//! The ceremonies over HTTP: each body is JSON, each answer is JSON or a session's cookie.

use axum::body::Body;
use axum::http::{HeaderValue, Response, StatusCode, header};
use axum::response::IntoResponse;
use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::json;

use super::ceremony::{self, FoundingAsked, FoundingPasskey, NewPasskey};
use super::fault::Fault;
use super::http::{
    ActRequest, COOKIE, authenticate, command_of, json as answer, same_origin, token,
};
use super::node::Node;
use super::signing::{self, Given};

/// A one-time code.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Code {
    code: String,
}

/// The act that a person is about to sign.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct AboutToSign {
    action: String,
    /// The record that stands in the path of the act.
    #[serde(default)]
    record: Option<base::RecordId>,
    /// The body of the act.
    command: serde_json::Map<String, serde_json::Value>,
    idempotency_key: String,
}

fn read<T: DeserializeOwned>(request: &ActRequest) -> Result<T, Fault> {
    request.is_json()?;
    serde_json::from_slice(request.body())
        .map_err(|cause| Fault::invalid("invalid-command", format!("command: {cause}")))
}

/// Answers with the cookie of a new session.
fn welcome(token: &str) -> Response<Body> {
    let mut response = StatusCode::NO_CONTENT.into_response();
    let cookie = format!("{COOKIE}={token}; Path=/; Secure; HttpOnly; SameSite=Strict");
    if let Ok(cookie) = HeaderValue::from_str(&cookie) {
        response.headers_mut().insert(header::SET_COOKIE, cookie);
    }
    response
}

/// Serves a ceremony that needs no session.
pub(super) fn serve_public(request: &ActRequest, name: &str) -> Result<Response<Body>, Fault> {
    let node = request.node();
    match name {
        "sign-in-challenge" => answer(StatusCode::OK, &ceremony::sign_in_challenge(node)?),
        "sign-in" => Ok(welcome(&ceremony::sign_in(node, &read::<Given>(request)?)?)),
        "enrolment-challenge" => {
            let code: Code = read(request)?;
            answer(StatusCode::OK, &ceremony::enrolment_challenge(node, &code.code)?)
        }
        "enrolment" => Ok(welcome(&ceremony::enrolment(node, read::<NewPasskey>(request)?)?)),
        "founding-challenge" => {
            let asked: FoundingAsked = read(request)?;
            answer(StatusCode::OK, &ceremony::founding_challenge(node, &asked)?)
        }
        "founding" => {
            let administrators = ceremony::founding(node, read::<FoundingPasskey>(request)?)?;
            answer(StatusCode::OK, &json!({ "administrators": administrators }))
        }
        _ => Err(Fault::absent()),
    }
}

/// Serves a ceremony of somebody who is signed in.
pub(super) fn serve_own(request: &ActRequest, name: &str) -> Result<Response<Body>, Fault> {
    same_origin(request.headers())?;
    let node = request.node();
    let actor = authenticate(node, request.headers())?;
    match name {
        "step-up" => {
            let token = token(request.headers()).map(|(token, _)| token).unwrap_or_default();
            ceremony::step_up(node, &actor, &token, &read::<Given>(request)?)?;
            Ok(StatusCode::NO_CONTENT.into_response())
        }
        "my-credential-challenge" => {
            answer(StatusCode::OK, &ceremony::own_challenge(node, &actor)?)
        }
        "my-credential" => {
            let record = ceremony::add_own(node, &actor, read::<NewPasskey>(request)?)?;
            answer(StatusCode::CREATED, &json!({ "record": record }))
        }
        "act-challenge" => {
            let asked: AboutToSign = read(request)?;
            let command = about_to_sign(node, &asked)?;
            let named = (asked.action.as_str(), command.as_slice(), asked.idempotency_key.as_str());
            answer(StatusCode::OK, &signing::challenge(node, &actor, named)?)
        }
        _ => Err(Fault::absent()),
    }
}

/// The very bytes that the act will have.
fn about_to_sign(node: &Node, asked: &AboutToSign) -> Result<Vec<u8>, Fault> {
    let unknown = || Fault::invalid("unknown-action", "no route leads to this action");
    let (tag, id) = super::http::route_of(node, &asked.action).ok_or_else(unknown)?;
    let record = id.map(|field| (field, asked.record));
    let record = match record {
        Some((field, Some(record))) => Some((field, record)),
        Some((_, None)) => return Err(Fault::absent()),
        None => None,
    };
    command_of(asked.command.clone(), tag, record)
}

/// One's own passkeys.
pub(super) fn own_credentials(
    node: &Node,
    actor: &super::capability::ActorContext,
) -> Result<Response<Body>, Fault> {
    let person = actor.person.ok_or_else(Fault::absent)?;
    let core = node.core();
    let own = core.register.identity.of(person).map(|(record, known)| {
        json!({
            "id": record, "name": known.name, "software": known.software,
            "enrolled_at": known.enrolled_at
        })
    });
    let items: Vec<_> = own.collect();
    let verified_at = actor.authentication.map(|a| a.verified_at);
    answer(StatusCode::OK, &json!({ "items": items, "verified_at": verified_at }))
}
