//! What an operator sets up for OAuth, and where providers send people back to.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::Arc;

use crate::server::catalog::definition::Method;
use crate::server::oauth::Client;

/// What the operator set up for OAuth.
#[derive(Clone, Debug, Default)]
pub struct OAuthSetup {
    /// Where providers whose addresses the catalog knows send people back to.
    pub redirect_url: String,
    /// The same for providers whose addresses a person typed: what arrives here was sent by none of the others
    /// (RFC 9700, section 4.4.2.2).
    pub typed_redirect_url: String,
    /// The page before the provider's.
    pub start_url: String,
    /// The operator's clients, by the name the catalog gives them.
    pub clients: Arc<BTreeMap<String, Client>>,
    /// Where a provider's answer is written before it is committed; `None`: it is held in memory only.
    pub journal: Option<PathBuf>,
}

impl OAuthSetup {
    /// Where the provider of this method sends people back to.
    pub(super) fn redirect_url_of(&self, method: &Method) -> &str {
        if is_typed(method) { &self.typed_redirect_url } else { &self.redirect_url }
    }
}

/// Whether a person types the provider's addresses, with a client of their own, or has described the component with them.
pub(super) fn is_typed(method: &Method) -> bool {
    method.takes_client() || method.is_own()
}
