//! What a plugin is.

use std::future::Future;
use std::time::Duration;

use schemars::JsonSchema;
use serde::de::DeserializeOwned;

use crate::{Commands, Context, Needs};

/// Why a plugin could not do something. `?` makes one of any error, `.into()` of a text.
pub type PluginError = Box<dyn std::error::Error + Send + Sync>;

/// What [`Plugin::start`] is given of other plugins: for `type Needs = (A, Option<B>)` it is
/// `(Arc<A>, Option<Arc<B>>)`.
pub type Provided<P> = <<P as Plugin>::Needs as Needs>::Provided;

/// What a plugin's section of the configuration is read into. Every type that serde reads and schemars describes is one;
/// `()` is that of a plugin without configuration.
///
/// A field without a `#[serde(default)]` has to be given. Unknown fields are refused whatever the type says.
pub trait PluginConfig: DeserializeOwned + JsonSchema + Send + 'static {}

impl<T: DeserializeOwned + JsonSchema + Send + 'static> PluginConfig for T {}

/// A part of an agent, and what others reach by naming its type.
///
/// | Phase | When | What for |
/// |---|---|---|
/// | [`start`](Self::start) | what it needs has started | take what it needs, open, register with others |
/// | [`ready`](Self::ready) | every plugin has started; in the same order | begin the work that others had to register for |
/// | [`stop`](Self::stop) | whatever needs it has stopped | end the work, let go |
///
/// Plugins that do not need each other go through a phase at the same time. A panic in any of them is an error like those
/// that they return.
pub trait Plugin: Sized + Send + Sync + 'static {
    /// Its section of the configuration, and its name in logs, probes and metrics: lower-case words with dashes.
    const NAME: &'static str;

    /// How long `start` and `ready` may take each.
    const START_WITHIN: Duration = Duration::from_secs(30);

    /// How long `stop` and the end of its tasks may take together; then its tasks are dropped.
    const STOP_WITHIN: Duration = Duration::from_secs(10);

    /// Its section of the configuration.
    type Config: PluginConfig;

    /// The plugins that it stands on: `()`, `A`, `Option<A>`, or a tuple of these. An optional one is started first
    /// where the agent has it.
    type Needs: Needs;

    /// Makes the plugin. What it waits for has to be here or to come soon; what may take longer (a peer that is down)
    /// belongs into a task ([`Context::spawn`]), with [`Health::waiting`](crate::Health::waiting) until it is there.
    ///
    /// # Errors
    /// End the agent: what has started is stopped in reverse.
    fn start(
        config: Self::Config,
        needs: Provided<Self>,
        cx: &Context,
    ) -> impl Future<Output = Result<Self, PluginError>> + Send;

    /// Every plugin of the agent has started.
    ///
    /// # Errors
    /// End the agent, as those of `start` do.
    fn ready(&self, cx: &Context) -> impl Future<Output = Result<(), PluginError>> + Send {
        let _ = cx;
        async { Ok(()) }
    }

    /// Ends the work. Behind it [`Context::shutdown`] is cancelled and the plugin's tasks are waited for.
    fn stop(&self, cx: &Context) -> impl Future<Output = ()> + Send {
        let _ = cx;
        async {}
    }

    /// What it adds to the agent's command line.
    fn commands() -> Commands {
        Commands::none()
    }
}
