//! The OAuth client a method uses: given in the form, the environment's own, or the operator's.

use crate::api::connect::{ClientOrigin, ClientSetup};
use crate::api::error::ApiError;
use crate::domain::component::{ComponentSlug, MethodKind};
use crate::domain::environment::Environment;
use crate::domain::field::{FieldProblem, FieldValues};
use crate::domain::line::is_line;
use crate::domain::role::Action;
use crate::server::catalog::definition::{CLIENT_ID, Definition, Method};
use crate::server::catalog::oauth::{OAuth, USERINFO_URL};
use crate::server::oauth::{Client, Metadata, OAuthError, Provider, Wish, discover, register};
use crate::server::service::Services;
use crate::server::service::caller::Caller;
use crate::server::store::record::{AuditAction, Scope};
use crate::server::store::{StoreError, StoredClient};
use crate::server::vault::{SealContext, SecretText, Secrets};

/// Names under which a client stands among fields and secrets.
const CLIENT_SECRET: &str = "client_secret";
/// Longest id and secret, in characters.
const LONGEST: usize = 2048;

/// A client, and what its provider says of itself where that was asked.
pub(in crate::server::service) struct Party {
    client: Client,
    metadata: Option<Metadata>,
}

impl Party {
    /// The client's id with the provider.
    pub fn client_id(&self) -> &str {
        &self.client.id
    }

    /// A method's OAuth section with fields and client filled in.
    ///
    /// # Errors
    /// [`ApiError::Invalid`] where the method has none.
    pub fn provider<'a>(
        &'a self,
        method: &'a Method,
        config: &'a FieldValues,
        secrets: &'a Secrets,
    ) -> Result<Provider<'a>, ApiError> {
        let none = || ApiError::field("method", "This way of authenticating connects no account.");
        let provider = Provider::of(method, config, secrets, &self.client).ok_or_else(none)?;
        Ok(self.metadata.iter().fold(provider, Provider::described_by))
    }
}

/// The client's name in the catalog. That of a workspace's own component is bound to where it proves itself: if that
/// changes, there is no client of this name, and its secret goes nowhere.
pub(in crate::server::service) fn name_of(method: &Method, component: &ComponentSlug) -> String {
    if let Some(fingerprint) = &method.fingerprint {
        return format!("{component}@{}", fingerprint.client);
    }
    let named = method.oauth.as_ref().and_then(|oauth| oauth.client.clone());
    named.unwrap_or_else(|| component.to_string())
}

/// A signed assertion proves all there is to prove (RFC 7523, section 2.1): no client is needed beside it.
fn nobody(method: &Method) -> Option<Client> {
    (method.kind == MethodKind::Jwt).then(|| Client { id: String::new(), secret: None })
}

impl Services {
    /// The client a method uses here; `None` where none was set up.
    ///
    /// # Errors
    /// [`ApiError::Unavailable`], [`ApiError::Internal`].
    pub(in crate::server::service) async fn party_of(
        &self,
        scope: &Scope,
        component: &ComponentSlug,
        method: &Method,
        config: &FieldValues,
        secrets: &Secrets,
    ) -> Result<Option<Party>, ApiError> {
        let client = self.client_of(scope, component, method, config, secrets).await?;
        Ok(client.map(|client| Party { client, metadata: Metadata::kept_in(config) }))
    }

    async fn client_of(
        &self,
        scope: &Scope,
        component: &ComponentSlug,
        method: &Method,
        config: &FieldValues,
        secrets: &Secrets,
    ) -> Result<Option<Client>, ApiError> {
        if method.oauth.is_none() {
            return Ok(None);
        }
        if method.takes_client() {
            let id = config.get(CLIENT_ID).map(str::to_owned);
            return Ok(id.map(|id| Client { id, secret: secrets.get(CLIENT_SECRET).cloned() }));
        }
        let name = name_of(method, component);
        match self.store.oauth_client(scope, &name).await? {
            Some(own) => Ok(Some(self.open_client(scope, &name, &own).await?)),
            None => Ok(self.oauth.clients.get(&name).cloned().or_else(|| nobody(method))),
        }
    }

    async fn open_client(&self, scope: &Scope, name: &str, stored: &StoredClient) -> Result<Client, ApiError> {
        let holder = holder(name);
        let mut secrets =
            self.vault.open_sealed(&client_context(scope, &holder, stored.version), &stored.sealed).await?;
        Ok(Client { id: stored.client_id.clone(), secret: secrets.take(CLIENT_SECRET) })
    }

    /// Notes what the provider said against a client. The operator's, or a form's, is nobody's here: the log tells of it.
    ///
    /// # Errors
    /// [`ApiError::Unavailable`].
    pub(in crate::server::service) async fn discontent_with_client(
        &self,
        scope: &Scope,
        name: &str,
        sentence: &str,
    ) -> Result<(), ApiError> {
        if !self.store.note_client_problem(scope, name, Some(sentence.to_owned())).await? {
            tracing::warn!(
                client = name,
                "a provider refused an OAuth client that the operator or a form gave: {sentence}"
            );
        }
        Ok(())
    }

