//! The catalog as one workspace has it: the server's components and its own, which stand before those of the same slug.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::definition::{Definition, Method};
use super::{Catalog, Component};
use crate::domain::component::{ComponentBadge, ComponentForm, ComponentSlug};

/// All that one workspace can connect to. Cheap to clone.
#[derive(Clone, Debug)]
pub struct View {
    catalog: Catalog,
    own: Arc<Own>,
}

#[derive(Debug, Default)]
struct Own {
    revision: i64,
    components: BTreeMap<ComponentSlug, (i64, Arc<Component>)>,
}

/// A component and one of its methods, held: whoever works with it works with one version of it to the end.
#[derive(Clone, Debug)]
pub struct Chosen {
    component: Arc<Component>,
    method: usize,
}

/// Why there is nothing to choose.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Unknown {
    Component,
    /// The component by this name has no such method.
    Method(String),
}

impl View {
    /// The server's components alone.
    #[must_use]
    pub fn of(catalog: Catalog) -> Self {
        Self { catalog, own: Arc::default() }
    }

    /// With a workspace's own components, each with its version, as they are at a revision.
    #[must_use]
    pub fn with_own(self, revision: i64, own: impl IntoIterator<Item = (i64, Component)>) -> Self {
        let keyed = |(version, component): (i64, Component)| {
            (component.definition.slug.clone(), (version, Arc::new(component)))
        };
        Self { own: Arc::new(Own { revision, components: own.into_iter().map(keyed).collect() }), ..self }
    }

    /// Grows with every change of the workspace's own components.
    #[must_use]
    pub fn revision(&self) -> i64 {
        self.own.revision
    }

    fn component(&self, slug: &ComponentSlug) -> Option<&Arc<Component>> {
        let own = self.own.components.get(slug).map(|(_, component)| component);
        own.or_else(|| self.catalog.0.components.get(slug))
    }

    /// The version in force of the workspace's own component; `None` for any other.
    #[must_use]
    pub fn own_version(&self, slug: &ComponentSlug) -> Option<i64> {
        self.own.components.get(slug).map(|(version, _)| *version)
    }

    #[must_use]
    pub fn get(&self, slug: &ComponentSlug) -> Option<&Definition> {
        self.component(slug).map(|component| &component.definition)
    }

    #[must_use]
    pub fn form(&self, slug: &ComponentSlug) -> Option<&ComponentForm> {
        self.component(slug).map(|component| &component.form)
    }

    #[must_use]
    pub fn badge(&self, slug: &ComponentSlug) -> Option<ComponentBadge> {
        self.form(slug).map(|form| form.badge.clone())
    }

    /// A component and one of its methods.
    ///
    /// # Errors
    /// [`Unknown`].
    pub fn choose(&self, slug: &ComponentSlug, method: &str) -> Result<Chosen, Unknown> {
        let component = self.component(slug).ok_or(Unknown::Component)?;
        let place = component.definition.methods.iter().position(|candidate| candidate.id == method);
        let method = place.ok_or_else(|| Unknown::Method(component.definition.name.clone()))?;
        Ok(Chosen { component: Arc::clone(component), method })
    }

    /// The workspace's own first, then most used first, then by name.
    #[must_use]
    pub fn forms(&self) -> Vec<&ComponentForm> {
        let mut own: Vec<_> = self.own.components.values().map(|(_, component)| &component.form).collect();
        own.sort_by_key(|form| form.badge.name.to_lowercase());
        let others = self.catalog.forms().iter().filter(|form| !self.own.components.contains_key(&form.badge.slug));
        own.into_iter().chain(others).collect()
    }
}

impl Chosen {
    #[must_use]
    pub fn definition(&self) -> &Definition {
        &self.component.definition
    }

    #[must_use]
    pub fn method(&self) -> &Method {
        &self.component.definition.methods[self.method]
    }

    /// Both.
    #[must_use]
    pub fn parts(&self) -> (&Definition, &Method) {
        (self.definition(), self.method())
    }

    #[must_use]
    pub fn form(&self) -> &ComponentForm {
        &self.component.form
    }
}
