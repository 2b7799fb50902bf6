//! Components that a workspace describes itself: registered, read, changed, removed.

use serde_json::{Map, Value};

use super::Services;
use super::caller::Caller;
use crate::api::components::{ComponentVersion, OwnComponent, Registered};
use crate::api::error::ApiError;
use crate::domain::component::{ComponentForm, ComponentSlug};
use crate::domain::expected::Expected;
use crate::domain::field::FieldProblem;
use crate::domain::role::Action;
use crate::server::catalog::check::Problem;
use crate::server::catalog::definition::Definition;
use crate::server::catalog::difference::differences;
use crate::server::catalog::icon::Icon;
use crate::server::catalog::own::{self, Surroundings};
use crate::server::catalog::{Component, View};
use crate::server::probe::replay;
use crate::server::store::record::AuditAction;
use crate::server::store::{IconChange, NewComponent, StoreError, StoredComponent, StoredIcon};
use crate::server::token;

/// Largest definition without its icon, in bytes.
const DEFINITION_LIMIT: usize = 64 * 1024;

/// A definition that was read and checked.
struct Given {
    definition: Definition,
    /// As it was given, without its icon.
    document: Value,
    icon: Option<Icon>,
}

impl Services {
    /// All that the caller's workspace can connect to.
    ///
    /// # Errors
    /// [`ApiError::Forbidden`], [`ApiError::Unavailable`].
    pub async fn components(&self, caller: &Caller) -> Result<View, ApiError> {
        caller.allow(Action::ViewComponents)?;
        self.view(&caller.workspace).await
    }

    /// The same, one of them also where it was registered with another replica just now.
    ///
    /// # Errors
    /// [`ApiError::Forbidden`], [`ApiError::Unavailable`].
    pub async fn components_with(&self, caller: &Caller, slug: &ComponentSlug) -> Result<View, ApiError> {
        caller.allow(Action::ViewComponents)?;
        self.view_with(&caller.workspace, slug).await
    }

    /// The workspace's own components as they are in force, by slug.
    ///
    /// # Errors
    /// [`ApiError::Forbidden`], [`ApiError::Unavailable`].
    pub async fn own_components(&self, caller: &Caller) -> Result<Vec<OwnComponent>, ApiError> {
        caller.allow(Action::ViewDefinitions)?;
        let mut own = Vec::new();
        for stored in self.store.components(&caller.workspace).await? {
            own.push(self.told(caller, stored).await?);
        }
        Ok(own)
    }

    /// One of the workspace's own components.
    ///
    /// # Errors
    /// [`ApiError::Forbidden`], [`ApiError::NotFound`], [`ApiError::Unavailable`].
    pub async fn own_component(&self, caller: &Caller, slug: &ComponentSlug) -> Result<OwnComponent, ApiError> {
        caller.allow(Action::ViewDefinitions)?;
        self.in_force(caller, slug).await
    }

    async fn in_force(&self, caller: &Caller, slug: &ComponentSlug) -> Result<OwnComponent, ApiError> {
        let stored = self.store.component(&caller.workspace, slug).await?.ok_or(ApiError::NotFound)?;
        self.told(caller, stored).await
    }

    /// Its versions that are kept, the latest first, and what each changed.
    ///
    /// # Errors
    /// As [`Services::own_component`].
    pub async fn component_history(
        &self,
        caller: &Caller,
        slug: &ComponentSlug,
    ) -> Result<Vec<ComponentVersion>, ApiError> {
        caller.allow(Action::ViewDefinitions)?;
        let versions = self.store.component_versions(&caller.workspace, slug).await?;
        if versions.is_empty() {
            return Err(ApiError::NotFound);
        }
        let told = versions.iter().enumerate().map(|(index, stored)| {
            let before = versions.get(index + 1);
            let icon = |stored: &StoredComponent| Value::from(stored.icon.as_str());
            let whole = |stored: &StoredComponent| with_icon(&stored.definition, icon(stored));
            ComponentVersion {
                version: stored.version,
                at: stored.at,
                by: stored.by.clone(),
                changes: before.map(|before| differences(&whole(before), &whole(stored))).unwrap_or_default(),
                asks_again: before.is_some_and(|before| moves(&before.definition, &stored.definition)),
            }
        });
        Ok(told.collect())
    }

