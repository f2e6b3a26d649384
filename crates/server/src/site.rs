//! Everything that a node answers: API, log, client, its authority's certificate, counters.

use std::sync::Arc;

use app::kernel::http::{bytes_of, refuse};
use app::kernel::{Fault, Node};
use axum::Router;
use axum::body::Body;
use axum::extract::{Extension, State};
use axum::http::{Request, Response, StatusCode};
use axum::middleware::map_response;
use axum::routing::get;

use crate::certificate::Held;
use crate::headers::{Transport, harden};
use crate::listen::Peer;
use crate::{metrics, pages};

/// The router of a node; `more` are routes that only some nodes have.
pub fn router(
    node: &Arc<Node>,
    authority: Option<Vec<u8>>,
    held: Option<Arc<Held>>,
    transport: Transport,
    more: Router,
) -> Router {
    let counters =
        Router::new().route("/metrics", get(counters)).with_state((Arc::clone(node), held));
    let certificate = Router::new().route("/ca.pem", get(certificate)).with_state(authority);
    app::kernel::http::router(node)
        .merge(counters)
        .merge(certificate)
        .merge(more)
        .fallback(otherwise)
        .layer(map_response(move |mut response: Response<Body>| async move {
            harden(response.headers_mut(), transport);
            response
        }))
}

async fn otherwise(request: Request<Body>) -> Response<Body> {
    let path = request.uri().path();
    if path.starts_with("/api/") || path.starts_with("/log/") {
        return refuse(&Fault::absent());
    }
    pages::serve(&request)
}

async fn certificate(State(authority): State<Option<Vec<u8>>>) -> Response<Body> {
    match authority {
        Some(pem) => bytes_of(StatusCode::OK, "application/x-pem-file", pem),
        None => pages::plain(StatusCode::NOT_FOUND, "this node has no authority of its own"),
    }
}

/// The counters, for whoever asks from the machine itself.
async fn counters(
    State((node, held)): State<(Arc<Node>, Option<Arc<Held>>)>,
    peer: Option<Extension<Peer>>,
) -> Response<Body> {
    if !peer.is_some_and(|Extension(Peer(address))| address.is_loopback()) {
        return pages::plain(StatusCode::NOT_FOUND, "no such address");
    }
    let ends_at = held.map(|held| held.ends_at());
    let counted = tokio::task::spawn_blocking(move || metrics::text(&node, ends_at)).await;
    match counted {
        Ok(Ok(text)) => {
            bytes_of(StatusCode::OK, "text/plain; version=0.0.4; charset=utf-8", text.into_bytes())
        }
        Ok(Err(fault)) => refuse(&Fault::unavailable(fault)),
        Err(panicked) => refuse(&Fault::bug(panicked)),
    }
}
