//! Sign-in links: one for each role, with a token that is drawn at each start. Demonstration only.

use std::collections::BTreeMap;
use std::sync::Arc;

use app::kernel::http::{COOKIE, refuse};
use app::kernel::session::{self, MethodOfProof};
use app::kernel::{Fault, Node};
use axum::Router;
use axum::body::Body;
use axum::extract::{Query, State};
use axum::http::header::{self, HeaderValue};
use axum::http::{Response, StatusCode};
use axum::routing::get;
use base::crypto::Digest;
use base::{Kind, SeatId};

use super::world::{Founded, World};

/// Where the links lead.
const PATH: &str = "/demo/sign-in";

/// A link before it has an address.
struct Link {
    token: String,
    seat: SeatId,
    title: String,
}

/// The links of one start.
pub struct Links {
    links: Vec<Link>,
}

impl Links {
    /// Draws a token for each link of the world.
    pub fn draw(node: &Node, world: &World, founded: &Founded) -> Self {
        let mut entropy = node.entropy();
        let mut links = Vec::new();
        for id in &world.links {
            let Some((agency, seat)) = world.seat(id) else { continue };
            links.push(Link {
                token: Digest(entropy.draw()).to_string(),
                seat: founded.seat(id),
                title: format!("{}: {}", agency.code, seat.post),
            });
        }
        Self { links }
    }

    /// Title and address of each.
    pub fn lines(&self, url: &str) -> Vec<(String, String)> {
        let line = |link: &Link| (link.title.clone(), format!("{url}{PATH}?token={}", link.token));
        self.links.iter().map(line).collect()
    }

    /// The route that the links lead to.
    pub fn router(self, node: &Arc<Node>) -> Router {
        let known = Known {
            node: Arc::clone(node),
            seats: Arc::new(self.links.into_iter().map(|link| (link.token, link.seat)).collect()),
        };
        Router::new().route(PATH, get(sign_in)).with_state(known)
    }
}

#[derive(Clone)]
struct Known {
    node: Arc<Node>,
    seats: Arc<BTreeMap<String, SeatId>>,
}

async fn sign_in(
    State(known): State<Known>,
    Query(query): Query<BTreeMap<String, String>>,
) -> Response<Body> {
    let opened = tokio::task::spawn_blocking(move || open(&known, query.get("token"))).await;
    match opened {
        Ok(Ok(token)) => welcome(&token),
        Ok(Err(fault)) => refuse(&fault),
        Err(panicked) => refuse(&Fault::bug(panicked)),
    }
}

/// Opens a session of whoever holds the link's seat now.
fn open(known: &Known, token: Option<&String>) -> Result<String, Fault> {
    let unknown = || {
        let what = "the link is of another start; take one that this start has printed";
        Fault::new(Kind::Unauthenticated, "unauthenticated", what)
    };
    let seat = token.and_then(|token| known.seats.get(token)).ok_or_else(unknown)?;
    let core = known.node.core();
    let holder = core.register.seats.get(seat).and_then(|seat| seat.holder);
    let holder = holder.ok_or_else(unknown)?;
    session::open(&known.node, holder, Some(*seat), MethodOfProof::SoftwareAuthenticator)
}

fn welcome(token: &str) -> Response<Body> {
    let mut response = Response::new(Body::empty());
    *response.status_mut() = StatusCode::SEE_OTHER;
    let cookie = format!("{COOKIE}={token}; Path=/; Secure; HttpOnly; SameSite=Strict");
    let headers = response.headers_mut();
    headers.insert(header::LOCATION, HeaderValue::from_static("/"));
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    if let Ok(cookie) = HeaderValue::from_str(&cookie) {
        headers.insert(header::SET_COOKIE, cookie);
    }
    response
}
