use super::*;
use crate::server::vault::{SecretText, Secrets};
use hyper::header::{CONTENT_TYPE, HeaderMap, HeaderValue};
use proptest::prelude::*;

const PROBE: &str = r#"
identity = "{/user/name} in {/team}"
outcomes = [
  { verdict = "rejected", status = [200], json = { "/ok" = [false], "/error" = ["invalid_auth", "revoked"] }, message = "Refused: {/error}.", field = "token" },
  { verdict = "no_evidence", status = [200], json = { "/ok" = [false] }, message = "It said {/error}." },
  { verdict = "valid", status = [200], json = { "/ok" = [true] } },
  { verdict = "limited", status = [403], json = { "/needed" = [] }, missing = ["chat:write"] },
  { verdict = "rejected", status = [401] },
  { verdict = "rejected", status = [403], body_contains = "<Code>InvalidAccessKeyId</Code>", message = "No such key." },
]
scopes = { header = "x-scopes", pointer = "/scopes", required = ["read", "write"] }
expires = { header = "x-expires", pointer = "/expires" }
"#;

fn probe() -> HttpProbe {
    toml::from_str(PROBE).expect("a probe")
}

fn scrubber() -> Scrubber {
    let mut secrets = Secrets::default();
    secrets.insert("token", SecretText::new("canary-token".to_owned()));
    Scrubber::new(&secrets)
}

