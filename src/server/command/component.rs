//! `patchbay component check FILE`.

use std::path::Path;

use super::error::CommandError;
use super::output;
use crate::server::catalog::check_file;

/// Says what is wrong with a component file, and where.
///
/// # Errors
/// [`CommandError::Component`] with every problem.
pub fn check(file: &Path) -> Result<(), CommandError> {
    match check_file(file) {
        Ok(definition) => {
            output::line(format_args!("{} is well-formed: {} ({}).", file.display(), definition.name, definition.slug))
        }
        Err(problems) => {
            let lines: Vec<String> = problems.iter().map(|problem| format!("  {problem}")).collect();
            Err(CommandError::Component { file: file.to_owned(), problems: lines.join("\n") })
        }
    }
}
