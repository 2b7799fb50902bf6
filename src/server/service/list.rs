//! The API's list: filtered, newest first, by cursor.

use std::sync::Arc;

use super::Services;
use super::caller::Caller;
use crate::api::error::ApiError;
use crate::domain::component::ComponentSlug;
use crate::domain::connection::Summary;
use crate::domain::environment::Environment;
use crate::domain::filter::Filter;
use crate::domain::fold::fold;
use crate::domain::health::Status;
use crate::domain::id::ConnectionId;
use crate::domain::role::Action;
use crate::domain::selection::Index;
use crate::domain::sort::Sort;
use crate::domain::time::Timestamp;
use crate::server::store::PageQuery;

/// Most connections in one answer.
pub const PAGE_LIMIT: u32 = 200;

/// What to list.
#[derive(Clone, Debug)]
pub struct ListConnections {
    pub environment: Environment,
    pub component: Option<ComponentSlug>,
    pub tag: Option<String>,
    pub status: Option<Status>,
    /// Whether a workflow uses it.
    pub used: Option<bool>,
    /// A prefix of the name, regardless of case.
    pub q: Option<String>,
    pub cursor: Option<String>,
    pub limit: Option<u32>,
}

/// One page and where the next begins.
#[derive(Clone, Debug)]
pub struct Page {
    pub items: Vec<Summary>,
    pub next: Option<String>,
}

impl Services {
    /// One page of connections.
    ///
    /// # Errors
    /// Refusals of [`Caller::scope`], [`ApiError::Invalid`] for a cursor not of ours, [`ApiError::Unavailable`].
    pub async fn list(&self, caller: &Caller, list: ListConnections) -> Result<Page, ApiError> {
        let scope = caller.scope(Action::ViewConnections, list.environment)?;
        let limit = list.limit.unwrap_or(50).clamp(1, PAGE_LIMIT);
        let mut query = PageQuery {
            component: list.component,
            tag_key: list.tag.as_deref().map(fold),
            name_prefix: list.q.as_deref().map(fold).filter(|prefix| !prefix.is_empty()),
            used: list.used,
            after: list.cursor.as_deref().map(read_cursor).transpose()?,
            limit: limit + 1,
        };
        let (now, room) = (self.clock.now(), limit as usize);
        let mut items: Vec<Summary> = Vec::new();
        // Status depends on the clock, so it is judged here: pages are read on until one is full.
        loop {
            let found = self.store.page(&scope, &query).await?;
            let end = found.last().map(|summary| (summary.created_at, summary.id.clone()));
            let exhausted = found.len() <= room;
            items.extend(found.into_iter().filter(|s| list.status.is_none_or(|wanted| s.status_at(now) == wanted)));
            if exhausted || items.len() > room {
                break;
            }
            query.after = end;
        }
        let more = items.len() > room;
        items.truncate(room);
        let next = items.last().filter(|_| more).map(write_cursor);
        Ok(Page { items, next })
    }

    /// The tags of an environment as first written, with how many connections carry each.
    ///
    /// # Errors
    /// Refusals of [`Caller::scope`], [`ApiError::Unavailable`].
    pub async fn tags(&self, caller: &Caller, environment: Environment) -> Result<Vec<(String, usize)>, ApiError> {
        let scope = caller.scope(Action::ViewConnections, environment)?;
        let all = self.rows(&scope).await?;
        let index = Index::new(Arc::clone(&all.rows), Sort::default(), self.clock.now());
        let facets = index.select(&Filter::default()).facets;
        Ok(facets.tags.into_iter().map(|tag| (tag.label, tag.count)).collect())
    }
}

fn write_cursor(summary: &Summary) -> String {
    format!("{}.{}", summary.created_at.0, summary.id)
}

fn read_cursor(text: &str) -> Result<(Timestamp, ConnectionId), ApiError> {
    let parsed = text.split_once('.').and_then(|(at, id)| Some((Timestamp(at.parse().ok()?), id.parse().ok()?)));
    parsed.ok_or_else(|| ApiError::field("cursor", "This cursor is not from a list. Take it from “next” as it is."))
}
