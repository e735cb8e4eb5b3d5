//! [`Page`] is a page of a list, as all lists are answered.

use serde::Serialize;

/// A page of a list.
#[derive(Serialize, utoipa::ToSchema)]
pub(crate) struct Page<T> {
    /// The items.
    pub(crate) items: Vec<T>,
    /// What `cursor` takes to go on; null at the end.
    #[schema(required = true)]
    pub(crate) next: Option<String>,
}
