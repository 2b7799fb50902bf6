//! What the operator chose, parsed once at start.
//!
//! `Leptos.toml` where it exists, `PATCHBAY_*` over it, defaults beneath. Every value knows its source.

mod clients;
mod public_url;
mod settings;

pub use clients::{OperatorClient, OperatorClients};
pub use public_url::PublicUrl;
pub use settings::{ConfigError, SETTINGS, Setting, Source, Texts};

use percent_encoding::{AsciiSet, CONTROLS, percent_decode_str, utf8_percent_encode};
use std::collections::BTreeSet;
use std::net::{Ipv4Addr, SocketAddr};
use std::path::{Path, PathBuf};
use std::time::Duration;

use crate::domain::time::DAY;
use crate::server::store::NOTICE;
use crate::server::vault::{KeySource, SecretText};

/// The file read where `--config` names none.
pub const FILE_NAME: &str = "Leptos.toml";

const DEFAULT_PORT: u16 = 3000;
const DEFAULT_LOG: &str = "warn,patchbay=info";

/// The settings, typed.
#[derive(Clone, Debug)]
pub struct Config {
    pub address: SocketAddr,
    pub public_url: PublicUrl,
    /// May hold a password.
    pub database_url: SecretText,
    pub data_dir: PathBuf,
    pub catalog_dir: Option<PathBuf>,
    pub key_file: PathBuf,
    /// `PATCHBAY_KEY`: the key itself, in place of the file.
    pub key: Option<SecretText>,
    /// Where renewed tokens are noted until the database has them.
    pub journal_dir: Option<PathBuf>,
    /// As written; the dialer's policy parses them.
    pub allow_nets: Vec<String>,
    /// How long before its end a credential's expiry is told, in milliseconds.
    pub expiry_notice: i64,
    pub log: String,
    pub limits: Limits,
    /// Plain http away from loopback was asked for by name.
    pub insecure_http: bool,
    texts: Texts,
}

/// What one server takes on at once.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    pub requests_at_once: usize,
    /// Until an answer must have begun.
    pub request: Duration,
    /// Bytes.
    pub page_body: usize,
    /// Bytes.
    pub api_body: usize,
    pub runtime: RuntimeLimits,
}

/// What runtimes may take.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RuntimeLimits {
    /// Credentials and proxied requests that one API key may ask for in a second.
    pub key_rate: u32,
    /// Proxied requests of one API key under way at the same time.
    pub proxied_at_once: usize,
    /// Bytes of a proxied request, and of its answer.
    pub proxied_body: u64,
    /// How long a proxied service may say nothing.
    pub proxied_pause: Duration,
}

impl Default for RuntimeLimits {
    fn default() -> Self {
        Self { key_rate: 500, proxied_at_once: 64, proxied_body: 100 << 20, proxied_pause: Duration::from_secs(25) }
    }
}

impl Config {
    /// Reads the settings: `file` where given, else [`FILE_NAME`] in the current folder where it exists.
    ///
    /// # Errors
    /// The first setting that cannot be used, with its source and the remedy.
    pub fn read(file: Option<&Path>, variable: &dyn Fn(&str) -> Option<String>) -> Result<Self, ConfigError> {
        let found = Path::new(FILE_NAME);
        let file = file.or_else(|| found.is_file().then_some(found));
        Self::of_texts(Texts::read(file, variable)?, variable)
    }

    fn of_texts(texts: Texts, variable: &dyn Fn(&str) -> Option<String>) -> Result<Self, ConfigError> {
        let address = texts.parse("address", SocketAddr::from((Ipv4Addr::LOCALHOST, DEFAULT_PORT)), |text| {
            text.parse().map_err(|_| "give an IP address and a port, such as 127.0.0.1:3000".to_owned())
        })?;
        let public_url = texts.parse("public_url", PublicUrl::of_address(address), PublicUrl::parse)?;
        let data_dir = data_folder(&texts, variable)?;
        let insecure_http = variable("PATCHBAY_INSECURE_HTTP").is_some_and(|text| text == "1");
        let config = Self {
            database_url: database_url(&texts, &data_dir)?,
            catalog_dir: texts.parse("catalog_dir", None, |text| Ok(Some(PathBuf::from(text))))?,
            key_file: texts.parse("key_file", data_dir.join("patchbay.key"), absolute)?,
            key: variable("PATCHBAY_KEY").filter(|text| !text.is_empty()).map(SecretText::new),
            journal_dir: texts.parse("journal_dir", None, |text| absolute(text).map(Some))?,
            allow_nets: texts.parse("allow_nets", Vec::new(), |text| Ok(list(text)))?,
            expiry_notice: texts.parse("expiry_notice_days", NOTICE, |text| {
                number(text, 0, 365).map(|days| i64::try_from(days).unwrap_or_default() * DAY)
            })?,
            log: texts.parse("log", DEFAULT_LOG.to_owned(), |text| Ok(text.to_owned()))?,
            limits: limits(&texts)?,
            address,
            public_url,
            data_dir,
            insecure_http,
            texts,
        };
        config.check_transport()?;
        Ok(config)
    }