    /// One version that is kept.
    ///
    /// # Errors
    /// As [`Services::own_component`].
    pub async fn component_version(
        &self,
        caller: &Caller,
        slug: &ComponentSlug,
        version: i64,
    ) -> Result<OwnComponent, ApiError> {
        caller.allow(Action::ViewDefinitions)?;
        let found = self.store.component_version(&caller.workspace, slug, version).await?;
        self.told(caller, found.ok_or(ApiError::NotFound)?).await
    }

    /// What a definition would look like, without registering it.
    ///
    /// # Errors
    /// [`ApiError::Forbidden`]; [`ApiError::Invalid`] with all that is wrong with it.
    pub async fn preview_component(&self, caller: &Caller, document: Value) -> Result<ComponentForm, ApiError> {
        Ok(self.component_of(caller, document).await?.form)
    }

    /// A definition as a component, without registering it.
    pub(super) async fn component_of(&self, caller: &Caller, document: Value) -> Result<Component, ApiError> {
        caller.allow(Action::ManageComponents)?;
        let slug = document.get("slug").and_then(Value::as_str).unwrap_or_default().to_owned();
        let slug = ComponentSlug::try_from(slug).map_err(|error| ApiError::field("slug", format!("{error}.")))?;
        let given = self.read(caller, &slug, document).await?;
        let icon = given.icon.as_ref().map(Icon::to_data_url).unwrap_or_default();
        own::component(&given.document, icon).map_err(|problem| invalid(vec![problem]))
    }

    /// Registers a component, or its next version. The same once more changes nothing.
    ///
    /// # Errors
    /// [`ApiError::Forbidden`], also where connections are made with it in environments that the caller may not enter;
    /// [`ApiError::Invalid`] with all that is wrong; [`ApiError::Superseded`], [`ApiError::TooManyComponents`],
    /// [`ApiError::Unavailable`].
    pub async fn put_component(
        &self,
        caller: &Caller,
        slug: &ComponentSlug,
        document: Value,
        expected: Expected,
    ) -> Result<Registered, ApiError> {
        caller.allow(Action::ManageComponents)?;
        let Given { definition, document, icon } = self.read(caller, slug, document).await?;
        let before = self.store.component(&caller.workspace, slug).await?;
        let version = before.as_ref().map_or(0, |before| before.version);
        if !expected.holds(version) {
            return Err(ApiError::Superseded { version });
        }
        if before.is_some() {
            self.allow_everywhere(caller, slug).await?;
        }
        let icon = self.icon_change(caller, before.as_ref(), icon).await?;
        let asks_again = before.as_ref().is_some_and(|before| moves(&before.definition, &document));
        if let Some(before) = before.filter(|before| before.definition == document && same_icon(&before.icon, &icon)) {
            let component = self.told(caller, before).await?;
            return Ok(Registered { component, created: false, asks_again });
        }
        let created = version == 0;
        let action = if created { AuditAction::ComponentRegistered } else { AuditAction::ComponentChanged };
        let about = format!("{} ({slug}), version {}", definition.name, version + 1);
        let entry = caller.audit(&self.clock, action, about);
        let new =
            NewComponent { slug: slug.clone(), definition: document, icon, replaces: Some(version), moves: asks_again };
        let (store, workspace, named) = (self.store.clone(), caller.workspace.clone(), slug.clone());
        let put = self.finish(async move {
            match store.put_component(&workspace, new, entry).await {
                Err(StoreError::Stale) => {
                    let now = store.component(&workspace, &named).await?;
                    Err(ApiError::Superseded { version: now.map_or(0, |now| now.version) })
                }
                Err(StoreError::Full) => Err(ApiError::TooManyComponents),
                put => Ok(put?),
            }
        });
        put.await?;
        self.views.expire(&caller.workspace);
        let component = self.in_force(caller, slug).await?;
        Ok(Registered { component, created, asks_again })
    }

