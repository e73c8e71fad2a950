//! Plugins without their types.

use std::any::{TypeId, type_name};
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use schemars::Schema;
use schemars::generate::SchemaGenerator;

use crate::document::{ConfigError, Node, section_schema};
use crate::needs::{Need, Started};
use crate::{Context, Needs, Plugin, PluginError, command};

type Boxed<T> = Pin<Box<dyn Future<Output = T> + Send>>;

/// A plugin that has its configuration and can be started.
pub(super) type Start = Box<dyn FnOnce(Started, Context) -> Boxed<Result<Arc<dyn Plug>, PluginError>> + Send>;

/// A plugin as an agent lists it.
pub(super) struct Entry {
    pub(super) id: TypeId,
    pub(super) name: &'static str,
    pub(super) type_name: &'static str,
    pub(super) needs: Vec<Need>,
    pub(super) start_within: Duration,
    pub(super) stop_within: Duration,
    pub(super) schema: fn(&mut SchemaGenerator) -> Schema,
    pub(super) prepare: fn(&Node) -> Result<Start, ConfigError>,
    pub(super) commands: Vec<command::Entry>,
}

impl Entry {
    pub(super) fn of<P: Plugin>() -> Self {
        let mut needs = Vec::new();
        P::Needs::list(&mut needs);
        Self {
            id: TypeId::of::<P>(),
            name: P::NAME,
            type_name: type_name::<P>(),
            needs,
            start_within: P::START_WITHIN,
            stop_within: P::STOP_WITHIN,
            schema: section_schema::<P::Config>,
            prepare: prepare::<P>,
            commands: P::commands().0,
        }
    }
}

fn prepare<P: Plugin>(section: &Node) -> Result<Start, ConfigError> {
    let config: P::Config = section.read(P::NAME)?;
    Ok(Box::new(move |started, cx| {
        Box::pin(async move {
            let needs = P::Needs::take(&started).ok_or("what it needs has not started")?;
            // Whoever is reached by others is not kept alive by the list of those who are.
            drop(started);
            let plugin = P::start(config, needs, &cx).await?;
            Ok(Arc::new(Held(Arc::new(plugin))) as Arc<dyn Plug>)
        })
    }))
}

/// A plugin that has started.
pub(super) trait Plug: Send + Sync {
    fn share(&self, with: &mut Started);
    fn ready(&self, cx: Context) -> Boxed<Result<(), PluginError>>;
    fn stop(&self, cx: Context) -> Boxed<()>;
}

struct Held<P>(Arc<P>);

impl<P: Plugin> Plug for Held<P> {
    fn share(&self, with: &mut Started) {
        with.insert(Arc::clone(&self.0));
    }

    fn ready(&self, cx: Context) -> Boxed<Result<(), PluginError>> {
        let plugin = Arc::clone(&self.0);
        Box::pin(async move { plugin.ready(&cx).await })
    }

    fn stop(&self, cx: Context) -> Boxed<()> {
        let plugin = Arc::clone(&self.0);
        Box::pin(async move { plugin.stop(&cx).await })
    }
}
