use super::*;
use proptest::prelude::*;

fn base(text: &str) -> Url {
    text.parse().expect("a URL")
}

fn joined(path: &str, query: Option<&str>) -> Option<String> {
    join(&base("https://api.acme.example/v1/"), path, query, &[]).ok().map(Into::into)
}

#[test]
fn a_path_goes_below_the_base_as_it_was_sent() {
    for (path, expected) in [
        ("", "/v1"),
        ("/", "/v1/"),
        ("/me", "/v1/me"),
        ("/a/b/", "/v1/a/b/"),
        ("/projects/group%2Fproject", "/v1/projects/group%2Fproject"),
        ("/a;v=1/b", "/v1/a;v=1/b"),
        ("/a%20b/%C3%A9", "/v1/a%20b/%C3%A9"),
        ("/..a/...", "/v1/..a/..."),
        ("/me@evil.example:443", "/v1/me@evil.example:443"),
    ] {
        assert_eq!(joined(path, None).as_deref(), Some(&*format!("https://api.acme.example{expected}")), "{path}");
    }
    assert_eq!(joined("/me", Some("a=1&b=%26")).as_deref(), Some("https://api.acme.example/v1/me?a=1&b=%26"));
}

#[test]
fn a_path_that_could_lead_elsewhere_is_refused() {
    for path in [
        "/..",
        "/.",
        "/../admin",
        "/a/../../admin",
        "/a/./b",
        "/%2e%2e/admin",
        "/%2E./admin",
        "/.%2e/admin",
        "/%252e%252e/admin",
        "/%25252e%25252e/x",
        "/%2525252525252e",
        "/..%2fadmin",
        "/a%2f..%2f..%2fadmin",
        "/%2f%2fevil.example",
        "//evil.example/x",
        "/a//b",
        "/%2fevil.example",
        "/..;/admin",
        "/..;x=1/admin",
        "/%2e%2e;/admin",
        "/\\evil.example",
        "/a%5c..%5cadmin",
        "/%5c%5cevil.example",
        "/a%0d%0aHost:%20evil",
        "/a%00b",
        "/a\tb",
        "@evil.example/",
        ".evil.example",
        ":8443/x",
        "https://evil.example/",
        "evil",
    ] {
        assert_eq!(joined(path, None), None, "{path}");
    }
}

#[test]
fn the_credential_s_parameters_replace_the_caller_s() {
    let credential = [("api_key".to_owned(), "s3cret&x=1".to_owned())];
    let url = join(&base("https://a.example/x?tenant=7"), "/y", Some("API%5Fkey=mine&q=1&tenant=8&&"), &credential);
    assert_eq!(url.expect("a URL").as_str(), "https://a.example/x/y?tenant=7&q=1&api_key=s3cret%26x%3D1");
}

#[test]
fn a_redirect_is_told_from_the_proxy_s_side_only_where_it_stays_below() {
    let (from, asked) = (base("https://a.example/v1"), base("https://a.example/v1/old?api_key=s3cret"));
    let credential = [("api_key".to_owned(), "s3cret".to_owned())];
    let at = |location: &str| below(&from, &asked, location, &credential);
    assert_eq!(at("/v1/new?api_key=s3cret&page=2").as_deref(), Some("/new?page=2"));
    assert_eq!(at("new").as_deref(), Some("/new"));
    assert_eq!(at("https://a.example:443/v1/x").as_deref(), Some("/x"));
    for elsewhere in [
        "https://evil.example/v1/x",
        "//evil.example/v1/x",
        "http://a.example/v1/x",
        "/v2/x",
        "/v1x",
        "/",
        "https://u:p@a.example/v1/x",
        "/v1//evil.example",
    ] {
        assert_eq!(at(elsewhere), None, "{elsewhere}");
    }
}

fn spellings() -> impl Strategy<Value = String> {
    let part = prop_oneof![
        Just(".".to_owned()),
        Just("..".to_owned()),
        Just("%2e".to_owned()),
        Just("%252e".to_owned()),
        Just("/".to_owned()),
        Just("//".to_owned()),
        Just("%2f".to_owned()),
        Just("%5C".to_owned()),
        Just("\\".to_owned()),
        Just(";".to_owned()),
        Just("@".to_owned()),
        Just(":".to_owned()),
        Just("?".to_owned()),
        Just("#".to_owned()),
        Just("evil.example".to_owned()),
        Just("%0d%0a".to_owned()),
        "[a-z%0-9]{0,4}",
        any::<char>().prop_map(String::from),
    ];
    proptest::collection::vec(part, 0..12).prop_map(|parts| parts.concat())
}

/// As a server at its laxest reads it: decoded to the end, backslashes and parameters taken for what they may be.
fn climbs(path: &str) -> bool {
    let mut text = path.to_owned();
    loop {
        let decoded = percent_decode_str(&text).decode_utf8_lossy().into_owned();
        if decoded == text {
            break;
        }
        text = decoded;
    }
    text.replace('\\', "/").split('/').any(|part| matches!(part.split(';').next(), Some("." | "..")))
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(4_000))]

    #[test]
    fn no_spelling_leaves_the_base(path in spellings(), query in proptest::option::of(spellings())) {
        let base = base("https://api.acme.example/v1");
        if let Ok(url) = join(&base, &path, query.as_deref(), &[]) {
            prop_assert_eq!(url.origin(), base.origin());
            prop_assert!(url.username().is_empty() && url.password().is_none() && url.fragment().is_none());
            prop_assert!(url.path() == "/v1" || url.path().starts_with("/v1/"), "{}", url);
            prop_assert!(!climbs(url.path()), "{}", url);
            prop_assert!(!url.path().contains("//") && !url.path().contains('\\'), "{}", url);
        }
    }
}
