//! What handlers give back, and handlers that tests give.

use std::fmt;
use std::sync::Arc;

use serde_json::{Value, json};
use vpp_wire::ApiError;

/// The answer to a request, in the JSON form of its messages. Fields that are left out are zero.
///
/// One of another shape than the request's service has is not sent, and the client waits in vain.
#[derive(Clone, Debug, PartialEq)]
pub enum Answer {
    /// The reply.
    Reply(Value),
    /// The elements of a stream that the client ends with a `control_ping`.
    Details(Vec<Value>),
    /// The elements of a stream and the reply that ends it.
    Stream {
        /// The elements.
        details: Vec<Value>,
        /// The end.
        reply: Value,
    },
}

/// What a test does at a request.
pub(crate) type Behaviour = Arc<dyn Fn(&Value) -> Answer + Send + Sync>;

/// Behaviour that was given for messages, by name.
#[derive(Clone, Default)]
pub(crate) struct Given(pub(crate) Vec<(String, Behaviour)>);

impl fmt::Debug for Given {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(self.0.iter().map(|(message, _)| message)).finish()
    }
}

impl Answer {
    /// A reply that says no more than whether it worked.
    pub(crate) fn done(result: Result<(), ApiError>) -> Self {
        Self::with(result, json!({}))
    }

    /// A reply with a return code and other fields. VPP fills those also when it refuses.
    pub(crate) fn with(result: Result<(), ApiError>, mut fields: Value) -> Self {
        fields["retval"] = result.err().map_or(0, |error| error.0).into();
        Self::Reply(fields)
    }

    /// The reply to a request that VPP would carry out and the stand-in cannot.
    pub(crate) fn unimplemented() -> Self {
        Self::done(Err(ApiError::UNIMPLEMENTED))
    }
}

impl From<Result<(), ApiError>> for Answer {
    fn from(result: Result<(), ApiError>) -> Self {
        Self::done(result)
    }
}
