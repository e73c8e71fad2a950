//! Agents beside VPPs that come and go, lack messages, and change by themselves.

use std::path::Path;
use std::time::Duration;

use vpp_26_06::interface::{CreateLoopbackInstance, DeleteLoopback, SwInterfaceDump, SwInterfaceEvent};
use vpp_26_06::ip::{IpTable, IpTableAddDel, IpTableDump};
use vpp_agent_engine::{Engine, Key, State};
use vpp_agent_kernel::{Agent, Context, HealthState, Plugin, PluginError, Provided, Running, Settings};
use vpp_agent_vpp::prelude::*;
use vpp_agent_vpp::{VppConnection, vpp_conn::Connection};
use vpp_sim::{Fault, Sim};

/// Nothing takes longer than this, also on a busy machine.
const LONG: Duration = Duration::from_secs(30);

/// A loopback of the VPP of number `N`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
struct Loopback {
    instance: u32,
}

struct Loopbacks<const N: usize>(Vpp);

impl<const N: usize> Descriptor for Loopbacks<N> {
    type Value = Loopback;
    type Metadata = u32;
    const KIND: &'static str = ["loopback", "east-loopback", "west-loopback"][N];
    const BATCH: usize = BATCH;

    fn key(loopback: &Loopback) -> Key {
        Key::new(Self::KIND, loopback.instance)
    }
    async fn observe(&self) -> Result<Vec<Observed<Self>>, Failure> {
        let interfaces = self.0.dump([SwInterfaceDump::default()]).await?;
        Ok(Observed::all(interfaces, |it| {
            let instance = it.interface_name.strip_prefix("loop")?.parse().ok()?;
            Some((Loopback { instance }, it.sw_if_index))
        }))
    }
    async fn create(&self, batch: Batch<Self>) -> Outcomes<u32> {
        let create = |it: &Entry<Self>| Ok(CreateLoopbackInstance::numbered(it.instance));
        self.0.make(&batch, create, |reply| reply.sw_if_index).await
    }
    async fn delete(&self, batch: Batch<Self>) -> Outcomes {
        self.0.pipeline(&batch, |it| Ok(DeleteLoopback { sw_if_index: *it.metadata()? })).await
    }
}

fn of_loopbacks() -> Messages {
    messages![CreateLoopbackInstance, DeleteLoopback, SwInterfaceDump]
}

/// A table, which stands for a kind that not every VPP has.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
struct Table {
    id: u32,
}

struct Tables(Vpp);

impl Tables {
    async fn set(&self, is_add: bool, batch: &Batch<Self>) -> Outcomes {
        let table = |id| IpTable { table_id: id, ..Default::default() };
        let request = |it: &Entry<Self>| Ok(IpTableAddDel { is_add, table: table(it.id) });
        self.0.pipeline(batch, request).await
    }
}

impl Descriptor for Tables {
    type Value = Table;
    type Metadata = ();
    const KIND: &'static str = "table";

    fn key(table: &Table) -> Key {
        Key::new(Self::KIND, table.id)
    }
    async fn observe(&self) -> Result<Vec<Observed<Self>>, Failure> {
        let of_clients = |it: &IpTable| !it.is_ip6 && it.table_id != 0;
        Ok(Observed::values(self.0.dump([IpTableDump]).await?, |it| {
            of_clients(&it.table).then_some(Table { id: it.table.table_id })
        }))
    }
    async fn create(&self, batch: Batch<Self>) -> Outcomes {
        self.set(true, &batch).await
    }
    async fn delete(&self, batch: Batch<Self>) -> Outcomes {
        self.set(false, &batch).await
    }
}

/// Both kinds in one VPP.
struct One;

impl Plugin for One {
    const NAME: &'static str = "one";
    type Config = ();
    type Needs = VppConnection;

    async fn start((): (), vpp: Provided<Self>, _: &Context) -> Result<Self, PluginError> {
        let vpp = vpp.vpp()?;
        let loopbacks = vpp.register(Loopbacks::<0>(vpp.clone()), of_loopbacks())?;
        vpp.register(Tables(vpp.clone()), messages![IpTableAddDel, IpTableDump])?;
        let keys = loopbacks.by(|index| *index);
        vpp.on_event(move |engine, event: SwInterfaceEvent| {
            engine.disappeared(keys.get(&event.sw_if_index).filter(|_| event.deleted));
        })?;
        Ok(Self)
    }
}

