use super::*;
use crate::server::dial::policy::NetworkPolicy;

fn acme() -> Value {
    json!({
        "slug": "acme", "name": "Acme", "category": "Internal", "homepage": "https://acme.example",
        "sources": [{ "url": "https://docs.acme.example", "read": "2026-11-22" }],
        "methods": [{
            "id": "token", "label": "Token", "kind": "bearer_token",
            "fields": [{ "id": "token", "label": "Token", "secret": true, "help": "Under Settings." }],
            "service": {
                "protocol": "http", "base_url": "https://api.acme.example",
                "headers": { "authorization": "Bearer {token}" },
                "probes": [{ "path": "/me", "outcomes": [
                    { "verdict": "valid", "status": [200] },
                    { "verdict": "rejected", "status": [401], "message": "Refused." }
                ] }]
            }
        }]
    })
}

fn with(pointer: &str, value: Value) -> Value {
    let mut document = acme();
    let (parent, member) = pointer.rsplit_once('/').expect("a member");
    match document.pointer_mut(parent) {
        Some(Value::Object(members)) => drop(members.insert(member.to_owned(), value)),
        Some(Value::Array(items)) => items[member.parse::<usize>().expect("an index")] = value,
        _ => panic!("no {parent}"),
    }
    document
}

fn pointers(document: &Value) -> Vec<String> {
    let policy = NetworkPolicy::default();
    let permits = |address| policy.permits(address).is_ok();
    let around = Surroundings { permits: &permits, state_names: BTreeSet::from(["state"]) };
    let problems = read(document, &around).err().unwrap_or_default();
    problems.iter().map(|problem| problem.location.pointer().to_owned()).collect()
}

#[test]
fn a_sound_definition_has_no_problem() {
    assert!(pointers(&acme()).is_empty(), "{:?}", pointers(&acme()));
}

#[test]
fn what_is_wrong_is_pointed_at() {
    let service = "/methods/0/service";
    for (at, value, found) in [
        ("/colour".to_owned(), json!(1), "/colour".to_owned()),
        ("/name".to_owned(), json!(7), "/name".to_owned()),
        ("/name".to_owned(), json!("a\nb"), "/name".to_owned()),
        ("/methods/0/kind".to_owned(), json!("magic"), "/methods/0/kind".to_owned()),
        (format!("{service}/base_url"), json!("http://api.acme.example"), format!("{service}/base_url")),
        (format!("{service}/headers"), json!({ "x/y": "{token}" }), format!("{service}/headers/x~1y")),
        (format!("{service}/probes/0/path"), json!(7), format!("{service}/probes/0/path")),
        (format!("{service}/probes/0/outcomes/1/field"), json!("tokn"), format!("{service}/probes/0/outcomes/1/field")),
        (format!("{service}/probes/0/colour"), json!(1), format!("{service}/probes/0/colour")),
    ] {
        let problems = pointers(&with(&at, value));
        assert!(problems.contains(&found), "{at}: {problems:?}");
    }
}

#[test]
fn literal_addresses_of_closed_networks_are_refused() {
    for host in ["127.0.0.1", "localhost", "10.0.0.8", "169.254.169.254", "[::1]", "2130706433", "x.localhost"] {
        let document = with("/methods/0/service/base_url", json!(format!("https://{host}/v1")));
        assert!(pointers(&document).contains(&"/methods/0/service/base_url".to_owned()), "{host}");
    }
    assert!(pointers(&with("/methods/0/service/base_url", json!("https://8.8.8.8"))).is_empty());
}

#[test]
fn a_free_field_says_nothing_of_the_host() {
    for base_url in ["https://{token}.acme.example", "https://api.{token}", "{token}", "https://{token}"] {
        assert!(!pointers(&with("/methods/0/service/base_url", json!(base_url))).is_empty(), "{base_url}");
    }
}

#[test]
fn another_components_oauth_client_is_not_to_be_had() {
    let mut document = with("/methods/0/kind", json!("authorization_code"));
    document["methods"][0]["fields"] = json!([]);
    document["methods"][0]["service"]["headers"] = json!({ "authorization": "Bearer {access_token}" });
    document["methods"][0]["oauth"] = json!({
        "authorize_url": "https://acme.example/authorize", "token_url": "https://acme.example/token", "scopes": []
    });
    assert!(pointers(&document).is_empty(), "{:?}", pointers(&document));
    document["methods"][0]["oauth"]["client"] = json!("google");
    assert_eq!(pointers(&document), ["/methods/0/oauth/client"]);
    document["methods"][0]["oauth"] = json!({
        "authorize_url": "{site}/a", "token_url": "{site}/t", "scopes": [], "names": { "state": "s" }
    });
    document["methods"][0]["fields"] =
        json!([{ "id": "site", "label": "Site", "kind": "url", "destination": true, "help": "Yours." }]);
    assert_eq!(pointers(&document), ["/methods/0/oauth/names", "/methods/0/oauth/token_url"]);
}

fn requests(document: &Value) -> String {
    parse(document).expect("a definition").methods[0].fingerprint.clone().expect("a fingerprint").requests
}

#[test]
fn words_and_readings_change_no_fingerprint_and_everything_else_does() {
    let before = requests(&acme());
    let (method, probe) = ("/methods/0", "/methods/0/service/probes/0");
    for (at, value) in [
        ("/name".to_owned(), json!("Other")),
        (format!("{method}/label"), json!("Other")),
        (format!("{method}/fields/0/help"), json!("Other.")),
        (format!("{probe}/identity"), json!("{/name}")),
        (format!("{probe}/outcomes/1/message"), json!("Other.")),
        (format!("{probe}/query"), json!({})),
    ] {
        assert_eq!(requests(&with(&at, value)), before, "{at}");
    }
    for (at, value) in [
        (format!("{method}/kind"), json!("api_key")),
        (format!("{method}/fields/0/secret"), json!(false)),
        (format!("{method}/service/base_url"), json!("https://api.acme.example/v2")),
        (format!("{method}/service/headers"), json!({ "x-key": "{token}" })),
        (format!("{method}/service/query"), json!({ "key": "{token}" })),
        (format!("{probe}/base_url"), json!("https://evil.example")),
        (format!("{probe}/path"), json!("/echo/{token}")),
        (format!("{probe}/headers"), json!({ "x-forward": "{token}" })),
        (format!("{probe}/method"), json!("POST")),
    ] {
        assert_ne!(requests(&with(&at, value)), before, "{at}");
    }
}