    /// Removes a component that no connection is made with, and the OAuth clients set up for it.
    ///
    /// # Errors
    /// [`ApiError::Forbidden`], also where clients are set up in environments that the caller may not enter;
    /// [`ApiError::NotFound`], [`ApiError::InUse`], [`ApiError::Superseded`],
    /// [`ApiError::Unavailable`].
    pub async fn remove_component(
        &self,
        caller: &Caller,
        slug: &ComponentSlug,
        expected: Option<i64>,
    ) -> Result<(), ApiError> {
        caller.allow(Action::ManageComponents)?;
        let before = self.in_force(caller, slug).await?;
        let used = self.store.component_use(&caller.workspace, slug).await?;
        if used.clients.iter().any(|environment| !caller.environments.contains(*environment)) {
            return Err(ApiError::Forbidden);
        }
        let entry = caller.audit(&self.clock, AuditAction::ComponentRemoved, slug.as_str());
        match self.store.remove_component(&caller.workspace, slug, expected, entry).await {
            Err(StoreError::InUse) => Err(self.in_use(caller, slug).await?),
            Err(StoreError::Stale) => Err(ApiError::Superseded { version: before.version }),
            removed => {
                removed?;
                self.views.expire(&caller.workspace);
                Ok(())
            }
        }
    }

    async fn in_use(&self, caller: &Caller, slug: &ComponentSlug) -> Result<ApiError, ApiError> {
        let used = self.store.component_use(&caller.workspace, slug).await?;
        let (seen, hidden): (Vec<_>, Vec<_>) =
            used.connections.into_iter().partition(|(environment, _)| caller.environments.contains(*environment));
        let mut places: Vec<_> = seen.iter().map(|(environment, count)| format!("{count} in {environment}")).collect();
        if !hidden.is_empty() {
            places.push("some in environments that you may not enter".to_owned());
        }
        let told = match (places.is_empty(), used.revocations) {
            (false, _) => format!(
                "Connections are made with this component: {}. Those in Recently deleted count until they are destroyed. \
                 Delete and destroy them first.",
                places.join(", ")
            ),
            (true, 0) => "It was used a moment ago, and no longer is. Try again.".to_owned(),
            (true, count) => format!(
                "The service is still being told to end the access of {count} destroyed connections. Try again later."
            ),
        };
        Ok(ApiError::InUse { told })
    }

    /// What is changed here is changed for every environment in which connections are made with it.
    async fn allow_everywhere(&self, caller: &Caller, slug: &ComponentSlug) -> Result<(), ApiError> {
        let used = self.store.component_use(&caller.workspace, slug).await?;
        let closed = used.connections.iter().any(|(environment, _)| !caller.environments.contains(*environment));
        if closed { Err(ApiError::Forbidden) } else { Ok(()) }
    }

    async fn read(&self, caller: &Caller, slug: &ComponentSlug, document: Value) -> Result<Given, ApiError> {
        let Value::Object(mut document) = document else {
            return Err(ApiError::field("", "A component is a JSON object: see docs/adding-a-component.md."));
        };
        let icon = taken_icon(&mut document)?;
        let cases = document.remove("cases");
        let named = document.entry("slug").or_insert_with(|| Value::from(slug.as_str()));
        if named != slug.as_str() {
            return Err(ApiError::field(
                "slug",
                format!("The address names {slug}. Give the same here, or leave it out."),
            ));
        }
        let document = Value::Object(document);
        if document.to_string().len() > DEFINITION_LIMIT {
            return Err(ApiError::field("", "The definition is larger than 64 KiB. Make it shorter."));
        }
        let shadows = self.catalog.get(slug).is_some();
        if shadows && self.store.component(&caller.workspace, slug).await?.is_none() {
            let message =
                format!("There is a component {slug} already, and it cannot be replaced. Choose another slug.");
            return Err(ApiError::field("slug", message));
        }
        let dialer = self.prober.dialer();
        let permits = |address| dialer.permits(address);
        let around = Surroundings { permits: &permits, state_names: self.catalog.state_names() };
        let definition = own::read(&document, &around).map_err(invalid)?;
        if let Some(cases) = cases {
            self.check_cases(&definition, &cases)?;
        }
        Ok(Given { definition, document, icon })
    }

    /// Holds a definition against the cases that came with it. They are not kept.
    fn check_cases(&self, definition: &Definition, cases: &Value) -> Result<(), ApiError> {
        let cases = own::cases(cases).map_err(|problem| invalid(vec![problem]))?;
        let mut problems = Vec::new();
        for (index, given) in cases.methods.iter().enumerate() {
            let differences = replay(definition, given, self.clock.now());
            let told = |(place, words)| FieldProblem::new(&format!("cases/methods/{index}/{place}"), words);
            problems.extend(differences.into_iter().map(told));
        }
        if problems.is_empty() { Ok(()) } else { Err(ApiError::Invalid { problems }) }
    }

