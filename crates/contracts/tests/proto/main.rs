//! The gRPC interfaces: commented, and never changed under a peer that was built earlier.
//!
//! `snapshots/` holds the committed descriptors in a normal form. `make proto` writes them anew, after the same check.

#![allow(clippy::unwrap_used, reason = "a test may panic")]

mod breaking;
mod comments;
mod facts;

use std::{collections::BTreeSet, fs, path::Path};

use contracts::grpc::DESCRIPTORS;
use prost::Message;
use prost_types::{FileDescriptorProto, FileDescriptorSet};

fn present() -> Vec<FileDescriptorProto> {
    FileDescriptorSet::decode(DESCRIPTORS).unwrap().file
}

fn committed(package: &str) -> facts::Facts {
    let file = format!("tests/proto/snapshots/proto__{package}.snap");
    let text = fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join(file)).unwrap_or_default();
    text.splitn(3, "---\n").nth(2).map(|json| serde_json::from_str(json).unwrap()).unwrap_or_default()
}

fn is_kept(package: &str) {
    let files = present();
    let file = files.iter().find(|file| file.package() == package).unwrap();
    assert_eq!(comments::missing(file), [""; 0], "without a comment in {}", file.name());
    let facts = facts::of_file(file);
    let breaks = breaking::breaks(&committed(package), &facts);
    assert!(breaks.is_empty(), "{} breaks its peers:\n{}", file.name(), breaks.join("\n"));
    insta::assert_json_snapshot!(package, facts);
}

#[test]
fn user_is_kept() {
    is_kept("user");
}

#[test]
fn product_is_kept() {
    is_kept("product");
}

#[test]
fn cart_is_kept() {
    is_kept("cart");
}

#[test]
fn payment_is_kept() {
    is_kept("payment");
}

#[test]
fn delivery_is_kept() {
    is_kept("delivery");
}

#[test]
fn these_are_all_and_none_of_the_committed_ones_is_gone() {
    let known = BTreeSet::from(["user", "product", "cart", "payment", "delivery"].map(str::to_owned));
    assert_eq!(present().iter().map(|file| file.package().to_owned()).collect::<BTreeSet<_>>(), known);
    let folder = Path::new(env!("CARGO_MANIFEST_DIR"));
    let named = |folder: &str, prefix: &'static str, suffix: &'static str| {
        let names =
            fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap());
        let names = names.map(|name| name.trim_start_matches(prefix).trim_end_matches(suffix).to_owned());
        names.collect::<BTreeSet<_>>()
    };
    assert_eq!(named(&format!("{}/../../proto", folder.display()), "", ".proto"), known);
    assert_eq!(named(&format!("{}/tests/proto/snapshots", folder.display()), "proto__", ".snap"), known);
}

#[test]
fn a_part_without_a_comment_is_named() {
    let mut file = present().into_iter().find(|file| file.package() == "cart").unwrap();
    file.source_code_info.as_mut().unwrap().location.retain(|location| location.path != [4, 0, 2, 0]);
    assert_eq!(comments::missing(&file), ["GetCartRequest.user_id"]);
}
