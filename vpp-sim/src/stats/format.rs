//! The layouts that there were.

/// How a segment is laid out.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Format {
    /// 18.10 to 19.04: no version, offsets.
    Unversioned,
    /// 19.08 to 20.05: version 1, offsets.
    Version1,
    /// 20.09 to 22.02: version 2, addresses, error counters apart.
    ErrorIndex,
    /// 22.06 to 25.10: types numbered anew.
    Renumbered,
    /// 26.02 and later: gauges, histograms, ring buffers.
    Current,
}

/// Kinds of entries.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    Scalar,
    Simple,
    Combined,
    ErrorIndex,
    Names,
    Empty,
    Symlink,
    Histogram,
    Ring,
    Gauge,
}

impl Format {
    /// All of them, oldest first.
    pub const ALL: [Self; 5] =
        [Self::Unversioned, Self::Version1, Self::ErrorIndex, Self::Renumbered, Self::Current];

    /// That of a release, `26.06`; of the newest where that is none.
    #[must_use]
    pub fn of_release(release: &str) -> Self {
        let part = |text: Option<&str>| text.and_then(|text| text.parse::<u32>().ok());
        let mut parts = release.split('.');
        let Some((year, month)) = part(parts.next()).zip(part(parts.next())) else { return Self::Current };
        match (year, month) {
            (..=19, ..=4) | (..=18, _) => Self::Unversioned,
            (..=19, _) | (20, ..=5) => Self::Version1,
            (..=21, _) | (22, ..=2) => Self::ErrorIndex,
            (..=25, _) => Self::Renumbered,
            _ => Self::Current,
        }
    }

    pub(super) fn has_offsets(self) -> bool {
        self < Self::ErrorIndex
    }

    pub(super) fn number(self, kind: Kind) -> u32 {
        let is_old = self < Self::Renumbered;
        match kind {
            Kind::Scalar => 1,
            // Gauges were scalars.
            Kind::Gauge if self == Self::Current => 9,
            Kind::Gauge => 1,
            Kind::Simple => 2,
            Kind::Combined => 3,
            Kind::ErrorIndex => 4,
            Kind::Names => 4 + u32::from(is_old),
            Kind::Empty => 5 + u32::from(is_old),
            Kind::Symlink => 6 + u32::from(is_old),
            Kind::Histogram => 7,
            Kind::Ring => 8,
        }
    }

    /// Offsets of epoch, progress, directory, error matrix.
    pub(super) fn header(self) -> [usize; 4] {
        match self {
            Self::Unversioned => [0, 8, 16, 24],
            Self::Version1 => [8, 16, 24, 32],
            _ => [16, 24, 32, 40],
        }
    }

    pub(super) fn entry_len(self) -> usize {
        if self.has_offsets() { 152 } else { 144 }
    }

    pub(super) fn name_at(self) -> usize {
        if self.has_offsets() { 24 } else { 16 }
    }
}

#[cfg(test)]
mod tests {
    use super::Format;

    #[test]
    fn a_release_has_the_layout_of_its_time() {
        for (release, format) in [
            ("19.04", Format::Unversioned),
            ("19.08", Format::Version1),
            ("20.05", Format::Version1),
            ("20.09", Format::ErrorIndex),
            ("22.02", Format::ErrorIndex),
            ("22.06", Format::Renumbered),
            ("25.10", Format::Renumbered),
            ("26.02", Format::Current),
            ("of my own", Format::Current),
        ] {
            assert_eq!(Format::of_release(release), format, "{release}");
        }
    }
}