/// The same kind in two VPPs.
struct Two;

impl Plugin for Two {
    const NAME: &'static str = "two";
    type Config = ();
    type Needs = VppConnection;

    async fn start((): (), vpp: Provided<Self>, _: &Context) -> Result<Self, PluginError> {
        let (east, west) = (vpp.named("east")?, vpp.named("west")?);
        east.register(Loopbacks::<1>(east.clone()), of_loopbacks())?;
        west.register(Loopbacks::<2>(west.clone()), of_loopbacks())?;
        Ok(Self)
    }
}

async fn agent<P: Plugin>(settings: Settings) -> Running {
    let agent = Agent::builder("test").plugin::<P>().plugin::<VppConnection>().plugin::<Engine>();
    agent.start(settings).await.expect("the agent starts")
}

fn at(socket: &Path) -> Settings {
    Settings::none().set(format!("vpp.socket={}", socket.display()))
}

/// Waits until this holds of the item.
async fn until(engine: &Engine, key: &Key, holds: impl Fn(State, &str) -> bool) {
    let mut watch = engine.watch(key.as_str(), 64);
    let reached = async {
        loop {
            let status = engine.status(key);
            if status.as_ref().is_some_and(|status| holds(status.state, &status.pending.join("; "))) {
                return;
            }
            watch.next().await.expect("the engine runs");
        }
    };
    if tokio::time::timeout(LONG, reached).await.is_err() {
        panic!("{key} is {:?}", engine.status(key));
    }
}

async fn is(engine: &Engine, key: &Key, state: State) {
    until(engine, key, |now, _| now == state).await;
}

async fn health(agent: &Running, holds: impl Fn(&HealthState) -> bool) {
    let mut health = agent.health();
    let reached = health.wait_for(|all| all.of("vpp").is_some_and(&holds));
    if tokio::time::timeout(LONG, reached).await.is_err() {
        panic!("{}", *agent.health().borrow());
    }
}

fn socket() -> (tempfile::TempDir, std::path::PathBuf) {
    let folder = tempfile::Builder::new().prefix("vpp-").tempdir_in("/tmp").expect("a folder");
    let socket = folder.path().join("api.sock");
    (folder, socket)
}

fn loopback(instance: u32) -> (Key, Loopback) {
    (Key::new("loopback", instance), Loopback { instance })
}

/// L31: an agent starts without VPP, and tries for as long as it runs.
#[tokio::test]
async fn items_wait_for_vpp_and_are_made_again_when_it_is_back() {
    let (_folder, socket) = socket();
    let agent = agent::<One>(at(&socket)).await;
    let engine = agent.plugin::<Engine>().expect("an engine");
    let (key, value) = loopback(7);
    let report = engine.transaction().set::<Loopbacks<0>>(value).commit().await.expect("it runs");
    assert!(report.is_applied(), "{report}");
    let down = format!("VPP at {} is down", socket.display());
    until(&engine, &key, |state, why| state == State::Pending && why == down).await;
    health(
        &agent,
        |state| matches!(state, HealthState::Waiting(why) if why.contains("no socket at this path")),
    )
    .await;

    let sim = Sim::release("26.06").socket(&socket).start().await.expect("a stand-in");
    is(&engine, &key, State::Configured).await;
    health(&agent, |state| *state == HealthState::Ready).await;
    assert!(sim.interface("loop7").is_some());

    sim.crash();
    until(&engine, &key, |state, why| state == State::Pending && why == down).await;
    health(&agent, |state| matches!(state, HealthState::Waiting(_))).await;
    sim.start_again().expect("the socket is free");
    // Ready again is who has made it again.
    health(&agent, |state| *state == HealthState::Ready).await;
    assert_eq!(engine.status(&key).map(|status| status.state), Some(State::Configured));
    assert!(sim.interface("loop7").is_some());

    // Each life: observed, then made once.
    assert_eq!(sim.calls("create_loopback_instance"), 2);
    assert_eq!(sim.calls("sw_interface_dump"), 2);
    let vpp = agent.plugin::<VppConnection>().expect("the plugin").vpp().expect("one VPP");
    assert_eq!(vpp.name(), "vpp");
    agent.stop().await.expect("it stops");
    assert_eq!(sim.clients(), 0, "it took leave");
}

