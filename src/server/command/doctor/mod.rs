//! `patchbay doctor`: every setting with its source, then what a server needs.

mod clients;
mod reach;

use std::env;
use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;

use super::error::CommandError;
use super::{open, output};
use crate::domain::time::{DAY, MINUTE, Timestamp};
use crate::server::catalog::{Catalog, CatalogError};
use crate::server::clock::Clock;
use crate::server::config::Config;
use crate::server::dial::policy::AllowedNet;
use crate::server::store::Store;

/// The day on which this program was built: a clock before it is wrong.
const BUILT: Timestamp = Timestamp(match i64::from_str_radix(env!("PATCHBAY_BUILD_DAY"), 10) {
    Ok(day) => day * DAY,
    Err(_) => 0,
});
/// 1 January 2100.
const LATEST: Timestamp = Timestamp(47_482 * DAY);
/// By how much the clocks of several servers on one database may differ.
const APART: i64 = 5 * MINUTE;

/// How one check went.
#[derive(Debug)]
enum Finding {
    Good(String),
    /// Works, but should be known.
    Note(String),
    Bad(String),
}

use Finding::{Bad, Good, Note};

/// Prints settings and findings.
///
/// # Errors
/// [`CommandError::Unwell`] with how many checks failed.
pub async fn run(config: &Config) -> Result<(), CommandError> {
    output::line("Settings")?;
    for (key, value, source) in config.lines() {
        output::line(format_args!("  {key:<34} {value}  ({source})"))?;
    }
    output::line("\nChecks")?;
    let now = Clock::system().now();
    let catalog = Catalog::load(config.catalog_dir.as_deref());
    let (database, store) = database(config).await;
    let mut findings = vec![
        ("data folder", data_folder(&config.data_dir)),
        ("key", key(config)),
        ("database", database),
        ("clock", clock(now, newest(store.as_ref()).await)),
        ("components", components(catalog.as_ref())),
        ("networks", networks(config)),
    ];
    let clients = catalog
        .as_ref()
        .map(|catalog| clients::clients(config, catalog, &|name| env::var(name).ok(), &open::variables()));
    findings.extend(clients.into_iter().flatten().map(|finding| ("OAuth clients", finding)));
    for (name, finding) in &findings {
        tell(name, finding)?;
    }
    // Last, for it takes its time where nothing answers.
    for finding in outside(config, store.as_ref(), catalog.ok().as_ref(), now).await {
        tell("outside", &finding)?;
        findings.push(("outside", finding));
    }
    let bad = findings.iter().filter(|(_, finding)| matches!(finding, Bad(_))).count();
    if bad == 0 { Ok(()) } else { Err(CommandError::Unwell(bad)) }
}

fn tell(name: &str, finding: &Finding) -> Result<(), CommandError> {
    let (mark, text) = match finding {
        Good(text) => ("ok  ", text),
        Note(text) => ("note", text),
        Bad(text) => ("BAD ", text),
    };
    output::line(format_args!("  {mark}  {name:<15}{text}"))
}

/// What others than the owner may do, as permission bits; `None` where there is nothing at the path.
fn open_to_others(path: &Path) -> Option<u32> {
    fs::metadata(path).ok().map(|data| data.permissions().mode() & 0o077)
}

fn data_folder(path: &Path) -> Finding {
    match open_to_others(path) {
        None => Note(format!("{} is made at the first start", path.display())),
        Some(0) => Good(path.display().to_string()),
        Some(_) => Note(format!("others may look into it. Close it: chmod 700 {}", path.display())),
    }
}

fn key(config: &Config) -> Finding {
    if config.key.is_some() {
        return Good("taken from PATCHBAY_KEY".to_owned());
    }
    let path = &config.key_file;
    match open_to_others(path) {
        None => Note(format!("{} is made at the first start, unless something is sealed already", path.display())),
        Some(0) if path.starts_with(&config.data_dir) => {
            Note(format!("{} lies beside what it seals. Move it and set key_file, or use PATCHBAY_KEY", path.display()))
        }
        Some(0) => Good(path.display().to_string()),
        Some(_) => Bad(format!("others may read it. Close it: chmod 600 {}", path.display())),
    }
}

