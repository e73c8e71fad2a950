//! The child: an agent that does what it is told, until it is killed.

use std::io::Write;
use std::path::{Path, PathBuf};

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::UnixStream;
use vpp_agent_engine::{
    Action, Batch, Change, Descriptor, Engine, Failure, Key, Needs, Observed, Outcomes, RedbJournal, Resync,
    Settings,
};

use crate::southbound::{Answer, Operation, Request};
use crate::wishes::Thing;
use crate::{Order, Told};

/// Where the journal and the socket are; set for children only.
pub(crate) const FOLDER: &str = "KILL_CHILD_FOLDER";

/// Ports, or routes.
struct Things<const ROUTES: bool>(PathBuf);

type Ports = Things<false>;
type Routes = Things<true>;

impl<const ROUTES: bool> Things<ROUTES> {
    async fn ask(&self, request: &Request) -> std::io::Result<Answer> {
        let mut stream = UnixStream::connect(&self.0).await?;
        stream.write_all(&serde_json::to_vec(request)?).await?;
        stream.write_all(b"\n").await?;
        let mut answer = Vec::new();
        stream.read_to_end(&mut answer).await?;
        Ok(serde_json::from_slice(&answer)?)
    }

    async fn all(&self, action: Action, batch: Batch<Self>) -> Outcomes {
        let operation = |entry: &vpp_agent_engine::Entry<Self>| Operation {
            action: action.to_string(),
            key: entry.key.to_string(),
            thing: entry.value().clone(),
        };
        match self.ask(&Request::Operate(batch.iter().map(operation).collect())).await {
            Ok(Answer::Operated(results)) => results
                .into_iter()
                .map(|result| result.map_err(|why| Failure::new(why).permanent()))
                .collect(),
            other => batch.iter().map(|_| Err(Failure::new(format!("{other:?}")).uncertain())).collect(),
        }
    }
}

impl<const ROUTES: bool> Descriptor for Things<ROUTES> {
    type Value = Thing;
    type Metadata = ();
    const KIND: &'static str = if ROUTES { "route" } else { "port" };
    const BATCH: usize = 4;

    fn key(thing: &Thing) -> Key {
        Key::new(Self::KIND, &thing.name)
    }
    fn needs(&self, thing: &Thing) -> Needs {
        thing.port.as_ref().map_or(Needs::none(), Needs::item::<Ports>)
    }
    fn change(&self, _: &Thing, _: &Thing) -> Change {
        if ROUTES { Change::Recreate } else { Change::InPlace }
    }
    async fn observe(&self) -> Result<Vec<Observed<Self>>, Failure> {
        match self.ask(&Request::Observe(Self::KIND.to_owned())).await {
            Ok(Answer::Observed(things)) => {
                Ok(things.into_iter().map(|thing| Observed::new(thing, ())).collect())
            }
            other => Err(Failure::new(format!("{other:?}"))),
        }
    }
    async fn create(&self, batch: Batch<Self>) -> Outcomes {
        self.all(Action::Create, batch).await
    }
    async fn update(&self, batch: Batch<Self>) -> Outcomes {
        self.all(Action::Update, batch).await
    }
    async fn delete(&self, batch: Batch<Self>) -> Outcomes {
        self.all(Action::Delete, batch).await
    }
}

fn tell(told: &Told) {
    // One write, so that a line is whole or not there.
    let line = serde_json::to_string(told).expect("a line") + "\n";
    let mut output = std::io::stdout().lock();
    // The parent is gone: nobody is told.
    let _ = output.write_all(line.as_bytes()).and_then(|()| output.flush());
}

async fn obey(engine: Engine, order: Order) {
    let mut transaction = engine.transaction();
    for change in order.changes {
        let key = Key::parse(&change.key).expect("a key");
        transaction = match change.value {
            None => transaction.delete_key(key),
            Some(thing) if key.kind() == "port" => transaction.set::<Ports>(thing),
            Some(thing) => transaction.set::<Routes>(thing),
        };
    }
    if order.revert {
        transaction = transaction.revert();
    }
    if order.whole {
        transaction = transaction.resync(Resync::Desired);
    }
    if let Ok(report) = transaction.commit().await {
        tell(&Told::Reported(order.number, format!("{:?}", report.ending)));
    }
}

pub(crate) fn run(folder: &Path) {
    let (order, mut orders) = tokio::sync::mpsc::unbounded_channel::<Order>();
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .enable_all()
        .build()
        .expect("a runtime");
    runtime.block_on(async {
        let journal = RedbJournal::open(folder.join("state")).expect("the journal");
        let engine = Engine::start(Settings { journal: Some(Box::new(journal)), ..Settings::default() });
        engine.register(Things::<false>(folder.join("southbound")));
        engine.register(Things::<true>(folder.join("southbound")));
        // It has observed, and done what follows from that, when nothing is left to do.
        engine.check().await.expect("the engine");
        while !engine.is_at_rest() {
            tokio::time::sleep(std::time::Duration::from_millis(1)).await;
        }
        tell(&Told::Rests);
        std::thread::spawn(move || {
            for line in std::io::stdin().lines().map_while(Result::ok) {
                let _ = order.send(serde_json::from_str(&line).expect("an order"));
            }
        });
        while let Some(order) = orders.recv().await {
            tokio::spawn(obey(engine.clone(), order));
        }
    });
}
