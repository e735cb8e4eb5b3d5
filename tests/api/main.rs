//! These tests hold the OpenAPI document to what others make of it: a validator, a client that is generated in TypeScript and
//! one in Python, and schemathesis, which calls every operation with what the document allows and with what it does not.
//!
//! The tools are installed into a folder under `target`, in the versions that `tools/` names.

#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test says so by failing")]

#[path = "../support/mod.rs"]
mod support;

use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use bookonce::domain::time::system_clock;
use bookonce::http::{Config, Limits, router};
use bookonce::keys::Role;
use bookonce::keys::file::{NewKey, create};
use support::http::Service;
use support::process::skip;

/// The folder of the tools, with the files that they are told by.
fn tools() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("target/api-tools")
}

/// Runs a command; `Err` says why it could not be, or what it said.
fn run(command: &mut Command) -> Result<String, String> {
    let Output { status, stdout, stderr } = command.output().map_err(|error| error.to_string())?;
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    let said = text(&stdout) + &text(&stderr);
    if status.success() { Ok(said) } else { Err(said) }
}

/// Installs `what`, if it is not there, by these commands in a folder of that name.
fn installed(what: &str, wanted: &str, commands: &[&[&str]]) -> Result<PathBuf, String> {
    let folder = tools().join(what);
    fs::create_dir_all(&folder).unwrap();
    // Tests are processes of their own, and one installs for all.
    let lock = File::create(tools().join(format!("{what}.lock"))).unwrap();
    lock.lock().unwrap();
    for file in fs::read_dir(Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/api/tools")).unwrap() {
        let file = file.unwrap();
        fs::copy(file.path(), folder.join(file.file_name())).unwrap();
    }
    let wanted = fs::read_to_string(folder.join(wanted)).unwrap();
    let stamp = folder.join("installed.txt");
    if fs::read_to_string(&stamp).is_ok_and(|installed| installed == wanted) {
        return Ok(folder);
    }
    for command in commands {
        let (program, arguments) = command.split_first().unwrap();
        let program = if program.contains('/') { folder.join(program) } else { program.into() };
        run(Command::new(program).args(arguments).current_dir(&folder))?;
    }
    fs::write(stamp, wanted).unwrap();
    Ok(folder)
}

fn python() -> Result<PathBuf, String> {
    let venv: &[&str] = &["python3", "-m", "venv", "--clear", "venv"];
    let pip: &[&str] = &[
        "venv/bin/python",
        "-m",
        "pip",
        "install",
        "-q",
        "--disable-pip-version-check",
        "-r",
        "requirements.txt",
    ];
    installed("python", "requirements.txt", &[venv, pip])
}

fn node() -> Result<PathBuf, String> {
    installed("node", "package-lock.json", &[&["npm", "ci", "--no-audit", "--no-fund", "--loglevel=error"]])
}

/// A running service, an operator's token for it, and its document in a file.
struct Described {
    service: Service,
    token: String,
    document: PathBuf,
    _folder: tempfile::TempDir,
}

impl Described {
    fn start() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let new = NewKey { role: Role::Operator, name: None, expires_in_days: None };
        let token = create(folder.path(), new, system_clock()()).unwrap().1;
        let service = Service::on(folder, Config::default(), Limits::default(), router);
        let folder = tempfile::tempdir().unwrap();
        let document = folder.path().join("openapi.json");
        fs::write(&document, service.get("/openapi.json").body).unwrap();
        Self { service, token, document, _folder: folder }
    }

    fn url(&self) -> String {
        format!("http://{}", self.service.address)
    }

    /// Returns the number of operations in the document.
    fn operations(&self) -> usize {
        fs::read_to_string(&self.document).unwrap().matches("\"operationId\":").count()
    }
}

/// Seen failing with `Operation ID 'one' … is not unique`.
#[test]
fn the_document_is_valid() {
    let tools = match python() {
        Ok(tools) => tools,
        Err(why) => return skip("the_document_is_valid", &why),
    };
    let described = Described::start();
    run(Command::new(tools.join("venv/bin/openapi-spec-validator")).arg(&described.document)).unwrap();
}

