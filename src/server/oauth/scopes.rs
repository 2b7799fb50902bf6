//! What is asked for, and what of it was not given.

use super::provider::Provider;
use crate::server::catalog::oauth::{OAuth, OAuthScope};

impl Provider<'_> {
    /// All to ask for: what is needed, and the optional ones that were chosen, in the order of the component's file.
    #[must_use]
    pub fn scopes(&self, chosen: impl Fn(&str) -> bool) -> Vec<String> {
        let asked = self.section.scopes.iter().filter(|scope| !scope.optional || chosen(&scope.scope));
        asked.map(|scope| scope.scope.clone()).collect()
    }

    /// The required scopes that were not granted, by name. `granted` is what the provider told; where it told nothing, it
    /// granted what was asked for (RFC 6749, section 5.1).
    #[must_use]
    pub fn missing(&self, asked: &[String], granted: Option<&[String]>) -> Vec<String> {
        missing(self.section, asked, granted)
    }
}

/// [`Provider::missing`], of a component's file alone.
#[must_use]
pub fn missing(section: &OAuth, asked: &[String], granted: Option<&[String]>) -> Vec<String> {
    let granted = granted.unwrap_or(asked);
    let lacks = |scope: &&OAuthScope| !scope.optional && !scope.silent && !is_granted(scope, granted);
    section.scopes.iter().filter(lacks).map(|scope| scope.scope.clone()).collect()
}

fn is_granted(scope: &OAuthScope, granted: &[String]) -> bool {
    let names = |name: &String| *name == scope.scope || scope.granted_as.contains(name);
    granted.iter().any(names)
}

/// Granted scopes as the component's file names them, in its order; then those it does not know.
#[must_use]
pub fn known_by(section: &OAuth, granted: &[String]) -> Vec<String> {
    let given = section.scopes.iter().filter(|scope| is_granted(scope, granted));
    let own =
        |name: &&String| !section.scopes.iter().any(|scope| scope.scope == **name || scope.granted_as.contains(name));
    given.map(|scope| scope.scope.clone()).chain(granted.iter().filter(own).cloned()).collect()
}
