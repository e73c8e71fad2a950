//! Text that is shown in the place of what was there before.

/// Puts a text at the corner of a terminal, line over line: nothing is cleared first, so nothing flickers. What is too
/// wide is cut off; what is too high, but for its first lines, is counted in the last one.
pub(super) fn screenful(text: &str, width: usize, height: usize) -> String {
    let lines: Vec<&str> = text.lines().collect();
    // The cursor stays in the last line of the terminal.
    let room = height.saturating_sub(1).max(1);
    let (shown, hidden) = match lines.len().checked_sub(room) {
        None | Some(0) => (&lines[..], 0),
        Some(_) => (&lines[..room - 1], lines.len() - (room - 1)),
    };
    let mut screen = "\x1b[H".to_owned();
    for line in shown {
        push_cut(&mut screen, line, width);
        screen.push_str("\x1b[K\n");
    }
    if hidden > 0 {
        let more = format!("... {hidden} more; a pattern or --no-zeros shows fewer");
        push_cut(&mut screen, &more, width);
        screen.push_str("\x1b[K\n");
    }
    screen.push_str("\x1b[J");
    screen
}

/// Appends so many letters of a line. Escape sequences take no place, and none is left out.
fn push_cut(screen: &mut String, line: &str, width: usize) {
    let (mut used, mut is_escape) = (0, false);
    for letter in line.chars() {
        if letter == '\x1b' {
            is_escape = true;
        }
        if is_escape || used < width {
            screen.push(letter);
        }
        if !is_escape {
            used += 1;
        } else if letter.is_ascii_alphabetic() {
            is_escape = false;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_text_fits_its_terminal() {
        assert_eq!(screenful("one\ntwo\n", 80, 3), "\x1b[Hone\x1b[K\ntwo\x1b[K\n\x1b[J");
        assert_eq!(
            screenful("name\none\ntwo\nthree\n", 80, 4),
            "\x1b[Hname\x1b[K\none\x1b[K\n... 2 more; a pattern or --no-zeros shows fewer\x1b[K\n\x1b[J"
        );
        for height in 0..8 {
            let lines = screenful("1\n2\n3\n4\n5\n", 3, height).matches('\n').count();
            assert!(lines < height.max(2), "{lines} of {height}");
        }
    }

    #[test]
    fn colours_are_not_counted_and_are_ended() {
        assert_eq!(screenful("\x1b[1mlonger\x1b[0m", 4, 9), "\x1b[H\x1b[1mlong\x1b[0m\x1b[K\n\x1b[J");
    }
}
