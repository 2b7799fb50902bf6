//! Pages of connections by keyset, newest first.

use super::record::Scope;
use super::row::{seen, summaries, summary};
use super::{Store, StoreError};
use crate::domain::component::ComponentSlug;
use crate::domain::connection::Summary;
use crate::domain::fold::fold;
use crate::domain::id::ConnectionId;
use crate::domain::time::Timestamp;

/// Which connections, and from where on.
#[derive(Clone, Debug, Default)]
pub struct PageQuery {
    pub component: Option<ComponentSlug>,
    /// A tag's folded key.
    pub tag_key: Option<String>,
    /// How the name begins, regardless of case.
    pub name_prefix: Option<String>,
    /// `false`: only those that no workflow uses, `true`: only those that one uses; neither where nobody knows.
    pub used: Option<bool>,
    /// The last one of the page before.
    pub after: Option<(Timestamp, ConnectionId)>,
    /// Rows at most.
    pub limit: u32,
}

impl Store {
    /// One page of an environment's connections, newest first.
    ///
    /// # Errors
    /// `Unavailable`, `Corrupt`.
    pub async fn page(&self, scope: &Scope, query: &PageQuery) -> Result<Vec<Summary>, StoreError> {
        let prefix = query.name_prefix.as_deref().map(|prefix| fold(prefix).into_bytes()).unwrap_or_default();
        let (created_at, id) = match &query.after {
            Some((at, id)) => (at.0, id.as_str()),
            None => (i64::MAX, ""),
        };
        let rows = sqlx::query(PAGE)
            .bind(scope.workspace.as_str())
            .bind(scope.environment.as_str())
            .bind(query.component.as_ref().map_or("", ComponentSlug::as_str))
            .bind(query.tag_key.as_ref().map(|key| key.as_bytes().to_vec()))
            .bind(prefix.clone())
            .bind(prefix_end(prefix))
            .bind(created_at)
            .bind(id)
            .bind(i64::from(query.limit))
            .bind(query.used.map_or(-1, i64::from))
            .bind(scope.sight.limit())
            .fetch_all(&self.read)
            .await?;
        rows.iter().map(summary).collect()
    }
}

const PAGE: &str = concat!(
    summaries!(),
    "WHERE c.workspace = $1 AND c.environment = $2 AND c.deleted_at IS NULL \
       AND ($3 = '' OR c.component = $3) \
       AND ($4 IS NULL OR c.id IN (SELECT t.connection FROM connection_tags t \
            WHERE t.workspace = $1 AND t.environment = $2 AND t.tag_key = $4)) \
       AND c.name_key >= $5 AND ($6 IS NULL OR c.name_key < $6) \
       AND ($10 < 0 OR (w.knows_workflows = 1 AND $10 = CASE WHEN c.workflows > 0 THEN 1 ELSE 0 END)) \
       AND (c.created_at < $7 OR (c.created_at = $7 AND c.id < $8)) ",
    seen!("$11"),
    "ORDER BY c.created_at DESC, c.id DESC LIMIT $9"
);

/// The first key behind all that begin with `prefix`; `None`: there is no end. UTF-8 never holds 0xFF.
fn prefix_end(mut prefix: Vec<u8>) -> Option<Vec<u8>> {
    let last = prefix.last_mut()?;
    *last = last.saturating_add(1);
    Some(prefix)
}
