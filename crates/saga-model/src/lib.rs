//! The saga of an order as a model: see the tests of this crate. It has no code of its own, so that nothing of it is built
//! into the shop.