#[tokio::test]
async fn what_is_there_already_is_left_as_it_is() {
    let (_folder, socket) = socket();
    let sim = Sim::release("26.06").socket(&socket).start().await.expect("a stand-in");
    let before = Connection::connect(&socket).await.expect("a connection");
    let request = CreateLoopbackInstance { is_specified: true, user_instance: 3, ..Default::default() };
    let index = before.call(&request).await.expect("a loopback").sw_if_index;
    let agent = agent::<One>(at(&socket)).await;
    let engine = agent.plugin::<Engine>().expect("an engine");
    let (key, value) = loopback(3);
    engine.transaction().set::<Loopbacks<0>>(value).commit().await.expect("it runs");
    is(&engine, &key, State::Configured).await;
    assert_eq!(sim.calls("create_loopback_instance"), 1);

    // Somebody deletes it, VPP tells, and it is made again.
    before.call(&DeleteLoopback { sw_if_index: index }).await.expect("deleted");
    let again = async {
        while sim.calls("create_loopback_instance") < 2 {
            tokio::task::yield_now().await;
        }
    };
    tokio::time::timeout(LONG, again).await.expect("it is made again");
    is(&engine, &key, State::Configured).await;
    before.close().await.expect("closed");
    agent.stop().await.expect("it stops");
}

#[tokio::test]
async fn a_kind_whose_messages_vpp_lacks_is_unimplemented_until_another_vpp_has_them() {
    let (_folder, socket) = socket();
    let old =
        Sim::release("26.06").crc("ip_table_dump", 0xbad).socket(&socket).start().await.expect("a stand-in");
    let agent = agent::<One>(at(&socket)).await;
    let engine = agent.plugin::<Engine>().expect("an engine");
    let ((key, value), table) = (loopback(1), Key::new("table", 5));
    let transaction = engine.transaction().set::<Loopbacks<0>>(value).set::<Tables>(Table { id: 5 });
    transaction.commit().await.expect("it runs");
    is(&engine, &key, State::Configured).await;
    until(&engine, &table, |state, why| {
        state == State::Unimplemented
            && why.starts_with("this VPP speaks another ip_table_dump: it has 00000bad")
    })
    .await;
    health(&agent, |state| {
        matches!(state, HealthState::Degraded(why) if why.starts_with("table is unimplemented: this VPP speaks another"))
    })
    .await;
    assert_eq!(old.calls("ip_table_dump") + old.calls("ip_table_add_del"), 0);

    old.stop();
    until(&engine, &table, |state, _| state == State::Pending).await;
    let new = Sim::release("26.06").socket(&socket).start().await.expect("a stand-in");
    is(&engine, &table, State::Configured).await;
    is(&engine, &key, State::Configured).await;
    health(&agent, |state| *state == HealthState::Ready).await;
    assert_eq!(new.calls("ip_table_add_del"), 1);
    agent.stop().await.expect("it stops");
}

#[tokio::test]
async fn a_batch_of_which_vpp_refuses_one_item_is_made_but_for_that() {
    let (_folder, socket) = socket();
    let sim = Sim::release("26.06").socket(&socket).start().await.expect("a stand-in");
    let agent = agent::<One>(at(&socket)).await;
    let engine = agent.plugin::<Engine>().expect("an engine");
    health(&agent, |state| *state == HealthState::Ready).await;
    let all = (0..300).map(|instance| Loopback { instance }).chain([Loopback { instance: 99_999 }]);
    let report = engine.transaction().set_all::<Loopbacks<0>>(all).commit().await.expect("it runs");
    let failed: Vec<_> = report.items.iter().filter_map(|item| item.failure.clone()).collect();
    let [(key, failure)] = failed.as_slice() else { panic!("{report}") };
    assert_eq!(*key, Key::new("loopback", 99_999));
    assert!(
        failure.message.starts_with("create_loopback_instance: VPP refused: INVALID_REGISTRATION"),
        "{failure}"
    );
    assert_eq!(sim.interfaces().len(), 301);

    // A VPP that ends in the middle of a batch: what was under way is looked at, the rest was not sent, and all is made.
    engine.transaction().delete_key(key.clone()).commit().await.expect("it runs");
    sim.fault(Fault::close_on("create_loopback_instance").after(700).once());
    let more = (300..2000).map(|instance| Loopback { instance });
    engine.transaction().set_all::<Loopbacks<0>>(more).commit().await.expect("it runs");
    is(&engine, &Key::new("loopback", 1999), State::Configured).await;
    let made = async {
        while sim.interfaces().len() != 2001 {
            tokio::task::yield_now().await;
        }
    };
    tokio::time::timeout(LONG, made).await.expect("all are made");
    agent.stop().await.expect("it stops");
}

