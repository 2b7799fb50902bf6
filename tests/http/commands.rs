//! The commands of whoever runs a server: what they print, and that nobody has to read it.

use serde_json::{Value, json};
use std::io::pipe;
use std::process::{Command, Output, Stdio};
use std::time::Duration;

use crate::harness::Site;
use patchbay::domain::environment::Environment;

/// What the process ends with where it panicked.
const PANICKED: i32 = 101;

fn command(site: &Site, arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_patchbay"));
    let folder = &site.app.config.data_dir;
    command.args(arguments).env_clear().env("PATCHBAY_DATA_DIR", folder).current_dir(folder).stdin(Stdio::null());
    command
}

/// The end of a pipe that nobody reads.
fn unread() -> Stdio {
    let (reader, writer) = pipe().expect("a pipe");
    drop(reader);
    writer.into()
}

fn text(output: &Output) -> String {
    format!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr))
}

#[tokio::test]
async fn no_command_panics_where_nobody_reads_it() {
    let site = Site::new().await;
    let create = ["api-key", "create", "--name", "ci", "--environment", "staging", "--permission", "read"];
    let commands: [&[&str]; 10] = [
        &["doctor"],
        &create,
        &["api-key", "list"],
        &["api-key", "revoke", "key_none"],
        &["sign-in-link"],
        &["audit", "verify"],
        &["audit", "list", "--since", "2026-11-26"],
        &["component", "check", "none.toml"],
        &["--help"],
        &["no-such-command"],
    ];
    for arguments in commands {
        let half = command(&site, arguments).stdout(unread()).stderr(Stdio::piped()).output().expect("an end");
        assert!(!text(&half).contains("panicked"), "{arguments:?}: {}", text(&half));
        let none = command(&site, arguments).stdout(unread()).stderr(unread()).status().expect("an end");
        assert!(none.code().is_some_and(|code| code != PANICKED), "{arguments:?}: {none}");
    }
}

#[tokio::test]
async fn the_audit_trail_is_printed_a_line_of_json_each() {
    let site = Site::new().await;
    let create = ["api-key", "create", "--name", "ci", "--environment", "staging", "--permission", "read"];
    assert!(command(&site, &create).status().expect("an end").success());
    let printed = command(&site, &["audit", "list", "--limit", "1"]).output().expect("an end");
    assert!(printed.status.success(), "{}", text(&printed));
    let line: Value = serde_json::from_slice(&printed.stdout).expect("one line of JSON");
    assert_eq!((&line["action"], &line["about"]), (&json!("key created"), &json!("ci")), "{line}");
    assert!(line["subject"].as_str().is_some_and(|id| id.starts_with("key_")), "{line}");
    assert!(line["at"].as_str().is_some_and(|at| at.ends_with('Z')), "{line}");
    let before = command(&site, &["audit", "list", "--since", "2999-01-01"]).output().expect("an end");
    assert_eq!(text(&before), "");
}

#[tokio::test]
async fn a_key_made_here_names_no_connection_that_it_cannot_reach() {
    let site = Site::new().await;
    let id = site.connection(Environment::Staging, "Orders").await;
    let make = |environment| {
        let create = ["api-key", "create", "--name", "ci", "--permission", "use", "--connection", &id, "--environment"];
        command(&site, &create).arg(environment).output().expect("an end")
    };
    let refused = make("production");
    assert!(!refused.status.success() && text(&refused).contains(&id), "{}", text(&refused));
    assert!(make("staging").status.success());
}

#[tokio::test]
async fn a_server_that_nobody_watches_serves_all_the_same() {
    let site = Site::new().await;
    let mut serve = command(&site, &["serve"]);
    serve.env("PATCHBAY_ADDRESS", "127.0.0.1:0").stdout(unread()).stderr(unread());
    let mut server = serve.spawn().expect("a server");
    tokio::time::sleep(Duration::from_secs(2)).await;
    let ended = server.try_wait().expect("a state");
    server.kill().expect("killed");
    server.wait().expect("an end");
    assert_eq!(ended, None);
}

#[tokio::test]
async fn the_doctor_looks_at_clock_and_outside_and_blames_nobody_for_being_offline() {
    let site = Site::new().await;
    let well = command(&site, &["doctor"]).output().expect("an end");
    let told = text(&well);
    assert!(well.status.success(), "{told}");
    for part in ["data_dir", "key", "database", "clock", "components", "networks"] {
        assert!(told.contains(part), "{part}: {told}");
    }
    let outside = told.lines().find(|line| line.contains("outside")).expect("a line");
    assert!(outside.contains("api.github.com") && !outside.contains("BAD"), "{outside}");
}

#[tokio::test]
async fn the_doctor_masks_what_is_secret_and_tells_what_fails() {
    let site = Site::new().await;
    let mut doctor = command(&site, &["doctor"]);
    doctor.env("PATCHBAY_DATABASE_URL", "postgres://app:canary-password@127.0.0.1:1/patchbay?password=canary-option");
    doctor.env("PATCHBAY_KEY", "canary-key-canary-key-canary-key-canary-key");
    doctor
        .env("PATCHBAY_OAUTH_GOOGLE_CLIENT_ID", "1234.apps")
        .env("PATCHBAY_OAUTH_GOOGLE_CLIENT_SECRET", "canary-secret");
    doctor.env("PATCHBAY_OAUTH_GOGLE_CLIENT_ID", "5678.apps");
    let unwell = doctor.output().expect("an end");
    let told = text(&unwell);
    assert!(!unwell.status.success() && told.contains("does not open"), "{told}");
    assert!(told.contains("app:***@127.0.0.1") && !told.contains("canary"), "{told}");
    let client = told.lines().find(|line| line.contains("1234.apps")).expect("the client");
    assert!(client.contains("google") && client.contains("Gmail") && client.contains("***"), "{client}");
    assert!(told.contains("Did you mean PATCHBAY_OAUTH_GOOGLE_…?"), "{told}");
}
