//! A plugin as somebody else's crate has it: nothing but `agent_core`, its re-exports, and what is public.

use std::process::ExitCode;
use std::sync::Arc;

use agent_core::schemars::JsonSchema;
use agent_core::serde::Deserialize;
use agent_core::{
    Agent, Command, Commands, Context, Needs, Plugin, PluginConfig, PluginError, Provided, Settings,
};

use their_crate::Storage as _;

mod their_crate {
    use super::*;

    /// A plugin that is generic over what it stores its values in: another plugin, of whoever's.
    pub(crate) struct Cache<S: Storage> {
        pub(crate) storage: Arc<S>,
        pub(crate) size: u32,
    }

    pub(crate) trait Storage: Plugin {
        fn read(&self) -> String;
    }

    #[derive(Deserialize, JsonSchema)]
    #[serde(crate = "agent_core::serde")]
    #[schemars(crate = "agent_core::schemars")]
    pub(crate) struct CacheConfig {
        size: u32,
    }

    impl<S: Storage> Plugin for Cache<S> {
        const NAME: &'static str = "cache";
        type Config = CacheConfig;
        type Needs = S;

        async fn start(config: CacheConfig, storage: Arc<S>, cx: &Context) -> Result<Self, PluginError> {
            cx.health().degraded("cold");
            Ok(Self { storage, size: config.size })
        }

        async fn ready(&self, cx: &Context) -> Result<(), PluginError> {
            cx.health().ready();
            Ok(())
        }

        fn commands() -> Commands {
            Commands::none().with::<Flush<S>>()
        }
    }

    pub(crate) struct Flush<S>(std::marker::PhantomData<fn() -> S>);

    impl<S: Storage> Command for Flush<S> {
        const NAME: &'static str = "flush";
        const ABOUT: &'static str = "Empties the cache";
        type Args = ();
        type Needs = Cache<S>;

        async fn run(_: (), _: <Cache<S> as Needs>::Provided, _: &Context) -> Result<ExitCode, PluginError> {
            Ok(ExitCode::SUCCESS)
        }
    }
}

struct Disk;

impl Plugin for Disk {
    const NAME: &'static str = "disk";
    type Config = ();
    type Needs = ();

    async fn start(_: (), (): Provided<Self>, _: &Context) -> Result<Self, PluginError> {
        Ok(Self)
    }
}

impl their_crate::Storage for Disk {
    fn read(&self) -> String {
        "from the disk".to_owned()
    }
}

/// Whatever takes any plugin takes theirs.
fn names<P: Plugin>() -> &'static str
where
    P::Config: PluginConfig,
{
    P::NAME
}

#[tokio::test]
async fn a_plugin_of_another_crate_is_like_ours() {
    type Cache = their_crate::Cache<Disk>;
    let agent = Agent::builder("theirs").plugin::<Cache>().plugin::<Disk>();
    let running = agent.start(Settings::toml("[cache]\nsize = 3")).await.expect("starts");
    let cache = running.plugin::<Cache>().expect("listed");
    assert_eq!((cache.size, cache.storage.read().as_str(), names::<Cache>()), (3, "from the disk", "cache"));
    assert!(running.health().borrow().is_ready());
    drop(cache);
    running.stop().await.expect("stops");
    let error = Agent::builder("theirs").plugin::<Cache>().plugin::<Disk>().start(Settings::none()).await;
    assert_eq!(
        error.err().map(|error| error.to_string()).as_deref(),
        Some("cache.size: this has to be given")
    );
}
