//! Random calls, and what must come of each.

use std::fmt;
use std::ops::AddAssign;
use std::time::Duration;

use anyhow::{Result, bail, ensure};
use fastrand::Rng;
use vpp_26_06::interface::{IfStatusFlags, SwInterfaceDump, SwInterfaceEvent, SwInterfaceSetFlags};
use vpp_26_06::memclnt::ControlPing;
use vpp_26_06::vpe::ShowVersion;
use vpp_conn::{CallError, Connection};
use vpp_wire::ApiError;

/// No interface has this index or one behind it.
const NO_INTERFACE: u32 = 0x7fff_0000;

/// What was done.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Tally {
    /// Requests.
    pub(super) begun: u64,
    /// Of these, the ones that were dropped at some point, or that were given too little time.
    pub(super) given_up: u64,
    dumps: u64,
    pipelines: u64,
    subscriptions: u64,
    events: u64,
}

impl AddAssign for Tally {
    fn add_assign(&mut self, other: Self) {
        self.begun += other.begun;
        self.given_up += other.given_up;
        self.dumps += other.dumps;
        self.pipelines += other.pipelines;
        self.subscriptions += other.subscriptions;
        self.events += other.events;
    }
}

impl fmt::Display for Tally {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { begun, given_up, dumps, pipelines, subscriptions, events } = self;
        write!(
            f,
            "{begun} calls, {given_up} of them given up; {dumps} dumps, {pipelines} pipelines, {subscriptions} \
             subscriptions with {events} events"
        )
    }
}

/// One task's calls, one random piece of work after the other.
pub(super) async fn make_calls(
    vpp: Connection,
    share: u64,
    seed: u64,
    interfaces: Vec<u32>,
) -> Result<Tally> {
    let mut worker = Worker { vpp, random: Rng::with_seed(seed), interfaces, tally: Tally::default() };
    while worker.tally.begun < share {
        match worker.random.u32(0..100) {
            0..35 => worker.call().await?,
            35..50 => worker.call_on_an_interface().await?,
            50..60 => worker.impatient_call().await?,
            60..75 => worker.dump().await?,
            75..99 => worker.pipeline().await?,
            _ => worker.events().await?,
        }
    }
    Ok(worker.tally)
}

struct Worker {
    vpp: Connection,
    random: Rng,
    interfaces: Vec<u32>,
    tally: Tally,
}

impl Worker {
    fn interface(&mut self) -> u32 {
        let index = self.random.usize(..self.interfaces.len());
        self.interfaces[index]
    }

    /// Waits for something to its end, or only for some polls of it.
    async fn perhaps<T>(&mut self, work: impl Future<Output = T>) -> Option<T> {
        if self.random.u32(0..3) > 0 {
            return Some(work.await);
        }
        let polls = self.random.u32(0..6);
        tokio::select! {
            biased;
            outcome = work => Some(outcome),
            () = pass(polls) => None,
        }
    }

    async fn call(&mut self) -> Result<()> {
        self.tally.begun += 1;
        let vpp = self.vpp.clone();
        match self.perhaps(async { vpp.call(&ShowVersion {}).await }).await {
            Some(reply) => ensure!(!reply?.version.to_string().is_empty(), "a version without text"),
            None => self.tally.given_up += 1,
        }
        Ok(())
    }

    /// The answer tells whether the interface exists, and so whether it is the answer to this request.
    async fn call_on_an_interface(&mut self) -> Result<()> {
        self.tally.begun += 1;
        let request = self.random_flags();
        let vpp = self.vpp.clone();
        match self.perhaps(async { vpp.call(&request).await.map(drop) }).await {
            Some(outcome) => check_flags(&request, outcome)?,
            None => self.tally.given_up += 1,
        }
        Ok(())
    }

    fn random_flags(&mut self) -> SwInterfaceSetFlags {
        let exists = self.random.bool();
        let sw_if_index = if exists { self.interface() } else { NO_INTERFACE + self.random.u32(..1000) };
        SwInterfaceSetFlags { sw_if_index, flags: IfStatusFlags::default() }
    }

    /// A call that its deadline may end before VPP does.
    async fn impatient_call(&mut self) -> Result<()> {
        self.tally.begun += 1;
        let deadline = Duration::from_micros(self.random.u64(0..2000));
        match self.vpp.call(&ControlPing).deadline(deadline).await {
            Ok(_) => {}
            Err(CallError::DeadlineExceeded { .. }) => self.tally.given_up += 1,
            Err(error) => return Err(error.into()),
        }
        Ok(())
    }

