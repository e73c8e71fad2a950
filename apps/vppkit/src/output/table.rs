//! Many messages of one kind, a row each.

use std::collections::HashSet;
use std::io::{self, Write};

use serde_json::{Map, Value};

use super::record::write_fields;
use super::{FAINT, NAME, cells};

/// The gap between two columns.
const GAP: &str = "  ";

/// Letters of a broken name that stay together where they can.
const NAME_LINE: usize = 8;

/// Messages to be shown as a table.
#[derive(Default)]
pub(crate) struct Table {
    columns: Vec<Column>,
    rows: Vec<Row>,
}

struct Column {
    name: String,
    /// Of the widest cell.
    width: usize,
    /// Whether every cell is a number; those are aligned at the right.
    is_numeric: bool,
    /// Whether every cell is unset.
    is_unset: bool,
}

/// A column that is shown.
struct Placed {
    at: usize,
    width: usize,
    /// Its name, a line each.
    name: Vec<String>,
}

struct Row {
    message: Map<String, Value>,
    /// Text of each column; shorter than the columns when later rows brought more.
    cells: Vec<String>,
}

impl Row {
    fn cell(&self, at: usize) -> &str {
        self.cells.get(at).map_or("", String::as_str)
    }
}

impl Table {
    /// Adds a row.
    pub(crate) fn push(&mut self, message: Map<String, Value>) {
        let mut row = vec![String::new(); self.columns.len()];
        let mut next = 0;
        for (name, value) in cells::flatten(&message) {
            let at = self.column(&name, next, &mut row);
            next = at + 1;
            let text = cells::text(value);
            let column = &mut self.columns[at];
            column.width = column.width.max(text.chars().count());
            column.is_numeric &= value.is_number();
            column.is_unset &= cells::is_unset(value);
            row[at] = text;
        }
        self.rows.push(Row { message, cells: row });
    }

    /// The place of a column, which is likely `expected`. A new one (another member of a union) is put there.
    fn column(&mut self, name: &str, expected: usize, row: &mut Vec<String>) -> usize {
        if self.columns.get(expected).is_some_and(|column| column.name == name) {
            return expected;
        }
        if let Some(at) = self.columns.iter().position(|column| column.name == name) {
            return at;
        }
        let column = Column { name: name.to_owned(), width: 0, is_numeric: true, is_unset: true };
        self.columns.insert(expected, column);
        row.insert(expected, String::new());
        for earlier in &mut self.rows {
            earlier.cells.insert(expected, String::new());
        }
        expected
    }

    /// Writes the table. On a terminal of `width` columns, those that say nothing are named below it instead, then
    /// those that say the same in each row; names are broken over lines. Where it still does not fit, each row becomes
    /// a record.
    pub(crate) fn write(&self, out: &mut impl Write, width: Option<usize>) -> io::Result<()> {
        if self.rows.is_empty() {
            return Ok(());
        }
        let all: Vec<usize> = (0..self.columns.len()).collect();
        let Some(width) = width else {
            return self.write_columns(out, &self.place(&all, usize::MAX).unwrap_or_default());
        };
        let (unset, set): (Vec<usize>, Vec<usize>) = all.iter().partition(|&&at| self.columns[at].is_unset);
        let (same, different): (Vec<usize>, Vec<usize>) = set.iter().partition(|&&at| self.is_same(at));
        let set = if set.is_empty() { all } else { set };
        if let Some(placed) = self.place(&set, width) {
            self.write_columns(out, &placed)?;
            return self.write_left_out(out, &unset, &[]);
        }
        let (shown, same) = if different.is_empty() { (set, Vec::new()) } else { (different, same) };
        match self.place(&shown, width) {
            Some(placed) => self.write_columns(out, &placed)?,
            None => {
                let names: HashSet<_> = shown.iter().map(|&at| self.columns[at].name.as_str()).collect();
                for (index, row) in self.rows.iter().enumerate() {
                    writeln!(out, "{FAINT}#{}{FAINT:#}", index + 1)?;
                    write_fields(out, &row.message, 2, &|name| names.contains(name))?;
                }
            }
        }
        self.write_left_out(out, &unset, &same)
    }

    /// Columns with their names, broken over lines where that is needed to stay within `width`; None where nothing
    /// helps.
    fn place(&self, columns: &[usize], width: usize) -> Option<Vec<Placed>> {
        let whole = |column: &Column| {
            let width = column.width.max(column.name.chars().count());
            Placed { at: 0, width, name: vec![column.name.clone()] }
        };
        let broken = |column: &Column| {
            let pieces = column.name.split_inclusive(['_', '.']);
            let widest = pieces.clone().map(|piece| piece.chars().count()).max().unwrap_or(0);
            let room = column.width.max(widest).max(NAME_LINE);
            let mut name: Vec<String> = Vec::new();
            for piece in pieces {
                match name.last_mut() {
                    Some(line) if line.chars().count() + piece.chars().count() <= room => {
                        line.push_str(piece)
                    }
                    _ => name.push(piece.to_owned()),
                }
            }
            let width = name.iter().map(|line| line.chars().count()).max().unwrap_or(0).max(column.width);
            Placed { at: 0, width, name }
        };
        let place = |head: &dyn Fn(&Column) -> Placed| -> Option<Vec<Placed>> {
            let placed: Vec<_> = columns.iter().map(|&at| Placed { at, ..head(&self.columns[at]) }).collect();
            // A gap before each but the first, and one letter at the edge.
            let needed: usize = placed.iter().map(|column| column.width + GAP.len()).sum();
            (needed <= width.saturating_add(GAP.len() - 1)).then_some(placed)
        };
        place(&whole).or_else(|| place(&broken))
    }