    /// Cookies and secrets would cross the network readable by all.
    fn check_transport(&self) -> Result<(), ConfigError> {
        let stays_here = self.public_url.loopback() && self.address.ip().is_loopback();
        if self.public_url.https() || stays_here || self.insecure_http {
            return Ok(());
        }
        let key = if self.texts.source("public_url") == Source::Default { "address" } else { "public_url" };
        let problem = "plain http away from this machine would send sessions and secrets readable by all. Set public_url \
                       to the https:// address of the proxy in front, or PATCHBAY_INSECURE_HTTP=1 to accept it";
        Err(self.texts.invalid(key, problem.to_owned()))
    }

    /// Whoever uses the server sits at its machine: no proxy here hands on what comes from elsewhere.
    #[must_use]
    pub fn local(&self) -> bool {
        self.address.ip().is_loopback() && self.public_url.loopback()
    }

    /// Where the database is, as people may see it.
    #[must_use]
    pub fn database(&self) -> String {
        let file = self.sqlite_file().map(|file| file.display().to_string());
        file.unwrap_or_else(|| masked(self.database_url.reveal()))
    }

    /// The database's file, where it is one.
    #[must_use]
    pub fn sqlite_file(&self) -> Option<PathBuf> {
        let path = self.database_url.reveal().strip_prefix("sqlite://")?.split('?').next()?;
        Some(PathBuf::from(percent_decode_str(path).decode_utf8().ok()?.as_ref()))
    }

    /// The key itself, or the file that holds it.
    #[must_use]
    pub fn key_source(&self) -> KeySource {
        KeySource { inline: self.key.clone(), file: self.key_file.clone() }
    }

    /// Where the key is, as people may see it.
    #[must_use]
    pub fn key_place(&self) -> String {
        if self.key.is_some() { "PATCHBAY_KEY".to_owned() } else { self.key_file.display().to_string() }
    }

    /// The same for the sample workspace: a data folder, database and key of its own.
    #[must_use]
    pub fn for_demo(mut self) -> Self {
        let mut folder = self.data_dir.into_os_string();
        folder.push("-demo");
        self.data_dir = PathBuf::from(folder);
        self.database_url = SecretText::new(sqlite_url(&self.data_dir));
        self.key_file = self.data_dir.join("patchbay.key");
        self.key = None;
        self
    }

    /// The same on another port of the same address.
    #[must_use]
    pub fn on_port(mut self, port: u16) -> Self {
        self.address.set_port(port);
        if self.texts.source("public_url") == Source::Default {
            self.public_url = PublicUrl::of_address(self.address);
        }
        self
    }

    /// The operator's OAuth clients, for the names that the catalog knows.
    #[must_use]
    pub fn oauth_clients(
        &self,
        names: &BTreeSet<String>,
        variable: &dyn Fn(&str) -> Option<String>,
    ) -> OperatorClients {
        clients::with_variables(self.texts.clients.clone(), names, variable)
    }

    /// What is set for OAuth clients and comes to nothing, each as a sentence with its remedy; `variables` are the names
    /// of those that are set.
    #[must_use]
    pub fn unused_oauth_clients(&self, names: &BTreeSet<String>, variables: &BTreeSet<String>) -> Vec<String> {
        clients::unused(&self.texts.clients, names, variables)
    }

    /// Every setting as people may see it: key, value, source.
    #[must_use]
    pub fn lines(&self) -> Vec<(&'static str, String, Source)> {
        SETTINGS.iter().map(|setting| (setting.key, self.shown(setting.key), self.texts.source(setting.key))).collect()
    }

    fn shown(&self, key: &str) -> String {
        match key {
            "address" => self.address.to_string(),
            "public_url" => self.public_url.join("/"),
            "database_url" => masked(self.database_url.reveal()),
            "data_dir" => self.data_dir.display().to_string(),
            "catalog_dir" => {
                self.catalog_dir.as_ref().map_or_else(|| "none".to_owned(), |path| path.display().to_string())
            }
            "key_file" => self.key_file.display().to_string(),
            "journal_dir" => {
                self.journal_dir.as_ref().map_or_else(|| "none".to_owned(), |path| path.display().to_string())
            }
            "allow_nets" if self.allow_nets.is_empty() => "none".to_owned(),
            "allow_nets" => self.allow_nets.join(", "),
            "expiry_notice_days" => (self.expiry_notice / DAY).to_string(),
            "log" => self.log.clone(),
            "limits.requests_at_once" => self.limits.requests_at_once.to_string(),
            "limits.request_seconds" => self.limits.request.as_secs().to_string(),
            "limits.page_body_kib" => (self.limits.page_body / 1024).to_string(),
            "limits.api_body_kib" => (self.limits.api_body / 1024).to_string(),
            "limits.key_requests_per_second" => self.limits.runtime.key_rate.to_string(),
            "limits.proxied_at_once" => self.limits.runtime.proxied_at_once.to_string(),
            "limits.proxied_body_mib" => (self.limits.runtime.proxied_body >> 20).to_string(),
            "limits.proxied_pause_seconds" => self.limits.runtime.proxied_pause.as_secs().to_string(),
            _ => String::new(),
        }
    }
}

