//! The operator's OAuth clients: `[oauth.NAME]` in the file, `PATCHBAY_OAUTH_NAME_CLIENT_ID` and `…_CLIENT_SECRET` over
//! it. NAME is what a component's file names its client by: `google` serves Gmail, Drive, Sheets and Calendar.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use super::settings::{ConfigError, Source, nearest};
use crate::server::vault::SecretText;

/// One of the operator's clients.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OperatorClient {
    pub id: String,
    /// `None`: a public client.
    pub secret: Option<SecretText>,
    pub source: Source,
}

/// All of them, by name.
pub type OperatorClients = BTreeMap<String, OperatorClient>;

/// Those of the file.
pub(super) fn of_file(path: &Path, value: &toml::Value) -> Result<OperatorClients, ConfigError> {
    let wrong = |key: String| ConfigError::UnknownKey {
        path: path.to_owned(),
        key,
        hint: " Write [oauth.google] with client_id and client_secret.".to_owned(),
    };
    let table = value.as_table().ok_or_else(|| wrong("oauth".to_owned()))?;
    let mut clients = OperatorClients::new();
    for (name, value) in table {
        let entries = value.as_table().ok_or_else(|| wrong(format!("oauth.{name}")))?;
        let known = |key: &String| matches!(key.as_str(), "client_id" | "client_secret");
        if let Some(unknown) = entries.keys().find(|key| !known(key)) {
            return Err(wrong(format!("oauth.{name}.{unknown}")));
        }
        let text = |key: &str| entries.get(key).and_then(toml::Value::as_str).filter(|text| !text.is_empty());
        if entries.get("client_secret").is_some_and(|secret| !secret.is_str()) {
            return Err(wrong(format!("oauth.{name}.client_secret that is no text")));
        }
        let id = text("client_id").ok_or_else(|| wrong(format!("oauth.{name} without client_id")))?.to_owned();
        let secret = text("client_secret").map(|secret| SecretText::new(secret.to_owned()));
        clients.insert(name.clone(), OperatorClient { id, secret, source: Source::File(path.to_owned()) });
    }
    Ok(clients)
}

/// Those of the file, and over them those of the environment, for the names that the catalog knows.
#[must_use]
pub fn with_variables(
    mut clients: OperatorClients,
    names: &BTreeSet<String>,
    variable: &dyn Fn(&str) -> Option<String>,
) -> OperatorClients {
    for name in names {
        let stem = stem_of(name);
        let text = |end: &str| variable(&format!("{stem}_{end}")).filter(|text| !text.is_empty());
        if let Some(id) = text("CLIENT_ID") {
            let secret = text("CLIENT_SECRET").map(SecretText::new);
            let source = Source::Variables(format!("{stem}_CLIENT_ID"));
            clients.insert(name.clone(), OperatorClient { id, secret, source });
        } else if let (Some(client), Some(secret)) = (clients.get_mut(name), text("CLIENT_SECRET")) {
            // The id may stand in a file that many read, and the secret not.
            client.secret = Some(SecretText::new(secret));
        }
    }
    clients
}

/// What is set for clients and comes to nothing: a name that no component knows, a secret without its id. Each is a
/// sentence with its remedy; `variables` are the names of those that are set.
#[must_use]
pub fn unused(file: &OperatorClients, names: &BTreeSet<String>, variables: &BTreeSet<String>) -> Vec<String> {
    let of_file = file.keys().filter(|name| !names.contains(*name)).map(|name| {
        let near = nearest(name, names.iter().map(String::as_str));
        let remedy = near.map_or_else(|| among(names), |near| format!("Did you mean [oauth.{near}]?"));
        format!("[oauth.{name}] is the client of no component. {remedy}")
    });
    let of_variables = variables.iter().filter_map(|variable| {
        let (stem, is_secret) = variable
            .strip_suffix("_CLIENT_ID")
            .map(|stem| (stem, false))
            .or_else(|| variable.strip_suffix("_CLIENT_SECRET").map(|stem| (stem, true)))?;
        let written = stem.strip_prefix("PATCHBAY_OAUTH_")?;
        let Some(name) = names.iter().find(|name| stem_of(name) == stem) else {
            let typed = written.to_ascii_lowercase().replace('_', "-");
            let near = nearest(&typed, names.iter().map(String::as_str));
            let remedy = near.map_or_else(|| among(names), |near| format!("Did you mean {}_…?", stem_of(near)));
            return Some(format!("{variable} is for the client of no component. {remedy}"));
        };
        let has_id = file.contains_key(name) || variables.contains(&format!("{stem}_CLIENT_ID"));
        (is_secret && !has_id).then(|| format!("{variable} is set, and no client id. Set {stem}_CLIENT_ID, too."))
    });
    of_file.chain(of_variables).collect()
}

