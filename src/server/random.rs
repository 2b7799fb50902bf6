//! The one place that draws random bytes. A parameter everywhere else, so that tests can steer it.

use std::sync::Arc;

use crate::domain::time::Timestamp;

/// The operating system gives no random bytes; nothing can be kept secret without them.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the operating system gives no random bytes")]
pub struct NoRandomness;

type Fill = dyn Fn(&mut [u8]) -> Result<(), NoRandomness> + Send + Sync;

/// Draws bytes that nobody can guess.
#[derive(Clone)]
pub struct Random(Arc<Fill>);

impl Random {
    /// The operating system's generator.
    #[must_use]
    pub fn system() -> Self {
        Self(Arc::new(|bytes| {
            #[expect(clippy::disallowed_methods, reason = "this is the one place")]
            getrandom::fill(bytes).map_err(|_| NoRandomness)
        }))
    }

    /// A generator for tests.
    pub fn steered(fill: impl Fn(&mut [u8]) -> Result<(), NoRandomness> + Send + Sync + 'static) -> Self {
        Self(Arc::new(fill))
    }

    /// Draws `N` bytes.
    ///
    /// # Errors
    /// [`NoRandomness`] where the operating system refuses.
    pub fn bytes<const N: usize>(&self) -> Result<[u8; N], NoRandomness> {
        let mut bytes = [0; N];
        (self.0)(&mut bytes)?;
        Ok(bytes)
    }

    /// A `UUIDv7` (RFC 9562, section 5.7) for a moment: identifiers sort by creation.
    ///
    /// # Errors
    /// [`NoRandomness`] where the operating system refuses.
    pub fn uuid_v7(&self, now: Timestamp) -> Result<[u8; 16], NoRandomness> {
        let random = self.bytes::<10>()?;
        let milliseconds = u64::try_from(now.0).unwrap_or_default();
        Ok(uuid::Builder::from_unix_timestamp_millis(milliseconds, &random).into_uuid().into_bytes())
    }
}
