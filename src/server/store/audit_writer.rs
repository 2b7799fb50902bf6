//! Lines about the use of credentials, of which there are many: one writer takes all that wait and commits them in one
//! transaction. Whoever waits goes on after that commit.

use std::collections::BTreeMap;
use tokio::sync::{mpsc, oneshot};

use super::audit::{Addition, append_all};
use super::record::{AuditEntry, Scope};
use super::{Store, StoreError};
use crate::domain::id::{ConnectionId, WorkspaceId};

/// Lines of one transaction at most.
const MOST: usize = 256;
/// Lines that wait at most; who comes later waits to wait.
const WAITING: usize = 1_024;

/// That a connection was used at run time.
#[derive(Clone, Debug)]
pub struct UseLine {
    pub scope: Scope,
    pub connection: ConnectionId,
    pub entry: AuditEntry,
}

struct Waiting {
    line: UseLine,
    done: oneshot::Sender<Result<(), StoreError>>,
}

/// The one writer. Cheap to clone; it ends with its last clone, when nothing waits any more.
#[derive(Clone)]
pub struct AuditWriter(mpsc::Sender<Waiting>);

impl AuditWriter {
    /// Starts the writer; within a runtime of tokio.
    #[must_use]
    pub fn start(store: Store) -> Self {
        let (sender, receiver) = mpsc::channel(WAITING);
        tokio::spawn(write(store, receiver));
        Self(sender)
    }

    /// Records a use, and returns once it is committed. Dropped before that, it may or may not be recorded.
    ///
    /// # Errors
    /// `Unavailable`, `Corrupt`: it is not recorded, or nobody knows.
    pub async fn append(&self, line: UseLine) -> Result<(), StoreError> {
        let (done, told) = oneshot::channel();
        self.0.send(Waiting { line, done }).await.map_err(|_| StoreError::Unavailable)?;
        told.await.unwrap_or(Err(StoreError::Unavailable))
    }
}

async fn write(store: Store, mut receiver: mpsc::Receiver<Waiting>) {
    let mut waiting = Vec::with_capacity(MOST);
    while receiver.recv_many(&mut waiting, MOST).await > 0 {
        // Nobody is handed anything who has gone.
        waiting.retain(|waiting: &Waiting| !waiting.done.is_closed());
        let (lines, waiters): (Vec<_>, Vec<_>) = waiting.drain(..).map(|it| (it.line, it.done)).unzip();
        if lines.is_empty() {
            continue;
        }
        let result = store.append_uses(lines).await;
        for done in waiters {
            // Who left meanwhile is not told.
            let _ = done.send(result);
        }
    }
}

impl Store {
    /// Appends lines to the chains of their workspaces, all or none. Workspaces are locked in one order, so that no two
    /// replicas wait for each other.
    async fn append_uses(&self, lines: Vec<UseLine>) -> Result<(), StoreError> {
        self.write(move |tx| {
            Box::pin(async move {
                let mut chains: BTreeMap<&WorkspaceId, Vec<Addition<'_>>> = BTreeMap::new();
                for UseLine { scope, connection, entry } in &lines {
                    let (environment, subject) = (Some(scope.environment), Some(connection.as_str()));
                    chains.entry(&scope.workspace).or_default().push(Addition { environment, subject, entry });
                }
                for (workspace, additions) in chains {
                    append_all(tx, workspace, &additions).await?;
                }
                Ok(())
            })
        })
        .await
    }
}
