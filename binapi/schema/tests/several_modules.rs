//! Ownership over arbitrary graphs of imports: what reads reads again from its pins, and means the same.

mod definitions;

use definitions::{read, without_comments};
use proptest::prelude::*;
use proptest::strategy::ValueTree as _;
use serde_json::{Value, json};
use vpp_schema::{Api, MessageId};

const MODULES: [&str; 5] = ["m0", "m1", "m2", "m3", "m4"];
const TYPES: [&str; 4] = ["t0", "t1", "t2", "t3"];

/// A module: what it imports (one of them does not exist; none at all), and which types it holds, in one of two ways.
#[derive(Clone, Debug)]
struct Plan {
    imports: Option<Vec<usize>>,
    types: Vec<Option<bool>>,
}

fn any_plan() -> impl Strategy<Value = Vec<Plan>> {
    let imports = prop::option::weighted(0.8, prop::collection::vec(0usize..=MODULES.len(), 0..3));
    let types = prop::collection::vec(prop::option::of(prop::bool::weighted(0.05)), TYPES.len());
    let plan = (imports, types).prop_map(|(imports, types)| Plan { imports, types });
    prop::collection::vec(plan, MODULES.len())
}

/// Files as VPP would have them: what is imported is repeated.
fn files(plan: &[Plan]) -> Vec<(&'static str, Value)> {
    let file = |index: usize| {
        let Plan { imports, types } = &plan[index];
        // A type refers to the one before it, if the file has it.
        let mut before = "u8".to_owned();
        let mut list = Vec::new();
        let mut fields = Vec::new();
        for (name, held) in TYPES.iter().zip(types) {
            if let Some(other_way) = held {
                let scalar = if *other_way { "u32" } else { "u8" };
                list.push(json!([name, [before, "a"], [scalar, "b"]]));
                before = format!("vl_api_{name}_t");
                fields.push(json!([before, name]));
            }
        }
        let mut message = vec![json!(format!("{}_ask", MODULES[index]))];
        message.extend(fields);
        message.push(json!({"crc": "0x1"}));
        let mut file = json!({"types": list, "messages": [message]});
        if let Some(imports) = imports {
            file["imports"] =
                imports.iter().map(|&import| MODULES.get(import).unwrap_or(&"absent")).copied().collect();
        }
        (MODULES[index], file)
    };
    (0..plan.len()).map(file).collect()
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 2000, ..ProptestConfig::default() })]

    #[test]
    fn pins_mean_the_same(plan in any_plan()) {
        let files = files(&plan);
        let Ok(api) = read(&files) else { return Ok(()) };
        let pins = api.to_pins();
        let again = match Api::from_sources(&pins) {
            Ok(again) => again,
            Err(error) => panic!("{error}"),
        };
        prop_assert_eq!(&again, &without_comments(api.clone()));
        // Each file alone says what its message is.
        for (id, message) in (0..).map(MessageId).zip(&api.messages) {
            let module = &api.module(message.module).name;
            let file = files.iter().find(|(name, _)| name == module).expect("a file").clone();
            let alone = read(&[file]).expect("a part of what was read");
            prop_assert_eq!(alone.layout_hash(MessageId(0)), api.layout_hash(id));
        }
    }
}

/// Else the property would hold for want of modules.
#[test]
fn many_plans_read() {
    let mut runner = proptest::test_runner::TestRunner::deterministic();
    let plans = (0..200).map(|_| any_plan().new_tree(&mut runner).expect("a plan").current());
    let good = plans.filter(|plan| read(&files(plan)).is_ok()).count();
    assert!((40..180).contains(&good), "{good} of 200");
}
