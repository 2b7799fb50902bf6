//! The feed of events, as the platform follows it.

use super::Services;
use super::caller::Caller;
use super::workflows::page_limit;
use crate::api::error::ApiError;
use crate::domain::environment::Environment;
use crate::domain::event::EventType;
use crate::domain::role::{Action, EnvironmentSet};
use crate::server::store::{FeedError, Stretch};

/// Why a feed is not read.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum FeedRefusal {
    #[error(transparent)]
    Api(#[from] ApiError),
    /// What follows the cursor was forgotten.
    #[error("the feed no longer reaches back to this cursor")]
    Forgotten,
}

impl FeedRefusal {
    /// `field` holds the cursor.
    pub(super) fn told(field: &str, error: FeedError) -> Self {
        let ahead = "This cursor is newer than anything here: the database was restored from an older copy. Read what \
                     you follow anew, and begin without a cursor.";
        match error {
            FeedError::Forgotten => Self::Forgotten,
            FeedError::Ahead => ApiError::field(field, ahead).into(),
            FeedError::Store(error) => ApiError::from(error).into(),
        }
    }
}

/// Which events.
#[derive(Clone, Debug, Default)]
pub struct EventQuery {
    /// In one environment alone; `None`: in all that the caller may enter.
    pub environment: Option<Environment>,
    /// Of these types alone; empty: of all.
    pub kinds: Vec<EventType>,
    /// What follows this one; `None`: from the oldest that is kept.
    pub after: Option<i64>,
    pub limit: Option<u32>,
}

impl Services {
    /// What happened after a cursor, the oldest first.
    ///
    /// # Errors
    /// [`ApiError::Forbidden`]; [`ApiError::NotFound`] for an environment that the caller may not enter;
    /// [`ApiError::Invalid`] for a cursor of a later time, and [`FeedRefusal::Forgotten`] for one that is too old.
    pub async fn events(&self, caller: &Caller, query: &EventQuery) -> Result<Stretch, FeedRefusal> {
        let environments = followed(caller, query.environment)?;
        let limit = page_limit(query.limit);
        let read = self.store.events_after(&caller.workspace, environments, &query.kinds, query.after, limit).await;
        read.map_err(|error| FeedRefusal::told("cursor", error))
    }

    /// Where the feed ends now.
    ///
    /// # Errors
    /// [`ApiError::Forbidden`], [`ApiError::Unavailable`].
    pub async fn last_event(&self, caller: &Caller) -> Result<i64, ApiError> {
        caller.allow(Action::ViewEvents)?;
        Ok(self.store.last_event(&caller.workspace).await?)
    }
}

fn followed(caller: &Caller, environment: Option<Environment>) -> Result<EnvironmentSet, ApiError> {
    caller.allow(Action::ViewEvents)?;
    match environment {
        None => Ok(caller.environments),
        Some(one) => {
            let one = EnvironmentSet::try_from(vec![one]).map_err(|_| ApiError::NotFound)?;
            one.within(caller.environments).ok_or(ApiError::NotFound)
        }
    }
}
