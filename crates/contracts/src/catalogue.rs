//! What product-service broadcasts: which products an administrator changed. Whoever keeps products in memory for a moment
//! reads them again; whoever misses it does so when that moment is over.

use crate::ProductId;

/// The channel of Redis' publish and subscribe.
pub const CHANNEL: &str = "catalogue:changed";

/// The message for these products; for none of them, that any may have changed.
pub fn message(ids: &[ProductId]) -> String {
    ids.iter().map(ToString::to_string).collect::<Vec<_>>().join(" ")
}

/// The products of a message; none if any may have changed.
pub fn changed(message: &str) -> Vec<ProductId> {
    message.split(' ').map_while(|id| id.parse().ok()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_message_is_read_as_it_was_written() {
        let ids = [3, 14].map(|id: i64| ProductId::try_from(id).unwrap());
        assert_eq!(message(&ids), "3 14");
        assert_eq!(changed("3 14"), ids);
        assert_eq!((message(&[]).as_str(), changed("")), ("", vec![]));
        assert_eq!(changed("of a later version"), [], "whatever it says, something changed");
    }
}
