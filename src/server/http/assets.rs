//! The site, embedded at build: hashed files for ever, others by their content's hash.

use axum::body::{Body, Bytes};
use axum::extract::rejection::PathRejection;
use axum::extract::{Path, State};
use axum::http::{HeaderMap, HeaderValue, StatusCode, Uri, header};
use axum::response::{IntoResponse, Response};
use rust_embed::{EmbeddedFile, RustEmbed};
use serde::Deserialize;
use std::borrow::Cow;

use super::refusal::Refusal;
use super::{AppState, headers};
use crate::domain::id::WorkspaceId;
use crate::ui::app::Assets;

/// What `scripts/build` made; empty in a build without it.
#[derive(RustEmbed)]
#[folder = "$PATCHBAY_SITE_DIR"]
#[allow_missing = true]
struct Site;

const FOR_EVER: HeaderValue = HeaderValue::from_static("public, max-age=31536000, immutable");
const FOR_AN_HOUR: HeaderValue = HeaderValue::from_static("public, max-age=3600");

/// The names the build gave to what a page loads.
#[derive(Deserialize)]
struct Names {
    js: String,
    wasm: String,
    css: String,
}

/// The page's files; `None` in a build without a site.
#[must_use]
pub fn of_page(base: &str) -> Option<Assets> {
    let names: Names = serde_json::from_slice(&Site::get("site.json")?.data).ok()?;
    let url = |name: &str| format!("{base}/{name}");
    Some(Assets { base: base.to_owned(), js: url(&names.js), wasm: url(&names.wasm), css: url(&names.css) })
}

/// `/pkg/*`: names carry their content's hash.
pub async fn package(uri: Uri, headers: HeaderMap) -> Response {
    file(uri.path(), &headers, FOR_EVER).unwrap_or_else(|| StatusCode::NOT_FOUND.into_response())
}

/// `/icons/*` and the favicon; an operator's icons lie under `/icons/custom/`.
pub async fn icon(State(app): State<AppState>, uri: Uri, headers: HeaderMap) -> Response {
    let found = match uri.path().strip_prefix("/icons/custom/") {
        Some(name) => app.services.catalog.icon(name).map(|svg| svg_response(svg.to_vec())),
        None => file(uri.path(), &headers, FOR_AN_HOUR),
    };
    let mut response = found.unwrap_or_else(|| StatusCode::NOT_FOUND.into_response());
    response.headers_mut().insert(header::CONTENT_SECURITY_POLICY, headers::SANDBOX);
    response
}

/// `/icons/own/*`: pictures of components that workspaces describe themselves. In a frame a picture is fetched without
/// saying who asks, so its name is one that nobody guesses; a new picture has a new one.
pub async fn own_icon(
    State(app): State<AppState>,
    path: Result<Path<(WorkspaceId, String)>, PathRejection>,
) -> Response {
    let found = match path {
        Ok(Path((workspace, name))) => app.services.component_icon(&workspace, &name).await,
        Err(_) => Ok(None),
    };
    let mut response = match found {
        Ok(Some(icon)) => {
            let Ok(media) = HeaderValue::try_from(icon.media_type) else {
                return StatusCode::NOT_FOUND.into_response();
            };
            ([(header::CONTENT_TYPE, media)], [(header::CACHE_CONTROL, FOR_EVER)], icon.bytes).into_response()
        }
        Ok(None) => StatusCode::NOT_FOUND.into_response(),
        Err(error) => Refusal::new("/icons", error).into_response(),
    };
    response.headers_mut().insert(header::CONTENT_SECURITY_POLICY, headers::SANDBOX);
    response
}

/// `/sdk/*`: the version stands in the path, so a mended one is found within the hour.
pub fn sdk(path: &str, headers: &HeaderMap) -> Response {
    file(path, headers, FOR_AN_HOUR).unwrap_or_else(|| StatusCode::NOT_FOUND.into_response())
}

