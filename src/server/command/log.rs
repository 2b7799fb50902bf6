//! The log: to standard error, and never with a secret.

use std::io::{IsTerminal as _, stderr};
use tracing::Level;
use tracing_subscriber::filter::{EnvFilter, filter_fn};
use tracing_subscriber::layer::SubscriberExt as _;
use tracing_subscriber::util::SubscriberInitExt as _;
use tracing_subscriber::{fmt, registry};

use super::error::CommandError;

/// Starts logging what the setting `log` says.
///
/// Other people's crates write whole protocol messages at `debug` and `trace`, credentials among them: whatever the
/// setting says, they are heard at `info` at most.
///
/// # Errors
/// [`CommandError::Log`] for a setting that cannot be read.
pub fn start(setting: &str) -> Result<(), CommandError> {
    let wanted = EnvFilter::try_new(setting).map_err(|_| CommandError::Log(setting.to_owned()))?;
    let harmless = filter_fn(|meta| meta.target().starts_with("patchbay") || *meta.level() <= Level::INFO);
    // What nobody reads is lost; the layer would otherwise tell standard error of it, and panic.
    let lines = fmt::layer().with_writer(stderr).with_ansi(stderr().is_terminal()).log_internal_errors(false);
    // Refused only where a subscriber is in place already, as in tests: that one is as good.
    let _ = registry().with(wanted).with(harmless).with(lines).try_init();
    Ok(())
}
