//! OAuth 2.0 endpoints read from the catalog.

use oauth2::{AuthUrl, RevocationUrl, Scope, TokenUrl};

use crate::server::catalog::definition::OAuth;
use crate::server::catalog::template::{Encode, RenderError, Template, TemplateError};

/// Where a provider's endpoints are (RFC 6749, RFC 7009), with the form's fields filled in.
#[derive(Clone, Debug)]
pub struct Endpoints {
    pub authorize: AuthUrl,
    pub token: TokenUrl,
    /// The token endpoint unless the provider has another one for refreshing.
    pub refresh: TokenUrl,
    pub revoke: Option<RevocationUrl>,
    /// All that can be asked for, optional ones included.
    pub scopes: Vec<Scope>,
}

/// Why an OAuth section cannot be used.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum EndpointError {
    #[error("{endpoint} has wrong braces: {error}")]
    Template { endpoint: &'static str, error: TemplateError },
    #[error("{endpoint} cannot be filled in: {error}")]
    Field { endpoint: &'static str, error: RenderError },
    #[error("{0} is no complete address; give one such as https://auth.example.com/token")]
    NotAUrl(&'static str),
}

impl Endpoints {
    /// `field` gives the values of the form's fields that the addresses refer to.
    ///
    /// # Errors
    /// [`EndpointError`] names the endpoint that is no address.
    pub fn from_definition<V: AsRef<str>>(
        oauth: &OAuth,
        field: impl Fn(&str) -> Option<V>,
    ) -> Result<Self, EndpointError> {
        let token = render(&oauth.token_url, "token_url", &field)?;
        let refresh = match &oauth.refresh_url {
            Some(template) => render(template, "refresh_url", &field)?,
            None => token.clone(),
        };
        let revoke = oauth.revoke_url.as_ref().map(|template| render(template, "revoke_url", &field)).transpose()?;
        let authorize = render(&oauth.authorize_url, "authorize_url", &field)?;
        Ok(Self {
            authorize: AuthUrl::new(authorize).map_err(|_| EndpointError::NotAUrl("authorize_url"))?,
            token: TokenUrl::new(token).map_err(|_| EndpointError::NotAUrl("token_url"))?,
            refresh: TokenUrl::new(refresh).map_err(|_| EndpointError::NotAUrl("refresh_url"))?,
            revoke: revoke.map(RevocationUrl::new).transpose().map_err(|_| EndpointError::NotAUrl("revoke_url"))?,
            scopes: oauth.scopes.iter().map(|scope| Scope::new(scope.scope.clone())).collect(),
        })
    }
}

fn render<V: AsRef<str>>(
    template: &str,
    endpoint: &'static str,
    field: impl Fn(&str) -> Option<V>,
) -> Result<String, EndpointError> {
    let template = Template::parse(template).map_err(|error| EndpointError::Template { endpoint, error })?;
    template.render(field, Encode::Plain).map_err(|error| EndpointError::Field { endpoint, error })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn section(token_url: &str) -> OAuth {
        let text = format!(
            r#"
            authorize_url = "https://{{site}}.acme.example/authorize"
            token_url = "{token_url}"
            scopes = [{{ scope = "read", allows = "Read things" }}, {{ scope = "write", allows = "Change things" }}]
            "#
        );
        toml::from_str(&text).expect("an OAuth section")
    }

    #[test]
    fn endpoints_are_filled_in_from_the_form() {
        let endpoints = Endpoints::from_definition(&section("https://{site}.acme.example/token"), |_| Some("blue"));
        let endpoints = endpoints.expect("endpoints");
        assert_eq!(endpoints.authorize.as_str(), "https://blue.acme.example/authorize");
        assert_eq!(endpoints.refresh.as_str(), "https://blue.acme.example/token");
        assert!(endpoints.revoke.is_none());
        assert_eq!(endpoints.scopes.iter().map(|scope| scope.as_str()).collect::<Vec<_>>(), ["read", "write"]);
    }

    #[test]
    fn what_is_no_address_is_named() {
        let error = |token_url| Endpoints::from_definition(&section(token_url), |_| Some("blue")).err();
        assert_eq!(error("acme.example/token"), Some(EndpointError::NotAUrl("token_url")));
        let unclosed = EndpointError::Template { endpoint: "token_url", error: TemplateError::Unclosed(8) };
        assert_eq!(error("https://{site"), Some(unclosed));
    }

    #[test]
    fn a_field_without_a_value_is_named() {
        let error = Endpoints::from_definition(&section("https://acme.example/token"), |_| None::<&str>).err();
        let missing = RenderError::Missing("site".to_owned());
        assert_eq!(error, Some(EndpointError::Field { endpoint: "authorize_url", error: missing }));
    }
}
