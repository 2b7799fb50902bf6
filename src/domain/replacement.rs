//! Which connection workflows are to use in place of another one.

use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

use super::id::ConnectionId;

/// One replacement for all workflows, one for each, or one for all but some.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Replacement {
    /// For every workflow that is not named.
    pub everywhere: Option<ConnectionId>,
    /// By the workflow's id.
    pub workflows: BTreeMap<String, ConnectionId>,
}

impl Replacement {
    /// The same one for every workflow.
    #[must_use]
    pub fn everywhere(id: ConnectionId) -> Self {
        Self { everywhere: Some(id), workflows: BTreeMap::new() }
    }

    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.everywhere.is_none() && self.workflows.is_empty()
    }

    /// What a workflow is to use; `None`: it is left with what it has.
    #[must_use]
    pub fn of(&self, workflow: &str) -> Option<&ConnectionId> {
        self.workflows.get(workflow).or(self.everywhere.as_ref())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_said_of_one_workflow_goes_before_what_is_said_of_all() {
        let [all, one] = [1, 2].map(|byte| ConnectionId::from_bytes([byte; 16]));
        let mut plan = Replacement::default();
        assert!(plan.is_empty() && plan.of("a").is_none());
        plan.workflows.insert("a".to_owned(), one.clone());
        assert_eq!((plan.of("a"), plan.of("b")), (Some(&one), None));
        plan.everywhere = Some(all.clone());
        assert_eq!((plan.of("a"), plan.of("b")), (Some(&one), Some(&all)));
        assert_eq!(Replacement::everywhere(all.clone()).of("a"), Some(&all));
    }
}
