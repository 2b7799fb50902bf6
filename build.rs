//! Names the contract between browser and server, and refuses to build with a wrong catalog file.

use std::collections::hash_map::DefaultHasher;
use std::fs;
use std::hash::Hasher;
use std::path::{Path, PathBuf};

fn main() {
    let mut hasher = DefaultHasher::new();
    for folder in ["src/api", "src/domain"] {
        for file in files_below(Path::new(folder)) {
            println!("cargo::rerun-if-changed={}", file.display());
            hasher.write(&fs::read(&file).unwrap_or_default());
        }
    }
    println!("cargo::rustc-env=PATCHBAY_CONTRACT={:016x}", hasher.finish());
    println!("cargo::rerun-if-env-changed=PATCHBAY_SITE_DIR");
    // The site's files are named by their content, so this one tells when any of them is another.
    if let Ok(site) = std::env::var("PATCHBAY_SITE_DIR") {
        println!("cargo::rerun-if-changed={site}/site.json");
    }
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
