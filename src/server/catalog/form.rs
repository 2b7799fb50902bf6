//! From a component's file to what the browser may know of it: no template, no probe.

use std::collections::BTreeMap;

use super::definition::{Definition, Method, Service};
use super::oauth::{OAuth, OAuthScope};
use crate::domain::component::{ComponentBadge, ComponentForm, MethodForm, OAuthForm, ScopeForm};
use crate::domain::field::Field;

/// `custom_icons` are the operator's; they stand before built-in ones of the same name. Those that are built in were
/// made bitmaps with the site.
pub(super) fn form(definition: &Definition, custom_icons: &BTreeMap<String, Vec<u8>>) -> ComponentForm {
    let icon = definition.icon.as_ref().map_or_else(String::new, |file| {
        if custom_icons.contains_key(file) {
            format!("icons/custom/{file}")
        } else {
            format!("icons/{}.webp", file.trim_end_matches(".svg"))
        }
    });
    ComponentForm {
        badge: ComponentBadge { slug: definition.slug.clone(), name: definition.name.clone(), icon },
        category: definition.category.clone(),
        homepage: definition.homepage.clone(),
        popularity: definition.popularity,
        methods: definition.methods.iter().map(method_form).collect(),
    }
}

fn method_form(method: &Method) -> MethodForm {
    MethodForm {
        id: method.id.clone(),
        label: method.label.clone(),
        kind: method.kind,
        intro: method.intro.clone(),
        fields: method.fields.clone(),
        may_be_vouched_for: may_be_vouched_for(method),
        oauth: method.by_person().map(oauth_form),
    }
}

fn oauth_form(oauth: &OAuth) -> OAuthForm {
    let shown = oauth.scopes.iter().filter(|scope| !scope.silent);
    let form = |scope: &OAuthScope| ScopeForm {
        scope: scope.scope.clone(),
        allows: scope.allows.clone(),
        optional: scope.optional,
    };
    OAuthForm { scopes: shown.map(form).collect(), device: oauth.device_url.is_some() }
}

/// Whether the form can be filled in so that no probe is left to ask.
fn may_be_vouched_for(method: &Method) -> bool {
    let may_be_empty = |field: &Field| field.default.is_empty() && (field.optional || field.shown_when.is_some());
    let may_be_left_out = |id: &String| method.fields.iter().any(|field| &field.id == id && may_be_empty(field));
    match &method.service {
        // By giving tokens, its provider has answered.
        Service::Http(_) if method.oauth.is_some() => false,
        Service::Http(http) => http.probes.iter().all(|probe| probe.needs.iter().any(may_be_left_out)),
        _ => false,
    }
}