fn data_folder(texts: &Texts, variable: &dyn Fn(&str) -> Option<String>) -> Result<PathBuf, ConfigError> {
    if let Some(text) = texts.get("data_dir") {
        return absolute(text).map_err(|problem| texts.invalid("data_dir", problem));
    }
    let folder = |name: &str| variable(name).map(PathBuf::from).filter(|path| path.is_absolute());
    let base = folder("XDG_DATA_HOME").or_else(|| folder("HOME").map(|home| home.join(".local/share")));
    base.map(|base| base.join("patchbay")).ok_or(ConfigError::NoDataFolder)
}

fn database_url(texts: &Texts, data_dir: &Path) -> Result<SecretText, ConfigError> {
    let default = SecretText::new(sqlite_url(data_dir));
    texts.parse("database_url", default, |text| {
        let known = ["postgres://", "postgresql://", "sqlite:"].iter().any(|scheme| text.starts_with(scheme));
        if known {
            Ok(SecretText::new(text.to_owned()))
        } else {
            Err("the URL begins with postgres:// or sqlite:".to_owned())
        }
    })
}

/// What would end the path of a URL, or escape a part of it.
const PATH_ENDS: &AsciiSet = &CONTROLS.add(b'%').add(b'?').add(b'#');

fn sqlite_url(data_dir: &Path) -> String {
    let path = data_dir.join("patchbay.db").display().to_string();
    format!("sqlite://{}", utf8_percent_encode(&path, PATH_ENDS))
}

fn limits(texts: &Texts) -> Result<Limits, ConfigError> {
    Ok(Limits {
        requests_at_once: texts.parse("limits.requests_at_once", 512, |text| number(text, 1, 100_000))?,
        request: texts
            .parse("limits.request_seconds", 30, |text| number(text, 1, 600))
            .map(|seconds| Duration::from_secs(seconds as u64))?,
        page_body: texts.parse("limits.page_body_kib", 256, |text| number(text, 16, 65_536))? * 1024,
        api_body: texts.parse("limits.api_body_kib", 1024, |text| number(text, 16, 65_536))? * 1024,
        runtime: runtime_limits(texts)?,
    })
}

fn runtime_limits(texts: &Texts) -> Result<RuntimeLimits, ConfigError> {
    let default = RuntimeLimits::default();
    let rate = texts.parse("limits.key_requests_per_second", 0, |text| number(text, 1, 1_000_000))?;
    let at_once = texts.parse("limits.proxied_at_once", default.proxied_at_once, |text| number(text, 1, 100_000))?;
    let body = texts.parse("limits.proxied_body_mib", 0, |text| number(text, 1, 1_048_576))?;
    let pause = texts.parse("limits.proxied_pause_seconds", 0, |text| number(text, 1, 600))?;
    Ok(RuntimeLimits {
        key_rate: u32::try_from(rate).ok().filter(|rate| *rate > 0).unwrap_or(default.key_rate),
        proxied_at_once: at_once,
        proxied_body: if body > 0 { (body as u64) << 20 } else { default.proxied_body },
        proxied_pause: if pause > 0 { Duration::from_secs(pause as u64) } else { default.proxied_pause },
    })
}

fn number(text: &str, least: usize, most: usize) -> Result<usize, String> {
    let in_range = text.parse().ok().filter(|number| (least..=most).contains(number));
    in_range.ok_or_else(|| format!("give a number from {least} to {most}"))
}

fn absolute(text: &str) -> Result<PathBuf, String> {
    let path = PathBuf::from(text);
    if path.is_absolute() {
        Ok(path)
    } else {
        Err("give an absolute path, so that it never depends on the current folder".to_owned())
    }
}

fn list(text: &str) -> Vec<String> {
    text.split(',').map(str::trim).filter(|item| !item.is_empty()).map(str::to_owned).collect()
}

/// A database URL without its password and its options, which may hold one.
fn masked(text: &str) -> String {
    let Ok(mut url) = url::Url::parse(text) else { return "***".to_owned() };
    if url.password().is_some() && url.set_password(Some("***")).is_err() {
        return "***".to_owned();
    }
    url.set_query(None);
    url.to_string()
}

#[cfg(test)]
#[path = "config_tests.rs"]
mod tests;