fn answer(status: u16, headers: &[(&'static str, &str)], body: &str) -> Judgement {
    let headers = headers.iter().map(|(name, value)| (name.parse().expect("a name"), value.parse().expect("a value")));
    let answer = Answer { status, headers: headers.collect(), body: body.as_bytes().to_vec() };
    classify(&probe(), &answer, &scrubber())
}

fn reason(judgement: Judgement) -> String {
    match judgement.verdict {
        Verdict::NoEvidence { reason, .. } => reason,
        verdict => panic!("evidence: {verdict:?}"),
    }
}

#[test]
fn a_good_answer_tells_who_and_what_and_until_when() {
    let body = r#"{"ok": true, "user": {"name": "bot"}, "team": "acme"}"#;
    let judgement = answer(200, &[("x-scopes", "read, write"), ("x-expires", "2026-11-22 14:28:22 UTC")], body);
    assert_eq!(judgement.verdict, Verdict::Valid);
    assert_eq!(judgement.account.identity.as_deref(), Some("bot in acme"));
    assert_eq!(judgement.account.scopes, ["read", "write"]);
    assert_eq!(judgement.expires_at.map(Timestamp::to_rfc3339).as_deref(), Some("2026-11-22T14:28:22Z"));
}

#[test]
fn a_required_scope_that_is_missing_limits_and_silence_about_scopes_does_not() {
    let limited = |missing: &str| Verdict::Limited { missing: vec![missing.to_owned()] };
    assert_eq!(answer(200, &[("x-scopes", "read")], r#"{"ok": true}"#).verdict, limited("write"));
    assert_eq!(answer(200, &[], r#"{"ok": true, "scopes": ["write"]}"#).verdict, limited("read"));
    assert_eq!(answer(200, &[], r#"{"ok": true}"#).verdict, Verdict::Valid);
    assert_eq!(answer(403, &[], r#"{"needed": "x"}"#).verdict, limited("chat:write"));
}

#[test]
fn a_refusal_carries_the_services_words_without_the_secret() {
    let rejected = |reason: &str, field: Option<&str>| Verdict::Rejected {
        reason: reason.to_owned(),
        field: field.map(str::to_owned),
    };
    let body = r#"{"ok": false, "error": "invalid_auth"}"#;
    assert_eq!(answer(200, &[], body).verdict, rejected("Refused: invalid_auth.", Some("token")));
    assert_eq!(answer(401, &[], "").verdict, rejected("The service refused this credential (401).", None));
    let xml = "<Error><Code>InvalidAccessKeyId</Code></Error>";
    assert_eq!(answer(403, &[], xml).verdict, rejected("No such key.", None));
    let echo = r#"{"ok": false, "error": "bad canary-token\u001b[0m"}"#;
    assert_eq!(reason(answer(200, &[], echo)), "It said bad ***[0m.");
}

#[test]
fn what_says_nothing_about_the_credential_is_no_evidence() {
    let html = [("content-type", "text/html; charset=utf-8")];
    for (status, headers, body, words) in [
        (429, &[][..], "", "too many requests"),
        (500, &[], "", "trouble of its own (500)"),
        (503, &html, "<html>", "trouble of its own (503)"),
        (302, &[], "", "sends elsewhere (302)"),
        (407, &[], "", "proxy"),
        (404, &html, "<html>", "web page"),
        (200, &html, r#"{"ok": true}"#, "web page"),
        (403, &[], "", "(403) says nothing"),
        (200, &[], "\u{0}garbage", "(200) says nothing"),
        (200, &[("content-encoding", "gzip")], r#"{"ok": true}"#, "compressed"),
        (301, &[], r#"{"ok": true}"#, "sends elsewhere"),
        (401, &html, "<html>", "web page"),
        (403, &html, "<html>", "web page"),
    ] {
        let said = reason(answer(status, headers, body));
        assert!(said.contains(words), "{status}: {said}");
    }
}

#[test]
fn a_web_server_that_asks_for_a_password_refused_the_one_it_was_given() {
    let asks = [("content-type", "text/html"), ("www-authenticate", "Basic realm=\"api\"")];
    assert!(matches!(answer(401, &asks, "<html>").verdict, Verdict::Rejected { .. }));
}

#[test]
fn an_answer_that_sends_elsewhere_tells_what_the_catalog_reads_from_its_status() {
    let probe: HttpProbe = toml::from_str(
        r#"outcomes = [
  { verdict = "rejected", status = [301], body_contains = "PermanentRedirect", message = "Another region." },
  { verdict = "rejected", body_contains = "Denied" },
  { verdict = "valid", status = [302] },
]"#,
    )
    .expect("a probe");
    let verdict = |status, body: &str| {
        let answer = Answer { status, headers: HeaderMap::new(), body: body.as_bytes().to_vec() };
        classify(&probe, &answer, &scrubber()).verdict
    };
    assert!(
        matches!(verdict(301, "PermanentRedirect"), Verdict::Rejected { reason, .. } if reason == "Another region.")
    );
    assert!(matches!(verdict(301, "Denied"), Verdict::NoEvidence { .. }));
    assert!(matches!(verdict(302, ""), Verdict::NoEvidence { .. }));
}

#[test]
fn an_identity_that_is_told_by_half_is_none() {
    assert_eq!(answer(200, &[], r#"{"ok": true, "team": "acme"}"#).account.identity, None);
}

#[test]
fn moments_are_read_in_every_spelling() {
    let expected = Some(Timestamp(1_795_357_702_000));
    for text in [
        "2026-11-22T14:28:22Z",
        "2026-11-22T14:28:22.123Z",
        "2026-11-22 14:28:22 UTC",
        "2026-11-22 15:28:22 +0100",
        "2026-11-22T06:28:22-08:00",
        "1795357702",
    ] {
        assert_eq!(moment(text), expected, "{text}");
    }
    for text in ["", "soon", "2026-13-01T00:00:00Z", "2026-11-22T14:28:22", "2026-11-22"] {
        assert_eq!(moment(text), None, "{text}");
    }
}

proptest! {
    #[test]
    fn no_answer_panics_and_silence_is_never_valid(status in 100_u16..600, body in ".{0,60}") {
        let judgement = answer(status, &[], &body);
        prop_assert!(judgement.verdict != Verdict::Valid);
    }

    #[test]
    fn reading_a_moment_never_panics(text in "[0-9TZ:+. éUC-]{0,30}") {
        let _ = moment(&text);
    }
}

#[test]
fn a_web_page_is_one_whatever_else_its_type_says() {
    for kind in [&b"text/html; charset=\xe9"[..], b"TEXT/HTML", b"\xff application/xhtml+xml"] {
        let headers = HeaderMap::from_iter([(CONTENT_TYPE, HeaderValue::from_bytes(kind).expect("a value"))]);
        let answer = Answer { status: 200, headers, body: br#"{"ok": true}"#.to_vec() };
        assert!(reason(classify(&probe(), &answer, &scrubber())).contains("web page"), "{kind:?}");
    }
}
