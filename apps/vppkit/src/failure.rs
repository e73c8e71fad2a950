//! Exit codes, and the sentence a failure ends the program with.

use std::error::Error;
use std::process::ExitCode;

use vpp_conn::stats::StatsError;
use vpp_conn::{CallError, ConnectError};
use vpp_wire::ApiError;

/// The program was used wrongly, or what it was to do failed.
pub(crate) const FAILED: u8 = 1;
/// VPP answered with a negative return code.
pub(crate) const REFUSED: u8 = 2;
/// There is no VPP to talk to.
pub(crate) const NOT_CONNECTED: u8 = 3;

/// VPP answered a request with a negative return code.
#[derive(Debug, thiserror::Error)]
#[error("{message}: VPP refused: {code}")]
pub(crate) struct Refused {
    /// The request.
    pub(crate) message: String,
    /// Why.
    pub(crate) code: ApiError,
}

/// The exit code of an error.
pub(crate) fn exit_code(error: &anyhow::Error) -> ExitCode {
    let is_refused = error.is::<Refused>() || matches!(error.downcast_ref(), Some(CallError::Refused { .. }));
    let code = if is_refused {
        REFUSED
    } else if error.is::<ConnectError>() || matches!(error.downcast_ref(), Some(StatsError::Connect { .. })) {
        NOT_CONNECTED
    } else {
        FAILED
    };
    ExitCode::from(code)
}

/// The error and its causes on one line; a cause that the sentence before already told is not told again.
pub(crate) fn sentence(error: &anyhow::Error) -> String {
    let mut text = error.to_string();
    let mut source: Option<&(dyn Error + 'static)> = error.chain().nth(1);
    while let Some(cause) = source {
        let cause_text = cause.to_string();
        if !text.contains(&cause_text) {
            text.push_str(": ");
            text.push_str(&cause_text);
        }
        source = cause.source();
    }
    text
}

/// Whether the reader of the program's output went away: that ends the program, and is no failure worth a word.
pub(crate) fn is_broken_pipe(error: &anyhow::Error) -> bool {
    error.chain().any(|cause| {
        let io = cause.downcast_ref::<std::io::Error>().map(std::io::Error::kind);
        let json = cause.downcast_ref::<serde_json::Error>().and_then(serde_json::Error::io_error_kind);
        io.or(json) == Some(std::io::ErrorKind::BrokenPipe)
    })
}

#[cfg(test)]
mod tests {
    use anyhow::anyhow;

    use super::*;

    #[test]
    fn a_cause_is_told_once() {
        let error =
            anyhow!("no such file").context("cannot read a.json: no such file").context("cannot start");
        assert_eq!(sentence(&error), "cannot start: cannot read a.json: no such file");
    }

    #[test]
    fn a_refusal_is_found_below_its_context() {
        let refused = Refused { message: "create_loopback".to_owned(), code: ApiError(-6) };
        let error = anyhow::Error::from(refused).context("the third of five");
        assert_eq!(exit_code(&error), ExitCode::from(REFUSED));
        assert_eq!(exit_code(&anyhow!("something else")), ExitCode::from(FAILED));
    }
}
