//! Every route and who may use it. What is not in this table is refused.

use axum::extract::{MatchedPath, Request, State};
use axum::http::Method;
use axum::middleware::Next;
use axum::response::{IntoResponse, Redirect, Response};

use super::AppState;
use super::refusal::Refusal;
use crate::api::error::ApiError;
use crate::domain::role::Action;
use crate::server::service::caller::{Caller, Platform, Principal};

/// Who may use a route.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Access {
    Public,
    /// Anybody with a session or a key.
    SignedIn,
    /// The platform, with an instance key.
    Platform,
    /// A page: people only; others are led to the sign-in page.
    Person,
    /// Whoever may do this. In which environments, the use case decides: it alone has read the request.
    May(Action),
}

/// One route.
#[derive(Clone, Copy, Debug)]
pub struct Route {
    pub method: &'static str,
    /// As the router spells it, below the base path.
    pub path: &'static str,
    pub access: Access,
}

const fn route(method: &'static str, path: &'static str, access: Access) -> Route {
    Route { method, path, access }
}

const fn may(method: &'static str, path: &'static str, action: Action) -> Route {
    route(method, path, Access::May(action))
}

/// Whatever no other route matches: the application's own router decides.
pub const PAGES: &str = "/{*page}";

/// Every method: the service behind the route says which ones it takes.
pub const ANY: &str = "ANY";

