//! Which VPP a folder of definitions is of.

use std::fs;
use std::path::Path;
use std::process::Command;

use anyhow::{Result, bail};

/// Where Debian's and Ubuntu's package of VPP puts the definitions.
const PACKAGED: &str = "/usr/share/vpp/api";

/// The release (`26.06`) in a text such as `v26.06-rc2~3-g12` or `26.06.1-release`.
pub(super) fn parse(text: &str) -> Option<String> {
    let text = text.trim().trim_start_matches('v');
    let digits = |text: &str| text.len() == 2 && text.bytes().all(|byte| byte.is_ascii_digit());
    let (year, rest) = text.split_at_checked(2)?;
    let month = rest.strip_prefix('.')?.get(..2)?;
    let end = rest[3..].chars().next();
    let is_release = digits(year) && digits(month) && !end.is_some_and(|c| c.is_ascii_digit());
    is_release.then(|| format!("{year}.{month}"))
}

/// The release of the VPP that installed a folder: by the folder's name, the header of the same installation, or the
/// package.
pub(super) fn of_folder(dir: &Path) -> Result<String> {
    let by_name = dir.canonicalize().ok().and_then(|dir| parse(&dir.file_name()?.to_string_lossy()));
    let found = by_name.or_else(|| by_header(dir)).or_else(|| by_package(dir));
    match found {
        Some(release) => Ok(release),
        None if !dir.exists() => bail!("{} is not there; give the folder of VPP's *.api.json", dir.display()),
        None => bail!("cannot tell which VPP {} is of; add --vpp-version, as 26.06", dir.display()),
    }
}

/// `PREFIX/include/vpp/app/version.h` beside `PREFIX/share/vpp/api`.
fn by_header(dir: &Path) -> Option<String> {
    let header = dir.canonicalize().ok()?.join("../../../include/vpp/app/version.h");
    let text = fs::read_to_string(header).ok()?;
    let line = text.lines().find_map(|line| line.strip_prefix("#define VPP_BUILD_VER "))?;
    parse(line.trim().trim_matches('"'))
}

fn by_package(dir: &Path) -> Option<String> {
    if dir.canonicalize().ok()? != Path::new(PACKAGED) {
        return None;
    }
    let output = Command::new("dpkg-query").args(["-W", "-f", "${Version}", "vpp"]).output().ok()?;
    output.status.success().then(|| parse(&String::from_utf8_lossy(&output.stdout)))?
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn releases_are_found_in_versions() {
        for text in ["26.06", "v26.06-rc2~3-g12", "26.06-release", "26.06.1-1", " 26.06\n"] {
            assert_eq!(parse(text).as_deref(), Some("26.06"), "{text}");
        }
        for text in ["", "api", "2606", "26.6", "26.061", "é.06"] {
            assert_eq!(parse(text), None, "{text}");
        }
    }

    #[test]
    fn a_folder_tells_its_release_by_name_or_by_the_header_of_its_installation() {
        let dir = tempfile::tempdir().unwrap();
        let named = dir.path().join("25.10");
        let api = dir.path().join("share/vpp/api");
        let header = dir.path().join("include/vpp/app");
        for folder in [&named, &api, &header] {
            fs::create_dir_all(folder).unwrap();
        }
        fs::write(header.join("version.h"), "#define VPP_BUILD_VER \"24.02-release\"\n").unwrap();
        assert_eq!(of_folder(&named).unwrap(), "25.10");
        assert_eq!(of_folder(&api).unwrap(), "24.02");
        let error = of_folder(&dir.path().join("none")).unwrap_err().to_string();
        assert!(error.contains("is not there"), "{error}");
    }
}
