//! Which entries are meant.

use regex_lite::Regex;

use super::error::StatsError;

/// Which entries are meant, by name.
///
/// [`Pattern::parse`] takes what people type:
///
/// | Text | Meaning | Example |
/// |---|---|---|
/// | with `^`, `$`, `[`, `\`, `\|`, `.*` or `.+` | a regular expression that fits a part of the name, as for VPP's own tools | `^/if/(rx\|tx)$` |
/// | else with `*` or `?` | the whole name, where `*` stands for any letters and `?` for one | `/if/rx*` |
/// | else | what the name begins with | `/sys/` |
#[derive(Clone, Debug)]
pub struct Pattern(Meaning);

#[derive(Clone, Debug)]
enum Meaning {
    Exact(String),
    Prefix(String),
    Regex(Regex),
}

impl Pattern {
    /// The pattern that a text means; see [`Pattern`].
    ///
    /// # Errors
    ///
    /// When the text has marks of a regular expression and is none.
    pub fn parse(text: &str) -> Result<Self, StatsError> {
        if text.contains(['^', '$', '[', '\\', '|']) || text.contains(".*") || text.contains(".+") {
            Self::regex(text)
        } else if text.contains(['*', '?']) {
            let expression = regex_lite::escape(text).replace(r"\*", ".*").replace(r"\?", ".");
            Self::regex(&format!("(?s)^{expression}$"))
        } else {
            Ok(Self::prefix(text))
        }
    }

    /// The entry with this name.
    #[must_use]
    pub fn exact(name: &str) -> Self {
        Self(Meaning::Exact(name.to_owned()))
    }

    /// Entries whose name begins with this.
    #[must_use]
    pub fn prefix(text: &str) -> Self {
        Self(Meaning::Prefix(text.to_owned()))
    }

    /// Entries with a part of the name that fits a regular expression.
    ///
    /// # Errors
    ///
    /// When it is none.
    pub fn regex(expression: &str) -> Result<Self, StatsError> {
        Regex::new(expression).map(|regex| Self(Meaning::Regex(regex))).map_err(|error| StatsError::Pattern {
            pattern: expression.to_owned(),
            reason: error.to_string(),
        })
    }

    /// Whether a name is meant.
    #[must_use]
    pub fn fits(&self, name: &str) -> bool {
        match &self.0 {
            Meaning::Exact(exact) => name == exact,
            Meaning::Prefix(prefix) => name.starts_with(prefix.as_str()),
            Meaning::Regex(regex) => regex.is_match(name),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_text_means_what_its_marks_say() {
        let fits = |pattern, name| Pattern::parse(pattern).unwrap().fits(name);
        assert!(fits("/if/rx*", "/if/rx") && fits("/if/rx*", "/if/rx-miss") && !fits("/if/rx*", "/if/tx"));
        assert!(!fits("if/rx*", "/if/rx") && fits("*/rx", "/interfaces/a.b/rx"));
        assert!(fits("/if/?x", "/if/rx") && !fits("/if/?x", "/if/rx-miss"));
        assert!(fits("/sys", "/sys/heartbeat") && !fits("/sys", "/mem/sys") && fits("", "/anything"));
        assert!(fits("^/if/(rx|tx)$", "/if/tx") && !fits("^/if/(rx|tx)$", "/if/tx-error"));
        assert!(fits("/if/.*", "/if/rx") && fits("error.*", "/if/tx-error"), "as VPP's tools have it");
        assert!(fits("/err/a/b (c)", "/err/a/b (c)"), "parentheses are part of names");
        assert!(fits("/a.b*", "/a.b/c") && !fits("/a.b*", "/axb/c"), "a point is part of names");
    }

    #[test]
    fn what_is_no_expression_is_said() {
        let error = Pattern::parse("^(").unwrap_err();
        assert!(error.to_string().starts_with("\"^(\" is no regular expression"), "{error}");
    }
}