/// Seen failing with `Duplicate identifier 'one'`: the client did not compile.
#[test]
fn a_client_generated_in_typescript_compiles_and_works() {
    let tools = match node() {
        Ok(tools) => tools,
        Err(why) => return skip("a_client_generated_in_typescript_compiles_and_works", &why),
    };
    let described = Described::start();
    let here = |program: &str| {
        let mut command = Command::new(program);
        command.current_dir(&tools);
        command
    };
    let generator = "node_modules/openapi-typescript/bin/cli.js";
    run(here("node").arg(generator).arg(&described.document).args(["-o", "api.ts"])).unwrap();
    run(here("node").args(["node_modules/typescript/bin/tsc", "--project", "tsconfig.json"])).unwrap();
    let said = run(here("node").args(["client.js", &described.url(), &described.token]));
    assert_eq!(said.as_deref(), Ok("typescript: all as expected\n"));
}

/// Seen failing with the live feed's answer, which is text and was described as an object: the client had a wrong type.
#[test]
fn a_client_generated_in_python_is_rightly_typed_and_works() {
    let tools = match python() {
        Ok(tools) => tools,
        Err(why) => return skip("a_client_generated_in_python_is_rightly_typed_and_works", &why),
    };
    let described = Described::start();
    let here = |program: &str| {
        let mut command = Command::new(tools.join("venv/bin").join(program));
        command.current_dir(&tools).env("PYTHONPATH", tools.join("generated"));
        command
    };
    let mut generate = here("openapi-python-client");
    generate.args([
        "generate",
        "--config",
        "python-client.yaml",
        "--output-path",
        "generated",
        "--overwrite",
    ]);
    let said = run(generate.arg("--path").arg(&described.document)).unwrap();
    // It can't send lines of JSON, and says so. Nothing else is left out.
    let left_out: Vec<&str> = said.lines().filter(|line| line.starts_with("WARNING")).collect();
    assert_eq!(left_out, ["WARNING parsing POST /v1/batch within writes. Endpoint will not be generated."]);
    run(here("mypy").args(["--strict", "generated", "client.py"])).unwrap();
    let said = run(here("python").args(["client.py", &described.url(), &described.token]));
    assert_eq!(said.as_deref(), Ok("python: all as expected\n"));
}

/// Seen failing with an answer of `/v1/transactions/{id}` that was of two forms at once, and with requests that the document
/// allowed and the service refused: `null`, an empty reason.
#[test]
fn every_operation_is_as_the_document_says() {
    let tools = match python() {
        Ok(tools) => tools,
        Err(why) => return skip("every_operation_is_as_the_document_says", &why),
    };
    let described = Described::start();
    let mut schemathesis = Command::new(tools.join("venv/bin/schemathesis"));
    schemathesis.current_dir(&tools).env("PYTHONPATH", &tools).env("SCHEMATHESIS_HOOKS", "excuses");
    schemathesis.args([
        "--config-file",
        "schemathesis.toml",
        "run",
        "--seed",
        "1",
        "--max-examples",
        "15",
        "--header",
    ]);
    schemathesis.arg(format!("Authorization: Bearer {}", described.token));
    let said = run(schemathesis.arg(format!("{}/openapi.json", described.url()))).unwrap();
    // All but one are tried: the live feed never ends.
    let all = described.operations();
    let tried = all - 1;
    let has = |text: String| said.contains(&text);
    assert!(has(format!("Selected: {tried}/{all}")) && has(format!("Tested: {tried}")), "{said}");
}

/// Guards against: figures whose names or descriptions Prometheus' own tool finds wrong.
#[test]
fn prometheus_finds_nothing_wrong_with_the_figures() {
    // The tool is in a package of Debian's; only it is wanted, and not the service that comes with it.
    let download: &[&str] = &["apt-get", "download", "prometheus"];
    let unpack: &[&str] = &["sh", "-c", "dpkg-deb -x prometheus_*.deb ."];
    let tools = match installed("promtool", "promtool.txt", &[download, unpack]) {
        Ok(tools) => tools,
        Err(why) => return skip("prometheus_finds_nothing_wrong_with_the_figures", &why),
    };
    let described = Described::start();
    let bearer = format!("Bearer {}", described.token);
    let figures = || described.service.send("GET", "/metrics", &[("authorization", bearer.as_str())], "");
    // The second time those are there, too, that are shown from their first use on.
    assert_eq!(figures().status, 200);
    let file = tools.join("figures.txt");
    fs::write(&file, figures().body).unwrap();
    let mut promtool = Command::new(tools.join("usr/bin/promtool"));
    promtool.args(["check", "metrics"]).stdin(File::open(file).unwrap());
    let said = run(&mut promtool);
    assert_eq!(said.as_deref(), Ok(""));
}
