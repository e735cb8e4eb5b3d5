//! The state table of a transfer says which events are possible in a state, and to which state each leads.
//!
//! It is the one table: the fold and the decisions ask it, and the diagram in `docs/transfers.md` is printed from it (a test
//! compares them). The audit keeps a table of its own.

/// A `Stage` is a transfer's state, as answers and searches name it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Stage {
    /// Steps are being taken.
    UnderWay,
    /// The money shall not move; whether it has moved is being found out.
    Stopping,
    /// The payout may have been sent.
    Paying,
    /// The deadline is over, or a cancel came: what became of the payout is asked.
    Asking,
    /// The payout is paid and is to be captured.
    Finishing,
    /// The payout is not paid and never will be; the hold is to be released.
    Releasing,
    /// The service can't go on by itself.
    NeedsOperator,
    /// An operator left it as it is.
    Abandoned,
    /// The money moved once. This is an end.
    Completed,
    /// The hold was declined, so that nothing moved. This is an end.
    Declined,
    /// The hold was released, or ruled out, so that nothing moved. This is an end.
    Compensated,
    /// It was cancelled before anything moved. This is an end.
    Cancelled,
}

impl Stage {
    /// These are all states, in the order in which documents list them.
    pub const ALL: [Self; 12] = [
        Self::UnderWay,
        Self::Stopping,
        Self::Paying,
        Self::Asking,
        Self::Finishing,
        Self::Releasing,
        Self::NeedsOperator,
        Self::Abandoned,
        Self::Completed,
        Self::Declined,
        Self::Compensated,
        Self::Cancelled,
    ];

    /// Returns its name on the wire.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::UnderWay => "under_way",
            Self::Stopping => "stopping",
            Self::Paying => "paying",
            Self::Asking => "asking",
            Self::Finishing => "finishing",
            Self::Releasing => "releasing",
            Self::NeedsOperator => "needs_operator",
            Self::Abandoned => "abandoned",
            Self::Completed => "completed",
            Self::Declined => "declined",
            Self::Compensated => "compensated",
            Self::Cancelled => "cancelled",
        }
    }

    /// Returns the state with this name.
    #[must_use]
    pub fn parse(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|stage| stage.name() == name)
    }

    /// Says whether it is an end.
    #[must_use]
    pub fn is_end(self) -> bool {
        match self {
            Self::Completed | Self::Declined | Self::Compensated | Self::Cancelled => true,
            Self::UnderWay
            | Self::Stopping
            | Self::Paying
            | Self::Asking
            | Self::Finishing
            | Self::Releasing
            | Self::NeedsOperator
            | Self::Abandoned => false,
        }
    }

    /// Says whether the service goes on with it by itself.
    #[must_use]
    pub fn is_driven(self) -> bool {
        !self.is_end() && !matches!(self, Self::NeedsOperator | Self::Abandoned)
    }

    /// Returns where an event of this sort leads from here; `None` where it is impossible.
    #[must_use]
    pub fn after(self, trigger: Trigger) -> Option<Target> {
        TABLE.iter().find(|row| row.from == self && row.by == trigger).map(|row| row.to)
    }
}

/// A `Trigger` is a sort of event that changes the state of a transfer.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Trigger {
    /// `TransferCompleted`
    Completed,
    /// `TransferDeclined`
    Declined,
    /// `TransferCompensated`
    Compensated,
    /// `TransferCancelled`
    Cancelled,
    /// `TransferTimedOut`
    TimedOut,
    /// `TransferCancelRequested`
    CancelRequested,
    /// `PayoutSent`
    PayoutSent,
    /// `PayoutSettled`, paid.
    Paid,
    /// `PayoutSettled`, not paid.
    NotPaid,
    /// `PayoutContradicted`
    Contradicted,
    /// `TransferStalled`
    Stalled,
    /// `TransferResumed`
    Resumed,
    /// `TransferAbandoned`
    Abandoned,
}

impl Trigger {
    /// Returns the words for it in the diagram.
    #[must_use]
    pub fn label(self) -> &'static str {
        match self {
            Self::Completed => "TransferCompleted",
            Self::Declined => "TransferDeclined",
            Self::Compensated => "TransferCompensated",
            Self::Cancelled => "TransferCancelled",
            Self::TimedOut => "TransferTimedOut",
            Self::CancelRequested => "TransferCancelRequested",
            Self::PayoutSent => "PayoutSent",
            Self::Paid => "PayoutSettled (done)",
            Self::NotPaid => "PayoutSettled (declined)",
            Self::Contradicted => "PayoutContradicted",
            Self::Stalled => "TransferStalled",
            Self::Resumed => "TransferResumed",
            Self::Abandoned => "TransferAbandoned",
        }
    }
}

/// A `Target` says to which state an event leads.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Target {
    /// It leads to this state.
    To(Stage),
    /// It leads back to the state in which the service stalled.
    Back,
}

/// A `Row` of the table says where one sort of event leads from one state.
#[derive(Clone, Copy, Debug)]
pub struct Row {
    /// This is the state before it.
    pub from: Stage,
    /// This is the sort of event.
    pub by: Trigger,
    /// This is where it leads.
    pub to: Target,
}

const fn row(from: Stage, by: Trigger, to: Stage) -> Row {
    Row { from, by, to: Target::To(to) }
}