/// The table.
pub const ROUTES: &[Route] = &[
    route("GET", "/healthz", Access::Public),
    route("GET", "/readyz", Access::Public),
    route("GET", "/favicon.svg", Access::Public),
    route("GET", "/pkg/{*file}", Access::Public),
    route("GET", "/icons/{*file}", Access::Public),
    route("GET", "/icons/own/{workspace}/{name}", Access::Public),
    route("GET", "/sign-in", Access::Public),
    route("POST", "/sign-in", Access::Public),
    route("GET", "/sdk/v1/{*file}", Access::Public),
    route("GET", "/embed/{workspace}/{view}", Access::Public),
    route("GET", "/embed/{workspace}/{view}/", Access::Public),
    route("GET", "/embed/{workspace}/{view}/{*page}", Access::Public),
    route("POST", "/embed/token", Access::Public),
    route("GET", "/", Access::Person),
    route("GET", PAGES, Access::Person),
    route("GET", "/oauth/start", Access::Public),
    route("POST", "/oauth/start", Access::Public),
    route("GET", "/oauth/callback", Access::Public),
    route("GET", "/oauth/callback/own", Access::Public),
    may("POST", "/rpc/components", Action::ViewComponents),
    may("POST", "/rpc/own_components", Action::ViewDefinitions),
    may("POST", "/rpc/component_versions", Action::ViewDefinitions),
    may("POST", "/rpc/preview_component", Action::ManageComponents),
    may("POST", "/rpc/put_component", Action::ManageComponents),
    may("POST", "/rpc/remove_component", Action::ManageComponents),
    may("POST", "/rpc/stream/try", Action::ManageComponents),
    may("POST", "/rpc/local_services", Action::CreateConnection),
    may("POST", "/rpc/first_page", Action::ViewConnections),
    may("GET", "/rpc/snapshot", Action::ViewConnections),
    may("POST", "/rpc/detail", Action::ViewConnections),
    may("POST", "/rpc/set_tags", Action::TagConnection),
    may("POST", "/rpc/rename", Action::EditConnection),
    may("POST", "/rpc/deletion_impact", Action::DeleteConnection),
    may("POST", "/rpc/delete", Action::DeleteConnection),
    may("POST", "/rpc/replace", Action::ReplaceConnection),
    may("POST", "/rpc/undelete", Action::DeleteConnection),
    may("POST", "/rpc/purge", Action::DeleteConnection),
    may("POST", "/rpc/deleted", Action::ViewConnections),
    may("POST", "/rpc/begin_connect", Action::CreateConnection),
    may("POST", "/rpc/connect_progress", Action::CreateConnection),
    may("POST", "/rpc/decide_connect", Action::EditConnection),
    may("POST", "/rpc/cancel_connect", Action::CreateConnection),
    may("POST", "/rpc/oauth_client", Action::CreateConnection),
    may("POST", "/rpc/store_oauth_client", Action::ManageOAuthClients),
    may("POST", "/rpc/register_oauth_client", Action::ManageOAuthClients),
    may("POST", "/rpc/remove_oauth_client", Action::ManageOAuthClients),
    may("POST", "/rpc/api_keys", Action::ManageKeys),
    may("POST", "/rpc/create_api_key", Action::ManageKeys),
    may("POST", "/rpc/revoke_api_key", Action::ManageKeys),
    may("POST", "/rpc/connections_for_key", Action::ManageKeys),
    route("POST", "/rpc/viewer", Access::SignedIn),
    may("POST", "/rpc/webhooks", Action::ManageWebhooks),
    may("POST", "/rpc/create_webhook", Action::ManageWebhooks),
    may("POST", "/rpc/change_webhook", Action::ManageWebhooks),
    may("POST", "/rpc/rotate_webhook", Action::ManageWebhooks),
    may("POST", "/rpc/remove_webhook", Action::ManageWebhooks),
    may("POST", "/rpc/test_webhook", Action::ManageWebhooks),
    may("POST", "/rpc/webhook_deliveries", Action::ManageWebhooks),
    may("POST", "/rpc/replay_webhook", Action::ManageWebhooks),
    route("POST", "/rpc/sign_out", Access::SignedIn),
    may("GET", "/rpc/stream/changes", Action::ViewConnections),
    may("POST", "/rpc/stream/create", Action::CreateConnection),
    may("POST", "/rpc/stream/update", Action::EditConnection),
    may("POST", "/rpc/stream/test", Action::TestConnection),
    route("GET", "/api/v1/openapi.json", Access::Public),
    may("GET", "/api/v1/components", Action::ViewComponents),
    may("GET", "/api/v1/components/{slug}", Action::ViewComponents),
    may("PUT", "/api/v1/components/{slug}", Action::ManageComponents),
    may("DELETE", "/api/v1/components/{slug}", Action::ManageComponents),
    may("GET", "/api/v1/components/{slug}/versions", Action::ViewDefinitions),
    may("GET", "/api/v1/components/{slug}/versions/{version}", Action::ViewDefinitions),
    may("GET", "/api/v1/connections", Action::ViewConnections),
    may("POST", "/api/v1/connections", Action::CreateConnection),
    may("GET", "/api/v1/connections/{id}", Action::ViewConnections),
    may("PATCH", "/api/v1/connections/{id}", Action::EditConnection),
    may("DELETE", "/api/v1/connections/{id}", Action::DeleteConnection),
    may("POST", "/api/v1/connections/{id}/undelete", Action::DeleteConnection),
    may("POST", "/api/v1/connections/{id}/replace", Action::ReplaceConnection),
    may("POST", "/api/v1/connections/{id}/test", Action::TestConnection),
    may("POST", "/api/v1/connections/{id}/credentials", Action::FetchCredentials),
    may("POST", "/api/v1/connections/{id}/token", Action::FetchCredentials),
    may("POST", "/api/v1/connections/{id}/refused", Action::FetchCredentials),
    may(ANY, "/api/v1/proxy/{id}", Action::SendRequest),
    may(ANY, "/api/v1/proxy/{id}/", Action::SendRequest),
    may(ANY, "/api/v1/proxy/{id}/{*path}", Action::SendRequest),
    may("GET", "/api/v1/tags", Action::ViewConnections),
    may("GET", "/api/v1/events", Action::ViewEvents),
    may("GET", "/api/v1/webhooks", Action::ManageWebhooks),
    may("POST", "/api/v1/webhooks", Action::ManageWebhooks),
    may("GET", "/api/v1/webhooks/{id}", Action::ManageWebhooks),
    may("PATCH", "/api/v1/webhooks/{id}", Action::ManageWebhooks),
    may("DELETE", "/api/v1/webhooks/{id}", Action::ManageWebhooks),
    may("POST", "/api/v1/webhooks/{id}/rotate", Action::ManageWebhooks),
    may("POST", "/api/v1/webhooks/{id}/test", Action::ManageWebhooks),
    may("GET", "/api/v1/webhooks/{id}/deliveries", Action::ManageWebhooks),
    may("POST", "/api/v1/webhooks/{id}/replay", Action::ManageWebhooks),
    may("GET", "/api/v1/workflows", Action::ViewWorkflows),
    may("PUT", "/api/v1/workflows", Action::RegisterWorkflow),
    may("GET", "/api/v1/workflows/changes", Action::ViewWorkflows),
    may("GET", "/api/v1/workflows/{id}", Action::ViewWorkflows),
    may("PUT", "/api/v1/workflows/{id}", Action::RegisterWorkflow),
    may("DELETE", "/api/v1/workflows/{id}", Action::RegisterWorkflow),
    route("GET", "/api/v1/workspaces", Access::Platform),
    route("GET", "/api/v1/workspaces/{id}", Access::Platform),
    route("PUT", "/api/v1/workspaces/{id}", Access::Platform),
    route("POST", "/api/v1/embed/sessions", Access::Platform),
];

