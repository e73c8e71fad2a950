//! In how many pieces values are copied: as few as they lie in.
//!
//! Error counters of one thread lie side by side and are links one by one, a link's column lies within its target, and
//! what is asked for twice is copied once.

use super::Cells;

/// Words between two places that are copied along rather than passed over: as many as come with what is in front of
/// them anyway.
const GAP: u64 = 7;

/// Words that are copied at once.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Piece {
    /// Offset in the segment.
    pub(super) from: u64,
    /// Position among the copied words.
    pub(super) at: u32,
    pub(super) words: u32,
}

/// Says of all cells where their words are to be copied to; `None` when there are more than can be counted.
pub(super) fn lay_out(cells: &mut [Cells]) -> Option<Vec<Piece>> {
    // Words of one piece lie whole words apart. All do in an honest segment.
    let mut places: Vec<&mut Cells> = cells.iter_mut().filter(|cells| cells.words > 0).collect();
    places.sort_unstable_by_key(|cells| (cells.from % 8, cells.from));
    let mut pieces: Vec<Piece> = Vec::new();
    for cells in places {
        let joined = pieces.last_mut().filter(|piece| {
            piece.from % 8 == cells.from % 8 && (cells.from - piece.from) / 8 <= u64::from(piece.words) + GAP
        });
        if let Some(piece) = joined {
            let skipped = u32::try_from((cells.from - piece.from) / 8).ok()?;
            piece.words = piece.words.max(skipped.checked_add(cells.words)?);
            // That its words can be counted was not known before it grew.
            piece.at.checked_add(piece.words)?;
            cells.at = piece.at + skipped;
        } else {
            let at = words(&pieces);
            at.checked_add(cells.words)?;
            pieces.push(Piece { from: cells.from, at, words: cells.words });
            cells.at = at;
        }
    }
    Some(pieces)
}

/// How many words all pieces have.
pub(super) fn words(pieces: &[Piece]) -> u32 {
    pieces.last().map_or(0, |piece| piece.at + piece.words)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn cells(places: &[(u64, u32)]) -> Vec<Cells> {
        places.iter().map(|&(from, words)| Cells { from, at: 0, words }).collect()
    }

    #[test]
    fn what_lies_side_by_side_is_one_piece() {
        let mut cells = cells(&[(1008, 1), (1000, 1), (1016, 2), (1000, 4)]);
        assert_eq!(lay_out(&mut cells), Some(vec![Piece { from: 1000, at: 0, words: 4 }]));
        assert_eq!(cells.iter().map(|cells| cells.at).collect::<Vec<_>>(), [1, 0, 2, 0]);
    }

    #[test]
    fn a_small_gap_is_copied_along_and_a_large_one_is_not() {
        let near = lay_out(&mut cells(&[(0, 1), (8 + 8 * GAP, 1)])).unwrap();
        assert_eq!((near.len(), words(&near)), (1, 9));
        let far = lay_out(&mut cells(&[(0, 1), (16 + 8 * GAP, 1)])).unwrap();
        assert_eq!((far.len(), words(&far)), (2, 2));
    }

    #[test]
    fn more_than_can_be_counted_is_none() {
        let half = u32::MAX / 2 + 1;
        assert_eq!(lay_out(&mut cells(&[(0, half), (1 << 40, half)])), None);
        assert_eq!(lay_out(&mut cells(&[(0, half), (1 << 33, u32::MAX)])), None);
        assert_eq!(lay_out(&mut cells(&[(0, u32::MAX), (8, u32::MAX)])), None);
    }

    proptest! {
        /// Each word of each cell is where it says, and no piece reaches over what was asked for.
        #[test]
        fn every_cell_finds_its_words(places in prop::collection::vec((0..4000_u64, 0..20_u32), 0..60)) {
            let mut cells = cells(&places);
            let pieces = lay_out(&mut cells).unwrap();
            let mut copied = vec![u64::MAX; words(&pieces) as usize];
            for piece in &pieces {
                for word in 0..piece.words {
                    let place = &mut copied[(piece.at + word) as usize];
                    prop_assert_eq!(*place, u64::MAX, "copied twice");
                    *place = piece.from + u64::from(word) * 8;
                }
                let end = piece.from + u64::from(piece.words) * 8;
                prop_assert!(places.iter().any(|(from, words)| from + u64::from(*words) * 8 == end));
            }
            for cells in cells.iter().filter(|cells| cells.words > 0) {
                for word in 0..cells.words {
                    let copied = copied[(cells.at + word) as usize];
                    prop_assert_eq!(copied, cells.from + u64::from(word) * 8);
                }
            }
        }
    }
}