fn among(names: &BTreeSet<String>) -> String {
    format!("Names are: {}.", names.iter().map(String::as_str).collect::<Vec<_>>().join(", "))
}

/// What the variables of a client begin with.
fn stem_of(name: &str) -> String {
    format!("PATCHBAY_OAUTH_{}", name.to_ascii_uppercase().replace('-', "_"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_environment_stands_over_the_file() {
        let value = toml::toml! {
            [google]
            client_id = "from-file"
            client_secret = "s1"
            [slack]
            client_id = "kept"
        };
        let clients = of_file(Path::new("Leptos.toml"), &toml::Value::Table(value)).expect("clients");
        let variable = |name: &str| match name {
            "PATCHBAY_OAUTH_GOOGLE_CLIENT_ID" => Some("from-environment".to_owned()),
            "PATCHBAY_OAUTH_SLACK_CLIENT_SECRET" => Some("s2".to_owned()),
            "PATCHBAY_OAUTH_MICROSOFT_TEAMS_CLIENT_ID" => Some("hyphen".to_owned()),
            _ => None,
        };
        let names = ["google", "slack", "microsoft-teams"].map(str::to_owned).into();
        let clients = with_variables(clients, &names, &variable);
        let id = |name: &str| clients.get(name).map(|client| client.id.as_str());
        assert_eq!(id("google"), Some("from-environment"));
        assert_eq!(clients["google"].secret, None, "a secret of the file does not belong to another id");
        assert_eq!(clients["slack"].secret, Some(SecretText::new("s2".to_owned())), "beside the file's id");
        assert_eq!((id("slack"), id("microsoft-teams")), (Some("kept"), Some("hyphen")));
    }

    #[test]
    fn what_is_misspelt_is_named() {
        let value = toml::toml! { [google] clientid = "x" };
        let error = of_file(Path::new("x.toml"), &toml::Value::Table(value)).expect_err("refused").to_string();
        assert!(error.contains("oauth.google.clientid"), "{error}");
    }

    #[test]
    fn what_comes_to_nothing_is_told_with_its_remedy() {
        let value = toml::toml! {
            [gogle]
            client_id = "x"
            [slack]
            client_id = "kept"
        };
        let file = of_file(Path::new("x.toml"), &toml::Value::Table(value)).expect("clients");
        let names = ["google", "slack", "microsoft-teams"].map(str::to_owned).into();
        let variables = [
            "PATCHBAY_OAUTH_GOOGLE_CLIENT_SECRET",
            "PATCHBAY_OAUTH_MICROSOFT_TEAM_CLIENT_ID",
            "PATCHBAY_OAUTH_NOWHERE_CLIENT_ID",
            "PATCHBAY_OAUTH_SLACK_CLIENT_SECRET",
        ];
        let told = unused(&file, &names, &variables.map(str::to_owned).into());
        assert_eq!(
            told,
            [
                "[oauth.gogle] is the client of no component. Did you mean [oauth.google]?",
                "PATCHBAY_OAUTH_GOOGLE_CLIENT_SECRET is set, and no client id. Set PATCHBAY_OAUTH_GOOGLE_CLIENT_ID, too.",
                "PATCHBAY_OAUTH_MICROSOFT_TEAM_CLIENT_ID is for the client of no component. Did you mean \
                 PATCHBAY_OAUTH_MICROSOFT_TEAMS_…?",
                "PATCHBAY_OAUTH_NOWHERE_CLIENT_ID is for the client of no component. Names are: google, \
                 microsoft-teams, slack.",
            ]
        );
    }
}