/// The database, and what reads it where it opens.
async fn database(config: &Config) -> (Finding, Option<Store>) {
    let place = config.database();
    let store = match open::existing(config).await {
        Ok(store) => store,
        Err(CommandError::NoDatabase(_)) => return (Note(format!("{place} is made at the first start")), None),
        Err(CommandError::OldDatabase(_)) => {
            return (Note(format!("{place} is brought up to date at the next start")), None);
        }
        Err(_) => return (Bad(format!("{place} does not open")), None),
    };
    match store.ready().await {
        Ok(()) => (Good(place), Some(store)),
        Err(error) => (Bad(format!("{place}: {error}")), None),
    }
}

/// The newest moment that the database knows.
async fn newest(store: Option<&Store>) -> Option<Timestamp> {
    store?.newest_moment().await.ok().flatten()
}

fn clock(now: Timestamp, newest: Option<Timestamp>) -> Finding {
    let text = now.to_rfc3339();
    match newest {
        _ if now < BUILT => {
            Bad(format!("{text} is before this program was built, on {}; set the clock", BUILT.to_day()))
        }
        _ if now >= LATEST => Bad(format!("{text} cannot be right; set the clock")),
        Some(newest) if newest.since(now) > APART => Bad(format!(
            "{text} is before the database was last written, at {}; set the clock here, or where that was done",
            newest.to_rfc3339()
        )),
        _ => Good(text),
    }
}

fn components(catalog: Result<&Catalog, &CatalogError>) -> Finding {
    match catalog {
        Ok(catalog) => Good(format!("{} known", catalog.forms().len())),
        Err(error) => Bad(error.to_string()),
    }
}

/// Whether what the components in use ask can be reached.
async fn outside(config: &Config, store: Option<&Store>, catalog: Option<&Catalog>, now: Timestamp) -> Vec<Finding> {
    // A wrong network is told above.
    let Ok(dialer) = open::dialer(config) else { return Vec::new() };
    let used = match store {
        Some(store) => store.components_in_use().await.unwrap_or_default(),
        None => Vec::new(),
    };
    let hosts = reach::hosts(used.iter().filter_map(|slug| catalog?.get(slug)));
    reach::ask(&dialer, &hosts, now).await
}

fn networks(config: &Config) -> Finding {
    let wrong = config.allow_nets.iter().find_map(|text| text.parse::<AllowedNet>().err());
    match (wrong, config.local()) {
        (Some(error), _) => Bad(error.to_string()),
        (None, true) => Good("for this machine's user only: checks may reach it and private networks".to_owned()),
        (None, false) if config.address.ip().is_loopback() && config.allow_nets.is_empty() => Note(format!(
            "opened from elsewhere, at {}: checks reach public addresses only. Name others in allow_nets, or, if only \
             this machine's user opens it, set public_url to a loopback address",
            config.public_url.origin()
        )),
        (None, false) if config.allow_nets.is_empty() => Good("checks reach public addresses only".to_owned()),
        (None, false) => Good("checks reach public addresses and those of allow_nets".to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_server_behind_a_proxy_is_told_what_its_checks_reach() {
        let with = |variables: &'static [(&str, &str)]| {
            let variable = move |name: &str| match name {
                "HOME" => Some("/h".to_owned()),
                _ => variables.iter().find(|(key, _)| *key == name).map(|(_, value)| (*value).to_owned()),
            };
            networks(&Config::read(None, &variable).expect("settings"))
        };
        let Good(here) = with(&[]) else { panic!("local") };
        assert!(here.contains("this machine's user"), "{here}");
        let Note(behind) = with(&[("PATCHBAY_PUBLIC_URL", "https://patchbay.example.com")]) else { panic!("a note") };
        assert!(behind.contains("allow_nets") && behind.contains("https://patchbay.example.com"), "{behind}");
    }

    #[test]
    fn a_clock_before_what_has_happened_is_told() {
        assert_eq!(LATEST.to_day(), "1 Jan 2100");
        assert!(BUILT > Timestamp(20_089 * DAY), "built in 2025 or later");
        let told = |now, newest| match clock(now, newest) {
            Bad(text) => text,
            other => panic!("{other:?}"),
        };
        assert!(told(BUILT.plus(-1), None).contains("before this program was built"));
        assert!(told(LATEST, None).contains("cannot be right"));
        let (now, tomorrow) = (BUILT.plus(DAY), BUILT.plus(2 * DAY));
        assert!(told(now, Some(tomorrow)).contains(&tomorrow.to_rfc3339()));
        assert!(matches!(clock(now, Some(now.plus(APART))), Good(_)), "clocks differ a little");
        assert!(matches!(clock(now, None), Good(_)));
    }
}
