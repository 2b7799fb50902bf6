//! Reading component files and icons: the built-in ones from the binary, the operator's from a folder.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};

use super::builtin;
use super::check::{self, Fault, Location, Problem};
use super::definition::Definition;
use crate::domain::component::ComponentSlug;

/// Why the server cannot start with this catalog. For the operator.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub enum CatalogError {
    #[error("the catalog folder {0} cannot be read; check that it exists and may be read")]
    Folder(PathBuf),
    #[error("{file} is no component this server can use:{}", lines(.problems))]
    Wrong { file: String, problems: Vec<Problem> },
    #[error("{first} and {second} both describe {slug}; give one of them another slug")]
    Twice { slug: ComponentSlug, first: String, second: String },
}

fn lines(problems: &[Problem]) -> String {
    problems.iter().fold(String::new(), |mut text, problem| {
        let written = write!(text, "\n  {problem}");
        debug_assert!(written.is_ok());
        text
    })
}

/// Everything read, checked.
pub(super) struct Sources {
    pub definitions: Vec<Definition>,
    pub icons: BTreeMap<String, Vec<u8>>,
}

pub(super) fn read_all(catalog_dir: Option<&Path>) -> Result<Sources, CatalogError> {
    let mut sources = Sources { definitions: built_in()?, icons: BTreeMap::new() };
    let Some(folder) = catalog_dir else { return Ok(sources) };
    let unreadable = |_| CatalogError::Folder(folder.to_owned());
    for path in files(folder, "svg").map_err(unreadable)? {
        let content = fs::read(&path).map_err(unreadable)?;
        sources.icons.insert(file_name(&path), content);
    }
    let mut seen: BTreeMap<ComponentSlug, String> = BTreeMap::new();
    for path in files(folder, "toml").map_err(unreadable)? {
        let file = path.display().to_string();
        let definition = check_file(&path).map_err(|problems| CatalogError::Wrong { file: file.clone(), problems })?;
        if let Some(first) = seen.insert(definition.slug.clone(), file.clone()) {
            return Err(CatalogError::Twice { slug: definition.slug, first, second: file });
        }
        sources.definitions.push(definition);
    }
    Ok(sources)
}

/// Checks one file of an operator, with the icons that lie beside it.
///
/// # Errors
/// All that is wrong with it, each with its place.
pub fn check_file(path: &Path) -> Result<Definition, Vec<Problem>> {
    let problem = |location, fault| vec![Problem { location, fault }];
    let unreadable = || problem(Location::default(), Fault::Unreadable);
    let text = fs::read_to_string(path).map_err(|_| unreadable())?;
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    let mut icons: BTreeSet<String> = builtin::ICONS.iter().map(|&name| name.to_owned()).collect();
    icons.extend(files(folder, "svg").map_err(|_| unreadable())?.iter().map(|icon| file_name(icon)));
    let definition = check::read(&text, &icons)?;
    if is_built_in(&definition.slug) {
        return Err(problem(Location::default().child("slug"), Fault::BuiltInSlug));
    }
    Ok(definition)
}

/// The build script has checked these, and that each file is named by its slug.
fn built_in() -> Result<Vec<Definition>, CatalogError> {
    let read = |&(file, text): &(&str, &str)| {
        check::parse(text).map_err(|problem| CatalogError::Wrong { file: file.to_owned(), problems: vec![problem] })
    };
    builtin::FILES.iter().map(read).collect()
}

fn is_built_in(slug: &ComponentSlug) -> bool {
    builtin::FILES.iter().any(|(file, _)| file.strip_suffix(".toml") == Some(slug.as_str()))
}

/// Files directly in a folder that end in an extension, by name.
fn files(folder: &Path, extension: &str) -> std::io::Result<Vec<PathBuf>> {
    let mut paths = Vec::new();
    for entry in fs::read_dir(folder)? {
        let path = entry?.path();
        if path.is_file() && path.extension().is_some_and(|found| found == extension) {
            paths.push(path);
        }
    }
    paths.sort();
    Ok(paths)
}

fn file_name(path: &Path) -> String {
    path.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default()
}
