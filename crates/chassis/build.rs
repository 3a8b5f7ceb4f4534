//! Takes from Swagger UI's release what a browser needs of it, compressed: a tenth of what the whole of it would add to
//! every program.

use std::{
    env,
    error::Error,
    fs::File,
    io::{Cursor, copy},
    path::Path,
};

use flate2::{Compression, write::GzEncoder};
use utoipa_swagger_ui_vendored::SWAGGER_UI_VENDORED;
use zip::{ZipArchive, result::ZipResult};

const FILES: [&str; 3] = ["swagger-ui-bundle.js", "swagger-ui.css", "favicon-32x32.png"];

#[expect(clippy::disallowed_methods, reason = "Cargo passes it so")]
fn main() -> Result<(), Box<dyn Error>> {
    println!("cargo::rerun-if-changed=build.rs");
    let out = env::var("OUT_DIR")?;
    let mut release = ZipArchive::new(Cursor::new(SWAGGER_UI_VENDORED))?;
    for file in FILES {
        let is_it = |name: &String| name.ends_with(&format!("/dist/{file}"));
        let names: Vec<String> =
            release.file_names().map(|name| Ok(name?.into_owned())).collect::<ZipResult<_>>()?;
        let inside = names.into_iter().find(is_it).ok_or_else(|| format!("Swagger UI has no {file}"))?;
        let target = File::create(Path::new(&out).join(format!("{file}.gz")))?;
        let mut compressed = GzEncoder::new(target, Compression::best());
        copy(&mut release.by_name(&inside)?, &mut compressed)?;
        compressed.finish()?;
    }
    Ok(())
}
