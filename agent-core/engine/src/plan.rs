//! What would be done, as a value; and the graph of items.

use std::fmt::{self, Write};

use serde::{Deserialize, Serialize};

use crate::transaction::{Action, Why};
use crate::{Key, State};

/// One operation of a plan.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Step {
    /// What is done.
    pub action: Action,
    /// With which item.
    pub key: Key,
    /// Why.
    pub why: Why,
    /// Places in the plan of the steps after which this one comes.
    pub after: Vec<usize>,
    /// The value.
    pub value: Option<serde_json::Value>,
}

/// What a transaction would do now, if nothing failed.
///
/// As text ([`fmt::Display`]), as JSON (`serde`), or as a picture ([`Plan::dot`]).
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Plan {
    /// The operations. Those of which neither comes after the other may run at the same time.
    pub steps: Vec<Step>,
    /// Items that would be pending, and what for.
    pub pending: Vec<(Key, Vec<String>)>,
    /// What is wrong with the transaction.
    pub errors: Vec<String>,
}

impl Plan {
    /// How many steps follow each other on the longest way.
    pub fn depth(&self) -> usize {
        let mut depth = vec![1; self.steps.len()];
        for (at, step) in self.steps.iter().enumerate() {
            depth[at] = 1 + step.after.iter().map(|&before| depth[before]).max().unwrap_or(0);
        }
        depth.into_iter().max().unwrap_or(0)
    }

    /// The plan as text, with where the items are written that would be pending.
    pub fn located<'a>(&'a self, origin: impl Fn(&Key) -> Option<String> + 'a) -> impl fmt::Display + 'a {
        Located { plan: self, origin }
    }

    /// The plan in Graphviz's language.
    pub fn dot(&self) -> String {
        let mut text = String::from("digraph plan {\n  rankdir=LR;\n  node [shape=box];\n");
        for (at, step) in self.steps.iter().enumerate() {
            let label = format!("{} {}", step.action, step.key);
            // Writing into a String cannot fail.
            let _ = writeln!(text, "  s{at} [label={}];", quoted(&label));
            for before in &step.after {
                let _ = writeln!(text, "  s{before} -> s{at};");
            }
        }
        text + "}\n"
    }
}

fn quoted(text: &str) -> String {
    format!("\"{}\"", text.replace('\\', "\\\\").replace('"', "\\\""))
}

struct Located<'a, F> {
    plan: &'a Plan,
    origin: F,
}

impl<F: Fn(&Key) -> Option<String>> fmt::Display for Located<'_, F> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.plan.write(f, &self.origin)
    }
}

impl fmt::Display for Plan {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.write(f, &|_| None)
    }
}

impl Plan {
    fn write(&self, f: &mut fmt::Formatter<'_>, origin: &dyn Fn(&Key) -> Option<String>) -> fmt::Result {
        let widest = self.steps.iter().map(|step| step.key.as_str().chars().count()).max().unwrap_or(0);
        for step in &self.steps {
            let sign = match step.action {
                Action::Create => '+',
                Action::Update => '~',
                Action::Delete => '-',
                Action::Verify => '?',
            };
            let key = step.key.as_str();
            write!(f, "{sign} {key:widest$}   {}", step.action)?;
            // The previous step of the same item is told by its place.
            let mut after = step.after.iter().map(|&at| &self.steps[at].key).filter(|&of| *of != step.key);
            if let Some(first) = after.next() {
                write!(f, "   after {first}")?;
                let more = after.count();
                if more > 0 {
                    write!(f, " and {more} more")?;
                }
            }
            writeln!(f)?;
        }
        for (key, reasons) in &self.pending {
            let place = origin(key).map(|origin| format!("   ({origin})")).unwrap_or_default();
            writeln!(f, "  {key}   pending   {}{place}", reasons.join("; "))?;
        }
        for error in &self.errors {
            writeln!(f, "! {error}")?;
        }
        let plural = |count: usize| if count == 1 { "" } else { "s" };
        let (steps, depth) = (self.steps.len(), self.depth());
        write!(f, "{steps} operation{} in {depth} step{}", plural(steps), plural(depth))
    }
}

/// The items and what they need.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Graph {
    /// Items and their states, by key.
    pub items: Vec<(Key, State)>,
    /// From an item to what it needs (`needs`), comes with (`derived`) or follows (`after`).
    pub edges: Vec<(Key, Key, String)>,
}

impl Graph {
    /// The graph in Graphviz's language.
    pub fn dot(&self) -> String {
        let mut text = String::from("digraph items {\n  rankdir=LR;\n");
        for (key, state) in &self.items {
            let _ = writeln!(text, "  {} [tooltip=\"{state}\"];", quoted(key.as_str()));
        }
        for (from, to, kind) in &self.edges {
            let style = if kind == "needs" { "solid" } else { "dashed" };
            let _ = writeln!(
                text,
                "  {} -> {} [style={style}, label={kind}];",
                quoted(from.as_str()),
                quoted(to.as_str())
            );
        }
        text + "}\n"
    }
}
