use super::*;

/// A component without a fault, that uses most of the format.
const SOUND: &str = include_str!("sound.toml");

fn icons() -> BTreeSet<String> {
    BTreeSet::from(["acme.svg".to_owned()])
}

/// The problems after one stretch of the sound file was replaced.
fn problems_with(from: &str, to: &str) -> Vec<String> {
    assert!(SOUND.contains(from), "the sound file holds no {from:?}");
    let text = SOUND.replacen(from, to, 1);
    let problems = read(&text, &icons()).err().unwrap_or_default();
    problems.iter().map(|problem| problem.location.to_string()).collect()
}

fn assert_found(table: &[(&str, &str, &str)]) {
    for (from, to, location) in table {
        let found = problems_with(from, to);
        assert!(
            found.iter().any(|found| found == location),
            "{to:?} should be found at {location}, found at {found:?}"
        );
    }
}

#[test]
fn the_sound_file_has_no_problem() {
    assert_eq!(read(SOUND, &icons()).err(), None);
}

#[test]
fn syntax_and_unknown_keys_are_placed_by_line_and_column() {
    let place = |text: &str| parse(text).expect_err("a problem").location.to_string();
    assert_eq!(place("slug = \"a\"\nname = \n"), "line 2, column 8");
    assert_eq!(place("slug = \"a\"\ncolour = 1\n"), "line 2, column 1");
    let text = SOUND.replacen("basic = {", "basics = {", 1);
    let problem = parse(&text).expect_err("a problem");
    assert!(problem.to_string().contains("basics"), "{problem}");
}

#[test]
fn wrong_facts_are_found_where_they_stand() {
    assert_found(&[
        ("name = \"Acme\"", "name = \" \"", "name"),
        ("category = \"Testing\"", "category = \"\"", "category"),
        ("homepage = \"https:", "homepage = \"http:", "homepage"),
        ("icon = \"acme.svg\"", "icon = \"../acme.svg\"", "icon"),
        ("url = \"https://docs.", "url = \"ftp://docs.", "sources[0].url"),
        ("read = \"2026-11-22\"", "read = \"2026-13-22\"", "sources[0].read"),
        ("read = \"2026-11-22\"", "read = \"2026-1-2\"", "sources[0].read"),
        ("id = \"login\"", "id = \"token\"", "methods[1].id"),
        ("label = \"Token method\"", "label = \"\"", "methods[0].label"),
    ]);
}

#[test]
fn wrong_fields_are_found_where_they_stand() {
    assert_found(&[
        ("id = \"account\"", "id = \"site\"", "methods[0].fields[2].id"),
        ("id = \"account\"", "id = \"Account\"", "methods[0].fields[2].id"),
        ("id = \"account\"", "id = \"name\"", "methods[0].fields[2].id"),
        ("help = \"The first part.\"", "help = \"\"", "methods[0].fields[0].help"),
        ("find_at = \"https:", "find_at = \"http:", "methods[0].fields[1].find_at"),
        ("example = \"acme\"", "example = \"acme.example\"", "methods[0].fields[0].example"),
        ("default = \"eu\"", "default = \"mars\"", "methods[0].fields[3].default"),
        ("options = [{ value = \"eu\", label = \"EU\" }]", "options = []", "methods[0].fields[3].options"),
        ("is = [\"eu\"]", "is = [\"mars\"]", "methods[0].fields[4].shown_when.is[0]"),
        ("field = \"region\", is", "field = \"nowhere\", is", "methods[0].fields[4].shown_when.field"),
        ("secret = true\nprefixes", "secret = true\ndefault = \"t-1\"\nprefixes", "methods[0].fields[1].default"),
        ("secret = true\nprefixes", "prefixes", "methods[0].service.headers[\"authorization\"]"),
    ]);
}

#[test]
fn nothing_typed_may_steer_the_host() {
    let base = "base_url = \"https://{site}.{region}.acme.example/v1\"";
    let at = "methods[0].service.base_url";
    for wrong in [
        "http://acme.example",
        "https://{site}",
        "https://api.{site}",
        "https://{site}.example",
        "https://{+site}.acme.example",
        "https://{token}.acme.example",
        "https://{account}.acme.example",
        "https://{nowhere}.acme.example",
        "https://{/site}.acme.example",
        "https://{site.acme.example",
        "https://user@acme.example",
        "https://acme.example/",
        "https://acme.example/v1?x=1",
        "https://acme.example/{account}",
        "{account}",
        "",
    ] {
        let found = problems_with(base, &format!("base_url = \"{wrong}\""));
        assert!(found.iter().any(|found| found == at), "{wrong:?}: {found:?}");
    }
    let found = problems_with("kind = \"subdomain\"\ndestination = true", "kind = \"subdomain\"");
    assert!(found.iter().any(|found| found == at), "{found:?}");
}

#[test]
fn wrong_requests_are_found_where_they_stand() {
    let service = "methods[0].service";
    let probe = "methods[0].service.probes[0]";
    assert_found(&[
        ("x-version = ", "\"x version\" = ", &format!("{service}.headers[\"x version\"]")),
        ("x-version = ", "Host = ", &format!("{service}.headers[\"Host\"]")),
        ("x-version = \"1\"", "x-version = \"{nowhere}\"", &format!("{service}.headers[\"x-version\"]")),
        (
            "query = { account = \"{account}\" }",
            "query = { account = \"{nowhere}\" }",
            &format!("{probe}.query[\"account\"]"),
        ),
        ("path = \"/me\"", "path = \"me\"", &format!("{probe}.path")),
        ("path = \"/me\"", "path = \"/me?full=1\"", &format!("{probe}.path")),
        ("needs = [\"account\"]", "needs = [\"account\", \"nowhere\"]", &format!("{probe}.needs[1]")),
        ("method = \"POST\"", "method = \"GET\"", &format!("{probe}.body")),
        ("content-type = ", "x-type = ", &format!("{probe}.body")),
        ("path = \"/me\"", "path = \"/me\"\naws_service = \"sts\"", &format!("{probe}.aws_service")),
        ("password = \"{password}\" }", "password = \"{user}\" }", "methods[1].service.basic.password"),
    ]);
}

