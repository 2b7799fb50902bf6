//! The operator's OAuth clients: `[oauth.NAME]` in the file, `PATCHBAY_OAUTH_NAME_CLIENT_ID` and `…_CLIENT_SECRET` over
//! it. NAME is what a component's file names its client by: `google` serves Gmail, Drive, Sheets and Calendar.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use super::settings::{ConfigError, Source};
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
        let stem = format!("PATCHBAY_OAUTH_{}", name.to_ascii_uppercase().replace('-', "_"));
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
}
