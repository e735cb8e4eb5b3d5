//! The client is the sending side: what a program that books over HTTP needs so that a lost answer never books twice.
//!
//! A [`request::Request`] gets its ID before the first attempt and keeps it through every one; [`policy::Policy`] says
//! which outcomes are tried again and when; [`sender::Client`] does it. [`outbox`] keeps requests in a file, over kills and
//! over days without a network. [`inbox`] is the receiving side: a message that comes again has its effect once. [`faults`] is
//! the opposite: a proxy that loses, doubles and delays, for demonstrations and tests. The client must not know
//! the service's inside (clerk, store, index): it speaks HTTP only and shares nothing but the domain's types, the signature and
//! the reader of requests. Down the way is HTTP. Up the way is `cli` (import, demo, send, outbox).

pub mod faults;
pub mod ids;
pub mod inbox;
pub mod outbox;
pub mod policy;
pub(crate) mod random;
pub mod request;
pub mod sender;
