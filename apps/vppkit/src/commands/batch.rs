//! Lines of standard input, a result line for each.

use std::io::{self, BufRead, Write};

use anyhow::{Context, bail};

use crate::failure::sentence;
use crate::output::Output;

/// Bytes read and written at a time.
const CHUNK: usize = 1 << 16;

/// Turns each line of standard input into one line of output. `convert` appends the result; where it fails, the line
/// is `{"error": ...}` and the program fails at the end. Empty lines stay empty.
///
/// Takes as much memory as the longest line. A reader that waits for each answer gets it: whenever no more input is at
/// hand, what is done is written.
pub(super) fn run(
    output: &mut Output,
    mut convert: impl FnMut(&[u8], &mut String) -> anyhow::Result<()>,
) -> anyhow::Result<()> {
    let mut input = io::BufReader::with_capacity(CHUNK, io::stdin().lock());
    let (mut line, mut result) = (Vec::new(), String::new());
    let (mut lines, mut failed) = (0_u64, 0_u64);
    loop {
        line.clear();
        if input.read_until(b'\n', &mut line).context("cannot read standard input")? == 0 {
            break;
        }
        lines += 1;
        let text = line.trim_ascii();
        result.clear();
        if !text.is_empty()
            && let Err(error) = convert(text, &mut result)
        {
            failed += 1;
            result.clear();
            result.push_str(&serde_json::json!({ "error": sentence(&error) }).to_string());
        }
        result.push('\n');
        output.write_all(result.as_bytes())?;
        if input.buffer().is_empty() {
            output.flush()?;
        }
    }
    output.flush()?;
    if failed > 0 {
        bail!("{failed} of {lines} lines failed; see the results with an error");
    }
    Ok(())
}
