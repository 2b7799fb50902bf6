//! What commands print. Whoever reads it may have read enough (`patchbay doctor | head`): the command then ends.

use std::fmt::Display;
use std::io::{ErrorKind, Write as _, stderr, stdout};

use super::error::CommandError;

/// Prints a line on standard output.
///
/// # Errors
/// [`CommandError::NobodyReads`] where the reader has gone, [`CommandError::Output`] where it cannot be written.
pub fn line(text: impl Display) -> Result<(), CommandError> {
    writeln!(stdout(), "{text}").map_err(|error| match error.kind() {
        ErrorKind::BrokenPipe => CommandError::NobodyReads,
        reason => CommandError::Output(reason),
    })
}

/// Tells a person something beside what programs read, on standard error. Where nobody reads that, it is lost.
pub fn note(text: impl Display) {
    let _ = writeln!(stderr(), "{text}");
}
