//! The kernel's own metrics: how plugins are.

use std::fmt;

use prometheus_client::collector::Collector;
use prometheus_client::encoding::{DescriptorEncoder, EncodeMetric};
use prometheus_client::metrics::MetricType;
use prometheus_client::metrics::gauge::ConstGauge;

use crate::HealthState;
use crate::health::Board;

/// Asks for the states when it is asked.
#[derive(Debug)]
pub(crate) struct States(pub(crate) Board);

impl Collector for States {
    fn encode(&self, mut encoder: DescriptorEncoder<'_>) -> Result<(), fmt::Error> {
        let health = self.0.now();
        let mut family = |name, help, holds: fn(&HealthState) -> bool| {
            let mut family = encoder.encode_descriptor(name, help, None, MetricType::Gauge)?;
            for plugin in &health.plugins {
                let value = ConstGauge::new(i64::from(holds(&plugin.state)));
                value.encode(family.encode_family(&[("plugin", plugin.plugin)])?)?;
            }
            Ok(())
        };
        family("agent_plugin_live", "1 unless the plugin has failed for good.", HealthState::is_live)?;
        family("agent_plugin_ready", "1 while the plugin does its work.", HealthState::is_ready)
    }
}
