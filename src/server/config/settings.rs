//! Every setting there is, and where its text came from: default, `Leptos.toml` or the environment.

use std::collections::BTreeMap;
use std::fmt;
use std::path::{Path, PathBuf};

use super::clients::{self, OperatorClients};

/// One setting: its key in the file, the variable that overrides it, and what it means.
pub struct Setting {
    pub key: &'static str,
    pub variable: &'static str,
    pub meaning: &'static str,
}

const fn setting(key: &'static str, variable: &'static str, meaning: &'static str) -> Setting {
    Setting { key, variable, meaning }
}

pub const SETTINGS: [Setting; 18] = [
    setting("address", "PATCHBAY_ADDRESS", "IP address and port to listen on"),
    setting("public_url", "PATCHBAY_PUBLIC_URL", "the URL people open; its path is the path everything lives under"),
    setting(
        "database_url",
        "PATCHBAY_DATABASE_URL",
        "postgres://… for several replicas; SQLite in the data folder otherwise",
    ),
    setting("data_dir", "PATCHBAY_DATA_DIR", "absolute folder of the database and, unless moved, the key"),
    setting("catalog_dir", "PATCHBAY_CATALOG_DIR", "folder of components of your own"),
    setting("key_file", "PATCHBAY_KEY_FILE", "file that holds the encryption key; PATCHBAY_KEY holds the key itself"),
    setting(
        "journal_dir",
        "PATCHBAY_JOURNAL_DIR",
        "absolute folder where renewed tokens are noted, sealed, until the database has them",
    ),
    setting("allow_nets", "PATCHBAY_ALLOW_NETS", "networks a check may reach besides public ones, such as 10.0.0.0/8"),
    setting(
        "expiry_notice_days",
        "PATCHBAY_EXPIRY_NOTICE_DAYS",
        "days before a credential ends at which its expiry is told as an event",
    ),
    setting("log", "PATCHBAY_LOG", "what is logged, such as info or patchbay=debug"),
    setting("limits.requests_at_once", "PATCHBAY_LIMITS_REQUESTS_AT_ONCE", "requests worked on at the same time"),
    setting("limits.request_seconds", "PATCHBAY_LIMITS_REQUEST_SECONDS", "seconds until an answer must have begun"),
    setting("limits.page_body_kib", "PATCHBAY_LIMITS_PAGE_BODY_KIB", "largest request of a page, in KiB"),
    setting("limits.api_body_kib", "PATCHBAY_LIMITS_API_BODY_KIB", "largest request to the REST API, in KiB"),
    setting(
        "limits.key_requests_per_second",
        "PATCHBAY_LIMITS_KEY_REQUESTS_PER_SECOND",
        "credentials and proxied requests that one API key may ask for in a second",
    ),
    setting(
        "limits.proxied_at_once",
        "PATCHBAY_LIMITS_PROXIED_AT_ONCE",
        "proxied requests of one API key under way at the same time",
    ),
    setting(
        "limits.proxied_body_mib",
        "PATCHBAY_LIMITS_PROXIED_BODY_MIB",
        "largest proxied request, and largest answer to one, in MiB",
    ),
    setting(
        "limits.proxied_pause_seconds",
        "PATCHBAY_LIMITS_PROXIED_PAUSE_SECONDS",
        "seconds that a service may say nothing to a proxied request",
    ),
];

/// Where a setting's text came from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Source {
    Default,
    File(PathBuf),
    Variable(&'static str),
    /// Variables whose names are made from another name.
    Variables(String),
}

impl fmt::Display for Source {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Default => f.write_str("default"),
            Self::File(path) => write!(f, "{}", path.display()),
            Self::Variable(name) => f.write_str(name),
            Self::Variables(name) => f.write_str(name),
        }
    }
}

/// Why the settings cannot be used.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ConfigError {
    #[error("{} cannot be read. Check that it exists and that this user may read it.", .0.display())]
    Unreadable(PathBuf),
    #[error("{}, line {line}: {problem}", .path.display())]
    NotToml { path: PathBuf, line: usize, problem: String },
    #[error("{}: there is no setting `{key}`.{hint}", .path.display())]
    UnknownKey { path: PathBuf, key: String, hint: String },
    #[error("{key} (from {source_of_value}): {problem}")]
    Invalid { key: &'static str, source_of_value: Source, problem: String },
    #[error(
        "No folder for the data: neither XDG_DATA_HOME nor HOME is set. Set PATCHBAY_DATA_DIR to an absolute path."
    )]
    NoDataFolder,
}

/// The texts of all settings that somebody set.
#[derive(Clone, Debug, Default)]
pub struct Texts {
    settings: BTreeMap<&'static str, (String, Source)>,
    /// Of the file.
    pub(super) clients: OperatorClients,
}

