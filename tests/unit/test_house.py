"""The rules of the house: who may import whom, what code may never do, and that each file says what it is for."""

import ast
import re
import subprocess
import sys
from pathlib import Path

import pytest

from amad.config import Config

ROOT = Path(__file__).parents[2]
SOURCES = sorted(
    path
    for folder in ("amad", "app", "assets", "benchmarks", "docs", "tests")
    for path in (ROOT / folder).rglob("*.py")
)
SHIPPED = [path for path in SOURCES if path.relative_to(ROOT).parts[0] in ("amad", "app")]


def name_of(path: Path) -> str:
    return str(path.relative_to(ROOT))


def test_imports_go_one_way() -> None:
    command = [
        sys.executable,
        "-c",
        "import sys; from importlinter.cli import lint_imports_command; sys.exit(lint_imports_command())",
    ]
    found = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert found.returncode == 0, found.stdout + found.stderr


@pytest.mark.parametrize("path", SOURCES, ids=name_of)
def test_first_line_says_what_the_file_is_for(path: Path) -> None:
    text = path.read_text(encoding="utf-8")
    if text.strip():
        assert re.match(r'r?"""\S', text), "the first line must be a docstring"


RUNS_CODE = {
    "eval", "exec", "compile", "__import__", "yaml.load", "yaml.unsafe_load", "yaml.full_load", "torch.save", "joblib.load",
    "os.system", "os.popen", "runpy.run_path",
}  # fmt: skip
SQL = {"text", "execute", "executemany", "executescript", "exec_driver_sql", "literal_column"}


def made_of_strings(node: ast.AST) -> bool:
    """Whether an expression puts text together: an f-string, `+`, `%` or `.format`."""
    if isinstance(node, ast.JoinedStr | ast.BinOp):
        return True
    return isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr in ("format", "join")


@pytest.mark.parametrize("path", SHIPPED, ids=name_of)
def test_nothing_loaded_executes(path: Path) -> None:
    """No pickle, eval, exec, unsafe YAML or torch.load, no SQL from strings, no unsafe HTML."""
    wrong = []
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import | ast.ImportFrom):
            names = [alias.name for alias in node.names] + [getattr(node, "module", None) or ""]
            wrong += [
                name
                for name in names
                if name.split(".")[0] in ("pickle", "cloudpickle", "dill", "marshal", "shelve", "joblib", "code")
            ]
        if not isinstance(node, ast.Call):
            continue
        called = ast.unparse(node.func)
        keywords = {word.arg: ast.unparse(word.value) for word in node.keywords}
        if called in RUNS_CODE or called.endswith((".to_pickle", ".read_pickle", ".extractall")):
            wrong.append(called)
        if called == "torch.load" and keywords.get("weights_only") != "True":
            wrong.append("torch.load without weights_only=True")
        if called == "np.load" and keywords.get("allow_pickle") != "False":
            wrong.append("np.load without allow_pickle=False")
        if keywords.get("unsafe_allow_html", "False") != "False":
            wrong.append("unsafe_allow_html")
        if keywords.get("shell", "False") != "False":
            wrong.append("a shell")
        if called.split(".")[-1] in SQL and node.args and made_of_strings(node.args[0]):
            wrong.append(f"SQL from strings: {ast.unparse(node)[:60]}")
    assert not wrong


@pytest.mark.parametrize(
    "line",
    [
        "import pickle",
        "from joblib import load",
        "eval(x)",
        "torch.load(f)",
        "torch.load(f, weights_only=False)",
        "np.load(f)",
        "yaml.load(f)",
        "archive.extractall(place)",
        "subprocess.run(x, shell=True)",
        "st.markdown(x, unsafe_allow_html=True)",
        "session.execute(f'select {x}')",
        "connection.exec_driver_sql('select %s' % x)",
        "session.execute(text('select {}'.format(x)))",
    ],
)
def test_the_rule_above_sees_what_it_must(line: str, tmp_path: Path) -> None:
    path = tmp_path / "x.py"
    path.write_text(line)
    with pytest.raises(AssertionError):
        test_nothing_loaded_executes(path)


@pytest.mark.parametrize("name", Config.model_fields)
def test_setting_is_documented(name: str) -> None:
    assert f"`{name}`" in (ROOT / "docs" / "settings.md").read_text(encoding="utf-8")


def test_settings_page_is_as_generated() -> None:
    from docs.settings import page

    assert (ROOT / "docs" / "settings.md").read_text(encoding="utf-8") == page(), "run: python -m docs.settings"


def test_requirements_pin_what_the_package_needs() -> None:
    import tomllib

    needed = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]["dependencies"]
    pinned = {
        line.split("==")[0]
        for line in (ROOT / "requirements.txt").read_text(encoding="utf-8").splitlines()
        if "==" in line
    }
    assert {re.split(r"[<>=]", line)[0] for line in needed} == pinned


def test_command_is_in_the_guide() -> None:
    """Each command of the parser, by the word that calls it."""
    import contextlib
    import io

    from amad.cli import main

    with contextlib.redirect_stdout(io.StringIO()) as out, pytest.raises(SystemExit):
        main(["--help"])
    commands = re.findall(r"^    (\w+) {2,}", out.getvalue(), flags=re.MULTILINE)
    assert {"fit", "score", "app"} <= set(commands)
    guide = (ROOT / "docs" / "guide.md").read_text(encoding="utf-8")
    assert [command for command in commands if f"    amad {command}" not in guide] == []


@pytest.mark.parametrize("path", [path for path in SHIPPED if name_of(path).startswith("app/")], ids=name_of)
def test_every_argument_of_a_cached_reader_is_part_of_its_key(path: Path) -> None:
    """Streamlit leaves arguments out of the key whose names begin with an underscore: what is stale would then be shown."""
    wrong = []
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.FunctionDef) and any("st.cache_" in ast.unparse(mark) for mark in node.decorator_list):
            arguments = [*node.args.posonlyargs, *node.args.args, *node.args.kwonlyargs]
            wrong += [f"{node.name}({argument.arg})" for argument in arguments if argument.arg.startswith("_")]
    assert not wrong


@pytest.mark.parametrize("path", [path for path in SHIPPED if name_of(path).startswith("app")], ids=name_of)
def test_every_button_keeps_its_click(path: Path) -> None:
    """The value of a plain button is lost where its run is cut short: a callback, or `clicked` of app/parts/clicks.py."""
    wrong = []
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute):
            plain = not any(keyword.arg == "on_click" for keyword in node.keywords)
            if node.func.attr in ("button", "form_submit_button") and plain:
                wrong.append(f"line {node.lineno}: {ast.unparse(node)[:60]}")
    assert not wrong
