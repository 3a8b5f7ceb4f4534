//! Rules that several requests share.

use std::collections::BTreeSet;

/// A name has something to read in it.
pub(super) fn not_blank<C>(name: &str, _: &C) -> garde::Result {
    if name.trim().is_empty() { Err(garde::Error::new("must not be blank")) } else { Ok(()) }
}

/// Nothing is named twice.
pub(super) fn all_different<T: Ord, C>(ids: &[T], _: &C) -> garde::Result {
    let different: BTreeSet<_> = ids.iter().collect();
    if different.len() == ids.len() { Ok(()) } else { Err(garde::Error::new("must not have duplicates")) }
}
