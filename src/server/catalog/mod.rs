//! The components this server knows: the built-in ones and the operator's.

pub mod cases;
pub mod check;
pub mod definition;
pub mod difference;
mod form;
pub mod icon;
mod load;
pub mod oauth;
#[cfg(test)]
pub mod oauth_cases;
pub mod own;
pub mod template;
mod view;

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::sync::Arc;

use crate::domain::component::{ComponentBadge, ComponentForm, ComponentSlug};
use definition::{Definition, Method};
pub use load::{CatalogError, check_file};
use oauth::OAuth;
pub use view::{Chosen, Unknown, View};

/// What the build script found in `catalog/` and `public/icons/`.
mod builtin {
    include!(concat!(env!("OUT_DIR"), "/catalog.rs"));
}

/// All components of this server, read once at start. Cheap to clone. A workspace has a [`View`] of it.
#[derive(Clone, Debug)]
pub struct Catalog(Arc<Contents>);

#[derive(Debug, Default)]
struct Contents {
    components: BTreeMap<ComponentSlug, Arc<Component>>,
    /// Most used first, then by name.
    forms: Vec<ComponentForm>,
    /// The operator's icons by file name.
    icons: BTreeMap<String, Vec<u8>>,
}

/// A component, and what the browser may know of it.
#[derive(Debug)]
pub struct Component {
    pub definition: Definition,
    pub form: ComponentForm,
}

impl Catalog {
    /// Reads the built-in components and those in the operator's folder, where one is configured.
    ///
    /// # Errors
    /// [`CatalogError`]: the folder cannot be read, or a file in it is wrong or repeats another one's slug.
    pub fn load(catalog_dir: Option<&Path>) -> Result<Self, CatalogError> {
        let sources = load::read_all(catalog_dir)?;
        let mut contents = Contents { icons: sources.icons, ..Contents::default() };
        for definition in sources.definitions {
            let form = form::form(&definition, &contents.icons);
            contents.components.insert(definition.slug.clone(), Arc::new(Component { definition, form }));
        }
        contents.forms = contents.components.values().map(|component| component.form.clone()).collect();
        contents.forms.sort_by(|a, b| {
            let by_name = || a.badge.name.to_lowercase().cmp(&b.badge.name.to_lowercase());
            b.popularity.cmp(&a.popularity).then_with(by_name)
        });
        Ok(Self(Arc::new(contents)))
    }

    /// The OAuth clients that an operator can set, by name.
    #[must_use]
    pub fn client_names(&self) -> BTreeSet<String> {
        self.client_users().into_keys().collect()
    }

    /// The components that sign in by each client that an operator can set, by the client's name.
    #[must_use]
    pub fn client_users(&self) -> BTreeMap<String, BTreeSet<&str>> {
        let mut users: BTreeMap<String, BTreeSet<&str>> = BTreeMap::new();
        let sections = self.oauth_sections().filter(|(_, method, _)| !method.takes_client());
        for (definition, _, oauth) in sections {
            let name = oauth.client.clone().unwrap_or_else(|| definition.slug.to_string());
            users.entry(name).or_default().insert(&definition.name);
        }
        users
    }

    /// The names under which a provider hands the state back.
    #[must_use]
    pub fn state_names(&self) -> BTreeSet<&str> {
        let other = self.oauth_sections().filter_map(|(_, _, oauth)| oauth.names.get("state"));
        other.map(String::as_str).chain(["state"]).collect()
    }

    fn oauth_sections(&self) -> impl Iterator<Item = (&Definition, &Method, &OAuth)> {
        let definitions = self.0.components.values().map(|component| &component.definition);
        definitions.flat_map(|definition| {
            definition.methods.iter().filter_map(move |method| Some((definition, method, method.oauth.as_ref()?)))
        })
    }

    #[must_use]
    pub fn get(&self, slug: &ComponentSlug) -> Option<&Definition> {
        self.0.components.get(slug).map(|component| &component.definition)
    }

    #[must_use]
    pub fn method(&self, slug: &ComponentSlug, method_id: &str) -> Option<&Method> {
        self.get(slug)?.methods.iter().find(|method| method.id == method_id)
    }

    #[must_use]
    pub fn form(&self, slug: &ComponentSlug) -> Option<&ComponentForm> {
        self.0.components.get(slug).map(|component| &component.form)
    }

    /// Most used first, then by name.
    #[must_use]
    pub fn forms(&self) -> &[ComponentForm] {
        &self.0.forms
    }

    #[must_use]
    pub fn badge(&self, slug: &ComponentSlug) -> Option<ComponentBadge> {
        self.form(slug).map(|form| form.badge.clone())
    }

    /// An operator's icon (SVG) by its file name. Trust it no more than any other upload: serve it with a
    /// sandboxing content security policy.
    #[must_use]
    pub fn icon(&self, file: &str) -> Option<&[u8]> {
        self.0.icons.get(file).map(Vec::as_slice)
    }
}

#[cfg(test)]
mod tests;
