//! How fast one API key may ask, and how much it may have under way: each key has its own measure, so that a flood from
//! one is not the others' concern. In memory: each replica measures for itself.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use crate::domain::id::ApiKeyId;
use crate::domain::time::{SECOND, Timestamp};

/// Keys that are remembered before those that rest are forgotten.
const MOST_REMEMBERED: usize = 10_000;
/// What one request takes, in thousandths.
const COST: i64 = 1_000;

/// Cheap to clone; all clones measure together.
#[derive(Clone, Default)]
pub(super) struct Pace {
    buckets: Arc<Mutex<HashMap<ApiKeyId, Bucket>>>,
    places: Arc<Mutex<HashMap<ApiKeyId, Arc<Semaphore>>>>,
}

/// A token bucket that holds a second's worth.
#[derive(Clone, Copy)]
struct Bucket {
    /// Thousandths of a request.
    left: i64,
    at: Timestamp,
}

/// The right to have one request under way, until it is dropped.
pub struct Place {
    _permit: OwnedSemaphorePermit,
}

impl Pace {
    /// Takes one request from a key's share.
    ///
    /// # Errors
    /// The milliseconds after which there is a share again.
    pub(super) fn take(&self, key: &ApiKeyId, per_second: u32, now: Timestamp) -> Result<(), i64> {
        let (rate, full) = (i64::from(per_second), i64::from(per_second) * COST);
        let mut buckets = self.buckets.lock().unwrap_or_else(PoisonError::into_inner);
        if buckets.len() >= MOST_REMEMBERED && !buckets.contains_key(key) {
            buckets.retain(|_, bucket| now.since(bucket.at) < SECOND);
        }
        let bucket = buckets.entry(key.clone()).or_insert(Bucket { left: full, at: now });
        // A clock that was set back gives nothing and takes nothing; a second fills the bucket.
        let passed = now.since(bucket.at).clamp(0, SECOND);
        *bucket = Bucket { left: (bucket.left + passed * rate).min(full), at: now };
        if bucket.left < COST {
            return Err((COST - bucket.left).div_euclid(rate) + 1);
        }
        bucket.left -= COST;
        Ok(())
    }

    /// A place among the requests of a key that are under way; `None` where all are taken.
    pub(super) fn enter(&self, key: &ApiKeyId, at_once: usize) -> Option<Place> {
        let mut places = self.places.lock().unwrap_or_else(PoisonError::into_inner);
        if places.len() >= MOST_REMEMBERED && !places.contains_key(key) {
            places.retain(|_, own| own.available_permits() < at_once);
        }
        let own = places.entry(key.clone()).or_insert_with(|| Arc::new(Semaphore::new(at_once)));
        Arc::clone(own).try_acquire_owned().ok().map(|permit| Place { _permit: permit })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn key(byte: u8) -> ApiKeyId {
        ApiKeyId::from_bytes([byte; 16])
    }

    #[test]
    fn a_key_has_a_second_s_worth_and_then_waits_for_its_share() {
        let (pace, now) = (Pace::default(), Timestamp(1_000_000));
        for _ in 0..10 {
            assert_eq!(pace.take(&key(1), 10, now), Ok(()));
        }
        assert_eq!(pace.take(&key(1), 10, now), Err(101));
        assert_eq!(pace.take(&key(2), 10, now), Ok(()), "another key is not concerned");
        assert_eq!(pace.take(&key(1), 10, now.plus(101)), Ok(()));
        assert!(pace.take(&key(1), 10, now.plus(101)).is_err());
        assert!(pace.take(&key(1), 10, now.plus(-SECOND)).is_err(), "a clock set back gives nothing");
        let later = now.plus(60 * SECOND);
        let taken = (0..20).filter(|_| pace.take(&key(1), 10, later).is_ok()).count();
        assert_eq!(taken, 10, "rest is not saved up");
    }

    #[test]
    fn a_place_is_free_again_when_it_is_left() {
        let pace = Pace::default();
        let (one, two) = (pace.enter(&key(1), 2), pace.enter(&key(1), 2));
        assert!(one.is_some() && two.is_some() && pace.enter(&key(1), 2).is_none());
        assert!(pace.enter(&key(2), 2).is_some());
        drop(one);
        assert!(pace.enter(&key(1), 2).is_some());
    }
}
