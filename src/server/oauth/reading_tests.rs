use super::*;
use crate::server::vault::{SecretText, Secrets};
use hyper::HeaderMap;
use hyper::header::{CONTENT_TYPE, HeaderValue};
use proptest::prelude::*;

const NOW: Timestamp = Timestamp(1_795_608_000_000);

fn answer(status: u16, kind: &str, body: impl Into<Vec<u8>>) -> Answer {
    let headers = HeaderMap::from_iter([(CONTENT_TYPE, HeaderValue::from_str(kind).expect("a kind"))]);
    Answer { status, headers, body: body.into() }
}

fn scrubber() -> Scrubber {
    let mut secrets = Secrets::default();
    secrets.insert("secret", SecretText::new("canary-secret".to_owned()));
    Scrubber::new(&secrets)
}

fn read_with(words: &str, answer: &Answer) -> Result<Reading, Silence> {
    let words: TokenAnswer = toml::from_str(words).expect("an answer section");
    Reading::of(answer, &words, &scrubber(), NOW)
}

fn error(words: &str, status: u16, body: &str) -> OAuthError {
    match read_with(words, &answer(status, "application/json", body)) {
        Ok(reading) => reading.into_error(),
        Err(silence) => silence.into(),
    }
}

fn said(code: &str, description: &str) -> Said {
    Said { code: code.to_owned(), description: description.to_owned() }
}

#[test]
fn errors_are_told_apart_by_their_standard_names() {
    for (code, expected) in [
        ("invalid_grant", OAuthError::Refused(said("invalid_grant", ""))),
        ("invalid_client", OAuthError::WrongClient(said("invalid_client", ""))),
        ("unauthorized_client", OAuthError::WrongClient(said("unauthorized_client", ""))),
        ("invalid_scope", OAuthError::InvalidScope(said("invalid_scope", ""))),
        ("access_denied", OAuthError::AccessDenied(said("access_denied", ""))),
        ("invalid_request", OAuthError::Misunderstood(said("invalid_request", ""))),
        ("never_heard_of", OAuthError::Misunderstood(said("never_heard_of", ""))),
    ] {
        assert_eq!(error("", 400, &format!(r#"{{"error":"{code}"}}"#)), expected, "{code}");
    }
    let busy = error("", 400, r#"{"error":"temporarily_unavailable"}"#);
    assert!(matches!(busy, OAuthError::NoEvidence(silence) if silence.cause == Cause::Unavailable(400)));
}

#[test]
fn a_providers_own_words_are_understood_as_its_file_says() {
    let words = r#"
error = "/data/code"
error_description = "/data/text"
errors = { "10007" = "invalid_grant", "odd: gone" = "invalid_grant", odd = "invalid_client" }
"#;
    let told = |code: &str, text: &str| error(words, 200, &format!(r#"{{"data":{{"code":{code},"text":"{text}"}}}}"#));
    assert_eq!(told("10007", "x"), OAuthError::Refused(said("10007", "x")));
    assert_eq!(told("\"odd\"", "gone"), OAuthError::Refused(said("odd", "gone")));
    assert_eq!(told("\"odd\"", "other"), OAuthError::WrongClient(said("odd", "other")));
    // The standard's form is understood as well.
    assert_eq!(error(words, 400, r#"{"error":"invalid_grant"}"#), OAuthError::Refused(said("invalid_grant", "")));
    let in_one = error("", 400, r#"{"error":"invalid_client: Invalid client_id"}"#);
    assert_eq!(in_one, OAuthError::WrongClient(said("invalid_client", "Invalid client_id")));
}

#[test]
fn a_proxys_answer_proves_nothing() {
    for (status, kind, body, cause) in [
        (200, "text/html", "<html>Sign in</html>", Cause::WebPage(200)),
        (401, "text/html", "<html>Sign in</html>", Cause::WebPage(401)),
        (401, "text/plain", "Unauthorized", Cause::Garbage(401)),
        (502, "text/html", "<html></html>", Cause::Unavailable(502)),
        (429, "text/plain", "slow", Cause::TooMany),
        (302, "application/json", r#"{"error":"invalid_grant"}"#, Cause::Elsewhere(302)),
        (503, "application/json", r#"{"error":"invalid_grant"}"#, Cause::Unavailable(503)),
        (200, "application/json", "\"text\"", Cause::Garbage(200)),
        (200, "application/json", "{\"access_token\":", Cause::Garbage(200)),
    ] {
        let read = read_with("", &answer(status, kind, body));
        assert_eq!(read.err().map(|silence| silence.cause), Some(cause), "{status} {body}");
    }
}

#[test]
fn a_compressed_answer_is_not_read() {
    let mut answer = answer(200, "application/json", r#"{"access_token":"at"}"#);
    answer.headers.insert("content-encoding", HeaderValue::from_static("gzip"));
    assert!(read_with("", &answer).is_err());
}

proptest! {
    #[test]
    fn no_bytes_make_it_panic_and_no_trouble_reads_as_good(
        status in 100..600_u16, kind in "(application/json|text/html|application/x-www-form-urlencoded)",
        body in proptest::collection::vec(any::<u8>(), 0..200),
    ) {
        if let Ok(reading) = read_with("", &answer(status, &kind, body)) {
            prop_assert!(!reading.good || (200..300).contains(&status));
            prop_assert!(!(300..400).contains(&status));
        }
    }

    #[test]
    fn a_form_says_what_json_says(token in "[!-~]{1,20}", scope in "[a-z ]{0,20}") {
        let form = url::form_urlencoded::Serializer::new(String::new())
            .extend_pairs([("access_token", &token), ("scope", &scope)])
            .finish();
        let json = serde_json::json!({ "access_token": token, "scope": scope }).to_string();
        let one = read_with("", &answer(200, "application/x-www-form-urlencoded", form)).expect("a form");
        let other = read_with("", &answer(200, "application/json", json)).expect("JSON");
        prop_assert_eq!(one.json, other.json);
    }

    #[test]
    fn what_is_said_holds_no_secret_and_no_control(before in ".{0,20}", after in "(?s).{0,300}") {
        let body = serde_json::json!({ "error": "x", "error_description": format!("{before}canary-secret{after}") });
        let reading = read_with("", &answer(400, "application/json", body.to_string())).expect("an error");
        prop_assert!(!reading.said.description.contains("canary-secret"));
        prop_assert!(!reading.said.description.chars().any(char::is_control));
        prop_assert!(reading.said.description.chars().count() <= 201);
    }
}
