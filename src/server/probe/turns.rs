//! Turns: how many probes are under way at once, in all and to one host. Whoever finds no turn in time is told so: a
//! queue without an end would let one silent host hold up all others.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::time::timeout;

/// Probes under way at once.
const AT_ONCE: usize = 16;
/// The same to one host.
const AT_ONCE_PER_HOST: usize = 4;
/// Time to wait for a turn.
const PATIENCE: Duration = Duration::from_secs(5);

/// Too many probes are under way; nothing was asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("too many probes are under way")]
pub struct NoTurn;

/// Cheap to clone; all clones share their turns.
#[derive(Clone)]
pub struct Turns {
    all: Arc<Semaphore>,
    hosts: Arc<Mutex<HashMap<String, Arc<Semaphore>>>>,
    patience: Duration,
}

/// The right to probe, until it is dropped.
pub struct Turn {
    _own: OwnedSemaphorePermit,
    _place: OwnedSemaphorePermit,
}

impl Default for Turns {
    fn default() -> Self {
        Self { all: Arc::new(Semaphore::new(AT_ONCE)), hosts: Arc::default(), patience: PATIENCE }
    }
}

impl Turns {
    /// The same with another patience.
    #[cfg(test)]
    pub fn waiting(self, patience: Duration) -> Self {
        Self { patience, ..self }
    }

    /// Waits for a turn at a host.
    ///
    /// # Errors
    /// [`NoTurn`] where none comes in time.
    pub async fn take(&self, host: &str) -> Result<Turn, NoTurn> {
        let (own, all) = (self.of_host(host), Arc::clone(&self.all));
        // The host's first: who waits for a slow host keeps no place from others.
        let turn = async {
            let own = own.acquire_owned().await.map_err(|_| NoTurn)?;
            let place = all.acquire_owned().await.map_err(|_| NoTurn)?;
            Ok(Turn { _own: own, _place: place })
        };
        timeout(self.patience, turn).await.map_err(|_| NoTurn)?
    }

    /// The places of one host; those of hosts that nobody asks or waits for are forgotten.
    fn of_host(&self, host: &str) -> Arc<Semaphore> {
        let mut hosts = self.hosts.lock().unwrap_or_else(PoisonError::into_inner);
        hosts.retain(|_, places| Arc::strong_count(places) > 1);
        let places = hosts.entry(host.to_owned()).or_insert_with(|| Arc::new(Semaphore::new(AT_ONCE_PER_HOST)));
        Arc::clone(places)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_fifth_turn_at_a_host_comes_when_one_of_four_ends_and_others_have_theirs() {
        let turns = Turns::default().waiting(Duration::from_millis(50));
        let mut taken = Vec::new();
        for _ in 0..AT_ONCE_PER_HOST {
            taken.push(turns.take("slow.example").await.expect("a turn"));
        }
        assert_eq!(turns.take("slow.example").await.err(), Some(NoTurn));
        assert!(turns.take("other.example").await.is_ok());
        taken.pop();
        assert!(turns.take("slow.example").await.is_ok());
    }

    #[tokio::test]
    async fn a_seventeenth_turn_comes_when_one_of_sixteen_ends_whatever_the_hosts() {
        let turns = Turns::default().waiting(Duration::from_millis(50));
        let mut taken = Vec::new();
        for number in 0..AT_ONCE {
            taken.push(turns.take(&format!("{}.example", number / 2)).await.expect("a turn"));
        }
        assert_eq!(turns.take("another.example").await.err(), Some(NoTurn));
        // Whoever found none holds nothing either.
        taken.pop();
        let seventeenth = turns.take("another.example").await.expect("a turn");
        assert_eq!(turns.take("0.example").await.err(), Some(NoTurn));
        drop(seventeenth);
        assert!(turns.take("0.example").await.is_ok());
    }

    #[tokio::test]
    async fn hosts_that_nobody_asks_any_more_are_forgotten() {
        let turns = Turns::default();
        for number in 0..100 {
            turns.take(&format!("{number}.example")).await.expect("a turn");
        }
        assert_eq!(turns.hosts.lock().expect("a lock").len(), 1);
    }
}
