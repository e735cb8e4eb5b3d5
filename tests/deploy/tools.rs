//! These tests ask the files' own tools about them: the schema of the compose specification, a linter of Dockerfiles,
//! one of shell scripts. All three come from PyPI with everything that they need inside, into a folder under `target`.

use std::path::PathBuf;
use std::process::Command;

use super::support::process::skip;
use super::{file, run, text};

/// Installs the tools, if they are not there, and says where they are.
fn installed() -> Result<PathBuf, String> {
    let environment = file("target/deploy-tools");
    let wanted = text("tests/deploy/requirements.txt");
    let stamp = environment.join("installed.txt");
    if std::fs::read_to_string(&stamp).is_ok_and(|installed| installed == wanted) {
        return Ok(environment.join("bin"));
    }
    run(Command::new("python3").args(["-m", "venv", "--clear"]).arg(&environment))?;
    let mut pip = Command::new(environment.join("bin/python"));
    pip.args(["-m", "pip", "install", "--quiet", "--disable-pip-version-check", "-r"]);
    run(pip.arg(file("tests/deploy/requirements.txt")))?;
    std::fs::write(stamp, wanted).unwrap();
    Ok(environment.join("bin"))
}

#[test]
fn the_files_are_what_their_tools_want() {
    let tools = match installed() {
        Ok(tools) => tools,
        Err(why) => return skip("the_files_are_what_their_tools_want", &why),
    };
    let tool = |name: &str| {
        let mut command = Command::new(tools.join(name));
        command.current_dir(file("."));
        command
    };
    run(tool("check-jsonschema").args(["--builtin-schema", "vendor.compose-spec", "docker-compose.yml"]))
        .unwrap();
    run(tool("hadolint").args(["--no-color", "Dockerfile"])).unwrap();
    let scripts = std::fs::read_dir(file("deploy")).unwrap().map(|entry| entry.unwrap().path());
    let scripts: Vec<PathBuf> =
        scripts.filter(|path| path.extension().is_some_and(|ending| ending == "sh")).collect();
    assert_eq!(scripts.len(), 3);
    run(tool("shellcheck").arg("--severity=style").args(scripts)).unwrap();
}
