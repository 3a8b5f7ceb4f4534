//! What was asked, against what the documents say.

use std::collections::BTreeSet;

use super::documents::Documents;
use crate::harness::Open;

/// Every documented status of every route was answered, and no other.
pub fn is_complete(open: &Open, documents: &Documents) {
    let documented: BTreeSet<(String, u16)> = documents
        .operations()
        .flat_map(|operation| operation.statuses().into_iter().map(|status| (operation.name(), status)))
        .collect();
    let mut seen = BTreeSet::new();
    for exchange in open.api.recorded() {
        let Some(operation) = documents.find(&exchange.method, &exchange.path) else { continue };
        seen.insert((operation.name(), exchange.status));
        if exchange.status >= 400 {
            assert_eq!(exchange.content_type, "application/problem+json", "{exchange:?}");
        }
    }
    assert_eq!(&documented - &seen, BTreeSet::new(), "documented, but never seen");
    assert_eq!(&seen - &documented, BTreeSet::new(), "seen, but not documented");
}
