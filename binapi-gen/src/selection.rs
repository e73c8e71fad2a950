//! What of an API is to be generated.

use vpp_schema::{Api, MessageId, TypeId};

use crate::error::GenerateError;

/// Patterns of names; all of the API where there are none.
#[derive(Clone, Debug, Default)]
pub(crate) struct Selection {
    pub(crate) modules: Vec<String>,
    pub(crate) messages: Vec<String>,
}

impl Selection {
    /// What the patterns name, with all that it needs.
    pub(crate) fn of(&self, api: Api) -> Result<Api, GenerateError> {
        if self.modules.is_empty() && self.messages.is_empty() {
            return Ok(api);
        }
        let (mut messages, mut types): (Vec<MessageId>, Vec<TypeId>) = Default::default();
        for pattern in &self.modules {
            let mut found = api.modules.iter().filter(|module| matches(pattern, &module.name)).peekable();
            if found.peek().is_none() {
                return Err(nothing("module", pattern, api.modules.iter().map(|module| &module.name)));
            }
            for module in found {
                messages.extend(&module.messages);
                types.extend(&module.types);
            }
        }
        for pattern in &self.messages {
            let before = messages.len();
            let named = (0..).map(MessageId).zip(&api.messages);
            messages.extend(named.filter(|(_, message)| matches(pattern, &message.name)).map(|(id, _)| id));
            if messages.len() == before {
                return Err(nothing("message", pattern, api.messages.iter().map(|message| &message.name)));
            }
        }
        Ok(api.subset(messages, types))
    }
}

fn nothing<'n>(what: &'static str, pattern: &str, names: impl Iterator<Item = &'n String>) -> GenerateError {
    let rate = |name: &&String| strsim::jaro_winkler(name, pattern);
    let similar = names.filter(|name| rate(name) > 0.85).max_by(|a, b| rate(a).total_cmp(&rate(b)));
    let hint = similar.map_or(String::new(), |name| format!("; did you mean {name}?"));
    GenerateError::NothingSelected { what, pattern: pattern.to_owned(), hint }
}

/// Whether a name is what a pattern says: `*` is any letters, `?` one.
fn matches(pattern: &str, name: &str) -> bool {
    let (pattern, name) = (pattern.as_bytes(), name.as_bytes());
    let (mut at, mut on) = (0, 0);
    // Where the last `*` is, and how far it reaches.
    let mut star = None;
    while on < name.len() {
        match pattern.get(at) {
            Some(b'*') => {
                star = Some((at, on));
                at += 1;
            }
            Some(letter) if *letter == b'?' || *letter == name[on] => {
                at += 1;
                on += 1;
            }
            _ => match &mut star {
                Some((start, reach)) => {
                    *reach += 1;
                    (at, on) = (*start + 1, *reach);
                }
                None => return false,
            },
        }
    }
    pattern[at..].iter().all(|letter| *letter == b'*')
}

#[cfg(test)]
mod tests {
    use super::matches;

    #[test]
    fn patterns() {
        for (pattern, name) in
            [("ip", "ip"), ("ip*", "ip_types"), ("*_dump", "ip_dump"), ("*", ""), ("a*b?c", "axxbxbyc")]
        {
            assert!(matches(pattern, name), "{pattern} is {name}");
        }
        for (pattern, name) in [("ip", "ip6"), ("ip?", "ip"), ("*_dump", "ip_dump_v2"), ("", "a")] {
            assert!(!matches(pattern, name), "{pattern} is not {name}");
        }
    }
}
