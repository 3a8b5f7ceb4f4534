//! Which failpoints there must be at least: read from the source, so that a new one is asked for without being listed.

use std::path::{Path, PathBuf};

use crate::{Error, Result};

/// Commits that no order needs, by the file that they are in, and why nobody dies at them.
const ELSEWHERE: [&str; 6] = [
    // Only the very first start of a shop comes here, before there is anybody to lose anything.
    "user-service/src/app/make_first_admin.rs",
    "product-service/src/app/seed_catalogue.rs",
    // Once after an upgrade that changes how names are compared.
    "product-service/src/app/refold_names.rs",
    // A mail server has to bounce something first.
    "notification-service/src/app/retry_notification.rs",
    // Without an answer in time, or without a change for too long.
    "order-service/src/app/finish_cancellation.rs",
    "order-service/src/app/reconcile_orders.rs",
];
/// How the names of all points of the source begin.
pub(super) fn points(root: &Path) -> Result<Vec<String>> {
    let mut steps = Vec::new();
    for (file, text) in sources(&root.join("crates"))? {
        let file = file.strip_prefix(root).unwrap_or(&file).display().to_string();
        let named = text.split("around(\"").skip(1).filter_map(|rest| rest.split('"').next());
        steps.extend(named.map(str::to_owned));
        if ELSEWHERE.iter().any(|elsewhere| file.ends_with(elsewhere)) || !file.contains("-service/src/app") {
            continue;
        }
        let commits = text.lines().zip(1..).filter(|(line, _)| line.contains("commit(tx)"));
        steps.extend(commits.map(|(_, line)| format!("the commit in {file}:{line}:")));
    }
    steps.sort_unstable();
    steps.dedup();
    Ok(steps.into_iter().flat_map(|step| [format!("before {step}"), format!("after {step}")]).collect())
}

/// Every Rust file of the crates' own source, with its text.
fn sources(crates: &Path) -> Result<Vec<(PathBuf, String)>> {
    let (mut folders, mut found) = (vec![crates.to_owned()], Vec::new());
    let mut read = || {
        while let Some(folder) = folders.pop() {
            for entry in std::fs::read_dir(folder)? {
                let path = entry?.path();
                if path.is_dir() && !path.ends_with("tests") {
                    folders.push(path);
                } else if path.extension().is_some_and(|extension| extension == "rs") {
                    found.push((path.clone(), std::fs::read_to_string(path)?));
                }
            }
        }
        Ok(())
    };
    read().map_err(Error::io(format!("read the source in {}", crates.display())))?;
    Ok(found)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_source_says_which_failpoints_there_are() {
        let points = points(&crate::root::find().unwrap()).unwrap();
        for known in ["before publishing", "after acknowledging", "before calling", "after running"] {
            assert!(points.iter().any(|point| point == known), "{known} in {points:#?}");
        }
        let placing = "before the commit in crates/order-service/src/app/place_order/group.rs:";
        assert!(points.iter().any(|point| point.starts_with(placing)), "{points:#?}");
    }
}
