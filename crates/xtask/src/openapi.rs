//! `xtask openapi-breaking`: whether the API documents still promise what they promised before.

mod compare;
mod schema;

use std::path::Path;
use std::process::Command;

use serde_json::Value;

use dev_servers::{Error, Result};

use self::compare::breaking;

/// Compares the documents of the working folder with those of another revision, and prints what would break a client.
/// Without a revision it is the one where this branch left `origin/main`, and on that branch itself the commit before.
pub(crate) fn run(root: &Path, base: Option<&str>) -> Result<bool> {
    let Some(base) = base.map_or_else(|| Ok(default_base(root)), |base| known(root, base))? else {
        println!("There is no earlier revision in this clone to compare with; BASE=.. names one.");
        return Ok(true);
    };
    let mut compatible = true;
    for path in documents(root)? {
        let Some(old) = git(root, &["show", &format!("{base}:{path}")]) else {
            println!("{path}: new since {base}");
            continue;
        };
        let new = std::fs::read_to_string(root.join(&path)).map_err(Error::io(format!("read {path}")))?;
        let (old, new) = (parse(&path, &old)?, parse(&path, &new)?);
        compatible &= report(&path, &old, &new);
    }
    Ok(compatible)
}

/// The documents that are committed, from the root of the project.
fn documents(root: &Path) -> Result<Vec<String>> {
    let crates = std::fs::read_dir(root.join("crates")).map_err(Error::io("read crates/"))?;
    let paths = crates.flatten().map(|it| format!("crates/{}/openapi.json", it.file_name().display()));
    let mut documents: Vec<_> = paths.filter(|path| root.join(path).is_file()).collect();
    documents.sort_unstable();
    Ok(documents)
}

/// A breaking change is announced by a version that semver calls incompatible.
fn report(path: &str, old: &Value, new: &Value) -> bool {
    let changes = breaking(old, new);
    let announced = incompatible(version(old)) != incompatible(version(new));
    for change in &changes {
        println!("{path}: {change}");
    }
    match (changes.is_empty(), announced) {
        (true, _) => println!("{path}: compatible"),
        (false, true) => println!("{path}: breaking, as its new version {} says", version(new)),
        (false, false) => println!("{path}: breaking; undo it, or raise the version {} for it", version(new)),
    }
    changes.is_empty() || announced
}

fn version(document: &Value) -> &str {
    document["info"]["version"].as_str().unwrap_or_default()
}

/// The part of a version that changes with a breaking change: `2` of 2.1.0, `0.3` of 0.3.1.
fn incompatible(version: &str) -> &str {
    let parts = if version.starts_with("0.") { 2 } else { 1 };
    version.match_indices('.').nth(parts - 1).map_or(version, |(end, _)| &version[..end])
}

fn default_base(root: &Path) -> Option<String> {
    let head = git(root, &["rev-parse", "HEAD"]);
    let fork = git(root, &["merge-base", "HEAD", "origin/main"]).filter(|fork| Some(fork) != head.as_ref());
    fork.or_else(|| git(root, &["rev-parse", "--quiet", "--verify", "HEAD~1"]))
}

fn known(root: &Path, base: &str) -> Result<Option<String>> {
    let found = git(root, &["rev-parse", "--quiet", "--verify", &format!("{base}^{{commit}}")]);
    found
        .map(Some)
        .ok_or_else(|| Error::other(format!("git does not know the revision {base}: fetch it first")))
}

/// What git prints, if it succeeds.
fn git(root: &Path, args: &[&str]) -> Option<String> {
    let output = Command::new("git").current_dir(root).args(args).output().ok()?;
    let text = String::from_utf8(output.stdout).ok()?;
    output.status.success().then(|| text.trim().to_owned())
}

fn parse(path: &str, text: &str) -> Result<Value> {
    serde_json::from_str(text).map_err(|error| Error::other(format!("{path} is not JSON: {error}")))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_incompatible_part_of_a_version_is_that_of_semver() {
        for (version, part) in
            [("1.2.3", "1"), ("0.1.0", "0.1"), ("0.10.2", "0.10"), ("12.0.0", "12"), ("", "")]
        {
            assert_eq!(incompatible(version), part);
        }
    }
}