fn svg_response(bytes: Vec<u8>) -> Response {
    ([(header::CONTENT_TYPE, "image/svg+xml")], [(header::CACHE_CONTROL, FOR_AN_HOUR)], bytes).into_response()
}

fn file(path: &str, asked: &HeaderMap, cache: HeaderValue) -> Option<Response> {
    let name = path.trim_start_matches('/');
    if matches!(name.rsplit_once('.'), Some((_, "br" | "gz"))) {
        return None;
    }
    let plain = Site::get(name)?;
    let tag = entity_tag(&plain);
    if asked.get(header::IF_NONE_MATCH).is_some_and(|known| known.as_bytes() == tag.as_bytes()) {
        return Some(
            (StatusCode::NOT_MODIFIED, [(header::ETAG, tag)], [(header::CACHE_CONTROL, cache)]).into_response(),
        );
    }
    let (encoding, chosen) = encoded(name, asked).unwrap_or(("identity", plain));
    let mut response = Body::from(bytes(chosen.data)).into_response();
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(media_type(name)));
    headers.insert(header::CACHE_CONTROL, cache);
    headers.insert(header::VARY, HeaderValue::from_static("accept-encoding"));
    headers.insert(header::ETAG, HeaderValue::try_from(tag).ok()?);
    if encoding != "identity" {
        headers.insert(header::CONTENT_ENCODING, HeaderValue::from_static(encoding));
    }
    Some(response)
}

/// What is embedded is not copied for each request.
fn bytes(data: Cow<'static, [u8]>) -> Bytes {
    match data {
        Cow::Borrowed(embedded) => Bytes::from_static(embedded),
        Cow::Owned(read) => read.into(),
    }
}

/// The smallest precompressed form the client takes.
fn encoded(name: &str, asked: &HeaderMap) -> Option<(&'static str, EmbeddedFile)> {
    let accepted = asked.get(header::ACCEPT_ENCODING)?.to_str().ok()?;
    [("br", "br"), ("gzip", "gz")]
        .into_iter()
        .filter(|(encoding, _)| accepts(accepted, encoding))
        .find_map(|(encoding, extension)| Some((encoding, Site::get(&format!("{name}.{extension}"))?)))
}

/// RFC 9110, section 12.5.3: listed, and not with `q=0`.
fn accepts(accepted: &str, encoding: &str) -> bool {
    accepted.split(',').any(|item| {
        let mut parts = item.split(';').map(str::trim);
        let refused = |part: &str| part.strip_prefix("q=").and_then(|q| q.parse::<f32>().ok()) == Some(0.0);
        parts.next().is_some_and(|name| name.eq_ignore_ascii_case(encoding)) && !parts.any(refused)
    })
}

fn entity_tag(file: &EmbeddedFile) -> String {
    let hash = file.metadata.sha256_hash();
    let hex: String = hash[..8].iter().map(|byte| format!("{byte:02x}")).collect();
    format!("\"{hex}\"")
}

fn media_type(name: &str) -> &'static str {
    match name.rsplit_once('.').map_or("", |(_, extension)| extension) {
        "js" => "text/javascript; charset=utf-8",
        "wasm" => "application/wasm",
        "ts" => "text/plain; charset=utf-8",
        "css" => "text/css; charset=utf-8",
        "svg" => "image/svg+xml",
        "webp" => "image/webp",
        "json" => "application/json",
        _ => "application/octet-stream",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_embedded_is_not_copied() {
        static FILE: &[u8] = b"wasm";
        assert_eq!(bytes(Cow::Borrowed(FILE)).as_ptr(), FILE.as_ptr());
    }

    #[test]
    fn an_encoding_is_used_where_it_is_welcome() {
        assert!(accepts("gzip, deflate, br, zstd", "br"));
        assert!(accepts("br;q=0.5", "br"));
        assert!(!accepts("gzip, br;q=0", "br"));
        assert!(!accepts("brotli", "br"));
    }
}
