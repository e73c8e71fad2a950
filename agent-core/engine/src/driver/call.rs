//! One call of a descriptor: a task of its own, with a deadline; a panic is a failure.

use std::panic::AssertUnwindSafe;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use tokio::sync::mpsc::UnboundedSender;
use tokio::time::Instant;

use super::southbound::Boxed;
use super::{Completion, Southbound};
use crate::planner::{Operation, Outcome};
use crate::{Action, Failure};

struct Contained<T>(Boxed<T>);

impl<T> Future for Contained<T> {
    type Output = Result<T, Failure>;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        // The future is not polled again after a panic, so what state it is in does not matter.
        match std::panic::catch_unwind(AssertUnwindSafe(|| self.0.as_mut().poll(cx))) {
            Ok(poll) => poll.map(Ok),
            Err(panic) => {
                let text = panic
                    .downcast_ref::<&str>()
                    .map(|text| (*text).to_owned())
                    .or_else(|| panic.downcast_ref::<String>().cloned());
                let text = text.unwrap_or_else(|| "no message".to_owned());
                Poll::Ready(Err(Failure::new(format!("the descriptor panicked: {text}"))
                    .uncertain()
                    .permanent()))
            }
        }
    }
}

async fn within<T>(deadline: Duration, call: Boxed<T>) -> Result<T, Failure> {
    match tokio::time::timeout(deadline, Contained(call)).await {
        Ok(result) => result,
        Err(_) => Err(Failure::timed_out(deadline)),
    }
}

/// A dump may take longer than an operation.
const DUMPS_TAKE: u32 = 6;

pub(super) fn observe(kind: u32, southbound: Arc<dyn Southbound>, done: UnboundedSender<Completion>) {
    tokio::spawn(async move {
        let result = within(southbound.limits().deadline * DUMPS_TAKE, southbound.observe()).await;
        let _ = done.send(Completion::Observed(kind, result.and_then(|items| items)));
    });
}

pub(super) fn operate(
    kind: u32,
    action: Action,
    operations: Vec<Operation>,
    southbound: Arc<dyn Southbound>,
    done: UnboundedSender<Completion>,
) {
    let ids: Vec<u64> = operations.iter().map(|operation| operation.id).collect();
    tokio::spawn(async move {
        let begun = Instant::now();
        let call = southbound.operate(action, operations, done.clone());
        if let Err(failure) = within(southbound.limits().deadline, call).await {
            tracing::warn!(operations = ids.len(), %action, "{failure}");
            for id in ids {
                let _ = done.send(Completion::Finished(id, Outcome::Failed(failure.clone())));
            }
        }
        let _ = done.send(Completion::Returned(kind, begun.elapsed()));
    });
}
