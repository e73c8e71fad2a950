//! `vppkit releases`.

use std::collections::{BTreeSet, HashMap};
use std::io::{self, Write};

use serde_json::{Map, Value, json};
use vpp_schema::{Answer, Api, MessageId};

use crate::cli::ReleasesArgs;
use crate::output::{Format, Output, Table};

/// Lists the pinned releases, what changed from each to the next, and how many definitions they make together.
pub(crate) fn run(arguments: &ReleasesArgs, output: &mut Output) -> anyhow::Result<()> {
    let mut releases = Vec::new();
    for name in vpp_api_json::releases() {
        releases.push((*name, vpp_api_json::api(name)?));
    }
    let rows = rows(&releases);
    let pool = Pool::of(&releases);
    match output.format {
        Format::Json => output.json_pretty(&json!({"releases": rows, "pool": pool.to_json()}))?,
        Format::Text if arguments.markdown => {
            write_markdown(output, &rows)?;
            writeln!(output, "\n{}.", pool.sentence(releases.len()))?;
        }
        Format::Text => {
            let mut table = Table::default();
            rows.into_iter().for_each(|row| table.push(row));
            table.write(output, None)?;
            writeln!(output, "{}", pool.sentence(releases.len()))?;
        }
    }
    output.flush()?;
    Ok(())
}

/// A row for each release. The oldest has nothing to be compared with.
fn rows(releases: &[(&str, &Api)]) -> Vec<Map<String, Value>> {
    let mut rows = Vec::with_capacity(releases.len());
    let mut earlier = None;
    for &(name, api) in releases {
        let mut row = Map::new();
        row.insert("release".to_owned(), json!(name));
        row.insert("modules".to_owned(), json!(api.modules.len()));
        row.insert("messages".to_owned(), json!(api.messages.len()));
        row.insert("types".to_owned(), json!(api.types.len()));
        if let Some(earlier) = earlier.replace(api) {
            let churn = Churn::between(earlier, api);
            row.insert("added".to_owned(), json!(churn.added));
            row.insert("removed".to_owned(), json!(churn.removed));
            row.insert("changed".to_owned(), json!(churn.changed));
            row.insert("same".to_owned(), json!(churn.same));
            row.insert("same_percent".to_owned(), json!(churn.same_percent()));
        }
        rows.push(row);
    }
    rows
}

/// What became of the messages of a release in the next one.
#[derive(Debug, PartialEq, Eq)]
struct Churn {
    added: usize,
    removed: usize,
    /// Those with another CRC.
    changed: usize,
    /// Those with the same CRC.
    same: usize,
}

impl Churn {
    fn between(earlier: &Api, later: &Api) -> Self {
        let crcs: HashMap<&str, u32> =
            earlier.messages.iter().map(|message| (message.name.as_str(), message.crc)).collect();
        let (mut same, mut changed) = (0, 0);
        for message in &later.messages {
            match crcs.get(message.name.as_str()) {
                Some(crc) if *crc == message.crc => same += 1,
                Some(_) => changed += 1,
                None => {}
            }
        }
        let kept = same + changed;
        Self { added: later.messages.len() - kept, removed: earlier.messages.len() - kept, changed, same }
    }

    /// How much of the earlier release is in the later one as it was, to a tenth.
    fn same_percent(&self) -> f64 {
        let earlier = self.same + self.changed + self.removed;
        if earlier == 0 {
            return 100.0;
        }
        // Rounded down: what is not the same is never shown as 100.
        (self.same * 1000 / earlier) as f64 / 10.0
    }
}

/// How many definitions of messages the releases make together.
#[derive(Debug, PartialEq, Eq)]
struct Pool {
    /// Each release's, added up.
    messages: usize,
    /// Distinct pairs of name and CRC.
    pairs: usize,
    /// Distinct with their bytes and what answers them: what a request's CRC does not cover.
    definitions: usize,
}

impl Pool {
    fn of(releases: &[(&str, &Api)]) -> Self {
        let mut messages = 0;
        let (mut pairs, mut definitions) = (BTreeSet::new(), BTreeSet::new());
        for (_, api) in releases {
            messages += api.messages.len();
            for id in (0..).map(MessageId).take(api.messages.len()) {
                let pair = pair(api, id);
                pairs.insert(pair);
                definitions.insert((pair, api.layout_hash(id).to_string(), answers(api, id)));
            }
        }
        Self { messages, pairs: pairs.len(), definitions: definitions.len() }
    }

    fn to_json(&self) -> Value {
        json!({"messages": self.messages, "pairs": self.pairs, "definitions": self.definitions})
    }

    fn sentence(&self, releases: usize) -> String {
        format!(
            "{} messages of {releases} releases are {} pairs of name and CRC, and {} definitions with their answers",
            self.messages, self.pairs, self.definitions
        )
    }
}

fn pair(api: &Api, id: MessageId) -> (&str, u32) {
    let message = api.message(id);
    (&message.name, message.crc)
}

fn answers(api: &Api, id: MessageId) -> Vec<(&str, u32)> {
    match api.answer(id) {
        Some(Answer::Reply(answer) | Answer::Details(answer)) => vec![pair(api, answer)],
        Some(Answer::Stream { details, reply }) => vec![pair(api, details), pair(api, reply)],
        Some(Answer::Nothing) | None => Vec::new(),
    }
}

fn write_markdown(output: &mut Output, rows: &[Map<String, Value>]) -> io::Result<()> {
    let columns = [
        ("release", "Release"),
        ("modules", "Modules"),
        ("messages", "Messages"),
        ("types", "Types"),
        ("added", "Added"),
        ("removed", "Removed"),
        ("changed", "Changed"),
        ("same_percent", "Same, %"),
    ];
    let heads: Vec<&str> = columns.iter().map(|(_, head)| *head).collect();
    writeln!(output, "| {} |", heads.join(" | "))?;
    writeln!(output, "|---{}|", "|---:".repeat(columns.len() - 1))?;
    for row in rows {
        let cells: Vec<String> = columns.iter().map(|(key, _)| cell(row.get(*key))).collect();
        writeln!(output, "| {} |", cells.join(" | "))?;
    }
    Ok(())
}

fn cell(value: Option<&Value>) -> String {
    match value {
        Some(Value::String(text)) => text.clone(),
        Some(value) => value.to_string(),
        None => String::new(),
    }
}

#[cfg(test)]
mod tests {
    use vpp_schema::{Group, Source, SourceOptions};

    use super::*;

    fn api(text: &str) -> Api {
        let source = Source {
            name: "m".to_owned(),
            group: Group::Other,
            origin: "m.api".to_owned(),
            text: text.to_owned(),
        };
        Api::from_api_texts(&[source], &SourceOptions::default()).expect("definitions")
    }

    #[test]
    fn what_became_of_messages_is_counted() {
        let earlier = api("autoreply define kept { u32 client_index; u32 context; };
            autoreply define gone { u32 client_index; u32 context; };
            autoreply define other { u32 client_index; u32 context; u8 level; };");
        let later = api("autoreply define kept { u32 client_index; u32 context; };
            autoreply define other { u32 client_index; u32 context; u16 level; };
            autoreply define fresh { u32 client_index; u32 context; };");
        let churn = Churn::between(&earlier, &later);
        assert_eq!(churn, Churn { added: 2, removed: 2, changed: 1, same: 3 });
        assert!((churn.same_percent() - 50.0).abs() < f64::EPSILON);
        let pool = Pool::of(&[("1", &earlier), ("2", &later)]);
        assert_eq!(pool, Pool { messages: 12, pairs: 9, definitions: 9 });
    }
}
