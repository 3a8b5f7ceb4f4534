//! `stack with-shop -- CMD`: a shop for the time that a command takes.

use std::ffi::OsString;

use crate::databases::run_with;
use crate::shop::{Shop, ShopOptions};
use crate::signals::Signals;
use crate::{Error, Result};

/// Runs a command with `SHOP_URL` set, and returns the code it ended with; 1 if the shop did not survive it.
pub async fn run(command: &[OsString]) -> Result<u8> {
    let (program, args) =
        command.split_first().ok_or_else(|| Error::other("no command was given after --"))?;
    let mut signals = Signals::listen()?;
    let mut options = ShopOptions::for_test(None)?;
    options.settings = options.settings.without_limits().with("PAYMENT_EXPIRY_SECONDS", "60");
    let mut shop = tokio::select! {
        started = Shop::start(options, |_| {}) => started?,
        () = signals.asked_to_end() => return Ok(130),
    };
    let code = run_with(("SHOP_URL", shop.base_url()), program, args, &mut signals).await;
    let survived = shop.check();
    shop.stop().await?;
    survived.and(code)
}
