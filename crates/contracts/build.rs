//! Compiles `proto/` without a `protoc` on the machine.

use std::path::Path;

use protox::prost::Message;

const FILES: [&str; 5] = ["user.proto", "product.proto", "cart.proto", "payment.proto", "delivery.proto"];

#[allow(clippy::disallowed_methods, reason = "cargo gives a build script its folder this way")]
fn main() -> Result<(), Box<dyn std::error::Error>> {
    let proto = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../proto");
    println!("cargo:rerun-if-changed={}", proto.display());
    let descriptors = protox::compile(FILES, [&proto])?;
    let encoded = Path::new(&std::env::var("OUT_DIR")?).join("descriptors.bin");
    std::fs::write(encoded, descriptors.encode_to_vec())?;
    tonic_prost_build::configure().compile_fds(descriptors)?;
    Ok(())
}
