//! Roles: what somebody who asks something of the ledger is to it.

/// The role of a caller. What each may do is said by the ledger (`ledger::permission`).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Role {
    /// Books deposits, withdrawals and reversals, opens accounts without credit, reads accounts and its own transactions.
    Teller,
    /// Only reads.
    Auditor,
    /// Does everything.
    Operator,
}

impl Role {
    /// All roles.
    pub const ALL: [Self; 3] = [Self::Teller, Self::Auditor, Self::Operator];

    /// Its name.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Teller => "teller",
            Self::Auditor => "auditor",
            Self::Operator => "operator",
        }
    }
}
