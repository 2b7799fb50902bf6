//! What a change expects to find.

/// The precondition of a change (RFC 9110, section 13.1.1). Versions count from 1; 0 is that of what is not there.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Expected {
    Anything,
    Nothing,
    /// Whatever is there, but something.
    Something,
    Version(i64),
}

impl Expected {
    #[must_use]
    pub const fn holds(self, version: i64) -> bool {
        match self {
            Self::Anything => true,
            Self::Nothing => version == 0,
            Self::Something => version > 0,
            Self::Version(expected) => version > 0 && expected == version,
        }
    }
}
