//! The log as static tiles (C2SP tlog-tiles), for witnesses and holders of `ledger:read`.

use std::sync::Arc;

use axum::Router;
use axum::body::Body;
use axum::extract::{Path, State};
use axum::http::{HeaderMap, Response, StatusCode};
use axum::routing::get;
use ledger::tile::{Bundle, Resource, Tile};
use store::log::LogName;

use super::fault::Fault;
use super::http::{authenticate, bytes_of, refuse};
use super::node::Node;
use super::tiles::LogHashes;

/// Routes below `/log`.
pub fn router() -> Router<Arc<Node>> {
    Router::new()
        .route("/log/checkpoint", get(checkpoint))
        .route("/log/cosigned", get(cosigned))
        .route("/log/tile/{*path}", get(tile))
}

async fn checkpoint(State(node): State<Arc<Node>>, headers: HeaderMap) -> Response<Body> {
    answer(node, headers, |node| Ok(("text/plain; charset=utf-8", node.core().head.note.clone())))
        .await
}

/// The newest head that a witness has cosigned; absent while none has.
async fn cosigned(State(node): State<Arc<Node>>, headers: HeaderMap) -> Response<Body> {
    answer(node, headers, |node| {
        let newest = node.cosigned().into_values().max_by_key(|cosigned| cosigned.size);
        Ok(("text/plain; charset=utf-8", newest.ok_or_else(Fault::absent)?.note))
    })
    .await
}

async fn tile(
    State(node): State<Arc<Node>>,
    headers: HeaderMap,
    Path(path): Path<String>,
) -> Response<Body> {
    answer(node, headers, move |node| {
        let path = format!("tile/{path}");
        let bytes = match path.parse::<Resource>().map_err(|_form| Fault::absent())? {
            Resource::Entries(bundle) => entries(node, bundle)?,
            Resource::Tile(tile) => hashes(node, tile)?,
            Resource::Checkpoint => return Err(Fault::absent()),
        };
        Ok(("application/octet-stream", bytes))
    })
    .await
}

async fn answer(
    node: Arc<Node>,
    headers: HeaderMap,
    serve: impl FnOnce(&Node) -> Result<(&'static str, Vec<u8>), Fault> + Send + 'static,
) -> Response<Body> {
    let outcome = tokio::task::spawn_blocking(move || {
        let actor = authenticate(&node, &headers)?;
        let core = node.core();
        core.policy.may(&core.register, &actor, "ledger:read")?;
        serve(&node)
    })
    .await;
    match outcome {
        Ok(Ok((kind, bytes))) => bytes_of(StatusCode::OK, kind, bytes),
        Ok(Err(fault)) => refuse(&fault),
        Err(panicked) => refuse(&Fault::bug(panicked)),
    }
}

fn entries(node: &Node, bundle: Bundle) -> Result<Vec<u8>, Fault> {
    let size = node.core().head.size;
    let whole = Bundle::in_log(size, bundle.index()).ok_or_else(Fault::absent)?;
    if bundle.width() > whole.width() {
        return Err(Fault::absent());
    }
    let first = bundle.index() * 256;
    let leaves = node.log().leaves(LogName::Acts, first, u32::from(bundle.width()))?;
    let mut bytes = Vec::with_capacity(leaves.len() * 126);
    for leaf in leaves {
        let length = u16::try_from(leaf.len()).map_err(Fault::bug)?;
        bytes.extend_from_slice(&length.to_be_bytes());
        bytes.extend_from_slice(&leaf);
    }
    Ok(bytes)
}

fn hashes(node: &Node, tile: Tile) -> Result<Vec<u8>, Fault> {
    let size = node.core().head.size;
    let whole = Tile::in_tree(size, tile.level(), tile.index()).ok_or_else(Fault::absent)?;
    if tile.width() > whole.width() {
        return Err(Fault::absent());
    }
    tile.bytes(&LogHashes { reader: node.log(), log: LogName::Acts }).map_err(Fault::bug)
}
