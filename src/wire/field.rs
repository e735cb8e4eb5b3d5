//! A field of a request has a name on the wire, and its value is JSON of one form.

/// A `Field` is a field that some request has.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(usize)]
pub(crate) enum Field {
    /// `op`, in a batch.
    Op,
    /// `transaction_id`
    TransactionId,
    /// `account`
    Account,
    /// `currency`
    Currency,
    /// `overdraft_limit`
    OverdraftLimit,
    /// `amount`
    Amount,
    /// `counter_account`
    CounterAccount,
    /// `effective_at`
    EffectiveAt,
    /// `reverses`
    Reverses,
    /// `hold`, in a batch.
    Hold,
    /// `from`
    From,
    /// `to`
    To,
    /// `outcome`
    Outcome,
    /// `reference`
    Reference,
    /// `balance`
    Balance,
    /// `direction`
    Direction,
    /// `reason`
    Reason,
    /// `corrects`
    Corrects,
    /// `force`
    Force,
    /// `metadata`
    Metadata,
    /// `after`
    After,
    /// `expected_revision`
    ExpectedRevision,
    /// `expires_in_seconds`
    ExpiresInSeconds,
    /// `timeout_seconds`
    TimeoutSeconds,
}

/// A `Form` is the form of JSON that a field's value has.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Form {
    /// The value is a string.
    Text,
    /// The value is a whole number that is not negative.
    Number,
    /// The value is an array of strings; only [`Field::Corrects`] is one.
    List,
    /// The value is `true` or `false`; only [`Field::Force`] is one.
    Flag,
    /// The value is a position, or the text `head`; only [`Field::After`] is one.
    Place,
    /// The value is a flat object of strings; only [`Field::Metadata`] is one.
    Pairs,
}

/// This is how many fields are texts; they come first.
pub(crate) const TEXTS: usize = Field::Reason as usize + 1;

/// This is the first of the fields that are whole numbers; they come last.
const FIRST_NUMBER: usize = Field::ExpectedRevision as usize;

/// This is how many fields are whole numbers.
pub(crate) const NUMBERS: usize = Field::ALL.len() - FIRST_NUMBER;

impl Field {
    /// These are all fields. Those that are missing are told in this order.
    pub(crate) const ALL: [Self; 24] = [
        Self::Op,
        Self::TransactionId,
        Self::Account,
        Self::Currency,
        Self::OverdraftLimit,
        Self::Hold,
        Self::From,
        Self::To,
        Self::Outcome,
        Self::Amount,
        Self::Reference,
        Self::ExpiresInSeconds,
        Self::TimeoutSeconds,
        Self::CounterAccount,
        Self::EffectiveAt,
        Self::Reverses,
        Self::Balance,
        Self::Direction,
        Self::Reason,
        Self::ExpectedRevision,
        Self::Corrects,
        Self::Force,
        Self::After,
        Self::Metadata,
    ];

    /// Returns its name on the wire.
    #[must_use]
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Op => "op",
            Self::TransactionId => "transaction_id",
            Self::Account => "account",
            Self::Currency => "currency",
            Self::OverdraftLimit => "overdraft_limit",
            Self::Amount => "amount",
            Self::CounterAccount => "counter_account",
            Self::EffectiveAt => "effective_at",
            Self::Reverses => "reverses",
            Self::Hold => "hold",
            Self::From => "from",
            Self::To => "to",
            Self::Outcome => "outcome",
            Self::Reference => "reference",
            Self::Balance => "balance",
            Self::Direction => "direction",
            Self::Reason => "reason",
            Self::ExpectedRevision => "expected_revision",
            Self::Corrects => "corrects",
            Self::Force => "force",
            Self::After => "after",
            Self::Metadata => "metadata",
            Self::ExpiresInSeconds => "expires_in_seconds",
            Self::TimeoutSeconds => "timeout_seconds",
        }
    }

    /// Returns the field with this name.
    #[must_use]
    pub(crate) fn parse(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|field| field.name() == name)
    }

    /// Returns the form of JSON that its value has.
    pub(crate) const fn form(self) -> Form {
        match self {
            Self::Op
            | Self::TransactionId
            | Self::Account
            | Self::Currency
            | Self::OverdraftLimit
            | Self::Amount
            | Self::CounterAccount
            | Self::EffectiveAt
            | Self::Reverses
            | Self::Hold
            | Self::From
            | Self::To
            | Self::Outcome
            | Self::Reference
            | Self::Balance
            | Self::Direction
            | Self::Reason => Form::Text,
            Self::ExpectedRevision | Self::ExpiresInSeconds | Self::TimeoutSeconds => Form::Number,
            Self::Corrects => Form::List,
            Self::Force => Form::Flag,
            Self::After => Form::Place,
            Self::Metadata => Form::Pairs,
        }
    }

    /// Returns its place among the fields that are whole numbers.
    pub(crate) const fn number(self) -> usize {
        (self as usize).saturating_sub(FIRST_NUMBER)
    }

    /// Returns its bit in a set of fields.
    #[must_use]
    pub(crate) const fn bit(self) -> u32 {
        1 << self as usize
    }
}
