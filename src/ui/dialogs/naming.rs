//! The name a new connection gets unless a person gives one.

use crate::domain::component::{ComponentForm, MethodForm};
use crate::domain::field::{FieldKind, FieldValues};
use crate::domain::fold::fold;

/// Fields that say which of several accounts or stores this is, where the catalog has them.
const TELLING: [&str; 3] = ["database", "bucket", "workspace"];

/// `PostgreSQL orders`: the component, what tells it apart, and a number while `taken` holds the same folded key.
#[must_use]
pub fn suggested_name(form: &ComponentForm, method: &MethodForm, values: &FieldValues, taken: &[String]) -> String {
    let telling = method
        .fields
        .iter()
        .find(|field| !field.secret && (field.kind == FieldKind::Subdomain || TELLING.contains(&field.id.as_str())));
    let detail = telling.and_then(|field| values.get(&field.id)).map(str::trim).filter(|text| !text.is_empty());
    let base: String = match detail {
        Some(detail) => format!("{} {detail}", form.badge.name).chars().take(100).collect(),
        None => form.badge.name.clone(),
    };
    let free = |name: &String| !taken.contains(&fold(name));
    let numbered = (2..=taken.len() + 2).map(|number| format!("{base} {number}"));
    std::iter::once(base.clone()).chain(numbered).find(free).unwrap_or(base)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn postgres() -> ComponentForm {
        serde_json::from_value(serde_json::json!({
            "badge": { "slug": "postgresql", "name": "PostgreSQL", "icon": "" },
            "category": "Databases", "homepage": "", "popularity": 1,
            "methods": [{
                "id": "login", "label": "User and password", "kind": "database_login", "intro": "",
                "may_be_vouched_for": false,
                "fields": [{ "id": "host", "label": "Host" }, { "id": "database", "label": "Database" }]
            }]
        }))
        .expect("a form")
    }

    fn name(database: &str, taken: &[&str]) -> String {
        let form = postgres();
        let mut values = FieldValues::default();
        values.set("database", database);
        let taken: Vec<String> = taken.iter().map(|&name| fold(name)).collect();
        suggested_name(&form, &form.methods[0], &values, &taken)
    }

    #[test]
    fn the_component_and_what_tells_it_apart() {
        assert_eq!(name("", &[]), "PostgreSQL");
        assert_eq!(name("orders", &["PostgreSQL"]), "PostgreSQL orders");
    }

    #[test]
    fn a_taken_name_is_numbered() {
        assert_eq!(name("", &["postgresql", "PostgreSQL 2"]), "PostgreSQL 3");
    }

    proptest! {
        #[test]
        fn the_suggestion_is_always_free(count in 0_usize..20) {
            let mut taken: Vec<String> = vec![fold("PostgreSQL")];
            taken.extend((2..count + 2).map(|number| fold(&format!("PostgreSQL {number}"))));
            let names: Vec<&str> = taken.iter().map(String::as_str).collect();
            prop_assert!(!taken.contains(&fold(&name("", &names))));
        }
    }
}
