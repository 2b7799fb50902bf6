//! What the last tries found: *Save as not active* keeps the evidence of the very values that failed.

use sha2::{Digest, Sha256};
use std::collections::VecDeque;
use std::sync::{Arc, Mutex, PoisonError};

use crate::domain::evidence::Evidence;
use crate::domain::field::FieldValues;
use crate::server::store::record::Scope;

/// Tries kept at once over all callers.
const KEPT: usize = 256;

struct Try {
    scope: Scope,
    request_id: String,
    digest: [u8; 32],
    evidence: Evidence,
}

/// In memory only: a lost try means that the connection is saved as unproven.
#[derive(Clone, Default)]
pub struct RecentTries(Arc<Mutex<VecDeque<Try>>>);

impl RecentTries {
    pub fn remember(&self, scope: &Scope, request_id: &str, values: &FieldValues, evidence: &Evidence) {
        let mut tries = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        tries.retain(|kept| kept.request_id != request_id || kept.scope != *scope);
        if tries.len() >= KEPT {
            tries.pop_front();
        }
        let (scope, request_id) = (scope.clone(), request_id.to_owned());
        tries.push_back(Try { scope, request_id, digest: digest(values), evidence: evidence.clone() });
    }

    /// The evidence for these values, if they are the ones that were tried.
    pub fn recall(&self, scope: &Scope, request_id: &str, values: &FieldValues) -> Option<Evidence> {
        let digest = digest(values);
        let tries = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        tries
            .iter()
            .find(|kept| kept.request_id == request_id && kept.scope == *scope && kept.digest == digest)
            .map(|kept| kept.evidence.clone())
    }
}

fn digest(values: &FieldValues) -> [u8; 32] {
    let mut hasher = Sha256::new();
    for (field, value) in &values.0 {
        for part in [field, value] {
            hasher.update((part.len() as u64).to_be_bytes());
            hasher.update(part.as_bytes());
        }
    }
    hasher.finalize().into()
}