    /// The provider accepts a client: what was said against it before is taken back.
    ///
    /// # Errors
    /// [`ApiError::Unavailable`].
    pub(in crate::server::service) async fn content_with_client(
        &self,
        scope: &Scope,
        name: &str,
    ) -> Result<(), ApiError> {
        let own = self.store.oauth_client(scope, name).await?;
        if own.is_some_and(|own| own.problem.is_some()) {
            self.store.note_client_problem(scope, name, None).await?;
        }
        Ok(())
    }

    /// The client a method would use here, as people may know it.
    ///
    /// # Errors
    /// Refusals of [`Caller::scope`], [`ApiError::Invalid`], [`ApiError::Unavailable`].
    pub async fn oauth_client(
        &self,
        caller: &Caller,
        environment: Environment,
        component: &ComponentSlug,
        method: &str,
    ) -> Result<ClientSetup, ApiError> {
        let scope = caller.scope(Action::CreateConnection, environment)?;
        let chosen = self.find(&scope.workspace, component, method).await?;
        let (definition, method) = chosen.parts();
        self.client_setup(&scope, definition, method).await
    }

    async fn client_setup(
        &self,
        scope: &Scope,
        definition: &Definition,
        method: &Method,
    ) -> Result<ClientSetup, ApiError> {
        let oauth = section(method)?;
        let name = name_of(method, &definition.slug);
        let own = if method.takes_client() { None } else { self.store.oauth_client(scope, &name).await? };
        let told = own.as_ref().and_then(|own| own.problem.clone());
        let operators = self.oauth.clients.get(&name).filter(|_| !method.takes_client());
        let id = own.as_ref().map(|own| &own.client_id).or(operators.map(|client| &client.id));
        let others = match id {
            Some(id) => self.store.of_other_clients(scope, &name, id).await?,
            None => 0,
        };
        let left_behind = (others > 0).then(|| {
            format!(
                "Connected with another client: {others}. These are not renewed until they are reconnected, or that \
                 client is put back."
            )
        });
        let problem = told.or(left_behind);
        let origin = match own {
            _ if method.takes_client() => ClientOrigin::Form,
            Some(StoredClient { client_id, stored_at, sealed, .. }) => {
                ClientOrigin::Own { client_id, stored_at, has_secret: !sealed.is_empty() }
            }
            None if self.oauth.clients.contains_key(&name) => ClientOrigin::Operator,
            None => ClientOrigin::None,
        };
        Ok(ClientSetup {
            origin,
            redirect_url: self.oauth.redirect_url_of(method).to_owned(),
            help_url: oauth.client_help.clone().unwrap_or_default(),
            problem,
            can_register: oauth.registration_url.is_some() && !method.takes_client(),
        })
    }

    /// Stores the environment's own client. An empty secret keeps the stored one where the id is the same.
    ///
    /// # Errors
    /// Refusals of [`Caller::scope`], [`ApiError::Invalid`], [`ApiError::Busy`] where somebody else stored one at the
    /// same moment, [`ApiError::Unavailable`].
    pub async fn store_oauth_client(
        &self,
        caller: &Caller,
        environment: Environment,
        component: &ComponentSlug,
        method: &str,
        client_id: String,
        client_secret: String,
    ) -> Result<ClientSetup, ApiError> {
        let scope = caller.scope(Action::ManageOAuthClients, environment)?;
        let chosen = self.find(&scope.workspace, component, method).await?;
        let (definition, method) = chosen.parts();
        section(method)?;
        let client_id = client_id.trim().to_owned();
        let problems = problems_of(&client_id, &client_secret);
        if !problems.is_empty() {
            return Err(ApiError::Invalid { problems });
        }
        let name = name_of(method, &definition.slug);
        let before = self.store.oauth_client(&scope, &name).await?;
        let secret = match &before {
            Some(before) if client_secret.is_empty() && before.client_id == client_id => {
                self.open_client(&scope, &name, before).await?.secret
            }
            _ => Some(client_secret).filter(|secret| !secret.is_empty()).map(SecretText::new),
        };
        let client = Client { id: client_id, secret };
        self.put_client(caller, &scope, &name, before.map_or(0, |before| before.version), client).await?;
        self.client_setup(&scope, definition, method).await
    }

    /// Has the provider make a client (RFC 7591), and stores it.
    ///
    /// # Errors
    /// As [`Services::store_oauth_client`]; [`ApiError::Invalid`] with what the provider said against it.
    pub async fn register_oauth_client(
        &self,
        caller: &Caller,
        environment: Environment,
        component: &ComponentSlug,
        method: &str,
        values: &FieldValues,
    ) -> Result<ClientSetup, ApiError> {
        let scope = caller.scope(Action::ManageOAuthClients, environment)?;
        let chosen = self.find(&scope.workspace, component, method).await?;
        let (definition, method) = chosen.parts();
        section(method)?;
        let client = self.registered(definition, method, values).await?;
        let name = name_of(method, &definition.slug);
        let before = self.store.oauth_client(&scope, &name).await?.map_or(0, |before| before.version);
        self.put_client(caller, &scope, &name, before, client).await?;
        self.client_setup(&scope, definition, method).await
    }

