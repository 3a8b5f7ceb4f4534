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
    let lines = |statuses: BTreeSet<(String, u16)>| -> String {
        statuses.iter().map(|(route, status)| format!("\n  {route} {status}")).collect()
    };
    let (unseen, undocumented) = (lines(&documented - &seen), lines(&seen - &documented));
    assert!(unseen.is_empty(), "documented, but never seen:{unseen}");
    assert!(undocumented.is_empty(), "seen, but not documented:{undocumented}");
}
