//! [`interruptible`] ends a task in which the `eventstore` crate would go round for ever.
//!
//! The crate does not notice that a node ended a subscription in good order. It asks the ended stream again and again
//! within one poll, which no time-out and no abort can interrupt, and logs a warning each time. Nothing else of it can be
//! seen from outside. So the task is polled under a `tracing` subscriber of our own, which passes everything on and unwinds
//! at that one warning: the task ends, and the subscription with it.

use std::future::Future;
use std::panic::resume_unwind;
use std::pin::pin;

use tracing::level_filters::LevelFilter;
use tracing::span::{Attributes, Id, Record};
use tracing::subscriber::Interest;
use tracing::{Dispatch, Event, Level, Metadata, Subscriber, dispatcher};

/// Runs the future, and unwinds at the point where it would go round for ever.
pub async fn interruptible<F: Future>(future: F) -> F::Output {
    let watch = Dispatch::new(Watch(dispatcher::get_default(Dispatch::clone)));
    let mut future = pin!(future);
    std::future::poll_fn(|context| dispatcher::with_default(&watch, || future.as_mut().poll(context))).await
}

/// A `Watch` is a subscriber that passes everything on to the one that was set before, and watches for the warning.
struct Watch(Dispatch);

/// Says whether this is the warning. It is the only one that the crate logs there.
fn is_the_one(metadata: &Metadata<'_>) -> bool {
    metadata.target() == "eventstore::commands" && *metadata.level() == Level::WARN && metadata.is_event()
}

impl Subscriber for Watch {
    fn register_callsite(&self, metadata: &'static Metadata<'static>) -> Interest {
        if is_the_one(metadata) { Interest::always() } else { self.0.register_callsite(metadata) }
    }

    fn enabled(&self, metadata: &Metadata<'_>) -> bool {
        is_the_one(metadata) || self.0.enabled(metadata)
    }

    fn max_level_hint(&self) -> Option<LevelFilter> {
        // The warning must come through. Which finer events are wanted is for the other subscriber to say.
        Some(LevelFilter::WARN)
    }

    fn event(&self, event: &Event<'_>) {
        if is_the_one(event.metadata()) {
            // This is no fault, so it does not go through the panic hook.
            resume_unwind(Box::new("the node ended the subscription"));
        }
        if self.0.enabled(event.metadata()) {
            self.0.event(event);
        }
    }

    fn new_span(&self, span: &Attributes<'_>) -> Id {
        self.0.new_span(span)
    }

    fn record(&self, span: &Id, values: &Record<'_>) {
        self.0.record(span, values);
    }

    fn record_follows_from(&self, span: &Id, follows: &Id) {
        self.0.record_follows_from(span, follows);
    }

    fn enter(&self, span: &Id) {
        self.0.enter(span);
    }

    fn exit(&self, span: &Id) {
        self.0.exit(span);
    }

    fn clone_span(&self, id: &Id) -> Id {
        self.0.clone_span(id)
    }

    fn try_close(&self, id: Id) -> bool {
        self.0.try_close(id)
    }
}
