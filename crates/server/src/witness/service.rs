//! The service: `POST /add-checkpoint`, and nothing else. It sees sizes and hashes, never content.

use std::sync::{Arc, Mutex, PoisonError};

use anyhow::Result;
use axum::Router;
use axum::body::{Body, Bytes};
use axum::extract::{DefaultBodyLimit, State};
use axum::http::{HeaderValue, Response, StatusCode, header};
use axum::routing::post;
use ledger::witness::{REQUEST_BYTES, Refusal, Request, Witness};

use super::heads::Heads;
use crate::clock;
use crate::terminal::chain;

/// A witness with the heads that it keeps.
pub struct Service {
    witness: Witness,
    /// Locked from before a head is loaded until the new one is durable.
    heads: Mutex<Heads>,
}

impl Service {
    /// A witness that keeps its heads in a directory.
    pub const fn new(witness: Witness, heads: std::path::PathBuf) -> Self {
        Self { witness, heads: Mutex::new(Heads::new(heads)) }
    }

    /// Decides on a request, and cosigns once the head is durable.
    ///
    /// # Errors
    /// What the disk or the key answers; a refusal is an answer and no error.
    fn add(&self, body: &[u8]) -> Result<Result<String, Refusal>> {
        let request = match Request::parse(body) {
            Ok(request) => request,
            Err(fault) => return Ok(Err(Refusal::Malformed(fault))),
        };
        let origin = match self.witness.log_of(&request) {
            Ok(log) => log.origin().clone(),
            Err(refusal) => return Ok(Err(refusal)),
        };
        let heads = self.heads.lock().unwrap_or_else(PoisonError::into_inner);
        let kept = heads.load(&origin)?;
        let pending = match self.witness.add_checkpoint(&kept, &request) {
            Ok(pending) => pending,
            Err(refusal) => {
                if matches!(refusal, Refusal::Inconsistent(_)) {
                    let note = request.checkpoint.to_string();
                    tracing::error!(%origin, note, "a log signed what does not follow: keep this");
                }
                return Ok(Err(refusal));
            }
        };
        heads.keep(&origin, pending.head())?;
        drop(heads);
        Ok(Ok(pending.cosign(clock::now())?.body()))
    }
}

/// The one route of a witness.
pub fn router(service: Arc<Service>) -> Router {
    Router::new()
        .route("/add-checkpoint", post(add))
        .layer(DefaultBodyLimit::max(REQUEST_BYTES))
        .with_state(service)
}

async fn add(State(service): State<Arc<Service>>, body: Bytes) -> Response<Body> {
    let outcome = tokio::task::spawn_blocking(move || service.add(&body)).await;
    let answer = |status: u16, media: &'static str, body: String| {
        let mut response = Response::new(Body::from(body));
        *response.status_mut() =
            StatusCode::from_u16(status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
        response.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static(media));
        response
    };
    let text = "text/plain; charset=utf-8";
    match outcome {
        Ok(Ok(Ok(body))) => answer(200, text, body),
        Ok(Ok(Err(refusal))) => answer(refusal.status(), refusal.media_type(), refusal.body()),
        Ok(Err(fault)) => {
            tracing::error!(cause = chain(&*fault), "nothing was cosigned");
            answer(500, text, "the witness cannot keep heads now\n".to_owned())
        }
        Err(panicked) => {
            tracing::error!(%panicked, "nothing was cosigned");
            answer(500, text, "the witness failed\n".to_owned())
        }
    }
}
