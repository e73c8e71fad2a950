//! What the planner gives does not depend on how much it gives at a time.

use super::*;
use crate::rules::Typed;
use crate::transaction::{Change, Options};
use crate::{Batch, Descriptor, Needs, Observed, Outcomes};

/// Numbers, each of which needs its half.
struct Numbers;

impl Descriptor for Numbers {
    type Value = u32;
    type Metadata = ();
    const KIND: &'static str = "number";

    fn key(number: &u32) -> Key {
        Key::new(Self::KIND, number)
    }
    fn needs(&self, number: &u32) -> Needs {
        if *number > 1 { Needs::item::<Self>(number / 2) } else { Needs::none() }
    }
    async fn observe(&self) -> Result<Vec<Observed<Self>>, Failure> {
        Ok(Vec::new())
    }
    async fn create(&self, batch: Batch<Self>) -> Outcomes {
        batch.iter().map(|_| Ok(())).collect()
    }
    async fn delete(&self, batch: Batch<Self>) -> Outcomes {
        batch.iter().map(|_| Ok(())).collect()
    }
}

/// What is given of some transactions, and in how many portions.
fn given(about: usize) -> (Vec<String>, usize) {
    let wish = |wanted: bool| {
        let change =
            |n: u32| Change { key: Numbers::key(&n), value: wanted.then(|| AnyValue::new(n)), expect: None };
        let changes = (1..40).map(change).collect();
        Event::Transact(Request { source: "a".to_owned(), changes, options: Options::default() })
    };
    let mut planner = Planner::new(Policy::default());
    let (mut told, mut portions) = (Vec::new(), 0);
    let mut events = VecDeque::from([
        Event::Register(Arc::new(Typed(Arc::new(Numbers)))),
        Event::Keep("a".to_owned()),
        Event::Observed("number".to_owned(), Ok(Vec::new())),
        wish(true),
        wish(false),
    ]);
    while let Some(event) = events.pop_front() {
        planner.take(Duration::ZERO, event);
        loop {
            let (outputs, more) = planner.give(about);
            portions += 1;
            for output in outputs {
                told.push(match output {
                    Output::Run(operation) => {
                        events.push_back(Event::Finished(operation.id, Outcome::Done(None)));
                        format!("{} {}", operation.action, operation.key)
                    }
                    Output::Record(number, fact) => format!("{number} {fact:?}"),
                    Output::Ended(report) => format!("{report:#}"),
                    _ => continue,
                });
            }
            if !more {
                break;
            }
        }
    }
    assert!(planner.at_rest());
    (told, portions)
}

#[test]
fn portions_are_of_one_decision() {
    let (all, once) = given(usize::MAX);
    for about in [1, 7] {
        let (told, portions) = given(about);
        assert_eq!(told, all);
        assert!(portions > once);
    }
}
