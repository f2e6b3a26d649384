//! The web client: embedded in a release, read from `web/dist` by a debug build.
//!
//! Files below `/assets` carry a hash in their name and never change; one that does not exist is
//! 404. Every other address is the client's own, which reads it after it has started.

use std::borrow::Cow;

use axum::body::Body;
use axum::http::header::{self, HeaderValue};
use axum::http::{HeaderMap, Method, Request, Response, StatusCode};
use base::crypto::Digest;
use rust_embed::{EmbeddedFile, RustEmbed};

#[derive(RustEmbed)]
#[folder = "../../web/dist"]
#[allow_missing = true]
struct Dist;

const INDEX: &str = "index.html";
const IMMUTABLE: &str = "public, max-age=31536000, immutable";
const NO_CACHE: &str = "no-cache";

/// What is shown where the client was not built.
const WITHOUT_CLIENT: &str = "<!doctype html>
<html lang=\"en\">
<meta charset=\"utf-8\">
<title>Muster</title>
<h1>Muster</h1>
<p>This build has no web client. Build it with <code>cargo xtask web</code>, then build the server
again; or run <code>cargo xtask demo</code>, which does both. The API answers below
<a href=\"/api/openapi.json\">/api</a>.</p>
</html>
";

/// Whether the web client is part of this build.
pub fn has_client() -> bool {
    Dist::get(INDEX).is_some()
}

/// Answers whatever is not the API's.
pub fn serve(request: &Request<Body>) -> Response<Body> {
    if request.method() != Method::GET && request.method() != Method::HEAD {
        return plain(StatusCode::METHOD_NOT_ALLOWED, "this address is read, not written");
    }
    let path = request.uri().path().trim_start_matches('/');
    let below = |folder: &str| path == folder || path.starts_with(&format!("{folder}/"));
    if ["api", "log", "metrics", "demo"].into_iter().any(below) {
        return plain(StatusCode::NOT_FOUND, "no such address");
    }
    match found(path, request.headers()) {
        Some(found) if path.starts_with("assets/") => found.answer(request, IMMUTABLE),
        Some(found) if path != INDEX && !path.is_empty() => found.answer(request, NO_CACHE),
        None if path.starts_with("assets/") => plain(StatusCode::NOT_FOUND, "no such file"),
        Some(_) | None => match found(INDEX, request.headers()) {
            Some(index) => index.answer(request, NO_CACHE),
            None => without_client(),
        },
    }
}

/// A file of the client, in the form that the browser takes.
struct Found {
    file: EmbeddedFile,
    kind: &'static str,
    encoding: Option<&'static str>,
}

/// Finds a file, compressed where the build has it so and the browser takes it.
fn found(path: &str, headers: &HeaderMap) -> Option<Found> {
    let kind = kind_of(path)?;
    let accepted = headers.get(header::ACCEPT_ENCODING).and_then(|value| value.to_str().ok());
    let takes = |name: &str| {
        let mut codings = accepted.unwrap_or("").split(',').map(str::trim);
        codings.any(|coding| coding.split(';').next() == Some(name) && !coding.ends_with(";q=0"))
    };
    for (name, end) in [("br", "br"), ("gzip", "gz")] {
        if let Some(file) = takes(name).then(|| Dist::get(&format!("{path}.{end}"))).flatten() {
            return Some(Found { file, kind, encoding: Some(name) });
        }
    }
    Dist::get(path).map(|file| Found { file, kind, encoding: None })
}

/// The media type by the end of a name; a name with another end is no file of the client.
fn kind_of(path: &str) -> Option<&'static str> {
    let (_, end) = path.rsplit_once('.')?;
    Some(match end {
        "html" => "text/html; charset=utf-8",
        "js" | "mjs" => "text/javascript; charset=utf-8",
        "css" => "text/css; charset=utf-8",
        "json" | "map" => "application/json",
        "webmanifest" => "application/manifest+json",
        "svg" => "image/svg+xml",
        "png" => "image/png",
        "jpg" | "jpeg" => "image/jpeg",
        "webp" => "image/webp",
        "ico" => "image/vnd.microsoft.icon",
        "woff2" => "font/woff2",
        "wasm" => "application/wasm",
        "txt" => "text/plain; charset=utf-8",
        "geojson" => "application/geo+json",
        "pbf" => "application/x-protobuf",
        "mp3" => "audio/mpeg",
        "ogg" => "audio/ogg",
        "wav" => "audio/wav",
        _ => return None,
    })
}

impl Found {
    fn answer(self, request: &Request<Body>, cache: &'static str) -> Response<Body> {
        let tag = format!("\"{}\"", Digest(self.file.metadata.sha256_hash()));
        let known = request.headers().get(header::IF_NONE_MATCH);
        let same = known.is_some_and(|known| known.as_bytes() == tag.as_bytes());
        let body = if same {
            Body::empty()
        } else {
            match self.file.data {
                Cow::Borrowed(bytes) => Body::from(bytes),
                Cow::Owned(bytes) => Body::from(bytes),
            }
        };
        let mut response = Response::new(body);
        if same {
            *response.status_mut() = StatusCode::NOT_MODIFIED;
        }
        let headers = response.headers_mut();
        headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(self.kind));
        headers.insert(header::CACHE_CONTROL, HeaderValue::from_static(cache));
        headers.insert(header::VARY, HeaderValue::from_static("accept-encoding"));
        if let Ok(tag) = HeaderValue::from_str(&tag) {
            headers.insert(header::ETAG, tag);
        }
        if let Some(encoding) = self.encoding {
            headers.insert(header::CONTENT_ENCODING, HeaderValue::from_static(encoding));
        }
        response
    }
}

fn without_client() -> Response<Body> {
    let mut response = plain(StatusCode::SERVICE_UNAVAILABLE, WITHOUT_CLIENT);
    let kind = HeaderValue::from_static("text/html; charset=utf-8");
    response.headers_mut().insert(header::CONTENT_TYPE, kind);
    response
}

/// A short answer that no cache keeps.
pub fn plain(status: StatusCode, text: &'static str) -> Response<Body> {
    let mut response = Response::new(Body::from(text));
    *response.status_mut() = status;
    let headers = response.headers_mut();
    let kind = HeaderValue::from_static("text/plain; charset=utf-8");
    headers.insert(header::CONTENT_TYPE, kind);
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    response
}
