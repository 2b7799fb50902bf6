use super::check::{Fault, Location, Problem};
use super::definition::Service;
use super::*;
use std::fs;
use std::path::PathBuf;

const ACME: &str = include_str!("check/sound.toml");

fn slug(text: &str) -> ComponentSlug {
    ComponentSlug::try_from(text.to_owned()).expect("a slug")
}

/// A folder of its own for one test, removed when dropped.
struct Folder(PathBuf);

impl Folder {
    fn with(name: &str, files: &[(&str, &str)]) -> Self {
        let path = std::env::temp_dir().join(format!("patchbay-catalog-{}-{name}", std::process::id()));
        fs::create_dir_all(&path).expect("a folder");
        for (file, text) in files {
            fs::write(path.join(file), text).expect("a file");
        }
        Self(path)
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

#[test]
fn every_built_in_file_passes_the_check_and_becomes_a_form() {
    let catalog = Catalog::load(None).expect("the built-in catalog");
    let icons = builtin::ICONS.iter().map(|&icon| icon.to_owned()).collect();
    assert!(builtin::FILES.len() >= 45);
    let mut letter_tiles = 0;
    for (file, text) in builtin::FILES {
        let definition = check::read(text, &icons).unwrap_or_else(|problems| panic!("{file}: {problems:?}"));
        let form = catalog.form(&definition.slug).expect("a form");
        assert_eq!(form.methods.len(), definition.methods.len(), "{file}");
        match &definition.icon {
            Some(_) => assert_eq!(form.badge.icon, format!("icons/{}.webp", definition.slug), "{file}"),
            None => letter_tiles += 1,
        }
    }
    assert!(letter_tiles * 10 <= builtin::FILES.len(), "{letter_tiles} components without an icon");
}

#[test]
fn forms_come_most_used_first() {
    let catalog = Catalog::load(None).expect("the built-in catalog");
    assert!(catalog.forms().windows(2).all(|pair| pair[0].popularity >= pair[1].popularity));
    assert_eq!(catalog.forms().len(), builtin::FILES.len());
}

#[test]
fn forms_show_no_template_and_no_probe() {
    let catalog = Catalog::load(None).expect("the built-in catalog");
    let text = serde_json::to_string(catalog.forms()).expect("JSON");
    for inner in ["api.telegram.org", "getMe", "Bearer {", "outcomes", "base_url\":\"", "/v3/scopes"] {
        assert!(!text.contains(inner), "{inner}");
    }
}

#[test]
fn only_what_may_stay_unasked_may_be_vouched_for() {
    let catalog = Catalog::load(None).expect("the built-in catalog");
    for form in catalog.forms() {
        let generic = form.badge.slug == slug("http");
        assert!(form.methods.iter().all(|method| method.may_be_vouched_for == generic), "{}", form.badge.name);
    }
}

#[test]
fn methods_are_found_by_id() {
    let catalog = Catalog::load(None).expect("the built-in catalog");
    let method = catalog.method(&slug("postgresql"), "password").expect("a method");
    assert!(matches!(&method.service, Service::Postgresql(login) if login.default_port == 5432));
    assert!(catalog.method(&slug("postgresql"), "nothing").is_none());
    assert!(catalog.get(&slug("nothing")).is_none());
}

#[test]
fn an_operator_adds_components_with_icons_of_their_own() {
    let folder = Folder::with("own", &[("acme.toml", ACME), ("acme.svg", "<svg/>")]);
    let catalog = Catalog::load(Some(&folder.0)).expect("a catalog");
    assert_eq!(catalog.badge(&slug("acme")).expect("a badge").icon, "icons/custom/acme.svg");
    assert_eq!(catalog.icon("acme.svg"), Some(b"<svg/>".as_slice()));
    assert_eq!(catalog.icon("../acme.svg"), None);
    assert_eq!(catalog.forms().len(), builtin::FILES.len() + 1);
}

#[test]
fn an_operator_replaces_no_built_in_component() {
    let text = ACME.replacen("slug = \"acme\"", "slug = \"slack\"", 1);
    let folder = Folder::with("taken", &[("mine.toml", &text), ("acme.svg", "<svg/>")]);
    let problems = check_file(&folder.0.join("mine.toml")).expect_err("a problem");
    let expected = Problem { location: Location::default().child("slug"), fault: Fault::BuiltInSlug };
    assert_eq!(problems, std::slice::from_ref(&expected));
    let error = Catalog::load(Some(&folder.0)).expect_err("an error");
    assert!(matches!(error, CatalogError::Wrong { problems, .. } if problems == [expected]));
}

#[test]
fn two_files_of_one_slug_are_both_named() {
    let folder = Folder::with("twice", &[("a.toml", ACME), ("b.toml", ACME), ("acme.svg", "<svg/>")]);
    let error = Catalog::load(Some(&folder.0)).expect_err("an error").to_string();
    assert!(error.contains("a.toml") && error.contains("b.toml") && error.contains("acme"), "{error}");
}

#[test]
fn a_folder_that_is_not_there_is_named() {
    let missing = PathBuf::from("no-such-folder");
    assert_eq!(Catalog::load(Some(&missing)).err(), Some(CatalogError::Folder(missing)));
}

#[test]
fn a_file_that_cannot_be_read_says_so() {
    let problems = check_file(Path::new("no-such-folder/acme.toml")).expect_err("a problem");
    assert_eq!(problems, [Problem { location: Location::default(), fault: Fault::Unreadable }]);
}

#[test]
fn the_format_has_its_place_for_oauth() {
    let definition = check::parse(ACME).expect("a definition");
    let oauth = definition.methods[3].oauth.as_ref().expect("an OAuth section");
    assert!(oauth.pkce && oauth.scopes[1].optional);
    let answer = &oauth.answer;
    assert_eq!((answer.access_token.as_str(), answer.refresh_token.as_str()), ("/data/token", "/refresh_token"));
    let known: Vec<_> = definition.methods[3].known_fields().iter().map(|field| field.id.as_str()).collect();
    assert_eq!(known, ["tenant", "access_token", "api", "cloud"]);
}
