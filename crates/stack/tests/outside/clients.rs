//! Midtrans' official clients against the local Midtrans.

use std::path::Path;

use stack::shop::{Service, Shop};
use tokio::process::Command;

const SCRIPTS: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/outside");
const INSTALLED: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../../target/midtrans-clients");

#[tokio::test]
async fn official_clients_work_with_the_local_midtrans_and_through_the_gateway() {
    let mut shop = crate::harness::open().await;
    for base in [shop.service_url(Service::Sandbox), shop.base_url()] {
        run(&shop, "venv/bin/python", "clients.py", &base).await;
        run(&shop, "node", "clients.js", &base).await;
    }
    shop.stop().await.unwrap();
}

async fn run(shop: &Shop, program: &str, script: &str, base: &str) {
    let installed = Path::new(INSTALLED);
    let own = installed.join(program);
    let status = Command::new(if own.exists() { own.as_os_str() } else { program.as_ref() })
        .arg(Path::new(SCRIPTS).join(script))
        .args([format!("{base}/midtrans"), shop.settings().get("MIDTRANS_SERVER_KEY").to_owned()])
        .env("NODE_PATH", installed.join("node_modules"))
        .env("NO_PROXY", "127.0.0.1,localhost")
        .kill_on_drop(true)
        .status()
        .await
        .unwrap();
    assert!(status.success(), "{script} against {base}");
}