const fn back(from: Stage) -> Row {
    Row { from, by: Trigger::Resumed, to: Target::Back }
}

/// This is the state table. What it does not have is impossible.
pub const TABLE: &[Row] = &[
    row(Stage::UnderWay, Trigger::Completed, Stage::Completed),
    row(Stage::UnderWay, Trigger::Declined, Stage::Declined),
    row(Stage::UnderWay, Trigger::Compensated, Stage::Compensated),
    row(Stage::UnderWay, Trigger::TimedOut, Stage::Stopping),
    row(Stage::UnderWay, Trigger::CancelRequested, Stage::Stopping),
    row(Stage::UnderWay, Trigger::PayoutSent, Stage::Paying),
    row(Stage::UnderWay, Trigger::Stalled, Stage::NeedsOperator),
    row(Stage::Stopping, Trigger::Completed, Stage::Completed),
    row(Stage::Stopping, Trigger::Declined, Stage::Declined),
    row(Stage::Stopping, Trigger::Compensated, Stage::Compensated),
    row(Stage::Stopping, Trigger::Cancelled, Stage::Cancelled),
    row(Stage::Stopping, Trigger::Stalled, Stage::NeedsOperator),
    row(Stage::Paying, Trigger::Paid, Stage::Finishing),
    row(Stage::Paying, Trigger::NotPaid, Stage::Releasing),
    row(Stage::Paying, Trigger::TimedOut, Stage::Asking),
    row(Stage::Paying, Trigger::CancelRequested, Stage::Asking),
    row(Stage::Paying, Trigger::Stalled, Stage::NeedsOperator),
    row(Stage::Asking, Trigger::Paid, Stage::Finishing),
    row(Stage::Asking, Trigger::NotPaid, Stage::Releasing),
    row(Stage::Asking, Trigger::Stalled, Stage::NeedsOperator),
    row(Stage::Finishing, Trigger::Completed, Stage::Completed),
    row(Stage::Finishing, Trigger::Contradicted, Stage::NeedsOperator),
    row(Stage::Finishing, Trigger::Stalled, Stage::NeedsOperator),
    row(Stage::Releasing, Trigger::Compensated, Stage::Compensated),
    row(Stage::Releasing, Trigger::Cancelled, Stage::Cancelled),
    row(Stage::Releasing, Trigger::Contradicted, Stage::NeedsOperator),
    row(Stage::Releasing, Trigger::Stalled, Stage::NeedsOperator),
    back(Stage::NeedsOperator),
    row(Stage::NeedsOperator, Trigger::Paid, Stage::Finishing),
    row(Stage::NeedsOperator, Trigger::NotPaid, Stage::Releasing),
    row(Stage::NeedsOperator, Trigger::Contradicted, Stage::NeedsOperator),
    row(Stage::NeedsOperator, Trigger::Abandoned, Stage::Abandoned),
    back(Stage::Abandoned),
    row(Stage::Abandoned, Trigger::Paid, Stage::Finishing),
    row(Stage::Abandoned, Trigger::NotPaid, Stage::Releasing),
    row(Stage::Abandoned, Trigger::Contradicted, Stage::NeedsOperator),
    row(Stage::Completed, Trigger::Contradicted, Stage::NeedsOperator),
    row(Stage::Declined, Trigger::Contradicted, Stage::NeedsOperator),
    row(Stage::Compensated, Trigger::Contradicted, Stage::NeedsOperator),
    row(Stage::Cancelled, Trigger::Contradicted, Stage::NeedsOperator),
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_state_has_one_name_and_each_event_one_target() {
        for stage in Stage::ALL {
            assert_eq!(Stage::parse(stage.name()), Some(stage));
        }
        for (place, row) in TABLE.iter().enumerate() {
            let same = TABLE.iter().filter(|other| (other.from, other.by) == (row.from, row.by)).count();
            assert_eq!(same, 1, "row {place}");
        }
    }

    /// Guards against: an end that is followed by another end.
    #[test]
    fn an_end_is_left_only_by_a_contradiction() {
        for row in TABLE.iter().filter(|row| row.from.is_end()) {
            assert_eq!((row.by, row.to), (Trigger::Contradicted, Target::To(Stage::NeedsOperator)));
        }
    }

    /// Returns the diagram of the table, in the language of Mermaid.
    fn diagram() -> String {
        let mut lines =
            vec!["stateDiagram-v2".to_owned(), "    [*] --> under_way: TransferRequested".to_owned()];
        for row in TABLE {
            let to = match row.to {
                Target::To(stage) => stage.name().to_owned(),
                Target::Back => format!("back_from_{}", row.from.name()),
            };
            lines.push(format!("    {} --> {to}: {}", row.from.name(), row.by.label()));
        }
        for stage in Stage::ALL.into_iter().filter(|stage| stage.is_end()) {
            lines.push(format!("    {} --> [*]", stage.name()));
        }
        lines.join("\n")
    }

    /// The diagram in the documents is printed from the table.
    #[test]
    fn the_diagram_in_the_documents_is_that_of_the_table() {
        let document = include_str!("../../../docs/transfers.md");
        let diagram = diagram();
        assert!(
            document.contains(&format!("```mermaid\n{diagram}\n```")),
            "docs/transfers.md lacks:\n{diagram}"
        );
    }
}