    async fn icon_change(
        &self,
        caller: &Caller,
        before: Option<&StoredComponent>,
        icon: Option<Icon>,
    ) -> Result<IconChange, ApiError> {
        let Some(icon) = icon else { return Ok(IconChange::None) };
        if let Some(name) = before.map(|before| &before.icon).filter(|name| !name.is_empty()) {
            let stored = self.store.component_icon(&caller.workspace, name).await?;
            if stored.is_some_and(|stored| stored.bytes == icon.bytes && stored.media_type == icon.media.as_str()) {
                return Ok(IconChange::Keep(name.clone()));
            }
        }
        let name = token::draw(&self.random, "")?.reveal().to_owned();
        Ok(IconChange::New(StoredIcon { name, media_type: icon.media.as_str().to_owned(), bytes: icon.bytes }))
    }

    async fn told(&self, caller: &Caller, stored: StoredComponent) -> Result<OwnComponent, ApiError> {
        let icon = self.store.component_icon(&caller.workspace, &stored.icon).await?;
        let icon = icon.and_then(|icon| {
            let media = crate::server::catalog::icon::Media::parse(&icon.media_type)?;
            Some(Value::from(Icon { media, bytes: icon.bytes }.to_data_url()))
        });
        let definition = with_icon(&stored.definition, icon.unwrap_or_default()).to_string();
        let connections = self.store.component_use(&caller.workspace, &stored.slug).await?.within(caller.environments);
        let StoredComponent { slug, version, at, by, .. } = stored;
        Ok(OwnComponent { slug, version, definition, at, by, connections })
    }

    /// A picture of a workspace's component, for whoever knows its name.
    ///
    /// # Errors
    /// [`ApiError::Unavailable`].
    pub async fn component_icon(
        &self,
        workspace: &crate::domain::id::WorkspaceId,
        name: &str,
    ) -> Result<Option<StoredIcon>, ApiError> {
        Ok(self.store.component_icon(workspace, name).await?)
    }
}

/// Reads a definition's text.
///
/// # Errors
/// [`ApiError::Invalid`] with the line where it is no JSON.
pub fn document(text: &str) -> Result<Value, ApiError> {
    serde_json::from_str(text).map_err(|error| {
        let (line, column) = (error.line(), error.column());
        ApiError::field(
            "",
            format!("Line {line}, column {column}: this is not JSON. Look at the quotes and commas there."),
        )
    })
}

/// Takes the icon out of a definition.
fn taken_icon(document: &mut Map<String, Value>) -> Result<Option<Icon>, ApiError> {
    match document.remove("icon") {
        None | Some(Value::Null) => Ok(None),
        Some(Value::String(text)) if text.is_empty() => Ok(None),
        Some(icon) => {
            let icon = Icon::of_data_url(icon.as_str().unwrap_or_default());
            icon.map(Some).map_err(|fault| ApiError::field("icon", sentence(&fault.to_string())))
        }
    }
}

fn with_icon(definition: &Value, icon: Value) -> Value {
    let mut whole = definition.clone();
    if let (Some(members), false) = (whole.as_object_mut(), icon == Value::Null || icon == "") {
        members.insert("icon".to_owned(), icon);
    }
    whole
}

fn same_icon(before: &str, change: &IconChange) -> bool {
    match change {
        IconChange::None => before.is_empty(),
        IconChange::Keep(_) => true,
        IconChange::New(_) => false,
    }
}

/// Whether secrets given for one definition are not given for another: a method is gone, or its requests are others.
fn moves(before: &Value, after: &Value) -> bool {
    let (Ok(before), Ok(after)) = (own::parse(before), own::parse(after)) else { return true };
    before.methods.iter().any(|method| {
        let same = after.methods.iter().find(|candidate| candidate.id == method.id);
        same.is_none_or(|same| same.fingerprint != method.fingerprint)
    })
}

/// Problems with their way into the definition.
fn invalid(problems: Vec<Problem>) -> ApiError {
    let told = |problem: Problem| {
        let way = problem.location.pointer().trim_start_matches('/');
        FieldProblem::new(way, sentence(&problem.fault.to_string()))
    };
    ApiError::Invalid { problems: problems.into_iter().map(told).collect() }
}

fn sentence(text: &str) -> String {
    let mut rest = text.chars();
    let first = rest.next().map(|first| first.to_uppercase().to_string()).unwrap_or_default();
    format!("{first}{}.", rest.as_str().trim_end_matches('.'))
}