    /// All interfaces or a certain one; read to the end or not, and slowly or not.
    async fn dump(&mut self) -> Result<()> {
        self.tally.begun += 1;
        self.tally.dumps += 1;
        let certain = self.random.bool().then(|| self.interface());
        let mut dump = self.vpp.dump(&SwInterfaceDump {
            sw_if_index: certain.unwrap_or(u32::MAX),
            ..SwInterfaceDump::default()
        });
        let wanted = if self.random.u32(0..4) == 0 { self.random.usize(0..4) } else { usize::MAX };
        let mut seen = Vec::new();
        while seen.len() < wanted {
            pass(self.random.u32(0..3)).await;
            let next = self
                .perhaps(async { dump.next().await.map(|next| next.map(|it| it.view().sw_if_index())) })
                .await;
            match next {
                Some(next) => match next? {
                    Some(sw_if_index) => seen.push(sw_if_index),
                    None => break,
                },
                // The future was dropped; the stream goes on.
                None => pass(1).await,
            }
        }
        match certain {
            Some(index) => ensure!(seen.iter().all(|seen| *seen == index), "asked for {index}, got {seen:?}"),
            None if wanted == usize::MAX => {
                let missing = self.interfaces.iter().find(|index| !seen.contains(index));
                ensure!(missing.is_none(), "{missing:?} is missing from {seen:?}");
            }
            None => self.tally.given_up += 1,
        }
        Ok(())
    }

    async fn pipeline(&mut self) -> Result<()> {
        self.tally.pipelines += 1;
        let count = self.random.usize(1..400);
        let requests: Vec<_> = (0..count).map(|_| self.random_flags()).collect();
        let mut taken = 0;
        let pipeline = self.vpp.pipeline(requests.iter().cloned().inspect(|_| taken += 1));
        let pipeline = match self.random.u32(0..3) {
            0 => pipeline,
            1 => pipeline.window(self.random.usize(1..200)),
            _ => pipeline.ordered(),
        };
        let wanted = if self.random.u32(0..4) == 0 { self.random.usize(0..count) } else { count };
        let mut pipeline = pipeline;
        let mut seen = vec![false; count];
        let mut answered = 0;
        while answered < wanted {
            let Some((index, outcome)) = pipeline.next().await else {
                bail!("{answered} answers of {wanted}")
            };
            ensure!(!std::mem::replace(&mut seen[index], true), "request {index} was answered twice");
            check_flags(&requests[index], outcome.map(drop))?;
            answered += 1;
        }
        drop(pipeline);
        self.tally.begun += taken;
        self.tally.given_up += taken - answered as u64;
        Ok(())
    }

    /// Subscribes, makes an event, reads some, and ends it.
    async fn events(&mut self) -> Result<()> {
        self.tally.begun += 1;
        let vpp = self.vpp.clone();
        let Some(events) = self.perhaps(vpp.events::<SwInterfaceEvent>()).await else {
            self.tally.given_up += 1;
            return Ok(());
        };
        let mut events = events?;
        self.tally.subscriptions += 1;
        let sw_if_index = self.interface();
        for flags in [IfStatusFlags::ADMIN_UP, IfStatusFlags::default()] {
            self.tally.begun += 1;
            vpp.call(&SwInterfaceSetFlags { sw_if_index, flags }).await?;
            if let Some(event) = self.perhaps(with_patience(events.next())).await.flatten() {
                event?;
                self.tally.events += 1;
            }
        }
        Ok(())
    }
}

/// Other tasks may have undone what makes an event before VPP looked: then there is none.
async fn with_patience<T>(work: impl Future<Output = T>) -> Option<T> {
    tokio::time::timeout(Duration::from_millis(20), work).await.ok()
}

fn check_flags(request: &SwInterfaceSetFlags, outcome: Result<(), CallError>) -> Result<()> {
    let exists = request.sw_if_index < NO_INTERFACE;
    match outcome {
        Ok(()) if exists => Ok(()),
        Err(CallError::Refused { error: ApiError::INVALID_SW_IF_INDEX, .. }) if !exists => Ok(()),
        Err(error) if !matches!(error, CallError::Refused { .. }) => Err(error.into()),
        other => bail!("the answer of another call: interface {} gave {other:?}", request.sw_if_index),
    }
}

/// Ready after so many polls, in each of which others run.
async fn pass(polls: u32) {
    for _ in 0..polls {
        tokio::task::yield_now().await;
    }
}
