use super::*;
use crate::api::connect::{Begun, Way};
use crate::domain::id::FlowId;
use crate::domain::time::Timestamp;
use crate::ui::dialogs::connect::stage::Waiting;

fn form() -> ComponentForm {
    serde_json::from_value(serde_json::json!({
        "badge": { "slug": "postgresql", "name": "PostgreSQL", "icon": "" },
        "category": "Databases", "homepage": "", "popularity": 1,
        "methods": [
            { "id": "login", "label": "Login", "kind": "database_login", "intro": "", "may_be_vouched_for": false,
              "fields": [
                { "id": "host", "label": "Host", "kind": "host", "destination": true },
                { "id": "port", "label": "Port", "kind": "port", "default": "5432", "destination": true },
                { "id": "password", "label": "Password", "secret": true },
                { "id": "extra", "label": "Extra", "shown_when": { "field": "port", "is": ["1"] } }
            ] },
            { "id": "token", "label": "Token", "kind": "bearer_token", "intro": "", "may_be_vouched_for": false,
              "fields": [{ "id": "token", "label": "Token", "secret": true }] }
        ]
    }))
    .expect("a form")
}

fn opened_for_edit() -> Draft {
    let mut values = FieldValues::default();
    values.set("host", "db.acme.example");
    let stored = vec![StoredSecret { field: "password".to_owned(), stored_at: Timestamp(0) }];
    let start = Start {
        name: "Orders".to_owned(),
        tags: vec![],
        method: "login".to_owned(),
        values,
        stored,
        ..Start::default()
    };
    Draft::new(form(), start)
}

#[test]
fn a_fresh_form_is_clean_and_holds_the_defaults() {
    Owner::new().with(|| {
        let draft = Draft::new(form(), Start::default());
        assert!(!draft.is_dirty());
        assert_eq!(draft.value("port"), "5432");
        assert_eq!(draft.method.get(), "login");
    });
}

#[test]
fn a_stored_secret_left_alone_is_not_asked_for() {
    Owner::new().with(|| {
        let draft = opened_for_edit();
        assert!(draft.check("Orders"));
        assert!(draft.counting().get("password").is_none());
    });
}

#[test]
fn changing_where_a_secret_is_sent_asks_for_it_again() {
    Owner::new().with(|| {
        let draft = opened_for_edit();
        draft.set("host", "elsewhere.example".to_owned());
        assert!(!draft.check("Orders"));
        assert_eq!(draft.first_problem().as_deref(), Some("password"));
        draft.set("host", "db.acme.example".to_owned());
        assert!(draft.check("Orders"));
    });
}

#[test]
fn name_and_tags_alone_leave_the_credentials_untouched() {
    Owner::new().with(|| {
        let draft = opened_for_edit();
        draft.type_name("Other".to_owned());
        assert!(draft.is_dirty() && !draft.credentials_changed());
        draft.set("password", "typed".to_owned());
        assert!(draft.credentials_changed());
    });
}

#[test]
fn switching_the_method_loses_nothing_and_sends_only_its_own_fields() {
    Owner::new().with(|| {
        let draft = opened_for_edit();
        draft.method.set("token".to_owned());
        draft.set("token", "abc".to_owned());
        assert_eq!(draft.counting().0.into_keys().collect::<Vec<_>>(), ["token"]);
        draft.method.set("login".to_owned());
        assert_eq!(draft.value("host"), "db.acme.example");
    });
}

#[test]
fn an_account_on_its_way_is_asked_about_before_the_form_closes_unless_a_link_carries_it() {
    Owner::new().with(|| {
        let draft = Draft::new(form(), Start::default());
        draft.stage.set(Stage::Beginning);
        assert!(draft.is_dirty());
        draft.stage.set(waiting_by(Way::Window));
        assert!(draft.is_dirty());
        draft.set("host", "db.acme.example".to_owned());
        draft.stage.set(waiting_by(Way::Link));
        assert!(draft.is_changed() && !draft.is_dirty());
    });
}

fn waiting_by(way: Way) -> Stage {
    let (flow, url) = (FlowId::from_bytes([1; 16]), String::new());
    Stage::Waiting(Waiting::new(Begun { flow, url, expires_at: Timestamp(0), device: None }, way, false))
}

#[test]
fn a_permission_ticked_is_a_change_of_its_own() {
    Owner::new().with(|| {
        let draft = opened_for_edit();
        draft.scopes.update(|scopes| {
            scopes.insert("mail.send".to_owned());
        });
        assert!(draft.scopes_changed() && draft.is_dirty());
        assert!(!draft.names_changed() && !draft.credentials_changed());
    });
}

#[test]
fn problems_stand_at_their_field_or_are_handed_back() {
    Owner::new().with(|| {
        let draft = opened_for_edit();
        let problems = vec![
            FieldProblem::new("password", "refused"),
            FieldProblem::new("extra", "is hidden"),
            FieldProblem::new(NAME, "taken"),
        ];
        assert_eq!(draft.show(problems), ["is hidden"]);
        assert_eq!(draft.problem("password").as_deref(), Some("refused"));
        assert_eq!(draft.first_problem().as_deref(), Some(NAME));
        draft.settle(NAME);
        assert_eq!(draft.first_problem().as_deref(), Some("password"));
    });
}
