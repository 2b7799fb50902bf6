//! The components one can connect to: fetched once, when they are first needed.

use leptos::prelude::*;
use leptos::task::spawn_local;
use std::sync::Arc;

use crate::api::catalog::components;
use crate::api::error::ApiError;
use crate::domain::component::{ComponentForm, ComponentSlug};

/// What the page has of the catalog.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Loading {
    #[default]
    NotAsked,
    Asked,
    Here(Arc<Vec<ComponentForm>>),
    Failed(ApiError),
}

#[derive(Clone, Copy)]
pub struct Catalog(RwSignal<Loading>);

impl Catalog {
    pub fn provide() -> Self {
        let catalog = Self(RwSignal::new(Loading::NotAsked));
        provide_context(catalog);
        catalog
    }

    #[must_use]
    pub fn expect() -> Self {
        expect_context()
    }

    /// Asks for the catalog unless it is here or on its way.
    pub fn want(self) {
        if matches!(self.0.get_untracked(), Loading::NotAsked | Loading::Failed(_)) {
            self.0.set(Loading::Asked);
            spawn_local(async move {
                let answer = match components().await {
                    Ok(forms) => Loading::Here(Arc::new(forms)),
                    Err(error) => Loading::Failed(error),
                };
                let _ = self.0.try_set(answer);
            });
        }
    }

    #[must_use]
    pub fn loading(self) -> Loading {
        self.0.get()
    }

    #[must_use]
    pub fn form(self, slug: &ComponentSlug) -> Option<ComponentForm> {
        self.0.with(|loading| match loading {
            Loading::Here(forms) => forms.iter().find(|form| form.badge.slug == *slug).cloned(),
            _ => None,
        })
    }
}
