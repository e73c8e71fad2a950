//! JSON schemas of types that are text.

use std::borrow::Cow;

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};

use crate::{Address, Ip4Prefix, Ip6Prefix, MacAddress, Prefix};

macro_rules! texts {
    ($($name:ident: $($example:literal),*;)*) => {$(
        impl JsonSchema for $name {
            fn schema_name() -> Cow<'static, str> {
                stringify!($name).into()
            }

            fn inline_schema() -> bool {
                true
            }

            fn json_schema(_: &mut SchemaGenerator) -> Schema {
                json_schema!({ "type": "string", "examples": [$($example),*] })
            }
        }
    )*};
}

texts! {
    Address: "10.0.0.1", "2001:db8::1";
    Prefix: "10.0.0.0/24", "2001:db8::/32";
    Ip4Prefix: "10.0.0.0/24";
    Ip6Prefix: "2001:db8::/32";
    MacAddress: "02:fe:00:00:00:01";
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A value of somebody's own.
    #[derive(serde::Deserialize, JsonSchema)]
    #[allow(dead_code)] // read, and looked at no more
    struct Neighbour {
        address: Address,
        network: Prefix,
        mac: MacAddress,
    }

    #[test]
    fn what_a_schema_gives_as_an_example_can_be_read() {
        let schema = schemars::schema_for!(Neighbour);
        let example = |field: &str| schema.get("properties").unwrap()[field]["examples"][0].clone();
        let document = serde_json::json!({
            "address": example("address"), "network": example("network"), "mac": example("mac"),
        });
        serde_json::from_value::<Neighbour>(document).unwrap();
        assert!(serde_json::from_value::<Ip4Prefix>("10.0.0.0/24".into()).is_ok());
        assert!(serde_json::from_value::<Ip6Prefix>("2001:db8::/32".into()).is_ok());
    }
}
