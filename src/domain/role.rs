//! A role says what kind of caller asks something of the ledger.

/// A `Role` is the role of a caller. The ledger says what each role may do (`ledger::permission`).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Role {
    /// A teller books deposits, withdrawals and reversals, opens accounts without credit, reads accounts and its own
    /// transactions.
    Teller,
    /// An auditor only reads.
    Auditor,
    /// An operator does everything.
    Operator,
}

impl Role {
    /// These are all roles.
    pub const ALL: [Self; 3] = [Self::Teller, Self::Auditor, Self::Operator];

    /// Returns its name.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Teller => "teller",
            Self::Auditor => "auditor",
            Self::Operator => "operator",
        }
    }
}
