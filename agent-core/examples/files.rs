//! The engine on a southbound that everybody has: keeps folders and files as they are wanted. The book walks through it.

use std::io;
use std::path::PathBuf;

use agent_core::engine::{
    Batch, Change, Descriptor, Ended, Engine, Failure, Invalid, Key, Needs, Observed, Outcomes, Settings,
};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use tokio::fs;

// ANCHOR: folders
/// A folder.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
struct Folder {
    name: String,
}

/// Folders below this one.
struct Folders(PathBuf);

impl Descriptor for Folders {
    type Value = Folder;
    type Metadata = ();
    const KIND: &'static str = "folder";

    fn key(folder: &Folder) -> Key {
        Key::new(Self::KIND, &folder.name)
    }

    async fn observe(&self) -> Result<Vec<Observed<Self>>, Failure> {
        let found = names(&self.0).await.map_err(Failure::new)?;
        Ok(found.into_iter().map(|name| Observed::new(Folder { name }, ())).collect())
    }

    async fn create(&self, batch: Batch<Self>) -> Outcomes {
        batch.each(|at| outcome(fs::create_dir(self.0.join(&batch[at].value().name)))).await
    }

    async fn delete(&self, batch: Batch<Self>) -> Outcomes {
        batch.each(|at| outcome(fs::remove_dir(self.0.join(&batch[at].value().name)))).await
    }
}
// ANCHOR_END: folders

// ANCHOR: files
/// A file in a folder.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
struct File {
    folder: String,
    name: String,
    text: String,
}

/// Files in folders below this one.
struct Files(PathBuf);

impl Files {
    fn path(&self, file: &File) -> PathBuf {
        self.0.join(&file.folder).join(&file.name)
    }
}

impl Descriptor for Files {
    type Value = File;
    type Metadata = ();
    const KIND: &'static str = "file";

    fn key(file: &File) -> Key {
        Key::of(Self::KIND, &[&file.folder, &file.name])
    }

    fn validate(&self, file: &File) -> Result<(), Invalid> {
        match file.name.contains('/') {
            true => Err(Invalid::field("name", "a file's name has no slash")),
            false => Ok(()),
        }
    }

    fn needs(&self, file: &File) -> Needs {
        Needs::item::<Folders>(&file.folder)
    }

    fn change(&self, _: &File, _: &File) -> Change {
        Change::InPlace
    }

    async fn observe(&self) -> Result<Vec<Observed<Self>>, Failure> {
        let mut found = Vec::new();
        for folder in names(&self.0).await.map_err(Failure::new)? {
            for name in names(&self.0.join(&folder)).await.map_err(Failure::new)? {
                let text =
                    fs::read_to_string(self.0.join(&folder).join(&name)).await.map_err(Failure::new)?;
                found.push(Observed::new(File { folder: folder.clone(), name, text }, ()));
            }
        }
        Ok(found)
    }

    async fn create(&self, batch: Batch<Self>) -> Outcomes {
        batch.each(|at| outcome(fs::write(self.path(batch[at].value()), &batch[at].value().text))).await
    }

    async fn update(&self, batch: Batch<Self>) -> Outcomes {
        self.create(batch).await
    }

    async fn delete(&self, batch: Batch<Self>) -> Outcomes {
        batch.each(|at| outcome(fs::remove_file(self.path(batch[at].value())))).await
    }
}
// ANCHOR_END: files

async fn outcome(done: impl Future<Output = io::Result<()>>) -> Result<(), Failure> {
    done.await.map_err(Failure::new)
}

async fn names(of: &PathBuf) -> io::Result<Vec<String>> {
    let mut entries = fs::read_dir(of).await?;
    let mut names = Vec::new();
    while let Some(entry) = entries.next_entry().await? {
        names.push(entry.file_name().to_string_lossy().into_owned());
    }
    Ok(names)
}

fn file(folder: &str, name: &str, text: &str) -> File {
    File { folder: folder.to_owned(), name: name.to_owned(), text: text.to_owned() }
}

/// What the chapter tells, step by step; what it says is asserted.
async fn tour(root: PathBuf) -> Result<(), Ended> {
    // ANCHOR: start
    let engine = Engine::start(Settings::default());
    engine.register(Folders(root.clone()));
    engine.register(Files(root.clone()));
    // ANCHOR_END: start

    // ANCHOR: pending
    let report = engine.transaction().set::<Files>(file("etc", "motd", "hello")).commit().await?;
    assert_eq!(
        report.to_string(),
        "\
transaction 3: Applied, 0 operations
  0 of 1 items are as wanted
  file/etc/motd: pending: needs folder/etc, which nobody wants
"
    );
    // ANCHOR_END: pending

    // ANCHOR: plan
    let folder = Folder { name: "etc".to_owned() };
    let plan = engine.transaction().set::<Folders>(folder.clone()).plan();
    assert_eq!(
        plan.to_string(),
        "\
+ folder/etc      create
+ file/etc/motd   create   after folder/etc
2 operations in 2 steps"
    );
    // ANCHOR_END: plan
    engine.transaction().set::<Folders>(folder).commit().await?;
    assert_eq!(std::fs::read_to_string(root.join("etc/motd")).unwrap_or_default(), "hello");

    // ANCHOR: drift
    std::fs::write(root.join("etc/motd"), "somebody else").expect("the folder is there");
    let report = engine.check().await?;
    assert_eq!(report.operations.len(), 1);
    assert_eq!(std::fs::read_to_string(root.join("etc/motd")).unwrap_or_default(), "hello");
    // ANCHOR_END: drift

    // ANCHOR: invalid
    let wrong = file("etc", "a/b", "");
    let right = file("etc", "hosts", "127.0.0.1 localhost");
    let report = engine.transaction().set_all::<Files>([wrong, right]).revert().commit().await?;
    assert_eq!(report.errors, ["file/etc/a/b: name: a file's name has no slash"]);
    assert!(!root.join("etc/hosts").exists());
    // ANCHOR_END: invalid

    // ANCHOR: withdraw
    let report = engine.transaction().delete::<Folders>("etc").commit().await?;
    let done: Vec<String> =
        report.operations.iter().map(|of| format!("{} {}: {:?}", of.action, of.key, of.why)).collect();
    assert_eq!(done, ["delete file/etc/motd: Withdrawn", "delete folder/etc: Unwanted"]);
    // ANCHOR_END: withdraw
    engine.stop().await;
    Ok(())
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Ended> {
    let root = std::env::temp_dir().join(format!("files-{}", std::process::id()));
    std::fs::create_dir(&root).expect("a temporary folder");
    let outcome = tour(root.clone()).await;
    // What is left is for the next run of the machine to clean up.
    let _ = std::fs::remove_dir_all(root);
    outcome
}

#[cfg(test)]
mod tests {
    #[test]
    fn it_is_as_the_book_says() {
        super::main().expect("the engine runs");
    }
}
