//! The committed documents are those of the programs.

use std::process::Command;

use stack::{root, shop::Service};

#[test]
fn the_committed_documents_are_those_of_the_programs() {
    for service in Service::SERVICES {
        let program = root::programs().unwrap().join(service.name());
        let output = Command::new(&program)
            .args(["openapi", "--public-url", "http://localhost:8080"])
            .output()
            .unwrap_or_else(|error| panic!("{}: {error}; run cargo build --workspace", program.display()));
        let path = format!("crates/{}/openapi.json", service.name());
        let committed = std::fs::read(root::find().unwrap().join(&path)).unwrap_or_default();
        assert!(output.stdout == committed, "{path} is not what {} says: run make swagger", service.name());
    }
}
