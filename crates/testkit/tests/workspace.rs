//! The rules of the workspace that no compiler knows: who may depend on whom, and the one skeleton of the services.

#![allow(clippy::expect_used, clippy::unwrap_used, reason = "a test may panic")]

use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    path::{Path, PathBuf},
};

use cargo_metadata::{DependencyKind, Metadata, MetadataCommand};

/// What a service may be built from.
const SHARED: [&str; 5] = ["chassis", "contracts", "jobs", "messaging", "midtrans"];
/// The services with a database, by the name of its migrations.
const DATABASES: [&str; 6] = ["user", "product", "order", "payment", "delivery", "notification"];
/// The migrations of the shared crates, each with its schema and the databases that have a copy.
const SHARED_MIGRATIONS: [(&str, &str, &[&str]); 4] = [
    ("_messaging.sql", "messaging.", &DATABASES),
    ("_messaging_discards.sql", "messaging.", &DATABASES),
    ("_messaging_outbox.sql", "messaging.", &DATABASES),
    ("_jobs.sql", "jobs.", &["order", "payment", "notification"]),
];
/// The longest source file, in lines.
const FILE_LINES: usize = 350;

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}

fn metadata() -> Metadata {
    MetadataCommand::new().current_dir(root()).no_deps().exec().expect("cargo metadata answers")
}

/// Each crate with the workspace's crates that it is built from; dev-dependencies are not part of what is built.
fn dependencies() -> BTreeMap<String, BTreeSet<String>> {
    let metadata = metadata();
    let ours: BTreeSet<String> = metadata.packages.iter().map(|package| package.name.to_string()).collect();
    let built_from = |package: &cargo_metadata::Package| {
        let normal =
            package.dependencies.iter().filter(|dependency| dependency.kind == DependencyKind::Normal);
        normal.map(|dependency| dependency.name.clone()).filter(|name| ours.contains(name)).collect()
    };
    metadata.packages.iter().map(|package| (package.name.to_string(), built_from(package))).collect()
}

fn services() -> Vec<String> {
    dependencies().into_keys().filter(|name| name.ends_with("-service")).collect()
}

#[test]
fn there_are_six_services_and_an_optional_one_and_none_depends_on_another() {
    let dependencies = dependencies();
    assert_eq!(services().len(), 7);
    for service in services() {
        let foreign: Vec<_> =
            dependencies[&service].iter().filter(|name| !SHARED.contains(&name.as_str())).collect();
        assert!(foreign.is_empty(), "{service} depends on {foreign:?}");
    }
}

#[test]
fn shared_crates_depend_only_downwards() {
    let allowed: [(&str, &[&str]); 8] = [
        ("contracts", &[]),
        ("midtrans", &[]),
        ("chassis", &["contracts"]),
        ("jobs", &["chassis"]),
        ("messaging", &["chassis", "contracts"]),
        ("local-program", &["chassis"]),
        ("midtrans-sandbox", &["chassis", "contracts", "local-program"]),
        ("mailbox", &["chassis", "local-program"]),
    ];
    let dependencies = dependencies();
    for (name, allowed) in allowed {
        for dependency in &dependencies[name] {
            assert!(allowed.contains(&dependency.as_str()), "{name} depends on {dependency}");
        }
    }
}

#[test]
fn what_services_share_knows_no_business_words() {
    // The six names are allowed where the services are listed; what they are about is not.
    let business =
        ["cart_id", "order_total", "stock", "refund", "rupiah", "basket", "checkout", "tracking_number"];
    for name in ["chassis", "jobs", "local-program", "messaging"] {
        for file in sources(&root().join("crates").join(name).join("src")) {
            let text = fs::read_to_string(&file).unwrap().to_lowercase();
            for word in business {
                assert!(!text.contains(word), "{} says `{word}`", file.display());
            }
        }
    }
}

#[test]
fn every_crate_takes_its_lints_and_versions_from_the_workspace() {
    for package in metadata().packages {
        let manifest = fs::read_to_string(&package.manifest_path).unwrap();
        assert!(manifest.contains("[lints]\nworkspace = true"), "{} has lints of its own", package.name);
        let section = manifest.split("[dependencies]").nth(1).unwrap_or_default();
        for line in section.lines().filter(|line| line.contains('=') && !line.starts_with(['[', '#'])) {
            let from_workspace = line.contains("workspace = true") || line.starts_with("workspace");
            assert!(from_workspace, "{}: `{line}` does not come from the workspace", package.name);
        }
    }
}

#[test]
fn the_images_are_built_with_the_toolchain_that_ci_installs() {
    let text = |name: &str| fs::read_to_string(root().join(name)).unwrap();
    let manifest = text("Cargo.toml");
    let release = manifest.lines().find_map(|line| line.strip_prefix("rust-version = ")).unwrap();
    let release = release.trim_matches('"');
    let image = format!("FROM rust:{release}.");
    assert!(text("crates/Dockerfile").contains(&image), "crates/Dockerfile needs {image}");
    assert!(text("README.md").contains(&format!("{release} or newer")), "README.md needs {release}");
}

