//! What an error of the connection means for an item.

use vpp_agent_engine::Failure;
use vpp_conn::CallError;
use vpp_wire::ApiError;

/// What a call that did not come to its reply means for the item it was made for.
///
/// | Error | Tried again | Looked at before |
/// |---|---|---|
/// | VPP refused: the request is not acceptable whatever the state (`INVALID_VALUE`, `UNIMPLEMENTED`, …) | no | no |
/// | VPP refused: it is there already (`ENTRY_ALREADY_EXISTS`, …) | yes | yes |
/// | VPP refused for another reason: it may be gone later | yes | no |
/// | connection lost, no answer in time | yes | yes |
/// | an answer that makes no sense | no | yes |
/// | VPP lacks the message, the request cannot be written | no | no |
///
/// *Tried again* holds as far as the transaction's policy says so. *Looked at* means that the engine observes the item
/// before it does anything else with it, since the request may have had its effect; what was to be changed or deleted is
/// looked at after any failure.
#[must_use]
pub fn failure(error: &CallError) -> Failure {
    let failure = Failure::new(error);
    match error {
        CallError::Refused { error, .. } if is_of_the_request(*error) => failure.permanent(),
        CallError::Refused { error, .. } if is_there_already(*error) => failure.uncertain(),
        CallError::Refused { .. } => failure,
        CallError::Lost { .. }
        | CallError::DeadlineExceeded { .. }
        | CallError::StreamOverrun { .. }
        | CallError::NoProgress { .. } => failure.uncertain(),
        CallError::Decode(_) | CallError::Unexpected { .. } => failure.uncertain().permanent(),
        // Nothing was sent, and nothing else would be the next time. Errors that are yet to come are taken for such.
        _ => failure.permanent(),
    }
}

/// Says something about the request alone: the same one is refused at any time.
fn is_of_the_request(error: ApiError) -> bool {
    matches!(
        error,
        ApiError::INVALID_VALUE
            | ApiError::INVALID_VALUE_2
            | ApiError::INVALID_VALUE_3
            | ApiError::INVALID_VALUE_4
            | ApiError::UNIMPLEMENTED
            | ApiError::UNSUPPORTED
            | ApiError::FEATURE_DISABLED
            | ApiError::NO_PATHS_IN_ROUTE
            | ApiError::INVALID_VLAN
            | ApiError::INVALID_SRC_ADDRESS
            | ApiError::INVALID_DST_ADDRESS
            | ApiError::ADDRESS_LENGTH_MISMATCH
            | ApiError::INVALID_MEMORY_SIZE
            | ApiError::INVALID_VLAN_TAG_COUNT
            | ApiError::INVALID_ARGUMENT
            | ApiError::SAME_SRC_DST
            | ApiError::IP_PREFIX_INVALID
            | ApiError::INVALID_ADDRESS_FAMILY
            | ApiError::APP_UNSUPPORTED_CFG
            | ApiError::BD_NOT_MODIFIABLE
            | ApiError::BD_ID_EXCEED_MAX
            | ApiError::ILLEGAL_NAME
            | ApiError::BIER_BSL_UNSUP
            | ApiError::INVALID_PROTOCOL
            | ApiError::INVALID_ALGORITHM
            | ApiError::KEY_LENGTH
            | ApiError::FIB_PATH_UNSUPPORTED_NH_PROTO
            | ApiError::INVALID_PREFIX_LENGTH
    )
}

/// What was to be made is there: not as the engine knows it, or made by somebody meanwhile.
fn is_there_already(error: ApiError) -> bool {
    matches!(
        error,
        ApiError::VLAN_ALREADY_EXISTS
            | ApiError::SUBIF_ALREADY_EXISTS
            | ApiError::TUNNEL_EXIST
            | ApiError::IF_ALREADY_EXISTS
            | ApiError::VALUE_EXIST
            | ApiError::BFD_EEXIST
            | ApiError::ADDRESS_FOUND_FOR_INTERFACE
            | ApiError::ADDRESS_IN_USE
            | ApiError::DUPLICATE_IF_ADDRESS
            | ApiError::ENTRY_ALREADY_EXISTS
            | ApiError::BD_ALREADY_EXISTS
            | ApiError::INSTANCE_IN_USE
            | ApiError::INVALID_REGISTRATION
            | ApiError::FEATURE_ALREADY_ENABLED
            | ApiError::NO_CHANGE
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use vpp_conn::Lost;

    fn of(error: &CallError) -> (bool, bool) {
        let failure = failure(error);
        assert_eq!(failure.message, error.to_string());
        (failure.retriable, failure.uncertain)
    }

    fn refused(error: ApiError) -> CallError {
        CallError::Refused { request: "x".into(), error }
    }

    #[test]
    fn what_an_error_means() {
        assert_eq!(of(&refused(ApiError::NO_SUCH_FIB)), (true, false));
        assert_eq!(of(&refused(ApiError(-999))), (true, false), "a code that nobody knows");
        assert_eq!(of(&refused(ApiError::INVALID_VALUE)), (false, false));
        assert_eq!(of(&refused(ApiError::IF_ALREADY_EXISTS)), (true, true));
        assert_eq!(of(&CallError::Lost { request: "x".into(), lost: Lost::ClosedByVpp }), (true, true));
        let late = CallError::DeadlineExceeded { request: "x".into(), after: std::time::Duration::ZERO };
        assert_eq!(of(&late), (true, true));
        let other = CallError::Unexpected { request: "x".into(), got: "y".into() };
        assert_eq!(of(&other), (false, true));
        let absent = vpp_conn::Incompatible::Absent { name: "x".to_owned(), crc: 1 };
        assert_eq!(of(&CallError::Incompatible(absent)), (false, false));
    }
}
