//! Reads requests. What cannot be read is answered with a problem, and never with a piece of what was sent.

use axum::body::Bytes;
use axum::extract;
use axum::extract::rejection::BytesRejection;
use axum::extract::{FromRequest, FromRequestParts, Query, Request};
use axum::http::request::Parts;
use axum::http::{HeaderMap, StatusCode, header};
use serde::de::{DeserializeOwned, Error as _};
use serde::{Deserialize, Deserializer};
use serde_path_to_error::{Path, Segment};

use super::problem::{Problem, token};
use crate::api::error::ApiError;
use crate::server::http::AppState;

/// A JSON body.
pub struct JsonBody<T>(pub T);

impl<T: DeserializeOwned> FromRequest<AppState> for JsonBody<T> {
    type Rejection = Problem;

    async fn from_request(request: Request, app: &AppState) -> Result<Self, Problem> {
        if !is_json(request.headers()) {
            return Err(Problem::unreadable(StatusCode::UNSUPPORTED_MEDIA_TYPE, NO_JSON));
        }
        let bytes = Bytes::from_request(request, app).await.map_err(|rejection| unread(&rejection))?;
        parse(&bytes).map(Self)
    }
}

/// A JSON body, or none at all.
pub struct OptionalBody<T>(pub T);

impl<T: DeserializeOwned + Default> FromRequest<AppState> for OptionalBody<T> {
    type Rejection = Problem;

    async fn from_request(request: Request, app: &AppState) -> Result<Self, Problem> {
        let json = is_json(request.headers());
        let bytes = Bytes::from_request(request, app).await.map_err(|rejection| unread(&rejection))?;
        match (bytes.is_empty(), json) {
            (true, _) => Ok(Self(T::default())),
            (false, true) => parse(&bytes).map(Self),
            (false, false) => Err(Problem::unreadable(StatusCode::UNSUPPORTED_MEDIA_TYPE, NO_JSON)),
        }
    }
}

const NO_JSON: &str = "Send the body as JSON, with the header Content-Type: application/json.";

fn parse<T: DeserializeOwned>(bytes: &[u8]) -> Result<T, Problem> {
    let malformed = |detail: String| Problem::unreadable(StatusCode::BAD_REQUEST, detail);
    let text = std::str::from_utf8(bytes)
        .map_err(|error| malformed(format!("The body is not UTF-8: byte {} is wrong.", error.valid_up_to())))?;
    // serde would take the members of an object as a list, too.
    if text.trim_start().starts_with('[') {
        return Err(malformed("The body is an object: begin it with a brace.".to_owned()));
    }
    let mut reader = serde_json::Deserializer::from_str(text);
    let value = serde_path_to_error::deserialize(&mut reader).map_err(|error| {
        let problem = malformed(in_words(error.inner()));
        match pointer(error.path()) {
            Some(pointer) if error.inner().is_data() => problem.at(&pointer),
            _ => problem,
        }
    })?;
    reader.end().map_err(|error| malformed(in_words(&error)))?;
    Ok(value)
}

/// An object within the body, and not the list of its members, which serde would take as well.
///
/// # Errors
/// What the object's own reader says.
pub fn object<'de, D: Deserializer<'de>, T: DeserializeOwned>(reader: D) -> Result<T, D::Error> {
    let members = serde_json::Map::deserialize(reader)?;
    T::deserialize(serde_json::Value::Object(members)).map_err(D::Error::custom)
}

/// Where in the body; `None` for the body as a whole.
fn pointer(path: &Path) -> Option<String> {
    let steps = path.iter().map(|step| match step {
        Segment::Seq { index } => Some(token(&index.to_string())),
        Segment::Map { key } => Some(token(key)),
        Segment::Enum { .. } | Segment::Unknown => None,
    });
    steps.collect::<Option<String>>().filter(|pointer| !pointer.is_empty())
}

/// serde quotes the value it stumbled over, which may be a secret; only names of members are passed on.
fn in_words(error: &serde_json::Error) -> String {
    let (line, column) = (error.line(), error.column());
    let message = error.to_string();
    let names_a_member =
        ["unknown field", "missing field", "duplicate field"].iter().any(|start| message.starts_with(start));
    if names_a_member {
        message
    } else if error.is_data() {
        format!("Line {line}, column {column}: the value that ends here is not of the kind expected.")
    } else {
        format!("Line {line}, column {column}: this is not JSON.")
    }
}

fn unread(rejection: &BytesRejection) -> Problem {
    let status = rejection.status();
    let detail = match status {
        StatusCode::PAYLOAD_TOO_LARGE => "The body is larger than this server takes.",
        _ => "The body ended before its time.",
    };
    Problem::unreadable(status, detail)
}

/// `application/json` and `application/merge-patch+json` (RFC 7396).
fn is_json(headers: &HeaderMap) -> bool {
    let sent = headers.get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or_default();
    let essence = sent.split(';').next().unwrap_or_default().trim();
    ["application/json", "application/merge-patch+json"].iter().any(|known| essence.eq_ignore_ascii_case(known))
}

/// The query.
pub struct QueryOf<T>(pub T);

impl<T: DeserializeOwned> FromRequestParts<AppState> for QueryOf<T> {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, app: &AppState) -> Result<Self, Problem> {
        let Query(query) = Query::<T>::from_request_parts(parts, app)
            .await
            .map_err(|rejection| Problem::unreadable(StatusCode::BAD_REQUEST, rejection.body_text()))?;
        Ok(Self(query))
    }
}

/// The `{id}` of the path. One that is malformed names nothing.
pub struct IdOf<T>(pub T);

impl<T: DeserializeOwned + Send> FromRequestParts<AppState> for IdOf<T> {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, app: &AppState) -> Result<Self, Problem> {
        let found = extract::Path::<T>::from_request_parts(parts, app).await;
        let absent = || Problem::of(ApiError::NotFound).with_detail("There is nothing of this name here.");
        found.map(|extract::Path(id)| Self(id)).map_err(|_| absent())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[derive(Debug, Deserialize)]
    #[serde(deny_unknown_fields)]
    #[expect(dead_code, reason = "only parsing is looked at")]
    struct Sample {
        number: u8,
        #[serde(default)]
        tags: Vec<String>,
    }

    fn answer(body: &[u8]) -> String {
        serde_json::to_string(&parse::<Sample>(body).expect_err("a problem")).expect("JSON")
    }

    #[test]
    fn a_problem_names_the_member_or_the_place_and_never_the_value() {
        assert!(answer(br#"{"numbr": 1}"#).contains("unknown field `numbr`"));
        assert!(answer(b"{}").contains("missing field `number`"));
        let wrong = answer(br#"{"number": "canary-secret"}"#);
        assert!(wrong.contains("not of the kind expected") && !wrong.contains("canary"), "{wrong}");
        assert!(wrong.contains(r#""pointer":"/number""#), "{wrong}");
        assert!(answer(br#"{"tags": ["a", 7]}"#).contains(r#""pointer":"/tags/1""#));
        assert!(!answer(b"[]").contains("pointer") && !answer(b"{\"tags\": [").contains("pointer"));
        assert!(answer(b"[1, []]").contains("an object"));
        assert!(answer(b"{\"number\": 1} 2").contains("not JSON"));
        assert!(answer(b"{\"number\": \"\xff\"}").contains("not UTF-8"));
    }

    proptest! {
        #[test]
        fn no_body_panics(bytes in proptest::collection::vec(any::<u8>(), 0..64)) {
            let _ = parse::<Sample>(&bytes);
        }
    }
}
