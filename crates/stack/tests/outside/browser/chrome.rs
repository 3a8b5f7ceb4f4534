//! A Chromium for one test, steered by its WebDriver.

use std::{fs, panic::AssertUnwindSafe, path::PathBuf, time::Duration};

use dev_servers::{Process, Spec, folder, ports};
use fantoccini::{
    Client, ClientBuilder, Locator,
    elements::Element,
    wd::{Capabilities, WebDriverCompatibleCommand},
};
use futures::FutureExt;
use hyper_util::client::legacy::connect::HttpConnector;
use serde_json::{Value, json};
use tempfile::TempDir;
use tokio::time::Instant;

const TIMEOUT: Duration = Duration::from_secs(30);
const POLL: Duration = Duration::from_millis(50);
const FLAGS: [&str; 9] = [
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--window-size=1100,900",
];

pub struct Chrome {
    pub client: Client,
    driver: Process,
    _profile: TempDir,
}

/// Runs a test with a browser. A failure leaves a picture in target/browser; the browser ends either way.
pub async fn with_chrome(name: &str, test: impl AsyncFnOnce(&Chrome)) {
    let mut chrome = Chrome::start().await;
    let outcome = AssertUnwindSafe(test(&chrome)).catch_unwind().await;
    if outcome.is_err() {
        chrome.keep(&format!("failed-{name}")).await;
    }
    let _closed = chrome.client.clone().close().await;
    chrome.driver.stop(Duration::from_secs(10)).await.unwrap();
    outcome.unwrap_or_else(|panic| std::panic::resume_unwind(panic));
}

impl Chrome {
    async fn start() -> Self {
        let profile = folder::temporary(None).unwrap();
        let port = ports::free().unwrap();
        let log = profile.path().join("chromedriver.log");
        let spec = Spec::new("chromedriver", "chromedriver", profile.path(), &log);
        let driver = Process::start(spec.args([format!("--port={port}")])).await.unwrap();
        let mut flags: Vec<_> = FLAGS.map(str::to_owned).into();
        flags.push(format!("--user-data-dir={}", profile.path().join("profile").display()));
        let capabilities =
            json!({"goog:chromeOptions": {"args": flags}, "goog:loggingPrefs": {"browser": "ALL"}});
        let capabilities: Capabilities = serde_json::from_value(capabilities).unwrap();
        let address = format!("http://127.0.0.1:{port}");
        let client = until("chromedriver answers", async || {
            let mut builder = ClientBuilder::new(HttpConnector::new());
            builder.capabilities(capabilities.clone()).connect(&address).await.ok()
        });
        Self { client: client.await, driver, _profile: profile }
    }

    pub async fn open(&self, url: &str) {
        self.client.goto(url).await.unwrap();
    }

    /// The element that a CSS selector names, once it is there.
    pub async fn find(&self, css: &str) -> Element {
        let wait = self.client.wait().at_most(TIMEOUT).every(POLL);
        wait.for_element(Locator::Css(css)).await.unwrap_or_else(|error| panic!("{css}: {error}"))
    }

    /// Clicks on what a CSS selector names, once it is there.
    pub async fn click(&self, css: &str) {
        let element = self.find(css).await;
        let script = "arguments[0].scrollIntoView({block: 'center'})";
        self.client.execute(script, vec![serde_json::to_value(&element).unwrap()]).await.unwrap();
        element.click().await.unwrap_or_else(|error| panic!("click {css}: {error}"));
    }

    /// Writes into the field that a CSS selector names.
    pub async fn write(&self, css: &str, text: &str) {
        let field = self.find(css).await;
        field.clear().await.unwrap();
        field.send_keys(text).await.unwrap();
    }

    /// Waits until the text of what a CSS selector names is as wanted.
    pub async fn reads(&self, css: &str, wanted: &str) {
        let what = format!("{css} reads {wanted:?}");
        until(&what, async || {
            let found = self.client.find(Locator::Css(css)).await.ok()?;
            found.text().await.ok()?.contains(wanted).then_some(())
        })
        .await;
    }

    /// The HTTP status of the page that is open.
    pub async fn status(&self) -> u64 {
        let script = "return performance.getEntriesByType('navigation')[0].responseStatus";
        self.client.execute(script, Vec::new()).await.unwrap().as_u64().unwrap()
    }

    /// Keeps a picture of the page in target/browser.
    pub async fn keep(&self, name: &str) {
        let folder = PathBuf::from(concat!(env!("CARGO_MANIFEST_DIR"), "/../../target/browser"));
        fs::create_dir_all(&folder).unwrap();
        if let Ok(picture) = self.client.screenshot().await {
            fs::write(folder.join(format!("{name}.png")), picture).unwrap();
        }
    }

    /// Nothing was refused by a Content-Security-Policy, nothing failed to load, no script threw.
    pub async fn assert_no_complaints(&self, page: &str) {
        let log = self.client.issue_cmd(BrowserLog).await.unwrap();
        let severe = log.as_array().unwrap().iter().filter(|entry| entry["level"] == "SEVERE");
        let severe: Vec<&Value> = severe.map(|entry| &entry["message"]).collect();
        assert!(severe.is_empty(), "{page}: {severe:#?}");
    }
}

async fn until<T>(what: &str, mut look: impl AsyncFnMut() -> Option<T>) -> T {
    let deadline = Instant::now() + TIMEOUT;
    loop {
        if let Some(found) = look().await {
            return found;
        }
        assert!(Instant::now() < deadline, "not so after {} s: {what}", TIMEOUT.as_secs());
        tokio::time::sleep(POLL).await;
    }
}

/// What the console of the browser printed since the last call: an extension of chromedriver.
#[derive(Debug)]
struct BrowserLog;

impl WebDriverCompatibleCommand for BrowserLog {
    fn endpoint(&self, base: &url::Url, session: Option<&str>) -> Result<url::Url, url::ParseError> {
        base.join(&format!("session/{}/se/log", session.unwrap_or_default()))
    }

    fn method_and_body(&self, _: &url::Url) -> (http::Method, Option<String>) {
        (http::Method::POST, Some(json!({"type": "browser"}).to_string()))
    }
}