impl Texts {
    /// Reads the file, where there is one, then the environment over it.
    ///
    /// # Errors
    /// An unreadable or malformed file, or a key that is no setting.
    pub fn read(file: Option<&Path>, variable: &dyn Fn(&str) -> Option<String>) -> Result<Self, ConfigError> {
        let mut texts = Self::default();
        if let Some(path) = file {
            let content = std::fs::read_to_string(path).map_err(|_| ConfigError::Unreadable(path.to_owned()))?;
            texts.add_file(path, &content)?;
        }
        for setting in &SETTINGS {
            if let Some(text) = variable(setting.variable).filter(|text| !text.is_empty()) {
                texts.settings.insert(setting.key, (text, Source::Variable(setting.variable)));
            }
        }
        Ok(texts)
    }

    fn add_file(&mut self, path: &Path, content: &str) -> Result<(), ConfigError> {
        let table: toml::Table = content.parse().map_err(|error: toml::de::Error| ConfigError::NotToml {
            path: path.to_owned(),
            line: error.span().map_or(1, |span| content[..span.start].lines().count().max(1)),
            problem: error.message().to_owned(),
        })?;
        for (key, value) in table {
            match (key.as_str(), value) {
                // leptos' own section, which leptos_config reads.
                ("package", _) => {}
                ("limits", toml::Value::Table(limits)) => {
                    for (key, value) in limits {
                        self.add(path, &format!("limits.{key}"), &value)?;
                    }
                }
                ("oauth", value) => self.clients = clients::of_file(path, &value)?,
                (key, value) => self.add(path, key, &value)?,
            }
        }
        Ok(())
    }

    fn add(&mut self, path: &Path, key: &str, value: &toml::Value) -> Result<(), ConfigError> {
        let setting = SETTINGS.iter().find(|setting| setting.key == key).ok_or_else(|| ConfigError::UnknownKey {
            path: path.to_owned(),
            key: key.to_owned(),
            hint: nearest(key, SETTINGS.iter().map(|setting| setting.key))
                .map_or_else(String::new, |near| format!(" Did you mean `{near}`?")),
        })?;
        self.settings.insert(setting.key, (as_text(value), Source::File(path.to_owned())));
        Ok(())
    }

    #[must_use]
    pub fn get(&self, key: &'static str) -> Option<&str> {
        self.settings.get(key).map(|(text, _)| text.as_str())
    }

    #[must_use]
    pub fn source(&self, key: &'static str) -> Source {
        self.settings.get(key).map_or(Source::Default, |(_, source)| source.clone())
    }

    /// One setting's value, or the default where nobody set it.
    ///
    /// # Errors
    /// [`ConfigError::Invalid`] with the problem that `parse` names.
    pub fn parse<T>(
        &self,
        key: &'static str,
        default: T,
        parse: impl FnOnce(&str) -> Result<T, String>,
    ) -> Result<T, ConfigError> {
        self.get(key).map_or(Ok(default), parse_with(parse)).map_err(|problem| self.invalid(key, problem))
    }

    #[must_use]
    pub fn invalid(&self, key: &'static str, problem: String) -> ConfigError {
        ConfigError::Invalid { key, source_of_value: self.source(key), problem }
    }
}

fn parse_with<T>(parse: impl FnOnce(&str) -> Result<T, String>) -> impl FnOnce(&str) -> Result<T, String> {
    move |text| parse(text.trim())
}

/// Lists become commas, as in the environment.
fn as_text(value: &toml::Value) -> String {
    match value {
        toml::Value::String(text) => text.clone(),
        toml::Value::Array(items) => items.iter().map(as_text).collect::<Vec<_>>().join(","),
        other => other.to_string(),
    }
}

/// The name that is at most two edits away.
pub(super) fn nearest<'a>(text: &str, names: impl Iterator<Item = &'a str>) -> Option<&'a str> {
    names.map(|name| (edits(text, name), name)).filter(|(distance, _)| *distance <= 2).min().map(|(_, name)| name)
}

/// Levenshtein's distance.
fn edits(a: &str, b: &str) -> usize {
    let b: Vec<char> = b.chars().collect();
    let mut row: Vec<usize> = (0..=b.len()).collect();
    for (i, x) in a.chars().enumerate() {
        let mut diagonal = row[0];
        row[0] = i + 1;
        for (j, y) in b.iter().enumerate() {
            let replaced = diagonal + usize::from(x != *y);
            diagonal = row[j + 1];
            row[j + 1] = replaced.min(row[j] + 1).min(diagonal + 1);
        }
    }
    row[b.len()]
}