    async fn registered(
        &self,
        definition: &Definition,
        method: &Method,
        values: &FieldValues,
    ) -> Result<Client, ApiError> {
        let said = |error: OAuthError| ApiError::field(CLIENT_ID, error.sentence(&definition.name));
        let nobody = Party { client: Client { id: String::new(), secret: None }, metadata: Metadata::kept_in(values) };
        let secrets = Secrets::default();
        let provider = nobody.provider(method, values, &secrets)?;
        let url = provider.registration_url().map_err(said)?.ok_or_else(|| said(OAuthError::Unsupported))?;
        let scopes = provider.scopes(|_| true);
        let wish = Wish {
            url: &url,
            redirect_uri: self.oauth.redirect_url_of(method),
            name: "Patchbay",
            authentication: provider.client_authentication(),
            scopes: &scopes,
            initial_access_token: None,
        };
        Ok(register(&self.line(), &wish).await.map_err(said)?.client)
    }

    async fn put_client(
        &self,
        caller: &Caller,
        scope: &Scope,
        name: &str,
        before: i64,
        client: Client,
    ) -> Result<(), ApiError> {
        let mut secrets = Secrets::default();
        if let Some(secret) = client.secret {
            secrets.insert(CLIENT_SECRET, secret);
        }
        let (version, holder) = (before + 1, holder(name));
        let sealed = if secrets.is_empty() {
            Vec::new()
        } else {
            self.vault.seal(&client_context(scope, &holder, version), &secrets).await?
        };
        let new = StoredClient { client_id: client.id, sealed, version, stored_at: self.clock.now(), problem: None };
        let entry = caller.audit(&self.clock, AuditAction::ClientStored, name);
        let (store, scope, name) = (self.store.clone(), scope.clone(), name.to_owned());
        self.finish(async move {
            match store.store_oauth_client(&scope, &name, new, entry).await {
                Err(StoreError::Stale) => Err(ApiError::Busy),
                stored => Ok(stored?),
            }
        })
        .await
    }

    /// Removes the environment's own client.
    ///
    /// # Errors
    /// Refusals of [`Caller::scope`], [`ApiError::Invalid`], [`ApiError::Unavailable`].
    pub async fn remove_oauth_client(
        &self,
        caller: &Caller,
        environment: Environment,
        component: &ComponentSlug,
        method: &str,
    ) -> Result<ClientSetup, ApiError> {
        let scope = caller.scope(Action::ManageOAuthClients, environment)?;
        let chosen = self.find(&scope.workspace, component, method).await?;
        let (definition, method) = chosen.parts();
        section(method)?;
        let name = name_of(method, &definition.slug);
        let entry = caller.audit(&self.clock, AuditAction::ClientRemoved, name.as_str());
        match self.store.remove_oauth_client(&scope, &name, entry).await {
            Ok(()) | Err(StoreError::NotFound) => self.client_setup(&scope, definition, method).await,
            Err(error) => Err(error.into()),
        }
    }
}

impl Services {
    /// Asks the issuer that a person named for what it says of itself, and keeps that beside the fields.
    ///
    /// # Errors
    /// [`OAuthError`] where the issuer cannot be asked, or is another than it says.
    pub(super) async fn discover_into(&self, oauth: &OAuth, config: &mut FieldValues) -> Result<(), OAuthError> {
        let field = oauth.discovery.as_ref().map(|template| template.trim_matches(['{', '}']));
        let Some(issuer) = field.and_then(|field| config.get(field)) else { return Ok(()) };
        let metadata = discover(&self.line(), issuer).await?;
        if let Some(address) = &metadata.userinfo_endpoint {
            config.set(USERINFO_URL, address.as_str());
        }
        metadata.keep_in(config);
        Ok(())
    }
}

fn section(method: &Method) -> Result<&OAuth, ApiError> {
    method.by_person().ok_or_else(|| ApiError::field("method", "This way of authenticating uses no OAuth client."))
}

fn problems_of(client_id: &str, client_secret: &str) -> Vec<FieldProblem> {
    let mut problems = Vec::new();
    if !is_line(client_id, LONGEST) {
        problems.push(FieldProblem::new(CLIENT_ID, "Give the client id as the service shows it, on one line."));
    }
    if !client_secret.is_empty() && !is_line(client_secret, LONGEST) {
        problems.push(FieldProblem::new(CLIENT_SECRET, "Give the client secret as the service shows it, on one line."));
    }
    problems
}

fn holder(name: &str) -> String {
    format!("client:{name}")
}

fn client_context<'a>(scope: &'a Scope, holder: &'a str, version: i64) -> SealContext<'a> {
    SealContext { scope, holder, method: "oauth client", secret_version: version }
}
