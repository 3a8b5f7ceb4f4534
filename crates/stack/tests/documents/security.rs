//! What SECURITY.md says is shown by a test.

use std::path::Path;

use crate::support;

#[test]
fn every_test_that_the_security_policy_names_is_there() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    let policy = std::fs::read_to_string(root.join(".github/SECURITY.md")).unwrap();
    let rows: Vec<&str> = policy.lines().filter(|line| line.starts_with("| API")).collect();
    assert_eq!(rows.len(), 10);
    let files = support::files(&root.join("crates"), &["rs"]);
    for row in rows {
        let shown = row.split('|').nth_back(1).unwrap();
        let names: Vec<&str> = shown.split('`').skip(1).step_by(2).collect();
        assert!(!names.is_empty(), "{row}");
        for name in names {
            let (module, function) = name.split_once("::").unwrap_or(("", name));
            let is_there = files.iter().any(|(path, text)| {
                text.contains(&format!("fn {function}("))
                    && (module.is_empty() || path.file_stem().is_some_and(|stem| stem == module))
            });
            assert!(is_there, "no test {name}");
        }
    }
}