#[tokio::test]
async fn two_vpps_by_name_do_not_disturb_each_other() {
    let ((_folder, east_socket), (_other, west_socket)) = (socket(), socket());
    let east = Sim::release("26.06").socket(&east_socket).start().await.expect("a stand-in");
    let west = Sim::release("26.06").socket(&west_socket).start().await.expect("a stand-in");
    let settings = Settings::toml(format!(
        "[vpp.instances]\neast = {{ socket = {east_socket:?} }}\nwest = {{ socket = {west_socket:?} }}"
    ));
    let agent = agent::<Two>(settings).await;
    let engine = agent.plugin::<Engine>().expect("an engine");
    let (of_east, of_west) = (Key::new("east-loopback", 1), Key::new("west-loopback", 2));
    let transaction = engine.transaction().set::<Loopbacks<1>>(Loopback { instance: 1 });
    transaction.set::<Loopbacks<2>>(Loopback { instance: 2 }).commit().await.expect("it runs");
    is(&engine, &of_east, State::Configured).await;
    is(&engine, &of_west, State::Configured).await;
    assert!(east.interface("loop1").is_some() && east.interface("loop2").is_none());
    assert!(west.interface("loop2").is_some() && west.interface("loop1").is_none());

    west.crash();
    is(&engine, &of_west, State::Pending).await;
    health(&agent, |state| matches!(state, HealthState::Waiting(_))).await;
    let more = engine.transaction().set::<Loopbacks<1>>(Loopback { instance: 9 }).commit().await;
    assert!(more.expect("it runs").is_applied());
    assert!(east.interface("loop9").is_some(), "the other one works on");
    assert_eq!(engine.status(&of_east).expect("it is known").state, State::Configured);
    west.start_again().expect("the socket is free");
    is(&engine, &of_west, State::Configured).await;
    assert_eq!(east.calls("create_loopback_instance"), 2);

    let unknown =
        agent.plugin::<VppConnection>().expect("the plugin").named("north").expect_err("there is none");
    assert_eq!(unknown.to_string(), "vpp.instances has no `north`; there are east, west");
    agent.stop().await.expect("it stops");
}

/// Shows all metrics of the agent.
struct Shown(Context);

impl Plugin for Shown {
    const NAME: &'static str = "shown";
    type Config = ();
    type Needs = VppConnection;

    async fn start((): (), _: Provided<Self>, cx: &Context) -> Result<Self, PluginError> {
        Ok(Self(cx.clone()))
    }
}

#[tokio::test]
async fn numbers_of_all_connections_are_in_the_agents_registry() {
    let (_folder, socket) = socket();
    let sim = Sim::release("26.06").socket(&socket).start().await.expect("a stand-in");
    let agent = agent::<Shown>(at(&socket)).await;
    health(&agent, |state| *state == HealthState::Ready).await;
    let text = || agent.plugin::<Shown>().expect("the plugin").0.metrics_text();
    let number = |name: &str| -> f64 {
        let (text, name) = (text(), format!("vpp_{name}{{vpp=\"vpp\"}} "));
        let line = text.lines().find_map(|line| line.strip_prefix(&name));
        line.unwrap_or_else(|| panic!("no {name} in {text}")).parse().expect("a number")
    };
    assert_eq!(number("connected"), 1.0);
    assert_eq!(number("connections_total"), 1.0);
    let answered = number("calls_answered_total");
    assert!(answered >= 1.0);
    sim.restart().expect("the socket is free");
    health(&agent, |state| matches!(state, HealthState::Waiting(_))).await;
    health(&agent, |state| *state == HealthState::Ready).await;
    assert_eq!(number("connections_total"), 2.0);
    assert!(number("calls_answered_total") > answered, "those of before count on");
    assert!(text().contains("vpp_call_duration_seconds_bucket{le=\"+Inf\",vpp=\"vpp\"}"), "{}", text());
    // Without an engine nothing can be registered.
    let vpp = agent.plugin::<VppConnection>().expect("the plugin").vpp().expect("one VPP");
    agent.stop().await.expect("it stops");
    let refused = vpp.register(Tables(vpp.clone()), messages![IpTableDump]).map(drop).expect_err("no engine");
    assert!(refused.to_string().starts_with("table cannot be registered: the agent has no engine"));
}
