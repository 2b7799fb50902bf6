//! `patchbay serve` and `patchbay demo`.

use std::io;
use std::sync::Arc;
use std::time::Duration;
use tokio::net::TcpListener;
use tokio::signal::unix::{SignalKind, signal};
use tokio::time::timeout;

use super::Demo;
use super::error::CommandError;
use super::{open, output};
use crate::server::config::Config;
use crate::server::http::listen::{self, Bounds};
use crate::server::http::{AppState, assets, router, sign_in};
use crate::server::service::{Means, Services};
use crate::server::{demo as sample, jobs};

/// How long the end waits for what is under way, such as the answer of a provider that gives tokens only once: longer than
/// a conversation with one.
const LAST_DEEDS: Duration = Duration::from_secs(20);
/// How long the end waits for what is still being noted.
const LAST_NOTES: Duration = Duration::from_secs(2);

/// Serves a sample workspace, kept apart from everything else.
///
/// # Errors
/// As [`run`].
pub async fn demo(config: Config, demo: &Demo) -> Result<(), CommandError> {
    let config = config.for_demo();
    let config = match demo.port {
        Some(port) => config.on_port(port),
        None => config,
    };
    run(config, Some(demo.connections as usize)).await
}

/// Serves until the process is told to end. With a number, the workspace is a sample with so many connections.
///
/// # Errors
/// Whatever keeps the server from starting.
pub async fn run(config: Config, sample_size: Option<usize>) -> Result<(), CommandError> {
    let listener = bind(&config).await?;
    // Port 0 asks the operating system for a free one.
    let port = listener.local_addr().map_or(config.address.port(), |address| address.port());
    let config = config.on_port(port);
    let services = open::services(&config, sample_size.is_some()).await?;
    if let Some(count) = sample_size {
        open::owner(&services.store, &services.clock, &services.random).await?;
        sample::fill(&services, count).await?;
    }
    // A server that nobody watches serves all the same.
    let _ = output::line(welcome(&config, &services).await?);
    let jobs = jobs::start(&services);
    let watches = services.watches.clone();
    let app = AppState { services: services.clone(), config: Arc::new(config) };
    let end = async move {
        told_to_end().await;
        watches.end();
    };
    listen::serve(listener, router(&app), Bounds::of_this_process(), end).await;
    drop(jobs);
    if timeout(LAST_DEEDS, services.finished()).await.is_err() {
        tracing::warn!("something under way did not end in time: an answer of a provider may be lost");
    }
    if timeout(LAST_NOTES, services.noted()).await.is_err() {
        tracing::warn!("some uses of sessions and keys were not noted");
    }
    Ok(())
}

async fn bind(config: &Config) -> Result<TcpListener, CommandError> {
    TcpListener::bind(config.address).await.map_err(|error| match error.kind() {
        io::ErrorKind::AddrInUse => CommandError::PortTaken(config.address),
        reason => CommandError::Listen { address: config.address, reason },
    })
}

/// SIGTERM or SIGINT. Where no handler can be installed, the signals end the process by themselves.
async fn told_to_end() {
    let (Ok(mut terminate), Ok(mut interrupt)) = (signal(SignalKind::terminate()), signal(SignalKind::interrupt()))
    else {
        return std::future::pending().await;
    };
    tokio::select! {
        _ = terminate.recv() => {}
        _ = interrupt.recv() => {}
    }
    tracing::info!("ending");
}

/// What a person needs to begin.
async fn welcome(config: &Config, services: &Services) -> Result<String, CommandError> {
    let Means { store, clock, random, .. } = &**services;
    let owner = open::owner(store, clock, random).await?;
    let kind = if services.setting.demo { " (sample workspace)" } else { "" };
    let mut lines = vec![format!("\nPatchbay {}{kind} is ready.\n", env!("CARGO_PKG_VERSION"))];
    // The command looks in the usual place, where no sample workspace is: that one prints a link with every start.
    if store.any_session(clock.now()).await? && !services.setting.demo {
        lines.push(format!("  Open     {}", config.public_url.join("/")));
        lines.push("           signed out? `patchbay sign-in-link` prints a link that signs you in".to_owned());
    } else {
        let link = sign_in::new_link(store, clock, random, &config.public_url, &owner).await?;
        lines.push(format!("  Sign in  {link}"));
        let again = if services.setting.demo { "start it again" } else { "`patchbay sign-in-link`" };
        lines.push(format!("           works once, within 15 minutes; another: {again}"));
    }
    lines.push(format!("  Data     {}", config.database()));
    lines.push(format!("  Key      {}", config.key_place()));
    if let Some(tunnel) = tunnel(config, &|name| std::env::var(name).ok()) {
        lines.push(format!("  Tunnel   {tunnel}"));
        lines.push("           on your own machine, so that the address above works there".to_owned());
    }
    if assets::of_page("").is_none() {
        let remedy = "pages are served without script and style. scripts/build makes it.";
        lines.push(format!("\n  This build holds no site: {remedy}"));
    }
    lines.push(String::new());
    Ok(lines.join("\n"))
}

/// The line that brings a loopback address to the machine somebody came from by ssh.
fn tunnel(config: &Config, variable: &dyn Fn(&str) -> Option<String>) -> Option<String> {
    if !config.local() {
        return None;
    }
    // client address, client port, server address, server port
    let connection = variable("SSH_CONNECTION")?;
    let mut parts = connection.split_whitespace().skip(2);
    let (host, ssh_port) = (parts.next()?, parts.next()?);
    let user = variable("USER").map_or_else(String::new, |user| format!("{user}@"));
    let other_port = if ssh_port == "22" { String::new() } else { format!(" -p {ssh_port}") };
    let port = config.address.port();
    Some(format!("ssh -N -L {port}:{}{other_port} {user}{host}", config.address))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn who_came_by_ssh_is_told_the_tunnel() {
        let home = |name: &str| (name == "HOME").then(|| "/h".to_owned());
        let config = Config::read(None, &home).expect("defaults");
        let remote = |name: &str| match name {
            "SSH_CONNECTION" => Some("10.0.0.1 5000 10.0.0.2 2222".to_owned()),
            "USER" => Some("ada".to_owned()),
            _ => None,
        };
        let line = tunnel(&config, &remote);
        assert_eq!(line.as_deref(), Some("ssh -N -L 3000:127.0.0.1:3000 -p 2222 ada@10.0.0.2"));
        assert_eq!(tunnel(&config, &|_| None), None);
    }
}
