//! A stream's task answers: it makes verdicts of the rulings of a round, and says why there are none.

use crate::clerk::rule::{First, Ruling};
use crate::clerk::verdict::{Unavailable, Verdict};
use crate::store::Position;
use crate::tasks::timeout;

use super::booked::Booked;
use super::inbox::Work;
use super::stream_task::StreamTask;
use super::trouble::Trouble;

impl StreamTask {
    /// Answers the first commands that wait with the rulings of a round.
    pub(super) fn answer(&self, work: &mut Work, rulings: Vec<Ruling>, position: Position) {
        for ruling in rulings {
            let verdict = match ruling {
                Ruling::Booked(event) => Verdict::Booked(event, position),
                Ruling::Seen(First::AtHand(event)) => Verdict::Seen(event, position),
                Ruling::Seen(First::Durable(event, position)) => self.seen(Booked { event, position }),
                // A round reads what it finds.
                Ruling::Seen(First::Stored(_)) => Verdict::Unavailable(Unavailable::StoreUnavailable),
                Ruling::Refused(refusal) => Verdict::Refused(refusal),
                Ruling::Unavailable(why) => Verdict::Unavailable(why),
            };
            if let Verdict::Booked(_, position) = &verdict {
                self.common.told(*position);
            }
            work.answer(verdict);
        }
    }

    /// Makes the answer from a durable event. From now on this instance knows of the event, though its index may not
    /// yet.
    fn seen(&self, booked: Booked) -> Verdict {
        let (common, Booked { event, position }) = (&self.common, booked);
        if position > common.index.reached() {
            common.reserved.booked(std::slice::from_ref(&event), position, || common.index.reached());
        }
        common.told(position);
        Verdict::Seen(event, position)
    }

    /// Answers the commands of a round whose append has an unknown outcome, and all others that wait.
    pub(super) fn answer_unknown(&self, work: &mut Work, rulings: Vec<Ruling>) {
        for ruling in rulings {
            let verdict = match ruling {
                Ruling::Booked(_) | Ruling::Seen(First::AtHand(_)) => {
                    Verdict::Unavailable(Unavailable::OutcomeUnknown)
                }
                Ruling::Seen(First::Durable(event, position)) if event.stream == self.name => {
                    self.seen(Booked { event, position })
                }
                Ruling::Seen(First::Durable(..) | First::Stored(_)) | Ruling::Refused(_) => {
                    Verdict::Unavailable(Unavailable::StoreUnavailable)
                }
                Ruling::Unavailable(why) => Verdict::Unavailable(why),
            };
            work.answer(verdict);
        }
        self.answer_doubtful(work);
    }

    /// Waits a while until the index shows what is in the store again; then all is looked up and decided anew.
    pub(super) async fn blind(&mut self, work: &mut Work, rulings: Vec<Ruling>) {
        let known = |ruling: &Ruling| matches!(ruling, Ruling::Seen(First::Durable(..)));
        let patience = self.common.waits.patience;
        if rulings.iter().all(known) || timeout(patience, self.common.seen.has_sight()).await.is_err() {
            self.answer_blind(work, rulings);
        }
    }

    /// Answers commands while the index does not show what is in the store: what is known is answered, and nothing is decided,
    /// since another instance may have booked the ID.
    fn answer_blind(&self, work: &mut Work, rulings: Vec<Ruling>) {
        for ruling in rulings {
            let verdict = match ruling {
                Ruling::Seen(First::Durable(event, position)) => self.seen(Booked { event, position }),
                Ruling::Unavailable(why) => Verdict::Unavailable(why),
                Ruling::Booked(_)
                | Ruling::Seen(First::AtHand(_) | First::Stored(_))
                | Ruling::Refused(_) => Verdict::Unavailable(Unavailable::StoreUnavailable),
            };
            work.answer(verdict);
        }
    }

    /// Answers commands that come while an append is unresolved: nothing new is decided.
    pub(super) fn answer_doubtful(&self, work: &mut Work) {
        while let Some(id) = work.next_id() {
            let verdict = match self.view.as_ref().and_then(|known| known.seen(id)) {
                _ if self.common.reserved.is_unresolved(id) => {
                    Verdict::Unavailable(Unavailable::OutcomeUnknown)
                }
                Some(booked) => self.seen(booked.clone()),
                None => Verdict::Unavailable(Unavailable::StoreUnavailable),
            };
            work.answer(verdict);
        }
    }

    /// Answers the first commands that wait, which can't be ruled on.
    pub(super) fn give_up(&mut self, work: &mut Work, count: usize, trouble: Trouble) {
        self.view = None;
        let why = match trouble {
            Trouble::Unreachable | Trouble::Newer => Unavailable::StoreUnavailable,
            Trouble::Damaged(why) => {
                self.common.damage.stream(&self.name, &why, false);
                Unavailable::StoreDamaged
            }
        };
        for _ in 0..count.min(work.left()) {
            work.answer(Verdict::Unavailable(why));
        }
    }
}