    /// Whether a column says the same in each of several rows.
    fn is_same(&self, at: usize) -> bool {
        self.rows.len() > 1 && self.rows.windows(2).all(|pair| pair[0].cell(at) == pair[1].cell(at))
    }

    fn write_columns(&self, out: &mut impl Write, columns: &[Placed]) -> io::Result<()> {
        let lines = columns.iter().map(|column| column.name.len()).max().unwrap_or(0);
        for line in 0..lines {
            // Names stand on their rows, not under the edge.
            let name = |column: &Placed| (line + column.name.len()).checked_sub(lines);
            let text = self.line(columns, |column| name(column).map_or("", |line| &column.name[line]));
            writeln!(out, "{NAME}{text}{NAME:#}")?;
        }
        for row in &self.rows {
            writeln!(out, "{}", self.line(columns, |column| row.cell(column.at)))?;
        }
        Ok(())
    }

    fn line<'a>(&self, columns: &'a [Placed], cell: impl Fn(&'a Placed) -> &'a str) -> String {
        let mut line = String::from(" ");
        for (index, column) in columns.iter().enumerate() {
            let text = cell(column);
            let padding = column.width.saturating_sub(text.chars().count());
            if index > 0 {
                line.push_str(GAP);
            }
            if self.columns[column.at].is_numeric {
                line.extend(std::iter::repeat_n(' ', padding));
                line.push_str(text);
            } else {
                line.push_str(text);
                line.extend(std::iter::repeat_n(' ', padding));
            }
        }
        line.truncate(line.trim_end().len());
        line
    }

    fn write_left_out(&self, out: &mut impl Write, unset: &[usize], same: &[usize]) -> io::Result<()> {
        if !same.is_empty() {
            let same: Vec<_> =
                same.iter().map(|&at| (&self.columns[at].name, self.rows[0].cell(at))).collect();
            writeln!(out, "{FAINT}the same in every row:{FAINT:#}")?;
            for (name, text) in same {
                writeln!(out, "{FAINT}  {name}: {text}{FAINT:#}")?;
            }
        }
        if !unset.is_empty() {
            let names: Vec<_> = unset.iter().map(|&at| self.columns[at].name.as_str()).collect();
            writeln!(out, "{FAINT}zero or empty in every row: {}{FAINT:#}", names.join(", "))?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn table(rows: &[Value]) -> Table {
        let mut table = Table::default();
        for row in rows {
            table.push(row.as_object().unwrap().clone());
        }
        table
    }

    fn text(table: &Table, width: Option<usize>) -> String {
        let mut out = Vec::new();
        table.write(&mut out, width).unwrap();
        anstream::adapter::strip_str(std::str::from_utf8(&out).unwrap()).to_string()
    }

    #[test]
    fn numbers_stand_right_and_every_column_is_shown_without_a_terminal() {
        let table = table(&[
            json!({"_msgname": "d", "index": 0, "name": "local0", "tag": "", "mtu": [0, 0]}),
            json!({"_msgname": "d", "index": 12, "name": "loop0", "tag": "", "mtu": [9000, 0]}),
        ]);
        assert_eq!(
            text(&table, None),
            " index  name    tag  mtu\n     0  local0       0, 0\n    12  loop0        9000, 0\n"
        );
    }

    #[test]
    fn on_a_terminal_columns_that_say_nothing_stand_below() {
        let rows = [
            json!({"index": 0, "kind": "ETHERNET", "name": "local0", "tag": ""}),
            json!({"index": 1, "kind": "ETHERNET", "name": "loop0", "tag": ""}),
        ];
        assert_eq!(
            text(&table(&rows), Some(80)),
            " index  kind      name\n     0  ETHERNET  local0\n     1  ETHERNET  loop0\nzero or empty in every row: tag\n"
        );
        assert_eq!(
            text(&table(&rows), Some(16)),
            " index  name\n     0  local0\n     1  loop0\nthe same in every row:\n  kind: ETHERNET\nzero or empty in every row: tag\n"
        );
        assert_eq!(
            text(&table(&rows), Some(10)),
            "#1\n  index  0\n  name   local0\n#2\n  index  1\n  name   loop0\nthe same in every row:\n  kind: ETHERNET\nzero or empty in every row: tag\n"
        );
    }

    #[test]
    fn long_names_are_broken_before_columns_are_left_out() {
        let rows = [
            json!({"sw_if_index": 0, "sup_sw_if_index": 0, "interface_name": "local0"}),
            json!({"sw_if_index": 10, "sup_sw_if_index": 1, "interface_name": "loop0"}),
        ];
        assert_eq!(
            text(&table(&rows), Some(30)),
            " sw_if_   sup_sw_  interface_\n  index  if_index  name\n      0         0  local0\n     10         1  loop0\n"
        );
    }

    #[test]
    fn another_member_of_a_union_gets_a_column_of_its_own() {
        let table = table(&[json!({"af": 0, "ip4": "a", "end": 1}), json!({"af": 1, "ip6": "b", "end": 2})]);
        assert_eq!(text(&table, None), " af  ip6  ip4  end\n  0       a      1\n  1  b           2\n");
    }
}
