//! Names the contract between browser and server, and refuses to build with a wrong catalog file.

use std::collections::BTreeSet;
use std::collections::hash_map::DefaultHasher;
use std::fmt::Write as _;
use std::fs;
use std::hash::Hasher;
use std::path::{Path, PathBuf};
use std::time::{SystemTime, UNIX_EPOCH};

#[path = "src/server/catalog/cases.rs"]
#[expect(dead_code, reason = "the tests replay what the build script only demands")]
mod cases;
#[path = "src/server/catalog/check/mod.rs"]
#[expect(dead_code, reason = "the server also reads files of operators, which can be wrong in more ways")]
mod check;
#[path = "src/server/catalog/definition.rs"]
#[expect(dead_code, reason = "the server reads what the build script only parses")]
mod definition;
#[path = "src/domain/mod.rs"]
#[expect(dead_code, reason = "the build script needs components and fields only")]
mod domain;
#[path = "src/server/catalog/oauth.rs"]
#[expect(dead_code, reason = "the server speaks what the build script only parses")]
mod oauth;
#[path = "src/server/catalog/oauth_cases.rs"]
#[expect(dead_code, reason = "the tests replay what the build script only demands")]
mod oauth_cases;
#[path = "src/server/catalog/template.rs"]
#[expect(dead_code, reason = "the server renders what the build script only parses")]
mod template;

fn main() {
    name_contract();
    if std::env::var("CARGO_CFG_TARGET_ARCH").is_ok_and(|arch| arch == "wasm32") {
        // What the module is split by, into the part that is needed at once and the dialogs.
        println!("cargo::rustc-link-arg-cdylib=--emit-relocs");
    }
    if std::env::var_os("CARGO_FEATURE_SSR").is_some() {
        println!("cargo::rerun-if-changed=migrations");
        name_day();
        follow_site();
        embed_catalog();
    }
}

/// The server embeds the site, whose files are named by their content: this one tells when any of them is another. The
/// module itself is what the site is made from, and does not follow it.
fn follow_site() {
    println!("cargo::rerun-if-env-changed=PATCHBAY_SITE_DIR");
    if let Ok(site) = std::env::var("PATCHBAY_SITE_DIR") {
        println!("cargo::rerun-if-changed={site}/site.json");
    }
}

/// A hash of what browser and server exchange, so that an old page can tell.
fn name_contract() {
    let mut hasher = DefaultHasher::new();
    for folder in ["src/api", "src/domain"] {
        for file in files_below(Path::new(folder)) {
            println!("cargo::rerun-if-changed={}", file.display());
            hasher.write(&fs::read(&file).unwrap_or_default());
        }
    }
    println!("cargo::rustc-env=PATCHBAY_CONTRACT={:016x}", hasher.finish());
}

/// The day of the build, in days since 1970: `SOURCE_DATE_EPOCH` (reproducible-builds.org) or today.
fn name_day() {
    println!("cargo::rerun-if-env-changed=SOURCE_DATE_EPOCH");
    let given = std::env::var("SOURCE_DATE_EPOCH").ok().and_then(|seconds| seconds.parse::<u64>().ok());
    #[expect(clippy::disallowed_methods, reason = "no test steers the day of a build")]
    let today = || SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_secs());
    println!("cargo::rustc-env=PATCHBAY_BUILD_DAY={}", given.unwrap_or_else(today) / 86_400);
}

/// Checks the built-in components and writes the list that `server::catalog::builtin` includes.
fn embed_catalog() {
    let icons = names(Path::new("public/icons"), "svg");
    let components = names(Path::new("catalog"), "toml");
    for name in &components {
        check_component(name, &icons);
    }
    let mut list = String::from("/// File names and texts.\npub const FILES: &[(&str, &str)] = &[\n");
    for name in &components {
        let path = format!("/catalog/{name}");
        let written = writeln!(list, "({name:?}, include_str!(concat!(env!(\"CARGO_MANIFEST_DIR\"), {path:?}))),");
        debug_assert!(written.is_ok());
    }
    let icon_list: Vec<&str> = icons.iter().map(String::as_str).collect();
    let written =
        write!(list, "];\n/// File names below `public/icons`.\npub const ICONS: &[&str] = &{icon_list:?};\n");
    debug_assert!(written.is_ok());
    let folder = PathBuf::from(std::env::var_os("OUT_DIR").unwrap_or_default());
    if fs::write(folder.join("catalog.rs"), list).is_err() {
        println!("cargo::error=the list of components cannot be written to the build folder");
    }
}

/// Demands the vendor's answers, written down as cases, of a component that is asked over HTTP or signs in by OAuth.
fn check_cases(name: &str, definition: &definition::Definition) {
    let methods = &definition.methods;
    let by_http = methods.iter().any(|method| matches!(method.service, definition::Service::Http(_)));
    // A person's own authorization server is documented by nobody.
    let documented = |oauth: &oauth::OAuth| !oauth.token_url.starts_with('{');
    let by_oauth = methods.iter().any(|method| method.oauth.as_ref().is_some_and(documented));
    demand(&format!("catalog/cases/{name}"), by_http, |text| cases::read(text, definition).err());
    demand(&format!("catalog/cases/oauth/{name}"), by_oauth, |text| oauth_cases::read(text, definition).err());
}

/// Reports a file of cases that is missing though needed, or wrong.
fn demand(file: &str, needed: bool, problem: impl Fn(&str) -> Option<String>) {
    match fs::read_to_string(file) {
        Ok(text) => {
            if let Some(problem) = problem(&text) {
                println!("cargo::error={file}: {}", problem.replace('\n', " "));
            }
        }
        Err(_) if needed => println!("cargo::error={file} is missing: write down what the vendor documents"),
        Err(_) => {}
    }
}

/// Reports every problem of one component as a build error.
fn check_component(name: &str, icons: &BTreeSet<String>) {
    let file = format!("catalog/{name}");
    let text = fs::read_to_string(&file).unwrap_or_default();
    match check::read(&text, icons) {
        Ok(definition) if format!("{}.toml", definition.slug) == name => check_cases(name, &definition),
        Ok(definition) => println!("cargo::error={file}: slug: name the file {}.toml", definition.slug),
        Err(problems) => {
            for problem in problems {
                println!("cargo::error={file}: {}", problem.to_string().replace('\n', " "));
            }
        }
    }
}

/// Names of the files in a folder that end in an extension.
fn names(folder: &Path, extension: &str) -> BTreeSet<String> {
    let files = files_below(folder).into_iter().filter(|file| file.extension().is_some_and(|e| e == extension));
    files.filter_map(|file| Some(file.file_name()?.to_str()?.to_owned())).collect()
}

/// All files below a folder, in a fixed order.
fn files_below(folder: &Path) -> Vec<PathBuf> {
    println!("cargo::rerun-if-changed={}", folder.display());
    let mut files = Vec::new();
    for entry in fs::read_dir(folder).into_iter().flatten().flatten() {
        let path = entry.path();
        if path.is_dir() {
            files.extend(files_below(&path));
        } else {
            files.push(path);
        }
    }
    files.sort();
    files
}
