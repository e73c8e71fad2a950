//! What a shell offers to complete: releases, messages, fields and enumerators. All of it without a VPP.

mod json;

use std::ffi::{OsStr, OsString};
use std::path::PathBuf;

use clap_complete::CompletionCandidate;
use vpp_schema::{Answer, Api, Field, MessageId};

use crate::cli::{DefinitionArgs, LanguageArgs};
use crate::definitions::Definitions;

/// The releases that are pinned.
pub(crate) fn releases(current: &OsStr) -> Vec<CompletionCandidate> {
    matching(current, vpp_api_json::releases().iter().rev().map(|release| (*release, None)))
}

/// The requests that suit the command: one reply for `call`, many for `dump`.
pub(crate) fn requests(current: &OsStr) -> Vec<CompletionCandidate> {
    let line = Line::of_process();
    let is_dump = line.has("dump");
    messages_where(&line, current, |api, id| match api.answer(id) {
        Some(Answer::Reply(_)) => !is_dump,
        Some(Answer::Details(_) | Answer::Stream { .. }) => is_dump,
        Some(Answer::Nothing) | None => false,
    })
}

/// The events.
pub(crate) fn events(current: &OsStr) -> Vec<CompletionCandidate> {
    messages_where(&Line::of_process(), current, |api, id| {
        api.modules.iter().flat_map(|module| &module.services).any(|service| service.events.contains(&id))
    })
}

/// All messages.
pub(crate) fn messages(current: &OsStr) -> Vec<CompletionCandidate> {
    messages_where(&Line::of_process(), current, |_, _| true)
}

/// How the fields of the message that the command line names may go on.
pub(crate) fn fields(current: &OsStr) -> Vec<CompletionCandidate> {
    let line = Line::of_process();
    let Some(current) = current.to_str() else { return Vec::new() };
    let Ok(definitions) = Definitions::offline(&line.definitions()) else { return Vec::new() };
    let Some(fields) = line.fields(&definitions.api) else { return Vec::new() };
    // Some shells hand over the quote that the user began with; none wants it back.
    let typed = current.strip_prefix('\'').unwrap_or(current);
    let continuations = json::continuations(&definitions.api, fields, typed);
    let shell = Shell::of_process();
    let mut candidates: Vec<_> = continuations
        .iter()
        .map(|it| CompletionCandidate::new(shell.quoted(&it.text, typed)).help(Some(it.help.clone().into())))
        .collect();
    if let [only] = &*continuations
        && !only.is_end
        && shell == Shell::Bash
    {
        // A shell that sees one way to go on closes the quote behind it.
        let more = format!("{} ...", shell.quoted(&only.text, typed));
        candidates.push(CompletionCandidate::new(more));
    }
    candidates
}

/// The shell that asks, as far as it matters.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Shell {
    /// Takes candidates as they are.
    Bash,
    /// Quotes candidates itself.
    Other,
}

impl Shell {
    fn of_process() -> Self {
        // Only Bash's script sets it.
        match std::env::var_os("_CLAP_COMPLETE_COMP_TYPE") {
            Some(_) => Self::Bash,
            None => Self::Other,
        }
    }

    fn quoted(self, text: &str, typed: &str) -> String {
        if self == Self::Bash && typed.is_empty() { format!("'{text}") } else { text.to_owned() }
    }
}

fn messages_where(
    line: &Line,
    current: &OsStr,
    is_wanted: impl Fn(&Api, MessageId) -> bool,
) -> Vec<CompletionCandidate> {
    // A folder that cannot be read offers nothing; the command itself will say why.
    let Ok(definitions) = Definitions::offline(&line.definitions()) else { return Vec::new() };
    let api = &*definitions.api;
    let wanted = api.modules.iter().flat_map(|module| {
        let wanted = module.messages.iter().filter(|id| is_wanted(api, **id));
        wanted.map(|id| (api.message(*id).name.as_str(), Some(module.name.as_str())))
    });
    matching(current, wanted)
}

/// Candidates of those that go on as the user began, each with a word of help.
fn matching<'a>(
    current: &OsStr,
    known: impl Iterator<Item = (&'a str, Option<&'a str>)>,
) -> Vec<CompletionCandidate> {
    let Some(current) = current.to_str() else { return Vec::new() };
    known
        .filter(|(name, _)| name.starts_with(current))
        .map(|(name, help)| CompletionCandidate::new(name).help(help.map(|help| help.to_owned().into())))
        .collect()
}

/// The command line that is being completed. The engine tells a completer only the word at hand; the whole line is
/// what the shell ran this program with.
struct Line {
    words: Vec<OsString>,
}

impl Line {
    fn of_process() -> Self {
        Self { words: std::env::args_os().skip_while(|word| word != "--").skip(2).collect() }
    }

    fn has(&self, word: &str) -> bool {
        self.words.iter().any(|it| it == word)
    }

    /// The value of an option.
    fn option(&self, option: &str) -> Option<&str> {
        self.options(option).next()
    }

    /// The values of an option that may be given several times, each as one word or two.
    fn options(&self, option: &str) -> impl Iterator<Item = &str> {
        let mut words = self.words.iter().filter_map(|word| word.to_str());
        std::iter::from_fn(move || {
            while let Some(word) = words.next() {
                match word.strip_prefix(option) {
                    Some("") => return words.next(),
                    Some(rest) if rest.starts_with('=') => return rest.get(1..),
                    _ => {}
                }
            }
            None
        })
    }

    fn definitions(&self) -> DefinitionArgs {
        DefinitionArgs {
            api_dir: self.option("--api-dir").map(PathBuf::from),
            api_src: self.options("--api-src").map(PathBuf::from).collect(),
            language: LanguageArgs {
                include: self.options("--include").chain(self.options("-I")).map(PathBuf::from).collect(),
                enums_from: None,
            },
            release: self.option("--release").map(str::to_owned),
        }
    }

    /// The fields that are to be given: of the message that is named, or, for an event, of the request for it.
    fn fields<'a>(&self, api: &'a Api) -> Option<&'a [Field]> {
        let mut words = self.words.iter().filter_map(|word| word.to_str());
        let (id, message) = words.find_map(|word| api.find_message(word))?;
        if !self.has("events") {
            return Some(&message.fields);
        }
        let mut services = api.modules.iter().flat_map(|module| &module.services);
        let service = services.find(|service| service.events.contains(&id))?;
        Some(&api.message(service.request).fields)
    }
}