/// Who may use a route; `None`: nobody, it is not in the table.
#[must_use]
pub fn access(method: &Method, path: &str) -> Option<Access> {
    let method = if method == Method::HEAD { "GET" } else { method.as_str() };
    let takes = |route: &&Route| route.path == path && (route.method == method || route.method == ANY);
    ROUTES.iter().find(takes).map(|route| route.access)
}

/// The methods a path takes.
fn methods(path: &str) -> Vec<&'static str> {
    ROUTES.iter().filter(|route| route.path == path).map(|route| route.method).collect()
}

/// Lets through whom the table lets through.
pub async fn layer(
    State(app): State<AppState>,
    matched: Option<MatchedPath>,
    request: Request,
    next: Next,
) -> Response {
    let caller = request.extensions().get::<Caller>();
    let platform = request.extensions().get::<Platform>();
    let path = request.uri().path();
    // No page lives below these: what nothing else matched there is not there.
    let matched = matched
        .filter(|matched| matched.as_str() != PAGES || !(path.starts_with("/api/") || path.starts_with("/rpc/")));
    let access = matched.as_ref().and_then(|matched| access(request.method(), matched.as_str()));
    let refusal = match (access, caller) {
        (Some(Access::Public), _) | (Some(Access::SignedIn), Some(_)) => None,
        (Some(Access::Platform), _) if platform.is_some() => None,
        (Some(Access::Platform), Some(_)) => Some(Refusal::for_the_platform(path)),
        (Some(_), None) if platform.is_some() => Some(Refusal::not_for_the_platform(path)),
        (None, _) if matched.is_some() => {
            let allowed = matched.as_ref().map(|matched| methods(matched.as_str())).unwrap_or_default();
            Some(Refusal::wrong_method(path, &allowed))
        }
        (None, _) => Some(Refusal::nothing_here(path)),
        (Some(Access::Person), None) => {
            return Redirect::to(&format!("{}/sign-in", app.config.public_url.base())).into_response();
        }
        (_, None) => Some(Refusal::signed_out(path)),
        (Some(Access::Person), Some(caller)) => match caller.principal {
            Principal::Member { .. } => None,
            Principal::ApiKey { .. } | Principal::EndUser { .. } => Some(Refusal::new(path, ApiError::Forbidden)),
        },
        (Some(Access::May(action)), Some(caller)) => {
            caller.allow(action).err().map(|_| Refusal::forbidden(path, caller, action))
        }
    };
    match refusal {
        None => next.run(request).await,
        Some(refusal) => refusal.into_response(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_server_function_is_in_the_table() {
        for (path, method) in server_fn::axum::server_fn_paths() {
            assert!(access(&method, path).is_some(), "{method} {path} is missing in ROUTES");
        }
    }

    #[test]
    fn every_operation_of_the_api_is_in_the_table() {
        let document = serde_json::to_value(crate::server::http::rest::document()).expect("a document");
        let paths = document["paths"].as_object().expect("paths");
        assert!(!paths.is_empty());
        for (path, operations) in paths {
            for method in operations.as_object().expect("operations").keys() {
                let method: Method = method.to_uppercase().parse().expect("a method");
                // `OpenAPI` has no word for a path that goes on.
                let path = path.replace("{path}", "{*path}");
                assert!(access(&method, &path).is_some(), "{method} {path} is missing in ROUTES");
            }
        }
    }

    #[test]
    fn every_route_of_the_api_is_described_under_a_name_of_its_own() {
        let document = serde_json::to_value(crate::server::http::rest::document()).expect("a document");
        let mut names = std::collections::BTreeSet::new();
        for Route { method, path, .. } in ROUTES.iter().filter(|route| route.path.starts_with("/api/")) {
            if *path == "/api/v1/openapi.json" {
                continue;
            }
            let described = &document["paths"][path.replace("{*path}", "{path}")];
            let methods: Vec<String> = match *method {
                // Described once, with a path behind it.
                ANY if !path.ends_with("{*path}") => continue,
                ANY => described.as_object().expect("operations").keys().cloned().collect(),
                method => vec![method.to_lowercase()],
            };
            for method in methods {
                let operation = &described[&method];
                assert!(operation.is_object(), "{method} {path} is not described");
                let name = operation["operationId"].as_str().expect("a name").to_owned();
                assert!(operation["summary"].is_string() && operation["tags"][0].is_string(), "{method} {path}");
                assert!(names.insert(name), "{method} {path} has the name of another");
            }
        }
    }

    #[test]
    fn no_route_stands_twice() {
        for (index, route) in ROUTES.iter().enumerate() {
            let twice =
                ROUTES[index + 1..].iter().any(|other| (other.method, other.path) == (route.method, route.path));
            assert!(!twice, "{route:?}");
        }
    }
}