#[test]
fn the_services_have_one_skeleton() {
    for service in services() {
        let folder = root().join("crates").join(&service);
        let mut files =
            vec!["README.md", "src/main.rs", "src/lib.rs", "src/config.rs", "src/domain.rs", "src/app.rs"];
        files.extend(["src/store.rs", "src/http.rs", "src/error.rs", "tests/api/main.rs"]);
        if service != "cart-service" {
            files.extend(["sqlx.toml", ".sqlx"]);
        }
        for file in files {
            assert!(folder.join(file).exists(), "{service} has no {file}");
        }
        let main = fs::read_to_string(folder.join("src/main.rs")).unwrap();
        assert!(main.lines().count() <= 25, "{service}: main does more than start");
    }
}

#[test]
fn only_app_opens_transactions_and_only_the_store_has_sql() {
    for service in services() {
        let source = root().join("crates").join(&service).join("src");
        for file in sources(&source) {
            let inside = file.strip_prefix(&source).unwrap().to_string_lossy().into_owned();
            let text = fs::read_to_string(&file).unwrap();
            if !inside.starts_with("app") {
                assert!(!text.contains(".begin()"), "{service}/{inside} opens a transaction");
            }
            if !inside.starts_with("store") {
                let has_sql =
                    text.contains("sqlx::query") || text.contains("query!(") || text.contains("query_as!(");
                assert!(!has_sql, "{service}/{inside} has SQL");
            }
        }
    }
}

#[test]
fn what_leaves_a_trace_outside_of_a_process_has_failpoints() {
    let exceptions = [
        // A savepoint is no commit.
        "product-service/src/app/lock_rows.rs",
        // Who calls has them.
        "midtrans/src/client.rs",
        // A question about health changes nothing.
        "chassis/src/http/shop.rs",
        "chassis/src/service.rs",
    ];
    let shared = ["chassis", "jobs", "messaging", "midtrans"].map(str::to_owned);
    for name in services().into_iter().chain(shared) {
        for file in sources(&root().join("crates").join(name).join("src")) {
            let text = fs::read_to_string(&file).unwrap();
            let excepted = exceptions.iter().any(|exception| file.ends_with(exception));
            for step in [".commit()", ".send()", "\"XACK\""] {
                let bare = text.contains(step) && !text.contains("around(\"");
                assert!(!bare || excepted, "{}: {step} outside of failpoint::around", file.display());
            }
        }
    }
}

#[test]
fn no_build_that_is_delivered_has_failpoints() {
    let manifest = fs::read_to_string(root().join("Cargo.toml")).unwrap();
    assert!(!manifest.contains("debug-assertions"), "a profile decides about failpoints");
}

#[test]
fn a_route_is_made_together_with_its_description() {
    for service in services() {
        for file in sources(&root().join("crates").join(&service).join("src")) {
            let text = fs::read_to_string(&file).unwrap();
            for undescribed in [".route(", ".route_service(", ".nest(", ".nest_service(", ".fallback("] {
                assert!(!text.contains(undescribed), "{}: {undescribed} instead of routes!", file.display());
            }
        }
    }
}

#[test]
fn the_tables_of_shared_crates_are_the_same_in_every_database() {
    let files = |database: &str| -> Vec<PathBuf> {
        let entries = fs::read_dir(root().join("migrations").join(database)).unwrap();
        entries.map(|entry| entry.unwrap().path()).collect()
    };
    let text = |files: Vec<PathBuf>, name: &str| {
        let file = files.into_iter().find(|file| file.to_string_lossy().ends_with(name));
        fs::read_to_string(file.unwrap_or_else(|| panic!("{name} is missing"))).unwrap()
    };
    for (name, schema, databases) in SHARED_MIGRATIONS {
        for database in databases {
            assert_eq!(text(files(database), name), text(files("order"), name), "{database}");
        }
        let names = SHARED_MIGRATIONS.iter().filter(|(_, known, _)| *known == schema).map(|(name, ..)| *name);
        let names: Vec<&str> = names.collect();
        for file in DATABASES.iter().flat_map(|database| files(database)) {
            let shared = names.iter().any(|name| file.to_string_lossy().ends_with(name));
            let touches = fs::read_to_string(&file).unwrap().contains(schema);
            assert_eq!(shared, touches, "{}: only {names:?} have the tables of {schema}", file.display());
        }
    }
}

#[test]
fn files_stay_short_enough_to_read() {
    for file in sources(&root().join("crates")) {
        let lines = fs::read_to_string(&file).unwrap().lines().count();
        assert!(lines <= FILE_LINES, "{} has {lines} lines", file.display());
    }
}

/// Every Rust file below a folder.
fn sources(folder: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    let below = |path: PathBuf| if path.is_dir() { sources(&path) } else { vec![path] };
    entries
        .flat_map(below)
        .filter(|path| path.extension().is_some_and(|extension| extension == "rs"))
        .collect()
}
