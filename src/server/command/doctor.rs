//! `patchbay doctor`: every setting with its source, then what a server needs.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;

use super::error::CommandError;
use super::open;
use crate::domain::time::{DAY, Timestamp};
use crate::server::catalog::Catalog;
use crate::server::clock::Clock;
use crate::server::config::Config;
use crate::server::dial::policy::AllowedNet;

/// 1 January 2025: a clock before it is wrong.
const EARLIEST: Timestamp = Timestamp(20_089 * DAY);
/// 1 January 2100.
const LATEST: Timestamp = Timestamp(47_482 * DAY);

/// How one check went.
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
    println!("Settings");
    for (key, value, source) in config.lines() {
        println!("  {key:<26}{value}  ({source})");
    }
    let findings = [
        ("data folder", data_folder(&config.data_dir)),
        ("key", key(config)),
        ("database", database(config).await),
        ("clock", clock(Clock::system().now())),
        ("components", components(config)),
        ("networks", networks(config)),
    ];
    println!("\nChecks");
    for (name, finding) in &findings {
        let (mark, text) = match finding {
            Good(text) => ("ok  ", text),
            Note(text) => ("note", text),
            Bad(text) => ("BAD ", text),
        };
        println!("  {mark}  {name:<14}{text}");
    }
    let bad = findings.iter().filter(|(_, finding)| matches!(finding, Bad(_))).count();
    if bad == 0 { Ok(()) } else { Err(CommandError::Unwell(bad)) }
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

async fn database(config: &Config) -> Finding {
    let place = config.database();
    let store = match open::existing(config).await {
        Ok(store) => store,
        Err(CommandError::NoDatabase(_)) => return Note(format!("{place} is made at the first start")),
        Err(CommandError::OldDatabase(_)) => return Note(format!("{place} is brought up to date at the next start")),
        Err(_) => return Bad(format!("{place} does not open")),
    };
    match store.ready().await {
        Ok(()) => Good(place),
        Err(error) => Bad(format!("{place}: {error}")),
    }
}

fn clock(now: Timestamp) -> Finding {
    let text = now.to_rfc3339();
    if (EARLIEST..LATEST).contains(&now) { Good(text) } else { Bad(format!("{text} cannot be right; set the clock")) }
}

fn components(config: &Config) -> Finding {
    match Catalog::load(config.catalog_dir.as_deref()) {
        Ok(catalog) => Good(format!("{} known", catalog.forms().len())),
        Err(error) => Bad(error.to_string()),
    }
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
    fn a_clock_out_of_its_century_is_told() {
        assert_eq!(EARLIEST.to_day(), "1 Jan 2025");
        assert_eq!(LATEST.to_day(), "1 Jan 2100");
        assert!(matches!(clock(Timestamp(0)), Bad(_)));
        assert!(matches!(clock(EARLIEST), Good(_)));
    }
}