#[test]
fn wrong_answers_are_found_where_they_stand() {
    let probe = "methods[0].service.probes[0]";
    assert_found(&[
        ("verdict = \"valid\"", "verdict = \"no_evidence\"", &format!("{probe}.outcomes")),
        ("verdict = \"rejected\"", "verdict = \"no_evidence\"", &format!("{probe}.outcomes")),
        ("status = [401]", "status = []", &format!("{probe}.outcomes[1].status")),
        ("status = [401]", "status = [401, 503]", &format!("{probe}.outcomes[1].status[1]")),
        ("status = [401]", "status = [99]", &format!("{probe}.outcomes[1].status[0]")),
        ("field = \"token\"", "field = \"nowhere\"", &format!("{probe}.outcomes[1].field")),
        ("message = \"Refused", "message = \"{token} refused", &format!("{probe}.outcomes[1].message")),
        ("message = \"Not all.\"", "message = \"\"", &format!("{probe}.outcomes[2].message")),
        ("missing = [\"things:read\"]", "missing = []", &format!("{probe}.outcomes[2].missing")),
        ("json = { \"/ok\" = [true] }", "json = { \"ok\" = [true] }", &format!("{probe}.outcomes[0].json[\"ok\"]")),
        ("json = { \"/ok\" = [true] }", "json = { \"/ok\" = [[1]] }", &format!("{probe}.outcomes[0].json[\"/ok\"]")),
        ("identity = \"{/name}\"", "identity = \"{account}\"", &format!("{probe}.identity")),
        ("scopes = { header = \"x-scopes\" }", "scopes = {}", &format!("{probe}.scopes")),
        ("expires = { pointer = \"/ends\" }", "expires = { pointer = \"ends\" }", &format!("{probe}.expires.pointer")),
    ]);
}

#[test]
fn a_protocol_finds_its_fields() {
    let fields = "methods[2].fields";
    assert_found(&[
        ("id = \"host\"", "id = \"server\"", fields),
        ("kind = \"host\"\ndestination = true", "kind = \"host\"", &format!("{fields}[0].destination")),
        ("kind = \"port\"", "kind = \"text\"", &format!("{fields}[1].kind")),
        (
            "id = \"password\"\nlabel = \"Password\"\nsecret = true",
            "id = \"password\"\nlabel = \"Password\"",
            "methods[2].fields[4].secret",
        ),
        ("value = \"off\"", "value = \"never\"", &format!("{fields}[5].options[1].value")),
    ]);
}

#[test]
fn an_oauth_section_belongs_to_its_kinds() {
    assert_found(&[
        ("kind = \"authorization_code\"", "kind = \"bearer_token\"", "methods[3].oauth"),
        ("kind = \"bearer_token\"", "kind = \"client_credentials\"", "methods[0].oauth"),
        ("token_url = \"https:", "token_url = \"http:", "methods[3].oauth.token_url"),
        ("allows = \"Read things\"", "allows = \"\"", "methods[3].oauth.scopes[0].allows"),
    ]);
}

#[test]
fn wrong_facts_of_a_provider_are_found_where_they_stand() {
    let oauth = "methods[3].oauth";
    assert_found(&[
        ("authorize_url = ", "issuer = ", &format!("{oauth}.authorize_url")),
        ("\"/data/token\"", "\"data\"", &format!("{oauth}.answer.access_token")),
        ("good = { \"/ok\"", "good = { \"ok\"", &format!("{oauth}.answer.good[\"ok\"]")),
        ("client_id = \"client_key\"", "code_verifier = \"x\"", &format!("{oauth}.names[\"code_verifier\"]")),
        (
            "allows = \"Read things\"",
            "allows = \"x\", parameter = \"redirect_uri\"",
            &format!("{oauth}.scopes[0].parameter"),
        ),
        ("access_type = \"offline\"", "x = \"{nowhere}\"", &format!("{oauth}.authorize_parameters[\"x\"]")),
        ("access_type = \"offline\"", "x = \"{api}\"", &format!("{oauth}.authorize_parameters[\"x\"]")),
        ("client = \"{client_id}\"", "x = \"{nowhere}\"", &format!("{oauth}.revoke.parameters[\"x\"]")),
        ("url = \"{api}/revoke\"", "url = \"{cloud}/revoke\"", &format!("{oauth}.revoke.url")),
        ("id = \"api\"", "id = \"tenant\"", &format!("{oauth}.captures[0].id")),
        ("id = \"api\"", "id = \"access_token\"", &format!("{oauth}.captures[0].id")),
        ("at = \"/data/api\"", "at = \"api\"", &format!("{oauth}.captures[0].at")),
        ("\"*.acme.example\"", "\"*.example\"", &format!("{oauth}.captures[0].hosts[1]")),
        ("\"*.acme.example\"]", "\"x.example\"]\nsecret = true", &format!("{oauth}.captures[0].secret")),
        ("lookup = {", "exchange = { parameters = {},", &format!("{oauth}.captures[1].from")),
        ("base_url = \"{api}\"", "base_url = \"{cloud}\"", "methods[3].service.base_url"),
    ]);
}

#[test]
fn a_problem_reads_as_place_and_remedy() {
    let problem = Problem { location: Location::default().item("methods", 0).child("id"), fault: Fault::Duplicate };
    assert_eq!(problem.to_string(), "methods[0].id: another one has this id; give each its own");
}
