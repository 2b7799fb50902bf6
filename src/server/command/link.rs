//! `patchbay sign-in-link`.

use super::error::CommandError;
use super::{open, output};
use crate::server::clock::Clock;
use crate::server::config::Config;
use crate::server::http::sign_in;
use crate::server::random::Random;

/// Prints a one-time link for the owner of the default workspace.
///
/// # Errors
/// Where the database does not open.
pub async fn print(config: &Config) -> Result<(), CommandError> {
    let (clock, random) = (Clock::system(), Random::system());
    let store = open::existing(config).await?;
    let owner = open::owner(&store, &clock, &random).await?;
    output::line(sign_in::new_link(&store, &clock, &random, &config.public_url, &owner).await?)?;
    output::note("It works once, within 15 minutes.");
    Ok(())
}
